//! Heat bath: the spin is drawn afresh from its law.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::potts::PottsSpin;
use crate::potts::weights::Weights;
use crate::stream::Streams;
use crate::update::Update;

/// Draws the state from the law by inverting its cumulative sum; successive states are independent.
///
/// Activity of one sweep: N attempts (every present state competes), 1 flip if the state changed, 64 random bits (one
/// uniform number). State: the label.
///
/// ```
/// use ceas_sim::{beta::Beta, plan::Plan, potts::{HeatBath, PottsSpin}, run::Run, schedule::Schedule};
/// use ceas_sim::stream::{Purpose, Streams};
/// let spin = PottsSpin::new(&[0.0, 1.0]).unwrap();
/// let schedule = Schedule::Constant(Beta::new(1.0).unwrap());
/// let mut run = Run::new(&spin, 0, HeatBath::default(), schedule, Streams::new(1, Purpose::Update, 0, 1));
/// let mut ones = 0;
/// run.drive(&Plan { thermalization: 0, sweeps: 10_000, every: 1 }, |run| {
///     ones += *run.state();
///     std::ops::ControlFlow::Continue(())
/// });
/// assert!((ones as f64 / 10_000.0 - 1.0 / (1.0 + (-1f64).exp())).abs() < 0.03);
/// ```
#[derive(Debug, Clone, Default)]
pub struct HeatBath {
    cumulative: Weights,
}

/// Sums of the weights from the largest on.
fn cumulative(beta: f64, gaps: &[f64], out: &mut Vec<f64>) {
    let mut sum = 0.0;
    out.extend(gaps.iter().map(|&gap| {
        sum += libm::exp(beta * gap);
        sum
    }));
}

impl Update for HeatBath {
    type Model = PottsSpin;
    type State = usize;

    #[inline]
    fn sweep(&mut self, model: &PottsSpin, state: &mut usize, beta: Beta, streams: &mut Streams) -> Activity {
        let sums = self.cumulative.of(model, beta, cumulative);
        let rank = invert(sums, streams.first().uniform());
        let drawn = model.label(rank);
        let flips = u64::from(drawn != *state);
        *state = drawn;
        Activity { attempts: model.states() as u64, flips, random_bits: 64, ..Activity::default() }
    }
}

/// The first rank whose cumulative sum exceeds `u` × the total; `u` in \[0, 1).
#[inline]
pub(super) fn invert(sums: &[f64], u: f64) -> usize {
    let target = u * sums[sums.len() - 1];
    // u · total may round up to the total: the last rank that adds anything is meant then.
    sums.partition_point(|&sum| sum <= target).min(sums.partition_point(|&sum| sum < sums[sums.len() - 1]))
}
