//! The exact forward of a decoder of the Llama family, with a cache of keys and values.
//!
//! ```text
//! x₀ = embedding[token]
//! x  ← x + W_O·concat_h Σ_(j ≤ i) p_hij v_gj      q, k = R(position)·W_Q,K RMS(x),  p_hij ∝ e^(β₀ q_hi·k_gj),  g = group of h
//! x  ← x + W_down·(act(W_gate RMS(x)) ⊙ W_up RMS(x))
//! logits = W_head·RMS(x)
//! ```
//!
//! Source: Touvron et al., arXiv:2302.13971; grouped queries: Ainslie et al., arXiv:2305.13245.

use ndarray::{Array2, ArrayView2};

use super::cache::Cache;
use super::checkpoint::Checkpoint;
use super::decoder_config::DecoderConfig;
use super::encoder::{join, split};
use super::error::Error;
use super::layer::{Dense, FeedForward, Norm};
use super::matrix::Matrix;
use super::names::{Names, Part};
use super::rotation::{Rotation, Scaling};
use super::substrate::{Place, Projections, Substrate};

/// A decoder; its matrices stay in the memory-mapped file, quantised if they are.
#[derive(Debug)]
pub struct Decoder {
    config: DecoderConfig,
    words: Matrix,
    layers: Vec<Layer>,
    norm: Norm,
    /// The read-out, where it is not the embedding.
    head: Option<Matrix>,
    rotation: Rotation,
}

#[derive(Debug)]
struct Layer {
    attention_norm: Norm,
    query: Dense,
    key: Dense,
    value: Dense,
    output: Dense,
    feed_forward_norm: Norm,
    feed_forward: FeedForward,
}

impl Decoder {
    /// Reads the weights that `config` asks for under the names of `names`. Every number is checked, and so is that nothing is left
    /// over.
    ///
    /// # Errors
    /// [`Error::NoTensor`], [`Error::Shape`], [`Error::NotFinite`] or [`Error::ExtraTensor`], naming the tensor.
    pub fn new(config: DecoderConfig, weights: &Checkpoint, names: Names) -> Result<Self, Error> {
        let hidden = config.hidden;
        let table = [config.vocabulary, hidden];
        let words = weights.matrix(&names.weight(Part::Embedding), table)?;
        let head = weights.contains(&names.weight(Part::Head)) && !config.tied;
        let head = match head || names.untied(&config) {
            true => Some(weights.matrix(&names.weight(Part::Head), table)?),
            false => None,
        };
        let mut layers = Vec::new();
        for layer in 0..config.layers {
            layers.push(Layer::read(&config, weights, names, layer)?);
        }
        let norm = Norm::root_mean_square(weights, &names.stem(Part::OutputNorm), hidden, config.epsilon)?;
        let scaling = match names.factors() {
            Some(name) if weights.contains(name) => {
                Scaling::Factors(weights.vector(name, config.d_head / 2)?.to_vec())
            }
            _ => config.scaling.clone(),
        };
        let rotation = Rotation::new(config.theta, config.d_head, &scaling, names.pairs());
        names.nothing_else(weights, &config)?;
        Ok(Self { config, words, layers, norm, head, rotation })
    }

    /// Sizes and constants.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// Bytes of one token in a cache, at f32.
    pub fn cache_bytes_per_token(&self) -> usize {
        2 * 4 * self.config.layers * self.config.kv_heads * self.config.d_head
    }

    /// An empty cache for `tokens` tokens.
    ///
    /// # Errors
    /// [`Error::Length`] if the model takes fewer tokens, [`Error::Memory`] if there is not enough memory.
    pub fn cache(&self, tokens: usize) -> Result<Cache, Error> {
        if tokens > self.config.context {
            return Err(Error::Length { got: tokens, limit: self.config.context });
        }
        Cache::new(&self.config, tokens)
    }

