//! Tensors of a safetensors file, memory-mapped, checked, and converted to f32 where they are needed.
//!
//! The layout of the format: 8 bytes little-endian length of the header, a JSON header
//! `{"name": {"dtype", "shape", "data_offsets"}, "__metadata__": {…}}`, then the numbers, little-endian, row-major, without
//! gaps (<https://github.com/huggingface/safetensors>). The header is believed in nothing: before any tensor is touched,
//! every offset has been compared with the length of the file and with the shape, in arithmetic that cannot overflow.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;
use ndarray::{Array1, Array2, ArrayD, Ix1, Ix2, IxDyn};
use safetensors::tensor::{Dtype, TensorInfo};
use serde::Deserialize;

use super::error::Error;
use super::format::Format;
use super::matrix::Stored;

/// The types that are converted; f64 is rounded to f32.
pub(super) const DTYPES: &str = "F32, F16, BF16, F64";

/// The limit that the format sets on its header.
const LONGEST_HEADER: usize = 100_000_000;

/// A safetensors file whose header has been found to be true.
#[derive(Debug)]
pub struct Weights {
    file: Arc<str>,
    bytes: Arc<Bytes>,
    data: usize,
    header: Header,
}

/// The bytes of a file, mapped or held.
#[derive(Debug)]
pub(super) enum Bytes {
    Mapped(Mmap),
    Held(Cow<'static, [u8]>),
}

#[derive(Debug, Deserialize)]
struct Header {
    #[serde(default, rename = "__metadata__")]
    metadata: BTreeMap<String, String>,
    #[serde(flatten)]
    tensors: BTreeMap<String, TensorInfo>,
}

impl Weights {
    /// Maps a file into memory and checks its header. The file must not be changed while it is in use.
    ///
    /// # Errors
    /// [`Error::Read`] if the system refuses, [`Error::Header`] if the header does not describe the file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::check(path.display().to_string(), Bytes::map(path)?)
    }

    /// Checks the header of a file that is held in memory; `name` is used in messages.
    ///
    /// # Errors
    /// [`Error::Header`] if the header does not describe the bytes.
    pub fn from_bytes(name: &str, bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, Error> {
        Self::check(name.to_owned(), Bytes::Held(bytes.into()))
    }

    fn check(file: String, bytes: Bytes) -> Result<Self, Error> {
        let all = bytes.all();
        let refused = |violated: String| Error::Header { file: file.clone(), violated };
        let Some((length, rest)) = all.split_first_chunk::<8>() else {
            return Err(refused(format!(
                "it has {} bytes, fewer than the 8 of the header's length",
                all.len()
            )));
        };
        let length = u64::from_le_bytes(*length);
        let header = usize::try_from(length).ok().filter(|&n| n <= LONGEST_HEADER);
        let Some(header) = header.and_then(|n| rest.get(..n)) else {
            return Err(refused(format!(
                "its header claims {length} bytes, the file has {} after it",
                rest.len()
            )));
        };
        let data = 8 + header.len();
        let header = std::str::from_utf8(header)
            .map_err(|e| refused(format!("its header is not UTF-8 after byte {}", e.valid_up_to())))?;
        let header: Header = serde_json::from_str(header)
            .map_err(|e| refused(format!("its header is not a list of tensors: {e}")))?;
        header.describes(all.len() - data).map_err(refused)?;
        Ok(Self { file: file.into(), data, header, bytes: Arc::new(bytes) })
    }

    /// The name used in messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.header.tensors.keys().map(String::as_str)
    }

