//! Identities and laws of the translations, without a sample but where it says so.

use ceas_mapping::embedding::{Code, CodePair, SpinWords};
use ceas_mapping::feed_forward::{
    Activation, entropy, minus_free_energy, minus_internal_energy, surrogate_error,
};
use ceas_mapping::norm::{DualAscent, SphericalSpin, hard_sphere};
use ceas_mapping::pbits::Noise;
use ceas_mapping::program::{Component, Decoder};
use ceas_sim::stream::{Purpose, Stream};

fn stream(block: u64) -> Stream {
    Stream::new(0, Purpose::Instance, 77, block)
}

fn grid() -> impl Iterator<Item = f64> {
    (-2400..=2400).map(|i| f64::from(i) / 200.0)
}

#[test]
fn softplus_less_silu_is_an_entropy() {
    for x in grid() {
        for b in [0.5, 1.0, 3.0] {
            let (f, u, s) = (minus_free_energy(x, b), minus_internal_energy(x, b), entropy(x, b));
            // F = U − S/b.
            assert!((f - u - s / b).abs() < 1e-12, "{x} {b}");
        }
        assert!((minus_internal_energy(x, 1.0) - x / (1.0 + (-x).exp())).abs() < 1e-12);
        assert!((minus_free_energy(x, 1.0) - x.exp().ln_1p()).abs() < 1e-12);
        assert!((Activation::Silu.value(x) - minus_internal_energy(x, 1.0)).abs() < 1e-15);
        assert!((Activation::Tanh.value(x) - x.tanh()).abs() < 1e-14);
        assert!((minus_internal_energy(x, 1e4) - x.max(0.0)).abs() < 1e-4, "relu as b grows");
    }
}

#[test]
fn gelu_needs_gaussian_noise_and_its_surrogates_are_off_by_this_much() {
    let largest = |f: &dyn Fn(f64) -> f64| grid().map(f).fold(0.0f64, |a, x| a.max(x.abs()));
    let tanh_gelu = largest(&|x| Activation::GeluTanh.value(x) - Activation::Gelu.value(x));
    assert!((tanh_gelu - 4.73e-4).abs() < 2e-6, "{tanh_gelu}");
    let (usual, at) = surrogate_error(Activation::SIGMOID_GELU);
    assert!((usual - 0.02033).abs() < 1e-5 && (at - 2.27).abs() < 0.01, "{usual} at {at}");
    let (best, _) = surrogate_error(Activation::MINIMAX_GELU);
    assert!((best - 0.01393).abs() < 1e-5, "{best}");
    for b in [1.75, 1.765, 1.782, 1.8] {
        assert!(surrogate_error(b).0 > best, "{b} is no better than the minimax");
    }
    let nearest = largest(&|x| Noise::NEAREST_GAUSSIAN.up(x) - Noise::Logistic.up(x));
    assert!((nearest - 0.009_49).abs() < 1e-5, "{nearest}");
}

