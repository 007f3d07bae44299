//! Locating a transition: which models at which β, replicas in parallel, and where the curves of all sizes meet.
//!
//! ```text
//! Survey {family, sizes, grid, effort} ── pilot ──► Cell × replicas ──► Measured {Samples, histograms, τ_int}
//!                                                                              │              │
//!                              Point: energy, |m|, C, χ, U₄, ξ by jackknife ◄──┘              ▼
//!                                 SizeCurves: U₄(β), ξ/L(β) by reweighting ──► Pair: crossings of L and 2L
//!                                                                          └─► Critical: β_c ──► Exponents ──► Collapse
//! ```
//!
//! Nothing here knows where a transition is: see `pilot.rs` for where the search begins.

mod cell;
mod collapse;
mod curve;
mod design;
mod dynamics;
mod exponents;
mod family;
mod key;
mod meeting;
mod pair;
mod pilot;
mod point;
mod precision;
mod survey;

pub use cell::{AVERAGES, Cell, Effort, Measured};
pub use collapse::{Collapse, Collapsed};
pub use curve::{ABSOLUTE, BINDER, CURVES, Curve, LENGTH, SQUARE, SizeCurves};
pub use dynamics::Dynamics;
pub use exponents::{Exponent, Exponents};
pub use family::{Class, Correction, Family, KnownExponents, Refusal};
pub use meeting::Critical;
pub use pair::Pair;
pub use point::Point;
pub use precision::{Outcome, Precision};
pub use survey::{Findings, Grid, Listener, Progress, Survey, Unlocated};
