//! A survey: sizes × β × replicas simulated, reduced to points, curves and β_c.

use std::time::Instant;

use rayon::prelude::*;

use super::cell::{Cell, Effort, Measured};
use super::course::{COURSE, Course, Refining};
use super::curve::SizeCurves;
use super::family::{Class, Family};
use super::findings::{Findings, Reduced, Unlocated};
use super::job::{Job, Listener, Progress, Watch};
use super::meeting::Critical;
use super::pilot::{self, Pilot};
use super::precision::{self, Outcome, Precision, Step};
use super::selection;
use crate::beta::Beta;
use crate::checkpoint::{Kept, Recognizable, stir};
use crate::error::Error;

/// An automatic grid of a size: the centre, run in full, and two β this many widths 1/σ of its energy away, for the shape of the curves.
const OUTER: f64 = 1.5;

/// The outer runs are shorter by this.
const SHORTER: u64 = 6;

/// β_c may be off by this many widths 1/σ of the energy of a size that is begun at it.
const FARTHEST: f64 = 0.3;

/// Of a grid given, the curves of each size use at most so many β, those nearest to where it crosses.
const NEAREST: usize = 5;

/// Which β are simulated.
#[derive(Debug, Clone, PartialEq)]
pub enum Grid {
    /// Found by a pilot run that knows no β_c; then for every size three β about where the sizes before it met.
    Automatic,
    /// The same list for every size.
    Fixed(Vec<Beta>),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// The family of models.
    pub family: Family,
    /// Sizes, ascending and distinct.
    pub sizes: Vec<usize>,
    /// Which β.
    pub grid: Grid,
    /// How each cell of the largest size is simulated; smaller ones for more sweeps, so that every size takes as long.
    pub effort: Effort,
    /// Lengthen until β_c is known so well.
    pub precision: Option<Precision>,
}

impl Survey {
    /// Runs everything.
    ///
    /// # Errors
    /// As [`Survey::run_watched`].
    pub fn run(&self, listener: Listener<'_>) -> Result<Findings, Error> {
        self.run_watched(&Watch::new(listener))
    }

    /// Runs everything while somebody looks on, from a checkpoint or to one: resumed from any checkpoint of it, a survey finds what
    /// the uninterrupted one finds, bit for bit.
    ///
    /// # Errors
    /// [`Error::Survey`] for an automatic grid with one size or without a crossing; whatever [`Cell::simulate`] refuses;
    /// [`Error::Interrupted`] if it was asked to stop; [`Error::Archive`], [`Error::Memory`], [`Error::Checkpoint`] and
    /// [`Error::OtherCheckpoint`] for a checkpoint that cannot be written, read, or gone on from.
    pub fn run_watched(&self, watch: &Watch<'_>) -> Result<Findings, Error> {
        let begun = Instant::now();
        let first = self.family.model(self.sizes.first().copied().unwrap_or(2), self.effort.seed)?;
        let class = self.family.class(first.topology());
        let job = Job::of(watch, self.words(), first.fingerprint())?;
        let mut course = match job.kept(COURSE) {
            Some(Kept::Done(bytes) | Kept::Underway(bytes)) => {
                job.refused(Course::load(&bytes, &self.family, self.effort))?
            }
            None => Course::default(),
        };
        let ended = self.go_on(&mut course, class, &job);
        // What was kept is brought to the disk also where the survey failed or was broken off.
        let flushed = job.flush();
        let (reduced, outcome) = ended?;
        flushed?;
        let spent = begun.elapsed() + job.before();
        Ok(Findings::of(course, reduced, class, outcome, spent))
    }

