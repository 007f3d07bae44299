//! GGUF files, versions 2 and 3: metadata and quantised tensors in one file, memory-mapped.
//!
//! ```text
//! "GGUF"  version u32  tensors u64  entries u64
//! entries:  key, type u32, value          (a string is its length u64 and its bytes; an array its type u32, length u64, values)
//! tensors:  name, axes u32, extents u64 (fastest first), type u32, offset u64
//! padding to `general.alignment` (32), then the tensors
//! ```
//!
//! Nothing is believed: every length is compared with the bytes that are left before anything is taken, and every tensor with the
//! file and with its neighbours. Source: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::checkpoint::Checkpoint;
use super::error::Error;
use super::gguf_reader::{Claim, Reader};
use super::gguf_value::{Texts, Value};
use super::matrix::Stored;
use super::weights::Bytes;

/// A GGUF file: its metadata and its tensors.
#[derive(Debug)]
pub struct Gguf {
    file: String,
    metadata: BTreeMap<String, Value>,
    checkpoint: Checkpoint,
}

impl Gguf {
    /// Maps a file and checks everything that it says of itself.
    ///
    /// # Errors
    /// [`Error::Read`] if the system refuses, [`Error::Gguf`] if the file is not sound.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::check(path.display().to_string(), Bytes::map(path)?)
    }

    /// Checks a file that is held in memory; `name` is used in messages.
    ///
    /// # Errors
    /// [`Error::Gguf`].
    pub fn from_bytes(name: &str, bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, Error> {
        Self::check(name.to_owned(), Bytes::Held(bytes.into()))
    }

    fn check(file: String, bytes: Bytes) -> Result<Self, Error> {
        let bytes = Arc::new(bytes);
        let (metadata, tensors) =
            parse(&file, &bytes).map_err(|violated| Error::Gguf { file: file.clone(), violated })?;
        Ok(Self { checkpoint: Checkpoint::of_tensors(file.clone(), tensors), file, metadata })
    }

    /// The name used in messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The tensors.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The tensors, without the metadata.
    pub fn into_checkpoint(self) -> Checkpoint {
        self.checkpoint
    }

    /// A value of the metadata.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.metadata.get(key)
    }

    /// A string of the metadata.
    ///
    /// # Errors
    /// [`Error::Gguf`] if it is there and no string.
    pub fn text(&self, key: &str) -> Result<Option<&str>, Error> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(key, "a string", other)),
        }
    }

    /// A whole number of the metadata.
    ///
    /// # Errors
    /// [`Error::Gguf`] if it is there and no whole number from 0.
    pub fn whole(&self, key: &str) -> Result<Option<usize>, Error> {
        match self.value(key) {
            None => Ok(None),
            Some(value) => match value.whole() {
                Some(n) => Ok(Some(n)),
                None => Err(self.wrong(key, "a whole number", value)),
            },
        }
    }

    /// A number of the metadata.
    ///
    /// # Errors
    /// [`Error::Gguf`] if it is there and no number.
    pub fn number(&self, key: &str) -> Result<Option<f64>, Error> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Float(x)) => Ok(Some(*x)),
            Some(value) => match value.whole() {
                Some(n) => Ok(Some(n as f64)),
                None => Err(self.wrong(key, "a number", value)),
            },
        }
    }

    /// An array of strings of the metadata.
    ///
    /// # Errors
    /// [`Error::Gguf`] if it is there and no such array.
    pub fn texts(&self, key: &str) -> Result<Option<&Texts>, Error> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Texts(texts)) => Ok(Some(texts)),
            Some(other) => Err(self.wrong(key, "an array of strings", other)),
        }
    }

    /// An array of the metadata whose values are no strings.
    ///
    /// # Errors
    /// [`Error::Gguf`] if it is there and no such array.
    pub fn list(&self, key: &str) -> Result<Option<&[Value]>, Error> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::List(values)) => Ok(Some(values)),
            Some(other) => Err(self.wrong(key, "an array", other)),
        }
    }

    pub(super) fn wrong(&self, key: &str, expected: &str, got: &Value) -> Error {
        let mut got = format!("{got:?}");
        if got.chars().count() > 60 {
            got = got.chars().take(60).chain(['…']).collect();
        }
        let violated = format!("{key} is {got}; expected {expected}");
        Error::Gguf { file: self.file.clone(), violated }
    }

    /// What the file should say and does not.
    pub(super) fn missing(&self, key: &str) -> Error {
        Error::Gguf { file: self.file.clone(), violated: format!("its metadata has no {key}") }
    }
}

