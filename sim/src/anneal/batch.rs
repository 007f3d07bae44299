//! Reads that are made together, on cached fields.

use std::ops::ControlFlow;
use std::time::Instant;

use super::exchanges::Exchanges;
use super::job::Job;
use super::notes::{Notes, is_mark};
use crate::beta::Beta;
use crate::checkpoint::{self, Kept, Reader, Refusal, SavedUpdate, Writer};
use crate::couplings::{CouplingRows, Real};
use crate::error::Error;
use crate::kernel::neighbors::LANES;
use crate::plan::Plan;
use crate::run::{Ending, Run};
use crate::schedule::Schedule;
use crate::spins::Spins;
use crate::stream::{Purpose, Stream, Streams};
use crate::update::{CachedField, CachedSpins, TemperedFields};

/// Sweeps with β so large that no flip raises the energy, which end a read.
pub(super) const QUENCH: u64 = 3;
/// Sweeps of a ladder after which copies of its colder replicas are quenched, to see what they are near to.
const PEEK: u64 = 10;

/// Reads that are cooled together, because they share the rows of a dense graph in the cache or the lanes of a vector; a function of the
/// instance alone.
pub(super) fn width<T: Real>(rows: &CouplingRows<T>) -> u64 {
    // Rows that no second-level cache holds are fetched from further away, and are worth sharing more.
    let bytes = rows.n() * rows.n() * std::mem::size_of::<T>();
    match rows.is_dense() {
        false if !rows.keeps_fields() => LANES as u64,
        true if bytes > 1 << 21 => 16,
        true if rows.n() > 64 => 8,
        _ => 1,
    }
}

/// Some of the reads of a search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch {
    pub(super) number: u64,
    pub(super) reads: u64,
    /// Sweeps of each read, the last few of them a quench.
    pub(super) sweeps: u64,
}

impl Batch {
    /// Sweeps at the end that are a quench.
    pub(super) fn quench(&self) -> u64 {
        QUENCH.min(self.sweeps / 4)
    }
}

/// One read: the best configuration it met.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Read {
    pub(super) notes: Notes,
    /// Single-spin attempts.
    pub(super) attempts: u64,
    /// Whether all its sweeps were made.
    pub(super) complete: bool,
    /// What a ladder exchanged.
    pub(super) exchanges: Option<Exchanges>,
}

impl Read {
    pub(super) fn save(&self, out: &mut Writer) {
        self.notes.save(out);
        out.u64(self.attempts);
        out.u8(u8::from(self.exchanges.is_some()));
        if let Some(exchanges) = &self.exchanges {
            exchanges.save(out);
        }
    }

    /// One that was complete.
    pub(super) fn load(n: usize, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let (notes, attempts) = (Notes::load(n, from)?, from.count()?);
        let exchanges = if from.u8()? == 1 { Some(Exchanges::load(from)?) } else { None };
        Ok(Self { notes, attempts, complete: true, exchanges })
    }
}

/// The configuration that replica `replica` of batch `number` begins with.
pub(super) fn start<T: Real>(
    rows: &CouplingRows<T>,
    seed: u64,
    number: u64,
    replica: usize,
) -> CachedSpins<T> {
    let mut stream = Stream::new(seed, Purpose::Initial, number, replica as u64);
    CachedSpins::new(rows, &Spins::random(rows.n(), &mut stream))
}

/// An update that a batch can be driven with.
pub(super) trait Driven<T: Real>:
    SavedUpdate<Model = CouplingRows<T>, State = Vec<CachedSpins<T>>>
{
    /// Replicas that a batch of so many reads has.
    fn replicas(&self, reads: u64) -> usize;

    /// The colder replicas of a read, which are looked at more closely on the way; none where a read is one replica.
    fn colder(&self) -> std::ops::Range<usize>;

    /// What was exchanged.
    fn exchanges(&self) -> Option<Exchanges>;
}

impl<T: Real> Driven<T> for CachedField<T> {
    fn replicas(&self, reads: u64) -> usize {
        reads as usize
    }

    fn colder(&self) -> std::ops::Range<usize> {
        0..0
    }

    fn exchanges(&self) -> Option<Exchanges> {
        None
    }
}

impl<T: Real> Driven<T> for TemperedFields<T> {
    fn replicas(&self, _: u64) -> usize {
        self.replicas()
    }

    fn colder(&self) -> std::ops::Range<usize> {
        let rungs = self.grid().rungs();
        (rungs - rungs.div_ceil(4)) * self.copies()..self.replicas()
    }

    fn exchanges(&self) -> Option<Exchanges> {
        Some(Exchanges::of(self))
    }
}

