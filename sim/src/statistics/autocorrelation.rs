//! Integrated autocorrelation times with a self-consistent window.

use super::estimate::Estimate;
use crate::error::Error;

/// The window is the first W ≥ `WINDOW`·τ_int(W): Sokal's rule. At 6 the truncation bias of an exponential ρ is e⁻⁶.
const WINDOW: f64 = 6.0;

/// The shortest window: where ρ alternates, the first terms cancel and Sokal's rule alone would stop among them.
const SHORTEST: usize = 9;

/// Autocorrelation of one observable over one or more replicas of the same run.
///
/// τ_int = ½ + Σ_(t=1)^W ρ(t) in steps of the series (½ for independent numbers), with W the smallest window ≥ 9 that is
/// at least 6 τ_int (A. D. Sokal, doi:10.1007/978-1-4899-0319-8_6) and error √((4W + 2)/n) τ_int (Madras and Sokal,
/// doi:10.1007/BF01022990); the bias of the subtracted sample mean is corrected (U. Wolff, arXiv:hep-lat/0306017).
///
/// ```
/// use ceas_sim::{statistics::Autocorrelation, stream::{Purpose, Stream}};
/// let mut noise = Stream::new(0, Purpose::Test, 0, 0);
/// let series: Vec<f64> = (0..4096).map(|_| noise.normal()).collect();
/// let analysis = Autocorrelation::of(&[&series]).unwrap();
/// assert!((analysis.tau_int.mean - 0.5).abs() < 5.0 * analysis.tau_int.error);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Autocorrelation {
    /// The mean of all numbers, and its error √(2 τ_int var/n).
    pub mean: Estimate,
    /// The variance of a single number.
    pub variance: f64,
    /// τ_int in steps of the series.
    pub tau_int: Estimate,
    /// ρ(t) for t = 0 … W.
    pub rho: Vec<f64>,
    /// Whether the window closed inside the series; if not, τ_int is a lower bound.
    pub converged: bool,
}

impl Autocorrelation {
    /// Analyses the series of all replicas together; they share one mean and one ρ.
    ///
    /// # Errors
    /// [`Error::Data`] unless there is a series, each has at least 4 numbers, and all are finite.
    pub fn of(replicas: &[&[f64]]) -> Result<Self, Error> {
        let refuse = |violated| Error::Data { what: "an autocorrelation time", violated };
        let shortest = replicas.iter().map(|r| r.len()).min().ok_or(refuse("no series was given"))?;
        if shortest < 4 {
            return Err(refuse("a series needs at least 4 numbers"));
        }
        if replicas.iter().any(|r| r.iter().any(|x| !x.is_finite())) {
            return Err(refuse("a series holds a number that is not finite"));
        }
        let n: f64 = replicas.iter().map(|r| r.len() as f64).sum();
        let mean = replicas.iter().flat_map(|r| r.iter()).sum::<f64>() / n;
        let gamma = |lag: usize| {
            let mut sum = 0.0;
            let mut pairs = 0usize;
            for series in replicas {
                sum += series.iter().zip(&series[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
                pairs += series.len() - lag;
            }
            sum / pairs as f64
        };
        let variance = gamma(0);
        if variance == 0.0 {
            let tau_int = Estimate { mean: 0.5, error: 0.0 };
            let mean = Estimate { mean, error: 0.0 };
            return Ok(Self { mean, variance, tau_int, rho: vec![1.0], converged: true });
        }
        let mut rho = vec![1.0];
        let mut tau = 0.5;
        let mut converged = false;
        // Beyond half the series a lag has too few pairs to mean anything.
        for lag in 1..=(shortest / 2).max(1) {
            let r = gamma(lag) / variance;
            rho.push(r);
            tau += r;
            if lag >= SHORTEST && lag as f64 >= WINDOW * tau {
                converged = true;
                break;
            }
        }
        let window = rho.len() as f64 - 1.0;
        // Strong anticorrelation can push a noisy sum to or below zero; 1/n is what n numbers could at best resolve.
        let tau = (tau * (1.0 + (2.0 * window + 1.0) / n)).max(1.0 / n);
        let variance = variance * (1.0 + 2.0 * tau / n);
        let tau_int = Estimate { mean: tau, error: tau * libm::sqrt((4.0 * window + 2.0) / n) };
        let mean = Estimate { mean, error: libm::sqrt(2.0 * tau * variance / n) };
        Ok(Self { mean, variance, tau_int, rho, converged })
    }
}
