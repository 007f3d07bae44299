//! Parallel tempering: replicas at different β exchange configurations.

use rayon::prelude::*;

use crate::activity::Activity;
use crate::beta::Beta;
use crate::hamiltonian::Hamiltonian;
use crate::stream::{Stream, Streams};
use crate::update::{BetaGrid, Ladder, Rung, Update};

/// How often two neighbouring rungs exchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SwapRate {
    /// Attempts so far.
    pub attempts: u64,
    /// Attempts that succeeded.
    pub accepted: u64,
    /// Σ of the probabilities with which attempts fail: divided by `attempts`, the rejection rate with less noise than the counts have.
    pub rejection: f64,
}

impl SwapRate {
    /// Mean probability of a swap; NaN before the first attempt.
    pub fn acceptance(&self) -> f64 {
        1.0 - self.rejection / self.attempts as f64
    }

    /// One more attempt, of this probability.
    pub(crate) fn count(&mut self, probability: f64, accepted: bool) {
        self.attempts += 1;
        self.accepted += u64::from(accepted);
        self.rejection += 1.0 - probability;
    }
}

/// Parallel tempering (Swendsen and Wang, doi:10.1103/PhysRevLett.57.2607; Hukushima and Nemoto, doi:10.1143/JPSJ.65.1604) with any update `U` of the
/// single replicas: [`crate::update::HeatBath`] for ordinary tempering, [`crate::update::Houdayer`] around it for tempering with cluster moves.
///
/// A sweep is a sweep of every replica, then swap attempts between rungs (0, 1), (2, 3), … or (1, 2), (3, 4), … in turns, each
/// accepted with probability min(1, e^((β_r − β_r')(E_r − E_r'))). Alternation in place of random choice makes walkers move on rather than
/// diffuse (Okabe, Kawata, Okamoto, Mikami, doi:10.1016/S0009-2614(01)00055-0). The product of all e^(−β_r H) is invariant.
///
/// The β handed to a sweep is that of the *coldest* rung; the grid is stretched in proportion where it is not the grid's own. With
/// `Schedule::Constant(grid.coldest())` the β are those of the grid, exactly.
///
/// Replicas are swept in parallel. Each rung draws from streams of its own, as does the swapping, so that the number of threads changes nothing.
///
/// What is counted: all that `U` counts in all replicas; for a swap attempt, 64 *random bits*, and N *read-outs* for each of the configurations
/// whose energy it needs. A swap moves two β, no spin.
///
/// ```
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, plan::Plan, run::Run, schedule::Schedule, spins::Spins};
/// use ceas_sim::{stream::{Purpose, Streams}, topology::Topology};
/// use ceas_sim::update::{BetaGrid, HeatBath, Ladder, Tempering, Update};
/// use std::ops::ControlFlow;
/// let model = Hamiltonian::ferromagnet(Topology::square(8).unwrap());
/// let b = |x| Beta::new(x).unwrap();
/// let grid = BetaGrid::linear(b(0.3), b(0.6), 5).unwrap();
/// let schedule = Schedule::Constant(grid.coldest());
/// let update = Tempering::new(grid, HeatBath::new(&model).unwrap());
/// let streams = Streams::new(1, Purpose::Update, 0, update.blocks());
/// let ladder = Ladder::new(vec![Spins::up(64); 5]).unwrap();
/// let mut run = Run::new(&model, ladder, update, schedule, streams);
/// run.drive(&Plan { thermalization: 0, sweeps: 100, every: 1 }, |_| ControlFlow::Continue(()));
/// assert_eq!(run.activity().attempts, 100 * 5 * 64);
/// assert!(run.update().swap_rates().iter().all(|pair| pair.attempts == 50 && pair.acceptance() > 0.2));
/// ```
#[derive(Debug, Clone)]
pub struct Tempering<U> {
    grid: BetaGrid,
    lanes: Vec<Lane<U>>,
    swaps: Vec<SwapRate>,
    sweeps: u64,
    journeys: u64,
}

/// What one rung needs: an update whose tables fit its β, the streams lent to it, and the energies found after the sweep.
#[derive(Debug, Clone)]
struct Lane<U> {
    update: U,
    lent: Streams,
    energies: Vec<f64>,
}

/// Work, in spins, below which handing it to other threads costs more than it saves.
const WORTH_SHARING: usize = 1 << 13;

impl<U: Update<Model = Hamiltonian> + Clone> Tempering<U> {
    /// One replica (or pair of them) per β of the grid, each swept by a clone of `inner`.
    pub fn new(grid: BetaGrid, inner: U) -> Self {
        let lane = Lane { lent: super::empty_streams(inner.blocks()), update: inner, energies: Vec::new() };
        let rungs = grid.rungs();
        Self {
            grid,
            lanes: vec![lane; rungs],
            swaps: vec![SwapRate::default(); rungs - 1],
            sweeps: 0,
            journeys: 0,
        }
    }
}

impl<U> Tempering<U> {
    /// min(1, e^((β − β')(E − E'))): the probability that configurations of energies E at β and E' at β' are exchanged.
    pub fn swap_probability(betas: (Beta, Beta), energies: (f64, f64)) -> f64 {
        let exponent = (betas.0.value() - betas.1.value()) * (energies.0 - energies.1);
        if exponent >= 0.0 { 1.0 } else { libm::exp(exponent) }
    }

