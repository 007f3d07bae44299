//! The β of a ladder, found from measured rejection rates.

use std::ops::ControlFlow;
use std::time::Instant;

use super::batch::start;
use super::{Method, Range};
use crate::beta::Beta;
use crate::couplings::{CouplingRows, Real};
use crate::error::Error;
use crate::memory;
use crate::plan::Plan;
use crate::run::Run;
use crate::schedule::Schedule;
use crate::stream::{Purpose, Streams};
use crate::update::{BetaGrid, CachedSpins, SwapRate, TemperedFields};

/// Sweeps of each round of measuring and moving the β.
const ROUNDS: [u64; 5] = [20, 20, 40, 80, 160];
/// The most rungs chosen by themselves.
const MOST_RUNGS: usize = 128;
/// Mean share of the differing sites in one cluster above which a rung exchanges none: the clusters percolate.
const PERCOLATES: f64 = 0.9;

/// A ladder and what was measured on it.
pub(super) struct Measured<T> {
    /// An update that has made no sweep yet.
    pub(super) update: TemperedFields<T>,
    /// Λ, the sum of the rejection rates.
    pub(super) barrier: f64,
    states: Vec<CachedSpins<T>>,
}

impl<T: Real> Measured<T> {
    /// Sweeps of a whole ladder a second, of one thread.
    pub(super) fn sweeps_per_second(&self, rows: &CouplingRows<T>) -> f64 {
        const SWEEPS: u64 = 16;
        let places = self.update.replicas();
        let states: Vec<_> =
            (0..places).map(|r| self.states[r * self.states.len() / places].clone()).collect();
        let schedule = Schedule::Constant(self.update.grid().coldest());
        let streams = Streams::new(0, Purpose::Thermalization, 0, places + 1);
        let mut run = Run::new(rows, states, self.update.clone(), schedule, streams);
        let begun = Instant::now();
        run.drive(&Plan { thermalization: 0, sweeps: SWEEPS, every: 1 }, |_| ControlFlow::Continue(()));
        SWEEPS as f64 / begun.elapsed().as_secs_f64().max(1e-9)
    }
}

/// Runs a ladder from hot to cold, moves its β so that every interval rejects equally often ([`BetaGrid::equalized`]), and so on; the
/// number of rungs becomes twice the sum of the rejection rates plus one (Syed, Bouchard-Côté, Deligiannidis, Doucet,
/// doi:10.1111/rssb.12464). Nothing is fed back from the flow of replicas, and what is found on the way is thrown away.
pub(super) fn measure<T: Real>(
    rows: &CouplingRows<T>,
    range: Range,
    method: Method,
    seed: u64,
    interrupted: &dyn Fn() -> bool,
) -> Result<Measured<T>, Error> {
    let copies = method.copies();
    let n = rows.n();
    let first = (libm::sqrt(n as f64) as usize).clamp(4, 32);
    let mut grid = BetaGrid::geometric(Beta::new(range.hot)?, Beta::new(range.cold)?, first)?;
    let mut states = Vec::new();
    let mut result = None;
    for (round, sweeps) in ROUNDS.into_iter().enumerate() {
        let each = std::mem::size_of::<T>() as u64 * 2;
        memory::check("replicas of a ladder", n, each * n as u64 * (2 * copies * grid.rungs()) as u64)?;
        let update = with_copies(grid, rows, copies)?;
        let replicas = update.replicas();
        // New rungs begin with the configuration of the place that they take.
        states = (0..replicas)
            .map(|r| match states.len() {
                0 => start(rows, seed, u64::MAX - 1, r),
                known => states.get(r * known / replicas).cloned().expect("a share of the known places"),
            })
            .collect();
        let streams = Streams::new(seed, Purpose::Thermalization, round as u64 + 1, replicas + 1);
        let schedule = Schedule::Constant(update.grid().coldest());
        let mut run = Run::new(rows, states, update, schedule, streams);
        run.drive(&Plan { thermalization: 0, sweeps, every: 1 }, |_| {
            if interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let update = run.update();
        let rejection = |pair: &SwapRate| pair.rejection / pair.attempts.max(1) as f64;
        let rejections: Vec<f64> = update.swap_rates().iter().map(rejection).collect();
        let barrier: f64 = rejections.iter().sum();
        let shares: Vec<f64> = update.cluster_shares().iter().map(|share| share.mean()).collect();
        let wanted = ((2.0 * barrier).ceil() as usize + 1).clamp(3, MOST_RUNGS);
        grid = update.grid().equalized(&rejections, wanted)?;
        states = run.finish().0;
        result = Some((barrier, shares));
    }
    let (barrier, shares) = result.expect("there is at least one round");
    let rungs = grid.rungs();
    let mut update = with_copies(grid, rows, copies)?;
    if copies == 2 {
        // Rungs stand where those of the last round stood, in proportion.
        let share = |rung: usize| shares[rung * shares.len() / rungs];
        update = update.clustered_on((0..rungs).map(|rung| share(rung) <= PERCOLATES).collect());
    }
    Ok(Measured { update, barrier, states })
}

fn with_copies<T: Real>(
    grid: BetaGrid,
    rows: &CouplingRows<T>,
    copies: usize,
) -> Result<TemperedFields<T>, Error> {
    if copies == 2 { TemperedFields::pairs(grid, rows) } else { TemperedFields::new(grid, rows) }
}
