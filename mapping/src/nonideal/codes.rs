//! Attention whose scores come from sign codes of queries and keys.

use ndarray::{Array2, Array3, Axis};
use rayon::prelude::*;

use crate::embedding::Code;
use crate::reference::substrate::{Projections, RowLaw, RowPlace};

/// How scores get from q and k to the fields, where not as products of numbers: |q||k| cos θ̂ with θ̂ from codes of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codes {
    /// The signs of the components.
    Sign,
    /// So many random planes per head.
    SimHash(usize),
    /// The principal directions of the text's own queries and keys, turned by so many rounds.
    Itq(u32),
}

/// The context of every head, its rows weighed by `law`; holds the scores of one head per thread.
pub(super) fn coded_attention<L: RowLaw>(
    codes: Codes,
    seed: u64,
    layer: usize,
    projections: &Projections<'_>,
    law: &L,
) -> Array3<f32> {
    let (heads, n, _) = projections.q.dim();
    let mut context = Array3::zeros((heads, n, projections.v.dim().2));
    context.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(head, mut context)| {
        let shared = head / projections.group();
        let q = projections.q.index_axis(Axis(0), head).mapv(f64::from);
        let k = projections.k.index_axis(Axis(0), shared).mapv(f64::from);
        let mut p = scores(codes, &q, &k, seed ^ (layer << 16 | head) as u64).mapv(|x| x as f32);
        let mut scratch = L::Scratch::default();
        for (query, mut row) in p.rows_mut().into_iter().enumerate() {
            let visible = projections.visible(query);
            for (j, x) in row.iter_mut().enumerate() {
                if j >= visible || projections.mask.get(j) == Some(&false) {
                    *x = f32::NEG_INFINITY;
                }
            }
            let at = RowPlace { layer, head, query: projections.first + query };
            let row = row.as_slice_mut().expect("rows of a matrix that was just made are contiguous");
            law.weigh(at, projections.beta(), row, &mut scratch);
        }
        context.assign(&p.dot(&projections.v.index_axis(Axis(0), shared)));
    });
    context
}

/// |q||k| cos θ̂ of every pair, `[queries, keys]`.
fn scores(codes: Codes, q: &Array2<f64>, k: &Array2<f64>, seed: u64) -> Array2<f64> {
    let d = q.ncols();
    let code = match codes {
        Codes::Sign => Code::sign(d),
        Codes::SimHash(spins) => Code::sim_hash(d, spins, seed),
        Codes::Itq(rounds) => {
            let vectors: Vec<Vec<f64>> = q.rows().into_iter().chain(k.rows()).map(|x| x.to_vec()).collect();
            Code::itq(&vectors, d, rounds, false, seed).expect("there are vectors, all of d numbers")
        }
    };
    let lengths = |x: &Array2<f64>| x.map_axis(Axis(1), |x| x.dot(&x).sqrt());
    let sides = |x: &Array2<f64>| {
        let spins: Vec<f64> =
            x.rows().into_iter().flat_map(|x| code.encode(&x.to_vec())).map(f64::from).collect();
        Array2::from_shape_vec((x.nrows(), code.spins()), spins).expect("one code per row")
    };
    let mut scores = sides(q).dot(&sides(k).t());
    let (of_q, of_k) = (lengths(q), lengths(k));
    let m = code.spins() as f64;
    for ((i, j), agree) in scores.indexed_iter_mut() {
        *agree = of_q[i] * of_k[j] * libm::cos(0.5 * std::f64::consts::PI * (1.0 - *agree / m));
    }
    scores
}
