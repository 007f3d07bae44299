//! Where curves of two sizes cross.

use serde::Serialize;

use super::curve::{BINDER, Curve, LENGTH, SizeCurves, jackknife_variance};
use crate::statistics::Estimate;

/// Intervals in which a root is bracketed before it is bisected.
const SCAN: usize = 200;

/// The crossings of one pair of sizes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pair {
    /// L.
    pub small: usize,
    /// 2L.
    pub large: usize,
    /// Where U₄ cross.
    pub beta: Estimate,
    /// The common U₄ there.
    pub binder: f64,
    /// Where ξ/L cross; none on a graph, or where they do not.
    pub length_beta: Option<Estimate>,
    /// The common ξ/L there.
    pub length_ratio: Option<f64>,
}

/// The β in the range of both where large − small rises through zero, the steepest one if there are several.
pub(super) fn crossing(small: &Curve, large: &Curve, which: usize) -> Option<f64> {
    let [low, high] = [small.range()[0].max(large.range()[0]), small.range()[1].min(large.range()[1])];
    if low >= high {
        return None;
    }
    let difference = |beta: f64| large.at(which, beta).0 - small.at(which, beta).0;
    let slope = |beta: f64| large.at(which, beta).1 - small.at(which, beta).1;
    let beta = |i: usize| low + (high - low) * i as f64 / SCAN as f64;
    let bisect = |mut below: f64, mut above: f64| {
        for _ in 0..60 {
            let middle = 0.5 * (below + above);
            if difference(middle) <= 0.0 { below = middle } else { above = middle }
        }
        0.5 * (below + above)
    };
    (0..SCAN)
        .filter(|&i| difference(beta(i)) <= 0.0 && difference(beta(i + 1)) > 0.0)
        .map(|i| bisect(beta(i), beta(i + 1)))
        .max_by(|a, b| slope(*a).total_cmp(&slope(*b)))
}

/// A crossing with its jackknife error; none if it is lost without one of the replicas.
fn estimate(small: &SizeCurves, large: &SizeCurves, which: usize) -> Option<Estimate> {
    let mean = crossing(&small.all, &large.all, which)?;
    let without_small: Option<Vec<f64>> =
        small.left_out.iter().map(|left| crossing(left, &large.all, which)).collect();
    let without_large: Option<Vec<f64>> =
        large.left_out.iter().map(|left| crossing(&small.all, left, which)).collect();
    let variance = jackknife_variance(&without_small?) + jackknife_variance(&without_large?);
    Some(Estimate { mean, error: libm::sqrt(variance) })
}

impl Pair {
    /// The crossings of two sizes; none if U₄ do not cross.
    pub(super) fn of(small: &SizeCurves, large: &SizeCurves) -> Option<Self> {
        let beta = estimate(small, large, BINDER)?;
        let length_beta = estimate(small, large, LENGTH);
        Some(Self {
            small: small.size,
            large: large.size,
            beta,
            binder: large.all.at(BINDER, beta.mean).0,
            length_beta,
            length_ratio: length_beta.map(|beta| large.all.at(LENGTH, beta.mean).0),
        })
    }
}
