//! Entries of a device file: a price, a rate or an area, stated, composed, or the same as another.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::compose::{RawPart, area_of, price_of, rate_of};
use super::number::{Place, RawNumber, Rule};
use super::{Design, Part, Price, Rate};
use crate::error::Error;
use crate::interval::Interval;
use crate::ledger::Event;
use crate::provenance::{Evidence, Known, Provenance, Same};
use crate::units::{Hertz, Quantity, SquareMetres};

/// A square metre and more is no chip but a slip of units.
const LARGEST_AREA: f64 = 1.0;
/// Largest multiple of another number that is believed.
const MOST_TIMES: f64 = 1e6;

/// A price or rate with the parts it is composed of; nothing yet, if it is the same as another.
type Entry<T> = Option<(T, Option<Vec<Part>>)>;

/// What any entry may say of its number.
macro_rules! entry {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            value: Option<f64>,
            low: Option<f64>,
            mid: Option<f64>,
            high: Option<f64>,
            evidence: Option<Evidence>,
            provenance: Option<Provenance>,
            compose: Option<Vec<RawPart>>,
            source: String,
            checked: Option<String>,
            #[serde(default)]
            derived_from: Vec<String>,
            $($field: Option<$kind>,)*
        }

        impl $name {
            fn has_number(&self) -> bool {
                self.value.or(self.low).or(self.mid).or(self.high).is_some()
            }

            /// Whether it has papers, which a number has and a reference has not.
            fn has_papers(&self) -> bool {
                self.evidence.is_some()
                    || self.provenance.is_some()
                    || self.checked.is_some()
                    || !self.derived_from.is_empty()
            }

            fn sourced(&self, place: Place<'_>) -> Result<(), Error> {
                match self.source.trim().is_empty() {
                    true => Err(place.wrong("has an empty `source`: say where the number stands, or why")),
                    false => Ok(()),
                }
            }

            /// The number with the papers that a number must have.
            fn number(&self, place: Place<'_>) -> Result<RawNumber, Error> {
                let (Some(evidence), Some(provenance)) = (self.evidence, self.provenance) else {
                    return Err(place.wrong("needs `evidence` and `provenance` beside its number"));
                };
                Ok(RawNumber {
                    value: self.value,
                    low: self.low,
                    mid: self.mid,
                    high: self.high,
                    evidence,
                    provenance,
                    source: self.source.clone(),
                    checked: self.checked.clone(),
                    derived_from: self.derived_from.clone(),
                })
            }

            /// The parts, if it is composed: then it has no number of its own, and takes its grade from them.
            fn parts(&self, place: Place<'_>) -> Result<Option<&[RawPart]>, Error> {
                let Some(parts) = &self.compose else { return Ok(None) };
                if self.has_number() {
                    return Err(place.wrong("has both `compose` and a number: keep one"));
                }
                if self.has_papers() {
                    return Err(place.wrong(
                        "is composed, and takes evidence and provenance from its parts: leave them out",
                    ));
                }
                Ok(Some(parts))
            }
        }
    };
}

entry! {
    /// A price as it stands in a file.
    RawPrice { included_in: Event, same_as: Event, times: f64 }
}
entry! {
    /// A rate as it stands in a file.
    RawRate { frames: f64, within: Event, power_limited: bool, same_as: Event, times: f64 }
}
entry! {
    /// An area as it stands in a file.
    RawArea {}
}

impl RawPrice {
    /// The price with the parts it is composed of; `None` if it is the same as another.
    pub(super) fn price(&self, design: &Design, place: Place<'_>) -> Result<Entry<Price>, Error> {
        self.sourced(place)?;
        if self.included_in.is_some() && (self.has_number() || self.compose.is_some() || self.has_papers()) {
            return Err(place.wrong("has both a number and `included_in`: keep one"));
        }
        if self.same_as.is_some() {
            return match self.included_in.is_some() || self.compose.is_some() {
                true => Err(place.wrong("has `same_as` and another way to a price: keep one")),
                false => only_same(self.has_number() || self.has_papers(), place),
            };
        }
        without_times(self.times, place)?;
        if let Some(event) = self.included_in {
            return Ok(Some((Price::IncludedIn { event, source: self.source.clone() }, None)));
        }
        if let Some(parts) = self.parts(place)? {
            let (price, parts) = price_of(parts, &self.source, design, place)?;
            return Ok(Some((Price::Stated(price), Some(parts))));
        }
        Ok(Some((Price::Stated(self.number(place)?.known(Rule::Spread, place)?), None)))
    }

    /// The price that another is, if it is one.
    pub(super) fn same(
        &self,
        others: &BTreeMap<Event, Price>,
        place: Place<'_>,
    ) -> Result<Option<Price>, Error> {
        let Some(event) = self.same_as else { return Ok(None) };
        let Some(Price::Stated(other)) = others.get(&event) else {
            let reason = format!("is the same as `{}`, which has no price of its own", event.name());
            return Err(place.wrong(reason));
        };
        multiple(other, &format!("price_j.{}", event.name()), self.times, &self.source, place)
            .map(|known| Some(Price::Stated(known)))
    }
}

