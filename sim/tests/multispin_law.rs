//! Replica sweeps against transition matrices, and independence of the lanes. The digits themselves are checked exactly beside the
//! kernels.
//!
//! Sampled checks are Student's |t| < 6.8 with 63 degrees of freedom or more, 27 of the at most 200 that share 1e-6 per CI run. Each has
//! a twin that must fail.

use std::ops::ControlFlow;

use ceas_sim::beta::Beta;
use ceas_sim::exact::kaufman::Torus;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::kernel::multispin::sites::Decision;
use ceas_sim::kernel::multispin::{Level, PackedSpins, REPLICAS, ReplicaSpins};
use ceas_sim::plan::Plan;
use ceas_sim::run::Run;
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::Topology;
use ceas_sim::update::{MultiSpin, Replicas, Update};

const BOUND: f64 = 6.8;

fn beta(value: f64) -> Beta {
    Beta::new(value).unwrap()
}

/// (mean − expected)/error of the mean.
fn student(samples: &[f64], expected: f64) -> f64 {
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / n;
    let variance = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean - expected) / (variance / n).sqrt()
}

/// Configuration number `state`: spin i is up where bit i is set.
fn spins(n: usize, state: usize) -> Spins {
    Spins::from_values((0..n).map(|i| 2 * (state >> i & 1) as i8 - 1).collect()).unwrap()
}

/// P(state → ·) of a sweep that visits sites in the order given.
fn row(model: &Hamiltonian, decision: Decision, at: f64, order: &[usize], state: usize) -> Vec<f64> {
    let n = model.n_sites();
    let mut row = vec![0.0; 1 << n];
    row[state] = 1.0;
    for &site in order {
        let mut next = vec![0.0; 1 << n];
        for (from, p) in row.iter().enumerate() {
            let flip = decision.probability()(beta(at), model.delta_e(&spins(n, from), site));
            next[from ^ 1 << site] += p * flip;
            next[from] += p * (1.0 - flip);
        }
        row = next;
    }
    row
}

