//! `ceas compare --model config.json`: a whole transformer on devices and GPUs.

use std::path::Path;
use std::time::Instant;

use anyhow::anyhow;
use ceas_npu::npu_model::choice::{Constraint, Objective, search};
use ceas_npu::npu_model::comparison::{InferenceComparison, InferenceQuestion, Target, map, pareto};
use ceas_npu::npu_model::device::{self, Device, Encoding};
use ceas_npu::npu_model::workload::{Inference, Phase, Shape, Task, Transformer};
use ceas_npu::study;
use clap::{Args, ValueEnum};

use super::baselines::BaselineFlags;
use super::common::{Common, Outputs};
use super::failure::{Blame, Failure};
use super::model_input::bundled;
use super::value;
use crate::report::drawing::Drawing;
#[cfg(feature = "hdf5")]
use crate::report::inference::archive;
use crate::report::inference::{InferenceReport, Searched};
use crate::report::present::present;

/// What is asked of the model.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum TaskName {
    /// The whole context at once
    Prefill,
    /// One more token for every sequence
    Decode,
}

/// What is drawn.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum FigureName {
    /// Energy, time and where the energy goes
    #[default]
    Bars,
    /// Gain over the GPU by context and samples, for the first device that samples (with --model)
    #[value(name = "map-n-s")]
    MapNS,
    /// Gain over the GPU by the price of an attempt and of a write, for the first device that samples
    MapFlipWrite,
    /// Energy against output error
    Pareto,
    /// Which number moves the energy most, for the first device
    Tornado,
}

/// What a search makes small.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ObjectiveName {
    /// Joules
    Energy,
    /// Seconds
    Time,
    /// Joules × seconds
    Edp,
    /// Silicon
    Area,
}

/// Flags of `--model`.
#[derive(Args, Debug)]
pub struct ModelFlags {
    /// What the model does [default: decode]
    #[arg(long, value_name = "TASK", help_heading = "Whole model", requires = "model")]
    task: Option<TaskName>,
    /// Tokens of every sequence; for decode those in the cache [default: 8192]
    #[arg(long, value_name = "N", help_heading = "Whole model", requires = "model", value_parser = value::whole::<u64>)]
    context: Option<u64>,
    /// Sequences at once [default: 1]
    #[arg(long, value_name = "B", help_heading = "Whole model", requires = "model", value_parser = value::whole::<u64>)]
    batch: Option<u64>,
    /// Effective keys N₂ = 1/Σp² of a row, so that R = N₂ − 1 [default: R measured on the bundled heads]
    #[arg(long, value_name = "N2", help_heading = "Whole model", requires = "model", value_parser = value::number)]
    n2: Option<f64>,
    /// Look at every mapping of every device, and say which is best
    #[arg(long, value_name = "OBJECTIVE", help_heading = "Whole model", requires = "model")]
    search: Option<ObjectiveName>,
    /// Most power of a mapping that is searched for, in watts
    #[arg(long, value_name = "W", help_heading = "Whole model", requires = "search", value_parser = value::number)]
    power: Option<f64>,
    /// Most silicon of a mapping that is searched for, in mm²
    #[arg(long, value_name = "MM2", help_heading = "Whole model", requires = "search", value_parser = value::number)]
    area: Option<f64>,
}

/// Rungs of an octave in the ladders of a search: of the eight default devices a million candidates are priced.
const FINENESS: u32 = 24;
/// Points of a map along each axis.
pub const MAP: usize = 61;

/// What is asked of heads and of whole models alike.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// What is held.
    pub target: Target,
    /// Draws of all numbers.
    pub draws: usize,
    /// What is drawn.
    pub figure: FigureName,
}

