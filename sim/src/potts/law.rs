//! The exact law of one Potts spin and its thermodynamics.

use crate::beta::Beta;
use crate::potts::PottsSpin;

/// The law p_j = e^(βh_j)/Z of one Potts spin and what follows from it. Energies are in units of the fields.
///
/// ```text
/// F = −ln Z / β     U = −⟨h⟩     H = β(U − F) = −Σ p ln p     C = β² Var_p[h] = −β ∂H/∂β     Y₂ = Σ p²
/// ```
///
/// ```
/// use ceas_sim::{beta::Beta, potts::PottsSpin};
/// let spin = PottsSpin::new(&[0.0, 0.0, f64::NEG_INFINITY]).unwrap();
/// let law = spin.law(Beta::new(2.0).unwrap());
/// assert_eq!(law.probabilities(), [0.5, 0.5, 0.0]);
/// assert!((law.entropy() - 2f64.ln()).abs() < 1e-15);
/// assert!((law.free_energy() + 2f64.ln() / 2.0).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Law {
    beta: Beta,
    probabilities: Vec<f64>,
    ln_z: f64,
    mean_field: f64,
    variance: f64,
    entropy: f64,
    y2: f64,
}

impl Law {
    pub(super) fn new(spin: &PottsSpin, beta: Beta) -> Self {
        let b = beta.value();
        let gaps = spin.gaps();
        let weights: Vec<f64> = gaps.iter().map(|&gap| libm::exp(b * gap)).collect();
        // Smallest first: the largest weight is exactly 1, so the tail keeps its digits in log1p.
        let tail: f64 = weights[1..].iter().rev().sum();
        let z = 1.0 + tail;
        let ln_z = libm::log1p(tail);
        // An underflowed weight times an enormous gap is 0, not 0 · ∞: gaps are finite.
        let mean_gap = weights.iter().zip(gaps.iter()).rev().map(|(w, gap)| w * gap).sum::<f64>() / z;
        let spread = |(w, gap): (&f64, &f64)| if *w == 0.0 { 0.0 } else { w * (gap - mean_gap).powi(2) };
        let variance = weights.iter().zip(gaps.iter()).rev().map(spread).sum::<f64>() / z;
        let mut probabilities = vec![0.0; spin.labels()];
        for (label, w) in spin.ranked().zip(&weights) {
            probabilities[label] = w / z;
        }
        Self {
            beta,
            y2: weights.iter().rev().map(|w| w * w).sum::<f64>() / (z * z),
            probabilities,
            ln_z: ln_z + b * spin.highest(),
            mean_field: spin.highest() + mean_gap,
            variance,
            // Both terms are ≥ 0: nothing cancels, however pure the law.
            entropy: ln_z - b * mean_gap,
        }
    }

    /// The inverse temperature.
    pub fn beta(&self) -> Beta {
        self.beta
    }

    /// p_j by label; 0 for an absent state.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// ln Z.
    pub fn ln_z(&self) -> f64 {
        self.ln_z
    }

    /// Free energy F = −ln Z / β; −∞ at β = 0 (unless N = 1, where it is −h).
    pub fn free_energy(&self) -> f64 {
        match self.beta.value() {
            0.0 if self.ln_z == 0.0 => -self.mean_field,
            b => -self.ln_z / b,
        }
    }

    /// Internal energy U = −⟨h⟩.
    pub fn internal_energy(&self) -> f64 {
        -self.mean_field
    }

    /// Variance of the energy, Var_p\[h\].
    pub fn energy_variance(&self) -> f64 {
        self.variance
    }

    /// Entropy H = −Σ p ln p, in nats.
    pub fn entropy(&self) -> f64 {
        self.entropy
    }

    /// Specific heat C = β² Var_p\[h\].
    pub fn specific_heat(&self) -> f64 {
        self.beta.value().powi(2) * self.variance
    }

    /// Participation Y₂ = Σ p².
    pub fn y2(&self) -> f64 {
        self.y2
    }
}
