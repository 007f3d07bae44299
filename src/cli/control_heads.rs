//! What `ceas control` does to every head, and what its gates save over all of them.

use std::num::NonZeroU32;

use anyhow::Context;
use ceas_npu::mapping::attention::{Sampler, Sampling, sample_head, textbook_beta};
use ceas_npu::mapping::control::defaults::{self, Scale};
use ceas_npu::mapping::control::{
    Control, GateRule, GateTrace, Gated, HeadControl, TokenScore, Tolerance, Variant, gate_head, stream,
    threshold, top_share,
};
use ceas_npu::mapping::criticality::Rows;
use ceas_npu::mapping::heads::HeadSet;
use ceas_npu::npu_model::device;
use ceas_npu::npu_model::workload::{Shape, Workload};
use ceas_npu::sim::beta::Beta;
use ceas_npu::study;

use crate::report::control::{Gate, GateCurve, HeadLine};

/// Tokens after which the corrected controller moves in a stream.
pub const WINDOW: usize = 16;

/// What is asked of every head.
pub struct Job<'a> {
    /// The heads.
    pub set: &'a HeadSet,
    /// The column of published defaults.
    pub scale: &'static Scale,
    /// Where β starts, if not at the textbook.
    pub start: Option<Beta>,
    /// Steps of the published controllers.
    pub steps: usize,
    /// How near counts as there, in nats.
    pub tolerance: f64,
    /// S.
    pub samples: NonZeroU32,
    /// Seed.
    pub seed: u64,
    /// Rows with fewer keys are left out.
    pub least: usize,
    /// The controllers.
    pub variants: &'a [Variant],
}

/// The gates that are compared: a name, and the rule.
fn gate_rules(scale: &Scale) -> Vec<(String, GateRule)> {
    let late = 1_000_000;
    let least = defaults::LEAST_TOKENS[0];
    let published = |t: u64, top_share: f64| GateRule {
        score: TokenScore::Published,
        threshold: threshold(scale, t),
        top_share,
        least,
    };
    let by_rank =
        |score: TokenScore, top_share: f64| GateRule { score, threshold: f64::INFINITY, top_share, least };
    let over_beta_c = GateRule {
        score: TokenScore::OverBetaC,
        threshold: defaults::GATE_OVER_BETA_C,
        top_share: 0.0,
        least,
    };
    vec![
        (format!("published, start: T ≥ {} or top 55 %", scale.gate_first), published(0, top_share(0))),
        (format!("published, end: T ≥ {} or top 75 %", scale.gate_last), published(late, top_share(late))),
        (format!("published, T ≥ {} alone", scale.gate_first), published(0, 0.0)),
        ("T by rank: top 55 %".into(), by_rank(TokenScore::Published, 0.55)),
        ("T by rank: top 75 %".into(), by_rank(TokenScore::Published, 0.75)),
        (format!("corrected: β/β_c ≥ {}", defaults::GATE_OVER_BETA_C), over_beta_c),
        ("corrected: C, top 75 %".into(), by_rank(TokenScore::SpecificHeat, 0.75)),
    ]
}

/// Shares that are kept along the curves of a figure.
const KEPT: [f64; 9] = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

impl Job<'_> {
    /// One head: trajectories, rules, streams, gates.
    pub fn head(&self, (index, head): (usize, usize)) -> anyhow::Result<HeadLine> {
        let view = self.set.head(index, head);
        let place = (index * self.set.heads() + head) as u64;
        let layer = self.set.layer_number(index);
        let control = HeadControl::new(
            (layer, head),
            &view,
            self.least,
            self.variants,
            self.start,
            self.steps,
            Tolerance(self.tolerance),
            (self.seed, place),
        )
        .with_context(|| format!("head {layer}.{head}"))?;
        let rows = Rows::of_head(&view, self.least)?;
        let textbook = textbook_beta(self.set.d_head());
        let published = Control { smoothed: true, ..self.variants[0].control };
        let start = self.start.unwrap_or(textbook);
        let streamed = [
            stream(&rows, published, start, 1),
            stream(&rows, self.variants[Variant::CORRECTED].control, start, WINDOW),
        ];
        let passing = [0, Variant::CORRECTED]
            .map(|variant| GateTrace::new(&rows, self.scale, &control.traces[variant].moments));
        let sampling =
            Sampling { beta: textbook, samples: self.samples, sampler: Sampler::Race, seed: self.seed };
        let sample = sample_head(&view, place, &sampling)?;
        let gates: Vec<Gated> =
            gate_rules(self.scale).iter().map(|(_, rule)| gate_head(&view, &sample, rule)).collect();
        let scores = [TokenScore::Published, TokenScore::OverBetaC, TokenScore::SpecificHeat];
        let curves = scores.map(|score| {
            let at = |kept: f64| {
                let rule = GateRule { score, threshold: f64::INFINITY, top_share: kept, least: 1 };
                let gated = gate_head(&view, &sample, &rule);
                (kept, gated.error, gated.error_evenly)
            };
            GateCurve { score, points: KEPT.map(at).into() }
        });
        let pairs: Vec<u64> = (0..view.q.nrows()).map(|query| view.keys(query).count() as u64).collect();
        let score_quantiles = sample.rows.iter().map(|row| TokenScore::Published.of(row)).collect();
        Ok(HeadLine {
            control,
            streamed,
            passing,
            gates,
            curves: curves.into(),
            pairs,
            scores: score_quantiles,
        })
    }

    /// What every gate saves and costs over all heads.
    pub fn gates(&self, heads: &[HeadLine]) -> anyhow::Result<Vec<Gate>> {
        let set = self.set;
        let keys = set.key_mask().iter().filter(|exists| **exists).count() as u64;
        let devices = device::compared();
        gate_rules(self.scale)
            .into_iter()
            .enumerate()
            .map(|(number, (name, rule))| {
                let priced: anyhow::Result<Vec<_>> = heads
                    .iter()
                    .map(|head| {
                        let shape = Shape {
                            n_queries: set.n_queries() as u64,
                            n_keys: keys,
                            d_head: set.d_head() as u64,
                            d_value: set.d_value() as u64,
                            pairs: head.pairs.iter().sum(),
                            causal: set.is_causal(),
                        };
                        let gated = &head.gates[number];
                        let kept =
                            head.pairs.iter().zip(&gated.kept).filter(|(_, keep)| **keep).map(|(n, _)| n);
                        Ok((Workload::new(1, 1, shape)?, gated, kept.sum()))
                    })
                    .collect();
                let costs = study::gate_costs(&devices, &priced?)?;
                let gated: Vec<&Gated> = heads.iter().map(|head| &head.gates[number]).collect();
                Ok(Gate::new(name, rule, &gated, costs))
            })
            .collect()
    }
}
