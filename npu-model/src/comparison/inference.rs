//! Whole transformers: devices, controls and GPUs beside each other, with the uncertainty of every number.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::area::silicon;
use super::draws::MonteCarlo;
use super::machine::{GpuRow, pass};
use super::{Target, with_control};
use crate::bill::{Bill, Draws, Swing};
use crate::choice::{Choice, Construction, Lowered, Rows, lower};
use crate::cost::Cost;
use crate::device::{self, Device, Idle, Kind, Storage};
use crate::error::Error;
use crate::gpu::Gpu;
use crate::interval::Interval;
use crate::ledger::Event;
use crate::provenance::Evidence;
use crate::units::{Joules, Seconds};
use crate::workload::{Inference, Task};

/// What no number of a comparison of whole models contains, and whom it favours where that is known.
pub const EXCLUDED: [&str; 10] = [
    "idle power of devices whose files state none: rows say so (favours them)",
    "the host, its memory and its network, for devices and GPUs alike",
    "noise, drift, mismatch and temperature error of analogue parts, and re-programming against drift (favours the devices)",
    "errors that add up over layers: the output error is that of one attention output (favours what samples)",
    "quality lost by int8 or analogue weights in the matrices outside attention (favours the devices)",
    "finding the offset that makes uncoupled bits valid (favours z1, asic28, kv260)",
    "silicon beside the numbers and spins whose area a file states: logic, converters, wiring (favours the devices)",
    "wear: phase-change and resistive cells endure 10⁶ to 10⁹ writes (favours arrays)",
    "rotary positions, sampling of the next token, and look-ups of the embedding",
    "speculative decoding, sparsity and eviction of keys, which help every row",
];

/// The question: a model at work, what is known of its rows, what is held, how often numbers are drawn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InferenceQuestion {
    /// The model and its task.
    pub inference: Inference,
    /// What is known of its attention rows.
    pub rows: Rows,
    /// What is held.
    pub target: Target,
    /// Draws of all numbers; with none there are no percentiles.
    pub draws: usize,
    /// Seed of the draws.
    pub seed: u64,
}

/// Where a device draws level with the GPU in energy, everything else at the middle of its range; negative prices: never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Level {
    /// Joules of an attempt.
    pub attempt_price_j: Option<f64>,
    /// Joules of a write: of a field if fields are written, otherwise of a coupling.
    pub write_price_j: Option<f64>,
    /// Samples of a row; the device wins with fewer.
    pub samples: Option<f64>,
    /// Context; the sign of the difference changes there.
    pub context: Option<f64>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InferenceRow {
    /// Id of the device or GPU.
    pub name: String,
    /// What kind of machine.
    pub kind: Kind,
    /// How attention is done, and where numbers are; `None` for a GPU.
    pub mapping: Option<Lowered>,
    /// Time of the task; `None` if the device cannot do it.
    pub time_s: Option<Interval<Seconds>>,
    /// Energy of the task; `None` if the device cannot do it, or if its power is unknown.
    pub energy_j: Option<Interval<Joules>>,
    /// Silicon in mm²: low, mid, high; `None` if the file is silent.
    pub area_mm2: Option<[f64; 3]>,
    /// Relative error of an attention output.
    pub output_error: f64,
    /// Grade: the weaker of energy and time.
    pub evidence: Evidence,
    /// Parts of energy and time.
    pub breakdown: super::Breakdown,
    /// What sets the time.
    pub binds: String,
    /// Under draws of all numbers.
    pub monte_carlo: Option<MonteCarlo>,
    /// What moves the energy most, widest first.
    pub tornado: Vec<Swing>,
    /// Where it draws level with the GPU.
    pub level: Level,
    /// Why it cannot do the work, if it cannot.
    pub unreachable: Option<String>,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// All rows, the first GPU being the bar.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InferenceComparison {
    /// Devices in order, then the GPUs.
    pub rows: Vec<InferenceRow>,
    /// Name of the GPU that gains are counted against.
    pub gpu: String,
}

impl InferenceQuestion {
    /// The device at this work in the way its file describes.
    ///
    /// # Errors
    /// As [`lower`] and [`Bill::new`].
    pub fn put(&self, device: &Device) -> Result<(Lowered, Bill), Error> {
        self.put_as(device, Choice::of(device), &self.inference, self.target)
    }

