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
//! Everything that follows from a stage follows from its [`Measured`], so that a survey that was killed goes on from the last complete
//! stage (`course.rs`) and from every replica of the stage after it, finished or in its midst (`stretch.rs`).
//!
//! Nothing here knows where a transition is: see `pilot.rs` for where the search begins.

mod cell;
mod collapse;
mod course;
mod curve;
mod design;
mod dynamics;
mod exponents;
mod family;
mod findings;
mod job;
mod key;
mod meeting;
mod pair;
mod pilot;
mod point;
mod precision;
mod replica;
mod selection;
mod stretch;
mod survey;

pub use cell::{AVERAGES, Cell, Effort, Measured};
pub use collapse::{Collapse, Collapsed};
pub use curve::{ABSOLUTE, BINDER, CURVES, Curve, LENGTH, SQUARE, SizeCurves};
pub use dynamics::Dynamics;
pub use exponents::{Exponent, Exponents};
pub use family::{Class, Correction, Family, KnownExponents, Refusal};
pub use findings::{Findings, Unlocated};
pub use job::{Listener, Progress, Watch};
pub use meeting::Critical;
pub use pair::Pair;
pub use point::Point;
pub use precision::{Outcome, Precision};
pub use survey::{Grid, Survey};
