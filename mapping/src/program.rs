//! What a component of a transformer becomes on the substrate.

use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::schedule::Schedule;

/// How truthfully a translation keeps the law of what it translates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fidelity {
    /// An identity: the same numbers, no sampling.
    Exact,
    /// The exact law; only the number of samples limits the accuracy.
    ExactInLaw,
    /// An approximation whose error is at most `bound`.
    Controlled {
        /// The bound, in the units of the component's output.
        bound: f64,
    },
    /// Plausible, without a bound.
    Heuristic,
    /// Done by the host, not by spins.
    Host,
}

/// A Hamiltonian to run, β(t), and the way back from configurations to numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Program<D> {
    /// The energy to run.
    pub hamiltonian: Hamiltonian,
    /// The inverse temperature of every sweep.
    pub schedule: Schedule,
    /// Turns a configuration into what the component outputs.
    pub decoder: D,
    /// What may be believed of the result.
    pub fidelity: Fidelity,
}
