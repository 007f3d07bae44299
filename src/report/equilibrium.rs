//! Whether recorded configurations can be taken for equilibrium: their energy beside the exact one.

use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::exact::{self, KnownEnergy};
use ceas_npu::sim::hamiltonian::Hamiltonian;
use ceas_npu::sim::statistics::{Autocorrelation, Estimate};
use serde::Serialize;

use super::table::with_error;

/// A mean further off than this is not chance.
const FAR: f64 = 4.0;
/// Where excitations are rare, a few of them are many standard deviations and yet chance: so many single flips must be missing.
const FLIPS: f64 = 8.0;

/// The energy of the later half of the frames beside that of equilibrium, per site.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Equilibrium {
    /// Frames that are averaged: the later half.
    pub frames: usize,
    /// Their mean. Its error is grown by τ_int, and never less than that of independent frames; where so few frames do not tell τ_int, it is the
    /// spread of one configuration.
    pub energy: Estimate,
    /// What is exact.
    pub exact: KnownEnergy,
    /// (mean − exact)/error.
    pub sigmas: f64,
    /// Whether the difference is too large for chance.
    pub is_missed: bool,
}

impl Equilibrium {
    /// From the energies of all frames, totals; none where no exact energy is known.
    pub fn of(model: &Hamiltonian, beta: Beta, energies: &[f64]) -> Option<Self> {
        let exact = exact::known_energy(model, beta)?;
        let n = model.n_sites() as f64;
        let later: Vec<f64> = energies[energies.len() / 2..].iter().map(|e| e / n).collect();
        let mean = later.iter().sum::<f64>() / later.len() as f64;
        // No more than one configuration, no less than as many independent ones: τ_int of a short series is noisy itself.
        let least = exact.spread / (later.len() as f64).sqrt();
        let error = match Autocorrelation::of(&[&later]) {
            Ok(found) if found.converged && found.variance > 0.0 => {
                found.mean.error.max(least).min(exact.spread)
            }
            _ => exact.spread,
        };
        let off = mean - exact.mean;
        let sigmas = if off.abs() < 1e-9 * exact.mean.abs() { 0.0 } else { off / error };
        let flip = match model.uniform() {
            Some((j, h)) => 2.0 * (j.abs() * model.topology().coordination() as f64 + h.abs()),
            // Few enough spins to be enumerated.
            None => {
                2.0 * (0..model.topology().n_bonds()).map(|bond| model.coupling_at(bond).abs()).sum::<f64>()
            }
        };
        let is_missed = sigmas.abs() > FAR && off.abs() * n > FLIPS * flip;
        let energy = Estimate { mean, error };
        Some(Self { frames: later.len(), energy, exact, sigmas, is_missed })
    }

    /// Beside each other, for people: names and what they are.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let Self { frames, energy, exact, sigmas, .. } = self;
        let KnownEnergy { mean, spread, source } = exact;
        let words = match frames {
            1 => "of the last frame".to_owned(),
            frames => format!("mean of the last {frames} frames"),
        };
        let mut lines = vec![
            ("energy", format!("{} per site, {words}", with_error(energy.mean, energy.error))),
            (
                "exact",
                format!("{mean:.5}, single configurations ± {spread:.5} ({source}): {sigmas:+.1}σ off"),
            ),
        ];
        if self.is_missed {
            lines.push(("", "NOT IN EQUILIBRIUM: these configurations are on their way there".to_owned()));
        }
        lines
    }

    /// The plain sentence, where it is needed.
    pub fn warning(&self) -> Option<String> {
        let side = if self.sigmas > 0.0 { "above" } else { "below" };
        self.is_missed.then(|| {
            format!(
                "not in equilibrium: the energy of the later frames lies {:.1} standard deviations {side} the exact one; \
                 these configurations are on their way there; take a longer --thermalization, or --update wolff",
                self.sigmas.abs()
            )
        })
    }
}
