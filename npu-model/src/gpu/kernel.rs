//! What a GPU is asked to run: attention, matrix products, and passes over memory, with their operations and traffic.
//!
//! ```text
//! attention   F = 2·pairs·(d + d_v)·heads      Q = s·(heads·n_q·(d + d_v) + r·kv_heads·n_k·(d + d_v))
//! product     F = 2·m·k·n                       Q = s_w·k·n + s·m·(k + n)
//! stream      F = 0                              Q = bytes
//! ```
//!
//! r is how often K and V are read: once if those of the heads that are at work together fit into half of the level-2 cache,
//! otherwise once for every wave of tiles, since the tiles of a wave read the same keys at about the same time. Counting them once
//! for every tile of 128 queries (as "r = ⌈n_q/128⌉" does) makes n = 4096 memory-bound on an H100, which no measurement shows.

use serde::Serialize;

use super::Gpu;
use super::series::Format;
use crate::units::{Bytes, Flops};
use crate::workload::{Shape, Workload};

/// Queries that one thread block of an attention kernel works on.
pub(super) const TILE: u64 = 128;
/// Rows of the smallest tile of a matrix unit: fewer rows take as long.
pub(super) const ROWS: u64 = 64;

/// Attention of a batch of sequences in one layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Attention {
    /// Sequences, each with keys of its own.
    pub sequences: u64,
    /// Query heads.
    pub heads: u64,
    /// Heads of keys and values; `heads / kv_heads` query heads share one.
    pub kv_heads: u64,
    /// Shape of one head.
    pub shape: Shape,
}

/// A product of activations (m × k) with weights (k × n).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Product {
    /// Rows: tokens that go through together.
    pub rows: u64,
    /// Inner dimension.
    pub inner: u64,
    /// Columns.
    pub columns: u64,
}

/// One thing to run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Exact attention.
    Attention(Attention),
    /// A product with weights.
    Product(Product),
    /// A pass over so many bytes: norms, rotations, activation functions.
    Stream(f64),
}

/// Something to run, several times over, in so many launches each time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Kernel {
    /// What runs.
    pub work: Work,
    /// How often.
    pub times: u64,
    /// Launches each time.
    pub launches: u64,
}

impl Kernel {
    /// The attention of a workload: one launch a layer.
    pub fn of(workload: &Workload) -> Self {
        let (heads, shape) = (workload.heads, workload.shape);
        let attention = Attention { sequences: 1, heads, kv_heads: heads, shape };
        Self { work: Work::Attention(attention), times: workload.layers, launches: 1 }
    }

    /// Name of its part in a breakdown.
    pub fn part(&self) -> &'static str {
        match self.work {
            Work::Attention(_) => "attention",
            Work::Product(_) => "products",
            Work::Stream(_) => "streams",
        }
    }

    /// Floating-point operations of one time, as papers count them: two for a multiply-accumulate, the softmax not counted.
    pub fn flops(&self) -> Flops {
        let all = match self.work {
            Work::Attention(a) => {
                let width = (a.shape.d_head + a.shape.d_value) as f64;
                2.0 * a.shape.pairs as f64 * width * (a.sequences as f64 * a.heads as f64)
            }
            Work::Product(p) => 2.0 * p.rows as f64 * p.inner as f64 * p.columns as f64,
            Work::Stream(_) => 0.0,
        };
        Flops::new(all)
    }

    /// Bytes through the memory of one time on a machine, with numbers in a format.
    pub fn bytes(&self, gpu: &Gpu, format: Format) -> Bytes {
        let size = format.bytes();
        let all = match self.work {
            Work::Attention(a) => {
                let width = (a.shape.d_head + a.shape.d_value) as f64 * size;
                let kv = a.shape.n_keys as f64 * width;
                let own = a.heads as f64 * a.shape.n_queries as f64 * width;
                a.sequences as f64 * (own + reads(gpu, &a, kv) * a.kv_heads as f64 * kv)
            }
            Work::Product(p) => {
                let activations = p.rows as f64 * (p.inner as f64 + p.columns as f64);
                size * (p.inner as f64 * p.columns as f64 + activations)
            }
            Work::Stream(bytes) => bytes,
        };
        Bytes::new(all)
    }
}

/// How often K and V of one head pass through the memory.
fn reads(gpu: &Gpu, a: &Attention, kv: f64) -> f64 {
    let tiles = (a.heads / a.kv_heads).max(1) * a.shape.n_queries.div_ceil(TILE);
    let (Some(l2), Some(sms)) = (&gpu.l2_bytes, &gpu.multiprocessors) else { return 1.0 };
    let together = sms.value.div_ceil(tiles).min(a.kv_heads.saturating_mul(a.sequences));
    if kv * together as f64 <= 0.5 * l2.value { 1.0 } else { tiles.div_ceil(sms.value) as f64 }
}
