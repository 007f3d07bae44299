//! Metropolis' rule: accept a flip with probability min(1, e^(−βΔE)).

use super::single_spin::{FlipRule, SingleSpin};
use crate::beta::Beta;

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
pub type Metropolis = SingleSpin<MetropolisRule>;

/// p = min(1, e^(−βΔE)).
#[derive(Debug, Clone, Copy)]
pub struct MetropolisRule;

impl FlipRule for MetropolisRule {
    fn flip_probability(beta: Beta, delta_e: f64) -> f64 {
        if delta_e <= 0.0 { 1.0 } else { libm::exp(-beta.value() * delta_e) }
    }
}
