//! Single-spin updates of 512 sites at a time.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::kernel::multispin::digits::DIGITS;
use crate::kernel::multispin::sites::{Decision, SiteModel, SiteSweep};
use crate::kernel::multispin::{Grid, Level, PackedSpins};
use crate::stream::Streams;
use crate::update::Update;

/// Metropolis or heat bath on a lattice whose sites fill the lanes of a vector: the law of [`crate::update::Metropolis`] or
/// [`crate::update::HeatBath`] with acceptance probabilities to within 2⁻⁶⁴, independent random numbers per spin, colour by
/// colour, some hundred times as fast. Its draws differ from theirs, so that runs agree in law, not spin by spin.
///
/// Metropolis visits all sites of one colour at once; **at β = 0 it accepts every attempt, so that two sweeps restore the
/// configuration**: near β = 0 use the heat bath.
///
/// ```
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, kernel::multispin::PackedSpins, topology::Topology};
/// use ceas_sim::{plan::Plan, run::Run, schedule::Schedule, stream::{Purpose, Streams}, update::MultiSpin};
/// use std::ops::ControlFlow;
/// let model = Hamiltonian::ferromagnet(Topology::square(128).unwrap());
/// let update = MultiSpin::metropolis(&model).unwrap();
/// let streams = Streams::new(1, Purpose::Update, 0, update.blocks());
/// let start = PackedSpins::up(*update.grid()).unwrap();
/// let cold = Schedule::Constant(Beta::new(0.6).unwrap());
/// let mut run = Run::new(&model, start, update, cold, streams);
/// run.drive(&Plan { thermalization: 0, sweeps: 20, every: 1 }, |_| ControlFlow::Continue(()));
/// assert_eq!(run.update().energy(run.state()), model.energy(&run.state().to_spins()));
/// assert!(run.state().magnetization() > 15_000);
/// ```
#[derive(Debug, Clone)]
pub struct MultiSpin {
    model: SiteModel,
    decision: Decision,
    sweep: SiteSweep,
}

impl MultiSpin {
    /// min(1, e^(−βΔE)) on the lattice of `model`.
    ///
    /// # Errors
    /// As [`SiteModel::new`]; [`Error::InstructionSet`] if `CEAS_SIMD` asks for what cannot be had.
    pub fn metropolis(model: &Hamiltonian) -> Result<Self, Error> {
        Ok(Self::new(SiteModel::new(model)?, Decision::Metropolis, Level::choose()?))
    }

    /// 1/(1 + e^(βΔE)) on the lattice of `model`.
    ///
    /// # Errors
    /// As [`SiteModel::new`]; [`Error::InstructionSet`] if `CEAS_SIMD` asks for what cannot be had.
    pub fn heat_bath(model: &Hamiltonian) -> Result<Self, Error> {
        Ok(Self::new(SiteModel::new(model)?, Decision::HeatBath, Level::choose()?))
    }

    /// Either, on a lattice known to the kernel, with instructions of one's choice.
    pub fn new(model: SiteModel, decision: Decision, level: Level) -> Self {
        Self { model, decision, sweep: SiteSweep::new(level) }
    }

    /// The same update with the instructions of `level`: the same bytes.
    #[must_use]
    pub fn at_level(self, level: Level) -> Self {
        Self::new(self.model, self.decision, level)
    }

    /// How a flip is decided.
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// The instructions in use.
    pub fn level(&self) -> Level {
        self.sweep.level()
    }

    /// How the spins are laid out: what a [`PackedSpins`] is made with.
    pub fn grid(&self) -> &Grid {
        self.model.grid()
    }

    /// Number of blocks that draw from streams of their own, for [`Streams::new`]; it depends on the lattice alone.
    pub fn blocks(&self) -> usize {
        self.grid().blocks()
    }

    /// H(s), total over the sites, by counting bits.
    ///
    /// # Panics
    /// If `spins` were made for another lattice.
    pub fn energy(&self, spins: &PackedSpins) -> f64 {
        self.model.energy(spins, self.level())
    }
}

impl Update for MultiSpin {
    type Model = Hamiltonian;
    type State = PackedSpins;

    /// N attempts, each of 64 random bits compared with 64 digits; coupler reads are one per site and bond of it.
    ///
    /// # Panics
    /// If the update or `spins` were made for another lattice, or there are fewer streams than [`MultiSpin::blocks`].
    fn sweep(
        &mut self,
        model: &Hamiltonian,
        spins: &mut PackedSpins,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        let attempts = self.grid().n_sites() as u64;
        assert_eq!(model.n_sites() as u64, attempts, "the update was made for another Hamiltonian");
        let flips = self.sweep.advance(&self.model, self.decision, spins, beta, streams.blocks());
        Activity {
            attempts,
            flips,
            coupler_reads: attempts * self.grid().lattice().degree() as u64,
            random_bits: DIGITS as u64 * attempts,
            ..Activity::default()
        }
    }

    fn blocks(&self) -> usize {
        MultiSpin::blocks(self)
    }
}
