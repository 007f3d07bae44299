//! What is reported of a cell: each quantity with its error.

use serde::Serialize;

use super::cell::{AVERAGES, Measured};
use crate::statistics::Estimate;
use crate::statistics::jackknife::jackknife;

/// The quantities of one lattice at one β; errors by jackknife over replicas.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// L, or N of a graph.
    pub size: usize,
    /// β.
    pub beta: f64,
    /// ⟨E⟩/N, per site.
    pub energy: Estimate,
    /// ⟨|m|⟩, per site.
    pub abs_magnetization: Estimate,
    /// C = β²(⟨E²⟩ − ⟨E⟩²)/N.
    pub specific_heat: Estimate,
    /// χ = βN(⟨m²⟩ − ⟨|m|⟩²).
    pub susceptibility: Estimate,
    /// U₄ = 1 − ⟨m⁴⟩/3⟨m²⟩².
    pub binder: Estimate,
    /// ξ = √(N⟨m²⟩/F − 1)/2 sin(π/L), F the structure factor at k = 2π/L (second moment), in lattice spacings; not a number where
    /// noise makes the root imaginary.
    pub correlation_length: Estimate,
    /// τ_int of |m|, in sweeps.
    pub tau_int: Estimate,
}

impl Point {
    /// From the averages of all replicas.
    pub fn of(measured: &Measured) -> Self {
        let (size, beta) = (measured.cell.size, measured.cell.beta.value());
        let n = measured.sites as f64;
        let derived = |f: &dyn Fn(&[f64; AVERAGES]) -> f64| jackknife(&measured.samples, f);
        let wave = 2.0 * libm::sin(std::f64::consts::PI / size as f64);
        Self {
            size,
            beta,
            energy: derived(&|[e, ..]| *e),
            abs_magnetization: derived(&|[_, _, m, ..]| *m),
            specific_heat: derived(&|[e, e2, ..]| beta * beta * n * (e2 - e * e)),
            susceptibility: derived(&|[_, _, m, m2, ..]| beta * n * (m2 - m * m)),
            binder: derived(&binder),
            correlation_length: derived(&|[_, _, _, m2, _, f]| libm::sqrt(n * m2 / f - 1.0) / wave),
            tau_int: measured.tau_int,
        }
    }
}

/// U₄ with its error.
pub(super) fn binder_estimate(measured: &Measured) -> Estimate {
    jackknife(&measured.samples, binder)
}

/// U₄ = 1 − ⟨m⁴⟩/3⟨m²⟩² of averages in the order of [`AVERAGES`].
pub fn binder(averages: &[f64; AVERAGES]) -> f64 {
    let [_, _, _, m2, m4, _] = averages;
    1.0 - m4 / (3.0 * m2 * m2)
}
