//! Reading a device file. The schema:
//!
//! ```toml
//! schema = 1
//! id = "my_device"
//! name = "what it is"
//! based_on = "id in the literature table"
//! kind = "p-bit"             # thermodynamic, p-bit, analogue, digital
//! encoding = "one-hot"       # native, one-hot, exact
//! keys = "beside"            # in-array, beside
//! pipelined = true
//! storage = "resident"       # resident, streamed (the default): where weights, K and V are
//! notes = ["what a reader of results has to know"]
//!
//! [design.spins]             # also degree, coupling_bits, field_bits, node_nm, temperature_k, clock_hz, numbers
//! value = 1024
//! provenance = "looked-up"   # looked-up, second-hand, memory, derived, assumption
//! source = "where it stands"
//! checked = "2026-11-30 against the abstract: what stands there"   # optional, of every number: the source was read
//! derived_from = ["design.clock_hz"]                               # optional, of every number: keys it is computed from
//!
//! [power_cap_w]              # optional: a number as below
//!
//! [idle_w.leakage]           # optional: also clock, temperature, host; numbers as below
//!
//! [area_m2.number]           # optional: also spin, chip; numbers as below, or composed: the sum of count parts each
//!
//! [price_j.attempts]         # one table for every event: joules each
//! value = 1.2e-12            # or low, mid and high
//! evidence = "measured"      # metered, measured, simulated, derived, projected, unstated
//! provenance = "second-hand"
//! source = "where it stands"
//!
//! [price_j.adc_conversions]  # or composed of components of the library, bits, node_nm and count as published and 1 by default
//! compose = [{ component = "isaac_adc_8b", bits = 6, node_nm = 28, count = 2 }]
//! source = "why these"
//!
//! [price_j.flips]
//! included_in = "attempts"
//! source = "why"
//!
//! [price_j.value_macs]       # the same quantity as another price, or a multiple of it: drawn once
//! same_as = "field_macs"
//! times = 1.0                # 1 by default
//! source = "why"
//!
//! [rate_hz.adc_conversions]  # or composed: copies units side by side, count actions an event; the slowest part decides
//! compose = [{ component = "isaac_adc_8b", copies = 1024, count = 1 }]
//! source = "why these"
//!
//! [rate_hz.value_macs]
//! same_as = "field_macs"
//! source = "why"
//!
//! [rate_hz.attempts]         # one table for every event: how many a second on the whole device
//! value = 3.0e10
//! evidence = "measured"
//! provenance = "second-hand"
//! source = "where it stands"
//!
//! [rate_hz.read_outs]        # whole frames a second, one event for every spin
//! frames = 4.0e4
//! evidence = "simulated"
//! provenance = "second-hand"
//! source = "where it stands"
//!
//! [rate_hz.flips]
//! within = "attempts"
//! source = "why"
//!
//! [rate_hz.field_macs]
//! power_limited = true
//! source = "why"
//! ```
//!
//! Any other key is refused.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::entry::{RawArea, RawPrice, RawRate};
use super::number::{Place, RawFact, RawNumber, Rule, toml_reason};
use super::{Area, Composed, Design, Device, Encoding, Idle, Keys, Kind, Price, Rate, Storage};
use crate::error::Error;
use crate::ledger::Event;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDevice {
    schema: u32,
    id: String,
    name: String,
    based_on: String,
    kind: Kind,
    encoding: Encoding,
    keys: Keys,
    pipelined: bool,
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default)]
    design: RawDesign,
    #[serde(default)]
    storage: Storage,
    power_cap_w: Option<RawNumber>,
    #[serde(default)]
    idle_w: BTreeMap<Idle, RawNumber>,
    #[serde(default)]
    area_m2: BTreeMap<Area, RawArea>,
    #[serde(default)]
    price_j: BTreeMap<Event, RawPrice>,
    #[serde(default)]
    rate_hz: BTreeMap<Event, RawRate>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawDesign {
    spins: Option<RawFact<u64>>,
    degree: Option<RawFact<u64>>,
    coupling_bits: Option<RawFact<u32>>,
    field_bits: Option<RawFact<u32>>,
    node_nm: Option<RawFact<f64>>,
    temperature_k: Option<RawFact<f64>>,
    clock_hz: Option<RawFact<f64>>,
    numbers: Option<RawFact<u64>>,
}

