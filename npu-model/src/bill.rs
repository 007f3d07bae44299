//! From counted events to joules and seconds, number by number: the one place where prices meet counts.
//!
//! ```text
//! E = Σ_event count·price + Σ_idle power·t
//! t = max_stage count/(rate·c)   (pipelined)   or   Σ_stage count/(rate·c)   (one after the other),
//! t ≥ E_events / (P_cap − Σ_idle power)
//! ```
//!
//! c is how many chips work at once ([`Extent`]). A bill keeps every number apart, so that one can be drawn
//! ([`Bill::draws`]), turned to its ends ([`Bill::tornado`]) or replaced ([`Bill::at_price`]) without pricing anew.
//!
//! **Draws.** A number known as low, mid and high is drawn from the law whose quantiles at 0, ½ and 1 they are, uniform in the logarithm
//! on either side of mid. Every number of a file is drawn from a stream of its own, a function of its key, range and source: the same
//! number in two files is one number, and moves together in both. A number that its file calls the same as another (`same_as`) is drawn
//! with it: x = times · other in every draw. In tornado and break-even they turn together too.

use std::collections::BTreeMap;

use ceas_sim::stream::{Purpose, Stream};
use serde::Serialize;

use crate::cost::{Cost, MATTERS, POWER_CAP};
use crate::device::{Device, Price, Rate};
use crate::error::Error;
use crate::interval::Interval;
use crate::ledger::{Event, Ledger};
use crate::provenance::{Evidence, Known, Same};
use crate::units::{Joules, Quantity, Seconds};

mod law;

pub use law::{Draws, Quantiles, Spread, quantile};

/// How many chips there are, and what share of them is at work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Extent {
    /// Chips.
    pub chips: f64,
    /// Share of the chips' rates that the work can use, above 0 and at most 1: a token in one layer leaves the others idle, and a row
    /// that does not fill the spins leaves some.
    pub busy: f64,
}

impl Extent {
    /// One chip, all at work.
    pub const ONE: Self = Self { chips: 1.0, busy: 1.0 };
}

/// A number of a file, and how it enters.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    /// Event, stage or kind of idle power.
    name: &'static str,
    /// Its key in the file.
    key: String,
    range: [f64; 3],
    evidence: Evidence,
    /// What is drawn: this number, or the one that it is a multiple of.
    drawn: Same,
    /// What it multiplies (a price, a power) or divides (a rate).
    count: f64,
}

impl Line {
    fn new<Q: Quantity>(name: &'static str, table: &str, known: &Known<Q>, count: f64) -> Self {
        let range = [known.range.low.si(), known.range.mid.si(), known.range.high.si()];
        let key = format!("{table}.{name}");
        let own = || Same { key: key.clone(), times: 1.0, range, source: known.source.clone() };
        let drawn = known.same_as.clone().unwrap_or_else(own);
        Self { name, key, range, evidence: known.evidence, drawn, count }
    }

    /// The same under another key.
    fn keyed(self, key: String) -> Self {
        let drawn = Same { key: key.clone(), ..self.drawn };
        Self { key, drawn, ..self }
    }

    /// Whether both are drawn as one.
    fn is_one_with(&self, other: &Self) -> bool {
        (&self.drawn.key, self.drawn.range, &self.drawn.source)
            == (&other.drawn.key, other.drawn.range, &other.drawn.source)
    }

    /// The stream that draws it.
    fn stream(&self, seed: u64) -> Stream {
        // FNV-1a: a portable hash is all that is needed, since the stream mixes its numbers itself.
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = |bytes: &mut dyn Iterator<Item = &u8>| bytes.fold(0xcbf2_9ce4_8422_2325, step);
        let ends: Vec<u8> = self.drawn.range.iter().flat_map(|x| x.to_bits().to_le_bytes()).collect();
        let name = hash(&mut self.drawn.key.as_bytes().iter().chain(self.drawn.source.as_bytes()));
        Stream::new(seed, Purpose::Resampling, name, hash(&mut ends.iter()))
    }
}

/// Energy and time of a bill at some choice of its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Outcome {
    energy: f64,
    time: f64,
}

/// Every number that a piece of work on a device involves, with what it multiplies.
#[derive(Debug, Clone, PartialEq)]
pub struct Bill {
    energy: Vec<Line>,
    stages: Vec<Line>,
    idle: Vec<Line>,
    cap: Option<Line>,
    pipelined: bool,
}

/// By how much the result moves when one number goes to its ends and all others stay in the middle.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Swing {
    /// Key of the number in the device file.
    pub number: String,
    /// Its grade.
    pub evidence: Evidence,
    /// Energy with the number at its low end and at its high end.
    pub energy_j: [f64; 2],
    /// Time likewise.
    pub time_s: [f64; 2],
}

