//! Appending frames to a file, in a thread of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use hdf5::{Dataset, Extent, H5Type, Hyperslab, Selection, SimpleExtents, SliceOrIndex};
use ndarray::{ArrayView1, ArrayViewD, IxDyn};

use super::archive::{self, Archive};
use super::{Frame, Header, SCHEMA_VERSION, hdf5};
use crate::error::Error;

/// A snapshot file being written. Dropped unfinished, it leaves the frames of its last commit.
#[derive(Debug)]
pub struct SnapshotFile {
    archive: Archive,
    shape: Vec<usize>,
    frames: usize,
    committed: Arc<AtomicU64>,
    spins: Dataset,
    sweep: Dataset,
    beta: Dataset,
    energy: Dataset,
    magnetization: Dataset,
    /// Where the run stands after the last frame, still to be written.
    checkpoint: Option<Vec<u8>>,
}

impl SnapshotFile {
    /// A file without frames; the final name appears with the first frame.
    ///
    /// # Errors
    /// [`Error::Archive`] if it cannot be created.
    pub fn create(path: &Path, header: &Header) -> Result<Self, Error> {
        let archive = Archive::create(path)?.sealed();
        Self::lay_out(archive, header).map_err(|error| archive::refused(path, "writing", &error))
    }

    fn lay_out(archive: Archive, header: &Header) -> Result<Self, hdf5::Error> {
        let file = archive.file();
        for (name, value) in [
            ("hamiltonian", header.hamiltonian.as_str()),
            ("update", &header.update),
            ("lattice", &header.lattice),
            ("program_version", &header.program_version),
            ("command_line", &header.command_line),
            (
                "units",
                "energies are dimensionless (units of J = 1) and total over the lattice, beta is their inverse unit, \
                 magnetization is the sum of the spins",
            ),
        ] {
            archive::text(file, name, value)?;
        }
        file.new_attr::<u64>().create("seed")?.write_scalar(&header.seed)?;
        file.new_attr::<u32>().create("schema_version")?.write_scalar(&SCHEMA_VERSION)?;
        let mut extents = vec![Extent::resizable(0)];
        extents.extend(header.shape.iter().map(|&l| Extent::fixed(l)));
        let mut chunk = vec![1];
        chunk.extend(&header.shape);
        // Level 1: a critical configuration shrinks to about a sixth, and higher levels win little for their time. Shuffling
        // bytes does nothing for data of one byte.
        let spins = file
            .new_dataset::<i8>()
            .chunk(chunk)
            .deflate(1)
            .shape(SimpleExtents::from_vec(extents))
            .create("spins")?;
        Ok(Self {
            spins,
            sweep: column::<u64>(file, "sweep", "sweeps after thermalization")?,
            beta: column::<f64>(file, "beta", "1/energy")?,
            energy: column::<f64>(file, "energy", "dimensionless, total")?,
            magnetization: column::<i64>(file, "magnetization", "spins, total")?,
            archive,
            shape: header.shape.clone(),
            frames: 0,
            committed: Arc::default(),
            checkpoint: None,
        })
    }

    /// Goes on with a file that [`SnapshotReader`](super::SnapshotReader) reads; it stays as it is until the next frame.
    ///
    /// # Errors
    /// [`Error::Archive`] if it cannot be read or copied.
    pub fn reopen(path: &Path) -> Result<Self, Error> {
        let archive = Archive::reopen(path)?;
        Self::find(archive).map_err(|error| archive::refused(path, "reading", &error))
    }

    fn find(archive: Archive) -> Result<Self, hdf5::Error> {
        let file = archive.file();
        let spins = file.dataset("spins")?;
        let shape = spins.shape();
        let Some((&frames, axes)) = shape.split_first() else {
            return Err(hdf5::Error::Internal("/spins has no axis of frames".to_owned()));
        };
        Ok(Self {
            sweep: file.dataset("sweep")?,
            beta: file.dataset("beta")?,
            energy: file.dataset("energy")?,
            magnetization: file.dataset("magnetization")?,
            shape: axes.to_vec(),
            frames,
            committed: Arc::new(AtomicU64::new(frames as u64)),
            checkpoint: None,
            spins,
            archive,
        })
    }

    /// Keeps bytes from which the run goes on after the next frame, in `/checkpoint`, in place of those of the frame before.
    pub fn keep(&mut self, checkpoint: Vec<u8>) {
        self.checkpoint = Some(checkpoint);
    }

