//! Single-spin updates of 512 replicas at a time.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::kernel::multispin::dense::DenseSweep;
use crate::kernel::multispin::digits::DIGITS;
use crate::kernel::multispin::sites::Decision;
use crate::kernel::multispin::sparse::{self, SparseSweep};
use crate::kernel::multispin::{Level, REPLICAS, ReplicaModel, ReplicaSpins};
use crate::stream::Streams;
use crate::update::Update;

/// 512 replicas of one Hamiltonian with integer couplings, each at an inverse temperature of its own, with independent random
/// numbers: replica r runs at β · ratio_r, all ratios 1 unless given.
///
/// Where sites have at most 16 bonds (a coupling of k units counts as k) they are visited colour by colour, else in index order.
/// The law is that of [`crate::update::Metropolis`] or [`crate::update::HeatBath`], probabilities to within 2⁻⁶⁴. **A Metropolis
/// replica at β = 0 flips every spin at every attempt**; the heat bath does not.
///
/// ```
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, kernel::multispin::ReplicaSpins, topology::Topology};
/// use ceas_sim::{plan::Plan, run::Run, schedule::Schedule, stream::{Purpose, Streams}, update::Replicas};
/// use std::ops::ControlFlow;
/// let model = Hamiltonian::ferromagnet(Topology::square(8).unwrap());
/// let ladder = (0..512).map(|r| f64::from(r) / 511.0).collect();
/// let update = Replicas::heat_bath(&model).unwrap().with_ratios(ladder).unwrap();
/// let streams = Streams::new(1, Purpose::Update, 0, update.blocks());
/// let one = Schedule::Constant(Beta::new(1.0).unwrap());
/// let mut run = Run::new(&model, ReplicaSpins::up(64).unwrap(), update, one, streams);
/// run.drive(&Plan { thermalization: 0, sweeps: 30, every: 1 }, |_| ControlFlow::Continue(()));
/// let energies = run.update().energies(run.state());
/// assert!(energies[0] > -60.0 && energies[511] < -100.0);
/// ```
#[derive(Debug, Clone)]
pub struct Replicas {
    model: ReplicaModel,
    decision: Decision,
    level: Level,
    ratios: Vec<f64>,
    sweep: Sweep,
}

#[derive(Debug, Clone)]
enum Sweep {
    Sparse(Box<SparseSweep>),
    Dense(Box<DenseSweep>),
}

impl Replicas {
    /// min(1, e^(−βΔE)).
    ///
    /// # Errors
    /// As [`ReplicaModel::new`]; [`Error::InstructionSet`] if `CEAS_SIMD` asks for what cannot be had.
    pub fn metropolis(model: &Hamiltonian) -> Result<Self, Error> {
        Self::new(model, Decision::Metropolis, Level::choose()?)
    }

    /// 1/(1 + e^(βΔE)).
    ///
    /// # Errors
    /// As [`ReplicaModel::new`]; [`Error::Kernel`] if a site has more than 16 bonds; [`Error::InstructionSet`] if `CEAS_SIMD` asks
    /// for what cannot be had.
    pub fn heat_bath(model: &Hamiltonian) -> Result<Self, Error> {
        Self::new(model, Decision::HeatBath, Level::choose()?)
    }

    /// Either, with instructions of one's choice.
    ///
    /// # Errors
    /// As the others.
    pub fn new(model: &Hamiltonian, decision: Decision, level: Level) -> Result<Self, Error> {
        let model = ReplicaModel::new(model)?;
        let refuse = |violated| Error::Kernel { kernel: "multi-spin over replicas", violated };
        let sweep =
            match (sparse::Plan::new(&model), decision) {
                (Some(plan), _) => Sweep::Sparse(Box::new(SparseSweep::new(plan, level))),
                (None, Decision::Metropolis) => {
                    let sweep = DenseSweep::new(&model, level);
                    Sweep::Dense(Box::new(sweep.ok_or_else(|| {
                        refuse("a site has at most 32767 bonds, each unit of a coupling one")
                    })?))
                }
                (None, Decision::HeatBath) => {
                    return Err(refuse("the heat bath takes at most 16 bonds a site, so use Metropolis"));
                }
            };
        Ok(Self { model, decision, level, ratios: vec![1.0; REPLICAS], sweep })
    }

