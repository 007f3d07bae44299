//! The mean-spherical spin: its saddle, its law and its Langevin dynamics.

use ceas_sim::Beta;
use ceas_sim::activity::Activity;
use ceas_sim::schedule::Schedule;
use ceas_sim::stream::Streams;
use ceas_sim::update::Update;

use crate::error::Error;
use crate::program::{Component, Decoder, Fidelity, Footprint, Program};

/// A vector spin in the field x under its two multipliers.
#[derive(Debug, Clone, PartialEq)]
pub struct SphericalSpin {
    /// The field, `[d]`.
    pub field: Vec<f64>,
    /// λ: holds the mean at 0; 0 if the mean is free.
    pub lambda: f64,
    /// μ > 0: holds the mean square at 1.
    pub mu: f64,
    /// T.
    pub temperature: f64,
}

impl SphericalSpin {
    /// The saddle at `temperature` ≥ 0; `centred` is LayerNorm, otherwise RMSNorm.
    ///
    /// # Errors
    /// [`Error::Component`] if x is empty or not finite, T is negative, or T = 0 and σ = 0, where there is no direction to point in.
    pub fn saddle(field: &[f64], centred: bool, temperature: f64) -> Result<Self, Error> {
        let refuse = |violated| Err(Error::Component { component: "norm", violated });
        if field.is_empty() || field.iter().any(|x| !x.is_finite()) {
            return refuse("the field needs at least one component, all finite");
        }
        if !(temperature >= 0.0 && temperature.is_finite()) {
            return refuse("the temperature must be a finite number ≥ 0");
        }
        let d = field.len() as f64;
        let lambda = if centred { field.iter().sum::<f64>() / d } else { 0.0 };
        let variance = field.iter().map(|x| (x - lambda).powi(2)).sum::<f64>() / d;
        let mu = 0.25 * (temperature + (temperature * temperature + 4.0 * variance).sqrt());
        if mu <= 0.0 {
            return refuse("a field without variance has no norm at T = 0: give it a temperature");
        }
        Ok(Self { field: field.to_vec(), lambda, mu, temperature })
    }

    /// ⟨y⟩ = (x − λ)/2μ, `[d]`.
    pub fn mean(&self) -> Vec<f64> {
        self.field.iter().map(|x| (x - self.lambda) / (2.0 * self.mu)).collect()
    }

    /// Var y_a = T/2μ, the same for every component.
    pub fn variance(&self) -> f64 {
        self.temperature / (2.0 * self.mu)
    }

    /// E(y) with its multipliers; dimensionless.
    pub fn energy(&self, y: &[f64]) -> f64 {
        let term = |(x, y): (&f64, &f64)| (self.lambda - x) * y + self.mu * y * y;
        self.field.iter().zip(y).map(term).sum()
    }
}

/// LayerNorm (`centred`) or RMSNorm as a spherical spin at a temperature; the input is x, the output its norm without gain and bias.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Norm {
    /// Whether the mean is taken off.
    pub centred: bool,
    /// T ≥ 0, in the units of x.
    pub temperature: f64,
}

/// Exact Langevin dynamics of the spherical spin at its saddle: y ← m + e^(−1)(y − m) + √(1 − e^(−2)) √(T/2μ) ξ per sweep.
///
/// This is dy/dt = −∂E/∂y + √(2T) ξ(t) over one relaxation time 1/2μ, without discretisation. β of a run is not used: the
/// temperature belongs to the saddle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relaxed;

impl Update for Relaxed {
    type Model = SphericalSpin;
    type State = Vec<f64>;

    fn sweep(&mut self, model: &SphericalSpin, y: &mut Vec<f64>, _: Beta, streams: &mut Streams) -> Activity {
        let keep = libm::exp(-1.0);
        let kick = (model.variance() * (1.0 - keep * keep)).sqrt();
        for (y, x) in y.iter_mut().zip(&model.field) {
            let m = (x - model.lambda) / (2.0 * model.mu);
            let noise = if kick > 0.0 { kick * streams.first().normal() } else { 0.0 };
            *y = m + keep * (*y - m) + noise;
        }
        let d = y.len() as u64;
        // A normal number is counted as the 64 bits of a uniform one.
        Activity { attempts: d, flips: d, random_bits: 64 * d, ..Activity::default() }
    }
}

/// Reads the components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Components {
    /// How many.
    pub components: usize,
}

impl Decoder for Components {
    type State = Vec<f64>;

    fn width(&self) -> usize {
        self.components
    }

    fn read(&self, state: &Vec<f64>, sum: &mut [f64]) -> bool {
        sum.iter_mut().zip(state).for_each(|(sum, y)| *sum += y);
        true
    }
}

impl Component for Norm {
    type Input = [f64];
    type Update = Relaxed;
    type Decoder = Components;

    fn lower(&self, x: &[f64]) -> Result<Program<Relaxed, Components>, Error> {
        let model = SphericalSpin::saddle(x, self.centred, self.temperature)?;
        // |⟨y⟩ − (x − λ)/σ| ≤ (1 − shrink)·max|x − λ|/σ ≤ (1 − shrink)√d.
        let sigma = (2.0 * model.mu * (2.0 * model.mu - self.temperature)).max(0.0).sqrt();
        let shrink = sigma / (2.0 * model.mu);
        let fidelity = if self.temperature == 0.0 {
            Fidelity::Exact
        } else {
            Fidelity::Controlled { bound: (1.0 - shrink) * (x.len() as f64).sqrt() }
        };
        Ok(Program {
            // At rest where it will stay on average: nothing has to be waited for.
            start: model.mean(),
            model,
            clamps: Vec::new(),
            update: Relaxed,
            schedule: Schedule::Constant(Beta::new(1.0)?),
            decoder: Components { components: x.len() },
            fidelity,
        })
    }

    /// (x − mean)/σ, or x/rms: what is meant, at T = 0 and without ε.
    fn reference(&self, x: &[f64]) -> Result<Vec<f64>, Error> {
        Ok(SphericalSpin::saddle(x, self.centred, 0.0)?.mean())
    }

    fn footprint(&self, x: &[f64]) -> Footprint {
        let d = x.len() as u64;
        // The multipliers are two units that every component is coupled to.
        Footprint { spins: d + 2, couplings: 2 * d, fields: d, read_outs: d, ..Footprint::default() }
    }
}
