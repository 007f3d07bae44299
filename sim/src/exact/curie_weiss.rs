//! The complete graph with couplings J/N (Curie–Weiss): exact for any N as a sum over N + 1 magnetisations.

use super::averages::{Averages, WeightedSum};
use crate::beta::Beta;
use crate::error::Error;

/// H = −(J/N) Σ_(i<j) s_i s_j − h Σ s_i = −J(M² − N)/2N − hM, with M = Σ s_i.
///
/// ```
/// use ceas_sim::{beta::Beta, exact::curie_weiss::CurieWeiss};
/// let graph = CurieWeiss::new(1.0, 0.0).unwrap();
/// let cold = graph.finite(100_000, Beta::new(1.5).unwrap()).unwrap();
/// let limit = graph.limit_magnetization(Beta::new(1.5).unwrap());
/// assert!((cold.abs_magnetization - limit).abs() < 1e-4);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurieWeiss {
    coupling: f64,
    field: f64,
}

/// β_c of the limit at J = 1, h = 0.
pub const BETA_C: f64 = 1.0;

impl CurieWeiss {
    /// The graph with couplings J/N and field h.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if one of them is not finite.
    pub fn new(coupling: f64, field: f64) -> Result<Self, Error> {
        for (what, got) in [("coupling", coupling), ("field", field)] {
            if !got.is_finite() {
                return Err(Error::NotFinite { what, index: 0, got });
            }
        }
        Ok(Self { coupling, field })
    }

    /// Exact averages of N = `sites` spins.
    ///
    /// # Errors
    /// [`Error::SiteCount`] if there is no spin, or more than 10⁸ (the sum has N + 1 terms).
    pub fn finite(&self, sites: usize, beta: Beta) -> Result<Averages, Error> {
        const MOST: usize = 100_000_000;
        if !(1..=MOST).contains(&sites) {
            return Err(Error::SiteCount { what: "the complete graph", got: sites, least: 1, most: MOST });
        }
        let n = sites as f64;
        let mut sum = WeightedSum::new(sites, beta);
        for up in 0..=sites {
            let k = up as f64;
            let m = 2.0 * k - n;
            let ln_count = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
            let energy = -self.coupling * (m * m - n) / (2.0 * n) - self.field * m;
            sum.add(energy, m, ln_count);
        }
        Ok(sum.averages())
    }

    /// m of the limit N → ∞: the stable solution of m = tanh β(Jm + h), on the side of h (m ≥ 0 at h = 0).
    pub fn limit_magnetization(&self, beta: Beta) -> f64 {
        let (b, side) = (beta.value(), if self.field < 0.0 { -1.0 } else { 1.0 });
        // x ↦ tanh β(Jx + |h|) − x is positive just right of 0 and negative at 1 where an ordered solution exists.
        let excess = |x: f64| libm::tanh(b * (self.coupling * x + self.field.abs())) - x;
        let (mut low, mut high) = (1e-15, 1.0);
        if excess(low) <= 0.0 {
            return 0.0;
        }
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if excess(middle) > 0.0 { low = middle } else { high = middle }
        }
        side * 0.5 * (low + high)
    }

    /// Energy per site of the limit N → ∞: −Jm²/2 − hm.
    pub fn limit_energy(&self, beta: Beta) -> f64 {
        let m = self.limit_magnetization(beta);
        -self.coupling * m * m / 2.0 - self.field * m
    }
}
