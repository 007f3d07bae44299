//! LayerNorm and RMSNorm as a thermodynamic potential: the magnetisation of a spherical spin under two Lagrange multipliers.
//!
//! ```text
//! E(y) = −x·y + λ Σ_a y_a + μ Σ_a y_a²        constraints ⟨Σ y⟩ = 0, ⟨Σ y²⟩ = d
//! saddle:  λ = mean(x)      2μ = [T + √(T² + 4σ²)]/2      ⟨y⟩ = (x − λ)/2μ      Var y_a = T/2μ
//! ```
//!
//! At T → 0 this is LayerNorm without ε, exactly; without λ, and σ² replaced by the mean square, RMSNorm. At T > 0 the output is smaller by
//! the factor 2σ/[T + √(T² + 4σ²)], which is 1 − T/2σ to first order. ε is another function, 1/√(σ² + ε); the two agree as σ → 0 at
//! T = √ε. The multipliers are found by feedback ([`DualAscent`]): two global scalars per token, an automatic gain control. It is an
//! analogue normaliser; no binary spin does it. [`hard_sphere`] has the constraint Σy² = d held strictly instead of on average.
//!
//! Gain and bias of a norm are scale and offset per component, on what is read out. Sources: T. H. Berlin and M. Kac,
//! doi:10.1103/PhysRev.86.821; H. W. Lewis and G. H. Wannier, doi:10.1103/PhysRev.88.682.2 (the mean constraint); Ba, Kiros, Hinton,
//! arXiv:1607.06450; Zhang and Sennrich, arXiv:1910.07467.

mod ascent;
mod hard_sphere;
mod spherical;

pub use ascent::{Convergence, DualAscent};
pub use hard_sphere::hard_sphere;
pub use spherical::{Components, Norm, Relaxed, SphericalSpin};
