//! Devices beside a GPU at equal output error.
//!
//! A device that samples needs as many read-outs as its error asks for:
//!
//! ```text
//! ε² = R/(η S) + δ²      R = ΣV/Σ|o|² of the head      η = 1/(2τ_int) · share of valid read-outs
//! S  = R / (η (ε² − δ²))                               δ: error of the fields' finite width, measured on the same rows
//! ```
//!
//! so every head has its own S. Devices that compute have the error of their rounding, measured on the same rows.

mod area;
mod break_even;
mod draws;
mod inference;
mod machine;
mod map;
mod row;

pub use break_even::{BreakEven, DeviceBreakEven};
pub use draws::MonteCarlo;
pub use inference::{
    EXCLUDED as EXCLUDED_OF_MODELS, InferenceComparison, InferenceQuestion, InferenceRow, Level, crossing,
};
pub use map::{GainMap, Knob, Point, map, map_of_heads, pareto, pareto_of_heads};
pub use row::{Breakdown, Row, Samples};

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use crate::device::{self, Device, Encoding};
use crate::error::Error;
use crate::gpu::{Gpu, Load, Machine};
use crate::ledger::Linear;
use crate::workload::Workload;

/// What no number of a comparison contains. Whom an exclusion favours is said where it is known.
pub const EXCLUDED: [&str; 11] = [
    "static power, clocks, temperature control and the host of every device (favours the devices)",
    "links, on and off the chip, for q, k, v and o, and on-chip memory traffic beyond the stated prices (favours the devices)",
    "placement: binary spins run uncoupled and reject read-outs, since a penalty would couple all pairs (about n/14 physical \
     spins each at degree 16); how the offset that makes them valid is found is not priced (favours z1 and asic28)",
    "several chips, replicas and tiling: one device of each kind, taken as large enough; --model counts chips (favours the devices)",
    "everything of a model but attention: projections, norms, feed-forward blocks, which --model prices",
    "noise, drift, mismatch and temperature error of analogue parts beyond the stated widths (favours the devices)",
    "silicon beside the numbers and spins whose area a file states: logic, converters, wiring (favours the devices)",
    "fields and K resident from an earlier context: every context pays its own writes (against the devices)",
    "a decoder that counts winners and multiplies once per key: every read-out adds a whole value row, dearer once S exceeds n \
     (against the devices)",
    "decode with a KV cache, batches and grouped queries, which --model prices",
    "correlation between prices: numbers are drawn by themselves; only the same number in two files, and what a file calls the same as \
     another, move together",
];

/// Sampling of one head in one encoding: what it takes and what it gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sampled {
    /// Events against read-outs per query, for all queries of the head.
    pub events: Linear,
    /// η: independent samples in one read-out, the share of valid ones over 2τ_int; 1 for fresh draws.
    pub efficiency: f64,
    /// Standard error of it; 0 where it is exact.
    pub efficiency_error: f64,
    /// How it was sampled.
    pub sampler: String,
}

/// One head of a real run: what the comparison needs to know of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeadRun {
    /// R = ΣV/Σ|o|² over the queries: relative variance of a single draw.
    pub variance: f64,
    /// Sampled by n-state units.
    pub native: Sampled,
    /// Sampled by one-hot clusters of binary spins, read out after every sweep; where it is missing, `native` stands in and rows say so.
    pub one_hot: Option<Sampled>,
    /// Output error of fields by their width in bits, for every width that a device of the comparison states.
    pub field_error: BTreeMap<u32, f64>,
    /// Output error of half-precision attention.
    pub half_error: f64,
    /// Output error of int8 attention.
    pub int8_error: f64,
}

/// What is held: the output error, or the number of samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Every head reaches this relative output error ε; S follows.
    OutputError(f64),
    /// Every query is read this often; the error follows.
    Samples(u64),
}

impl Target {
    /// The target, if it makes sense.
    ///
    /// # Errors
    /// [`Error::Workload`] if the error is not a finite number > 0, or no sample is asked for.
    pub fn checked(self) -> Result<Self, Error> {
        let reason = match self {
            Self::OutputError(e) if !(e.is_finite() && e > 0.0) => {
                format!("output error {e}: it must be a finite number > 0, such as 0.1 for 10 %")
            }
            Self::Samples(0) => "0 samples: at least one is needed".into(),
            _ => return Ok(self),
        };
        Err(Error::Workload { reason })
    }
}

/// The question: a workload, real runs of all its heads, and what is held equal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Question {
    /// Shape.
    pub workload: Workload,
    /// One run for every head of every layer.
    pub heads: Vec<HeadRun>,
    /// What is held.
    pub target: Target,
    /// Draws of all numbers; with none there are no percentiles.
    pub draws: usize,
    /// Seed of the draws.
    pub seed: u64,
}

