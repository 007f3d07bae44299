//! What all batches of a search share: seed, ears, and a shelf.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::batch::{Batch, Read};
use crate::checkpoint::{Kept, Refusal, Shelf, Writer};
use crate::error::Error;

/// Who looks on while a search runs, and where it is kept.
pub struct Watch<'w> {
    /// Asked after every sweep; a yes ends the search early, with what has been found.
    pub interrupted: &'w (dyn Fn() -> bool + Sync),
    /// Told now and then which share of the work is done.
    pub progress: &'w (dyn Fn(f64) + Sync),
    /// A file that the search can be resumed from, and how often it is written.
    pub keep: Option<(PathBuf, Duration)>,
    /// A file to go on from: one of the same problem and settings.
    pub resume: Option<PathBuf>,
}

impl<'w> Watch<'w> {
    /// Nobody but the one who may end it.
    pub fn new(interrupted: &'w (dyn Fn() -> bool + Sync)) -> Self {
        Self { interrupted, progress: &|_| (), keep: None, resume: None }
    }
}

/// What all batches share.
pub(super) struct Job<'j> {
    pub(super) seed: u64,
    pub(super) late: &'j (dyn Fn() -> bool + Sync),
    pub(super) progress: &'j (dyn Fn(f64) + Sync),
    pub(super) shelf: Option<&'j Shelf>,
    /// Sweeps of all reads, if they are counted, and those made.
    pub(super) total: Option<u64>,
    pub(super) made: AtomicU64,
}

impl Job<'_> {
    pub(super) fn interrupted(&self) -> bool {
        (self.late)()
    }

    pub(super) fn kept(&self, number: u64) -> Option<Kept> {
        self.shelf?.kept(number)
    }

    /// A refusal as an error that names the file.
    pub(super) fn refused<T>(&self, result: Result<T, Refusal>) -> Result<T, Error> {
        result.map_err(|refusal| {
            let path = self.shelf.map(Shelf::path).unwrap_or_else(|| Path::new(""));
            refusal.of(path)
        })
    }

    /// The batch has made `done` sweeps, and a part of its reads since it last told.
    pub(super) fn tick(&self, batch: &Batch, done: u64) {
        let Some(total) = self.total else {
            return (self.progress)(f64::NAN);
        };
        let step = (batch.sweeps / 100).max(1).min(done);
        let made = self.made.fetch_add(step * batch.reads, Ordering::Relaxed) + step * batch.reads;
        (self.progress)((made as f64 / total as f64).min(1.0));
    }

    /// As [`Shelf::put_underway`], where there is a shelf.
    pub(super) fn keep_underway(
        &self,
        number: u64,
        clock: &mut Instant,
        last: bool,
        bytes: impl FnOnce() -> Vec<u8>,
    ) -> Result<(), Error> {
        self.shelf.map_or(Ok(()), |shelf| shelf.put_underway(number, clock, last, bytes))
    }

    /// Keeps complete reads.
    pub(super) fn keep_done(&self, number: u64, reads: &[Read]) -> Result<(), Error> {
        let Some(shelf) = self.shelf else { return Ok(()) };
        let mut out = Writer::default();
        reads.iter().for_each(|read| read.save(&mut out));
        shelf.put(number, Kept::Done(out.finish()))
    }
}
