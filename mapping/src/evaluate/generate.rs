//! Text that a decoder writes.

use std::ops::ControlFlow;

use ceas_sim::stream::{Purpose, Stream};
use ndarray::{ArrayView1, s};

use super::likelihood::ln_probability;
use crate::reference::Error;
use crate::reference::LanguageModel;
use crate::reference::substrate::Substrate;

/// How the next token is chosen from its logits. The host does it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Choice {
    /// The likeliest.
    Greedy,
    /// Drawn from p ∝ e^(logit/T); the draw for the token at a position is a function of (seed, position), the same on every
    /// substrate.
    Drawn {
        /// T > 0.
        temperature: f64,
        /// Seed of the draws.
        seed: u64,
    },
}

/// What came after a prompt.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Generated {
    /// The tokens, the one that ends the text included if it came.
    pub ids: Vec<u32>,
    /// ln p of every one of them.
    pub ln_p: Vec<f64>,
}

/// Continues `prompt` by at most `most` tokens, until one ends the text or `after_each` says so, which is called after every token.
///
/// The prompt is run at once, every further token by itself against the cache of keys and values.
///
/// # Errors
/// Those of [`crate::reference::decoder::Decoder::forward`]; [`Error::Length`] if prompt and continuation exceed the context.
pub fn generate(
    model: &LanguageModel,
    prompt: &[u32],
    most: usize,
    choice: Choice,
    substrate: &mut (impl Substrate + ?Sized),
    mut after_each: impl FnMut(u32) -> ControlFlow<()>,
) -> Result<Generated, Error> {
    let decoder = model.decoder();
    let mut cache = decoder.cache(prompt.len().saturating_add(most))?;
    let mut generated = Generated::default();
    let mut hidden = decoder.forward(prompt, &mut cache, substrate)?;
    while generated.ids.len() < most {
        let logits = decoder.logits(hidden.slice(s![-1.., ..]));
        let logits = logits.row(0);
        let id = choice.next(logits, prompt.len() + generated.ids.len());
        generated.ids.push(id);
        generated.ln_p.push(ln_probability(logits, id));
        let stop = after_each(id).is_break();
        if stop || model.tokens().is_end(id) || generated.ids.len() == most {
            break;
        }
        hidden = decoder.forward(&[id], &mut cache, substrate)?;
    }
    Ok(generated)
}

impl Choice {
    fn next(self, logits: ArrayView1<'_, f32>, position: usize) -> u32 {
        // The first of equals, so that a tie does not depend on the order of a scan.
        let likeliest = |best: usize, i: usize| if logits[i] > logits[best] { i } else { best };
        let best = (1..logits.len()).fold(0, likeliest);
        let Self::Drawn { temperature, seed } = self else { return best as u32 };
        let weight = |x: f32| libm::exp(f64::from(x - logits[best]) / temperature);
        let z: f64 = logits.iter().map(|&x| weight(x)).sum();
        let mut left = Stream::new(seed, Purpose::Instance, position as u64, 0).uniform() * z;
        for (id, &x) in logits.iter().enumerate() {
            left -= weight(x);
            if left < 0.0 {
                return id as u32;
            }
        }
        best as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_the_law_and_greed_takes_the_first_of_equals() {
        let logits = ndarray::arr1(&[0.0f32, 1.0, 1.0, -50.0]);
        assert_eq!(Choice::Greedy.next(logits.view(), 7), 1);
        let mut counts = [0.0; 4];
        const DRAWS: usize = 20_000;
        for position in 0..DRAWS {
            counts[Choice::Drawn { temperature: 0.5, seed: 1 }.next(logits.view(), position) as usize] += 1.0;
        }
        let z = 1.0 + 2.0 * libm::exp(2.0);
        for (count, p) in counts.iter().zip([1.0 / z, libm::exp(2.0) / z, libm::exp(2.0) / z, 0.0]) {
            // Five standard deviations: missed with probability 6e-7 by each.
            assert!((count / DRAWS as f64 - p).abs() <= 5.0 * (p * (1.0 - p) / DRAWS as f64).sqrt());
        }
        assert!((counts[0] / DRAWS as f64 - 1.0 / 3.0).abs() > 0.2, "T is not ignored");
    }
}
