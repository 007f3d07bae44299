//! The parts of a layer in f32: dense maps, norms, the feed-forward block.

use ceas_sim::kernel::wide::{Loop, widest};
use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::checkpoint::Checkpoint;
use super::error::Error;
use super::exponential::{logistic, normal};
use super::matrix::Matrix;

/// Rows that one task computes. It does not depend on the number of threads, so neither does the result.
const ROWS: usize = 32;

/// An affine map y = x·Wᵀ + b.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// The matrix `[n_out, n_in]`, as checkpoints store it.
    pub weight: Matrix,
    /// The bias `[n_out]`, if there is one.
    pub bias: Option<Array1<f32>>,
}

impl Dense {
    /// Reads `name.weight` `[n_out, n_in]` and, if `bias`, `name.bias` `[n_out]`.
    ///
    /// # Errors
    /// Those of [`Checkpoint::matrix`].
    pub fn read(
        checkpoint: &Checkpoint,
        name: &str,
        [n_in, n_out]: [usize; 2],
        bias: bool,
    ) -> Result<Self, Error> {
        let weight = checkpoint.matrix(&format!("{name}.weight"), [n_out, n_in])?;
        let bias = bias.then(|| checkpoint.vector(&format!("{name}.bias"), n_out)).transpose()?;
        Ok(Self { weight, bias })
    }

    /// x·Wᵀ + b for rows `x` `[n, n_in]`; see [`Matrix::apply`] for what is the same on every processor.
    pub fn apply(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut y = Array2::zeros((x.nrows(), self.weight.n_out()));
        if let Some(bias) = &self.bias {
            y.rows_mut().into_iter().for_each(|mut row| row.assign(bias));
        }
        self.weight.add_to(x, &mut y);
        y
    }
}

/// A normalisation of rows: y = (x − c)/√(⟨(x − c)²⟩ + ε)·γ + b, the average being over the columns of a row.
///
/// LayerNorm takes c = ⟨x⟩ and has a shift b (Ba, Kiros and Hinton, arXiv:1607.06450); RMSNorm takes c = 0 and has none (Zhang and
/// Sennrich, arXiv:1910.07467).
#[derive(Debug, Clone, PartialEq)]
pub struct Norm {
    /// Whether the mean is removed (LayerNorm) or not (RMSNorm).
    pub centred: bool,
    /// The scale γ.
    pub scale: Array1<f32>,
    /// The shift b; none in RMSNorm.
    pub shift: Option<Array1<f32>>,
    /// The ε under the root.
    pub epsilon: f32,
}

impl Norm {
    /// A LayerNorm: `name.weight` and `name.bias` `[width]`, or `name.gamma` and `name.beta` as old checkpoints call them.
    ///
    /// # Errors
    /// Those of [`Checkpoint::vector`].
    pub fn layer(checkpoint: &Checkpoint, name: &str, width: usize, epsilon: f32) -> Result<Self, Error> {
        let old = checkpoint.contains(&format!("{name}.gamma"));
        let [scale, shift] = if old { ["gamma", "beta"] } else { ["weight", "bias"] };
        Ok(Self {
            centred: true,
            scale: checkpoint.vector(&format!("{name}.{scale}"), width)?,
            shift: Some(checkpoint.vector(&format!("{name}.{shift}"), width)?),
            epsilon,
        })
    }

    /// An RMSNorm: `name.weight` `[width]`.
    ///
    /// # Errors
    /// Those of [`Checkpoint::vector`].
    pub fn root_mean_square(
        checkpoint: &Checkpoint,
        name: &str,
        width: usize,
        epsilon: f32,
    ) -> Result<Self, Error> {
        let scale = checkpoint.vector(&format!("{name}.weight"), width)?;
        Ok(Self { centred: false, scale, shift: None, epsilon })
    }

