//! Parallel tempering, with or without cluster moves, on cached fields.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::couplings::{CouplingRows, Real};
use crate::error::Error;
use crate::stream::{Stream, Streams};
use crate::update::overlap_graph::{self, OverlapGraph};
use crate::update::{BetaGrid, CachedField, CachedSpins, End, SwapRate, Update};

/// How much of the sites on which two replicas differ one cluster holds.
///
/// Where it is near 1 the clusters percolate: the move exchanges the two replicas as wholes and changes nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ClusterShare {
    /// Clusters so far.
    pub clusters: u64,
    /// Those of them that were turned.
    pub turned: u64,
    /// Σ over them of |C| over the number of candidates.
    pub share: f64,
}

impl ClusterShare {
    /// Mean share; NaN before the first cluster.
    pub fn mean(&self) -> f64 {
        self.share / self.clusters as f64
    }
}

/// Parallel tempering whose replicas keep their local fields: the law of [`crate::update::Tempering`] around the Metropolis sweep of
/// [`CachedField`], for any couplings, sparse or dense, at the speed of the latter.
///
/// The replicas of the state are those of rung 0 (hottest), of rung 1, …, with one or two copies on each rung. A sweep is a sweep
/// of every replica; with two copies, then one of Houdayer's clusters on every rung that takes them
/// (doi:10.1007/PL00011151; on general sparse graphs Zhu, Ochoa, Katzgraber, doi:10.1103/PhysRevLett.115.077201); then swap attempts of
/// every second interval, for each copy by itself. Energies are known already, so that a swap reads nothing.
///
/// A cluster of more than nine tenths of the sites on which the replicas differ stays as it is: turning it would all but exchange
/// the two. No overlap changes in the move, so that this is decided alike in both directions and the law is kept.
///
/// On a dense graph every cluster along all bonds would hold everything. There they are followed along the strongest bonds only, with two,
/// four or eight a site, drawn anew each time, and turned with probability min(1, e^(−βΔ(E_a + E_b))): the overlap, and with it the
/// choice of the cluster, is the same before and after, so that this is Metropolis' rule for an even proposal.
///
/// The β handed to a sweep is that of the coldest rung, and the grid is stretched in proportion to it.
///
/// What is counted beside what [`CachedField`] counts: for a swap attempt 64 *random bits*; for a cluster 2N *read-outs*, 2|C|
/// *attempts* and *flips*, 64 *random bits*, and a *coupler read* per bond of every spin that turned.
///
/// ```
/// use ceas_sim::couplings::CouplingRows;
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, plan::Plan, run::Run, schedule::Schedule, spins::Spins};
/// use ceas_sim::{stream::{Purpose, Streams}, topology::Topology};
/// use ceas_sim::update::{BetaGrid, CachedSpins, TemperedFields, Update};
/// use std::ops::ControlFlow;
/// let model = Hamiltonian::ferromagnet(Topology::square(8).unwrap());
/// let rows = CouplingRows::<f32>::new(&model).unwrap();
/// let b = |x| Beta::new(x).unwrap();
/// let grid = BetaGrid::linear(b(0.3), b(0.6), 5).unwrap();
/// let schedule = Schedule::Constant(grid.coldest());
/// let update = TemperedFields::pairs(grid, &rows).unwrap();
/// let streams = Streams::new(1, Purpose::Update, 0, update.blocks());
/// let replicas = vec![CachedSpins::new(&rows, &Spins::up(64)); update.replicas()];
/// let mut run = Run::new(&rows, replicas, update, schedule, streams);
/// run.drive(&Plan { thermalization: 0, sweeps: 100, every: 1 }, |_| ControlFlow::Continue(()));
/// assert!(run.update().swap_rates().iter().all(|pair| pair.attempts == 100 && pair.acceptance() > 0.2));
/// ```
#[derive(Debug, Clone)]
pub struct TemperedFields<T> {
    grid: BetaGrid,
    copies: usize,
    inner: CachedField<T>,
    /// Rungs on which clusters are exchanged.
    clustered: Vec<bool>,
    swaps: Vec<SwapRate>,
    shares: Vec<ClusterShare>,
    /// The walker at each place, and the end at which each walker has been last.
    walkers: Vec<u32>,
    ends: Vec<End>,
    sweeps: u64,
    journeys: u64,
    /// What clusters are followed along: all bonds, or the strongest.
    graphs: Vec<OverlapGraph>,
    /// Whether the energy of the pair can change, because not all bonds are followed.
    partial: bool,
    in_cluster: Vec<bool>,
    cluster: Vec<u32>,
}

/// Share of the differing sites above which a cluster is not turned.
const MOST_OF_ALL: f64 = 0.9;

/// What an update of this kind has learnt, to be written down.
pub(crate) struct Learnt {
    pub(crate) inner: u64,
    pub(crate) sweeps: u64,
    pub(crate) journeys: u64,
    pub(crate) swaps: Vec<SwapRate>,
    pub(crate) shares: Vec<ClusterShare>,
    pub(crate) walkers: Vec<u32>,
    pub(crate) ends: Vec<End>,
}

