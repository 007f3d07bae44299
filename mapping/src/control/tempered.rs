//! A model run with other inverse temperatures than its own.

use ndarray::{Array2, Array3, ArrayView2, Axis};

use crate::reference::layer::{FeedForward, LayerNorm};
use crate::reference::substrate::{Place, Projections, Substrate, softmax_attention};

/// Multiplies β₀ of every head by a factor and leaves everything else to `inner`.
///
/// Softmax sees β q·k only, so that scaling q by the factor is the same as scaling β.
#[derive(Debug, Clone)]
pub struct Tempered<S> {
    /// What computes feed-forward blocks and norms.
    pub inner: S,
    /// β/β₀, `[layers][heads]`; missing entries count as 1.
    pub factors: Vec<Vec<f64>>,
}

impl<S: Substrate> Substrate for Tempered<S> {
    fn attention(&mut self, layer: usize, projections: &Projections<'_>) -> Array3<f32> {
        let Some(factors) = self.factors.get(layer) else { return self.inner.attention(layer, projections) };
        let mut q = projections.q.to_owned();
        for (mut head, &factor) in q.axis_iter_mut(Axis(0)).zip(factors) {
            head.mapv_inplace(|x| x * factor as f32);
        }
        softmax_attention(&Projections { q: q.view(), ..*projections })
    }

    fn feed_forward(&mut self, layer: usize, x: ArrayView2<'_, f32>, block: &FeedForward) -> Array2<f32> {
        self.inner.feed_forward(layer, x, block)
    }

    fn norm(&mut self, place: Place, x: &mut Array2<f32>, norm: &LayerNorm) {
        self.inner.norm(place, x, norm);
    }
}
