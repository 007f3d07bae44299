//! The law of cluster moves, of tempering, of Houdayer's move and of the synchronous update: matrices built from the updates' own
//! probabilities leave π invariant, wrong ones do not, and the real sweeps follow the matrices.
//!
//! The last part is sampled: 30 checks by t-tests over 64 replicas with |t| < 6.8, of the at most 200 that share 1e-6 per CI run.

mod chains;

use ceas_sim::beta::Beta;
use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::kernel::Order;
use ceas_sim::spins::Spins;
use ceas_sim::topology::Topology;
use ceas_sim::update::{
    BetaGrid, HeatBath, Houdayer, Ladder, Pair, SwendsenWang, Synchronous, Tempering, Update, Wolff,
    bond_probability,
};
use chains::*;
use nalgebra::DVector;

/// Every set of open bonds with its probability, as the least site of each site's cluster; site N is the ghost.
fn clusterings(model: &Hamiltonian, s: &Spins, b: Beta) -> Vec<(f64, Vec<usize>)> {
    let n = model.n_sites();
    let bonds = model.topology().bonds().enumerate();
    let bonds = bonds.map(|(k, (i, j))| (i, j, model.coupling_at(k) * f64::from(s.get(i) * s.get(j))));
    let fields = (0..n).map(|i| (i, n, model.field_at(i) * f64::from(s.get(i))));
    let mut all = vec![(1.0, (0..=n).collect::<Vec<usize>>())];
    for (i, j, satisfaction) in bonds.chain(fields) {
        let p = bond_probability(b, satisfaction);
        if p == 0.0 {
            continue;
        }
        let mut next = Vec::with_capacity(2 * all.len());
        for (weight, roots) in all {
            let (x, y) = (roots[i].min(roots[j]), roots[i].max(roots[j]));
            let joined = roots.iter().map(|&root| if root == y { x } else { root }).collect();
            next.push((weight * p, joined));
            next.push((weight * (1.0 - p), roots));
        }
        all = next;
    }
    all
}

/// The sites of a cluster, as bits.
fn members(roots: &[usize], root: usize) -> usize {
    (0..roots.len() - 1).filter(|&i| roots[i] == root).map(|i| 1 << i).sum()
}

fn swendsen_wang_matrix(model: &Hamiltonian, b: Beta) -> Matrix {
    let n = model.n_sites();
    let mut matrix = Matrix::zeros(1 << n, 1 << n);
    for state in 0..1usize << n {
        for (weight, roots) in clusterings(model, &spins(n, state), b) {
            let free = (0..n).filter(|&i| roots[i] == i && roots[n] != i);
            let clusters: Vec<usize> = free.map(|root| members(&roots, root)).collect();
            let ways = 1usize << clusters.len();
            for way in 0..ways {
                let turned: usize =
                    (0..clusters.len()).filter(|k| way >> k & 1 == 1).map(|k| clusters[k]).sum();
                matrix[(state, state ^ turned)] += weight / ways as f64;
            }
        }
    }
    matrix
}

fn wolff_matrix(model: &Hamiltonian, b: Beta) -> Matrix {
    let n = model.n_sites();
    let mut matrix = Matrix::zeros(1 << n, 1 << n);
    for state in 0..1usize << n {
        for (weight, roots) in clusterings(model, &spins(n, state), b) {
            for seed in 0..n {
                let held = roots[seed] == roots[n];
                let turned = if held { 0 } else { members(&roots, roots[seed]) };
                matrix[(state, state ^ turned)] += weight / n as f64;
            }
        }
    }
    matrix
}

/// Houdayer's move on pairs (a, b), numbered a + 2ᴺ b, from its definition.
fn houdayer_matrix(model: &Hamiltonian) -> Matrix {
    let n = model.n_sites();
    let mut matrix = Matrix::zeros(1 << (2 * n), 1 << (2 * n));
    for state in 0..1usize << (2 * n) {
        let unequal = (state ^ state >> n) & ((1 << n) - 1);
        let more = 2 * unequal.count_ones() as usize > n && model.is_field_free();
        let side = if more { !unequal & ((1 << n) - 1) } else { unequal };
        if side == 0 {
            matrix[(state, state)] = 1.0;
        }
        for seed in (0..n).filter(|i| side >> i & 1 == 1) {
            let mut cluster = 1usize << seed;
            for _ in 0..n {
                for (bond, (i, j)) in model.topology().bonds().enumerate() {
                    let joined = model.coupling_at(bond) != 0.0 && (cluster >> i | cluster >> j) & 1 == 1;
                    cluster |= if joined { side & (1 << i | 1 << j) } else { 0 };
                }
            }
            matrix[(state, state ^ cluster ^ cluster << n)] += 1.0 / f64::from(side.count_ones());
        }
    }
    matrix
}

