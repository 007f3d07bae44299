//! CEAS-NPU: what happens when a transformer runs on a lattice of thermal spins instead of a GPU?
//!
//! This crate re-exports the three libraries as modules, so that one dependency brings everything:
//! [`sim`] (spin lattices, updates, statistics, exact answers), [`mapping`] (transformer components as spins) and
//! [`npu_model`] (counted events priced on devices, beside a GPU). The command `ceas` is built on the same public items.

pub use ceas_mapping as mapping;
pub use ceas_npu_model as npu_model;
pub use ceas_sim as sim;

pub mod audit;
pub mod measure;
pub mod study;
