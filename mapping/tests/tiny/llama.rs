//! A two-layer Llama with random weights, as a folder and as a GGUF file. It exercises code paths; it is not a model of anything.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use ceas_mapping::reference::format::Format;
use ceas_sim::stream::{Purpose, Stream};
use half::{bf16, f16};
use safetensors::tensor::Dtype;
use tempfile::TempDir;

use super::{Tensors, safetensors};

pub const HIDDEN: usize = 32;
pub const HEADS: usize = 4;
pub const KV_HEADS: usize = 2;
pub const D: usize = 8;
pub const INNER: usize = 64;
pub const LAYERS: usize = 2;
pub const CONTEXT: usize = 24;
/// The letters a to e, those that merge, and two special tokens.
pub const WORDS: [&str; 9] = ["a", "b", "c", "d", "Ġ", "ab", "Ġc", "<|end|>", "<|extra|>"];
pub const MERGES: [&str; 2] = ["a b", "Ġ c"];
pub const THETA: f64 = 100.0;

/// Random weights under the names of Hugging Face, without a head of their own.
pub fn tensors() -> Tensors {
    let mut shapes: Vec<(String, Vec<usize>)> = vec![
        ("model.embed_tokens.weight".into(), vec![WORDS.len(), HIDDEN]),
        ("model.norm.weight".into(), vec![HIDDEN]),
    ];
    for layer in 0..LAYERS {
        for (part, shape) in [
            ("input_layernorm", vec![HIDDEN]),
            ("self_attn.q_proj", vec![HEADS * D, HIDDEN]),
            ("self_attn.k_proj", vec![KV_HEADS * D, HIDDEN]),
            ("self_attn.v_proj", vec![KV_HEADS * D, HIDDEN]),
            ("self_attn.o_proj", vec![HIDDEN, HEADS * D]),
            ("post_attention_layernorm", vec![HIDDEN]),
            ("mlp.gate_proj", vec![INNER, HIDDEN]),
            ("mlp.up_proj", vec![INNER, HIDDEN]),
            ("mlp.down_proj", vec![HIDDEN, INNER]),
        ] {
            shapes.push((format!("model.layers.{layer}.{part}.weight"), shape));
        }
    }
    let mut stream = Stream::new(7, Purpose::Test, 0, 0);
    shapes
        .into_iter()
        .map(|(name, shape)| {
            let numbers = (0..shape.iter().product()).map(|_| stream.normal() as f32 * 0.4).collect();
            (name, (shape, numbers))
        })
        .collect()
}

pub fn config() -> serde_json::Value {
    serde_json::json!({
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu", "hidden_size": HIDDEN,
        "intermediate_size": INNER, "rms_norm_eps": 1e-5, "max_position_embeddings": CONTEXT, "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS, "num_hidden_layers": LAYERS, "vocab_size": WORDS.len(), "rope_theta": THETA,
        "tie_word_embeddings": true, "eos_token_id": 7,
    })
}

pub fn tokenizer() -> serde_json::Value {
    let vocabulary: BTreeMap<_, _> = WORDS.iter().enumerate().map(|(id, word)| (word, id)).collect();
    serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "post_processor": null,
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "vocab": vocabulary,
                  "merges": MERGES},
    })
}

pub struct TinyLlama {
    pub folder: TempDir,
}

impl TinyLlama {
    pub fn new() -> Self {
        let tiny = Self { folder: TempDir::new().expect("a temporary folder") };
        tiny.write("config.json", config().to_string().as_bytes());
        tiny.write("tokenizer.json", tokenizer().to_string().as_bytes());
        tiny.write("model.safetensors", &safetensors(&tensors(), Dtype::F32));
        tiny.write("model.gguf", &gguf(&tensors(), |_| Format::F32));
        tiny
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.file(name), bytes).expect("a temporary file");
    }
}

/// A value of the metadata: its type and its bytes.
pub struct Meta(pub u32, pub Vec<u8>);

impl Meta {
    pub fn u32(x: u32) -> Self {
        Self(4, x.to_le_bytes().into())
    }
    pub fn f32(x: f32) -> Self {
        Self(6, x.to_le_bytes().into())
    }
    pub fn text(x: &str) -> Self {
        Self(8, string(x))
    }
    pub fn texts(x: &[&str]) -> Self {
        let mut bytes = 8u32.to_le_bytes().to_vec();
        bytes.extend((x.len() as u64).to_le_bytes());
        bytes.extend(x.iter().flat_map(|x| string(x)));
        Self(9, bytes)
    }
    pub fn i32s(x: &[i32]) -> Self {
        let mut bytes = 5u32.to_le_bytes().to_vec();
        bytes.extend((x.len() as u64).to_le_bytes());
        bytes.extend(x.iter().flat_map(|x| x.to_le_bytes()));
        Self(9, bytes)
    }
}

pub fn string(x: &str) -> Vec<u8> {
    [&(x.len() as u64).to_le_bytes()[..], x.as_bytes()].concat()
}

