//! A model run with other inverse temperatures than its own.

use ndarray::{Array3, Axis};

use crate::reference::substrate::{Digital, Projections, Substrate};

/// Multiplies β₀ of every head by a factor; everything is exact.
///
/// Softmax sees β q·k only, so that scaling q by the factor is the same as scaling β.
#[derive(Debug, Clone, Default)]
pub struct Tempered {
    /// β/β₀, `[layers][heads]`; missing entries count as 1.
    pub factors: Vec<Vec<f64>>,
}

impl Substrate for Tempered {
    fn attention(&mut self, layer: usize, projections: &Projections<'_>) -> Array3<f32> {
        let Some(factors) = self.factors.get(layer) else { return Digital.attention(layer, projections) };
        let mut q = projections.q.to_owned();
        for (mut head, &factor) in q.axis_iter_mut(Axis(0)).zip(factors) {
            head.mapv_inplace(|x| x * factor as f32);
        }
        Digital.attention(layer, &Projections { q: q.view(), ..*projections })
    }
}
