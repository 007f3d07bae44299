//! From which to which β an instance is cooled, measured on the instance.

use std::ops::ControlFlow;
use std::time::Instant;

use serde::Serialize;

use crate::beta::Beta;
use crate::couplings::{CouplingRows, Layout, Real};
use crate::error::Error;
use crate::kernel::neighbors::LANES;
use crate::plan::Plan;
use crate::run::Run;
use crate::schedule::Schedule;
use crate::spins::Spins;
use crate::stream::{Purpose, Stream, Streams};
use crate::update::{CachedField, CachedSpins};

/// β at the beginning and at the end of the cooling, in units of 1/energy of the instance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Range {
    /// β of the first sweep.
    pub hot: f64,
    /// β of the last sweep.
    pub cold: f64,
}

/// Above this share of accepted attempts the configuration is hot: cooling from there on loses nothing.
const HOT: f64 = 0.6;
/// Below this share of attempts that raise the energy the configuration is frozen.
const COLD: f64 = 0.002;
/// Sweeps over which that is averaged.
const WINDOW: usize = 8;
/// Sweeps and replicas of the trial cooling; where replicas fill lanes, as many as there are.
const SWEEPS: u64 = 300;
const REPLICAS: usize = 4;

/// Cools a few replicas quickly through all scales that the couplings have and notes where they stop being hot and where they freeze.
/// Returns the range and the attempts per second.
pub(super) fn measure<T: Real>(
    rows: &CouplingRows<T>,
    seed: u64,
    interrupted: &dyn Fn() -> bool,
) -> Result<(Range, f64), Error> {
    let (least, most) = scales(rows);
    let n = rows.n();
    let replicas = if rows.keeps_fields() { REPLICAS } else { LANES };
    let start = |replica: usize| {
        let mut stream = Stream::new(seed, Purpose::Initial, u64::MAX, replica as u64);
        CachedSpins::new(rows, &Spins::random(n, &mut stream))
    };
    let schedule = Schedule::geometric(Beta::new(0.1 / most)?, Beta::new(100.0 / least)?, SWEEPS)?;
    let streams = Streams::new(seed, Purpose::Thermalization, 0, replicas);
    let states = (0..replicas).map(start).collect();
    let mut run = Run::new(rows, states, CachedField::new(), schedule, streams);
    let begun = Instant::now();
    let attempts = (n * replicas) as f64;
    let mut before = (0, 0);
    let mut rates = Vec::new();
    run.drive(&Plan { thermalization: 0, sweeps: SWEEPS, every: 1 }, |run| {
        let now = (run.activity().flips, run.state().iter().map(CachedSpins::uphill).sum::<u64>());
        rates.push((
            run.beta().value(),
            (now.0 - before.0) as f64 / attempts,
            (now.1 - before.1) as f64 / attempts,
        ));
        before = now;
        if interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let seconds = begun.elapsed().as_secs_f64().max(1e-9);
    let first = rates.first().map_or(1.0, |rate| rate.0);
    let hot = rates.iter().rev().find(|(_, accepted, _)| *accepted > HOT).map_or(first, |rate| rate.0);
    // Over several sweeps, so that one late flip of a small instance does not count for much.
    let still_moves = |window: &&[(f64, f64, f64)]| {
        window.iter().map(|(_, _, uphill)| uphill).sum::<f64>() > COLD * window.len() as f64
    };
    let cold = rates.windows(WINDOW).rev().find(still_moves).map_or(hot, |window| window[WINDOW / 2].0);
    // An instance so small or so plain that it freezes at once still gets a decade.
    let range = Range { hot, cold: cold.max(10.0 * hot) };
    Ok((range, attempts * rates.len() as f64 / seconds))
}

/// The typical size of the smallest and of the largest energies that a flip can cost: half the median over the sites of the smallest
/// coupling or field that is not zero, and the largest root of Σ J² + h².
fn scales<T: Real>(rows: &CouplingRows<T>) -> (f64, f64) {
    let n = rows.n();
    let mut smallest = Vec::with_capacity(n);
    let mut largest = 0.0f64;
    for site in 0..n {
        let field = rows.fields[site].to_f64();
        let (mut least, mut squares) =
            (if field == 0.0 { f64::INFINITY } else { field.abs() }, field * field);
        let mut see = |twice: T| {
            let j = 0.5 * twice.to_f64();
            if j != 0.0 {
                least = least.min(j.abs());
                squares += j * j;
            }
        };
        match &rows.layout {
            Layout::Dense(matrix) => {
                matrix.values()[site * matrix.row_stride()..][..n].iter().copied().for_each(&mut see);
            }
            Layout::Sparse { starts, entries } => {
                entries[starts[site]..starts[site + 1]].iter().for_each(|&(_, twice)| see(twice));
            }
        }
        if least.is_finite() {
            smallest.push(least);
        }
        largest = largest.max(libm::sqrt(squares));
    }
    smallest.sort_unstable_by(f64::total_cmp);
    match smallest.get(smallest.len() / 2) {
        // No coupling is much smaller than the fluctuations of a field that many of them make.
        Some(&least) => ((0.5 * least).max(1e-3 * largest), largest),
        None => (1.0, 1.0),
    }
}
