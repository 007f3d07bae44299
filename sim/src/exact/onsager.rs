//! The infinite square lattice without field (L. Onsager, Phys. Rev. 65, 117 (1944), doi:10.1103/PhysRev.65.117).
//!
//! All functions are for J = 1; a lattice with coupling J at β has the values of J = 1 at βJ (energies times J).

use std::f64::consts::FRAC_PI_2;

use crate::beta::Beta;

/// The critical inverse temperature β_c = ln(1 + √2)/2.
///
/// ```
/// assert!(((2.0 * ceas_sim::exact::onsager::BETA_C).sinh() - 1.0).abs() < 1e-15);
/// ```
pub const BETA_C: f64 = 0.440_686_793_509_771_5;

/// Below this β the closed forms lose digits to cancellation and the high-temperature series is exact to rounding.
const SERIES_BELOW: f64 = 0.02;

/// Energy per site u(β) = −coth 2β [1 + (2/π)(2 tanh² 2β − 1) K(k)], k = 2 sinh 2β / cosh² 2β.
///
/// ```
/// use ceas_sim::{beta::Beta, exact::onsager};
/// let critical = Beta::new(onsager::BETA_C).unwrap();
/// assert!((onsager::energy(critical) + 2f64.sqrt()).abs() < 1e-9);
/// ```
pub fn energy(beta: Beta) -> f64 {
    let b = beta.value();
    if b < SERIES_BELOW {
        let v = libm::tanh(b);
        return -2.0 * v - (1.0 - v * v) * series(v).0;
    }
    let t = libm::tanh(2.0 * b);
    // 2t² − 1 is the complementary modulus k′ up to its sign, so K needs no 1 − k².
    let k1 = 2.0 * t * t - 1.0;
    let product = if k1 == 0.0 { 0.0 } else { k1 * elliptic(k1.abs()).0 };
    -(1.0 + product / FRAC_PI_2) / t
}

/// Specific heat per site C(β) = β² ∂²(ln Z/N)/∂β² = (4/π)(β coth 2β)² {K − E − (1 − t²)[π/2 + (2t² − 1)K]}, t = tanh 2β.
///
/// Infinite at β_c, where it diverges as −(8/π)β_c² ln|1 − β/β_c|.
pub fn specific_heat(beta: Beta) -> f64 {
    let b = beta.value();
    if b < SERIES_BELOW {
        let v = libm::tanh(b);
        let (g, slope) = series(v);
        let w = 1.0 - v * v;
        return b * b * w * (2.0 - 2.0 * v * g + w * slope);
    }
    let t = libm::tanh(2.0 * b);
    let k1 = 2.0 * t * t - 1.0;
    if k1 == 0.0 {
        return f64::INFINITY;
    }
    let (k, e) = elliptic(k1.abs());
    let bracket = k - e - (1.0 - t * t) * (FRAC_PI_2 + k1 * k);
    2.0 / FRAC_PI_2 * (b / t) * (b / t) * bracket
}

/// The dual inverse temperature β* of Kramers and Wannier (doi:10.1103/PhysRev.60.252): sinh 2β · sinh 2β* = 1.
///
/// β = 0 has the dual β* = ∞ and has none; it is the caller's to exclude.
///
/// ```
/// let dual = ceas_sim::exact::onsager::dual(0.3);
/// assert!(((2.0 * dual).sinh() * (0.6f64).sinh() - 1.0).abs() < 1e-14);
/// ```
pub fn dual(beta: f64) -> f64 {
    -0.5 * libm::log(libm::tanh(beta))
}

/// g(v) and g′(v) of the series ln Z/N = ln 2 + 2 ln cosh β + v⁴ + 2v⁶ + 9v⁸/2 + 12v¹⁰ + …, v = tanh β, g its slope
/// beyond the cosh: below β = 0.02 the next term is under 10⁻¹⁸.
fn series(v: f64) -> (f64, f64) {
    let v2 = v * v;
    let g = v * v2 * (4.0 + v2 * (12.0 + v2 * (36.0 + v2 * 120.0)));
    let slope = v2 * (12.0 + v2 * (60.0 + v2 * (252.0 + v2 * 1080.0)));
    (g, slope)
}

/// Complete elliptic integrals K and E from the complementary modulus k′ = √(1 − k²) in (0, 1], by the
/// arithmetic–geometric mean (Abramowitz and Stegun 17.6).
fn elliptic(complementary: f64) -> (f64, f64) {
    let (mut a, mut g) = (1.0, complementary);
    let mut sum = 0.5 * (1.0 - complementary * complementary);
    let mut power = 0.5;
    // Convergence is quadratic; from the smallest positive k′ it takes fewer than 16 steps.
    for _ in 0..16 {
        let c = 0.5 * (a - g);
        (a, g) = (0.5 * (a + g), libm::sqrt(a * g));
        power *= 2.0;
        sum += power * c * c;
    }
    let k = FRAC_PI_2 / a;
    (k, k * (1.0 - sum))
}
