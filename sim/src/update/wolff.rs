//! Wolff's cluster update: grow a cluster of satisfied bonds from a random site and flip it.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::{Couplings, Hamiltonian};
use crate::kernel::threshold;
use crate::spins::Spins;
use crate::stream::{Stream, Streams};
use crate::update::Update;

/// Wolff's cluster update in zero field (Wolff, doi:10.1103/PhysRevLett.62.361).
///
/// From a site chosen uniformly, a bond (i, j) with J s_i s_j > 0 is followed with probability 1 − e^(−2βJ s_i s_j); the sites reached
/// flip together. Right for couplings of any sign; frustration makes it slow, not wrong. A *sweep* is a fixed number of clusters:
/// stopping once N sites have flipped would make the number depend on the configuration and bias what is measured.
/// [`WolffCalibration`] chooses that number during thermalization.
///
/// What is counted: *attempts* are the sites tested, that is every seed and every draw for adding a site; *flips* the sites of
/// clusters; *coupler reads* one per cluster site and bond of it; *random bits* 64 per seed and 32 per draw.
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
}

impl Wolff {
    /// `clusters_per_sweep` clusters a sweep.
    ///
    /// # Errors
    /// [`Error::ClusterInField`] if h ≠ 0 anywhere, [`Error::NoCluster`] if `clusters_per_sweep` is 0.
    pub fn new(model: &Hamiltonian, clusters_per_sweep: u64) -> Result<Self, Error> {
        if clusters_per_sweep == 0 {
            return Err(Error::NoCluster);
        }
        Ok(Self { grower: Grower::new(model)?, clusters_per_sweep })
    }

    /// p = 1 − e^(−2βJ s_i s_j) for a satisfied bond, 0 for the others; `satisfaction` is J s_i s_j.
    pub fn bond_probability(beta: Beta, satisfaction: f64) -> f64 {
        if satisfaction <= 0.0 { 0.0 } else { -libm::expm1(-2.0 * beta.value() * satisfaction) }
    }

    /// Clusters per sweep.
    pub fn clusters_per_sweep(&self) -> u64 {
        self.clusters_per_sweep
    }

    /// Number of streams it draws from, for [`Streams::new`]: one.
    pub fn blocks(&self) -> usize {
        1
    }

    /// The same update keeping a list of the sites of the cluster even where it is not needed: the same bytes, slower.
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
        self.grower.check(model, spins);
        let stream = streams.first();
        (0..self.clusters_per_sweep).map(|_| self.grower.flip_one(model, spins, beta, stream)).sum()
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
    /// [`Error::ClusterInField`] if h ≠ 0 anywhere.
    pub fn new(model: &Hamiltonian) -> Result<Self, Error> {
        Ok(Self { grower: Grower::new(model)?, sweeps: 0, recent: [(0, 0); 2] })
    }

    /// Mean number of sites ⟨|C|⟩ of the clusters of at least the latter half of the sweeps made; N before any sweep.
    ///
    /// The beginning is forgotten, because from a hot start it consists of very many small clusters.
    pub fn mean_cluster(&self) -> f64 {
        let [now, before] = self.recent;
        let (clusters, flips) = (now.0 + before.0, now.1 + before.1);
        if clusters == 0 { self.grower.n_sites as f64 } else { flips as f64 / clusters as f64 }
    }

    /// The update to measure with: ⌈N/⟨|C|⟩⌉ clusters per sweep, for good.
    pub fn freeze(&self) -> Wolff {
        let clusters = libm::ceil(self.grower.n_sites as f64 / self.mean_cluster());
        Wolff { grower: self.grower.clone(), clusters_per_sweep: (clusters as u64).max(1) }
    }
}

impl Update for WolffCalibration {
    type Model = Hamiltonian;
    type State = Spins;

    /// Clusters until N sites have flipped.
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
        self.grower.check(model, spins);
        let mut total = Activity::default();
        let mut clusters = 0;
        while total.flips < self.grower.n_sites as u64 {
            total += self.grower.flip_one(model, spins, beta, streams.first());
            clusters += 1;
        }
        if self.sweeps.is_power_of_two() {
            self.recent = [(0, 0), self.recent[0]];
        }
        self.sweeps += 1;
        self.recent[0].0 += clusters;
        self.recent[0].1 += total.flips;
        total
    }
}

/// Grows and flips one cluster, with space to work in.
#[derive(Debug, Clone)]
struct Grower {
    n_sites: usize,
    /// Sites of the cluster whose bonds have not been looked at.
    open: Vec<usize>,
    /// Where a flipped site could look like one that still belongs to be tested: the number of the last cluster it was in.
    marks: Option<Vec<u32>>,
    cluster: u32,
}

impl Grower {
    fn new(model: &Hamiltonian) -> Result<Self, Error> {
        if !model.is_field_free() {
            return Err(Error::ClusterInField);
        }
        let mut grower = Self { n_sites: model.n_sites(), open: Vec::new(), marks: None, cluster: 0 };
        // In a uniform ferromagnet all spins of a cluster are equal, so that a flipped one is unsatisfied: nothing to mark.
        if !matches!(model.couplings(), Couplings::Uniform(j) if *j >= 0.0) {
            model.topology().check_memory(4)?;
            grower.mark();
        }
        Ok(grower)
    }

    fn mark(&mut self) {
        self.marks = Some(vec![0; self.n_sites]);
    }

    fn check(&self, model: &Hamiltonian, spins: &Spins) {
        let n = self.n_sites;
        assert!(
            model.n_sites() == n && spins.len() == n,
            "the update was made for {n} sites; the Hamiltonian has {}, the configuration {}",
            model.n_sites(),
            spins.len()
        );
    }

    fn flip_one(
        &mut self,
        model: &Hamiltonian,
        spins: &mut Spins,
        beta: Beta,
        stream: &mut Stream,
    ) -> Activity {
        if let Some(marks) = &mut self.marks {
            self.cluster = self.cluster.wrapping_add(1);
            if self.cluster == 0 {
                marks.fill(0);
                self.cluster = 1;
            }
        }
        let uniform = match model.couplings() {
            Couplings::Uniform(j) => Some(threshold(Wolff::bond_probability(beta, j.abs()))),
            Couplings::PerBond(_) => None,
        };
        let seed = stream.below(self.n_sites as u64) as usize;
        let (mut flips, mut draws, mut reads) = (0u64, 0u64, 0u64);
        self.take(spins, seed);
        while let Some(site) = self.open.pop() {
            flips += 1;
            // The site has flipped already: what it was like when its cluster grew is the opposite.
            let s = -spins.get(site);
            for (neighbor, bond) in model.topology().links(site) {
                reads += 1;
                if self.marks.as_ref().is_some_and(|marks| marks[neighbor] == self.cluster) {
                    continue;
                }
                let satisfaction = model.coupling_at(bond) * f64::from(s * spins.get(neighbor));
                if satisfaction <= 0.0 {
                    continue;
                }
                draws += 1;
                let limit = uniform.unwrap_or_else(|| threshold(Wolff::bond_probability(beta, satisfaction)));
                if u64::from(stream.next_u32()) < limit {
                    self.take(spins, neighbor);
                }
            }
        }
        Activity {
            attempts: 1 + draws,
            flips,
            coupler_reads: reads,
            random_bits: 64 + 32 * draws,
            ..Activity::default()
        }
    }

    fn take(&mut self, spins: &mut Spins, site: usize) {
        spins.flip(site);
        if let Some(marks) = &mut self.marks {
            marks[site] = self.cluster;
        }
        self.open.push(site);
    }
}
