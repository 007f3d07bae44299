//! Estimators on series whose answers are known.
//!
//! Each sampled check is |t| < 6.8 over at least 64 independent series, so a right estimator fails one check in 2·10⁸;
//! a *twin* beside each feeds the same check something wrong, and it must fail.

use ceas_sim::statistics::bootstrap::Bootstrap;
use ceas_sim::statistics::jackknife::jackknife;
use ceas_sim::statistics::{Accumulator, Autocorrelation, Estimate, Samples, binning};
use ceas_sim::stream::{Purpose, Stream};
use statrs::distribution::{ChiSquared, ContinuousCDF};

const REPLICAS: u64 = 64;
const BOUND: f64 = 6.8;
/// The false alarm rate of |t| < 6.8 with 63 degrees of freedom, for checks that have a law of their own.
const ALARM: f64 = 5e-9;

/// x_t = φ x_(t−1) + noise with unit variance of x, mean 3 and ρ(t) = φᵗ: τ_int = ½(1 + φ)/(1 − φ).
fn autoregressive(name: u64, replica: u64, phi: f64, length: usize) -> Vec<f64> {
    let mut stream = Stream::new(name, Purpose::Test, replica, 0);
    let step = (1.0 - phi * phi).sqrt();
    let mut x = stream.normal();
    (0..length)
        .map(|_| {
            x = phi * x + step * stream.normal();
            3.0 + x
        })
        .collect()
}

fn tau(phi: f64) -> f64 {
    0.5 * (1.0 + phi) / (1.0 - phi)
}

fn student(values: &[f64], expected: f64) -> f64 {
    Estimate::of_independent(values).sigmas_from(expected).abs()
}

#[test]
fn autocorrelation_time_of_an_autoregressive_series() {
    for (name, phi) in [(0, 0.0), (1, 0.5), (2, 0.9), (3, -0.4)] {
        let analyses: Vec<Autocorrelation> = (0..REPLICAS)
            .map(|r| Autocorrelation::of(&[&autoregressive(name, r, phi, 20_000)]).unwrap())
            .collect();
        let taus: Vec<f64> = analyses.iter().map(|a| a.tau_int.mean).collect();
        // The window cuts off e⁻⁶ of the tail, a bias of 0.25 % of τ, allowed for on top of the scatter.
        let measured = Estimate::of_independent(&taus);
        let off = ((measured.mean - tau(phi)).abs() - 0.0025 * tau(phi)).max(0.0) / measured.error;
        assert!(off < BOUND, "φ = {phi}: τ_int {measured:?} against {}", tau(phi));
        // Twin: the time of a φ larger by 0.05 is told apart.
        assert!(student(&taus, tau(phi + 0.05)) > BOUND, "φ = {phi}: no power");
        assert!(analyses.iter().all(|a| a.converged));
        let means: Vec<f64> = analyses.iter().map(|a| a.mean.mean).collect();
        assert!(student(&means, 3.0) < BOUND);
        let variances: Vec<f64> = analyses.iter().map(|a| a.variance).collect();
        assert!(student(&variances, 1.0) < BOUND, "φ = {phi}: variance");
    }
}

/// z = (mean − truth)/error is a unit normal if error bars are right: Σz² over R series is χ² with R degrees of freedom.
///
/// z² is too skewed for Student's t: with 256 of them |t| > 6.8 is not one in 2·10⁸ but nearer one in 10⁵. Hence the tail of χ² itself,
/// on either side.
#[test]
fn error_bars_are_calibrated() {
    const SERIES: u64 = 4 * REPLICAS;
    let p_value = |error: &dyn Fn(&[f64]) -> Estimate| -> f64 {
        let z = |r| error(&autoregressive(10, r, 0.9, 20_000)).sigmas_from(3.0);
        let sum: f64 = (0..SERIES).map(z).map(|z| z * z).sum();
        let law = ChiSquared::new(SERIES as f64).unwrap();
        2.0 * law.cdf(sum).min(law.sf(sum))
    };
    let windowed = p_value(&|x| Autocorrelation::of(&[x]).unwrap().mean);
    let binned = p_value(&|x| binning::estimate(x, 64).unwrap());
    let streamed = p_value(&|x| {
        let mut sum = Accumulator::default();
        x.iter().for_each(|&v| sum.push(v));
        sum.estimate().unwrap()
    });
    for (name, p) in [("window", windowed), ("blocks", binned), ("stream", streamed)] {
        assert!(p > ALARM, "{name}: p = {p:e}");
    }
    // Twins: errors that ignore autocorrelation are too small by √(2τ) = 4.4, and errors half as large again are noticed too.
    let naive = p_value(&Estimate::of_independent);
    assert!(naive < ALARM, "errors without τ look right: p = {naive:e}");
    let generous = p_value(&|x| {
        let Estimate { mean, error } = Autocorrelation::of(&[x]).unwrap().mean;
        Estimate { mean, error: 1.5 * error }
    });
    assert!(generous < ALARM, "errors half as large again look right: p = {generous:e}");
}

