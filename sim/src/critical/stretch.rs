//! Some sweeps of one replica: from nothing, from where it stood, or from a checkpoint in their midst.

use std::ops::ControlFlow;
use std::time::Instant;

use super::Dynamics;
use super::cell::{AVERAGES, Cell, Effort};
use super::job::Job;
use super::key::Key;
use super::replica::Replica;
use crate::checkpoint::{self, Kept, Reader, Refusal, SavedUpdate, Writer, stir};
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::kernel::Order;
use crate::observable::Observer;
use crate::plan::Plan;
use crate::run::{Ending, Run};
use crate::schedule::Schedule;
use crate::spins::Spins;
use crate::stream::{Purpose, Stream, Streams};
use crate::update::{HeatBath, Metropolis, SwendsenWang, Wolff, WolffCalibration};

/// Above so many sites single clusters grown from a hot start stay small for long, and a Wolff sweep learnt from them would be many sweeps:
/// Swendsen and Wang's sweeps come first.
const LARGE: usize = 60_000;

/// What is to be made: `effort.sweeps` measured sweeps of replica `number` of a cell.
pub(super) struct Stretch<'s> {
    pub(super) cell: &'s Cell,
    pub(super) model: &'s Hamiltonian,
    pub(super) key: Key,
    pub(super) effort: &'s Effort,
    pub(super) number: u64,
    pub(super) job: &'s Job<'s>,
}

/// Where a replica stands, and the run that has been begun from there.
struct Stand<'b> {
    replica: Replica,
    underway: Option<&'b [u8]>,
}

