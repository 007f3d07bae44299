//! Transformers in which relaxation is meant literally: there is one energy, and a layer is a step down it.
//!
//! ```text
//! g = LN(x) = ∂L/∂x,  L = d γ √(var(x) + ε) + δ·x
//! E(g) = −(1/β) Σ_(h,q) ln Σ_k e^(β Q_q·K_k) − ½ Σ relu(Ξ g)²        x ← x − α ∂E/∂g
//! −∂E/∂g_t = Σ_k p_tk W_Qᵀ k_k  +  Σ_q p_qt W_Kᵀ q_q  +  Ξᵀ relu(Ξ g_t)
//! ```
//!
//! The attention energy is the sum of the free energies of our clusters, so that its force is *two* thermal averages of the same spins: token t as
//! a query, and token t as a key of every query. Ordinary transformers keep a version of the first only, and are no gradient flow.
//! The feed-forward energy is the T → 0 free energy of half-Gaussian hidden units, min over u ≥ 0 of ½u² − ux. Since L is convex, ∂g/∂x is
//! positive semi-definite and E does not rise for small steps ([`EnergyBlock`]). Source: Hoover et al., arXiv:2302.07253.
//!
//! [`Factored`] is the second family: a generalised Potts model in which tokens are colours, and filling in a masked token is one heat-bath
//! update (Rende, Gerace, Laio, Goldt, doi:10.1103/PhysRevResearch.6.023057).
//!
//! Training belongs beside them: ∂E/∂W is an average of the same read-outs as the force, and the conditional law of [`Factored`] is what
//! pseudo-likelihood trains.

mod block;
mod factored;

pub use block::{BlockReadout, EnergyBlock, EnergyNorm};
pub use factored::Factored;
