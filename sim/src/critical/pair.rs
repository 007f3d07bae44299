//! Where the Binder cumulants of L and 2L cross, and where crossings of growing L lead to.

use serde::Serialize;

use super::cell::Measured;
use super::point::binder;
use crate::error::Error;
use crate::statistics::bootstrap::Bootstrap;
use crate::statistics::crossing::{Curves, Point};
use crate::statistics::jackknife::jackknife;
use crate::statistics::{Estimate, Samples};
use crate::stream::Stream;

/// A curve U₄(β) of side L is fitted where |β − β₀| ≤ `WINDOW`/L, β₀ the crossing of the plain points.
pub const WINDOW: f64 = 0.4;

/// Degree of the polynomial through U₄(β) in its window.
const DEGREE: usize = 3;

/// χ² of the curves has to be less probable than this (one-sided) before they are called a poor fit.
const POOR: f64 = 4.0;

/// The crossing of two sizes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pair {
    /// L.
    pub small: usize,
    /// 2L.
    pub large: usize,
    /// β at which U₄ is the same for both; error by bootstrap over replicas, times [`Pair::stretch`].
    pub beta: Estimate,
    /// The common U₄ there.
    pub binder: f64,
    /// χ² of the two fitted curves together.
    pub chi_squared: f64,
    /// Its degrees of freedom.
    pub freedom: usize,
    /// Points of both curves used.
    pub points: usize,
}

impl Pair {
    /// Whether the points lie on the fitted curves: χ² within 4 standard deviations of its degrees of freedom.
    pub fn fits(&self) -> bool {
        let freedom = self.freedom as f64;
        self.chi_squared <= freedom + POOR * libm::sqrt(2.0 * freedom.max(1.0))
    }

    /// By how much the error of the crossing exceeds that of its bootstrap: 1 where the curves fit, elsewhere √(χ²/dof).
    ///
    /// A polynomial that misses its points by more than their noise, as on a grid too coarse for it, misses the crossing as well, and
    /// resampling replicas does not show that.
    pub fn stretch(&self) -> f64 {
        if self.fits() { 1.0 } else { libm::sqrt(self.chi_squared / self.freedom.max(1) as f64) }
    }
}

