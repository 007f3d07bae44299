//! An embedding as the fields of a lattice.

use ceas_sim::Beta;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::topology::Topology;
use ceas_sim::update::HeatBath;

use crate::error::Error;
use crate::program::{Component, Decoder, Fidelity, Footprint, Program};

/// h_a = x_a on one spin per component: the field *is* the number, so that nothing is lost on the way in.
///
/// The input is x; what the lattice makes of it before any coupling acts is ⟨s_a⟩ = tanh(βx_a).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldMode {
    /// The inverse temperature.
    pub beta: Beta,
}

/// Adds up the spins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Magnetization {
    /// How many there are.
    pub spins: usize,
}

impl Decoder for Magnetization {
    type State = Spins;

    fn width(&self) -> usize {
        self.spins
    }

    fn read(&self, state: &Spins, sum: &mut [f64]) -> bool {
        sum.iter_mut().zip(state.as_slice()).for_each(|(sum, &s)| *sum += f64::from(s));
        true
    }
}

impl Component for FieldMode {
    type Input = [f64];
    type Update = HeatBath;
    type Decoder = Magnetization;

    fn lower(&self, x: &[f64]) -> Result<Program<HeatBath, Magnetization>, Error> {
        let topology = Topology::from_bonds(x.len(), &[])?;
        let model = Hamiltonian::new(topology, Couplings::Uniform(0.0), Field::PerSite(x.to_vec()))?;
        Ok(Program {
            start: Spins::up(x.len()),
            update: HeatBath::new(&model)?,
            model,
            clamps: Vec::new(),
            schedule: Schedule::Constant(self.beta),
            decoder: Magnetization { spins: x.len() },
            fidelity: Fidelity::ExactInLaw,
        })
    }

    fn reference(&self, x: &[f64]) -> Result<Vec<f64>, Error> {
        Ok(x.iter().map(|x| libm::tanh(self.beta.value() * x)).collect())
    }

    fn footprint(&self, x: &[f64]) -> Footprint {
        let n = x.len() as u64;
        Footprint { spins: n, fields: n, read_outs: n, ..Footprint::default() }
    }
}
