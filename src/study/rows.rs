//! What the rows of real heads are like: exact numbers, no sampling.

use std::collections::BTreeMap;

use ceas_mapping::Error;
use ceas_mapping::attention::{Quantiles, Row, textbook_beta};
use ceas_mapping::heads::HeadSet;
use ceas_npu_model::choice::Rows;
use ceas_npu_model::precision::{Arithmetic, output_errors};
use rayon::prelude::*;

/// One head: ΣV/Σ|o|², β₀σ, sweeps of uncoupled bits for a valid sample, output error at 8 and 16 bits.
type Line = [f64; 5];

/// Medians over the heads of a set at the textbook β, for workloads whose own rows are not at hand.
///
/// Sweeps of uncoupled bits: 1/a, a the chance that exactly one of independent bits is up when an offset puts one up on average,
/// weighted by the variance of the rows,
///
/// ```text
/// a = c·Π_j 1/(1 + c p_j)      Σ_j c p_j/(1 + c p_j) = 1
/// ```
///
/// # Errors
/// [`Error::Sim`] if a score is not finite.
pub fn rows(set: &HeadSet) -> Result<Rows, Error> {
    let places = (0..set.layers()).flat_map(|layer| (0..set.heads()).map(move |head| (layer, head)));
    let places: Vec<_> = places.collect();
    let lines = places.par_iter().map(|&place| head_line(set, place)).collect::<Result<Vec<_>, _>>()?;
    let median = |which: usize| Quantiles::of(lines.iter().map(|line| line[which])).median;
    Ok(Rows {
        variance: median(0),
        sigma: median(1),
        one_hot_sweeps: median(2),
        rounding: BTreeMap::from([(8, median(3)), (16, median(4))]),
    })
}

fn head_line(set: &HeadSet, (layer, head): (usize, usize)) -> Result<Line, Error> {
    let head = set.head(layer, head);
    let beta = textbook_beta(set.d_head());
    let (mut noise, mut signal, mut slowed, mut sigmas) = (0.0, 0.0, 0.0, Vec::new());
    for query in 0..set.n_queries() {
        let row = Row::new(&head, query, beta)?;
        noise += row.variance;
        signal += row.signal;
        slowed += row.variance * tries(row.law.probabilities());
        sigmas.push(beta.value() * row.sigma);
    }
    let sweeps = if noise > 0.0 { slowed / noise } else { 1.0 };
    let rounded = output_errors(&head, beta.value(), &[Arithmetic::Int8, Arithmetic::Half]);
    Ok([noise / signal, Quantiles::of(sigmas).median, sweeps, rounded[0], rounded[1]])
}

/// 1/a of a row.
fn tries(p: &[f64]) -> f64 {
    if p.iter().filter(|p| **p > 0.0).count() < 2 {
        return 1.0;
    }
    // One bit up on average. The sum grows with c and bends downwards, so that Newton's steps from c = 1, where it is at most 1, only
    // go up and never beyond the root. There the chance is greatest: an error of 1e-9 in c changes it by its square.
    let mut c = 1.0;
    for _ in 0..200 {
        let (mut up, mut slope) = (0.0, 0.0);
        for p in p {
            let down = 1.0 / (1.0 + c * p);
            up += c * p * down;
            slope += p * down * down;
        }
        let step = (1.0 - up) / slope;
        if step.is_nan() || step <= 1e-9 * c || c >= 1e12 {
            break;
        }
        c = (c + step).min(1e12);
    }
    1.0 / (c * p.iter().map(|p| 1.0 / (1.0 + c * p)).product::<f64>())
}

#[cfg(test)]
mod tests {
    use super::tries;

    #[test]
    fn many_equal_keys_take_e_sweeps_and_two_take_two() {
        let equal = |n: usize| tries(&vec![1.0 / n as f64; n]);
        assert!((equal(2) - 2.0).abs() < 1e-9);
        let expected = |n: f64| (1.0 - 1.0 / n).powf(-(n - 1.0));
        assert!(
            (equal(1000) - expected(1000.0)).abs() < 1e-6 && (equal(1000) - std::f64::consts::E).abs() < 0.01
        );
        assert_eq!(tries(&[1.0, 0.0]), 1.0);
    }

    #[test]
    fn no_other_offset_is_better() {
        for sharp in [0.0, 1.0, 4.0, 12.0] {
            let weights: Vec<f64> = (0..50).map(|i| libm::exp(-sharp * f64::from(i) / 5.0)).collect();
            let p: Vec<f64> = weights.iter().map(|w| w / weights.iter().sum::<f64>()).collect();
            let chance = |c: f64| c * p.iter().map(|p| 1.0 / (1.0 + c * p)).product::<f64>();
            let least =
                (0..3000).map(|i| 1.0 / chance(libm::exp2(f64::from(i) / 100.0))).fold(f64::MAX, f64::min);
            let own = tries(&p);
            assert!(own <= least * (1.0 + 1e-12) && own > least * (1.0 - 1e-4), "{sharp}: {own}, {least}");
        }
    }
}
