//! Where the curves of all sizes meet.
//!
//! At β_c, U₄ and ξ/L depend on size only through corrections,
//! ```text
//! R_L(β_c) = R* + b L^(−ω)        R = U₄, ξ/L; one β_c for both, R* and b for each
//! ```
//! so that β_c, R* and b are fitted together, to the measured curves R_L(β) of all sizes, each size weighted by the covariance of its
//! two quantities. Two curves that cross at β_L,2L = β_c + a L^(−1/ν−ω) say the same of a pair (K. Binder, doi:10.1007/BF01293604).

use serde::Serialize;

use super::curve::{BINDER, Curve, LENGTH, SizeCurves, jackknife_variance};
use super::family::Correction;
use crate::statistics::Estimate;
use crate::statistics::least_squares;

/// Steps of Gauss and Newton, and the change of β at which they end, relative to β.
const STEPS: usize = 30;
const SETTLED: f64 = 1e-12;

/// β_c, and what its error is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Critical {
    /// β_c with its whole error: √(statistical² + systematic²).
    #[serde(flatten)]
    pub beta: Estimate,
    /// Error by jackknife over the replicas of every size, times √(χ²/dof) where that is above 1.
    pub statistical: f64,
    /// The larger of two changes of the result: when ω is made smaller or larger by its spread, and when the smallest size is left out, as
    /// far as that change exceeds its own noise. None from two sizes, whose drift is unknown.
    pub systematic: Option<f64>,
    /// Of the statistical variance, what each size contributes; in the order of `sizes`.
    pub shares: Vec<f64>,
    /// The sizes that were used.
    pub sizes: Vec<usize>,
    /// χ² of the fit.
    pub chi_squared: f64,
    /// Its degrees of freedom.
    pub freedom: usize,
    /// ω, and how far it is varied.
    pub omega: f64,
    /// See `omega`.
    pub omega_spread: f64,
    /// U₄ of an infinite system at β_c.
    pub binder: Estimate,
    /// ξ/L of an infinite system at β_c; none on a graph.
    pub length_ratio: Option<Estimate>,
    /// How far β at which the curves of the two largest sizes meet still is from β_c, by the fitted correction; none from two sizes.
    pub drift: Option<f64>,
    /// In words.
    pub method: String,
}

/// What a fit finds: β_c, and R*, b of each quantity.
#[derive(Debug, Clone, Default)]
struct Fit {
    beta: f64,
    limits: Vec<f64>,
    amplitudes: Vec<f64>,
    chi_squared: f64,
}

/// Sizes with the inverse square root of the covariance of their quantities.
struct Meeting<'a> {
    sizes: &'a [&'a SizeCurves],
    quantities: &'a [usize],
    /// Rows w of each size such that Σ_q w_q R_q have unit variance and are uncorrelated.
    whitening: Vec<Vec<Vec<f64>>>,
    with_correction: bool,
}

