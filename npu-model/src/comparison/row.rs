//! One row of a comparison.

use std::collections::BTreeMap;

use ceas_sim::activity::Activity;
use serde::Serialize;

use super::area::silicon;
use super::draws::{MonteCarlo, of_machine};
use super::{HeadRun, Question, Target, field_error, sampled};
use crate::bill::{Bill, Draws, Extent, Swing};
use crate::cost::Cost;
use crate::device::{Device, Encoding, Kind, Storage};
use crate::error::Error;
use crate::gpu::{Format, Gpu, GpuCost, Load, Machine};
use crate::interval::Interval;
use crate::provenance::Evidence;
use crate::units::{Joules, Seconds};
use crate::workload::Workload;

/// Read-outs per query over the heads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Samples {
    /// Of the head that needs fewest.
    pub min: u64,
    /// Mean over the heads.
    pub mean: f64,
    /// Of the head that needs most.
    pub max: u64,
}

/// Where energy and time of a row go.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Breakdown {
    /// Parts of the energy; they sum to it at every end.
    pub energy_j: BTreeMap<&'static str, Interval<Joules>>,
    /// Stages of the time.
    pub time_s: BTreeMap<&'static str, Interval<Seconds>>,
    /// Whether the slowest stage sets the time (`max`) or stages follow each other (`sum`); waiting for power is never added.
    pub time_rule: &'static str,
}

/// What one device or GPU takes for the work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Id of the device, or of the GPU and how it is loaded.
    pub name: String,
    /// What kind of machine.
    pub kind: Kind,
    /// How an attention row is written.
    pub encoding: Encoding,
    /// Time; `None` if the device cannot do the work at this error.
    pub time_s: Option<Interval<Seconds>>,
    /// Energy; `None` if the device cannot do the work at this error.
    pub energy_j: Option<Interval<Joules>>,
    /// Silicon in mm²: low, mid, high; `None` if the file is silent.
    pub area_mm2: Option<[f64; 3]>,
    /// Relative output error: root mean square over the heads. For a row that cannot reach the target, the least it can have.
    pub output_error: f64,
    /// The same of the worst head.
    pub worst_head_error: f64,
    /// Grade: the weaker of energy and time.
    pub evidence: Evidence,
    /// Grade of the energy alone.
    pub energy_evidence: Evidence,
    /// Grade of the time alone.
    pub time_evidence: Evidence,
    /// Where energy and time go.
    pub breakdown: Breakdown,
    /// Under draws of all numbers.
    pub monte_carlo: Option<MonteCarlo>,
    /// What moves the energy most, widest first.
    pub tornado: Vec<Swing>,
    /// The stage that sets the time.
    pub binds: &'static str,
    /// Read-outs per query, if it samples.
    pub samples: Option<Samples>,
    /// Counted events of the whole work, if it samples.
    pub activity: Option<Activity>,
    /// Whether native sampling stands in for an encoding that was not run.
    pub stands_in: bool,
    /// Why it cannot do the work, if it cannot.
    pub unreachable: Option<String>,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// Samples, events and errors of a device on all heads.
struct Plan {
    activity: Activity,
    samples: Samples,
    errors: Vec<f64>,
    stands_in: bool,
}

impl Row {
    /// The row of a device.
    pub(super) fn of_device(question: &Question, device: &Device) -> Result<(Self, Draws), Error> {
        let mut notes = device.notes.clone();
        if let Some(reason) = does_not_fit(question, device) {
            return Ok((Self::without(device, question, reason, notes)?, Draws::default()));
        }
        let mut stands_in = false;
        let (activity, samples, errors) = if device.encoding == Encoding::Exact {
            (None, None, question.heads.iter().map(|h| exact_error(h, device)).collect::<Vec<_>>())
        } else {
            match plan(question, device)? {
                Ok(plan) => {
                    stands_in = plan.stands_in;
                    (Some(plan.activity), Some(plan.samples), plan.errors)
                }
                Err(reason) => {
                    return Ok((Self::without(device, question, reason, notes)?, Draws::default()));
                }
            }
        };
        if stands_in {
            notes.insert(
                0,
                "one-hot clusters were not run: native sampling stands in, which favours this device".into(),
            );
        }
        let ledger = device.ledger(&activity.unwrap_or_default(), &question.workload)?;
        let bill = Bill::new(device, &ledger, Extent::ONE)?;
        let mut row = Self::from_cost(device.id.clone(), device.kind, device.encoding, &bill.cost(), &errors);
        row.tornado = bill.tornado();
        row.area_mm2 = area(device, &question.workload);
        if let (Target::OutputError(target), true) = (question.target, device.encoding == Encoding::Exact)
            && row.output_error > target
        {
            row.unreachable = Some(format!(
                "its rounding alone makes an output error of {:.2} %, more than {:.2} %",
                100.0 * row.output_error,
                100.0 * target
            ));
        }
        row.stands_in = stands_in;
        row.samples = samples;
        row.activity = activity;
        row.notes = notes;
        Ok((row, bill.draws(question.draws, question.seed)))
    }

