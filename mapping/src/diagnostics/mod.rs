//! Small observables of heads, layers, models and runs. Each says what it is, in which units, and where it comes from.
//!
//! | what | module | memory |
//! |---|---|---|
//! | η of a read-out and as published, dC/dt, the stop rule for S | [`efficiency`] | O(1) |
//! | Λ_d between two models or two β | [`divergence`] | O(1) |
//! | token cost X, unigram model | [`token_cost`] | O(vocabulary) |
//! | Var(H), collapse, phase-space quadrants | [`genuineness`] | O(1) |
//! | Shannon, Rényi, Tsallis; Y₂ from coincidences | [`entropies`] | O(1) |
//! | diffusion spectral entropy | [`diffusion`] | O(n²) |
//! | entropy production of a trajectory | [`production`] | O(1) |
//! | Fisher scalar curvature | [`curvature`] | O(parameters³) |
//! | samples for each row, S_i ∝ √V_i | [`allocation`] | O(rows) |
//! | early stop, checkpoints | [`hints`] | O(1) |

pub mod allocation;
pub mod curvature;
pub mod diffusion;
pub mod divergence;
pub mod efficiency;
pub mod entropies;
pub mod genuineness;
pub mod head;
pub mod hints;
pub mod production;
pub mod token_cost;
pub mod torus;
