//! Reaching an error: which sizes to run longer, and when to take a larger one.

use super::cell::Measured;
use super::meeting::Critical;

/// An error to be reached by longer runs and larger sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision {
    /// The error of β_c to reach, statistical and systematic together.
    pub target: f64,
    /// The whole work may be at most this many times that of the survey without a target.
    pub most: u64,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The error is no larger than asked for.
    Reached,
    /// It is larger, and another round would have cost more than the budget.
    OutOfBudget,
    /// It is larger because of the correction to scaling, and the next larger size does not fit into memory or budget.
    OutOfSize,
}

/// Work that a sweep costs beside its sites: measuring and bookkeeping, in sites.
const OVERHEAD: f64 = 300.0;

/// A round makes no run more than this many times as long: an early error is itself uncertain.
const GROWTH: f64 = 4.0;

/// Of the error asked for, at most this share may come from the correction to scaling.
const SYSTEMATIC_SHARE: f64 = 0.6;

/// Work done, in sites.
pub(super) fn work(measured: &[Measured]) -> f64 {
    measured.iter().map(|m| cost(m) * m.sweeps as f64).sum()
}

/// Work of one sweep of all replicas of a cell.
fn cost(m: &Measured) -> f64 {
    m.histograms().len() as f64 * (m.sites as f64 + OVERHEAD)
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Done,
    /// How many times as long the runs of each size are to be, by size.
    Lengthen(Vec<(usize, f64)>),
    /// The correction to scaling is too large: take a larger size.
    Larger,
}

impl Precision {
    pub(super) fn step(&self, measured: &[Measured], critical: &Critical) -> Step {
        if critical.beta.error <= self.target {
            return Step::Done;
        }
        let systematic = critical.systematic.unwrap_or(0.0);
        let allowed = SYSTEMATIC_SHARE * self.target;
        // With a statistical error several times as large, the systematic one is noise itself.
        if systematic > allowed && critical.statistical < 2.0 * self.target {
            return Step::Larger;
        }
        let systematic = systematic.min(allowed);
        let wanted = 0.95 * libm::sqrt(self.target * self.target - systematic * systematic);
        // Of all ways to reach the variance the cheapest: length ∝ √(variance of one sweep / cost of one sweep) (J. Neyman 1934).
        let of_size = |size: usize| measured.iter().filter(move |m| m.cell.size == size);
        let total = critical.statistical * critical.statistical;
        let needs: Vec<(usize, f64, f64)> = critical
            .sizes
            .iter()
            .zip(&critical.shares)
            .map(|(&size, share)| {
                let spent: f64 = of_size(size).map(|m| cost(m) * m.sweeps as f64).sum();
                (size, share * total, spent)
            })
            .collect();
        let scale: f64 = needs.iter().map(|(_, variance, spent)| libm::sqrt(variance * spent)).sum::<f64>()
            / (wanted * wanted);
        let factors = needs.iter().map(|&(size, variance, spent)| {
            (size, (scale * libm::sqrt(variance / spent)).clamp(1.0, GROWTH))
        });
        let mut factors: Vec<(usize, f64)> = factors.collect();
        // Where the sizes are in balance and the target is near, all go on a little.
        if factors.iter().all(|f| f.1 < 1.05) {
            factors.iter_mut().for_each(|f| f.1 = 1.25);
        }
        Step::Lengthen(factors)
    }
}
