//! The thermostat over a stream of tokens: every token brings one row, seen once, at the β of the moment.

use ceas_sim::beta::Beta;
use serde::Serialize;

use super::reading::Reading;
use super::thermostat::{Control, Moment, Thermostat};
use crate::criticality::{RowState, Rows};

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

/// Lets every row of a head pass once, in order, moving β after every `window` ≥ 1 tokens on their mean. Memory does not grow with the stream
/// (what is kept here is kept for the plot).
pub fn stream(rows: &Rows, control: Control, start: Beta, window: usize) -> Streamed {
    let mut thermostat = Thermostat::new(control, start);
    let mut moments = Vec::with_capacity(rows.len());
    let mut sum = Reading::default();
    let mut seen = 0.0;
    for row in 0..rows.len() {
        let beta = Beta::new(thermostat.beta()).unwrap_or(start);
        let RowState { entropy, variance, third, .. } = rows.state(row, beta);
        let ln_n = libm::log(rows.keys(row) as f64);
        let now = Reading { entropy, variance, third, ln_n, sigma: rows.sigma(row), ..Reading::default() };
        moments.push(Moment {
            beta: beta.value(),
            entropy,
            seen: entropy,
            target: control.target.nats(&now),
            specific_heat: beta.value() * beta.value() * variance,
        });
        seen += 1.0;
        sum.entropy += entropy;
        sum.variance += variance;
        sum.third += third;
        sum.ln_n += ln_n;
        sum.sigma += rows.sigma(row);
        sum.spread = sum.spread.max(-rows.gaps(row).last().copied().unwrap_or(0.0));
        if seen as usize >= window {
            let mean = Reading {
                entropy: sum.entropy / seen,
                variance: sum.variance / seen,
                third: sum.third / seen,
                ln_n: sum.ln_n / seen,
                sigma: sum.sigma / seen,
                ..sum
            };
            thermostat.observe(&mean);
            (sum, seen) = (Reading::default(), 0.0);
        }
    }
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
