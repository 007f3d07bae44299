//! What `ceas control` shows: heads, variants, rules, gates, as table, JSON document and picture.

#[cfg(feature = "hdf5")]
pub mod archive;
mod figure;
mod over_steps;
mod text;

use ceas_npu::mapping::attention::Quantiles;
use ceas_npu::mapping::control::defaults::Scale;
use ceas_npu::mapping::control::{
    GateRule, GateTrace, Gated, HeadControl, Outcome, Source, Streamed, Target, TokenScore, Variant,
};
use ceas_npu::mapping::heads::Origin;
use ceas_npu::study::{Effect, GateCost, Surprise};
use serde::Serialize;
use serde_json::{Value, json};

use super::panels::Panels;
use super::present::{Answer, command_line};

/// Everything found about one head.
pub struct HeadLine {
    /// Control and rules.
    pub control: HeadControl,
    /// Its rows as a stream: published, corrected.
    pub streamed: [Streamed; 2],
    /// The published gates along its trajectories: published, corrected.
    pub passing: [GateTrace; 2],
    /// One for each gate.
    pub gates: Vec<Gated>,
    /// Error against share kept, by each score.
    pub curves: Vec<GateCurve>,
    /// Keys that each query sees.
    pub pairs: Vec<u64>,
    /// The published score of every query.
    pub scores: Vec<f64>,
}

/// Error of a head against the share of queries kept by rank.
pub struct GateCurve {
    /// The score that ranks.
    pub score: TokenScore,
    /// Share kept, error of gating, error of spending the same events on all queries.
    pub points: Vec<(f64, f64, f64)>,
}

/// One gate over all heads.
#[derive(Serialize)]
pub struct Gate {
    /// What it is.
    pub name: String,
    /// The rule.
    pub rule: GateRule,
    /// Share of all queries that is pruned.
    pub pruned: f64,
    /// Attempts saved of all.
    pub attempts_saved: f64,
    /// Relative output error without gating, median over the heads.
    pub error_full: f64,
    /// With gating.
    pub error: f64,
    /// What no number of read-outs removes.
    pub bias: f64,
    /// The same if a pruned query puts out nothing.
    pub bias_if_silent: f64,
    /// The error if the same events were saved by reading all queries less often.
    pub error_evenly: f64,
    /// Energy on devices.
    pub costs: Vec<GateCost>,
}

impl Gate {
    /// From the heads and their prices.
    pub fn new(name: String, rule: GateRule, heads: &[&Gated], costs: Vec<GateCost>) -> Self {
        let median = |f: &dyn Fn(&Gated) -> f64| Quantiles::of(heads.iter().map(|g| f(g))).median;
        let queries: usize = heads.iter().map(|g| g.kept.len()).sum();
        let kept: usize = heads.iter().map(|g| g.kept.iter().filter(|k| **k).count()).sum();
        let attempts = |f: &dyn Fn(&Gated) -> u64| heads.iter().map(|g| f(g)).sum::<u64>() as f64;
        Self {
            name,
            rule,
            pruned: 1.0 - kept as f64 / queries as f64,
            attempts_saved: 1.0
                - attempts(&|g| g.activity.attempts) / attempts(&|g| g.full.attempts).max(1.0),
            error_full: median(&|g| g.error_full),
            error: median(&|g| g.error),
            bias: median(&|g| g.bias),
            bias_if_silent: median(&|g| g.bias_if_silent),
            error_evenly: median(&|g| g.error_evenly),
            costs,
        }
    }
}

/// A controller over streams of tokens, all heads together.
#[derive(Serialize)]
pub struct StreamLine {
    /// What it is.
    pub name: String,
    /// Root mean square of H − H_t over the last half of the tokens.
    pub deviation: Quantiles,
    /// Mean of H − H_t over the same.
    pub offset: Quantiles,
    /// Greatest over least β of the same.
    pub swing: Quantiles,
}

impl StreamLine {
    /// Quantiles over the heads.
    pub fn new<'a>(name: String, heads: impl Iterator<Item = &'a Streamed> + Clone) -> Self {
        let over = |f: fn(&Streamed) -> f64| Quantiles::of(heads.clone().map(f));
        Self { name, deviation: over(|s| s.deviation), offset: over(|s| s.offset), swing: over(|s| s.swing) }
    }
}

