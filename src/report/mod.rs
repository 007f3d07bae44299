//! What people and scripts see: tables, figures, pages, progress. No physics.

pub mod attention;
pub mod audit;
pub mod compare;
pub mod control;
mod decades;
pub mod diagnosis;
pub mod drawing;
pub mod engine;
#[cfg(feature = "hdf5")]
pub mod equilibrium;
pub mod figure;
pub mod heads_sweep;
pub mod inference;
#[cfg(feature = "hdf5")]
pub mod lattice;
pub mod measured;
pub mod number;
pub mod output;
pub mod page;
pub mod panels;
pub mod present;
pub mod progress;
mod ranges;
#[cfg(feature = "hdf5")]
pub mod recorded;
pub mod run;
pub mod solution;
pub mod table;
mod tornado;
pub mod transition;
