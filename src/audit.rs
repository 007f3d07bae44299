//! The quantitative claims of the published description of CEAS, each recomputed from its own formula.
//!
//! Source: "Critical Entropy Attention System", W. Chuang. A claim *holds* if its own formula and inputs give it (to the digits printed), is *inconsistent* if they do
//! not or if two statements exclude each other, and is *untestable here* if it has no formula, or needs a training run or a device.

mod compute;
mod controller;
mod knobs;
mod savings;
mod substrate;

use ceas_mapping::heads::HeadSet;
use serde::Serialize;

/// What recomputation says of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Its own formula gives it.
    Holds,
    /// Its own formula gives something else, or another statement of the page excludes it.
    Inconsistent,
    /// No formula, or a training run or a device would be needed.
    Untestable,
}

impl Verdict {
    /// As in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Inconsistent => "inconsistent",
            Self::Untestable => "untestable here",
        }
    }

    fn of(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Inconsistent }
    }
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Claim {
    /// Part of the page it belongs to.
    pub topic: &'static str,
    /// What is claimed.
    pub claim: String,
    /// The formula it is recomputed from.
    pub formula: &'static str,
    /// What comes out.
    pub ours: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// All claims, in the order of the page. `heads` are the real heads that statements about trained heads are held against; energies are those of the shipped
/// devices on the same heads.
///
/// # Errors
/// Those of running the heads; none for heads that a [`HeadSet`] holds, save a device without a price.
pub fn claims(heads: &HeadSet, seed: u64) -> Result<Vec<Claim>, Box<dyn std::error::Error + Send + Sync>> {
    let mut all = controller::claims(heads)?;
    all.extend(knobs::claims(seed)?);
    all.extend(savings::claims());
    all.extend(compute::claims());
    all.extend(substrate::claims(heads, seed)?);
    Ok(all)
}

/// A number with so many significant digits, without trailing zeros.
fn digits(x: f64, count: i32) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    let places = (count - 1 - x.abs().log10().floor() as i32).max(0) as usize;
    let text = format!("{x:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
