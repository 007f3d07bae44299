//! The verb `ceas compare`.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use ceas_npu::mapping::attention::Quantiles;
use ceas_npu::mapping::heads::HeadSet;
use ceas_npu::mapping::qkv;
use ceas_npu::npu_model::comparison::{Comparison, HeadRun, Question, Target, map_of_heads, pareto_of_heads};
use ceas_npu::npu_model::device::{self, Device, Encoding};
use ceas_npu::npu_model::workload::Workload;
use ceas_npu::study::{self, Gaussian};
use clap::Args;

use super::baselines::BaselineFlags;
use super::common::Common;
use super::failure::{Blame, Failure};
use super::model_input::bundled;
use super::value;
use super::whole_model::{self, Asked, FigureName, MAP, ModelFlags};
#[cfg(feature = "hdf5")]
use crate::report::compare::archive;
use crate::report::compare::{Report, WorkloadReport};
use crate::report::drawing::Drawing;
use crate::report::present::present;
use crate::report::progress;

/// Output error that is held equal where none is named.
const DEFAULT_ERROR: f64 = 0.1;

/// Arguments of `ceas compare`.
///
/// Without input flags, the bundled heads of a real model are run and priced on every shipped device at 10 % output error.
#[derive(Args, Debug)]
#[command(
    after_help = "Every count comes from a run. A device samples as often as the output error asks for; what only computes \
has the error of its rounding. The digital control is part of every comparison, and every price and rate is drawn 10,000 times. With \
--model, a whole transformer is priced on paper: prefill or decode.\n\nExamples:\n  ceas compare --plot compare.png\n  \
ceas compare --n 1024 --d 64 --error 0.05 --device z1_spice\n  \
ceas compare --gpu a100_sxm_80 --gpu h100_sxm --measure-cpu\n  \
ceas compare --model config.json --task decode --context 8192 --batch 32 --plot map.png --figure map-n-s\n  \
ceas capture --model DIR --text \"…\" --out heads.safetensors && ceas compare --qkv heads.safetensors --report heads.html"
)]
pub struct Arguments {
    /// File of queries, keys and values, as `ceas capture` writes it [default: the bundled heads]
    #[arg(long, value_name = "FILE.safetensors", help_heading = "Input", conflicts_with_all = ["n", "d"])]
    qkv: Option<PathBuf>,
    /// A single head of this many queries and keys with iid Gaussian q, k, v: a study of size, not a trained head
    #[arg(long, value_name = "N", help_heading = "Input", requires = "d", value_parser = value::whole::<u64>)]
    n: Option<u64>,
    /// Dimension of the Gaussian head
    #[arg(long, value_name = "D", help_heading = "Input", requires = "n", value_parser = value::whole::<u64>)]
    d: Option<u64>,
    /// Relative output error that every head reaches on every device [default: 0.1]
    #[arg(long, value_name = "E", help_heading = "Held equal", allow_hyphen_values = true)]
    #[arg(value_parser = value::number)]
    error: Option<f64>,
    /// Hold the number of read-outs per query instead; the output error follows
    #[arg(long, value_name = "S", help_heading = "Held equal", conflicts_with = "error")]
    #[arg(value_parser = value::whole::<u64>)]
    samples: Option<u64>,
    /// Draws of all numbers, each within its range [default: 10000]
    #[arg(long, value_name = "N", help_heading = "Held equal", value_parser = value::whole::<usize>)]
    draws: Option<usize>,
    /// A shipped device, or a device file; may be repeated [default: all shipped]
    #[arg(long, value_name = "NAME|FILE.toml", help_heading = "Devices")]
    device: Vec<String>,
    #[command(flatten)]
    baselines: BaselineFlags,
    /// What --plot draws [default: bars]
    #[arg(long, value_name = "FIGURE", help_heading = "Run and output")]
    figure: Option<FigureName>,
    /// A whole transformer, from the shape in its configuration; no weights are needed
    #[arg(long, value_name = "config.json", help_heading = "Whole model", conflicts_with_all = ["qkv", "n", "d"])]
    model: Option<PathBuf>,
    #[command(flatten)]
    whole: ModelFlags,
    #[command(flatten)]
    common: Common,
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let target = match arguments.samples {
        Some(samples) => Target::Samples(samples),
        None => Target::OutputError(arguments.error.unwrap_or(DEFAULT_ERROR)),
    };
    let flag = if arguments.samples.is_some() { "--samples" } else { "--error" };
    let target = target.checked().context(flag).input()?;
    let draws = arguments.draws.unwrap_or(10_000);
    if !(2..=1_000_000).contains(&draws) {
        return Err(anyhow!("--draws {draws}: 2 to 1000000 are made")).input();
    }
    let outputs = arguments.common.prepare()?;
    if cfg!(not(feature = "hdf5")) && outputs.out.is_some() {
        return Err(anyhow!("--out needs a build with the feature hdf5 or hdf5-static")).input();
    }
    let figure = arguments.figure.unwrap_or_default();
    if let Some(model) = &arguments.model {
        return whole_model::run(
            model,
            &arguments.whole,
            &arguments.device,
            &arguments.baselines,
            Asked { target, draws, figure },
            &arguments.common,
            &outputs,
        );
    }
    if matches!(figure, FigureName::MapNS) {
        let own = match (arguments.n, &arguments.qkv) {
            (Some(n), _) => format!("this head has {n} keys"),
            (None, Some(file)) => format!("the heads of {} have the keys of one text", file.display()),
            (None, None) => "the bundled heads have the keys of one text".into(),
        };
        return Err(anyhow!(
            "--figure map-n-s: {own}, and cutting keys off would make rows that no model has. A map over n needs --model config.json, which \
             prices any context with rows like those of the bundled heads; for heads that were run, compare those of texts of several \
             lengths, each captured by itself (ceas capture, then compare --qkv), or --n of several sizes"
        ))
        .input();
    }
    let devices = devices(&arguments.device)?;
    let sampler = devices.iter().find(|d| d.encoding != Encoding::Exact);
    if matches!(figure, FigureName::MapFlipWrite) && sampler.is_none() {
        return Err(anyhow!("--figure: none of the devices samples, so that there is nothing to map"))
            .input();
    }
    let studied = Studied::run(arguments, &devices)?;
    let gpus = arguments.baselines.load(
        &arguments.device,
        &devices,
        &studied.workload.shape,
        arguments.common.seed,
    )?;
    let (workload, name, note) = (studied.workload, studied.name, studied.note);
    let report = WorkloadReport::new(name, note, &workload, &studied.heads, target);
    let question = Question::new(workload, studied.heads, target).run()?.drawn(draws, arguments.common.seed);
    let comparison = Comparison::new(&question, &devices, &gpus).input()?;
    let drawing = match (figure, sampler) {
        (FigureName::MapFlipWrite, Some(device)) => {
            Drawing::Map(map_of_heads(&question, device, &gpus[0], MAP).input()?)
        }
        (FigureName::Pareto, _) => Drawing::Pareto(pareto_of_heads(&question, &devices, &gpus).input()?),
        (FigureName::Tornado, _) => Drawing::Tornado,
        _ => Drawing::Bars,
    };
    let report = Report::new(report, comparison, draws, drawing);
    #[cfg(feature = "hdf5")]
    if let Some(file) = &outputs.out {
        archive::write(&report, arguments.common.seed, file).run()?;
    }
    present(&report, &arguments.common, &outputs)
}