/// The cells of one pair that lie in its window, and their errors of U₄.
#[derive(Debug, Clone)]
pub(super) struct Window<'a> {
    sizes: [usize; 2],
    cells: [Vec<(&'a Measured, f64)>; 2],
    degree: usize,
    centre: f64,
}

impl<'a> Window<'a> {
    /// Chooses the points around the crossing of the plain curves; `None` if they do not cross.
    pub(super) fn choose(measured: &'a [Measured], small: usize, large: usize) -> Option<Self> {
        let of = |size: usize| {
            let mut cells: Vec<(&Measured, f64)> = measured
                .iter()
                .filter(|m| m.cell.size == size)
                .map(|m| (m, jackknife(&m.samples, binder).error))
                .collect();
            cells.sort_by(|a, b| a.0.cell.beta.value().total_cmp(&b.0.cell.beta.value()));
            cells
        };
        let all = [of(small), of(large)];
        let plain = all.each_ref().map(|cells| points(cells, |m| binder(&m.samples.mean())));
        let centre = plain_crossing(&plain[0], &plain[1])?;
        let near = |cells: Vec<(&'a Measured, f64)>, size: usize| {
            let mut by_distance: Vec<(usize, f64)> =
                cells.iter().enumerate().map(|(i, c)| (i, (c.0.cell.beta.value() - centre).abs())).collect();
            by_distance.sort_by(|a, b| a.1.total_cmp(&b.1));
            // A little slack keeps the ends of a grid made for this window.
            let inside = by_distance.iter().filter(|d| d.1 <= 1.2 * WINDOW / size as f64).count();
            let mut kept: Vec<usize> = by_distance.iter().take(inside.max(DEGREE + 1)).map(|d| d.0).collect();
            kept.sort_unstable();
            kept.into_iter().map(|i| cells[i]).collect::<Vec<_>>()
        };
        let [a, b] = all;
        let cells = [near(a, small), near(b, large)];
        // One degree of freedom is kept wherever there are three points or more, so that a poor fit shows.
        let degree = cells.iter().map(|c| DEGREE.min(c.len().saturating_sub(2)).max(1)).min()?;
        Some(Self { sizes: [small, large], cells, degree, centre })
    }

    /// Where straight lines between the points cross.
    pub(super) fn centre(&self) -> f64 {
        self.centre
    }

    fn curves(&self, value: &mut dyn FnMut(&Measured) -> f64) -> Result<Curves, Error> {
        let small = points(&self.cells[0], &mut *value);
        let large = points(&self.cells[1], &mut *value);
        Curves::fit(&small, &large, self.degree)
    }

    /// The crossing of all data.
    pub(super) fn root(&self) -> Option<f64> {
        self.curves(&mut |m| binder(&m.samples.mean())).ok()?.rising_root()
    }

    /// The crossing of data resampled by `draw`.
    pub(super) fn resampled_root(&self, draw: &mut dyn FnMut(&Measured) -> f64) -> Option<f64> {
        self.curves(draw).ok()?.rising_root()
    }

    /// The crossing with its error; `None` if the smoothed curves do not cross in their common range.
    pub(super) fn pair(&self, seed: u64, resamples: u64) -> Result<Option<Pair>, Error> {
        let curves = self.curves(&mut |m| binder(&m.samples.mean()))?;
        let Some(beta) = curves.rising_root() else { return Ok(None) };
        let bootstrap = Bootstrap { resamples, seed, replica: self.sizes[0] as u64 };
        let rows = self.cells[0][0].0.samples.rows().len();
        let resampled = bootstrap
            .run(rows, |stream| self.resampled_root(&mut |m| binder(&m.samples.resampled(stream))))?;
        let (chi_squared, freedom) = curves.chi_squared();
        let mut pair = Pair {
            small: self.sizes[0],
            large: self.sizes[1],
            beta: Estimate { mean: beta, error: resampled.error },
            binder: curves.at(beta)[0],
            chi_squared,
            freedom,
            points: self.cells[0].len() + self.cells[1].len(),
        };
        pair.beta.error *= pair.stretch();
        Ok(Some(pair))
    }
}

fn points(cells: &[(&Measured, f64)], mut value: impl FnMut(&Measured) -> f64) -> Vec<Point> {
    cells.iter().map(|(m, error)| Point { x: m.cell.beta.value(), y: value(m), error: *error }).collect()
}

/// Where straight lines between points first cross for good: after the most significant point with large below small, the first
/// place where large − small changes sign.
fn plain_crossing(small: &[Point], large: &[Point]) -> Option<f64> {
    let differences: Vec<(f64, f64, f64)> = large
        .iter()
        .filter_map(|b| {
            let (value, error) = interpolate(small, b.x)?;
            Some((b.x, b.y - value, libm::hypot(b.error, error)))
        })
        .collect();
    let lowest = differences.iter().enumerate().min_by(|a, b| (a.1.1 / a.1.2).total_cmp(&(b.1.1 / b.1.2)))?.0;
    differences[lowest..].windows(2).find(|w| w[0].1 <= 0.0 && w[1].1 > 0.0).map(|w| {
        let ((x0, d0, _), (x1, d1, _)) = (w[0], w[1]);
        x0 + (x1 - x0) * d0 / (d0 - d1)
    })
}

fn interpolate(points: &[Point], x: f64) -> Option<(f64, f64)> {
    let tolerance = 1e-12;
    points.iter().find(|p| (p.x - x).abs() <= tolerance).map(|p| (p.y, p.error)).or_else(|| {
        points.windows(2).find(|w| w[0].x <= x && x <= w[1].x).map(|w| {
            let t = (x - w[0].x) / (w[1].x - w[0].x);
            (w[0].y + t * (w[1].y - w[0].y), w[0].error.max(w[1].error))
        })
    })
}

/// A resample shared by all pairs: every cell is drawn once, so a size that belongs to two pairs moves both.
pub(super) fn joint_draw(measured: &[Measured], stream: &mut Stream) -> impl FnMut(&Measured) -> f64 + use<> {
    let drawn: Vec<(super::Cell, f64)> =
        measured.iter().map(|m| (m.cell, binder(&Samples::resampled(&m.samples, stream)))).collect();
    move |wanted| drawn.iter().find(|(cell, _)| *cell == wanted.cell).map_or(f64::NAN, |(_, u)| *u)
}
