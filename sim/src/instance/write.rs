//! Writing.

use std::fmt::Write;

use super::{Format, Instance, Objective, bqm};

/// Something that a format has no place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the format {format} cannot hold {what}: {remedy}")]
pub struct CannotHold {
    /// The format asked for.
    pub format: Format,
    /// What it has no place for.
    pub what: &'static str,
    /// What would be right.
    pub remedy: &'static str,
}

/// A number as it is read back to the same bits: whole numbers without a point.
fn number(x: f64) -> String {
    if x.fract() == 0.0 && x.abs() < 9_007_199_254_740_992.0 {
        format!("{}", x as i64)
    } else {
        format!("{x:e}")
    }
}

impl Instance {
    /// The problem as text that [`Instance::parse`] reads back to the same problem (rudy and edge lists: if told the objective).
    ///
    /// # Errors
    /// [`CannotHold`] where the format has no place for linear terms, the constant, labels, or this objective.
    pub fn to_text(&self, format: Format) -> Result<String, CannotHold> {
        let refuse = |what, remedy| Err(CannotHold { format, what, remedy });
        let objective = self.objective;
        match format {
            Format::Rudy | Format::Edges if !self.linear.is_empty() => {
                return refuse("linear terms", "coo and bqm can");
            }
            Format::Coo | Format::Bqm if objective == Objective::MaxCut => {
                return refuse("a cut", "rudy and edges can");
            }
            Format::Sparse if objective != Objective::Qubo => {
                return refuse("a problem that is no QUBO", "rudy, coo, bqm or edges can");
            }
            Format::Bqm => return Ok(bqm::text(self)),
            _ if self.offset != 0.0 => return refuse("a constant", "bqm can"),
            _ if self.labels.is_some() => return refuse("names of variables", "bqm can"),
            Format::Coo if self.n > self.largest() => {
                return refuse("variables after the last that has a term", "bqm can");
            }
            _ => {}
        }
        let mut text = String::new();
        let base = match format {
            Format::Rudy | Format::Sparse => {
                let diagonal = self.linear.iter().filter(|&&a| a != 0.0).count();
                let _ = writeln!(text, "{} {}", self.n, self.pairs.len() + diagonal);
                1
            }
            Format::Coo => {
                text += if objective == Objective::Ising { "# vartype=SPIN\n" } else { "# vartype=BINARY\n" };
                0
            }
            _ => {
                let _ = writeln!(text, "# sites {}", self.n);
                0
            }
        };
        let factor = match (format, objective) {
            (Format::Sparse, _) => 0.5,
            (Format::Coo, Objective::Ising) => -1.0,
            _ => 1.0,
        };
        // The diagonal of a sparse matrix is not counted twice.
        let own = if format == Format::Sparse { 1.0 } else { factor };
        for (i, &a) in self.linear.iter().enumerate().filter(|(_, a)| **a != 0.0) {
            let _ = writeln!(text, "{0} {0} {1}", i + base, number(own * a));
        }
        for (&(i, j), &q) in self.pairs.iter().zip(&self.quadratic) {
            let _ = writeln!(text, "{} {} {}", i as usize + base, j as usize + base, number(factor * q));
        }
        Ok(text)
    }

    /// One more than the last variable with a term.
    fn largest(&self) -> usize {
        let paired = self.pairs.iter().map(|&(a, b)| a.max(b) as usize + 1).max().unwrap_or(0);
        paired.max(self.linear.iter().rposition(|&a| a != 0.0).map_or(0, |last| last + 1))
    }
}
