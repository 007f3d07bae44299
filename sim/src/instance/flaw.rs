//! What can be wrong with a problem file.

use std::path::PathBuf;

/// A flaw and the line it is on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}{flaw}", at(*.line))]
pub struct Malformed {
    /// The line, counted from 1; 0 if the flaw is the file's as a whole.
    pub line: usize,
    /// What is wrong.
    pub flaw: Flaw,
}

fn at(line: usize) -> String {
    if line == 0 { String::new() } else { format!("line {line}: ") }
}

/// What is wrong with a file or one of its lines.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// Bytes that are no text.
    #[error("the file is not UTF-8 text")]
    NotText,
    /// A file without a problem in it.
    #[error("the file holds no problem: at least one variable is needed")]
    Empty,
    /// A first line that does not announce what follows.
    #[error("{got:?} is no header: it must begin with the number of variables and the number of entries")]
    Header {
        /// The line, cut short.
        got: String,
    },
    /// A line with too few or too many columns.
    #[error("{got} columns: there must be {expected}")]
    Columns {
        /// How many there are.
        got: usize,
        /// What there should be.
        expected: &'static str,
    },
    /// Something else where a whole number must stand.
    #[error("{got:?} is no {what}: it must be a whole number")]
    NotWhole {
        /// The word, cut short.
        got: String,
        /// What it should be.
        what: &'static str,
    },
    /// Something else where a number must stand.
    #[error("{got:?} is no weight: it must be a finite number")]
    NotFinite {
        /// The word, cut short.
        got: String,
    },
    /// A whole number that cannot be kept exactly.
    #[error("the whole number {got} cannot be kept exactly: at most 2⁵³ = 9007199254740992 in size can")]
    Inexact {
        /// The word, cut short.
        got: String,
    },
    /// An entry from a variable to itself where there can be none.
    #[error("an entry from variable {variable} to itself: {remedy}")]
    SelfLoop {
        /// The variable, as numbered in the file.
        variable: u64,
        /// What would be right.
        remedy: &'static str,
    },
    /// The same entry twice, in either order.
    #[error("entry ({a}, {b}) is there already, on line {first}: each pair is listed once")]
    Duplicate {
        /// One variable, as numbered in the file.
        a: u64,
        /// The other.
        b: u64,
        /// Where it was first.
        first: usize,
    },
    /// A variable that the header does not allow.
    #[error("there is no variable {variable}: they are numbered {least} to {most}")]
    OutOfRange {
        /// The variable named.
        variable: u64,
        /// The smallest number.
        least: u64,
        /// The largest number.
        most: u64,
    },
    /// Fewer entries than announced.
    #[error("{got} entries, but the header announces {expected}: the file is cut short")]
    Truncated {
        /// Entries announced.
        expected: u64,
        /// Entries found.
        got: usize,
    },
    /// More entries than announced.
    #[error("more entries than the {expected} that the header announces")]
    Excess {
        /// Entries announced.
        expected: u64,
    },
    /// A number of variables that the rest of the file does not support.
    #[error(
        "{variables} variables, but only {entries} entries: not believed, and nothing was allocated for them"
    )]
    NotCredible {
        /// Variables announced.
        variables: u64,
        /// Entries found.
        entries: usize,
    },
    /// A COO file that does not say whether its variables are spins or bits.
    #[error(
        "the file does not say whether its variables are SPIN or BINARY: begin it with `# vartype=SPIN`, or name the objective"
    )]
    Vartype,
    /// An objective that contradicts the file.
    #[error("the file is a problem of the kind {file}, not {asked}")]
    Objective {
        /// What the file says.
        file: &'static str,
        /// What was asked for.
        asked: &'static str,
    },
    /// Text that is no JSON, or not a binary quadratic model.
    #[error("no binary quadratic model in JSON: {reason}")]
    Json {
        /// What the parser says, with the column.
        reason: String,
    },
    /// Arrays of a model that do not fit together.
    #[error("{key} has {got} entries: there must be {expected}")]
    Length {
        /// The array.
        key: &'static str,
        /// Its length.
        got: usize,
        /// The length it should have.
        expected: usize,
    },
}

/// Why a problem file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("{}: {cause}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file is wrong.
    #[error("{}{}{malformed}", .path.display(), if .malformed.line == 0 { ": " } else { ", " })]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and on which line.
        malformed: Malformed,
    },
    /// The file is longer than what can be held.
    #[error("{}: the file is longer than {limit} bytes, the most that can be read here", .path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most that can be read.
        limit: u64,
    },
}

/// A word of the file, cut short so that a message stays one line.
pub(super) fn shown(word: &str) -> String {
    const MOST: usize = 40;
    let mut short: String = word.chars().take(MOST).collect();
    if word.chars().nth(MOST).is_some() {
        short.push('…');
    }
    short
}
