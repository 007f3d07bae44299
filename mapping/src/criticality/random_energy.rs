//! The random energy model: a row of N independent Gaussian scores.

use serde::Serialize;

/// N scores, independent and Gaussian with standard deviation σ, as N → ∞.
///
/// ```text
/// β_c = √(2 ln N)/σ      β < β_c:  H = ln N − β²σ²/2,  C = β²σ²,  Y₂ = 0      β > β_c:  H = O(1),  ⟨Y₂⟩ = 1 − β_c/β
/// ```
///
/// B. Derrida, Phys. Rev. B 24, 2613 (1981), doi:10.1103/PhysRevB.24.2613. These are limits: at N = 10² to 10⁴ the peak of C lies at
/// 0.7 to 0.9 β_c and Y₂ is far from its limit; [`super::FiniteSize`] measures it.
///
/// ```
/// use ceas_mapping::criticality::RandomEnergy;
/// let row = RandomEnergy { keys: 256, sigma: 1.0 };
/// assert!((row.beta_c() - 3.3302).abs() < 1e-4);
/// assert!((row.entropy(row.beta_c() / 2f64.sqrt()) - 0.5 * 256f64.ln()).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RandomEnergy {
    /// N.
    pub keys: usize,
    /// σ.
    pub sigma: f64,
}

impl RandomEnergy {
    /// β_c = √(2 ln N)/σ: the published β* with bare N.
    pub fn beta_c(&self) -> f64 {
        libm::sqrt(2.0 * libm::log(self.keys as f64)) / self.sigma
    }

    /// H in the limit: ln N − β²σ²/2 below β_c, 0 above.
    pub fn entropy(&self, beta: f64) -> f64 {
        (libm::log(self.keys as f64) - 0.5 * (beta * self.sigma).powi(2)).max(0.0)
    }

    /// Y₂ in the limit: 0 below β_c, 1 − β_c/β above.
    pub fn participation(&self, beta: f64) -> f64 {
        if beta > self.beta_c() { 1.0 - self.beta_c() / beta } else { 0.0 }
    }

    /// Expected highest score above the mean, for N ≥ 2: with a = √(2 ln N), σ[a − (ln ln N + ln 4π)/(2a) + γ/a], γ = 0.5772… being the mean of
    /// the Gumbel law (without its term the formula gives the mode).
    pub fn top_score(&self) -> f64 {
        const EULER: f64 = 0.577_215_664_901_532_9;
        let ln_n = libm::log(self.keys as f64);
        let leading = libm::sqrt(2.0 * ln_n);
        let lower = (libm::log(ln_n) + libm::log(4.0 * std::f64::consts::PI)) / 2.0;
        self.sigma * (leading + (EULER - lower) / leading)
    }
}
