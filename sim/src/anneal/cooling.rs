//! One batch of reads.

use std::ops::ControlFlow;

use super::Range;
use crate::beta::Beta;
use crate::couplings::{CouplingRows, Real};
use crate::error::Error;
use crate::plan::Plan;
use crate::run::{Ending, Run};
use crate::schedule::Schedule;
use crate::spins::Spins;
use crate::stream::{Purpose, Stream, Streams};
use crate::update::{CachedField, CachedSpins};

/// Energies of a trace.
const TRACE: u64 = 100;
/// Sweeps at the end with β so large that no flip raises the energy.
const QUENCH: u64 = 3;

/// Reads that are cooled together, because they share the rows of a dense graph in the cache; a function of the instance alone.
pub(super) fn width<T: Real>(rows: &CouplingRows<T>) -> u64 {
    // Rows that no second-level cache holds are fetched from further away, and are worth sharing more.
    let bytes = rows.n() * rows.n() * std::mem::size_of::<T>();
    match rows.is_dense() {
        true if bytes > 1 << 21 => 16,
        true if rows.n() > 64 => 8,
        _ => 1,
    }
}

/// Reads `number`·width … of a search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch {
    pub(super) sweeps: u64,
    pub(super) number: u64,
    pub(super) reads: u64,
    pub(super) range: Range,
    pub(super) seed: u64,
}

/// One read: the best configuration it met.
pub(super) struct Read {
    pub(super) best: Spins,
    /// (sweep, energy), in the units of the rows.
    pub(super) trace: Vec<(u64, f64)>,
    pub(super) sweeps: u64,
    /// Whether all its sweeps were made.
    pub(super) complete: bool,
}

/// The lowest energy met by one replica, and where.
struct Lowest<T> {
    energy: f64,
    state: CachedSpins<T>,
}

impl Batch {
    pub(super) fn cool<T: Real>(
        &self,
        rows: &CouplingRows<T>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Vec<Read>, Error> {
        let width = width(rows);
        let start = |read: u64| {
            let mut stream = Stream::new(self.seed, Purpose::Initial, self.number * width + read, 0);
            CachedSpins::new(rows, &Spins::random(rows.n(), &mut stream))
        };
        let states: Vec<_> = (0..self.reads).map(start).collect();
        let mut lowest: Vec<_> =
            states.iter().map(|state| Lowest { energy: state.energy(), state: state.clone() }).collect();
        let mut traces = vec![Vec::new(); states.len()];
        let every = (self.sweeps / TRACE).max(1);
        let quench = QUENCH.min(self.sweeps / 4);
        let cooling = self.sweeps - quench;
        let (hot, cold) = (Beta::new(self.range.hot)?, Beta::new(self.range.cold)?);
        let mut look = |done: u64, states: &[CachedSpins<T>]| {
            for ((state, lowest), trace) in states.iter().zip(&mut lowest).zip(&mut traces) {
                if done.is_multiple_of(every) || done == self.sweeps {
                    trace.push((done, state.energy()));
                }
                if state.energy() < lowest.energy {
                    lowest.energy = state.energy();
                    lowest.state.clone_from(state);
                }
            }
            if interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let streams = |purpose| Streams::new(self.seed, purpose, self.number, self.reads as usize);
        let schedule = Schedule::geometric(hot, cold, cooling)?;
        let mut run = Run::new(rows, states, CachedField::new(), schedule, streams(Purpose::Update));
        let plan = |sweeps| Plan { thermalization: 0, sweeps, every: 1 };
        let mut ending = run.drive(&plan(cooling), |run| look(run.sweeps(), run.state()));
        let mut made = run.sweeps();
        if ending == Ending::Completed {
            let schedule = Schedule::Constant(Beta::new(1e6 * self.range.cold)?);
            let streams = streams(Purpose::Quench);
            let mut run = Run::new(rows, run.finish().0, CachedField::new(), schedule, streams);
            ending = run.drive(&plan(quench), |run| look(cooling + run.sweeps(), run.state()));
            made += run.sweeps();
        }
        let reads = lowest.into_iter().zip(traces).map(|(lowest, trace)| Read {
            best: lowest.state.spins(),
            trace,
            sweeps: made,
            complete: ending == Ending::Completed,
        });
        Ok(reads.collect())
    }
}
