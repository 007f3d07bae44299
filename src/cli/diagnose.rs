//! `ceas control --diagnostics`: the observables of every head, and the published phase space.

use anyhow::Context;
use ceas_npu::mapping::attention::Quantiles;
use ceas_npu::mapping::diagnostics::diffusion::spectral_entropy;
use ceas_npu::mapping::diagnostics::genuineness::COLLAPSE_BITS;
use ceas_npu::mapping::diagnostics::head::HeadDiagnosis;
use ceas_npu::mapping::diagnostics::token_cost::Unigram;
use ceas_npu::mapping::heads::HeadSet;
use ndarray::{Array2, s};
use rayon::prelude::*;

use super::common::{Common, Outputs};
use super::failure::{Blame, Failure};
use crate::report::diagnosis::{Diagnosis, LayerDiagnosis};
use crate::report::present::present;
use crate::report::progress;

/// Most tokens whose diffusion operator is diagonalised: the cost grows as their cube.
const MOST_POINTS: usize = 512;

/// Looks at all heads of a set and presents what was found.
pub fn run(set: &HeadSet, samples: u64, common: &Common, outputs: &Outputs) -> Result<(), Failure> {
    let surprisal = surprisals(set);
    let places: Vec<(usize, usize)> =
        (0..set.layers()).flat_map(|layer| (0..set.heads()).map(move |head| (layer, head))).collect();
    let bar = progress::bar("diagnostics", places.len() as u64);
    let heads: Result<Vec<HeadDiagnosis>, Failure> = places
        .par_iter()
        .map(|&(index, head)| {
            let place = (index * set.heads() + head) as u64;
            let at = (set.layer_number(index), head);
            let found = HeadDiagnosis::new(
                at,
                &set.head(index, head),
                surprisal.as_deref(),
                samples,
                (common.seed, place),
            );
            bar.inc(1);
            found.with_context(|| format!("head {}.{head}", at.0)).run()
        })
        .collect();
    bar.finish_and_clear();
    let heads = heads?;
    let layers: Result<Vec<LayerDiagnosis>, Failure> =
        (0..set.layers()).into_par_iter().map(|index| layer(set, index, &heads)).collect();
    let answer = Diagnosis {
        origin: set.origin().clone(),
        unigram: surprisal
            .is_some()
            .then(|| "counts of this text, plus one for every token type in it".into()),
        samples,
        seed: common.seed,
        heads,
        layers: layers?,
    };
    present(&answer, common, outputs)
}

/// I(j) of every key's token under the unigram model of the text itself.
fn surprisals(set: &HeadSet) -> Option<Vec<f64>> {
    let tokens = &set.origin().tokens;
    if tokens.len() != set.n_keys() {
        return None;
    }
    let mut types: Vec<&String> = tokens.iter().collect();
    types.sort();
    types.dedup();
    let ids: Vec<u32> =
        tokens.iter().map(|token| types.binary_search(&token).map_or(u32::MAX, |at| at as u32)).collect();
    let model = Unigram::of("this text", ids.iter().copied(), types.len() as u64);
    Some(ids.into_iter().map(|id| model.surprisal(id)).collect())
}

/// Diffusion entropy of the values of a layer, and how often H falls on the way to the next.
fn layer(set: &HeadSet, index: usize, heads: &[HeadDiagnosis]) -> Result<LayerDiagnosis, Failure> {
    let values = set.tensors()[2].slice(s![index, .., .., ..]);
    let (width, keys, d) = values.dim();
    let points = keys.min(MOST_POINTS);
    let x = Array2::from_shape_fn((points, width * d), |(i, a)| f64::from(values[[a / d, i, a % d]]));
    // The width of the kernel: the median distance.
    let distance = |i: usize, j: usize| {
        x.row(i).iter().zip(x.row(j)).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
    };
    let pairs = (0..points).flat_map(|i| (0..i).step_by(7).map(move |j| (i, j)));
    let sigma = Quantiles::of(pairs.map(|(i, j)| distance(i, j))).median;
    let diffusion = if sigma > 0.0 { Some(spectral_entropy(x.view(), sigma, 1).run()?) } else { None };
    let of = |index: usize, head: usize| &heads[index * set.heads() + head].entropies;
    let falls = (index + 1 < set.layers()).then(|| {
        let fallen = |head: usize| {
            let pairs = of(index, head).iter().zip(of(index + 1, head));
            pairs.filter(|(a, b)| (*b - *a) / std::f64::consts::LN_2 < COLLAPSE_BITS).count()
        };
        (0..set.heads()).map(fallen).sum::<usize>() as f64 / (set.heads() * set.n_queries()) as f64
    });
    Ok(LayerDiagnosis {
        layer: set.layer_number(index),
        diffusion,
        kernel_width: sigma,
        falls_to_next: falls,
    })
}
