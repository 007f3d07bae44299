//! Achieved throughput of a kernel over the length of its sequences, and the law fitted to it.

use serde::Serialize;

use crate::provenance::Provenance;
use crate::units::FlopsPerSecond;

/// A fitted series of achieved throughput, or a held-out one that tests a fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// Its name.
    pub id: String,
    /// Whether it was fitted; if not, it is a hold-out.
    pub fitted: bool,
    /// Head dimension.
    pub d_head: u64,
    /// Whether masked pairs were left out.
    pub causal: bool,
    /// Lengths n.
    pub seq: Vec<u64>,
    /// Achieved throughput at these lengths.
    pub achieved: Vec<FlopsPerSecond>,
    /// Throughput of an infinite sequence; for a hold-out 0.
    pub t_inf: FlopsPerSecond,
    /// Length at which half of it is reached; for a hold-out 0.
    pub n_half: f64,
    /// Largest relative deviation of the fit from its own points.
    pub max_err: f64,
    /// Where it comes from.
    pub provenance: Provenance,
    /// Where it stands.
    pub source: String,
}

impl Series {
    /// T(n) = T_inf / (1 + n_half/n).
    pub fn throughput(&self, n: u64) -> FlopsPerSecond {
        FlopsPerSecond::new(self.t_inf.value() / (1.0 + self.n_half / n as f64))
    }

    /// Largest relative deviation of this fit from the points of `other`.
    pub fn deviation_from(&self, other: &Self) -> f64 {
        let deviation = |(&n, &t): (&u64, &FlopsPerSecond)| (self.throughput(n) / t - 1.0).abs();
        other.seq.iter().zip(&other.achieved).map(deviation).fold(0.0, f64::max)
    }
}
