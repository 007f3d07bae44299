//! What moving β of a trained language model's heads does to the likelihood of texts.

use ceas_mapping::control::Tempered;
use ceas_mapping::evaluate::negative_log_likelihood;
use ceas_mapping::reference::{Error, LanguageModel};
use ceas_sim::statistics::{Autocorrelation, Estimate};
use serde::Serialize;

/// Texts and how likely their tokens are to the exact model.
pub struct Texts<'a> {
    model: &'a LanguageModel,
    ids: Vec<Vec<u32>>,
    exact: Vec<Vec<f64>>,
}

/// What one setting of β does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Surprise {
    /// The setting.
    pub name: String,
    /// e^(mean −ln p of a token).
    pub perplexity: f64,
    /// Change of −ln p per token, paired, in nats; its error has grown by τ_int along the texts.
    pub change: Estimate,
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

    /// The effect of multiplying β₀ of every head by `factors[layer][head]`.
    ///
    /// # Errors
    /// Those of the decoder.
    pub fn effect(&self, name: &str, factors: &[Vec<f64>]) -> Result<Surprise, Error> {
        let moved = self.run(factors)?;
        let total: f64 = moved.iter().flatten().sum();
        let changes: Vec<Vec<f64>> = moved
            .iter()
            .zip(&self.exact)
            .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).collect())
            .collect();
        let all: Vec<f64> = changes.iter().flatten().copied().collect();
        let series: Vec<&[f64]> = changes.iter().map(Vec::as_slice).collect();
        // Texts of fewer than four tokens, or no change at all, have no autocorrelation.
        let change = match Autocorrelation::of(&series) {
            Ok(found) if found.mean.error.is_finite() => found.mean,
            _ => Estimate::of_independent(&all),
        };
        Ok(Surprise { name: name.to_owned(), perplexity: libm::exp(total / all.len() as f64), change })
    }

    fn run(&self, factors: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Error> {
        self.ids
            .iter()
            .map(|ids| {
                let mut substrate = Tempered { factors: factors.to_vec() };
                negative_log_likelihood(self.model.decoder(), ids, &mut substrate)
            })
            .collect()
    }
}