    /// Everything that the result depends on, for people.
    fn words(&self) -> String {
        let Effort { dynamics, replicas, thermalization, sweeps, seed, .. } = self.effort;
        let sizes: Vec<String> = self.sizes.iter().map(usize::to_string).collect();
        let grid = match &self.grid {
            Grid::Automatic => "found by a pilot run".to_owned(),
            Grid::Fixed(betas) => {
                let bits = betas.iter().map(|beta| beta.value().to_bits()).fold(12, stir);
                let ends = [betas.first(), betas.last()].map(|beta| beta.map_or(0.0, |beta| beta.value()));
                format!("{} from {} to {} ({bits:016x})", betas.len(), ends[0], ends[1])
            }
        };
        let precision = self.precision.map_or(String::new(), |Precision { target, most }| {
            format!(", precision {target:e} in {most} times the work")
        });
        format!(
            "{}, sizes {}, β {grid}, {dynamics}, {replicas} replicas, {thermalization} and {sweeps} sweeps, seed {seed}{precision}",
            self.family,
            sizes.join(",")
        )
    }

    /// From where the course stands to the end.
    fn go_on(
        &self,
        course: &mut Course,
        class: Class,
        job: &Job<'_>,
    ) -> Result<(Reduced, Option<Outcome>), Error> {
        match &self.grid {
            Grid::Fixed(betas) if course.measured.is_empty() => {
                let row = |&size: &usize| betas.iter().map(move |&beta| self.cell(size, beta));
                let cells: Vec<Cell> = self.sizes.iter().flat_map(row).collect();
                course.measured = self.simulate(&cells, &self.effort, job)?;
                job.keep_alone(COURSE, || course.save())?;
            }
            Grid::Fixed(_) => {}
            Grid::Automatic => {
                let pilot = match course.pilot {
                    Some(pilot) => pilot,
                    None => {
                        let pilot = pilot::find(self, job)?;
                        course.pilot = Some(pilot);
                        job.keep_alone(COURSE, || course.save())?;
                        pilot
                    }
                };
                self.follow(course, &pilot, class, job)?;
            }
        }
        match self.precision {
            Some(precision) => self.refine(course, precision, class, job),
            None => Ok((self.reduce(&course.measured, class)?, None)),
        }
    }

    /// Longer runs and larger sizes, until the error is reached or cannot be.
    fn refine(
        &self,
        course: &mut Course,
        precision: Precision,
        class: Class,
        job: &Job<'_>,
    ) -> Result<(Reduced, Option<Outcome>), Error> {
        let thermalization = 2 * self.effort.thermalization;
        let Refining { most, mut refused } = course.refining.unwrap_or(Refining {
            most: precision.most as f64 * precision::work(&course.measured),
            // A grid given by hand has no larger sizes.
            refused: if course.pilot.is_some() { usize::MAX } else { 0 },
        });
        loop {
            let reduced = self.reduce(&course.measured, class)?;
            let done = precision::work(&course.measured);
            let found = match &reduced.critical {
                Ok(found) => found,
                Err(Unlocated::Noise) if done < most => {
                    // Three times as long everywhere, as far as there is work left.
                    let factor = (most / done).min(3.0);
                    let sizes = course.measured.iter().map(|m| (m.cell.size, factor)).collect::<Vec<_>>();
                    course.measured = self.lengthen(std::mem::take(&mut course.measured), &sizes, job)?;
                    if precision::work(&course.measured) <= done {
                        return Ok((self.reduce(&course.measured, class)?, None));
                    }
                    course.refining = Some(Refining { most, refused });
                    job.keep_alone(COURSE, || course.save())?;
                    continue;
                }
                Err(_) => return Ok((reduced, None)),
            };
            job.tell(Progress::Error(found.beta.error));
            let allowed = |size: usize| size < refused && !self.is_far(size, found, course.pilot.as_ref());
            let left = most - done;
            let step = precision.step(&course.measured, found, (thermalization, left), &allowed);
            if !matches!(step, Step::Done) && left <= 0.0 {
                return Ok((reduced, Some(Outcome::OutOfBudget)));
            }
            let measured = std::mem::take(&mut course.measured);
            course.measured = match step {
                Step::Done | Step::Hopeless => {
                    course.measured = measured;
                    let reached = matches!(step, Step::Done);
                    let outcome = if reached { Outcome::Reached } else { Outcome::OutOfSize };
                    return Ok((reduced, Some(outcome)));
                }
                Step::Lengthen(factors) => self.lengthen(measured, &factors, job)?,
                Step::Larger { size, sweeps, otherwise } => match self.larger(size, sweeps, found, job)? {
                    Some(added) => [measured, added].concat(),
                    None => {
                        refused = size;
                        self.lengthen(measured, &otherwise, job)?
                    }
                },
            };
            course.refining = Some(Refining { most, refused });
            job.keep_alone(COURSE, || course.save())?;
        }
    }