/// Runs the verb on a whole model.
pub fn run(
    config: &Path,
    flags: &ModelFlags,
    names: &[String],
    baselines: &BaselineFlags,
    Asked { target, draws, figure }: Asked,
    common: &Common,
    outputs: &Outputs,
) -> Result<(), Failure> {
    let transformer = Transformer::open(config).input()?;
    let phase = match flags.task.unwrap_or(TaskName::Decode) {
        TaskName::Prefill => Phase::Prefill,
        TaskName::Decode => Phase::Decode,
    };
    let task = Task { phase, context: flags.context.unwrap_or(8192), batch: flags.batch.unwrap_or(1) };
    let inference = Inference::new(transformer, task).input()?;
    let devices = if names.is_empty() { device::compared_with_models() } else { named(names)? };
    let shape = Shape::square(task.context, inference.transformer.d_head, true).input()?;
    let gpus = baselines.load(names, &devices, &shape, common.seed)?;
    for (flag, limit) in [("--power", flags.power), ("--area", flags.area)] {
        if let Some(limit) = limit.filter(|x| !(x.is_finite() && *x > 0.0)) {
            return Err(anyhow!("{flag} {limit}: a number above 0 is expected")).input();
        }
    }
    let mut rows = study::rows(&bundled()?).run()?;
    if let Some(n2) = flags.n2 {
        if !(n2 > 1.0 && n2.is_finite()) {
            return Err(anyhow!("--n2 {n2}: at least a little more than 1 key counts, such as 10")).input();
        }
        rows.variance = n2 - 1.0;
    }
    let assumed = match flags.n2 {
        Some(n2) => format!("assumed: rows with N₂ = {n2} effective keys, V/|o|² = N₂ − 1"),
        None => format!(
            "assumed: rows as in the bundled heads (n = 102): V/|o|² = {:.2}, βσ = {:.2}; --n2 changes it",
            rows.variance, rows.sigma
        ),
    };
    let question = InferenceQuestion { inference, rows, target, draws, seed: common.seed };
    let comparison = InferenceComparison::new(&question, &devices, &gpus).input()?;
    let sampler = || devices.iter().find(|d| d.encoding != Encoding::Exact);
    let wanted = || {
        sampler()
            .ok_or_else(|| anyhow!("--figure: none of the devices samples, so that there is nothing to map"))
            .input()
    };
    let drawing = match figure {
        FigureName::Bars => Drawing::Bars,
        FigureName::MapNS => Drawing::Map(map(&question, wanted()?, &gpus[0], false, MAP).input()?),
        FigureName::MapFlipWrite => Drawing::Map(map(&question, wanted()?, &gpus[0], true, MAP).input()?),
        FigureName::Pareto => Drawing::Pareto(pareto(&question, &devices, &gpus).input()?),
        FigureName::Tornado => Drawing::Tornado,
    };
    let mut searched = Searched::default();
    if let Some(objective) = flags.search {
        let began = Instant::now();
        let objective = match objective {
            ObjectiveName::Energy => Objective::Energy,
            ObjectiveName::Time => Objective::Time,
            ObjectiveName::Edp => Objective::EnergyDelay,
            ObjectiveName::Area => Objective::Area,
        };
        let constraint =
            Constraint { power_w: flags.power, area_m2: flags.area.map(|a| a * 1e-6), time_s: None };
        for device in &devices {
            let best =
                search(&question.inference, &question.rows, target, device, objective, constraint, FINENESS);
            searched.found.push((device.id.clone(), best.map_err(|e| e.to_string())));
        }
        searched.seconds = began.elapsed().as_secs_f64();
    }
    let report = InferenceReport::new(question, comparison, assumed, drawing, searched);
    #[cfg(feature = "hdf5")]
    if let Some(file) = &outputs.out {
        archive::write(&report, common.seed, file).run()?;
    }
    present(&report, common, outputs)
}

fn named(names: &[String]) -> Result<Vec<Device>, Failure> {
    let mut devices: Vec<Device> = Vec::new();
    for name in names {
        let device = device::load(name).input()?;
        if devices.iter().any(|d| d.id == device.id) {
            return Err(anyhow!("--device {name}: a device with the id {:?} is named twice", device.id))
                .input();
        }
        if device.id == device::CONTROL && *name != device.id {
            return Err(anyhow!(
                "--device {name}: the id {:?} is that of the control; give the file another",
                device.id
            ))
            .input();
        }
        devices.push(device);
    }
    Ok(devices)
}
