//! A head on binary hardware: each row is a one-hot cluster of p-bits that a heat bath moves one bit at a time.

use std::num::NonZeroU32;
use std::ops::ControlFlow;

use ceas_sim::activity::Activity;
use ceas_sim::beta::Beta;
use ceas_sim::plan::Plan;
use ceas_sim::run::Run;
use ceas_sim::spins::Spins;
use ceas_sim::statistics::jackknife::jackknife;
use ceas_sim::statistics::{Estimate, Samples};
use ceas_sim::stream::{Purpose, Stream};
use ndarray::Array2;
use rayon::prelude::*;

use super::row::Row;
use super::sample::{Place, write_keys};
use crate::error::Error;
use crate::heads::Head;
use crate::one_hot::{OneHot, Penalty};

/// How the clusters of a head are run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinarySampling {
    /// The inverse temperature of the law that is meant, in units of 1/(q·k); not 0.
    pub beta: Beta,
    /// How the clusters are held to one bit.
    pub penalty: Penalty,
    /// Sweeps before the first read-out, from a random configuration.
    pub thermalization: u64,
    /// Read-outs per query, one after every sweep; those that are not valid are thrown away.
    pub reads: NonZeroU32,
    /// Seed of all streams.
    pub seed: u64,
}

/// What the read-outs of one row gave.
#[derive(Debug, Clone)]
pub struct BinaryRow {
    /// The row and what is exactly known of it.
    pub row: Row,
    /// Valid read-outs per key, `[n_keys]`.
    pub counts: Vec<u32>,
    /// |ô − o|² of the mean over the valid read-outs; |o|² if there was none.
    pub squared_error: f64,
    /// Events of this row.
    pub activity: Activity,
}

/// What the read-outs of some rows of one head gave.
#[derive(Debug, Clone)]
pub struct BinarySample {
    /// One entry per query asked for.
    pub rows: Vec<BinaryRow>,
    /// All events: K and the penalty programmed once, the rows programmed, the bits run and read out.
    pub activity: Activity,
}

impl BinaryRow {
    /// Number of valid read-outs.
    pub fn valid(&self) -> u32 {
        self.counts.iter().sum()
    }
}

/// Runs the rows of the queries given, each as a one-hot cluster, and reads it out after every sweep.
///
/// Streams are keyed by (seed, purpose, `index` and query), as in [`super::sample_head`]. A read-out costs one bit per p-bit, valid or not.
///
/// # Errors
/// [`Error::OneHot`] if β = 0 or the penalty is not a finite number ≥ 0, [`Error::Sim`] if a score is not finite.
///
/// # Panics
/// If there is no such query.
pub fn sample_head_binary(
    head: &Head<'_>,
    index: u64,
    queries: &[usize],
    sampling: &BinarySampling,
) -> Result<BinarySample, Error> {
    let values = head.v.mapv(f64::from);
    let rows: Result<Vec<BinaryRow>, Error> = queries
        .par_iter()
        .map(|&query| sample_row(head, &values, Place { head: index, query: query as u64 }, sampling))
        .collect();
    let rows = rows?;
    let mut activity: Activity = rows.iter().map(|row| row.activity).sum::<Activity>() + write_keys(head);
    // The penalty couples every pair of bits; it is the same for all rows and is written once, for the largest of them.
    let bits = rows.iter().map(|row| row.row.spin.states() as u64).max().unwrap_or(0);
    if sampling.penalty != Penalty::NONE {
        activity.coupling_writes += bits * bits.saturating_sub(1) / 2;
    }
    Ok(BinarySample { rows, activity })
}

fn sample_row(
    head: &Head<'_>,
    values: &Array2<f64>,
    place: Place,
    sampling: &BinarySampling,
) -> Result<BinaryRow, Error> {
    let row = Row::new(head, place.query as usize, sampling.beta)?;
    let program = OneHot::lower(&row.spin, sampling.beta, sampling.penalty)?;
    let bits = program.decoder.bits();
    let start = Spins::random(bits, &mut Stream::new(sampling.seed, Purpose::Initial, place.replica(), 0));
    let streams = place.streams(sampling.seed, program.update.blocks());
    let mut run = Run::new(&program.model, start, program.update, program.schedule, streams);
    let plan =
        Plan { thermalization: sampling.thermalization, sweeps: u64::from(sampling.reads.get()), every: 1 };
    let mut counts = vec![0u32; row.spin.labels()];
    let mut sum = vec![0.0; values.ncols()];
    let mut decoding = Activity::default();
    run.drive(&plan, |run| {
        decoding.read_outs += bits as u64;
        if let Some(label) = program.decoder.read(run.state()) {
            counts[label] += 1;
            decoding.decoder_adds += sum.len() as u64;
            for (sum, value) in sum.iter_mut().zip(values.row(label)) {
                *sum += value;
            }
        }
        ControlFlow::Continue(())
    });
    let valid = f64::from(counts.iter().sum::<u32>().max(1));
    Ok(BinaryRow {
        squared_error: sum.iter().zip(&row.output).map(|(sum, o)| (sum / valid - o).powi(2)).sum(),
        counts,
        activity: row.programming + run.activity() + decoding,
        row,
    })
}

/// What read-outs are worth, over rows that were read `reads` times each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReadoutWorth {
    /// Share of the read-outs that were valid.
    pub valid: Estimate,
    /// Independent draws from the law that one read-out is worth: Σ V / (reads · Σ |ô − o|²), measured against the exact output.
    ///
    /// It counts all that costs accuracy: invalid read-outs, autocorrelation, and what thermalization left behind.
    pub draws: Estimate,
}

impl ReadoutWorth {
    /// Measures it; errors are from a jackknife over the rows.
    ///
    /// # Errors
    /// [`Error::Sim`] with fewer than two rows.
    pub fn measure<'a>(
        rows: impl IntoIterator<Item = &'a BinaryRow>,
        reads: NonZeroU32,
    ) -> Result<Self, Error> {
        let numbers =
            rows.into_iter().map(|row| [f64::from(row.valid()), row.row.variance, row.squared_error]);
        let samples = Samples::new(numbers.collect())?;
        let reads = f64::from(reads.get());
        Ok(Self {
            valid: jackknife(&samples, |[valid, _, _]| valid / reads),
            draws: jackknife(&samples, |[_, variance, error]| variance / (reads * error)),
        })
    }
}
