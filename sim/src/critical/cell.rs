//! One model at one β, simulated by independent replicas.

use rayon::prelude::*;

use super::job::{Job, Progress};
use super::key::Key;
use super::replica::Replica;
use super::stretch::Stretch;
use super::{Dynamics, Family};
use crate::activity::Activity;
use crate::beta::Beta;
use crate::checkpoint::{Reader, Refusal, Writer};
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::spins::Spins;
use crate::statistics::{Autocorrelation, Estimate, Histogram, Samples};
use crate::stream::{Purpose, Stream};

/// What is averaged in every replica, in this order: e, e², |m|, m², m⁴ and the structure factor at k = 2π/L, e = E/N; the last is 0 on
/// a graph that is no periodic lattice.
pub const AVERAGES: usize = 6;

/// Which model at which β.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The family.
    pub family: Family,
    /// The size: L, or N of a graph.
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
    /// Number of sites N.
    pub sites: usize,
    /// Measured sweeps of each replica.
    pub sweeps: u64,
    /// Averages of each replica over its measured sweeps, [`AVERAGES`] columns.
    pub samples: Samples<AVERAGES>,
    /// τ_int of |m| in sweeps.
    pub tau_int: Estimate,
    /// Whether the autocorrelation window closed within the runs; otherwise τ_int is a lower bound.
    pub tau_resolved: bool,
    /// All events, thermalization included.
    pub activity: Activity,
    /// By what histograms are kept.
    pub(super) key: Key,
    effort: Effort,
    replicas: Vec<Replica>,
}

impl Cell {
    /// Runs all replicas, in parallel; the result does not depend on the number of threads. `done` is called after each.
    ///
    /// # Errors
    /// Whatever the lattice or the update refuses; [`Error::Data`] with fewer than 2 replicas or 4 sweeps.
    pub fn simulate(&self, effort: &Effort, done: &(dyn Fn() + Sync)) -> Result<Measured, Error> {
        self.simulate_kept(effort, &Job::unkept(&|_| done()))
    }

    /// The same as a part of a survey.
    pub(super) fn simulate_kept(&self, effort: &Effort, job: &Job<'_>) -> Result<Measured, Error> {
        let model = self.family.model(self.size, effort.seed)?;
        model.topology().check_memory(rayon::current_num_threads() as u64 * 2 + effort.replicas)?;
        let start = |number: u64| {
            let n = model.n_sites();
            let stream = &mut Stream::new(self.place(effort), Purpose::Initial, number, 0);
            Replica::new(if number.is_multiple_of(2) { Spins::up(n) } else { Spins::random(n, stream) })
        };
        let replicas = (effort.first..effort.first + effort.replicas).map(start).collect();
        self.lengthen(&model, *effort, replicas, job)
    }

    /// One seed per (size, β): cells are independent of each other and of whatever else is in the grid.
    pub(super) fn place(&self, effort: &Effort) -> u64 {
        Stream::new(effort.seed, Purpose::Instance, self.size as u64, self.beta.value().to_bits()).next_u64()
    }

    /// `effort.sweeps` sweeps more of every replica.
    fn lengthen(
        &self,
        model: &Hamiltonian,
        effort: Effort,
        replicas: Vec<Replica>,
        job: &Job<'_>,
    ) -> Result<Measured, Error> {
        let key = Key::new(model, effort.dynamics);
        let random = self.family.is_random(model.topology());
        let replicas: Vec<Replica> = replicas
            .into_par_iter()
            .enumerate()
            .map(|(index, replica)| {
                let number = effort.first + index as u64;
                // Averages over replicas are averages over graphs too.
                let own =
                    random.then(|| self.family.model(self.size, graph_seed(&effort, number))).transpose()?;
                let model = own.as_ref().unwrap_or(model);
                let stretch = Stretch { cell: self, model, key, effort: &effort, number, job };
                let replica = stretch.make(replica)?;
                job.tell(Progress::Replica);
                Ok(replica)
            })
            .collect::<Result<_, Error>>()?;
        self.reduced(model, effort, replicas)
    }

