//! Reading states out and adding up their value rows.

use ceas_sim::activity::Activity;
use ndarray::ArrayView2;

use super::row::Row;

/// Adds the value row of every state that is read out, and looks at the error as the samples come in.
pub(super) struct Decoder<'a> {
    /// `[n_keys, d_value]`.
    values: ArrayView2<'a, f64>,
    row: &'a Row,
    /// Bits of one read-out: the encoded state, ⌈log₂ N⌉.
    bits: u64,
    pub(super) counts: Vec<u32>,
    sum: Vec<f64>,
    samples: u64,
    /// |ô − o|² at each of the looks.
    pub(super) errors: Vec<f64>,
    pub(super) activity: Activity,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(row: &'a Row, values: ArrayView2<'a, f64>) -> Self {
        Self {
            bits: (row.spin.states() as u64).next_power_of_two().trailing_zeros().into(),
            counts: vec![0; row.spin.labels()],
            sum: vec![0.0; values.ncols()],
            samples: 0,
            errors: Vec::new(),
            activity: Activity::default(),
            values,
            row,
        }
    }

    /// Reads one state out.
    #[inline]
    pub(super) fn read(&mut self, label: usize) {
        self.counts[label] += 1;
        for (sum, value) in self.sum.iter_mut().zip(self.values.row(label)) {
            *sum += value;
        }
        self.samples += 1;
        self.activity.read_outs += self.bits;
        self.activity.decoder_adds += self.sum.len() as u64;
        if looks(self.samples) {
            self.look();
        }
    }

    /// Takes counts that were drawn at once, of `samples` draws in all. Nothing is read out.
    pub(super) fn take(&mut self, counts: &[u32], samples: u64) {
        self.sum.fill(0.0);
        for (label, &count) in counts.iter().enumerate().filter(|(_, c)| **c > 0) {
            for (sum, value) in self.sum.iter_mut().zip(self.values.row(label)) {
                *sum += f64::from(count) * value;
            }
        }
        self.counts.copy_from_slice(counts);
        self.samples = samples;
        self.look();
    }

    fn look(&mut self) {
        let samples = self.samples as f64;
        let error = self.sum.iter().zip(&self.row.output).map(|(sum, o)| (sum / samples - o).powi(2)).sum();
        self.errors.push(error);
    }

    /// ô after all samples, with the error at the last look being that of all of them.
    pub(super) fn finish(&mut self) -> Vec<f64> {
        if !looks(self.samples) {
            self.look();
        }
        self.output()
    }

    /// ô of the samples so far.
    pub(super) fn output(&self) -> Vec<f64> {
        self.sum.iter().map(|sum| sum / self.samples as f64).collect()
    }
}

/// Whether the error is looked at after so many samples: at every power of two.
fn looks(samples: u64) -> bool {
    samples.is_power_of_two()
}

/// The numbers of samples at which the error of a run of `samples` is looked at: 1, 2, 4, … and `samples`.
pub(super) fn levels(samples: u64) -> Vec<u64> {
    let mut levels: Vec<u64> = (0..64).map(|power| 1 << power).take_while(|level| *level < samples).collect();
    levels.push(samples);
    levels
}