/// Both controllers over streams.
#[derive(Serialize)]
pub struct Streams {
    /// As published.
    pub published: StreamLine,
    /// Corrected.
    pub corrected: StreamLine,
}

/// What moving β does to a whole model.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Effects {
    /// An encoder: embeddings, and telling halves of texts apart.
    Embeddings(Vec<Effect>),
    /// A language model: the likelihood of texts.
    Likelihood {
        /// Tokens whose likelihood is measured.
        tokens: usize,
        /// Texts they come from.
        passages: usize,
        /// One for each setting.
        settings: Vec<Surprise>,
    },
}

/// The result of `ceas control`.
pub struct Controlled {
    /// Where the heads come from.
    pub origin: Origin,
    /// The column of published defaults.
    pub scale: &'static Scale,
    /// What is held.
    pub target: Target,
    /// Where H comes from.
    pub source: Source,
    /// Steps of the published controllers.
    pub steps: usize,
    /// Read-outs per query.
    pub samples: u32,
    /// Seed.
    pub seed: u64,
    /// How near counts as there.
    pub tolerance: f64,
    /// Rows with fewer keys are left out.
    pub least: usize,
    /// The controllers, in the order of every head's trajectories.
    pub variants: Vec<Variant>,
    /// The heads.
    pub heads: Vec<HeadLine>,
    /// The place of the head that was asked for.
    pub chosen: Option<usize>,
    /// Their rows as streams.
    pub streams: Streams,
    /// The gates.
    pub gates: Vec<Gate>,
    /// What moving β does to the whole model, if that was asked.
    pub effects: Option<Effects>,
    /// Wall time of everything but `effects`.
    pub seconds: f64,
}

/// How many heads ended how under one variant.
#[derive(Serialize)]
pub struct Tally {
    name: &'static str,
    converged: usize,
    limit_cycle: usize,
    runaway: usize,
    unsettled: usize,
    impossible: usize,
    /// Steps of those that converged.
    steps: Quantiles,
}

/// One rule for β over all heads.
#[derive(Serialize)]
pub struct RuleLine {
    name: &'static str,
    heads: usize,
    over_textbook: Quantiles,
    entropy_share: Quantiles,
    output_change: Quantiles,
}

impl Controlled {
    fn tallies(&self) -> Vec<Tally> {
        self.variants
            .iter()
            .enumerate()
            .map(|(number, variant)| {
                let outcomes = || self.heads.iter().map(|head| &head.control.traces[number].outcome);
                let count = |name: &str| outcomes().filter(|outcome| outcome.name() == name).count();
                Tally {
                    name: variant.name,
                    converged: count("converged"),
                    limit_cycle: count("limit cycle"),
                    runaway: count("runaway"),
                    unsettled: count("unsettled"),
                    impossible: count("impossible"),
                    steps: Quantiles::of(outcomes().filter_map(|outcome| match outcome {
                        Outcome::Converged { steps } => Some(*steps as f64),
                        _ => None,
                    })),
                }
            })
            .collect()
    }

    fn rule_lines(&self) -> Vec<RuleLine> {
        let count = self.heads.first().map_or(0, |head| head.control.rules.len());
        (0..count)
            .map(|number| {
                let some = || self.heads.iter().map(|head| (&head.control, &head.control.rules[number]));
                let with = || some().filter(|(_, rule)| rule.initial.beta.is_some());
                RuleLine {
                    name: self.heads[0].control.rules[number].initial.rule.name(),
                    heads: with().count(),
                    over_textbook: Quantiles::of(
                        with().filter_map(|(head, rule)| Some(rule.initial.beta? / head.textbook)),
                    ),
                    entropy_share: Quantiles::of(with().filter_map(|(_, rule)| rule.initial.entropy_share)),
                    output_change: Quantiles::of(with().filter_map(|(_, rule)| rule.output_change)),
                }
            })
            .collect()
    }

