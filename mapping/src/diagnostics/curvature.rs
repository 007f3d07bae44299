//! Scalar curvature of the Fisher metric of an exponential family.

use nalgebra::DMatrix;

use crate::error::Error;

/// R = ¼ (T_abc T^abc − T_a T^a), with g = Cov(φ) the Fisher metric in natural coordinates, T the third cumulants and T_a = T_abc g^bc (H. Janyszek and
/// R. Mrugała, doi:10.1103/PhysRevA.39.6515; sign such that a sphere has R > 0).
///
/// An isolated cluster of N states is a piece of a sphere of radius 2: R = (N − 1)(N − 2)/4 at every β and in every field, so that it carries no
/// criticality. Independent spins are flat. Only couplings bend the manifold of a lattice ([`super::torus`]).
///
/// `metric` is `[n, n]`; `third` holds T_abc at `[a][b·n + c]`, symmetric.
///
/// # Errors
/// [`Error::Rows`] if the metric is not positive definite: two of the φ are one function.
pub fn scalar_curvature(metric: &DMatrix<f64>, third: &[DMatrix<f64>]) -> Result<f64, Error> {
    let n = metric.nrows();
    let inverse = metric.clone().cholesky().map(|c| c.inverse()).ok_or(Error::Rows {
        what: "Fisher curvature",
        violated: format!(
            "the covariance of the {n} functions is not positive definite: they are not independent"
        ),
    })?;
    // T_a: each T_a·· contracted with the inverse metric.
    let trace: Vec<f64> = third.iter().map(|t| t.component_mul(&inverse).sum()).collect();
    // T_a^bc = g^bb′ T_ab′c′ g^c′c, then both sides of the first index.
    let raised: Vec<DMatrix<f64>> = third.iter().map(|t| &inverse * t * &inverse).collect();
    let mut full = 0.0;
    let mut square = 0.0;
    for a in 0..n {
        for b in 0..n {
            let g = inverse[(a, b)];
            if g != 0.0 {
                full += g * third[a].dot(&raised[b]);
                square += g * trace[a] * trace[b];
            }
        }
    }
    Ok(0.25 * (full - square))
}

/// The same of a family over finitely many states: `features[state]` is φ(state), `weights` the unnormalised probabilities.
///
/// ```
/// use ceas_mapping::diagnostics::curvature::of_states;
/// // A cluster of 5 states in some fields: (5 − 1)(5 − 2)/4 = 3.
/// let features: Vec<Vec<f64>> = (0..5).map(|s| (0..4).map(|a| f64::from(u8::from(s == a))).collect()).collect();
/// assert!((of_states(&features, &[0.3, 1.0, 2.0, 0.7, 0.1]).unwrap() - 3.0).abs() < 1e-9);
/// ```
///
/// # Errors
/// Those of [`scalar_curvature`], and [`Error::Rows`] if the lists differ in length or there is no state.
pub fn of_states(features: &[Vec<f64>], weights: &[f64]) -> Result<f64, Error> {
    let n = features.first().map_or(0, Vec::len);
    if n == 0 || features.len() != weights.len() || features.iter().any(|f| f.len() != n) {
        return Err(Error::Rows {
            what: "Fisher curvature",
            violated: "as many features for every state, and one weight per state, are needed".into(),
        });
    }
    let z: f64 = weights.iter().sum();
    let mean: Vec<f64> =
        (0..n).map(|a| features.iter().zip(weights).map(|(f, w)| w * f[a]).sum::<f64>() / z).collect();
    let mut metric = DMatrix::zeros(n, n);
    let mut third = vec![DMatrix::zeros(n, n); n];
    for (f, w) in features.iter().zip(weights) {
        let x: Vec<f64> = f.iter().zip(&mean).map(|(f, m)| f - m).collect();
        for b in 0..n {
            for c in 0..n {
                let product = w / z * x[b] * x[c];
                metric[(b, c)] += product;
                for (a, t) in third.iter_mut().enumerate() {
                    t[(b, c)] += product * x[a];
                }
            }
        }
    }
    scalar_curvature(&metric, &third)
}
