//! Wolff's cluster update: grow a cluster of satisfied bonds from a random site and flip it.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::spins::Spins;
use crate::stream::Streams;
use crate::update::Update;
use crate::update::grower::Grower;

/// Wolff's cluster update (doi:10.1103/PhysRevLett.62.361), in any field and for couplings of any sign.
///
/// From a site chosen uniformly, a bond (i, j) with J s_i s_j > 0 is followed with probability 1 − e^(−2βJ s_i s_j); the sites reached
/// flip together. A field h_i is a bond to a *ghost spin* that never flips, followed from site i with probability 1 − e^(−2βh_i s_i)
/// where h_i s_i > 0; a cluster that reaches the ghost is given up and stays as it is. Frustration and strong fields make the
/// update slow, not wrong: clusters then join sites that are not correlated, or are given up.
///
/// A *sweep* is a fixed number of clusters: stopping once N sites have flipped would make the number depend on the configuration and
/// bias what is measured. [`WolffCalibration`] chooses that number during thermalization.
///
/// A ferromagnet on the square lattice is a field of bits, of which a cluster is flooded 64 sites at a time.
///
/// What is counted: *attempts* are the sites tested, that is every seed, every satisfied bond from the cluster to a site outside it (on the
/// square lattice every one with an end in the cluster), and every satisfied field; *flips* the sites of clusters that flipped; *coupler reads* one per cluster site and bond of it;
/// *random bits* 64 per seed and 32 per other attempt.
///
/// ```
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, spins::Spins, topology::Topology};
/// use ceas_sim::{stream::{Purpose, Streams}, update::{Update, Wolff}};
/// let model = Hamiltonian::ferromagnet(Topology::square(8).unwrap());
/// let mut spins = Spins::up(64);
/// let mut wolff = Wolff::new(&model, 2).unwrap();
/// let streams = &mut Streams::new(1, Purpose::Update, 0, wolff.blocks());
/// // At very low temperature the cluster is the lattice: two flips restore it.
/// let counted = wolff.sweep(&model, &mut spins, Beta::new(50.0).unwrap(), streams);
/// assert_eq!((spins.magnetization(), counted.flips), (64, 128));
/// ```
#[derive(Debug, Clone)]
pub struct Wolff {
    grower: Grower,
    clusters_per_sweep: u64,
    magnetization_2: Option<f64>,
}

impl Wolff {
    /// `clusters_per_sweep` clusters a sweep.
    ///
    /// # Errors
    /// [`Error::NoCluster`] if `clusters_per_sweep` is 0, [`Error::Memory`] if the space to work in cannot be had, [`Error::Topology`]
    /// if the sites cannot be numbered in 32 bits.
    pub fn new(model: &Hamiltonian, clusters_per_sweep: u64) -> Result<Self, Error> {
        if clusters_per_sweep == 0 {
            return Err(Error::NoCluster);
        }
        Ok(Self { grower: Grower::new(model)?, clusters_per_sweep, magnetization_2: None })
    }

    /// p = 1 − e^(−2βJ s_i s_j) for a satisfied bond, 0 for the others: [`crate::update::bond_probability`].
    pub fn bond_probability(beta: Beta, satisfaction: f64) -> f64 {
        super::bond_probability(beta, satisfaction)
    }

    /// The improved estimator of ⟨m²⟩, m = M/N, in zero field: the mean of M_C²/(N|C|) over the clusters C of the last sweep, M_C = Σ_(i∈C) s_i.
    /// In a ferromagnet this is ⟨|C|⟩/N (U. Wolff, Nucl. Phys. B 322, 759 (1989), cited from memory). `None` in a field or before a sweep.
    pub fn magnetization_2(&self) -> Option<f64> {
        self.magnetization_2
    }

    pub(crate) fn restore(&mut self, magnetization_2: Option<f64>) {
        self.magnetization_2 = magnetization_2;
    }

    /// Clusters per sweep.
    pub fn clusters_per_sweep(&self) -> u64 {
        self.clusters_per_sweep
    }

    /// Number of streams it draws from, for [`Streams::new`]: one.
    pub fn blocks(&self) -> usize {
        1
    }

    /// The same update marking the sites of the cluster and walking the graph also where it need not: the same bytes, slower.
    #[must_use]
    pub fn with_marks(mut self) -> Self {
        self.grower.mark();
        self
    }
}

impl Update for Wolff {
    type Model = Hamiltonian;
    type State = Spins;

