//! Reading frames back.

use std::path::{Path, PathBuf};

use hdf5::types::VarLenUnicode;
use hdf5::{Dataset, H5Type};
use ndarray::{ArrayD, Ix1, IxDyn};

use super::archive;
use super::writer::one;
use super::{Frame, Header, SCHEMA_VERSION, hdf5, seal};
use crate::error::Error;
use crate::memory;
use crate::spins::Spins;

/// A snapshot file opened for reading, one frame at a time.
#[derive(Debug)]
pub struct SnapshotReader {
    path: PathBuf,
    file: hdf5::File,
    spins: Dataset,
    header: Header,
    frames: usize,
}

impl SnapshotReader {
    /// Opens a file after looking whether any byte of it has changed since it was written, as for going on with it.
    ///
    /// # Errors
    /// [`Error::Archive`] if it has changed, or as [`SnapshotReader::open`].
    pub fn open_whole(path: &Path) -> Result<Self, Error> {
        seal::check(path)?;
        Self::open(path)
    }

    /// Opens a file and checks that its parts fit together. The HDF5 library reads it first, and can run for ever on a damaged one:
    /// [`SnapshotReader::open_whole`] cannot.
    ///
    /// # Errors
    /// [`Error::Archive`] if it is no snapshot file of this [`SCHEMA_VERSION`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        hdf5::silence_errors(true);
        Self::try_open(path).map_err(|error| archive::refused(path, "reading", &error))
    }

    fn try_open(path: &Path) -> Result<Self, hdf5::Error> {
        let file = hdf5::File::open(path)?;
        let version: u32 = file.attr("schema_version")?.read_scalar()?;
        if version != SCHEMA_VERSION {
            let message = format!("schema version {version}; this program reads version {SCHEMA_VERSION}");
            return Err(hdf5::Error::Internal(message));
        }
        let text = |name: &str| -> Result<String, hdf5::Error> {
            let value = file.attr(name)?.read_scalar::<VarLenUnicode>()?;
            // The library does not look whether it is Unicode.
            let text = String::from_utf8(value.as_bytes().to_vec());
            text.map_err(|_| hdf5::Error::Internal(format!("attribute {name} is no text")))
        };
        let spins = file.dataset("spins")?;
        let shape = spins.shape();
        let [frames, axes @ ..] = shape.as_slice() else {
            return Err(hdf5::Error::Internal("/spins has no axis of frames".to_owned()));
        };
        for name in ["sweep", "beta", "energy", "magnetization"] {
            let got = file.dataset(name)?.shape();
            if got != [*frames] {
                let message = format!("/{name} has shape {got:?}, but /spins has {frames} frames");
                return Err(hdf5::Error::Internal(message));
            }
        }
        let header = Header {
            seed: file.attr("seed")?.read_scalar()?,
            hamiltonian: text("hamiltonian")?,
            update: text("update")?,
            lattice: text("lattice")?,
            shape: axes.to_vec(),
            program_version: text("program_version")?,
            command_line: text("command_line")?,
        };
        Ok(Self { path: path.to_owned(), frames: *frames, header, spins, file })
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Where the frames come from.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Frame `index`, counted from 0.
    ///
    /// # Errors
    /// [`Error::Archive`] if there is no such frame or it cannot be read, [`Error::Spin`] if a spin is not ±1,
    /// [`Error::Memory`] if it does not fit into memory.
    pub fn frame(&self, index: usize) -> Result<Frame, Error> {
        let sites = self.header.shape.iter().fold(1u64, |n, &l| n.saturating_mul(l as u64));
        memory::check("frame", index, sites.saturating_mul(2))?;
        let refused = |error: hdf5::Error| archive::refused(&self.path, "reading", &error);
        if index >= self.frames {
            let message = format!("there is no frame {index}: the file has {}", self.frames);
            return Err(refused(hdf5::Error::Internal(message)));
        }
        let spins: ArrayD<i8> =
            self.spins.read_slice::<i8, _, IxDyn>(one(index, &self.header.shape)).map_err(refused)?;
        let (values, _) = spins.into_raw_vec_and_offset();
        Ok(Frame {
            spins: Spins::from_values(values)?,
            sweep: self.number("sweep", index).map_err(refused)?,
            beta: self.number("beta", index).map_err(refused)?,
            energy: self.number("energy", index).map_err(refused)?,
        })
    }

    /// The energy of every frame, total over the lattice.
    ///
    /// # Errors
    /// [`Error::Archive`] if they cannot be read, [`Error::Memory`] if they do not fit into memory.
    pub fn energies(&self) -> Result<Vec<f64>, Error> {
        memory::check("energies", self.frames, self.frames as u64 * 8)?;
        let read = || self.file.dataset("energy")?.read_raw::<f64>();
        read().map_err(|error| archive::refused(&self.path, "reading", &error))
    }

    /// Bytes from which the run that made the file goes on after the last frame; none if it was not kept.
    ///
    /// # Errors
    /// [`Error::Archive`] if they cannot be read, [`Error::Memory`] if they do not fit into memory.
    pub fn checkpoint(&self) -> Result<Option<Vec<u8>>, Error> {
        let refused = |error: hdf5::Error| archive::refused(&self.path, "reading", &error);
        if !self.file.link_exists("checkpoint") {
            return Ok(None);
        }
        let dataset = self.file.dataset("checkpoint").map_err(refused)?;
        memory::check("checkpoint", 1, 9 * dataset.size() as u64)?;
        dataset.read_raw::<u8>().map(Some).map_err(refused)
    }

    fn number<T: H5Type + Copy>(&self, name: &str, index: usize) -> Result<T, hdf5::Error> {
        let one = self.file.dataset(name)?.read_slice::<T, _, Ix1>(one(index, &[]))?;
        one.first().copied().ok_or_else(|| hdf5::Error::Internal(format!("/{name} is empty")))
    }
}
