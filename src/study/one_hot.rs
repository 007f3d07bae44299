//! Heads on binary spins: one-hot clusters run by the engine, and what an independent valid read-out takes.
//!
//! ```text
//! η = Σ_i V_i / (S Σ_i |ô_i − o_i|²)        independent samples in one read-out of a cluster, valid or not
//! ```
//!
//! where ô_i averages the value rows of the valid read-outs of S sweeps. η contains the share of valid read-outs and
//! 1/(2τ_int) of the chain together, as they act on the output.

use std::ops::ControlFlow;

use ceas_mapping::Error;
use ceas_mapping::attention::{HeadSample, RowSample, textbook_beta};
use ceas_mapping::heads::Head;
use ceas_mapping::one_hot::{OneHot, Penalty};
use ceas_npu_model::comparison::Sampled;
use ceas_npu_model::ledger::Linear;
use ceas_sim::activity::Activity;
use ceas_sim::plan::Plan;
use ceas_sim::run::Run;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::update::HeatBath;

/// Most states of a row that is run as a cluster: work grows with their square.
pub const LARGEST: usize = 1024;

/// Sweeps before the first read-out.
const BURN_IN: u64 = 64;

/// Read-outs, one after every sweep.
const READ_OUTS: u64 = 320;

/// Queries of a head that are run, evenly spread.
const QUERIES: usize = 3;

/// Runs some queries of a head as clusters of [`Penalty::CHEAPEST`]; `None` if a row has more than [`LARGEST`] states.
///
/// Events are those of every query of the head: programming is that of the rows themselves, sampling is the mean of the
/// queries run.
pub(super) fn sampled(
    head: &Head<'_>,
    index: u64,
    native: &HeadSample,
    seed: u64,
) -> Result<Option<Sampled>, Error> {
    let rows = &native.rows;
    if rows.iter().any(|row| row.row.spin.states() > LARGEST) {
        return Ok(None);
    }
    let step = rows.len().div_ceil(QUERIES);
    let mut errors = Vec::new();
    let mut sampling = Activity::default();
    let (mut attempts, mut valid) = (0u64, 0u64);
    for (query, row) in rows.iter().enumerate().step_by(step) {
        // A row with one key has nothing to sample.
        if row.row.spin.states() < 2 {
            continue;
        }
        // The upper half of the replicas: the lower half belongs to the native spins of the same rows.
        let cluster = cluster(head, (1 << 63) | (index << 32) | query as u64, row, seed)?;
        errors.push((row.row.variance / READ_OUTS as f64, cluster.squared_error));
        sampling += cluster.activity;
        attempts += row.row.spin.states() as u64;
        valid += cluster.valid;
    }
    let expected: f64 = errors.iter().map(|(law, _)| law).sum();
    let found: f64 = errors.iter().map(|(_, error)| error).sum();
    if attempts == 0 || valid == 0 || found <= 0.0 {
        return Ok(None);
    }
    let efficiency = expected / found;
    // Every cluster deviates from the law of its row, V/(ηS), by itself.
    let scatter = errors.iter().map(|(law, error)| (error - law / efficiency).powi(2)).sum::<f64>().sqrt();
    let states: u64 = rows.iter().map(|row| row.row.spin.states() as u64).sum();
    // Events per sweep grow with the bits of a cluster (reads with their square); queries differ in bits only if causal.
    let share = states as f64 / attempts as f64;
    let per_sweep = |count: u64| (count as f64 / (READ_OUTS + BURN_IN) as f64 * share).round() as u64;
    let width = head.v.ncols() as u64;
    let share_valid = valid as f64 / (READ_OUTS * rows.len().div_ceil(step) as u64) as f64;
    let sweep = Activity {
        attempts: states,
        flips: per_sweep(sampling.flips),
        coupler_reads: per_sweep(sampling.coupler_reads),
        random_bits: per_sweep(sampling.random_bits),
        ..Activity::default()
    };
    let programming: Activity = rows.iter().map(|row| row.row.programming).sum();
    let keys = Activity { coupling_writes: native.activity.coupling_writes, ..Activity::default() };
    let read = Activity {
        // Every bit of the cluster leaves the device: only then is it known whether exactly one is up.
        read_outs: states,
        decoder_adds: (share_valid * (rows.len() as u64 * width) as f64).round() as u64,
        ..Activity::default()
    };
    Ok(Some(Sampled {
        events: Linear { fixed: programming + keys + sweep * BURN_IN, per_sample: sweep + read },
        efficiency,
        efficiency_error: efficiency * scatter / found,
        sampler: format!(
            "one-hot heat bath, βA = {}, {:.0} % of read-outs valid",
            Penalty::CHEAPEST.strength,
            100.0 * share_valid
        ),
    }))
}

/// What the chain of one cluster gave.
struct Cluster {
    squared_error: f64,
    valid: u64,
    activity: Activity,
}

fn cluster(head: &Head<'_>, replica: u64, row: &RowSample, seed: u64) -> Result<Cluster, Error> {
    let beta = textbook_beta(head.q.ncols());
    let program = OneHot::lower(&row.row.spin, beta, Penalty::CHEAPEST)?;
    let update = HeatBath::new(&program.hamiltonian)?;
    let streams = Streams::new(seed, Purpose::Update, replica, update.blocks());
    let start =
        Spins::random(program.hamiltonian.n_sites(), &mut Stream::new(seed, Purpose::Initial, replica, 0));
    let mut run = Run::new(&program.hamiltonian, start, update, program.schedule, streams);
    let mut sum = vec![0.0; head.v.ncols()];
    let mut valid = 0u64;
    run.drive(&Plan { thermalization: BURN_IN, sweeps: READ_OUTS, every: 1 }, |run| {
        if let Some(label) = program.decoder.read(run.state()) {
            valid += 1;
            for (sum, &v) in sum.iter_mut().zip(head.v.row(label)) {
                *sum += f64::from(v);
            }
        }
        ControlFlow::Continue(())
    });
    let squared_error = if valid == 0 {
        // Nothing was seen: the output stays at nothing.
        row.row.signal
    } else {
        sum.iter().zip(&row.row.output).map(|(s, o)| (s / valid as f64 - o).powi(2)).sum()
    };
    Ok(Cluster { squared_error, valid, activity: run.activity() })
}
