//! The published gates along a trajectory: which share of queries passes at every step, and when the head is frozen.

use ceas_sim::beta::Beta;
use serde::Serialize;

use super::defaults::{FREEZE_BELOW, LEAST_TOKENS, Scale};
use super::gate::{Freezing, GateRule, TokenScore, published_score, threshold, top_share};
use super::thermostat::Moment;
use crate::criticality::Rows;

/// What the gates of step t make of a head at its moment t.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateTrace {
    /// Share of queries kept, \[moment\]: T = βσ√(2H) ≥ T_gate(t), or among the share q(t) of highest T, and m_min at least.
    pub kept: Vec<f64>,
    /// Whether the head is frozen, \[moment\]: H ≤ ln N − 0.9 for w steps in a row.
    pub frozen: Vec<bool>,
}

impl GateTrace {
    /// Judges the rows of a head at the β of every moment.
    ///
    /// ```
    /// use ceas_mapping::control::{GateTrace, Source, Target, Tolerance, Variant, defaults::SCALES, run};
    /// use ceas_mapping::criticality::gaussian_rows;
    /// use ceas_sim::beta::Beta;
    /// let rows = gaussian_rows(64, 100, 1).unwrap();
    /// let published = Variant::all(&SCALES[0], Target::PUBLISHED, Source::Exact)[0].control;
    /// let trace = run(&rows, published, Beta::new(0.05).unwrap(), 60, Tolerance(0.01), (0, 0)).unwrap();
    /// let gates = GateTrace::new(&rows, &SCALES[0], &trace.moments);
    /// // T = βσ√(2H) is 0.14 at first: the top 55 % are kept, and no more; at the target every query passes.
    /// assert_eq!((gates.kept[0], gates.kept[60]), (0.55, 1.0));
    /// ```
    pub fn new(rows: &Rows, scale: &Scale, moments: &[Moment]) -> Self {
        let mut freezing = Freezing::new(scale.freeze_after);
        let freeze_at = rows.mean_ln_n() - FREEZE_BELOW;
        let mut scores = Vec::new();
        let (kept, frozen) = (0..)
            .zip(moments)
            .map(|(t, moment)| {
                scores.clear();
                // A β that a step has made is one.
                if let Ok(beta) = Beta::new(moment.beta) {
                    scores.extend((0..rows.len()).map(|row| {
                        published_score(moment.beta, rows.sigma(row), rows.state(row, beta).entropy)
                    }));
                }
                let rule = GateRule {
                    score: TokenScore::Published,
                    threshold: threshold(scale, t),
                    top_share: top_share(t),
                    least: LEAST_TOKENS[0],
                };
                let kept = rule.keep(&scores).into_iter().filter(|keep| *keep).count();
                (kept as f64 / rows.len() as f64, freezing.observe(moment.entropy, freeze_at))
            })
            .unzip();
        Self { kept, frozen }
    }
}
