//! The likelihood of a text, and how far the laws of its tokens move.

use ndarray::{Array2, ArrayView1, s};

use crate::reference::Error;
use crate::reference::decoder::Decoder;
use crate::reference::substrate::{Digital, Substrate};

/// Positions whose logits are held at once.
const POSITIONS: usize = 64;

/// The same where two laws are held at once.
const PAIRS: usize = 4;

/// −ln p(token i + 1 | tokens 0 … i) of every token of `ids` after the first, in nats: one number fewer than there are tokens.
///
/// ln Z is summed in f64. Logits are made for 64 positions at a time.
///
/// # Errors
/// Those of [`Decoder::forward`]; [`Error::Length`] for fewer than two tokens.
pub fn negative_log_likelihood(
    decoder: &Decoder,
    ids: &[u32],
    substrate: &mut (impl Substrate + ?Sized),
) -> Result<Vec<f64>, Error> {
    if ids.len() < 2 {
        return Err(Error::Length { got: ids.len(), limit: decoder.config().context });
    }
    let mut cache = decoder.cache(ids.len())?;
    let hidden = decoder.forward(ids, &mut cache, substrate)?;
    let mut nll = Vec::with_capacity(ids.len() - 1);
    for first in (0..ids.len() - 1).step_by(POSITIONS) {
        let last = (first + POSITIONS).min(ids.len() - 1);
        let logits = decoder.logits(hidden.slice(s![first..last, ..]));
        let rows = logits.rows().into_iter().zip(&ids[first + 1..=last]);
        nll.extend(rows.map(|(row, &id)| -ln_probability(row, id)));
    }
    Ok(nll)
}

/// KL(p‖q) = Σ p ln(p/q) of the law of the next token, exact (p) and on `substrate` (q), in nats, for every token of `ids` from the
/// one at `from` on: `ids.len() − from` numbers. Both are given the same text before it.
///
/// # Errors
/// Those of [`Decoder::forward`]; [`Error::Length`] if `from` is 0 or leaves no token.
pub fn next_token_divergence(
    decoder: &Decoder,
    ids: &[u32],
    from: usize,
    substrate: &mut (impl Substrate + ?Sized),
) -> Result<Vec<f64>, Error> {
    if from == 0 || from >= ids.len() {
        return Err(Error::Length { got: ids.len(), limit: decoder.config().context });
    }
    let given = &ids[..ids.len() - 1];
    // A long beginning need not be held twice.
    let end_of = |hidden: Array2<f32>| hidden.slice(s![from - 1.., ..]).to_owned();
    let exact = end_of(decoder.forward(given, &mut decoder.cache(given.len())?, &mut Digital)?);
    let sampled = end_of(decoder.forward(given, &mut decoder.cache(given.len())?, substrate)?);
    let laws = ids.len() - from;
    let mut divergence = Vec::with_capacity(laws);
    for first in (0..laws).step_by(PAIRS) {
        let rows = s![first..(first + PAIRS).min(laws), ..];
        let [p, q] = [&exact, &sampled].map(|hidden| decoder.logits(hidden.slice(rows)));
        divergence.extend(p.rows().into_iter().zip(q.rows()).map(|(p, q)| divergence_of(p, q)));
    }
    Ok(divergence)
}

/// KL of the laws of two rows of logits.
fn divergence_of(p: ArrayView1<'_, f32>, q: ArrayView1<'_, f32>) -> f64 {
    let ([p_peak, p_ln_z], [q_peak, q_ln_z]) = (normaliser(p), normaliser(q));
    let term = |(&x, &y): (&f32, &f32)| {
        let ln_p = f64::from(x) - p_peak - p_ln_z;
        ln_p.exp() * (ln_p - (f64::from(y) - q_peak - q_ln_z))
    };
    p.iter().zip(q).map(term).sum()
}

/// ln p of one token.
pub(super) fn ln_probability(logits: ArrayView1<'_, f32>, id: u32) -> f64 {
    let [peak, ln_z] = normaliser(logits);
    f64::from(logits[id as usize]) - peak - ln_z
}

/// The largest logit, and ln Σ e^(x − largest).
fn normaliser(logits: ArrayView1<'_, f32>) -> [f64; 2] {
    let peak = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    [peak, logits.iter().map(|&x| (f64::from(x) - peak).exp()).sum::<f64>().ln()]
}

#[cfg(test)]
mod tests {
    use ndarray::arr1;

    use super::*;

    #[test]
    fn divergence_is_that_of_the_laws_wherever_the_zero_of_logits_lies() {
        // p = (1/6, 1/3, 1/2), q uniform.
        let p = arr1(&[0.0f32, 2f32.ln(), 3f32.ln()]);
        let q = arr1(&[40.0f32; 3]);
        let expected = -2f64.ln() / 6.0 + 1.5f64.ln() / 2.0;
        assert!((divergence_of(p.view(), q.view()) - expected).abs() < 1e-7);
        assert!(divergence_of(p.view(), (&p + 7.0).view()).abs() < 1e-6);
        let reversed = (2f64.ln() - 1.5f64.ln()) / 3.0;
        assert!((divergence_of(q.view(), p.view()) - reversed).abs() < 1e-7);
        assert!((reversed - expected).abs() > 1e-3, "the order matters");
    }
}
