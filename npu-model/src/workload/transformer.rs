//! The shape of a transformer, as its `config.json` states it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::device;
use crate::error::Error;

/// Largest count in a configuration that is believed: twice the width of any model that exists, many times over.
const LARGEST: u64 = 1 << 32;

/// Shape of a transformer without its weights.
///
/// ```text
/// attention   W_Q [hidden, heads·d], W_K and W_V [hidden, kv_heads·d], W_O [heads·d, hidden]
/// feed-forward   gated: three matrices [hidden, intermediate]     plain: two
/// head   [hidden, vocabulary], the same numbers as the embedding if tied
/// ```
///
/// Biases and the numbers of norms are left out of the weights: below 0.1 % of them.
///
/// ```
/// use ceas_npu_model::workload::Transformer;
/// let text = r#"{"model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
///     "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256, "hidden_act": "silu"}"#;
/// let llama = Transformer::from_json("config.json", text).unwrap();
/// assert_eq!((llama.d_head, llama.gated, llama.causal), (128, true, true));
/// assert_eq!(llama.weights(), 8_029_995_008); // 8.03e9, as published
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Transformer {
    /// `model_type` of the file, or "transformer".
    pub family: String,
    /// Layers.
    pub layers: u64,
    /// Width of the residual stream.
    pub hidden: u64,
    /// Width inside a feed-forward block.
    pub intermediate: u64,
    /// Query heads.
    pub heads: u64,
    /// Heads of keys and values; each serves `heads`/`kv_heads` query heads.
    pub kv_heads: u64,
    /// Dimension of queries, keys and values.
    pub d_head: u64,
    /// Tokens in the vocabulary.
    pub vocabulary: u64,
    /// Whether the feed-forward block has a gate, and so three matrices instead of two.
    pub gated: bool,
    /// Whether the output head shares the numbers of the embedding.
    pub tied: bool,
    /// Whether later tokens are hidden.
    pub causal: bool,
}

#[derive(Deserialize)]
struct Raw {
    model_type: Option<String>,
    #[serde(alias = "n_embd", alias = "dim")]
    hidden_size: Option<u64>,
    #[serde(alias = "n_inner", alias = "hidden_dim")]
    intermediate_size: Option<u64>,
    #[serde(alias = "n_layer", alias = "n_layers")]
    num_hidden_layers: Option<u64>,
    #[serde(alias = "n_head", alias = "n_heads")]
    num_attention_heads: Option<u64>,
    num_key_value_heads: Option<u64>,
    head_dim: Option<u64>,
    vocab_size: Option<u64>,
    #[serde(alias = "activation_function", alias = "activation")]
    hidden_act: Option<String>,
    tie_word_embeddings: Option<bool>,
    num_local_experts: Option<u64>,
    num_experts: Option<u64>,
    n_routed_experts: Option<u64>,
}

/// Families whose feed-forward blocks have a gate although their activation does not say so.
const GATED: [&str; 4] = ["gemma", "gemma2", "gemma3", "gemma3_text"];
/// Families of encoders: every token sees every other.
const ENCODERS: [&str; 8] =
    ["bert", "roberta", "distilbert", "xlm-roberta", "electra", "mpnet", "deberta", "modernbert"];

