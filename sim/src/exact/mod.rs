//! Exact answers that simulations are held against. Every formula is evaluated, never tabulated.
//!
//! | module | what is exact | size |
//! |---|---|---|
//! | [`enumeration`] | every average of any Hamiltonian | up to 24 spins |
//! | [`chain`] | ln Z, energy, specific heat, correlations of the ring and the open chain | any |
//! | [`curie_weiss`] | every moment on the complete graph, and its limit | any |
//! | [`onsager`] | energy and specific heat of the square lattice, β_c, duality | N → ∞ |
//! | [`yang`] | spontaneous magnetisation of the square lattice | N → ∞ |
//! | [`kaufman`] | ln Z, energy, specific heat of the square torus | any L × M |

pub mod averages;
pub mod chain;
pub mod curie_weiss;
pub mod enumeration;
mod jet;
pub mod kaufman;
mod known;
pub mod onsager;
pub mod yang;

pub use known::{KnownEnergy, known_energy};