    /// Mean c that is removed and the average ⟨(x − c)²⟩ of a row, in f64.
    pub fn moments(&self, row: impl ExactSizeIterator<Item = f32> + Clone) -> [f64; 2] {
        let n = row.len() as f64;
        let mean = if self.centred { row.clone().map(f64::from).sum::<f64>() / n } else { 0.0 };
        [mean, row.map(|x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n]
    }

    /// Normalises every row of `x` in place; sums are taken in f64.
    pub fn apply(&self, x: &mut Array2<f32>) {
        self.apply_with(x, |_, [_, square]| 1.0 / (square + f64::from(self.epsilon)).sqrt());
    }

    /// Normalises every row with a rate of its own, which `rate` makes from the number of the row and its moments, in place of
    /// 1/√(⟨(x − c)²⟩ + ε).
    pub fn apply_with(&self, x: &mut Array2<f32>, rate: impl Fn(usize, [f64; 2]) -> f64 + Sync) {
        x.axis_chunks_iter_mut(Axis(0), ROWS).into_par_iter().enumerate().for_each(|(task, mut rows)| {
            for (index, mut row) in rows.rows_mut().into_iter().enumerate() {
                let moments = self.moments(row.iter().copied());
                let rate = rate(task * ROWS + index, moments);
                for (x, scale) in row.iter_mut().zip(&self.scale) {
                    *x = ((f64::from(*x) - moments[0]) * rate) as f32 * scale;
                }
                if let Some(shift) = &self.shift {
                    row += shift;
                }
            }
        });
    }
}

/// The non-linearity of a feed-forward block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x·Φ(x) = x/2·(1 + erf(x/√2)), Φ to within 2⁻²¹. Source: Hendrycks and Gimpel, arXiv:1606.08415.
    Gelu,
    /// x/2·(1 + tanh(√(2/π)(x + 0.044715x³))), the approximation of the same source (`gelu_new`, `gelu_pytorch_tanh`).
    GeluTanh,
    /// max(x, 0).
    Relu,
    /// x·σ(x) = x/(1 + e^(−x)) (`silu`, `swish`). Source: Elfwing, Uchibe and Doya, arXiv:1702.03118.
    Silu,
}

impl Activation {
    /// The names that [`Activation::named`] knows.
    pub const NAMES: &'static str = "gelu, gelu_new, gelu_pytorch_tanh, relu, silu";

    /// The activation that a configuration calls `name`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "gelu" => Some(Self::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" => Some(Self::GeluTanh),
            "relu" => Some(Self::Relu),
            "silu" | "swish" => Some(Self::Silu),
            _ => None,
        }
    }

    /// Its value.
    ///
    /// ```
    /// use ceas_mapping::reference::layer::Activation;
    /// assert!((Activation::Gelu.value(1.0) - 0.841_344_75).abs() < 1e-7);
    /// assert_eq!(Activation::Relu.value(-1.0), 0.0);
    /// ```
    pub fn value(self, x: f32) -> f32 {
        match self {
            Self::Gelu => x * normal(x),
            Self::GeluTanh => {
                // √(2/π)
                const RATE: f32 = 0.797_884_6;
                0.5 * x * (1.0 + libm::tanhf(RATE * (x + 0.044_715 * x * x * x)))
            }
            Self::Relu => x.max(0.0),
            Self::Silu => x * logistic(x),
        }
    }

    /// Maps every element in place.
    pub fn apply(self, x: &mut Array2<f32>) {
        x.axis_chunks_iter_mut(Axis(0), ROWS).into_par_iter().for_each(|mut rows| {
            match rows.as_slice_mut() {
                Some(rows) => widest(Each { activation: self, rows }),
                None => rows.mapv_inplace(|x| self.value(x)),
            }
        });
    }
}

struct Each<'a> {
    activation: Activation,
    rows: &'a mut [f32],
}

impl Loop for Each<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        match self.activation {
            // Those without a call in them: their loops are worth being loops of their own.
            Activation::Gelu => self.rows.iter_mut().for_each(|x| *x *= normal(*x)),
            Activation::Silu => self.rows.iter_mut().for_each(|x| *x *= logistic(*x)),
            other => self.rows.iter_mut().for_each(|x| *x = other.value(*x)),
        }
    }
}

/// The feed-forward block of a layer: down(act(up(x))), or gated down(act(gate(x)) ⊙ up(x)).
///
/// Source of the gated form: Shazeer, arXiv:2002.05202.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedForward {
    /// `[intermediate, hidden]`, for gated blocks.
    pub gate: Option<Dense>,
    /// `[intermediate, hidden]`.
    pub up: Dense,
    /// Of `gate`, or of `up` where there is no gate.
    pub activation: Activation,
    /// `[hidden, intermediate]`.
    pub down: Dense,
}

impl FeedForward {
    /// The block for rows `x` `[n, hidden]`, its non-linearity computed by `activate`.
    pub fn apply_with(
        &self,
        x: ArrayView2<'_, f32>,
        activate: impl FnOnce(&mut Array2<f32>, Activation),
    ) -> Array2<f32> {
        let inner = match &self.gate {
            Some(gate) => {
                let mut inner = gate.apply(x);
                activate(&mut inner, self.activation);
                inner *= &self.up.apply(x);
                inner
            }
            None => {
                let mut inner = self.up.apply(x);
                activate(&mut inner, self.activation);
                inner
            }
        };
        self.down.apply(inner.view())
    }

    /// The same, exactly.
    pub fn apply(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        self.apply_with(x, |inner, activation| activation.apply(inner))
    }
}
