//! What people and scripts see: tables, figures, pages, progress. No physics.

pub mod compare;
pub mod compare_figure;
pub mod figure;
pub mod output;
pub mod page;
pub mod present;
pub mod progress;
pub mod table;