    /// What replicas gave.
    fn reduced(
        &self,
        model: &Hamiltonian,
        effort: Effort,
        replicas: Vec<Replica>,
    ) -> Result<Measured, Error> {
        let series: Vec<&[f64]> = replicas.iter().map(|r| r.series.as_slice()).collect();
        let correlation = Autocorrelation::of(&series)?;
        Ok(Measured {
            cell: self.clone(),
            sites: model.n_sites(),
            sweeps: replicas.first().map_or(0, |r| r.count),
            samples: Samples::new(replicas.iter().map(Replica::averages).collect())?,
            tau_int: correlation.tau_int,
            tau_resolved: correlation.converged,
            activity: replicas.iter().map(|r| r.activity).sum(),
            key: Key::new(model, effort.dynamics),
            effort,
            replicas,
        })
    }
}

/// Replicas of random graphs have graphs of their own, the same at every β.
fn graph_seed(effort: &Effort, number: u64) -> u64 {
    Stream::new(effort.seed, Purpose::Instance, number, u64::MAX).next_u64()
}

impl Measured {
    /// The same with `sweeps` more sweeps of every replica.
    ///
    /// # Errors
    /// As [`Cell::simulate`].
    pub fn longer(self, sweeps: u64, done: &(dyn Fn() + Sync)) -> Result<Self, Error> {
        self.longer_kept(sweeps, &Job::unkept(&|_| done()))
    }

    /// The same as a part of a survey.
    pub(super) fn longer_kept(self, sweeps: u64, job: &Job<'_>) -> Result<Self, Error> {
        let model = self.cell.family.model(self.cell.size, self.effort.seed)?;
        let effort = Effort { sweeps, ..self.effort };
        self.cell.lengthen(&model, effort, self.replicas, job)
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.u64(self.cell.size as u64);
        out.f64(self.cell.beta.value());
        out.u64(self.effort.sweeps);
        self.replicas.iter().for_each(|replica| replica.save(out));
    }

    /// One of a family, all of `effort` but its sweeps being known.
    ///
    /// # Errors
    /// [`Refusal`] if the bytes are no such thing.
    pub(super) fn load(family: &Family, effort: Effort, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let (size, beta, sweeps) = (from.u64()?, from.f64()?, from.count()?);
        // A model has at least as many sites as its size, and each replica a bit for every site: no larger one is built.
        let most = 8 * (from.left() as u64 / effort.replicas.max(1)) + 8;
        let impossible = || from.broken("a size or β that no lattice of this sweep has");
        if size > most {
            return Err(impossible());
        }
        let beta = Beta::new(beta).map_err(|_| impossible())?;
        let model = family.model(size as usize, effort.seed).map_err(|_| impossible())?;
        let cell = Cell { family: family.clone(), size: size as usize, beta };
        let mut replicas = Vec::new();
        for _ in 0..effort.replicas {
            let replica = Replica::load(&model, from)?;
            if replica.rounds == 0 || replica.count < 4 {
                return Err(from.broken("a replica that has seen nothing"));
            }
            replicas.push(replica);
        }
        if replicas.windows(2).any(|w| (w[0].rounds, w[0].count) != (w[1].rounds, w[1].count)) {
            return Err(from.broken("replicas of one cell that are not equally long"));
        }
        let broken = |_| from.broken("numbers that no averages can be made of");
        cell.reduced(&model, Effort { sweeps, ..effort }, replicas).map_err(broken)
    }

    /// Attempts that a sweep of all replicas takes, as counted.
    pub(super) fn attempts_per_sweep(&self) -> f64 {
        let learning = if self.effort.dynamics == Dynamics::Wolff { 2 } else { 1 };
        self.activity.attempts as f64 / (self.sweeps + learning * self.effort.thermalization) as f64
    }

    /// Sites of the model of another size.
    pub(super) fn sites_of(&self, size: usize) -> Option<usize> {
        self.cell.family.model(size, self.effort.seed).ok().map(|model| model.n_sites())
    }

    /// The histogram of each replica.
    pub fn histograms(&self) -> impl ExactSizeIterator<Item = &Histogram<AVERAGES>> {
        self.replicas.iter().map(|r| &r.histogram)
    }

    /// The natural parameter of the histograms at their own β: see [`crate::statistics::reweighting`].
    pub fn theta(&self) -> f64 {
        self.theta_at(self.cell.beta.value())
    }

    /// The natural parameter at another β.
    pub fn theta_at(&self, beta: f64) -> f64 {
        self.key.theta(beta)
    }
}