    fn put_as(
        &self,
        device: &Device,
        choice: Choice,
        work: &Inference,
        target: Target,
    ) -> Result<(Lowered, Bill), Error> {
        let lowered = lower(work, &self.rows, target, device, choice)?;
        let bill = Bill::new(device, &lowered.ledger, lowered.extent)?;
        Ok((lowered, bill))
    }

    /// Middle of the energy with another target or context.
    pub(super) fn energy(&self, device: &Device, work: &Inference, target: Target) -> Option<f64> {
        let (_, bill) = self.put_as(device, Choice::of(device), work, target).ok()?;
        Some(bill.cost().energy.mid.value())
    }

    pub(super) fn gpu_energy(&self, gpu: &Gpu, work: &Inference) -> Option<f64> {
        Some(pass(gpu, work).ok()?.cost()?.energy.mid.value())
    }

    fn level(&self, device: &Device, bill: &Bill, gpu: &Gpu, bar: f64) -> Level {
        let write =
            [Event::FieldWrites, Event::CouplingWrites].into_iter().find_map(|e| bill.price_for(e, bar));
        let sampled = device.encoding != device::Encoding::Exact;
        let difference =
            |s: f64| Some(self.energy(device, &self.inference, Target::Samples(s.round() as u64))? - bar);
        let longer = |n: f64| {
            let task = Task { context: n.round() as u64, ..self.inference.task };
            let work = Inference::new(self.inference.transformer.clone(), task).ok()?;
            Some(self.energy(device, &work, self.target)? - self.gpu_energy(gpu, &work)?)
        };
        Level {
            attempt_price_j: bill.price_for(Event::Attempts, bar),
            write_price_j: write,
            samples: if sampled { crossing(difference, 1.0, 1e12) } else { None },
            context: crossing(longer, 16.0, 4.2e6),
        }
    }

    fn row(
        &self,
        device: &Device,
        gpu: &Gpu,
        bar: &GpuRow,
        control: Option<&Draws>,
    ) -> Result<InferenceRow, Error> {
        let mut notes = device.notes.clone();
        let silent: Vec<&str> = [Idle::Leakage, Idle::Clock, Idle::Host]
            .iter()
            .filter(|what| !device.idle.contains_key(what))
            .map(|what| &what.name()[5..])
            .collect();
        if !silent.is_empty() {
            notes.push(format!(
                "power of {} is unknown and left out, which favours this device",
                silent.join(", ")
            ));
        }
        let (lowered, bill) = match self.put(device) {
            Ok(put) => put,
            Err(Error::Workload { reason }) => {
                return Ok(cannot(device.id.clone(), device.kind, reason, notes));
            }
            Err(other) => return Err(other),
        };
        if lowered.choice.construction == Construction::Gated {
            notes.insert(0, "gates are not softmax: the model has to be trained for them".into());
        }
        let cost = bill.cost();
        let draws = bill.draws(self.draws, self.seed);
        let monte_carlo = MonteCarlo::of(&draws, &bar.draws, control);
        let level = bar.energy.map_or(Level::default(), |bar| self.level(device, &bill, gpu, bar));
        let infinite = !cost.time.mid.value().is_finite();
        Ok(InferenceRow {
            unreachable: infinite.then(|| "its idle power alone exceeds its power cap".into()),
            area_mm2: silicon(device, lowered.held, lowered.spins, lowered.extent.chips),
            output_error: lowered.error,
            mapping: Some(lowered),
            monte_carlo,
            tornado: bill.tornado(),
            level,
            ..from_cost(device.id.clone(), device.kind, &cost, notes)
        })
    }
}