    /// The grid.
    pub fn grid(&self) -> &BetaGrid {
        &self.grid
    }

    /// For each interval of the ladder, hottest first, how often it was crossed. Copies on one rung count together.
    pub fn swap_rates(&self) -> &[SwapRate] {
        &self.swaps
    }

    /// Mean rejection rate of each interval; 0 where nothing was attempted.
    pub fn rejections(&self) -> Vec<f64> {
        let rate = |pair: &SwapRate| pair.rejection / (pair.attempts.max(1)) as f64;
        self.swaps.iter().map(rate).collect()
    }

    /// Arrivals of walkers at the coldest rung that came from the hottest: one for each round trip completed, and one more for a walker that has
    /// made its first way down.
    pub fn journeys(&self) -> u64 {
        self.journeys
    }

    /// β of a rung if the coldest is at `coldest`.
    pub fn beta(&self, rung: usize, coldest: Beta) -> Beta {
        let own = self.grid.betas()[rung];
        if coldest == self.grid.coldest() {
            return own;
        }
        let scaled = coldest.value() * (own.value() / self.grid.coldest().value());
        Beta::new(scaled).expect("a share of a finite β ≥ 0 is finite and ≥ 0")
    }

    pub(crate) fn updates(&mut self) -> impl Iterator<Item = &mut U> {
        self.lanes.iter_mut().map(|lane| &mut lane.update)
    }

    pub(crate) fn each_update(&self) -> impl Iterator<Item = &U> {
        self.lanes.iter().map(|lane| &lane.update)
    }

    pub(crate) fn memory(&self) -> (&[SwapRate], u64, u64) {
        (&self.swaps, self.sweeps, self.journeys)
    }

    pub(crate) fn restore(&mut self, swaps: Vec<SwapRate>, sweeps: u64, journeys: u64) {
        (self.swaps, self.sweeps, self.journeys) = (swaps, sweeps, journeys);
    }

    /// Swap attempts of every second interval. Returns how many.
    fn swap<S: Rung>(&mut self, ladder: &mut Ladder<S>, coldest: Beta, stream: &mut Stream) -> u64 {
        let mut attempts = 0;
        for rung in ((self.sweeps & 1) as usize..self.swaps.len()).step_by(2) {
            let betas = (self.beta(rung, coldest), self.beta(rung + 1, coldest));
            for copy in 0..ladder.rungs[rung].copies().len() {
                let energies = (self.lanes[rung].energies[copy], self.lanes[rung + 1].energies[copy]);
                let probability = Self::swap_probability(betas, energies);
                let accepted = stream.uniform() < probability;
                if accepted {
                    ladder.exchange(rung, copy);
                }
                self.swaps[rung].count(probability, accepted);
                attempts += 1;
            }
        }
        self.sweeps += 1;
        self.journeys += ladder.note_ends();
        attempts
    }
}

impl<U> Update for Tempering<U>
where
    U: Update<Model = Hamiltonian> + Send,
    U::State: Rung,
{
    type Model = Hamiltonian;
    type State = Ladder<U::State>;

    /// A sweep of every replica, then swap attempts of every second interval.
    ///
    /// # Panics
    /// If the ladder has another number of rungs than the grid, or there are fewer streams than [`Update::blocks`].
    fn sweep(
        &mut self,
        model: &Hamiltonian,
        ladder: &mut Ladder<U::State>,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        let rungs = self.lanes.len();
        assert_eq!(ladder.rungs.len(), rungs, "the grid has {rungs} rungs");
        let each = self.lanes[0].update.blocks();
        let needed = each * rungs + 1;
        let streams = streams.blocks();
        assert!(streams.len() >= needed, "{needed} streams are needed, not {}", streams.len());
        let (of_rungs, rest) = streams.split_at_mut(each * rungs);
        let betas: Vec<Beta> = (0..rungs).map(|rung| self.beta(rung, beta)).collect();
        let sweep = |(lane, rung): (&mut Lane<U>, &mut U::State), streams: &mut [Stream], beta: Beta| {
            lane.lent.blocks().swap_with_slice(streams);
            let counted = lane.update.sweep(model, rung, beta, &mut lane.lent);
            lane.lent.blocks().swap_with_slice(streams);
            lane.energies.clear();
            lane.energies.extend(rung.copies().iter().map(|spins| model.energy(spins)));
            counted
        };
        let counted: Vec<Activity> = if rungs * model.n_sites() < WORTH_SHARING {
            let replicas = self.lanes.iter_mut().zip(&mut ladder.rungs);
            let work = replicas.zip(of_rungs.chunks_mut(each)).zip(&betas);
            work.map(|((replica, streams), &beta)| sweep(replica, streams, beta)).collect()
        } else {
            let replicas = self.lanes.par_iter_mut().zip(&mut ladder.rungs);
            let work = replicas.zip(of_rungs.par_chunks_mut(each)).zip(&betas);
            work.map(|((replica, streams), &beta)| sweep(replica, streams, beta)).collect()
        };
        let attempts = self.swap(ladder, beta, &mut rest[0]);
        counted.into_iter().sum::<Activity>()
            + Activity {
                random_bits: 64 * attempts,
                read_outs: 2 * attempts * model.n_sites() as u64,
                ..Activity::default()
            }
    }

    /// Those of the inner update for each rung, and one.
    fn blocks(&self) -> usize {
        self.lanes.len() * self.lanes[0].update.blocks() + 1
    }
}
