//! The heat bath: draw a spin anew from its law given its neighbours.

use super::single_spin::{FlipRule, SingleSpin};
use crate::beta::Beta;

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
pub type HeatBath = SingleSpin<HeatBathRule>;

/// p = 1/(1 + e^(βΔE)).
#[derive(Debug, Clone, Copy)]
pub struct HeatBathRule;

impl FlipRule for HeatBathRule {
    fn flip_probability(beta: Beta, delta_e: f64) -> f64 {
        1.0 / (1.0 + libm::exp(beta.value() * delta_e))
    }
}
