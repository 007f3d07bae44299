//! A model that is held by its thermostats while it reads.

use ceas_sim::beta::Beta;
use ndarray::parallel::prelude::*;
use ndarray::{Array3, Axis};

use super::stream::TokenStream;
use super::thermostat::Control;
use crate::reference::substrate::{Digital, Projections, Substrate};

/// Attention whose every head has a [`TokenStream`] of its own: each row is weighed at the β that the rows before it led to, and moves it for the
/// rows after it. Everything else is exact.
///
/// Softmax sees β q·k only, so that scaling q of a row by β/β₀ is the same as scaling β. Rows with fewer than `least` keys are weighed at the β
/// of the moment and not shown to the thermostat.
#[derive(Debug, Clone)]
pub struct Live {
    control: Control,
    window: usize,
    least: usize,
    heads: Vec<Vec<TokenStream>>,
}

impl Live {
    /// Thermostats that start at β₀ and move every `window` rows of at least `least` keys.
    pub fn new(control: Control, window: usize, least: usize) -> Self {
        Self { control, window, least, heads: Vec::new() }
    }

    /// The present β of every head, `[layers][heads]`, as far as layers have been seen.
    pub fn betas(&self) -> Vec<Vec<f64>> {
        self.heads.iter().map(|layer| layer.iter().map(|head| head.beta().value()).collect()).collect()
    }
}

impl Substrate for Live {
    fn attention(&mut self, layer: usize, projections: &Projections<'_>) -> Array3<f32> {
        let textbook = f64::from(projections.beta());
        let Ok(start) = Beta::new(textbook) else { return Digital.attention(layer, projections) };
        let fresh = TokenStream::new(self.control, start, self.window);
        if self.heads.len() <= layer {
            self.heads.resize(layer + 1, Vec::new());
        }
        let streams = &mut self.heads[layer];
        streams.resize(projections.q.dim().0, fresh);
        let mut q = projections.q.to_owned();
        let least = self.least;
        q.axis_iter_mut(Axis(0)).into_par_iter().zip(streams.par_iter_mut()).enumerate().for_each(
            |(head, (mut rows, stream))| {
                let keys = projections.k.index_axis(Axis(0), head / projections.group());
                let mut scores: Vec<f64> = Vec::new();
                for (query, mut row) in rows.rows_mut().into_iter().enumerate() {
                    let exists = |key: &usize| projections.mask.get(*key).is_none_or(|exists| *exists);
                    let seen = (0..projections.visible(query)).filter(exists);
                    scores.clear();
                    scores.extend(seen.map(|key| -> f64 {
                        row.iter().zip(keys.row(key)).map(|(&q, &k)| f64::from(q) * f64::from(k)).sum()
                    }));
                    let factor = stream.beta().value() / textbook;
                    if scores.len() >= least {
                        stream.push_scores(&mut scores);
                    }
                    row.mapv_inplace(|x| x * factor as f32);
                }
            },
        );
        Digital.attention(layer, &Projections { q: q.view(), ..*projections })
    }
}
