//! One lattice at one β, simulated by independent replicas.

use std::ops::ControlFlow;

use rayon::prelude::*;

use super::{Dynamics, Lattice};
use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::memory;
use crate::observable::Observer;
use crate::plan::Plan;
use crate::run::Run;
use crate::schedule::Schedule;
use crate::spins::Spins;
use crate::statistics::{Autocorrelation, Estimate, Samples};
use crate::stream::{Purpose, Stream, Streams};
use crate::update::{HeatBath, Metropolis, Update, Wolff, WolffCalibration};

/// What is averaged in every replica, in this order: e, e², |m|, m², m⁴ and the structure factor at k = 2π/L, e = E/N.
pub const AVERAGES: usize = 6;

/// Which lattice at which β.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The family.
    pub lattice: Lattice,
    /// The side L.
    pub size: usize,
    /// The inverse temperature.
    pub beta: Beta,
}

/// How a cell is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// What moves the spins.
    pub dynamics: Dynamics,
    /// Independent replicas; even ones start ordered, odd ones at β = 0, so that a start not forgotten widens the error.
    pub replicas: u64,
    /// Number of the first replica: replicas of another range are further, independent ones of the same cell.
    pub first: u64,
    /// Sweeps of each replica before it is measured.
    pub thermalization: u64,
    /// Sweeps of each replica that are measured.
    pub sweeps: u64,
    /// The seed of the whole survey.
    pub seed: u64,
}

/// What the replicas of a cell gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Where.
    pub cell: Cell,
    /// Averages of each replica over its measured sweeps, [`AVERAGES`] columns.
    pub samples: Samples<AVERAGES>,
    /// τ_int of |m| in sweeps.
    pub tau_int: Estimate,
    /// Whether the autocorrelation window closed within the runs; otherwise τ_int is a lower bound.
    pub tau_resolved: bool,
    /// All events, thermalization included.
    pub activity: Activity,
}

/// One replica: its averages, its |m| sweep by sweep, its events.
struct Replica {
    averages: [f64; AVERAGES],
    series: Vec<f64>,
    activity: Activity,
}

impl Cell {
    /// Runs all replicas, in parallel; the result does not depend on the number of threads. `done` is called after each.
    ///
    /// # Errors
    /// Whatever the lattice or the update refuses; [`Error::Memory`] if the series do not fit;
    /// [`Error::Data`] with fewer than 2 replicas or 4 sweeps.
    pub fn simulate(&self, effort: &Effort, done: &(dyn Fn() + Sync)) -> Result<Measured, Error> {
        let model = Hamiltonian::ferromagnet(self.lattice.topology(self.size)?);
        model.topology().check_memory(rayon::current_num_threads() as u64 * 2)?;
        let numbers = effort.replicas.saturating_mul(effort.sweeps).saturating_mul(8);
        memory::check("a record of |m| over sweeps and replicas, at side", self.size, numbers)?;
        let replicas: Vec<Replica> = (effort.first..effort.first + effort.replicas)
            .into_par_iter()
            .map(|number| {
                let replica = self.replica(&model, effort, number);
                done();
                replica
            })
            .collect::<Result<_, Error>>()?;
        let series: Vec<&[f64]> = replicas.iter().map(|r| r.series.as_slice()).collect();
        let correlation = Autocorrelation::of(&series)?;
        Ok(Measured {
            cell: *self,
            samples: Samples::new(replicas.iter().map(|r| r.averages).collect())?,
            tau_int: correlation.tau_int,
            tau_resolved: correlation.converged,
            activity: replicas.iter().map(|r| r.activity).sum(),
        })
    }

    fn replica(&self, model: &Hamiltonian, effort: &Effort, number: u64) -> Result<Replica, Error> {
        // One seed per (size, β): cells are independent of each other and of whatever else is in the grid.
        let place =
            Stream::new(effort.seed, Purpose::Instance, self.size as u64, self.beta.value().to_bits())
                .next_u64();
        let n = model.n_sites();
        let spins = if number.is_multiple_of(2) {
            Spins::up(n)
        } else {
            Spins::random(n, &mut Stream::new(place, Purpose::Initial, number, 0))
        };
        let streams = |blocks| Streams::new(place, Purpose::Update, number, blocks);
        match effort.dynamics {
            Dynamics::HeatBath => {
                let update = HeatBath::new(model)?;
                let streams = streams(update.blocks());
                Ok(self.measure(model, spins, update, streams, effort))
            }
            Dynamics::Metropolis => {
                let update = Metropolis::new(model)?;
                let streams = streams(update.blocks());
                Ok(self.measure(model, spins, update, streams, effort))
            }
            Dynamics::Wolff => {
                let learning = Streams::new(place, Purpose::Thermalization, number, 1);
                let start = Schedule::Constant(self.beta);
                let mut run = Run::new(model, spins, WolffCalibration::new(model)?, start, learning);
                let plan = Plan { thermalization: effort.thermalization, sweeps: 0, every: 1 };
                run.drive(&plan, |_| ControlFlow::Continue(()));
                let update: Wolff = run.update().freeze();
                let (spins, learnt) = run.finish();
                // Sweeps of adaptive length end on an untypical cluster: as many fixed ones again wash that out.
                let mut replica = self.measure(model, spins, update, streams(1), effort);
                replica.activity += learnt;
                Ok(replica)
            }
        }
    }

    fn measure<U: Update<Model = Hamiltonian, State = Spins>>(
        &self,
        model: &Hamiltonian,
        spins: Spins,
        update: U,
        streams: Streams,
        effort: &Effort,
    ) -> Replica {
        let observer = Observer::new(model);
        let mut run = Run::new(model, spins, update, Schedule::Constant(self.beta), streams);
        let plan = Plan { thermalization: effort.thermalization, sweeps: effort.sweeps, every: 1 };
        let mut sums = [0.0; AVERAGES];
        let mut series = Vec::with_capacity(usize::try_from(plan.measurements()).unwrap_or(0));
        run.drive(&plan, |run| {
            let seen = observer.observe(run.state());
            let (e, m) = (seen.energy, seen.magnetization.abs());
            let m2 = m * m;
            for (sum, x) in sums.iter_mut().zip([e, e * e, m, m2, m2 * m2, seen.structure_factor]) {
                *sum += x;
            }
            series.push(m);
            ControlFlow::Continue(())
        });
        let count = series.len() as f64;
        Replica { averages: sums.map(|s| s / count), series, activity: run.activity() }
    }
}

impl Measured {
    /// Both sets of replicas together, if they are of the same cell and were measured equally long.
    ///
    /// # Errors
    /// As [`Samples::new`].
    pub fn joined(&self, more: &Self) -> Result<Self, Error> {
        let rows = self.samples.rows().iter().chain(more.samples.rows()).copied().collect();
        let [a, b] = [self, more].map(|m| m.samples.rows().len() as f64);
        let weighted = |x: f64, y: f64| (a * x + b * y) / (a + b);
        let error = libm::hypot(a * self.tau_int.error, b * more.tau_int.error) / (a + b);
        Ok(Self {
            cell: self.cell,
            samples: Samples::new(rows)?,
            tau_int: Estimate { mean: weighted(self.tau_int.mean, more.tau_int.mean), error },
            tau_resolved: self.tau_resolved && more.tau_resolved,
            activity: self.activity + more.activity,
        })
    }
}
