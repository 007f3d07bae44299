//! A layer of uncoupled units, one per activation.

use ceas_sim::Beta;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::topology::Topology;

use crate::error::Error;
use crate::pbits::{Noise, PBits};
use crate::program::{Component, Decoder, Fidelity, Footprint, Program};

/// An activation that one p-bit computes in the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// x σ(x).
    Silu,
    /// x Φ(x), by a comparator with Gaussian noise of standard deviation 1.
    Gelu,
    /// x σ(2√(2/π)(x + 0.044715x³)), which is x/2·(1 + tanh √(2/π)(x + 0.044715x³)).
    GeluTanh,
    /// max(x, 0): a comparator without noise.
    Relu,
    /// tanh(x): the bit itself as ±1.
    Tanh,
    /// x σ(bx) in the place of GELU.
    Surrogate {
        /// The inverse temperature b: [`Activation::SIGMOID_GELU`] or [`Activation::MINIMAX_GELU`].
        b: f64,
    },
}

impl Activation {
    /// b of the usual sigmoid approximation of GELU (Hendrycks and Gimpel, arXiv:1606.08415): it is off by up to 0.02033.
    pub const SIGMOID_GELU: f64 = 1.702;
    /// b for which the largest error of x σ(bx) as a GELU is least: 0.01393.
    pub const MINIMAX_GELU: f64 = 1.773;

    /// Shape of the comparator's noise.
    pub fn noise(self) -> Noise {
        if self == Self::Gelu { Noise::Gaussian { scale: 1.0 } } else { Noise::Logistic }
    }

    /// What the comparator sees for the pre-activation x, in units of its noise: P(up) = F(input).
    pub fn input(self, x: f64) -> f64 {
        // √(2/π)
        const RATE: f64 = 0.797_884_560_802_865_4;
        match self {
            Self::Silu | Self::Gelu => x,
            Self::GeluTanh => 2.0 * RATE * (x + 0.044_715 * x * x * x),
            Self::Relu => {
                if x > 0.0 {
                    COLD
                } else {
                    -COLD
                }
            }
            Self::Tanh => 2.0 * x,
            Self::Surrogate { b } => b * x,
        }
    }

    /// What is added up when the bit is up and when it is down: x and 0, for [`Activation::Tanh`] 1 and −1.
    pub fn levels(self, x: f64) -> [f64; 2] {
        if self == Self::Tanh { [1.0, -1.0] } else { [x, 0.0] }
    }

    /// P(up).
    pub fn up(self, x: f64) -> f64 {
        self.noise().up(self.input(x))
    }

    /// The mean of a read-out: the activation.
    ///
    /// ```
    /// use ceas_mapping::feed_forward::Activation;
    /// assert!((Activation::Gelu.value(1.0) - 0.841_344_746_068_543).abs() < 1e-14);
    /// assert!((Activation::Tanh.value(0.3) - 0.3f64.tanh()).abs() < 1e-15);
    /// assert_eq!(Activation::Relu.value(-3.0), 0.0);
    /// ```
    pub fn value(self, x: f64) -> f64 {
        let [up, down] = self.levels(x);
        let p = self.up(x);
        p * up + (1.0 - p) * down
    }

    /// The variance of one read-out: x²p(1 − p), for tanh 4p(1 − p).
    pub fn variance(self, x: f64) -> f64 {
        let [up, down] = self.levels(x);
        let p = self.up(x);
        (up - down).powi(2) * p * (1.0 - p)
    }

    /// How the mean relates to the activation that is meant.
    pub fn fidelity(self) -> Fidelity {
        match self {
            Self::Surrogate { b } => Fidelity::Controlled { bound: surrogate_error(b).0 },
            _ => Fidelity::ExactInLaw,
        }
    }
}

/// Logits beyond which a comparator without noise never errs: σ(−800) underflows to 0.
const COLD: f64 = 800.0;