impl Bill {
    /// The numbers of a device that a ledger involves.
    ///
    /// # Errors
    /// [`Error::NoPrice`] and [`Error::NoRate`] if something happens that the file does not price or time.
    pub fn new(device: &Device, ledger: &Ledger, extent: Extent) -> Result<Self, Error> {
        let mut energy = Vec::new();
        let mut stages = Vec::new();
        let speed = extent.chips * extent.busy;
        for (event, count) in ledger.entries() {
            let count = count.value();
            let absent = || (device.id.clone(), event.name(), count);
            match device.prices.get(&event) {
                Some(Price::Stated(price)) => energy.push(Line::new(event.name(), "price_j", price, count)),
                Some(Price::IncludedIn { .. }) => {}
                None => {
                    let (device, event, count) = absent();
                    return Err(Error::NoPrice { device, event, count });
                }
            }
            match device.rates.get(&event) {
                Some(Rate::Stated(rate)) => {
                    stages.push(Line::new(event.name(), "rate_hz", rate, count / speed))
                }
                Some(Rate::Frames(frames)) => {
                    // A reader of files has checked that a device with frames has spins.
                    let spins = device.design.spins.as_ref().map_or(1, |s| s.value) as f64;
                    stages.push(Line::new(event.name(), "rate_hz", frames, count / spins / speed));
                }
                Some(Rate::Within { .. } | Rate::PowerLimited { .. }) => {}
                None => {
                    let (device, event, count) = absent();
                    return Err(Error::NoRate { device, event, count });
                }
            }
        }
        let power = |(what, known): (&crate::device::Idle, &Known<_>)| {
            let count = if what.per_chip() { extent.chips } else { 1.0 };
            Line::new(what.name(), "idle_w", known, count).keyed(format!("idle_w.{}", &what.name()[5..]))
        };
        // Nothing idles that does nothing.
        let idle = if energy.is_empty() && stages.is_empty() {
            Vec::new()
        } else {
            device.idle.iter().map(power).collect()
        };
        let cap = device
            .power_cap
            .as_ref()
            .map(|cap| Line::new(POWER_CAP, "", cap, 1.0).keyed("power_cap_w".into()));
        Ok(Self { energy, stages, idle, cap, pipelined: device.pipelined })
    }

    fn lines(&self) -> impl Iterator<Item = &Line> {
        self.energy.iter().chain(&self.stages).chain(&self.idle).chain(&self.cap)
    }

    /// Energy and time with every line at the number that `value` gives it; `cheap` decides the other way for what divides.
    fn outcome(&self, value: impl Fn(&Line) -> f64) -> Outcome {
        let events: f64 = self.energy.iter().map(|l| value(l) * l.count).sum();
        let power: f64 = self.idle.iter().map(|l| value(l) * l.count).sum();
        let stage = |l: &Line| l.count / value(l);
        let mut time = if self.pipelined {
            self.stages.iter().map(stage).fold(0.0, f64::max)
        } else {
            self.stages.iter().map(stage).sum()
        };
        if let Some(cap) = &self.cap {
            time = f64::max(time, waiting(events, value(cap) - power));
        }
        Outcome { energy: events + if power > 0.0 { power * time } else { 0.0 }, time }
    }

    /// Number `i` of what multiplies, and its opposite of what divides: everything at its cheap end, middle or dear end.
    fn end(line: &Line, end: usize) -> f64 {
        let divides = line.key.starts_with("rate_hz") || line.name == POWER_CAP;
        line.range[if divides { 2 - end } else { end }]
    }

    /// Energy, time and their parts, everything cheap, in the middle, and dear at once.
    pub fn cost(&self) -> Cost {
        let all = [0, 1, 2].map(|end| self.outcome(|line| Self::end(line, end)));
        let joules = |x: [f64; 3]| Interval::new(Joules::new(x[0]), Joules::new(x[1]), Joules::new(x[2]));
        let seconds = |x: [f64; 3]| Interval::new(Seconds::new(x[0]), Seconds::new(x[1]), Seconds::new(x[2]));
        let ends = |f: &dyn Fn(usize) -> f64| [f(0), f(1), f(2)];
        let mut energy_by = BTreeMap::new();
        for line in &self.energy {
            energy_by.insert(line.name, joules(ends(&|end| Self::end(line, end) * line.count)));
        }
        for line in &self.idle {
            energy_by
                .insert(line.name, joules(ends(&|end| Self::end(line, end) * line.count * all[end].time)));
        }
        let mut time_by: BTreeMap<_, _> = (self.stages.iter())
            .map(|line| (line.name, seconds(ends(&|end| line.count / Self::end(line, end)))))
            .collect();
        let longest = time_by.iter().max_by(|a, b| a.1.mid.value().total_cmp(&b.1.mid.value()));
        let mut binds = longest.map_or("nothing", |(name, _)| *name);
        let composed: Vec<f64> = time_by.values().map(|t: &Interval<Seconds>| t.mid.value()).collect();
        let composed =
            if self.pipelined { composed.iter().copied().fold(0.0, f64::max) } else { composed.iter().sum() };
        if let Some(cap) = &self.cap {
            let wait = ends(&|end| {
                let of = |lines: &[Line]| lines.iter().map(|l| Self::end(l, end) * l.count).sum::<f64>();
                waiting(of(&self.energy), Self::end(cap, end) - of(&self.idle))
            });
            time_by.insert(POWER_CAP, seconds(wait));
            if wait[1] >= composed {
                binds = POWER_CAP;
            }
        }
        let total = all[1].energy;
        let weighty = (self.energy.iter().map(|l| (l, Self::end(l, 1) * l.count)))
            .chain(self.idle.iter().map(|l| (l, Self::end(l, 1) * l.count * all[1].time)))
            .filter(|(_, part)| *part >= MATTERS * total);
        let bound = self.stages.iter().chain(&self.cap).find(|l| l.name == binds);
        Cost {
            energy: joules(all.map(|o| o.energy)),
            time: seconds(all.map(|o| o.time)),
            energy_by,
            time_by,
            pipelined: self.pipelined,
            binds,
            energy_evidence: weighty.map(|(l, _)| l.evidence).min().unwrap_or(Evidence::Derived),
            time_evidence: bound.map_or(Evidence::Derived, |l| l.evidence),
        }
    }

