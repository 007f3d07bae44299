//! Rows of attention as Potts spins that are read out S times.

use std::num::NonZeroU32;

use ceas_sim::activity::Activity;
use ceas_sim::potts::Table;

use super::{Component, stream};
use crate::reference::substrate::{RowLaw, RowPlace, boltzmann};

/// How the Potts spin of a row is read out S times. All draw independently from the same law p_j ∝ e^(βs_j); they differ in what the
/// substrate does for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowSampler {
    /// All states race with clocks of rate e^(βs_j) and the first to ring wins. The winner is drawn from its law, as the first event
    /// of a superposition of Poisson processes (Gillespie, doi:10.1021/j100540a008); no clock that loses is simulated, but all N are
    /// counted, for the substrate runs them.
    Race,
    /// The spin is drawn afresh given all its fields.
    HeatBath,
    /// The counts of S draws, drawn by the host; nothing happens on a substrate.
    Multinomial,
}

impl RowSampler {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Race => "race",
            Self::HeatBath => "heat-bath",
            Self::Multinomial => "multinomial",
        }
    }
}

/// Rows whose weights are counts/S.
#[derive(Debug, Clone, Copy)]
pub struct SampledRows {
    /// How they are drawn.
    pub sampler: RowSampler,
    /// S: read-outs per row; at most 2²⁴, beyond which an f32 counts no longer.
    pub samples: NonZeroU32,
    /// Seed of all streams.
    pub seed: u64,
    /// Tells runs apart that share a seed.
    pub pass: u32,
}

/// Draws per state from which the host draws counts state by state: a binomial costs about as much as so many look-ups.
const AT_ONCE: usize = 16;

impl RowLaw for SampledRows {
    type Scratch = Table;

    #[inline(always)]
    fn weigh(&self, at: RowPlace, beta: f32, row: &mut [f32], table: &mut Table) -> Activity {
        let states = row.iter().filter(|s| **s > f32::NEG_INFINITY).count();
        boltzmann(beta, row);
        table.fill(row);
        row.fill(0.0);
        let mut stream = stream(self.seed, Component::Attention, self.pass, at);
        let samples = self.samples.get();
        let mut flips = u64::from(samples);
        match self.sampler {
            RowSampler::Multinomial if samples as usize / AT_ONCE >= row.len() => {
                table.count_at_once(samples, row, &mut stream);
            }
            RowSampler::HeatBath => {
                let mut last = u32::MAX;
                flips = 0;
                let mut states = [0; 64];
                let mut left = samples as usize;
                while left > 0 {
                    let batch = left.min(states.len());
                    table.draw(&mut states[..batch], &mut stream);
                    for &state in &states[..batch] {
                        row[state as usize] += 1.0;
                        flips += u64::from(state != last);
                        last = state;
                    }
                    left -= batch;
                }
            }
            _ => table.count(samples, row, &mut stream),
        }
        let scale = 1.0 / samples as f32;
        row.iter_mut().for_each(|count| *count *= scale);
        self.events(states as u64, flips)
    }
}

impl SampledRows {
    /// The events of one row of N states; adders are counted once per read-out, to be multiplied by the width of a value.
    fn events(&self, states: u64, flips: u64) -> Activity {
        let samples = u64::from(self.samples.get());
        let random = match self.sampler {
            RowSampler::Multinomial => return Activity::default(),
            RowSampler::Race => 64 * states,
            RowSampler::HeatBath => 32,
        };
        Activity {
            attempts: samples * states,
            flips,
            field_writes: states,
            random_bits: samples * random,
            read_outs: samples * u64::from(states.next_power_of_two().trailing_zeros()),
            decoder_adds: samples,
            ..Activity::default()
        }
    }
}
