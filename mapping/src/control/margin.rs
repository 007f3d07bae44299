//! The published margin from the pseudo-critical point.

use serde::Serialize;

use super::defaults::{NU, Scale};

/// u = |β − β_c|/β_c is kept at u_min or more, and ζ_CE = max(u, u_min)^(−ν) stands for a correlation length.
///
/// A row has neither a correlation length nor a dynamics of its own; what time its sampler takes near the crossover is measured by
/// [`super::slowing`]. Kept as published: a β below β_c can then never pass it, nor reach it.
///
/// ```
/// use ceas_mapping::control::Margin;
/// let margin = Margin { u_min: 0.05, nu: 1.0 };
/// assert!((margin.length(1.0, 1.0) - 20.0).abs() < 1e-12);
/// assert!((margin.keep(0.5, 1.2, 1.0) - 0.95).abs() < 1e-12); // does not cross
/// assert!((margin.keep(0.5, 0.7, 1.0) - 0.7).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Margin {
    /// Least distance, relative.
    pub u_min: f64,
    /// Exponent of the proxy.
    pub nu: f64,
}

impl Margin {
    /// As published for a scale, ν in the middle of its range.
    pub fn published(scale: &Scale) -> Self {
        Self { u_min: scale.u_min, nu: 0.5 * (NU[0] + NU[1]) }
    }

    /// ζ_CE.
    pub fn length(&self, beta: f64, beta_c: f64) -> f64 {
        libm::pow(((beta - beta_c).abs() / beta_c).max(self.u_min), -self.nu)
    }

    /// `wanted`, but not nearer to β_c than the margin and on the side of `beta`.
    pub fn keep(&self, beta: f64, wanted: f64, beta_c: f64) -> f64 {
        if beta < beta_c {
            wanted.min(beta_c * (1.0 - self.u_min))
        } else {
            wanted.max(beta_c * (1.0 + self.u_min))
        }
    }
}