#[test]
fn the_saddle_of_a_spherical_spin_is_a_layer_norm() {
    let mut instance = stream(0);
    let x: Vec<f64> = (0..48).map(|_| 0.3 + 0.8 * instance.normal()).collect();
    let d = x.len() as f64;
    let mean = x.iter().sum::<f64>() / d;
    let sigma = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / d).sqrt();
    let cold = SphericalSpin::saddle(&x, true, 0.0).unwrap();
    for (m, x) in cold.mean().iter().zip(&x) {
        assert!((m - (x - mean) / sigma).abs() < 1e-12);
    }
    let rms = (x.iter().map(|x| x * x).sum::<f64>() / d).sqrt();
    for (m, x) in SphericalSpin::saddle(&x, false, 0.0).unwrap().mean().iter().zip(&x) {
        assert!((m - x / rms).abs() < 1e-12);
    }
    for t in [1e-3, 0.1, 0.7, 5.0] {
        let warm = SphericalSpin::saddle(&x, true, t).unwrap();
        let m = warm.mean();
        // The two constraints hold exactly, and the saddle is a minimum of E − T S at fixed multipliers.
        assert!(m.iter().sum::<f64>().abs() < 1e-12);
        let square = m.iter().map(|m| m * m).sum::<f64>() / d + warm.variance();
        assert!((square - 1.0).abs() < 1e-12, "{square} at T = {t}");
        let shrink = m[0] / cold.mean()[0];
        assert!((shrink - 2.0 * sigma / (t + (t * t + 4.0 * sigma * sigma).sqrt())).abs() < 1e-12);
        if t <= 1e-3 {
            assert!((1.0 - shrink - t / (2.0 * sigma)).abs() < t * t, "first order in T");
        }
    }
    // ε and T = √ε agree as σ → 0 and differ elsewhere.
    let (epsilon, t) = (1e-2f64, 0.1f64);
    let ratio =
        |sigma: f64| (sigma * sigma + epsilon).sqrt() / (0.5 * (t + (t * t + 4.0 * sigma * sigma).sqrt()));
    assert!((ratio(1e-6) - 1.0).abs() < 1e-9 && (ratio(0.1) - 1.0).abs() > 0.1, "{}", ratio(0.1));
    // −∂E/∂y vanishes at the mean.
    let mut y = cold.mean();
    y[3] += 1e-4;
    assert!(cold.energy(&y) > cold.energy(&cold.mean()));
}

#[test]
fn feedback_finds_the_multipliers() {
    let mut instance = stream(1);
    for scale in [1e-3, 1.0, 40.0] {
        let x: Vec<f64> = (0..64).map(|_| scale * (0.5 + instance.normal())).collect();
        for centred in [true, false] {
            for t in [0.0, 0.2 * scale] {
                let exact = SphericalSpin::saddle(&x, centred, t).unwrap();
                for start in [0.1 * scale, 10.0 * scale] {
                    let ascent = DualAscent { centred, temperature: t, rate: 0.5 };
                    let found = ascent.run(&x, start, 1e-12, 500);
                    assert!(found.residual < 1e-12 && found.steps < 120, "{found:?}");
                    assert!((found.spin.mu / exact.mu - 1.0).abs() < 1e-10);
                    assert!((found.spin.lambda - exact.lambda).abs() < 1e-10 * scale);
                }
            }
        }
    }
    let x = [1.0, 2.0, 4.0];
    let hasty = DualAscent { centred: true, temperature: 0.0, rate: 0.5 }.run(&x, 1.0, 1e-12, 3);
    assert!(hasty.residual > 1e-6, "three steps are not enough, and it says so");
}

#[test]
fn a_hard_sphere_tends_to_the_soft_one() {
    let soft = |r: f64| 2.0 * r / (1.0 + (1.0 + 4.0 * r * r).sqrt());
    for (d, bound) in [(32, 3.2e-3), (384, 3e-4)] {
        let off = |r: f64| (hard_sphere(d, r * d as f64) - soft(r)).abs();
        let worst = [0.5, 1.0, 2.0, 5.0].into_iter().map(off).fold(0.0, f64::max);
        assert!(worst < bound * 2.0 && worst > bound * 0.5, "d = {d}: {worst}");
    }
    let across = [0.999_999e6, 1.000_001e6].map(|kappa| hard_sphere(32, kappa));
    assert!((across[1] - across[0] - 31.0 / 1e12).abs() < 1e-12 && hard_sphere(32, 1e300) == 1.0);
    assert_eq!(hard_sphere(32, -2.0), -hard_sphere(32, 2.0));
    // The values of the research page.
    for (d, r, value) in [(32, 0.5, 0.41687), (32, 1.0, 0.62284), (32, 50.0, 0.99036), (384, 5.0, 0.9052)] {
        assert!((hard_sphere(d, r * d as f64) - value).abs() < 1e-5);
    }
}

