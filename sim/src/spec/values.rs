//! Couplings and fields: one number, random numbers, or numbers from a file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::parse::{SpecError, shown};
use crate::instance::ReadError;
use crate::instance::text;
use crate::stream::Stream;

/// A number, or one over a power of the number of sites n.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amount {
    factor: f64,
    per: Per,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Per {
    One,
    Sites,
    RootSites,
}

impl Amount {
    const ONE: Self = Self { factor: 1.0, per: Per::One };

    /// Its value for `n` sites.
    pub fn of(self, n: usize) -> f64 {
        match self.per {
            Per::One => self.factor,
            Per::Sites => self.factor / n as f64,
            Per::RootSites => self.factor / libm::sqrt(n as f64),
        }
    }

    fn parse(word: &str) -> Option<Self> {
        let (number, per) = match word.split_once('/') {
            None => (word, Per::One),
            Some((number, "n")) => (number, Per::Sites),
            Some((number, "sqrt(n)")) => (number, Per::RootSites),
            Some(_) => return None,
        };
        let factor = number.parse().ok().filter(|x: &f64| x.is_finite())?;
        Some(Self { factor, per })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = match self.per {
            Per::One => "",
            Per::Sites => "/n",
            Per::RootSites => "/sqrt(n)",
        };
        write!(f, "{}{per}", self.factor)
    }
}

/// Where the couplings or the fields come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// The same everywhere.
    Uniform(Amount),
    /// Plus or minus the amount, with probability ½ each.
    PlusMinus(Amount),
    /// Normal with mean 0 and this standard deviation.
    Gaussian(Amount),
    /// One number a line.
    File(PathBuf),
}

/// Values for every bond or site.
pub(super) enum Drawn {
    Same(f64),
    Each(Vec<f64>),
}

impl Values {
    /// `count` values, one per `per`, for a graph of `n` sites.
    pub(super) fn draw(
        &self,
        count: usize,
        n: usize,
        per: &'static str,
        stream: &mut Stream,
    ) -> Result<Drawn, SpecError> {
        crate::memory::check("list of couplings or fields", count, 8 * count as u64)?;
        Ok(match self {
            Self::Uniform(amount) => Drawn::Same(amount.of(n)),
            Self::PlusMinus(amount) => {
                let size = amount.of(n);
                Drawn::Each(
                    (0..count).map(|_| if stream.next_u64() >> 63 == 1 { size } else { -size }).collect(),
                )
            }
            Self::Gaussian(amount) => {
                let sigma = amount.of(n);
                Drawn::Each((0..count).map(|_| sigma * stream.normal()).collect())
            }
            Self::File(path) => Drawn::Each(listed(path, count, per)?),
        })
    }
}

/// One number a line; empty lines and lines that begin with `#` are left out.
fn listed(path: &Path, count: usize, per: &'static str) -> Result<Vec<f64>, SpecError> {
    let text = text(path)?;
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
    let mut values = Vec::new();
    for (line, word) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let value = word.parse().ok().filter(|x: &f64| x.is_finite());
        values.push(value.ok_or_else(|| SpecError::Line {
            path: path.to_owned(),
            line,
            got: shown(word),
        })?);
    }
    if values.len() != count {
        return Err(SpecError::Values { path: path.to_owned(), got: values.len(), expected: count, per });
    }
    Ok(values)
}

impl From<ReadError> for SpecError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl FromStr for Values {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        if let Some(path) = word.strip_prefix('@').filter(|path| !path.is_empty()) {
            return Ok(Self::File(path.into()));
        }
        if let Some(rest) = word.strip_prefix("gaussian") {
            let sigma = if rest.is_empty() {
                Some(Amount::ONE)
            } else {
                rest.strip_prefix(':').and_then(Amount::parse)
            };
            return sigma.filter(|sigma| sigma.factor >= 0.0).map(Self::Gaussian).ok_or(());
        }
        if let Some(rest) = word.strip_prefix("pm") {
            let size = if rest.is_empty() { Some(Amount::ONE) } else { Amount::parse(rest) };
            return size.map(Self::PlusMinus).ok_or(());
        }
        Amount::parse(word).map(Self::Uniform).ok_or(())
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform(amount) => amount.fmt(f),
            Self::PlusMinus(amount) => write!(f, "pm{amount}"),
            Self::Gaussian(amount) => write!(f, "gaussian:{amount}"),
            Self::File(path) => write!(f, "@{}", path.display()),
        }
    }
}