impl Transformer {
    /// Reads the shape from a `config.json`; no weights are needed.
    ///
    /// # Errors
    /// [`Error::Toml`] if the file cannot be read; otherwise as [`Self::from_json`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::from_json(&path.display().to_string(), &device::read(path)?)
    }

    /// Reads the shape from the text of a `config.json`; `file` names it in messages. Keys that do not bear on the shape are
    /// ignored.
    ///
    /// A feed-forward block has a gate if the activation is SiLU, or for the Gemma family; otherwise it has none. Heads of keys
    /// and values default to all heads, `head_dim` to hidden/heads, `intermediate_size` to four times hidden for the GPT-2 family.
    ///
    /// # Errors
    /// [`Error::Toml`] for what is not JSON, [`Error::Key`] for a key that is missing, absurd, or describes experts.
    pub fn from_json(file: &str, text: &str) -> Result<Self, Error> {
        let raw: Raw = serde_json::from_str(text)
            .map_err(|e| Error::Toml { file: file.into(), reason: e.to_string().replace('\n', " ") })?;
        let wrong = |key: &str, reason: String| Error::Key { file: file.into(), key: key.into(), reason };
        let count = |key: &str, value: Option<u64>| match value {
            None => Err(wrong(key, "is missing: a config.json of a transformer states it".into())),
            Some(n) if n == 0 || n > LARGEST => {
                Err(wrong(key, format!("is {n}: it must be at least 1 and at most 2³²")))
            }
            Some(n) => Ok(n),
        };
        let experts = [
            ("num_local_experts", raw.num_local_experts),
            ("num_experts", raw.num_experts),
            ("n_routed_experts", raw.n_routed_experts),
        ];
        if let Some((key, Some(n))) = experts.into_iter().find(|(_, n)| n.is_some_and(|n| n > 1)) {
            return Err(wrong(
                key,
                format!("is {n}: mixtures of experts are not modelled, only dense blocks"),
            ));
        }
        let family = raw.model_type.unwrap_or_else(|| "transformer".into());
        let hidden = count("hidden_size", raw.hidden_size)?;
        let layers = count("num_hidden_layers", raw.num_hidden_layers)?;
        let heads = count("num_attention_heads", raw.num_attention_heads)?;
        let kv_heads = count("num_key_value_heads", raw.num_key_value_heads.or(Some(heads)))?;
        let vocabulary = count("vocab_size", raw.vocab_size)?;
        let inner = raw.intermediate_size.or((family == "gpt2").then(|| hidden.saturating_mul(4)));
        let intermediate = count("intermediate_size", inner)?;
        if !heads.is_multiple_of(kv_heads) {
            let reason = format!("is {kv_heads}, which does not divide num_attention_heads = {heads}");
            return Err(wrong("num_key_value_heads", reason));
        }
        if raw.head_dim.is_none() && !hidden.is_multiple_of(heads) {
            let reason = format!("is missing, and {hidden} does not divide into {heads} heads: state it");
            return Err(wrong("head_dim", reason));
        }
        let d_head = count("head_dim", raw.head_dim.or(Some(hidden / heads)))?;
        if layers > 1 << 16 {
            return Err(wrong("num_hidden_layers", format!("is {layers}: at most 65536 are believed")));
        }
        let act = raw.hidden_act.unwrap_or_default().to_lowercase();
        let gated = act.contains("silu") || act.contains("swiglu") || GATED.contains(&family.as_str());
        let causal = !ENCODERS.contains(&family.as_str());
        // The library that writes these files ties unless it says otherwise, except in the Llama-like families, which always say it.
        let tied = raw.tie_word_embeddings.unwrap_or(!gated);
        Ok(Self {
            family,
            layers,
            hidden,
            intermediate,
            heads,
            kv_heads,
            d_head,
            vocabulary,
            gated,
            tied,
            causal,
        })
    }

    /// Query heads that share a head of keys and values.
    pub fn group(&self) -> u64 {
        self.heads / self.kv_heads
    }

    /// Weights of one layer: attention and feed-forward matrices.
    pub fn layer_weights(&self) -> u128 {
        let [hidden, d] = [self.hidden, self.d_head].map(u128::from);
        let attention = hidden * d * u128::from(2 * self.heads + 2 * self.kv_heads);
        attention + hidden * u128::from(self.intermediate) * if self.gated { 3 } else { 2 }
    }

    /// Weights of the whole model: layers, embedding, and the output head unless it is tied.
    pub fn weights(&self) -> u128 {
        let table = u128::from(self.hidden) * u128::from(self.vocabulary);
        u128::from(self.layers) * self.layer_weights() + table * if self.tied { 1 } else { 2 }
    }

    /// Numbers of keys and values that one token leaves in the cache, over all layers: 2 · layers · kv_heads · d.
    pub fn kv_numbers_per_token(&self) -> u64 {
        2 * self.layers * self.kv_heads * self.d_head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LLAMA: &str = r#"{"model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100, "hidden_act": "silu", "rope_theta": 1e4}"#;

    #[test]
    fn what_a_file_does_not_say_follows_from_its_family() {
        let llama = Transformer::from_json("c", LLAMA).unwrap();
        assert!(llama.gated && llama.causal && !llama.tied && llama.group() == 2);
        let bert =
            LLAMA.replace("llama", "bert").replace("silu", "gelu").replace("\"num_key_value_heads\": 2,", "");
        let bert = Transformer::from_json("c", &bert).unwrap();
        assert!(!bert.gated && !bert.causal && bert.tied && bert.kv_heads == 4);
        assert_eq!(bert.layer_weights(), 64 * 64 * 4 + 2 * 64 * 128);
        let gpt2 =
            r#"{"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50257}"#;
        let gpt2 = Transformer::from_json("c", gpt2).unwrap();
        assert_eq!((gpt2.intermediate, gpt2.d_head, gpt2.tied), (3072, 64, true));
    }

    #[test]
    fn files_that_cannot_be_are_refused_by_key() {
        let refused = |from: &str, to: &str| {
            assert!(LLAMA.contains(from), "{from}");
            let message =
                Transformer::from_json("mine.json", &LLAMA.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(message.contains("mine.json") && !message.contains('\n'), "{message}");
            message
        };
        assert!(refused("\"hidden_size\": 64", "\"hidden_size\": 0").contains("hidden_size"));
        assert!(refused("\"hidden_size\": 64,", "").contains("missing"));
        assert!(refused("\"hidden_size\": 64", "\"hidden_size\": -1").contains("line"));
        assert!(refused("\"hidden_size\": 64", "\"hidden_size\": 99999999999").contains("2³²"));
        assert!(
            refused("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3").contains("does not divide")
        );
        assert!(refused("\"hidden_size\": 64", "\"hidden_size\": 65").contains("head_dim"));
        assert!(
            refused("\"vocab_size\": 100", "\"num_experts\": 8, \"vocab_size\": 100").contains("experts")
        );
        assert!(refused("{", "[").contains("mine.json"));
    }
}
