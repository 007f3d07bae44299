//! Keys and values of the tokens so far.

use ceas_sim::memory;
use ndarray::{Array3, ArrayView3, s};

use super::decoder_config::DecoderConfig;
use super::error::Error;

/// Keys, turned to their positions, and values of every layer, in f32.
#[derive(Debug, Clone)]
pub struct Cache {
    /// For each layer k and v, `[kv_heads, capacity, d_head]`.
    layers: Vec<[Array3<f32>; 2]>,
    len: usize,
    capacity: usize,
}

impl Cache {
    pub(super) fn new(config: &DecoderConfig, capacity: usize) -> Result<Self, Error> {
        let shape = (config.kv_heads, capacity, config.d_head);
        let numbers = [config.layers, 2, shape.0, shape.1, shape.2];
        let bytes = numbers.iter().fold(4u64, |bytes, &n| bytes.saturating_mul(n as u64));
        memory::check("a cache of keys and values over tokens", capacity, bytes)
            .map_err(|source| Error::Memory { source })?;
        let layers = (0..config.layers).map(|_| [Array3::zeros(shape), Array3::zeros(shape)]).collect();
        Ok(Self { layers, len: 0, capacity })
    }

    /// Tokens so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Tokens for which there is room in all.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes that the cache takes.
    pub fn bytes(&self) -> usize {
        self.layers.iter().flatten().map(|x| 4 * x.len()).sum()
    }

    /// Forgets every token after the first `len`.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Writes the keys and values of new tokens of one layer behind the others; they count from [`Cache::advance`] on.
    pub(super) fn append(&mut self, layer: usize, k: &Array3<f32>, v: &Array3<f32>) {
        let at = self.len..self.len + k.dim().1;
        for (kept, new) in self.layers[layer].iter_mut().zip([k, v]) {
            kept.slice_mut(s![.., at.clone(), ..]).assign(new);
        }
    }

    /// Keys and values of the first `n` tokens.
    pub(super) fn of_layer(&self, layer: usize, n: usize) -> [ArrayView3<'_, f32>; 2] {
        self.layers[layer].each_ref().map(|kept| kept.slice(s![.., ..n, ..]))
    }

    pub(super) fn advance(&mut self, n: usize) {
        self.len += n;
    }
}
