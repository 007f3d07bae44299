//! What a search found.

use std::time::Duration;

use serde::Serialize;

use super::batch::Read;
use super::exchanges::{Exchanges, RungReport};
use super::notes::{PARTS, end_of_part};
use super::{Range, Settings, TimeToSolution};
use crate::instance::{Instance, Objective, Value};
use crate::spins::Spins;

/// One of the best configurations.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The configuration. Where turning every spin changes nothing, the one of the two whose first spin is up.
    pub spins: Spins,
    /// Its value, recomputed from the weights: exact where they are whole numbers.
    pub value: Value,
    /// Reads that ended with it as their best.
    pub reads: u64,
}

/// All complete reads at the end of one tenth of their sweeps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Part {
    /// Sweeps made.
    pub sweep: u64,
    /// Mean energy H of the reads, a ladder counting by its coldest rung.
    pub mean: f64,
    /// Its standard error over the reads, which are independent; none of a single read.
    pub error: Option<f64>,
    /// The lowest energy that any read has met.
    pub best: f64,
}

/// The ladder of a tempering search and what happened on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LadderReport {
    /// Λ, the sum of the rejection rates that placed the rungs.
    pub barrier: f64,
    /// The rungs, hottest first.
    pub rungs: Vec<RungReport>,
    /// Arrivals of walkers at the coldest rung that came from the hottest, in all reads.
    pub journeys: u64,
    /// Rungs on which clusters are exchanged; on the others they percolate, or there are none.
    pub clustered: usize,
}

/// How the rungs were placed.
pub(super) struct Tempered {
    pub(super) barrier: f64,
}

/// What a search spent.
pub(super) struct Spent {
    pub(super) range: Range,
    pub(super) sweeps: u64,
    pub(super) kernel: String,
    pub(super) setting_up: Duration,
    pub(super) searching: Duration,
    /// Threads that had something to do.
    pub(super) busy: u64,
    pub(super) ladder: Option<(Tempered, Vec<f64>)>,
}

