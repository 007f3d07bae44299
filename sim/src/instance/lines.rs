//! Formats of one entry a line.

use super::flaw::{Flaw, Malformed, shown};
use super::{Format, Instance, Objective};

/// The lines that hold data, with their numbers from 1: not empty, no comment.
pub(super) fn data(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(number, line)| (number + 1, line.trim())).filter(|(_, line)| {
        !line.is_empty() && !line.starts_with(['#', '%']) && *line != "c" && !line.starts_with("c ")
    })
}

/// The value after `key` in a comment such as `# sites 12` or `# vartype=SPIN`.
fn remark<'t>(text: &'t str, key: &str) -> Option<(usize, &'t str)> {
    let comments =
        text.lines().enumerate().filter_map(|(n, line)| Some((n + 1, line.trim().strip_prefix('#')?)));
    comments.take(64).find_map(|(number, line)| {
        let rest = line.trim().strip_prefix(key)?;
        Some((number, rest.trim_start_matches(['=', ' ', ':']).trim()))
    })
}

/// Entries as they are read: pairs, linear terms, and where they stood.
struct Entries {
    /// The number of the first variable: 0 or 1.
    base: u64,
    /// Number of variables announced, if it is.
    n: Option<u64>,
    pairs: Vec<(u32, u32, f64, usize)>,
    linear: Vec<(u32, f64, usize)>,
}

fn fail<T>(line: usize, flaw: Flaw) -> Result<T, Malformed> {
    Err(Malformed { line, flaw })
}

fn whole(word: &str, what: &'static str, line: usize) -> Result<u64, Malformed> {
    word.parse().or_else(|_| fail(line, Flaw::NotWhole { got: shown(word), what }))
}

/// A finite weight; whole numbers must fit into 53 bits.
fn weight(word: &str, line: usize) -> Result<f64, Malformed> {
    let Some(value) = word.parse::<f64>().ok().filter(|value| value.is_finite()) else {
        return fail(line, Flaw::NotFinite { got: shown(word) });
    };
    let digits = word.trim_start_matches(['+', '-']);
    let whole = digits.bytes().all(|b| b.is_ascii_digit());
    if whole && digits.parse::<u64>().map_or(true, |size| size > 1 << 53) {
        return fail(line, Flaw::Inexact { got: shown(word) });
    }
    Ok(value)
}

impl Entries {
    /// Reads the words of one entry.
    fn push(&mut self, line: usize, text: &str, format: Format) -> Result<(), Malformed> {
        let mut words = text.split_whitespace();
        let (Some(a), Some(b), third) = (words.next(), words.next(), words.next()) else {
            return fail(
                line,
                Flaw::Columns { got: text.split_whitespace().count(), expected: expected(format) },
            );
        };
        if words.next().is_some() || (third.is_none() && matches!(format, Format::Sparse | Format::Coo)) {
            return fail(
                line,
                Flaw::Columns { got: text.split_whitespace().count(), expected: expected(format) },
            );
        }
        let (a, b) = (self.variable(a, line)?, self.variable(b, line)?);
        let value = third.map_or(Ok(1.0), |word| weight(word, line))?;
        if a != b {
            self.pairs.push((a, b, value, line));
        } else if matches!(format, Format::Sparse | Format::Coo) {
            self.linear.push((a, value, line));
        } else {
            let remedy = match format {
                Format::Rudy => "a cut has none; if this is a QUBO, ask for the objective qubo",
                _ => "an edge joins two sites; a file of fields is COO",
            };
            return fail(line, Flaw::SelfLoop { variable: u64::from(a) + self.base, remedy });
        }
        Ok(())
    }

    fn variable(&self, word: &str, line: usize) -> Result<u32, Malformed> {
        let variable = whole(word, "variable", line)?;
        let most = self.n.map_or(u64::from(u32::MAX) - 1, |n| (n - 1).saturating_add(self.base));
        if variable < self.base || variable > most {
            return fail(line, Flaw::OutOfRange { variable, least: self.base, most });
        }
        Ok((variable - self.base) as u32)
    }

    /// The instance, once nothing is listed twice and the number of variables is believable.
    fn finish(mut self, objective: Objective) -> Result<Instance, Malformed> {
        let largest = self.pairs.iter().map(|e| e.0.max(e.1)).chain(self.linear.iter().map(|e| e.0)).max();
        let n = self.n.unwrap_or(largest.map_or(0, |site| u64::from(site) + 1));
        let entries = self.pairs.len() + self.linear.len();
        credible(n, entries)?;
        let base = self.base;
        let mut order: Vec<_> =
            self.pairs.iter().map(|&(a, b, _, line)| (a.min(b), a.max(b), line)).collect();
        order.extend(self.linear.iter().map(|&(a, _, line)| (a, a, line)));
        order.sort_unstable();
        if let Some(pair) = order.windows(2).find(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1)) {
            let (a, b) = (u64::from(pair[1].0) + base, u64::from(pair[1].1) + base);
            return fail(pair[1].2, Flaw::Duplicate { a, b, first: pair[0].2 });
        }
        let mut linear = Vec::new();
        if !self.linear.is_empty() {
            linear = vec![0.0; n as usize];
            for (site, value, _) in self.linear.drain(..) {
                linear[site as usize] = value;
            }
        }
        Ok(Instance {
            objective,
            n: n as usize,
            pairs: self.pairs.iter().map(|&(a, b, ..)| (a, b)).collect(),
            quadratic: self.pairs.iter().map(|&(_, _, value, _)| value).collect(),
            linear,
            offset: 0.0,
            labels: None,
        })
    }
}

