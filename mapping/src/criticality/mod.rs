//! Where attention rows sit between many keys and few.
//!
//! ```text
//! p_j ∝ e^(βs_j)      H = −Σ p ln p      C = β² Var_p[s] = −β dH/dβ      Y₂ = Σ p²      N(g) = #{j : s_max − s_j ≤ g}
//! ```
//!
//! A row is one spin with finitely many states: it has no thermodynamic limit inside it, hence no transition, no correlation length and no
//! Binder cumulant. What it has is a crossover, and three rules find it: the peak of the row-averaged C, the β at which H falls to a
//! share of ln N, and the β at which Y₂ rises to the level it has at the peak of a random energy model of the same size
//! ([`Curve`]). [`RandomEnergy`] and [`Planted`] say where the crossover lies for rows without and with an outstanding key; only for coupled
//! spins ([`MeanField`], and the lattices of `ceas-sim`) does "critical" mean more than that.

mod curve;
mod finite_size;
mod gaps;
mod mean_field;
mod null;
mod planted;
mod random_energy;
mod rows;
mod solve;

pub use curve::{Curve, Level, Peak, grid};
pub use finite_size::{FiniteSize, PlantedSize, gaussian_rows, planted_rows};
pub use gaps::{GapCount, gap_count};
pub use mean_field::{MeanField, exponential_fit};
pub use null::null_heads;
pub use planted::Planted;
pub use random_energy::RandomEnergy;
pub use rows::{RowState, Rows};
pub(crate) use rows::{sigma_of, state_of};
pub use solve::{at_entropy, at_participation, fixed_point};
