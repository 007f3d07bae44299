//! Spin-lattice Monte Carlo: the substrate of the CEAS–Ising NPU.
//!
//! # Conventions, stated once
//!
//! ```text
//! H(s) = − Σ_(ij) J_ij s_i s_j − Σ_i h_i s_i        s_i = ±1, each bond once
//! P(s) ∝ e^(−βH(s))                                 β is never folded into J or h
//! ΔE   = 2 s_i (h_i + Σ_j J_ij s_j)                 energy of flipping s_i
//! ```
//!
//! Energies are dimensionless. A *sweep* is N attempted single-spin updates; an *attempt* counts whether accepted or not.
//! A Potts spin with states j = 1 … N in fields h_j has H = −h_(state), so P(j) ∝ e^(βh_j): a softmax row.
//! Every mean carries an error that has grown by the autocorrelation time τ_int = ½ + Σ_t ρ(t).
//!
//! The loop over sweeps is [`run::Run::drive`]; there is no other.

pub mod activity;
pub mod anneal;
pub mod beta;
pub mod checkpoint;
pub mod couplings;
pub mod critical;
pub mod error;
pub mod exact;
pub mod hamiltonian;
pub mod instance;
pub mod kernel;
pub mod ladder;
pub mod memory;
pub mod observable;
pub mod plan;
pub mod potts;
pub mod run;
pub mod schedule;
#[cfg(feature = "hdf5")]
pub mod snapshot;
pub mod spec;
pub mod spins;
pub mod statistics;
pub mod stream;
pub mod topology;
pub mod update;

pub use beta::Beta;
pub use error::Error;
