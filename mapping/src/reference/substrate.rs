//! What computes the parts of a layer: exactly, or on something else.

use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis};

use super::layer::{FeedForward, LayerNorm};

/// Queries, keys and values of all heads of one layer, each `[heads, n, d_head]`; q carries no 1/√d_head.
#[derive(Debug, Clone, Copy)]
pub struct Projections<'a> {
    /// Queries.
    pub q: ArrayView3<'a, f32>,
    /// Keys.
    pub k: ArrayView3<'a, f32>,
    /// Values.
    pub v: ArrayView3<'a, f32>,
    /// For each key, whether it exists (`false`: padding).
    pub mask: &'a [bool],
}

/// Which LayerNorm of the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// After the sum of embeddings.
    Embeddings,
    /// After the attention of this layer.
    Attention(usize),
    /// After the feed-forward block of this layer.
    FeedForward(usize),
}

/// What computes attention, feed-forward and norm inside [`super::encoder::Encoder::forward`].
///
/// Every method is exact unless it is replaced; `layer` lets an implementation replace some layers only, by calling the
/// exact one for the others.
pub trait Substrate {
    /// The context Σ_j p_j v_j of every head and query, `[heads, n, d_head]`.
    fn attention(&mut self, _layer: usize, projections: &Projections<'_>) -> Array3<f32> {
        softmax_attention(projections)
    }

    /// The feed-forward block for rows `x` `[n, hidden]`, without the residual sum.
    fn feed_forward(&mut self, _layer: usize, x: ArrayView2<'_, f32>, block: &FeedForward) -> Array2<f32> {
        block.apply(x)
    }

    /// Normalises every row of `x` `[n, hidden]` in place.
    fn norm(&mut self, _place: Place, x: &mut Array2<f32>, norm: &LayerNorm) {
        norm.apply(x);
    }
}

/// Everything exact.
#[derive(Debug, Clone, Copy, Default)]
pub struct Digital;

impl Substrate for Digital {}

/// Keeps the queries, keys and values of every layer on their way to `inner`.
#[derive(Debug, Default)]
pub struct Recorder<S> {
    /// What computes.
    pub inner: S,
    /// For each layer q, k, v, each `[heads, n, d_head]`.
    pub layers: Vec<[Array3<f32>; 3]>,
}

impl<S: Substrate> Substrate for Recorder<S> {
    fn attention(&mut self, layer: usize, projections: &Projections<'_>) -> Array3<f32> {
        self.layers.push([projections.q, projections.k, projections.v].map(|x| x.to_owned()));
        self.inner.attention(layer, projections)
    }

    fn feed_forward(&mut self, layer: usize, x: ArrayView2<'_, f32>, block: &FeedForward) -> Array2<f32> {
        self.inner.feed_forward(layer, x, block)
    }

    fn norm(&mut self, place: Place, x: &mut Array2<f32>, norm: &LayerNorm) {
        self.inner.norm(place, x, norm);
    }
}

/// Exact attention: p_j ∝ e^(β₀ q·k_j) over the keys that exist, β₀ = 1/√d_head, context Σ_j p_j v_j.
///
/// Heads are computed in parallel, each by one task. Exponentials are `libm::expf`. Shapes as in [`Projections`].
/// Source: Vaswani et al., arXiv:1706.03762.
pub fn softmax_attention(projections: &Projections<'_>) -> Array3<f32> {
    let Projections { q, k, v, mask } = *projections;
    let beta = 1.0 / (q.dim().2 as f32).sqrt();
    let mut context = Array3::zeros((v.dim().0, q.dim().1, v.dim().2));
    context.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(head, mut context)| {
        let [q, k, v] = [q, k, v].map(|x| x.index_axis_move(Axis(0), head));
        let mut rows = Array2::zeros((q.nrows(), k.nrows()));
        general_mat_mul(beta, &q, &k.t(), 0.0, &mut rows);
        for mut row in rows.rows_mut() {
            let existing = || mask.iter().copied();
            let peak = row.iter().zip(existing()).filter(|(_, exists)| *exists).map(|(&s, _)| s);
            let peak = peak.fold(f32::NEG_INFINITY, f32::max);
            let mut sum = 0.0;
            for (p, exists) in row.iter_mut().zip(existing()) {
                *p = if exists { libm::expf(*p - peak) } else { 0.0 };
                sum += *p;
            }
            row /= sum;
        }
        general_mat_mul(1.0, &rows, &v, 0.0, &mut context);
    });
    context
}
