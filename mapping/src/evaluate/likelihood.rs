//! The likelihood of a text.

use ndarray::{ArrayView1, s};

use crate::reference::Error;
use crate::reference::decoder::Decoder;
use crate::reference::substrate::Substrate;

/// Positions whose logits are held at once.
const POSITIONS: usize = 64;

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

/// ln p of one token.
pub(super) fn ln_probability(logits: ArrayView1<'_, f32>, id: u32) -> f64 {
    let peak = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let z: f64 = logits.iter().map(|&x| f64::from(x - peak).exp()).sum();
    f64::from(logits[id as usize] - peak) - z.ln()
}
