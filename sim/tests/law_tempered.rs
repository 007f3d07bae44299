//! The law of tempering on cached fields: its steps, built from its own probabilities, leave the product of the Boltzmann laws of all
//! replicas invariant, wrong ones do not, and the real sweeps follow the steps.
//!
//! The spaces are too large for matrices, so that a law is carried through one attempt at a time: πP, and never P. The last part is
//! sampled: 10 checks by t-tests over 64 replicas with |t| < 6.8, of the at most 200 that share 1e-6 per CI run.

mod chains;

use ceas_sim::beta::Beta;
use ceas_sim::couplings::CouplingRows;
use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::topology::Topology;
use ceas_sim::update::{BetaGrid, CachedSpins, Metropolis, TemperedFields, Update};
use chains::*;

/// Δβ and energies to a probability.
type Swap = fn(f64, (f64, f64)) -> f64;

fn swap_rule() -> Swap {
    TemperedFields::<f64>::swap_probability
}

/// The bonds that clusters follow, from the definition: all, or of a graph of N²/16 bonds and more the N strongest.
fn followed(model: &Hamiltonian) -> Vec<(usize, usize)> {
    let bonds = model.topology().bonds().enumerate();
    let mut bonds: Vec<_> = bonds.map(|(k, ends)| (model.coupling_at(k).abs(), ends)).collect();
    bonds.sort_by(|a, b| b.0.total_cmp(&a.0));
    if 16 * bonds.len() >= model.n_sites().pow(2) {
        bonds.truncate(model.n_sites());
    }
    bonds.into_iter().map(|(_, ends)| ends).collect()
}

/// Replica k, counted rung by rung, has its configuration in bits kN … kN + N − 1.
#[derive(Clone)]
struct Ladder {
    name: &'static str,
    model: Hamiltonian,
    energies: Vec<f64>,
    /// What clusters follow.
    bonds: Vec<(usize, usize)>,
    betas: Vec<f64>,
    copies: usize,
}

impl Ladder {
    fn new(name: &'static str, model: Hamiltonian, betas: &[f64], copies: usize) -> Self {
        let n = model.n_sites();
        let energies = (0..1 << n).map(|state| model.energy(&spins(n, state))).collect();
        let bonds = followed(&model);
        Self { name, model, energies, bonds, betas: betas.to_vec(), copies }
    }

    fn stretched(&self, factor: f64) -> Self {
        Self { betas: self.betas.iter().map(|b| factor * b).collect(), ..self.clone() }
    }

    fn places(&self) -> usize {
        self.betas.len() * self.copies
    }

    fn size(&self) -> usize {
        1 << (self.places() * self.model.n_sites())
    }

    fn at(&self, state: usize, place: usize) -> usize {
        let n = self.model.n_sites();
        state >> (n * place) & ((1 << n) - 1)
    }

    fn turned(&self, state: usize, place: usize, sites: usize) -> usize {
        state ^ sites << (self.model.n_sites() * place)
    }

    /// ∏ over replicas of e^(−βE)/Z.
    fn law(&self) -> Vec<f64> {
        let laws: Vec<_> = self.betas.iter().map(|&b| boltzmann(&self.model, beta(b))).collect();
        let weight = |state, place: usize| laws[place / self.copies][self.at(state, place)];
        (0..self.size()).map(|state| (0..self.places()).map(|k| weight(state, k)).product()).collect()
    }

    /// One attempt at one site of one replica.
    fn attempt(&self, place: usize, site: usize, state: usize) -> [(usize, f64); 2] {
        let old = self.at(state, place);
        let cost = self.energies[old ^ 1 << site] - self.energies[old];
        let p = Metropolis::flip_probability(beta(self.betas[place / self.copies]), cost);
        [(self.turned(state, place, 1 << site), p), (state, 1.0 - p)]
    }

    /// Swap attempts between two neighbouring rungs, for one copy.
    fn swap(&self, (rung, copy): (usize, usize), rule: Swap, state: usize) -> [(usize, f64); 2] {
        let (hot, cold) = (rung * self.copies + copy, (rung + 1) * self.copies + copy);
        let (a, b) = (self.at(state, hot), self.at(state, cold));
        let p = rule(self.betas[rung] - self.betas[rung + 1], (self.energies[a], self.energies[b]));
        [(self.turned(self.turned(state, hot, a ^ b), cold, a ^ b), p), (state, 1.0 - p)]
    }

