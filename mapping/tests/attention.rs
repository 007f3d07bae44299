//! Attention heads as spins: identities, laws of the error, parity between threads, frozen results.
//!
//! Sampled checks (14 in all) are t-tests over 64 replicas with |t| < 6.8, or compare with an error that the sampling itself
//! gives and a bound of 6.8 of it; each has a twin that must fail. They share 1e-6 per run with at most 200 others.

use std::num::NonZeroU32;

use ceas_mapping::attention::{
    Dynamics, Ensemble, HeadReport, HeadSample, Ramp, Row, Sampler, Sampling, Start, Summary, relax_head,
    sample_head, textbook_beta,
};
use ceas_mapping::heads::{HeadSet, Origin};
use ceas_mapping::qkv;
use ceas_sim::beta::Beta;
use ceas_sim::potts::PottsSpin;
use ceas_sim::statistics::Estimate;
use ceas_sim::stream::{Purpose, Stream};
use ndarray::{Array4, s};

const BUNDLED: &[u8] = include_bytes!("../../data/minilm_maxwell.safetensors");

fn bundled() -> HeadSet {
    qkv::from_bytes("bundled", BUNDLED).unwrap()
}

/// A few queries of one bundled head.
fn few(layer: usize, head: usize, queries: usize) -> HeadSet {
    let set = bundled();
    let [q, k, v] = set.tensors();
    let cut = |x: &Array4<f32>| x.slice(s![layer..=layer, head..=head, .., ..]).to_owned();
    let q = q.slice(s![layer..=layer, head..=head, ..queries, ..]).to_owned();
    HeadSet::new([q, cut(k), cut(v)], set.key_mask().to_vec(), false, Origin::default()).unwrap()
}

/// Normal queries, keys and values.
fn random(shape: (usize, usize, usize, usize), mask: Vec<bool>, causal: bool) -> HeadSet {
    let mut instance = Stream::new(0, Purpose::Instance, 0, 0);
    let mut draw = || Array4::from_shape_fn(shape, |_| instance.normal() as f32);
    HeadSet::new([draw(), draw(), draw()], mask, causal, Origin::default()).unwrap()
}

fn sampling(sampler: Sampler, samples: u32, seed: u64, beta: f64) -> Sampling {
    Sampling { beta: Beta::new(beta).unwrap(), samples: NonZeroU32::new(samples).unwrap(), sampler, seed }
}

fn chain(sweeps: u64, interval: u64) -> Sampler {
    Sampler::Metropolis(Dynamics { ramp: Ramp::Linear, from: Start::Fraction(0.0), sweeps, interval })
}

fn all_samplers() -> [Sampler; 4] {
    [Sampler::Race, Sampler::HeatBath, chain(30, 2), Sampler::Law]
}

fn textbook() -> f64 {
    textbook_beta(32).value()
}

#[test]
fn the_law_of_a_row_is_its_softmax() {
    let set = bundled();
    let head = set.head(3, 4);
    let row = Row::new(&head, 17, textbook_beta(32)).unwrap();
    let scores: Vec<f64> = (0..set.n_keys())
        .map(|j| head.q.row(17).iter().zip(head.k.row(j)).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum())
        .collect();
    let weights: Vec<f64> = scores.iter().map(|s: &f64| (textbook() * (s - scores[0])).exp()).collect();
    let z: f64 = weights.iter().sum();
    let mut output = vec![0.0; set.d_value()];
    for (j, w) in weights.iter().enumerate() {
        assert!((row.law.probabilities()[j] - w / z).abs() < 1e-14);
        output.iter_mut().zip(head.v.row(j)).for_each(|(o, &v)| *o += w / z * f64::from(v));
    }
    assert!(row.output.iter().zip(&output).all(|(a, b)| (a - b).abs() < 1e-12));
}

