//! Where the curves of all sizes meet.
//!
//! At β_c, U₄ and ξ/L depend on size only through corrections,
//! ```text
//! R_L(β_c) = R* + b L^(−ω) + c L^(−ω₂)        R = U₄, ξ/L; one β_c for both, R*, b and c for each
//! ```
//! so that β_c, R*, b and c are fitted together to the measured curves R_L(β) of all sizes, each size weighted by the covariance of its two
//! quantities. Two curves that cross at β_L,2L = β_c + a L^(−1/ν−ω) say the same of a pair (K. Binder, doi:10.1007/BF01293604).
//!
//! Corrections that the data cannot tell from nothing are not taken for nothing: b and c are of the order of 1 to 10, and enter as 0 ± [`FIRST`] and
//! 0 ± [`SECOND`]. What this contributes to the error of β_c is part of its systematic error.

use serde::Serialize;

use super::curve::{BINDER, Curve, LENGTH, SizeCurves, jackknife_variance};
use super::design::{self, Design, Told};
use super::family::Correction;
use super::selection;
use crate::statistics::Estimate;
use crate::statistics::least_squares;

/// Steps of Gauss and Newton, and the change of β at which they end, relative to β.
const STEPS: usize = 30;
const SETTLED: f64 = 1e-12;

/// So many sizes after the largest are thought of.
const AHEAD: usize = 2;

/// How large b and c are expected to be.
const FIRST: f64 = 3.0;
const SECOND: f64 = 10.0;

/// β_c, and what its error is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Critical {
    /// β_c with its whole error: √(statistical² + systematic²).
    #[serde(flatten)]
    pub beta: Estimate,
    /// Error by jackknife over the replicas of every size, times √(χ²/dof) where that is above 1.
    pub statistical: f64,
    /// What is not known of the corrections: the square root of two squares. One is what b and c contribute within their expected size; the
    /// other the larger of two changes of the result: when ω is made smaller or larger by its spread, and when the smallest of four sizes or
    /// more is left out, as far as that change exceeds its own noise.
    pub systematic: f64,
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
    /// ω₂.
    pub second_omega: f64,
    /// U₄ of an infinite system at β_c.
    pub binder: Estimate,
    /// ξ/L of an infinite system at β_c; none on a graph.
    pub length_ratio: Option<Estimate>,
    /// How far the β at which U₄ of the two largest sizes cross still is from β_c, by the fitted corrections.
    pub drift: f64,
    /// In words.
    pub method: String,
    /// What each size tells, for further runs.
    #[serde(skip)]
    pub(super) design: Design,
    /// The same of the sizes after the largest, were they run as long as the largest.
    #[serde(skip)]
    pub(super) next: Vec<Told>,
}

/// What a fit finds: β_c, R* of each quantity, b and c of U₄, b of each, and the error of β_c that b and c contribute.
#[derive(Debug, Clone, Default)]
struct Fit {
    beta: f64,
    limits: Vec<f64>,
    corrections: [f64; 2],
    firsts: Vec<f64>,
    unknown: f64,
    chi_squared: f64,
}

/// Sizes with the inverse square root of the covariance of their quantities.
struct Meeting<'a> {
    sizes: &'a [&'a SizeCurves],
    quantities: &'a [usize],
    /// ω₂.
    second: f64,
    /// Rows w of each size such that Σ_q w_q R_q have unit variance and are uncorrelated.
    whitening: Vec<Vec<Vec<f64>>>,
}

