//! One N-state Potts spin in fields: its exact law, the updates that sample it, and the exact dynamics of its law.
//!
//! ```text
//! H(j) = −h_j        P(j) = e^(βh_j) / Z        Z = Σ_j e^(βh_j)        j = 0 … N−1
//! ```
//!
//! A state whose field is −∞ is absent: it is never proposed, never drawn, and not counted in N. Three updates leave the
//! law invariant: [`HeatBath`] (a fresh draw), [`Race`] (the unit that flips first wins; a fresh draw and an estimate of Z)
//! and [`Metropolis`] (a chain, whose law [`LawUnderMetropolis`] follows exactly and whose spectrum is
//! [`MetropolisSpectrum`]). [`Multinomial`] draws the counts of many fresh draws at once and touches no spin.

mod binomial;
mod heat_bath;
mod law;
mod metropolis;
mod multinomial;
mod race;
mod relaxation;
mod spectrum;
mod spin;
mod table;
mod weights;

pub use binomial::Binomial;
pub use heat_bath::HeatBath;
pub use law::Law;
pub use metropolis::{Metropolis, uniform_state};
pub use multinomial::Multinomial;
pub use race::{PartitionEstimate, RACE_LANES, Race};
pub use relaxation::{Distribution, LawUnderMetropolis};
pub use spectrum::MetropolisSpectrum;
pub use spin::PottsSpin;
pub use table::Table;