impl Batch {
    /// Makes the reads, or what is left of them, with `update` along `schedule`.
    pub(super) fn make<T: Real, U: Driven<T>>(
        &self,
        rows: &CouplingRows<T>,
        update: U,
        schedule: Schedule,
        job: &Job<'_>,
    ) -> Result<Vec<Read>, Error> {
        let (mut run, mut notes) = match job.kept(self.number) {
            Some(Kept::Done(bytes)) => return job.refused(loaded(&bytes, rows.n(), self.reads)),
            Some(Kept::Underway(bytes)) => {
                let resumed = job.refused(checkpoint::decode(&bytes, rows, update))?;
                let mut from = Reader::new(&resumed.attached);
                let notes = (0..self.reads).map(|_| Notes::load(rows.n(), &mut from)).collect();
                let notes: Vec<Notes> = job.refused(notes)?;
                let replicas = resumed.run.update().replicas(self.reads);
                let streams = resumed.run.streams().as_slice().len();
                if resumed.run.state().len() != replicas || streams < replicas {
                    return job.refused(Err(from.broken("a batch has its replicas, each with a stream")));
                }
                (resumed.run, notes)
            }
            None => {
                let replicas = update.replicas(self.reads);
                let states: Vec<_> =
                    (0..replicas).map(|replica| start(rows, job.seed, self.number, replica)).collect();
                let each = replicas / self.reads as usize;
                let notes = states.chunks(each).map(|group| {
                    let best = lowest(group);
                    Notes::new(best.spins(), best.energy())
                });
                let notes = notes.collect();
                let streams =
                    Streams::new(job.seed, Purpose::Update, self.number, update.blocks().max(replicas));
                (Run::new(rows, states, update, schedule, streams), notes)
            }
        };
        let (sweeps, quench) = (self.sweeps, self.quench());
        let group = run.state().len() / self.reads as usize;
        let colder = run.update().colder();
        let done = run.sweeps();
        let mut clock = Instant::now();
        let mut failed = None;
        let plan = Plan { thermalization: 0, sweeps: sweeps - quench, every: 1 };
        let ending = run.drive_from(done, &plan, |run| {
            let done = run.sweeps();
            look(&mut notes, done, sweeps, group, run.state());
            let peeked = if !colder.is_empty() && done.is_multiple_of(PEEK) {
                let copies = run.state()[colder.clone()].to_vec();
                self.quenched(rows, copies, run.schedule(), job).map(|states| {
                    let best = lowest(&states);
                    notes[0].see(best.energy(), |spins| best.copy_to(spins));
                })
            } else {
                Ok(())
            };
            if is_mark(done, sweeps) {
                job.tick(self, done);
            }
            let stop = job.interrupted();
            let kept = job.keep_underway(self.number, &mut clock, stop, || {
                let mut out = Writer::default();
                notes.iter().for_each(|notes| notes.save(&mut out));
                checkpoint::encode(run, out.written())
            });
            match peeked.and(kept) {
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
                Ok(()) if stop => ControlFlow::Break(()),
                Ok(()) => ControlFlow::Continue(()),
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let exchanges = run.update().exchanges();
        let schedule = run.schedule().clone();
        let (states, activity) = run.finish();
        let mut attempts = activity.attempts;
        if ending == Ending::Completed {
            attempts += quench * (states.len() * rows.n()) as u64;
            let states = self.quenched(rows, states, &schedule, job)?;
            look(&mut notes, sweeps, sweeps, group, &states);
            job.tick(self, sweeps);
        }
        let reads: Vec<Read> = notes
            .into_iter()
            .map(|notes| Read {
                notes,
                attempts: attempts / self.reads,
                complete: ending == Ending::Completed,
                exchanges: exchanges.clone(),
            })
            .collect();
        if ending == Ending::Completed {
            job.keep_done(self.number, &reads)?;
        }
        Ok(reads)
    }

    /// The configurations after a quench.
    fn quenched<T: Real>(
        &self,
        rows: &CouplingRows<T>,
        states: Vec<CachedSpins<T>>,
        schedule: &Schedule,
        job: &Job<'_>,
    ) -> Result<Vec<CachedSpins<T>>, Error> {
        let cold = schedule.beta(u64::MAX - 1).value();
        let schedule = Schedule::Constant(Beta::new(1e6 * cold)?);
        let streams = Streams::new(job.seed, Purpose::Quench, self.number, states.len());
        let mut run = Run::new(rows, states, CachedField::new(), schedule, streams);
        let plan = Plan { thermalization: 0, sweeps: self.quench(), every: 1 };
        run.drive(&plan, |_| ControlFlow::Continue(()));
        Ok(run.finish().0)
    }
}

/// The lowest of some replicas.
fn lowest<T: Real>(states: &[CachedSpins<T>]) -> &CachedSpins<T> {
    let least = states.iter().min_by(|a, b| a.energy().total_cmp(&b.energy()));
    least.expect("a read has at least one replica")
}

/// Notes how every read of a batch stands; a ladder stands where its coldest rung does.
fn look<T: Real>(notes: &mut [Notes], done: u64, sweeps: u64, group: usize, states: &[CachedSpins<T>]) {
    for (notes, states) in notes.iter_mut().zip(states.chunks(group)) {
        let best = lowest(states);
        let now = states[group - 1].energy();
        notes.look(done, sweeps, now, best.energy(), |spins| best.copy_to(spins));
    }
}

/// Complete reads from a checkpoint.
pub(super) fn loaded(bytes: &[u8], n: usize, reads: u64) -> Result<Vec<Read>, Refusal> {
    let mut from = Reader::new(bytes);
    let reads = (0..reads).map(|_| Read::load(n, &mut from)).collect::<Result<_, _>>()?;
    from.end()?;
    Ok(reads)
}