    /// The row of a machine that computes exact attention: in half precision, or in single if that is all that was measured on it.
    pub(super) fn of_gpu(question: &Question, gpu: &Gpu, load: Load) -> (Self, Draws) {
        // The error of single precision was measured with the throughput.
        let single = gpu.measurement.as_ref().filter(|_| gpu.series.iter().all(|s| s.format == Format::Fp32));
        let format = if single.is_some() { Format::Fp32 } else { Format::Fp16 };
        let priced = gpu.price_as(&question.workload, format, load);
        let error = |head: &HeadRun| single.map_or(head.half_error, |m| m.relative_error);
        let errors: Vec<f64> = question.heads.iter().map(error).collect();
        let name = match load {
            Load::Filled => gpu.id.clone(),
            Load::Alone | Load::Replayed => format!("{}_alone", gpu.id),
        };
        let kind = if gpu.kind == Machine::Cpu { Kind::Cpu } else { Kind::Gpu };
        let mut row = Self::from_gpu(name, kind, &priced, &errors);
        row.notes.push(match load {
            _ if gpu.kind == Machine::Cpu => {
                let busy = gpu.measurement.as_ref().and_then(|m| m.load);
                let busy = busy.map_or(String::new(), |load| format!(", load {load:.1} when it began"));
                format!("{}{busy}: exact attention on iid Gaussian heads", gpu.name)
            }
            Load::Filled => {
                "in a stream of like work that fills the machine: no launch latency, no idle multiprocessor"
                    .into()
            }
            Load::Alone | Load::Replayed => {
                "this work by itself: a launch for every layer, and few heads leave multiprocessors idle"
                    .into()
            }
        });
        if priced.energy.is_none() {
            row.notes.push("its power is unknown, so its energy is".into());
        }
        row.notes.extend(priced.extrapolated.iter().map(|why| format!("throughput extrapolated: {why}")));
        row.notes.push(format!("throughput from {}", priced.fit));
        row.notes.extend(gpu.notes.iter().cloned());
        (row, of_machine(&gpu.id, &priced, question.draws, question.seed))
    }

    /// A machine whose energy may be unknown.
    fn from_gpu(name: String, kind: Kind, priced: &GpuCost, errors: &[f64]) -> Self {
        let known = priced.cost().unwrap_or_else(|| Cost {
            energy: Interval::exactly(Joules::new(0.0)),
            time: priced.time,
            energy_by: BTreeMap::new(),
            time_by: priced.time_by.clone(),
            pipelined: false,
            binds: priced.binds,
            energy_evidence: priced.energy_evidence,
            time_evidence: priced.time_evidence,
        });
        let row = Self::from_cost(name, kind, Encoding::Exact, &known, errors);
        // An energy that is not given needs no grade.
        let evidence = if priced.energy.is_some() { row.evidence } else { row.time_evidence };
        Self { energy_j: priced.energy, evidence, ..row }
    }

    fn from_cost(name: String, kind: Kind, encoding: Encoding, cost: &Cost, errors: &[f64]) -> Self {
        let (output_error, worst_head_error) = pooled(errors);
        Self {
            name,
            kind,
            encoding,
            time_s: Some(cost.time),
            energy_j: Some(cost.energy),
            area_mm2: None,
            output_error,
            worst_head_error,
            evidence: cost.evidence(),
            energy_evidence: cost.energy_evidence,
            time_evidence: cost.time_evidence,
            breakdown: Breakdown {
                energy_j: cost.energy_by.clone(),
                time_s: cost.time_by.clone(),
                time_rule: if cost.pipelined { "max" } else { "sum" },
            },
            monte_carlo: None,
            tornado: Vec::new(),
            binds: cost.binds,
            samples: None,
            activity: None,
            stands_in: false,
            unreachable: None,
            notes: Vec::new(),
        }
    }