impl Question {
    /// A question whose parts fit together.
    ///
    /// # Errors
    /// [`Error::Workload`] if the number of runs is not the number of heads, a number of a run makes no sense, or the
    /// target is impossible.
    pub fn new(workload: Workload, heads: Vec<HeadRun>, target: Target) -> Result<Self, Error> {
        let refuse = |reason: String| Err(Error::Workload { reason });
        if heads.len() as u64 != workload.all_heads() {
            return refuse(format!("{} runs for {} heads", heads.len(), workload.all_heads()));
        }
        for (i, head) in heads.iter().enumerate() {
            let errors =
                head.field_error.values().chain([&head.variance, &head.half_error, &head.int8_error]);
            if errors.into_iter().any(|x| !x.is_finite() || *x < 0.0) {
                return refuse(format!("head {i} has an error or variance that is not a finite number ≥ 0"));
            }
            let efficiencies = [Some(&head.native), head.one_hot.as_ref()].into_iter().flatten();
            if efficiencies.into_iter().any(|s| !(s.efficiency > 0.0 && s.efficiency.is_finite())) {
                return refuse(format!("head {i} was sampled without a valid independent read-out"));
            }
        }
        Ok(Self { workload, heads, target: target.checked()?, draws: 0, seed: 0 })
    }

    /// The same, with every number drawn so often.
    #[must_use]
    pub fn drawn(self, draws: usize, seed: u64) -> Self {
        Self { draws, seed, ..self }
    }
}

/// Devices and GPUs side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Devices in the order asked for, then the control unless it was among them, then every GPU filled and alone, the bar first;
    /// a processor beside the bar has one row, as it was measured.
    pub rows: Vec<Row>,
    /// What would have to change for each device to draw level.
    pub break_even: BreakEven,
}

impl Comparison {
    /// Compares `devices` and the control with GPUs, the first of which is the bar.
    ///
    /// The control is part of every comparison: what it gains over the GPU as well is no gain of thermal physics.
    ///
    /// # Errors
    /// [`Error::NoPrice`] or [`Error::NoRate`] if a device's file says nothing about something that happens on it;
    /// [`Error::TooManyEvents`] if the error asks for more samples than can be counted; [`Error::Workload`] without a GPU, or if the
    /// power of the first is unknown.
    pub fn new(question: &Question, devices: &[Device], gpus: &[Gpu]) -> Result<Self, Error> {
        let refuse = |reason: String| Err(Error::Workload { reason });
        let Some(bar) = gpus.first() else { return refuse("no GPU to compare with".into()) };
        if bar.power.is_none() {
            return refuse(format!(
                "{}: its power is unknown, so that no gain in energy over it can be told; name another baseline first",
                bar.id
            ));
        }
        let devices = with_control(devices)?;
        let put = devices.par_iter().map(|device| Row::of_device(question, device));
        let mut put = put.collect::<Result<Vec<_>, _>>()?;
        for (place, gpu) in gpus.iter().enumerate() {
            put.push(Row::of_gpu(question, gpu, Load::Filled));
            if place == 0 || gpu.kind != Machine::Cpu {
                put.push(Row::of_gpu(question, gpu, Load::Alone));
            }
        }
        let bar = &put[devices.len()].1;
        let control = put.iter().find(|(row, _)| row.name == device::CONTROL).map(|(_, draws)| draws);
        let found: Vec<_> = put.par_iter().map(|(_, own)| MonteCarlo::of(own, bar, control)).collect();
        let rows: Vec<Row> =
            put.into_iter().zip(found).map(|((row, _), found)| Row { monte_carlo: found, ..row }).collect();
        let break_even = BreakEven::new(question, &devices, &rows)?;
        Ok(Self { rows, break_even })
    }
}

/// Devices with the control behind them, unless it is among them.
fn with_control(devices: &[Device]) -> Result<Vec<Device>, Error> {
    let mut devices = devices.to_vec();
    if !devices.iter().any(|d| d.id == device::CONTROL) {
        devices.push(device::load(device::CONTROL)?);
    }
    Ok(devices)
}

/// The run that a device's encoding stands for, and whether another had to stand in.
fn sampled(head: &HeadRun, encoding: Encoding) -> (&Sampled, bool) {
    match (encoding, &head.one_hot) {
        (Encoding::OneHot, Some(run)) => (run, false),
        (Encoding::OneHot, None) => (&head.native, true),
        _ => (&head.native, false),
    }
}

/// Error δ of a device's fields on a head: 0 if the device states no width.
fn field_error(head: &HeadRun, device: &Device) -> Result<f64, Error> {
    let Some(bits) = device.design.field_bits.as_ref().map(|b| b.value) else { return Ok(0.0) };
    head.field_error.get(&bits).copied().ok_or_else(|| Error::Workload {
        reason: format!(
            "device {} has fields of {bits} bits, whose error was not measured on the heads",
            device.id
        ),
    })
}
