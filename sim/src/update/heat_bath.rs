//! The heat bath: draw a spin anew from its law given its neighbours.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::kernel::{Kernel, LocalSweep, Order};
use crate::spins::Spins;
use crate::stream::Streams;
use crate::update::Update;

/// The heat bath (Glauber) single-spin update: p(flip) = 1/(1 + e^(βΔE)) (Glauber, doi:10.1063/1.1703954).
///
/// The new spin does not depend on the old one, so that it is ergodic at every β and in every order, also where
/// [`crate::update::Metropolis`] is not: the default for sweeps in a fixed order. A sweep satisfies balance, not detailed balance.
///
/// ```
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, topology::Topology, update::HeatBath};
/// assert_eq!(HeatBath::flip_probability(Beta::new(0.0).unwrap(), 8.0), 0.5);
/// let odd = Hamiltonian::ferromagnet(Topology::square(5).unwrap());
/// assert!(HeatBath::new(&odd).unwrap_err().to_string().contains("size 5"));
/// ```
#[derive(Debug, Clone)]
pub struct HeatBath(LocalSweep);

impl HeatBath {
    /// p = 1/(1 + e^(βΔE)).
    pub fn flip_probability(beta: Beta, delta_e: f64) -> f64 {
        1.0 / (1.0 + libm::exp(beta.value() * delta_e))
    }

    /// The update for `model`: checkerboard order on square lattices, index order on every other graph.
    ///
    /// # Errors
    /// [`Error::NotBipartite`], naming L, on a square lattice of odd L; there use [`HeatBath::in_order`] with [`Order::Index`].
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

impl Update for HeatBath {
    type Model = Hamiltonian;
    type State = Spins;

    /// N attempts, each of 32 random bits; coupler reads are one per site and bond of it.
    ///
    /// # Panics
    /// If the update was made for another number of sites, or there are fewer streams than [`HeatBath::blocks`].
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