    /// One cluster on one rung, turned with the probability that `accept` makes of β and the change of the energy of the pair.
    fn exchange(&self, rung: usize, accept: fn(Beta, f64) -> f64, state: usize) -> Vec<(usize, f64)> {
        let (n, all) = (self.model.n_sites(), (1 << self.model.n_sites()) - 1);
        let (a, b) = (self.at(state, 2 * rung), self.at(state, 2 * rung + 1));
        let more = 2 * (a ^ b).count_ones() as usize > n && self.model.is_field_free();
        let side = if more { !(a ^ b) & all } else { a ^ b };
        if side == 0 {
            return vec![(state, 1.0)];
        }
        let mut next = Vec::new();
        for seed in (0..n).filter(|i| side >> i & 1 == 1) {
            let mut cluster = 1usize << seed;
            for _ in 0..n {
                for &(i, j) in &self.bonds {
                    let joined = (cluster >> i | cluster >> j) & 1 == 1;
                    cluster |= if joined { side & (1 << i | 1 << j) } else { 0 };
                }
            }
            let share = 1.0 / f64::from(side.count_ones());
            let most = f64::from(cluster.count_ones()) * share > 0.9;
            let energy = |turned: usize| self.energies[a ^ turned] + self.energies[b ^ turned];
            let b = beta(self.betas[rung]);
            let p = if most { 0.0 } else { accept(b, energy(cluster) - energy(0)) };
            let turned = self.turned(self.turned(state, 2 * rung, cluster), 2 * rung + 1, cluster);
            next.extend([(turned, share * p), (state, share * (1.0 - p))]);
        }
        next
    }

    fn intervals(&self, first: usize) -> impl Iterator<Item = (usize, usize)> {
        let copies = self.copies;
        (first..self.betas.len() - 1)
            .step_by(2)
            .flat_map(move |rung| (0..copies).map(move |copy| (rung, copy)))
    }

    /// A law after two sweeps, one of each set of intervals.
    fn two_sweeps(&self, mut law: Vec<f64>, rule: Swap, accept: fn(Beta, f64) -> f64) -> Vec<f64> {
        for first in [0, 1] {
            for (place, site) in
                (0..self.places()).flat_map(|k| (0..self.model.n_sites()).map(move |i| (k, i)))
            {
                law = carried(&law, |state| self.attempt(place, site, state));
            }
            for rung in (0..self.betas.len()).filter(|_| self.copies == 2) {
                law = carried(&law, |state| self.exchange(rung, accept, state));
            }
            for interval in self.intervals(first) {
                law = carried(&law, |state| self.swap(interval, rule, state));
            }
        }
        law
    }
}

/// πP.
fn carried<I: IntoIterator<Item = (usize, f64)>>(law: &[f64], step: impl Fn(usize) -> I) -> Vec<f64> {
    let mut after = vec![0.0; law.len()];
    for (state, weight) in law.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
        step(state).into_iter().for_each(|(to, p)| after[to] += weight * p);
    }
    after
}

/// Σ |π_s − ρ_s|/2.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| 0.5 * (a - b).abs()).sum()
}

/// max |π_s P(s → t) − π_t P(t → s)|.
fn detailed<I: IntoIterator<Item = (usize, f64)>>(law: &[f64], step: impl Fn(usize) -> I) -> f64 {
    let p = |from: usize, to: usize| -> f64 {
        step(from).into_iter().filter(|next| next.0 == to).map(|next| next.1).sum()
    };
    let imbalance = |s: usize| {
        let flow = |(t, _): (usize, f64)| (law[s] * p(s, t) - law[t] * p(t, s)).abs();
        step(s).into_iter().map(flow).fold(0.0, f64::max)
    };
    (0..law.len()).map(imbalance).fold(0.0, f64::max)
}

/// Single replicas on two and three rungs; pairs in a field where only the strongest bonds are followed, and without one; and a graph
/// so thin that its rows are kept as lists.
fn ladders() -> Vec<Ladder> {
    let thin = Topology::from_bonds(5, &[(1, 3)]).unwrap();
    vec![
        Ladder::new("two rungs", random_model(Topology::ring(3).unwrap(), 1, true), &[0.3, 1.1], 1),
        Ladder::new(
            "three rungs",
            random_model(Topology::open_chain(2).unwrap(), 3, true),
            &[0.2, 0.7, 1.5],
            1,
        ),
        Ladder::new("pairs, dense", random_model(Topology::complete(4).unwrap(), 9, true), &[0.2, 0.6], 2),
        Ladder::new("pairs on a ring", random_model(Topology::ring(4).unwrap(), 11, false), &[0.3, 0.8], 2),
        Ladder::new("pairs, thin", random_model(thin, 12, true), &[0.3, 0.8], 2),
    ]
}

