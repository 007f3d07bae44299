//! The law of one Potts spin before and after sampling.
//!
//! Law tier: transition matrices built from the definitions of the updates leave p ∝ e^(βh) invariant and one at a wrong β does not; the
//! O(N) evolution is the matrix, and the closed spectrum is its spectrum. Sampled tier: 18 checks, each with a false alarm rate of
//! at most 5e-9 (χ² and Kolmogorov–Smirnov by their p-values, means by |t| < 6.8 over 64 replicas), of the at most 200 that
//! share 1e-6 per run. Each check has a twin at a wrong β that must fail.

use std::ops::ControlFlow;

use ceas_sim::beta::Beta;
use ceas_sim::plan::Plan;
use ceas_sim::potts::{
    Binomial, Distribution, HeatBath, LawUnderMetropolis, Metropolis, MetropolisSpectrum, Multinomial,
    PottsSpin, RACE_LANES, Race, uniform_state,
};
use ceas_sim::run::Run;
use ceas_sim::schedule::Schedule;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::update::Update;
use nalgebra::{DMatrix, DVector};
use statrs::distribution::{ChiSquared, ContinuousCDF, Discrete};

const ALARM: f64 = 5e-9;

fn beta(value: f64) -> Beta {
    Beta::new(value).unwrap()
}

/// Normal fields, with two equal ones and one absent state.
fn spin(states: usize, name: u64) -> PottsSpin {
    let mut instance = Stream::new(name, Purpose::Test, 0, 0);
    let mut fields: Vec<f64> = (0..states).map(|_| 3.0 * instance.normal()).collect();
    if states > 4 {
        fields[3] = fields[1];
        fields[2] = f64::NEG_INFINITY;
    }
    PottsSpin::new(&fields).unwrap()
}

/// The transition matrix of Metropolis between present states, from its definition.
fn metropolis_matrix(spin: &PottsSpin, b: f64) -> DMatrix<f64> {
    let labels: Vec<usize> = spin.ranked().collect();
    let n = labels.len();
    let mut matrix = DMatrix::zeros(n, n);
    for from in 0..n {
        for to in 0..n {
            if from != to {
                let difference = b * (spin.gap(labels[to]) - spin.gap(labels[from]));
                matrix[(from, to)] = difference.exp().min(1.0) / n as f64;
            }
        }
        matrix[(from, from)] = 1.0 - matrix.row(from).sum();
    }
    matrix
}

fn law(spin: &PottsSpin, b: f64) -> DVector<f64> {
    let law = spin.law(beta(b));
    DVector::from_iterator(spin.states(), spin.ranked().map(|label| law.probabilities()[label]))
}

#[test]
fn metropolis_leaves_the_law_invariant_and_no_other() {
    for states in [1, 2, 5, 8] {
        for b in [0.0, 0.3, 1.0, 5.0] {
            let spin = spin(states, 10);
            let matrix = metropolis_matrix(&spin, b);
            let p = law(&spin, b);
            assert!((matrix.tr_mul(&p) - &p).amax() < 1e-14);
            // At β = 5 the law is frozen, and every β looks like every other.
            if b > 0.0 && b < 2.0 && states > 1 {
                let wrong = law(&spin, 1.05 * b);
                assert!((matrix.tr_mul(&wrong) - &wrong).amax() > 1e-7, "a wrong β goes unnoticed");
            }
        }
    }
}

#[test]
fn evolving_the_law_is_multiplying_by_the_matrix() {
    for states in [1, 2, 6, 40] {
        for b in [0.0, 0.2, 2.0, 50.0] {
            let spin = spin(states, 11);
            let matrix = metropolis_matrix(&spin, b);
            let mut dense = DVector::from_element(spin.states(), 1.0 / spin.states() as f64);
            let nothing = Streams::new(0, Purpose::Test, 0, 1);
            let schedule = Schedule::Constant(beta(b));
            let start = Distribution::uniform(&spin);
            let mut run = Run::new(&spin, start, LawUnderMetropolis::default(), schedule, nothing);
            for _ in 0..30 {
                run.step();
                dense = matrix.tr_mul(&dense);
                let p = run.state().by_label(&spin);
                let error = spin
                    .ranked()
                    .zip(dense.iter())
                    .map(|(label, x)| (p[label] - x).abs())
                    .fold(0.0, f64::max);
                assert!(error < 1e-12, "{error}");
            }
        }
    }
}

