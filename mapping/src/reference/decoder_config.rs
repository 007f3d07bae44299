//! What `config.json` or the metadata of a GGUF file says about a decoder, and whether it is one that is computed rightly here.

use serde::Deserialize;
use serde_json::Value;

use super::error::Error;
use super::gguf::Gguf;
use super::layer::Activation;
use super::rotation::Scaling;

/// Sizes and constants of a decoder of the Llama family.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderConfig {
    /// Number of layers.
    pub layers: usize,
    /// Heads per layer.
    pub heads: usize,
    /// Heads that have keys and values of their own; each serves heads/kv_heads.
    pub kv_heads: usize,
    /// Dimension of one head.
    pub d_head: usize,
    /// Width of the residual stream.
    pub hidden: usize,
    /// Width of the feed-forward layer.
    pub intermediate: usize,
    /// Size of the vocabulary.
    pub vocabulary: usize,
    /// Longest sequence.
    pub context: usize,
    /// The ε of RMSNorm.
    pub epsilon: f32,
    /// Non-linearity of the gate.
    pub activation: Activation,
    /// Base θ of the rotary frequencies.
    pub theta: f64,
    /// How they are stretched.
    pub scaling: Scaling,
    /// Whether the read-out is the embedding.
    pub tied: bool,
    /// Whether the maps of attention have biases.
    pub attention_bias: bool,
    /// Whether the maps of the feed-forward block have biases.
    pub mlp_bias: bool,
}

#[derive(Deserialize)]
struct Keys {
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    hidden_size: usize,
    intermediate_size: usize,
    vocab_size: usize,
    #[serde(default = "usual_context")]
    max_position_embeddings: usize,
    #[serde(default = "usual_epsilon")]
    rms_norm_eps: f64,
    #[serde(default = "usual_activation")]
    hidden_act: String,
    rope_theta: Option<f64>,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
}

/// What Llama configurations leave out when they mean it.
fn usual_context() -> usize {
    2048
}
fn usual_epsilon() -> f64 {
    1e-6
}
fn usual_activation() -> String {
    "silu".into()
}
const USUAL_THETA: f64 = 1e4;

/// Whether the text of a `config.json` names this family.
pub fn names_a_decoder(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Kind {
        model_type: Option<String>,
    }
    serde_json::from_str::<Kind>(text).is_ok_and(|kind| kind.model_type.as_deref() == Some("llama"))
}

