//! e^x and the logistic and the normal law in f32, made of additions and multiplications only.
//!
//! A library function is a call, and a loop around a call is not vectorised: the exponentials of a long row would cost more than its
//! matrix product. These have no branch, no call and no fused operation, so that they give the same bits on every processor.

/// e^x for x ≤ 88, with a relative error below 2⁻²²; 0 below −87.3, where a normal f32 ends. NaN stays NaN.
///
/// The argument is reduced to n·ln 2 + r, |r| ≤ ½ ln 2 (Cody and Waite), and e^r is its Taylor polynomial of degree 7, whose
/// remainder is below 6·10⁻⁹.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    /// 1.5·2²³: adding it rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first short enough that n times it is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let kept = if x < -87.3 { -87.3 } else { x };
    let shifted = kept * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = kept - n * LN_2[0] - n * LN_2[1];
    let mut series = 1.0 / 5040.0;
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        series = series * r + coefficient;
    }
    // The low bits of `shifted` are n; the exponent of the result is n + 127.
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x < -87.3 { 0.0 } else { series * power }
}

/// σ(x) = 1/(1 + e^(−x)), with a relative error below 2⁻²¹.
#[inline(always)]
pub fn logistic(x: f32) -> f32 {
    let small = exp(-x.abs());
    // 1/(1 + e) of −|x|, and its complement without a difference of near numbers.
    let far = small / (1.0 + small);
    if x < 0.0 { far } else { 1.0 / (1.0 + small) }
}

/// Φ(x) = ½ erfc(−x/√2), the normal law, to within 2⁻²¹; below 0 with a relative error below 2⁻¹⁹ down to Φ(−6).
///
/// erfc(z) = t·P(t)·e^(−z²) with t = 1/(1 + 0.3z) for z ≥ 0; P, of degree 8, was fitted here to least relative error, 2·10⁻⁸ for
/// z ≤ 9.3. The form is that of Hastings, "Approximations for Digital Computers" (1955).
#[inline(always)]
pub fn normal(x: f32) -> f32 {
    /// Of P, the highest power first.
    const SERIES: [f32; 9] = [
        -0.129_375_7,
        0.484_789_1,
        -0.510_532_6,
        0.545_519,
        -0.092_955_57,
        0.214_110_78,
        0.148_577_94,
        0.170_676_35,
        0.169_190_69,
    ];
    /// 0.3/√2.
    const RATE: f32 = 0.212_132_04;
    let t = 1.0 / (1.0 + RATE * x.abs());
    let mut series = SERIES[0];
    for coefficient in &SERIES[1..] {
        series = series * t + coefficient;
    }
    let tail = 0.5 * t * series * exp(-0.5 * x * x);
    if x < 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_one() {
        let mut worst = 0.0f64;
        for i in 0..2_000_000 {
            let x = -87.2 + 175.0 * (i as f32 / 2e6);
            let exact = libm::exp(f64::from(x));
            worst = worst.max((f64::from(exp(x)) / exact - 1.0).abs());
        }
        assert!(worst < 2f64.powi(-22), "{worst}");
        assert_eq!((exp(0.0), exp(-88.0), exp(f32::NEG_INFINITY)), (1.0, 0.0, 0.0));
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn the_logistic_function_keeps_its_digits_at_both_ends() {
        for i in -800..=800 {
            let x = i as f32 * 0.1;
            let exact = 1.0 / (1.0 + libm::exp(-f64::from(x)));
            assert!((f64::from(logistic(x)) / exact - 1.0).abs() < 2f64.powi(-21), "{x}");
        }
        assert_eq!(logistic(0.0), 0.5);
    }

    #[test]
    fn the_normal_law_keeps_its_digits_in_the_lower_tail() {
        let [mut worst, mut relative] = [0.0f64; 2];
        for i in -1_000_000..=1_000_000 {
            let x = i as f32 * 1.2e-5;
            let exact = 0.5 * libm::erfc(-f64::from(x) * std::f64::consts::FRAC_1_SQRT_2);
            let error = (f64::from(normal(x)) - exact).abs();
            worst = worst.max(error);
            if (-6.0..0.0).contains(&x) {
                relative = relative.max(error / exact);
            }
        }
        assert!(worst < 2f64.powi(-21) && relative < 2f64.powi(-19), "{worst} {relative}");
        assert_eq!((normal(f32::NEG_INFINITY), normal(f32::INFINITY)), (0.0, 1.0));
        assert!(normal(f32::NAN).is_nan());
    }
}
