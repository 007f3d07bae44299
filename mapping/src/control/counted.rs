//! A reading from the counts that a sampled head has anyway.

use ceas_sim::kernel::multispin::Level;
use ceas_sim::kernel::wide::{Loop, at};
use ceas_sim::potts::PottsSpin;

use super::reading::{Reading, central};
use crate::attention::HeadSample;

/// Reads H and the moments of the scores from counts of S draws: what a controller adds to a head that is sampled.
///
/// H is the plug-in entropy ln S − Σ k ln k/S with Miller and Madow's correction (K − 1)/(2S), as of [`super::Source::Counts`]; k ln k − ½ of every k > 0
/// comes from a table that is made once, so that K needs no counting. Eight labels are summed side by side, in the same order on every instruction set.
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
    level: Level,
}

/// Counts above this are rare enough to take their own logarithm.
const TABLE: u32 = 4096;

/// k ln k − ½; 0 at 0.
fn entry(k: u32) -> f64 {
    if k > 0 { f64::from(k) * libm::log(f64::from(k)) - 0.5 } else { 0.0 }
}

/// The same of a count that the table does not hold.
#[cold]
#[inline(never)]
fn beyond(k: u32) -> f64 {
    entry(k)
}

impl CountReader {
    /// For S = `samples` ≥ 3 draws a row.
    ///
    /// # Panics
    /// If there are fewer than three: a third moment needs them.
    pub fn new(samples: u32) -> Self {
        assert!(samples >= 3, "a third moment needs three draws");
        let s = f64::from(samples);
        Self {
            samples: s,
            ln_samples: libm::log(s),
            table: (0..=samples.min(TABLE)).map(entry).collect(),
            level: Level::choose().unwrap_or(Level::Portable),
        }
    }

    /// H, Var and the third cumulant of the row of `spin` from its counts, one for each label, which add up to S; labels beyond the last count were not
    /// drawn.
    pub fn row(&self, spin: &PottsSpin, counts: &[u32]) -> [f64; 3] {
        let (entries, moments) = at(self.level, Row { table: &self.table, gaps: spin.by_label(), counts });
        // Σ k ln k − K/2 = entries, so that this is ln S − Σ k ln k/S + (K − 1)/(2S).
        let entropy = self.ln_samples - (entries + 0.5) / self.samples;
        let [variance, third] = central(moments.map(|m| m / self.samples), self.samples);
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

/// Labels that are summed side by side.
const LANES: usize = 8;

/// No gap of a label that is present is below this.
const LOWEST: f64 = -1e150;

/// The loop over the labels of a row: Σ (k ln k − ½), and Σ k g, Σ k g², Σ k g³, g the gap below the highest score.
struct Row<'a> {
    table: &'a [f64],
    gaps: &'a [f64],
    counts: &'a [u32],
}

impl Loop for Row<'_> {
    type Output = (f64, [f64; 3]);

    #[inline(always)]
    fn run(self) -> (f64, [f64; 3]) {
        let Self { table, gaps, counts } = self;
        let length = gaps.len().min(counts.len());
        let (gaps, counts) = (&gaps[..length], &counts[..length]);
        (entries(table, counts), moments(gaps, counts))
    }
}

