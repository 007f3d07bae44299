//! A reading from the counts that a sampled head has anyway.

use ceas_sim::potts::PottsSpin;

use super::reading::{Reading, central};
use crate::attention::HeadSample;

/// Reads H and the moments of the scores from counts of S draws: what a controller adds to a head that is sampled.
///
/// H is the plug-in entropy with Miller and Madow's correction, as of [`super::Source::Counts`]; k ln k of every count comes from a table that is made
/// once, so that a row costs as many additions as it has keys.
///
/// ```
/// use ceas_mapping::control::CountReader;
/// use ceas_sim::potts::PottsSpin;
/// let spin = PottsSpin::new(&[0.0, 1.0]).unwrap();
/// let [entropy, variance, _] = CountReader::new(4).row(&spin, &[2, 2]);
/// assert!((entropy - 2f64.ln() - 1.0 / 8.0).abs() < 1e-15 && (variance - 1.0 / 3.0).abs() < 1e-15);
/// ```
#[derive(Debug, Clone)]
pub struct CountReader {
    samples: f64,
    ln_samples: f64,
    /// k ln k.
    table: Vec<f64>,
}

impl CountReader {
    /// For S = `samples` ≥ 3 draws a row.
    ///
    /// # Panics
    /// If there are fewer than three: a third moment needs them.
    pub fn new(samples: u32) -> Self {
        assert!(samples >= 3, "a third moment needs three draws");
        let table = (0..=samples).map(|k| if k > 1 { f64::from(k) * libm::log(f64::from(k)) } else { 0.0 });
        let s = f64::from(samples);
        Self { samples: s, ln_samples: libm::log(s), table: table.collect() }
    }

    /// H, Var and the third cumulant of the row of `spin` from its counts, one for each label; they add up to S.
    pub fn row(&self, spin: &PottsSpin, counts: &[u32]) -> [f64; 3] {
        let (mut sum, mut seen, mut raw) = (0.0, 0u32, [0.0; 3]);
        for (label, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let weight = f64::from(count);
            let gap = spin.gap(label);
            sum += self.table[count as usize];
            seen += 1;
            raw[0] += weight * gap;
            raw[1] += weight * gap * gap;
            raw[2] += weight * gap * gap * gap;
        }
        let entropy = self.ln_samples - sum / self.samples + f64::from(seen - 1) / (2.0 * self.samples);
        let [variance, third] = central(raw.map(|m| m / self.samples), self.samples);
        [entropy, variance, third]
    }

    /// The reading of a whole head: means over its rows.
    pub fn head(&self, sample: &HeadSample) -> Reading {
        let rows = &sample.rows;
        let count = rows.len() as f64;
        let mut reading = Reading::default();
        for row in rows {
            let [entropy, variance, third] = self.row(&row.row.spin, &row.counts);
            reading.entropy += entropy / count;
            reading.variance += variance / count;
            reading.third += third / count;
            reading.ln_n += libm::log(row.row.spin.states() as f64) / count;
            reading.sigma += row.row.sigma / count;
            let lowest = row.row.spin.descending().last().copied().unwrap_or(0.0);
            reading.spread = reading.spread.max(-lowest);
        }
        reading
    }
}
