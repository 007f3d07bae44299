//! What people and scripts see: tables, figures, pages, progress. No physics.

pub mod attention;
pub mod compare;
#[cfg(feature = "hdf5")]
pub mod compare_archive;
pub mod compare_figure;
pub mod figure;
pub mod inference;
#[cfg(feature = "hdf5")]
pub mod inference_archive;
pub mod inference_figure;
#[cfg(feature = "hdf5")]
pub mod lattice;
pub mod number;
pub mod output;
pub mod page;
pub mod present;
pub mod progress;
pub mod solution;
#[cfg(feature = "hdf5")]
pub mod solution_archive;
pub mod solution_figure;
pub mod table;
pub mod transition;
#[cfg(feature = "hdf5")]
pub mod transition_archive;
pub mod transition_figure;