impl DecoderConfig {
    /// Reads the text of a `config.json` whose `model_type` is "llama"; `file` is used in messages.
    ///
    /// # Errors
    /// [`Error::Family`] for another architecture, [`Error::Config`] for a key that is missing or cannot be right.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Family {
            #[serde(default)]
            architectures: Vec<String>,
        }
        let wrong = |violated: String| Error::Config { file: file.to_owned(), violated };
        let not = |e| wrong(format!("not a model configuration: {e}"));
        let Family { architectures } = serde_json::from_str(text).map_err(not)?;
        if let Some(other) =
            architectures.iter().find(|name| *name != "LlamaForCausalLM" && *name != "LlamaModel")
        {
            return Err(Error::Family { file: file.to_owned(), got: format!("architecture {other:?}") });
        }
        let keys: Keys = serde_json::from_str(text).map_err(not)?;
        let (theta, scaling) = rope(&keys).map_err(wrong)?;
        let config = Self {
            layers: keys.num_hidden_layers,
            heads: keys.num_attention_heads,
            kv_heads: keys.num_key_value_heads.unwrap_or(keys.num_attention_heads),
            d_head: keys.head_dim.unwrap_or(keys.hidden_size / keys.num_attention_heads.max(1)),
            hidden: keys.hidden_size,
            intermediate: keys.intermediate_size,
            vocabulary: keys.vocab_size,
            context: keys.max_position_embeddings,
            epsilon: keys.rms_norm_eps as f32,
            activation: Activation::named(&keys.hidden_act).ok_or_else(|| {
                wrong(format!(
                    "hidden_act {:?} is not supported; supported: {}",
                    keys.hidden_act,
                    Activation::NAMES
                ))
            })?,
            theta,
            scaling,
            tied: keys.tie_word_embeddings,
            attention_bias: keys.attention_bias,
            mlp_bias: keys.mlp_bias,
        };
        let whole = keys.head_dim.is_some() || config.hidden.is_multiple_of(config.heads.max(1));
        config.check(whole).map_err(wrong)?;
        Ok(config)
    }

    /// Reads the metadata of a GGUF file.
    ///
    /// # Errors
    /// [`Error::Family`] for another architecture, [`Error::Gguf`] for a key that is missing or cannot be right.
    pub fn of_gguf(gguf: &Gguf) -> Result<Self, Error> {
        let refused = |got: String| Error::Family { file: gguf.file().to_owned(), got };
        match gguf.text("general.architecture")? {
            Some("llama") => {}
            Some(other) => return Err(refused(format!("architecture {other:?}"))),
            None => return Err(gguf.missing("general.architecture")),
        }
        if let Some(experts) = gguf.whole("llama.expert_count")?.filter(|&n| n > 0) {
            return Err(refused(format!("a mixture of {experts} experts")));
        }
        let whole = |key: &str| -> Result<usize, Error> {
            let key = format!("llama.{key}");
            gguf.whole(&key)?.ok_or_else(|| gguf.missing(&key))
        };
        let number = |key: &str| gguf.number(&format!("llama.{key}"));
        let (heads, hidden) = (whole("attention.head_count")?, whole("embedding_length")?);
        let words = gguf.checkpoint().stored("token_embd.weight")?.shape().to_vec();
        let scaling = match gguf.text("llama.rope.scaling.type")? {
            None | Some("none") => Scaling::Unscaled,
            Some("linear") => {
                let factor = number("rope.scaling.factor")?;
                Scaling::Linear { factor: factor.ok_or_else(|| gguf.missing("llama.rope.scaling.factor"))? }
            }
            Some(other) => return Err(refused(format!("llama.rope.scaling.type {other:?}"))),
        };
        let config = Self {
            layers: whole("block_count")?,
            heads,
            kv_heads: gguf.whole("llama.attention.head_count_kv")?.unwrap_or(heads),
            d_head: gguf.whole("llama.attention.key_length")?.unwrap_or(hidden / heads.max(1)),
            hidden,
            intermediate: whole("feed_forward_length")?,
            vocabulary: gguf.whole("llama.vocab_size")?.or(words.first().copied()).unwrap_or(0),
            context: whole("context_length")?,
            epsilon: number("attention.layer_norm_rms_epsilon")?
                .ok_or_else(|| gguf.missing("llama.attention.layer_norm_rms_epsilon"))?
                as f32,
            activation: Activation::Silu,
            theta: number("rope.freq_base")?.unwrap_or(USUAL_THETA),
            scaling,
            tied: false,
            attention_bias: gguf.checkpoint().contains("blk.0.attn_q.bias"),
            mlp_bias: false,
        };
        let d_head = config.d_head;
        for (key, got) in [("rope.dimension_count", d_head), ("attention.value_length", d_head)] {
            if let Some(n) = gguf.whole(&format!("llama.{key}"))?.filter(|&n| n != got) {
                return Err(refused(format!("llama.{key} {n} with heads of dimension {got}")));
            }
        }
        config
            .check(gguf.value("llama.attention.key_length").is_some() || hidden.is_multiple_of(heads.max(1)))
            .map_err(|violated| Error::Gguf { file: gguf.file().to_owned(), violated })?;
        Ok(config)
    }

    /// Whether the numbers go together; `whole`: whether heads divide the width where they should.
    fn check(&self, whole: bool) -> Result<(), String> {
        for (what, value) in [
            ("layers", self.layers),
            ("heads", self.heads),
            ("key–value heads", self.kv_heads),
            ("dimensions of a head", self.d_head),
            ("hidden width", self.hidden),
            ("feed-forward width", self.intermediate),
            ("vocabulary", self.vocabulary),
            ("context", self.context),
        ] {
            if value == 0 {
                return Err(format!("the number of {what} is 0; expected at least 1"));
            }
        }
        if !whole {
            return Err(format!(
                "the hidden width {} is not a multiple of the {} heads",
                self.hidden, self.heads
            ));
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(format!(
                "{} heads cannot share {} key–value heads evenly",
                self.heads, self.kv_heads
            ));
        }
        if !self.d_head.is_multiple_of(2) {
            return Err(format!("heads of odd dimension {} have no rotary pairs", self.d_head));
        }
        for product in [self.heads, self.kv_heads] {
            product
                .checked_mul(self.d_head)
                .ok_or("heads times their dimension is more than can be counted")?;
        }
        if !(self.epsilon > 0.0 && self.epsilon < 1.0) {
            return Err(format!("the ε of RMSNorm {} is not between 0 and 1", self.epsilon));
        }
        let stretch = match &self.scaling {
            Scaling::Linear { factor } | Scaling::Llama3 { factor, .. } => *factor,
            _ => 1.0,
        };
        if !(self.theta > 1.0 && self.theta.is_finite() && stretch >= 1.0 && stretch.is_finite()) {
            return Err(format!(
                "rotary base {} with a factor {stretch}: expected more than 1 and at least 1",
                self.theta
            ));
        }
        Ok(())
    }
}

/// Base and stretching of rotary positions, under the old keys or the new one.
fn rope(keys: &Keys) -> Result<(f64, Scaling), String> {
    let (key, scaling) = match (&keys.rope_parameters, &keys.rope_scaling) {
        (Some(new), _) => ("rope_parameters", new),
        (None, Some(old)) => ("rope_scaling", old),
        (None, None) => return Ok((keys.rope_theta.unwrap_or(USUAL_THETA), Scaling::Unscaled)),
    };
    let number = |name: &str| scaling.get(name).and_then(Value::as_f64);
    let needed = |name: &str| number(name).ok_or_else(|| format!("{key} has no number {name}"));
    let theta = number("rope_theta").or(keys.rope_theta).unwrap_or(USUAL_THETA);
    let kind = scaling.get("rope_type").or_else(|| scaling.get("type"));
    let scaling = match kind.map_or(Some("default"), Value::as_str) {
        _ if scaling.is_null() => Scaling::Unscaled,
        Some("default") => Scaling::Unscaled,
        Some("linear") => Scaling::Linear { factor: needed("factor")? },
        Some("llama3") => Scaling::Llama3 {
            factor: needed("factor")?,
            low: needed("low_freq_factor")?,
            high: needed("high_freq_factor")?,
            original: needed("original_max_position_embeddings")?,
        },
        _ => {
            let kind = kind.map_or_else(String::new, Value::to_string);
            return Err(format!("{key} of type {kind} is not supported; supported: default, linear, llama3"));
        }
    };
    if matches!(scaling, Scaling::Llama3 { low, high, .. } if high <= low) {
        return Err(format!("{key}: high_freq_factor must be larger than low_freq_factor"));
    }
    Ok((theta, scaling))
}
