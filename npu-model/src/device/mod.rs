//! Devices: what an event costs on them and how fast it happens, each number with its papers.

mod compose;
mod entry;
mod file;
mod number;
mod presets;
mod reading;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use compose::Part;
pub(crate) use number::{Place, RawFact, RawNumber, Rule, papers, toml_reason};
pub(crate) use presets::read;
pub use presets::{CONTROL, LACKING, Lacking, compared, compared_with_models, load, shipped, shipped_names};
pub use reading::{Reading, Readings};

use crate::ledger::Event;
use crate::provenance::{Fact, Known};
use crate::units::{Hertz, JoulesPerEvent, SquareMetres, Watts};

/// What kind of machine a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Thermal p-bits in analogue circuits.
    Thermodynamic,
    /// Digital p-bits: a pseudorandom generator and a comparator each.
    PBit,
    /// Multiply-accumulates in an analogue memory array.
    Analogue,
    /// Ordinary digital arithmetic, nothing thermal.
    Digital,
    /// A quantum annealer.
    Quantum,
    /// A graphics processor.
    Gpu,
    /// A general processor.
    Cpu,
}

impl Kind {
    /// The kind as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Thermodynamic => "thermo",
            Self::PBit => "p-bit",
            Self::Analogue => "analogue",
            Self::Digital => "digital",
            Self::Quantum => "quantum",
            Self::Gpu => "GPU",
            Self::Cpu => "CPU",
        }
    }
}

/// How a device writes one attention row in its spins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// One n-state unit a row: a noisy winner-take-all draws the winner at once, samples are independent.
    Native,
    /// n binary spins a row, read until exactly one is up: some read-outs are invalid, and with a penalty between all pairs
    /// the valid ones are correlated.
    OneHot,
    /// No spins: the row is computed.
    Exact,
}

impl Encoding {
    /// The encoding as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::OneHot => "one-hot",
            Self::Exact => "exact",
        }
    }
}

/// Where the products q·k are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keys {
    /// K is programmed into the device's array once per context (n_k·d coupling writes); the fields appear in place.
    InArray,
    /// Digital logic beside the spins makes them; each is then written as a local field.
    Beside,
}

/// Where weights, keys and values are between their uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Storage {
    /// In the device: nothing moves, and as many chips are needed as hold them all.
    Resident,
    /// In a memory beside it: they pass through once for every use that the device cannot share.
    #[default]
    Streamed,
}

impl Storage {
    /// The storage as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resident => "resident",
            Self::Streamed => "streamed",
        }
    }
}

/// What draws power whether a device works or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Idle {
    /// Leakage and bias currents of a chip.
    Leakage,
    /// Clocks of a chip.
    Clock,
    /// Keeping it at its temperature.
    Temperature,
    /// The host that feeds it.
    Host,
}

impl Idle {
    /// The name in breakdowns.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leakage => "idle_leakage",
            Self::Clock => "idle_clock",
            Self::Temperature => "idle_temperature",
            Self::Host => "idle_host",
        }
    }

    /// Whether every chip draws it, or the device once.
    pub fn per_chip(self) -> bool {
        matches!(self, Self::Leakage | Self::Clock)
    }
}

/// What takes silicon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// One whole chip.
    Chip,
    /// One spin or unit that decides.
    Spin,
    /// One number that is held: a weight, or a number of K or V.
    Number,
}

impl Area {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chip => "chip",
            Self::Spin => "spin",
            Self::Number => "number",
        }
    }
}

/// Parts of the numbers of a device that are composed of components.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Composed {
    /// Of prices.
    pub prices: BTreeMap<Event, Vec<Part>>,
    /// Of rates.
    pub rates: BTreeMap<Event, Vec<Part>>,
    /// Of areas.
    pub areas: BTreeMap<Area, Vec<Part>>,
}

impl Composed {
    /// Key of the number and its parts, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = (String, &[Part])> {
        let areas = self.areas.iter().map(|(what, parts)| (format!("area_m2.{}", what.name()), &parts[..]));
        let prices =
            self.prices.iter().map(|(event, parts)| (format!("price_j.{}", event.name()), &parts[..]));
        let rates = self.rates.iter().map(|(event, parts)| (format!("rate_hz.{}", event.name()), &parts[..]));
        areas.chain(prices).chain(rates)
    }
}

/// The price of an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Price {
    /// So many joules for each.
    Stated(Known<JoulesPerEvent>),
    /// The price of another event contains it.
    IncludedIn {
        /// The event that pays.
        event: Event,
        /// Why.
        source: String,
    },
}

/// The rate of an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rate {
    /// So many a second on the whole device.
    Stated(Known<Hertz>),
    /// So many whole frames a second, each with one event for every spin.
    Frames(Known<Hertz>),
    /// It takes no time besides that of another event.
    Within {
        /// The event whose time it shares.
        event: Event,
        /// Why.
        source: String,
    },
    /// As fast as the power cap lets it be.
    PowerLimited {
        /// Why.
        source: String,
    },
}

/// Counts and widths of the design.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Design {
    /// Spins or p-bits.
    pub spins: Option<Fact<u64>>,
    /// Couplings at one spin.
    pub degree: Option<Fact<u64>>,
    /// Bits of a coupling.
    pub coupling_bits: Option<Fact<u32>>,
    /// Bits of a local field; without it the field is taken as exact, which favours the device.
    pub field_bits: Option<Fact<u32>>,
    /// Process node in nanometres.
    pub node_nm: Option<Fact<f64>>,
    /// Operating temperature in kelvin.
    pub temperature_k: Option<Fact<f64>>,
    /// Clock in hertz.
    pub clock_hz: Option<Fact<f64>>,
    /// Weights, or numbers of K and V, that one chip holds.
    pub numbers: Option<Fact<u64>>,
}

/// A device: everything its file states.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Device {
    /// Short name, as on the command line.
    pub id: String,
    /// What it is.
    pub name: String,
    /// The device it is composed from, by its id in the literature table; equal to `id` for a device taken as it is.
    pub based_on: String,
    /// What kind of machine it is.
    pub kind: Kind,
    /// How it writes an attention row.
    pub encoding: Encoding,
    /// Where q·k is made.
    pub keys: Keys,
    /// Whether the stages overlap (the slowest sets the time) or follow each other (their times add).
    pub pipelined: bool,
    /// Counts and widths.
    pub design: Design,
    /// Where weights, keys and values are.
    pub storage: Storage,
    /// Power that it draws whether it works or not; what is absent is unknown, and rows say so.
    pub idle: BTreeMap<Idle, Known<Watts>>,
    /// Silicon.
    pub area: BTreeMap<Area, Known<SquareMetres>>,
    /// Most power it may draw.
    pub power_cap: Option<Known<Watts>>,
    /// Price of every event it can price.
    pub prices: BTreeMap<Event, Price>,
    /// What the numbers that are composed of components are composed of.
    pub composed: Composed,
    /// Rate of every event it can time.
    pub rates: BTreeMap<Event, Rate>,
    /// What a reader of its results has to know.
    pub notes: Vec<String>,
}
