//! The law of the dynamics in continuous time: its rate matrix, its relaxation, its first passages, its integrals.
//!
//! Sampled: 12 checks by t-tests over 64 replicas with |t| < 6.8, of the at most 200 that share 1e-6 per CI run.

mod chains;

use ceas_sim::beta::Beta;
use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::Topology;
use ceas_sim::update::{Kinetic, Rule, Update};
use chains::*;
use nalgebra::DVector;

const RULES: [Rule; 2] = [Rule::Metropolis, Rule::HeatBath];

/// Q(s → s') of single flips at rate p(β, ΔE), rows summing to zero.
fn rate_matrix(model: &Hamiltonian, rule: Rule, b: Beta) -> Matrix {
    let n = model.n_sites();
    let mut q = Matrix::zeros(1 << n, 1 << n);
    for state in 0..1usize << n {
        for site in 0..n {
            let rate = rule.flip_probability(b, model.delta_e(&spins(n, state), site));
            q[(state, state ^ 1 << site)] = rate;
            q[(state, state)] -= rate;
        }
    }
    q
}

#[test]
fn the_boltzmann_law_is_stationary_and_in_detailed_balance() {
    for rule in RULES {
        for b in [0.0, 0.3, 1.0] {
            for model in graphs(true).into_iter().chain(graphs(false)) {
                let q = rate_matrix(&model, rule, beta(b));
                let pi = boltzmann(&model, beta(b));
                assert!((q.transpose() * &pi).amax() < 1e-12, "{model}, β = {b}");
                assert!(detailed_imbalance(&pi, &q) < 1e-12, "{model}, β = {b}");
                let relaxed = q.clone().exp();
                assert!(imbalance(&pi, &relaxed) < 1e-12, "{model}, β = {b}");
                // The twin.
                let off = boltzmann(&model, beta(1.01 * b + 0.01));
                let free = model.uniform() == Some((0.0, 0.0));
                assert!(free || (q.transpose() * &off).amax() > 1e-6, "{model}, β = {b}");
            }
        }
    }
}

/// N attempts per unit of time at random sites, accepted with p: the same dynamics with its rejections.
#[test]
fn it_is_the_chain_of_random_attempts_at_poissonian_times() {
    for rule in RULES {
        for model in graphs(true) {
            let n = model.n_sites() as f64;
            let q = rate_matrix(&model, rule, beta(0.7));
            let attempt = Matrix::identity(q.nrows(), q.ncols()) + &q / n;
            assert!(attempt.iter().all(|&p| p >= -1e-15));
            // e^(Qt) = Σ_k e^(−Nt) (Nt)^k/k! P^k
            let (mut term, mut sum) = (Matrix::identity(q.nrows(), q.ncols()) * (-n).exp(), q.clone() * 0.0);
            for k in 1..80 {
                sum += &term;
                term = &term * &attempt * (n / f64::from(k));
            }
            assert!((sum - q.exp()).amax() < 1e-12, "{model}");
        }
    }
}

fn cases() -> Vec<(Hamiltonian, Rule)> {
    vec![
        (random_model(Topology::complete(5).unwrap(), 12, true), Rule::Metropolis),
        (uniform(Topology::ring(6).unwrap(), 1.0, 0.3), Rule::HeatBath),
    ]
}

/// t of real sweeps of one and of three units of time against e^(Qt) at `factor` times their β.
fn relaxation(factor: f64) -> Vec<[f64; 2]> {
    let b = beta(0.5);
    let mut all = Vec::new();
    for (model, rule) in cases() {
        let q = rate_matrix(&model, rule, beta(factor * b.value()));
        let n = model.n_sites();
        for sweeps in [1, 3] {
            let matrix = (&q * sweeps as f64).exp();
            let mut update = Kinetic::new(&model, rule).unwrap();
            let states = (|state| spins(n, state), number);
            all.push(sweeps_against(&model, &mut update, (b, sweeps), ((1 << n) - 1, &matrix), states));
        }
    }
    all
}

#[test]
fn sweeps_relax_as_the_exponential_of_the_rate_matrix() {
    for t in relaxation(1.0) {
        assert!(t.iter().all(|t| t.abs() < 6.8), "t = {t:?}");
    }
}

