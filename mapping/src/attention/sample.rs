//! Running the spins of one head.

use std::ops::ControlFlow;

use ceas_sim::activity::Activity;
use ceas_sim::plan::Plan;
use ceas_sim::potts::{
    Distribution, HeatBath, Metropolis, MetropolisSpectrum, Multinomial, PartitionEstimate, PottsSpin,
    RACE_LANES, Race, uniform_state,
};
use ceas_sim::run::Run;
use ceas_sim::schedule::Schedule;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::update::Update;
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::decoder::{Decoder, levels};
use super::row::Row;
use super::sampler::{Sampler, Sampling};
use crate::error::Error;
use crate::heads::Head;

/// What S read-outs of one row gave.
#[derive(Debug, Clone)]
pub struct RowSample {
    /// The row and what is exactly known of it.
    pub row: Row,
    /// Read-outs per key, `[n_keys]`; they add up to S.
    pub counts: Vec<u32>,
    /// ô, `[d_value]`.
    pub output: Vec<f64>,
    /// |ô − o|² after each of [`HeadSample::levels`] samples (of the same draws).
    pub squared_errors: Vec<f64>,
    /// E|ô − o|² of the law at the same levels: V/S, or the exact variance of a stationary chain.
    pub predicted: Vec<f64>,
    /// Kullback–Leibler divergence of the empirical row counts/S from the law, in nats.
    pub divergence: f64,
    /// ln Z from the times of the races, against [`ceas_sim::potts::Law::ln_z`]; only from races, and from three on.
    pub partition: Option<PartitionEstimate>,
    /// The chain, if the samples are one.
    pub chain: Option<ChainSample>,
    /// Events of this row.
    pub activity: Activity,
}

/// What a chain of read-outs adds.
#[derive(Debug, Clone)]
pub struct ChainSample {
    /// Score of the state at each read-out, less its exact mean ⟨s⟩.
    pub scores: Vec<f64>,
    /// Exact τ_int of the score, in read-outs.
    pub tau_score: f64,
    /// Exact τ_int of the value row (all components), in read-outs.
    pub tau_value: f64,
}

/// What S read-outs of every row of one head gave.
#[derive(Debug, Clone)]
pub struct HeadSample {
    /// How it was run.
    pub sampling: Sampling,
    /// One entry per query.
    pub rows: Vec<RowSample>,
    /// Numbers of samples at which the error was looked at: 1, 2, 4, … and S.
    pub levels: Vec<u64>,
    /// Dimension of queries and keys.
    pub d_head: usize,
    /// All events: K written once, the rows programmed, the spins run, the states read out. Zero for [`Sampler::Law`].
    pub activity: Activity,
}

/// Runs the spins of one head, one per query, and reads each out S times.
///
/// Streams are keyed by (seed, purpose, `index` and query): the result does not depend on the number of threads. `index` tells
/// the heads of a set apart.
///
/// ```
/// use ceas_mapping::attention::{Sampler, Sampling, sample_head, textbook_beta};
/// use ceas_mapping::heads::{HeadSet, Origin};
/// use ndarray::Array4;
/// let x = Array4::from_shape_fn((1, 1, 5, 4), |(_, _, i, a)| (i as f32 - a as f32).sin());
/// let set = HeadSet::new([x.clone(), x.clone(), x], vec![true; 5], false, Origin::default()).unwrap();
/// let samples = std::num::NonZeroU32::new(100).unwrap();
/// let sampling = Sampling { beta: textbook_beta(4), samples, sampler: Sampler::Race, seed: 1 };
/// let sample = sample_head(&set.head(0, 0), 0, &sampling).unwrap();
/// assert_eq!(sample.rows[2].counts.iter().sum::<u32>(), 100);
/// assert_eq!(sample.activity.attempts, 5 * 5 * 100);
/// ```
///
/// # Errors
/// [`Error::Sim`] if a score is not finite or the schedule cannot be followed.
pub fn sample_head(head: &Head<'_>, index: u64, sampling: &Sampling) -> Result<HeadSample, Error> {
    let values = head.v.mapv(f64::from);
    let queries = 0..head.q.nrows();
    let rows: Result<Vec<RowSample>, Error> = queries
        .into_par_iter()
        .map(|query| sample_row(head, &values, Place { head: index, query: query as u64 }, sampling))
        .collect();
    let rows = rows?;
    let mut activity: Activity = rows.iter().map(|row| row.activity).sum();
    if sampling.sampler != Sampler::Law {
        activity += write_keys(head);
    }
    let levels = levels(u64::from(sampling.samples.get()));
    Ok(HeadSample { sampling: *sampling, rows, levels, d_head: head.q.ncols(), activity })
}

/// K is programmed into the couplings once per context: d_head numbers per key that exists for some query.
pub(super) fn write_keys(head: &Head<'_>) -> Activity {
    let mut seen = vec![false; head.k.nrows()];
    let mut writes = Activity::default();
    for query in 0..head.q.nrows() {
        for key in head.keys(query) {
            if !std::mem::replace(&mut seen[key], true) {
                writes.coupling_writes += head.k.ncols() as u64;
            }
        }
    }
    writes
}

/// Which spin of the whole set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) head: u64,
    pub(super) query: u64,
}

impl Place {
    /// The replica that stands for this spin: heads in the upper half, queries in the lower.
    pub(super) fn replica(self) -> u64 {
        (self.head << 32) | self.query
    }