    /// Appends a frame, and commits if a commit is due.
    ///
    /// # Errors
    /// [`Error::Count`] if the frame has not one spin per site; [`Error::Archive`] if it cannot be written.
    pub fn append(&mut self, frame: &Frame) -> Result<(), Error> {
        let sites = self.shape.iter().product();
        if frame.spins.len() != sites {
            return Err(Error::Count { what: "spins", per: "site", expected: sites, got: frame.spins.len() });
        }
        self.write(frame).map_err(|error| archive::refused(self.archive.path(), "writing", &error))?;
        self.frames += 1;
        if self.archive.is_due() {
            self.write_checkpoint()?;
        }
        if self.archive.commit_if_due()? {
            self.committed.store(self.frames as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    fn write(&self, frame: &Frame) -> Result<(), hdf5::Error> {
        let at = self.frames;
        let mut shape = vec![at + 1];
        shape.extend(&self.shape);
        self.spins.resize(shape.clone())?;
        shape[0] = 1;
        let view = ArrayViewD::from_shape(IxDyn(&shape), frame.spins.as_slice())
            .map_err(|error| hdf5::Error::Internal(error.to_string()))?;
        self.spins.write_slice(view, one(at, &self.shape))?;
        put(&self.sweep, at, frame.sweep)?;
        put(&self.beta, at, frame.beta)?;
        put(&self.energy, at, frame.energy)?;
        put(&self.magnetization, at, frame.spins.magnetization())
    }

    fn write_checkpoint(&mut self) -> Result<(), Error> {
        let Some(bytes) = self.checkpoint.take() else { return Ok(()) };
        let write = || -> Result<(), hdf5::Error> {
            let file = self.archive.file();
            let dataset = if file.link_exists("checkpoint") {
                let dataset = file.dataset("checkpoint")?;
                dataset.resize(bytes.len())?;
                dataset
            } else {
                let extents = SimpleExtents::from_vec(vec![Extent::resizable(bytes.len())]);
                file.new_dataset::<u8>().chunk(vec![1 << 16]).shape(extents).create("checkpoint")?
            };
            dataset.write(ArrayView1::from(&bytes))
        };
        write().map_err(|error| archive::refused(self.archive.path(), "writing", &error))
    }

    /// Completes the file and returns its number of frames. A file without any frame is not left behind.
    ///
    /// # Errors
    /// [`Error::Archive`] if it cannot be written; the last commit is then still there.
    pub fn finish(mut self) -> Result<u64, Error> {
        self.write_checkpoint()?;
        let Self { archive, spins, sweep, beta, energy, magnetization, frames, committed, .. } = self;
        // The library closes the file, and writes to it, no sooner than the last of its datasets.
        drop((spins, sweep, beta, energy, magnetization));
        if frames > 0 {
            archive.finish()?;
        }
        committed.store(frames as u64, Ordering::Relaxed);
        Ok(frames as u64)
    }
}

/// A dataset with one number per frame.
fn column<T: H5Type>(file: &hdf5::File, name: &str, units: &str) -> Result<Dataset, hdf5::Error> {
    let extents = SimpleExtents::from_vec(vec![Extent::resizable(0)]);
    let dataset = file.new_dataset::<T>().chunk(vec![256]).shape(extents).create(name)?;
    archive::text(&dataset, "units", units)?;
    Ok(dataset)
}

/// Frame `at` of a dataset whose other axes have the given lengths.
pub(super) fn one(at: usize, axes: &[usize]) -> Selection {
    let run = |start: usize, count: usize| SliceOrIndex::SliceCount { start, step: 1, count, block: 1 };
    let mut slices = vec![run(at, 1)];
    slices.extend(axes.iter().map(|&l| run(0, l)));
    Selection::Hyperslab(Hyperslab::from(slices))
}

fn put<T: H5Type>(dataset: &Dataset, at: usize, value: T) -> Result<(), hdf5::Error> {
    dataset.resize(at + 1)?;
    dataset.write_slice(ArrayView1::from(&[value]), one(at, &[]))
}

/// A thread that compresses and writes frames while the next ones are computed.
#[derive(Debug)]
pub struct SnapshotWriter {
    frames: Option<SyncSender<(Frame, Option<Vec<u8>>)>>,
    thread: Option<JoinHandle<Result<u64, Error>>>,
    committed: Arc<AtomicU64>,
}

impl SnapshotWriter {
    /// Frames that may wait; a fifth makes [`SnapshotWriter::push`] wait.
    pub const WAITING: usize = 4;

    /// Starts the thread.
    pub fn start(mut file: SnapshotFile) -> Self {
        let committed = Arc::clone(&file.committed);
        let (frames, queue) = sync_channel::<(Frame, Option<Vec<u8>>)>(Self::WAITING);
        let thread = std::thread::spawn(move || {
            for (frame, checkpoint) in queue {
                if let Some(checkpoint) = checkpoint {
                    file.keep(checkpoint);
                }
                file.append(&frame)?;
            }
            file.finish()
        });
        Self { frames: Some(frames), thread: Some(thread), committed }
    }

    /// Hands over a frame. Returns false if the thread has failed; [`SnapshotWriter::finish`] then says why.
    #[must_use]
    pub fn push(&self, frame: Frame) -> bool {
        self.send(frame, None)
    }

    /// Hands over a frame and the bytes that [`SnapshotFile::keep`] is to keep with it.
    #[must_use]
    pub fn push_with(&self, frame: Frame, checkpoint: Vec<u8>) -> bool {
        self.send(frame, Some(checkpoint))
    }

    fn send(&self, frame: Frame, checkpoint: Option<Vec<u8>>) -> bool {
        self.frames.as_ref().is_some_and(|frames| frames.send((frame, checkpoint)).is_ok())
    }

    /// Frames that are safe under the final name.
    pub fn committed(&self) -> u64 {
        self.committed.load(Ordering::Relaxed)
    }

    /// Waits for the frames handed over, completes the file, and returns its number of frames.
    ///
    /// # Errors
    /// [`Error::Archive`] if a frame or the file could not be written.
    pub fn finish(&mut self) -> Result<u64, Error> {
        self.frames = None;
        match self.thread.take() {
            Some(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            None => Ok(self.committed()),
        }
    }
}
