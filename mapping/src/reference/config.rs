//! What `config.json` says about an encoder, and whether it is one that is computed rightly here.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::Error;
use super::layer::Activation;

/// Sizes and constants of a BERT-family encoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Number of layers.
    pub layers: usize,
    /// Heads per layer.
    pub heads: usize,
    /// Width of the residual stream.
    pub hidden: usize,
    /// Width of the feed-forward layer.
    pub intermediate: usize,
    /// Size of the vocabulary.
    pub vocabulary: usize,
    /// Longest sequence.
    pub positions: usize,
    /// Number of token types (segments); only the first is used.
    pub token_types: usize,
    /// The ε of LayerNorm.
    pub epsilon: f32,
    /// Non-linearity of the feed-forward layer.
    pub activation: Activation,
    /// The id that marks padding.
    pub padding: u32,
}

#[derive(Deserialize)]
struct Family {
    model_type: Option<String>,
    architectures: Option<Vec<String>>,
    position_embedding_type: Option<String>,
    #[serde(default)]
    is_decoder: bool,
}

#[derive(Deserialize)]
struct Sizes {
    num_hidden_layers: usize,
    num_attention_heads: usize,
    hidden_size: usize,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    type_vocab_size: usize,
    #[serde(default = "usual_epsilon")]
    layer_norm_eps: f64,
    hidden_act: String,
    #[serde(default)]
    pad_token_id: u32,
}

/// What BERT configurations leave out when they mean it.
fn usual_epsilon() -> f64 {
    1e-12
}

impl Config {
    /// Reads the text of a `config.json`; `file` is used in messages.
    ///
    /// Accepted: `model_type` "bert" (or, where that is missing, `architectures` that begin with Bert), absolute
    /// position embeddings, not a decoder. RoBERTa, DistilBERT, MPNet and others differ in positions, names or biases
    /// and are refused by name.
    ///
    /// # Errors
    /// [`Error::Family`] for another family, [`Error::Config`] for a key that is missing or cannot be right.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let family: Family = read(file, text)?;
        family.check(file)?;
        let sizes: Sizes = read(file, text)?;
        let wrong = |violated: String| Error::Config { file: file.to_owned(), violated };
        for (key, value) in [
            ("num_hidden_layers", sizes.num_hidden_layers),
            ("num_attention_heads", sizes.num_attention_heads),
            ("hidden_size", sizes.hidden_size),
            ("intermediate_size", sizes.intermediate_size),
            ("vocab_size", sizes.vocab_size),
            ("max_position_embeddings", sizes.max_position_embeddings),
            ("type_vocab_size", sizes.type_vocab_size),
        ] {
            if value == 0 {
                return Err(wrong(format!("{key} is 0; expected at least 1")));
            }
        }
        if !sizes.hidden_size.is_multiple_of(sizes.num_attention_heads) {
            return Err(wrong(format!(
                "hidden_size {} is not a multiple of num_attention_heads {}",
                sizes.hidden_size, sizes.num_attention_heads
            )));
        }
        if !(sizes.layer_norm_eps > 0.0 && sizes.layer_norm_eps < 1.0) {
            return Err(wrong(format!("layer_norm_eps {} is not between 0 and 1", sizes.layer_norm_eps)));
        }
        let activation = Activation::named(&sizes.hidden_act).ok_or_else(|| {
            wrong(format!(
                "hidden_act {:?} is not supported; supported: {}",
                sizes.hidden_act,
                Activation::NAMES
            ))
        })?;
        Ok(Self {
            layers: sizes.num_hidden_layers,
            heads: sizes.num_attention_heads,
            hidden: sizes.hidden_size,
            intermediate: sizes.intermediate_size,
            vocabulary: sizes.vocab_size,
            positions: sizes.max_position_embeddings,
            token_types: sizes.type_vocab_size,
            epsilon: sizes.layer_norm_eps as f32,
            activation,
            padding: sizes.pad_token_id,
        })
    }

    /// Dimension of one head.
    pub fn d_head(&self) -> usize {
        self.hidden / self.heads
    }
}

impl Family {
    fn check(&self, file: &str) -> Result<(), Error> {
        let refused = |got: String| Error::Family { file: file.to_owned(), got };
        let architectures = self.architectures.as_deref().unwrap_or_default();
        match &self.model_type {
            Some(kind) if kind != "bert" => return Err(refused(format!("model_type {kind:?}"))),
            None if architectures.is_empty() => {
                return Err(refused("a configuration without model_type or architectures".into()));
            }
            _ => {}
        }
        if let Some(other) = architectures.iter().find(|name| !name.starts_with("Bert")) {
            return Err(refused(format!("architecture {other:?}")));
        }
        match self.position_embedding_type.as_deref() {
            None | Some("absolute") => {}
            Some(other) => return Err(refused(format!("position_embedding_type {other:?}"))),
        }
        if self.is_decoder { Err(refused("a decoder (is_decoder is true)".into())) } else { Ok(()) }
    }
}

fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|e| Error::Config {
        file: file.to_owned(),
        violated: format!("not a model configuration: {e}"),
    })
}
