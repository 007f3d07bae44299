//! The exponential of a slice, without branches, so that the compiler can run it on all lanes at once.

/// x ↦ eˣ for x ≤ 0, in place; below −87 the result is 0 or the smallest normal number.
///
/// e^x = 2^k·e^r with k = round(x/ln 2) and |r| ≤ ½ ln 2; e^r by a polynomial of degree 6 (relative error below 2·10⁻⁷; Cody and Waite,
/// *Software Manual for the Elementary Functions*, 1980).
pub(super) fn exponentials(values: &mut [f32]) {
    for x in values {
        *x = exponential(*x);
    }
}

/// eˣ for x ≤ 0.
#[inline(always)]
pub(super) fn exponential(x: f32) -> f32 {
    /// 1.5·2²³: adding and subtracting it rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts, the first with few bits, so that k·LN2_HIGH is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.max(-87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    let p = 1.0 / 720.0;
    let p = p * r + 1.0 / 120.0;
    let p = p * r + 1.0 / 24.0;
    let p = p * r + 1.0 / 6.0;
    let p = p * r + 0.5;
    let p = p * r + 1.0;
    let p = p * r + 1.0;
    // The whole number k sits in the low bits of `shifted`.
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127);
    p * f32::from_bits(exponent << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_exponential_to_two_units_in_the_last_place() {
        let mut worst = 0.0f64;
        for i in 0..200_000 {
            let x = -(i as f32) * 86.5 / 200_000.0;
            worst = worst.max((f64::from(exponential(x)) / f64::from(x).exp() - 1.0).abs());
        }
        assert!(worst < 2.4e-7, "{worst}");
        assert_eq!(exponential(0.0), 1.0);
        assert!(exponential(f32::NEG_INFINITY) < 2e-38 && exponential(-1e30) >= 0.0);
    }
}