/// Whether a file with `entries` entries may have `n` variables: a file's word alone reserves no more than a few megabytes.
pub(super) fn credible(n: u64, entries: usize) -> Result<(), Malformed> {
    if n == 0 {
        return fail(0, Flaw::Empty);
    }
    if n > (1 << 18) + 64 * entries as u64 || n >= u64::from(u32::MAX) {
        return fail(0, Flaw::NotCredible { variables: n, entries });
    }
    Ok(())
}

fn expected(format: Format) -> &'static str {
    match format {
        Format::Sparse => "three: i, j and q",
        Format::Coo => "three: i, j and the bias",
        _ => "two or three: i, j and a weight",
    }
}

/// Rudy and sparse: a header with the numbers of variables and entries, then the entries.
pub(super) fn counted(text: &str, format: Format, objective: Objective) -> Result<Instance, Malformed> {
    let mut lines = data(text);
    let Some((line, header)) = lines.next() else { return fail(0, Flaw::Empty) };
    let mut words = header.split_whitespace();
    let (Some(n), Some(m)) = (words.next(), words.next()) else {
        return fail(line, Flaw::Header { got: shown(header) });
    };
    let n = whole(n, "number of variables", line)?;
    let m = whole(m, "number of entries", line)?;
    if n == 0 {
        return fail(line, Flaw::Empty);
    }
    let mut entries = Entries { base: 1, n: Some(n), pairs: Vec::new(), linear: Vec::new() };
    let mut got = 0usize;
    let mut last = line;
    for (line, text) in lines {
        if got as u64 == m {
            return fail(line, Flaw::Excess { expected: m });
        }
        entries.push(line, text, format)?;
        got += 1;
        last = line;
    }
    if (got as u64) < m {
        return fail(last, Flaw::Truncated { expected: m, got });
    }
    let mut instance = entries.finish(objective)?;
    if format == Format::Sparse {
        // A symmetric matrix: each entry beside the diagonal stands for two.
        instance.quadratic.iter_mut().for_each(|q| *q *= 2.0);
        if let Some(at) = instance.quadratic.iter().position(|q| !q.is_finite()) {
            let (a, b) = instance.pairs[at];
            return fail(0, Flaw::NotFinite { got: format!("2 q({}, {})", a + 1, b + 1) });
        }
    }
    Ok(instance)
}

/// dimod COO. Spins have their biases added to the energy, so that J and h are their negatives.
pub(super) fn coo(text: &str, asked: Option<Objective>) -> Result<Instance, Malformed> {
    let stated = match remark(text, "vartype") {
        Some((_, kind)) if kind.eq_ignore_ascii_case("spin") => Some(Objective::Ising),
        Some((_, kind)) if kind.eq_ignore_ascii_case("binary") => Some(Objective::Qubo),
        Some((line, _)) => return fail(line, Flaw::Vartype),
        None => None,
    };
    let objective = match (stated, asked) {
        (Some(file), Some(asked)) if file != asked => {
            return fail(0, Flaw::Objective { file: file.name(), asked: asked.name() });
        }
        (None, None | Some(Objective::MaxCut)) => return fail(0, Flaw::Vartype),
        (Some(objective), _) | (None, Some(objective)) => objective,
    };
    let mut entries = Entries { base: 0, n: None, pairs: Vec::new(), linear: Vec::new() };
    for (line, text) in data(text) {
        entries.push(line, text, Format::Coo)?;
    }
    let mut instance = entries.finish(objective)?;
    instance.flip_signs_of_spins();
    Ok(instance)
}

/// Edge lists.
pub(super) fn edges(text: &str, objective: Objective) -> Result<Instance, Malformed> {
    let n = remark(text, "sites").map(|(line, word)| whole(word, "number of sites", line)).transpose()?;
    if n == Some(0) {
        return fail(0, Flaw::Empty);
    }
    let mut entries = Entries { base: 0, n, pairs: Vec::new(), linear: Vec::new() };
    for (line, text) in data(text) {
        entries.push(line, text, Format::Edges)?;
    }
    entries.finish(objective)
}
