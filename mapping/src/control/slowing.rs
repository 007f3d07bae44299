//! How slow the sampler of a row becomes, measured instead of assumed.

use ceas_sim::beta::Beta;
use ceas_sim::potts::MetropolisSpectrum;
use serde::Serialize;

use crate::criticality::Rows;

/// τ_int of the score under single-spin Metropolis on the rows of a head, at one β.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Slowing {
    /// β.
    pub beta: f64,
    /// τ_int in sweeps, exact (from the spectrum), weighted by the variance of the score; ½ would be independent.
    pub tau_int: f64,
    /// The slowest mode: −1/ln λ_max in sweeps, mean over the rows.
    pub tau_exp: f64,
}

/// τ at every β given, from the closed-form spectrum of the chain: no sampling, no fit.
///
/// One spin has no critical slowing down: nothing here diverges at β_c. A chain of uniform proposals gets slower the fewer states are worth
/// accepting, all the way into the frozen phase, and stays below N/2 or so because every proposal can reach the best state.
pub fn slowing(rows: &Rows, betas: &[Beta]) -> Vec<Slowing> {
    betas
        .iter()
        .map(|&beta| {
            let (mut weight, mut sum, mut slow) = (0.0, 0.0, 0.0);
            for row in 0..rows.len() {
                let spin = rows.spin(row);
                if spin.states() < 2 {
                    continue;
                }
                let spectrum = MetropolisSpectrum::new(spin, beta);
                let power = spectrum.power(1, |label, _| spin.gap(label));
                let variance: f64 = power.iter().sum();
                weight += variance;
                sum += variance * spectrum.tau_int(&power, 1);
                let slowest = spectrum.eigenvalues().iter().copied().fold(0.0, f64::max);
                slow += if slowest > 0.0 { -1.0 / libm::log(slowest) } else { 0.0 };
            }
            Slowing {
                beta: beta.value(),
                tau_int: if weight > 0.0 { sum / weight } else { 0.5 },
                tau_exp: slow / rows.len() as f64,
            }
        })
        .collect()
}
