//! Where a number comes from, and what it is worth.
//!
//! Two questions are kept apart. [`Provenance`] says how *this project* came by a number; [`Evidence`] says how the *world*
//! knows it. A number may be looked up with care and still be a projection.

use serde::{Deserialize, Serialize};

use crate::interval::Interval;
use crate::units::Quantity;

/// How this project came by a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Read in the public source that is named.
    LookedUp,
    /// Read in something that quotes the source; the source itself was not read.
    SecondHand,
    /// From memory, not looked up.
    Memory,
    /// Computed from other numbers of the file, or from numbers of a source.
    Derived,
    /// Assumed for a scenario; nobody claims it of an existing device.
    Assumption,
    /// Measured by this program or its script on the machine that is named.
    Measured,
}

impl Provenance {
    /// The provenance in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::LookedUp => "looked up",
            Self::SecondHand => "second-hand",
            Self::Memory => "memory",
            Self::Derived => "derived",
            Self::Assumption => "assumption",
            Self::Measured => "measured here",
        }
    }
}

/// What kind of evidence stands behind a number, from the weakest to the strongest.
///
/// The order is the order of the grades, so the weaker of two is their minimum:
///
/// ```
/// use ceas_npu_model::provenance::Evidence;
/// assert_eq!(Evidence::Measured.min(Evidence::Projected), Evidence::Projected);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Nobody says how the number is known.
    Unstated,
    /// A target, an assumption or a roadmap: nothing was built or simulated.
    Projected,
    /// Computed from stated parameters of a real device.
    Derived,
    /// Circuit simulation or a vendor's estimator.
    Simulated,
    /// Measured on hardware, without a full protocol.
    Measured,
    /// Metered on hardware with instrument, baseline and control stated.
    Metered,
}

impl Evidence {
    /// What a claim of this grade is worth here: a number whose source nobody of this project read keeps its range and loses its grade.
    ///
    /// | how it came | at most |
    /// |---|---|
    /// | looked up, and what was read is recorded (`checked`) | what is claimed |
    /// | looked up without a record; second-hand, from what quotes the source | derived |
    /// | from memory | projected |
    /// | derived, assumed, measured here | what is claimed |
    ///
    /// ```
    /// use ceas_npu_model::provenance::{Evidence, Provenance};
    /// assert_eq!(Evidence::Measured.worth(Provenance::SecondHand, false), Evidence::Derived);
    /// assert_eq!(Evidence::Measured.worth(Provenance::LookedUp, true), Evidence::Measured);
    /// ```
    #[must_use]
    pub fn worth(self, provenance: Provenance, checked: bool) -> Self {
        match provenance {
            Provenance::LookedUp if checked => self,
            Provenance::LookedUp | Provenance::SecondHand => self.min(Self::Derived),
            Provenance::Memory => self.min(Self::Projected),
            Provenance::Derived | Provenance::Assumption | Provenance::Measured => self,
        }
    }

    /// The grade as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unstated => "unstated",
            Self::Projected => "projected",
            Self::Derived => "derived",
            Self::Simulated => "simulated",
            Self::Measured => "measured",
            Self::Metered => "metered",
        }
    }

    /// By how much a single published energy or power of this grade is spread when its file gives no range of its own:
    /// factors (low, mid, high) on the published number.
    ///
    /// | grade | low | mid | high | reason |
    /// |---|---|---|---|---|
    /// | metered | 1/1.1 | 1 | 1.1 | repeated meterings of one board differ by a few per cent; other boards by more |
    /// | measured | 1/1.25 | 1 | 1.25 | protocol, temperature and workload unstated (a judgement) |
    /// | derived | 1/1.5 | 1 | 1.5 | quotient of numbers from different conditions (a judgement) |
    /// | simulated | 1 | √10 | 10 | estimators under-count: on the one board where both are known the meter read 5.6 × the estimator; log-uniform between the ends, `mid` is its median |
    /// | projected | 1 | √35 | 35 | one vendor's projection of 2 fJ an update became 7.09 fJ in its own circuit simulation, a factor 3.5, before the factor 10 of a simulation |
    /// | unstated | – | – | – | no default: the file must give low, mid and high |
    pub fn default_spread(self) -> Option<[f64; 3]> {
        match self {
            Self::Metered => Some([1.0 / 1.1, 1.0, 1.1]),
            Self::Measured => Some([1.0 / 1.25, 1.0, 1.25]),
            Self::Derived => Some([1.0 / 1.5, 1.0, 1.5]),
            Self::Simulated => Some([1.0, 10f64.sqrt(), 10.0]),
            Self::Projected => Some([1.0, 35f64.sqrt(), 35.0]),
            Self::Unstated => None,
        }
    }
}

/// A number with its range and its papers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Known<Q> {
    /// The number as the source states it; `None` where the file gives a range instead.
    pub stated: Option<Q>,
    /// The range used.
    pub range: Interval<Q>,
    /// What the number is worth: what its file claims, less if its source was not read ([`Evidence::worth`]).
    pub evidence: Evidence,
    /// How this project came by it.
    pub provenance: Provenance,
    /// Where it stands.
    pub source: String,
    /// When, and against what text, this project read it, and what stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked: Option<String>,
    /// Keys of the numbers of the same file that it is computed from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub derived_from: Vec<String>,
    /// The number whose multiple it is; both are drawn as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_as: Option<Same>,
}

/// That a number is a multiple of another of the same file: one quantity under two keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Same {
    /// Key of the other.
    pub key: String,
    /// This over the other.
    pub times: f64,
    /// Range of the other, in SI units.
    pub range: [f64; 3],
    /// Where the other stands.
    pub source: String,
}

impl<Q: Quantity> Known<Q> {
    /// The number as stated, or the middle of the range.
    pub fn nominal(&self) -> Q {
        self.stated.unwrap_or(self.range.mid)
    }
}

/// A plain fact of a design (a count, a width) with its source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fact<T> {
    /// The fact.
    pub value: T,
    /// How this project came by it.
    pub provenance: Provenance,
    /// Where it stands.
    pub source: String,
    /// When, and against what text, this project read it, and what stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked: Option<String>,
    /// Keys of the numbers of the same file that it is computed from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub derived_from: Vec<String>,
}