pub fn metadata() -> Vec<(String, Meta)> {
    let number = |n: usize| Meta::u32(n as u32);
    [
        ("general.architecture", Meta::text("llama")),
        ("llama.block_count", number(LAYERS)),
        ("llama.context_length", number(CONTEXT)),
        ("llama.embedding_length", number(HIDDEN)),
        ("llama.feed_forward_length", number(INNER)),
        ("llama.attention.head_count", number(HEADS)),
        ("llama.attention.head_count_kv", number(KV_HEADS)),
        ("llama.rope.freq_base", Meta::f32(THETA as f32)),
        ("llama.attention.layer_norm_rms_epsilon", Meta::f32(1e-5)),
        ("tokenizer.ggml.model", Meta::text("gpt2")),
        ("tokenizer.ggml.pre", Meta::text("gpt-2")),
        ("tokenizer.ggml.tokens", Meta::texts(&WORDS)),
        ("tokenizer.ggml.merges", Meta::texts(&MERGES)),
        ("tokenizer.ggml.token_type", Meta::i32s(&[1, 1, 1, 1, 1, 1, 1, 3, 3])),
        ("tokenizer.ggml.eos_token_id", number(7)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

/// The GGUF file of these tensors, each in the format that `format` gives its name; queries and keys permuted as such files have them.
pub fn gguf(tensors: &Tensors, format: impl Fn(&str) -> Format) -> Vec<u8> {
    let stored: Vec<Placed> = tensors
        .iter()
        .map(|(name, (shape, numbers))| {
            let permuted = ["q_proj", "k_proj"].iter().any(|part| name.contains(part));
            let numbers = if permuted {
                neighbours(numbers, shape.get(1).copied().unwrap_or(1))
            } else {
                numbers.clone()
            };
            let kind = if shape.len() == 1 { Format::F32 } else { format(name) };
            (gguf_name(name), shape.clone(), number(kind), encode(kind, &numbers))
        })
        .collect();
    file(&metadata(), &stored)
}

/// Name, shape, number of the type, bytes.
pub type Placed = (String, Vec<usize>, u32, Vec<u8>);

/// The bytes of a file of version 3.
pub fn file(metadata: &[(String, Meta)], tensors: &[Placed]) -> Vec<u8> {
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3u32.to_le_bytes());
    bytes.extend((tensors.len() as u64).to_le_bytes());
    bytes.extend((metadata.len() as u64).to_le_bytes());
    for (key, Meta(kind, value)) in metadata {
        bytes.extend(string(key));
        bytes.extend(kind.to_le_bytes());
        bytes.extend(value);
    }
    let mut data = Vec::new();
    for (name, shape, kind, numbers) in tensors {
        bytes.extend(string(name));
        bytes.extend((shape.len() as u32).to_le_bytes());
        bytes.extend(shape.iter().rev().flat_map(|&n| (n as u64).to_le_bytes()));
        bytes.extend(kind.to_le_bytes());
        bytes.extend((data.len() as u64).to_le_bytes());
        data.extend(numbers);
        data.resize(data.len().next_multiple_of(32), 0);
    }
    bytes.resize(bytes.len().next_multiple_of(32), 0);
    bytes.extend(data);
    bytes
}

pub fn gguf_name(name: &str) -> String {
    let layer = name.replace("model.layers.", "blk.");
    [
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("lm_head", "output"),
        ("input_layernorm", "attn_norm"),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("post_attention_layernorm", "ffn_norm"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ]
    .into_iter()
    .fold(layer, |name, (from, to)| name.replace(from, to))
}

/// Rows i and i + d/2 of every head become neighbours.
fn neighbours(numbers: &[f32], columns: usize) -> Vec<f32> {
    let rows: Vec<&[f32]> = numbers.chunks(columns).collect();
    rows.chunks(D)
        .flat_map(|head| (0..D / 2).flat_map(|i| [head[i], head[i + D / 2]]))
        .flatten()
        .copied()
        .collect()
}

fn number(format: Format) -> u32 {
    (0..64).find(|&kind| Format::of_gguf(kind) == Some(format)).expect("every format has a number")
}

/// The numbers in a format: floats, or Q8_0.
fn encode(format: Format, numbers: &[f32]) -> Vec<u8> {
    match format {
        Format::F32 => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Format::F16 => numbers.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect(),
        Format::BF16 => numbers.iter().flat_map(|x| bf16::from_f32(*x).to_le_bytes()).collect(),
        Format::Q8_0 => numbers
            .chunks(32)
            .flat_map(|block| {
                let largest = block.iter().fold(0.0f32, |a, x| a.max(x.abs()));
                let d = f16::from_f32(largest / 127.0);
                let q = block.iter().map(move |x| (x / d.to_f32()).round() as i8 as u8);
                d.to_le_bytes().into_iter().chain(q).collect::<Vec<_>>()
            })
            .collect(),
        other => panic!("{other:?} is not written here"),
    }
}
