//! Gated blocks: the gate is a spin, the product is a third factor.

use ceas_sim::Beta;
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;

use super::gate::{Activation, GateReadout, uncoupled};
use crate::error::Error;
use crate::pbits::PBits;
use crate::program::{Component, Fidelity, Footprint, Program};

/// φ(g)·u element by element: SwiGLU with [`Activation::Silu`], GEGLU with [`Activation::Gelu`].
///
/// The unit of g is a p-bit as in [`super::Gates`]. Multiplying its read-out g·n by u is a three-body energy −g·u·n·(1) that no pair of couplings
/// has: the product is made where read-outs are added up, or by an analogue multiplier. The input is (g, u), of one length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Glu {
    /// φ.
    pub activation: Activation,
}

impl Component for Glu {
    type Input = (Vec<f64>, Vec<f64>);
    type Update = PBits;
    type Decoder = GateReadout;

    fn lower(&self, (gate, value): &(Vec<f64>, Vec<f64>)) -> Result<Program<PBits, GateReadout>, Error> {
        if gate.len() != value.len() {
            return Err(Error::Component { component: "GLU", violated: "gate and value have one length" });
        }
        let levels = gate.iter().zip(value).map(|(&g, &u)| self.activation.levels(g).map(|level| u * level));
        let model = uncoupled(gate.iter().map(|&g| self.activation.input(g)))?;
        Ok(Program {
            model,
            clamps: Vec::new(),
            start: Spins::up(gate.len()),
            update: PBits::new(self.activation.noise()),
            schedule: Schedule::Constant(Beta::new(1.0)?),
            decoder: GateReadout::new(levels.collect()),
            fidelity: match self.activation.fidelity() {
                // The bound of the gate grows with |u|.
                Fidelity::Controlled { bound } => {
                    let largest = value.iter().fold(0.0f64, |largest, u| largest.max(u.abs()));
                    Fidelity::Controlled { bound: bound * largest }
                }
                fidelity => fidelity,
            },
        })
    }

    fn reference(&self, (gate, value): &(Vec<f64>, Vec<f64>)) -> Result<Vec<f64>, Error> {
        let meant = if let Activation::Surrogate { .. } = self.activation {
            Activation::Gelu
        } else {
            self.activation
        };
        Ok(gate.iter().zip(value).map(|(&g, &u)| meant.value(g) * u).collect())
    }

    fn footprint(&self, (gate, _): &(Vec<f64>, Vec<f64>)) -> Footprint {
        let n = gate.len() as u64;
        Footprint { spins: n, fields: n, read_outs: n, ..Footprint::default() }
    }
}
