//! Attention as thermal spins: every (head, query) is one Potts spin with a state per visible key.
//!
//! ```text
//! s_j = q·k_j      H(j) = −s_j      p_j = e^(βs_j)/Z      o = Σ_j p_j v_j      β₀ = 1/√d_head
//! ```
//!
//! The construction is an identity: the law of the spin *is* the attention row, a masked key is an absent state, and fields enter
//! without β. What a substrate adds is sampling: from S read-outs ô = (1/S) Σ v_(state) is unbiased with
//!
//! ```text
//! E|ô − o|² = 2τ_int V/S        V = Σ_j p_j |v_j − o|²        τ_int = ½ for independent draws
//! ```
//!
//! so that a relative error ε costs S = 2τ_int V/(ε²|o|²) read-outs. [`sample_head`] runs the spins of one head and
//! [`HeadReport`] sets what was measured beside these laws. Nothing here is new as a view: softmax as a Boltzmann law and
//! sampled value rows are in use elsewhere (SANTA, arXiv:2605.01910). What is added is the account of what it costs.

mod binary;
pub mod boltzmann;
mod decoder;
pub mod hopfield;
pub mod memory;
mod plug_in;
mod relaxation;
mod report;
mod row;
mod sample;
mod sampler;
mod softmax_row;
mod summary;
mod thermometry;

pub use binary::{BinaryRow, BinarySample, BinarySampling, ReadoutWorth, sample_head_binary};
pub use plug_in::expected_divergence;
pub use relaxation::{Ensemble, Relaxation, relax_head};
pub use report::{CurvePoint, HeadReport};
pub use row::Row;
pub use sample::{ChainSample, HeadSample, RowSample, sample_head};
pub use sampler::{Dynamics, Ramp, Sampler, Sampling, Start};
pub use softmax_row::SoftmaxRow;
pub use summary::{Quantiles, Summary};
pub use thermometry::{SpecificHeatPeak, specific_heat_peak};

use ceas_sim::beta::Beta;

/// The textbook inverse temperature β₀ = 1/√d_head, in units of 1/(q·k).
///
/// ```
/// assert_eq!(ceas_mapping::attention::textbook_beta(64).value(), 0.125);
/// ```
///
/// # Panics
/// If `d_head` is 0.
pub fn textbook_beta(d_head: usize) -> Beta {
    assert!(d_head > 0, "a head has at least one dimension");
    Beta::new(1.0 / (d_head as f64).sqrt()).expect("1/√d is finite for d ≥ 1")
}