#[inline(always)]
fn entries(table: &[f64], counts: &[u32]) -> f64 {
    let of = |k: u32| match table.get(k as usize) {
        Some(&entry) => entry,
        None => beyond(k),
    };
    let mut sums = [0.0; 4];
    let (fours, rest) = counts.as_chunks::<4>();
    for counts in fours {
        sums.iter_mut().zip(counts).for_each(|(sum, &k)| *sum += of(k));
    }
    sums.iter_mut().zip(rest).for_each(|(sum, &k)| *sum += of(k));
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

#[inline(always)]
fn moments(gaps: &[f64], counts: &[u32]) -> [f64; 3] {
    // A label that is absent has gap −∞ and count 0; it adds 0, not 0 · ∞.
    let finite = |gap: f64| if gap > LOWEST { gap } else { LOWEST };
    let ((gap_runs, gaps), (count_runs, counts)) = (gaps.as_chunks::<LANES>(), counts.as_chunks::<LANES>());
    let [mut first, mut second, mut third] = [[0.0; LANES]; 3];
    for (gaps, counts) in gap_runs.iter().zip(count_runs) {
        let gaps = gaps.map(finite);
        let mut term = counts.map(f64::from);
        for sums in [&mut first, &mut second, &mut third] {
            term.iter_mut().zip(gaps).for_each(|(term, gap)| *term *= gap);
            sums.iter_mut().zip(term).for_each(|(sum, term)| *sum += term);
        }
    }
    let mut moments = [total(&first), total(&second), total(&third)];
    for (&gap, &count) in gaps.iter().zip(counts) {
        let mut term = f64::from(count);
        for moment in &mut moments {
            term *= finite(gap);
            *moment += term;
        }
    }
    moments
}

/// The sum over the lanes. Kept apart: a compiler that sees it beside the loop pairs sums of different moments and shuffles in every round.
#[inline(never)]
fn total(lanes: &[f64; LANES]) -> f64 {
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use ceas_sim::beta::Beta;
    use ceas_sim::potts::Multinomial;
    use ceas_sim::stream::{Purpose, Stream};

    use super::*;

    /// One label after another, and a logarithm for each.
    fn slowly(spin: &PottsSpin, counts: &[u32]) -> [f64; 3] {
        let s: f64 = counts.iter().map(|&k| f64::from(k)).sum();
        let seen = || counts.iter().enumerate().filter(|(_, k)| **k > 0);
        let mean = |f: &dyn Fn(usize) -> f64| seen().map(|(j, &k)| f64::from(k) / s * f(j)).sum::<f64>();
        let plug_in = -mean(&|j| libm::log(f64::from(counts[j]) / s));
        let first = mean(&|j| spin.gap(j));
        let central = |power: i32| mean(&|j| (spin.gap(j) - first).powi(power));
        [
            plug_in + (seen().count() as f64 - 1.0) / (2.0 * s),
            central(2) * s / (s - 1.0),
            central(3) * s * s / ((s - 1.0) * (s - 2.0)),
        ]
    }

    #[test]
    fn every_instruction_set_reads_the_same_bits_and_they_are_right() {
        let mut stream = Stream::new(0, Purpose::Test, 21, 0);
        for n in [1, 2, 7, 8, 9, 64, 102, 160, 333] {
            for samples in [3, 256, 100_000] {
                let mut fields: Vec<f64> = (0..n).map(|_| 2.0 * stream.normal()).collect();
                if n > 8 {
                    fields[n / 2] = f64::NEG_INFINITY;
                }
                let spin = PottsSpin::new(&fields).unwrap();
                let mut counts = vec![0; n];
                Multinomial::new(&spin, Beta::new(0.8).unwrap()).add(samples, &mut counts, &mut stream);
                let read = |level| {
                    let reader = CountReader { level, ..CountReader::new(samples) };
                    reader.row(&spin, &counts).map(f64::to_bits)
                };
                let plain = read(Level::Portable);
                assert!(Level::available().all(|level| read(level) == plain), "n = {n}, S = {samples}");
                for (got, want) in plain.into_iter().zip(slowly(&spin, &counts)) {
                    let got = f64::from_bits(got);
                    assert!(
                        (got - want).abs() < 1e-9 * (1.0 + want.abs()),
                        "n = {n}, S = {samples}: {got} {want}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_row_that_was_drawn_from_one_label_is_frozen() {
        let spin = PottsSpin::new(&[3.0, f64::NEG_INFINITY, 1.0]).unwrap();
        let read = CountReader::new(256).row(&spin, &[256, 0, 0]);
        assert!(read[0].abs() < 1e-12 && read[1..] == [0.0, 0.0], "{read:?}");
    }
}
