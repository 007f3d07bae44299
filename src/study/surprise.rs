//! What moving β of a trained language model's heads does to the likelihood of texts.

use ceas_mapping::control::{Live, Tempered};
use ceas_mapping::evaluate::negative_log_likelihood;
use ceas_mapping::reference::{Error, LanguageModel};
use ceas_sim::statistics::{Estimate, Samples, jackknife::jackknife};
use rayon::prelude::*;
use serde::Serialize;

/// Texts and how likely their tokens are to the exact model.
pub struct Texts<'a> {
    model: &'a LanguageModel,
    ids: Vec<Vec<u32>>,
    exact: Vec<Vec<f64>>,
}

/// What one setting of β does. Errors are jackknife errors over the texts: tokens of one text share its subject.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Surprise {
    /// The setting.
    pub name: String,
    /// e^(mean −ln p of a token).
    pub perplexity: Estimate,
    /// Change of −ln p per token against the exact model on the same tokens, paired, in nats.
    pub change: Estimate,
    /// Share of the texts that became less likely.
    pub worse: f64,
}

impl<'a> Texts<'a> {
    /// Tokenises the texts, without a token for their beginning unless the tokenizer adds one, and runs the exact model.
    ///
    /// # Errors
    /// Those of the tokenizer and of the decoder.
    pub fn new(model: &'a LanguageModel, texts: &[String]) -> Result<Self, Error> {
        let context = model.decoder().config().context;
        let ids: Result<Vec<Vec<u32>>, Error> =
            texts.iter().map(|text| Ok(model.tokens().encode(text, context)?.ids)).collect();
        let mut texts = Self { model, ids: ids?, exact: Vec::new() };
        texts.exact = texts.run(&[])?;
        Ok(texts)
    }

    /// Tokens whose likelihood is measured.
    pub fn tokens(&self) -> usize {
        self.exact.iter().map(Vec::len).sum()
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The effect of multiplying β₀ of every head by `factors[layer][head]`.
    ///
    /// # Errors
    /// Those of the decoder.
    pub fn effect(&self, name: &str, factors: &[Vec<f64>]) -> Result<Surprise, Error> {
        Ok(self.against_exact(name, &self.run(factors)?))
    }

    /// The effect of thermostats that hold every head while the model reads one text after another.
    ///
    /// # Errors
    /// Those of the decoder.
    pub fn held(&self, name: &str, mut live: Live) -> Result<Surprise, Error> {
        let held: Result<Vec<Vec<f64>>, Error> = self
            .ids
            .iter()
            .map(|ids| negative_log_likelihood(self.model.decoder(), ids, &mut live))
            .collect();
        Ok(self.against_exact(name, &held?))
    }

    fn against_exact(&self, name: &str, moved: &[Vec<f64>]) -> Surprise {
        // Of every text: tokens, Σ −ln p, and by how much the exact model's is less.
        let rows: Vec<[f64; 3]> = moved
            .iter()
            .zip(&self.exact)
            .map(|(moved, exact)| {
                let sum: f64 = moved.iter().sum();
                [moved.len() as f64, sum, moved.iter().zip(exact).map(|(a, b)| a - b).sum()]
            })
            .collect();
        let worse = rows.iter().filter(|row| row[2] > 0.0).count() as f64 / rows.len().max(1) as f64;
        let none = Estimate { mean: f64::NAN, error: f64::NAN };
        let over = |f: &dyn Fn(&[f64; 3]) -> f64| {
            Samples::new(rows.clone()).map_or(none, |samples| jackknife(&samples, f))
        };
        Surprise {
            name: name.to_owned(),
            perplexity: over(&|[tokens, sum, _]| libm::exp(sum / tokens)),
            change: over(&|[tokens, _, change]| change / tokens),
            worse,
        }
    }

    fn run(&self, factors: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Error> {
        self.ids
            .par_iter()
            .map(|ids| {
                let mut substrate = Tempered { factors: factors.to_vec() };
                negative_log_likelihood(self.model.decoder(), ids, &mut substrate)
            })
            .collect()
    }
}
