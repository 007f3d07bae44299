//! A decoder with its tokenizer, and what either kind of model has in common.

use std::fs;
use std::path::Path;

use ndarray::{Array3, Array4, Axis, stack};
use serde::Deserialize;

use super::bpe;
use super::checkpoint::Checkpoint;
use super::decoder::Decoder;
use super::decoder_config::{DecoderConfig, names_a_decoder};
use super::error::Error;
use super::gguf::Gguf;
use super::model::{Model, name_of, read_text};
use super::names::Names;
use super::substrate::{Digital, Recorder};
use super::tokens::{Sequence, Tokens};
use crate::heads::{HeadSet, Origin};

/// A decoder and its tokenizer.
#[derive(Debug)]
pub struct LanguageModel {
    name: String,
    tokens: Tokens,
    decoder: Decoder,
    stored: Vec<(String, u64)>,
}

/// A checkpoint of either family.
#[derive(Debug)]
pub enum Loaded {
    /// Of the BERT family.
    Encoder(Box<Model>),
    /// Of the Llama family.
    Decoder(Box<LanguageModel>),
}

/// Ids after which a text has ended, in a configuration: one or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Ends {
    One(u32),
    Several(Vec<u32>),
}

#[derive(Deserialize)]
struct End {
    eos_token_id: Option<Ends>,
}

impl Loaded {
    /// Reads a folder (config.json, tokenizer.json, safetensors) or a GGUF file.
    ///
    /// # Errors
    /// Every variant of [`Error`] that names a file: which is missing, or what in it is wrong.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if path.is_file() {
            return Ok(Self::Decoder(Box::new(LanguageModel::of_gguf(Gguf::open(path)?, path)?)));
        }
        let config = path.join("config.json");
        if config.is_file() && names_a_decoder(&read_text(&config)?) {
            return Ok(Self::Decoder(Box::new(LanguageModel::of_folder(path)?)));
        }
        Ok(Self::Encoder(Box::new(Model::open(path)?)))
    }

    /// The name of the folder or file.
    pub fn name(&self) -> &str {
        match self {
            Self::Encoder(model) => model.name(),
            Self::Decoder(model) => model.name(),
        }
    }

    /// The tokenizer.
    pub fn tokens(&self) -> &Tokens {
        match self {
            Self::Encoder(model) => model.tokens(),
            Self::Decoder(model) => model.tokens(),
        }
    }

    /// Longest sequence.
    pub fn context(&self) -> usize {
        match self {
            Self::Encoder(model) => model.encoder().config().positions,
            Self::Decoder(model) => model.decoder().config().context,
        }
    }

    /// Size of the vocabulary.
    pub fn vocabulary(&self) -> usize {
        match self {
            Self::Encoder(model) => model.encoder().config().vocabulary,
            Self::Decoder(model) => model.decoder().config().vocabulary,
        }
    }

    /// Queries, keys and values of the given layers (all, if `layers` is empty) while the model runs `sequence` exactly.
    ///
    /// # Errors
    /// Those of [`Model::capture`].
    pub fn capture(&self, sequence: &Sequence, layers: &[usize]) -> Result<HeadSet, crate::Error> {
        match self {
            Self::Encoder(model) => model.capture(sequence, layers),
            Self::Decoder(model) => model.capture(sequence, layers),
        }
    }
}

impl LanguageModel {
    /// Reads a folder of the Llama family: config.json, tokenizer.json and safetensors.
    ///
    /// # Errors
    /// Every variant of [`Error`] that names a file: which is missing, or what in it is wrong.
    pub fn of_folder(folder: &Path) -> Result<Self, Error> {
        let [config, tokenizer] = Model::files(folder)?;
        let (shown, text) = (config.display().to_string(), read_text(&config)?);
        let end = serde_json::from_str::<End>(&text).ok().and_then(|end| end.eos_token_id);
        let end = match end {
            None => Vec::new(),
            Some(Ends::One(id)) => vec![id],
            Some(Ends::Several(ids)) => ids,
        };
        let config = DecoderConfig::parse(&shown, &text)?;
        let bytes = fs::read(&tokenizer)
            .map_err(|source| Error::Read { file: tokenizer.display().to_string(), source })?;
        let tokens = Tokens::parse(&tokenizer.display().to_string(), &bytes, None)?.ending_with(end);
        tokens.fits(config.vocabulary)?;
        let checkpoint = Checkpoint::of_folder(folder)?;
        let decoder = Decoder::new(config, &checkpoint, Names::HuggingFace)?;
        Ok(Self { name: name_of(folder), tokens, decoder, stored: checkpoint.formats() })
    }

    /// Takes a GGUF file of the Llama family; `path` names the model.
    ///
    /// # Errors
    /// [`Error::Gguf`], [`Error::Family`], [`Error::Vocabulary`], and those of [`Decoder::new`].
    pub fn of_gguf(gguf: Gguf, path: &Path) -> Result<Self, Error> {
        let config = DecoderConfig::of_gguf(&gguf)?;
        let tokens = bpe::tokens(&gguf, config.vocabulary)?;
        // What the file says of itself goes before its weights come: a vocabulary need not be held twice.
        let checkpoint = gguf.into_checkpoint();
        let decoder = Decoder::new(config, &checkpoint, Names::Gguf)?;
        Ok(Self { name: name_of(path), tokens, decoder, stored: checkpoint.formats() })
    }

    /// The name of the folder or file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tokenizer.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The decoder.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Every format of its tensors with the bytes kept in it.
    pub fn formats(&self) -> &[(String, u64)] {
        &self.stored
    }

    /// Queries and keys (turned to their positions) and values of the given layers (all, if `layers` is empty) while the model runs
    /// `sequence` exactly. Heads that share keys each get a copy.
    ///
    /// # Errors
    /// Those of [`Decoder::forward`]; [`Error::Layer`] for a layer that does not exist.
    pub fn capture(&self, sequence: &Sequence, layers: &[usize]) -> Result<HeadSet, crate::Error> {
        let config = self.decoder.config();
        let count = config.layers;
        if let Some(&layer) = layers.iter().find(|&&layer| layer >= count) {
            return Err(Error::Layer { layer, layers: count }.into());
        }
        let layers = if layers.is_empty() { (0..count).collect() } else { layers.to_vec() };
        let mut recorder = Recorder { inner: Digital, layers: Vec::new() };
        let mut cache = self.decoder.cache(sequence.ids.len())?;
        self.decoder.forward(&sequence.ids, &mut cache, &mut recorder)?;
        let tensor = |which: usize| -> Array4<f32> {
            let whole: Vec<Array3<f32>> = layers
                .iter()
                .map(|&layer| for_each_head(&recorder.layers[layer][which], config.heads))
                .collect();
            let views: Vec<_> = whole.iter().map(|x| x.view()).collect();
            stack(Axis(0), &views).expect("all layers of one model have the same shape")
        };
        let origin = Origin {
            model: self.name.clone(),
            text: sequence.text.clone(),
            tokens: sequence.tokens.clone(),
            licence: String::new(),
            layers: layers.clone(),
        };
        HeadSet::new([0, 1, 2].map(tensor), sequence.mask.clone(), true, origin)
    }
}

/// `[kv_heads, n, d]` → `[heads, n, d]`, every key–value head repeated for its group.
fn for_each_head(x: &Array3<f32>, heads: usize) -> Array3<f32> {
    let group = heads / x.dim().0;
    Array3::from_shape_fn((heads, x.dim().1, x.dim().2), |(head, i, a)| x[[head / group, i, a]])
}
