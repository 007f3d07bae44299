//! HDF5 files that a kill at any moment leaves readable.
//!
//! Everything is written under `NAME.partial`. A *commit* flushes that file, copies it, and renames the copy onto the final name, which
//! therefore always holds either the old file or a complete, readable one. When all is written, the partial file itself is closed and
//! renamed. A partial file left by a killed run is replaced by the next one.

use std::fs::{self, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hdf5::file::LibraryVersion;

use super::{hdf5, seal};
use crate::error::Error;

/// An HDF5 file on its way to its final name.
///
/// ```
/// use ceas_sim::snapshot::archive::{self, Archive};
/// let path = std::env::temp_dir().join(format!("ceas-archive-{}.h5", std::process::id()));
/// let archive = Archive::create(&path).unwrap();
/// archive::text(archive.file(), "units", "joules are elsewhere").unwrap();
/// assert!(!path.exists());
/// archive.finish().unwrap();
/// assert!(path.exists());
/// # std::fs::remove_file(&path).unwrap();
/// ```
#[derive(Debug)]
pub struct Archive {
    /// Open until finished or given up.
    file: Option<hdf5::File>,
    path: PathBuf,
    last_commit: Option<Instant>,
    last_cost: Duration,
    is_sealed: bool,
}

/// `path` with `.suffix` added to its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// An error if another run has this partial file open.
fn refuse_if_written(partial: &Path, action: &'static str) -> Result<(), Error> {
    match fs::OpenOptions::new().write(true).open(partial).map(|stale| stale.try_lock()) {
        Ok(Err(TryLockError::WouldBlock)) => {
            let cause = "another run is writing it".to_owned();
            Err(Error::Archive { path: partial.to_owned(), action, cause })
        }
        _ => Ok(()),
    }
}

impl Archive {
    /// Begins a file that will become `path`; until the first commit, `path` is not touched.
    ///
    /// # Errors
    /// [`Error::Archive`] if the partial file cannot be created, or another process is writing it.
    pub fn create(path: &Path) -> Result<Self, Error> {
        // The library writes its error stack to standard error otherwise.
        hdf5::silence_errors(true);
        let partial = beside(path, "partial");
        refuse_if_written(&partial, "creating")?;
        // Version 1.8 of the format: read by every library in use, and without the open-for-writing mark of later versions, which
        // would make a copy of an open file unreadable.
        let file = hdf5::File::with_options()
            .with_fapl(|access| access.libver_bounds(LibraryVersion::V18, LibraryVersion::V18))
            .create(&partial)
            .map_err(|error| {
                let _ = fs::remove_file(&partial);
                refused(&partial, "creating", &error)
            })?;
        Ok(Self {
            file: Some(file),
            path: path.to_owned(),
            last_commit: None,
            last_cost: Duration::ZERO,
            is_sealed: false,
        })
    }

    /// Goes on with the sealed file `path`: it stays as it is until the first commit.
    ///
    /// # Errors
    /// [`Error::Archive`] if it cannot be read or copied, has changed since it was sealed, or another process is writing it.
    pub fn reopen(path: &Path) -> Result<Self, Error> {
        seal::check(path)?;
        hdf5::silence_errors(true);
        let partial = beside(path, "partial");
        refuse_if_written(&partial, "copying")?;
        let copied = fs::copy(path, &partial).and_then(|_| seal::strip(&partial));
        copied.map_err(|error| failed(path, "copying", &error))?;
        let file = hdf5::File::with_options()
            .with_fapl(|access| access.libver_bounds(LibraryVersion::V18, LibraryVersion::V18))
            .open_as(&partial, hdf5::OpenMode::ReadWrite)
            .map_err(|error| {
                let _ = fs::remove_file(&partial);
                refused(path, "reading", &error)
            })?;
        Ok(Self {
            file: Some(file),
            path: path.to_owned(),
            last_commit: None,
            last_cost: Duration::ZERO,
            is_sealed: true,
        })
    }

    /// Every file under the final name ends with a seal, so that [`Archive::reopen`] can tell whether it is whole.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.is_sealed = true;
        self
    }

    fn seal(&self, path: &Path) -> io::Result<()> {
        if self.is_sealed { seal::put(path) } else { Ok(()) }
    }

    /// The file to write to.
    pub fn file(&self) -> &hdf5::File {
        self.file.as_ref().expect("the file is open until `finish` consumes the archive")
    }

    /// The final name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a copy of what has been written so far under the final name.
    ///
    /// # Errors
    /// [`Error::Archive`] if it cannot be written; the final name then still holds what it held.
    pub fn commit(&mut self) -> Result<(), Error> {
        let begun = Instant::now();
        self.flush()?;
        let copy = beside(&self.path, "commit.partial");
        let copied = fs::copy(beside(&self.path, "partial"), &copy)
            .and_then(|_| self.seal(&copy))
            .and_then(|()| fs::OpenOptions::new().write(true).open(&copy)?.sync_all())
            .and_then(|()| fs::rename(&copy, &self.path));
        copied.map_err(|error| {
            let _ = fs::remove_file(&copy);
            failed(&self.path, "writing", &error)
        })?;
        self.last_commit = Some(Instant::now());
        self.last_cost = begun.elapsed();
        Ok(())
    }

    /// Commits if nothing has been committed yet, or the last commit is longer ago than a second and than ten times what it took, so that
    /// commits take at most a tenth of the time. Says whether it did.
    ///
    /// # Errors
    /// As [`Archive::commit`].
    pub fn commit_if_due(&mut self) -> Result<bool, Error> {
        let due = self.is_due();
        if due {
            self.commit()?;
        }
        Ok(due)
    }

    /// Whether [`Archive::commit_if_due`] would commit now.
    pub fn is_due(&self) -> bool {
        let wait = Duration::from_secs(1).max(10 * self.last_cost);
        self.last_commit.is_none_or(|last| last.elapsed() > wait)
    }

    /// Whether the final name holds a commit of this archive.
    pub fn is_committed(&self) -> bool {
        self.last_commit.is_some()
    }

    /// Closes the file and gives it its final name.
    ///
    /// # Errors
    /// [`Error::Archive`] if it cannot be written; the final name then still holds the last commit, or what it held before.
    pub fn finish(mut self) -> Result<(), Error> {
        self.flush()?;
        let partial = beside(&self.path, "partial");
        if let Some(file) = self.file.take() {
            file.close().map_err(|error| refused(&self.path, "writing", &error))?;
        }
        let renamed = self
            .seal(&partial)
            .and_then(|()| fs::OpenOptions::new().write(true).open(&partial)?.sync_all())
            .and_then(|()| fs::rename(&partial, &self.path));
        renamed.map_err(|error| {
            let _ = fs::remove_file(&partial);
            failed(&self.path, "writing", &error)
        })
    }

    fn flush(&self) -> Result<(), Error> {
        self.file().flush().map_err(|error| refused(&self.path, "writing", &error))
    }
}

