//! The thermostat over a stream of tokens: every token brings one row, seen once, at the β of the moment.

use ceas_sim::beta::Beta;
use serde::Serialize;

use super::reading::Reading;
use super::thermostat::{Control, Moment, Thermostat};
use crate::criticality::{Rows, sigma_of, state_of};

/// A controlled head that sees one row after another. What it keeps does not grow with the stream.
///
/// ```
/// use ceas_mapping::control::{Control, Source, Step, Target, TokenStream};
/// use ceas_sim::beta::Beta;
/// let control = Control {
///     step: Step::corrected(), target: Target::Nats(0.8), smoothed: false, margin: None, source: Source::Exact,
/// };
/// let mut head = TokenStream::new(control, Beta::new(1.0).unwrap(), 1);
/// let mut row = [2.0, 0.5, 1.0, -1.0];
/// for _ in 0..6 {
///     head.push_scores(&mut row);
/// }
/// assert!((head.push_scores(&mut row).unwrap().entropy - 0.8).abs() < 1e-6);
/// ```
#[derive(Debug, Clone)]
pub struct TokenStream {
    thermostat: Thermostat,
    control: Control,
    start: Beta,
    window: usize,
    sum: Reading,
    seen: usize,
}

impl TokenStream {
    /// A head at `start` whose β moves after every `window` tokens (at least 1), on their mean.
    pub fn new(control: Control, start: Beta, window: usize) -> Self {
        let thermostat = Thermostat::new(control, start);
        Self { thermostat, control, start, window: window.max(1), sum: Reading::default(), seen: 0 }
    }

    /// The β that the next row meets.
    pub fn beta(&self) -> Beta {
        Beta::new(self.thermostat.beta()).unwrap_or(self.start)
    }

    /// Takes the row of one token, its scores in any order (they are sorted in place), and tells what the row was at the β it met. `None`, and nothing
    /// happens, if there is no score or one is not finite.
    pub fn push_scores(&mut self, scores: &mut [f64]) -> Option<Moment> {
        if scores.is_empty() || !scores.iter().all(|score| score.is_finite()) {
            return None;
        }
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        let top = scores[0];
        scores.iter_mut().for_each(|score| *score -= top);
        Some(self.push(scores))
    }

    /// The same of scores below the highest, in descending order and 0 first.
    fn push(&mut self, gaps: &[f64]) -> Moment {
        let beta = self.beta();
        let state = state_of(gaps, beta.value());
        let now = Reading {
            entropy: state.entropy,
            variance: state.variance,
            third: state.third,
            ln_n: libm::log(gaps.len() as f64),
            sigma: sigma_of(gaps),
            spread: -gaps[gaps.len() - 1],
            ..Reading::default()
        };
        self.seen += 1;
        self.sum.entropy += now.entropy;
        self.sum.variance += now.variance;
        self.sum.third += now.third;
        self.sum.ln_n += now.ln_n;
        self.sum.sigma += now.sigma;
        self.sum.spread = self.sum.spread.max(now.spread);
        if self.seen >= self.window {
            let count = self.seen as f64;
            let mean = Reading {
                entropy: self.sum.entropy / count,
                variance: self.sum.variance / count,
                third: self.sum.third / count,
                ln_n: self.sum.ln_n / count,
                sigma: self.sum.sigma / count,
                ..self.sum
            };
            self.thermostat.observe(&mean);
            (self.sum, self.seen) = (Reading::default(), 0);
        }
        Moment {
            beta: beta.value(),
            entropy: now.entropy,
            seen: now.entropy,
            target: self.control.target.nats(&now),
            specific_heat: beta.value() * beta.value() * now.variance,
        }
    }
}

/// A head whose rows came one after another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Streamed {
    /// One moment per token: H and C of its row at the β it met.
    pub moments: Vec<Moment>,
    /// Root mean square of H − H_t over the last half of the tokens, in nats: with a perfect controller it is the scatter of the rows.
    pub deviation: f64,
    /// Mean of H − H_t over the last half.
    pub offset: f64,
    /// Greatest over least β of the last half.
    pub swing: f64,
}

/// Lets every row of a head pass once through a [`TokenStream`], in order, and keeps what happened.
pub fn stream(rows: &Rows, control: Control, start: Beta, window: usize) -> Streamed {
    let mut head = TokenStream::new(control, start, window);
    let moments: Vec<Moment> = (0..rows.len()).map(|row| head.push(rows.gaps(row))).collect();
    let half = &moments[moments.len() / 2..];
    let count = half.len() as f64;
    let error = |m: &Moment| m.entropy - m.target;
    let low = half.iter().map(|m| m.beta).fold(f64::INFINITY, f64::min);
    let high = half.iter().map(|m| m.beta).fold(0.0, f64::max);
    Streamed {
        deviation: libm::sqrt(half.iter().map(|m| error(m) * error(m)).sum::<f64>() / count),
        offset: half.iter().map(error).sum::<f64>() / count,
        swing: high / low,
        moments,
    }
}
