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
    /// [`crate::update::Wolff`], its clusters per sweep learnt during thermalization so that about N sites flip.
    Wolff,
}

impl fmt::Display for Dynamics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HeatBath => "heat-bath",
            Self::Metropolis => "metropolis",
            Self::Wolff => "wolff",
        })
    }
}

impl FromStr for Dynamics {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self, Error> {
        [Self::HeatBath, Self::Metropolis, Self::Wolff].into_iter().find(|d| d.to_string() == name).ok_or(
            Error::UnknownName {
                what: "update",
                got: name.to_owned(),
                known: "heat-bath, metropolis, wolff",
            },
        )
    }
}
