//! The verb `ceas control`.

use std::num::NonZeroU32;
use std::time::Instant;

use anyhow::{anyhow, bail};
use ceas_npu::mapping::control::defaults::{self, SCALES, Scale};
use ceas_npu::mapping::control::{Source, Target, Variant};
use ceas_npu::mapping::heads::HeadSet;
use ceas_npu::sim::beta::Beta;
use clap::{Args, ValueEnum};
use rayon::prelude::*;

use super::common::Common;
use super::control_effect;
use super::control_heads::{Job, WINDOW};
use super::failure::{Blame, Failure};
use super::model_input::HeadSource;
use super::value;
use crate::report::control::{Controlled, HeadLine, StreamLine, Streams};
use crate::report::present::present;
use crate::report::progress;

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
    /// Steps of the published controllers; the corrected ones make 12
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
    /// The head that is shown step by step and drawn boldly [default: that of middling entropy, in pictures alone]
    #[arg(long, value_name = "LAYER.HEAD", help_heading = "Control", value_parser = place, conflicts_with = "diagnostics")]
    head: Option<(usize, usize)>,
    /// Rows with fewer keys are left out [default: 2; 32 where later keys are hidden and a row has 64 or more]
    #[arg(long, value_name = "N", help_heading = "Control", value_parser = value::whole::<usize>)]
    least_keys: Option<usize>,
    /// Run the whole model with the β of every rule: cosine of embeddings and telling halves of texts apart, or perplexity (minutes)
    #[arg(long, help_heading = "Control", requires = "model")]
    effect: bool,
    /// Passages of data/passages.txt on which --effect runs the model, from the first on
    #[arg(long, default_value_t = 32, value_name = "N", help_heading = "Control", value_parser = value::whole::<usize>)]
    passages: usize,
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

fn place(text: &str) -> Result<(usize, usize), String> {
    let numbers =
        text.split_once('.').and_then(|(layer, head)| Some((layer.parse().ok()?, head.parse().ok()?)));
    numbers.ok_or_else(|| "a layer and a head are expected, such as 3.7".to_owned())
}

fn samples(text: &str) -> Result<NonZeroU32, String> {
    let number: u32 = value::whole(text)?;
    NonZeroU32::new(number)
        .filter(|s| s.get() >= 3)
        .ok_or_else(|| "at least 3 read-outs per query are needed, for a variance".to_owned())
}

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
    let chosen = arguments.chosen(&set, &places).input()?;
    let bar = progress::bar("control", places.len() as u64);
    let clock = Instant::now();
    let job = Job {
        set: &set,
        scale: arguments.scale,
        start: match arguments.from {
            Start::Textbook => None,
            Start::At(beta) => Some(beta),
        },
        steps: arguments.steps,
        tolerance: arguments.tolerance,
        samples: arguments.samples,
        seed: arguments.common.seed,
        least,
        variants: &variants,
    };
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
    let effects = match arguments.source.model() {
        Some(model) if arguments.effect => {
            Some(control_effect::run(model, arguments.passages, &heads, &variants)?)
        }
        _ => None,
    };
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
        streams: streams(&heads),
        heads,
        chosen,
        gates,
        effects,
        seconds,
    };
    #[cfg(feature = "hdf5")]
    if let Some(file) = &outputs.out {
        crate::report::control::archive::write(&answer, file).run()?;
    }
    present(&answer, &arguments.common, &outputs)
}

impl Arguments {
    /// The place of the head that is asked for.
    fn chosen(&self, set: &HeadSet, places: &[(usize, usize)]) -> anyhow::Result<Option<usize>> {
        let Some((layer, head)) = self.head else { return Ok(None) };
        let place = places.iter().position(|&(index, h)| (set.layer_number(index), h) == (layer, head));
        match place {
            Some(_) => Ok(place),
            None => bail!(
                "--head {layer}.{head}: there are {} layers of {} heads, counted from 0",
                set.layers(),
                set.heads()
            ),
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.steps == 0 || self.steps > 100_000 {
            bail!("--steps {}: a controller makes 1 to 100000 steps", self.steps);
        }
        if !(self.tolerance.is_finite() && self.tolerance > 0.0) {
            bail!("--tolerance {}: a number of nats above 0 is expected", self.tolerance);
        }
        let passages = control_effect::count();
        if !(2..=passages).contains(&self.passages) {
            bail!("--passages {}: there are {passages}, and an error needs 2 or more", self.passages);
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

/// The heads' rows as streams, summed up.
fn streams(heads: &[HeadLine]) -> Streams {
    let line = |which: usize, name: String| StreamLine::new(name, heads.iter().map(|h| &h.streamed[which]));
    Streams {
        published: line(0, "published: every token, averaged over 64".into()),
        corrected: line(1, format!("corrected: every {WINDOW} tokens")),
    }
}