/// π_0 ⊗ π_1 ⊗ …, numbered with the configuration of rung r in bits rN … rN + N − 1.
fn product_law(model: &Hamiltonian, betas: &[Beta]) -> DVector<f64> {
    let laws: Vec<_> = betas.iter().map(|&b| boltzmann(model, b)).collect();
    laws.iter().skip(1).fold(laws[0].clone(), |low, high| high.kronecker(&low))
}

fn sweep_all(model: &Hamiltonian, betas: &[Beta]) -> Matrix {
    let parts: Vec<_> = betas.iter().map(|&b| local_matrix(model, HeatBath::flip_probability, b)).collect();
    parts.iter().skip(1).fold(parts[0].clone(), |low, high| high.kronecker(&low))
}

type Swap = fn((Beta, Beta), (f64, f64)) -> f64;

/// Swap attempts of the intervals that begin at rungs `first`, `first` + 2, …
fn swap_matrix(model: &Hamiltonian, betas: &[Beta], first: usize, probability: Swap) -> Matrix {
    let n = model.n_sites();
    let size = 1usize << (n * betas.len());
    let mut all = Matrix::identity(size, size);
    for rung in (first..betas.len() - 1).step_by(2) {
        let mut one = Matrix::zeros(size, size);
        for state in 0..size {
            let at = |r: usize| state >> (n * r) & ((1 << n) - 1);
            let energy = |r: usize| model.energy(&spins(n, at(r)));
            let p = probability((betas[rung], betas[rung + 1]), (energy(rung), energy(rung + 1)));
            let differ = at(rung) ^ at(rung + 1);
            let swapped = state ^ differ << (n * rung) ^ differ << (n * (rung + 1));
            one[(state, swapped)] += p;
            one[(state, state)] += 1.0 - p;
        }
        all *= one;
    }
    all
}

/// Two sweeps of tempering: even and odd intervals.
fn tempering_matrix(model: &Hamiltonian, betas: &[Beta], probability: Swap) -> Matrix {
    let sweep = sweep_all(model, betas);
    let [even, odd] = [0, 1].map(|first| &sweep * swap_matrix(model, betas, first, probability));
    even * odd
}

/// Ladders whose joint space is small: two replicas of three spins, three of two.
fn ladders() -> Vec<(Hamiltonian, Vec<Beta>)> {
    vec![
        (random_model(Topology::ring(3).unwrap(), 1, true), vec![beta(0.3), beta(1.1)]),
        (random_model(Topology::open_chain(3).unwrap(), 2, false), vec![beta(0.0), beta(0.8)]),
        (random_model(Topology::open_chain(2).unwrap(), 3, true), vec![beta(0.2), beta(0.7), beta(1.5)]),
    ]
}

fn swap_rule() -> Swap {
    Tempering::<HeatBath>::swap_probability
}

#[test]
fn cluster_sweeps_leave_the_boltzmann_law_invariant_in_fields_and_frustration() {
    for b in [0.0, 0.2, 0.7, 2.0] {
        for model in graphs(true).into_iter().chain(graphs(false)) {
            let pi = boltzmann(&model, beta(b));
            for matrix in [swendsen_wang_matrix(&model, beta(b)), wolff_matrix(&model, beta(b))] {
                assert_stochastic(&matrix);
                assert!(imbalance(&pi, &matrix) < 1e-12, "{model}, β = {b}");
                assert!(detailed_imbalance(&pi, &matrix) < 1e-12, "{model}, β = {b}");
            }
        }
    }
}

#[test]
fn a_cluster_matrix_at_a_wrong_beta_does_not() {
    for model in graphs(true).into_iter().chain(graphs(false)) {
        let free = model.uniform() == Some((0.0, 0.0));
        let pi = boltzmann(&model, beta(0.5));
        for matrix in [swendsen_wang_matrix(&model, beta(0.505)), wolff_matrix(&model, beta(0.505))] {
            assert!(free || imbalance(&pi, &matrix) > 1e-6, "{model}");
        }
    }
}

