//! What flaws make of the law of one attention row.

use super::{FIELD_RANGE, NonIdeal, rounded_below};
use crate::pbits::Noise;

/// Frozen flaws of the units of one row, and the row's own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowFlaws {
    /// Offset of every field, in kT; empty for none.
    pub offsets: Vec<f64>,
    /// Whether a unit is stuck, and at what; empty for none.
    pub stuck: Vec<Option<bool>>,
}

impl RowFlaws {
    /// Turns scores into the law of a read-out, in place: `x` holds βs_j of every key, −∞ for an absent one, and then p_j.
    ///
    /// In this order: stuck units, offsets, rounding of the field below its largest, the drift of β as an average over eight moments, the
    /// comparators' noise, wrong read-outs (another state, all equally likely). A unit that is stuck on wins every race; if several are, each
    /// does as often. With a comparator of another shape the row stands on uncoupled p-bits of which one is up on average: a valid
    /// read-out has p_j ∝ F(x_j)/(1 − F(x_j)), which is softmax for logistic noise only.
    pub fn apply(&self, flaws: &NonIdeal, x: &mut [f64]) {
        let stuck_on = self.stuck.iter().filter(|stuck| **stuck == Some(true)).count();
        for (j, x) in x.iter_mut().enumerate() {
            match self.stuck.get(j) {
                Some(Some(false)) => *x = f64::NEG_INFINITY,
                Some(Some(true)) => *x = 0.0,
                _ if stuck_on > 0 => *x = f64::NEG_INFINITY,
                _ => *x += self.offsets.get(j).copied().unwrap_or(0.0),
            }
        }
        let high = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if high == f64::NEG_INFINITY {
            // Every unit of the row is stuck off: it reads nothing.
            x.fill(0.0);
            return;
        }
        for x in x.iter_mut().filter(|x| x.is_finite()) {
            *x -= high;
            if let Some(bits) = flaws.field_bits {
                *x = rounded_below(*x, FIELD_RANGE, bits);
            }
        }
        if flaws.beta_drift == 0.0 {
            law(flaws, x);
        } else {
            const MOMENTS: u32 = 8;
            let start = x.to_vec();
            let mut mean = vec![0.0; x.len()];
            for moment in 0..MOMENTS {
                let factor = 1.0 + flaws.beta_drift * (f64::from(moment) + 0.5) / f64::from(MOMENTS);
                x.iter_mut().zip(&start).for_each(|(x, start)| *x = factor * start);
                law(flaws, x);
                mean.iter_mut().zip(&*x).for_each(|(mean, p)| *mean += p / f64::from(MOMENTS));
            }
            x.copy_from_slice(&mean);
        }
        if flaws.read_out_error > 0.0 {
            let states = x.iter().filter(|p| **p > 0.0).count() as f64;
            for p in x.iter_mut().filter(|p| **p > 0.0) {
                *p = (1.0 - flaws.read_out_error) * *p + flaws.read_out_error / states;
            }
        }
    }
}

/// The law of the row whose gaps are `x`.
fn law(flaws: &NonIdeal, x: &mut [f64]) {
    match flaws.comparator {
        None | Some(Noise::Logistic) => x.iter_mut().for_each(|x| *x = libm::exp(*x)),
        Some(noise) => {
            let mu = one_up(noise, x);
            for x in x.iter_mut() {
                // 1 − F(x) = F(−x) for a symmetric noise, without cancellation.
                *x = noise.up(*x + mu) / noise.up(-(*x + mu)).max(f64::MIN_POSITIVE);
            }
        }
    }
    let z: f64 = x.iter().sum();
    x.iter_mut().for_each(|p| *p /= z);
}

/// The offset at which one bit is up on average, Σ F(x_j + μ) = 1; at most 30 where one state outweighs all others.
fn one_up(noise: Noise, x: &[f64]) -> f64 {
    let (mut low, mut high) = (-30.0, 30.0);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        let up: f64 = x.iter().map(|x| noise.up(x + middle)).sum();
        if up > 1.0 { high = middle } else { low = middle }
    }
    0.5 * (low + high)
}
