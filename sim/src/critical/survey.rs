//! A survey: sizes × β × replicas simulated, reduced to points, curves and β_c.

use rayon::prelude::*;

use super::cell::{Cell, Effort, Measured};
use super::collapse::Collapse;
use super::curve::SizeCurves;
use super::exponents::Exponents;
use super::family::{Class, Family};
use super::meeting::{self, Critical};
use super::pair::Pair;
use super::pilot::{self, Pilot};
use super::point::Point;
use super::precision::{self, Outcome, Precision, Step};
use crate::activity::Activity;
use crate::beta::Beta;
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

/// What came out.
#[derive(Debug, Clone)]
pub struct Findings {
    /// Every cell, by size and then β.
    pub measured: Vec<Measured>,
    /// Every cell's quantities, in the same order.
    pub points: Vec<Point>,
    /// The curves of every size, where its runs overlap.
    pub curves: Vec<SizeCurves>,
    /// The crossings found, by size.
    pub pairs: Vec<Pair>,
    /// β_c, or why there is none.
    pub critical: Result<Critical, Unlocated>,
    /// Exponents at β_c, if it was located from three sizes or more.
    pub exponents: Option<Exponents>,
    /// U₄ of all sizes on one curve.
    pub collapse: Option<Collapse>,
    /// What became of the precision asked for.
    pub outcome: Option<Outcome>,
    /// All events, those of pilot runs included.
    pub activity: Activity,
    /// The interval in which the pilot found the crossing, if there was a pilot.
    pub bracket: Option<[f64; 2]>,
    /// What the corrections to scaling were taken to be.
    pub class: Class,
}

/// Why no β_c is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unlocated {
    /// One size.
    #[error("it takes two sizes")]
    NoPair,
    /// Not even one pair crosses.
    #[error("U₄ of two sizes do not cross inside the grid")]
    NoCrossing,
    /// Runs at neighbouring β have no energies in common.
    #[error(
        "neighbouring β are so far apart that runs there have no energies in common, and cannot be reweighted to where the curves meet"
    )]
    Apart,
    /// The noise is as large as the effect.
    #[error(
        "the curves of all sizes meet nowhere within their noise: it needs more sweeps, or β nearer to where they meet"
    )]
    Noise,
}

/// Of the data so far.
struct Reduced {
    curves: Vec<SizeCurves>,
    critical: Result<Critical, Unlocated>,
}

impl Survey {
    /// Sizes L for which 2L is also there, ascending; if there are none, neighbours.
    pub fn pairs(sizes: &[usize]) -> Vec<(usize, usize)> {
        let doubles: Vec<_> =
            sizes.iter().filter(|&&l| sizes.contains(&(2 * l))).map(|&l| (l, 2 * l)).collect();
        if doubles.is_empty() { sizes.windows(2).map(|w| (w[0], w[1])).collect() } else { doubles }
    }

    /// Runs everything.
    ///
    /// # Errors
    /// [`Error::Survey`] for an automatic grid with one size or without a crossing; whatever [`Cell::simulate`] refuses.
    pub fn run(&self, listener: Listener<'_>) -> Result<Findings, Error> {
        let mut activity = Activity::default();
        let mut bracket = None;
        let first = self.family.model(self.sizes.first().copied().unwrap_or(2), self.effort.seed)?;
        let class = self.family.class(first.topology());
        let mut scout = None;
        let mut measured = match &self.grid {
            Grid::Fixed(betas) => {
                let row = |&size: &usize| betas.iter().map(move |&beta| self.cell(size, beta));
                let cells: Vec<Cell> = self.sizes.iter().flat_map(row).collect();
                self.simulate(&cells, &self.effort, listener)?
            }
            Grid::Automatic => {
                let found = pilot::find(self, listener)?;
                activity += found.activity;
                bracket = Some(found.interval);
                scout = Some(found);
                self.follow(&found, class, listener)?
            }
        };
        let mut reduced = self.reduce(&measured, class)?;
        let mut outcome = None;
        if let Some(precision) = self.precision {
            let most = precision.most as f64 * precision::work(&measured);
            let thermalization = 2 * self.effort.thermalization;
            // A grid given by hand has no larger sizes.
            let mut refused = if scout.is_some() { usize::MAX } else { 0 };
            while let Ok(found) = &reduced.critical {
                listener(Progress::Error(found.beta.error));
                let allowed = |size: usize| size < refused && !self.is_far(size, found, scout.as_ref());
                let left = most - precision::work(&measured);
                let step = precision.step(&measured, found, (thermalization, left), &allowed);
                if !matches!(step, Step::Done) && left <= 0.0 {
                    outcome = Some(Outcome::OutOfBudget);
                    break;
                }
                measured = match step {
                    Step::Done => {
                        outcome = Some(Outcome::Reached);
                        break;
                    }
                    Step::Hopeless => {
                        outcome = Some(Outcome::OutOfSize);
                        break;
                    }
                    Step::Lengthen(factors) => self.lengthen(measured, &factors, listener)?,
                    Step::Larger { size, sweeps, otherwise } => {
                        match self.larger(size, sweeps, found, listener)? {
                            Some(added) => {
                                measured.extend(added);
                                measured
                            }
                            None => {
                                refused = size;
                                self.lengthen(measured, &otherwise, listener)?
                            }
                        }
                    }
                };
                reduced = self.reduce(&measured, class)?;
            }
        }
        activity += measured.iter().map(|m| m.activity).sum();
        let points: Vec<Point> = measured.iter().map(Point::of).collect();
        let Reduced { curves, critical } = reduced;
        let of_size = |size: usize| curves.iter().find(|c| c.size == size);
        let sizes: Vec<usize> = curves.iter().map(|c| c.size).collect();
        let pairs = Self::pairs(&sizes)
            .into_iter()
            .filter_map(|(small, large)| Pair::of(of_size(small)?, of_size(large)?))
            .collect();
        let known = (class != Class::MeanField && class != Class::Unknown, class.known());
        let exponents = critical.as_ref().ok().filter(|c| c.sizes.len() > 2);
        let exponents = exponents.map(|c| Exponents::at(&curves, c, class.correction(), known));
        let collapse = critical.as_ref().ok().and_then(|c| {
            let inverse_nu = 1.0 / exponents.as_ref()?.nu?.value.mean;
            Collapse::of(&curves, &c.sizes, c.beta.mean, inverse_nu)
        });
        Ok(Findings {
            measured,
            points,
            curves,
            pairs,
            critical,
            exponents,
            collapse,
            outcome,
            activity,
            bracket,
            class,
        })
    }

