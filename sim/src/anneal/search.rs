//! A search from an instance to an answer.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::answer::{Spent, Tempered};
use super::batch::{self, Batch, Read};
use super::job::{Job, Watch};
use super::{Answer, Effort, Method, Range, Settings, ladder, lanes, range};
use crate::beta::Beta;
use crate::checkpoint::{Kind, Recognizable, SavedUpdate, Shelf, Work};
use crate::couplings::{CouplingRows, Real};
use crate::error::Error;
use crate::hamiltonian::{Couplings, Field, Hamiltonian};
use crate::instance::Instance;
use crate::kernel::multispin::Level;
use crate::schedule::Schedule;
use crate::update::{CachedField, can_cluster};

/// Solves an instance; `interrupted` is asked after every sweep and ends the search early, with what has been found.
///
/// ```
/// use ceas_sim::anneal::{Effort, Settings, anneal};
/// use ceas_sim::instance::{Format, Instance, Value};
/// let square = Instance::parse("4 5\n1 2 1\n2 3 1\n3 4 1\n4 1 1\n1 3 1\n", Format::Rudy, None).unwrap();
/// let answer = anneal(&square, &Settings::new(Effort::Counted { sweeps: 100, reads: 8 }, 1), &|| false).unwrap();
/// assert_eq!(answer.best, Value::Integer(4));
/// ```
///
/// # Errors
/// As [`anneal_watched`].
pub fn anneal(
    instance: &Instance,
    settings: &Settings,
    interrupted: &(dyn Fn() -> bool + Sync),
) -> Result<Answer, Error> {
    anneal_watched(instance, settings, &Watch::new(interrupted))
}

/// Solves an instance while somebody looks on, from a checkpoint or to one: resumed from any checkpoint of it, a search ends with
/// the answer of the uninterrupted one, bit for bit.
///
/// # Errors
/// As [`Instance::hamiltonian`]; [`Error::InstructionSet`] as [`Level::choose`]; [`Error::Memory`] if the couplings or replicas do not fit
/// into memory; [`Error::Schedule`] if there is no sweep or no read, if a ladder is to span a single β, or if a search limited in time is
/// to be kept; [`Error::Percolates`] for cluster moves on a dense graph whose strongest bonds are alike; [`Error::Archive`], [`Error::Checkpoint`] and
/// [`Error::OtherCheckpoint`] for a checkpoint that cannot be written, read, or gone on from.
pub fn anneal_watched(instance: &Instance, settings: &Settings, watch: &Watch<'_>) -> Result<Answer, Error> {
    if let Effort::Counted { sweeps, reads } = settings.effort
        && (sweeps == 0 || reads == 0)
    {
        return Err(Error::Schedule { violated: "annealing needs at least one sweep and one read" });
    }
    let kept = watch.keep.is_some() || watch.resume.is_some();
    if kept && matches!(settings.effort, Effort::Timed(_)) {
        let violated = "a search that is limited in time depends on the clock and cannot be resumed: give sweeps and reads";
        return Err(Error::Schedule { violated });
    }
    let begun = Instant::now();
    // An instruction set that was asked for and is not there is an error here, and plain instructions further down.
    Level::choose()?;
    let model = instance.hamiltonian()?;
    let fingerprint = model.fingerprint();
    let unit = unit_of(&model);
    let model = scaled(model, unit)?;
    let asked = settings.range.map(|range| Range { hot: range.hot * unit, cold: range.cold * unit });
    let narrow = CouplingRows::<f32>::new(&model)?;
    let search = Search { model: &model, settings, watch, asked, begun, fingerprint };
    // Sparse rows in f64 cost little more time; dense ones twice as much.
    let mut done = if narrow.is_exact() || narrow.is_dense() {
        search.run(&narrow)?
    } else {
        drop(narrow);
        search.run(&CouplingRows::<f64>::new(&model)?)?
    };
    done.spent.convert(unit, &mut done.reads);
    Ok(Answer::new(instance, settings, done.reads, done.spent))
}

/// Reads that are made if nothing is said: 512 where that many are annealed at once in the bits of a vector, else 32; 8 ladders.
///
/// # Errors
/// As [`Instance::hamiltonian`].
pub fn default_reads(instance: &Instance, method: Method) -> Result<u64, Error> {
    Ok(match method {
        Method::Annealing if lanes::update(&instance.hamiltonian()?).is_some() => lanes::WIDTH,
        Method::Annealing => 32,
        Method::Tempering | Method::ClusterTempering => 8,
    })
}

