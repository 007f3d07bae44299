//! What a component of a transformer becomes on the substrate, and how it is run beside its exact answer.
//!
//! A [`Component`] knows three things of one input: the [`Program`] that stands for it on spins, the dense [`Component::reference`] in f64
//! that the program is measured against, and its [`Footprint`]. [`Program::run`] drives independent replicas through the one loop of
//! the engine and returns means with errors.

use std::num::NonZeroU32;
use std::ops::{AddAssign, ControlFlow};

use ceas_sim::activity::Activity;
use ceas_sim::plan::Plan;
use ceas_sim::run::Run;
use ceas_sim::schedule::Schedule;
use ceas_sim::statistics::Estimate;
use ceas_sim::stream::{Purpose, Streams};
use ceas_sim::update::Update;
use rayon::prelude::*;

use crate::error::Error;

/// How truthfully a translation keeps the law of what it translates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fidelity {
    /// An identity: the same numbers, no sampling.
    Exact,
    /// The exact law; only the number of samples limits the accuracy.
    ExactInLaw,
    /// An approximation whose error is at most `bound`.
    Controlled {
        /// The bound, in the units of the component's output.
        bound: f64,
    },
    /// Plausible, without a bound.
    Heuristic,
    /// Done by the host, not by spins.
    Host,
}

/// A unit that is held at a value while a program runs: what the host writes for each input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clamp {
    /// Which unit; of a Hamiltonian, which site.
    pub unit: usize,
    /// The value it is held at: ±1 for a spin, any number for an analogue unit.
    pub value: f64,
}

/// A model to run, the dynamics that moves it, β(t), and the way back from configurations to numbers.
#[derive(Debug, Clone)]
pub struct Program<U: Update<Model: Sized>, D> {
    /// What defines the energy: a Hamiltonian, a Potts spin, a spherical spin.
    pub model: U::Model,
    /// The units held at a value; their effect is in `model` or in `update` already.
    pub clamps: Vec<Clamp>,
    /// The configuration a run starts from.
    pub start: U::State,
    /// The dynamics.
    pub update: U,
    /// The inverse temperature of every sweep.
    pub schedule: Schedule,
    /// Turns a configuration into what the component outputs.
    pub decoder: D,
    /// What may be believed of the result.
    pub fidelity: Fidelity,
}

/// The way from configurations to the numbers a component outputs.
pub trait Decoder {
    /// What is read.
    type State;

    /// How many numbers the component outputs.
    fn width(&self) -> usize;

    /// Adds what `state` says to `sum`, one entry per output; `false`, with nothing added, if the read-out is not valid.
    fn read(&self, state: &Self::State, sum: &mut [f64]) -> bool;
}

/// Units and wires that a component takes, counted per input; a cost model prices them later.
///
/// ```
/// use ceas_mapping::program::Footprint;
/// let mut row = Footprint { spins: 10, fields: 10, read_outs: 4, ..Footprint::default() };
/// row += row;
/// assert_eq!((row.spins, row.couplings), (20, 0));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Units that move: p-bits, states of a Potts spin, components of a continuous spin.
    pub spins: u64,
    /// Units held at a value that the input sets.
    pub clamps: u64,
    /// Couplings between units.
    pub couplings: u64,
    /// Fields that the input sets.
    pub fields: u64,
    /// Bits of one read-out; of an analogue unit, one per number.
    pub read_outs: u64,
}

impl AddAssign for Footprint {
    fn add_assign(&mut self, other: Self) {
        self.spins += other.spins;
        self.clamps += other.clamps;
        self.couplings += other.couplings;
        self.fields += other.fields;
        self.read_outs += other.read_outs;
    }
}

/// A part of a transformer that has a translation.
pub trait Component {
    /// What the host hands over each time.
    type Input: ?Sized;
    /// The dynamics that stands for it.
    type Update: Update<Model: Sized + Sync, State: Clone + Send + Sync> + Clone + Send + Sync;
    /// The way back.
    type Decoder: Decoder<State = <Self::Update as Update>::State> + Sync;

    /// The program for `input`.
    ///
    /// # Errors
    /// If the input has a wrong shape, or a number that is not finite.
    fn lower(&self, input: &Self::Input) -> Result<Program<Self::Update, Self::Decoder>, Error>;

