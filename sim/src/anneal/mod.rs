//! Simulated annealing of problem files: many reads in parallel, each from a random configuration, cooled along one schedule.
//!
//! A *read* is one cooled configuration. Reads draw from streams of their own and are independent; given sweeps and reads, the answer is
//! a function of the seed alone, on any number of threads.

mod answer;
mod cooling;
mod range;

pub use answer::{Answer, Found, TimeToSolution};
pub use range::Range;

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::couplings::{CouplingRows, Real};
use crate::error::Error;
use crate::hamiltonian::{Couplings, Field, Hamiltonian};
use crate::instance::Instance;
use crate::kernel::multispin::Level;
use cooling::{Batch, Read};

/// How a problem is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// Simulated annealing.
    Annealing,
}

impl Method {
    /// "sa".
    pub fn name(self) -> &'static str {
        match self {
            Self::Annealing => "sa",
        }
    }
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        match name {
            "sa" => Ok(Self::Annealing),
            _ => Err(UnknownMethod { got: name.chars().take(40).collect() }),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A method that is not offered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("method {got:?} is not offered: the one there is is sa (simulated annealing)")]
pub struct UnknownMethod {
    /// The name asked for.
    pub got: String,
}

/// How much is spent on a problem.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effort {
    /// So many reads of so many sweeps: the same answer every time.
    Counted {
        /// Sweeps of each read.
        sweeps: u64,
        /// Number of reads.
        reads: u64,
    },
    /// So much time. The number of sweeps follows from the speed of the machine, so that the answer is not reproducible.
    Timed(Duration),
}

/// What is asked of [`anneal`].
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The method.
    pub method: Method,
    /// How much is spent.
    pub effort: Effort,
    /// β at the beginning and the end; measured on the instance if absent.
    pub range: Option<Range>,
    /// Seed of every stream.
    pub seed: u64,
    /// How many distinct best states are kept.
    pub keep: usize,
}

impl Settings {
    /// Annealing with a measured range of β, 16 distinct states kept.
    pub fn new(effort: Effort, seed: u64) -> Self {
        Self { method: Method::Annealing, effort, range: None, seed, keep: 16 }
    }
}

/// Solves an instance; `interrupted` is asked after every sweep and ends the search early, with what has been found.
///
/// ```
/// use ceas_sim::anneal::{Effort, Settings, anneal};
/// use ceas_sim::instance::{Format, Instance, Value};
/// let square = Instance::parse("4 5\n1 2 1\n2 3 1\n3 4 1\n4 1 1\n1 3 1\n", Format::Rudy, None).unwrap();
/// let answer = anneal(&square, &Settings::new(Effort::Counted { sweeps: 100, reads: 8 }, 1), &|| false).unwrap();
/// assert_eq!(answer.best, Value::Integer(4));
/// ```
///
/// # Errors
/// As [`Instance::hamiltonian`]; [`Error::InstructionSet`] as [`Level::choose`]; [`Error::Memory`] if the couplings do not fit into memory; [`Error::Schedule`] if there is no sweep or no
/// read.
pub fn anneal(
    instance: &Instance,
    settings: &Settings,
    interrupted: &(dyn Fn() -> bool + Sync),
) -> Result<Answer, Error> {
    if let Effort::Counted { sweeps, reads } = settings.effort
        && (sweeps == 0 || reads == 0)
    {
        return Err(Error::Schedule { violated: "annealing needs at least one sweep and one read" });
    }
    let begun = Instant::now();
    // An instruction set that was asked for and is not there is an error here, and plain instructions further down.
    Level::choose()?;
    let model = instance.hamiltonian()?;
    let unit = unit_of(&model);
    let model = scaled(model, unit)?;
    let asked = settings.range.map(|range| Range { hot: range.hot * unit, cold: range.cold * unit });
    let narrow = CouplingRows::<f32>::new(&model)?;
    // Sparse rows in f64 cost no more time; dense ones twice as much.
    let (mut found, range, sweeps) = if narrow.is_exact() || narrow.is_dense() {
        search(&narrow, settings, asked, begun, interrupted)?
    } else {
        drop(narrow);
        search(&CouplingRows::<f64>::new(&model)?, settings, asked, begun, interrupted)?
    };
    // Back to the units of the instance.
    let range = Range { hot: range.hot / unit, cold: range.cold / unit };
    for (_, energy) in found.iter_mut().flat_map(|read| &mut read.trace) {
        *energy *= unit;
    }
    Ok(Answer::new(instance, settings, found, answer::Spent { range, sweeps, time: begun.elapsed() }))
}

/// A power of two of the size of the largest local field, where that is so large or small that `f32` would not hold it; else 1.
fn unit_of(model: &Hamiltonian) -> f64 {
    let largest = (0..model.n_sites())
        .map(|site| {
            let coupled: f64 =
                model.topology().links(site).map(|(_, bond)| model.coupling_at(bond).abs()).sum();
            coupled + model.field_at(site).abs()
        })
        .fold(0.0, f64::max);
    if largest == 0.0 || (1e-3..1e15).contains(&largest) {
        1.0
    } else {
        libm::exp2(libm::floor(libm::log2(largest)))
    }
}

/// The Hamiltonian in units in which its fields are neither huge nor tiny.
fn scaled(model: Hamiltonian, unit: f64) -> Result<Hamiltonian, Error> {
    if unit == 1.0 {
        return Ok(model);
    }
    let couplings = (0..model.topology().n_bonds()).map(|bond| model.coupling_at(bond) / unit).collect();
    let fields = (0..model.n_sites()).map(|site| model.field_at(site) / unit).collect();
    Hamiltonian::new(model.topology().clone(), Couplings::PerBond(couplings), Field::PerSite(fields))
}

/// Reads in batches, all threads busy, until they are made or the time is up.
fn search<T: Real>(
    rows: &CouplingRows<T>,
    settings: &Settings,
    asked: Option<Range>,
    begun: Instant,
    interrupted: &(dyn Fn() -> bool + Sync),
) -> Result<(Vec<Read>, Range, u64), Error> {
    let (measured, attempts_per_second) = range::measure(rows, settings.seed, interrupted)?;
    let range = asked.unwrap_or(measured);
    let width = cooling::width(rows);
    let batch = |sweeps, number: u64, reads| Batch { sweeps, number, reads, range, seed: settings.seed };
    match settings.effort {
        Effort::Counted { sweeps, reads } => {
            let batches: Vec<_> = (0..reads.div_ceil(width))
                .map(|number| batch(sweeps, number, width.min(reads - number * width)))
                .collect();
            let found: Result<Vec<_>, Error> =
                batches.par_iter().map(|batch| batch.cool(rows, &|| interrupted())).collect();
            Ok((found?.into_iter().flatten().collect(), range, sweeps))
        }
        Effort::Timed(limit) => {
            let late = || begun.elapsed() >= limit || interrupted();
            let threads = rayon::current_num_threads() as u64;
            // About sixteen batches in the time there is.
            let left = limit.saturating_sub(begun.elapsed()).as_secs_f64();
            let attempts = attempts_per_second * left * threads as f64 / 16.0;
            let sweeps = (attempts / (rows.n() as f64 * width as f64)).clamp(20.0, 1e6) as u64;
            let mut found = Vec::new();
            let mut next = 0;
            while next == 0 || !late() {
                let wave: Result<Vec<_>, Error> = (next..next + threads)
                    .into_par_iter()
                    .map(|number| batch(sweeps, number, width).cool(rows, &late))
                    .collect();
                found.extend(wave?.into_iter().flatten());
                next += threads;
            }
            Ok((found, range, sweeps))
        }
    }
}