/// An archive that was not finished leaves its last commit and no partial file.
impl Drop for Archive {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let partial = beside(&self.path, "partial");
            // Closing writes what is still in memory. Where the disk is full it would fail and the library would try again at the end of the
            // program; emptying the file first makes room.
            if let Ok(handle) = fs::OpenOptions::new().write(true).open(&partial) {
                let _ = handle.set_len(0);
            }
            let _ = file.close();
            let _ = fs::remove_file(&partial);
        }
    }
}

/// What the operating system refused.
fn failed(path: &Path, action: &'static str, error: &io::Error) -> Error {
    Error::Archive { path: path.to_owned(), action, cause: error.to_string() }
}

/// What the HDF5 library refused: the reason given by the system if there is one, else the innermost of its messages.
pub fn refused(path: &Path, action: &'static str, error: &hdf5::Error) -> Error {
    let stack = error.stack();
    let frames = stack.iter().flat_map(|stack| stack.iter().map(|frame| frame.desc().to_owned()));
    let frames: Vec<String> = frames.collect();
    let quoted =
        |text: &String| text.split("error message = '").nth(1)?.split('\'').next().map(str::to_owned);
    let cause = frames.iter().find_map(quoted).or_else(|| frames.last().cloned());
    Error::Archive { path: path.to_owned(), action, cause: cause.unwrap_or_else(|| error.to_string()) }
}

/// Writes a text attribute (variable length, UTF-8; h5py reads a `str`). A zero byte ends the text.
///
/// # Errors
/// What the library says.
pub fn text(location: &hdf5::Location, name: &str, value: &str) -> Result<(), hdf5::Error> {
    let value: String = value.chars().take_while(|&c| c != '\0').collect();
    let value: hdf5::types::VarLenUnicode =
        value.parse().map_err(|_| hdf5::Error::Internal(format!("attribute {name} is no text")))?;
    location.new_attr::<hdf5::types::VarLenUnicode>().create(name)?.write_scalar(&value)
}