/// The power twin.
#[test]
fn sweeps_do_not_relax_as_at_another_beta() {
    for t in relaxation(1.5) {
        assert!(t.iter().any(|t| t.abs() > 6.8), "t = {t:?}");
    }
}

/// t of the mean time from all up to all down, against the solution of −Qτ = 1 away from the goal.
fn first_passages(factor: f64) -> Vec<f64> {
    let b = beta(0.4);
    let mut all = Vec::new();
    for (model, rule) in cases() {
        let n = model.n_sites();
        let q = rate_matrix(&model, rule, beta(factor * b.value()));
        // Configuration 0 is the goal; the last one is the start.
        let last = (1 << n) - 1;
        let away = -q.view((1, 1), (last, last));
        let tau = away.lu().solve(&DVector::from_element(last, 1.0)).unwrap();
        let passage = |stream: &mut Stream, dynamics: &mut Kinetic<'_>| {
            let mut state = spins(n, last);
            let mut time = 0.0;
            while number(&state) != 0 {
                time += dynamics.next_event(&mut state, b, stream).unwrap().waited;
            }
            time
        };
        let means: Vec<f64> = (0..64)
            .map(|replica| {
                let mut stream = Stream::new(1, Purpose::Test, replica, 0);
                let mut dynamics = Kinetic::new(&model, rule).unwrap();
                let total: f64 = (0..300).map(|_| passage(&mut stream, &mut dynamics)).sum();
                assert!((dynamics.integrals().time - total).abs() < 1e-6 * total);
                total / 300.0
            })
            .collect();
        all.push(student(&means, tau[last - 1]));
    }
    all
}

#[test]
fn first_passage_times_are_those_of_the_rate_matrix() {
    assert!(first_passages(1.0).iter().all(|t| t.abs() < 6.8), "{:?}", first_passages(1.0));
}

/// The power twin.
#[test]
fn first_passage_times_tell_another_beta() {
    assert!(first_passages(1.5).iter().all(|t| t.abs() > 6.8), "{:?}", first_passages(1.5));
}

/// t of ∫₀¹ E dt from a fixed start, against ∫₀¹ e^(Qt) E dt: the upper right corner of the exponential of [Q E; 0 0].
fn integrals(factor: f64) -> Vec<f64> {
    let b = beta(0.5);
    let mut all = Vec::new();
    for (model, rule) in cases() {
        let n = model.n_sites();
        let size = 1 << n;
        let mut bordered =
            rate_matrix(&model, rule, beta(factor * b.value())).resize(size + 1, size + 1, 0.0);
        for state in 0..size {
            bordered[(state, size)] = model.energy(&spins(n, state));
        }
        let start = 0b1101;
        let expected = bordered.exp()[(start, size)];
        let means: Vec<f64> = (0..64)
            .map(|replica| {
                let streams = &mut Streams::new(2, Purpose::Test, replica, 1);
                let mut dynamics = Kinetic::new(&model, rule).unwrap();
                for _ in 0..2_000 {
                    dynamics.sweep(&model, &mut spins(n, start), b, streams);
                }
                let seen = dynamics.integrals();
                assert!((seen.time - 2_000.0).abs() < 1e-6);
                seen.means().energy
            })
            .collect();
        all.push(student(&means, expected));
    }
    all
}

#[test]
fn integrals_over_time_are_those_of_the_rate_matrix() {
    assert!(integrals(1.0).iter().all(|t| t.abs() < 6.8), "{:?}", integrals(1.0));
}

/// The power twin.
#[test]
fn integrals_over_time_tell_another_beta() {
    assert!(integrals(1.5).iter().all(|t| t.abs() > 6.8), "{:?}", integrals(1.5));
}

#[test]
fn a_frozen_configuration_lets_time_pass() {
    // e^(−βΔE) underflows to 0: the ground state never moves again.
    let model = uniform(Topology::ring(6).unwrap(), 1.0, 0.0);
    let mut dynamics = Kinetic::new(&model, Rule::Metropolis).unwrap();
    let mut state = spins(6, 63);
    let streams = &mut Streams::new(0, Purpose::Test, 0, 1);
    assert_eq!(dynamics.next_event(&mut state, beta(1e6), streams.first()), None);
    let counted = dynamics.sweep(&model, &mut state, beta(1e6), streams);
    assert_eq!((counted.attempts, counted.flips, dynamics.integrals().time), (6, 0, 1.0));
}
