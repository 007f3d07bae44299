//! How a problem is solved.

use std::fmt;
use std::str::FromStr;

/// How a problem is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// Simulated annealing: every read is cooled once (Kirkpatrick, Gelatt, Vecchi, doi:10.1126/science.220.4598.671).
    Annealing,
    /// Parallel tempering: a read is a ladder of replicas at different β that exchange configurations.
    Tempering,
    /// Parallel tempering with isoenergetic cluster moves between two replicas on each rung, for sparse glasses.
    ClusterTempering,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 3] = [Self::Annealing, Self::Tempering, Self::ClusterTempering];

    /// "sa", "pt" or "pt-icm".
    pub fn name(self) -> &'static str {
        match self {
            Self::Annealing => "sa",
            Self::Tempering => "pt",
            Self::ClusterTempering => "pt-icm",
        }
    }

    /// Replicas on each rung of a ladder.
    pub(super) fn copies(self) -> usize {
        if self == Self::ClusterTempering { 2 } else { 1 }
    }
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        let found = Self::ALL.into_iter().find(|method| method.name() == name);
        found.ok_or_else(|| UnknownMethod { got: name.chars().take(40).collect() })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A method that is not offered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "method {got:?} is not offered: there are sa (simulated annealing), pt (parallel tempering) and pt-icm (pt with cluster moves)"
)]
pub struct UnknownMethod {
    /// The name asked for.
    pub got: String,
}
