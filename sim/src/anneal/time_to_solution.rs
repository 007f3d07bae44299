//! How long one waits for the best value.

use serde::Serialize;

/// Time after which one thread has met the best value with probability 0.99: t·ln(0.01)/ln(1 − p) with t the seconds of a read and
/// p = hits/reads, at least t (Rønnow et al., doi:10.1126/science.1252319).
///
/// It is about the best value *found*: if that is not the optimum, the time to the optimum is longer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TimeToSolution {
    /// Seconds of one thread.
    pub mean: f64,
    /// One standard error, from the binomial error of p; the larger side of the interval `low` to `high`.
    pub error: f64,
    /// With p at the upper end of its 68 % interval (Wilson, doi:10.1080/01621459.1927.10502953).
    pub low: f64,
    /// With p at the lower end of its 68 % interval.
    pub high: f64,
}

impl TimeToSolution {
    /// Hits below which the interval says little.
    pub const FEW: u64 = 5;

    /// The estimate from `hits` successes in `reads` reads of `seconds` each; `None` without a read or a hit.
    ///
    /// ```
    /// use ceas_sim::anneal::TimeToSolution;
    /// let half = TimeToSolution::of(50, 100, 2.0).unwrap();
    /// assert!((half.mean - 2.0 * 0.01f64.log2() / 0.5f64.log2()).abs() < 1e-12);
    /// assert!(half.low < half.mean && half.mean < half.high);
    /// ```
    pub fn of(hits: u64, reads: u64, seconds: f64) -> Option<Self> {
        if reads == 0 || hits == 0 {
            return None;
        }
        let n = reads as f64;
        let p = hits as f64 / n;
        let time = |p: f64| {
            if p >= 0.99 { seconds } else { seconds * (libm::log(0.01) / libm::log1p(-p)).max(1.0) }
        };
        // Wilson's interval for z = 1.
        let center = (p + 0.5 / n) / (1.0 + 1.0 / n);
        let half = libm::sqrt(p * (1.0 - p) / n + 0.25 / (n * n)) / (1.0 + 1.0 / n);
        let (low, mean, high) = (time((center + half).min(1.0)), time(p), time(center - half));
        Some(Self { mean, error: (high - mean).max(mean - low), low, high })
    }
}
