//! The spin of fixed length: what changes if Σy² = d holds strictly.

/// The shrink A_d(κ) = I_(d/2)(κ)/I_(d/2−1)(κ) of a spin of length √d in the field x: ⟨y⟩ = √d A_d(κ) x/|x|, with κ = √d |x|/T.
///
/// The law is von Mises–Fisher's. Computed by the continued fraction A = 1/(d/κ + 1/((d + 2)/κ + 1/((d + 4)/κ + …))), all terms positive, from
/// far enough down that what is cut off is below 1e-16. For large d it tends to 2r/(1 + √(1 + 4r²)), r = κ/d, which is the mean-spherical
/// law of [`super::SphericalSpin`]. Source: Abramowitz and Stegun 9.1.73; K. V. Mardia and P. E. Jupp, doi:10.1002/9780470316979.
///
/// ```
/// use ceas_mapping::norm::hard_sphere;
/// // d = 3 is Langevin's function coth κ − 1/κ.
/// let kappa = 2.0f64;
/// assert!((hard_sphere(3, kappa) - (1.0 / kappa.tanh() - 1.0 / kappa)).abs() < 1e-15);
/// ```
pub fn hard_sphere(d: usize, kappa: f64) -> f64 {
    if kappa == 0.0 || d == 0 {
        return 0.0;
    }
    let order = d as f64 - 1.0;
    if kappa.abs() > LARGE {
        let first = order / (2.0 * kappa.abs());
        return kappa.signum() * (1.0 - first + first * (order - 2.0) / (4.0 * kappa.abs()));
    }
    // Term n is (d + 2n)/κ; once it is large, each further one adds two digits.
    let terms = (2.0 * kappa.abs() + 60.0) as usize;
    (0..=terms).rev().fold(0.0, |tail, n| 1.0 / ((d + 2 * n) as f64 / kappa + tail))
}

/// Beyond this κ the expansion in 1/κ is used: its first neglected term is below (d/κ)³.
const LARGE: f64 = 1e6;