impl RawRate {
    /// The rate with the parts it is composed of; `None` if it is the same as another.
    pub(super) fn rate(&self, design: &Design, place: Place<'_>) -> Result<Entry<Rate>, Error> {
        let limited = self.power_limited == Some(true);
        let ways = [
            self.has_number(),
            self.frames.is_some(),
            self.within.is_some(),
            limited,
            self.same_as.is_some(),
            self.compose.is_some(),
        ];
        if ways.iter().filter(|&&w| w).count() != 1 {
            return Err(place.wrong(
                "needs exactly one of a number, `frames`, `within`, `same_as`, `compose` or `power_limited = true`",
            ));
        }
        self.sourced(place)?;
        if self.same_as.is_some() {
            return only_same(self.has_papers(), place);
        }
        without_times(self.times, place)?;
        let source = self.source.clone();
        if let Some(event) = self.within {
            return Ok(Some((Rate::Within { event, source }, None)));
        }
        if limited {
            return Ok(Some((Rate::PowerLimited { source }, None)));
        }
        if let Some(parts) = self.parts(place)? {
            let (rate, parts) = rate_of(parts, &self.source, design, place)?;
            return Ok(Some((Rate::Stated(rate), Some(parts))));
        }
        let number = self.number(place)?;
        let rate = match self.frames {
            Some(_) => Rate::Frames(RawNumber { value: self.frames, ..number }.known(Rule::Positive, place)?),
            None => Rate::Stated(number.known(Rule::Positive, place)?),
        };
        Ok(Some((rate, None)))
    }

    /// The rate that another is, if it is one.
    pub(super) fn same(
        &self,
        others: &BTreeMap<Event, Rate>,
        place: Place<'_>,
    ) -> Result<Option<Rate>, Error> {
        let Some(event) = self.same_as else { return Ok(None) };
        let of = |other: &Known<Hertz>| {
            multiple(other, &format!("rate_hz.{}", event.name()), self.times, &self.source, place)
        };
        match others.get(&event) {
            Some(Rate::Stated(other)) => of(other).map(|known| Some(Rate::Stated(known))),
            Some(Rate::Frames(other)) => of(other).map(|known| Some(Rate::Frames(known))),
            _ => {
                let reason = format!("is the same as `{}`, which has no rate of its own", event.name());
                Err(place.wrong(reason))
            }
        }
    }
}

impl RawArea {
    /// The area with the parts it is composed of.
    pub(super) fn area(
        &self,
        design: &Design,
        place: Place<'_>,
    ) -> Result<(Known<SquareMetres>, Option<Vec<Part>>), Error> {
        self.sourced(place)?;
        let (known, parts) = match self.parts(place)? {
            Some(parts) => {
                let (known, parts) = area_of(parts, &self.source, design, place)?;
                (known, Some(parts))
            }
            None => (self.number(place)?.known::<SquareMetres>(Rule::Spread, place)?, None),
        };
        let high = known.range.high.value();
        if high > LARGEST_AREA {
            let reason = format!("reaches {high:e} m²: it is in square metres, and 1 mm² is 1e-6");
            return Err(place.wrong(reason));
        }
        Ok((known, parts))
    }
}

/// `None`, unless something stands beside `same_as`.
fn only_same<T>(beside: bool, place: Place<'_>) -> Result<Option<T>, Error> {
    match beside {
        true => Err(place.wrong(
            "has both `same_as` and a number or its papers, which are those of the other: keep `same_as`, `times` and `source`",
        )),
        false => Ok(None),
    }
}

fn without_times(times: Option<f64>, place: Place<'_>) -> Result<(), Error> {
    match times {
        Some(_) => Err(place.wrong("has `times` without `same_as`, of which it is the multiple")),
        None => Ok(()),
    }
}

/// A number that is `times` another.
fn multiple<Q: Quantity>(
    other: &Known<Q>,
    key: &str,
    times: Option<f64>,
    source: &str,
    place: Place<'_>,
) -> Result<Known<Q>, Error> {
    let times = times.unwrap_or(1.0);
    if !(times > 0.0 && times <= MOST_TIMES) {
        return Err(place.wrong(format!(
            "is {times} times another: a number above 0, at most {MOST_TIMES:e}, is expected"
        )));
    }
    let range = [other.range.low.si(), other.range.mid.si(), other.range.high.si()];
    let [low, mid, high] = range.map(|x| Q::from_si(x * times));
    Ok(Known {
        stated: other.stated.map(|x| Q::from_si(x.si() * times)),
        range: Interval::new(low, mid, high),
        source: source.to_owned(),
        checked: None,
        derived_from: vec![key.to_owned()],
        same_as: Some(Same { key: key.to_owned(), times, range, source: other.source.clone() }),
        ..other.clone()
    })
}
