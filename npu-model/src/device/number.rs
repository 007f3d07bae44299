//! Numbers as they stand in files, checked into quantities.

use serde::Deserialize;

use crate::error::Error;
use crate::interval::Interval;
use crate::provenance::{Evidence, Fact, Known, Provenance};
use crate::units::Quantity;

/// A number in a file: one value, or low, mid and high; always with evidence, provenance and source.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawNumber {
    pub value: Option<f64>,
    pub low: Option<f64>,
    pub mid: Option<f64>,
    pub high: Option<f64>,
    pub evidence: Evidence,
    pub provenance: Provenance,
    pub source: String,
    pub checked: Option<String>,
    #[serde(default)]
    pub derived_from: Vec<String>,
}

/// A plain fact in a file, with its papers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawFact<T> {
    pub value: T,
    pub provenance: Provenance,
    pub source: String,
    pub checked: Option<String>,
    #[serde(default)]
    pub derived_from: Vec<String>,
}

impl<T> RawFact<T> {
    /// The fact, once its value was found to make sense.
    pub(crate) fn fact(self, place: Place<'_>) -> Result<Fact<T>, Error> {
        papers(&self.source, self.checked.as_deref(), place)?;
        Ok(Fact {
            value: self.value,
            provenance: self.provenance,
            source: self.source,
            checked: self.checked,
            derived_from: self.derived_from,
        })
    }
}

/// Refuses papers that are blank.
pub(crate) fn papers(source: &str, checked: Option<&str>, place: Place<'_>) -> Result<(), Error> {
    if source.trim().is_empty() {
        return Err(place.wrong("has an empty `source`: say where the number stands"));
    }
    if checked.is_some_and(|text| text.trim().is_empty()) {
        return Err(place
            .wrong("has an empty `checked`: say when and against what it was read, and what stands there"));
    }
    Ok(())
}

/// Smallest number that is believed, in any unit.
const LEAST: f64 = 1e-30;

/// Largest number of a unit that is believed.
fn largest(unit: &str) -> f64 {
    match unit {
        // Programming a whole annealer with its refrigerator takes a tenth of it, for each spin.
        "J/event" | "J/FLOP" | "J/B" => 1.0,
        "W" => 1e9,
        _ => 1e24,
    }
}

/// Which values make sense, and whether a single one is spread by its grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Energies and powers: ≥ 0, a single value is spread by [`Evidence::default_spread`].
    Spread,
    /// Rates: > 0, a single value stands as it is.
    Positive,
}

/// Where a number stands: for messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub file: &'a str,
    pub key: &'a str,
}

impl Place<'_> {
    pub(crate) fn wrong(&self, reason: impl Into<String>) -> Error {
        Error::Key { file: self.file.into(), key: self.key.into(), reason: reason.into() }
    }
}

impl RawNumber {
    /// The quantity, or what is wrong with it.
    pub(crate) fn known<Q: Quantity>(&self, rule: Rule, place: Place<'_>) -> Result<Known<Q>, Error> {
        let unit = Q::UNIT;
        papers(&self.source, self.checked.as_deref(), place)?;
        let sensible = |name: &str, x: f64| {
            let wanted = if rule == Rule::Positive { "> 0" } else { "≥ 0" };
            if !x.is_finite() || x < 0.0 || (rule == Rule::Positive && x == 0.0) {
                return Err(
                    place.wrong(format!("has {name} = {x} {unit}: it must be a finite number {wanted}"))
                );
            }
            // Beyond these, a slip of the unit or of the exponent is likelier than a device.
            let most = largest(unit);
            if x > most || (x > 0.0 && x < LEAST) {
                let joules = if unit.starts_with("J/") { "; 1 pJ is 1e-12" } else { "" };
                return Err(place.wrong(format!(
                    "has {name} = {x:e} {unit}, which nothing is: a number between {LEAST:e} and {most:e} is expected{joules}"
                )));
            }
            Ok(x)
        };
        let (stated, [low, mid, high]) = match (self.value, self.low, self.mid, self.high) {
            (Some(value), None, None, None) => {
                let value = sensible("value", value)?;
                let factors = match rule {
                    Rule::Positive => [1.0; 3],
                    Rule::Spread => self.evidence.default_spread().ok_or_else(|| {
                        place.wrong("is of evidence \"unstated\", which has no default spread: give low, mid and high")
                    })?,
                };
                (Some(Q::from_si(value)), factors.map(|f| f * value))
            }
            (None, Some(low), Some(mid), Some(high)) => {
                let ends = [sensible("low", low)?, sensible("mid", mid)?, sensible("high", high)?];
                if !(low <= mid && mid <= high) {
                    return Err(
                        place.wrong(format!("has low {low:e}, mid {mid:e}, high {high:e}: they must rise"))
                    );
                }
                (None, ends)
            }
            _ => return Err(place.wrong("needs either `value`, or all of `low`, `mid` and `high`")),
        };
        Ok(Known {
            stated,
            range: Interval::new(Q::from_si(low), Q::from_si(mid), Q::from_si(high)),
            evidence: self.evidence.worth(self.provenance, self.checked.is_some()),
            provenance: self.provenance,
            source: self.source.clone(),
            checked: self.checked.clone(),
            derived_from: self.derived_from.clone(),
            same_as: None,
        })
    }
}

/// What the TOML reader has to say, in one line with the line number.
pub(crate) fn toml_reason(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', " ");
    match error.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or(text);
            format!("line {}: {message}", before.matches('\n').count() + 1)
        }
        None => message,
    }
}
