//! Diagnostics against what is known of them.

use ceas_mapping::attention::textbook_beta;
use ceas_mapping::criticality::Rows;
use ceas_mapping::diagnostics::allocation::Allocation;
use ceas_mapping::diagnostics::divergence::{Lambda, jensen_shannon};
use ceas_mapping::diagnostics::entropies::{coincidences, miller_madow, renyi, shannon, tsallis};
use ceas_mapping::diagnostics::genuineness::{Genuineness, Quadrant, ZScored, quadrant};
use ceas_mapping::diagnostics::production::EntropyProduction;
use ceas_mapping::diagnostics::token_cost::{TokenCost, Unigram};
use ceas_mapping::diagnostics::{curvature, diffusion, efficiency, torus};
use ceas_mapping::qkv;
use ceas_sim::beta::Beta;
use ceas_sim::stream::{Purpose, Stream};

#[test]
fn a_cluster_is_a_piece_of_a_sphere_in_every_field() {
    for states in [3usize, 4, 5, 8] {
        let mut stream = Stream::new(0, Purpose::Test, states as u64, 0);
        let weights: Vec<f64> = (0..states).map(|_| (2.0 * stream.normal()).exp()).collect();
        let features: Vec<Vec<f64>> =
            (0..states).map(|s| (1..states).map(|a| f64::from(u8::from(s == a))).collect()).collect();
        let r = curvature::of_states(&features, &weights).unwrap();
        let n = states as f64;
        assert!((r - (n - 1.0) * (n - 2.0) / 4.0).abs() < 1e-7, "{states}: {r}");
    }
    // Independent spins are flat; two equal functions have no metric.
    let spins: Vec<Vec<f64>> =
        (0..8).map(|s: u32| (0..3).map(|a| f64::from(s >> a & 1) * 2.0 - 1.0).collect()).collect();
    let weights: Vec<f64> = spins.iter().map(|s| (0.3 * s[0] - 0.2 * s[1] + 0.8 * s[2]).exp()).collect();
    assert!(curvature::of_states(&spins, &weights).unwrap().abs() < 1e-9);
    let twice: Vec<Vec<f64>> = spins.iter().map(|s| vec![s[0], s[0]]).collect();
    assert!(curvature::of_states(&twice, &weights).is_err());
}

#[test]
fn the_torus_bends_as_enumeration_says_and_more_with_size() {
    let beta_c = Beta::new(0.5 * (1.0 + 2f64.sqrt()).ln()).unwrap();
    let found: Vec<f64> = [3, 4, 5].map(|l| torus::curvature(l, beta_c).unwrap()).into();
    for (r, expected) in found.iter().zip([-105.642, -265.312]) {
        assert!((r - expected).abs() < 6e-4, "{r} for {expected}");
    }
    // By brute force at another β.
    let beta = Beta::new(0.3).unwrap();
    let states: Vec<Vec<f64>> = (0..512u32)
        .map(|s| {
            let spin = |r: usize, c: usize| f64::from(s >> (3 * (r % 3) + c % 3) & 1) * 2.0 - 1.0;
            (0..9)
                .flat_map(|i| {
                    let (r, c) = (i / 3, i % 3);
                    [spin(r, c) * spin(r, c + 1), spin(r, c) * spin(r + 1, c)]
                })
                .collect()
        })
        .collect();
    let weights: Vec<f64> = states.iter().map(|b| (0.3 * b.iter().sum::<f64>()).exp()).collect();
    let brute = curvature::of_states(&states, &weights).unwrap();
    let exact = torus::curvature(3, beta).unwrap();
    assert!((brute / exact - 1.0).abs() < 1e-7, "{brute} {exact}");
    // The exponent in n = L² falls towards 10/9 from 1.60 at 3 → 4.
    let exponent =
        |a: usize, b: usize| (found[b] / found[a]).ln() / (((b + 3) as f64 / (a + 3) as f64).powi(2)).ln();
    assert!((exponent(0, 1) - 1.60).abs() < 0.01);
    assert!(exponent(1, 2) < exponent(0, 1), "{}", exponent(1, 2));
    assert!(torus::curvature(2, beta).is_err() && torus::curvature(9, beta).is_err());
}

