//! Streaming over the rows of attention.

use ceas_sim::activity::Activity;
use ceas_sim::kernel::wide::{Loop, widest};
use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array3, ArrayView2, ArrayViewMut2, Axis, s};

use super::matrix::dot;
use super::substrate::{Projections, RowLaw, RowPlace};

/// Queries that one task takes at least and at most: scores of so many rows are held by each thread. Keys and values are packed for each
/// task anew, so that many queries at once are quick.
const QUERIES: [usize; 2] = [32, 128];

/// Scores that a thread holds, but for 32 rows of more than 2048 keys.
const SCORES: usize = 1 << 16;

/// Up to so many queries a block is computed row by row, reading only values of positive weight.
const FEW: usize = 4;

/// The context Σ_j w_j v_j of every head and query `[heads, n, d_value]`, w made by `law` from the scores of one row, and the events
/// that this took.
///
/// # Panics
/// If the heads are not a multiple of the key–value heads, or a query sees no key.
pub fn attend<L: RowLaw>(layer: usize, projections: &Projections<'_>, law: &L) -> (Array3<f32>, Activity) {
    let (heads, n, _) = projections.q.dim();
    assert!(heads.is_multiple_of(projections.k.dim().0), "heads share keys evenly");
    let mut context = Array3::zeros((heads, n, projections.v.dim().2));
    let [least, most] = QUERIES;
    let queries = (SCORES / projections.k.dim().1.max(1)).clamp(least, most);
    let blocks: Vec<(usize, usize, ArrayViewMut2<'_, f32>)> = context
        .axis_iter_mut(Axis(0))
        .enumerate()
        .flat_map(|(head, context)| {
            split(context, queries).into_iter().map(move |(at, block)| (head, at, block))
        })
        .collect();
    let activity = blocks
        .into_par_iter()
        .map_init(Work::<L>::default, |work, (head, at, context)| {
            let shared = head / projections.group();
            let rows = context.nrows();
            let block = Block {
                first: RowPlace { layer, head, query: projections.first + at },
                beta: projections.beta(),
                visible: (0..rows).map(|row| projections.visible(at + row)).collect(),
                mask: projections.mask,
                q: projections.q.slice(s![head, at..at + rows, ..]),
                k: projections.k.index_axis(Axis(0), shared),
                v: projections.v.index_axis(Axis(0), shared),
                law,
            };
            match n <= FEW && block.is_contiguous() {
                true => widest(Few { block, work, context }),
                false => block.product(work, context),
            }
        })
        .reduce(Activity::default, |a, b| a + b);
    (context, activity)
}

/// Cuts the queries of a head into blocks.
fn split(mut context: ArrayViewMut2<'_, f32>, queries: usize) -> Vec<(usize, ArrayViewMut2<'_, f32>)> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while context.nrows() > 0 {
        let rows = queries.min(context.nrows());
        let (block, rest) = context.split_at(Axis(0), rows);
        blocks.push((at, block));
        at += rows;
        context = rest;
    }
    blocks
}

/// What a thread keeps between blocks.
struct Work<L: RowLaw> {
    scores: Vec<f32>,
    scratch: L::Scratch,
}

impl<L: RowLaw> Default for Work<L> {
    fn default() -> Self {
        Self { scores: Vec::new(), scratch: L::Scratch::default() }
    }
}

/// Some queries of one head, with the keys and values of its group.
struct Block<'a, L: RowLaw> {
    first: RowPlace,
    beta: f32,
    /// How many keys each query sees; it does not decrease.
    visible: Vec<usize>,
    mask: &'a [bool],
    q: ArrayView2<'a, f32>,
    k: ArrayView2<'a, f32>,
    v: ArrayView2<'a, f32>,
    law: &'a L,
}

impl<L: RowLaw> Block<'_, L> {
    fn is_contiguous(&self) -> bool {
        [self.q, self.k, self.v].iter().all(|x| x.strides()[1] == 1)
    }

    /// Weighs the row of query `row` of the block; `scores` holds the keys it sees.
    #[inline(always)]
    fn weigh(&self, row: usize, scores: &mut [f32], scratch: &mut L::Scratch) -> Activity {
        for (score, _) in scores.iter_mut().zip(self.mask).filter(|(_, exists)| !**exists) {
            *score = f32::NEG_INFINITY;
        }
        let place = RowPlace { query: self.first.query + row, ..self.first };
        self.law.weigh(place, self.beta, scores, scratch)
    }

    /// Scores and contexts as two matrix products.
    fn product(&self, work: &mut Work<L>, mut context: ArrayViewMut2<'_, f32>) -> Activity {
        let (rows, longest) = (self.q.nrows(), self.visible.last().copied().unwrap_or(0));
        work.scores.resize(rows * longest, 0.0);
        let view = || (rows, longest);
        let mut scores = ArrayViewMut2::from_shape(view(), &mut work.scores).expect("as long as it was made");
        general_mat_mul(1.0, &self.q, &self.k.slice(s![..longest, ..]).t(), 0.0, &mut scores);
        let activity = widest(Rows { block: self, scores: &mut work.scores, scratch: &mut work.scratch });
        let weights = ArrayView2::from_shape(view(), &work.scores).expect("as long as it was made");
        general_mat_mul(1.0, &weights, &self.v.slice(s![..longest, ..]), 0.0, &mut context);
        activity
    }
}

/// The rows of a block, weighed one after another.
struct Rows<'a, 'b, L: RowLaw> {
    block: &'a Block<'b, L>,
    scores: &'a mut [f32],
    scratch: &'a mut L::Scratch,
}

impl<L: RowLaw> Loop for Rows<'_, '_, L> {
    type Output = Activity;
    #[inline(always)]
    fn run(self) -> Activity {
        let longest = self.scores.len() / self.block.visible.len();
        let mut activity = Activity::default();
        for (row, scores) in self.scores.chunks_exact_mut(longest).enumerate() {
            let (seen, unseen) = scores.split_at_mut(self.block.visible[row]);
            activity += self.block.weigh(row, seen, self.scratch);
            unseen.fill(0.0);
        }
        activity
    }
}

/// A few queries, row by row: values of weight 0 are not read.
struct Few<'a, 'w, L: RowLaw> {
    block: Block<'a, L>,
    work: &'w mut Work<L>,
    context: ArrayViewMut2<'a, f32>,
}

impl<L: RowLaw> Loop for Few<'_, '_, L> {
    type Output = Activity;
    #[inline(always)]
    fn run(mut self) -> Activity {
        let mut activity = Activity::default();
        for (row, (q, mut context)) in
            self.block.q.rows().into_iter().zip(self.context.rows_mut()).enumerate()
        {
            let q = q.to_slice().expect("contiguity was checked");
            let scores = &mut self.work.scores;
            scores.clear();
            let keys = self.block.k.rows().into_iter().take(self.block.visible[row]);
            scores.extend(keys.map(|k| dot(q, k.to_slice().expect("contiguity was checked"))));
            activity += self.block.weigh(row, scores, &mut self.work.scratch);
            for (&weight, v) in scores.iter().zip(self.block.v.rows()).filter(|(weight, _)| **weight != 0.0) {
                let v = v.to_slice().expect("contiguity was checked");
                for (context, v) in context.iter_mut().zip(v) {
                    *context += weight * v;
                }
            }
        }
        activity
    }
}