    /// What the program is meant to output, dense and in f64.
    ///
    /// # Errors
    /// Those of [`Component::lower`].
    fn reference(&self, input: &Self::Input) -> Result<Vec<f64>, Error>;

    /// What the program takes.
    fn footprint(&self, input: &Self::Input) -> Footprint;
}

/// How a program is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Sweeps of each replica before its first read-out.
    pub thermalization: u64,
    /// Sweeps from one read-out to the next; 0 counts as 1.
    pub every: u64,
    /// Read-outs of each replica.
    pub reads: NonZeroU32,
    /// Independent replicas: errors are from their scatter, so that no autocorrelation is missed. At least 2.
    pub replicas: u32,
    /// Seed of all streams.
    pub seed: u64,
}

impl Reading {
    /// `reads` read-outs, one after every sweep, of each of 32 replicas.
    pub fn new(reads: NonZeroU32, seed: u64) -> Self {
        Self { thermalization: 0, every: 1, reads, replicas: 32, seed }
    }
}

/// What a program gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Mean of every output over the valid read-outs, `[width]`.
    pub mean: Vec<Estimate>,
    /// Share of the read-outs that were valid.
    pub valid: Estimate,
    /// All events.
    pub activity: Activity,
}

impl<U, D> Program<U, D>
where
    U: Update<Model: Sized + Sync, State: Clone + Send + Sync> + Clone + Send + Sync,
    D: Decoder<State = U::State> + Sync,
{
    /// Runs the program; streams are keyed by (seed, purpose, replica), so the result does not depend on the number of threads.
    ///
    /// A replica without a valid read-out has no say in the means. With fewer than two that have, errors are not a number.
    ///
    /// # Errors
    /// [`Error::Sweeps`] if the sweeps cannot be counted.
    pub fn run(&self, reading: &Reading) -> Result<Outcome, Error> {
        let reads = u64::from(reading.reads.get());
        let interval = reading.every.max(1);
        let count = |sweeps: Option<u64>| sweeps.ok_or(Error::Sweeps { samples: reads, interval });
        let sweeps = count(reads.checked_mul(interval))?;
        count(sweeps.checked_add(reading.thermalization))?;
        let plan = Plan { thermalization: reading.thermalization, sweeps, every: interval };
        let replicas: Vec<(Vec<f64>, u64, Activity)> = (0..u64::from(reading.replicas))
            .into_par_iter()
            .map(|replica| {
                let streams = Streams::new(reading.seed, Purpose::Update, replica, self.update.blocks());
                let start = self.start.clone();
                let mut run =
                    Run::new(&self.model, start, self.update.clone(), self.schedule.clone(), streams);
                let mut sum = vec![0.0; self.decoder.width()];
                let mut valid = 0u64;
                run.drive(&plan, |run| {
                    valid += u64::from(self.decoder.read(run.state(), &mut sum));
                    ControlFlow::Continue(())
                });
                (sum, valid, run.activity())
            })
            .collect();
        let mean = |output: usize| {
            let heard = replicas.iter().filter(|(_, valid, _)| *valid > 0);
            let values: Vec<f64> = heard.map(|(sum, valid, _)| sum[output] / *valid as f64).collect();
            Estimate::of_independent(&values)
        };
        let shares: Vec<f64> = replicas.iter().map(|(_, valid, _)| *valid as f64 / reads as f64).collect();
        Ok(Outcome {
            mean: (0..self.decoder.width()).map(mean).collect(),
            valid: Estimate::of_independent(&shares),
            activity: replicas.iter().map(|(_, _, activity)| *activity).sum(),
        })
    }
}

impl Outcome {
    /// (mean − exact)/error of every output; 0 where both agree and nothing varies.
    pub fn deviations(&self, exact: &[f64]) -> Vec<f64> {
        let deviation = |(mean, &exact): (&Estimate, &f64)| {
            let rounding = 1e-12 * (1.0 + exact.abs());
            if (mean.mean - exact).abs() <= rounding { 0.0 } else { mean.sigmas_from(exact) }
        };
        self.mean.iter().zip(exact).map(deviation).collect()
    }

    /// The largest |deviation| of any output, in σ; not a number if an error is.
    pub fn worst(&self, exact: &[f64]) -> f64 {
        self.deviations(exact)
            .iter()
            .fold(0.0, |worst: f64, z| if z.is_nan() { *z } else { worst.max(z.abs()) })
    }
}
