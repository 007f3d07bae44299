//! The verb `ceas control`.

use std::num::NonZeroU32;
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use ceas_npu::mapping::attention::{Sampler, Sampling, sample_head, textbook_beta};
use ceas_npu::mapping::control::defaults::{self, SCALES, Scale};
use ceas_npu::mapping::control::{
    GateRule, Gated, HeadControl, Rule, Source, Target, TokenScore, Tolerance, Variant, gate_head, stream,
    threshold, top_share,
};
use ceas_npu::mapping::criticality::Rows;
use ceas_npu::mapping::heads::HeadSet;
use ceas_npu::mapping::reference::Loaded;
use ceas_npu::npu_model::device;
use ceas_npu::npu_model::workload::{Shape, Workload};
use ceas_npu::sim::beta::Beta;
use ceas_npu::study::{self, Effect, Pairs, Surprise, Texts};
use clap::{Args, ValueEnum};
use rayon::prelude::*;

use super::common::Common;
use super::failure::{Blame, Failure};
use super::model_input::HeadSource;
use super::value;
use crate::report::control::{Controlled, Gate, GateCurve, HeadLine, StreamLine, Streams};
use crate::report::present::present;
use crate::report::progress;

/// Texts whose halves are told apart by `--effect`: our own, one a line.
const PASSAGES: &str = include_str!("../../data/passages.txt");

/// Arguments of `ceas control`.
#[derive(Args, Debug)]
#[command(
    after_help = "The thermostat moves β of every head until its entropy is at a target. It is run as published and corrected, on the \
                  same heads, and every trajectory is called converged, limit cycle, runaway, unsettled, or impossible (no β reaches \
                  the target).\n\nExamples:\n  ceas control --plot control.png\n  ceas control --scale gpt --target critical --json\n  \
                  ceas control --qkv heads.safetensors --from 1.0 --entropy races --samples 64\n  \
                  ceas control --model DIR|FILE.gguf --effect"
)]
pub struct Arguments {
    #[command(flatten)]
    source: HeadSource,
    /// Which column of the published defaults
    #[arg(long, default_value = "14m", value_name = "9k|14m|gpt", help_heading = "Control", value_parser = scale)]
    scale: &'static Scale,
    /// Entropy to be held: published (ln N − 1.1), critical (0.55 ln N), or a number of nats
    #[arg(long, default_value = "published", value_name = "published|critical|X", help_heading = "Control", value_parser = target)]
    #[arg(allow_hyphen_values = true)]
    target: Target,
    /// β at which every head starts: textbook (1/√d_head) or a number
    #[arg(long, default_value = "textbook", value_name = "textbook|X", help_heading = "Control", value_parser = start)]
    #[arg(allow_hyphen_values = true)]
    from: Start,
    /// Steps of the published controllers; the corrected ones get at most 12
    #[arg(long, default_value_t = 60, value_name = "N", help_heading = "Control", value_parser = value::whole::<usize>)]
    steps: usize,
    /// How near to its target H must stay to count as converged, in nats
    #[arg(long, default_value_t = 0.005, value_name = "NATS", help_heading = "Control", value_parser = value::number)]
    #[arg(allow_hyphen_values = true)]
    tolerance: f64,
    /// Where the controller's H and Var come from
    #[arg(long, value_enum, default_value_t = EntropyName::Exact, help_heading = "Control")]
    entropy: EntropyName,
    /// S: read-outs per query, for what gating saves and for an entropy that is measured
    #[arg(long, default_value = "256", value_name = "S", help_heading = "Control", value_parser = samples)]
    samples: NonZeroU32,
    /// Rows with fewer keys are left out [default: 2; 32 where later keys are hidden and a row has 64 or more]
    #[arg(long, value_name = "N", help_heading = "Control", value_parser = value::whole::<usize>)]
    least_keys: Option<usize>,
    /// Run the whole model with the β of every rule: cosine of embeddings and telling halves of texts apart, or perplexity (minutes)
    #[arg(long, help_heading = "Control", requires = "model")]
    effect: bool,
    /// Instead of controlling, show the observables of every head: η, entropies, genuineness, token cost, allocation of read-outs
    #[arg(long, help_heading = "Control", conflicts_with = "effect")]
    diagnostics: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Start {
    Textbook,
    At(Beta),
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum EntropyName {
    /// The exact rows
    Exact,
    /// Counts of S draws, with Miller and Madow's correction of the bias
    Counts,
    /// S races: ln Z from their times less β times the mean score, without bias
    Races,
}

fn scale(name: &str) -> Result<&'static Scale, String> {
    let known = SCALES.map(|scale| scale.name).join(", ");
    defaults::scale(name).ok_or_else(|| format!("the published defaults have the columns {known}"))
}

fn target(text: &str) -> Result<Target, String> {
    match text {
        "published" => Ok(Target::PUBLISHED),
        "critical" => Ok(Target::CRITICAL),
        _ => match text.parse::<f64>() {
            Ok(nats) if nats.is_finite() && nats > 0.0 => Ok(Target::Nats(nats)),
            Ok(_) => Err("an entropy is held between 0 and ln N nats, both excluded".to_owned()),
            Err(_) => Err("published, critical, or a number of nats is expected, such as 2.5".to_owned()),
        },
    }
}

fn start(text: &str) -> Result<Start, String> {
    if text == "textbook" {
        return Ok(Start::Textbook);
    }
    let number: f64 = text.parse().map_err(|_| "textbook or a number is expected, such as 0.2".to_owned())?;
    Beta::new(number).map(Start::At).map_err(|e| e.to_string())
}

fn samples(text: &str) -> Result<NonZeroU32, String> {
    let number: u32 = value::whole(text)?;
    NonZeroU32::new(number)
        .filter(|s| s.get() >= 3)
        .ok_or_else(|| "at least 3 read-outs per query are needed, for a variance".to_owned())
}

/// Tokens after which the corrected controller moves in a stream.
const WINDOW: usize = 16;

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outputs = arguments.common.prepare()?;
    if cfg!(not(feature = "hdf5")) && outputs.out.is_some() {
        return Err(anyhow!("--out needs a build with the feature hdf5 or hdf5-static")).input();
    }
    arguments.check().input()?;
    let set = arguments.source.load()?;
    if arguments.diagnostics {
        if outputs.out.is_some() {
            return Err(anyhow!("--out holds trajectories; diagnostics are written as JSON (--json)"))
                .input();
        }
        let samples = arguments.samples.get().into();
        return super::diagnose::run(&set, samples, &arguments.common, &outputs);
    }
    let least = arguments.least_keys.unwrap_or_else(|| least_keys(&set));
    let source = match arguments.entropy {
        EntropyName::Exact => Source::Exact,
        EntropyName::Counts => Source::Counts(arguments.samples),
        EntropyName::Races => Source::Races(arguments.samples),
    };
    let variants = Variant::all(arguments.scale, arguments.target, source);
    let places: Vec<(usize, usize)> =
        (0..set.layers()).flat_map(|layer| (0..set.heads()).map(move |head| (layer, head))).collect();
    let bar = progress::bar("control", places.len() as u64);
    let clock = Instant::now();
    let job = Job { arguments, set: &set, least, variants: &variants };
    let heads: Result<Vec<HeadLine>, Failure> = places
        .par_iter()
        .map(|&at| {
            let head = job.head(at).input();
            bar.inc(1);
            head
        })
        .collect();
    let heads = heads?;
    let seconds = clock.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let gates = job.gates(&heads).run()?;
    let (effects, surprises) = if arguments.effect { effects(arguments, &heads)? } else { <_>::default() };
    let answer = Controlled {
        origin: set.origin().clone(),
        scale: arguments.scale,
        target: arguments.target,
        source,
        steps: arguments.steps,
        samples: arguments.samples.get(),
        seed: arguments.common.seed,
        tolerance: arguments.tolerance,
        least,
        variants,
        streams: Streams::new(&heads, WINDOW),
        heads,
        gates,
        effects,
        surprises,
        seconds,
    };
    #[cfg(feature = "hdf5")]
    if let Some(file) = &outputs.out {
        crate::report::control::archive::write(&answer, file).run()?;
    }
    present(&answer, &arguments.common, &outputs)
}

