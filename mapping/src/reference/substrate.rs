//! What computes the parts of a layer: exactly, or on something else.
//!
//! A forward pass calls a [`Substrate`] for every component that a lattice of spins may take over; matrix products stay with the host.
//! Rows of attention are streamed: for every head and a block of queries scores are formed, weighed and spent, so that no n² numbers
//! are ever held. How a row of scores becomes a row of weights is a [`RowLaw`]; softmax is the exact one.

use ceas_sim::activity::Activity;
use ndarray::{Array2, Array3, ArrayView3};

use super::attend::attend;
use super::exponential::exp;
use super::layer::{Activation, Norm};
use super::rotation::Angles;

/// Queries, keys and values of all heads of one layer; q carries no 1/√d_head.
#[derive(Debug, Clone, Copy)]
pub struct Projections<'a> {
    /// Queries `[heads, n, d_head]`.
    pub q: ArrayView3<'a, f32>,
    /// Keys `[kv_heads, n_keys, d_head]`; each serves heads/kv_heads neighbouring heads.
    pub k: ArrayView3<'a, f32>,
    /// Values `[kv_heads, n_keys, d_value]`.
    pub v: ArrayView3<'a, f32>,
    /// For each key, whether it exists (`false`: padding); empty if all do.
    pub mask: &'a [bool],
    /// Position of the first query in the sequence.
    pub first: usize,
    /// Whether a query sees only keys at its own position and before.
    pub causal: bool,
}

impl Projections<'_> {
    /// The keys that query `query` of this block may see are the first so many.
    pub fn visible(&self, query: usize) -> usize {
        let n = self.k.dim().1;
        if self.causal { n.min(self.first + query + 1) } else { n }
    }

    /// β₀ = 1/√d_head, in units of 1/(q·k).
    pub fn beta(&self) -> f32 {
        1.0 / (self.q.dim().2 as f32).sqrt()
    }

    /// Heads that share one key and value.
    pub fn group(&self) -> usize {
        self.q.dim().0 / self.k.dim().0
    }
}

/// Which norm of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// After the sum of embeddings (encoders).
    Embeddings,
    /// Of the attention of this layer: after it in encoders, before it in decoders.
    Attention(usize),
    /// Of the feed-forward block of this layer: after it in encoders, before it in decoders.
    FeedForward(usize),
    /// Before the read-out of the vocabulary (decoders).
    Output,
}

/// Which row of attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowPlace {
    /// The layer.
    pub layer: usize,
    /// The head.
    pub head: usize,
    /// Position of the query in the sequence.
    pub query: usize,
}

/// How a row of scores becomes a row of weights.
pub trait RowLaw: Sync {
    /// Memory that one task reuses from row to row.
    type Scratch: Default;

    /// Replaces the scores s_j = q·k_j of the keys a query sees by weights that add up to 1; −∞ marks a key that is absent. At least
    /// one key is there. Returns the events that this took on the substrate.
    fn weigh(&self, at: RowPlace, beta: f32, row: &mut [f32], scratch: &mut Self::Scratch) -> Activity;
}

/// What computes attention, activation, norm and position inside the forward of a model.
///
/// Every method is exact unless it is replaced. `first` is the position in the sequence of the first row, so that an implementation
/// can key its random streams by position whether a sequence comes at once or token by token.
pub trait Substrate {
    /// The context Σ_j p_j v_j of every head and query, `[heads, n, d_value]`.
    fn attention(&mut self, layer: usize, projections: &Projections<'_>) -> Array3<f32> {
        softmax_attention(layer, projections)
    }

    /// The non-linearity of the feed-forward block for rows `x` `[n, intermediate]`, in place: for gated blocks, of the gate.
    fn activation(&mut self, _layer: usize, _first: usize, x: &mut Array2<f32>, activation: Activation) {
        activation.apply(x);
    }

    /// Normalises every row of `x` `[n, hidden]` in place.
    fn norm(&mut self, _place: Place, _first: usize, x: &mut Array2<f32>, norm: &Norm) {
        norm.apply(x);
    }

    /// Turns queries or keys `x` `[heads, n, d_head]` by the angles of their positions, in place (rotary positions).
    fn position(&mut self, _layer: usize, x: &mut Array3<f32>, angles: &Angles) {
        angles.turn(x);
    }
}

/// Everything exact.
#[derive(Debug, Clone, Copy, Default)]
pub struct Digital;

impl Substrate for Digital {}

/// Keeps the queries, keys and values of every layer on their way to `inner`.
#[derive(Debug, Default)]
pub struct Recorder<S> {
    /// What computes.
    pub inner: S,
    /// For each layer q, k, v, `[heads, n, d_head]` and `[kv_heads, n, d]`.
    pub layers: Vec<[Array3<f32>; 3]>,
}

impl<S: Substrate> Substrate for Recorder<S> {
    fn attention(&mut self, layer: usize, projections: &Projections<'_>) -> Array3<f32> {
        self.layers.push([projections.q, projections.k, projections.v].map(|x| x.to_owned()));
        self.inner.attention(layer, projections)
    }

    fn activation(&mut self, layer: usize, first: usize, x: &mut Array2<f32>, activation: Activation) {
        self.inner.activation(layer, first, x, activation);
    }

    fn norm(&mut self, place: Place, first: usize, x: &mut Array2<f32>, norm: &Norm) {
        self.inner.norm(place, first, x, norm);
    }

    fn position(&mut self, layer: usize, x: &mut Array3<f32>, angles: &Angles) {
        self.inner.position(layer, x, angles);
    }
}

/// p_j = e^(βs_j)/Z, exactly but for the rounding of f32. Nothing happens on a substrate.
#[derive(Debug, Clone, Copy, Default)]
pub struct Softmax;

impl RowLaw for Softmax {
    type Scratch = ();

    #[inline(always)]
    fn weigh(&self, _: RowPlace, beta: f32, row: &mut [f32], (): &mut ()) -> Activity {
        boltzmann(beta, row);
        let scale = 1.0 / total(row);
        row.iter_mut().for_each(|p| *p *= scale);
        Activity::default()
    }
}

/// Scores to Boltzmann weights e^(β(s − max s)), in place.
#[inline(always)]
pub fn boltzmann(beta: f32, row: &mut [f32]) {
    let mut peaks = [f32::NEG_INFINITY; 16];
    let (chunks, rest) = row.as_chunks::<16>();
    for chunk in chunks {
        for (peak, &s) in peaks.iter_mut().zip(chunk) {
            *peak = if s > *peak { s } else { *peak };
        }
    }
    let peak = peaks.iter().chain(rest).fold(f32::NEG_INFINITY, |peak, &s| if s > peak { s } else { peak });
    row.iter_mut().for_each(|s| *s = exp(beta * (*s - peak)));
}

/// Σ of a row in sixteen interleaved parts.
#[inline(always)]
pub fn total(row: &[f32]) -> f32 {
    let (chunks, rest) = row.as_chunks::<16>();
    let mut parts = [0.0f32; 16];
    for chunk in chunks {
        for (part, &p) in parts.iter_mut().zip(chunk) {
            *part += p;
        }
    }
    parts.iter().chain(rest).sum()
}

/// Exact attention: p_j ∝ e^(β₀ q·k_j) over the keys that a query sees, β₀ = 1/√d_head, context Σ_j p_j v_j `[heads, n, d_value]`.
///
/// Source: Vaswani et al., arXiv:1706.03762.
pub fn softmax_attention(layer: usize, projections: &Projections<'_>) -> Array3<f32> {
    attend(layer, projections, &Softmax).0
}