#[test]
fn the_swap_step_and_the_cluster_step_are_in_detailed_balance() {
    // The thin graph has nothing here that the ring has not, and 16 times the space.
    for ladder in ladders().into_iter().filter(|ladder| ladder.size() <= 1 << 16) {
        let (name, law) = (ladder.name, ladder.law());
        for interval in ladder.intervals(0).chain(ladder.intervals(1)) {
            assert!(detailed(&law, |s| ladder.swap(interval, swap_rule(), s)) < 1e-14, "{name}");
            // The twins: the wrong sign, and half the exponent.
            let reversed: Swap = |step, e| swap_rule()(-step, e);
            let halved: Swap = |step, e| swap_rule()(0.5 * step, e);
            for wrong in [reversed, halved] {
                let off = carried(&law, |s| ladder.swap(interval, wrong, s));
                assert!(distance(&law, &off) > 1e-3, "{name}");
            }
        }
        for rung in (0..ladder.betas.len()).filter(|_| ladder.copies == 2) {
            let step = |s| ladder.exchange(rung, Metropolis::flip_probability, s);
            assert!(detailed(&law, step) < 1e-14, "{name}");
        }
    }
}

#[test]
fn whole_sweeps_leave_the_joint_law_invariant_and_wrong_ones_do_not() {
    for ladder in ladders() {
        let (name, law) = (ladder.name, ladder.law());
        let accept = Metropolis::flip_probability;
        let after = ladder.two_sweeps(law.clone(), swap_rule(), accept);
        assert!((after.iter().sum::<f64>() - 1.0).abs() < 1e-11, "{name}");
        assert!(distance(&law, &after) < 1e-11, "{name}: {}", distance(&law, &after));
        let reversed: Swap = |step, e| swap_rule()(-step, e);
        let off = ladder.two_sweeps(law.clone(), reversed, accept);
        assert!(distance(&law, &off) > 1e-3, "{name}: {}", distance(&law, &off));
        let off = ladder.stretched(1.01).two_sweeps(law.clone(), swap_rule(), accept);
        assert!(distance(&law, &off) > 1e-4, "{name}: {}", distance(&law, &off));
        // Clusters along the strongest bonds alone must be judged by the others.
        let off = ladder.two_sweeps(law.clone(), swap_rule(), |_, _| 1.0);
        assert_eq!(distance(&law, &off) > 1e-3, name == "pairs, dense", "{name}: {}", distance(&law, &off));
    }
}

/// Real sweeps at 0.9 of the coldest β, and what the steps at `factor` times that say.
fn student_of(ladder: &Ladder, factor: f64) -> [f64; 2] {
    let (n, places) = (ladder.model.n_sites(), ladder.places());
    let rows = CouplingRows::<f64>::new(&ladder.model).unwrap();
    let grid = BetaGrid::new(ladder.betas.iter().map(|&b| beta(b)).collect()).unwrap();
    let handed = beta(0.9 * grid.coldest().value());
    let mut update = match ladder.copies {
        1 => TemperedFields::new(grid, &rows).unwrap(),
        _ => TemperedFields::pairs(grid, &rows).unwrap(),
    };
    assert_eq!(update.clustered().contains(&true), ladder.copies == 2, "{}", ladder.name);
    assert_eq!(rows.is_dense(), ladder.name != "pairs, thin");
    assert_eq!(update.blocks(), places + 1);
    let start = 0b0110_1001_1010_1101_0110 & (ladder.size() - 1);
    let mut law = vec![0.0; ladder.size()];
    law[start] = 1.0;
    let row = ladder.stretched(0.9 * factor).two_sweeps(law, swap_rule(), Metropolis::flip_probability);
    let write = |state: usize| -> Vec<_> {
        (0..places).map(|k| CachedSpins::new(&rows, &spins(n, ladder.at(state, k)))).collect()
    };
    let read = |replicas: &Vec<CachedSpins<f64>>| {
        replicas.iter().enumerate().map(|(k, replica)| number(&replica.spins()) << (n * k)).sum()
    };
    sweeps_against_row(&rows, &mut update, (handed, 2), (start, &row), (write, read))
}

#[test]
fn real_sweeps_follow_the_steps_and_not_those_of_another_beta() {
    for ladder in ladders() {
        let t = student_of(&ladder, 1.0);
        assert!(t.iter().all(|t| t.abs() < 6.8), "{}: t = {t:?}", ladder.name);
        let t = student_of(&ladder, 1.2);
        assert!(t.iter().any(|t| t.abs() > 6.8), "the twin of {}: t = {t:?}", ladder.name);
    }
}
