//! What is kept of a head for `--out`.

use ceas_npu::mapping::attention::HeadSample;
use ndarray::{Array2, Axis};

/// Everything sampled on one head, and the law beside it.
pub struct HeadRecord {
    /// Read-outs `[query, key]`.
    pub counts: Array2<u32>,
    /// The exact law p `[query, key]`; 0 where a key is masked.
    pub law: Array2<f32>,
    /// ô `[query, d_value]`.
    pub output: Array2<f64>,
    /// o `[query, d_value]`.
    pub exact_output: Array2<f64>,
    /// Per query: entropy, V, |o|², KL of the empirical row from the law, ln Z, ln Ẑ and its error (NaN without races).
    pub rows: [Vec<f64>; 7],
}

/// Names and units of [`HeadRecord::rows`].
#[cfg(feature = "hdf5")]
pub const ROWS: [(&str, &str); 7] = [
    ("row_entropy", "nats"),
    ("row_variance", "units of v squared"),
    ("row_signal", "units of v squared"),
    ("row_kl", "nats"),
    ("row_ln_z", "1"),
    ("row_ln_z_estimate", "1"),
    ("row_ln_z_error", "1"),
];

impl HeadRecord {
    /// The record of a sample.
    pub fn new(sample: &HeadSample) -> Self {
        let keys = sample.rows.first().map_or(0, |row| row.counts.len());
        let values = sample.rows.first().map_or(0, |row| row.output.len());
        let mut record = Self {
            counts: Array2::zeros((sample.rows.len(), keys)),
            law: Array2::zeros((sample.rows.len(), keys)),
            output: Array2::zeros((sample.rows.len(), values)),
            exact_output: Array2::zeros((sample.rows.len(), values)),
            rows: std::array::from_fn(|_| Vec::with_capacity(sample.rows.len())),
        };
        for (query, row) in sample.rows.iter().enumerate() {
            let line = |array: &mut Array2<f64>, from: &[f64]| {
                array.index_axis_mut(Axis(0), query).iter_mut().zip(from).for_each(|(to, x)| *to = *x);
            };
            line(&mut record.output, &row.output);
            line(&mut record.exact_output, &row.row.output);
            record
                .counts
                .index_axis_mut(Axis(0), query)
                .iter_mut()
                .zip(&row.counts)
                .for_each(|(to, c)| *to = *c);
            let law = row.row.law.probabilities();
            record.law.index_axis_mut(Axis(0), query).iter_mut().zip(law).for_each(|(to, p)| *to = *p as f32);
            let (estimate, error) = row.partition.map_or((f64::NAN, f64::NAN), |z| (z.ln_z, z.error));
            let numbers = [
                row.row.law.entropy(),
                row.row.variance,
                row.row.signal,
                row.divergence,
                row.row.law.ln_z(),
                estimate,
                error,
            ];
            for (column, number) in record.rows.iter_mut().zip(numbers) {
                column.push(number);
            }
        }
        record
    }

    /// Bytes that the record of a head of so many queries, keys and value dimensions takes.
    pub fn bytes(queries: usize, keys: usize, values: usize) -> u64 {
        let row = (keys as u64).saturating_mul(8).saturating_add((values as u64).saturating_mul(16)) + 56;
        (queries as u64).saturating_mul(row)
    }
}
