//! Reads that are made together, one in each lane of a vector.

use std::ops::ControlFlow;
use std::time::Instant;

use super::batch::{Batch, Read, loaded};
use super::job::Job;
use super::notes::{Notes, is_mark};
use crate::beta::Beta;
use crate::checkpoint::{self, Kept, Reader, Writer};
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::kernel::multispin::{REPLICAS, ReplicaSpins};
use crate::plan::Plan;
use crate::run::{Ending, Run};
use crate::schedule::Schedule;
use crate::spins::Spins;
use crate::stream::{Purpose, Stream, Streams};
use crate::update::Replicas;

/// Reads from which on a vector of 512 takes less time than they do one by one.
pub(super) const WORTH_IT: u64 = 48;
/// Bonds per site, each unit of a coupling one, above which adding them up takes longer than following them.
const MOST_BONDS: usize = 1 << 10;

/// The update for an instance whose couplings are small whole multiples of one number, or none.
pub(super) fn update(model: &Hamiltonian) -> Option<Replicas> {
    let weights = || {
        let couplings = (0..model.topology().n_bonds()).map(|bond| 2.0 * model.coupling_at(bond));
        couplings.chain((0..model.n_sites()).map(|site| model.field_at(site))).map(f64::abs)
    };
    // Euclid's algorithm, so that nothing is laid out for weights that turn out large.
    let unit = weights().fold(0.0, |mut a: f64, mut b: f64| {
        while b > 0.0 {
            (a, b) = (b, a % b);
        }
        a
    });
    let bonds = weights().sum::<f64>() / unit.max(f64::MIN_POSITIVE);
    let most = (MOST_BONDS * model.n_sites()) as f64;
    (unit > 0.0 && bonds <= most).then(|| Replicas::metropolis(model).ok()).flatten()
}

/// Sweeps of a vector a second, of one thread.
pub(super) fn sweeps_per_second(model: &Hamiltonian, update: &Replicas, beta: Beta) -> Result<f64, Error> {
    const SWEEPS: u64 = 8;
    let streams = Streams::new(0, Purpose::Thermalization, 0, update.blocks());
    let state = ReplicaSpins::random(model.n_sites(), &mut Stream::new(0, Purpose::Initial, u64::MAX, 0))?;
    let mut run = Run::new(model, state, update.clone(), Schedule::Constant(beta), streams);
    let begun = Instant::now();
    run.drive(&Plan { thermalization: 0, sweeps: SWEEPS, every: 1 }, |_| ControlFlow::Continue(()));
    Ok(SWEEPS as f64 / begun.elapsed().as_secs_f64().max(1e-9))
}

impl Batch {
    /// Cools up to 512 reads. Lanes beyond the reads run and are not looked at. The state of a read is looked at when it has ended, so
    /// that what it met on the way and left again is not found.
    pub(super) fn make_in_lanes(
        &self,
        model: &Hamiltonian,
        update: Replicas,
        schedule: Schedule,
        job: &Job<'_>,
    ) -> Result<Vec<Read>, Error> {
        let (n, reads) = (model.n_sites(), self.reads as usize);
        let (mut run, mut notes) = match job.kept(self.number) {
            Some(Kept::Done(bytes)) => return job.refused(loaded(&bytes, n, self.reads)),
            Some(Kept::Underway(bytes)) => {
                let resumed = job.refused(checkpoint::decode(&bytes, model, update))?;
                let mut from = Reader::new(&resumed.attached);
                let notes = (0..reads).map(|_| Notes::load(n, &mut from)).collect();
                (resumed.run, job.refused(notes)?)
            }
            None => {
                let mut stream = Stream::new(job.seed, Purpose::Initial, self.number, 0);
                let state = ReplicaSpins::random(n, &mut stream)?;
                let streams = Streams::new(job.seed, Purpose::Update, self.number, update.blocks());
                let energies = update.energies(&state);
                let notes: Vec<_> = (0..reads).map(|r| Notes::new(Spins::up(n), energies[r])).collect();
                (Run::new(model, state, update, schedule, streams), notes)
            }
        };
        let (sweeps, quench) = (self.sweeps, self.quench());
        let done = run.sweeps();
        let mut clock = Instant::now();
        let mut failed = None;
        let plan = Plan { thermalization: 0, sweeps: sweeps - quench, every: 1 };
        let ending = run.drive_from(done, &plan, |run| {
            let done = run.sweeps();
            if is_mark(done, sweeps) {
                let energies = run.update().energies(run.state());
                for (notes, energy) in notes.iter_mut().zip(energies) {
                    notes.look(done, sweeps, energy, energy, |_| ());
                }
                job.tick(self, done);
            }
            let stop = job.interrupted();
            let kept = job.keep_underway(self.number, &mut clock, stop, || {
                let mut out = Writer::default();
                notes.iter().for_each(|notes| notes.save(&mut out));
                checkpoint::encode(run, out.written())
            });
            match kept {
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
        let made = run.sweeps() + quench;
        let update = run.update().clone();
        // Also what was broken off is brought to where nothing goes down any more.
        let cold = run.schedule().beta(u64::MAX - 1).value();
        let schedule = Schedule::Constant(Beta::new(1e6 * cold)?);
        let streams = Streams::new(job.seed, Purpose::Quench, self.number, update.blocks());
        let mut run = Run::new(model, run.finish().0, update, schedule, streams);
        run.drive(&Plan { thermalization: 0, sweeps: quench, every: 1 }, |_| ControlFlow::Continue(()));
        let energies = run.update().energies(run.state());
        let complete = ending == Ending::Completed;
        for (read, notes) in notes.iter_mut().enumerate() {
            notes.lowest = energies[read];
            notes.best = run.state().replica(read);
            if complete {
                notes.look(sweeps, sweeps, energies[read], energies[read], |_| ());
            }
        }
        let attempts = made * n as u64;
        let read = |notes| Read { notes, attempts, complete, exchanges: None };
        let reads: Vec<Read> = notes.into_iter().map(read).collect();
        if complete {
            job.tick(self, sweeps);
            job.keep_done(self.number, &reads)?;
        }
        Ok(reads)
    }
}

/// Lanes of a vector.
pub(super) const WIDTH: u64 = REPLICAS as u64;
