//! What people and scripts see: tables, figures, pages, progress. No physics.

pub mod attention;
pub mod audit;
pub mod compare;
#[cfg(feature = "hdf5")]
pub mod compare_archive;
pub mod compare_figure;
pub mod control;
pub mod diagnosis;
pub mod engine;
pub mod figure;
pub mod heads_sweep;
pub mod inference;
#[cfg(feature = "hdf5")]
pub mod inference_archive;
pub mod inference_figure;
#[cfg(feature = "hdf5")]
pub mod lattice;
pub mod measured;
pub mod measured_figure;
pub mod number;
pub mod output;
pub mod page;
pub mod panels;
pub mod present;
pub mod progress;
#[cfg(feature = "hdf5")]
pub mod recorded;
pub mod run;
pub mod solution;
#[cfg(feature = "hdf5")]
pub mod solution_archive;
pub mod solution_figure;
pub mod table;
pub mod transition;
#[cfg(feature = "hdf5")]
pub mod transition_archive;
pub mod transition_figure;
mod transition_panels;
mod transition_text;
mod transition_warnings;
