//! Finding the multipliers by feedback: dual ascent, the gain control of a device.

use super::SphericalSpin;

/// λ ← λ + a·⟨Σy⟩/d and μ ← μ + b·(⟨Σy²⟩/d − 1): each multiplier rises while what it holds down is too large.
///
/// Between two steps the spin relaxes to ⟨y⟩ = (x − λ)/2μ, which two global read-outs see. With the steps taken in units of what the
/// constraint answers, a = 2μ·rate and b = μ·rate/2, the error shrinks by about (1 − rate) per step whatever the scale of x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DualAscent {
    /// Whether the mean is held at 0.
    pub centred: bool,
    /// T ≥ 0.
    pub temperature: f64,
    /// Gain per step, in (0, 1].
    pub rate: f64,
}

/// Where an ascent arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Convergence {
    /// The spin under the multipliers found.
    pub spin: SphericalSpin,
    /// Steps made.
    pub steps: u32,
    /// max(|⟨Σy⟩|, |⟨Σy²⟩ − d|)/d at the end.
    pub residual: f64,
}

impl DualAscent {
    /// Runs from λ = 0, μ = `start` > 0 until the residual is below `tolerance` or `most` steps are made.
    pub fn run(&self, field: &[f64], start: f64, tolerance: f64, most: u32) -> Convergence {
        let d = field.len() as f64;
        let (lambda, temperature) = (0.0, self.temperature);
        let mut spin = SphericalSpin { field: field.to_vec(), lambda, mu: start, temperature };
        for steps in 0.. {
            let mean = spin.mean();
            let first = if self.centred { mean.iter().sum::<f64>() / d } else { 0.0 };
            let second = mean.iter().map(|y| y * y).sum::<f64>() / d + spin.variance() - 1.0;
            let residual = first.abs().max(second.abs());
            if residual < tolerance || steps == most {
                return Convergence { spin, steps, residual };
            }
            spin.lambda += self.rate * 2.0 * spin.mu * first;
            // The answer of the mean square to μ is at most −2/μ of itself; a step may not cross 0 nor more than double μ.
            let step = self.rate * 0.5 * spin.mu * second.min(2.0);
            spin.mu += step.max(-0.5 * spin.mu);
        }
        unreachable!("the loop ends at `most` steps")
    }
}
