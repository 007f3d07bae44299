//! The parts of a layer in f32: dense maps, LayerNorm, the feed-forward block.

use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::error::Error;
use super::weights::Weights;

/// Rows that one task computes. It does not depend on the number of threads, so neither does the result. Fewer rows would
/// pack the matrix more often, more would leave cores idle.
const ROWS: usize = 32;

/// An affine map y = x·W + b with `W` `[n_in, n_out]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// The matrix `[n_in, n_out]`: the transpose of what BERT checkpoints store.
    pub weight: Array2<f32>,
    /// The bias `[n_out]`.
    pub bias: Array1<f32>,
}

impl Dense {
    /// Reads `name.weight` `[n_out, n_in]` and `name.bias` `[n_out]`.
    ///
    /// # Errors
    /// Those of [`Weights::matrix`].
    pub fn read(weights: &Weights, name: &str, [n_in, n_out]: [usize; 2]) -> Result<Self, Error> {
        let stored = weights.matrix(&format!("{name}.weight"), [n_out, n_in])?;
        let weight = stored.t().as_standard_layout().into_owned();
        Ok(Self { weight, bias: weights.vector(&format!("{name}.bias"), n_out)? })
    }

    /// x·W + b for rows `x` `[n, n_in]`.
    ///
    /// The products go to the `matrixmultiply` kernels, which use fused multiply-add where the processor has it: two
    /// processors may differ in the last bits, two thread counts never do.
    pub fn apply(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut y = Array2::zeros((x.nrows(), self.weight.ncols()));
        y.axis_chunks_iter_mut(Axis(0), ROWS)
            .into_par_iter()
            .zip(x.axis_chunks_iter(Axis(0), ROWS))
            .for_each(|(mut y, x)| {
                y.assign(&self.bias);
                general_mat_mul(1.0, &x, &self.weight, 1.0, &mut y);
            });
        y
    }
}

/// LayerNorm: y = (x − mean)/√(var + ε)·γ + b over the columns of each row, with the biased variance.
///
/// Source: Ba, Kiros and Hinton, arXiv:1607.06450.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerNorm {
    /// The scale γ.
    pub scale: Array1<f32>,
    /// The shift b.
    pub shift: Array1<f32>,
    /// The ε under the root.
    pub epsilon: f32,
}

impl LayerNorm {
    /// Reads `name.weight` and `name.bias` `[width]`, or `name.gamma` and `name.beta` as old checkpoints call them.
    ///
    /// # Errors
    /// Those of [`Weights::vector`].
    pub fn read(weights: &Weights, name: &str, width: usize, epsilon: f32) -> Result<Self, Error> {
        let old = weights.shape(&format!("{name}.gamma")).is_some();
        let [scale, shift] = if old { ["gamma", "beta"] } else { ["weight", "bias"] };
        Ok(Self {
            scale: weights.vector(&format!("{name}.{scale}"), width)?,
            shift: weights.vector(&format!("{name}.{shift}"), width)?,
            epsilon,
        })
    }

    /// Normalises every row of `x` in place; sums are taken in f64.
    pub fn apply(&self, x: &mut Array2<f32>) {
        let n = x.ncols() as f64;
        for mut row in x.rows_mut() {
            let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
            let variance = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
            let rate = 1.0 / (variance + f64::from(self.epsilon)).sqrt();
            for ((x, scale), shift) in row.iter_mut().zip(&self.scale).zip(&self.shift) {
                *x = ((f64::from(*x) - mean) * rate) as f32 * scale + shift;
            }
        }
    }
}

/// The non-linearity of a feed-forward block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x·Φ(x) = x/2·(1 + erf(x/√2)), with `libm::erff` (error below 1 ulp). Source: Hendrycks and Gimpel, arXiv:1606.08415.
    Gelu,
    /// x/2·(1 + tanh(√(2/π)(x + 0.044715x³))), the approximation of the same source (`gelu_new`, `gelu_pytorch_tanh`).
    GeluTanh,
    /// max(x, 0).
    Relu,
}

impl Activation {
    /// The names that [`Activation::named`] knows.
    pub const NAMES: &'static str = "gelu, gelu_new, gelu_pytorch_tanh, relu";

    /// The activation that a configuration calls `name`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "gelu" => Some(Self::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" => Some(Self::GeluTanh),
            "relu" => Some(Self::Relu),
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
            Self::Gelu => 0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2)),
            Self::GeluTanh => {
                // √(2/π)
                const RATE: f32 = 0.797_884_6;
                0.5 * x * (1.0 + libm::tanhf(RATE * (x + 0.044_715 * x * x * x)))
            }
            Self::Relu => x.max(0.0),
        }
    }

    /// Maps every element in place.
    pub fn apply(self, x: &mut Array2<f32>) {
        x.axis_chunks_iter_mut(Axis(0), ROWS)
            .into_par_iter()
            .for_each(|mut rows| rows.mapv_inplace(|x| self.value(x)));
    }
}

/// The feed-forward block of a layer: up, non-linearity, down.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedForward {
    /// `[hidden, intermediate]`.
    pub up: Dense,
    /// Between the two.
    pub activation: Activation,
    /// `[intermediate, hidden]`.
    pub down: Dense,
}

impl FeedForward {
    /// down(activation(up(x))) for rows `x` `[n, hidden]`.
    pub fn apply(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut inner = self.up.apply(x);
        self.activation.apply(&mut inner);
        self.down.apply(inner.view())
    }
}
