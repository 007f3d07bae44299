//! The law before the sample: transition matrices of whole sweeps, built from the updates' own acceptance probabilities, leave
//! π ∝ e^(−βH) invariant; a matrix at a wrong β does not; and the real sweeps follow these matrices.
//!
//! The last part is sampled: 16 checks by t-tests over 64 replicas with |t| < 6.8, of the at most 200 that share 1e-6 per CI run.

use ceas_sim::beta::Beta;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::kernel::{Order, threshold};
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::Topology;
use ceas_sim::update::{HeatBath, Metropolis, Update, Wolff};
use ceas_sim::{Error, kernel};

type Matrix = Vec<Vec<f64>>;
type Rule = fn(Beta, f64) -> f64;

fn beta(value: f64) -> Beta {
    Beta::new(value).unwrap()
}

/// Configuration number `state`: spin i is up where bit i is set.
fn spins(n: usize, state: usize) -> Spins {
    Spins::from_values((0..n).map(|i| 2 * (state >> i & 1) as i8 - 1).collect()).unwrap()
}

fn number(spins: &Spins) -> usize {
    spins.as_slice().iter().enumerate().map(|(i, &s)| usize::from(s == 1) << i).sum()
}

fn boltzmann(model: &Hamiltonian, beta: Beta) -> Vec<f64> {
    let n = model.n_sites();
    let weights: Vec<f64> =
        (0..1 << n).map(|state| (-beta.value() * model.energy(&spins(n, state))).exp()).collect();
    let z: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / z).collect()
}

/// The sites in the order of a sweep.
fn visits(model: &Hamiltonian, order: Order) -> Vec<usize> {
    let sites = 0..model.n_sites();
    match order {
        Order::Index => sites.collect(),
        Order::Checkerboard => {
            let coloring = model.topology().coloring().unwrap();
            let (mut first, second): (Vec<_>, Vec<_>) = sites.partition(|&site| coloring.color(site) == 0);
            first.extend(second);
            first
        }
    }
}

/// P(s → s') of a sweep of single-spin attempts.
fn local_matrix(model: &Hamiltonian, rule: Rule, beta: Beta, order: Order) -> Matrix {
    let n = model.n_sites();
    let mut matrix: Matrix = (0..1 << n).map(|i| (0..1 << n).map(|j| f64::from(i == j)).collect()).collect();
    for site in visits(model, order) {
        let flip: Vec<f64> =
            (0..1 << n).map(|state| rule(beta, model.delta_e(&spins(n, state), site))).collect();
        for row in &mut matrix {
            *row = (0..1 << n)
                .map(|to| row[to] * (1.0 - flip[to]) + row[to ^ 1 << site] * flip[to ^ 1 << site])
                .collect();
        }
    }
    matrix
}

/// P(s → s') of one Wolff cluster: a sum over seeds and over which satisfied bonds are followed.
fn cluster_matrix(model: &Hamiltonian, beta: Beta) -> Matrix {
    let n = model.n_sites();
    let bonds: Vec<_> = model.topology().bonds().collect();
    let mut matrix = vec![vec![0.0; 1 << n]; 1 << n];
    for (state, row) in matrix.iter_mut().enumerate() {
        let s = spins(n, state);
        for followed in 0..1usize << bonds.len() {
            let mut weight = 1.0;
            let mut root: Vec<usize> = (0..n).collect();
            for (number, &(a, b)) in bonds.iter().enumerate() {
                let satisfaction = model.coupling_at(number) * f64::from(s.get(a) * s.get(b));
                let p = Wolff::bond_probability(beta, satisfaction);
                if followed >> number & 1 == 1 {
                    weight *= p;
                    let (from, to) = (root[a], root[b]);
                    root.iter_mut().filter(|r| **r == from).for_each(|r| *r = to);
                } else {
                    weight *= 1.0 - p;
                }
            }
            if weight > 0.0 {
                for seed in 0..n {
                    let cluster: usize = (0..n).filter(|&i| root[i] == root[seed]).map(|i| 1 << i).sum();
                    row[state ^ cluster] += weight / n as f64;
                }
            }
        }
    }
    matrix
}

