//! A two-layer BERT with random weights in a temporary folder. It exercises code paths; it is not a model of anything.
#![allow(dead_code, reason = "every test file uses its own part")]

pub mod llama;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ceas_mapping::reference::tokens::Sequence;
use ceas_sim::stream::{Purpose, Stream};
use half::{bf16, f16};
use safetensors::tensor::{Dtype, TensorView};
use tempfile::TempDir;

pub const HIDDEN: usize = 16;
pub const HEADS: usize = 2;
pub const INNER: usize = 24;
pub const LAYERS: usize = 2;
pub const POSITIONS: usize = 12;
pub const WORDS: [&str; 9] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "spin", "glass", "heat", "##ed", "."];

/// Name → shape and numbers.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

pub struct Tiny {
    pub folder: TempDir,
}

/// Random weights under the names of BERT checkpoints.
pub fn tensors() -> Tensors {
    let mut shapes: Vec<(String, Vec<usize>)> = vec![
        ("embeddings.word_embeddings.weight".into(), vec![WORDS.len(), HIDDEN]),
        ("embeddings.position_embeddings.weight".into(), vec![POSITIONS, HIDDEN]),
        ("embeddings.token_type_embeddings.weight".into(), vec![2, HIDDEN]),
        ("embeddings.LayerNorm.weight".into(), vec![HIDDEN]),
        ("embeddings.LayerNorm.bias".into(), vec![HIDDEN]),
    ];
    for layer in 0..LAYERS {
        for (part, n_out, n_in) in [
            ("attention.self.query", HIDDEN, HIDDEN),
            ("attention.self.key", HIDDEN, HIDDEN),
            ("attention.self.value", HIDDEN, HIDDEN),
            ("attention.output.dense", HIDDEN, HIDDEN),
            ("intermediate.dense", INNER, HIDDEN),
            ("output.dense", HIDDEN, INNER),
        ] {
            shapes.push((format!("encoder.layer.{layer}.{part}.weight"), vec![n_out, n_in]));
            shapes.push((format!("encoder.layer.{layer}.{part}.bias"), vec![n_out]));
        }
        for part in ["attention.output.LayerNorm", "output.LayerNorm"] {
            shapes.push((format!("encoder.layer.{layer}.{part}.weight"), vec![HIDDEN]));
            shapes.push((format!("encoder.layer.{layer}.{part}.bias"), vec![HIDDEN]));
        }
    }
    let mut stream = Stream::new(0, Purpose::Test, 0, 0);
    let mut number = || (stream.next_u64() >> 40) as f32 / (1u32 << 24) as f32 - 0.5;
    shapes
        .into_iter()
        .map(|(name, shape)| {
            let numbers = (0..shape.iter().product()).map(|_| number()).collect();
            (name, (shape, numbers))
        })
        .collect()
}

pub fn config() -> serde_json::Value {
    serde_json::json!({
        "model_type": "bert", "architectures": ["BertModel"], "hidden_act": "gelu", "hidden_size": HIDDEN,
        "intermediate_size": INNER, "layer_norm_eps": 1e-12, "max_position_embeddings": POSITIONS,
        "num_attention_heads": HEADS, "num_hidden_layers": LAYERS, "pad_token_id": 0,
        "position_embedding_type": "absolute", "type_vocab_size": 2, "vocab_size": WORDS.len(),
    })
}

/// A WordPiece tokenizer that pads to 8 and cuts at 8, as sentence models ship it.
pub fn tokenizer() -> serde_json::Value {
    let vocabulary: BTreeMap<_, _> = WORDS.iter().enumerate().map(|(id, word)| (word, id)).collect();
    let special = |id: usize| {
        serde_json::json!({"id": id, "content": WORDS[id], "special": true, "single_word": false, "lstrip": false,
                           "rstrip": false, "normalized": false})
    };
    serde_json::json!({
        "version": "1.0",
        "truncation": {"max_length": 8, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
        "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
                    "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": [special(0), special(1), special(2), special(3)],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                       "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                               "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": vocabulary},
    })
}

/// The file of some tensors, in one of F32, F16, BF16, F64.
pub fn safetensors(tensors: &Tensors, dtype: Dtype) -> Vec<u8> {
    let bytes = |x: &f32| match dtype {
        Dtype::F16 => f16::from_f32(*x).to_le_bytes().to_vec(),
        Dtype::BF16 => bf16::from_f32(*x).to_le_bytes().to_vec(),
        Dtype::F64 => f64::from(*x).to_le_bytes().to_vec(),
        _ => x.to_le_bytes().to_vec(),
    };
    let data: Vec<(&String, &Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, numbers))| (name, shape, numbers.iter().flat_map(bytes).collect()))
        .collect();
    let views = data.iter().map(|(name, shape, bytes)| {
        (name.as_str(), TensorView::new(dtype, (*shape).clone(), bytes).expect("the shape fits"))
    });
    safetensors::serialize(views, None).expect("sound tensors serialise")
}

/// A header with these entries and `data` zero bytes behind it.
pub fn lie(header: &str, data: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.resize(file.len() + data, 0);
    file
}

impl Tiny {
    pub fn new() -> Self {
        let tiny = Self { folder: TempDir::new().expect("a temporary folder") };
        tiny.write("config.json", config().to_string().as_bytes());
        tiny.write("tokenizer.json", tokenizer().to_string().as_bytes());
        tiny.write("model.safetensors", &safetensors(&tensors(), Dtype::F32));
        tiny
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.file(name), bytes).expect("a temporary file");
    }

    /// Replaces one key of the configuration.
    pub fn configure(&self, key: &str, value: impl Into<serde_json::Value>) {
        let mut config = config();
        config[key] = value.into();
        self.write("config.json", config.to_string().as_bytes());
    }
}

/// A sequence of ids; id 0 is padding.
pub fn sequence(ids: &[u32]) -> Sequence {
    Sequence { ids: ids.to_vec(), mask: ids.iter().map(|&id| id != 0).collect(), ..Sequence::default() }
}
