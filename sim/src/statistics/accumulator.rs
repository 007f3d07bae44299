//! A mean with its error from a stream of correlated numbers, in memory that grows with the logarithm of their count.

use super::estimate::Estimate;
use crate::error::Error;

/// Blocks a level needs before its error is trusted: the error of that error is then below 13 %.
const LEAST_BLOCKS: u64 = 32;

/// A streaming binning analysis (Flyvbjerg and Petersen, doi:10.1063/1.457480): level k holds the mean and spread of
/// block averages of 2ᵏ successive numbers.
///
/// ```
/// use ceas_sim::statistics::Accumulator;
/// let mut energy = Accumulator::default();
/// for i in 0..1024 {
///     energy.push((i % 2) as f64);
/// }
/// assert_eq!(energy.count(), 1024);
/// assert_eq!(energy.estimate().unwrap().mean, 0.5);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Accumulator {
    levels: Vec<Level>,
}

/// Running mean and sum of squared deviations (Welford) of the block averages of one level.
#[derive(Debug, Clone, Default, PartialEq)]
struct Level {
    count: u64,
    mean: f64,
    squares: f64,
    /// The first half of a pair that the next level waits for.
    pending: Option<f64>,
}

impl Level {
    fn push(&mut self, x: f64) {
        self.count += 1;
        let off = x - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (x - self.mean);
    }

    /// Standard error of the mean if the blocks of this level were independent.
    fn error(&self) -> f64 {
        let n = self.count as f64;
        libm::sqrt(self.squares / (n * (n - 1.0)))
    }
}

impl Accumulator {
    /// Adds the next number of the series.
    pub fn push(&mut self, value: f64) {
        let mut carried = value;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Level::default());
            }
            let this = &mut self.levels[level];
            this.push(carried);
            match this.pending.take() {
                None => {
                    this.pending = Some(carried);
                    return;
                }
                Some(first) => carried = 0.5 * (first + carried),
            }
        }
    }

    /// How many numbers have come in.
    pub fn count(&self) -> u64 {
        self.levels.first().map_or(0, |l| l.count)
    }

    /// The error of the mean at every binning level k (blocks of 2ᵏ numbers) with enough blocks to trust it.
    pub fn errors(&self) -> Vec<f64> {
        self.levels.iter().filter(|l| l.count >= LEAST_BLOCKS).map(Level::error).collect()
    }

    /// The mean, and the largest error over the binning levels: the plateau of an analysis that has converged.
    ///
    /// # Errors
    /// [`Error::Data`] with fewer than 32 numbers.
    pub fn estimate(&self) -> Result<Estimate, Error> {
        let error = self.errors().into_iter().reduce(f64::max).ok_or(Error::Data {
            what: "the mean of a series",
            violated: "a binning analysis needs at least 32 numbers",
        })?;
        Ok(Estimate { mean: self.levels[0].mean, error })
    }

    /// τ_int = ½ (error at the plateau / error as if independent)², in steps of the series; ½ for independent numbers.
    ///
    /// # Errors
    /// [`Error::Data`] with fewer than 32 numbers.
    pub fn tau_int(&self) -> Result<f64, Error> {
        let plateau = self.estimate()?.error;
        let naive = self.levels[0].error();
        Ok(if naive == 0.0 { 0.5 } else { 0.5 * (plateau / naive) * (plateau / naive) })
    }
}