type Parsed = (BTreeMap<String, Value>, BTreeMap<String, Stored>);

fn parse(file: &str, bytes: &Arc<Bytes>) -> Result<Parsed, String> {
    let all = bytes.all();
    let mut reader = Reader::new(all);
    if reader.take(4)? != b"GGUF" {
        return Err("it does not begin with the letters GGUF".into());
    }
    let version = u32::from_le_bytes(reader.bytes()?);
    match version {
        2 | 3 => {}
        _ if version.swap_bytes() <= 3 => return Err("it is written for big-endian machines".into()),
        _ => return Err(format!("its version is {version}; supported: 2 and 3")),
    }
    let tensors = u64::from_le_bytes(reader.bytes()?);
    let entries = u64::from_le_bytes(reader.bytes()?);
    let mut metadata = BTreeMap::new();
    for entry in 0..entries {
        let here = |e: String| format!("entry {entry} of {entries} of its metadata: {e}");
        let key = reader.text().map_err(here)?;
        let kind = u32::from_le_bytes(reader.bytes().map_err(here)?);
        let value =
            reader.value(kind, 0).map_err(|e| format!("{} in its metadata: {e}", key.escape_debug()))?;
        if metadata.contains_key(&key) {
            return Err(format!("its metadata has {key} twice"));
        }
        metadata.insert(key, value);
    }
    let alignment = match metadata.get("general.alignment") {
        None => 32,
        Some(value) => value
            .whole()
            .filter(|a| a.is_power_of_two() && (8..=1 << 20).contains(a))
            .ok_or_else(|| format!("general.alignment is {value:?}; expected a power of 2 from 8"))?,
    };
    let mut claims = BTreeMap::new();
    for tensor in 0..tensors {
        let here = |e: String| format!("tensor {tensor} of {tensors}: {e}");
        let name = reader.text().map_err(here)?;
        let claim = reader.claim().map_err(|e| format!("tensor {name} {e}"))?;
        if claims.insert(name.clone(), claim).is_some() {
            return Err(format!("it has tensor {name} twice"));
        }
    }
    let data = reader.at().checked_next_multiple_of(alignment).ok_or("it has no room for tensors")?;
    let stored = place(file, bytes, claims, data, alignment)?;
    Ok((metadata, stored))
}

/// Compares what is claimed with the file and with the neighbours.
fn place(
    file: &str,
    bytes: &Arc<Bytes>,
    claims: BTreeMap<String, Claim>,
    data: usize,
    alignment: usize,
) -> Result<BTreeMap<String, Stored>, String> {
    let room = bytes.all().len().saturating_sub(data);
    let mut order: Vec<(&String, &Claim)> = claims.iter().collect();
    order.sort_by_key(|(_, claim)| claim.offset);
    let mut end = 0;
    for (name, claim) in order {
        let begin = usize::try_from(claim.offset).unwrap_or(usize::MAX);
        let last = begin.checked_add(claim.size).filter(|&last| last <= room);
        let Some(last) = last else {
            return Err(format!("tensor {name} claims {} bytes from {begin} on of {room}", claim.size));
        };
        if begin % alignment != 0 {
            return Err(format!(
                "tensor {name} begins at byte {begin}, which is not a multiple of {alignment}"
            ));
        }
        if begin < end {
            return Err(format!(
                "tensor {name} overlaps the one before it: it begins at byte {begin}, not {end}"
            ));
        }
        end = last;
    }
    let file: Arc<str> = file.into();
    let stored = claims.into_iter().map(|(name, claim)| {
        let begin = data + claim.offset as usize;
        let stored = Stored {
            file: Arc::clone(&file),
            name: name.clone(),
            format: claim.format,
            shape: claim.shape,
            bytes: Arc::clone(bytes),
            range: begin..begin + claim.size,
        };
        (name, stored)
    });
    Ok(stored.collect())
}