/// A ring with a chord, mixed couplings and a field: sites of two and three bonds and more, in units of ½.
fn small() -> Hamiltonian {
    let t = Topology::from_bonds(5, &[(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (1, 3)]).unwrap();
    let j = Couplings::PerBond(vec![0.5, -0.5, 1.0, 0.5, -0.5, 0.5]);
    Hamiltonian::new(t, j, Field::PerSite(vec![0.5, 0.0, -0.5, 0.0, 0.0])).unwrap()
}

/// Seventeen and more bonds a site: the dense kernel.
fn strong() -> Hamiltonian {
    let t = Topology::from_bonds(3, &[(0, 1), (1, 2), (0, 2)]).unwrap();
    Hamiltonian::new(t, Couplings::PerBond(vec![9.0, -8.0, 11.0]), Field::Uniform(1.0)).unwrap()
}

fn order(update: &Replicas, n: usize) -> Vec<usize> {
    match update.plan() {
        Some(plan) => plan.batches().into_iter().flat_map(|(_, sites)| sites).collect(),
        None => (0..n).collect(),
    }
}

#[test]
fn the_order_of_a_replica_sweep_leaves_boltzmanns_law_alone() {
    for (model, at) in [(small(), 0.6), (strong(), 0.03)] {
        for decision in [Decision::Metropolis, Decision::HeatBath] {
            let Ok(update) = Replicas::new(&model, decision, Level::Portable) else { continue };
            let (n, order) = (model.n_sites(), order(&update, model.n_sites()));
            let weight = |b: f64, state: usize| (-b * model.energy(&spins(n, state))).exp();
            let imbalance = |b: f64| {
                let z: f64 = (0..1 << n).map(|state| weight(b, state)).sum();
                let mut after = vec![0.0; 1 << n];
                for state in 0..1 << n {
                    let row = row(&model, decision, at, &order, state);
                    after.iter_mut().zip(row).for_each(|(sum, p)| *sum += weight(b, state) / z * p);
                }
                after.iter().enumerate().map(|(s, p)| (p - weight(b, s) / z).abs()).fold(0.0, f64::max)
            };
            assert!(imbalance(at) < 1e-14);
            assert!(imbalance(1.02 * at) > 1e-6, "β off by 2 % is not seen");
        }
    }
}

#[test]
fn one_sweep_of_replicas_follows_the_transition_matrix() {
    for (model, decision, at) in [
        (small(), Decision::Metropolis, 0.6),
        (small(), Decision::HeatBath, 0.6),
        (strong(), Decision::Metropolis, 0.03),
    ] {
        let n = model.n_sites();
        let state = 0b101;
        let mut update = Replicas::new(&model, decision, Level::choose().unwrap()).unwrap();
        let order = order(&update, n);
        let mut frequencies = vec![vec![0.0; 64]; 1 << n];
        for sample in 0..64 {
            let mut replicas = ReplicaSpins::up(n).unwrap();
            (0..REPLICAS).for_each(|r| replicas.set_replica(r, &spins(n, state)).unwrap());
            let mut streams = Streams::new(0, Purpose::Test, sample as u64, update.blocks());
            update.sweep(&model, &mut replicas, beta(at), &mut streams);
            for r in 0..REPLICAS {
                let to: usize = (0..n).map(|i| usize::from(replicas.replica(r).get(i) == 1) << i).sum();
                frequencies[to][sample] += 1.0 / REPLICAS as f64;
            }
        }
        // The ten most likely destinations.
        let exact = row(&model, decision, at, &order, state);
        let wrong = row(&model, decision, 1.1 * at, &order, state);
        let mut to: Vec<usize> = (0..1 << n).collect();
        to.sort_by(|&a, &b| exact[b].total_cmp(&exact[a]));
        to.truncate(8);
        let worst =
            |law: &[f64]| to.iter().map(|&to| student(&frequencies[to], law[to]).abs()).fold(0.0, f64::max);
        assert!(worst(&exact) < BOUND, "{decision:?}: t = {}", worst(&exact));
        assert!(worst(&wrong) > BOUND, "{decision:?}: β off by 10 % is not seen");
    }
}

/// Metropolis accepts every attempt at β = 0, so that two sweeps restore the configuration; the heat bath does not.
#[test]
fn checkerboard_metropolis_at_beta_zero_has_period_two() {
    let model = Hamiltonian::ferromagnet(Topology::square(64).unwrap());
    let after = |mut update: MultiSpin, sweeps: usize| {
        let start = PackedSpins::random(*update.grid(), &mut Stream::new(1, Purpose::Initial, 0, 0)).unwrap();
        let mut now = start.clone();
        let mut streams = Streams::new(1, Purpose::Update, 0, update.blocks());
        (0..sweeps).for_each(|_| {
            update.sweep(&model, &mut now, beta(0.0), &mut streams);
        });
        (start, now)
    };
    let (start, now) = after(MultiSpin::metropolis(&model).unwrap(), 1);
    assert!(start.cells().iter().zip(now.cells()).all(|(a, b)| (0..8).all(|w| a.0[w] == !b.0[w])));
    let (start, now) = after(MultiSpin::metropolis(&model).unwrap(), 2);
    assert!(start == now);
    let (start, now) = after(MultiSpin::heat_bath(&model).unwrap(), 2);
    assert!(start != now);
}

/// Mean energy per site of a run that begins hot.
fn energy<U: Update<Model = Hamiltonian>>(
    model: &Hamiltonian,
    update: U,
    start: U::State,
    (at, streams): (f64, Streams),
    look: impl Fn(&U, &U::State) -> Vec<f64>,
) -> Vec<f64> {
    let plan = Plan { thermalization: 100, sweeps: 100, every: 4 };
    let mut run = Run::new(model, start, update, Schedule::Constant(beta(at)), streams);
    let mut sums = vec![0.0; look(run.update(), run.state()).len()];
    run.drive(&plan, |run| {
        let scale = 1.0 / (plan.measurements() as f64 * model.n_sites() as f64);
        sums.iter_mut().zip(look(run.update(), run.state())).for_each(|(sum, e)| *sum += e * scale);
        ControlFlow::Continue(())
    });
    sums
}

#[test]
fn sites_in_the_lanes_sample_kaufmans_torus() {
    let model = Hamiltonian::ferromagnet(Topology::square(64).unwrap());
    let torus = Torus::new(64, 64).unwrap();
    for update in [MultiSpin::metropolis(&model).unwrap(), MultiSpin::heat_bath(&model).unwrap()] {
        for at in [0.2, 0.4] {
            let replica = |k: u64| {
                let start = PackedSpins::random(*update.grid(), &mut Stream::new(0, Purpose::Initial, k, 0));
                let streams = Streams::new(0, Purpose::Test, k, update.blocks());
                energy(&model, update.clone(), start.unwrap(), (at, streams), |u, s| vec![u.energy(s)])[0]
            };
            let energies: Vec<f64> = (0..64).map(replica).collect();
            let t = student(&energies, torus.energy(beta(at)));
            assert!(t.abs() < BOUND, "β = {at}: t = {t}");
            let twin = student(&energies, torus.energy(beta(1.02 * at)));
            assert!(twin.abs() > BOUND, "β = {at}: 2 % off is not seen, t = {twin}");
        }
    }
}

#[test]
fn replicas_in_the_lanes_sample_kaufmans_torus_each_at_its_own_beta() {
    let model = Hamiltonian::ferromagnet(Topology::square(16).unwrap());
    let torus = Torus::new(16, 16).unwrap();
    // Four β, 128 replicas each.
    let ratios: Vec<f64> = (0..REPLICAS).map(|r| [0.5, 0.75, 0.9, 1.0][r % 4]).collect();
    for decision in [Decision::Metropolis, Decision::HeatBath] {
        let update = Replicas::new(&model, decision, Level::choose().unwrap()).unwrap();
        let update = update.with_ratios(ratios.clone()).unwrap();
        let start = ReplicaSpins::random(256, &mut Stream::new(0, Purpose::Initial, 0, 0)).unwrap();
        let streams = Streams::new(0, Purpose::Test, 1, update.blocks());
        let energies = energy(&model, update, start, (0.4, streams), Replicas::energies);
        for (k, ratio) in ratios[..4].iter().enumerate() {
            let own: Vec<f64> = energies.iter().skip(k).step_by(4).copied().collect();
            let at = 0.4 * ratio;
            let t = student(&own, torus.energy(beta(at)));
            assert!(t.abs() < BOUND, "{decision:?}, β = {at}: t = {t}");
            let twin = student(&own, torus.energy(beta(1.05 * at)));
            assert!(twin.abs() > BOUND, "{decision:?}, β = {at}: 5 % off is not seen, t = {twin}");
        }
    }
}

/// Replicas of one run overlap no more than replicas of different runs do. (With one random number for all replicas of a site they become
/// equal: then q² = 1.)
#[test]
fn overlaps_of_replicas_in_the_lanes_are_those_of_independent_runs() {
    let model = Hamiltonian::ferromagnet(Topology::square(16).unwrap());
    let run = |k: u64| {
        let update = Replicas::new(&model, Decision::HeatBath, Level::choose().unwrap()).unwrap();
        let start = ReplicaSpins::random(256, &mut Stream::new(0, Purpose::Initial, k, 0)).unwrap();
        let streams = Streams::new(0, Purpose::Test, k, update.blocks());
        let mut run = Run::new(&model, start, update, Schedule::Constant(beta(0.35)), streams);
        run.drive(&Plan { thermalization: 300, sweeps: 0, every: 1 }, |_| ControlFlow::Continue(()));
        run.finish().0
    };
    let (first, second) = (run(2), run(3));
    let half = REPLICAS / 2;
    let within: Vec<f64> = (0..half).map(|r| first.overlap(r, r + half)).collect();
    let across = |r: usize| {
        let (a, b) = (first.replica(r), second.replica(r));
        let sum: i32 = a.as_slice().iter().zip(b.as_slice()).map(|(&a, &b)| i32::from(a * b)).sum();
        f64::from(sum) / 256.0
    };
    let t = student(&within, 0.0);
    assert!(t.abs() < BOUND, "mean overlap: t = {t}");
    let excess: Vec<f64> = (0..half).map(|r| within[r].powi(2) - across(r + half).powi(2)).collect();
    let t = student(&excess, 0.0);
    assert!(t.abs() < BOUND, "q²: t = {t}");
    let twin: Vec<f64> = (0..half).map(|r| first.overlap(r, r).powi(2) - across(r).powi(2)).collect();
    assert!(student(&twin, 0.0) > BOUND, "equal replicas are not seen");
}
