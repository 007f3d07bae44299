//! Data collapse: U₄ of all sizes as one function of (β − β_c) L^(1/ν).

use serde::Serialize;

use super::point::Point;
use crate::statistics::Estimate;
use crate::statistics::crossing::Point as Dot;
use crate::statistics::polynomial::Polynomial;

/// Degree of the common curve.
const DEGREE: usize = 5;

/// The points laid on each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Collapse {
    /// 1/ν that was used.
    pub inverse_nu: f64,
    /// The points.
    pub points: Vec<Collapsed>,
    /// χ² of all points about one polynomial of degree 5: its quality.
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
    /// Of the points of the sizes given; none if there are too few of them.
    pub(super) fn of(points: &[Point], sizes: &[usize], beta_c: f64, inverse_nu: f64) -> Option<Self> {
        let points: Vec<Collapsed> = points
            .iter()
            .filter(|p| sizes.contains(&p.size) && p.binder.error > 0.0)
            .map(|p| {
                let x = (p.beta - beta_c) * libm::pow(p.size as f64, inverse_nu);
                Collapsed { size: p.size, x, binder: p.binder }
            })
            .collect();
        let dots: Vec<Dot> =
            points.iter().map(|p| Dot { x: p.x, y: p.binder.mean, error: p.binder.error }).collect();
        let freedom = dots.len().checked_sub(DEGREE + 1).filter(|&freedom| freedom > 0)?;
        let common = Polynomial::fit(&dots, DEGREE)?;
        let low = dots.iter().map(|d| d.x).fold(f64::INFINITY, f64::min);
        let high = dots.iter().map(|d| d.x).fold(f64::NEG_INFINITY, f64::max);
        let curve = (0..=200).map(|i| low + (high - low) * f64::from(i) / 200.0).map(|x| [x, common.at(x)]);
        Some(Self {
            inverse_nu,
            chi_squared: common.chi_squared(&dots),
            freedom,
            curve: curve.collect(),
            points,
        })
    }
}
