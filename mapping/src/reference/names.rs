//! What the tensors of a decoder are called, and what else a file may hold.

use std::fmt::Write;

use super::checkpoint::Checkpoint;
use super::decoder_config::DecoderConfig;
use super::error::Error;
use super::rotation::Pairs;

/// A convention for the names of tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// `model.layers.0.self_attn.q_proj.weight`
    HuggingFace,
    /// `blk.0.attn_q.weight`
    Gguf,
}

/// A part of a decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are the parts in the formulas of the decoder")]
pub enum Part {
    Embedding,
    OutputNorm,
    Head,
    AttentionNorm,
    Query,
    Key,
    Value,
    Output,
    FeedForwardNorm,
    Gate,
    Up,
    Down,
}

const OF_LAYER: [Part; 9] = [
    Part::AttentionNorm,
    Part::Query,
    Part::Key,
    Part::Value,
    Part::Output,
    Part::FeedForwardNorm,
    Part::Gate,
    Part::Up,
    Part::Down,
];

impl Part {
    /// In the convention of Hugging Face and of GGUF.
    fn names(self) -> [&'static str; 2] {
        match self {
            Self::Embedding => ["model.embed_tokens", "token_embd"],
            Self::OutputNorm => ["model.norm", "output_norm"],
            Self::Head => ["lm_head", "output"],
            Self::AttentionNorm => ["input_layernorm", "attn_norm"],
            Self::Query => ["self_attn.q_proj", "attn_q"],
            Self::Key => ["self_attn.k_proj", "attn_k"],
            Self::Value => ["self_attn.v_proj", "attn_v"],
            Self::Output => ["self_attn.o_proj", "attn_output"],
            Self::FeedForwardNorm => ["post_attention_layernorm", "ffn_norm"],
            Self::Gate => ["mlp.gate_proj", "ffn_gate"],
            Self::Up => ["mlp.up_proj", "ffn_up"],
            Self::Down => ["mlp.down_proj", "ffn_down"],
        }
    }
}

impl Names {
    /// The name of a part of the whole model, without `.weight`.
    pub fn stem(self, part: Part) -> String {
        part.names()[self as usize].to_owned()
    }

    /// The name of its tensor.
    pub fn weight(self, part: Part) -> String {
        self.stem(part) + ".weight"
    }

    /// The name of a part of a layer, without `.weight` or `.bias`.
    pub fn stem_of(self, layer: usize, part: Part) -> String {
        let mut name = match self {
            Self::HuggingFace => format!("model.layers.{layer}."),
            Self::Gguf => format!("blk.{layer}."),
        };
        // Writing to a string cannot fail.
        let _ = write!(name, "{}", part.names()[self as usize]);
        name
    }

    /// Which components of queries and keys the file pairs.
    pub fn pairs(self) -> Pairs {
        match self {
            Self::HuggingFace => Pairs::Halves,
            Self::Gguf => Pairs::Neighbours,
        }
    }

    /// The tensor of factors that divide the frequencies of rotary positions.
    pub fn factors(self) -> Option<&'static str> {
        match self {
            Self::HuggingFace => None,
            Self::Gguf => Some("rope_freqs.weight"),
        }
    }

    /// Whether the read-out must have a tensor of its own. GGUF ties by leaving it out.
    pub(super) fn untied(self, config: &DecoderConfig) -> bool {
        self == Self::HuggingFace && !config.tied
    }

    /// Refuses tensors that the model would not use.
    pub(super) fn nothing_else(self, weights: &Checkpoint, config: &DecoderConfig) -> Result<(), Error> {
        let whole = [Part::Embedding, Part::OutputNorm, Part::Head];
        let mut known: Vec<String> = whole.iter().map(|&part| self.weight(part)).collect();
        known.extend(self.factors().map(str::to_owned));
        for layer in 0..config.layers {
            for part in OF_LAYER {
                let stem = self.stem_of(layer, part);
                let biased = match part {
                    Part::Query | Part::Key | Part::Value | Part::Output => config.attention_bias,
                    Part::Gate | Part::Up | Part::Down => config.mlp_bias,
                    _ => false,
                };
                known.extend(biased.then(|| format!("{stem}.bias")));
                known.push(stem + ".weight");
            }
        }
        known.sort_unstable();
        // Angles that old checkpoints carry along; they follow from the configuration.
        let derived = |name: &str| name.ends_with("rotary_emb.inv_freq");
        let left = weights
            .names()
            .find(|name| known.binary_search_by(|known| known.as_str().cmp(name)).is_err() && !derived(name));
        match left {
            None => Ok(()),
            Some(name) => Err(Error::ExtraTensor {
                file: weights.file().to_owned(),
                tensor: name.to_owned(),
                family: "a Llama of this configuration",
            }),
        }
    }
}
