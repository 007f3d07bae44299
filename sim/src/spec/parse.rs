//! Reading a spec, and what can be wrong with one.

use std::path::PathBuf;
use std::str::FromStr;

use super::shape::Shape;
use super::{Source, Spec, Values};
use crate::error::Error;
use crate::instance::ReadError;
use crate::topology::Boundary;

/// What is wrong with a spec; each message names the part and says what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// A name that stands for no lattice.
    #[error("there is no lattice {got:?}: it is one of {known}")]
    Name {
        /// The name given.
        got: String,
        /// All names.
        known: String,
    },
    /// A table without the key `lattice`.
    #[error("a lattice needs the key `lattice` with its name")]
    NoLattice,
    /// A word without a meaning.
    #[error(
        "{got:?} means nothing for {name}: after its numbers ({keys}) come open or periodic, couplings=…, field=… and seed=…"
    )]
    Word {
        /// The word given.
        got: String,
        /// The lattice.
        name: &'static str,
        /// The numbers it takes.
        keys: String,
    },
    /// A number that is none.
    #[error("{key} is {got:?}: it must be {what}")]
    Number {
        /// Which number.
        key: &'static str,
        /// What was given.
        got: String,
        /// What would be right.
        what: &'static str,
    },
    /// A key given twice.
    #[error("{key} is given twice")]
    Twice {
        /// The key.
        key: String,
    },
    /// Ends that a lattice cannot have.
    #[error("the ends of {name} cannot be chosen: {remedy}")]
    Ends {
        /// The lattice.
        name: &'static str,
        /// What would be right.
        remedy: &'static str,
    },
    /// Couplings or fields that are none.
    #[error(
        "{key} are {got:?}: a number, pm1, gaussian or @FILE, the number perhaps over n or sqrt(n), as in gaussian:1/sqrt(n)"
    )]
    Amounts {
        /// `couplings` or `field`.
        key: &'static str,
        /// What was given.
        got: String,
    },
    /// No size anywhere.
    #[error("{name} needs a size: write {name}:…, with the number {key}")]
    NoSize {
        /// The lattice.
        name: &'static str,
        /// The number that is its size.
        key: &'static str,
    },
    /// A number that has no usual value.
    #[error("{name} needs {key}=…")]
    Missing {
        /// The lattice.
        name: &'static str,
        /// The number.
        key: &'static str,
    },
    /// A size for a file.
    #[error("a lattice from a file has the size it has: leave the size out")]
    FixedSize,
    /// A line of a file of values.
    #[error("{}, line {line}: {got:?} is no finite number", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What was there.
        got: String,
    },
    /// A file with too few or too many values.
    #[error("{}: {got} numbers, but there must be {expected}, one per {per}", .path.display())]
    Values {
        /// The file.
        path: PathBuf,
        /// Numbers found.
        got: usize,
        /// Numbers needed.
        expected: usize,
        /// What each belongs to.
        per: &'static str,
    },
    /// A file that cannot be read.
    #[error(transparent)]
    Read(ReadError),
    /// A lattice that cannot be built.
    #[error(transparent)]
    Lattice(#[from] Error),
}

/// A word cut short, so that a message stays one line.
pub(super) fn shown(word: &str) -> String {
    word.chars().take(40).collect()
}

impl FromStr for Spec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let text = text.trim();
        let (name, rest) = text.split_at(text.find([':', ',']).unwrap_or(text.len()));
        let mut items = rest.get(1..).into_iter().flat_map(|rest| rest.split(',')).map(str::trim);
        let mut source = if name == "file" {
            match items.next().filter(|path| !path.is_empty()) {
                Some(path) => Source::File(path.into()),
                None => return Err(SpecError::Missing { name: "file", key: "path" }),
            }
        } else {
            Source::Shape(Shape::named(name)?)
        };
        let mut spec = Parts::default();
        for item in items {
            let (key, value) = item.split_once('=').map_or((item, None), |(key, value)| (key, Some(value)));
            match (key, value, &mut source) {
                ("couplings", Some(value), _) => put(&mut spec.couplings, "couplings", value)?,
                ("field", Some(value), _) => put(&mut spec.field, "field", value)?,
                ("seed", Some(value), _) => {
                    let seed = value.parse();
                    let seed = seed.map_err(|_| SpecError::Number {
                        key: "seed",
                        got: shown(value),
                        what: "a whole number",
                    });
                    if spec.seed.replace(seed?).is_some() {
                        return Err(SpecError::Twice { key: "seed".to_owned() });
                    }
                }
                ("open", None, Source::Shape(shape)) | ("boundary", Some("open"), Source::Shape(shape)) => {
                    shape.set_boundary(Boundary::Open)?;
                }
                ("periodic", None, Source::Shape(shape))
                | ("boundary", Some("periodic"), Source::Shape(shape)) => {
                    shape.set_boundary(Boundary::Periodic)?;
                }
                (key, Some(value), Source::Shape(shape)) => match shape.set(key, value) {
                    Some(set) => set?,
                    None => return Err(shape.unknown(item)),
                },
                (word, None, Source::Shape(shape)) if word.starts_with(|c: char| c.is_ascii_digit()) => {
                    shape.push(word)?;
                }
                (_, _, Source::Shape(shape)) => return Err(shape.unknown(item)),
                _ => return Err(SpecError::Word { got: shown(item), name: "file", keys: "path".to_owned() }),
            }
        }
        Ok(Self { source, couplings: spec.couplings, field: spec.field, seed: spec.seed })
    }
}

#[derive(Default)]
struct Parts {
    couplings: Option<Values>,
    field: Option<Values>,
    seed: Option<u64>,
}

fn put(slot: &mut Option<Values>, key: &'static str, value: &str) -> Result<(), SpecError> {
    let values = value.parse().map_err(|()| SpecError::Amounts { key, got: shown(value) })?;
    if slot.replace(values).is_some() { Err(SpecError::Twice { key: key.to_owned() }) } else { Ok(()) }
}
