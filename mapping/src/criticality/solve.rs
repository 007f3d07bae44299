//! β at which a row-averaged quantity takes a given value. All of them are monotonic in β, so that a bracket always closes.

use ceas_sim::beta::Beta;

use super::rows::Rows;
use crate::error::Error;

/// Halvings of the bracket: 2⁻⁶⁰ of a factor of 10¹² is far below rounding.
const HALVINGS: usize = 80;

/// The root of a function of ln β that falls from positive to negative, between `low` and `high`.
fn falling_root(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..HALVINGS {
        let mid = libm::sqrt(low * high);
        if f(mid) > 0.0 {
            low = mid
        } else {
            high = mid
        }
        if high / low - 1.0 < 4.0 * f64::EPSILON {
            break;
        }
    }
    libm::sqrt(low * high)
}

/// The range of β over which anything happens: from βσ = 10⁻⁶ to βσ = 10⁶.
fn range(rows: &Rows) -> Option<(f64, f64)> {
    rows.typical_sigma().map(|sigma| (1e-6 / sigma, 1e6 / sigma))
}

fn flat(what: &'static str) -> Error {
    Error::Rows {
        what,
        violated: "σ = 0: all scores of the rows are equal, so that no β changes them".into(),
    }
}

/// β at which the row-averaged entropy is `nats`.
///
/// ```
/// use ceas_mapping::criticality::{Rows, at_entropy};
/// let rows = Rows::of_scores([[0.0, 1.0, 2.0, 4.0]]).unwrap();
/// let beta = at_entropy(&rows, 0.5).unwrap();
/// assert!((rows.mean(beta).entropy - 0.5).abs() < 1e-12);
/// assert!(at_entropy(&rows, 2.0).is_err()); // ln 4 = 1.39
/// ```
///
/// # Errors
/// [`Error::Rows`] if all scores are equal or if `nats` is not between the entropies at β → ∞ and β = 0 (0 and the mean of ln N, unless keys
/// share the highest score).
pub fn at_entropy(rows: &Rows, nats: f64) -> Result<Beta, Error> {
    let what = "β at a given entropy";
    let (low, high) = range(rows).ok_or_else(|| flat(what))?;
    let entropy = |beta: f64| rows.mean(Beta::new(beta).expect("the range is finite")).entropy;
    let (most, least) = (entropy(low), entropy(high));
    if !(nats < most && nats > least) {
        return Err(Error::Rows {
            what,
            violated: format!(
                "{nats} nats is not between {least:.3} and {most:.3}, the entropies at β → ∞ and at β = 0"
            ),
        });
    }
    Ok(Beta::new(falling_root(low, high, |beta| entropy(beta) - nats))?)
}

/// β at which the row-averaged participation Y₂ = Σp² is `level`.
///
/// # Errors
/// [`Error::Rows`] if all scores are equal or if `level` is outside the range of Y₂.
pub fn at_participation(rows: &Rows, level: f64) -> Result<Beta, Error> {
    let what = "β at a given participation";
    let (low, high) = range(rows).ok_or_else(|| flat(what))?;
    let y2 = |beta: f64| rows.mean(Beta::new(beta).expect("the range is finite")).participation;
    let (least, most) = (y2(low), y2(high));
    if !(level > least && level < most) {
        return Err(Error::Rows {
            what,
            violated: format!(
                "Y₂ = {level} is not between {least:.4} and {most:.4}, its values at β = 0 and β → ∞"
            ),
        });
    }
    Ok(Beta::new(falling_root(low, high, |beta| level - y2(beta)))?)
}

/// The fixed point of β* = √(2 ln N_eff)/σ with ln N_eff = H(β): the β at which βσ = √(2H), σ being the typical one.
///
/// H falls and βσ rises, so that there is exactly one. The published iteration β ← √(2H(β))/σ has slope −1 in β² for a Gaussian row (H =
/// ln N − β²σ²/2), a neutral cycle of two; the damped β² ← ½(β² + 2H/σ²) has slope 0 and arrives in about five steps.
///
/// # Errors
/// [`Error::Rows`] if all scores are equal.
pub fn fixed_point(rows: &Rows) -> Result<Beta, Error> {
    let sigma = rows.typical_sigma().ok_or_else(|| flat("the fixed point of β*"))?;
    fixed_point_of(rows, sigma)
}

/// The same with a σ that is known.
pub(super) fn fixed_point_of(rows: &Rows, sigma: f64) -> Result<Beta, Error> {
    let (low, high) = (1e-6 / sigma, 1e6 / sigma);
    let excess = |beta: f64| {
        let entropy = rows.mean(Beta::new(beta).expect("the range is finite")).entropy;
        libm::sqrt(2.0 * entropy) - beta * sigma
    };
    Ok(Beta::new(falling_root(low, high, excess))?)
}
