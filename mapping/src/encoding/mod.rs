//! One N-state choice on two-state hardware: what a softmax row becomes where there is no native Potts spin.
//!
//! | encoding | units | couplings | law of a valid read-out | sweeps per independent one |
//! |---|---|---|---|---|
//! | [`crate::one_hot`], free | N p-bits | none | softmax | 1/P(valid), about 2.5 |
//! | [`crate::one_hot`], penalty A | N p-bits | N(N−1)/2 | softmax | 0.2–0.8 / leak, leak ∝ e^(−βA) |
//! | [`domain_wall`] | N−1 p-bits | N | softmax | the wall's walk, ≥ 0.2 N² |
//! | [`tree`] | N−1 p-bits in log₂ N levels | directed | softmax, every read-out valid | 1 |
//!
//! All four are exact in law. They differ in what the law costs, and [`relaxation_time`] says so without a sample.

pub mod domain_wall;
mod relaxation;
pub mod tree;

pub use relaxation::relaxation_time;
