//! The exact answer that every spin version is measured against: real checkpoints, their tokenizers and their forward in f32.
//!
//! Encoders of the BERT family come from a folder ([`Model`]), decoders of the Llama family from a folder or a GGUF file
//! ([`LanguageModel`]); [`Loaded`] is either. Weights stay in the mapped file as they are stored and are converted where they are used.
//!
//! A folder holds `config.json`, `tokenizer.json` and `model.safetensors` or its shards. [`Model::open`] reads it,
//! [`tokens::Tokens`] turns text into a [`tokens::Sequence`], [`encoder::Encoder::forward`] runs it in f32, and the
//! [`substrate::Substrate`] given to the forward decides how attention, feed-forward and norm are computed:
//! [`substrate::Digital`] exactly, [`substrate::Recorder`] exactly while keeping every q, k, v.
//!
//! ```no_run
//! use ceas_mapping::reference::{Model, substrate::Digital};
//! let model = Model::open("minilm".as_ref())?;
//! let sequence = model.tokens().encode("The weather is lovely today.", model.encoder().config().positions)?;
//! let embedding = model.encoder().forward(&sequence, &mut Digital)?.sentence_embedding();
//! assert_eq!(embedding.len(), 384);
//! # Ok::<(), ceas_mapping::reference::Error>(())
//! ```

pub mod attend;
mod bpe;
pub mod cache;
pub mod checkpoint;
pub mod config;
pub mod decoder;
pub mod decoder_config;
pub mod encoder;
pub mod error;
pub mod exponential;
pub mod format;
pub mod gguf;
mod gguf_reader;
pub mod gguf_value;
mod language_model;
pub mod layer;
pub mod matrix;
mod model;
pub mod names;
pub mod rotation;
pub mod substrate;
pub mod tokens;
pub mod weights;

pub use error::Error;
pub use language_model::{LanguageModel, Loaded};
pub use model::Model;
