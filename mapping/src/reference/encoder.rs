//! The exact forward of a BERT-family encoder.
//!
//! ```text
//! x₀ = LN(word[token] + position[i] + type[0])
//! x  ← LN(x + W_O·concat_h Σ_j p_hij v_hj + b_O)      p_hij ∝ e^(β₀ q_hi·k_hj),  β₀ = 1/√d_head
//! x  ← LN(x + W_2·act(W_1 x + b_1) + b_2)
//! ```
//!
//! Source: Devlin et al., arXiv:1810.04805; Reimers and Gurevych, arXiv:1908.10084, for the pooling.

use ndarray::{Array1, Array2, Array3, Axis, s};

use super::checkpoint::Checkpoint;
use super::config::Config;
use super::error::Error;
use super::layer::{Dense, FeedForward, Norm};
use super::matrix::Matrix;
use super::substrate::{Place, Projections, Substrate};
use super::tokens::Sequence;

/// An encoder; its matrices stay in the memory-mapped file.
#[derive(Debug)]
pub struct Encoder {
    config: Config,
    words: Matrix,
    positions: Array2<f32>,
    token_type: Array1<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    query: Dense,
    key: Dense,
    value: Dense,
    output: Dense,
    attention_norm: Norm,
    feed_forward: FeedForward,
    output_norm: Norm,
}

/// What the encoder makes of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoding {
    /// The last hidden state `[n, hidden]`.
    pub hidden: Array2<f32>,
    /// For each position, whether it is a token (`false`: padding).
    pub mask: Vec<bool>,
}

impl Encoder {
    /// Reads the weights that `config` asks for; names may carry the prefix `bert.`. Every number is checked.
    ///
    /// # Errors
    /// [`Error::NoTensor`], [`Error::Shape`], [`Error::NotFinite`] or [`Error::ExtraTensor`], naming the tensor.
    pub fn new(config: Config, weights: &Checkpoint) -> Result<Self, Error> {
        let prefix = prefix(weights)?;
        let hidden = config.hidden;
        let words = weights
            .matrix(&format!("{prefix}embeddings.word_embeddings.weight"), [config.vocabulary, hidden])?;
        let table =
            |name: &str, rows| weights.table(&format!("{prefix}embeddings.{name}.weight"), [rows, hidden]);
        let positions = table("position_embeddings", config.positions)?;
        let token_type = table("token_type_embeddings", config.token_types)?.row(0).to_owned();
        let norm = Norm::layer(weights, &format!("{prefix}embeddings.LayerNorm"), hidden, config.epsilon)?;
        let mut layers = Vec::new();
        for layer in 0..config.layers {
            layers.push(Layer::read(&config, weights, &format!("{prefix}encoder.layer.{layer}"))?);
        }
        no_more_layers(weights, prefix, config.layers)?;
        Ok(Self { config, words, positions, token_type, norm, layers })
    }

    /// Sizes and constants.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Runs the encoder; `substrate` computes attention, feed-forward and norm.
    ///
    /// # Errors
    /// [`Error::Length`] if the sequence is empty, all padding, or longer than the model's positions,
    /// [`Error::Token`] if a token is not in the vocabulary.
    pub fn forward(
        &self,
        sequence: &Sequence,
        substrate: &mut (impl Substrate + ?Sized),
    ) -> Result<Encoding, Error> {
        let mut x = self.embed(sequence)?;
        substrate.norm(Place::Embeddings, 0, &mut x, &self.norm);
        for (index, layer) in self.layers.iter().enumerate() {
            let [q, k, v] = [&layer.query, &layer.key, &layer.value]
                .map(|map| split(map.apply(x.view()), self.config.heads));
            let projections = Projections {
                q: q.view(),
                k: k.view(),
                v: v.view(),
                mask: &sequence.mask,
                first: 0,
                causal: false,
            };
            let context = substrate.attention(index, &projections);
            x += &layer.output.apply(join(&context).view());
            substrate.norm(Place::Attention(index), 0, &mut x, &layer.attention_norm);
            x += &layer
                .feed_forward
                .apply_with(x.view(), |inner, activation| substrate.activation(index, 0, inner, activation));
            substrate.norm(Place::FeedForward(index), 0, &mut x, &layer.output_norm);
        }
        Ok(Encoding { hidden: x, mask: sequence.mask.clone() })
    }

