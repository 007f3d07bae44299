//! The best mapping of a workload on a device, by looking at all of them.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::{Choice, Construction, Layout, Lowered, Rows, Target, Write, lower};
use crate::cost::POWER_CAP;
use crate::device::{Area, Device, Price, Rate, Storage};
use crate::error::Error;
use crate::ledger::{Event, Ledger};
use crate::workload::Inference;

/// What is made small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Joules.
    Energy,
    /// Seconds.
    Time,
    /// Joules × seconds.
    EnergyDelay,
    /// Silicon.
    Area,
}

/// What may not be exceeded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Constraint {
    /// Watts on average.
    pub power_w: Option<f64>,
    /// Silicon in m².
    pub area_m2: Option<f64>,
    /// Seconds.
    pub time_s: Option<f64>,
}

/// Prices and rates of a device at the middle of their ranges, ready for many evaluations.
#[derive(Debug, Clone)]
pub struct Tariff {
    /// Joules of an event; NaN where the file is silent, 0 where another event pays.
    price: [f64; Event::ALL.len()],
    /// Events a second; NaN where the file is silent, infinite where no time of its own is taken.
    rate: [f64; Event::ALL.len()],
    idle_per_chip: f64,
    idle_once: f64,
    cap: f64,
    pipelined: bool,
    number_m2: f64,
    spin_m2: f64,
    chip_m2: f64,
    holds: bool,
}

/// Joules, seconds, m², and what binds the time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quick {
    /// Joules.
    pub energy: f64,
    /// Seconds.
    pub time: f64,
    /// m²; NaN if the file is silent.
    pub area: f64,
    /// Stage that sets the time.
    pub binds: &'static str,
}

impl Tariff {
    /// Of a device.
    pub fn of(device: &Device) -> Self {
        let price = Event::ALL.map(|e| match device.prices.get(&e) {
            Some(Price::Stated(p)) => p.range.mid.value(),
            Some(Price::IncludedIn { .. }) => 0.0,
            None => f64::NAN,
        });
        let spins = device.design.spins.as_ref().map_or(1.0, |s| s.value as f64);
        let rate = Event::ALL.map(|e| match device.rates.get(&e) {
            Some(Rate::Stated(r)) => r.range.mid.value(),
            Some(Rate::Frames(f)) => f.range.mid.value() * spins,
            Some(Rate::Within { .. } | Rate::PowerLimited { .. }) => f64::INFINITY,
            None => f64::NAN,
        });
        let idle = |per_chip: bool| {
            device
                .idle
                .iter()
                .filter(|(what, _)| what.per_chip() == per_chip)
                .map(|(_, p)| p.range.mid.value())
                .sum()
        };
        let area = |what| {
            device.area.get(&what).map_or(f64::NAN, |a: &crate::provenance::Known<_>| a.range.mid.value())
        };
        Self {
            price,
            rate,
            idle_per_chip: idle(true),
            idle_once: idle(false),
            cap: device.power_cap.as_ref().map_or(f64::INFINITY, |c| c.range.mid.value()),
            pipelined: device.pipelined,
            number_m2: area(Area::Number),
            // A device that states no spins decides inside its array.
            spin_m2: match device.design.spins.is_none() && !device.area.contains_key(&Area::Spin) {
                true => 0.0,
                false => area(Area::Spin),
            },
            chip_m2: area(Area::Chip),
            holds: device.design.numbers.is_some(),
        }
    }

    /// Energy and time of a ledger on `chips` of which a share is `busy`; the event that has no price, if there is one.
    ///
    /// # Errors
    /// The event that the file neither prices nor times.
    pub fn price(&self, ledger: &Ledger, chips: f64, busy: f64) -> Result<Quick, Event> {
        let (mut energy, mut time, mut longest, mut binds) = (0.0, 0.0f64, 0.0, "nothing");
        for event in Event::ALL {
            let count = ledger.count(event).value();
            if count == 0.0 {
                continue;
            }
            let (price, rate) = (self.price[event as usize], self.rate[event as usize]);
            if price.is_nan() || rate.is_nan() {
                return Err(event);
            }
            energy += count * price;
            let stage = count / (rate * chips * busy);
            if stage > longest {
                (longest, binds) = (stage, event.name());
            }
            time = if self.pipelined { time.max(stage) } else { time + stage };
        }
        let idle = self.idle_once + self.idle_per_chip * chips;
        let wait = if self.cap > idle { energy / (self.cap - idle) } else { f64::INFINITY };
        if wait >= time && wait > 0.0 {
            (time, binds) = (wait, POWER_CAP);
        }
        Ok(Quick { energy: energy + if idle > 0.0 { idle * time } else { 0.0 }, time, area: f64::NAN, binds })
    }