/// The largest |x σ(bx) − x Φ(x)| and the x > 0 where it is, by a grid of step 1e-4 and a parabola; both functions differ from theirs at −x by x
/// alone, so x > 0 is enough. Beyond x = 12 both are x to 1e-8 for b ≥ 1.6.
pub fn surrogate_error(b: f64) -> (f64, f64) {
    const STEP: f64 = 1e-4;
    let error = |x: f64| (Activation::Surrogate { b }.value(x) - Activation::Gelu.value(x)).abs();
    let top = (1..120_000).map(|i| STEP * f64::from(i)).max_by(|a, b| error(*a).total_cmp(&error(*b)));
    let x = top.expect("the grid has points");
    let (left, middle, right) = (error(x - STEP), error(x), error(x + STEP));
    let bend = left - 2.0 * middle + right;
    let shift = if bend < 0.0 { 0.5 * (left - right) / bend } else { 0.0 };
    (middle - 0.25 * (left - right) * shift, x + shift * STEP)
}

/// −F of a two-level unit in the field x at inverse temperature b: softplus(bx)/b.
pub fn minus_free_energy(x: f64, b: f64) -> f64 {
    let y = b * x;
    (y.max(0.0) + libm::log1p(libm::exp(-y.abs()))) / b
}

/// −U of the same unit: x σ(bx).
pub fn minus_internal_energy(x: f64, b: f64) -> f64 {
    x * Noise::Logistic.up(b * x)
}

/// Its entropy −p ln p − (1 − p) ln(1 − p), p = σ(bx), in nats.
pub fn entropy(x: f64, b: f64) -> f64 {
    let (p, q) = (Noise::Logistic.up(b * x), Noise::Logistic.up(-b * x));
    let term = |p: f64| if p > 0.0 { -p * libm::log(p) } else { 0.0 };
    term(p) + term(q)
}

/// A layer of activations: the input is the vector of pre-activations, the output their activations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gates {
    /// The activation.
    pub activation: Activation,
}

/// Adds up the levels of the bits.
#[derive(Debug, Clone, PartialEq)]
pub struct GateReadout {
    /// What each bit adds, up and down.
    levels: Vec<[f64; 2]>,
}

impl GateReadout {
    /// What each bit adds, up and down.
    pub(super) fn new(levels: Vec<[f64; 2]>) -> Self {
        Self { levels }
    }
}

impl Decoder for GateReadout {
    type State = Spins;

    fn width(&self) -> usize {
        self.levels.len()
    }

    fn read(&self, state: &Spins, sum: &mut [f64]) -> bool {
        for ((sum, [up, down]), &s) in sum.iter_mut().zip(&self.levels).zip(state.as_slice()) {
            *sum += if s == 1 { up } else { down };
        }
        true
    }
}

/// Uncoupled p-bits with the inputs given, in logits at β = 1.
pub(super) fn uncoupled(inputs: impl ExactSizeIterator<Item = f64>) -> Result<Hamiltonian, Error> {
    let fields: Vec<f64> = inputs.map(|x| 0.5 * x).collect();
    let topology = Topology::from_bonds(fields.len(), &[])?;
    Ok(Hamiltonian::new(topology, Couplings::Uniform(0.0), Field::PerSite(fields))?)
}

impl Component for Gates {
    type Input = [f64];
    type Update = PBits;
    type Decoder = GateReadout;

    fn lower(&self, x: &[f64]) -> Result<Program<PBits, GateReadout>, Error> {
        let model = uncoupled(x.iter().map(|&x| self.activation.input(x)))?;
        Ok(Program {
            model,
            clamps: Vec::new(),
            start: Spins::up(x.len()),
            update: PBits::new(self.activation.noise()),
            schedule: Schedule::Constant(Beta::new(1.0)?),
            decoder: GateReadout { levels: x.iter().map(|&x| self.activation.levels(x)).collect() },
            fidelity: self.activation.fidelity(),
        })
    }

    /// The activation that is meant: of a surrogate, GELU.
    fn reference(&self, x: &[f64]) -> Result<Vec<f64>, Error> {
        let meant = if let Activation::Surrogate { .. } = self.activation {
            Activation::Gelu
        } else {
            self.activation
        };
        Ok(x.iter().map(|&x| meant.value(x)).collect())
    }

    fn footprint(&self, x: &[f64]) -> Footprint {
        let n = x.len() as u64;
        Footprint { spins: n, fields: n, read_outs: n, ..Footprint::default() }
    }
}