    /// Runs the tokens `ids` that follow those in `cache`, which grows by them: the normalised hidden states `[n, hidden]` that
    /// [`Decoder::logits`] reads out. `substrate` computes attention, activation, norm and position.
    ///
    /// # Errors
    /// [`Error::Length`] if there is no token or the cache has no room, [`Error::Token`] for an id beyond the vocabulary.
    pub fn forward(
        &self,
        ids: &[u32],
        cache: &mut Cache,
        substrate: &mut (impl Substrate + ?Sized),
    ) -> Result<Array2<f32>, Error> {
        let first = cache.len();
        if ids.is_empty() || ids.len() > cache.capacity() - first {
            return Err(Error::Length { got: first + ids.len(), limit: cache.capacity() });
        }
        let mut x = self.embed(ids, first)?;
        let angles = self.rotation.angles(first, ids.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let mut y = x.clone();
            substrate.norm(Place::Attention(index), first, &mut y, &layer.attention_norm);
            let [mut q, mut k, v] = [
                (&layer.query, self.config.heads),
                (&layer.key, self.config.kv_heads),
                (&layer.value, self.config.kv_heads),
            ]
            .map(|(map, heads)| split(map.apply(y.view()), heads));
            substrate.position(index, &mut q, &angles);
            substrate.position(index, &mut k, &angles);
            cache.append(index, &k, &v);
            let [k, v] = cache.of_layer(index, first + ids.len());
            let projections = Projections { q: q.view(), k, v, mask: &[], first, causal: true };
            let context = substrate.attention(index, &projections);
            x += &layer.output.apply(join(&context).view());
            let mut y = x.clone();
            substrate.norm(Place::FeedForward(index), first, &mut y, &layer.feed_forward_norm);
            x += &layer.feed_forward.apply_with(y.view(), |inner, activation| {
                substrate.activation(index, first, inner, activation);
            });
        }
        cache.advance(ids.len());
        substrate.norm(Place::Output, first, &mut x, &self.norm);
        Ok(x)
    }

    /// Logits `[n, vocabulary]` of hidden states `[n, hidden]`.
    pub fn logits(&self, hidden: ArrayView2<'_, f32>) -> Array2<f32> {
        self.head.as_ref().unwrap_or(&self.words).apply(hidden)
    }

    fn embed(&self, ids: &[u32], first: usize) -> Result<Array2<f32>, Error> {
        let vocabulary = self.config.vocabulary;
        let mut x = Array2::zeros((ids.len(), self.config.hidden));
        for (position, (&id, mut row)) in ids.iter().zip(x.rows_mut()).enumerate() {
            if id as usize >= vocabulary {
                return Err(Error::Token { position: first + position, id, vocabulary });
            }
            self.words.row(id as usize, row.as_slice_mut().expect("standard layout"));
        }
        Ok(x)
    }
}

impl Layer {
    fn read(config: &DecoderConfig, weights: &Checkpoint, names: Names, layer: usize) -> Result<Self, Error> {
        let (hidden, inner) = (config.hidden, config.intermediate);
        let queries = config.heads * config.d_head;
        let keys = config.kv_heads * config.d_head;
        let stem = |part| names.stem_of(layer, part);
        let map = |part, shape, bias| Dense::read(weights, &stem(part), shape, bias);
        let norm = |part| Norm::root_mean_square(weights, &stem(part), hidden, config.epsilon);
        let [of_attention, of_blocks] = [config.attention_bias, config.mlp_bias];
        Ok(Self {
            attention_norm: norm(Part::AttentionNorm)?,
            query: map(Part::Query, [hidden, queries], of_attention)?,
            key: map(Part::Key, [hidden, keys], of_attention)?,
            value: map(Part::Value, [hidden, keys], of_attention)?,
            output: map(Part::Output, [queries, hidden], of_attention)?,
            feed_forward_norm: norm(Part::FeedForwardNorm)?,
            feed_forward: FeedForward {
                gate: Some(map(Part::Gate, [hidden, inner], of_blocks)?),
                up: map(Part::Up, [hidden, inner], of_blocks)?,
                activation: config.activation,
                down: map(Part::Down, [inner, hidden], of_blocks)?,
            },
        })
    }
}