    /// The free-form strings of the header.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.header.metadata
    }

    /// The shape of a tensor, if the file holds it.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.header.tensors.get(name).map(|info| info.shape.as_slice())
    }

    /// All numbers of a tensor of any shape.
    ///
    /// # Errors
    /// [`Error::NoTensor`], [`Error::Dtype`], [`Error::NotFinite`].
    pub fn tensor(&self, name: &str) -> Result<ArrayD<f32>, Error> {
        let (info, format) = self.find(name)?;
        let bytes = self.raw(info);
        // As many numbers as the file has bytes for: the header's shape has been compared with them.
        let mut numbers = vec![0.0; bytes.len() / format.block()[1]];
        format.decode(bytes, &mut numbers);
        self.all_finite(name, info, 0, &numbers)?;
        Ok(ArrayD::from_shape_vec(IxDyn(&info.shape), numbers)
            .expect("the length was compared with the shape when the header was checked"))
    }

    /// A vector of `length` numbers.
    ///
    /// # Errors
    /// As [`Weights::tensor`], and [`Error::Shape`].
    pub fn vector(&self, name: &str, length: usize) -> Result<Array1<f32>, Error> {
        self.expect(name, &[length])?;
        Ok(self.tensor(name)?.into_dimensionality::<Ix1>().expect("its shape was compared"))
    }

    /// A matrix of `shape` [rows, columns].
    ///
    /// # Errors
    /// As [`Weights::tensor`], and [`Error::Shape`].
    pub fn matrix(&self, name: &str, shape: [usize; 2]) -> Result<Array2<f32>, Error> {
        self.expect(name, &shape)?;
        Ok(self.tensor(name)?.into_dimensionality::<Ix2>().expect("its shape was compared"))
    }

    /// A tensor as it lies in the file; nothing is copied.
    ///
    /// # Errors
    /// [`Error::NoTensor`], [`Error::Dtype`].
    pub fn stored(&self, name: &str) -> Result<Stored, Error> {
        let (info, format) = self.find(name)?;
        let (begin, end) = info.data_offsets;
        Ok(Stored {
            file: Arc::clone(&self.file),
            name: name.to_owned(),
            format,
            shape: info.shape.clone(),
            bytes: Arc::clone(&self.bytes),
            range: self.data + begin..self.data + end,
        })
    }

    /// The bytes of a tensor of type `U8` or `BOOL`.
    ///
    /// # Errors
    /// [`Error::NoTensor`], or [`Error::Dtype`] for any other type.
    pub fn bytes(&self, name: &str) -> Result<&[u8], Error> {
        let info = self.info(name)?;
        if matches!(info.dtype, Dtype::U8 | Dtype::BOOL) {
            return Ok(self.raw(info));
        }
        Err(Error::Capture {
            file: self.file.to_string(),
            violated: format!("tensor {name} has type {:?}; supported: U8, BOOL", info.dtype),
        })
    }

    fn info(&self, name: &str) -> Result<&TensorInfo, Error> {
        let missing = || Error::NoTensor { file: self.file.to_string(), tensor: name.to_owned() };
        self.header.tensors.get(name).ok_or_else(missing)
    }

    fn find(&self, name: &str) -> Result<(&TensorInfo, Format), Error> {
        let info = self.info(name)?;
        let format = format(info.dtype).ok_or_else(|| Error::Dtype {
            file: self.file.to_string(),
            tensor: name.to_owned(),
            got: format!("{:?}", info.dtype),
        })?;
        Ok((info, format))
    }

    fn raw(&self, info: &TensorInfo) -> &[u8] {
        let (begin, end) = info.data_offsets;
        &self.bytes.all()[self.data + begin..self.data + end]
    }

    fn expect(&self, name: &str, shape: &[usize]) -> Result<(), Error> {
        let info = self.info(name)?;
        if info.shape == shape {
            return Ok(());
        }
        Err(self.misshapen(name, info, format!("{shape:?} from config.json")))
    }

    fn misshapen(&self, name: &str, info: &TensorInfo, expected: String) -> Error {
        Error::Shape {
            file: self.file.to_string(),
            tensor: name.to_owned(),
            got: info.shape.clone(),
            expected,
        }
    }

    fn all_finite(&self, name: &str, info: &TensorInfo, first: usize, numbers: &[f32]) -> Result<(), Error> {
        let Some(at) = numbers.iter().position(|x| !x.is_finite()) else { return Ok(()) };
        Err(Error::NotFinite {
            file: self.file.to_string(),
            tensor: name.to_owned(),
            index: index_of(first + at, &info.shape),
            got: numbers[at],
        })
    }
}

/// The index along every axis of element `flat` of a row-major tensor.
pub(super) fn index_of(mut flat: usize, shape: &[usize]) -> Vec<usize> {
    let along = shape.iter().rev().map(|&extent| {
        let along = flat % extent.max(1);
        flat /= extent.max(1);
        along
    });
    let mut index: Vec<_> = along.collect();
    index.reverse();
    index
}

impl Bytes {
    /// Maps a file into memory.
    pub(super) fn map(path: &Path) -> Result<Self, Error> {
        let read = |source| Error::Read { file: path.display().to_string(), source };
        let file = File::open(path).map_err(read)?;
        if !file.metadata().map_err(read)?.is_file() {
            return Err(read(io::Error::other("it is a folder or a device, not a file")));
        }
        // SAFETY: the map is only read, and its bytes are copied out number by number, never kept as references that
        // Rust would assume constant across a change. A file cut short by another process while it is mapped ends this
        // process with SIGBUS, as in every program that maps files; the documentation says so.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }.map_err(read)?;
        Ok(Self::Mapped(map))
    }

    pub(super) fn all(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Held(bytes) => bytes,
        }
    }
}

impl Header {
    /// Whether the tensors tile `length` bytes of data exactly, each as large as its shape and type say.
    fn describes(&self, length: usize) -> Result<(), String> {
        let mut order: Vec<_> = self.tensors.iter().collect();
        order.sort_by_key(|(_, info)| info.data_offsets);
        let mut next = 0;
        for (name, info) in order {
            let (begin, end) = info.data_offsets;
            if end < begin || end > length {
                return Err(format!("tensor {name} claims bytes {begin} to {end} of {length}"));
            }
            if begin != next {
                let how = if begin < next { "overlaps the one before it" } else { "leaves a gap before it" };
                return Err(format!("tensor {name} {how}: it begins at byte {begin}, expected {next}"));
            }
            let bits = info.shape.iter().try_fold(info.dtype.bitsize(), |bits, &n| bits.checked_mul(n));
            if bits != (end - begin).checked_mul(8) {
                let (shape, dtype) = (&info.shape, info.dtype);
                return Err(format!(
                    "tensor {name} has {} bytes, which do not fit shape {shape:?} of type {dtype:?}",
                    end - begin
                ));
            }
            next = end;
        }
        if next != length {
            return Err(format!("its tensors cover {next} of {length} bytes"));
        }
        Ok(())
    }
}

/// The format of a type; `None` for one that is not converted.
fn format(dtype: Dtype) -> Option<Format> {
    match dtype {
        Dtype::F16 => Some(Format::F16),
        Dtype::BF16 => Some(Format::BF16),
        Dtype::F32 => Some(Format::F32),
        Dtype::F64 => Some(Format::F64),
        _ => None,
    }
}
