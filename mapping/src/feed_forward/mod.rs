//! Feed-forward blocks as shaped energies: every activation is the mean of one p-bit.
//!
//! A two-level unit n ∈ {0, 1} of energy −xn at inverse temperature b has
//!
//! ```text
//! ⟨n⟩ = σ(bx)      −U = x σ(bx)      −F = softplus(bx)/b      S = b(U − F) = binary entropy of σ(bx)
//! ```
//!
//! | activation | as a unit | fidelity of the mean |
//! |---|---|---|
//! | SiLU x σ(x) | −U, b = 1 | exact |
//! | softplus | −F, b = 1; S = softplus − SiLU | exact, but F is not the mean of a read-out |
//! | ReLU | −U = −F, b → ∞ | exact |
//! | tanh | ⟨s⟩ of s = ±1 in the field x | exact |
//! | GELU x Φ(x) | −U with a *Gaussian* comparator | exact, not Boltzmann |
//! | tanh-GELU | −U of a unit in the field of the cubic | exact; 4.7e-4 from GELU |
//! | GELU by x σ(bx) | a Boltzmann surrogate | controlled: 0.0203 at b = 1.702, 0.0139 at b = 1.773 |
//!
//! Read out S times, x·(mean of S bits) has the variance x²p(1 − p)/S: an energy average, no multiplier. A nonlinearity of a noisy mean is
//! biased by ½φ''·Var/S, so S read-outs are averaged before the next layer sees them. GLU blocks multiply by a third factor
//! ([`Glu`]): the gate is a spin, the product is not. Sources: Hendrycks and Gimpel, arXiv:1606.08415; Shazeer, arXiv:2002.05202.

mod gate;
mod glu;

pub use gate::{
    Activation, GateReadout, Gates, entropy, minus_free_energy, minus_internal_energy, surrogate_error,
};
pub use glu::Glu;