    /// Replica r at β · `ratios[r]`.
    ///
    /// # Errors
    /// [`Error::Count`] if there are other than 512, [`Error::Beta`] naming the first that is negative or not finite.
    pub fn with_ratios(mut self, ratios: Vec<f64>) -> Result<Self, Error> {
        self.ratios = checked_ratios(ratios)?;
        Ok(self)
    }

    /// β of each replica over that of the sweep.
    pub fn ratios(&self) -> &[f64] {
        &self.ratios
    }

    /// How a flip is decided.
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// The instructions in use.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The integers that the kernel works with.
    pub fn model(&self) -> &ReplicaModel {
        &self.model
    }

    /// The order of a sweep, where sites have few bonds.
    pub fn plan(&self) -> Option<&sparse::Plan> {
        match &self.sweep {
            Sweep::Sparse(sweep) => Some(sweep.plan()),
            Sweep::Dense(_) => None,
        }
    }

    /// Number of blocks that draw from streams of their own, for [`Streams::new`]; it depends on the graph alone.
    pub fn blocks(&self) -> usize {
        self.plan().map_or(1, sparse::Plan::blocks)
    }

    /// β of every replica where the update is asked for `beta`.
    ///
    /// # Errors
    /// [`Error::Beta`] if a product is infinite.
    pub fn betas(&self, beta: Beta) -> Result<Vec<Beta>, Error> {
        self.ratios.iter().map(|ratio| Beta::new(ratio * beta.value())).collect()
    }

    /// H(s) of every replica, total over the sites.
    ///
    /// # Panics
    /// If `spins` have another number of sites.
    pub fn energies(&self, spins: &ReplicaSpins) -> Vec<f64> {
        self.model.energies(spins)
    }
}

/// 512 numbers that a β may be multiplied with.
pub(super) fn checked_ratios(ratios: Vec<f64>) -> Result<Vec<f64>, Error> {
    if ratios.len() != REPLICAS {
        return Err(Error::Count {
            what: "ratios of β",
            per: "replica",
            expected: REPLICAS,
            got: ratios.len(),
        });
    }
    ratios.iter().try_for_each(|&ratio| Beta::new(ratio).map(|_| ()))?;
    Ok(ratios)
}

impl Update for Replicas {
    type Model = Hamiltonian;
    type State = ReplicaSpins;

    /// 512 N attempts, each of 64 random bits compared with 64 digits; coupler reads are one per replica, site and bond of it.
    ///
    /// # Panics
    /// If the update or `spins` were made for another number of sites, there are fewer streams than [`Replicas::blocks`], or β times
    /// a ratio is infinite.
    fn sweep(
        &mut self,
        model: &Hamiltonian,
        spins: &mut ReplicaSpins,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        assert_eq!(model.n_sites(), self.model.n_sites(), "the update was made for another Hamiltonian");
        let betas = self.betas(beta).expect("β times a ratio is finite");
        let flips = match &mut self.sweep {
            Sweep::Sparse(sweep) => {
                sweep.advance(&self.model, self.decision, spins, &betas, streams.blocks())
            }
            Sweep::Dense(sweep) => sweep.advance(&self.model, spins, &betas, streams.first()),
        };
        let attempts = (REPLICAS * model.n_sites()) as u64;
        Activity {
            attempts,
            flips,
            coupler_reads: 2 * (REPLICAS * model.topology().n_bonds()) as u64,
            random_bits: DIGITS as u64 * attempts,
            ..Activity::default()
        }
    }

    fn blocks(&self) -> usize {
        Replicas::blocks(self)
    }
}
