//! The modern Hopfield network and its sampling twin.
//!
//! ```text
//! E(ξ) = −(1/β) ln Σ_j e^(βx_j·ξ) + ½|ξ|²       ξ' = Σ_j p_j x_j,  p = softmax(βXξ)
//! twin: E(ξ, j) = ½|ξ|² − x_j·ξ                  j | ξ ~ softmax(βXξ),   ξ | j ~ N(x_j, 1/β)
//! ```
//!
//! A machine with Gaussian visible units and one one-hot hidden unit: summing j out of it gives e^(−βE(ξ)) exactly, and the mean of one Gibbs
//! step from a clamped ξ is the Hopfield update. Its patterns have the weights P(j) ∝ e^(β|x_j|²/2); with −|x_j|²/2 added to the
//! score of j they are equal, and so is the update only where all patterns are equally long. Source: Ramsauer et al., arXiv:2008.02217.

use ceas_sim::Beta;
use ceas_sim::activity::Activity;
use ceas_sim::potts::PottsSpin;
use ceas_sim::schedule::Schedule;
use ceas_sim::stream::Streams;
use ceas_sim::update::Update;
use ndarray::{Array2, ArrayView1};

use crate::error::Error;
use crate::program::{Clamp, Component, Decoder, Fidelity, Footprint, Program};

/// Stored patterns X `[patterns, d]` and β > 0. As a component: one retrieval step from the clamped input ξ, with ξ' as the output.
#[derive(Debug, Clone, PartialEq)]
pub struct Hopfield {
    /// X.
    pub patterns: Array2<f64>,
    /// The inverse temperature.
    pub beta: Beta,
}

impl Hopfield {
    fn spin(&self, visible: &[f64]) -> Result<PottsSpin, Error> {
        if visible.len() != self.patterns.ncols() || self.beta.value() == 0.0 {
            let violated = "ξ has the dimension of the patterns, and β is positive";
            return Err(Error::Component { component: "Hopfield network", violated });
        }
        Ok(PottsSpin::new(&self.patterns.dot(&ArrayView1::from(visible)).to_vec())?)
    }

    /// E(ξ), without its constants.
    ///
    /// # Errors
    /// [`Error::Component`] if ξ has another dimension than the patterns or β = 0.
    pub fn energy(&self, visible: &[f64]) -> Result<f64, Error> {
        let free = self.spin(visible)?.law(self.beta).free_energy();
        Ok(free + 0.5 * visible.iter().map(|x| x * x).sum::<f64>())
    }

    /// P(j) ∝ e^(β|x_j|²/2): how often the free machine is in each pattern.
    ///
    /// # Errors
    /// [`Error::Sim`] if a pattern is not finite.
    pub fn pattern_weights(&self) -> Result<Vec<f64>, Error> {
        let half_squares: Vec<f64> = self.patterns.rows().into_iter().map(|x| 0.5 * x.dot(&x)).collect();
        Ok(PottsSpin::new(&half_squares)?.law(self.beta).probabilities().to_vec())
    }
}

/// The visible units and the hidden choice.
#[derive(Debug, Clone, PartialEq)]
pub struct VisibleHidden {
    /// ξ.
    pub visible: Vec<f64>,
    /// j.
    pub hidden: usize,
}

/// j given ξ, then ξ given j. With `held`, j is always drawn given the ξ held, so that read-outs are independent retrieval steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HopfieldGibbs {
    pub(crate) held: Option<Vec<f64>>,
}

impl HopfieldGibbs {
    /// The free machine.
    pub fn free() -> Self {
        Self { held: None }
    }

    /// The machine with its input clamped.
    pub fn clamped(visible: Vec<f64>) -> Self {
        Self { held: Some(visible) }
    }
}

impl Update for HopfieldGibbs {
    type Model = Hopfield;
    type State = VisibleHidden;

    /// # Panics
    /// If ξ has another dimension than the patterns.
    fn sweep(
        &mut self,
        model: &Hopfield,
        state: &mut VisibleHidden,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        let seen = self.held.as_ref().unwrap_or(&state.visible);
        let scores = model.patterns.dot(&ArrayView1::from(seen));
        let high = scores.fold(f64::NEG_INFINITY, |high, &s| high.max(s));
        let weights = scores.mapv(|s| libm::exp(beta.value() * (s - high)));
        let stream = streams.first();
        let mut left = stream.uniform() * weights.sum();
        let mut drawn = 0;
        for (j, w) in weights.iter().enumerate().filter(|(_, w)| **w > 0.0) {
            drawn = j;
            left -= w;
            if left < 0.0 {
                break;
            }
        }
        let flips = u64::from(drawn != state.hidden);
        state.hidden = drawn;
        let spread = 1.0 / beta.value().sqrt();
        for (xi, x) in state.visible.iter_mut().zip(model.patterns.row(drawn)) {
            *xi = x + spread * stream.normal();
        }
        let (n, d) = model.patterns.dim();
        Activity {
            attempts: (n + d) as u64,
            flips: flips + d as u64,
            coupler_reads: 2 * (n * d) as u64,
            random_bits: 53 + 64 * d as u64,
            ..Activity::default()
        }
    }
}

/// Reads the visible units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visible {
    /// How many.
    pub units: usize,
}

impl Decoder for Visible {
    type State = VisibleHidden;

    fn width(&self) -> usize {
        self.units
    }

    fn read(&self, state: &VisibleHidden, sum: &mut [f64]) -> bool {
        sum.iter_mut().zip(&state.visible).for_each(|(sum, x)| *sum += x);
        true
    }
}

impl Component for Hopfield {
    type Input = [f64];
    type Update = HopfieldGibbs;
    type Decoder = Visible;

    fn lower(&self, visible: &[f64]) -> Result<Program<HopfieldGibbs, Visible>, Error> {
        self.spin(visible)?;
        Ok(Program {
            model: self.clone(),
            clamps: visible.iter().enumerate().map(|(unit, &value)| Clamp { unit, value }).collect(),
            start: VisibleHidden { visible: visible.to_vec(), hidden: 0 },
            update: HopfieldGibbs::clamped(visible.to_vec()),
            schedule: Schedule::Constant(self.beta),
            decoder: Visible { units: visible.len() },
            fidelity: Fidelity::ExactInLaw,
        })
    }

    fn reference(&self, visible: &[f64]) -> Result<Vec<f64>, Error> {
        let law = self.spin(visible)?.law(self.beta);
        Ok(ArrayView1::from(law.probabilities()).dot(&self.patterns).to_vec())
    }

    fn footprint(&self, visible: &[f64]) -> Footprint {
        let (n, d) = (self.patterns.nrows() as u64, visible.len() as u64);
        Footprint { spins: n + d, clamps: d, couplings: n * d, fields: 0, read_outs: d }
    }
}
