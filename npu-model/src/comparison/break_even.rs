//! What would have to change for a device to draw level with the GPU.
//!
//! ```text
//! e_pair  = E / pairs                                  energy for one query–key pair
//! e*      = (E_GPU − (E − E_attempts)) / attempts      price of an attempt at which the device draws level
//! S*      : E(S*) = E_GPU,  E(S) = E(0) + S·(E(1) − E(0))
//! updates = (e_GPU − e_rest) / e_attempt               attempts a pair that fit before drawing level
//! ```
//!
//! All in joules against the GPU filled with like work, at the middle of the ranges unless said.

use serde::Serialize;

use super::row::add;
use super::{Question, Row, field_error, sampled};
use crate::device::{Device, Encoding, Price};
use crate::error::Error;
use crate::interval::Interval;
use crate::ledger::Event;
use crate::provenance::Evidence;
use crate::units::{Joules, JoulesPerEvent};
use ceas_sim::activity::Activity;

/// Break-even of one device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeviceBreakEven {
    /// Id of the device.
    pub name: String,
    /// Energy for one query–key pair.
    pub pair_j: Interval<Joules>,
    /// Energy of the GPU over energy of the device: above 1 the device needs less. `low` pairs the dearest device with the
    /// cheapest GPU.
    pub gain: [f64; 3],
    /// The same against the control.
    pub gain_over_control: [f64; 3],
    /// Time of the device over time of the GPU by itself, at the middle of the ranges: above 1 the device is slower.
    pub slowdown: f64,
    /// Grade of these ratios: the weaker of the two sides.
    pub evidence: Evidence,
    /// Attempts for one pair.
    pub attempts_per_pair: f64,
    /// Attempts for one pair at which the device would draw level; negative if it loses with free spins.
    pub attempts_per_pair_level: Option<f64>,
    /// Price of an attempt at which the device would draw level; `None` if it does not sample, negative if it loses with
    /// free spins.
    pub attempt_price_level_j: Option<JoulesPerEvent>,
    /// Read-outs per query (of every head) at which the device draws level; `None` if it does not sample, negative if it loses
    /// before the first one.
    pub samples_level: Option<f64>,
    /// Output error at that many read-outs.
    pub error_level: Option<f64>,
}

/// Break-even of every device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BreakEven {
    /// The GPU row that is the bar.
    pub gpu: String,
    /// Its energy for one query–key pair.
    pub gpu_pair_j: Interval<Joules>,
    /// One entry for every device that can do the work.
    pub devices: Vec<DeviceBreakEven>,
}

impl BreakEven {
    /// From the rows: devices in order, then the bar filled, then alone.
    pub(super) fn new(question: &Question, devices: &[Device], rows: &[Row]) -> Result<Self, Error> {
        let bar = &rows[devices.len()];
        let alone = &rows[devices.len() + 1];
        let control = rows.iter().find(|r| r.name == crate::device::CONTROL);
        let pairs = question.workload.pairs() as f64;
        let per_pair = |e: Interval<Joules>| e.scaled(1.0 / pairs);
        let bar_energy = bar.energy_j.expect("a bar whose power is unknown was refused");
        let mut entries = Vec::new();
        for (device, row) in devices.iter().zip(rows) {
            let (Some(energy), Some(time)) = (row.energy_j, row.time_s) else { continue };
            let sampling = match row.activity {
                Some(activity) => Some(Level::new(question, device, &activity, energy, bar_energy)?),
                None => None,
            };
            let control_energy = control.and_then(|c| c.energy_j).unwrap_or(energy);
            entries.push(DeviceBreakEven {
                name: row.name.clone(),
                pair_j: per_pair(energy),
                gain: ratio(bar_energy, energy),
                gain_over_control: ratio(control_energy, energy),
                slowdown: alone.time_s.map_or(f64::NAN, |t| time.mid / t.mid),
                evidence: row.evidence.min(bar.evidence),
                attempts_per_pair: row.activity.map_or(0.0, |a| a.attempts as f64 / pairs),
                attempts_per_pair_level: sampling.as_ref().map(|l| l.attempts / pairs),
                attempt_price_level_j: sampling.as_ref().map(|l| l.price),
                samples_level: sampling.as_ref().map(|l| l.samples),
                error_level: sampling.as_ref().and_then(|l| l.error),
            });
        }
        Ok(Self { gpu: bar.name.clone(), gpu_pair_j: per_pair(bar_energy), devices: entries })
    }
}

/// low, mid, high of bar/device.
fn ratio(bar: Interval<Joules>, device: Interval<Joules>) -> [f64; 3] {
    [bar.low / device.high, bar.mid / device.mid, bar.high / device.low]
}

/// Where a device that samples draws level.
struct Level {
    attempts: f64,
    price: JoulesPerEvent,
    samples: f64,
    error: Option<f64>,
}

impl Level {
    fn new(
        question: &Question,
        device: &Device,
        activity: &Activity,
        energy: Interval<Joules>,
        bar: Interval<Joules>,
    ) -> Result<Self, Error> {
        let attempts = activity.attempts as f64;
        let unit = match device.prices.get(&Event::Attempts) {
            Some(Price::Stated(price)) => price.range.mid,
            _ => JoulesPerEvent::new(0.0),
        };
        let spent = unit.value() * attempts;
        let left = bar.mid.value() - (energy.mid.value() - spent);
        let at = |samples: u64| -> Result<f64, Error> {
            let mut total = Activity::default();
            for head in &question.heads {
                total = add(&total, &sampled(head, device.encoding).0.events.at(samples)?, samples)?;
            }
            Ok(device.price(&total, &question.workload)?.energy.mid.value())
        };
        let (none, one) = (at(0)?, at(1)?);
        let samples = (bar.mid.value() - none) / (one - none);
        let error = if samples >= 1.0 && device.encoding != Encoding::Exact {
            let mut square = 0.0;
            for head in &question.heads {
                let delta = field_error(head, device)?;
                let run = sampled(head, device.encoding).0;
                square += head.variance / (run.efficiency * samples) + delta * delta;
            }
            Some((square / question.heads.len() as f64).sqrt())
        } else {
            None
        };
        Ok(Self {
            attempts: if unit.value() > 0.0 { left / unit.value() } else { f64::INFINITY },
            price: JoulesPerEvent::new(left / attempts),
            samples,
            error,
        })
    }
}