    /// Silicon: whole chips where the file knows a chip and what it holds, otherwise what the numbers and spins take.
    pub fn area(&self, lowered: &Lowered) -> f64 {
        if self.chip_m2.is_finite() && (self.holds || lowered.held == 0.0) {
            return lowered.extent.chips * self.chip_m2;
        }
        let part = |count: f64, each: f64| if count > 0.0 { count * each } else { 0.0 };
        part(lowered.held, self.number_m2) + part(lowered.spins, self.spin_m2)
    }
}

/// The best of all candidates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Best {
    /// It, put on the device.
    pub lowered: Lowered,
    /// Joules at the middle of the ranges.
    pub energy_j: f64,
    /// Seconds.
    pub time_s: f64,
    /// m², if known.
    pub area_m2: Option<f64>,
    /// What sets its time.
    pub binds: &'static str,
    /// Candidates looked at.
    pub candidates: u64,
    /// Candidates that were priced, each by itself; what no number of chips makes possible is refused at once.
    pub priced: u64,
    /// How many were refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// The least of every construction: what was made small, in SI units. Gates are not softmax, and win only where nothing else is
    /// possible.
    pub least: BTreeMap<&'static str, f64>,
}

/// What is asked of every candidate.
struct Search<'a> {
    inference: &'a Inference,
    rows: &'a Rows,
    target: Target,
    device: &'a Device,
    tariff: Tariff,
    objective: Objective,
    constraint: Constraint,
    ladder: Vec<u64>,
}

/// What is found among the candidates that differ in chips and rows side by side.
#[derive(Default)]
struct Found {
    candidates: u64,
    priced: u64,
    refused: BTreeMap<String, u64>,
    best: Option<(f64, Best)>,
}

impl Found {
    fn no(&mut self, reason: &str, times: u64) {
        match self.refused.get_mut(reason) {
            Some(count) => *count += times,
            None => {
                self.refused.insert(reason.to_owned(), times);
            }
        }
    }
}

/// Looks at every combination of construction, write, layout, penalty, storage, bits, chips and rows side by side that a device's file
/// allows, and keeps the best under an objective and constraints.
///
/// `chips` and `side_by_side` are tried in steps of 2^(1/`fineness`) from 1 to 4096: at a fineness of 24, a quarter of a million
/// candidates of a device of bits are priced, and many more refused. They are looked at in parallel; of equals the first in order wins, so that the number of threads
/// changes nothing.
///
/// # Errors
/// [`Error::Workload`] with the commonest reason if no candidate is left.
pub fn search(
    inference: &Inference,
    rows: &Rows,
    target: Target,
    device: &Device,
    objective: Objective,
    constraint: Constraint,
    fineness: u32,
) -> Result<Best, Error> {
    let base = Choice::of(device);
    let steps = 12 * fineness.max(1);
    let mut ladder: Vec<u64> =
        (0..=steps).map(|i| libm::exp2(f64::from(i) / f64::from(fineness.max(1))).round() as u64).collect();
    ladder.dedup();
    let widths: Vec<u32> = match &device.design.field_bits {
        Some(bits) => vec![bits.value],
        None => vec![base.bits],
    };
    let holds = device.design.numbers.is_some() || device.area.contains_key(&Area::Number);
    let tariff = Tariff::of(device);
    let asked = Search { inference, rows, target, device, tariff, objective, constraint, ladder };
    let found: Vec<Found> =
        outers(&base, &widths, holds).into_par_iter().map(|outer| asked.among(outer)).collect();
    asked.best_of(found)
}