/// The scatter of τ over series is the error it quotes, up to the quarter by which Madras and Sokal's formula overshoots
/// (it takes W for W + ½ − τ); the scatter itself is known to 1/√(2 · 255) = 4.4 %.
#[test]
fn the_error_of_tau_is_calibrated() {
    const SERIES: u64 = 4 * REPLICAS;
    let taus: Vec<Estimate> = (0..SERIES)
        .map(|r| Autocorrelation::of(&[&autoregressive(11, r, 0.8, 20_000)]).unwrap().tau_int)
        .collect();
    let means: Vec<f64> = taus.iter().map(|t| t.mean).collect();
    let scatter = Estimate::of_independent(&means).error * (SERIES as f64).sqrt();
    let quoted = taus.iter().map(|t| t.error).sum::<f64>() / SERIES as f64;
    let calibrated = |ratio: f64| (1.0 / 1.6..1.25 * 1.6).contains(&ratio);
    assert!(calibrated(quoted / scatter), "quoted/scatter = {}", quoted / scatter);
    // Twin: √(2/n) τ, the error of a variance that forgets the window, is √(2W) = 7 times too small.
    assert!(!calibrated(tau(0.8) * (2.0f64 / 20_000.0).sqrt() / scatter));
}

#[test]
fn replicas_share_one_mean_and_one_correlation() {
    let series: Vec<Vec<f64>> = (0..8).map(|r| autoregressive(12, r, 0.7, 5_000)).collect();
    let views: Vec<&[f64]> = series.iter().map(Vec::as_slice).collect();
    let together = Autocorrelation::of(&views).unwrap();
    assert!((together.tau_int.mean - tau(0.7)).abs() < BOUND * together.tau_int.error);
    let alone = Autocorrelation::of(&views[..1]).unwrap();
    assert!(together.mean.error < alone.mean.error / 2.0);
}

#[test]
fn the_stream_of_numbers_knows_its_autocorrelation_time() {
    let taus: Vec<f64> = (0..REPLICAS)
        .map(|r| {
            let mut sum = Accumulator::default();
            autoregressive(15, r, 0.9, 1 << 14).into_iter().for_each(|x| sum.push(x));
            assert_eq!(sum.errors().len(), 10);
            sum.tau_int().unwrap()
        })
        .collect();
    // The largest of several noisy levels lies above the plateau; three in ten are allowed for it on top of the scatter.
    let measured = Estimate::of_independent(&taus);
    let agrees = |tau: f64| (measured.mean - tau).abs() < BOUND * measured.error + 0.3 * tau;
    assert!(agrees(tau(0.9)), "{measured:?} against {}", tau(0.9));
    assert!(!agrees(tau(0.95)) && !agrees(tau(0.8)), "no power: {measured:?}");
}

#[test]
fn a_constant_series_has_no_error_and_a_short_or_broken_one_is_refused() {
    let flat = Autocorrelation::of(&[&[2.0; 100]]).unwrap();
    assert_eq!((flat.mean.mean, flat.mean.error, flat.tau_int.mean), (2.0, 0.0, 0.5));
    assert!(Autocorrelation::of(&[]).is_err());
    assert!(Autocorrelation::of(&[&[1.0, 2.0, 3.0]]).is_err());
    assert!(Autocorrelation::of(&[&[1.0, f64::NAN, 3.0, 4.0]]).is_err());
    assert!(Samples::new(vec![[1.0]]).is_err());
    assert!(Samples::new(vec![[1.0], [f64::INFINITY]]).is_err());
    assert!(Accumulator::default().estimate().is_err());
    assert!(binning::block_means(&[1.0], 2).is_err() && binning::block_means(&[1.0], 0).is_err());
}

/// ⟨x⟩² of 16 unit normals about ½: the plain value is biased by 1/16, the jackknife is not, and its error is calibrated.
#[test]
fn jackknife_removes_the_bias_and_knows_its_error() {
    let rows = |r: u64| {
        let mut stream = Stream::new(13, Purpose::Test, r, 0);
        Samples::new((0..16).map(|_| [0.5 + stream.normal()]).collect()).unwrap()
    };
    let many = |f: &dyn Fn(u64) -> f64| (0..64 * REPLICAS).map(f).collect::<Vec<f64>>();
    let corrected = many(&|r| jackknife(&rows(r), |[x]| x * x).mean);
    let plain = many(&|r| rows(r).mean()[0].powi(2));
    assert!(student(&corrected, 0.25) < BOUND);
    assert!(student(&plain, 0.25) > BOUND, "the bias of 1/16 is not seen: no power");
    let z2 = many(&|r| jackknife(&rows(r), |[x]| *x).sigmas_from(0.5).powi(2));
    // z is Student's t with 15 degrees of freedom: ⟨z²⟩ = 15/13.
    assert!(student(&z2, 15.0 / 13.0) < BOUND);
    assert!(student(&z2, 15.0 / 13.0 * 0.8) > BOUND, "an error off by 10 % is not seen: no power");
}

#[test]
fn bootstrap_agrees_with_the_jackknife_on_a_smooth_function() {
    let mut stream = Stream::new(14, Purpose::Test, 0, 0);
    let rows = (0..32).map(|_| [4.0 + stream.normal(), stream.normal()]).collect();
    let samples = Samples::new(rows).unwrap();
    let f = |m: &[f64; 2]| m[1] / m[0];
    let exact = jackknife(&samples, f);
    let bootstrap = Bootstrap { resamples: 2000, seed: 14, replica: 0 };
    let resampled = bootstrap.run(32, |s| Some(f(&samples.resampled(s)))).unwrap();
    assert_eq!((resampled.values.len(), resampled.failed), (2000, 0));
    // 2000 resamples know an error to 1.6 %.
    assert!((resampled.error / exact.error - 1.0).abs() < 0.12, "{} {}", resampled.error, exact.error);
    // A resample is the same whether it is the only one or one of many.
    let short = Bootstrap { resamples: 10, ..bootstrap };
    let again = short.run(32, |s| Some(f(&samples.resampled(s)))).unwrap();
    assert_eq!(again.values[..], resampled.values[..10]);
    assert!(bootstrap.run(32, |s| (s.uniform() < 0.5).then_some(1.0)).is_err());
}
