//! Averages of several observables over independent replicas or blocks: what jackknife and bootstrap resample.

use crate::error::Error;
use crate::stream::Stream;

/// K averages from each of R independent replicas (or blocks long against τ_int): a matrix `[R, K]`.
///
/// Rows are kept together when resampling, so correlations between observables of one replica are respected.
///
/// ```
/// use ceas_sim::statistics::Samples;
/// let samples = Samples::new(vec![[1.0, 10.0], [3.0, 30.0]]).unwrap();
/// assert_eq!(samples.mean(), [2.0, 20.0]);
/// assert_eq!(samples.mean_without(0), [3.0, 30.0]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Samples<const K: usize> {
    rows: Vec<[f64; K]>,
    sums: [f64; K],
}

impl<const K: usize> Samples<K> {
    /// From one row per replica.
    ///
    /// # Errors
    /// [`Error::Data`] with fewer than two rows, or a number that is not finite.
    pub fn new(rows: Vec<[f64; K]>) -> Result<Self, Error> {
        let refuse = |violated| Error::Data { what: "resampling", violated };
        if rows.len() < 2 {
            return Err(refuse("it takes at least two replicas or blocks"));
        }
        if rows.iter().flatten().any(|x| !x.is_finite()) {
            return Err(refuse("an average is not a finite number"));
        }
        let mut sums = [0.0; K];
        for row in &rows {
            add(&mut sums, row);
        }
        Ok(Self { rows, sums })
    }

    /// The rows, one per replica or block.
    pub fn rows(&self) -> &[[f64; K]] {
        &self.rows
    }

    /// The averages over all rows.
    pub fn mean(&self) -> [f64; K] {
        self.sums.map(|s| s / self.rows.len() as f64)
    }

    /// The averages over all rows but one.
    ///
    /// # Panics
    /// If there is no row `left_out`.
    pub fn mean_without(&self, left_out: usize) -> [f64; K] {
        let rest = (self.rows.len() - 1) as f64;
        let row = &self.rows[left_out];
        std::array::from_fn(|k| (self.sums[k] - row[k]) / rest)
    }

    /// The averages over as many rows as there are, drawn with replacement.
    pub fn resampled(&self, stream: &mut Stream) -> [f64; K] {
        let mut sums = [0.0; K];
        for _ in 0..self.rows.len() {
            add(&mut sums, &self.rows[stream.below(self.rows.len() as u64) as usize]);
        }
        sums.map(|s| s / self.rows.len() as f64)
    }
}

fn add<const K: usize>(sums: &mut [f64; K], row: &[f64; K]) {
    for (sum, x) in sums.iter_mut().zip(row) {
        *sum += x;
    }
}