impl Arguments {
    fn check(&self) -> anyhow::Result<()> {
        if self.steps == 0 || self.steps > 100_000 {
            bail!("--steps {}: a controller makes 1 to 100000 steps", self.steps);
        }
        if !(self.tolerance.is_finite() && self.tolerance > 0.0) {
            bail!("--tolerance {}: a number of nats above 0 is expected", self.tolerance);
        }
        if self.least_keys == Some(0) {
            bail!("--least-keys 0: a row has at least one key");
        }
        Ok(())
    }
}

/// Short rows of a causal head have next to no entropy to control.
fn least_keys(set: &HeadSet) -> usize {
    if set.is_causal() && set.n_keys() >= 64 { 32 } else { 2.min(set.n_keys()) }
}

struct Job<'a> {
    arguments: &'a Arguments,
    set: &'a HeadSet,
    least: usize,
    variants: &'a [Variant],
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
    fn head(&self, (index, head): (usize, usize)) -> anyhow::Result<HeadLine> {
        let Arguments { from, steps, tolerance, common, samples, .. } = self.arguments;
        let view = self.set.head(index, head);
        let place = (index * self.set.heads() + head) as u64;
        let start = match from {
            Start::Textbook => None,
            Start::At(beta) => Some(*beta),
        };
        let layer = self.set.layer_number(index);
        let control = HeadControl::new(
            (layer, head),
            &view,
            self.least,
            self.variants,
            start,
            *steps,
            Tolerance(*tolerance),
            (common.seed, place),
        )
        .with_context(|| format!("head {layer}.{head}"))?;
        let rows = Rows::of_head(&view, self.least)?;
        let textbook = textbook_beta(self.set.d_head());
        let published = ceas_npu::mapping::control::Control { smoothed: true, ..self.variants[0].control };
        let streamed = [
            stream(&rows, published, start.unwrap_or(textbook), 1),
            stream(&rows, self.variants[Variant::CORRECTED].control, start.unwrap_or(textbook), WINDOW),
        ];
        let sampling =
            Sampling { beta: textbook, samples: *samples, sampler: Sampler::Race, seed: common.seed };
        let sample = sample_head(&view, place, &sampling)?;
        let gates: Vec<Gated> = gate_rules(self.arguments.scale)
            .iter()
            .map(|(_, rule)| gate_head(&view, &sample, rule))
            .collect();
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
        Ok(HeadLine { control, streamed, gates, curves: curves.into(), pairs, scores: score_quantiles })
    }

    fn gates(&self, heads: &[HeadLine]) -> anyhow::Result<Vec<Gate>> {
        let set = self.set;
        let keys = set.key_mask().iter().filter(|exists| **exists).count() as u64;
        let devices = device::compared();
        gate_rules(self.arguments.scale)
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

/// Texts of the passages on which a language model is run: each takes a forward per setting.
const LIKELIHOOD_TEXTS: usize = 8;

/// The model run with other β than its own.
fn effects(arguments: &Arguments, heads: &[HeadLine]) -> Result<(Vec<Effect>, Vec<Surprise>), Failure> {
    let folder = arguments.source.model().ok_or_else(|| anyhow!("--effect needs --model")).input()?;
    let model = Loaded::open(folder).input()?;
    let texts: Vec<String> = PASSAGES.lines().map(str::to_owned).collect();
    let settings = settings(heads);
    let bar = progress::bar("effect", settings.len() as u64);
    let count = |name: &str| {
        bar.inc(1);
        name.to_owned()
    };
    let found = match &model {
        Loaded::Encoder(model) => {
            let pairs = Pairs::new(model, &texts).run()?;
            let effects: Result<Vec<Effect>, Failure> =
                settings.iter().map(|(name, factors)| pairs.effect(&count(name), factors).run()).collect();
            (effects?, Vec::new())
        }
        Loaded::Decoder(model) => {
            let texts = Texts::new(model, &texts[..LIKELIHOOD_TEXTS.min(texts.len())]).run()?;
            let effects: Result<Vec<Surprise>, Failure> =
                settings.iter().map(|(name, factors)| texts.effect(&count(name), factors).run()).collect();
            (Vec::new(), effects?)
        }
    };
    bar.finish_and_clear();
    Ok(found)
}

/// β/β₀ of every layer and head, with what it is.
type Setting = (String, Vec<Vec<f64>>);

/// The same factor for all heads, the rules, and a quarter of the way to the peak.
fn settings(heads: &[HeadLine]) -> Vec<Setting> {
    let layers = heads.iter().map(|h| h.control.layer + 1).max().unwrap_or(0);
    let width = heads.iter().map(|h| h.control.head + 1).max().unwrap_or(0);
    let uniform = |factor: f64| vec![vec![factor; width]; layers];
    // β over β₀ of every head where a rule has an answer, 1 where it has none.
    let per_head = |pick: &dyn Fn(&HeadLine) -> Option<f64>, power: f64| {
        let mut factors = uniform(1.0);
        for head in heads {
            if let Some(beta) = pick(head) {
                factors[head.control.layer][head.control.head] =
                    libm::pow(beta / head.control.textbook, power);
            }
        }
        factors
    };
    let mut settings: Vec<Setting> = [0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0]
        .iter()
        .map(|&factor| (format!("β₀ × {factor}"), uniform(factor)))
        .collect();
    for number in 1..heads.first().map_or(0, |head| head.control.rules.len()) {
        let rule = heads[0].control.rules[number].initial.rule;
        // The saddle is β_c: the same setting again.
        if rule != Rule::FreeEnergySaddle {
            let beta = |head: &HeadLine| head.control.rules[number].initial.beta;
            settings.push((rule.name().to_owned(), per_head(&beta, 1.0)));
        }
    }
    let peak = |head: &HeadLine| head.control.peak.map(|peak| peak.beta.mean);
    settings.push(("a quarter of the way to the peak of C".into(), per_head(&peak, 0.25)));
    settings
}

/// So that a stream's lines can be summed up where they are shown.
impl Streams {
    fn new(heads: &[HeadLine], window: usize) -> Self {
        let line =
            |which: usize, name: String| StreamLine::new(name, heads.iter().map(|h| &h.streamed[which]));
        Self {
            published: line(0, "published: every token, averaged over 64".into()),
            corrected: line(1, format!("corrected: every {window} tokens")),
        }
    }
}
