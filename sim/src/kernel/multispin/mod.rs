//! Multi-spin coding: 512 spins in a vector of bits, updated together, each with random numbers of its own.
//!
//! | in the lanes | for |
//! |---|---|
//! | 512 sites ([`sites`]) | square, triangular, honeycomb, cubic lattices; couplings ±J, uniform field |
//! | 512 replicas, few bonds a site ([`sparse`]) | any graph, integer couplings and fields, a β for each replica |
//! | 512 replicas, many bonds a site ([`dense`]) | the same, Metropolis |
//! | 512 replicas that **share** random numbers ([`shared`]) | few bonds a site, Metropolis; never for joint statistics |
//!
//! Neighbours are added up bit by bit, as a circuit would; the class of a spin (how many of its bonds are unsatisfied) selects its
//! acceptance probability; and a random bit per lane is compared with one binary digit of that probability after the other
//! ([`digits`]), until every lane is decided. Unless they are meant to share, no two spins read the same random bit (the file
//! `batch.rs` says how few are drawn, and why it is exact). Probabilities are realised to within 2⁻⁶⁴.
//!
//! Of fewer than 512 replicas read only as many: the lanes that nobody reads cost nothing. Metropolis on a checkerboard at β = 0
//! accepts every attempt, so that two sweeps restore the configuration: use the heat bath there. β < 0 and β = ∞ are refused by
//! [`crate::beta::Beta`]; a large β is as good as ∞, its thresholds are 0. A flip that costs nothing is always accepted by Metropolis and
//! half of the time by the heat bath; a coupling of 0 is no bond in the kernels over replicas, and refused over sites.
//!
//! Every [`Level`] gives the same bytes.

// Loops over slots, bonds and masks index several arrays at once and unroll; an iterator's closure would be compiled without the
// instructions of the function it is in.
#![allow(clippy::needless_range_loop)]

pub(crate) mod batch;
mod block;
mod classes;
pub mod dense;
pub mod digits;
mod fields;
pub mod generator;
pub mod grid;
#[cfg(test)]
mod law;
pub mod level;
pub mod naive;
pub mod packed;
pub mod replicas;
pub mod shared;
mod site_model;
pub mod sites;
pub mod sparse;
mod tally;
pub mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use grid::{Grid, Lattice};
pub use level::Level;
pub use packed::PackedSpins;
pub use replicas::{REPLICAS, ReplicaModel, ReplicaSpins};
pub use vector::Words;
