//! Data collapse: U₄ of all sizes as one function of (β − β_c) L^(1/ν).

use serde::Serialize;

use super::curve::{BINDER, SizeCurves};
use crate::statistics::Estimate;
use crate::statistics::polynomial::{Point as Dot, Polynomial};

/// Places along the curve of each size.
const PLACES: usize = 9;

/// Degree of the common curve.
const DEGREE: usize = 6;

/// The largest sizes, whose corrections are least.
const SIZES: usize = 3;

/// The points laid on each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Collapse {
    /// 1/ν that was used.
    pub inverse_nu: f64,
    /// The points.
    pub points: Vec<Collapsed>,
    /// χ² of all points about one polynomial of degree 6: its quality. The points of one size come from the same runs and are correlated, so
    /// that 1 for each degree of freedom is good, and less no wonder.
    pub chi_squared: f64,
    /// Degrees of freedom.
    pub freedom: usize,
    /// The common curve, as points to be joined.
    pub curve: Vec<[f64; 2]>,
}

/// One point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Collapsed {
    /// L, or N.
    pub size: usize,
    /// (β − β_c) L^(1/ν).
    pub x: f64,
    /// U₄.
    pub binder: Estimate,
}

impl Collapse {
    /// Of the curves of the largest three of the sizes given, over the range of x that all of them cover.
    pub(super) fn of(curves: &[SizeCurves], sizes: &[usize], beta_c: f64, inverse_nu: f64) -> Option<Self> {
        let sizes = &sizes[sizes.len().saturating_sub(SIZES)..];
        let used = || curves.iter().filter(|c| sizes.contains(&c.size));
        let scale = |c: &SizeCurves| libm::pow(c.size as f64, inverse_nu);
        let low = used().map(|c| (c.all.range()[0] - beta_c) * scale(c)).fold(f64::NEG_INFINITY, f64::max);
        let high = used().map(|c| (c.all.range()[1] - beta_c) * scale(c)).fold(f64::INFINITY, f64::min);
        if low >= high {
            return None;
        }
        let place = |i: usize, of: usize| low + (high - low) * i as f64 / of as f64;
        let mut points = Vec::new();
        for c in used() {
            for x in (0..PLACES).map(|i| place(i, PLACES - 1)) {
                // The ends are met to the last digit only.
                let [first, last] = c.all.range();
                let beta = (beta_c + x / scale(c)).clamp(first, last);
                let (mean, error) = c.jackknife(|curve| curve.at(BINDER, beta).0);
                points.push(Collapsed { size: c.size, x, binder: Estimate { mean, error } });
            }
        }
        let dots: Vec<Dot> =
            points.iter().map(|p| Dot { x: p.x, y: p.binder.mean, error: p.binder.error }).collect();
        let freedom = dots.len().checked_sub(DEGREE + 1).filter(|&freedom| freedom > 0)?;
        if dots.iter().any(|d| !(d.error > 0.0 && d.y.is_finite())) {
            return None;
        }
        let common = Polynomial::fit(&dots, DEGREE)?;
        let curve = (0..=200).map(|i| place(i, 200)).map(|x| [x, common.at(x)]).collect();
        Some(Self { inverse_nu, chi_squared: common.chi_squared(&dots), freedom, curve, points })
    }
}