    /// The row of a device that cannot do the work.
    fn without(
        device: &Device,
        question: &Question,
        reason: String,
        notes: Vec<String>,
    ) -> Result<Self, Error> {
        let errors = question.heads.iter().map(|h| field_error(h, device)).collect::<Result<Vec<_>, _>>()?;
        let (output_error, worst_head_error) = pooled(&errors);
        Ok(Self {
            name: device.id.clone(),
            kind: device.kind,
            encoding: device.encoding,
            time_s: None,
            energy_j: None,
            area_mm2: None,
            output_error,
            worst_head_error,
            evidence: Evidence::Unstated,
            energy_evidence: Evidence::Unstated,
            time_evidence: Evidence::Unstated,
            breakdown: Breakdown { energy_j: BTreeMap::new(), time_s: BTreeMap::new(), time_rule: "max" },
            monte_carlo: None,
            tornado: Vec::new(),
            binds: "cannot",
            samples: None,
            activity: None,
            stands_in: false,
            unreachable: Some(reason),
            notes,
        })
    }
}

/// Silicon that the K and V of all heads and the spins of one device take.
fn area(device: &Device, work: &Workload) -> Option<[f64; 3]> {
    let held = match device.storage {
        Storage::Resident => (work.key_numbers() + work.value_numbers()) as f64,
        Storage::Streamed => 0.0,
    };
    let spins = device.design.spins.as_ref().map_or(0.0, |s| s.value as f64);
    let chips = device.design.numbers.as_ref().map_or(1.0, |n| (held / n.value as f64).ceil().max(1.0));
    silicon(device, held, spins, chips)
}

/// Root mean square and largest of the heads' errors.
fn pooled(errors: &[f64]) -> (f64, f64) {
    let square = errors.iter().map(|e| e * e).sum::<f64>() / errors.len().max(1) as f64;
    (square.sqrt(), errors.iter().copied().fold(0.0, f64::max))
}

/// The error of a device that computes: its arithmetic's, by the width of its numbers.
fn exact_error(head: &HeadRun, device: &Device) -> f64 {
    match device.design.field_bits.as_ref().map(|b| b.value) {
        Some(bits) if bits <= 8 => head.int8_error,
        _ => head.half_error,
    }
}

/// A row that has more states than the device has spins cannot be held at once.
fn does_not_fit(question: &Question, device: &Device) -> Option<String> {
    let spins = device.design.spins.as_ref()?.value;
    let keys = question.workload.shape.n_keys;
    (device.encoding == Encoding::OneHot && keys > spins).then(|| {
        format!(
            "one row needs {keys} spins and the device has {spins}; this comparison takes one of each kind"
        )
    })
}

/// Read-outs and events of a device, or why there is no number of read-outs that would do.
fn plan(question: &Question, device: &Device) -> Result<Result<Plan, String>, Error> {
    let mut samples = Samples { min: u64::MAX, mean: 0.0, max: 0 };
    let mut activity = Activity::default();
    let mut errors = Vec::with_capacity(question.heads.len());
    let mut stands_in = false;
    for (i, head) in question.heads.iter().enumerate() {
        let (run, other) = sampled(head, device.encoding);
        stands_in |= other;
        let delta = field_error(head, device)?;
        let s = match question.target {
            Target::Samples(s) => s,
            Target::OutputError(error) => {
                if error <= delta {
                    return Ok(Err(format!(
                        "the width of its fields alone makes an output error of {:.2} % in head {i}, more than {:.2} %",
                        100.0 * delta,
                        100.0 * error
                    )));
                }
                let left = (error - delta) * (error + delta);
                let needed = (head.variance / (run.efficiency * left)).ceil();
                // Beyond 2⁵³ the division has lost whole samples, and no device lives that long.
                if needed > 9.0e15 {
                    return Err(Error::TooManyEvents { event: "read_outs", samples: needed as u64 });
                }
                (needed as u64).max(1)
            }
        };
        activity = add(&activity, &run.events.at(s)?, s)?;
        samples.min = samples.min.min(s);
        samples.max = samples.max.max(s);
        samples.mean += s as f64 / question.heads.len() as f64;
        errors.push((head.variance / (run.efficiency * s as f64) + delta * delta).sqrt());
    }
    Ok(Ok(Plan { activity, samples, errors, stands_in }))
}

/// The sum of two activities, if it can be counted.
pub(super) fn add(a: &Activity, b: &Activity, samples: u64) -> Result<Activity, Error> {
    let fits = |(x, y): ((&'static str, u64), (&'static str, u64))| match x.1.checked_add(y.1) {
        Some(_) => Ok(()),
        None => Err(Error::TooManyEvents { event: x.0, samples }),
    };
    a.counts().into_iter().zip(b.counts()).try_for_each(fits)?;
    Ok(*a + *b)
}
