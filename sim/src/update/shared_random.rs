//! Single-spin updates of 512 replicas that share their random numbers.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::kernel::multispin::shared::SharedSweep;
use crate::kernel::multispin::sparse::Plan;
use crate::kernel::multispin::{Level, REPLICAS, ReplicaModel, ReplicaSpins};
use crate::spins::Spins;
use crate::stream::Streams;
use crate::update::Update;

/// 512 configurations that were moved by the same random numbers.
///
/// They can be looked at one by one. Nothing that needs more than one of them at a time is offered, because it would be wrong: there is
/// no overlap, no mean over replicas with an error, and [`crate::update::Tempering`] and [`crate::update::Houdayer`] do not take them.
///
/// ```compile_fail
/// # use ceas_sim::{kernel::multispin::ReplicaSpins, update::SharedSpins};
/// let spins = SharedSpins::new(ReplicaSpins::up(16).unwrap());
/// spins.overlap(0, 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedSpins(ReplicaSpins);

impl SharedSpins {
    /// From now on `spins` share what they draw.
    pub fn new(spins: ReplicaSpins) -> Self {
        Self(spins)
    }

    /// All of them, to be written down; nothing outside may compare them.
    pub(crate) fn inside(&self) -> &ReplicaSpins {
        &self.0
    }

    /// The configuration of replica `r`.
    ///
    /// # Panics
    /// If r ≥ 512.
    pub fn replica(&self, r: usize) -> Spins {
        self.0.replica(r)
    }

    /// H(s) of replica `r`, total over the sites.
    ///
    /// # Panics
    /// If r ≥ 512, or `model` has another number of sites.
    pub fn energy(&self, model: &Hamiltonian, r: usize) -> f64 {
        model.energy(&self.replica(r))
    }

    /// How many replicas are the same as replica 0 or its mirror image: 512 once all have coalesced.
    pub fn coalesced(&self) -> usize {
        let first = self.replica(0);
        let mirrored = |s: &Spins| s.as_slice().iter().zip(first.as_slice()).all(|(a, b)| a == &-b);
        (0..REPLICAS).map(|r| self.replica(r)).filter(|s| *s == first || mirrored(s)).count()
    }
}

/// Metropolis on 512 replicas with **one random number per site for all of them**: some times as fast as [`crate::update::Replicas`],
/// and of use where only single replicas are looked at, such as 512 different β or starts of which the best state is wanted.
///
/// Every replica by itself follows the law of [`crate::update::Metropolis`], probabilities to within 2⁻⁶⁴. Together they do not: at one
/// β they coalesce, so that averaging over them does not shrink an error, and overlaps and swaps between them are biased. What they
/// are kept in, [`SharedSpins`], therefore offers neither. Couplings and fields are small integer multiples of one number, and a site has at
/// most 16 bonds.
///
/// ```
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, kernel::multispin::ReplicaSpins, topology::Topology};
/// use ceas_sim::{stream::{Purpose, Stream, Streams}, update::{SharedRandom, SharedSpins, Update}};
/// let model = Hamiltonian::ferromagnet(Topology::square(4).unwrap());
/// let mut update = SharedRandom::new(&model).unwrap();
/// let start = ReplicaSpins::random(16, &mut Stream::new(1, Purpose::Initial, 0, 0)).unwrap();
/// let mut spins = SharedSpins::new(start);
/// let mut streams = Streams::new(1, Purpose::Update, 0, update.blocks());
/// for _ in 0..500 {
///     update.sweep(&model, &mut spins, Beta::new(0.4).unwrap(), &mut streams);
/// }
/// assert_eq!(spins.coalesced(), 512);
/// ```
#[derive(Debug, Clone)]
pub struct SharedRandom {
    model: ReplicaModel,
    ratios: Vec<f64>,
    sweep: SharedSweep,
}

impl SharedRandom {
    /// With the best instructions of this machine.
    ///
    /// # Errors
    /// As [`SharedRandom::at_level`]; [`Error::InstructionSet`] if `CEAS_SIMD` asks for what cannot be had.
    pub fn new(model: &Hamiltonian) -> Result<Self, Error> {
        Self::at_level(model, Level::choose()?)
    }

    /// With instructions of one's choice: the same bytes.
    ///
    /// # Errors
    /// As [`ReplicaModel::new`]; [`Error::Kernel`] if a site has more than 16 bonds.
    pub fn at_level(model: &Hamiltonian, level: Level) -> Result<Self, Error> {
        let model = ReplicaModel::new(model)?;
        let plan = Plan::new(&model).ok_or(Error::Kernel {
            kernel: "shared random numbers",
            violated: "it takes at most 16 bonds a site, each unit of a coupling one",
        })?;
        Ok(Self { model, ratios: vec![1.0; REPLICAS], sweep: SharedSweep::new(plan, level) })
    }

    /// Replica r at β · `ratios[r]`.
    ///
    /// # Errors
    /// [`Error::Count`] if there are other than 512, [`Error::Beta`] naming the first that is negative or not finite.
    pub fn with_ratios(mut self, ratios: Vec<f64>) -> Result<Self, Error> {
        self.ratios = super::replicas::checked_ratios(ratios)?;
        Ok(self)
    }

    /// β of each replica over that of the sweep.
    pub fn ratios(&self) -> &[f64] {
        &self.ratios
    }

    /// The order of a sweep.
    pub fn plan(&self) -> &Plan {
        self.sweep.plan()
    }

    /// One stream: all replicas draw the same.
    pub fn blocks(&self) -> usize {
        1
    }
}

impl Update for SharedRandom {
    type Model = Hamiltonian;
    type State = SharedSpins;

    /// 512 N attempts that draw 64 N random bits between them; coupler reads are one per replica, site and bond of it.
    ///
    /// # Panics
    /// If the update or `spins` were made for another number of sites, or β times a ratio is infinite.
    fn sweep(
        &mut self,
        model: &Hamiltonian,
        spins: &mut SharedSpins,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        assert_eq!(model.n_sites(), self.model.n_sites(), "the update was made for another Hamiltonian");
        let of = |ratio: &f64| Beta::new(ratio * beta.value()).expect("β times a ratio is finite");
        let betas: Vec<Beta> = self.ratios.iter().map(of).collect();
        let flips = self.sweep.advance(&self.model, spins.0.planes_mut(), &betas, streams.first());
        Activity {
            attempts: (REPLICAS * model.n_sites()) as u64,
            flips,
            coupler_reads: 2 * (REPLICAS * model.topology().n_bonds()) as u64,
            random_bits: 64 * model.n_sites() as u64,
            ..Activity::default()
        }
    }
}
