//! A row with one key that stands out.

use serde::Serialize;

/// One key at a gap D above the mean of N − 1 others of standard deviation σ.
///
/// The Gaussian bulk weighs e^(ln N + β²σ²/2), the planted key e^(βD): where the two are equal, at
///
/// ```text
/// β₁ = [D − √(D² − 2σ² ln N)]/σ²      (ln N/D as σ → 0; β_c at D = σ√(2 ln N))
/// ```
///
/// the row condenses on the key at once, before it would freeze. Below D = σ√(2 ln N) there is no such point and the key is one of many.
///
/// ```
/// use ceas_mapping::criticality::Planted;
/// let row = Planted { keys: 256, gap: 1.2 * 3.3302, sigma: 1.0 };
/// assert!((row.beta_1().unwrap() - 1.787).abs() < 1e-3);
/// assert!(Planted { gap: 3.0, ..row }.beta_1().is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Planted {
    /// N.
    pub keys: usize,
    /// D.
    pub gap: f64,
    /// σ of the other keys.
    pub sigma: f64,
}

impl Planted {
    /// Takes the highest score of a row for the planted key; `gaps` are the scores below it, in descending order, 0 first. `None` with fewer
    /// than three keys.
    pub fn of_row(gaps: &[f64]) -> Option<Self> {
        let rest = gaps.get(1..).filter(|rest| rest.len() >= 2)?;
        let count = rest.len() as f64;
        let mean = rest.iter().sum::<f64>() / count;
        let variance = rest.iter().map(|g| (g - mean) * (g - mean)).sum::<f64>() / count;
        Some(Self { keys: gaps.len(), gap: -mean, sigma: libm::sqrt(variance) })
    }

    /// D over σ√(2 ln N): above 1 the key stands out. Infinite if σ = 0 < D.
    pub fn prominence(&self) -> f64 {
        self.gap / (self.sigma * libm::sqrt(2.0 * libm::log(self.keys as f64)))
    }

    /// β₁, or `None` where the key does not stand out.
    pub fn beta_1(&self) -> Option<f64> {
        let ln_n = libm::log(self.keys as f64);
        let square = self.gap * self.gap - 2.0 * self.sigma * self.sigma * ln_n;
        // 2 ln N/(D + √…) is the same number without the cancellation, and right at σ = 0.
        (square >= 0.0 && self.gap > 0.0).then(|| 2.0 * ln_n / (self.gap + libm::sqrt(square)))
    }
}