/// A power of two of the size of the largest local field, where that is so large or small that `f32` would not hold it; else 1.
fn unit_of(model: &Hamiltonian) -> f64 {
    let largest = (0..model.n_sites())
        .map(|site| {
            let coupled: f64 =
                model.topology().links(site).map(|(_, bond)| model.coupling_at(bond).abs()).sum();
            coupled + model.field_at(site).abs()
        })
        .fold(0.0, f64::max);
    if largest == 0.0 || (1e-3..1e15).contains(&largest) {
        1.0
    } else {
        libm::exp2(libm::floor(libm::log2(largest)))
    }
}

/// The Hamiltonian in units in which its fields are neither huge nor tiny.
fn scaled(model: Hamiltonian, unit: f64) -> Result<Hamiltonian, Error> {
    if unit == 1.0 {
        return Ok(model);
    }
    let couplings = (0..model.topology().n_bonds()).map(|bond| model.coupling_at(bond) / unit).collect();
    let fields = (0..model.n_sites()).map(|site| model.field_at(site) / unit).collect();
    Hamiltonian::new(model.topology().clone(), Couplings::PerBond(couplings), Field::PerSite(fields))
}

/// What is searched, and for how long.
struct Search<'s> {
    model: &'s Hamiltonian,
    settings: &'s Settings,
    watch: &'s Watch<'s>,
    asked: Option<Range>,
    begun: Instant,
    fingerprint: u64,
}

/// All reads, and what they cost.
struct Done {
    reads: Vec<Read>,
    spent: Spent,
}

/// How reads are made.
struct Ways {
    /// Reads of a batch.
    width: u64,
    /// Sweeps of a batch a second, of one thread.
    sweeps_per_second: f64,
    /// Batches of each thread, where the time is limited.
    waves: u64,
    kernel: String,
    /// The update, by all that its trajectory depends on.
    update: String,
}

/// One way to make a batch.
type Maker<'m> = dyn Fn(&Batch, &Job<'_>) -> Result<Vec<Read>, Error> + Sync + 'm;

