//! What a whole model makes of a text, on any substrate: embeddings, the likelihood of a text, generated text.
//!
//! Every function takes the [`Substrate`](crate::reference::substrate::Substrate) that computes, so that the exact answer and one on spins
//! come from the same code.

mod generate;
mod likelihood;
mod similarity;

pub use generate::{Choice, Generated, generate};
pub use likelihood::{negative_log_likelihood, next_token_divergence};
pub use similarity::{cosine, rank_correlation};