    fn cell(&self, size: usize, beta: Beta) -> Cell {
        Cell { family: self.family.clone(), size, beta }
    }

    /// Size by size, three β about where the sizes before it meet.
    fn follow(&self, course: &mut Course, pilot: &Pilot, class: Class, job: &Job<'_>) -> Result<(), Error> {
        for &size in &self.sizes {
            if course.measured.last().is_some_and(|last| last.cell.size >= size) {
                continue;
            }
            let centre = course.centre.unwrap_or(pilot.crossing);
            let sites = self.family.model(size, self.effort.seed)?.n_sites();
            let width = pilot.width * libm::sqrt(pilot.sites as f64 / sites as f64);
            course.measured.extend(self.about(size, centre, width, &self.effort, job)?);
            if let Ok(found) = &self.reduce(&course.measured, class)?.critical {
                course.centre = Some(found.beta.mean);
            }
            job.keep_alone(COURSE, || course.save())?;
        }
        Ok(())
    }

    /// One size at the three β of an automatic grid.
    fn about(
        &self,
        size: usize,
        centre: f64,
        width: f64,
        effort: &Effort,
        job: &Job<'_>,
    ) -> Result<Vec<Measured>, Error> {
        let step = OUTER * width;
        let shorter = Effort { sweeps: effort.sweeps.div_ceil(SHORTER).max(16), ..*effort };
        let beta = |x: f64| Beta::new(x.max(0.05 * centre));
        let mut measured = self.simulate(&[self.cell(size, beta(centre)?)], effort, job)?;
        let outer = [self.cell(size, beta(centre - step)?), self.cell(size, beta(centre + step)?)];
        measured.extend(self.simulate(&outer, &shorter, job)?);
        measured.sort_by(|a, b| a.cell.beta.value().total_cmp(&b.cell.beta.value()));
        Ok(measured)
    }

    /// Whether β_c may be farther off than curves of a larger size will reach.
    fn is_far(&self, size: usize, found: &Critical, pilot: Option<&Pilot>) -> bool {
        let (Ok(model), Some(pilot)) = (self.family.model(size, self.effort.seed), pilot) else {
            return false;
        };
        let width = pilot.width * libm::sqrt(pilot.sites as f64 / model.n_sites() as f64);
        found.beta.error > FARTHEST * width
    }

    /// A larger size, at β_c as known, if it exists and fits into memory.
    fn larger(
        &self,
        size: usize,
        sweeps: u64,
        found: &Critical,
        job: &Job<'_>,
    ) -> Result<Option<Vec<Measured>>, Error> {
        let Ok(model) = self.family.model(size, self.effort.seed) else { return Ok(None) };
        if model.topology().check_memory(2 * self.effort.replicas + 64).is_err() {
            return Ok(None);
        }
        let effort = Effort { sweeps, ..self.effort };
        let cell = self.cell(size, Beta::new(found.beta.mean)?);
        job.tell(Progress::Stage { size, replicas: effort.replicas });
        cell.simulate_kept(&effort, job).map(|m| Some(vec![m]))
    }