impl<'a> Meeting<'a> {
    fn new(sizes: &'a [&'a SizeCurves], quantities: &'a [usize], second: f64, beta: f64) -> Self {
        let whitening = sizes
            .iter()
            .map(|size| {
                let column =
                    |q: usize| size.left_out.iter().map(move |c| c.at(q, beta).0).collect::<Vec<_>>();
                whiten(&quantities.iter().map(|&q| column(q)).collect::<Vec<_>>())
            })
            .collect();
        Self { sizes, quantities, second, whitening }
    }

    /// β, and R*, b, c of each quantity.
    fn terms(&self) -> usize {
        1 + 3 * self.quantities.len()
    }

    /// As many as there are data more than β_c and R*: b and c bring their own.
    fn freedom(&self) -> usize {
        (self.sizes.len() * self.quantities.len()).saturating_sub(1 + self.quantities.len())
    }

    /// The equations at β, for its change and all else, in units of their errors; the expectations of b and c come last.
    fn equations(&self, curves: &[&Curve], omega: f64, beta: f64) -> Option<Vec<Vec<f64>>> {
        let (count, terms) = (self.quantities.len(), self.terms());
        let mut rows = Vec::new();
        for ((size, curve), whitening) in self.sizes.iter().zip(curves).zip(&self.whitening) {
            if !curve.covers(beta) {
                return None;
            }
            let [first, second] = [omega, self.second].map(|omega| libm::pow(size.size as f64, -omega));
            let at: Vec<(f64, f64)> = self.quantities.iter().map(|&q| curve.at(q, beta)).collect();
            for weights in whitening {
                let mut row = vec![0.0; terms + 1];
                for (q, weight) in weights.iter().enumerate() {
                    // R(β) + R'(β) δβ = R* + b L^(−ω) + c L^(−ω₂)
                    row[0] -= weight * at[q].1;
                    row[1 + q] += weight;
                    row[1 + count + q] += weight * first;
                    row[1 + 2 * count + q] += weight * second;
                    row[terms] += weight * at[q].0;
                }
                rows.push(row);
            }
        }
        for q in 0..2 * count {
            let mut row = vec![0.0; terms + 1];
            row[1 + count + q] = 1.0 / if q < count { FIRST } else { SECOND };
            rows.push(row);
        }
        Some(rows)
    }

    /// The fit to one curve of each size.
    fn fit(&self, curves: &[&Curve], omega: f64, start: f64) -> Option<Fit> {
        let (count, terms) = (self.quantities.len(), self.terms());
        let mut beta = start;
        for _ in 0..STEPS {
            let rows = self.equations(curves, omega, beta)?;
            let (solution, leverage) = least_squares::solve_with_leverage(rows.clone(), terms)?;
            let dot = |row: &Vec<f64>, x: &[f64]| row.iter().zip(x).map(|(a, x)| a * x).sum::<f64>();
            beta += solution[0];
            if solution[0].abs() < SETTLED * beta.abs() {
                let (data, expected) = rows.split_at(rows.len() - 2 * count);
                let residual = |row: &Vec<f64>| row[terms] - dot(row, &solution);
                let unknown: f64 = expected.iter().map(|row| dot(row, &leverage)).map(|x| x * x).sum();
                let chi_squared = data.iter().chain(expected).map(|row| residual(row) * residual(row)).sum();
                return Some(Fit {
                    beta,
                    limits: solution[1..=count].to_vec(),
                    corrections: [solution[1 + count], solution[1 + 2 * count]],
                    firsts: solution[1 + count..=2 * count].to_vec(),
                    unknown: libm::sqrt(unknown),
                    chi_squared,
                });
            }
        }
        None
    }

    /// What each size tells of β_c, R*, b, c and ω, and what the sizes after the largest would if they were run as long: their slopes
    /// growing as they do from the size before the largest to it, their scatter the same.
    fn design(&self, omega: f64, spread: f64, fit: &Fit) -> Option<(Design, Vec<Told>)> {
        let (count, terms) = (self.quantities.len(), self.terms());
        let told = |size: f64, whitening: &[Vec<f64>], slopes: &[f64]| {
            let [first, second] = [omega, self.second].map(|omega| libm::pow(size, -omega));
            let row = |weights: &Vec<f64>| {
                let mut row = vec![0.0; terms + 1];
                for (q, weight) in weights.iter().enumerate() {
                    row[0] -= weight * slopes[q];
                    row[1 + q] += weight;
                    row[1 + count + q] += weight * first;
                    row[1 + 2 * count + q] += weight * second;
                    // b L^(−ω) by ω.
                    row[terms] -= weight * fit.firsts[q] * libm::log(size) * first;
                }
                row
            };
            let rows: Vec<Vec<f64>> = whitening.iter().map(row).collect();
            design::information(&rows, terms + 1)
        };
        let slopes = |size: &SizeCurves| -> Vec<f64> {
            self.quantities.iter().map(|&q| size.all.at(q, fit.beta).1).collect()
        };
        let measured = self.sizes.iter().zip(&self.whitening).map(|(size, whitening)| Told {
            size: size.size,
            information: told(size.size as f64, whitening, &slopes(size)),
        });
        let mut expected: Vec<Vec<f64>> = Vec::new();
        for (at, error) in (0..count).flat_map(|q| [(1 + count + q, FIRST), (1 + 2 * count + q, SECOND)]) {
            let mut row = vec![0.0; terms + 1];
            row[at] = 1.0 / error;
            expected.push(row);
        }
        let mut row = vec![0.0; terms + 1];
        row[terms] = 1.0 / spread;
        expected.push(row);
        let prior = design::information(&expected, terms + 1);
        let [.., before, last] = self.sizes else { return None };
        let doublings = |a: usize, b: usize| libm::log2(b as f64 / a as f64);
        let mut sizes = (before.size, last.size);
        let mut next = Vec::new();
        for _ in 0..AHEAD {
            sizes = (sizes.1, selection::next_size(sizes.0, sizes.1));
            let growth = |a: f64, b: f64| {
                let share = doublings(last.size, sizes.1) / doublings(before.size, last.size);
                b * libm::pow((b / a).max(1.0), share)
            };
            let larger: Vec<f64> =
                slopes(before).iter().zip(slopes(last)).map(|(&a, b)| growth(a, b)).collect();
            let information = told(sizes.1 as f64, self.whitening.last()?, &larger);
            next.push(Told { size: sizes.1, information });
        }
        Some((Design { prior, told: measured.collect() }, next))
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

/// β_c of the sizes given, which must be two or more, ascending.
pub(super) fn critical(sizes: &[&SizeCurves], correction: Correction, start: f64) -> Option<Critical> {
    let has_axes = sizes.iter().all(|s| s.all.at(LENGTH, start).0.is_finite());
    let quantities: &[usize] = if has_axes { &[BINDER, LENGTH] } else { &[BINDER] };
    let (omega, second) = (correction.omega, correction.second);
    // Once to know about where it is, once with covariances taken there.
    let rough = Meeting::new(sizes, quantities, second, start);
    let start = rough.fit(&rough.all(), omega, start)?.beta;
    let meeting = Meeting::new(sizes, quantities, second, start);
    let freedom = meeting.freedom();
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
    let varied = [omega - correction.spread, omega + correction.spread]
        .map(|omega| meeting.fit(&meeting.all(), omega, start).map(|f| (f.beta - fit.beta).abs()));
    let mut changed = varied[0]?.max(varied[1]?);
    if sizes.len() > 3 {
        let rest = Meeting::new(&sizes[1..], quantities, second, start);
        let other = rest.fit(&rest.all(), omega, start)?;
        let left = rest.left_out(omega, start, |fit| fit.beta)?;
        let noise = left.iter().map(|of_size| jackknife_variance(of_size)).sum::<f64>() - variance;
        let change = other.beta - fit.beta;
        changed = changed.max(libm::sqrt((change * change - noise.max(0.0)).max(0.0)));
    }
    let systematic = libm::hypot(changed, fit.unknown);
    let [.., small, large] = sizes else { return None };
    let correction_of = |size: &SizeCurves| {
        let l = size.size as f64;
        fit.corrections[0] * libm::pow(l, -omega) + fit.corrections[1] * libm::pow(l, -second)
    };
    let slope = |size: &SizeCurves| size.all.at(BINDER, fit.beta).1;
    let drift = (correction_of(small) - correction_of(large)) / (slope(large) - slope(small));
    let (design, next) = meeting.design(omega, correction.spread, &fit)?;
    let names: Vec<String> = sizes.iter().map(|s| s.size.to_string()).collect();
    let what = if has_axes { "U4 and xi/L" } else { "U4" };
    let replicas = sizes[0].left_out.len();
    let method = format!(
        "{what} of sizes {} meet at one beta, corrections size^-{omega} and size^-{second}; jackknife over {replicas} replicas",
        names.join(", ")
    );
    Some(Critical {
        beta: Estimate { mean: fit.beta, error: libm::hypot(statistical, systematic) },
        statistical,
        systematic,
        shares: variances.iter().map(|v| v / variance).collect(),
        sizes: sizes.iter().map(|s| s.size).collect(),
        chi_squared: fit.chi_squared,
        freedom,
        omega,
        omega_spread: correction.spread,
        second_omega: second,
        binder: Estimate { mean: fit.limits[0], error: error_of(&|f| f.limits[0])? },
        length_ratio: match has_axes {
            true => Some(Estimate { mean: fit.limits[1], error: error_of(&|f| f.limits[1])? }),
            false => None,
        },
        drift,
        method,
        design,
        next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::critical::curve::CURVES;

    const BETA_C: f64 = 0.44;

    /// Curves R_L = R* + (β − β_c) L + b L^(−ω), the replicas scattered about them by patterns of their own for each size and quantity.
    fn exact(size: usize, omega: f64) -> SizeCurves {
        let l = size as f64;
        let correction = l.powf(-omega);
        let curve = |shift: [f64; 2]| {
            Curve::through([BETA_C - 0.5 / l, BETA_C + 0.6 / l], |beta| {
                let x = (beta - BETA_C) * l;
                let binder = 0.61 + x - 0.2 * x * x + 0.5 * correction + shift[0];
                let length = 0.9 + 1.7 * x - 0.8 * correction + shift[1];
                [binder, length, 0.0, 0.0] as [f64; CURVES]
            })
        };
        let pattern = |r: usize, k: usize| ((7 * r + 3 * size + 5 * k) % 11) as f64 - 5.0;
        let left_out = (0..22).map(|r| curve([1e-6 * pattern(r, 0), 1e-6 * pattern(r * r, 1)])).collect();
        SizeCurves { size, sites: size * size, all: curve([0.0; 2]), left_out }
    }

    #[test]
    fn a_correction_of_the_known_form_is_removed() {
        let sizes = [8, 16, 32, 64].map(|l| exact(l, 1.75));
        let all: Vec<&SizeCurves> = sizes.iter().collect();
        let correction = Correction { omega: 1.75, spread: 0.25, second: 3.0, source: "" };
        let found = critical(&all, correction, BETA_C + 1e-3).unwrap();
        assert!((found.beta.mean - BETA_C).abs() < 0.01 * found.statistical, "{found:?}");
        assert!(
            (found.binder.mean - 0.61).abs() < 0.01 * found.binder.error && found.chi_squared < 1.0,
            "{found:?}"
        );
        let shift = |omega: f64| {
            let wrong = Correction { omega, ..correction };
            (critical(&all, wrong, BETA_C).unwrap().beta.mean - BETA_C).abs()
        };
        assert!(found.systematic >= shift(1.5).max(shift(2.0)) - 1e-12, "{found:?}");
        // Twin: a wrong exponent leaves some of the correction.
        assert!(shift(0.75) > 10.0 * found.statistical, "{found:?}, {}", shift(0.75));
        // Two sizes do not know the corrections, and say by how much.
        let pair = critical(&all[..2], correction, BETA_C).unwrap();
        let off = (pair.beta.mean - BETA_C).abs();
        assert!(off > 10.0 * pair.statistical && off < 2.0 * pair.systematic, "{pair:?}");
    }
}
