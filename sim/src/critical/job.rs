//! What all parts of a survey share: who is told, who may end it, and where it is kept.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::checkpoint::{Kept, Kind, Refusal, Shelf, Work};
use crate::error::Error;

/// What a running survey tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress {
    /// So many replicas of models of up to this size begin.
    Stage {
        /// The largest size among them.
        size: usize,
        /// Replicas.
        replicas: u64,
    },
    /// One replica is done.
    Replica,
    /// β_c is known with this error.
    Error(f64),
}

/// Who is told.
pub type Listener<'a> = &'a (dyn Fn(Progress) + Sync);

/// Who looks on while a survey runs, and where it is kept.
pub struct Watch<'w> {
    /// Told how it goes.
    pub listener: Listener<'w>,
    /// Asked after every sweep; a yes ends the survey without a result, by [`Error::Interrupted`].
    pub interrupted: &'w (dyn Fn() -> bool + Sync),
    /// A file that the survey can be resumed from, and how often it is written.
    pub keep: Option<(PathBuf, Duration)>,
    /// A file to go on from: one of the same survey.
    pub resume: Option<PathBuf>,
}

impl<'w> Watch<'w> {
    /// Nobody but one who is told.
    pub fn new(listener: Listener<'w>) -> Self {
        Self { listener, interrupted: &|| false, keep: None, resume: None }
    }
}

/// What the checkpoint of a survey is.
const SWEEP: Kind = Kind {
    magic: *b"CEASSWEE",
    otherwise: "this is no checkpoint of a sweep: it must begin with CEASSWEE",
    name: "the sweep",
    of: "the model with fingerprint",
};

/// What all parts of a survey share.
pub(super) struct Job<'j> {
    listener: Listener<'j>,
    interrupted: &'j (dyn Fn() -> bool + Sync),
    shelf: Option<Shelf>,
}

impl<'j> Job<'j> {
    /// That of a cell alone.
    pub(super) fn unkept(listener: Listener<'j>) -> Self {
        Self { listener, interrupted: &|| false, shelf: None }
    }

    /// That of a survey, which `words` and the fingerprint of a model tell from others.
    ///
    /// # Errors
    /// As [`Shelf::open`].
    pub(super) fn of(watch: &'j Watch<'j>, words: String, fingerprint: u64) -> Result<Self, Error> {
        let work = Work { kind: SWEEP, words, fingerprint };
        let shelf = Shelf::open(work, watch.keep.as_ref(), watch.resume.as_deref())?;
        Ok(Self { listener: watch.listener, interrupted: watch.interrupted, shelf })
    }

    pub(super) fn tell(&self, progress: Progress) {
        (self.listener)(progress);
    }

    pub(super) fn interrupted(&self) -> bool {
        (self.interrupted)()
    }

    /// What a part has come to.
    pub(super) fn kept(&self, number: u64) -> Option<Kept> {
        self.shelf.as_ref()?.kept(number)
    }

    /// A refusal as an error that names the file.
    pub(super) fn refused<T>(&self, result: Result<T, Refusal>) -> Result<T, Error> {
        let path = || self.shelf.as_ref().map_or(Path::new(""), Shelf::path);
        result.map_err(|refusal| refusal.of(path()))
    }

    /// As [`Shelf::put_underway`], where there is a shelf.
    pub(super) fn keep_underway(
        &self,
        number: u64,
        clock: &mut Instant,
        last: bool,
        bytes: impl FnOnce() -> Vec<u8>,
    ) -> Result<(), Error> {
        self.shelf.as_ref().map_or(Ok(()), |shelf| shelf.put_underway(number, clock, last, bytes))
    }

    /// Keeps a part that is complete.
    pub(super) fn keep_done(&self, number: u64, bytes: impl FnOnce() -> Vec<u8>) -> Result<(), Error> {
        self.shelf.as_ref().map_or(Ok(()), |shelf| shelf.put(number, Kept::Done(bytes())))
    }

    /// Keeps a part in place of all others, which led to it.
    pub(super) fn keep_alone(&self, number: u64, bytes: impl FnOnce() -> Vec<u8>) -> Result<(), Error> {
        self.shelf.as_ref().map_or(Ok(()), |shelf| shelf.put_alone(number, Kept::Done(bytes())))
    }

    /// Brings everything to the disk.
    pub(super) fn flush(&self) -> Result<(), Error> {
        self.shelf.as_ref().map_or(Ok(()), Shelf::flush)
    }

    /// Time spent by those who went before.
    pub(super) fn before(&self) -> Duration {
        self.shelf.as_ref().map_or(Duration::ZERO, Shelf::before)
    }
}