impl<T: Real> TemperedFields<T> {
    /// One replica on each rung.
    ///
    /// # Errors
    /// [`Error::Beta`] if the grid spans more than numbers can hold.
    pub fn new(grid: BetaGrid, rows: &CouplingRows<T>) -> Result<Self, Error> {
        Self::with_copies(grid, rows, 1)
    }

    /// Two replicas on each rung, which exchange clusters on every rung ([`TemperedFields::clustered_on`] chooses others); on none where
    /// a dense graph has no strongest bonds.
    ///
    /// # Errors
    /// [`Error::Beta`] if the grid spans more than numbers can hold.
    pub fn pairs(grid: BetaGrid, rows: &CouplingRows<T>) -> Result<Self, Error> {
        Self::with_copies(grid, rows, 2)
    }

    fn with_copies(grid: BetaGrid, rows: &CouplingRows<T>, copies: usize) -> Result<Self, Error> {
        let coldest = grid.coldest().value();
        let each = |beta: &Beta| std::iter::repeat_n(beta.value() / coldest, copies);
        let inner = CachedField::new().with_ratios(grid.betas().iter().flat_map(each).collect())?;
        let (rungs, places) = (grid.rungs(), grid.rungs() * copies);
        let mut update = Self {
            grid,
            copies,
            inner,
            clustered: vec![false; rungs],
            swaps: vec![SwapRate::default(); rungs - 1],
            shares: vec![ClusterShare::default(); rungs],
            walkers: (0..places as u32).collect(),
            ends: vec![End::None; places],
            sweeps: 0,
            journeys: 0,
            graphs: if copies == 2 { overlap_graph::graphs(rows) } else { Vec::new() },
            partial: rows.is_dense(),
            in_cluster: vec![false; if copies == 2 { rows.n() } else { 0 }],
            cluster: Vec::new(),
        };
        update.clustered.fill(!update.graphs.is_empty());
        update.note_ends();
        Ok(update)
    }

    /// Clusters on the rungs marked, and no others. A choice made before the run and kept to leaves the law as it is.
    ///
    /// # Panics
    /// If there is not one mark per rung, or one is set where clusters cannot be.
    #[must_use]
    pub fn clustered_on(mut self, rungs: Vec<bool>) -> Self {
        assert_eq!(rungs.len(), self.grid.rungs(), "one mark per rung");
        assert!(
            !self.graphs.is_empty() || !rungs.contains(&true),
            "clusters are exchanged by pairs, along bonds"
        );
        self.clustered = rungs;
        self
    }

    /// min(1, e^(Δβ(E − E'))): the probability that replicas of energies E and E' are exchanged, where `step` is Δβ, β of the first less
    /// β of the second.
    pub fn swap_probability(step: f64, energies: (f64, f64)) -> f64 {
        let exponent = step * (energies.0 - energies.1);
        if exponent >= 0.0 { 1.0 } else { libm::exp(exponent) }
    }

    /// The grid.
    pub fn grid(&self) -> &BetaGrid {
        &self.grid
    }

    /// Replicas on each rung: 1 or 2.
    pub fn copies(&self) -> usize {
        self.copies
    }

    /// Replicas of the state: rungs times copies.
    pub fn replicas(&self) -> usize {
        self.walkers.len()
    }

    /// On which rungs clusters are exchanged.
    pub fn clustered(&self) -> &[bool] {
        &self.clustered
    }

    /// For each interval of the ladder, hottest first, how often it was crossed. Copies on one rung count together.
    pub fn swap_rates(&self) -> &[SwapRate] {
        &self.swaps
    }

    /// For each rung, hottest first, how large the clusters were.
    pub fn cluster_shares(&self) -> &[ClusterShare] {
        &self.shares
    }

    /// Arrivals of walkers at the coldest rung that came from the hottest.
    pub fn journeys(&self) -> u64 {
        self.journeys
    }

    pub(crate) fn learnt(&self) -> Learnt {
        Learnt {
            inner: self.inner.sweeps(),
            sweeps: self.sweeps,
            journeys: self.journeys,
            swaps: self.swaps.clone(),
            shares: self.shares.clone(),
            walkers: self.walkers.clone(),
            ends: self.ends.clone(),
        }
    }

    /// Goes on with what another one of the same kind had learnt: as many swaps, shares, walkers and ends.
    pub(crate) fn learn(&mut self, learnt: Learnt) {
        self.inner.stand_at(learnt.inner);
        (self.sweeps, self.journeys) = (learnt.sweeps, learnt.journeys);
        (self.swaps, self.shares) = (learnt.swaps, learnt.shares);
        (self.walkers, self.ends) = (learnt.walkers, learnt.ends);
    }

    fn note_ends(&mut self) {
        let last = self.walkers.len() - self.copies;
        for copy in 0..self.copies {
            self.ends[self.walkers[copy] as usize] = End::Hot;
            let end = &mut self.ends[self.walkers[last + copy] as usize];
            self.journeys += u64::from(*end == End::Hot);
            *end = End::Cold;
        }
    }

