//! Transformer components of real checkpoints, written as spins, fields and couplings.
//!
//! Scores are s_j = q·k_j, the textbook inverse temperature is β₀ = 1/√d_head, and an attention row p_j ∝ e^(βs_j) is *exactly*
//! the law of one Potts spin with a state per key in the fields s_j. Entropies are in nats.

pub mod attention;
pub mod checkpoint;
pub mod control;
pub mod criticality;
pub mod diagnostics;
pub mod embedding;
pub mod encoding;
pub mod energy_transformer;
pub mod error;
pub mod evaluate;
pub mod feed_forward;
pub mod heads;
pub mod nonideal;
pub mod norm;
pub mod one_hot;
pub mod pbits;
pub mod placement;
pub mod position;
pub mod potts_network;
pub mod program;
pub mod qkv;
pub mod reference;
pub mod spins;

pub use error::Error;