    pub(super) fn streams(self, seed: u64, blocks: usize) -> Streams {
        Streams::new(seed, Purpose::Update, self.replica(), blocks)
    }

    pub(super) fn start(self, seed: u64, spin: &PottsSpin) -> usize {
        uniform_state(spin, &mut Stream::new(seed, Purpose::Initial, self.replica(), 0))
    }
}

fn sample_row(
    head: &Head<'_>,
    values: &Array2<f64>,
    place: Place,
    sampling: &Sampling,
) -> Result<RowSample, Error> {
    let row = Row::new(head, place.query as usize, sampling.beta)?;
    let drawn = draw(&row, values.view(), place, sampling)?;
    let samples = u64::from(sampling.samples.get());
    let looks = levels(samples);
    let chain = match sampling.sampler {
        Sampler::Metropolis(dynamics) => {
            let interval = dynamics.interval.max(1);
            let spectrum = MetropolisSpectrum::new(&row.spin, sampling.beta);
            let of_value = spectrum.power(values.ncols(), |key, a| values[[key, a]]);
            let of_score = spectrum.power(1, |key, _| row.spin.gap(key));
            let chain = ChainSample {
                scores: drawn.scores,
                tau_score: spectrum.tau_int(&of_score, interval),
                tau_value: spectrum.tau_int(&of_value, interval),
            };
            let predicted =
                looks.iter().map(|&s| spectrum.variance_of_mean(&of_value, interval, s)).collect();
            Some((chain, predicted))
        }
        _ => None,
    };
    let (chain, predicted) = match chain {
        Some((chain, predicted)) => (Some(chain), predicted),
        None => (None, looks.iter().map(|&s| row.variance / s as f64).collect()),
    };
    let frequencies: Vec<f64> = drawn.counts.iter().map(|&c| f64::from(c) / samples as f64).collect();
    let divergence = Distribution::from_labels(&row.spin, &frequencies).kullback_leibler(&row.spin, &row.law);
    Ok(RowSample {
        counts: drawn.counts,
        output: drawn.output,
        squared_errors: drawn.errors,
        predicted,
        divergence,
        partition: drawn.partition,
        chain,
        activity: drawn.activity,
        row,
    })
}

/// What came out of one spin.
struct Drawn {
    counts: Vec<u32>,
    output: Vec<f64>,
    errors: Vec<f64>,
    partition: Option<PartitionEstimate>,
    scores: Vec<f64>,
    activity: Activity,
}

fn draw(row: &Row, values: ArrayView2<'_, f64>, place: Place, sampling: &Sampling) -> Result<Drawn, Error> {
    let mut decoder = Decoder::new(row, values);
    let beta = sampling.beta;
    let samples = u64::from(sampling.samples.get());
    let plan = Plan { thermalization: 0, sweeps: samples, every: 1 };
    let start = place.start(sampling.seed, &row.spin);
    let mut partition = None;
    let mut scores = Vec::new();
    let activity = match sampling.sampler {
        Sampler::HeatBath => {
            let streams = place.streams(sampling.seed, 1);
            let run = Run::new(&row.spin, start, HeatBath::default(), Schedule::Constant(beta), streams);
            read(run, &plan, &mut decoder).activity()
        }
        Sampler::Race => {
            let streams = place.streams(sampling.seed, RACE_LANES);
            let run = Run::new(&row.spin, start, Race::default(), Schedule::Constant(beta), streams);
            let run = read(run, &plan, &mut decoder);
            partition = run.update().partition(&row.spin, beta);
            run.activity()
        }
        Sampler::Metropolis(dynamics) => {
            let streams = place.streams(sampling.seed, 1);
            let interval = dynamics.interval.max(1);
            let sweeps = samples.checked_mul(interval).ok_or(Error::Sweeps { samples, interval })?;
            let plan = Plan { thermalization: dynamics.sweeps, sweeps, every: interval };
            let mean = -row.law.internal_energy() - row.spin.highest();
            let mut run = Run::new(&row.spin, start, Metropolis, dynamics.schedule(beta)?, streams);
            run.drive(&plan, |run| {
                decoder.read(*run.state());
                scores.push(row.spin.gap(*run.state()) - mean);
                ControlFlow::Continue(())
            });
            run.activity()
        }
        Sampler::Law => {
            let mut stream = Stream::new(sampling.seed, Purpose::Update, place.replica(), 0);
            let law = Multinomial::new(&row.spin, beta);
            let mut counts = vec![0; row.spin.labels()];
            let mut drawn = 0;
            for level in levels(samples) {
                // A level is at most S, which is a u32.
                law.add((level - drawn) as u32, &mut counts, &mut stream);
                decoder.take(&counts, level);
                drawn = level;
            }
            return Ok(Drawn {
                output: decoder.output(),
                counts,
                errors: decoder.errors,
                partition,
                scores,
                activity: Activity::default(),
            });
        }
    };
    let output = decoder.finish();
    let activity = row.programming + activity + decoder.activity;
    Ok(Drawn { counts: decoder.counts, output, errors: decoder.errors, partition, scores, activity })
}

/// Drives a run and reads its state out after every sweep.
fn read<'m, U: Update<Model = PottsSpin, State = usize>>(
    mut run: Run<'m, U>,
    plan: &Plan,
    decoder: &mut Decoder<'_>,
) -> Run<'m, U> {
    run.drive(plan, |run| {
        decoder.read(*run.state());
        ControlFlow::Continue(())
    });
    run
}
