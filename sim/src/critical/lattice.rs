//! The lattices whose transition can be located, and what is known of each beforehand.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::exact::onsager;
use crate::topology::Topology;

/// A family of periodic lattices, one for every side L.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lattice {
    /// The L × L square torus.
    Square,
}

impl Lattice {
    /// The lattice of side `size`.
    ///
    /// # Errors
    /// As [`Topology::square`].
    pub fn topology(self, size: usize) -> Result<Topology, Error> {
        match self {
            Self::Square => Topology::square(size),
        }
    }

    /// Number of neighbours z of a site.
    pub fn coordination(self) -> usize {
        match self {
            Self::Square => 4,
        }
    }

    /// β_B = atanh(1/(z − 1)): a rigorous lower bound of β_c for a ferromagnet with J = 1 (Fisher, doi:10.1103/PhysRev.162.480).
    ///
    /// ```
    /// let bound = ceas_sim::critical::Lattice::Square.bethe_bound();
    /// assert!((bound - 0.346_573_6).abs() < 1e-7);
    /// ```
    pub fn bethe_bound(self) -> f64 {
        libm::atanh(1.0 / (self.coordination() as f64 - 1.0))
    }

    /// β_c where it is known exactly. Nothing in the search uses it; it is what results are printed beside.
    pub fn exact_beta_c(self) -> Option<f64> {
        match self {
            Self::Square => Some(onsager::BETA_C),
        }
    }

    /// p in β_L = β_c + a L^(−p), the drift of the Binder crossings of L and 2L: p = 1/ν + ω.
    ///
    /// Two dimensions: ν = 1, and ω = 7/4 because ⟨m²⟩ has a background of relative size L^(−γ/ν) (Salas and Sokal,
    /// arXiv:cond-mat/9904038).
    pub fn drift_exponent(self) -> f64 {
        match self {
            Self::Square => 2.75,
        }
    }
}

impl fmt::Display for Lattice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Square => "square",
        })
    }
}

impl FromStr for Lattice {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "square" => Ok(Self::Square),
            _ => Err(Error::UnknownName { what: "lattice", got: name.to_owned(), known: "square" }),
        }
    }
}
