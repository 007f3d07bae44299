//! A number with its error.

use serde::Serialize;

/// A mean and its one-sigma error, in the same units. Serialises to `{"mean": x, "error": e}`.
///
/// ```
/// use ceas_sim::statistics::Estimate;
/// let measured = Estimate { mean: 0.4409, error: 0.0001 };
/// assert!((measured.sigmas_from(0.4407) - 2.0).abs() < 1e-9);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimated value.
    pub mean: f64,
    /// Its standard error (one σ).
    pub error: f64,
}

impl Estimate {
    /// From independent, identically distributed values: their mean and s/√n. The error of one value is not a number.
    pub fn of_independent(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        Self { mean, error: if values.len() < 2 { f64::NAN } else { libm::sqrt(squares / (n * (n - 1.0))) } }
    }

    /// (mean − `reference`)/error: how many σ this estimate lies above the reference.
    pub fn sigmas_from(&self, reference: f64) -> f64 {
        (self.mean - reference) / self.error
    }
}
