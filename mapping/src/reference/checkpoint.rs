//! All tensors of a checkpoint by name, whatever files they are in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path};

use ndarray::{Array1, Array2};
use serde::Deserialize;

use super::error::Error;
use super::matrix::{Matrix, Stored};
use super::weights::Weights;

/// The file of an unsharded checkpoint, and the index of a sharded one.
const WHOLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// The tensors of a checkpoint, where they lie.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    file: String,
    tensors: BTreeMap<String, Stored>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Checkpoint {
    /// The tensors of `model.safetensors` in a folder, or of the shards that `model.safetensors.index.json` names.
    ///
    /// # Errors
    /// [`Error::NoFile`] if there is neither, [`Error::Header`] if a file is not sound or the index is not true of the shards.
    pub fn of_folder(folder: &Path) -> Result<Self, Error> {
        let whole = folder.join(WHOLE);
        if whole.is_file() {
            return Self::of_weights(&Weights::open(&whole)?);
        }
        let index = folder.join(INDEX);
        if !index.is_file() {
            return Err(Error::NoFile { folder: folder.display().to_string(), file: WHOLE });
        }
        Self::of_shards(folder, &index)
    }

    fn of_shards(folder: &Path, index: &Path) -> Result<Self, Error> {
        let file = index.display().to_string();
        let wrong = |violated: String| Error::Header { file: file.clone(), violated };
        let bytes = fs::read(index).map_err(|source| Error::Read { file: file.clone(), source })?;
        let Index { weight_map } = serde_json::from_slice(&bytes)
            .map_err(|e| wrong(format!("it is not an index of tensors: {e}")))?;
        let mut shards: BTreeMap<&str, Weights> = BTreeMap::new();
        let mut tensors = BTreeMap::new();
        for (name, shard) in &weight_map {
            if !shards.contains_key(shard.as_str()) {
                let mut parts = Path::new(shard).components();
                if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
                    return Err(wrong(format!("{shard:?} is not the name of a file beside it")));
                }
                shards.insert(shard, Weights::open(&folder.join(shard))?);
            }
            let weights = &shards[shard.as_str()];
            if let Some(stored) = floats(weights, name)? {
                tensors.insert(name.clone(), stored);
            }
        }
        for (shard, weights) in &shards {
            if let Some(name) = weights.names().find(|name| weight_map.get(*name).is_none_or(|s| s != shard))
            {
                return Err(wrong(format!(
                    "{shard} holds tensor {name}, which the index does not place there"
                )));
            }
        }
        Ok(Self { file, tensors })
    }

    /// The tensors of one safetensors file. Integers that are no weights (position ids, say) are left out.
    ///
    /// # Errors
    /// [`Error::Dtype`] for a weight or a bias of a type that is not converted.
    pub fn of_weights(weights: &Weights) -> Result<Self, Error> {
        let mut tensors = BTreeMap::new();
        for name in weights.names() {
            if let Some(stored) = floats(weights, name)? {
                tensors.insert(name.to_owned(), stored);
            }
        }
        Ok(Self { file: weights.file().to_owned(), tensors })
    }

    pub(super) fn of_tensors(file: String, tensors: BTreeMap<String, Stored>) -> Self {
        Self { file, tensors }
    }

    /// The file, or the index of the files, for messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Whether there is such a tensor.
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Bytes of all tensors as stored.
    pub fn size(&self) -> u64 {
        self.tensors.values().map(|stored| stored.size() as u64).sum()
    }

    /// A tensor as it lies in its file.
    ///
    /// # Errors
    /// [`Error::NoTensor`].
    pub fn stored(&self, name: &str) -> Result<&Stored, Error> {
        self.tensors
            .get(name)
            .ok_or_else(|| Error::NoTensor { file: self.file.clone(), tensor: name.to_owned() })
    }

    /// A vector of `length` finite numbers.
    ///
    /// # Errors
    /// [`Error::NoTensor`], [`Error::Shape`], [`Error::NotFinite`].
    pub fn vector(&self, name: &str, length: usize) -> Result<Array1<f32>, Error> {
        self.stored(name)?.vector(length)
    }

    /// A matrix `[n_out, n_in]` of finite numbers, left where it lies.
    ///
    /// # Errors
    /// As [`Checkpoint::vector`].
    pub fn matrix(&self, name: &str, shape: [usize; 2]) -> Result<Matrix, Error> {
        self.stored(name)?.matrix(shape)
    }

    /// A table `[rows, columns]` of finite numbers in f32.
    ///
    /// # Errors
    /// As [`Checkpoint::vector`].
    pub fn table(&self, name: &str, [rows, columns]: [usize; 2]) -> Result<Array2<f32>, Error> {
        let matrix = self.matrix(name, [rows, columns])?;
        let mut table = Array2::zeros((rows, columns));
        for (index, mut row) in table.rows_mut().into_iter().enumerate() {
            matrix.row(index, row.as_slice_mut().expect("standard layout"));
        }
        Ok(table)
    }

    /// How the tensors are stored: every format with the bytes kept in it.
    pub fn formats(&self) -> Vec<(String, u64)> {
        let mut sums = BTreeMap::new();
        for stored in self.tensors.values() {
            *sums.entry(format!("{:?}", stored.format())).or_insert(0) += stored.size() as u64;
        }
        sums.into_iter().collect()
    }
}

/// A tensor if its type is one that is converted; an index may also name position ids and the like.
fn floats(weights: &Weights, name: &str) -> Result<Option<Stored>, Error> {
    match weights.stored(name) {
        Ok(stored) => Ok(Some(stored)),
        Err(Error::Dtype { .. }) if !name.ends_with(".weight") && !name.ends_with(".bias") => Ok(None),
        Err(error) => Err(error),
    }
}