impl Device {
    /// Reads a device from the text of its file; `file` names it in messages.
    ///
    /// # Errors
    /// [`Error::Toml`] for syntax, an unknown or missing key or a wrong type, [`Error::Key`] for a value that makes no sense.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Error> {
        let raw: RawDevice = toml::from_str(text)
            .map_err(|e| Error::Toml { file: file.into(), reason: toml_reason(text, &e) })?;
        let place = |key| Place { file, key };
        if raw.schema != 1 {
            return Err(place("schema").wrong(format!("is {}: this program reads schema 1", raw.schema)));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if raw.id.is_empty() || raw.id.len() > 64 || !raw.id.chars().all(plain) {
            return Err(place("id").wrong("must be 1 to 64 letters, digits, - or _"));
        }
        if matches!(raw.kind, Kind::Gpu | Kind::Cpu) {
            return Err(place("kind").wrong(
                "is a GPU or CPU: such a machine is described by a baseline file, not a device file",
            ));
        }
        let design = design(raw.design, file)?;
        let power_cap = match &raw.power_cap_w {
            None => None,
            // A cap is a rule, not an estimate: a single value stands as it is.
            Some(number) => Some(number.known(Rule::Positive, place("power_cap_w"))?),
        };
        let mut idle = BTreeMap::new();
        for (what, number) in &raw.idle_w {
            let key = format!("idle_w.{}", &what.name()["idle_".len()..]);
            idle.insert(*what, number.known(Rule::Spread, Place { file, key: &key })?);
        }
        let mut composed = Composed::default();
        let mut area = BTreeMap::new();
        for (what, entry) in &raw.area_m2 {
            let key = format!("area_m2.{}", what.name());
            let (known, parts) = entry.area(&design, Place { file, key: &key })?;
            area.insert(*what, known);
            composed.areas.extend(parts.map(|parts| (*what, parts)));
        }
        let mut prices = BTreeMap::new();
        for (event, entry) in &raw.price_j {
            let key = format!("price_j.{}", event.name());
            let Some((price, parts)) = entry.price(&design, Place { file, key: &key })? else { continue };
            prices.insert(*event, price);
            composed.prices.extend(parts.map(|parts| (*event, parts)));
        }
        let mut rates = BTreeMap::new();
        for (event, entry) in &raw.rate_hz {
            let key = format!("rate_hz.{}", event.name());
            let Some((rate, parts)) = entry.rate(&design, Place { file, key: &key })? else { continue };
            rates.insert(*event, rate);
            composed.rates.extend(parts.map(|parts| (*event, parts)));
        }
        // What is the same as another comes once the others are there.
        let others = (prices.clone(), rates.clone());
        for (event, entry) in &raw.price_j {
            let key = format!("price_j.{}", event.name());
            prices.extend(entry.same(&others.0, Place { file, key: &key })?.map(|price| (*event, price)));
        }
        for (event, entry) in &raw.rate_hz {
            let key = format!("rate_hz.{}", event.name());
            rates.extend(entry.same(&others.1, Place { file, key: &key })?.map(|rate| (*event, rate)));
        }
        let device = Self {
            id: raw.id,
            name: raw.name,
            based_on: raw.based_on,
            kind: raw.kind,
            encoding: raw.encoding,
            keys: raw.keys,
            pipelined: raw.pipelined,
            design,
            storage: raw.storage,
            idle,
            area,
            power_cap,
            prices,
            composed,
            rates,
            notes: raw.notes,
        };
        device.consistent(file)?;
        Ok(device)
    }

    /// References between entries lead somewhere.
    fn consistent(&self, file: &str) -> Result<(), Error> {
        let papers = self.papers();
        for (key, paper) in &papers {
            if let Some(missing) = paper.derived_from.iter().find(|from| !papers.contains_key(*from)) {
                let reason = format!("is derived from `{missing}`, which is no number of this file");
                return Err(Place { file, key }.wrong(reason));
            }
        }
        for (event, price) in &self.prices {
            if let Price::IncludedIn { event: payer, .. } = price
                && !matches!(self.prices.get(payer), Some(Price::Stated(_)))
            {
                let key = format!("price_j.{}.included_in", event.name());
                let reason = format!("names `{}`, which has no price of its own", payer.name());
                return Err(Place { file, key: &key }.wrong(reason));
            }
        }
        for (event, rate) in &self.rates {
            let key = format!("rate_hz.{}", event.name());
            let wrong = |reason: String| Err(Place { file, key: &key }.wrong(reason));
            match rate {
                Rate::Within { event: host, .. }
                    if matches!(self.rates.get(host), None | Some(Rate::Within { .. })) =>
                {
                    return wrong(format!("is within `{}`, which has no rate of its own", host.name()));
                }
                Rate::PowerLimited { .. } if self.power_cap.is_none() => {
                    return wrong("is limited by power, but the file states no `power_cap_w`".into());
                }
                Rate::Frames(_) if self.design.spins.is_none() => {
                    return wrong("is given in frames, but the file states no `design.spins`".into());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn design(raw: RawDesign, file: &str) -> Result<Design, Error> {
    let count = |key: &str, fact: Option<RawFact<u64>>| match fact {
        Some(RawFact { value: 0, .. }) => Err(Place { file, key }.wrong("is 0: it must be at least 1")),
        fact => fact.map(|f| f.fact(Place { file, key })).transpose(),
    };
    let bits = |key: &str, fact: Option<RawFact<u32>>| match fact {
        Some(RawFact { value, .. }) if !(1..=64).contains(&value) => {
            Err(Place { file, key }.wrong(format!("is {value}: it must be 1 to 64 bits")))
        }
        fact => fact.map(|f| f.fact(Place { file, key })).transpose(),
    };
    let size = |key: &str, fact: Option<RawFact<f64>>| match fact {
        Some(RawFact { value, .. }) if !(value.is_finite() && value > 0.0) => {
            Err(Place { file, key }.wrong(format!("is {value}: it must be a finite number > 0")))
        }
        fact => fact.map(|f| f.fact(Place { file, key })).transpose(),
    };
    Ok(Design {
        spins: count("design.spins", raw.spins)?,
        degree: count("design.degree", raw.degree)?,
        coupling_bits: bits("design.coupling_bits", raw.coupling_bits)?,
        field_bits: bits("design.field_bits", raw.field_bits)?,
        node_nm: size("design.node_nm", raw.node_nm)?,
        temperature_k: size("design.temperature_k", raw.temperature_k)?,
        clock_hz: size("design.clock_hz", raw.clock_hz)?,
        numbers: count("design.numbers", raw.numbers)?,
    })
}
