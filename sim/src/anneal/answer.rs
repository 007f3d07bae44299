//! What a search found.

use std::time::Duration;

use serde::Serialize;

use super::cooling::Read;
use super::{Range, Settings};
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

/// Time after which one thread has met the best value with probability 0.99: t·ln(0.01)/ln(1 − p) with t the seconds of a read and
/// p = hits/reads, at least t.
///
/// It is about the best value *found*: if that is not the optimum, the time to the optimum is longer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TimeToSolution {
    /// Seconds of one thread.
    pub mean: f64,
    /// One standard error, from the binomial error of p; the larger side of the interval `low` to `high`.
    pub error: f64,
    /// With p at the upper end of its 68 % interval (Wilson, doi:10.1080/01621459.1927.10502953).
    pub low: f64,
    /// With p at the lower end of its 68 % interval.
    pub high: f64,
}

impl TimeToSolution {
    /// The estimate from `hits` successes in `reads` reads of `seconds` each; `None` without a read.
    ///
    /// ```
    /// use ceas_sim::anneal::TimeToSolution;
    /// let half = TimeToSolution::of(50, 100, 2.0).unwrap();
    /// assert!((half.mean - 2.0 * 0.01f64.log2() / 0.5f64.log2()).abs() < 1e-12);
    /// assert!(half.low < half.mean && half.mean < half.high);
    /// ```
    pub fn of(hits: u64, reads: u64, seconds: f64) -> Option<Self> {
        if reads == 0 || hits == 0 {
            return None;
        }
        let n = reads as f64;
        let p = hits as f64 / n;
        let time = |p: f64| {
            if p >= 0.99 { seconds } else { seconds * (libm::log(0.01) / libm::log1p(-p)).max(1.0) }
        };
        // Wilson's interval for z = 1.
        let center = (p + 0.5 / n) / (1.0 + 1.0 / n);
        let half = libm::sqrt(p * (1.0 - p) / n + 0.25 / (n * n)) / (1.0 + 1.0 / n);
        let (low, mean, high) = (time((center + half).min(1.0)), time(p), time(center - half));
        Some(Self { mean, error: (high - mean).max(mean - low), low, high })
    }
}

/// What a search spent.
pub(super) struct Spent {
    pub(super) range: Range,
    pub(super) sweeps: u64,
    pub(super) time: Duration,
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
    /// Reads whose best value is the best of all.
    pub hits: u64,
    /// Reads that made all their sweeps.
    pub reads: u64,
    /// Reads that were broken off; what they found counts, but not for hits and times.
    pub broken_off: u64,
    /// Sweeps of each read.
    pub sweeps: u64,
    /// Single-spin attempts of all reads, without the trial cooling.
    pub attempts: u64,
    /// Seconds from the beginning to the end, the trial cooling included.
    pub seconds: f64,
    /// β at the beginning and the end.
    pub range: Range,
    /// Energy H along some of the complete reads (at most 32), as (sweep, energy).
    pub traces: Vec<Vec<(u64, f64)>>,
    /// Time to the best value found, of one thread.
    pub time_to_solution: Option<TimeToSolution>,
}

impl Answer {
    pub(super) fn new(instance: &Instance, settings: &Settings, reads: Vec<Read>, spent: Spent) -> Self {
        const TRACES: usize = 32;
        let even = instance.objective() != Objective::Qubo && instance.linear().is_empty();
        let mut found: Vec<Found> = Vec::new();
        let mut values = Vec::new();
        let mut traces = Vec::new();
        let mut attempts = 0;
        let (mut complete, mut broken_off) = (0, 0);
        for read in reads {
            attempts += read.sweeps * instance.n() as u64;
            let mut spins = read.best;
            if even && spins.get(0) < 0 {
                spins.flip_all();
            }
            let value = instance.value(&spins);
            if read.complete {
                complete += 1;
                values.push(value);
                if traces.len() < TRACES {
                    traces.push(read.trace);
                }
            } else {
                broken_off += 1;
            }
            match found.iter_mut().find(|known| known.spins == spins) {
                Some(known) => known.reads += 1,
                None => found.push(Found { spins, value, reads: 1 }),
            }
            // Keeping few at any time bounds the comparisons; the order of equal ones is that of the reads.
            sort(instance, &mut found);
            found.truncate(settings.keep.max(1));
        }
        let best = found.first().map_or(Value::Real(f64::NAN), |found| found.value);
        let hits = values.iter().filter(|value| equal(**value, best)).count() as u64;
        let seconds = spent.time.as_secs_f64();
        let threads = (rayon::current_num_threads() as u64).min(complete.max(1)) as f64;
        let model = instance.hamiltonian();
        let best_energy =
            model.ok().zip(found.first()).map_or(f64::NAN, |(model, found)| model.energy(&found.spins));
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
            seconds,
            range: spent.range,
            traces,
            time_to_solution: TimeToSolution::of(hits, complete, seconds * threads / complete.max(1) as f64),
        }
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