#[test]
fn houdayers_move_keeps_the_energy_of_the_pair_and_the_law() {
    for model in [graphs(true), graphs(false)].concat().into_iter().filter(|model| model.n_sites() <= 4) {
        let n = model.n_sites();
        let matrix = houdayer_matrix(&model);
        assert_stochastic(&matrix);
        let energy = |state: usize| {
            model.energy(&spins(n, state & ((1 << n) - 1))) + model.energy(&spins(n, state >> n))
        };
        for (from, to) in (0..matrix.nrows()).flat_map(|i| (0..matrix.nrows()).map(move |j| (i, j))) {
            assert!(matrix[(from, to)] == 0.0 || (energy(from) - energy(to)).abs() < 1e-12);
        }
        let b = [beta(0.6); 2];
        let pi = product_law(&model, &b);
        assert!(detailed_imbalance(&pi, &matrix) < 1e-12, "{model}");
        let sweep = sweep_all(&model, &b) * &matrix;
        assert!(imbalance(&pi, &sweep) < 1e-12, "{model}");
        // The twin: two replicas at different β may not make this move.
        let unequal = product_law(&model, &[beta(0.6), beta(0.606)]);
        let free = model.uniform() == Some((0.0, 0.0));
        let trivial = (0..1 << n).all(|s| energy(s << n) == energy(s << n ^ s));
        assert!(free || trivial || imbalance(&unequal, &matrix) > 1e-7, "{model}");
    }
}

#[test]
fn tempering_leaves_the_product_of_the_laws_invariant() {
    for (model, betas) in ladders() {
        let pi = product_law(&model, &betas);
        let swap = swap_matrix(&model, &betas, 0, swap_rule());
        assert!(detailed_imbalance(&pi, &swap) < 1e-12, "{model}");
        let matrix = tempering_matrix(&model, &betas, swap_rule());
        assert_stochastic(&matrix);
        assert!(imbalance(&pi, &matrix) < 1e-12, "{model}");
        // The twins: the exponent of the wrong sign, the exponent halved, and β off by one per cent.
        let reversed: Swap = |b, e| swap_rule()((b.1, b.0), e);
        let halved: Swap = |b, e| swap_rule()(b, (0.5 * e.0, 0.5 * e.1));
        for wrong in [reversed, halved] {
            assert!(imbalance(&pi, &tempering_matrix(&model, &betas, wrong)) > 1e-4, "{model}");
        }
        let off: Vec<Beta> = betas.iter().map(|b| beta(1.01 * b.value())).collect();
        assert!(imbalance(&pi, &tempering_matrix(&model, &off, swap_rule())) > 1e-5, "{model}");
    }
}

#[test]
fn the_synchronous_update_has_perettos_law_and_not_boltzmanns() {
    for model in graphs(true).into_iter().chain(graphs(false)) {
        let (n, b) = (model.n_sites(), beta(0.6));
        let matrix = Matrix::from_fn(1 << n, 1 << n, |from, to| {
            let s = spins(n, from);
            let flips = |i: usize| (from ^ to) >> i & 1 == 1;
            let p = |i: usize| HeatBath::flip_probability(b, model.delta_e(&s, i));
            (0..n).map(|i| if flips(i) { p(i) } else { 1.0 - p(i) }).product()
        });
        assert_stochastic(&matrix);
        let peretto = normalized((0..1 << n).map(|s| Synchronous::ln_weight(&model, &spins(n, s), b).exp()));
        assert!(imbalance(&peretto, &matrix) < 1e-12, "{model}");
        assert!(detailed_imbalance(&peretto, &matrix) < 1e-12, "{model}");
        let right = boltzmann(&model, b);
        let distance = 0.5 * (&right - &peretto).abs().sum();
        let uncoupled = model.uniform().is_some_and(|(j, _)| j == 0.0);
        assert_eq!(distance < 1e-12, uncoupled, "{model}: total variation {distance}");
        assert_eq!(imbalance(&right, &matrix) < 1e-12, uncoupled, "{model}");
    }
}

fn single(n: usize) -> (impl Fn(usize) -> Spins, impl Fn(&Spins) -> usize) {
    (move |state| spins(n, state), |s: &Spins| number(s))
}

fn ladder(n: usize, rungs: usize) -> (impl Fn(usize) -> Ladder, impl Fn(&Ladder) -> usize) {
    let write = move |state: usize| {
        Ladder::new((0..rungs).map(|r| spins(n, state >> (n * r) & ((1 << n) - 1))).collect()).unwrap()
    };
    let read =
        move |ladder: &Ladder| ladder.rungs().iter().enumerate().map(|(r, s)| number(s) << (n * r)).sum();
    (write, read)
}

fn pair(n: usize) -> (impl Fn(usize) -> Pair, impl Fn(&Pair) -> usize) {
    let write =
        move |state: usize| Pair::new(spins(n, state & ((1 << n) - 1)), spins(n, state >> n)).unwrap();
    (write, move |pair: &Pair| number(&pair.both()[0]) | number(&pair.both()[1]) << n)
}

