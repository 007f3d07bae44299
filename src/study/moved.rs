//! What moving β of a trained model's heads does to what the model puts out: embeddings, and finding the other half of a text.

use ceas_mapping::control::{Live, Tempered};
use ceas_mapping::reference::substrate::Substrate;
use ceas_mapping::reference::{Error, Model};
use ceas_sim::statistics::Estimate;
use ndarray::Array1;
use rayon::prelude::*;
use serde::Serialize;

/// Softmax temperature of the InfoNCE loss over the pairs.
const CONTRAST: f64 = 0.05;

/// Pairs of texts that belong together, and their exact embeddings.
pub struct Pairs<'a> {
    model: &'a Model,
    texts: Vec<[String; 2]>,
    exact: Vec<[Array1<f64>; 2]>,
    exact_loss: Vec<f64>,
    exact_hits: Vec<bool>,
}

/// What one setting of β does. Errors are standard errors over the pairs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effect {
    /// The setting.
    pub name: String,
    /// Cosine to the exact embedding.
    pub cosine: Estimate,
    /// Share of first halves whose nearest second half is their own.
    pub top_1: Estimate,
    /// InfoNCE over the pairs, at a temperature of 0.05.
    pub loss: Estimate,
    /// The loss less the exact one, paired.
    pub loss_change: Estimate,
    /// Pairs found that exactness misses, and missed that it finds.
    pub gained_lost: [usize; 2],
}

impl<'a> Pairs<'a> {
    /// Splits each text after the sentence nearest to its middle, and encodes both halves exactly. Texts of one sentence are left out.
    ///
    /// # Errors
    /// Those of the encoder.
    pub fn new(model: &'a Model, texts: &[String]) -> Result<Self, Error> {
        let texts: Vec<[String; 2]> = texts.iter().filter_map(|text| halves(text)).collect();
        let mut pairs =
            Self { model, texts, exact: Vec::new(), exact_loss: Vec::new(), exact_hits: Vec::new() };
        pairs.exact = pairs.embed(&[])?;
        (pairs.exact_loss, pairs.exact_hits) = contrast(&pairs.exact);
        Ok(pairs)
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether no text had two sentences.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The effect of multiplying β₀ of every head by `factors[layer][head]`.
    ///
    /// # Errors
    /// Those of the encoder.
    pub fn effect(&self, name: &str, factors: &[Vec<f64>]) -> Result<Effect, Error> {
        Ok(self.against_exact(name, &self.embed(factors)?))
    }

    /// The effect of thermostats that hold every head while the model reads one half text after another: queries of a text are taken in order, and what
    /// a head was at the end of a text it is at the beginning of the next.
    ///
    /// # Errors
    /// Those of the encoder.
    pub fn held(&self, name: &str, mut live: Live) -> Result<Effect, Error> {
        let held: Result<Vec<[Array1<f64>; 2]>, Error> =
            self.texts.iter().map(|[a, b]| Ok([self.one(a, &mut live)?, self.one(b, &mut live)?])).collect();
        Ok(self.against_exact(name, &held?))
    }

    fn against_exact(&self, name: &str, moved: &[[Array1<f64>; 2]]) -> Effect {
        let (loss, hits) = contrast(moved);
        let cosines: Vec<f64> =
            moved.iter().zip(&self.exact).map(|(a, b)| 0.5 * (a[0].dot(&b[0]) + a[1].dot(&b[1]))).collect();
        let change: Vec<f64> = loss.iter().zip(&self.exact_loss).map(|(a, b)| a - b).collect();
        let count = |new: bool| {
            hits.iter().zip(&self.exact_hits).filter(|(now, before)| **now == new && **before != new).count()
        };
        let share: Vec<f64> = hits.iter().map(|&hit| f64::from(u8::from(hit))).collect();
        Effect {
            name: name.to_owned(),
            cosine: Estimate::of_independent(&cosines),
            top_1: Estimate::of_independent(&share),
            loss: Estimate::of_independent(&loss),
            loss_change: Estimate::of_independent(&change),
            gained_lost: [count(true), count(false)],
        }
    }

    fn embed(&self, factors: &[Vec<f64>]) -> Result<Vec<[Array1<f64>; 2]>, Error> {
        let one = |text: &str| self.one(text, &mut Tempered { factors: factors.to_vec() });
        self.texts.par_iter().map(|[a, b]| Ok([one(a)?, one(b)?])).collect()
    }

    fn one(&self, text: &str, substrate: &mut dyn Substrate) -> Result<Array1<f64>, Error> {
        let encoder = self.model.encoder();
        let sequence = self.model.tokens().encode(text, encoder.config().positions)?;
        Ok(encoder.forward(&sequence, substrate)?.sentence_embedding().mapv(f64::from))
    }
}

/// InfoNCE of every first half against all second halves, and whether its own is the nearest.
fn contrast(embeddings: &[[Array1<f64>; 2]]) -> (Vec<f64>, Vec<bool>) {
    embeddings
        .iter()
        .enumerate()
        .map(|(own, [first, _])| {
            let scores: Vec<f64> =
                embeddings.iter().map(|[_, second]| first.dot(second) / CONTRAST).collect();
            let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let z: f64 = scores.iter().map(|s| libm::exp(s - top)).sum();
            (top + libm::log(z) - scores[own], scores[own] == top)
        })
        .unzip()
}

/// The text cut after the sentence nearest to its middle.
fn halves(text: &str) -> Option<[String; 2]> {
    let middle = text.len() / 2;
    let cut = text.match_indices(". ").map(|(at, _)| at + 1).min_by_key(|at| at.abs_diff(middle))?;
    Some([text[..cut].trim().to_owned(), text[cut..].trim().to_owned()])
}

#[cfg(test)]
mod tests {
    use super::halves;

    #[test]
    fn a_text_is_cut_between_sentences() {
        assert_eq!(halves("One. Two. Three.").unwrap(), ["One. Two.", "Three."]);
        assert!(halves("One sentence only.").is_none());
    }
}