/// Jackknife errors of 16 replicas: Student's t of 15 degrees exceeds 10 with probability 5·10⁻⁸.
#[test]
fn the_sampled_torus_bends_as_the_exact_one() {
    let beta_c = 0.5 * (1.0 + 2f64.sqrt()).ln();
    let sample = |side: usize, beta: f64| {
        let effort = torus::Effort { replicas: 16, samples: 2500, interval: 5, seed: 0 };
        torus::sampled(side, Beta::new(beta).unwrap(), &effort, &|| ()).unwrap()
    };
    for (side, exact) in [(3, -105.642), (4, -265.312)] {
        let found = sample(side, beta_c);
        let sigmas = |r: f64| (r - exact).abs() / found.curvature.error;
        assert!(sigmas(found.curvature.mean) < 10.0, "{side}: {found:?}");
        assert!(found.curvature.error < 0.02 * exact.abs(), "{side}: {found:?}");
        assert!((0.25 * (found.full.mean - found.trace.mean) - found.curvature.mean).abs() < 1e-6);
        // The twin: the same estimator 5 % away in β.
        let twin = sample(side, 0.95 * beta_c).curvature;
        assert!(sigmas(twin.mean) > 10.0, "{side}: {twin:?} beside {found:?}");
    }
    let effort = torus::Effort { replicas: 3, samples: 10, interval: 1, seed: 0 };
    assert!(torus::sampled(4, Beta::new(0.4).unwrap(), &effort, &|| ()).is_err());
    assert!(
        torus::sampled(2, Beta::new(0.4).unwrap(), &torus::Effort { replicas: 4, ..effort }, &|| ()).is_err()
    );
    // One sample of each replica leaves the metric singular: an error, not NaN.
    let few = torus::Effort { replicas: 4, samples: 1, ..effort };
    assert!(torus::sampled(3, Beta::new(50.0).unwrap(), &few, &|| ()).is_err());
}

#[test]
fn entropies_meet_where_they_should() {
    let p = [0.4, 0.3, 0.2, 0.1, 0.0];
    for near in [1.0 - 1e-6, 1.0 + 1e-6] {
        assert!((renyi(&p, near) - shannon(&p)).abs() < 1e-5);
        assert!((tsallis(&p, near) - shannon(&p)).abs() < 1e-5);
    }
    assert!((tsallis(&p, 2.0) - 0.7).abs() < 1e-15);
    assert!(renyi(&p, 0.5) > shannon(&p) && shannon(&p) > renyi(&p, 2.0));
    // Coincidences are unbiased: all pairs of two draws, weighted by their law.
    let mean: f64 = (0..4)
        .flat_map(|a| (0..4).map(move |b| (a, b)))
        .map(|(a, b)| {
            let mut counts = [0u32; 4];
            counts[a] += 1;
            counts[b] += 1;
            p[a] * p[b] * coincidences(&counts).unwrap()
        })
        .sum();
    assert!((mean - p.iter().map(|p| p * p).sum::<f64>()).abs() < 1e-15);
    assert!(coincidences(&[1, 0]).is_none() && miller_madow(&[]) == 0.0);
    assert!((miller_madow(&[5, 5]) - 2f64.ln() - 0.05).abs() < 1e-15);
}

#[test]
fn efficiency_is_what_the_error_law_says_and_the_published_one_is_accuracy() {
    let (signal, variance) = (3.0, 7.0);
    for samples in [1u64, 10, 1000] {
        let square = variance / samples as f64 / signal;
        assert!((efficiency::of_read_out(signal, variance, samples) - 1.0 / (1.0 + square)).abs() < 1e-15);
    }
    assert_eq!(efficiency::of_read_out(1.0, 1.0, 0), 0.0);
    assert!((efficiency::as_published(3, 1) - 0.75).abs() < 1e-8);
    // With I + N constant, (1 + η) dI/dt.
    let slope = efficiency::coherence_slope((60, 40), (70, 30), 1.0).unwrap();
    assert!((slope - 1.7 * 10.0).abs() < 1e-6);
    let stop = efficiency::enough_samples(5.0, 1e-3).unwrap() as f64;
    assert!(5.0 / (stop * stop) <= 1e-3 && 5.0 / ((stop - 1.0) * (stop - 1.0)) > 1e-3);
}

#[test]
fn genuineness_streams_and_its_collapses_are_not_rare() {
    let mut stream = Stream::new(0, Purpose::Test, 7, 0);
    let noise: Vec<f64> = (0..20_000).map(|_| 4.0 + stream.normal()).collect();
    let mut genuine = Genuineness::default();
    let mut scored = ZScored::new(3.0, 1.0, 64.0).unwrap();
    for &bits in &noise {
        genuine.add(bits);
        scored.add(bits);
    }
    let mean = noise.iter().sum::<f64>() / noise.len() as f64;
    let variance = noise.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / noise.len() as f64;
    assert!((genuine.variance().unwrap() - variance).abs() < 1e-10);
    // P(N(0, 2) < −0.2) = 0.4438; 6.8 standard errors of a share of 20 000 dependent steps are below 0.03.
    assert!((genuine.collapse_rate().unwrap() - 0.4438).abs() < 0.03);
    // z < −3 of a Gaussian: 0.00135 of the steps, a little more for the window's own error.
    assert!(scored.events() > 5 && scored.events() < 120, "{}", scored.events());
    assert!(ZScored::new(1.0, 2.0, 8.0).is_none() && Genuineness::default().variance().is_none());
    assert_eq!(quadrant(2.0, 0.5, (1.0, 1.0)), Quadrant::MechanicalCommitted);
    assert_eq!(quadrant(0.5, 2.0, (1.0, 1.0)), Quadrant::GenuineDiffuse);
}