    /// Heads within a factor of 1.5 of their peak, and heads that have one.
    fn near_the_peak(&self) -> (usize, usize) {
        let ratios: Vec<f64> = self.heads.iter().filter_map(|head| head.control.over_peak()).collect();
        (ratios.iter().filter(|r| r.ln().abs() <= 1.5f64.ln()).count(), ratios.len())
    }

    /// The head that is shown in full: the one that was asked for, or that of middling entropy.
    fn shown(&self) -> usize {
        if let Some(chosen) = self.chosen {
            return chosen;
        }
        let mut order: Vec<usize> = (0..self.heads.len()).collect();
        let entropy = |head: usize| self.heads[head].control.entropy;
        order.sort_by(|&a, &b| entropy(a).total_cmp(&entropy(b)));
        order[order.len() / 2]
    }

    /// Quantiles of the published score over all queries of all heads, and the share below the highest published gate.
    fn published_scores(&self) -> (Quantiles, f64) {
        let all = || self.heads.iter().flat_map(|head| head.scores.iter().copied());
        let below = all().filter(|t| *t < self.scale.gate_first).count();
        (Quantiles::of(all()), below as f64 / all().count().max(1) as f64)
    }

    fn model_name(&self) -> &str {
        if self.origin.model.is_empty() { "an unnamed model" } else { &self.origin.model }
    }

    fn head_json(&self, number: usize) -> Value {
        let head = &self.heads[number].control;
        let trajectories: Vec<Value> = self
            .variants
            .iter()
            .zip(&head.traces)
            .map(|(variant, trace)| {
                let mut value = json!({
                    "variant": variant.name, "outcome": trace.outcome, "last": trace.last(),
                });
                if number == self.shown() {
                    value["moments"] = json!(trace.moments);
                }
                value
            })
            .collect();
        json!({
            "layer": head.layer, "head": head.head, "n": head.n, "d": head.d, "rows": head.rows,
            "beta": head.textbook, "entropy": head.entropy, "n_eff": head.n_eff, "ln_n": head.ln_n,
            "sigma": head.sigma, "beta_c": head.beta_c, "specific_heat": head.specific_heat, "peak": head.peak,
            "rules": head.rules, "trajectories": trajectories,
            "gates_over_steps": self.heads[number].passing,
            "gates": self.heads[number].gates.iter().map(|g| json!({
                "pruned": g.pruned, "error": g.error, "error_full": g.error_full, "bias": g.bias,
                "bias_if_silent": g.bias_if_silent, "error_evenly": g.error_evenly,
                "activity_full": g.full, "activity": g.activity,
            })).collect::<Vec<_>>(),
        })
    }
}

impl Serialize for Controlled {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (near, with_peak) = self.near_the_peak();
        let (scores, below) = self.published_scores();
        let [published, corrected] = self.over_steps();
        json!({
            "command": "control",
            "command_line": command_line(),
            "version": env!("CARGO_PKG_VERSION"),
            "model": self.origin.model,
            "text": self.origin.text,
            "scale": self.scale,
            "target": self.target,
            "source": self.source,
            "steps": self.steps,
            "samples": self.samples,
            "seed": self.seed,
            "tolerance": self.tolerance,
            "least_keys": self.least,
            "variants": self.variants,
            "heads": (0..self.heads.len()).map(|n| self.head_json(n)).collect::<Vec<_>>(),
            "gates": self.gates,
            "over_steps": { "published": published, "corrected": corrected },
            "streams": self.streams,
            "effects": self.effects,
            "summary": {
                "heads": self.heads.len(),
                "outcomes": self.tallies(),
                "rules": self.rule_lines(),
                "near_the_peak": near,
                "with_a_peak": with_peak,
                "published_score": scores,
                "published_score_below_the_first_gate": below,
                "seconds": self.seconds,
            },
        })
        .serialize(serializer)
    }
}

impl Answer for Controlled {
    type Picture = Panels;

    fn title(&self) -> String {
        format!("The thermostat on {} heads of {}", self.heads.len(), self.model_name())
    }

    fn text(&self) -> String {
        text::text(self)
    }

    fn picture(&self) -> Panels {
        figure::panels(self)
    }
}