impl<'a> Meeting<'a> {
    fn new(sizes: &'a [&'a SizeCurves], quantities: &'a [usize], beta: f64) -> Self {
        let whitening = sizes
            .iter()
            .map(|size| {
                let column =
                    |q: usize| size.left_out.iter().map(move |c| c.at(q, beta).0).collect::<Vec<_>>();
                whiten(&quantities.iter().map(|&q| column(q)).collect::<Vec<_>>())
            })
            .collect();
        Self { sizes, quantities, whitening, with_correction: sizes.len() > 2 }
    }

    fn terms(&self) -> usize {
        1 + self.quantities.len() * if self.with_correction { 2 } else { 1 }
    }

    fn freedom(&self) -> Option<usize> {
        (self.sizes.len() * self.quantities.len()).checked_sub(self.terms())
    }

    /// The fit to one curve of each size.
    fn fit(&self, curves: &[&Curve], omega: f64, start: f64) -> Option<Fit> {
        let count = self.quantities.len();
        let mut beta = start;
        for _ in 0..STEPS {
            let mut rows = Vec::new();
            for ((size, curve), whitening) in self.sizes.iter().zip(curves).zip(&self.whitening) {
                if !curve.covers(beta) {
                    return None;
                }
                let correction = libm::pow(size.size as f64, -omega);
                let at: Vec<(f64, f64)> = self.quantities.iter().map(|&q| curve.at(q, beta)).collect();
                for weights in whitening {
                    let mut row = vec![0.0; self.terms() + 1];
                    for (q, weight) in weights.iter().enumerate() {
                        // R(β) + R'(β) δβ = R* + b L^(−ω)
                        row[0] -= weight * at[q].1;
                        row[1 + q] += weight;
                        if self.with_correction {
                            row[1 + count + q] += weight * correction;
                        }
                        row[self.terms()] += weight * at[q].0;
                    }
                    rows.push(row);
                }
            }
            let solution = least_squares::solve(rows.clone(), self.terms())?;
            let residual = |row: &Vec<f64>| {
                row[self.terms()] - row.iter().zip(&solution).map(|(a, x)| a * x).sum::<f64>()
            };
            beta += solution[0];
            if solution[0].abs() < SETTLED * beta.abs() {
                return Some(Fit {
                    beta,
                    limits: solution[1..=count].to_vec(),
                    amplitudes: solution[1 + count..].to_vec(),
                    chi_squared: rows.iter().map(|row| residual(row) * residual(row)).sum(),
                });
            }
        }
        None
    }

    fn all(&self) -> Vec<&'a Curve> {
        self.sizes.iter().map(|s| &s.all).collect()
    }

    /// `f` of the fit without each replica of each size.
    fn left_out(&self, omega: f64, start: f64, f: impl Fn(&Fit) -> f64) -> Option<Vec<Vec<f64>>> {
        let mut curves = self.all();
        let mut found = Vec::new();
        for (i, size) in self.sizes.iter().enumerate() {
            let mut of_size = Vec::new();
            for left in &size.left_out {
                curves[i] = left;
                of_size.push(f(&self.fit(&curves, omega, start)?));
            }
            curves[i] = &size.all;
            found.push(of_size);
        }
        Some(found)
    }
}

/// The inverse of the Cholesky factor of the jackknife covariance of columns.
fn whiten(columns: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let r = columns[0].len() as f64;
    let mean = |c: &Vec<f64>| c.iter().sum::<f64>() / r;
    let covariance = |a: &Vec<f64>, b: &Vec<f64>| {
        let (x, y) = (mean(a), mean(b));
        (r - 1.0) / r * a.iter().zip(b).map(|(a, b)| (a - x) * (b - y)).sum::<f64>()
    };
    let first = libm::sqrt(covariance(&columns[0], &columns[0]));
    let Some(second) = columns.get(1) else { return vec![vec![1.0 / first]] };
    let slope = covariance(&columns[0], second) / (first * first);
    let rest = libm::sqrt((covariance(second, second) - slope * slope * first * first).max(0.0));
    vec![vec![1.0 / first, 0.0], vec![-slope / rest, 1.0 / rest]]
}

