//! Prices, rates and areas composed of components, for devices that do not exist.
//!
//! ```toml
//! [price_j.adc_conversions]
//! compose = [{ component = "isaac_adc_8b", bits = 6, node_nm = 28 }]
//! source = "why these"
//! ```
//!
//! ```text
//! price = Σ_parts count · E(component; node, bits)
//! rate  = min_parts copies · f(component; node, bits) / count      the slowest part decides
//! area  = Σ_parts count · A(component; node, bits)
//! ```
//!
//! `count` is how many actions of a part one event takes, or how many of a part an area holds; `copies` how many units of it work side by
//! side. What is left out is as published, the node that of the design where it states one. The grade is that of the weakest part, and a
//! part that is moved to another node or width is projected: its spread follows. A converter is no cheaper than thermal noise allows. A
//! component whose area or rate nobody published is refused where one is needed.

use serde::{Deserialize, Serialize};

use super::number::{Place, RawNumber, Rule};
use super::{Design, Known};
use crate::component::{self, Component, Kind, analogue_floor};
use crate::error::Error;
use crate::provenance::{Evidence, Provenance};
use crate::units::{Hertz, Joules, JoulesPerEvent, Kelvin, Quantity, SquareMetres};

/// A part of a composed number, as it stands in a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPart {
    component: String,
    bits: Option<f64>,
    node_nm: Option<f64>,
    count: Option<f64>,
    copies: Option<f64>,
}

/// A part of a composed price, rate or area.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// The component as it was published.
    pub published: Component,
    /// Process node in nanometres at which it is used.
    pub node_nm: f64,
    /// Width in bits at which it is used.
    pub bits: f64,
    /// How many of it one event takes, or an area holds; of a wire, millimetres.
    pub count: f64,
    /// How many units of it work side by side.
    pub copies: f64,
    /// Joules of one.
    pub each: Joules,
    /// Whether thermal noise sets its price.
    pub thermal: bool,
    /// Actions that one unit performs in a second.
    pub rate: Option<Hertz>,
    /// Silicon of one.
    pub area: Option<SquareMetres>,
    /// What it is worth here.
    pub evidence: Evidence,
}

/// Most parts of a number.
const MOST: usize = 32;
/// Largest count of a part that is believed.
const LARGEST: f64 = 1e9;
/// What `copies` is for, where it is wrong.
const NO_COPIES: &str = "has `copies`, which only a rate has: how many of a part there are is its `count`";

/// A price and what it is composed of: the sum.
pub(super) fn price_of(
    raw: &[RawPart],
    source: &str,
    design: &Design,
    place: Place<'_>,
) -> Result<(Known<JoulesPerEvent>, Vec<Part>), Error> {
    let parts = adding(raw, design, place)?;
    let total = parts.iter().map(|part| part.count * part.each.value()).sum();
    Ok((known(total, &parts, source, Rule::Spread, place)?, parts))
}

/// A rate and what it is composed of: the slowest part, all its copies at work.
pub(super) fn rate_of(
    raw: &[RawPart],
    source: &str,
    design: &Design,
    place: Place<'_>,
) -> Result<(Known<Hertz>, Vec<Part>), Error> {
    let parts = resolved(raw, design, place)?;
    let mut slowest = f64::INFINITY;
    for part in &parts {
        let rate = part.rate.ok_or_else(|| silent(part, "rate", |c| c.rate.is_some(), place))?;
        slowest = slowest.min(part.copies * rate.value() / part.count);
    }
    Ok((known(slowest, &parts, source, Rule::Positive, place)?, parts))
}

/// An area and what it is composed of: the sum.
pub(super) fn area_of(
    raw: &[RawPart],
    source: &str,
    design: &Design,
    place: Place<'_>,
) -> Result<(Known<SquareMetres>, Vec<Part>), Error> {
    let parts = adding(raw, design, place)?;
    let mut total = 0.0;
    for part in &parts {
        let area = part.area.ok_or_else(|| silent(part, "area", |c| c.area.is_some(), place))?;
        total += part.count * area.value();
    }
    Ok((known(total, &parts, source, Rule::Spread, place)?, parts))
}

/// That nobody published a number of a part, and of which components it is known.
fn silent(part: &Part, what: &str, has: fn(&Component) -> bool, place: Place<'_>) -> Error {
    let known: Vec<&str> = component::LIBRARY.iter().filter(|c| has(c)).map(|c| c.id).collect();
    let id = part.published.id;
    place.wrong(format!("needs the {what} of {id}, which is not published; it is of {}", known.join(", ")))
}

/// The number that parts come to, with the grade of the weakest.
fn known<Q: Quantity>(
    total: f64,
    parts: &[Part],
    source: &str,
    rule: Rule,
    place: Place<'_>,
) -> Result<Known<Q>, Error> {
    let number = RawNumber {
        value: Some(total),
        low: None,
        mid: None,
        high: None,
        evidence: parts.iter().map(|part| part.evidence).min().unwrap_or(Evidence::Projected),
        provenance: Provenance::Derived,
        source: source.to_owned(),
        checked: None,
        derived_from: Vec::new(),
    };
    number.known(rule, place)
}

/// Parts that add up: how many there are of each is its count alone.
fn adding(raw: &[RawPart], design: &Design, place: Place<'_>) -> Result<Vec<Part>, Error> {
    let parts = resolved(raw, design, place)?;
    if raw.iter().any(|part| part.copies.is_some()) {
        return Err(place.wrong(NO_COPIES));
    }
    Ok(parts)
}

fn resolved(raw: &[RawPart], design: &Design, place: Place<'_>) -> Result<Vec<Part>, Error> {
    if raw.is_empty() || raw.len() > MOST {
        return Err(place.wrong(format!("composes {} parts: 1 to {MOST} are taken", raw.len())));
    }
    raw.iter().map(|part| part.resolved(design, place)).collect()
}

impl RawPart {
    fn resolved(&self, design: &Design, place: Place<'_>) -> Result<Part, Error> {
        let Some(published) = component::find(&self.component) else {
            let known: Vec<&str> = component::LIBRARY.iter().map(|c| c.id).collect();
            return Err(place.wrong(format!(
                "names the component {:?}, and there is none: {} are known",
                self.component,
                known.join(", ")
            )));
        };
        let amount = |name: &str, x: Option<f64>| {
            let x = x.unwrap_or(1.0);
            if x > 0.0 && x <= LARGEST {
                return Ok(x);
            }
            let id = published.id;
            let reason =
                format!("takes {name} = {x} of {id}: a number above 0, at most {LARGEST:e}, is expected");
            Err(place.wrong(reason))
        };
        let (count, copies) = (amount("count", self.count)?, amount("copies", self.copies)?);
        let fixed = matches!(published.kind, Kind::Dram | Kind::Link);
        let designed = design.node_nm.as_ref().map(|node| node.value).filter(|_| !fixed);
        let node_nm = self.node_nm.or(designed).unwrap_or(published.node_nm);
        let bits = self.bits.unwrap_or(published.bits);
        let scaled = published.checked(node_nm, bits).map_err(|reason| place.wrong(reason))?;
        let kelvin = design.temperature_k.as_ref().map_or(300.0, |t| t.value);
        let floor = match published.kind {
            Kind::Adc | Kind::Dac => analogue_floor(bits, Kelvin::new(kelvin)),
            _ => Joules::new(0.0),
        };
        Ok(Part {
            published: *published,
            node_nm,
            bits,
            count,
            copies,
            each: scaled.energy.max(floor),
            thermal: floor > scaled.energy,
            rate: scaled.rate,
            area: scaled.area,
            evidence: scaled.evidence,
        })
    }
}