/// Real updates at β = 0.4, each with the matrix that `factor` times that β gives it.
fn all_students(factor: f64) -> Vec<(&'static str, [f64; 2])> {
    let (b, at) = (beta(0.4), beta(0.4 * factor));
    let mut all = Vec::new();
    let glass = random_model(Topology::complete(4).unwrap(), 9, true);
    let frustrated = random_model(Topology::complete(5).unwrap(), 10, false);
    let torus = uniform(Topology::square(2).unwrap(), 0.5, 0.0);
    let opposed = uniform(Topology::square(2).unwrap(), -0.7, 0.0);
    let in_field = uniform(Topology::square(2).unwrap(), 0.5, 0.3);
    // From a ground state, where β matters most: where no bond is satisfied, clusters are single sites at any β.
    let ground = |model: &Hamiltonian| {
        let energy = |state: &usize| model.energy(&spins(model.n_sites(), *state));
        (0..1 << model.n_sites()).min_by(|a, b| energy(a).total_cmp(&energy(b))).unwrap()
    };
    for (name, model) in [
        ("glass in a field", &glass),
        ("glass", &frustrated),
        ("ferromagnet", &torus),
        ("antiferromagnet", &opposed),
        ("ferromagnet in a field", &in_field),
    ] {
        let (n, start) = (model.n_sites(), ground(model));
        let matrix = swendsen_wang_matrix(model, at);
        let mut update = SwendsenWang::new(model).unwrap();
        all.push((name, sweeps_against(model, &mut update, (b, 1), (start, &matrix), single(n))));
        let one = wolff_matrix(model, at);
        let mut update = Wolff::new(model, 2).unwrap();
        all.push((name, sweeps_against(model, &mut update, (b, 1), (start, &(&one * &one)), single(n))));
    }
    let inner = |model: &Hamiltonian| HeatBath::in_order(model, Order::Index).unwrap();
    for (model, betas) in ladders() {
        let n = model.n_sites();
        let off: Vec<Beta> = betas.iter().map(|b| beta(factor * b.value())).collect();
        let matrix = tempering_matrix(&model, &off, swap_rule());
        let grid = BetaGrid::new(betas.clone()).unwrap();
        let coldest = grid.coldest();
        let mut update = Tempering::new(grid, inner(&model));
        let states = ladder(n, betas.len());
        let t = sweeps_against(&model, &mut update, (coldest, 2), (0b10_1101, &matrix), states);
        all.push(("tempering", t));
    }
    let small = random_model(Topology::open_chain(4).unwrap(), 11, false);
    for (model, start) in [(&glass, 0b0110_1010), (&small, 0b0110_1001)] {
        let matrix = sweep_all(model, &[at; 2]) * houdayer_matrix(model);
        let mut update = Houdayer::new(model, inner(model)).unwrap();
        all.push(("Houdayer", sweeps_against(model, &mut update, (b, 1), (start, &matrix), pair(4))));
    }
    all
}

#[test]
fn real_sweeps_follow_their_matrices() {
    for (name, t) in all_students(1.0) {
        assert!(t.iter().all(|t| t.abs() < 6.8), "{name}: t = {t:?}");
    }
}

/// The power twin: against matrices of a β 20 % off, the same test fails for every update.
#[test]
fn real_sweeps_do_not_follow_the_matrices_of_another_beta() {
    for (name, t) in all_students(1.2) {
        assert!(t.iter().any(|t| t.abs() > 6.8), "{name}: t = {t:?}");
    }
}

#[test]
fn clusters_that_reach_the_ghost_stay() {
    // In a very strong field every site is held: nothing moves, and the improved moments say so.
    let model = uniform(Topology::square(4).unwrap(), 1.0, 1e3);
    let (mut wolff, mut update) = (Wolff::new(&model, 5).unwrap(), SwendsenWang::new(&model).unwrap());
    let streams = &mut ceas_sim::stream::Streams::new(0, ceas_sim::stream::Purpose::Test, 0, 1);
    let mut state = Spins::up(16);
    assert_eq!(wolff.sweep(&model, &mut state, beta(1.0), streams).flips, 0);
    assert_eq!(wolff.magnetization_2(), None);
    assert_eq!(update.sweep(&model, &mut state, beta(1.0), streams).flips, 0);
    let moments = update.moments();
    assert_eq!((moments.clusters, moments.held, moments.magnetization), (0, 1.0, 1.0));
    assert_eq!(state, Spins::up(16));
}