impl Search<'_> {
    /// Every number of chips and of rows side by side.
    fn among(&self, outer: Choice) -> Found {
        let mut found = Found::default();
        let all = (self.ladder.len() * self.ladder.len()) as u64;
        // What does not depend on chips and rows side by side is found out once.
        let refused = match self.lower(outer) {
            Err(error) => Some(brief(&error, self.device)),
            Ok(trial) => (self.tariff.price(&trial.ledger, 1.0, 1.0).err())
                .map(|event| format!("no price or rate of `{}`", event.name())),
        };
        if let Some(reason) = refused {
            found.candidates = all;
            found.no(&reason, all);
            return found;
        }
        for &chips in &self.ladder {
            for &side_by_side in &self.ladder {
                found.candidates += 1;
                match self.lower(Choice { chips, side_by_side, ..outer }) {
                    Err(error) => found.no(&brief(&error, self.device), 1),
                    Ok(lowered) => self.price(lowered, &mut found),
                }
            }
        }
        found
    }

    fn lower(&self, choice: Choice) -> Result<Lowered, Error> {
        lower(self.inference, self.rows, self.target, self.device, choice)
    }

    fn price(&self, lowered: Lowered, found: &mut Found) {
        let extent = lowered.extent;
        let Ok(quick) = self.tariff.price(&lowered.ledger, extent.chips, extent.busy) else { return };
        found.priced += 1;
        let area = self.tariff.area(&lowered);
        let limits = self.constraint;
        if limits.power_w.is_some_and(|most| quick.energy > most * quick.time) {
            return found.no("power", 1);
        }
        if limits.area_m2.is_some_and(|most| area.is_nan() || area > most) {
            return found.no("area", 1);
        }
        if !quick.time.is_finite() || limits.time_s.is_some_and(|most| quick.time > most) {
            return found.no("time", 1);
        }
        let value = match self.objective {
            Objective::Energy => quick.energy,
            Objective::Time => quick.time,
            Objective::EnergyDelay => quick.energy * quick.time,
            Objective::Area => area,
        };
        // Of equals the first: the fewest chips.
        if value.is_finite() && found.best.as_ref().is_none_or(|(least, _)| value < *least) {
            let best = Best {
                lowered,
                energy_j: quick.energy,
                time_s: quick.time,
                area_m2: Some(area).filter(|a| a.is_finite()),
                binds: quick.binds,
                candidates: 0,
                priced: 0,
                refused: BTreeMap::new(),
                least: BTreeMap::new(),
            };
            found.best = Some((value, best));
        }
    }

    /// The first of the least, in the order of the candidates.
    fn best_of(&self, found: Vec<Found>) -> Result<Best, Error> {
        let mut all = Found::default();
        let mut least = BTreeMap::new();
        for part in found {
            all.candidates += part.candidates;
            all.priced += part.priced;
            part.refused.iter().for_each(|(reason, times)| all.no(reason, *times));
            let Some((value, best)) = part.best else { continue };
            let construction = best.lowered.choice.construction;
            let known = least.entry(construction.name()).or_insert(value);
            *known = known.min(value);
            // Gates, which are not softmax, stand behind everything that is.
            let rank = |construction: Construction, value: f64| (construction == Construction::Gated, value);
            let better = all.best.as_ref().is_none_or(|(other, kept)| {
                rank(construction, value) < rank(kept.lowered.choice.construction, *other)
            });
            if better {
                all.best = Some((value, best));
            }
        }
        match all.best {
            Some((_, best)) => Ok(Best {
                candidates: all.candidates,
                priced: all.priced,
                refused: all.refused,
                least,
                ..best
            }),
            None => {
                let why = all.refused.iter().max_by_key(|(_, count)| **count);
                let why = why.map_or("nothing to try", |(why, _)| why);
                let reason = format!(
                    "none of {} mappings on {} is possible; the commonest reason: {why}",
                    all.candidates, self.device.id
                );
                Err(Error::Workload { reason })
            }
        }
    }
}

/// Every combination but chips and rows side by side.
fn outers(base: &Choice, widths: &[u32], holds: bool) -> Vec<Choice> {
    // Only what states how much it holds, or how large a number is, can hold a model.
    let storages: &[Storage] =
        if holds { &[Storage::Resident, Storage::Streamed] } else { &[Storage::Streamed] };
    let mut all = Vec::new();
    let constructions: &[Construction] = match base.construction {
        Construction::Exact => &[Construction::Exact],
        // Units of n states draw winners; bits make one-hot rows, walls and gates.
        Construction::Native | Construction::Bipartite => &[Construction::Native, Construction::Bipartite],
        _ => &[Construction::OneHot, Construction::DomainWall, Construction::Gated],
    };
    for &construction in constructions {
        let layouts = if construction == Construction::OneHot { &Layout::ALL[..] } else { &Layout::ALL[..1] };
        for &layout in layouts {
            let penalties = if layout == Layout::Uncoupled { 1 } else { 8 };
            for (penalty, write) in
                (0..penalties).flat_map(|p| Write::ALL.map(move |w| (f64::from(p) + 1.0, w)))
            {
                for &storage in storages {
                    for &bits in widths {
                        all.push(Choice { construction, write, layout, penalty, storage, bits, ..*base });
                    }
                }
            }
        }
    }
    all
}

/// The reason without the name of the device.
fn brief(error: &Error, device: &Device) -> String {
    match error {
        Error::Workload { reason } => {
            reason.strip_prefix(&format!("{}: ", device.id)).unwrap_or(reason).to_owned()
        }
        other => other.to_string(),
    }
}