    fn cell(&self, size: usize, beta: Beta) -> Cell {
        Cell { family: self.family.clone(), size, beta }
    }

    /// Size by size, three β about where the sizes before it meet.
    fn follow(&self, pilot: &Pilot, class: Class, listener: Listener<'_>) -> Result<Vec<Measured>, Error> {
        let mut centre = pilot.crossing;
        let mut measured: Vec<Measured> = Vec::new();
        for &size in &self.sizes {
            let sites = self.family.model(size, self.effort.seed)?.n_sites();
            let width = pilot.width * libm::sqrt(pilot.sites as f64 / sites as f64);
            measured.extend(self.about(size, centre, width, &self.effort, listener)?);
            if let Ok(found) = &self.reduce(&measured, class)?.critical {
                centre = found.beta.mean;
            }
        }
        Ok(measured)
    }

    /// One size at the three β of an automatic grid.
    fn about(
        &self,
        size: usize,
        centre: f64,
        width: f64,
        effort: &Effort,
        listener: Listener<'_>,
    ) -> Result<Vec<Measured>, Error> {
        let step = OUTER * width;
        let shorter = Effort { sweeps: effort.sweeps.div_ceil(SHORTER).max(16), ..*effort };
        let beta = |x: f64| Beta::new(x.max(0.05 * centre));
        let mut measured = self.simulate(&[self.cell(size, beta(centre)?)], effort, listener)?;
        let outer = [self.cell(size, beta(centre - step)?), self.cell(size, beta(centre + step)?)];
        measured.extend(self.simulate(&outer, &shorter, listener)?);
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
        listener: Listener<'_>,
    ) -> Result<Option<Vec<Measured>>, Error> {
        let Ok(model) = self.family.model(size, self.effort.seed) else { return Ok(None) };
        if model.topology().check_memory(2 * self.effort.replicas + 64).is_err() {
            return Ok(None);
        }
        let effort = Effort { sweeps, ..self.effort };
        let cell = self.cell(size, Beta::new(found.beta.mean)?);
        listener(Progress::Stage { size, replicas: effort.replicas });
        cell.simulate(&effort, &|| listener(Progress::Replica)).map(|m| Some(vec![m]))
    }

    /// Longer runs of some sizes, of each at the β that was run longest; on a grid given by hand at all of them.
    fn lengthen(
        &self,
        measured: Vec<Measured>,
        factors: &[(usize, f64)],
        listener: Listener<'_>,
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
        listener(Progress::Stage { size, replicas });
        measured
            .into_par_iter()
            .zip(more)
            .map(|(m, more)| match more {
                0..8 => Ok(m),
                sweeps => m.longer(sweeps, &|| listener(Progress::Replica)),
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
        let critical = meeting::best(&curves, class.correction(), start).ok_or(Unlocated::Noise);
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
        listener: Listener<'_>,
    ) -> Result<Vec<Measured>, Error> {
        let size = cells.iter().map(|c| c.size).max().unwrap_or(0);
        listener(Progress::Stage { size, replicas: effort.replicas.saturating_mul(cells.len() as u64) });
        // Pilot runs are short whatever the size.
        let pilot = effort.first != self.effort.first;
        cells
            .par_iter()
            .map(|cell| {
                let sites = self.family.model(cell.size, self.effort.seed)?.n_sites();
                let times = if pilot { 1.0 } else { self.times(sites)? };
                let sweeps = (effort.sweeps as f64 * times) as u64;
                cell.simulate(&Effort { sweeps, ..*effort }, &|| listener(Progress::Replica))
            })
            .collect()
    }
}
