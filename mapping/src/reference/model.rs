//! A model folder: configuration, tokenizer and weights together.

use std::fs;
use std::path::{Path, PathBuf};

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
        let [config, tokenizer] = Self::files(folder)?;
        let text = read_text(&config)?;
        let config = Config::parse(&config.display().to_string(), &text)?;
        let shown = tokenizer.display().to_string();
        let bytes = fs::read(&tokenizer).map_err(|source| Error::Read { file: shown.clone(), source })?;
        let tokens = Tokens::parse(&shown, &bytes, Some(config.padding))?;
        tokens.fits(config.vocabulary)?;
        let encoder = Encoder::new(config, &Checkpoint::of_folder(folder)?)?;
        Ok(Self { name: name_of(folder), tokens, encoder })
    }

    /// The configuration and the tokenizer of a model folder.
    pub(super) fn files(folder: &Path) -> Result<[PathBuf; 2], Error> {
        let shown = folder.display().to_string();
        if !folder.is_dir() {
            return Err(Error::NoFolder { folder: shown });
        }
        let [config, tokenizer] = ["config.json", "tokenizer.json"].map(|file| {
            let path = folder.join(file);
            if path.is_file() { Ok(path) } else { Err(Error::NoFile { folder: shown.clone(), file }) }
        });
        Ok([config?, tokenizer?])
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

/// The name of a folder or file, without its path.
pub(super) fn name_of(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    full.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// The text of a configuration.
pub(super) fn read_text(path: &Path) -> Result<String, Error> {
    let file = path.display().to_string();
    let bytes = fs::read(path).map_err(|source| Error::Read { file: file.clone(), source })?;
    String::from_utf8(bytes)
        .map_err(|_| Error::Config { file, violated: "not a model configuration: it is not UTF-8".into() })
}
