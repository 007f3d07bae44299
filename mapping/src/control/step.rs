//! One step of β, as published and corrected.

use serde::Serialize;

use super::defaults::{EPSILON, FACTOR, LEAST_BETA, Scale};
use super::reading::Reading;

/// Gain κ(t) = κ_max e^(−t/τ) + κ_∞.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gain {
    /// κ_max.
    pub max: f64,
    /// κ_∞.
    pub infinity: f64,
    /// τ, in steps.
    pub tau: f64,
}

impl Gain {
    /// The gain 1 of Newton's step, at all times.
    pub const UNIT: Self = Self { max: 0.0, infinity: 1.0, tau: 1.0 };

    /// The published schedule, at the middle of its τ.
    pub fn published(scale: &Scale) -> Self {
        let tau = 0.5 * (scale.tau_kappa[0] + scale.tau_kappa[1]);
        Self { max: scale.kappa_max, infinity: scale.kappa_infinity, tau }
    }

    /// κ(t).
    pub fn at(&self, t: u64) -> f64 {
        self.max * libm::exp(-(t as f64) / self.tau) + self.infinity
    }

    /// The first step at which κ < 2, from which on a Newton step contracts; `None` if never.
    ///
    /// ```
    /// use ceas_mapping::control::{Gain, defaults::SCALES};
    /// let stable: Vec<_> = SCALES.iter().map(|s| Gain::published(s).stable_from().unwrap()).collect();
    /// assert_eq!(stable, [592, 882, 1420]);
    /// ```
    pub fn stable_from(&self) -> Option<u64> {
        if self.max + self.infinity < 2.0 {
            return Some(0);
        }
        (self.infinity < 2.0)
            .then(|| (self.tau * libm::log(self.max / (2.0 - self.infinity))).max(0.0).floor() as u64 + 1)
    }
}

/// How far β may move in one step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Clip {
    /// |Δβ| ≤ a constant, in units of 1/(q·k): published. It means something else for every scale of the weights.
    Absolute(f64),
    /// β changes by at most this factor.
    Factor(f64),
    /// |Δβ| ≤ π/(s_max − s_min): within it ln Z(β + Δβ) is the sum of its Taylor series, whatever the row ([`analytic_radius`]).
    Radius,
}

/// π/(s_max − s_min): Z(β + iy) = Σ e^((β+iy)s_j) has no zero for |y| below it, for all of its terms lie in an open half-plane.
///
/// ```
/// assert_eq!(ceas_mapping::control::analytic_radius(2.0), std::f64::consts::FRAC_PI_2);
/// ```
pub fn analytic_radius(spread: f64) -> f64 {
    std::f64::consts::PI / spread
}

/// A rule that moves β towards the entropy asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Δβ = κ(t)(H − H_t)/(β Var + ε).
    Newton {
        /// κ(t).
        gain: Gain,
        /// ε.
        epsilon: f64,
        /// How far.
        clip: Option<Clip>,
        /// β never falls below this.
        floor: f64,
    },
    /// β² ← β² + 2κ(H − H_t)/Var: Newton's step in β².
    Squared {
        /// κ ≤ 1.
        gain: f64,
        /// How far.
        clip: Option<Clip>,
    },
    /// β² ← β² + 2κ(H − H_t)/(D Var): Halley's step in β², cubic near the target.
    ///
    /// dH/dβ² = −Var/2 and dVar/dβ = ⟨(s − ⟨s⟩)³⟩ are both exact from the row, so that D = 1 + (H − H_t)⟨(s − ⟨s⟩)³⟩/(2β Var²); it is held
    /// within ½ and 2, for far from the target the next order is no better known than the last. If Newton's first step (t = 0) is clipped and the
    /// answer of a random energy model, √(2(ln N − H_t))/σ, lies beyond the clip on the same side, β starts from there instead: a frozen row
    /// has no variance to learn from, but σ does not freeze.
    Halley {
        /// κ ≤ 1.
        gain: f64,
        /// How far; by [`Clip::Factor`] the start is judged as well.
        clip: Option<Clip>,
    },
}

