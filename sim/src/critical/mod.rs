//! Locating a transition: which lattices at which β, replicas in parallel, and where Binder cumulants cross.
//!
//! ```text
//! Survey {lattice, sizes, grid, effort} ── bracket (pilot) ──► Cell × replicas ──► Measured {Samples, τ_int}
//!                                                                                    │            │
//!                                     Point: energy, |m|, C, χ, U₄, ξ by jackknife ◄─┘            ▼
//!                                                     Pair: crossing of L and 2L by bootstrap ──► Critical: β_c
//! ```
//!
//! The crossing of the Binder cumulants of L and 2L drifts as β_L = β_c + a L^(−1/ν − ω) (K. Binder,
//! doi:10.1007/BF01293604); the drift is fitted, not neglected.

mod bracket;
mod cell;
mod dynamics;
mod lattice;
mod limit;
mod pair;
mod point;
mod survey;

pub use cell::{AVERAGES, Cell, Effort, Measured};
pub use dynamics::Dynamics;
pub use lattice::Lattice;
pub use limit::Critical;
pub use pair::{Pair, WINDOW};
pub use point::Point;
pub use survey::{Findings, Grid, Listener, Precision, Progress, Survey, Unlocated};