impl Spent {
    /// From the units of the rows to those of the instance.
    pub(super) fn convert(&mut self, unit: f64, reads: &mut [Read]) {
        self.range = Range { hot: self.range.hot / unit, cold: self.range.cold / unit };
        if let Some((_, betas)) = &mut self.ladder {
            betas.iter_mut().for_each(|beta| *beta /= unit);
        }
        for notes in reads.iter_mut().map(|read| &mut read.notes) {
            notes.trace.iter_mut().for_each(|(_, energy)| *energy *= unit);
            notes.parts.iter_mut().for_each(|(now, lowest)| (*now, *lowest) = (*now * unit, *lowest * unit));
        }
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The best value, recomputed from the weights: exact where they are whole numbers.
    pub best: Value,
    /// The Ising energy H of the best configuration, without constants.
    pub best_energy: f64,
    /// Distinct configurations, the best first.
    pub found: Vec<Found>,
    /// Best value of every complete read, in the order of the reads.
    pub values: Vec<Value>,
    /// Complete reads whose best value is the best of all.
    pub hits: u64,
    /// Reads that made all their sweeps.
    pub reads: u64,
    /// Reads that were broken off; what they found counts, but not for hits and times.
    pub broken_off: u64,
    /// Sweeps of each read.
    pub sweeps: u64,
    /// Single-spin attempts of all reads, without the trial cooling and the placing of rungs.
    pub attempts: u64,
    /// Seconds from the beginning to the end.
    pub seconds: f64,
    /// Seconds of them before the first read: the trial cooling, the placing of rungs.
    pub setting_up: f64,
    /// β at the beginning and the end, or on the hottest and the coldest rung.
    pub range: Range,
    /// How attempts were made, and why not faster.
    pub kernel: String,
    /// The ladder, if there was one.
    pub ladder: Option<LadderReport>,
    /// All complete reads at ten sweeps on their way; empty if none is complete.
    pub parts: Vec<Part>,
    /// Energy H along some of the complete reads (at most 32), as (sweep, energy).
    pub traces: Vec<Vec<(u64, f64)>>,
    /// Time to the best value found, of one thread, without the setting-up.
    pub time_to_solution: Option<TimeToSolution>,
}

impl Answer {
    pub(super) fn new(instance: &Instance, settings: &Settings, reads: Vec<Read>, spent: Spent) -> Self {
        const TRACES: usize = 32;
        let even = instance.objective() != Objective::Qubo && instance.linear().is_empty();
        let mut found: Vec<Found> = Vec::new();
        let mut values = Vec::new();
        let attempts = reads.iter().map(|read| read.attempts).sum();
        let parts = parts(&reads, spent.sweeps);
        let mut exchanges = Exchanges::default();
        reads.iter().filter_map(|read| read.exchanges.as_ref()).for_each(|one| exchanges.add(one));
        let mut traces = Vec::new();
        let mut broken_off = 0;
        for Read { notes, complete, .. } in reads {
            let mut spins = notes.best;
            if even && spins.get(0) < 0 {
                spins.flip_all();
            }
            let value = instance.value(&spins);
            if complete {
                values.push(value);
                if traces.len() < TRACES {
                    traces.push(notes.trace);
                }
            } else {
                broken_off += 1;
            }
            match found.iter_mut().find(|known| known.value == value && known.spins == spins) {
                Some(known) => known.reads += 1,
                None => found.push(Found { spins, value, reads: 1 }),
            }
            // Keeping few at any time bounds the comparisons; the order of equal ones is that of the reads.
            sort(instance, &mut found);
            found.truncate(settings.keep.max(1));
        }
        let complete = values.len() as u64;
        let best = found.first().map_or(Value::Real(f64::NAN), |found| found.value);
        let hits = values.iter().filter(|value| equal(**value, best)).count() as u64;
        let model = instance.hamiltonian();
        let best_energy =
            model.ok().zip(found.first()).map_or(f64::NAN, |(model, found)| model.energy(&found.spins));
        let each = spent.searching.as_secs_f64() * spent.busy as f64 / complete.max(1) as f64;
        Self {
            best,
            best_energy,
            found,
            values,
            hits,
            reads: complete,
            broken_off,
            sweeps: spent.sweeps,
            attempts,
            seconds: (spent.setting_up + spent.searching).as_secs_f64(),
            setting_up: spent.setting_up.as_secs_f64(),
            range: spent.range,
            kernel: spent.kernel,
            ladder: spent.ladder.map(|(tempered, betas)| report(&tempered, &betas, &exchanges)),
            parts,
            traces,
            time_to_solution: TimeToSolution::of(hits, complete, each),
        }
    }
}

/// Means and bests of the complete reads at the end of each part.
fn parts(reads: &[Read], sweeps: u64) -> Vec<Part> {
    let complete: Vec<&[(f64, f64)]> =
        reads.iter().filter(|read| read.complete).map(|read| read.notes.parts.as_slice()).collect();
    let count = complete.len() as f64;
    let at = |part: usize| {
        let seen = || complete.iter().filter_map(move |parts| parts.get(part));
        let mean = seen().map(|part| part.0).sum::<f64>() / count;
        let squares = seen().map(|part| (part.0 - mean).powi(2)).sum::<f64>();
        Part {
            sweep: end_of_part(part as u64 + 1, sweeps),
            mean,
            error: (count > 1.0).then(|| libm::sqrt(squares / (count - 1.0) / count)),
            best: seen().map(|part| part.1).fold(f64::INFINITY, f64::min),
        }
    };
    if complete.is_empty() { Vec::new() } else { (0..PARTS as usize).map(at).collect() }
}

fn report(tempered: &Tempered, betas: &[f64], exchanges: &Exchanges) -> LadderReport {
    let rung = |(k, &beta): (usize, &f64)| RungReport {
        beta,
        swap: exchanges.swaps.get(k).filter(|swap| swap.attempts > 0).map(|swap| swap.acceptance()),
        cluster_share: exchanges.shares.get(k).filter(|share| share.clusters > 0).map(|share| share.mean()),
        turned: exchanges
            .shares
            .get(k)
            .filter(|share| share.clusters > 0)
            .map(|share| share.turned as f64 / share.clusters as f64),
    };
    let rungs: Vec<RungReport> = betas.iter().enumerate().map(rung).collect();
    LadderReport {
        barrier: tempered.barrier,
        clustered: rungs.iter().filter(|rung| rung.cluster_share.is_some()).count(),
        rungs,
        journeys: exchanges.journeys,
    }
}

fn sort(instance: &Instance, found: &mut [Found]) {
    found.sort_by(|a, b| {
        let order = a.value.total_cmp(&b.value);
        if instance.objective().maximizes() { order.reverse() } else { order }
    });
}

/// Real values are equal where they differ by no more than rounding.
fn equal(a: Value, b: Value) -> bool {
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => a == b,
        _ => (a.to_f64() - b.to_f64()).abs() <= 1e-9 * a.to_f64().abs().max(b.to_f64().abs()),
    }
}
