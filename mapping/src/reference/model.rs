//! A model folder: configuration, tokenizer and weights together.

use std::fs;
use std::path::Path;

use ndarray::{Array4, Axis, stack};

use super::checkpoint::Checkpoint;
use super::config::Config;
use super::encoder::Encoder;
use super::error::Error;
use super::substrate::{Digital, Recorder};
use super::tokens::{Sequence, Tokens};
use crate::heads::{HeadSet, Origin};

/// An encoder and its tokenizer.
#[derive(Debug)]
pub struct Model {
    name: String,
    tokens: Tokens,
    encoder: Encoder,
}

impl Model {
    /// Reads a folder with `config.json`, `tokenizer.json` and `model.safetensors`.
    ///
    /// # Errors
    /// Every variant of [`Error`] that names a file: which is missing, or what in it is wrong.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let shown = folder.display().to_string();
        if !folder.is_dir() {
            return Err(Error::NoFolder { folder: shown });
        }
        let [config, tokenizer] = ["config.json", "tokenizer.json"].map(|file| {
            let path = folder.join(file);
            if path.is_file() { Ok(path) } else { Err(Error::NoFile { folder: shown.clone(), file }) }
        });
        let (config, tokenizer) = (config?, tokenizer?);
        let read = |path: &Path| {
            fs::read(path).map_err(|source| Error::Read { file: path.display().to_string(), source })
        };
        let text = String::from_utf8(read(&config)?).map_err(|_| Error::Config {
            file: config.display().to_string(),
            violated: "not a model configuration: it is not UTF-8".into(),
        })?;
        let config = Config::parse(&config.display().to_string(), &text)?;
        let tokens = Tokens::parse(&tokenizer.display().to_string(), &read(&tokenizer)?, config.padding)?;
        let encoder = Encoder::new(config, &Checkpoint::of_folder(folder)?)?;
        let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let name = full.file_name().map_or(shown, |name| name.to_string_lossy().into_owned());
        Ok(Self { name, tokens, encoder })
    }

    /// The name of the folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tokenizer.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Queries, keys and values of the given layers (all, if `layers` is empty) while the model encodes `sequence` exactly.
    ///
    /// # Errors
    /// Those of [`Encoder::forward`]; [`Error::Layer`] for a layer that does not exist; [`crate::Error::NotFinite`] if
    /// the model overflows f32.
    pub fn capture(&self, sequence: &Sequence, layers: &[usize]) -> Result<HeadSet, crate::Error> {
        let count = self.encoder.config().layers;
        if let Some(&layer) = layers.iter().find(|&&layer| layer >= count) {
            return Err(Error::Layer { layer, layers: count }.into());
        }
        let layers = if layers.is_empty() { (0..count).collect() } else { layers.to_vec() };
        let mut recorder = Recorder { inner: Digital, layers: Vec::new() };
        self.encoder.forward(sequence, &mut recorder)?;
        let tensor = |which: usize| -> Array4<f32> {
            let parts: Vec<_> = layers.iter().map(|&layer| recorder.layers[layer][which].view()).collect();
            stack(Axis(0), &parts).expect("all layers of one model have the same shape")
        };
        let tensors = [0, 1, 2].map(tensor);
        let origin = Origin {
            model: self.name.clone(),
            text: sequence.text.clone(),
            tokens: sequence.tokens.clone(),
            licence: String::new(),
            layers,
        };
        HeadSet::new(tensors, sequence.mask.clone(), false, origin)
    }
}
