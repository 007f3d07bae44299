//! The non-linearity of a feed-forward block as p-bits: x·φ(x) with φ the mean of a spin in the field x.

use std::num::NonZeroU32;

use ceas_sim::activity::Activity;
use ceas_sim::potts::Binomial;
use ceas_sim::stream::Stream;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, Axis};

use crate::reference::layer::Activation;

/// Probability that the gate of pre-activation x is up: act(x) = x·φ(x). `None` for ReLU, the gate at β → ∞, which never fluctuates.
///
/// SiLU: φ = σ(x), one p-bit in the field x at β = 1. GELU: φ = Φ(x), a comparator with Gaussian noise. Its tanh form is a p-bit in the
/// field 2√(2/π)(x + 0.044715x³).
pub(super) fn probability(activation: Activation, x: f32) -> Option<f64> {
    let x = f64::from(x);
    Some(match activation {
        Activation::Silu => 1.0 / (1.0 + libm::exp(-x)),
        Activation::Gelu => 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2),
        Activation::GeluTanh => {
            // 2√(2/π)
            const RATE: f64 = 1.595_769_121_605_730_7;
            1.0 / (1.0 + libm::exp(-RATE * (x + 0.044_715 * x * x * x)))
        }
        Activation::Relu => return None,
    })
}

/// x ← x·b/S for every element, b the number of S read-outs at which its gate was up; a stream for each row.
pub(super) fn sample(
    x: &mut Array2<f32>,
    activation: Activation,
    samples: NonZeroU32,
    streams: impl Fn(usize) -> Stream + Sync,
) -> Activity {
    let s = u64::from(samples.get());
    x.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(row, mut x)| {
        let mut stream = streams(row);
        for x in &mut x {
            *x = match probability(activation, *x) {
                Some(p) => (f64::from(*x) * Binomial { n: s, p }.draw(&mut stream) as f64 / s as f64) as f32,
                None => activation.value(*x),
            };
        }
    });
    let gates = x.len() as u64;
    if activation == Activation::Relu {
        return Activity::default();
    }
    Activity {
        attempts: gates * s,
        field_writes: gates,
        random_bits: 32 * gates * s,
        read_outs: gates * s,
        decoder_adds: gates * s,
        ..Activity::default()
    }
}