/// β_c of the sizes given, which must be two or more.
pub(super) fn critical(sizes: &[&SizeCurves], correction: Correction, start: f64) -> Option<Critical> {
    let has_axes = sizes.iter().all(|s| s.all.at(LENGTH, start).0.is_finite());
    let quantities: &[usize] = if has_axes { &[BINDER, LENGTH] } else { &[BINDER] };
    let omega = correction.omega;
    // Once to know about where it is, once with covariances taken there.
    let rough = Meeting::new(sizes, quantities, start);
    let start = rough.fit(&rough.all(), omega, start)?.beta;
    let meeting = Meeting::new(sizes, quantities, start);
    let freedom = meeting.freedom()?;
    let fit = meeting.fit(&meeting.all(), omega, start)?;
    let left = meeting.left_out(omega, start, |fit| fit.beta)?;
    let variances: Vec<f64> = left.iter().map(|of_size| jackknife_variance(of_size)).collect();
    let stretch = if freedom > 0 { libm::sqrt(fit.chi_squared / freedom as f64).max(1.0) } else { 1.0 };
    let variance: f64 = variances.iter().sum();
    let statistical = libm::sqrt(variance) * stretch;
    let error_of = |f: &dyn Fn(&Fit) -> f64| -> Option<f64> {
        let left = meeting.left_out(omega, start, f)?;
        Some(libm::sqrt(left.iter().map(|of_size| jackknife_variance(of_size)).sum()))
    };
    let systematic = if meeting.with_correction {
        let varied = [omega - correction.spread, omega + correction.spread]
            .map(|omega| meeting.fit(&meeting.all(), omega, start).map(|f| (f.beta - fit.beta).abs()));
        let mut largest = varied[0]?.max(varied[1]?);
        if sizes.len() > 3 {
            let rest = Meeting::new(&sizes[1..], quantities, start);
            let other = rest.fit(&rest.all(), omega, start)?;
            let left = rest.left_out(omega, start, |fit| fit.beta)?;
            let noise = left.iter().map(|of_size| jackknife_variance(of_size)).sum::<f64>() - variance;
            let change = other.beta - fit.beta;
            largest = largest.max(libm::sqrt((change * change - noise.max(0.0)).max(0.0)));
        }
        Some(largest)
    } else {
        None
    };
    let drift = meeting.with_correction.then(|| {
        let [.., small, large] = sizes else { return f64::NAN };
        let [x, y] = [small, large].map(|s| libm::pow(s.size as f64, -omega));
        let slope = large.all.at(BINDER, fit.beta).1 - small.all.at(BINDER, fit.beta).1;
        fit.amplitudes[0] * (x - y) / slope
    });
    let names: Vec<String> = sizes.iter().map(|s| s.size.to_string()).collect();
    let what = if has_axes { "U4 and xi/L" } else { "U4" };
    let replicas = sizes[0].left_out.len();
    let how = if meeting.with_correction {
        format!("with a correction L^-{omega} each")
    } else {
        "the drift with L is not assessed by two sizes".to_owned()
    };
    let method = format!(
        "{what} of L = {} meet at one beta, {how}; jackknife over {replicas} replicas of each size",
        names.join(", ")
    );
    Some(Critical {
        beta: Estimate { mean: fit.beta, error: libm::hypot(statistical, systematic.unwrap_or(0.0)) },
        statistical,
        systematic,
        shares: variances.iter().map(|v| v / variance).collect(),
        sizes: sizes.iter().map(|s| s.size).collect(),
        chi_squared: fit.chi_squared,
        freedom,
        omega,
        omega_spread: correction.spread,
        binder: Estimate { mean: fit.limits[0], error: error_of(&|f| f.limits[0])? },
        length_ratio: match has_axes {
            true => Some(Estimate { mean: fit.limits[1], error: error_of(&|f| f.limits[1])? }),
            false => None,
        },
        drift,
        method,
    })
}

/// Whether χ² is no larger than chance makes it once in some hundred times.
fn fits(found: &Critical) -> bool {
    let dof = found.freedom as f64;
    found.freedom == 0 || found.chi_squared < dof + 3.0 * libm::sqrt(2.0 * dof)
}

/// β_c from those of the largest sizes whose whole error is least; from all sizes down to the three largest.
pub(super) fn best(sizes: &[SizeCurves], correction: Correction, start: f64) -> Option<Critical> {
    let least = sizes.len().min(3);
    let found: Vec<Critical> = (0..=sizes.len() - least)
        .filter_map(|from| critical(&sizes[from..].iter().collect::<Vec<_>>(), correction, start))
        .collect();
    let error = |c: &&Critical| c.beta.error;
    let fitting = found.iter().filter(|c| fits(c)).min_by(|a, b| error(a).total_cmp(&error(b)));
    fitting.or(found.last()).cloned()
}
