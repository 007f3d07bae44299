//! Metropolis' rule: accept a flip with probability min(1, e^(−βΔE)).

use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::kernel::{Kernel, LocalSweep, Order};
use crate::spins::Spins;
use crate::stream::Streams;
use crate::update::Update;

/// Metropolis' single-spin update (Metropolis et al., doi:10.1063/1.1699114).
///
/// A sweep satisfies balance, πP = π, but not detailed balance, since it visits sites in a fixed order; each single attempt does.
///
/// **At β = 0 in checkerboard order it is not ergodic:** every attempt is accepted, so that two sweeps restore the configuration.
/// Near β = 0, and by default for ordered sweeps, use [`crate::update::HeatBath`].
///
/// ```
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, spins::Spins, topology::Topology};
/// use ceas_sim::{plan::Plan, run::Run, schedule::Schedule, stream::{Purpose, Streams}, update::Metropolis};
/// use std::ops::ControlFlow;
/// let model = Hamiltonian::ferromagnet(Topology::square(16).unwrap());
/// let update = Metropolis::new(&model).unwrap();
/// let streams = Streams::new(1, Purpose::Update, 0, update.blocks());
/// let cold = Schedule::Constant(Beta::new(0.6).unwrap());
/// let mut run = Run::new(&model, Spins::up(256), update, cold, streams);
/// run.drive(&Plan { thermalization: 0, sweeps: 10, every: 1 }, |_| ControlFlow::Continue(()));
/// assert!(run.state().magnetization() > 128);
/// assert_eq!(run.activity().attempts, 10 * 256);
/// ```
#[derive(Debug, Clone)]
pub struct Metropolis(LocalSweep);

impl Metropolis {
    /// p = min(1, e^(−βΔE)).
    pub fn flip_probability(beta: Beta, delta_e: f64) -> f64 {
        if delta_e <= 0.0 { 1.0 } else { libm::exp(-beta.value() * delta_e) }
    }

    /// The update for `model`: checkerboard order on square lattices, index order on every other graph.
    ///
    /// # Errors
    /// [`Error::NotBipartite`], naming L, on a square lattice of odd L; there use [`Metropolis::in_order`] with [`Order::Index`].
    pub fn new(model: &Hamiltonian) -> Result<Self, Error> {
        Ok(Self(LocalSweep::natural(Self::flip_probability, model)?))
    }

    /// The update for `model` in the order asked for.
    ///
    /// # Errors
    /// [`Error::NotBipartite`] for a checkerboard on a graph that has none.
    pub fn in_order(model: &Hamiltonian, order: Order) -> Result<Self, Error> {
        Ok(Self(LocalSweep::new(Self::flip_probability, model, order)?))
    }

    /// The same update through the naive kernel: the same bytes, slower.
    #[must_use]
    pub fn with_generic_kernel(mut self) -> Self {
        self.0.use_generic();
        self
    }

    /// The inner loop in use.
    pub fn kernel(&self) -> Kernel {
        self.0.kernel()
    }

    /// The order in which a sweep visits the sites.
    pub fn order(&self) -> Order {
        self.0.order()
    }

    /// Number of blocks that draw from streams of their own, for [`Streams::new`]; it depends on the lattice alone.
    pub fn blocks(&self) -> usize {
        self.0.blocks()
    }
}

impl Update for Metropolis {
    type Model = Hamiltonian;
    type State = Spins;

    /// N attempts, each of 32 random bits; coupler reads are one per site and bond of it.
    ///
    /// # Panics
    /// If the update was made for another number of sites, or there are fewer streams than [`Metropolis::blocks`].
    fn sweep(
        &mut self,
        model: &Hamiltonian,
        spins: &mut Spins,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        self.0.sweep(model, spins, beta, streams)
    }
    fn blocks(&self) -> usize {
        self.0.blocks()
    }
}
