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
    /// Computed from other numbers of the file.
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
    /// What the number is worth.
    pub evidence: Evidence,
    /// How this project came by it.
    pub provenance: Provenance,
    /// Where it stands.
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
}
