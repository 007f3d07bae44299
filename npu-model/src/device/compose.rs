//! Prices composed of components, for devices that do not exist.
//!
//! ```toml
//! [price_j.adc_conversions]
//! compose = [{ component = "isaac_adc_8b", bits = 6, node_nm = 28 }]
//! source = "why these"
//! ```
//!
//! ```text
//! price = Σ_parts count · E(component; node, bits)
//! ```
//!
//! What is left out is as published, the node that of the design where it states one. The grade is that of the weakest part, and a part
//! that is moved to another node or width is projected: its spread follows. A converter is no cheaper than thermal noise allows.

use serde::{Deserialize, Serialize};

use super::number::{Place, RawNumber, Rule};
use super::{Design, Known};
use crate::component::{self, Component, Kind, analogue_floor};
use crate::error::Error;
use crate::provenance::{Evidence, Provenance};
use crate::units::{Joules, JoulesPerEvent, Kelvin};

/// A part of a composed price, as it stands in a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPart {
    component: String,
    bits: Option<f64>,
    node_nm: Option<f64>,
    count: Option<f64>,
}

/// A part of a composed price.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// The component as it was published.
    pub published: Component,
    /// Process node in nanometres at which it is used.
    pub node_nm: f64,
    /// Width in bits at which it is used.
    pub bits: f64,
    /// How many of it one event takes; of a wire, millimetres.
    pub count: f64,
    /// Joules of one.
    pub each: Joules,
    /// Whether thermal noise sets its price.
    pub thermal: bool,
    /// What it is worth here.
    pub evidence: Evidence,
}

/// Most parts of a price.
const MOST: usize = 32;
/// Largest count of a part that is believed.
const LARGEST: f64 = 1e9;

/// A price and what it is composed of.
pub(super) fn compose(
    raw: &[RawPart],
    source: &str,
    design: &Design,
    place: Place<'_>,
) -> Result<(Known<JoulesPerEvent>, Vec<Part>), Error> {
    if raw.is_empty() || raw.len() > MOST {
        return Err(place.wrong(format!("composes {} parts: 1 to {MOST} are added", raw.len())));
    }
    let parts = raw.iter().map(|part| part.resolved(design, place)).collect::<Result<Vec<_>, _>>()?;
    let total: f64 = parts.iter().map(|part| part.count * part.each.value()).sum();
    let number = RawNumber {
        value: Some(total),
        low: None,
        mid: None,
        high: None,
        evidence: parts.iter().map(|part| part.evidence).min().unwrap_or(Evidence::Projected),
        provenance: Provenance::Derived,
        source: source.to_owned(),
    };
    Ok((number.known(Rule::Spread, place)?, parts))
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
        let count = self.count.unwrap_or(1.0);
        if !(count > 0.0 && count <= LARGEST) {
            return Err(place.wrong(format!(
                "takes {count} of {}: a count is a number above 0, at most {LARGEST:e}",
                published.id
            )));
        }
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
            each: scaled.energy.max(floor),
            thermal: floor > scaled.energy,
            evidence: scaled.evidence,
        })
    }
}
