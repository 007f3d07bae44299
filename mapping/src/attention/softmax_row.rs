//! The translation itself: an attention row is one Potts spin.

use ceas_sim::Beta;
use ceas_sim::potts::{HeatBath, PottsSpin};
use ceas_sim::schedule::Schedule;

use crate::encoding::tree::Labels;
use crate::error::Error;
use crate::program::{Component, Fidelity, Footprint, Program};

/// An attention row on a native Potts spin: the input is the spin, the output its probabilities by label.
///
/// All rows of all heads are a direct sum without couplings between them; they can be run at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoftmaxRow {
    /// The inverse temperature.
    pub beta: Beta,
}

impl Component for SoftmaxRow {
    type Input = PottsSpin;
    type Update = HeatBath;
    type Decoder = Labels;

    fn lower(&self, spin: &PottsSpin) -> Result<Program<HeatBath, Labels>, Error> {
        Ok(Program {
            model: spin.clone(),
            clamps: Vec::new(),
            start: spin.ranked().next().unwrap_or(0),
            update: HeatBath::default(),
            schedule: Schedule::Constant(self.beta),
            decoder: Labels { labels: spin.labels() },
            fidelity: Fidelity::ExactInLaw,
        })
    }

    fn reference(&self, spin: &PottsSpin) -> Result<Vec<f64>, Error> {
        Ok(spin.law(self.beta).probabilities().to_vec())
    }

    fn footprint(&self, spin: &PottsSpin) -> Footprint {
        let n = spin.states() as u64;
        let read_outs = n.next_power_of_two().trailing_zeros().into();
        Footprint { spins: n, fields: n, read_outs, ..Footprint::default() }
    }
}