    /// `clusters_per_sweep` clusters.
    ///
    /// # Panics
    /// If the update was made for another number of sites.
    fn sweep(
        &mut self,
        model: &Hamiltonian,
        spins: &mut Spins,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        self.grower.begin(model, spins, beta, streams.first());
        let mut improved = 0.0;
        let one = |_| {
            let (counted, square) = self.grower.flip_one(model, spins, streams.first());
            improved += square;
            counted
        };
        let counted = (0..self.clusters_per_sweep).map(one).sum();
        self.grower.end(spins);
        let mean = improved / (self.clusters_per_sweep as f64 * model.n_sites() as f64);
        self.magnetization_2 = model.is_field_free().then_some(mean);
        counted
    }
}

/// Wolff's update during thermalization: flips clusters until N sites have flipped, and learns how many that takes.
///
/// Its sweeps depend on the configuration, so nothing measured along it may be used; it ends with [`WolffCalibration::freeze`].
///
/// ```
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, plan::Plan, run::Run, schedule::Schedule, spins::Spins};
/// use ceas_sim::{stream::{Purpose, Streams}, topology::Topology, update::WolffCalibration};
/// use std::ops::ControlFlow;
/// let model = Hamiltonian::ferromagnet(Topology::square(16).unwrap());
/// let beta = Schedule::Constant(Beta::new(0.3).unwrap());
/// let streams = Streams::new(1, Purpose::Thermalization, 0, 1);
/// let mut run = Run::new(&model, Spins::up(256), WolffCalibration::new(&model).unwrap(), beta, streams);
/// run.drive(&Plan { thermalization: 50, sweeps: 0, every: 1 }, |_| ControlFlow::Continue(()));
/// let wolff = run.update().freeze();
/// assert!(wolff.clusters_per_sweep() > 10);
/// ```
#[derive(Debug, Clone)]
pub struct WolffCalibration {
    grower: Grower,
    /// Sweeps made.
    sweeps: u64,
    /// Clusters and flips of the sweeps since their number was last a power of two, and of those since the power before.
    recent: [(u64, u64); 2],
}

impl WolffCalibration {
    /// A calibration that has seen nothing yet.
    ///
    /// # Errors
    /// [`Error::Memory`] if the space to work in cannot be had, [`Error::Topology`] if the sites cannot be numbered in 32 bits.
    pub fn new(model: &Hamiltonian) -> Result<Self, Error> {
        Ok(Self { grower: Grower::new(model)?, sweeps: 0, recent: [(0, 0); 2] })
    }

    /// Mean number of sites ⟨|C|⟩ that the clusters of at least the latter half of the sweeps flipped, at least 1; N before any sweep.
    ///
    /// The beginning is forgotten, because from a hot start it consists of very many small clusters.
    pub fn mean_cluster(&self) -> f64 {
        let [now, before] = self.recent;
        let (clusters, flips) = (now.0 + before.0, now.1 + before.1);
        if clusters == 0 { self.grower.n_sites as f64 } else { (flips as f64 / clusters as f64).max(1.0) }
    }

    pub(crate) fn memory(&self) -> [u64; 5] {
        let [now, before] = self.recent;
        [self.sweeps, now.0, now.1, before.0, before.1]
    }

    pub(crate) fn restore(&mut self, [sweeps, a, b, c, d]: [u64; 5]) {
        (self.sweeps, self.recent) = (sweeps, [(a, b), (c, d)]);
    }

    /// The update to measure with: ⌈N/⟨|C|⟩⌉ clusters per sweep, for good.
    pub fn freeze(&self) -> Wolff {
        let clusters = libm::ceil(self.grower.n_sites as f64 / self.mean_cluster());
        Wolff {
            grower: self.grower.clone(),
            clusters_per_sweep: (clusters as u64).max(1),
            magnetization_2: None,
        }
    }
}

impl Update for WolffCalibration {
    type Model = Hamiltonian;
    type State = Spins;

    /// Clusters until N sites have flipped, or N clusters.
    ///
    /// # Panics
    /// If the update was made for another number of sites.
    fn sweep(
        &mut self,
        model: &Hamiltonian,
        spins: &mut Spins,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        self.grower.begin(model, spins, beta, streams.first());
        let mut total = Activity::default();
        let mut clusters = 0;
        let n = self.grower.n_sites as u64;
        // In a field clusters may be given up for ever: as many as there are sites are enough.
        while total.flips < n && clusters < n {
            total += self.grower.flip_one(model, spins, streams.first()).0;
            clusters += 1;
        }
        self.grower.end(spins);
        if self.sweeps.is_power_of_two() {
            self.recent = [(0, 0), self.recent[0]];
        }
        self.sweeps += 1;
        self.recent[0].0 += clusters;
        self.recent[0].1 += total.flips;
        total
    }
}
