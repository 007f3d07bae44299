//! Where the heads come from: a model folder with a text, a file of q, k, v, or the bundled paragraph.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use ceas_npu::mapping::heads::HeadSet;
use ceas_npu::mapping::qkv;
use ceas_npu::mapping::reference::tokens::{Sequence, parse_ids};
use ceas_npu::mapping::reference::{Error, Loaded};
use clap::Args;

use super::failure::{Blame, Failure};
use super::value;

/// Heads of all-MiniLM-L6-v2 on [`PARAGRAPH`], written by `ceas capture`; data/README.md says how.
const BUNDLED: &[u8] = include_bytes!("../../data/minilm_maxwell.safetensors");

/// Maxwell's paragraph on the demon: what is encoded where no text is given.
pub(super) const PARAGRAPH: &str = include_str!("../../data/maxwell.txt");

/// No model takes a text as long as this; a longer file is another file than was meant.
const LONGEST_TEXT: u64 = 16 << 20;

/// What a model is to encode.
#[derive(Args, Debug, Clone, Default)]
pub struct TextInput {
    /// Text that the model encodes [default: the bundled paragraph by Maxwell]
    #[arg(long, value_name = "TEXT", help_heading = "Input")]
    #[arg(conflicts_with_all = ["text_file", "tokens"])]
    text: Option<String>,
    /// The same, from a UTF-8 file
    #[arg(long, value_name = "FILE", help_heading = "Input", conflicts_with = "tokens")]
    text_file: Option<PathBuf>,
    /// Exactly these tokens: a JSON array of ids, special tokens included
    #[arg(long, value_name = "FILE.json", help_heading = "Input")]
    tokens: Option<PathBuf>,
    /// Keep at most so many tokens of the text [default: what the model takes]
    #[arg(long, value_name = "N", help_heading = "Input", value_parser = value::whole::<usize>)]
    limit: Option<usize>,
}

impl TextInput {
    /// The first flag that was given, if any was.
    pub fn given(&self) -> Option<&'static str> {
        let flags = [
            ("--text", self.text.is_some()),
            ("--text-file", self.text_file.is_some()),
            ("--tokens", self.tokens.is_some()),
            ("--limit", self.limit.is_some()),
        ];
        flags.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }

    /// The heads of the given layers (all, if empty) of the model in `folder` on this text. A cut that was not asked for is said on
    /// standard error.
    pub fn capture(&self, folder: &Path, layers: &[usize]) -> Result<HeadSet, Failure> {
        let model = Loaded::open(folder).input()?;
        let sequence = self.sequence(&model).input()?;
        let kept = sequence.ids.len();
        if sequence.cut > 0 && self.limit.is_none_or(|limit| limit > model.context()) {
            eprintln!(
                "ceas: warning: the text has {} tokens, the model takes {kept}: the last {} were cut{}",
                kept + sequence.cut,
                sequence.cut,
                if self.tokens.is_none() { ", the closing special token was kept" } else { "" },
            );
        }
        let padding = sequence.mask.iter().filter(|exists| !**exists).count();
        if padding > 0 {
            eprintln!("ceas: warning: {padding} of {kept} tokens are padding: no query attends to them");
        }
        model.capture(&sequence, layers).input()
    }

    fn sequence(&self, model: &Loaded) -> anyhow::Result<Sequence> {
        if self.limit == Some(0) {
            bail!("--limit 0: at least one token is needed");
        }
        let limit = self.limit.unwrap_or(usize::MAX).min(model.context());
        let encode = |text: &str| model.tokens().encode(text, limit);
        if let Some(file) = &self.tokens {
            let name = file.display().to_string();
            let ids =
                parse_ids(&name, &read_text(file, "--tokens")?, model.vocabulary()).context("--tokens")?;
            return Ok(model.tokens().sequence(&ids, limit)?);
        }
        if let Some(file) = &self.text_file {
            let text = read_text(file, "--text-file")?;
            return encode(&text).with_context(|| format!("--text-file {}", file.display()));
        }
        match &self.text {
            Some(text) => encode(text).context("--text"),
            None => Ok(encode(PARAGRAPH)?),
        }
    }
}

/// A model and what it is to encode.
#[derive(Args, Debug, Clone)]
pub struct ModelInput {
    /// Folder of a BERT- or Llama-family model (config.json, tokenizer.json, safetensors), or a GGUF file
    #[arg(long, value_name = "DIR|FILE.gguf", help_heading = "Input")]
    pub model: Option<PathBuf>,
    #[command(flatten)]
    pub text: TextInput,
}

impl ModelInput {
    /// The model's folder or file; a text without a model is refused.
    pub fn named(&self) -> Result<Option<&Path>, Failure> {
        match (&self.model, self.text.given()) {
            (None, Some(flag)) => Err(anyhow!(
                "{flag} needs --model DIR|FILE.gguf: heads of a file were captured on their own text"
            ))
            .input(),
            (model, _) => Ok(model.as_deref()),
        }
    }
}

/// Where the heads come from; without any flag, the bundled heads.
#[derive(Args, Debug, Clone)]
pub struct HeadSource {
    #[command(flatten)]
    input: ModelInput,
    /// File of queries, keys and values, as `ceas capture` writes it
    #[arg(long, value_name = "FILE.safetensors", help_heading = "Input", conflicts_with = "model")]
    qkv: Option<PathBuf>,
}

impl HeadSource {
    /// The folder of the model, if one was named.
    pub fn model(&self) -> Option<&Path> {
        self.input.model.as_deref()
    }

    /// The heads, from whichever source was named.
    pub fn load(&self) -> Result<HeadSet, Failure> {
        match (&self.qkv, self.input.named()?) {
            (Some(file), _) => qkv::read(file).input(),
            (None, Some(folder)) => self.input.text.capture(folder, &[]),
            (None, None) => bundled(),
        }
    }
}

/// The bundled heads.
pub fn bundled() -> Result<HeadSet, Failure> {
    qkv::from_bytes("the bundled data/minilm_maxwell.safetensors", BUNDLED).run()
}

/// The text of a file that is UTF-8 and not absurdly long.
pub(super) fn read_text(path: &Path, flag: &str) -> anyhow::Result<String> {
    let name = path.display().to_string();
    let read = |source| Error::Read { file: name.clone(), source };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST_TEXT + 1).read_to_end(&mut bytes))
        .map_err(read)
        .context(flag.to_owned())?;
    if bytes.len() as u64 > LONGEST_TEXT {
        bail!("{flag} {name} is longer than {} MiB, and no model takes that much", LONGEST_TEXT >> 20);
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        anyhow::anyhow!("{flag} {name} is not UTF-8 after byte {at}: a text file in UTF-8 is expected")
    })
}