#[test]
fn token_cost_is_a_sum_and_an_average() {
    let unigram = Unigram::of("the text itself", [1, 1, 1, 2], 4);
    assert_eq!([unigram.surprisal(1), unigram.surprisal(2), unigram.surprisal(9)], [1.0, 2.0, 3.0]);
    let mut cost = TokenCost::default();
    assert!(cost.average().is_none());
    cost.add(&[0.5, 0.5], &[1.0, 3.0]);
    cost.add(&[1.0, 0.0], &[1.0, 3.0]);
    assert_eq!((cost.sum(), cost.average()), (3.0, Some(1.5)));
}

#[test]
fn entropy_is_produced_by_annealing_and_not_in_equilibrium() {
    // A random walk of energies at constant β telescopes.
    let mut stream = Stream::new(0, Purpose::Test, 3, 0);
    let energies: Vec<f64> = (0..1000).map(|_| stream.normal()).collect();
    let mut bath = EntropyProduction::default();
    energies.windows(2).for_each(|w| bath.step_of_energies(1.7, w[0], w[1]));
    assert!((bath.total() - 1.7 * (energies[0] - energies[999])).abs() < 1e-9);
    let mut rates = EntropyProduction::default();
    rates.step_of_rates(0.2, 0.1);
    rates.step_of_rates(0.2, 0.0);
    assert!((rates.total() - 2f64.ln()).abs() < 1e-15 && rates.irreversible() == 1);
    assert!(EntropyProduction::default().per_step().is_none());
}

#[test]
fn allocation_gains_on_real_rows_what_the_formula_says() {
    let set = qkv::read("../data/minilm_maxwell.safetensors".as_ref()).unwrap();
    let head = set.head(2, 7);
    let rows: Vec<_> = (0..set.n_queries())
        .map(|q| ceas_mapping::attention::Row::new(&head, q, textbook_beta(set.d_head())).unwrap())
        .collect();
    let variances: Vec<f64> = rows.iter().map(|row| row.variance).collect();
    let costs = vec![102.0; rows.len()];
    let plan = Allocation::new(&variances, &costs, 10_000).unwrap();
    let root: f64 = variances.iter().map(|v| v.sqrt()).sum();
    let ideal = variances.iter().sum::<f64>() * rows.len() as f64 / (root * root);
    assert!((plan.gain() / ideal - 1.0).abs() < 1e-3 && ideal > 1.0, "{} {ideal}", plan.gain());
    assert!(plan.samples.iter().sum::<u64>() <= 10_000 * rows.len() as u64);
    assert_eq!(Allocation::new(&[0.0, 0.0], &[1.0, 1.0], 5).unwrap().gain(), 1.0);
    for wrong in [
        Allocation::new(&[], &[], 1),
        Allocation::new(&[1.0], &[0.0], 1),
        Allocation::new(&[f64::NAN], &[1.0], 1),
    ] {
        assert!(wrong.is_err());
    }
}

#[test]
fn lambda_is_zero_for_the_same_model_and_diffusion_counts_clusters() {
    let rows = Rows::of_scores([[0.0, 1.0, 2.0]]).unwrap();
    let law = |b: f64| rows.spin(0).law(Beta::new(b).unwrap()).probabilities().to_vec();
    let mut same = Lambda::default();
    assert!(same.divergence().is_none());
    same.add((&law(1.0), 0.5), (&law(1.0), 0.5));
    assert_eq!((same.divergence(), same.gain_per_nat()), (Some(0.0), None));
    assert!(jensen_shannon(&law(0.1), &law(9.0)) < 2f64.ln());
    let three =
        ndarray::Array2::from_shape_fn((9, 2), |(i, a)| if a == 0 { 50.0 * (i / 3) as f64 } else { 0.0 });
    let entropy = diffusion::spectral_entropy(three.view(), 1.0, 1).unwrap();
    assert!((entropy - 3f64.ln()).abs() < 1e-9, "{entropy}");
    assert!(diffusion::spectral_entropy(three.view(), 0.0, 1).is_err());
}
