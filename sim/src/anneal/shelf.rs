//! The checkpoint of a search: what its batches have come to.
//!
//! ```text
//! "CEASSRCH"  version u32  search  fingerprint u64  seconds f64  batches u64
//! for each batch: number u64, 1 (done) or 2 (underway), its bytes        checksum u64
//! ```
//!
//! Batches draw from streams of their own, so that each may be kept at a moment of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, io};

use crate::checkpoint::{self, Reader, Refusal, Writer};
use crate::error::Error;
use crate::memory;

const MAGIC: [u8; 8] = *b"CEASSRCH";
/// The version written.
const VERSION: u32 = 1;

/// What a batch has come to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kept {
    /// Its reads are complete.
    Done(Vec<u8>),
    /// It is a run that goes on.
    Underway(Vec<u8>),
}

/// Where batches are kept.
pub(super) struct Shelf {
    path: PathBuf,
    every: Duration,
    search: String,
    fingerprint: u64,
    begun: Instant,
    store: Mutex<Store>,
}

/// What is written.
struct Store {
    batches: BTreeMap<u64, Kept>,
    /// Seconds spent by those who went before.
    before: f64,
    written: Instant,
}

impl Shelf {
    /// An empty one, which is written to `path` at most every so often.
    pub(super) fn new(path: PathBuf, every: Duration, search: String, fingerprint: u64) -> Self {
        let begun = Instant::now();
        let store = Mutex::new(Store { batches: BTreeMap::new(), before: 0.0, written: begun });
        Self { path, every, search, fingerprint, begun, store }
    }

    /// A thread that failed has left whole entries.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up what is kept in a file.
    pub(super) fn resume(&self, path: &Path) -> Result<(), Error> {
        let archive = |cause: io::Error| Error::Archive {
            path: path.to_owned(),
            action: "reading checkpoint",
            cause: cause.to_string(),
        };
        let length = fs::metadata(path).map_err(archive)?.len();
        memory::check("checkpoint", 1, length.saturating_mul(3))?;
        let bytes = fs::read(path).map_err(archive)?;
        let (before, batches) = self.decode(&bytes).map_err(|refusal| refused(refusal, path))?;
        let mut store = self.store();
        (store.before, store.batches) = (before, batches);
        Ok(())
    }

    /// What a batch has come to.
    pub(super) fn kept(&self, number: u64) -> Option<Kept> {
        self.store().batches.get(&number).cloned()
    }

    /// How often batches are kept.
    pub(super) fn every(&self) -> Duration {
        self.every
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Seconds spent before this search began where it stands.
    pub(super) fn before(&self) -> Duration {
        Duration::try_from_secs_f64(self.store().before).unwrap_or_default()
    }

    /// Keeps a batch, and brings all to the disk if it is time.
    pub(super) fn put(&self, number: u64, kept: Kept) -> Result<(), Error> {
        let mut store = self.store();
        store.batches.insert(number, kept);
        if store.written.elapsed() >= self.every {
            checkpoint::write_whole(&self.path, &self.encode(&store))?;
            store.written = Instant::now();
        }
        Ok(())
    }

    /// Brings everything to the disk.
    pub(super) fn flush(&self) -> Result<(), Error> {
        let store = self.store();
        checkpoint::write_whole(&self.path, &self.encode(&store))
    }

    fn encode(&self, store: &Store) -> Vec<u8> {
        let mut out = Writer::default();
        out.raw(MAGIC);
        out.u32(VERSION);
        out.bytes(self.search.as_bytes());
        out.u64(self.fingerprint);
        out.f64(store.before + self.begun.elapsed().as_secs_f64());
        out.u64(store.batches.len() as u64);
        for (number, kept) in &store.batches {
            out.u64(*number);
            let (tag, bytes) = match kept {
                Kept::Done(bytes) => (1, bytes),
                Kept::Underway(bytes) => (2, bytes),
            };
            out.u8(tag);
            out.bytes(bytes);
        }
        out.seal()
    }

    fn decode(&self, bytes: &[u8]) -> Result<(f64, BTreeMap<u64, Kept>), Refusal> {
        let mut from =
            Reader::unsealed(bytes, MAGIC, "this is no checkpoint of a search: it must begin with CEASSRCH")?;
        let version = from.u32()?;
        if version != VERSION {
            let expected = VERSION.to_string();
            return Err(Refusal::Other { what: "format version", expected, got: version.to_string() });
        }
        let search = String::from_utf8_lossy(from.bytes()?).into_owned();
        if search != self.search {
            return Err(Refusal::Other { what: "the search", expected: self.search.clone(), got: search });
        }
        let got = from.u64()?;
        if got != self.fingerprint {
            let [expected, got] = [self.fingerprint, got].map(|print| format!("{print:016x}"));
            return Err(Refusal::Other { what: "the problem with fingerprint", expected, got });
        }
        let before = from.f64()?;
        let mut batches = BTreeMap::new();
        for _ in 0..from.u64()? {
            let number = from.u64()?;
            let kept = match from.u8()? {
                1 => Kept::Done(from.bytes()?.to_vec()),
                2 => Kept::Underway(from.bytes()?.to_vec()),
                _ => return Err(from.broken("a batch is done or underway")),
            };
            batches.insert(number, kept);
        }
        from.end()?;
        Ok((before, batches))
    }
}

/// A refusal, with the file.
pub(super) fn refused(refusal: Refusal, path: &Path) -> Error {
    match refusal {
        Refusal::Broken { at, violated } => Error::Checkpoint { path: path.to_owned(), at, violated },
        Refusal::Other { what, expected, got } => {
            Error::OtherCheckpoint { path: path.to_owned(), what, expected, got }
        }
    }
}
