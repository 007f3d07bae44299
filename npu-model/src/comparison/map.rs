//! Where a device wins and where it loses: its gain over a GPU over two numbers, and its energy over its error.

use serde::Serialize;

use super::row::Row;
use super::{InferenceQuestion, Question, Target, with_control};
use crate::bill::{Bill, Extent};
use crate::choice::{Choice, lower};
use crate::device::{Device, Encoding, Kind, Price};
use crate::error::Error;
use crate::gpu::{Gpu, Load, Machine};
use crate::ledger::{Event, Ledger};
use crate::workload::{Inference, Task};

/// A number that is turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Knob {
    /// Tokens of context n.
    Context,
    /// Samples of a row S.
    Samples,
    /// Joules of an attempt.
    AttemptPrice,
    /// Joules of a write: of a field if fields are written, otherwise of a coupling.
    WritePrice,
}

impl Knob {
    /// Its name with its unit.
    pub fn label(self) -> &'static str {
        match self {
            Self::Context => "context n (tokens)",
            Self::Samples => "samples of a row S",
            Self::AttemptPrice => "price of an attempt (J)",
            Self::WritePrice => "price of a write (J)",
        }
    }
}

/// Joules of a GPU over joules of a device, over two knobs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GainMap {
    /// The device.
    pub device: String,
    /// The GPU.
    pub gpu: String,
    /// Horizontal knob and its values.
    pub x: (Knob, Vec<f64>),
    /// Vertical knob and its values.
    pub y: (Knob, Vec<f64>),
    /// Gain by row of y, then x; NaN where the device cannot do the work.
    pub gain: Vec<Vec<f64>>,
    /// The device as its file describes it, where that lies on the map.
    pub here: Option<(f64, f64)>,
}

/// A point of energy against error.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// The device or GPU.
    pub name: String,
    /// What kind of machine.
    pub kind: Kind,
    /// Relative output error.
    pub error: f64,
    /// Joules at the middle of the ranges.
    pub energy_j: f64,
    /// Whether nothing else has both less error and less energy.
    pub best: bool,
}

/// `count` numbers from `low` to `high`, evenly spaced in the logarithm.
fn ladder(low: f64, high: f64, count: usize) -> Vec<f64> {
    (0..count).map(|i| low * libm::pow(high / low, i as f64 / (count.max(2) - 1) as f64)).collect()
}

/// The gain of a device over a GPU over two knobs: (n, S), or (price of an attempt, price of a write).
///
/// # Errors
/// [`Error::Workload`] if the device does not sample, or has no such price; otherwise as [`lower`] and [`Bill::new`].
pub fn map(
    question: &InferenceQuestion,
    device: &Device,
    gpu: &Gpu,
    prices: bool,
    size: usize,
) -> Result<GainMap, Error> {
    samples(device)?;
    if !prices {
        return size_map(question, device, gpu, size);
    }
    let lowered = lower(&question.inference, &question.rows, question.target, device, Choice::of(device))?;
    let bar = question.gpu_energy(gpu, &question.inference);
    price_map(device, gpu, (&lowered.ledger, lowered.extent), bar, size)
}

/// The gain of a device over a GPU on heads that were run, over (price of an attempt, price of a write). Their number of keys is theirs:
/// there is no map over it.
///
/// # Errors
/// [`Error::Workload`] if the device does not sample, cannot do the work, or has no such price; otherwise as [`Bill::new`].
pub fn map_of_heads(question: &Question, device: &Device, gpu: &Gpu, size: usize) -> Result<GainMap, Error> {
    samples(device)?;
    let question = &question.clone().drawn(0, question.seed);
    let row = Row::of_device(question, device)?.0;
    let Some(activity) = row.activity else {
        let reason = format!("{}: {}", device.id, row.unreachable.unwrap_or_default());
        return Err(Error::Workload { reason });
    };
    let ledger = device.ledger(&activity, &question.workload)?;
    let bar = Row::of_gpu(question, gpu, Load::Filled).0.energy_j.map(|e| e.mid.value());
    price_map(device, gpu, (&ledger, Extent::ONE), bar, size)
}

/// Refuses what computes.
fn samples(device: &Device) -> Result<(), Error> {
    if device.encoding == Encoding::Exact {
        let reason = format!("{} computes: it has neither samples nor attempts to map", device.id);
        return Err(Error::Workload { reason });
    }
    Ok(())
}

fn size_map(question: &InferenceQuestion, device: &Device, gpu: &Gpu, size: usize) -> Result<GainMap, Error> {
    let contexts: Vec<f64> = ladder(128.0, 131_072.0, size).into_iter().map(f64::round).collect();
    let samples: Vec<f64> = ladder(1.0, 65_536.0, size).into_iter().map(f64::round).collect();
    let mut gain = vec![vec![f64::NAN; contexts.len()]; samples.len()];
    for (i, &n) in contexts.iter().enumerate() {
        let task = Task { context: n as u64, ..question.inference.task };
        let work = Inference::new(question.inference.transformer.clone(), task)?;
        let Some(bar) = question.gpu_energy(gpu, &work) else { continue };
        for (j, &s) in samples.iter().enumerate() {
            if let Some(energy) = question.energy(device, &work, Target::Samples(s as u64)) {
                gain[j][i] = bar / energy;
            }
        }
    }
    let here = question
        .put(device)
        .ok()
        .and_then(|(l, _)| Some((question.inference.task.context as f64, l.samples?)));
    Ok(GainMap {
        device: device.id.clone(),
        gpu: gpu.id.clone(),
        x: (Knob::Context, contexts),
        y: (Knob::Samples, samples),
        gain,
        here,
    })
}

