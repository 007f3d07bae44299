//! Functions of averages with their errors (B. Efron, doi:10.1137/1.9781611970319).

use super::estimate::Estimate;
use super::samples::Samples;

/// f(⟨a₁⟩, …, ⟨a_K⟩) with bias of order 1/R removed, and its error.
///
/// With θ = f(all) and θ_i = f(all but i): mean = Rθ − (R − 1)θ̄, error² = (R − 1)/R · Σ (θ_i − θ̄)².
///
/// ```
/// use ceas_sim::statistics::{Samples, jackknife::jackknife};
/// let samples = Samples::new(vec![[1.0], [2.0], [3.0], [6.0]]).unwrap();
/// let mean = jackknife(&samples, |[x]| *x);
/// assert!((mean.mean - 3.0).abs() < 1e-12 && (mean.error - (14f64 / 12.0).sqrt()).abs() < 1e-12);
/// // ⟨x⟩² overestimates by var/R; the jackknife takes exactly s²/R off.
/// let square = jackknife(&samples, |[x]| x * x);
/// assert!((square.mean - (9.0 - 14.0 / 12.0)).abs() < 1e-12);
/// ```
pub fn jackknife<const K: usize>(samples: &Samples<K>, f: impl Fn(&[f64; K]) -> f64) -> Estimate {
    let replicas = samples.rows().len() as f64;
    let left_out: Vec<f64> = (0..samples.rows().len()).map(|i| f(&samples.mean_without(i))).collect();
    let average = left_out.iter().sum::<f64>() / replicas;
    let squares: f64 = left_out.iter().map(|x| (x - average) * (x - average)).sum();
    Estimate {
        mean: replicas * f(&samples.mean()) - (replicas - 1.0) * average,
        error: libm::sqrt((replicas - 1.0) / replicas * squares),
    }
}