#[test]
fn words_are_off_by_a_step_squared_over_twelve() {
    for bits in [3, 6, 8] {
        let words = SpinWords::reaching(2.0, bits);
        let (mut squares, mut worst) = (0.0, 0.0f64);
        let points = 200_001;
        for i in 0..points {
            let x = -2.0 + 4.0 * f64::from(i) / f64::from(points - 1);
            let off = words.decode(&words.encode(x).collect::<Vec<_>>()) - x;
            squares += off * off;
            worst = worst.max(off.abs());
        }
        let ratio = squares / f64::from(points) / (words.step * words.step / 12.0);
        assert!((ratio - 1.0).abs() < 0.01 && worst <= 0.5 * words.step * (1.0 + 1e-9), "{ratio} {worst}");
        assert_eq!(words.decode(&words.encode(99.0).collect::<Vec<_>>()), 2.0, "beyond the range: its end");
    }
}

/// Sampled: 20 000 random planes for each of four angles, a binomial test at 6σ.
#[test]
fn random_planes_agree_with_probability_1_minus_theta_over_pi() {
    let m = 20_000;
    let code = Code::sim_hash(5, m, 3);
    for (i, theta) in [0.2, 0.9, 1.6, 2.7].into_iter().enumerate() {
        let a = vec![1.0, 0.0, 0.0, 0.0, 0.0];
        let mut b = vec![0.0; 5];
        (b[0], b[1 + i % 4]) = (libm::cos(theta), libm::sin(theta));
        let apart = code.encode(&a).iter().zip(code.encode(&b)).filter(|(a, b)| **a != *b).count();
        let p = theta / std::f64::consts::PI;
        let z = (apart as f64 - p * m as f64) / (p * (1.0 - p) * m as f64).sqrt();
        assert!(z.abs() < 6.0, "{z} σ at θ = {theta}");
        assert!((apart as f64 - 1.3 * p * m as f64).abs() > 6.0 * (p * (1.0 - p) * m as f64).sqrt());
    }
}

/// Sampled: 200 draws of the planes; a variance with a relative standard error of 10 %, at 5σ.
#[test]
fn the_score_of_two_codes_scatters_as_its_law_says() {
    let (q, k) = (vec![1.0, 2.0, -1.0], vec![0.5, 1.0, 1.5]);
    let dot: f64 = q.iter().zip(&k).map(|(q, k)| q * k).sum();
    let length = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let lengths = length(&q) * length(&k);
    let m = 400;
    let squares: f64 = (0..200)
        .map(|seed| {
            let pair = CodePair { code: Code::sim_hash(3, m, seed) };
            let program = pair.lower(&(q.clone(), k.clone())).unwrap();
            let mut sum = [0.0];
            program.decoder.read(&program.start, &mut sum);
            // The same number from the energy of the bonds.
            let apart = 0.5 * (1.0 + program.model.energy(&program.start) / m as f64);
            assert!((sum[0] - lengths * libm::cos(std::f64::consts::PI * apart)).abs() < 1e-9);
            (sum[0] - dot).powi(2)
        })
        .sum();
    let law = Code::score_error(lengths, libm::acos(dot / lengths), m);
    let ratio = squares / 200.0 / (law * law);
    assert!((ratio - 1.0).abs() < 0.5, "{ratio}");
}

#[test]
fn itq_quantises_better_than_the_principal_axes() {
    let mut instance = stream(2);
    let data: Vec<Vec<f64>> = (0..200)
        .map(|_| (0..8).map(|a| instance.normal() * if a < 2 { 3.0 } else { 1.0 }).collect())
        .collect();
    // How far the unit vectors of the code are from the data in direction: mean cos between sign(y) and y.
    let cosine = |rounds| {
        let code = Code::itq(&data, 8, rounds, false, 1).unwrap();
        let mut sum = 0.0;
        for a in &data[..50] {
            for b in &data[50..100] {
                let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                let length = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
                let (a, b) = (code.encode(a).into_iter().zip(code.encode(b)), length(a) * length(b));
                let agree = a.filter(|(a, b)| a == b).count() as f64;
                sum += (libm::cos(std::f64::consts::PI * (1.0 - agree / 8.0)) - dot / b).powi(2);
            }
        }
        (sum / 2500.0).sqrt()
    };
    assert!(cosine(50) < 1.02 * cosine(0), "{} {}", cosine(50), cosine(0));
    assert!(Code::itq(&data, 9, 1, false, 1).is_err() && Code::itq(&[], 1, 1, false, 1).is_err());
}
