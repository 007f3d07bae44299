//! A whole transformer on a GPU: what runs in one pass, and how long a batch takes from prompt to last token.
//!
//! Weights pass through the memory once a step and are shared by the batch; keys and values are not. Per layer there are the
//! products q k v, o, and two or three of the feed-forward block, attention, and passes over the activations; after the last
//! layer the vocabulary. Embedding look-ups are not counted.

use serde::Serialize;

use super::kernel::{Attention, Kernel, Product, Work};
use super::price::Load;
use super::series::Format;
use super::{Gpu, GpuCost};
use crate::error::Error;
use crate::interval::Interval;
use crate::units::Seconds;
use crate::workload::{Shape, Transformer};

/// A batch that is read and continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// Sequences.
    pub sequences: u64,
    /// Tokens of each prompt.
    pub prompt: u64,
    /// Tokens generated for each.
    pub generated: u64,
}

/// Numbers of the residual stream that the passes over activations of one layer move for one token: two norms, two residual
/// additions, rotation; and of the feed-forward block: gate, up and their product.
const STREAMED: (u64, u64) = (12, 3);
/// Contexts at which decoding is priced between the first and the last token; the time between them is nearly linear.
const STEPS: u64 = 8;

impl Transformer {
    /// (inner, columns) of the products of one layer; `None` if they leave 64 bits.
    fn layer_products(&self) -> Option<[(u64, u64); 4]> {
        let heads = self.kv_heads.checked_mul(2)?.checked_add(self.heads)?;
        let wide = self.d_head.checked_mul(heads)?;
        let up = self.intermediate.checked_mul(if self.gated { 2 } else { 1 })?;
        Some([
            (self.hidden, wide),
            (self.d_head.checked_mul(self.heads)?, self.hidden),
            (self.hidden, up),
            (self.intermediate, self.hidden),
        ])
    }

    /// What one pass of `fresh` tokens of every sequence runs, with `context` tokens already in the cache.
    ///
    /// # Errors
    /// [`Error::Workload`] if a dimension is 0, kv_heads does not divide heads, or counts leave 64 bits.
    pub fn pass(
        &self,
        sequences: u64,
        fresh: u64,
        context: u64,
        format: Format,
    ) -> Result<Vec<Kernel>, Error> {
        let refuse = |reason: String| Err(Error::Workload { reason });
        let sizes = [self.layers, self.hidden, self.heads, self.kv_heads, self.d_head];
        let others = [self.intermediate, self.vocabulary, sequences, fresh];
        if sizes.contains(&0) || others.contains(&0) || !self.heads.is_multiple_of(self.kv_heads) {
            return refuse(format!(
                "{self:?}, {sequences} sequences of {fresh} tokens: every number must be at least 1, and kv_heads must divide heads"
            ));
        }
        let limit = 1u64 << 40;
        if sizes.iter().chain(&others).any(|&x| x > limit) || context > limit {
            return refuse(format!("{self:?}: no dimension is larger than 2⁴⁰"));
        }
        let total = u128::from(sequences) * u128::from(fresh);
        let Ok(rows) = u64::try_from(total) else {
            return refuse(format!("{sequences} sequences of {fresh} tokens are more than 64 bits count"));
        };
        let Some(products) = self.layer_products() else {
            return refuse(format!("{self:?}: the matrices of a layer are larger than 64 bits count"));
        };
        let keys = context + fresh;
        // Token i of the fresh ones sees the context and i + 1 fresh tokens; in an encoder it sees all.
        let seen = u128::from(fresh) + u128::from(self.causal);
        let pairs = u128::from(fresh) * seen / if self.causal { 2 } else { 1 };
        let pairs = u128::from(fresh) * u128::from(context) + pairs;
        let shape = Shape {
            n_queries: fresh,
            n_keys: keys,
            d_head: self.d_head,
            d_value: self.d_head,
            pairs: u64::try_from(pairs).unwrap_or(u64::MAX),
            causal: self.causal && fresh > 1,
        }
        .checked()?;
        let attention = Attention { sequences, heads: self.heads, kv_heads: self.kv_heads, shape };
        let numbers = STREAMED.0 * self.hidden + STREAMED.1 * self.intermediate;
        let layers = self.layers;
        let mut kernels = vec![
            // A split over the keys needs a second launch that combines the parts.
            Kernel {
                work: Work::Attention(attention),
                times: layers,
                launches: if fresh == 1 { 2 } else { 1 },
            },
            Kernel {
                work: Work::Stream(rows as f64 * numbers as f64 * format.bytes()),
                times: layers,
                launches: 4,
            },
        ];
        kernels.extend(products.map(|(inner, columns)| Kernel {
            work: Work::Product(Product { rows, inner, columns }),
            times: layers,
            launches: 1,
        }));
        // Only the last token of every sequence meets the vocabulary.
        let vocabulary = Product { rows: sequences, inner: self.hidden, columns: self.vocabulary };
        kernels.push(Kernel { work: Work::Product(vocabulary), times: 1, launches: 1 });
        Ok(kernels)
    }
}

impl Gpu {
    /// Time and energy of one pass of a transformer.
    ///
    /// # Errors
    /// As [`Transformer::pass`].
    pub fn price_pass(
        &self,
        model: &Transformer,
        sequences: u64,
        fresh: u64,
        context: u64,
        format: Format,
    ) -> Result<GpuCost, Error> {
        self.price_kernels(&model.pass(sequences, fresh, context, format)?, format, Load::Replayed)
    }

    /// Time from prompt to last token of a batch: one pass over the prompts, then a step for every token, with a cache that
    /// grows.
    ///
    /// # Errors
    /// As [`Transformer::pass`].
    pub fn generation(
        &self,
        model: &Transformer,
        batch: &Batch,
        format: Format,
    ) -> Result<Interval<Seconds>, Error> {
        let mut total = self.price_pass(model, batch.sequences, batch.prompt, 0, format)?.time;
        // The prompt gives the first token; the others take a step each.
        let steps = batch.generated.saturating_sub(1);
        let parts = STEPS.min(steps);
        for i in 0..parts {
            let (from, to) = (steps * i / parts, steps * (i + 1) / parts);
            let context = batch.prompt + (from + to) / 2;
            let step = self.price_pass(model, batch.sequences, 1, context, format)?.time;
            total = total + step.scaled((to - from) as f64);
        }
        Ok(total)
    }
}