    /// The sum of word, position and token-type embeddings, `[n, hidden]`.
    fn embed(&self, sequence: &Sequence) -> Result<Array2<f32>, Error> {
        let n = sequence.ids.len();
        let limit = self.config.positions;
        if n > limit || sequence.mask.len() != n || !sequence.mask.contains(&true) {
            return Err(Error::Length { got: n, limit });
        }
        let vocabulary = self.config.vocabulary;
        let unknown = |id: u32| usize::try_from(id).map_or(true, |id| id >= vocabulary);
        if let Some(position) = sequence.ids.iter().position(|&id| unknown(id)) {
            return Err(Error::Token { position, id: sequence.ids[position], vocabulary });
        }
        let mut x = self.positions.slice(s![..n, ..]).to_owned();
        let mut word = vec![0.0; self.config.hidden];
        for (mut row, &id) in x.rows_mut().into_iter().zip(&sequence.ids) {
            self.words.row(id as usize, &mut word);
            for ((x, word), kind) in row.iter_mut().zip(&word).zip(&self.token_type) {
                *x += word + kind;
            }
        }
        Ok(x)
    }
}

/// `[n, heads·d_head]` → `[heads, n, d_head]`.
pub(super) fn split(x: Array2<f32>, heads: usize) -> Array3<f32> {
    let (n, width) = x.dim();
    let split = x.into_shape_with_order((n, heads, width / heads)).expect("the width is heads·d_head");
    split.permuted_axes([1, 0, 2]).as_standard_layout().into_owned()
}

/// `[heads, n, d_head]` → `[n, heads·d_head]`.
pub(super) fn join(context: &Array3<f32>) -> Array2<f32> {
    let (heads, n, d) = context.dim();
    let mut joined = Array2::zeros((n, heads * d));
    for (head, context) in context.outer_iter().enumerate() {
        joined.slice_mut(s![.., head * d..(head + 1) * d]).assign(&context);
    }
    joined
}

/// The prefix that the names of the tensors carry: none or `bert.`.
fn prefix(weights: &Checkpoint) -> Result<&'static str, Error> {
    const FIRST: &str = "embeddings.word_embeddings.weight";
    ["", "bert."].into_iter().find(|prefix| weights.contains(&format!("{prefix}{FIRST}"))).ok_or_else(|| {
        Error::NoTensor { file: weights.file().to_owned(), tensor: format!("{FIRST} (or bert.{FIRST})") }
    })
}

/// Refuses layers beyond those that the configuration names: without them the answer is another model's.
fn no_more_layers(weights: &Checkpoint, prefix: &str, layers: usize) -> Result<(), Error> {
    let start = format!("{prefix}encoder.layer.");
    let number = |name: &str| name.strip_prefix(&start)?.split('.').next()?.parse::<usize>().ok();
    match weights.names().find(|name| number(name).is_some_and(|layer| layer >= layers)) {
        Some(name) => Err(Error::ExtraTensor {
            file: weights.file().to_owned(),
            tensor: name.to_owned(),
            family: "an encoder with the num_hidden_layers of config.json",
        }),
        None => Ok(()),
    }
}

impl Layer {
    fn read(config: &Config, weights: &Checkpoint, name: &str) -> Result<Self, Error> {
        let (hidden, inner) = (config.hidden, config.intermediate);
        let dense = |part: &str, shape| Dense::read(weights, &format!("{name}.{part}"), shape, true);
        let norm = |part: &str| Norm::layer(weights, &format!("{name}.{part}"), hidden, config.epsilon);
        Ok(Self {
            query: dense("attention.self.query", [hidden, hidden])?,
            key: dense("attention.self.key", [hidden, hidden])?,
            value: dense("attention.self.value", [hidden, hidden])?,
            output: dense("attention.output.dense", [hidden, hidden])?,
            attention_norm: norm("attention.output.LayerNorm")?,
            feed_forward: FeedForward {
                gate: None,
                up: dense("intermediate.dense", [hidden, inner])?,
                activation: config.activation,
                down: dense("output.dense", [inner, hidden])?,
            },
            output_norm: norm("output.LayerNorm")?,
        })
    }
}

impl Encoding {
    /// The mean of the hidden states over all tokens that are not padding, scaled to length 1, `[hidden]`.
    pub fn sentence_embedding(&self) -> Array1<f32> {
        let mut sum = Array1::<f64>::zeros(self.hidden.ncols());
        for (row, _) in self.hidden.axis_iter(Axis(0)).zip(&self.mask).filter(|(_, exists)| **exists) {
            sum.zip_mut_with(&row, |sum, &x| *sum += f64::from(x));
        }
        let length = sum.dot(&sum).sqrt();
        // The mean and the sum have the same direction. A zero vector stays one.
        sum.mapv(|x| if length > 0.0 { (x / length) as f32 } else { 0.0 })
    }
}
