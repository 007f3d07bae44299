//! The non-linearity of a feed-forward block as p-bits: x·φ(x) with φ the mean of a spin in the field x
//! ([`crate::feed_forward`]).

use std::num::NonZeroU32;

use ceas_sim::activity::Activity;
use ceas_sim::potts::Binomial;
use ceas_sim::stream::Stream;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, Axis};

use crate::feed_forward::Activation as Unit;
use crate::reference::layer::Activation;

/// The unit whose mean is an activation of a model.
pub fn unit(activation: Activation) -> Unit {
    match activation {
        Activation::Silu => Unit::Silu,
        Activation::Gelu => Unit::Gelu,
        Activation::GeluTanh => Unit::GeluTanh,
        Activation::Relu => Unit::Relu,
    }
}

/// x ← x·b/S for every element, b the number of S read-outs at which its gate was up; a stream for each row.
pub(super) fn sample(
    x: &mut Array2<f32>,
    activation: Activation,
    samples: NonZeroU32,
    streams: impl Fn(usize) -> Stream + Sync,
) -> Activity {
    let (s, unit) = (u64::from(samples.get()), unit(activation));
    x.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(row, mut x)| {
        let mut stream = streams(row);
        for x in &mut x {
            let (field, up) = (f64::from(*x), unit.up(f64::from(*x)));
            *x = (field * Binomial { n: s, p: up }.draw(&mut stream) as f64 / s as f64) as f32;
        }
    });
    let gates = x.len() as u64;
    Activity {
        attempts: gates * s,
        field_writes: gates,
        random_bits: 32 * gates * s,
        read_outs: gates * s,
        decoder_adds: gates * s,
        ..Activity::default()
    }
}
