//! The updates by name.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// Which update moves the spins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dynamics {
    /// [`crate::update::HeatBath`] in checkerboard order.
    HeatBath,
    /// [`crate::update::Metropolis`] in checkerboard order.
    Metropolis,
    /// [`crate::update::SwendsenWang`], measured by its improved estimators.
    SwendsenWang,
    /// [`crate::update::Wolff`], its clusters per sweep learnt during thermalization so that about N sites flip.
    Wolff,
}

impl fmt::Display for Dynamics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HeatBath => "heat-bath",
            Self::Metropolis => "metropolis",
            Self::SwendsenWang => "swendsen-wang",
            Self::Wolff => "wolff",
        })
    }
}

impl FromStr for Dynamics {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self, Error> {
        [Self::HeatBath, Self::Metropolis, Self::SwendsenWang, Self::Wolff]
            .into_iter()
            .find(|d| d.to_string() == name)
            .ok_or(Error::UnknownName {
                what: "update",
                got: name.to_owned(),
                known: "heat-bath, metropolis, swendsen-wang, wolff",
            })
    }
}