    /// Longer runs of some sizes, of each at the β that was run longest; on a grid given by hand at all of them.
    fn lengthen(
        &self,
        measured: Vec<Measured>,
        factors: &[(usize, f64)],
        job: &Job<'_>,
    ) -> Result<Vec<Measured>, Error> {
        let longest = |size: usize| {
            measured.iter().filter(|m| m.cell.size == size).map(|m| m.sweeps).max().unwrap_or(0)
        };
        let factor = |m: &Measured| match &self.grid {
            Grid::Automatic if m.sweeps < longest(m.cell.size) => 1.0,
            _ => factors.iter().find(|f| f.0 == m.cell.size).map_or(1.0, |f| f.1),
        };
        let more: Vec<u64> = measured.iter().map(|m| ((factor(m) - 1.0) * m.sweeps as f64) as u64).collect();
        let growing = || measured.iter().zip(&more).filter(|(_, more)| **more >= 8);
        let size = growing().map(|(m, _)| m.cell.size).max().unwrap_or(0);
        let replicas = self.effort.replicas * growing().count() as u64;
        job.tell(Progress::Stage { size, replicas });
        measured
            .into_par_iter()
            .zip(more)
            .map(|(m, more)| match more {
                0..8 => Ok(m),
                sweeps => m.longer_kept(sweeps, job),
            })
            .collect()
    }

    fn reduce(&self, measured: &[Measured], class: Class) -> Result<Reduced, Error> {
        let mut sizes: Vec<usize> = measured.iter().map(|m| m.cell.size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let of_size = |size: usize| measured.iter().filter(move |m| m.cell.size == size);
        let none = |reason| Ok(Reduced { curves: Vec::new(), critical: Err(reason) });
        if sizes.len() < 2 {
            return none(Unlocated::NoPair);
        }
        let about = match &self.grid {
            Grid::Automatic => None,
            Grid::Fixed(_) => {
                let rows: Vec<Vec<Measured>> = sizes.iter().map(|&l| of_size(l).cloned().collect()).collect();
                let Some(about) = rows.windows(2).rev().find_map(|w| pilot::crossing(&w[0], &w[1])) else {
                    return none(Unlocated::NoCrossing);
                };
                Some(about)
            }
        };
        let curves: Result<Vec<SizeCurves>, Error> = sizes
            .par_iter()
            .map(|&size| {
                let mut cells: Vec<&Measured> = of_size(size).collect();
                if let Some(about) = about {
                    let distance = |m: &&Measured| (m.cell.beta.value() - about).abs();
                    cells.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
                    cells.truncate(NEAREST);
                }
                SizeCurves::new(&cells)
            })
            .collect();
        let curves = match curves {
            Ok(curves) => curves,
            Err(Error::Data { .. }) => return none(Unlocated::Apart),
            Err(other) => return Err(other),
        };
        let [.., a, b] = &curves[..] else { return none(Unlocated::NoPair) };
        let middle = |c: &SizeCurves| 0.5 * (c.all.range()[0] + c.all.range()[1]);
        let start = about
            .or(super::pair::crossing(&a.all, &b.all, super::curve::BINDER))
            .unwrap_or_else(|| middle(b));
        let critical = selection::best(&curves, class.correction(), start).ok_or(Unlocated::Noise);
        Ok(Reduced { curves, critical })
    }

    /// How many times as long a size is run as the largest one asked for.
    fn times(&self, sites: usize) -> Result<f64, Error> {
        let largest = self.sizes.last().copied().unwrap_or(2);
        let most = self.family.model(largest, self.effort.seed)?.n_sites();
        Ok((most as f64 / sites as f64).max(1.0))
    }

    /// Simulates cells and their replicas in parallel; the order of the result is that of `cells`.
    pub(super) fn simulate(
        &self,
        cells: &[Cell],
        effort: &Effort,
        job: &Job<'_>,
    ) -> Result<Vec<Measured>, Error> {
        let size = cells.iter().map(|c| c.size).max().unwrap_or(0);
        job.tell(Progress::Stage { size, replicas: effort.replicas.saturating_mul(cells.len() as u64) });
        // Pilot runs are short whatever the size.
        let pilot = effort.first != self.effort.first;
        cells
            .par_iter()
            .map(|cell| {
                let sites = self.family.model(cell.size, self.effort.seed)?.n_sites();
                let times = if pilot { 1.0 } else { self.times(sites)? };
                let sweeps = (effort.sweeps as f64 * times) as u64;
                cell.simulate_kept(&Effort { sweeps, ..*effort }, job)
            })
            .collect()
    }
}
