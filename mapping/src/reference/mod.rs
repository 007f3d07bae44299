//! The exact answer that every spin version is measured against: a BERT-family encoder read from a model folder.
//!
//! A folder holds `config.json`, `tokenizer.json` and `model.safetensors`. [`Model::open`] reads it,
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
pub mod checkpoint;
pub mod config;
pub mod encoder;
pub mod error;
pub mod exponential;
pub mod format;
pub mod gguf;
pub mod layer;
pub mod matrix;
mod model;
pub mod rotation;
pub mod substrate;
pub mod tokens;
pub mod weights;

pub use error::Error;
pub use model::Model;