impl InferenceComparison {
    /// Compares devices with GPUs; the digital control is added if it is not among them, and the first GPU is the bar.
    ///
    /// # Errors
    /// [`Error::NoPrice`] or [`Error::NoRate`] if a file says nothing about something that happens; [`Error::Workload`] without a GPU, or
    /// if the file of the first does not price a model; others that do not are rows that cannot.
    pub fn new(question: &InferenceQuestion, devices: &[Device], gpus: &[Gpu]) -> Result<Self, Error> {
        let devices = with_control(devices)?;
        let mut machines = Vec::with_capacity(gpus.len());
        for gpu in gpus {
            machines.push(match question.gpu_row(gpu) {
                Err(Error::Workload { reason }) if !machines.is_empty() => {
                    question.attention_only(gpu, reason)
                }
                other => other?,
            });
        }
        let Some((bar, gpu)) = machines.first().zip(gpus.first()) else {
            return Err(Error::Workload { reason: "no GPU to compare with".into() });
        };
        let control = devices.iter().find(|d| d.id == device::CONTROL).and_then(|d| question.put(d).ok());
        let control = control.map(|(_, bill)| bill.draws(question.draws, question.seed));
        let control = control.as_ref();
        let rows = devices.par_iter().map(|device| question.row(device, gpu, bar, control));
        let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
        let (name, bar) = (bar.row.name.clone(), bar.draws.clone());
        for mut machine in machines {
            machine.row.monte_carlo = MonteCarlo::of(&machine.draws, &bar, control);
            rows.push(machine.row);
        }
        Ok(Self { rows, gpu: name })
    }
}

pub(super) fn from_cost(name: String, kind: Kind, cost: &Cost, notes: Vec<String>) -> InferenceRow {
    InferenceRow {
        name,
        kind,
        mapping: None,
        time_s: Some(cost.time),
        energy_j: Some(cost.energy),
        area_mm2: None,
        output_error: 0.0,
        evidence: cost.evidence(),
        breakdown: super::Breakdown {
            energy_j: cost.energy_by.clone(),
            time_s: cost.time_by.clone(),
            time_rule: if cost.pipelined { "max" } else { "sum" },
        },
        binds: cost.binds.to_owned(),
        monte_carlo: None,
        tornado: Vec::new(),
        level: Level::default(),
        unreachable: None,
        notes,
    }
}

pub(super) fn cannot(name: String, kind: Kind, reason: String, notes: Vec<String>) -> InferenceRow {
    InferenceRow {
        name,
        kind,
        mapping: None,
        time_s: None,
        energy_j: None,
        area_mm2: None,
        output_error: f64::NAN,
        evidence: Evidence::Unstated,
        breakdown: super::Breakdown { energy_j: BTreeMap::new(), time_s: BTreeMap::new(), time_rule: "max" },
        binds: "cannot".into(),
        monte_carlo: None,
        tornado: Vec::new(),
        level: Level::default(),
        unreachable: Some(reason),
        notes,
    }
}

/// Where a function changes its sign between two positive numbers: on a grid of eight points a decade, then by halving the logarithm;
/// `None` if it does not, or cannot be asked.
pub fn crossing(f: impl Fn(f64) -> Option<f64>, low: f64, high: f64) -> Option<f64> {
    let steps = (8.0 * libm::log10(high / low)).ceil() as u32;
    let at = |i: u32| low * libm::pow(high / low, f64::from(i) / f64::from(steps));
    let mut before: Option<(f64, f64)> = None;
    for i in 0..=steps {
        let x = at(i);
        let Some(y) = f(x) else {
            before = None;
            continue;
        };
        if y == 0.0 {
            return Some(x);
        }
        if let Some((a, fa)) = before
            && (fa > 0.0) != (y > 0.0)
        {
            let (mut a, mut b) = (a, x);
            for _ in 0..60 {
                let middle = (a * b).sqrt();
                match f(middle) {
                    Some(fm) if (fm > 0.0) == (fa > 0.0) => a = middle,
                    Some(_) => b = middle,
                    None => return None,
                }
            }
            return Some((a * b).sqrt());
        }
        before = Some((x, y));
    }
    None
}

impl InferenceRow {
    /// How attention is done, and where numbers are.
    pub fn manner(&self) -> String {
        match &self.mapping {
            Some(m) if m.choice.storage == Storage::Resident => {
                format!("{}, resident", m.choice.construction.name())
            }
            Some(m) => m.choice.construction.name().to_owned(),
            None if self.unreachable.is_some() => "–".into(),
            None => "exact, fp16".into(),
        }
    }
}
