//! Queries, keys and values of attention heads as a safetensors file: what `ceas capture` writes and `--qkv` reads.
//!
//! | tensor | shape | type |
//! |---|---|---|
//! | `q` | `[layers, heads, n_queries, d_head]` | F32, F16, BF16 or F64 |
//! | `k` | `[layers, heads, n_keys, d_head]` | the same choice |
//! | `v` | `[layers, heads, n_keys, d_value]` | the same choice |
//! | `mask` (optional) | `[n_keys]`, 1: the key exists, 0: padding | U8 or BOOL |
//!
//! A file of one layer may leave the axis `layers` out. `q` carries W_Q and its bias but not 1/√d_head: that is the
//! textbook β. There is no other tensor. The strings of `__metadata__` are all optional:
//!
//! | key | value |
//! |---|---|
//! | `format`, `version` | `ceas-qkv`, `1` |
//! | `causal` | `true` or `false` (the default): whether query i sees keys up to i + n_keys − n_queries only |
//! | `model`, `text`, `licence` | free text |
//! | `tokens` | a JSON array of strings, one per key |
//! | `layers` | a JSON array of numbers: which layer of the model each layer of the file is |

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{Array4, ArrayD, Axis, Ix4};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::heads::{HeadSet, Origin};
use crate::reference::Error as FileError;
use crate::reference::weights::Weights;

const FORMAT: &str = "ceas-qkv";
const VERSION: &str = "1";

/// Reads a file.
///
/// # Errors
/// [`Error::Reference`] if the file cannot be read, lies about itself, or holds other tensors than those above; those of
/// [`HeadSet::new`] if shapes do not fit together.
pub fn read(path: &Path) -> Result<HeadSet, Error> {
    heads(&Weights::open(path)?)
}

/// Reads a file that is held in memory; `name` is used in messages.
///
/// # Errors
/// As [`read`].
pub fn from_bytes(name: &str, bytes: impl Into<Cow<'static, [u8]>>) -> Result<HeadSet, Error> {
    heads(&Weights::from_bytes(name, bytes)?)
}

/// The file of a set of heads, in f32; the same heads always give the same bytes.
///
/// ```
/// use ceas_mapping::{heads::{HeadSet, Origin}, qkv};
/// use ndarray::Array4;
/// let x = Array4::from_elem((1, 2, 3, 4), 0.5);
/// let set = HeadSet::new([x.clone(), x.clone(), x], vec![true; 3], false, Origin::default()).unwrap();
/// assert_eq!(qkv::from_bytes("memory", qkv::to_bytes(&set)).unwrap().tensors(), set.tensors());
/// ```
pub fn to_bytes(set: &HeadSet) -> Vec<u8> {
    #[derive(Serialize)]
    struct Entry<'a> {
        dtype: &'a str,
        shape: &'a [usize],
        data_offsets: [usize; 2],
    }
    #[derive(Serialize)]
    struct Header<'a> {
        #[serde(rename = "__metadata__")]
        metadata: BTreeMap<&'a str, String>,
        q: Entry<'a>,
        k: Entry<'a>,
        v: Entry<'a>,
        mask: Entry<'a>,
    }
    let [q, k, v] = set.tensors();
    let mut end = 0;
    let mut entry = |dtype, shape, size| {
        let begin = end;
        end += size;
        Entry { dtype, shape, data_offsets: [begin, end] }
    };
    let keys = [set.n_keys()];
    let header = Header {
        q: entry("F32", q.shape(), 4 * q.len()),
        k: entry("F32", k.shape(), 4 * k.len()),
        v: entry("F32", v.shape(), 4 * v.len()),
        mask: entry("U8", &keys, keys[0]),
        metadata: metadata(set),
    };
    let mut header = json(&header);
    // The format asks that the numbers begin at a multiple of 8 bytes.
    header.extend_from_slice(&b"        "[..header.len().next_multiple_of(8) - header.len()]);
    let mut file = Vec::with_capacity(8 + header.len() + end);
    file.extend_from_slice(&(header.len() as u64).to_le_bytes());
    file.extend_from_slice(&header);
    for tensor in [q, k, v] {
        file.extend(tensor.iter().flat_map(|x| x.to_le_bytes()));
    }
    file.extend(set.key_mask().iter().map(|&exists| u8::from(exists)));
    file
}