/// The devices named, or all shipped ones; each once.
fn devices(names: &[String]) -> Result<Vec<Device>, Failure> {
    if names.is_empty() {
        return Ok(device::compared());
    }
    let mut devices: Vec<Device> = Vec::new();
    for name in names {
        let device = device::load(name).input()?;
        // What every comparison is measured by cannot be brought along.
        if device.id == device::CONTROL && *name != device.id {
            return Err(anyhow!(
                "--device {name}: the id {:?} is that of the control, which is part of every comparison; give the file another",
                device.id
            ))
            .input();
        }
        if devices.iter().any(|d| d.id == device.id) {
            return Err(anyhow!("--device {name}: a device with the id {:?} is named twice", device.id))
                .input();
        }
        devices.push(device);
    }
    Ok(devices)
}

/// Heads that were run, and what they are.
struct Studied {
    workload: Workload,
    heads: Vec<HeadRun>,
    name: String,
    note: Option<String>,
}

impl Studied {
    fn run(arguments: &Arguments, devices: &[Device]) -> Result<Self, Failure> {
        let mut widths = study::field_widths(devices);
        widths.extend(study::field_widths(&device::compared()));
        let seed = arguments.common.seed;
        if let (Some(n), Some(d)) = (arguments.n, arguments.d) {
            let (beta_sigma, common) = study::statistics(&bundled()?).run()?;
            let head = Gaussian { n, d, beta_sigma, common };
            let size = || format!("--n {n} --d {d}");
            let workload = head.workload().with_context(size).input()?;
            let bar = progress::bar("Gaussian head", Gaussian::STEPS);
            let run = head.run(&widths, seed, &|| bar.inc(1)).with_context(size).input()?;
            bar.finish_and_clear();
            let note = format!(
                "a study of size, not a trained head: iid Gaussian q, k, v with β₀σ = {beta_sigma:.2} and |v̄|²/E|v − v̄|² = {common:.2}, \
                 the medians of the bundled heads; V/|o|² = {:.3}",
                run.variance
            );
            let name = format!("Gaussian head, n = {n}, d = {d}");
            return Ok(Self { workload, heads: vec![run], name, note: Some(note) });
        }
        let set: HeadSet = match &arguments.qkv {
            Some(file) => qkv::read(file).input()?,
            None => bundled()?,
        };
        let workload = study::workload(&set).input()?;
        let bar = progress::bar("heads", workload.all_heads());
        let heads = study::head_runs(&set, &widths, seed, &|| bar.inc(1)).run()?;
        bar.finish_and_clear();
        let spread = Quantiles::of(heads.iter().map(|h| h.variance));
        let note = (spread.max > 1e6).then(|| {
            format!(
                "one head has V/|o|² = {:.1e}: its output all but cancels, and its S dominates",
                spread.max
            )
        });
        let origin = set.origin();
        let name = match (&arguments.qkv, origin.model.as_str()) {
            (_, model) if !model.is_empty() => model.to_owned(),
            (Some(file), _) => file.display().to_string(),
            (None, _) => "bundled heads".into(),
        };
        Ok(Self { workload, heads, name, note })
    }
}