    /// Flips one cluster in both replicas of a rung. Returns what that cost.
    fn exchange(
        &mut self,
        rows: &CouplingRows<T>,
        rung: usize,
        beta: Beta,
        replicas: &mut [CachedSpins<T>],
        stream: &mut Stream,
    ) -> Activity {
        let n = rows.n();
        let mut counted = Activity { random_bits: 64, read_outs: 2 * n as u64, ..Activity::default() };
        let (a, b) = replicas.split_at_mut(1);
        let (a, b) = (&mut a[0], &mut b[0]);
        let unequal = a.signs().iter().zip(b.signs()).filter(|(a, b)| a != b).count();
        // Without a field both signs of the overlap are equivalent: the rarer one makes the smaller clusters.
        let swapped = 2 * unequal > n && rows.fields.iter().all(|&h| h == T::of(0.0));
        let candidates = if swapped { n - unequal } else { unequal };
        if candidates == 0 {
            return counted;
        }
        let graph = &self.graphs[stream.below(self.graphs.len() as u64) as usize];
        {
            let belongs = |site: usize| (a.signs()[site] == b.signs()[site]) == swapped;
            let chosen = stream.below(candidates as u64) as usize;
            let seed =
                (0..n).filter(|&site| belongs(site)).nth(chosen).expect("there are so many candidates");
            self.cluster.clear();
            self.cluster.push(seed as u32);
            self.in_cluster[seed] = true;
            let mut looked = 0;
            while looked < self.cluster.len() {
                let site = self.cluster[looked] as usize;
                looked += 1;
                for &j in graph.of(site) {
                    if !self.in_cluster[j as usize] && belongs(j as usize) {
                        self.in_cluster[j as usize] = true;
                        self.cluster.push(j);
                    }
                }
            }
        }
        self.cluster.iter().for_each(|&site| self.in_cluster[site as usize] = false);
        let size = self.cluster.len();
        let share = &mut self.shares[rung];
        share.clusters += 1;
        share.share += size as f64 / candidates as f64;
        if size as f64 > MOST_OF_ALL * candidates as f64 {
            return counted;
        }
        let before = a.energy() + b.energy();
        let mut turn = || {
            for site in self.cluster.iter().map(|&site| site as usize) {
                a.turn(rows, site);
                b.turn(rows, site);
                counted.coupler_reads += 2 * rows.row_length(site);
            }
            a.energy() + b.energy()
        };
        let after = turn();
        counted.attempts += 2 * size as u64;
        if self.partial {
            counted.random_bits += 64;
            if stream.uniform() >= libm::exp(-beta.value() * (after - before)) {
                turn();
                return counted;
            }
        }
        counted.flips += 2 * size as u64;
        self.shares[rung].turned += 1;
        counted
    }

    /// Swap attempts of every second interval. Returns how many.
    fn swap(&mut self, replicas: &mut [CachedSpins<T>], coldest: Beta, stream: &mut Stream) -> u64 {
        let mut attempts = 0;
        let stretch = coldest.value() / self.grid.coldest().value();
        for rung in ((self.sweeps & 1) as usize..self.swaps.len()).step_by(2) {
            let step = (self.grid.betas()[rung].value() - self.grid.betas()[rung + 1].value()) * stretch;
            for copy in 0..self.copies {
                let (hot, cold) = (rung * self.copies + copy, (rung + 1) * self.copies + copy);
                let energies = (replicas[hot].energy(), replicas[cold].energy());
                let probability = Self::swap_probability(step, energies);
                let accepted = stream.uniform() < probability;
                if accepted {
                    replicas.swap(hot, cold);
                    self.walkers.swap(hot, cold);
                }
                self.swaps[rung].count(probability, accepted);
                attempts += 1;
            }
        }
        self.sweeps += 1;
        self.note_ends();
        attempts
    }
}

impl<T: Real> Update for TemperedFields<T> {
    type Model = CouplingRows<T>;
    type State = Vec<CachedSpins<T>>;

    /// A sweep of every replica, clusters where they are wanted, then swap attempts of every second interval.
    ///
    /// # Panics
    /// If there are other than [`TemperedFields::replicas`] replicas, or fewer streams than [`Update::blocks`].
    fn sweep(
        &mut self,
        rows: &CouplingRows<T>,
        replicas: &mut Vec<CachedSpins<T>>,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        let places = self.replicas();
        assert_eq!(replicas.len(), places, "the ladder has {places} replicas");
        let mut counted = self.inner.sweep(rows, replicas, beta, streams);
        let stream = &mut streams.blocks()[places];
        for rung in 0..self.grid.rungs() {
            if self.clustered[rung] {
                let stretch = beta.value() / self.grid.coldest().value();
                let own = Beta::new(self.grid.betas()[rung].value() * stretch);
                let own = own.expect("a share of a finite β ≥ 0 is finite and ≥ 0");
                counted += self.exchange(rows, rung, own, &mut replicas[2 * rung..2 * rung + 2], stream);
            }
        }
        let attempts = self.swap(replicas, beta, stream);
        counted + Activity { random_bits: 64 * attempts, ..Activity::default() }
    }

    /// One for each replica, and one.
    fn blocks(&self) -> usize {
        self.replicas() + 1
    }
}
