//! Which numbers of a device were read in their source, and which were not.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Device, Price, Rate};
use crate::provenance::{Fact, Known, Provenance};

/// How closely this project knows a number, from the closest to the farthest; a derived number is as far as the farthest it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// Read in its source, or measured here; what stands there is recorded.
    Read,
    /// Assumed for a scenario: no source claims it.
    Assumed,
    /// Read in something that quotes the source, which was not read.
    Quoted,
    /// From memory, or without a record of what was read.
    NotRead,
}

impl Reading {
    /// Of a number that is derived from no other number of its file.
    ///
    /// ```
    /// use ceas_npu_model::device::Reading;
    /// use ceas_npu_model::provenance::Provenance;
    /// assert_eq!(Reading::of(Provenance::LookedUp, true), Reading::Read);
    /// assert_eq!(Reading::of(Provenance::SecondHand, true), Reading::Quoted);
    /// ```
    pub fn of(provenance: Provenance, checked: bool) -> Self {
        match provenance {
            Provenance::Measured => Self::Read,
            Provenance::LookedUp | Provenance::Derived if checked => Self::Read,
            Provenance::SecondHand => Self::Quoted,
            Provenance::Assumption => Self::Assumed,
            Provenance::LookedUp | Provenance::Derived | Provenance::Memory => Self::NotRead,
        }
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Assumed => "assumed",
            Self::Quoted => "quoted, source not read",
            Self::NotRead => "not read",
        }
    }
}

/// How many numbers of a file are known how closely.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Readings {
    /// Read in their source.
    pub read: usize,
    /// Quoted: the source was not read.
    pub quoted: usize,
    /// Not read.
    pub not_read: usize,
    /// Assumed for a scenario.
    pub assumed: usize,
}

impl FromIterator<Reading> for Readings {
    fn from_iter<I: IntoIterator<Item = Reading>>(readings: I) -> Self {
        let mut count = Self::default();
        for reading in readings {
            *match reading {
                Reading::Read => &mut count.read,
                Reading::Quoted => &mut count.quoted,
                Reading::NotRead => &mut count.not_read,
                Reading::Assumed => &mut count.assumed,
            } += 1;
        }
        count
    }
}

/// The papers of a number, whatever it measures.
pub(super) struct Paper {
    provenance: Provenance,
    checked: bool,
    pub(super) derived_from: Vec<String>,
}

impl<Q> From<&Known<Q>> for Paper {
    fn from(known: &Known<Q>) -> Self {
        let derived_from = known.derived_from.clone();
        Self { provenance: known.provenance, checked: known.checked.is_some(), derived_from }
    }
}

impl<T> From<&Fact<T>> for Paper {
    fn from(fact: &Fact<T>) -> Self {
        let derived_from = fact.derived_from.clone();
        Self { provenance: fact.provenance, checked: fact.checked.is_some(), derived_from }
    }
}

impl Device {
    /// How closely every number of the file is known, by its key.
    pub fn readings(&self) -> BTreeMap<String, Reading> {
        let papers = self.papers();
        let mut readings: BTreeMap<String, Reading> =
            papers.keys().map(|key| (key.clone(), reading(key, &papers, papers.len()))).collect();
        // A composed number is as far as the farthest of its parts.
        for (key, parts) in self.composed.entries() {
            let farthest = parts.iter().map(|part| {
                let c = &part.published;
                Reading::of(c.provenance, c.checked.is_some())
            });
            readings.insert(key, farthest.max().unwrap_or(Reading::NotRead));
        }
        readings
    }

    /// How many of them are known how closely.
    pub fn read(&self) -> Readings {
        self.readings().into_values().collect()
    }

    /// The papers of every number, by its key.
    pub(super) fn papers(&self) -> BTreeMap<String, Paper> {
        let d = &self.design;
        let mut papers: BTreeMap<String, Paper> = [
            ("spins", d.spins.as_ref().map(Paper::from)),
            ("degree", d.degree.as_ref().map(Paper::from)),
            ("coupling_bits", d.coupling_bits.as_ref().map(Paper::from)),
            ("field_bits", d.field_bits.as_ref().map(Paper::from)),
            ("node_nm", d.node_nm.as_ref().map(Paper::from)),
            ("temperature_k", d.temperature_k.as_ref().map(Paper::from)),
            ("clock_hz", d.clock_hz.as_ref().map(Paper::from)),
            ("numbers", d.numbers.as_ref().map(Paper::from)),
        ]
        .into_iter()
        .filter_map(|(name, paper)| Some((format!("design.{name}"), paper?)))
        .collect();
        papers.extend(self.power_cap.iter().map(|known| ("power_cap_w".to_owned(), Paper::from(known))));
        let idle = self.idle.iter();
        papers
            .extend(idle.map(|(what, known)| (format!("idle_w.{}", &what.name()[5..]), Paper::from(known))));
        let area = self.area.iter();
        papers.extend(area.map(|(what, known)| (format!("area_m2.{}", what.name()), Paper::from(known))));
        for (event, price) in &self.prices {
            if let Price::Stated(known) = price {
                papers.insert(format!("price_j.{}", event.name()), known.into());
            }
        }
        for (event, rate) in &self.rates {
            if let Rate::Stated(known) | Rate::Frames(known) = rate {
                papers.insert(format!("rate_hz.{}", event.name()), known.into());
            }
        }
        papers
    }
}

/// The reading of a number; references that go round in a circle end as not read.
fn reading(key: &str, papers: &BTreeMap<String, Paper>, steps: usize) -> Reading {
    let Some(paper) = papers.get(key) else { return Reading::NotRead };
    if paper.derived_from.is_empty() {
        return Reading::of(paper.provenance, paper.checked);
    }
    if steps == 0 {
        return Reading::NotRead;
    }
    let from = paper.derived_from.iter().map(|key| reading(key, papers, steps - 1));
    // What is derived may also need a number of the source itself, which a record has to name.
    let own = if paper.checked { Reading::Read } else { Reading::of(paper.provenance, true) };
    from.max().map_or(own, |farthest| farthest.max(own))
}