#[test]
fn the_free_energy_is_pushed_by_minus_the_mean_key() {
    let set = bundled();
    let head = set.head(2, 5);
    let (query, beta) = (40, textbook_beta(32));
    let free_energy = |dimension: usize, by: f64| {
        let shifted = |j: usize| -> f64 {
            let plain: f64 =
                head.q.row(query).iter().zip(head.k.row(j)).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
            plain + by * f64::from(head.k[[j, dimension]])
        };
        let fields: Vec<f64> = (0..set.n_keys()).map(shifted).collect();
        PottsSpin::new(&fields).unwrap().law(beta).free_energy()
    };
    let row = Row::new(&head, query, beta).unwrap();
    for dimension in [0, 9, 31] {
        let slope = (free_energy(dimension, 1e-4) - free_energy(dimension, -1e-4)) / 2e-4;
        let p = row.law.probabilities().iter().enumerate();
        let mean: f64 = p.map(|(j, p)| p * f64::from(head.k[[j, dimension]])).sum();
        assert!((slope + mean).abs() < 1e-6, "{slope} {mean}");
    }
}

/// Σ|ô − o|² over its expectation, with o and V at the law of `meant`.
fn against(sample: &HeadSample, set: &HeadSet, head: (usize, usize), meant: f64) -> (f64, f64, f64) {
    let s = f64::from(sample.sampling.samples.get());
    let mut sums = (0.0, 0.0, 0.0);
    for (query, row) in sample.rows.iter().enumerate() {
        let exact = Row::new(&set.head(head.0, head.1), query, Beta::new(meant).unwrap()).unwrap();
        let error: f64 = row.output.iter().zip(&exact.output).map(|(a, b)| (a - b).powi(2)).sum();
        let expected = exact.variance / s;
        let scale = exact.signal.max(1e-12);
        sums.0 += error / scale;
        sums.1 += expected / scale;
        sums.2 += ((error - expected) / scale).powi(2);
    }
    sums
}

#[test]
fn the_error_follows_v_over_s_within_two_percent() {
    let set = bundled();
    for (sampler, samples, layers) in
        [(Sampler::Law, 1000, 0..6), (Sampler::Race, 200, 2..4), (Sampler::HeatBath, 500, 2..4)]
    {
        let ratio = |sampled_at: f64| {
            let (mut measured, mut expected, mut squares) = (0.0, 0.0, 0.0);
            for layer in layers.clone() {
                for head in 0..12 {
                    let how = sampling(sampler, samples, 1, sampled_at);
                    let sample =
                        sample_head(&set.head(layer, head), (12 * layer + head) as u64, &how).unwrap();
                    let sums = against(&sample, &set, (layer, head), textbook());
                    measured += sums.0;
                    expected += sums.1;
                    squares += sums.2;
                }
            }
            Estimate { mean: measured / expected, error: squares.sqrt() / expected }
        };
        let right = ratio(textbook());
        assert!(right.error < 0.02, "{right:?}");
        assert!(right.sigmas_from(1.0).abs() < 6.8, "{}: {right:?}", sampler.name());
        let wrong = ratio(1.1 * textbook());
        assert!(wrong.sigmas_from(1.0) > 6.8, "{} at a wrong β goes unnoticed: {wrong:?}", sampler.name());
    }
}

#[test]
fn races_measure_ln_z_and_the_empirical_divergence_is_as_expected() {
    let set = bundled();
    let reports: Vec<HeadReport> = (0..12)
        .map(|head| {
            let how = sampling(Sampler::Race, 200, 3, textbook());
            HeadReport::new(1, head, &sample_head(&set.head(1, head), head as u64, &how).unwrap())
        })
        .collect();
    let summary = Summary::new(&reports);
    let z = summary.ln_z_deviation.unwrap();
    assert!((z.mean / z.error).abs() < 6.8, "{z:?}");
    // 1224 rows: the divergence of one row scatters by less than its mean.
    assert!(
        (summary.kl_over_expected - 1.0).abs() < 6.8 / 1224f64.sqrt() * 0.5,
        "{}",
        summary.kl_over_expected
    );
    let asymptotic: f64 =
        reports.iter().map(|r| r.kl_asymptotic).sum::<f64>() / reports.iter().map(|r| r.kl).sum::<f64>();
    assert!(asymptotic > 1.2, "rare keys are why (K − 1)/2S is not used: {asymptotic}");
}

