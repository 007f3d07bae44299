//! Metropolis dynamics of one Potts spin.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::potts::PottsSpin;
use crate::stream::{Stream, Streams};
use crate::update::Update;

/// Proposes one of the N present states, each equally likely *and the present one included*, and accepts with
/// min(1, e^(β(h_new − h_old))).
///
/// With that proposal the chain is an independence sampler, whose spectrum is known in closed form (J. S. Liu, Statistics
/// and Computing 6, 113 (1996), doi:10.1007/BF00162521): see [`crate::potts::MetropolisSpectrum`].
///
/// Activity of one sweep: 1 attempt (the system is one spin), 1 flip if the state changed, 64 random bits for the proposal
/// and 64 more where acceptance is left to chance. State: the label.
#[derive(Debug, Clone, Copy, Default)]
pub struct Metropolis;

impl Update for Metropolis {
    type Model = PottsSpin;
    type State = usize;

    #[inline]
    fn sweep(&mut self, model: &PottsSpin, state: &mut usize, beta: Beta, streams: &mut Streams) -> Activity {
        let stream = streams.first();
        let proposed = uniform_state(model, stream);
        let difference = beta.value() * (model.gap(proposed) - model.gap(*state));
        let mut random_bits = 64;
        let accepted = difference >= 0.0 || {
            random_bits += 64;
            stream.uniform() < libm::exp(difference)
        };
        let flips = u64::from(accepted && proposed != *state);
        if accepted {
            *state = proposed;
        }
        Activity { attempts: 1, flips, random_bits, ..Activity::default() }
    }
}

/// A present state, each equally likely: the law at β = 0, where an anneal begins.
#[inline]
pub fn uniform_state(spin: &PottsSpin, stream: &mut Stream) -> usize {
    spin.label(stream.below(spin.states() as u64) as usize)
}