impl Search<'_> {
    fn run<T: Real>(&self, rows: &CouplingRows<T>) -> Result<Done, Error> {
        let Settings { method, seed, .. } = *self.settings;
        let interrupted = self.watch.interrupted;
        if method == Method::ClusterTempering && !can_cluster(rows) {
            return Err(Error::Percolates { n: rows.n(), bonds: self.model.topology().n_bonds() });
        }
        let (measured, attempts_per_second) = range::measure(rows, seed, interrupted)?;
        let range = self.asked.unwrap_or(measured);
        let (hot, cold) = (Beta::new(range.hot)?, Beta::new(range.cold)?);
        let fields = fields_name(rows);
        if method != Method::Annealing {
            let found = ladder::measure(rows, range, method, seed, interrupted)?;
            let speed = match self.settings.effort {
                Effort::Counted { .. } => 1.0,
                Effort::Timed(_) => found.sweeps_per_second(rows),
            };
            let (update, tempered) = (found.update, Tempered { barrier: found.barrier });
            let make = |batch: &Batch, job: &Job<'_>| {
                let schedule = Schedule::Constant(update.grid().coldest());
                batch.make(rows, update.clone(), schedule, job)
            };
            let betas = update.grid().betas().iter().map(|beta| beta.value()).collect();
            let ways =
                Ways { width: 1, sweeps_per_second: speed, waves: 4, kernel: fields, update: update.kind() };
            let mut done = self.batches(&make, ways, range)?;
            done.spent.ladder = Some((tempered, betas));
            return Ok(done);
        }
        let schedule = |batch: &Batch| Schedule::geometric(hot, cold, batch.sweeps - batch.quench());
        let many = match self.settings.effort {
            Effort::Counted { reads, .. } => reads >= lanes::WORTH_IT,
            Effort::Timed(_) => true,
        };
        match lanes::update(self.model) {
            Some(update) if many => {
                let make = |batch: &Batch, job: &Job<'_>| {
                    batch.make_in_lanes(self.model, update.clone(), schedule(batch)?, job)
                };
                let speed = match self.settings.effort {
                    Effort::Counted { .. } => 1.0,
                    Effort::Timed(_) => lanes::sweeps_per_second(self.model, &update, cold)?,
                };
                let kernel = "bit-parallel, 512 reads at a time".to_owned();
                let (width, update) = (lanes::WIDTH, update.kind());
                self.batches(&make, Ways { width, sweeps_per_second: speed, waves: 2, kernel, update }, range)
            }
            applies => {
                let width = batch::width(rows);
                let speed = attempts_per_second / (rows.n() as u64 * width) as f64;
                let make = |batch: &Batch, job: &Job<'_>| {
                    batch.make(rows, CachedField::new(), schedule(batch)?, job)
                };
                let why = match applies {
                    Some(_) => "too few reads to run them bit-parallel",
                    None => "weights that are no small whole multiples of one number cannot run bit-parallel",
                };
                let (kernel, update) = (format!("{fields} ({why})"), CachedField::<T>::new().kind());
                self.batches(&make, Ways { width, sweeps_per_second: speed, waves: 8, kernel, update }, range)
            }
        }
    }

    /// Reads in batches, all threads busy, until they are made or the time is up.
    fn batches(&self, make: &Maker<'_>, ways: Ways, range: Range) -> Result<Done, Error> {
        let Ways { width, sweeps_per_second, waves, kernel, update } = ways;
        let Settings { method, effort, seed, .. } = *self.settings;
        let threads = rayon::current_num_threads() as u64;
        let searching = Instant::now();
        let spent = |sweeps, batches: u64| Spent {
            range,
            sweeps,
            kernel: kernel.clone(),
            setting_up: searching.duration_since(self.begun),
            searching: searching.elapsed(),
            busy: threads.min(batches),
            ladder: None,
        };
        let (made, progress) = (AtomicU64::new(0), self.watch.progress);
        match effort {
            Effort::Counted { sweeps, reads } => {
                let late = || (self.watch.interrupted)();
                let name = format!(
                    "{method}, {reads} reads of {sweeps} sweeps, seed {seed}, β {:016x} to {:016x}, {kernel}, {update}",
                    range.hot.to_bits(),
                    range.cold.to_bits()
                );
                let shelf = self.shelf(name)?;
                let total = Some(sweeps.saturating_mul(reads));
                let job = Job { seed, late: &late, progress, shelf: shelf.as_ref(), total, made };
                let found: Result<Vec<_>, Error> = (0..reads.div_ceil(width))
                    .into_par_iter()
                    .map(|number| {
                        let reads = width.min(reads - number * width);
                        make(&Batch { number, reads, sweeps }, &job)
                    })
                    .collect();
                // What was kept is brought to the disk also where the search failed or was broken off.
                let flushed = shelf.as_ref().map_or(Ok(()), Shelf::flush);
                let mut spent = spent(sweeps, reads.div_ceil(width));
                spent.searching += shelf.as_ref().map_or(Duration::ZERO, Shelf::before);
                let reads = found?.into_iter().flatten().collect();
                flushed?;
                Ok(Done { reads, spent })
            }
            Effort::Timed(limit) => {
                let late = || self.begun.elapsed() >= limit || (self.watch.interrupted)();
                let left = limit.saturating_sub(self.begun.elapsed()).as_secs_f64();
                let sweeps = (sweeps_per_second * left / waves as f64).clamp(20.0, 1e7) as u64;
                let share = |_: f64| progress(self.begun.elapsed().as_secs_f64() / limit.as_secs_f64());
                let job = Job { seed, late: &late, progress: &share, shelf: None, total: None, made };
                let mut found = Vec::new();
                let mut next = 0;
                while next == 0 || !late() {
                    let wave: Result<Vec<_>, Error> = (next..next + threads)
                        .into_par_iter()
                        .map(|number| make(&Batch { number, reads: width, sweeps }, &job))
                        .collect();
                    found.extend(wave?.into_iter().flatten());
                    next += threads;
                }
                Ok(Done { reads: found, spent: spent(sweeps, next) })
            }
        }
    }

    /// None if the search was ended while it was set up: then β and rungs are not those of the search, and what is kept must stay.
    fn shelf(&self, name: String) -> Result<Option<Shelf>, Error> {
        if (self.watch.interrupted)() {
            return Ok(None);
        }
        const SEARCH: Kind = Kind {
            magic: *b"CEASSRCH",
            otherwise: "this is no checkpoint of a search: it must begin with CEASSRCH",
            name: "the search",
            of: "the problem with fingerprint",
        };
        let work = Work { kind: SEARCH, words: name, fingerprint: self.fingerprint };
        Shelf::open(work, self.watch.keep.as_ref(), self.watch.resume.as_deref())
    }
}

fn fields_name<T: Real>(rows: &CouplingRows<T>) -> String {
    let digits = 8 * std::mem::size_of::<T>();
    match (rows.is_dense(), rows.keeps_fields()) {
        (true, _) => format!("cached fields, f{digits}, dense rows"),
        (false, true) => format!("cached fields, f{digits}, sparse rows"),
        (false, false) => format!("fields summed at every visit, f{digits}, sparse rows"),
    }
}
