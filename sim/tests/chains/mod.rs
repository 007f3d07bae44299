//! Markov chains on all configurations of a few spins, as matrices, and samples held against them.
#![allow(dead_code)]

use ceas_sim::beta::Beta;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::Topology;
use ceas_sim::update::Update;
use nalgebra::{DMatrix, DVector};

pub type Matrix = DMatrix<f64>;

pub fn beta(value: f64) -> Beta {
    Beta::new(value).unwrap()
}

/// Configuration number `state`: spin i is up where bit i is set.
pub fn spins(n: usize, state: usize) -> Spins {
    Spins::from_values((0..n).map(|i| 2 * (state >> i & 1) as i8 - 1).collect()).unwrap()
}

pub fn number(spins: &Spins) -> usize {
    spins.as_slice().iter().enumerate().map(|(i, &s)| usize::from(s == 1) << i).sum()
}

pub fn normalized(weights: impl Iterator<Item = f64>) -> DVector<f64> {
    let weights = DVector::from_iterator(weights.size_hint().0, weights);
    let z = weights.sum();
    weights / z
}

pub fn boltzmann(model: &Hamiltonian, b: Beta) -> DVector<f64> {
    let n = model.n_sites();
    normalized((0..1 << n).map(|state| (-b.value() * model.energy(&spins(n, state))).exp()))
}

/// max_j |(πP)_j − π_j|.
pub fn imbalance(pi: &DVector<f64>, matrix: &Matrix) -> f64 {
    (matrix.transpose() * pi - pi).amax()
}

/// max_ij |π_i P_ij − π_j P_ji|.
pub fn detailed_imbalance(pi: &DVector<f64>, matrix: &Matrix) -> f64 {
    let flow = Matrix::from_fn(pi.len(), pi.len(), |i, j| pi[i] * matrix[(i, j)]);
    (&flow - flow.transpose()).amax()
}

pub fn assert_stochastic(matrix: &Matrix) {
    assert!(matrix.iter().all(|&p| p >= 0.0));
    assert!(matrix.column_sum().iter().all(|sum| (sum - 1.0).abs() < 1e-12));
}

/// P(s → s') of a sweep in index order of single-spin attempts by a rule.
pub fn local_matrix(model: &Hamiltonian, rule: fn(Beta, f64) -> f64, b: Beta) -> Matrix {
    let n = model.n_sites();
    (0..n).fold(Matrix::identity(1 << n, 1 << n), |before, site| {
        let mut attempt = Matrix::zeros(1 << n, 1 << n);
        for state in 0..1 << n {
            let p = rule(b, model.delta_e(&spins(n, state), site));
            attempt[(state, state ^ 1 << site)] = p;
            attempt[(state, state)] = 1.0 - p;
        }
        before * attempt
    })
}

pub fn random_model(topology: Topology, name: u64, in_field: bool) -> Hamiltonian {
    let mut stream = Stream::new(name, Purpose::Test, 0, 0);
    let couplings = (0..topology.n_bonds()).map(|_| stream.normal()).collect();
    let field = if in_field {
        Field::PerSite((0..topology.n_sites()).map(|_| stream.normal()).collect())
    } else {
        Field::Zero
    };
    Hamiltonian::new(topology, Couplings::PerBond(couplings), field).unwrap()
}

pub fn uniform(topology: Topology, j: f64, h: f64) -> Hamiltonian {
    let field = if h == 0.0 { Field::Zero } else { Field::Uniform(h) };
    Hamiltonian::new(topology, Couplings::Uniform(j), field).unwrap()
}

/// Small graphs of every kind, with couplings of both signs, zero and equal ones among them.
pub fn graphs(in_field: bool) -> Vec<Hamiltonian> {
    let wheel = [(0, 1), (1, 2), (2, 3), (3, 0), (4, 0), (4, 1), (4, 2)];
    let h = if in_field { 0.4 } else { 0.0 };
    let ties = Couplings::PerBond(vec![1.0, 0.0, -1.0, 1.0, 1.0, 0.0]);
    let field = if in_field { Field::PerSite(vec![0.0, 1.0, -1.0, 0.0]) } else { Field::Zero };
    vec![
        random_model(Topology::ring(2).unwrap(), 3, in_field),
        random_model(Topology::ring(5).unwrap(), 4, in_field),
        random_model(Topology::complete(4).unwrap(), 5, in_field),
        random_model(Topology::from_bonds(5, &wheel).unwrap(), 7, in_field),
        uniform(Topology::square(2).unwrap(), 1.0, h),
        uniform(Topology::complete(4).unwrap(), -1.0, h),
        uniform(Topology::open_chain(6).unwrap(), 0.0, h),
        Hamiltonian::new(Topology::complete(4).unwrap(), ties, field).unwrap(),
    ]
}

/// The mean of 64 numbers from independent replicas against what is expected: Student's t with 63 degrees of freedom.
pub fn student(replicas: &[f64], expected: f64) -> f64 {
    assert_eq!(replicas.len(), 64);
    let mean = replicas.iter().sum::<f64>() / 64.0;
    let variance = replicas.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 63.0;
    // Replicas that all agree with each other must agree with what is expected.
    let error = (variance / 64.0).sqrt().max(1e-12);
    (mean - expected) / error
}

/// Two functions of a configuration that tell any two laws apart: how far it is from `start`, and a hash.
pub fn functions(start: usize) -> [Box<dyn Fn(usize) -> f64>; 2] {
    let flips = move |to: usize| f64::from((to ^ start).count_ones());
    let scrambled = |to: usize| ((to as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / 1e7;
    [Box::new(flips), Box::new(scrambled)]
}

/// t for two functions of where real sweeps lead from `start`, against that row of `matrix`. `write` and `read` turn numbers into
/// states and back.
pub fn sweeps_against<U: Update>(
    model: &U::Model,
    update: &mut U,
    run: (Beta, usize),
    (start, matrix): (usize, &Matrix),
    states: (impl Fn(usize) -> U::State, impl Fn(&U::State) -> usize),
) -> [f64; 2] {
    let row: Vec<f64> = matrix.row(start).iter().copied().collect();
    sweeps_against_row(model, update, run, (start, &row), states)
}

/// The same, where the matrix is too large and only P(`start` → s') is known.
pub fn sweeps_against_row<U: Update>(
    model: &U::Model,
    update: &mut U,
    (b, sweeps): (Beta, usize),
    (start, row): (usize, &[f64]),
    (write, read): (impl Fn(usize) -> U::State, impl Fn(&U::State) -> usize),
) -> [f64; 2] {
    const RUNS: usize = 2_000;
    let functions = functions(start);
    let mut means = [[0.0; 64]; 2];
    for replica in 0..64 {
        let streams = &mut Streams::new(0, Purpose::Test, replica as u64, update.blocks());
        for _ in 0..RUNS {
            let mut state = write(start);
            for _ in 0..sweeps {
                update.sweep(model, &mut state, b, streams);
            }
            let to = read(&state);
            for (w, means) in functions.iter().zip(&mut means) {
                means[replica] += w(to) / RUNS as f64;
            }
        }
    }
    let expected = |k: usize| row.iter().enumerate().map(|(to, p)| p * functions[k](to)).sum();
    [0, 1].map(|k| student(&means[k], expected(k)))
}