#[test]
fn the_spectrum_is_that_of_the_matrix_and_its_tau_that_of_the_resolvent() {
    for states in [2, 6, 25] {
        for b in [0.0, 0.4, 1.5] {
            let spin = spin(states, 12);
            let matrix = metropolis_matrix(&spin, b);
            let p = law(&spin, b);
            let n = spin.states();
            let spectrum = MetropolisSpectrum::new(&spin, beta(b));
            // Detailed balance: √p M /√p is symmetric, with the same eigenvalues.
            let symmetric = DMatrix::from_fn(n, n, |i, j| matrix[(i, j)] * (p[i] / p[j]).sqrt());
            let mut dense: Vec<f64> = symmetric.symmetric_eigenvalues().iter().copied().collect();
            dense.sort_by(|x, y| y.total_cmp(x));
            assert!((dense[0] - 1.0).abs() < 1e-12);
            for (closed, dense) in spectrum.eigenvalues().iter().zip(&dense[1..]) {
                assert!((closed - dense).abs() < 1e-12, "{closed} {dense}");
            }
            // τ of f: ½ + Σ_t ⟨f, P^t f⟩/⟨f, f⟩ from the matrix, for two components at once.
            let labels: Vec<usize> = spin.ranked().collect();
            let value = |label: usize, c: usize| [label as f64, (label as f64).sin()][c];
            let power = spectrum.power(2, value);
            let (mut variance, mut sum, mut of_mean) = (0.0, 0.0, 0.0);
            for c in 0..2 {
                let f = DVector::from_iterator(n, labels.iter().map(|&label| value(label, c)));
                let centred = f.add_scalar(-f.dot(&p));
                let mut later = centred.clone();
                let overlap = |later: &DVector<f64>| centred.component_mul(&p).dot(later);
                variance += overlap(&later);
                of_mean += overlap(&later) / 20.0;
                for t in 1..4_000 {
                    later = &matrix * later;
                    sum += overlap(&later);
                    if t < 20 {
                        of_mean += 2.0 * (1.0 - f64::from(t) / 20.0) * overlap(&later) / 20.0;
                    }
                }
            }
            assert!((power.iter().sum::<f64>() / variance - 1.0).abs() < 1e-10);
            assert!((spectrum.tau_int(&power, 1) / (0.5 + sum / variance) - 1.0).abs() < 1e-9);
            assert!((spectrum.variance_of_mean(&power, 1, 20) / of_mean - 1.0).abs() < 1e-9);
        }
    }
}

#[test]
fn thermodynamics_agrees_with_its_derivatives() {
    let fields: Vec<f64> = (0..30).map(|j| 2.0 * f64::from(j * j % 17).sin() - 40.0).collect();
    let spin = PottsSpin::new(&fields).unwrap();
    let at = |b: f64| spin.law(beta(b));
    let (b, step) = (0.7, 1e-4);
    let (low, mid, high) = (at(b - step), at(b), at(b + step));
    let slope = |f: fn(&ceas_sim::potts::Law) -> f64| (f(&high) - f(&low)) / (2.0 * step);
    assert!((slope(|l| l.ln_z()) + mid.internal_energy()).abs() < 1e-6);
    assert!((slope(|l| l.entropy()) + b * mid.energy_variance()).abs() < 1e-6);
    assert!((slope(|l| l.entropy()) + mid.specific_heat() / b).abs() < 1e-6);
    assert!((mid.entropy() - b * (mid.internal_energy() - mid.free_energy())).abs() < 1e-12 * 40.0);
    // ∂F/∂h_j = −p_j.
    for state in [0, 7, 29] {
        let shifted = |by: f64| {
            let mut fields = fields.clone();
            fields[state] += by;
            PottsSpin::new(&fields).unwrap().law(beta(b)).free_energy()
        };
        let slope = (shifted(step) - shifted(-step)) / (2.0 * step);
        assert!((slope + mid.probabilities()[state]).abs() < 1e-6);
    }
}