#[test]
fn the_relaxation_of_chains_is_that_of_their_spectrum() {
    let set = few(0, 6, 6);
    let report = |seed: u64| {
        let how = sampling(chain(600, 1), 2_000, seed, textbook());
        HeadReport::new(0, 6, &sample_head(&set.head(0, 0), 0, &how).unwrap())
    };
    let reports: Vec<HeadReport> = (0..64).map(report).collect();
    let exact = reports[0].tau_int_exact;
    let taus: Vec<f64> = reports.iter().map(|r| r.tau_int).collect();
    let tau = Estimate::of_independent(&taus);
    // A window of 6 τ leaves out e⁻⁶ of a pure exponential; the modes of a row spread further.
    assert!((tau.mean / exact - 1.0).abs() < 6.8 * tau.error / exact + 0.03, "{tau:?} {exact}");
    assert!(tau.sigmas_from(1.5 * exact).abs() > 6.8, "a wrong τ goes unnoticed: {tau:?} {exact}");
    // And the error of the output is that of the exact τ of the values, not of independent draws.
    let ratios: Vec<f64> = reports.iter().map(|r| r.variance_ratio.mean).collect();
    let ratio = Estimate::of_independent(&ratios);
    assert!(ratio.sigmas_from(1.0).abs() < 6.8, "{ratio:?}");
    let naive: Vec<f64> = reports.iter().map(|r| r.variance_ratio.mean * 2.0 * r.tau_int_value).collect();
    assert!(Estimate::of_independent(&naive).sigmas_from(1.0) > 6.8, "ignoring τ goes unnoticed");
}

/// Heads whose rows differ in spread and τ by far: what is quoted for the pooled τ is its scatter over seeds, here over 64.
#[test]
fn the_error_of_a_pooled_tau_knows_that_rows_differ() {
    let (mut quoted, mut plain) = (0.0, 0.0);
    for head in [1, 3, 6, 7] {
        let set = few(0, head, 6);
        let reports: Vec<HeadReport> = (0..64)
            .map(|seed| {
                let sample =
                    sample_head(&set.head(0, 0), 0, &sampling(chain(600, 1), 2_000, seed, textbook()));
                HeadReport::new(0, head, &sample.unwrap())
            })
            .collect();
        let taus: Vec<f64> = reports.iter().map(|r| r.tau_int).collect();
        let scatter = Estimate::of_independent(&taus).error * 8.0;
        let error = reports.iter().map(|r| r.tau_int_error).sum::<f64>() / 64.0;
        // The window of Madras and Sokal, 6 τ, over all numbers as if of one series.
        let tau = Estimate::of_independent(&taus).mean;
        quoted += 0.25 * (error / scatter).ln();
        plain += 0.25 * (((4.0 * 6.0 * tau + 2.0) / 12_000.0).sqrt() * tau / scatter).ln();
    }
    // A scatter over 64 is known to 9 %, the mean logarithm of four ratios to 4.5 %; a formula that overshoots by a quarter has ln = 0.22.
    assert!((-0.31..0.22 + 0.31).contains(&quoted), "{quoted}");
    assert!(plain < -0.31, "as if all rows were alike: {plain}");
}

#[test]
fn annealed_chains_come_as_near_to_the_law_as_the_exact_evolution_says() {
    let set = few(2, 7, 5);
    let relax = |from: f64, sweeps: u64, chains: u16| {
        let dynamics = Dynamics { ramp: Ramp::Linear, from: Start::Fraction(from), sweeps, interval: 1 };
        let ensemble = Ensemble { chains, index: 0, seed: 4 };
        relax_head(&set.head(0, 0), textbook_beta(32), &dynamics, ensemble).unwrap()
    };
    let long = relax(0.1, 1500, 2_000);
    assert!(long.total_variation.windows(2).all(|pair| pair[1] <= pair[0] + 1e-12));
    assert_eq!(*long.lag.last().unwrap(), long.residual());
    // A ramp never dwells at β: its residual falls as its speed. A quench of the same length leaves far less.
    assert!((0.01..0.05).contains(&long.residual()), "{}", long.residual());
    assert!(relax(1.0, 1500, 0).residual() < 1e-3 * long.residual());
    let last = *long.measured.last().unwrap();
    assert!((last - long.floor).abs() < long.residual() + 6.8 * long.measured_error, "{last} {}", long.floor);
    // Far from the law the sampling floor hides nothing: measured and exact agree.
    assert!((long.measured[1] - long.total_variation[1]).abs() < long.floor + 6.8 * long.measured_error);
    let short = relax(0.1, 20, 2_000);
    let last = *short.measured.last().unwrap();
    assert!(last > short.floor + 6.8 * short.measured_error, "an unfinished anneal goes unnoticed");
    assert!((last - short.residual()).abs() < short.floor + 6.8 * short.measured_error);
}

