//! Errors of whatever can be recomputed from resampled data, with or without a derivative.

use super::estimate::Estimate;
use crate::error::Error;
use crate::stream::{Purpose, Stream};

/// How often data are resampled, and from which random streams.
///
/// Resample b draws from stream (seed, `Resampling`, `replica`, b), so the result depends neither on threads nor on the
/// number of resamples made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// Number of resamples; 1000 know an error to about 2 %.
    pub resamples: u64,
    /// The seed of the run.
    pub seed: u64,
    /// Tells apart several bootstraps of one run.
    pub replica: u64,
}

/// What a bootstrap found.
#[derive(Debug, Clone, PartialEq)]
pub struct Resampled {
    /// The error: standard deviation over the resamples, times √(R/(R − 1)) for R resampled rows.
    pub error: f64,
    /// The resampled values, in order of their streams.
    pub values: Vec<f64>,
    /// Resamples in which the quantity did not exist (for example, curves that did not cross).
    pub failed: u64,
}

impl Bootstrap {
    /// Recomputes `quantity` from resampled data; it draws what it resamples from the stream it is given.
    ///
    /// `rows` is the number of independent rows resampled: a resample of R rows scatters too little by √((R − 1)/R).
    ///
    /// # Errors
    /// [`Error::Data`] if the quantity failed to exist in more than one resample in a hundred, or in all but one.
    pub fn run(
        &self,
        rows: usize,
        mut quantity: impl FnMut(&mut Stream) -> Option<f64>,
    ) -> Result<Resampled, Error> {
        let values: Vec<f64> = (0..self.resamples)
            .filter_map(|b| quantity(&mut Stream::new(self.seed, Purpose::Resampling, self.replica, b)))
            .collect();
        let failed = self.resamples - values.len() as u64;
        if values.len() < 2 || failed * 100 > self.resamples {
            let violated = "the quantity does not exist in more than 1 % of the resamples";
            return Err(Error::Data { what: "a bootstrap error", violated });
        }
        // Estimate gives the error of the mean; the spread of single resamples is √n of it.
        let spread = Estimate::of_independent(&values).error * libm::sqrt(values.len() as f64);
        let r = rows.max(2) as f64;
        Ok(Resampled { error: spread * libm::sqrt(r / (r - 1.0)), values, failed })
    }
}
