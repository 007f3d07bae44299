//! One model at one β, simulated by independent replicas.

use std::ops::ControlFlow;

use rayon::prelude::*;

use super::{Dynamics, Family};
use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::kernel::Order;
use crate::observable::Observer;
use crate::plan::Plan;
use crate::run::Run;
use crate::schedule::Schedule;
use crate::spins::Spins;
use crate::statistics::{Autocorrelation, Estimate, Histogram, Samples};
use crate::stream::{Purpose, Stream, Streams};
use crate::update::{HeatBath, Metropolis, SwendsenWang, Update, Wolff, WolffCalibration};

use super::key::Key;

/// What is averaged in every replica, in this order: e, e², |m|, m², m⁴ and the structure factor at k = 2π/L, e = E/N; the last is 0 on
/// a graph that is no periodic lattice.
pub const AVERAGES: usize = 6;

/// Sweeps of each replica whose |m| is kept for its autocorrelation time.
const SERIES: usize = 20_000;

/// Above so many sites single clusters grown from a hot start stay small for long, and a Wolff sweep learnt from them would be many sweeps:
/// Swendsen and Wang's sweeps come first.
const LARGE: usize = 60_000;

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

/// One replica as far as it has come.
#[derive(Debug, Clone, PartialEq)]
struct Replica {
    spins: Spins,
    /// Clusters of a Wolff sweep, once learnt.
    clusters: Option<u64>,
    /// How often it was lengthened.
    rounds: u64,
    sums: [f64; AVERAGES],
    count: u64,
    histogram: Histogram<AVERAGES>,
    series: Vec<f64>,
    activity: Activity,
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
        let model = self.family.model(self.size, effort.seed)?;
        model.topology().check_memory(rayon::current_num_threads() as u64 * 2 + effort.replicas)?;
        let key = Key::new(&model, effort.dynamics);
        let start = |number: u64| {
            let n = model.n_sites();
            let stream = &mut Stream::new(self.place(effort), Purpose::Initial, number, 0);
            let spins = if number.is_multiple_of(2) { Spins::up(n) } else { Spins::random(n, stream) };
            Replica {
                spins,
                clusters: None,
                rounds: 0,
                sums: [0.0; AVERAGES],
                count: 0,
                histogram: Histogram::default(),
                series: Vec::new(),
                activity: Activity::default(),
            }
        };
        let replicas = (effort.first..effort.first + effort.replicas).map(start).collect();
        self.lengthen(&model, key, *effort, replicas, done)
    }

    /// One seed per (size, β): cells are independent of each other and of whatever else is in the grid.
    fn place(&self, effort: &Effort) -> u64 {
        Stream::new(effort.seed, Purpose::Instance, self.size as u64, self.beta.value().to_bits()).next_u64()
    }

    /// `effort.sweeps` sweeps more of every replica.
    fn lengthen(
        &self,
        model: &Hamiltonian,
        key: Key,
        effort: Effort,
        replicas: Vec<Replica>,
        done: &(dyn Fn() + Sync),
    ) -> Result<Measured, Error> {
        let random = self.family.is_random(model.topology());
        let replicas: Vec<Replica> = replicas
            .into_par_iter()
            .enumerate()
            .map(|(index, replica)| {
                let number = effort.first + index as u64;
                // Averages over replicas are averages over graphs too.
                let own =
                    random.then(|| self.family.model(self.size, graph_seed(&effort, number))).transpose()?;
                let replica = self.advance(own.as_ref().unwrap_or(model), key, &effort, number, replica)?;
                done();
                Ok(replica)
            })
            .collect::<Result<_, Error>>()?;
        let series: Vec<&[f64]> = replicas.iter().map(|r| r.series.as_slice()).collect();
        let correlation = Autocorrelation::of(&series)?;
        let averages = |r: &Replica| r.sums.map(|sum| sum / r.count as f64);
        Ok(Measured {
            cell: self.clone(),
            sites: model.n_sites(),
            sweeps: replicas.first().map_or(0, |r| r.count),
            samples: Samples::new(replicas.iter().map(averages).collect())?,
            tau_int: correlation.tau_int,
            tau_resolved: correlation.converged,
            activity: replicas.iter().map(|r| r.activity).sum(),
            key,
            effort,
            replicas,
        })
    }

    fn advance(
        &self,
        model: &Hamiltonian,
        key: Key,
        effort: &Effort,
        number: u64,
        mut replica: Replica,
    ) -> Result<Replica, Error> {
        let place = self.place(effort);
        let stretch = Streams::new(place, Purpose::Update, number, 1 + replica.rounds as usize);
        // A seed for every time it is lengthened, so that streams are never drawn from twice.
        let again = stretch.as_slice()[replica.rounds as usize].clone().next_u64();
        let streams = |blocks| match replica.rounds {
            0 => Streams::new(place, Purpose::Update, number, blocks),
            _ => Streams::new(again, Purpose::Update, number, blocks),
        };
        match effort.dynamics {
            Dynamics::HeatBath => {
                let update = HeatBath::new(model).or_else(|_| HeatBath::in_order(model, Order::Index))?;
                let streams = streams(update.blocks());
                self.measure(model, update, streams, effort, &mut replica, |run, seen| {
                    key.of_energy(run.model(), seen)
                });
            }
            Dynamics::Metropolis => {
                let update = Metropolis::new(model).or_else(|_| Metropolis::in_order(model, Order::Index))?;
                let streams = streams(update.blocks());
                self.measure(model, update, streams, effort, &mut replica, |run, seen| {
                    key.of_energy(run.model(), seen)
                });
            }
            Dynamics::SwendsenWang => {
                let update = SwendsenWang::new(model)?;
                let bonds = model.topology().n_bonds() as f64;
                let sites = model.n_sites() as f64;
                let j = model.uniform().map_or(0.0, |(j, _)| j.abs());
                let ferromagnet = key.is_open_bonds();
                let streams = streams(1);
                self.measure(model, update, streams, effort, &mut replica, move |run, seen| {
                    if !ferromagnet {
                        return key.of_energy(run.model(), seen);
                    }
                    // Of the clusters: their moments, and the energy of the configuration they were drawn on.
                    let (moments, counted) = (run.update().moments(), run.update().bonds());
                    seen[0] = -j * (2.0 * counted.satisfied as f64 - bonds) / sites;
                    seen[1] = seen[0] * seen[0];
                    (seen[3], seen[4]) = (moments.magnetization_2, moments.magnetization_4);
                    key.of_open(counted.open)
                });
            }
            Dynamics::Wolff => {
                let clusters = match replica.clusters {
                    Some(clusters) => clusters,
                    None => {
                        let learning = Streams::new(place, Purpose::Thermalization, number, 1);
                        let start = Schedule::Constant(self.beta);
                        let plan = Plan { thermalization: effort.thermalization, sweeps: 0, every: 1 };
                        if model.n_sites() > LARGE {
                            let stream = Stream::new(place, Purpose::Thermalization, number, 1);
                            let streams = Streams::from_blocks(vec![stream]).expect("there is a stream");
                            let (spins, update) = (replica.spins.clone(), SwendsenWang::new(model)?);
                            let mut run = Run::new(model, spins, update, start.clone(), streams);
                            run.drive(&plan, |_| ControlFlow::Continue(()));
                            let (spins, spent) = run.finish();
                            replica.spins = spins;
                            replica.activity += spent;
                        }
                        let calibration = WolffCalibration::new(model)?;
                        let mut run = Run::new(model, replica.spins.clone(), calibration, start, learning);
                        run.drive(&plan, |_| ControlFlow::Continue(()));
                        let clusters = run.update().freeze().clusters_per_sweep();
                        let (spins, learnt) = run.finish();
                        // Sweeps of adaptive length end on an untypical cluster: as many fixed ones again wash that out.
                        replica.spins = spins;
                        replica.activity += learnt;
                        clusters
                    }
                };
                replica.clusters = Some(clusters);
                let update = Wolff::new(model, clusters)?;
                let streams = streams(1);
                self.measure(model, update, streams, effort, &mut replica, |run, seen| {
                    key.of_energy(run.model(), seen)
                });
            }
        }
        replica.rounds += 1;
        Ok(replica)
    }

    fn measure<U: Update<Model = Hamiltonian, State = Spins>>(
        &self,
        model: &Hamiltonian,
        update: U,
        streams: Streams,
        effort: &Effort,
        replica: &mut Replica,
        look: impl Fn(&Run<'_, U>, &mut [f64; AVERAGES]) -> i64,
    ) {
        let observer = Observer::new(model);
        let spins = replica.spins.clone();
        let mut run = Run::new(model, spins, update, Schedule::Constant(self.beta), streams);
        let thermalization = if replica.rounds == 0 { effort.thermalization } else { 0 };
        let plan = Plan { thermalization, sweeps: effort.sweeps, every: 1 };
        run.drive(&plan, |run| {
            let observed = observer.observe(run.state());
            let (e, m) = (observed.energy, observed.magnetization.abs());
            let factor = if observed.structure_factor.is_finite() { observed.structure_factor } else { 0.0 };
            let mut seen = [e, e * e, m, m * m, m * m * m * m, factor];
            let key = look(run, &mut seen);
            replica.histogram.add(key, &seen);
            replica.sums.iter_mut().zip(seen).for_each(|(sum, x)| *sum += x);
            replica.count += 1;
            if replica.series.len() < SERIES {
                replica.series.push(m);
            }
            ControlFlow::Continue(())
        });
        let (spins, activity) = run.finish();
        replica.spins = spins;
        replica.activity += activity;
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
        let model = self.cell.family.model(self.cell.size, self.effort.seed)?;
        let effort = Effort { sweeps, ..self.effort };
        self.cell.lengthen(&model, self.key, effort, self.replicas, done)
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
