//! η: how much of what comes out is signal, and when more samples stop helping.

/// η of a read-out: |o|²/(|o|² + V/S) = 1/(1 + ε²), ε the relative error of S independent samples. Between 0 and 1, no units.
///
/// The published η = I/(I + N) with I the signal and N the noise, both made definite: I = |o|², N = V/S.
///
/// ```
/// use ceas_mapping::diagnostics::efficiency::of_read_out;
/// assert_eq!(of_read_out(4.0, 100.0, 100), 0.8);
/// assert_eq!(of_read_out(0.0, 0.0, 10), 1.0); // nothing to say, and nothing wrong said
/// ```
pub fn of_read_out(signal: f64, variance: f64, samples: u64) -> f64 {
    let noise = if samples == 0 { f64::INFINITY } else { variance / samples as f64 };
    if noise == 0.0 { 1.0 } else { signal / (signal + noise) }
}

/// η as published: correct/(correct + wrong + 10⁻⁸). In the published code I and N are counts of right and wrong predictions, so that this is the
/// accuracy under another name, and has nothing to do with layers.
pub fn as_published(correct: u64, wrong: u64) -> f64 {
    correct as f64 / ((correct + wrong) as f64 + 1e-8)
}

/// dC/dt = η dI/dt − dN/dt of two observations `dt` apart, as published.
///
/// With I + N constant it is (1 + η) dI/dt: a rescaled slope of the accuracy. (The published code also reads the previous I before it is first
/// assigned.) In counts per unit of `dt`; `None` unless that is a positive number.
///
/// ```
/// use ceas_mapping::diagnostics::efficiency::coherence_slope;
/// assert!((coherence_slope((50, 50), (60, 40), 2.0).unwrap() - 1.6 * 5.0).abs() < 1e-8);
/// assert_eq!(coherence_slope((50, 50), (60, 40), 0.0), None);
/// ```
pub fn coherence_slope(before: (u64, u64), now: (u64, u64), dt: f64) -> Option<f64> {
    let change = |a: u64, b: u64| (b as f64 - a as f64) / dt;
    let slope = as_published(now.0, now.1) * change(before.0, now.0) - change(before.1, now.1);
    (dt > 0.0 && dt.is_finite()).then_some(slope)
}

/// Samples after which one more lowers the noise of the output by less than `tolerance`: −dN/dS = V/S² < tolerance, S = ⌈√(V/tolerance)⌉.
///
/// The same condition on a device is a stop rule in streaming: it needs V and the count only.
///
/// ```
/// use ceas_mapping::diagnostics::efficiency::enough_samples;
/// assert_eq!(enough_samples(100.0, 0.01), Some(100));
/// assert_eq!(enough_samples(100.0, 0.0), None);
/// ```
pub fn enough_samples(variance: f64, tolerance: f64) -> Option<u64> {
    let samples = libm::ceil(libm::sqrt(variance / tolerance));
    (tolerance > 0.0 && samples.is_finite() && samples < 9e18).then_some(samples.max(1.0) as u64)
}
