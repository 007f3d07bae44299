//! From measured numbers to numbers with errors.
//!
//! ```text
//! one series ──► Accumulator (streaming)      mean, error by binning, τ_int
//!            └─► Autocorrelation              ρ(t), τ_int = ½ + Σ ρ(t) with its own error, error of the mean
//! replicas or blocks of several averages ──► Samples ──► jackknife   functions of averages: C, χ, U₄, ξ
//!                                                    └─► Bootstrap   whatever has no derivative: roots, fits
//! histograms of several β ──► MultiHistogram   averages at every β near them
//! ```
//!
//! No number leaves this module without an error, and every error accounts for autocorrelation.

pub mod accumulator;
pub mod autocorrelation;
pub mod binning;
pub mod bootstrap;
pub mod estimate;
pub mod jackknife;
pub(crate) mod least_squares;
pub(crate) mod polynomial;
pub mod reweighting;
pub mod samples;

pub use accumulator::Accumulator;
pub use autocorrelation::Autocorrelation;
pub use estimate::Estimate;
pub use reweighting::{Histogram, MultiHistogram};
pub use samples::Samples;
