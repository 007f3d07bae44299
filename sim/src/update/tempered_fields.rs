//! Parallel tempering, with or without cluster moves, on cached fields.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::couplings::{CouplingRows, Layout, Real};
use crate::error::Error;
use crate::stream::{Stream, Streams};
use crate::update::{BetaGrid, CachedField, CachedSpins, End, SwapRate, Update};

/// How much of the sites on which two replicas differ one cluster holds.
///
/// Where it is near 1 the clusters percolate: the move exchanges the two replicas as wholes and changes nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ClusterShare {
    /// Clusters so far.
    pub clusters: u64,
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
/// (doi:10.1007/s100510170151; on general sparse graphs Zhu, Ochoa, Katzgraber, doi:10.1103/PhysRevLett.115.077201); then swap attempts of
/// every second interval, for each copy by itself. Energies are known already, so that a swap reads nothing.
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
    in_cluster: Vec<bool>,
    cluster: Vec<u32>,
}

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

    /// Two replicas on each rung, which exchange clusters on every rung: see [`TemperedFields::clustered_on`].
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
            clustered: vec![copies == 2; rungs],
            swaps: vec![SwapRate::default(); rungs - 1],
            shares: vec![ClusterShare::default(); rungs],
            walkers: (0..places as u32).collect(),
            ends: vec![End::None; places],
            sweeps: 0,
            journeys: 0,
            in_cluster: vec![false; if copies == 2 { rows.n() } else { 0 }],
            cluster: Vec::new(),
        };
        update.note_ends();
        Ok(update)
    }

    /// Clusters on the rungs marked, and no others. A choice made before the run and kept to leaves the law as it is.
    ///
    /// # Panics
    /// If there is not one mark per rung, or one is set where rungs hold one replica.
    #[must_use]
    pub fn clustered_on(mut self, rungs: Vec<bool>) -> Self {
        assert_eq!(rungs.len(), self.grid.rungs(), "one mark per rung");
        assert!(self.copies == 2 || !rungs.contains(&true), "clusters are exchanged by pairs");
        self.clustered = rungs;
        self
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
        replicas: &mut [CachedSpins<T>],
        stream: &mut Stream,
    ) -> Activity {
        let n = rows.n();
        let mut counted = Activity { random_bits: 64, read_outs: 2 * n as u64, ..Activity::default() };
        let (a, b) = replicas.split_at_mut(1);
        let (a, b) = (&mut a[0], &mut b[0]);
        let unequal = a.signs().iter().zip(b.signs()).filter(|(a, b)| a != b).count();
        // Without a field both signs of the overlap are equivalent: the rarer one makes the smaller clusters.
        let zero = T::of(0.0);
        let swapped = 2 * unequal > n && rows.fields.iter().all(|&h| h == zero);
        let candidates = if swapped { n - unequal } else { unequal };
        if candidates == 0 {
            return counted;
        }
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
                let (in_cluster, cluster) = (&mut self.in_cluster, &mut self.cluster);
                let mut see = |j: usize, twice: T| {
                    if twice != zero && !in_cluster[j] && belongs(j) {
                        in_cluster[j] = true;
                        cluster.push(j as u32);
                    }
                };
                match &rows.layout {
                    Layout::Sparse { starts, entries } => {
                        let row = &entries[starts[site]..starts[site + 1]];
                        row.iter().for_each(|&(j, twice)| see(j as usize, twice));
                    }
                    Layout::Dense(matrix) => {
                        let row = &matrix.values()[site * matrix.row_stride()..][..n];
                        row.iter().enumerate().for_each(|(j, &twice)| see(j, twice));
                    }
                }
            }
        }
        for &site in &self.cluster {
            let site = site as usize;
            self.in_cluster[site] = false;
            a.turn(rows, site);
            b.turn(rows, site);
            counted.coupler_reads += 2 * rows.row_length(site);
        }
        let size = self.cluster.len();
        let share = &mut self.shares[rung];
        share.clusters += 1;
        share.share += size as f64 / candidates as f64;
        counted.attempts += 2 * size as u64;
        counted.flips += 2 * size as u64;
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
                let exponent = step * (replicas[hot].energy() - replicas[cold].energy());
                let probability = if exponent >= 0.0 { 1.0 } else { libm::exp(exponent) };
                let accepted = stream.uniform() < probability;
                if accepted {
                    replicas.swap(hot, cold);
                    self.walkers.swap(hot, cold);
                }
                let rate = &mut self.swaps[rung];
                rate.attempts += 1;
                rate.accepted += u64::from(accepted);
                rate.rejection += 1.0 - probability;
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
                counted += self.exchange(rows, rung, &mut replicas[2 * rung..2 * rung + 2], stream);
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
