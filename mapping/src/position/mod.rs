//! Positions as coordinates of Möbius flows on the Poincaré disk.
//!
//! ```text
//! z ⊕ w = ((1 + 2z·w + |w|²) z + (1 − |z|²) w) / (1 + 2z·w + |z|²|w|²)        d(z, w) = 2 artanh|(−z) ⊕ w|
//! ```
//!
//! A one-parameter group of motions of the disk carries position 0 to position t. There are three kinds, and the distance between
//! positions is a closed form of Δ = |t − t'| for each ([`Flow::distance`]):
//!
//! | flow | orbit | distance | as a field −m·d |
//! |---|---|---|---|
//! | hyperbolic, rapidity ℓ | tanh(ℓt/2) on a diameter | ℓΔ | ALiBi with slope mℓ, exactly |
//! | parabolic, rate a | Cayley(at + i), a horocycle | 2 asinh(aΔ/2) | power law (aΔ)^(−2m) |
//! | elliptic, angle ω, radius r | r e^(iωt), a circle | 2 asinh(sinh ρ·\|sin(ωΔ/2)\|), ρ = 2 artanh r | periodic |
//!
//! A position enters attention in two ways: as an additive *field* on the key's state ([`PositionRow`]), or as a *rotation* of query and key
//! ([`rotation`]: RoPE is the elliptic flow acting on content). [`tiling`] gives coordinates to the sites of a tiling {p, q}.
//! ALiBi: Press, Smith, Lewis, arXiv:2108.12409. Power law: Chi et al. (KERPLE), arXiv:2205.09921. RoPE: Su et al., arXiv:2104.09864.

mod disk;
mod flow;
pub mod rotation;
pub mod tiling;

pub use disk::Point;
pub use flow::Flow;

use ceas_sim::Beta;
use ceas_sim::potts::{HeatBath, PottsSpin};
use ceas_sim::schedule::Schedule;

use crate::encoding::tree::Labels;
use crate::error::Error;
use crate::program::{Component, Decoder, Fidelity, Footprint, Program};

/// Attention by position alone: the Potts spin of a query at position i in the fields −m·d(i, j) of the keys.
///
/// The input is the query's position, the output the probability of every key. With scores of content, add both fields
/// ([`PositionRow::fields`]).
#[derive(Debug, Clone, PartialEq)]
pub struct PositionRow {
    /// How positions move on the disk.
    pub flow: Flow,
    /// m: field per unit of distance.
    pub slope: f64,
    /// Curvature −c of the disk: distances are divided by √c.
    pub curvature: f64,
    /// Positions of the keys.
    pub keys: Vec<i64>,
    /// The inverse temperature.
    pub beta: Beta,
}

impl PositionRow {
    /// The field −m·d(i, j)/√c of every key, in units of a score.
    pub fn fields(&self, query: i64) -> Vec<f64> {
        let scale = self.slope / self.curvature.sqrt();
        self.keys.iter().map(|&key| -scale * self.flow.distance(query.abs_diff(key) as f64)).collect()
    }
}

impl Component for PositionRow {
    type Input = i64;
    type Update = HeatBath;
    type Decoder = Labels;

    fn lower(&self, query: &i64) -> Result<Program<HeatBath, Labels>, Error> {
        if !(self.curvature > 0.0 && self.curvature.is_finite()) {
            let violated = "the curvature c must be a finite number > 0";
            return Err(Error::Component { component: "position", violated });
        }
        let model = PottsSpin::new(&self.fields(*query))?;
        let decoder = Labels { labels: self.keys.len() };
        Ok(Program {
            model,
            clamps: Vec::new(),
            start: 0,
            update: HeatBath::default(),
            schedule: Schedule::Constant(self.beta),
            decoder,
            fidelity: Fidelity::ExactInLaw,
        })
    }

    /// Softmax of the fields.
    fn reference(&self, query: &i64) -> Result<Vec<f64>, Error> {
        let program = self.lower(query)?;
        debug_assert_eq!(program.decoder.width(), self.keys.len());
        Ok(program.model.law(self.beta).probabilities().to_vec())
    }

    fn footprint(&self, _: &i64) -> Footprint {
        let n = self.keys.len() as u64;
        let read_outs = n.next_power_of_two().trailing_zeros().into();
        Footprint { spins: n, fields: n, read_outs, ..Footprint::default() }
    }
}