fn metadata(set: &HeadSet) -> BTreeMap<&'static str, String> {
    let origin = set.origin();
    let mut strings = BTreeMap::from([
        ("format", FORMAT.into()),
        ("version", VERSION.into()),
        ("causal", set.is_causal().to_string()),
    ]);
    for (key, text) in [("model", &origin.model), ("text", &origin.text), ("licence", &origin.licence)] {
        if !text.is_empty() {
            strings.insert(key, text.clone());
        }
    }
    if !origin.tokens.is_empty() {
        strings.insert("tokens", String::from_utf8_lossy(&json(&origin.tokens)).into_owned());
    }
    if !origin.layers.is_empty() {
        strings.insert("layers", String::from_utf8_lossy(&json(&origin.layers)).into_owned());
    }
    strings
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("strings and numbers can always be written as JSON")
}

fn heads(file: &Weights) -> Result<HeadSet, Error> {
    let wrong = |violated: String| FileError::Capture { file: file.file().to_owned(), violated };
    if let Some(name) = file.names().find(|name| !["q", "k", "v", "mask"].contains(name)) {
        return Err(wrong(format!(
            "tensor {name} is unknown; expected q, k, v and, if some keys are padding, mask"
        ))
        .into());
    }
    let text = |key: &str| file.metadata().get(key).map_or("", String::as_str);
    for (key, expected) in [("format", FORMAT), ("version", VERSION)] {
        if !["", expected].contains(&text(key)) {
            return Err(wrong(format!("{key} is {:?}; expected {expected:?}", text(key))).into());
        }
    }
    let causal = match text("causal") {
        "" | "false" => false,
        "true" => true,
        other => return Err(wrong(format!("causal is {other:?}; expected \"true\" or \"false\"")).into()),
    };
    let tensors = [four(file, "q")?, four(file, "k")?, four(file, "v")?];
    let [layers, keys] = [tensors[0].dim().0, tensors[1].dim().2];
    let origin = Origin {
        model: text("model").into(),
        text: text("text").into(),
        tokens: list(file, "tokens", keys)?,
        licence: text("licence").into(),
        layers: list(file, "layers", layers)?,
    };
    HeadSet::new(tensors, mask(file, keys)?, causal, origin)
}

/// A tensor with the axis `layers`, which a file of one layer may leave out.
fn four(file: &Weights, name: &str) -> Result<Array4<f32>, FileError> {
    let tensor = file.tensor(name)?;
    let shape = tensor.shape().to_vec();
    let tensor: ArrayD<f32> = if shape.len() == 3 { tensor.insert_axis(Axis(0)) } else { tensor };
    tensor.into_dimensionality::<Ix4>().map_err(|_| FileError::Shape {
        file: file.file().to_owned(),
        tensor: name.to_owned(),
        got: shape,
        expected: "[layers, heads, n, d] or [heads, n, d]".into(),
    })
}

fn mask(file: &Weights, keys: usize) -> Result<Vec<bool>, FileError> {
    let Some(shape) = file.shape("mask") else { return Ok(vec![true; keys]) };
    if shape != [keys] {
        return Err(FileError::Shape {
            file: file.file().to_owned(),
            tensor: "mask".into(),
            got: shape.to_vec(),
            expected: format!("[{keys}], one entry per key"),
        });
    }
    let bytes = file.bytes("mask")?;
    if let Some(at) = bytes.iter().position(|&byte| byte > 1) {
        let violated = format!("mask holds {} at {at}; expected 1 (the key exists) or 0", bytes[at]);
        return Err(FileError::Capture { file: file.file().to_owned(), violated });
    }
    Ok(bytes.iter().map(|&byte| byte == 1).collect())
}

/// A JSON array in the metadata: absent, or with `length` entries.
fn list<T: DeserializeOwned>(file: &Weights, key: &str, length: usize) -> Result<Vec<T>, FileError> {
    let Some(text) = file.metadata().get(key) else { return Ok(Vec::new()) };
    let wrong = |violated: String| FileError::Capture { file: file.file().to_owned(), violated };
    let entries: Vec<T> =
        serde_json::from_str(text).map_err(|e| wrong(format!("{key} is not a JSON array: {e}")))?;
    if entries.len() != length {
        return Err(wrong(format!("{key} has {} entries; expected {length}", entries.len())));
    }
    Ok(entries)
}
