//! Averages over blocks of a series: numbers that are nearly independent once a block is many τ_int long.

use super::estimate::Estimate;
use crate::error::Error;

/// The averages of `blocks` successive blocks of equal length; what does not fill a block at the end is left out.
///
/// ```
/// let means = ceas_sim::statistics::binning::block_means(&[1.0, 3.0, 5.0, 7.0, 9.0], 2).unwrap();
/// assert_eq!(means, [2.0, 6.0]);
/// ```
///
/// # Errors
/// [`Error::Data`] if there is no block, or fewer numbers than blocks.
pub fn block_means(series: &[f64], blocks: usize) -> Result<Vec<f64>, Error> {
    if blocks == 0 || series.len() < blocks {
        let violated = "there must be at least one block, and a number for each";
        return Err(Error::Data { what: "block averages", violated });
    }
    let length = series.len() / blocks;
    Ok(series.chunks_exact(length).take(blocks).map(|b| b.iter().sum::<f64>() / length as f64).collect())
}

/// The mean of a correlated series with the error from the scatter of its block averages.
///
/// With blocks of length ℓ ≫ τ_int the error is low by about τ_int/2ℓ of itself, and known to 1/√(2·blocks).
///
/// # Errors
/// [`Error::Data`] if there are fewer than two blocks, or fewer numbers than blocks.
pub fn estimate(series: &[f64], blocks: usize) -> Result<Estimate, Error> {
    if blocks < 2 {
        return Err(Error::Data { what: "an error from blocks", violated: "it takes at least two blocks" });
    }
    block_means(series, blocks).map(|means| Estimate::of_independent(&means))
}