impl Step {
    /// As published for a scale.
    pub fn published(scale: &Scale) -> Self {
        let clip = Some(Clip::Absolute(scale.clip));
        Self::Newton { gain: Gain::published(scale), epsilon: EPSILON, clip, floor: LEAST_BETA }
    }

    /// Corrected.
    pub fn corrected() -> Self {
        Self::Halley { gain: 1.0, clip: Some(Clip::Factor(FACTOR)) }
    }

    /// Whether a trajectory is decided within a dozen steps: a step in β² that may go as far as a factor.
    pub fn is_quick(&self) -> bool {
        matches!(
            self,
            Self::Squared { clip: Some(Clip::Factor(_)), .. }
                | Self::Halley { clip: Some(Clip::Factor(_)), .. }
        )
    }

    /// β after one step from `beta` at time `t`; κ is multiplied by `damping` (1, or less while backing off).
    ///
    /// Where the variance is 0 nothing can be learnt from it: the corrected step then stays (all scores equal) or halves β (a row so frozen that the
    /// variance underflowed, below its target).
    pub fn next(&self, beta: f64, reading: &Reading, target: f64, t: u64, damping: f64) -> f64 {
        let error = reading.entropy - target;
        match *self {
            Self::Newton { gain, epsilon, clip, floor } => {
                let wanted = damping * gain.at(t) * error / (beta * reading.variance + epsilon);
                clipped(clip, beta, beta + wanted, reading.spread).max(floor)
            }
            Self::Squared { gain, clip } => {
                let wanted = squared(beta, reading, error, damping * gain, 1.0);
                clipped(clip, beta, wanted, reading.spread)
            }
            Self::Halley { gain, clip } => {
                if t == 0
                    && let Some(start) = far_start(beta, reading, target, clip)
                {
                    return start;
                }
                let bend = if beta > 0.0 && reading.variance > 0.0 {
                    error * reading.third / (2.0 * beta * reading.variance * reading.variance)
                } else {
                    0.0
                };
                let bend = if bend.is_finite() { (1.0 + bend).clamp(0.5, 2.0) } else { 1.0 };
                let wanted = squared(beta, reading, error, damping * gain, bend);
                clipped(clip, beta, wanted, reading.spread)
            }
        }
    }
}

/// √(β² + 2κ(H − H_t)/(D Var)), and what is done without a variance.
fn squared(beta: f64, reading: &Reading, error: f64, gain: f64, bend: f64) -> f64 {
    if reading.variance > 0.0 {
        libm::sqrt((beta * beta + 2.0 * gain * error / (bend * reading.variance)).max(0.0))
    } else if reading.spread > 0.0 {
        if error < 0.0 { 0.5 * beta } else { 2.0 * beta }
    } else {
        beta
    }
}

/// √(2(ln N − H_t))/σ, where a random energy model has the entropy H_t, if it lies beyond the reach of a first step that wants to go there.
fn far_start(beta: f64, reading: &Reading, target: f64, clip: Option<Clip>) -> Option<f64> {
    let Some(Clip::Factor(factor)) = clip else { return None };
    let far = |to: f64| if reading.entropy < target { to < beta / factor } else { to > beta * factor };
    // Without a variance Newton's step has no length, only a direction.
    let wanted = squared(beta, reading, reading.entropy - target, 1.0, 1.0);
    let start = libm::sqrt(2.0 * (reading.ln_n - target)) / reading.sigma;
    ((reading.variance == 0.0 || far(wanted)) && start.is_finite() && start > 0.0 && far(start))
        .then_some(start)
}

/// `wanted`, or as near to it as the clip allows.
fn clipped(clip: Option<Clip>, beta: f64, wanted: f64, spread: f64) -> f64 {
    match clip {
        None => wanted,
        Some(Clip::Absolute(most)) => wanted.clamp(beta - most, beta + most),
        // From β = 0 no factor leads anywhere: the first step is taken whole.
        Some(Clip::Factor(factor)) if beta > 0.0 => wanted.clamp(beta / factor, beta * factor),
        Some(Clip::Factor(_)) => wanted,
        Some(Clip::Radius) => {
            let most = analytic_radius(spread);
            wanted.clamp((beta - most).max(0.0), beta + most)
        }
    }
}
