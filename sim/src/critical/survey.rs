//! A survey: sizes × β × replicas simulated, reduced to points and crossings.

use rayon::prelude::*;

use super::cell::{Cell, Effort, Measured};
use super::limit::{Critical, limit};
use super::pair::{Pair, WINDOW, Window};
use super::point::Point;
use super::{Lattice, bracket};
use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::statistics::bootstrap::Bootstrap;

/// Points of each size in an automatic grid.
const GRID: usize = 7;

/// Which β are simulated.
#[derive(Debug, Clone, PartialEq)]
pub enum Grid {
    /// Found by a pilot run that starts from the Bethe bound and knows no β_c; then for every L a grid of 7 points of half width
    /// 0.4/L about the crossing of the sizes before it.
    Automatic,
    /// The same list for every size.
    Fixed(Vec<Beta>),
}

/// An error to be reached by adding replicas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision {
    /// The error of β_c to reach.
    pub target: f64,
    /// Replicas may become at most this many times as many.
    pub most: u64,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// The family of lattices.
    pub lattice: Lattice,
    /// Sides, ascending and distinct.
    pub sizes: Vec<usize>,
    /// Which β.
    pub grid: Grid,
    /// How each cell of the largest size is simulated; smaller ones are measured for L_max/L times as many sweeps, so that every
    /// pair has a say in β_c.
    pub effort: Effort,
    /// Lengthen until β_c is known so well.
    pub precision: Option<Precision>,
    /// Resamples of every bootstrap.
    pub resamples: u64,
}

/// What a running survey tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many replicas of lattices of up to this side begin.
    Stage {
        /// The largest side L among them.
        size: usize,
        /// Replicas.
        replicas: u64,
    },
    /// One replica is done.
    Replica,
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
    /// The crossings found, by size.
    pub pairs: Vec<Pair>,
    /// β_c, or why there is none.
    pub critical: Result<Critical, Unlocated>,
    /// All events, those of pilot runs included.
    pub activity: Activity,
    /// The interval in which the pilot found the crossing, if there was a pilot.
    pub bracket: Option<[f64; 2]>,
}

/// Why no β_c is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unlocated {
    /// No two sizes L and 2L.
    #[error("no two of the sizes are L and 2L")]
    NoPair,
    /// Not even one pair crosses.
    #[error("U₄ of L and 2L do not cross inside the grid")]
    NoCrossing,
    /// The noise is as large as the effect.
    #[error(
        "the crossing of U₄ is lost in more than 1 % of the resamples: it needs more sweeps or more points near it"
    )]
    Noise,
}

impl Survey {
    /// Sizes L for which 2L is also there, ascending.
    pub fn pairs(sizes: &[usize]) -> Vec<(usize, usize)> {
        sizes.iter().filter(|&&l| sizes.contains(&(2 * l))).map(|&l| (l, 2 * l)).collect()
    }

    /// Runs everything.
    ///
    /// # Errors
    /// [`Error::Survey`] for an automatic grid without sizes L and 2L or without a crossing; whatever [`Cell::simulate`] refuses.
    pub fn run(&self, listener: Listener<'_>) -> Result<Findings, Error> {
        let mut activity = Activity::default();
        let mut bracket = None;
        let mut measured = match &self.grid {
            Grid::Fixed(betas) => {
                let cells: Vec<Cell> = self.sizes.iter().flat_map(|&l| self.row(l, betas)).collect();
                self.simulate(&cells, &self.effort, listener)?
            }
            Grid::Automatic => {
                let pilot = bracket::find(self, listener)?;
                activity += pilot.activity;
                bracket = Some(pilot.interval);
                self.follow(pilot.crossing, listener)?
            }
        };
        let (mut pairs, mut critical) = self.reduce(&measured)?;
        if let Some(precision) = self.precision {
            let mut effort = self.effort;
            let most = precision.most.saturating_mul(self.effort.replicas);
            while let Ok(found) = &critical {
                let done = effort.first + effort.replicas - self.effort.first;
                if found.beta.error <= precision.target || done >= most {
                    break;
                }
                let factor = (found.beta.error / precision.target).powi(2);
                // Never more than four times at once: an early error is itself uncertain.
                let wanted = (done as f64 * factor.min(4.0)).ceil() as u64;
                effort.first += effort.replicas;
                effort.replicas = wanted.clamp(done + 1, most) - done;
                let cells: Vec<Cell> = measured.iter().map(|m| m.cell).collect();
                let more = self.simulate(&cells, &effort, listener)?;
                measured = measured.iter().zip(&more).map(|(a, b)| a.joined(b)).collect::<Result<_, _>>()?;
                (pairs, critical) = self.reduce(&measured)?;
            }
        }
        activity += measured.iter().map(|m| m.activity).sum();
        let points = measured.iter().map(Point::of).collect();
        Ok(Findings { measured, points, pairs, critical, activity, bracket })
    }

    fn row<'a>(&'a self, size: usize, betas: &'a [Beta]) -> impl Iterator<Item = Cell> + 'a {
        betas.iter().map(move |&beta| Cell { lattice: self.lattice, size, beta })
    }

    /// Size by size, each grid centred on the crossing that the sizes before it gave.
    fn follow(&self, mut centre: f64, listener: Listener<'_>) -> Result<Vec<Measured>, Error> {
        let mut measured: Vec<Measured> = Vec::new();
        for &size in &self.sizes {
            let betas = bracket::grid(centre, WINDOW / size as f64, GRID)?;
            let cells: Vec<Cell> = self.row(size, &betas).collect();
            measured.extend(self.simulate(&cells, &self.effort, listener)?);
            if size % 2 == 0
                && let Some(root) = Window::choose(&measured, size / 2, size).and_then(|w| w.root())
            {
                centre = root;
            }
        }
        Ok(measured)
    }

    fn reduce(&self, measured: &[Measured]) -> Result<(Vec<Pair>, Result<Critical, Unlocated>), Error> {
        let sizes = Self::pairs(&self.sizes);
        if sizes.is_empty() {
            return Ok((Vec::new(), Err(Unlocated::NoPair)));
        }
        let (mut pairs, mut windows) = (Vec::new(), Vec::new());
        let mut noisy = false;
        for (small, large) in sizes {
            let Some(window) = Window::choose(measured, small, large) else { continue };
            match window.pair(self.effort.seed, self.resamples) {
                Ok(Some(pair)) => {
                    pairs.push(pair);
                    windows.push(window);
                }
                Ok(None) => {}
                Err(Error::Data { .. }) => noisy = true,
                Err(other) => return Err(other),
            }
        }
        if pairs.is_empty() {
            return Ok((pairs, Err(if noisy { Unlocated::Noise } else { Unlocated::NoCrossing })));
        }
        let bootstrap = Bootstrap { resamples: self.resamples, seed: self.effort.seed, replica: 0 };
        let exponent = self.lattice.drift_exponent();
        let critical = match limit(measured, &windows, &pairs, exponent, bootstrap) {
            Ok(critical) => Ok(critical),
            Err(Error::Data { .. }) => Err(Unlocated::Noise),
            Err(other) => return Err(other),
        };
        Ok((pairs, critical))
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
        let longest = self.sizes.iter().max().copied().unwrap_or(1);
        cells
            .par_iter()
            .map(|cell| {
                let sweeps = effort.sweeps.saturating_mul(longest as u64) / cell.size as u64;
                cell.simulate(&Effort { sweeps, ..*effort }, &|| listener(Progress::Replica))
            })
            .collect()
    }
}
