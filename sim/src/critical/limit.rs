//! From crossings of finite pairs to β_c.

use serde::Serialize;

use super::cell::Measured;
use super::pair::{Pair, Window, joint_draw};
use crate::error::Error;
use crate::statistics::Estimate;
use crate::statistics::bootstrap::Bootstrap;

/// How far the exponent of the drift is varied to see what the result owes to it.
const EXPONENT_SPREAD: f64 = 0.75;

/// β_c, and what its error is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Critical {
    /// β_c with its whole error: √(statistical² + systematic²).
    #[serde(flatten)]
    pub beta: Estimate,
    /// Error by bootstrap over replicas, all pairs resampled together, times the largest [`Pair::stretch`].
    pub statistical: f64,
    /// The larger of the two changes of the result when the exponent of the drift is made ¾ smaller or larger; none from a single pair, whose drift is unknown.
    pub systematic: Option<f64>,
    /// How much the fitted drift β_L − β_c still is at the largest pair; none from a single pair.
    pub drift: Option<f64>,
    /// In words.
    pub method: String,
}

/// Fits β_L = β_c + a L^(−p) to the crossings, weighted by their errors: (β_c, drift at the largest pair).
fn extrapolate(crossings: &[(usize, f64, f64)], exponent: f64) -> (f64, Option<f64>) {
    let weighted = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        crossings
            .iter()
            .map(|&(size, beta, error)| f(libm::pow(size as f64, -exponent), beta) / (error * error))
            .sum()
    };
    // Largest first: everything is relative to it, so that close crossings lose no digits.
    let Some(&(largest, reference, _)) = crossings.iter().max_by_key(|c| c.0) else {
        return (f64::NAN, None);
    };
    if crossings.len() == 1 {
        return (reference, None);
    }
    let total = weighted(&|_, _| 1.0);
    let x0 = weighted(&|x, _| x) / total;
    let y0 = weighted(&|_, y| y - reference) / total;
    let slope = weighted(&|x, y| (x - x0) * (y - reference - y0)) / weighted(&|x, _| (x - x0) * (x - x0));
    (reference + y0 - slope * x0, Some(slope * libm::pow(largest as f64, -exponent)))
}

/// β_c from the crossings of all pairs.
///
/// # Errors
/// [`Error::Data`] if there is no pair, or more than 1 % of the resamples lose a crossing.
pub(super) fn limit(
    measured: &[Measured],
    windows: &[Window<'_>],
    pairs: &[Pair],
    exponent: f64,
    bootstrap: Bootstrap,
) -> Result<Critical, Error> {
    let found: Vec<(usize, f64, f64)> = pairs.iter().map(|p| (p.small, p.beta.mean, p.beta.error)).collect();
    if found.is_empty() {
        return Err(Error::Data { what: "β_c", violated: "no two curves cross" });
    }
    let (mean, drift) = extrapolate(&found, exponent);
    let rows = measured.iter().map(|m| m.samples.rows().len()).min().unwrap_or(2);
    let resampled = bootstrap.run(rows, |stream| {
        let mut draw = joint_draw(measured, stream);
        let crossings: Option<Vec<_>> = windows
            .iter()
            .zip(&found)
            .map(|(w, f)| w.resampled_root(&mut draw).map(|beta| (f.0, beta, f.2)))
            .collect();
        crossings.map(|c| extrapolate(&c, exponent).0)
    })?;
    let names: Vec<String> = pairs.iter().map(|p| format!("({}, {})", p.small, p.large)).collect();
    let crossings = format!("crossing of U4 at {}", names.join(" "));
    let source = format!("bootstrap over {rows} independent replicas");
    let (systematic, method) = if found.len() > 1 {
        let varied =
            [exponent - EXPONENT_SPREAD, exponent + EXPONENT_SPREAD].map(|p| extrapolate(&found, p).0);
        let spread = varied.map(|v| (v - mean).abs()).into_iter().fold(0.0, f64::max);
        (Some(spread), format!("{crossings}, fitted with a drift L^-{exponent}; {source}"))
    } else {
        (None, format!("{crossings}; {source}; the drift with L is not assessed by one pair"))
    };
    let stretch = pairs.iter().map(Pair::stretch).fold(1.0, f64::max);
    let method = match stretch {
        1.0 => method,
        _ => format!("{method}; error times {stretch:.1}, since the curves miss their points"),
    };
    let statistical = resampled.error * stretch;
    let error = libm::hypot(statistical, systematic.unwrap_or(0.0));
    Ok(Critical { beta: Estimate { mean, error }, statistical, systematic, drift, method })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_of_the_known_form_is_removed() {
        let crossing = |size: usize| (size, 0.44 + 3.0 * (size as f64).powf(-2.75), 1e-5 / size as f64);
        let all: Vec<_> = [8, 16, 32].map(crossing).to_vec();
        let (beta, drift) = extrapolate(&all, 2.75);
        assert!((beta - 0.44).abs() < 1e-12);
        assert!((drift.unwrap() - 3.0 * 32f64.powf(-2.75)).abs() < 1e-12);
        // Twin: a wrong exponent leaves some of it.
        assert!((extrapolate(&all, 1.0).0 - 0.44).abs() > 1e-5);
        assert_eq!(extrapolate(&all[..1], 2.75), (all[0].1, None));
    }
}
