//! All observables of one head together.

use std::ops::ControlFlow;

use ceas_sim::beta::Beta;
use ceas_sim::plan::Plan;
use ceas_sim::potts::{Metropolis, uniform_state};
use ceas_sim::run::Run;
use ceas_sim::schedule::Schedule;
use ceas_sim::stream::{Purpose, Stream, Streams};
use serde::Serialize;

use super::allocation::Allocation;
use super::efficiency::{enough_samples, of_read_out};
use super::entropies::renyi;
use super::genuineness::{Genuineness, ZScored};
use super::production::EntropyProduction;
use super::token_cost::TokenCost;
use crate::attention::{Row, textbook_beta};
use crate::error::Error;
use crate::heads::Head;

/// Thresholds of a collapse by z-score, and the window of its averages in tokens.
const Z: (f64, f64, f64) = (2.0, 0.5, 16.0);

/// Observables of one head at the textbook β. What needs more than there is (two tokens for a change, say) is `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeadDiagnosis {
    /// Number of the layer.
    pub layer: usize,
    /// Head within the layer.
    pub head: usize,
    /// H of every query, in nats.
    #[serde(skip)]
    pub entropies: Vec<f64>,
    /// Mean H, in nats.
    pub shannon: f64,
    /// Mean Rényi entropy of order 2, in nats.
    pub renyi_2: f64,
    /// Mean Rényi entropy of order ∞, −ln p_max, in nats.
    pub renyi_infinity: f64,
    /// η at S read-outs: Σ|o|²/(Σ|o|² + ΣV/S).
    pub efficiency: f64,
    /// S at which one more read-out lowers ΣV/(S Σ|o|²) by less than 10⁻⁵; `None` if the head puts out nothing.
    pub enough: Option<u64>,
    /// Noise saved by S_i ∝ √(V_i/N_i) at equal cost.
    pub allocation_gain: f64,
    /// X/T, in bits; `None` if the tokens are not known.
    pub token_cost: Option<f64>,
    /// Var(H) over the queries, in bits².
    pub variance: Option<f64>,
    /// Share of token-to-token changes below −0.2 bits.
    pub collapse_rate: Option<f64>,
    /// Var(H) + collapse rate, as published.
    pub genuineness: Option<f64>,
    /// Collapses by z-score with hysteresis.
    pub z_collapses: u64,
    /// Mean entropy production of an anneal from β₀/10 to β₀ in 2N sweeps, in k_B per query.
    pub production: f64,
}

impl HeadDiagnosis {
    /// Looks at a head. `surprisal` is I(j) of every key's token, in bits; `samples` the S of η; `place` keys the streams of `seed`.
    ///
    /// # Errors
    /// Those of [`Row::new`].
    pub fn new(
        (layer, head): (usize, usize),
        view: &Head<'_>,
        surprisal: Option<&[f64]>,
        samples: u64,
        (seed, place): (u64, u64),
    ) -> Result<Self, Error> {
        let beta = textbook_beta(view.q.ncols());
        let rows: Result<Vec<Row>, Error> =
            (0..view.q.nrows()).map(|query| Row::new(view, query, beta)).collect();
        let rows = rows?;
        let count = rows.len() as f64;
        let mean = |f: &dyn Fn(&Row) -> f64| rows.iter().map(f).sum::<f64>() / count;
        let entropies: Vec<f64> = rows.iter().map(|row| row.law.entropy()).collect();
        let mut genuineness = Genuineness::default();
        let mut scored = ZScored::new(Z.0, Z.1, Z.2).expect("the thresholds are sound");
        for &h in &entropies {
            genuineness.add(h / std::f64::consts::LN_2);
            scored.add(h);
        }
        let mut cost = TokenCost::default();
        if let Some(surprisal) = surprisal {
            rows.iter().for_each(|row| cost.add(row.law.probabilities(), surprisal));
        }
        let signal: f64 = rows.iter().map(|row| row.signal).sum();
        let variances: Vec<f64> = rows.iter().map(|row| row.variance).collect();
        let noise: f64 = variances.iter().sum();
        let costs: Vec<f64> = rows.iter().map(|row| row.spin.states() as f64).collect();
        Ok(Self {
            layer,
            head,
            shannon: mean(&|row| row.law.entropy()),
            renyi_2: mean(&|row| renyi(row.law.probabilities(), 2.0)),
            renyi_infinity: mean(&|row| renyi(row.law.probabilities(), f64::INFINITY)),
            efficiency: of_read_out(signal, noise, samples),
            enough: (signal > 0.0).then(|| enough_samples(noise / signal, 1e-5)).flatten(),
            allocation_gain: Allocation::new(&variances, &costs, samples)?.gain(),
            token_cost: cost.average(),
            variance: genuineness.variance(),
            collapse_rate: genuineness.collapse_rate(),
            genuineness: genuineness.published(),
            z_collapses: scored.events(),
            production: produced(&rows, beta, seed, place)?,
            entropies,
        })
    }
}

/// Mean entropy production of an anneal over the rows.
fn produced(rows: &[Row], beta: Beta, seed: u64, place: u64) -> Result<f64, Error> {
    let mut total = 0.0;
    for (query, row) in rows.iter().enumerate() {
        let replica = (place << 32) | query as u64;
        let sweeps = 2 * row.spin.states() as u64;
        let schedule = Schedule::geometric(Beta::new(0.1 * beta.value())?, beta, sweeps)?;
        let start = uniform_state(&row.spin, &mut Stream::new(seed, Purpose::Initial, replica, 0));
        let streams = Streams::new(seed, Purpose::Ensemble, replica, 1);
        let mut bath = EntropyProduction::default();
        let mut energy = -row.spin.gap(start);
        let mut run = Run::new(&row.spin, start, Metropolis, schedule, streams);
        run.drive(&Plan { thermalization: 0, sweeps, every: 1 }, |run| {
            let next = -row.spin.gap(*run.state());
            bath.step_of_energies(run.beta().value(), energy, next);
            energy = next;
            ControlFlow::Continue(())
        });
        total += bath.total();
    }
    Ok(total / rows.len() as f64)
}