    /// Energy and time under `n` draws of all numbers.
    pub fn draws(&self, n: usize, seed: u64) -> Draws {
        let drawn = |line: &Line| -> Vec<f64> {
            let mut stream = line.stream(seed);
            if line.range[0] == line.range[2] {
                return vec![line.range[1]; n];
            }
            let quantiles = Quantiles::of(line.range);
            (0..n).map(|_| quantiles.at(stream.uniform())).collect()
        };
        let mut events = vec![0.0; n];
        for line in &self.energy {
            for (sum, value) in events.iter_mut().zip(drawn(line)) {
                *sum += value * line.count;
            }
        }
        let mut power = vec![0.0; n];
        for line in &self.idle {
            for (sum, value) in power.iter_mut().zip(drawn(line)) {
                *sum += value * line.count;
            }
        }
        let mut time = vec![0.0f64; n];
        for line in &self.stages {
            for (t, value) in time.iter_mut().zip(drawn(line)) {
                let stage = line.count / value;
                *t = if self.pipelined { t.max(stage) } else { *t + stage };
            }
        }
        if let Some(cap) = &self.cap {
            for (i, value) in drawn(cap).into_iter().enumerate() {
                time[i] = time[i].max(waiting(events[i], value - power[i]));
            }
        }
        for i in 0..n {
            if power[i] > 0.0 {
                events[i] += power[i] * time[i];
            }
        }
        Draws { energy: events, time }
    }

    /// How far each number moves the result by itself, the widest in energy first; what is drawn as one turns as one, under the key of
    /// what the others are multiples of.
    pub fn tornado(&self) -> Vec<Swing> {
        let turned = |which: &Line, end: usize| {
            self.outcome(|line| if line.is_one_with(which) { line.range[end] } else { line.range[1] })
        };
        let swing = |line: &Line| {
            let [low, high] = [turned(line, 0), turned(line, 2)];
            Swing {
                number: line.drawn.key.clone(),
                evidence: line.evidence,
                energy_j: [low.energy, high.energy],
                time_s: [low.time, high.time],
            }
        };
        let lines: Vec<&Line> = self.lines().filter(|l| l.range[0] < l.range[2]).collect();
        let first = |i: usize| !lines[..i].iter().any(|before| before.is_one_with(lines[i]));
        let mut swings: Vec<Swing> =
            (0..lines.len()).filter(|&i| first(i)).map(|i| swing(lines[i])).collect();
        let width = |s: &Swing| (s.energy_j[1] / s.energy_j[0]).abs().ln().abs();
        swings.sort_by(|a, b| width(b).total_cmp(&width(a)));
        swings
    }

    /// The line of an event's price.
    fn priced(&self, event: Event) -> Option<&Line> {
        self.energy.iter().find(|l| l.name == event.name())
    }

    /// Energy at the middle of all ranges with the price of one event replaced, and with it whatever is a multiple of that price.
    pub fn at_price(&self, event: Event, joules: f64) -> f64 {
        let one = self.priced(event);
        self.outcome(|line| match one {
            Some(one) if line.is_one_with(one) => joules * line.drawn.times / one.drawn.times,
            _ => line.range[1],
        })
        .energy
    }

    /// Joules by which the energy grows for a joule on the price of an event: its count, and those of multiples of that price, weighted.
    pub fn weight(&self, event: Event) -> f64 {
        let one = self.priced(event);
        let weight = |one: &Line| -> f64 {
            let together = self.energy.iter().filter(|line| line.is_one_with(one));
            together.map(|line| line.count * line.drawn.times / one.drawn.times).sum()
        };
        one.map_or(0.0, weight)
    }

    /// The price of `event` at which the energy is `level`, everything else at the middle: negative if even a free event is too
    /// dear, `None` if there is no such event.
    ///
    /// ```text
    /// e* = (E_level − E(e = 0)) / weight
    /// ```
    pub fn price_for(&self, event: Event, level: f64) -> Option<f64> {
        self.priced(event)?;
        Some((level - self.at_price(event, 0.0)) / self.weight(event))
    }
}

/// The time that an energy takes under a power.
fn waiting(energy: f64, power: f64) -> f64 {
    match energy > 0.0 {
        true if power > 0.0 => energy / power,
        true => f64::INFINITY,
        false => 0.0,
    }
}