impl Stretch<'_> {
    /// Makes the sweeps, or what is left of them.
    pub(super) fn make(&self, replica: Replica) -> Result<Replica, Error> {
        let (place, rounds, count) = (self.place(replica.rounds), replica.rounds, replica.count);
        let kept = self.job.kept(place);
        let stand = match &kept {
            Some(Kept::Done(bytes)) => {
                let whole = rounds + 1..=rounds + 1;
                let counts = count + self.effort.sweeps..=count + self.effort.sweeps;
                return self.job.refused(self.loaded(bytes, whole, counts).map(|stand| stand.replica));
            }
            Some(Kept::Underway(bytes)) => {
                let counts = count..=count + self.effort.sweeps;
                self.job.refused(self.loaded(bytes, rounds..=rounds, counts))?
            }
            None => Stand { replica, underway: None },
        };
        if self.job.interrupted() {
            return Err(Error::Interrupted);
        }
        let mut replica = self.advance(stand)?;
        replica.rounds += 1;
        self.job.keep_done(place, || self.saved(&replica, b""))?;
        Ok(replica)
    }

    /// Under which number it is kept.
    fn place(&self, rounds: u64) -> u64 {
        self.names(rounds).into_iter().fold(11, stir)
    }

    fn names(&self, rounds: u64) -> [u64; 4] {
        [self.cell.size as u64, self.cell.beta.value().to_bits(), self.number, rounds]
    }

    /// A replica before this stretch, or after it, with a run in its midst.
    fn saved(&self, replica: &Replica, run: &[u8]) -> Vec<u8> {
        let mut out = Writer::default();
        self.names(replica.rounds).into_iter().for_each(|name| out.u64(name));
        replica.save(&mut out);
        out.bytes(run);
        out.finish()
    }

    fn loaded<'b>(
        &self,
        bytes: &'b [u8],
        rounds: std::ops::RangeInclusive<u64>,
        counts: std::ops::RangeInclusive<u64>,
    ) -> Result<Stand<'b>, Refusal> {
        let mut from = Reader::new(bytes);
        let names = [from.u64()?, from.u64()?, from.u64()?, from.u64()?];
        let replica = Replica::load(self.model, &mut from)?;
        let run = from.bytes()?;
        from.end()?;
        let fits = rounds.contains(&replica.rounds) && counts.contains(&replica.count);
        if names != self.names(replica.rounds) || !fits {
            return Err(from.broken("a replica that stands at another place"));
        }
        if self.effort.dynamics == Dynamics::Wolff && replica.clusters.is_none() {
            return Err(from.broken("a replica that has not learnt how many clusters make a sweep"));
        }
        Ok(Stand { replica, underway: (!run.is_empty()).then_some(run) })
    }

    fn advance(&self, mut stand: Stand<'_>) -> Result<Replica, Error> {
        let Self { model, key, number, .. } = *self;
        let place = self.cell.place(self.effort);
        let rounds = stand.replica.rounds;
        let stretch = Streams::new(place, Purpose::Update, number, 1 + rounds as usize);
        // A seed for every time it is lengthened, so that streams are never drawn from twice.
        let again = stretch.as_slice()[rounds as usize].clone().next_u64();
        let streams = |blocks| match rounds {
            0 => Streams::new(place, Purpose::Update, number, blocks),
            _ => Streams::new(again, Purpose::Update, number, blocks),
        };
        match self.effort.dynamics {
            Dynamics::HeatBath => {
                let update = HeatBath::new(model).or_else(|_| HeatBath::in_order(model, Order::Index))?;
                let streams = streams(update.blocks());
                self.measure(update, streams, stand, |run, seen| key.of_energy(run.model(), seen))
            }
            Dynamics::Metropolis => {
                let update = Metropolis::new(model).or_else(|_| Metropolis::in_order(model, Order::Index))?;
                let streams = streams(update.blocks());
                self.measure(update, streams, stand, |run, seen| key.of_energy(run.model(), seen))
            }
            Dynamics::SwendsenWang => {
                let update = SwendsenWang::new(model)?;
                let bonds = model.topology().n_bonds() as f64;
                let sites = model.n_sites() as f64;
                let j = model.uniform().map_or(0.0, |(j, _)| j.abs());
                let ferromagnet = key.is_open_bonds();
                self.measure(update, streams(1), stand, move |run, seen| {
                    if !ferromagnet {
                        return key.of_energy(run.model(), seen);
                    }
                    // Of the clusters: their moments, and the energy of the configuration they were drawn on.
                    let (moments, counted) = (run.update().moments(), run.update().bonds());
                    seen[0] = -j * (2.0 * counted.satisfied as f64 - bonds) / sites;
                    seen[1] = seen[0] * seen[0];
                    (seen[3], seen[4]) = (moments.magnetization_2, moments.magnetization_4);
                    key.of_open(counted.open)
                })
            }
            Dynamics::Wolff => {
                let clusters = match stand.replica.clusters {
                    Some(clusters) => clusters,
                    None => self.learn(&mut stand.replica)?,
                };
                stand.replica.clusters = Some(clusters);
                let update = Wolff::new(model, clusters)?;
                self.measure(update, streams(1), stand, |run, seen| key.of_energy(run.model(), seen))
            }
        }
    }

    /// How many clusters make a Wolff sweep. Broken off, it begins again.
    fn learn(&self, replica: &mut Replica) -> Result<u64, Error> {
        let Self { model, number, .. } = *self;
        let place = self.cell.place(self.effort);
        let start = Schedule::Constant(self.cell.beta);
        let plan = Plan { thermalization: 0, sweeps: self.effort.thermalization, every: 1 };
        let go_on =
            || if self.job.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        if model.n_sites() > LARGE {
            let stream = Stream::new(place, Purpose::Thermalization, number, 1);
            let streams = Streams::from_blocks(vec![stream]).expect("there is a stream");
            let (spins, update) = (replica.spins.clone(), SwendsenWang::new(model)?);
            let mut run = Run::new(model, spins, update, start.clone(), streams);
            if run.drive(&plan, |_| go_on()) == Ending::Stopped {
                return Err(Error::Interrupted);
            }
            let (spins, spent) = run.finish();
            replica.spins = spins;
            replica.activity += spent;
        }
        let learning = Streams::new(place, Purpose::Thermalization, number, 1);
        let calibration = WolffCalibration::new(model)?;
        let mut run = Run::new(model, replica.spins.clone(), calibration, start, learning);
        if run.drive(&plan, |_| go_on()) == Ending::Stopped {
            return Err(Error::Interrupted);
        }
        let clusters = run.update().freeze().clusters_per_sweep();
        let (spins, learnt) = run.finish();
        // Sweeps of adaptive length end on an untypical cluster: as many fixed ones again wash that out.
        replica.spins = spins;
        replica.activity += learnt;
        Ok(clusters)
    }

    /// Sweeps, and looks after each that counts.
    fn measure<U: SavedUpdate<Model = Hamiltonian, State = Spins>>(
        &self,
        update: U,
        streams: Streams,
        Stand { mut replica, underway }: Stand<'_>,
        look: impl Fn(&Run<'_, U>, &mut [f64; AVERAGES]) -> i64,
    ) -> Result<Replica, Error> {
        let observer = Observer::new(self.model);
        let thermalization = if replica.rounds == 0 { self.effort.thermalization } else { 0 };
        let plan = Plan { thermalization: 0, sweeps: thermalization + self.effort.sweeps, every: 1 };
        let mut run = match underway {
            Some(bytes) => self.job.refused(self.resumed(bytes, update, &plan))?,
            None => {
                let schedule = Schedule::Constant(self.cell.beta);
                Run::new(self.model, replica.spins.clone(), update, schedule, streams)
            }
        };
        let place = self.place(replica.rounds);
        let mut clock = Instant::now();
        let mut failed = None;
        let ending = run.drive_from(run.sweeps(), &plan, |run| {
            if run.sweeps() > thermalization {
                let observed = observer.observe(run.state());
                let (e, m) = (observed.energy, observed.magnetization.abs());
                let factor =
                    if observed.structure_factor.is_finite() { observed.structure_factor } else { 0.0 };
                let mut seen = [e, e * e, m, m * m, m * m * m * m, factor];
                let key = look(run, &mut seen);
                replica.see(key, &seen);
            }
            let stop = self.job.interrupted();
            let bytes = || self.saved(&replica, &checkpoint::encode(run, b""));
            if let Err(error) = self.job.keep_underway(place, &mut clock, stop, bytes) {
                failed = Some(error);
                return ControlFlow::Break(());
            }
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match (failed, ending) {
            (Some(error), _) => return Err(error),
            (None, Ending::Stopped) => return Err(Error::Interrupted),
            (None, Ending::Completed) => {}
        }
        let (spins, activity) = run.finish();
        replica.spins = spins;
        replica.activity += activity;
        Ok(replica)
    }

    /// The run that a checkpoint was made of.
    fn resumed<U: SavedUpdate<Model = Hamiltonian, State = Spins>>(
        &self,
        bytes: &[u8],
        update: U,
        plan: &Plan,
    ) -> Result<Run<'_, U>, Refusal> {
        let run = checkpoint::decode(bytes, self.model, update)?.run;
        if *run.schedule() != Schedule::Constant(self.cell.beta) || run.sweeps() > plan.sweeps {
            let violated = "a run at another temperature, or behind its end";
            return Err(Refusal::Broken { at: bytes.len(), violated });
        }
        Ok(run)
    }
}