fn times(a: &Matrix, b: &Matrix) -> Matrix {
    let columns = b[0].len();
    let entry = |row: &Vec<f64>, j: usize| row.iter().zip(b).map(|(x, from)| x * from[j]).sum();
    a.iter().map(|row| (0..columns).map(|j| entry(row, j)).collect()).collect()
}

/// max_j |(πP)_j − π_j|.
fn imbalance(pi: &[f64], matrix: &Matrix) -> f64 {
    let after = times(&vec![pi.to_vec()], matrix);
    pi.iter().zip(&after[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// max_ij |π_i P_ij − π_j P_ji|.
fn detailed_imbalance(pi: &[f64], matrix: &Matrix) -> f64 {
    let pairs = (0..pi.len()).flat_map(|i| (0..pi.len()).map(move |j| (i, j)));
    pairs.map(|(i, j)| (pi[i] * matrix[i][j] - pi[j] * matrix[j][i]).abs()).fold(0.0, f64::max)
}

fn assert_stochastic(matrix: &Matrix) {
    for row in matrix {
        assert!(row.iter().all(|&p| p >= 0.0));
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

fn random_model(topology: Topology, name: u64, in_field: bool) -> Hamiltonian {
    let mut stream = Stream::new(name, Purpose::Test, 0, 0);
    let couplings = (0..topology.n_bonds()).map(|_| stream.normal()).collect();
    let field = if in_field {
        Field::PerSite((0..topology.n_sites()).map(|_| stream.normal()).collect())
    } else {
        Field::Zero
    };
    Hamiltonian::new(topology, Couplings::PerBond(couplings), field).unwrap()
}

fn uniform(topology: Topology, j: f64, h: f64) -> Hamiltonian {
    Hamiltonian::new(topology, Couplings::Uniform(j), Field::Uniform(h)).unwrap()
}

/// Lattices that have a checkerboard, with and without fields.
fn lattices() -> Vec<Hamiltonian> {
    vec![
        uniform(Topology::square(2).unwrap(), 1.0, 0.0),
        uniform(Topology::square(2).unwrap(), -0.6, 0.4),
        uniform(Topology::ring(6).unwrap(), 1.0, -0.3),
        random_model(Topology::square(2).unwrap(), 0, true),
        random_model(Topology::ring(8).unwrap(), 1, true),
        random_model(Topology::open_chain(7).unwrap(), 2, true),
    ]
}

/// Graphs of every kind.
fn graphs(in_field: bool) -> Vec<Hamiltonian> {
    let wheel = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (5, 0), (5, 1), (5, 2), (5, 3)];
    vec![
        random_model(Topology::ring(2).unwrap(), 3, in_field),
        random_model(Topology::ring(5).unwrap(), 4, in_field),
        random_model(Topology::complete(5).unwrap(), 5, in_field),
        random_model(Topology::square(2).unwrap(), 6, in_field),
        random_model(Topology::from_bonds(6, &wheel).unwrap(), 7, in_field),
        uniform(Topology::complete(4).unwrap(), -1.0, if in_field { 0.2 } else { 0.0 }),
        uniform(Topology::open_chain(6).unwrap(), 1.0, if in_field { -0.7 } else { 0.0 }),
    ]
}

fn rules() -> [Rule; 2] {
    [Metropolis::flip_probability, HeatBath::flip_probability]
}

#[test]
fn single_spin_sweeps_leave_the_boltzmann_law_invariant() {
    for rule in rules() {
        for b in [0.0, 0.2, 0.7, 2.0] {
            let both = [(graphs(true), Order::Index), (lattices(), Order::Checkerboard)];
            for (models, order) in both {
                for model in models {
                    let matrix = local_matrix(&model, rule, beta(b), order);
                    assert_stochastic(&matrix);
                    assert!(imbalance(&boltzmann(&model, beta(b)), &matrix) < 1e-12, "{model}, β = {b}");
                }
            }
        }
    }
}

#[test]
fn wolff_sweeps_leave_the_boltzmann_law_invariant() {
    for b in [0.0, 0.2, 0.7, 2.0] {
        for model in graphs(false) {
            let pi = boltzmann(&model, beta(b));
            let one = cluster_matrix(&model, beta(b));
            assert_stochastic(&one);
            assert!(detailed_imbalance(&pi, &one) < 1e-12, "{model}, β = {b}");
            let sweep = times(&times(&one, &one), &one);
            assert!(imbalance(&pi, &sweep) < 1e-12, "{model}, β = {b}");
        }
    }
}

/// The power twin of the two tests above.
#[test]
fn a_beta_off_by_one_per_cent_is_noticed() {
    let (right, wrong) = (beta(0.5), beta(0.505));
    for model in graphs(true) {
        for rule in rules() {
            let matrix = local_matrix(&model, rule, wrong, Order::Index);
            assert!(imbalance(&boltzmann(&model, right), &matrix) > 1e-6, "{model}");
        }
    }
    for model in graphs(false) {
        assert!(imbalance(&boltzmann(&model, right), &cluster_matrix(&model, wrong)) > 1e-6, "{model}");
    }
}

#[test]
fn a_sweep_in_order_has_balance_but_no_detailed_balance() {
    for rule in rules() {
        let model = random_model(Topology::ring(4).unwrap(), 8, true);
        let (pi, matrix) =
            (boltzmann(&model, beta(0.5)), local_matrix(&model, rule, beta(0.5), Order::Index));
        assert!(imbalance(&pi, &matrix) < 1e-12);
        assert!(detailed_imbalance(&pi, &matrix) > 1e-4);
    }
}

#[test]
fn checkerboard_metropolis_at_beta_zero_has_period_two() {
    let model = Hamiltonian::ferromagnet(Topology::square(8).unwrap());
    let start = Spins::random(64, &mut Stream::new(0, Purpose::Test, 0, 0));
    let mut metropolis = Metropolis::new(&model).unwrap();
    assert_eq!(metropolis.order(), Order::Checkerboard);
    let streams = &mut Streams::new(0, Purpose::Test, 1, metropolis.blocks());
    let mut state = start.clone();
    assert_eq!(metropolis.sweep(&model, &mut state, beta(0.0), streams).flips, 64);
    assert_ne!(state, start);
    assert_eq!(metropolis.sweep(&model, &mut state, beta(0.0), streams).flips, 64);
    assert_eq!(state, start);
    // The heat bath forgets instead: after one sweep every configuration has probability 2^(−N).
    let matrix = local_matrix(&lattices()[0], HeatBath::flip_probability, beta(0.0), Order::Checkerboard);
    assert!(matrix.iter().flatten().all(|&p| (p - 1.0 / 16.0).abs() < 1e-15));
}

#[test]
fn integer_thresholds_are_within_two_to_the_minus_33_of_the_probability() {
    for i in 0..=100_000u32 {
        let b = beta(f64::from(i % 1000) * 0.002);
        for delta_e in [-8.0, -4.0, 0.0, 4.0, 8.0, 0.1 * f64::from(i / 1000)] {
            for rule in rules() {
                let p = rule(b, delta_e);
                let got = threshold(p) as f64 / 4_294_967_296.0;
                assert!((got - p).abs() <= 0.5 / 4_294_967_296.0, "p = {p}");
            }
            let p = Wolff::bond_probability(b, delta_e);
            assert!((threshold(p) as f64 / 4_294_967_296.0 - p).abs() <= 0.5 / 4_294_967_296.0);
        }
    }
}

/// t over 64 replicas for ⟨w⟩ after one real sweep from `start`, against the row of `matrix`, for two functions w.
fn student<U: Update<Model = Hamiltonian, State = Spins>>(
    model: &Hamiltonian,
    mut update: U,
    b: Beta,
    matrix: &Matrix,
) -> [f64; 2] {
    const REPLICAS: usize = 64;
    const SWEEPS: usize = 2_000;
    let n = model.n_sites();
    let start = 0b0110_1011 & ((1 << n) - 1);
    let flips = |to: usize| f64::from((to ^ start).count_ones());
    let scrambled = |to: usize| ((to as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / 1e7;
    let mut t = [0.0; 2];
    let functions: [&dyn Fn(usize) -> f64; 2] = [&flips, &scrambled];
    let mut means = [[0.0; REPLICAS]; 2];
    for replica in 0..REPLICAS {
        let streams = &mut Streams::new(0, Purpose::Test, replica as u64, 1);
        for _ in 0..SWEEPS {
            let mut state = spins(n, start);
            update.sweep(model, &mut state, b, streams);
            for (w, means) in functions.iter().zip(&mut means) {
                means[replica] += w(number(&state)) / SWEEPS as f64;
            }
        }
    }
    for ((t, w), means) in t.iter_mut().zip(functions).zip(means) {
        let expected: f64 = matrix[start].iter().enumerate().map(|(to, p)| p * w(to)).sum();
        let mean = means.iter().sum::<f64>() / REPLICAS as f64;
        let variance = means.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (REPLICAS - 1) as f64;
        *t = (mean - expected) / (variance / REPLICAS as f64).sqrt();
    }
    t
}

/// Eight real updates, each with the matrix that `at` gives it, sampled at β = 0.4.
fn all_students(at: Beta) -> Vec<[f64; 2]> {
    let b = beta(0.4);
    let torus = uniform(Topology::square(2).unwrap(), 0.5, 0.3);
    let glass = random_model(Topology::complete(5).unwrap(), 9, true);
    let frustrated = random_model(Topology::complete(5).unwrap(), 10, false);
    let free = Hamiltonian::ferromagnet(Topology::square(2).unwrap());
    let local = |model, rule, order| local_matrix(model, rule, at, order);
    let (m, h): (Rule, Rule) = (Metropolis::flip_probability, HeatBath::flip_probability);
    let metropolis = |model| Metropolis::new(model).unwrap();
    let heat_bath = |model| HeatBath::new(model).unwrap();
    let mut all = vec![
        student(&torus, metropolis(&torus), b, &local(&torus, m, Order::Checkerboard)),
        student(&torus, heat_bath(&torus), b, &local(&torus, h, Order::Checkerboard)),
        student(&glass, metropolis(&glass), b, &local(&glass, m, Order::Index)),
        student(&glass, heat_bath(&glass), b, &local(&glass, h, Order::Index)),
        student(&torus, metropolis(&torus).with_generic_kernel(), b, &local(&torus, m, Order::Checkerboard)),
        student(&torus, heat_bath(&torus).with_generic_kernel(), b, &local(&torus, h, Order::Checkerboard)),
    ];
    for model in [&frustrated, &free] {
        let one = cluster_matrix(model, at);
        all.push(student(model, Wolff::new(model, 2).unwrap(), b, &times(&one, &one)));
    }
    all
}

#[test]
fn real_sweeps_follow_their_matrices() {
    for (line, t) in all_students(beta(0.4)).iter().enumerate() {
        assert!(t.iter().all(|t| t.abs() < 6.8), "line {line}: t = {t:?}");
    }
}

/// The power twin: against the matrices of a β 10 % off, the same test fails for every update.
#[test]
fn real_sweeps_do_not_follow_the_matrices_of_another_beta() {
    for (line, t) in all_students(beta(0.44)).iter().enumerate() {
        assert!(t.iter().any(|t| t.abs() > 6.8), "line {line}: t = {t:?}");
    }
}

#[test]
fn what_an_update_cannot_do_is_refused() {
    let free = Hamiltonian::ferromagnet(Topology::square(5).unwrap());
    assert!(matches!(Wolff::new(&free, 0), Err(Error::NoCluster)));
    assert!(matches!(Metropolis::new(&free), Err(Error::NotBipartite { size: 5, .. })));
    assert!(HeatBath::in_order(&free, Order::Index).is_ok());
    let complete = Hamiltonian::ferromagnet(Topology::complete(5).unwrap());
    assert!(matches!(
        HeatBath::in_order(&complete, Order::Checkerboard),
        Err(Error::NotBipartite { size: 5, .. })
    ));
    assert_eq!(HeatBath::new(&complete).unwrap().kernel(), kernel::Kernel::Generic);
}
