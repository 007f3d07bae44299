//! Critical exponents from how quantities at β_c grow with size.
//!
//! ```text
//! dU₄/dβ ∝ dξ/Ldβ ∝ L^(1/ν)      N⟨m²⟩ ∝ L^(γ/ν)      ⟨|m|⟩ ∝ L^(−β/ν)      η = 2 − γ/ν
//! ```
//! On a graph without a dimension, L stands for the number of sites N.

use serde::Serialize;

use super::curve::{ABSOLUTE, BINDER, Curve, LENGTH, SQUARE, SizeCurves, jackknife_variance};
use super::family::{Correction, KnownExponents};
use super::meeting::Critical;
use crate::statistics::{Estimate, least_squares};

/// An exponent with its error, statistical and systematic together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Exponent {
    /// The exponent and its whole error.
    #[serde(flatten)]
    pub value: Estimate,
    /// By jackknife over replicas, β_c's own error included.
    pub statistical: f64,
    /// What it owes to the correction to scaling.
    pub systematic: f64,
}

/// All that were found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exponents {
    /// 1/ν from dU₄/dβ.
    pub inverse_nu_binder: Option<Exponent>,
    /// 1/ν from d(ξ/L)/dβ; none on a graph.
    pub inverse_nu_length: Option<Exponent>,
    /// ν of the more precise of the two.
    pub nu: Option<Exponent>,
    /// γ/ν from ⟨m²⟩.
    pub gamma_over_nu: Option<Exponent>,
    /// η = 2 − γ/ν; none on a graph.
    pub eta: Option<Exponent>,
    /// β/ν from ⟨|m|⟩.
    pub beta_over_nu: Option<Exponent>,
    /// What the literature has.
    pub reference: Option<KnownExponents>,
}

/// ln of a quantity and the power of size it is proportional to.
type Quantity<'q> = &'q dyn Fn(&SizeCurves, &Curve, f64) -> f64;

/// d ln Q/d ln L of the two largest sizes, or extrapolated with a correction L^(−ω) from three or more.
fn exponent(sizes: &[&SizeCurves], logs: &[f64], errors: &[f64], omega: Option<f64>) -> Option<f64> {
    let largest = sizes.last()?.size as f64;
    let terms = if omega.is_some() { 3 } else { 2 };
    let rows = sizes
        .iter()
        .zip(logs)
        .zip(errors)
        .map(|((size, ln_q), error)| {
            let x = size.size as f64 / largest;
            let mut row = vec![1.0 / error, libm::log(x) / error];
            row.extend(omega.map(|omega| libm::pow(x, -omega) / error));
            row.push(ln_q / error);
            row
        })
        .collect();
    least_squares::solve(rows, terms).map(|solution| solution[1])
}

fn measure(
    sizes: &[&SizeCurves],
    critical: &Critical,
    correction: Correction,
    quantity: Quantity<'_>,
) -> Option<Exponent> {
    let beta = critical.beta.mean;
    let value = |size: &SizeCurves, curve: &Curve| quantity(size, curve, beta);
    let logs: Vec<f64> = sizes.iter().map(|s| value(s, &s.all)).collect();
    let left: Vec<Vec<f64>> =
        sizes.iter().map(|s| s.left_out.iter().map(|c| value(s, c)).collect()).collect();
    let errors: Vec<f64> = left.iter().map(|l| libm::sqrt(jackknife_variance(l))).collect();
    if logs.iter().chain(&errors).any(|x| !x.is_finite()) {
        return None;
    }
    // Four sizes or more tell the correction, with a degree of freedom left.
    let many = sizes.len() > 3;
    let fit = |logs: &[f64], omega: f64| exponent(sizes, logs, &errors, many.then_some(omega));
    let mean = fit(&logs, correction.omega)?;
    let mut variance = 0.0;
    let mut changed = logs.clone();
    for (i, left) in left.iter().enumerate() {
        let mut found = Vec::new();
        for &x in left {
            changed[i] = x;
            found.push(fit(&changed, correction.omega)?);
        }
        changed[i] = logs[i];
        variance += jackknife_variance(&found);
    }
    // β_c is known to its error only.
    let moved: Vec<f64> = sizes.iter().map(|s| quantity(s, &s.all, beta + critical.beta.error)).collect();
    let shift = fit(&moved, correction.omega)? - mean;
    let statistical = libm::sqrt(variance + shift * shift);
    let systematic = if many {
        let [low, high] = [correction.omega - correction.spread, correction.omega + correction.spread]
            .map(|omega| fit(&logs, omega).map_or(0.0, |y| (y - mean).abs()));
        low.max(high)
    } else if sizes.len() == 3 {
        let last = exponent(&sizes[1..], &logs[1..], &errors[1..], None)?;
        (last - mean).abs()
    } else {
        0.0
    };
    Some(Exponent {
        value: Estimate { mean, error: libm::hypot(statistical, systematic) },
        statistical,
        systematic,
    })
}

impl Exponent {
    fn map(self, f: impl Fn(f64) -> f64, slope: f64) -> Self {
        let scale = slope.abs();
        Self {
            value: Estimate { mean: f(self.value.mean), error: self.value.error * scale },
            statistical: self.statistical * scale,
            systematic: self.systematic * scale,
        }
    }
}

impl Exponents {
    /// At the β_c found, from the sizes that it was found from.
    pub(super) fn at(
        sizes: &[SizeCurves],
        critical: &Critical,
        correction: Correction,
        (has_dimension, reference): (bool, Option<KnownExponents>),
    ) -> Self {
        let used: Vec<&SizeCurves> = sizes.iter().filter(|s| critical.sizes.contains(&s.size)).collect();
        let of = |quantity: Quantity<'_>| measure(&used, critical, correction, quantity);
        let slope =
            |which: usize| move |_: &SizeCurves, curve: &Curve, beta: f64| libm::log(curve.at(which, beta).1);
        let inverse_nu_binder = of(&slope(BINDER));
        let inverse_nu_length = of(&slope(LENGTH));
        let better = match (inverse_nu_binder, inverse_nu_length) {
            (Some(a), Some(b)) => Some(if a.value.error <= b.value.error { a } else { b }),
            (a, b) => a.or(b),
        };
        let gamma_over_nu = of(&|size, curve, beta| libm::log(size.sites as f64) + curve.at(SQUARE, beta).0);
        let beta_over_nu = of(&|_, curve, beta| curve.at(ABSOLUTE, beta).0).map(|x| x.map(|x| -x, 1.0));
        Self {
            inverse_nu_binder,
            inverse_nu_length,
            nu: better.map(|x| x.map(|x| 1.0 / x, 1.0 / (x.value.mean * x.value.mean))),
            gamma_over_nu,
            eta: gamma_over_nu.filter(|_| has_dimension).map(|x| x.map(|x| 2.0 - x, 1.0)),
            beta_over_nu,
            reference,
        }
    }
}