#[test]
fn events_are_counted_one_by_one() {
    // 5 positions, the last padding; causal: rows see 1, 2, 3, 4, 4 keys.
    let set = random((1, 1, 5, 3), vec![true, true, true, true, false], true);
    let visible = [1u64, 2, 3, 4, 4];
    let states: u64 = visible.iter().sum();
    let bits: u64 = visible.iter().map(|n| [0, 0, 1, 2, 2][*n as usize]).sum();
    for sampler in all_samplers() {
        let activity = sample_head(&set.head(0, 0), 0, &sampling(sampler, 7, 1, 0.5)).unwrap().activity;
        if sampler == Sampler::Law {
            assert!(activity.counts().iter().all(|(_, count)| *count == 0));
            continue;
        }
        assert_eq!(activity.field_writes, states);
        assert_eq!(activity.coupler_reads, 3 * states);
        assert_eq!(activity.coupling_writes, 3 * 4, "padding is not programmed");
        assert_eq!(activity.read_outs, 7 * bits);
        assert_eq!(activity.decoder_adds, 5 * 7 * 3);
        match sampler {
            Sampler::Race => assert_eq!((activity.attempts, activity.flips), (7 * states, 5 * 7)),
            Sampler::HeatBath => {
                assert_eq!((activity.attempts, activity.random_bits), (7 * states, 64 * 5 * 7))
            }
            _ => assert_eq!(activity.attempts, 5 * (30 + 2 * 7)),
        }
    }
}

#[test]
fn threads_change_no_byte() {
    let set = random((1, 2, 23, 8), vec![true; 23], false);
    let run = |threads: usize| -> Vec<String> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            all_samplers()
                .iter()
                .map(|&sampler| {
                    let sample = sample_head(&set.head(0, 1), 1, &sampling(sampler, 50, 9, 0.4)).unwrap();
                    format!("{:?}", HeadReport::new(0, 1, &sample))
                        + &format!(
                            "{:?}",
                            sample.rows.iter().map(|r| (&r.counts, &r.output)).collect::<Vec<_>>()
                        )
                })
                .collect()
        })
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn frozen_counts_stay() {
    let set = random((1, 1, 19, 4), vec![true; 19], false);
    let hash = |sampler: Sampler| {
        let sample = sample_head(&set.head(0, 0), 5, &sampling(sampler, 300, 2, 0.5)).unwrap();
        let counts = sample.rows.iter().flat_map(|row| row.counts.iter());
        counts.fold(0xCBF2_9CE4_8422_2325u64, |h, &c| (h ^ u64::from(c)).wrapping_mul(0x100_0000_01B3))
    };
    let frozen = [11559321037665660087, 3218088801633076897, 6809109837019180391, 1835558457239631633];
    assert_eq!(all_samplers().map(hash), frozen);
}

#[test]
fn trained_heads_sit_near_the_peak_of_their_specific_heat() {
    let set = bundled();
    let reports: Vec<HeadReport> = (0..72)
        .map(|i| {
            let how = sampling(Sampler::Law, 1, 0, textbook());
            HeadReport::new(i / 12, i % 12, &sample_head(&set.head(i / 12, i % 12), i as u64, &how).unwrap())
        })
        .collect();
    let near = reports.iter().filter(|r| (r.beta / r.beta_peak).ln().abs() < 1.5f64.ln()).count();
    assert!((45..=60).contains(&near), "{near}");
    // The same shapes with random numbers of the spread of fresh weights are far above it.
    let fresh = random((1, 1, 102, 32), vec![true; 102], false);
    let [q, k, v] = fresh.tensors();
    let small = |x: &Array4<f32>| x.mapv(|x| 0.4 * x);
    let fresh =
        HeadSet::new([small(q), small(k), v.clone()], vec![true; 102], false, Origin::default()).unwrap();
    let how = sampling(Sampler::Law, 1, 0, textbook());
    let report = HeadReport::new(0, 0, &sample_head(&fresh.head(0, 0), 0, &how).unwrap());
    assert!(report.beta < 0.2 * report.beta_peak, "{} {}", report.beta, report.beta_peak);
}
