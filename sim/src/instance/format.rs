//! File formats, and how a file is recognised.

use std::fmt;
use std::path::Path;

use super::Objective;

/// A file format: see the table of [the module](super).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// G-set and rudy.
    Rudy,
    /// Biq Mac sparse QUBO.
    Sparse,
    /// dimod COO.
    Coo,
    /// dimod JSON.
    Bqm,
    /// Edge list.
    Edges,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] = [Self::Rudy, Self::Sparse, Self::Coo, Self::Bqm, Self::Edges];

    /// "rudy", "sparse", "coo", "bqm" or "edges".
    pub fn name(self) -> &'static str {
        match self {
            Self::Rudy => "rudy",
            Self::Sparse => "sparse",
            Self::Coo => "coo",
            Self::Bqm => "bqm",
            Self::Edges => "edges",
        }
    }

    /// The format a file's name stands for, if it stands for one.
    pub fn of_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match ending.as_str() {
            "mc" | "rud" | "rudy" | "gset" => Self::Rudy,
            "sparse" | "qubo" | "bqp" => Self::Sparse,
            "coo" => Self::Coo,
            "json" => Self::Bqm,
            "edges" | "edgelist" | "el" => Self::Edges,
            _ => return None,
        })
    }

    /// The format that a text looks like. A header `n m` decides for rudy, or for a sparse matrix if a QUBO is asked for.
    pub fn of_text(text: &str, objective: Option<Objective>) -> Self {
        if text.trim_start().starts_with('{') {
            return Self::Bqm;
        }
        if text.lines().take_while(|line| line.starts_with('#')).any(|line| line.contains("vartype")) {
            return Self::Coo;
        }
        let counted = if objective == Some(Objective::Qubo) { Self::Sparse } else { Self::Rudy };
        let mut lines = super::lines::data(text).map(|(_, line)| line.split_whitespace());
        let (Some(first), second) = (lines.next(), lines.next()) else { return counted };
        let first: Vec<&str> = first.collect();
        let whole = |word: Option<&&str>| word.and_then(|word| word.parse::<u64>().ok());
        let (Some(n), Some(m)) = (whole(first.first()), whole(first.get(1))) else { return Self::Edges };
        if n == 0 || first.get(2).is_some_and(|word| word.parse::<f64>().is_ok()) {
            return Self::Edges;
        }
        let columns = second.map_or(0, Iterator::count);
        let entries = super::lines::data(text).count() as u64 - 1;
        if first.len() > 2 || columns != 2 || entries == m { counted } else { Self::Edges }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