#[test]
fn enormous_and_absent_fields_break_nothing() {
    let spin = PottsSpin::new(&[f64::MAX, f64::MIN, f64::NEG_INFINITY, 0.0]).unwrap();
    for b in [0.0, 1e-300, 1.0, f64::MAX] {
        let law = spin.law(beta(b));
        assert!((law.probabilities().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(law.entropy() >= 0.0 && law.probabilities()[2] == 0.0, "{}", law.entropy());
    }
    assert_eq!(PottsSpin::new(&[4.0]).unwrap().law(beta(2.0)).free_energy(), -4.0);
}

/// Counts of `draws` successive states of an update on one stream.
fn counts<U: Update<Model = PottsSpin, State = usize>>(
    spin: &PottsSpin,
    update: U,
    b: f64,
    plan: Plan,
    blocks: usize,
) -> Vec<u64> {
    let streams = Streams::new(1, Purpose::Test, 0, blocks);
    let start = spin.ranked().next().unwrap();
    let mut run = Run::new(spin, start, update, Schedule::Constant(beta(b)), streams);
    let mut counts = vec![0; spin.labels()];
    run.drive(&plan, |run| {
        counts[*run.state()] += 1;
        ControlFlow::Continue(())
    });
    counts
}

/// p-value of Pearson's χ² of counts against a law.
fn p_value(counts: &[u64], law: &[f64]) -> f64 {
    let total: u64 = counts.iter().sum();
    let cells: Vec<_> = counts.iter().zip(law).filter(|(_, p)| **p > 0.0).collect();
    assert!(cells.iter().all(|(_, p)| **p * total as f64 > 20.0), "too few expected for χ²");
    let chi: f64 =
        cells.iter().map(|(c, p)| (**c as f64 - **p * total as f64).powi(2) / (**p * total as f64)).sum();
    ChiSquared::new(cells.len() as f64 - 1.0).unwrap().sf(chi)
}

#[test]
fn a_million_draws_of_every_sampler_follow_the_law_and_not_that_of_a_wrong_beta() {
    let spin = spin(12, 13);
    let b = 0.6;
    let million = Plan { thermalization: 0, sweeps: 1_000_000, every: 1 };
    // The slowest mode of the chain has decayed to e⁻²⁰ between two looks: they count as independent.
    let slowest = MetropolisSpectrum::new(&spin, beta(b)).eigenvalues()[0];
    let every = (-20.0 / slowest.ln()).ceil() as u64;
    let chain = Plan { thermalization: every, sweeps: 200_000 * every, every };
    let mut multinomial = vec![0u32; spin.labels()];
    let mut stream = Stream::new(2, Purpose::Test, 0, 0);
    for _ in 0..1_000 {
        Multinomial::new(&spin, beta(b)).add(1_000, &mut multinomial, &mut stream);
    }
    let mut singly = vec![0u32; spin.labels()];
    for _ in 0..500_000 {
        Multinomial::new(&spin, beta(b)).add(2, &mut singly, &mut stream);
    }
    let wide = |counts: Vec<u32>| counts.into_iter().map(u64::from).collect::<Vec<u64>>();
    let samplers = [
        ("heat bath", counts(&spin, HeatBath::default(), b, million, 1)),
        ("race", counts(&spin, Race::default(), b, million, RACE_LANES)),
        ("race on one stream", counts(&spin, Race::default(), b, million, 1)),
        ("metropolis", counts(&spin, Metropolis, b, chain, 1)),
        ("multinomial", wide(multinomial)),
        ("multinomial, few at a time", wide(singly)),
    ];
    for (name, counts) in samplers {
        let right = p_value(&counts, spin.law(beta(b)).probabilities());
        assert!(right > ALARM, "{name}: p = {right:e}");
        let wrong = p_value(&counts, spin.law(beta(1.03 * b)).probabilities());
        assert!(wrong < ALARM, "{name} has no power: p = {wrong:e} at a wrong β");
    }
}

#[test]
fn binomial_counts_follow_their_law() {
    for (n, p) in [(20u64, 0.3f64), (200, 0.2), (1_000, 0.7), (1_000_000, 1e-5)] {
        let mut stream = Stream::new(3, Purpose::Test, n, 0);
        let draws = 200_000;
        let tally = |p: f64, stream: &mut Stream| {
            let mut seen = std::collections::BTreeMap::new();
            for _ in 0..draws {
                *seen.entry(Binomial { n, p }.draw(stream)).or_insert(0u64) += 1;
            }
            seen
        };
        // Cells of at least 20 expected counts, the ends joined.
        let mut cells: Vec<(u64, f64)> = Vec::new();
        let mut edge = 0.0;
        let oracle = statrs::distribution::Binomial::new(p, n).unwrap();
        let (mean, width) = (n as f64 * p, 12.0 * (n as f64 * p).sqrt());
        for k in (mean - width).max(0.0) as u64..=((mean + width) as u64).min(n) {
            edge += oracle.pmf(k);
            if edge * f64::from(draws) > 40.0 {
                cells.push((k, edge));
                edge = 0.0;
            }
        }
        let last = cells.len() - 1;
        cells[last].1 += edge;
        let binned = |seen: &std::collections::BTreeMap<u64, u64>| {
            let mut counts = vec![0; cells.len()];
            for (&k, &count) in seen {
                counts[cells.iter().position(|cell| k <= cell.0).unwrap_or(last)] += count;
            }
            counts
        };
        let masses: Vec<f64> = cells.iter().map(|cell| cell.1).collect();
        assert!((masses.iter().sum::<f64>() - 1.0).abs() < 1e-8);
        let right = p_value(&binned(&tally(p, &mut stream)), &masses);
        let wrong = p_value(&binned(&tally(p * 1.05, &mut stream)), &masses);
        assert!(right > ALARM && wrong < ALARM, "n = {n}, p = {p}: {right:e}, {wrong:e}");
    }
}

/// Kolmogorov–Smirnov p-value of times against Exp(z), by its asymptotic series.
fn exponential_p_value(times: &mut [f64], z: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    let n = times.len() as f64;
    let distance = times.iter().enumerate().fold(0.0f64, |worst, (i, t)| {
        let cdf = 1.0 - (-z * t).exp();
        worst.max(cdf - i as f64 / n).max((i + 1) as f64 / n - cdf)
    });
    let x = distance * (n.sqrt() + 0.12 + 0.11 / n.sqrt());
    (1..100).map(f64::from).map(|k| 2.0 * (-1f64).powi(k as i32 - 1) * (-2.0 * k * k * x * x).exp()).sum()
}

#[test]
fn the_winning_time_is_exponential_and_independent_of_the_winner() {
    let spin = spin(9, 14);
    let b = 0.5;
    let z = (spin.law(beta(b)).ln_z() - b * spin.highest()).exp();
    let streams = Streams::new(4, Purpose::Test, 0, RACE_LANES);
    let mut run = Run::new(&spin, 0, Race::default(), Schedule::Constant(beta(b)), streams);
    let mut races = Vec::new();
    run.drive(&Plan { thermalization: 0, sweeps: 300_000, every: 1 }, |run| {
        races.push((*run.state(), run.update().last_time()));
        ControlFlow::Continue(())
    });
    let mut times: Vec<f64> = races.iter().map(|race| race.1).collect();
    assert!(exponential_p_value(&mut times, z) > ALARM);
    assert!(exponential_p_value(&mut times, 1.03 * z) < ALARM, "a wrong rate goes unnoticed");
    // Early and late halves of the races have the same winners.
    let median = 2f64.ln() / z;
    let p = spin.law(beta(b));
    let winners = |late: bool| {
        let mut counts = vec![0u64; spin.labels()];
        races.iter().filter(|race| (race.1 > median) == late).for_each(|race| counts[race.0] += 1);
        counts
    };
    assert!(p_value(&winners(false), p.probabilities()) > ALARM);
    assert!(p_value(&winners(true), p.probabilities()) > ALARM);
    let estimate = run.update().partition(&spin, beta(b)).unwrap();
    assert!((estimate.ln_z - p.ln_z()).abs() < 6.0 * estimate.error);
    assert!((estimate.ln_z - spin.law(beta(1.1 * b)).ln_z()).abs() > 6.0 * estimate.error);
}

#[test]
fn the_partition_estimate_has_no_bias_and_the_error_it_says() {
    let spin = spin(7, 15);
    let b = 0.8;
    // 40 races each: a bias of 1/(2S) in ln Z would be 5 standard errors over 64 × 64 estimates. Three races, where the logarithm is
    // most skewed, would show an error or a bias known only for many.
    for (name, races) in [(5, 40), (6, 3)] {
        let (mut sum, mut squares, count) = (0.0, 0.0, 64 * 64);
        for replica in 0..count {
            let streams = Streams::new(name, Purpose::Test, replica, RACE_LANES);
            let mut run = Run::new(&spin, 0, Race::default(), Schedule::Constant(beta(b)), streams);
            run.drive(&Plan { thermalization: 0, sweeps: races, every: 1 }, |_| ControlFlow::Continue(()));
            let estimate = run.update().partition(&spin, beta(b)).unwrap();
            let z = (estimate.ln_z - spin.law(beta(b)).ln_z()) / estimate.error;
            sum += z;
            squares += z * z;
        }
        let n = count as f64;
        assert!((sum / n.sqrt()).abs() < 6.0, "{races} races: bias {}", sum / n);
        // The logarithm of a Gamma(S) variable has an excess kurtosis of about 2/S.
        let spread = ((2.0 + 2.0 / races as f64) / n).sqrt();
        assert!((squares / n - 1.0).abs() < 6.0 * spread + 0.02, "{races} races: {}", squares / n);
    }
}

#[test]
fn the_measured_relaxation_of_a_chain_is_that_of_its_spectrum() {
    let spin = spin(10, 16);
    let b = 0.7;
    let spectrum = MetropolisSpectrum::new(&spin, beta(b));
    let exact = spectrum.tau_int(&spectrum.power(1, |label, _| spin.gap(label)), 1);
    let taus: Vec<f64> = (0..64)
        .map(|replica| {
            let start = uniform_state(&spin, &mut Stream::new(6, Purpose::Test, replica, 1));
            let streams = Streams::new(6, Purpose::Test, replica, 1);
            let mut run = Run::new(&spin, start, Metropolis, Schedule::Constant(beta(b)), streams);
            let mut scores = Vec::new();
            run.drive(&Plan { thermalization: 500, sweeps: 20_000, every: 1 }, |run| {
                scores.push(spin.gap(*run.state()));
                ControlFlow::Continue(())
            });
            ceas_sim::statistics::Autocorrelation::of(&[&scores]).unwrap().tau_int.mean
        })
        .collect();
    let estimate = ceas_sim::statistics::Estimate::of_independent(&taus);
    assert!(estimate.sigmas_from(exact).abs() < 6.8, "{estimate:?} {exact}");
    let wrong = MetropolisSpectrum::new(&spin, beta(1.1 * b));
    let wrong = wrong.tau_int(&wrong.power(1, |label, _| spin.gap(label)), 1);
    assert!(estimate.sigmas_from(wrong).abs() > 6.8, "a wrong β goes unnoticed: {estimate:?} {wrong}");
}
