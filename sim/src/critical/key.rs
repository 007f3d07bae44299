//! By which number of a configuration it is reweighted.

use super::Dynamics;
use super::cell::AVERAGES;
use crate::hamiltonian::{Couplings, Hamiltonian};

/// The energy, or the number of open bonds of a cluster update, in steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Key {
    kind: Kind,
    /// Keys are counted in steps of this many couplings or bonds: some fiftieth of their spread, so that histograms stay short.
    step: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// −E in units of `unit`.
    Energy { unit: f64 },
    /// Open bonds of strength J.
    Open { j: f64 },
}

impl Key {
    pub(super) fn new(model: &Hamiltonian, dynamics: Dynamics) -> Self {
        let step = libm::floor(libm::sqrt(model.n_sites() as f64) / 16.0).max(1.0);
        let kind = match (dynamics, model.couplings(), model.uniform()) {
            (Dynamics::SwendsenWang, _, Some((j, 0.0))) if j > 0.0 => Kind::Open { j },
            (_, &Couplings::Uniform(j), _) if model.topology().is_complete() => {
                // Of the order of 1/N, while E is of the order of √N near β_c.
                Kind::Energy { unit: j.abs() * model.n_sites() as f64 / 16.0 }
            }
            (_, &Couplings::Uniform(j), _) if j != 0.0 => Kind::Energy { unit: j.abs() },
            (_, Couplings::PerBond(j), _) => {
                let mean = j.iter().map(|j| j.abs()).sum::<f64>() / j.len().max(1) as f64;
                Kind::Energy { unit: if mean > 0.0 { mean } else { 1.0 } }
            }
            _ => Kind::Energy { unit: 1.0 },
        };
        // In a field that is stronger than the couplings energies are counted by its steps: there are then no more of them than sites.
        let field = match model.is_field_free() {
            true => 0.0,
            false => {
                (0..model.n_sites()).map(|site| model.field_at(site).abs()).sum::<f64>()
                    / model.n_sites() as f64
            }
        };
        let kind = match kind {
            Kind::Energy { unit } => Kind::Energy { unit: unit.max(field) },
            open => open,
        };
        Self { kind, step }
    }

    pub(super) fn is_open_bonds(&self) -> bool {
        matches!(self.kind, Kind::Open { .. })
    }

    /// Of what was measured, the energy per site first.
    pub(super) fn of_energy(&self, model: &Hamiltonian, seen: &[f64; AVERAGES]) -> i64 {
        match self.kind {
            // A little is added so that whole numbers are not cut off below.
            Kind::Energy { unit } => {
                libm::floor((-seen[0] * model.n_sites() as f64 / unit + 1e-6) / self.step) as i64
            }
            Kind::Open { .. } => 0,
        }
    }

    pub(super) fn of_open(&self, open: u64) -> i64 {
        open as i64 / self.step as i64
    }

    /// The weight is e^(θ key).
    pub(super) fn theta(&self, beta: f64) -> f64 {
        match self.kind {
            Kind::Energy { unit } => beta * unit * self.step,
            Kind::Open { j } => libm::log(libm::expm1(2.0 * beta * j)) * self.step,
        }
    }

    /// dθ/dβ.
    pub(super) fn slope(&self, beta: f64) -> f64 {
        match self.kind {
            Kind::Energy { unit } => unit * self.step,
            Kind::Open { j } => -2.0 * j / libm::expm1(-2.0 * beta * j) * self.step,
        }
    }
}
