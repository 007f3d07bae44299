//! Heads with random weights: what nearness to the crossover is to be compared with.

use ceas_sim::stream::{Purpose, Stream};
use ndarray::{Array2, Array4};

use crate::error::Error;
use crate::heads::{HeadSet, Origin};

/// `heads` heads at the initialisation of a BERT-family model: q = W_Q x and k = W_K x with weights N(0, `std`²) and normalised hidden states x
/// of `hidden` components with variance 1, independent between tokens.
///
/// Then β₀ σ = `std`² · `hidden` for all heads and every d_head, so that the distance to the crossover is a property of the initialisation alone. Values are
/// drawn in the same way.
///
/// # Errors
/// [`Error::Shape`] if a dimension is 0.
pub fn null_heads(
    heads: usize,
    tokens: usize,
    d_head: usize,
    hidden: usize,
    std: f64,
    seed: u64,
) -> Result<HeadSet, Error> {
    let mut stream = Stream::new(seed, Purpose::Instance, 0x6e75_6c6c, 0);
    let x = Array2::from_shape_simple_fn((tokens, hidden), || stream.normal());
    let mut project = || {
        let mut all = Array4::<f32>::zeros((1, heads, tokens, d_head));
        for head in 0..heads {
            let weights = Array2::from_shape_simple_fn((hidden, d_head), || std * stream.normal());
            let y = x.dot(&weights);
            all.slice_mut(ndarray::s![0, head, .., ..]).zip_mut_with(&y, |a, &b| *a = b as f32);
        }
        all
    };
    let origin = Origin { model: format!("random weights, std {std}, {hidden} hidden"), ..Origin::default() };
    HeadSet::new([project(), project(), project()], vec![true; tokens], false, origin)
}
