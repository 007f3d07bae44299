//! The checkpoint of work that is made of parts: what each of them has come to.
//!
//! ```text
//! magic, 8 bytes  version u32  the work  fingerprint u64  seconds f64  parts u64
//! for each part: number u64, 1 (done) or 2 (underway), its bytes        checksum u64
//! ```
//!
//! Parts draw from streams of their own, so that each may be kept at a moment of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Reader, Refusal, Writer};
use crate::error::Error;

/// The version written.
const VERSION: u32 = 1;

/// Seconds between writings, where nothing is said.
const EVERY: Duration = Duration::from_secs(30);

/// A file that work can be resumed from, and how often it is written.
pub(crate) type Keeping = (PathBuf, Duration);

/// What a part has come to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kept {
    /// It is complete.
    Done(Vec<u8>),
    /// It goes on.
    Underway(Vec<u8>),
}

/// What kind of work is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// How its files begin.
    pub(crate) magic: [u8; 8],
    /// What is said of a file that begins otherwise.
    pub(crate) otherwise: &'static str,
    /// What it is called.
    pub(crate) name: &'static str,
    /// What the fingerprint is of.
    pub(crate) of: &'static str,
}

/// Which work it is: everything that its result depends on.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) kind: Kind,
    /// In words.
    pub(crate) words: String,
    /// Of the model.
    pub(crate) fingerprint: u64,
}

/// Where parts are kept.
pub(crate) struct Shelf {
    path: PathBuf,
    every: Duration,
    work: Work,
    begun: Instant,
    store: Mutex<Store>,
}

/// What is written.
struct Store {
    parts: BTreeMap<u64, Kept>,
    /// Seconds spent by those who went before.
    before: f64,
    written: Instant,
}

impl Shelf {
    /// The one that is asked for, if one is: written to the file of `keep`, or else of `resume`, and with what is kept in that of `resume`.
    ///
    /// # Errors
    /// [`Error::Archive`] if the file to resume cannot be read, [`Error::Memory`] if it is larger than memory, [`Error::Checkpoint`] if it is
    /// damaged, [`Error::OtherCheckpoint`] if it is one of other work.
    pub(crate) fn open(
        work: Work,
        keep: Option<&Keeping>,
        resume: Option<&Path>,
    ) -> Result<Option<Self>, Error> {
        let begun = Instant::now();
        let shelf = |path: &Path, every| {
            let store = Mutex::new(Store { parts: BTreeMap::new(), before: 0.0, written: begun });
            Self { path: path.to_owned(), every, work, begun, store }
        };
        let shelf = match (keep, resume) {
            (Some((path, every)), _) => shelf(path, *every),
            (None, Some(path)) => shelf(path, EVERY),
            (None, None) => return Ok(None),
        };
        if let Some(path) = resume {
            shelf.resume(path)?;
        }
        Ok(Some(shelf))
    }

    /// A thread that failed has left whole entries.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up what is kept in a file.
    fn resume(&self, path: &Path) -> Result<(), Error> {
        let bytes = super::read_whole(path, 3)?;
        let (before, parts) = self.decode(&bytes).map_err(|refusal| refusal.of(path))?;
        let mut store = self.store();
        (store.before, store.parts) = (before, parts);
        Ok(())
    }

    /// What a part has come to.
    pub(crate) fn kept(&self, number: u64) -> Option<Kept> {
        self.store().parts.get(&number).cloned()
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Seconds spent before this work began where it stands.
    pub(crate) fn before(&self) -> Duration {
        Duration::try_from_secs_f64(self.store().before).unwrap_or_default()
    }

    /// Keeps a part, and brings all to the disk if it is time.
    pub(crate) fn put(&self, number: u64, kept: Kept) -> Result<(), Error> {
        self.change(|parts| {
            parts.insert(number, kept);
        })
    }

    /// Keeps a part that goes on, if `clock` says that it was last kept long enough ago, or if this is the `last` moment before the work is broken off.
    pub(crate) fn put_underway(
        &self,
        number: u64,
        clock: &mut Instant,
        last: bool,
        bytes: impl FnOnce() -> Vec<u8>,
    ) -> Result<(), Error> {
        if !last && clock.elapsed() < self.every {
            return Ok(());
        }
        self.put(number, Kept::Underway(bytes()))?;
        *clock = Instant::now();
        Ok(())
    }

    /// Keeps this part in place of all others.
    pub(crate) fn put_alone(&self, number: u64, kept: Kept) -> Result<(), Error> {
        self.change(|parts| *parts = BTreeMap::from([(number, kept)]))
    }

    fn change(&self, how: impl FnOnce(&mut BTreeMap<u64, Kept>)) -> Result<(), Error> {
        let mut store = self.store();
        how(&mut store.parts);
        if store.written.elapsed() >= self.every {
            super::write_whole(&self.path, &self.encode(&store))?;
            store.written = Instant::now();
        }
        Ok(())
    }

    /// Brings everything to the disk.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        let store = self.store();
        super::write_whole(&self.path, &self.encode(&store))
    }

    fn encode(&self, store: &Store) -> Vec<u8> {
        let mut out = Writer::default();
        out.raw(self.work.kind.magic);
        out.u32(VERSION);
        out.bytes(self.work.words.as_bytes());
        out.u64(self.work.fingerprint);
        out.f64(store.before + self.begun.elapsed().as_secs_f64());
        out.u64(store.parts.len() as u64);
        for (number, kept) in &store.parts {
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
        let Work { kind, words, fingerprint } = &self.work;
        let mut from = Reader::unsealed(bytes, kind.magic, kind.otherwise)?;
        let version = from.u32()?;
        if version != VERSION {
            let expected = VERSION.to_string();
            return Err(Refusal::Other { what: "format version", expected, got: version.to_string() });
        }
        let got = String::from_utf8_lossy(from.bytes()?).into_owned();
        if got != *words {
            return Err(Refusal::Other { what: kind.name, expected: words.clone(), got });
        }
        let got = from.u64()?;
        if got != *fingerprint {
            let [expected, got] = [*fingerprint, got].map(|print| format!("{print:016x}"));
            return Err(Refusal::Other { what: kind.of, expected, got });
        }
        let before = from.f64()?;
        let mut parts = BTreeMap::new();
        for _ in 0..from.u64()? {
            let number = from.u64()?;
            let kept = match from.u8()? {
                1 => Kept::Done(from.bytes()?.to_vec()),
                2 => Kept::Underway(from.bytes()?.to_vec()),
                _ => return Err(from.broken("a part is done or underway")),
            };
            parts.insert(number, kept);
        }
        from.end()?;
        Ok((before, parts))
    }
}