fn price_map(
    device: &Device,
    gpu: &Gpu,
    (ledger, extent): (&Ledger, Extent),
    bar: Option<f64>,
    size: usize,
) -> Result<GainMap, Error> {
    let bill = Bill::new(device, ledger, extent)?;
    let priced = |event: &Event| {
        matches!(device.prices.get(event), Some(Price::Stated(_))) && ledger.count(*event).value() > 0.0
    };
    let write = [Event::FieldWrites, Event::CouplingWrites].into_iter().find(|e| priced(e));
    let (Some(write), true) = (write, priced(&Event::Attempts)) else {
        let reason = format!("{} has no price of an attempt and of a write to turn", device.id);
        return Err(Error::Workload { reason });
    };
    let Some(bar) = bar else {
        return Err(Error::Workload { reason: format!("the energy of {} is unknown", gpu.id) });
    };
    let attempts = ladder(1e-18, 1e-10, size);
    let writes = ladder(1e-15, 1e-7, size);
    // Energy is linear in both prices, each with what is a multiple of it.
    let count = |event: Event| bill.weight(event);
    let own = |event: Event| match device.prices.get(&event) {
        Some(Price::Stated(p)) => p.range.mid.value(),
        _ => 0.0,
    };
    let energy = bill.cost().energy.mid.value();
    let rest = energy - own(write) * count(write) - own(Event::Attempts) * count(Event::Attempts);
    let row = |w: &f64| {
        attempts.iter().map(|a| bar / (rest + a * count(Event::Attempts) + w * count(write))).collect()
    };
    Ok(GainMap {
        device: device.id.clone(),
        gpu: gpu.id.clone(),
        gain: writes.iter().map(row).collect(),
        x: (Knob::AttemptPrice, attempts),
        y: (Knob::WritePrice, writes),
        here: Some((own(Event::Attempts), own(write))),
    })
}

/// Energy against error: a curve for what samples, points for what computes; and which of them nothing else beats in both.
///
/// # Errors
/// [`Error::NoPrice`] and [`Error::NoRate`] as [`Bill::new`]; errors that a device cannot reach are left out.
pub fn pareto(question: &InferenceQuestion, devices: &[Device], gpus: &[Gpu]) -> Result<Vec<Point>, Error> {
    let mut points = Vec::new();
    for device in &with_control(devices)? {
        let errors = if device.encoding == Encoding::Exact { vec![1.0] } else { ladder(0.003, 0.5, 24) };
        for error in errors {
            let lowered = lower(
                &question.inference,
                &question.rows,
                Target::OutputError(error),
                device,
                Choice::of(device),
            );
            let lowered = match lowered {
                Ok(lowered) => lowered,
                Err(Error::Workload { .. } | Error::TooManyEvents { .. }) => continue,
                Err(other) => return Err(other),
            };
            let energy_j = Bill::new(device, &lowered.ledger, lowered.extent)?.cost().energy.mid.value();
            let (name, kind) = (device.id.clone(), device.kind);
            points.push(Point { name, kind, error: lowered.error, energy_j, best: false });
        }
    }
    for gpu in gpus {
        if let Some(energy_j) = question.gpu_energy(gpu, &question.inference) {
            points.push(Point {
                name: gpu.id.clone(),
                kind: if gpu.kind == Machine::Cpu { Kind::Cpu } else { Kind::Gpu },
                error: question.rows.rounding(16),
                energy_j,
                best: false,
            });
        }
    }
    Ok(front(points))
}

/// The same of heads that were run.
///
/// # Errors
/// As [`pareto`].
pub fn pareto_of_heads(question: &Question, devices: &[Device], gpus: &[Gpu]) -> Result<Vec<Point>, Error> {
    let at = |error: f64| Question { target: Target::OutputError(error), draws: 0, ..question.clone() };
    // As loose as no arithmetic is: what computes has the error that it has.
    let loose = at(f64::MAX);
    let sampled: Vec<Question> = ladder(0.003, 0.5, 24).into_iter().map(at).collect();
    let mut points = Vec::new();
    let mut enter = |row: Row| {
        if let (Some(energy), None) = (row.energy_j, &row.unreachable) {
            let (name, kind, error) = (row.name, row.kind, row.output_error);
            points.push(Point { name, kind, error, energy_j: energy.mid.value(), best: false });
        }
    };
    for device in &with_control(devices)? {
        let exact = device.encoding == Encoding::Exact;
        for question in if exact { std::slice::from_ref(&loose) } else { &sampled[..] } {
            match Row::of_device(question, device) {
                Ok((row, _)) => enter(row),
                Err(Error::TooManyEvents { .. }) => {}
                Err(other) => return Err(other),
            }
        }
    }
    for gpu in gpus {
        enter(Row::of_gpu(&loose, gpu, Load::Filled).0);
    }
    Ok(front(points))
}

/// Points with those marked that nothing beats in both.
fn front(mut points: Vec<Point>) -> Vec<Point> {
    let beaten = |p: &Point| points.iter().any(|o| o.error <= p.error && o.energy_j <= p.energy_j && o != p);
    let best: Vec<bool> = points.iter().map(|p| !beaten(p)).collect();
    for (point, best) in points.iter_mut().zip(best) {
        point.best = best;
    }
    points
}
