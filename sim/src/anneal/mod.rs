//! Problem files solved by annealing and tempering: many reads in parallel, each from configurations of its own.
//!
//! | method | a *read* is | on |
//! |---|---|---|
//! | [`Method::Annealing`] | one replica, cooled once | anything |
//! | [`Method::Tempering`] | a ladder of replicas that exchange configurations | anything |
//! | [`Method::ClusterTempering`] | a ladder of pairs that also exchange clusters | sparse glasses |
//!
//! β comes from the instance: a trial cooling finds where it stops being hot and where it freezes, whatever the size of the
//! weights, and the rungs of a ladder are placed by measured rejection rates. Every read ends with a few sweeps downhill.
//!
//! Reads draw from streams of their own and are independent; given sweeps and reads, the answer is a function of the seed alone,
//! on any number of threads. Small whole-number weights are cooled 512 reads at a time in the bits of a vector, others with
//! cached local fields; [`Answer::kernel`] says which and why.

mod answer;
mod batch;
mod exchanges;
mod job;
mod ladder;
mod lanes;
mod method;
mod notes;
mod range;
mod search;
mod time_to_solution;

pub use answer::{Answer, Found, LadderReport, Part};
pub use exchanges::{Exchanges, RungReport};
pub use job::Watch;
pub use method::{Method, UnknownMethod};
pub use range::Range;
pub use search::{anneal, anneal_watched, default_reads};
pub use time_to_solution::TimeToSolution;

use std::time::Duration;

/// How much is spent on a problem.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effort {
    /// So many reads of so many sweeps: the same answer every time.
    Counted {
        /// Sweeps of each read; one of a ladder is a sweep of each of its replicas.
        sweeps: u64,
        /// Number of reads.
        reads: u64,
    },
    /// So much time. The number of sweeps follows from the speed of the machine, so that the answer is not reproducible.
    Timed(Duration),
}

/// What is asked of [`anneal`].
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The method.
    pub method: Method,
    /// How much is spent.
    pub effort: Effort,
    /// β at the beginning and the end, or on the hottest and the coldest rung; measured on the instance if absent.
    pub range: Option<Range>,
    /// Seed of every stream.
    pub seed: u64,
    /// How many distinct best states are kept.
    pub keep: usize,
}

impl Settings {
    /// Annealing with a measured range of β, 16 distinct states kept.
    pub fn new(effort: Effort, seed: u64) -> Self {
        Self { method: Method::Annealing, effort, range: None, seed, keep: 16 }
    }

    /// The same by another method.
    #[must_use]
    pub fn by(self, method: Method) -> Self {
        Self { method, ..self }
    }
}
