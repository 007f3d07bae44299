//! Averages of the cluster, kinetic and composed updates against enumeration.
//!
//! Error budget: t-tests over 64 independent replicas with |t| < 6.8 (probability 5e-9 each), at most 60 here of the at most 200 that share
//! 1e-6 per CI run. Each has a power twin, the same numbers against exact averages at a β 10 % higher (20 % for moments of m alone), which must fail.

mod chains;

use ceas_sim::beta::Beta;
use ceas_sim::exact::enumeration;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::kernel::Order;
use ceas_sim::ladder::Calibration;
use ceas_sim::plan::Plan;
use ceas_sim::run::Run;
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::Topology;
use ceas_sim::update::{
    BetaGrid, HeatBath, Houdayer, Kinetic, Ladder, Pair, Rule, SwendsenWang, Synchronous, Tempering, Update,
    Wolff,
};
use chains::{beta, student, uniform};
use std::ops::ControlFlow;

/// Sums of E, |m|, m² over what was measured, and how often.
#[derive(Default, Clone, Copy)]
struct Sums([f64; 3], f64);

impl Sums {
    fn add(&mut self, model: &Hamiltonian, spins: &Spins) {
        let m = spins.magnetization() as f64 / spins.len() as f64;
        self.add_numbers([model.energy(spins), m.abs(), m * m]);
    }

    fn add_numbers(&mut self, numbers: [f64; 3]) {
        self.0.iter_mut().zip(numbers).for_each(|(sum, x)| *sum += x);
        self.1 += 1.0;
    }

    fn means(self) -> [f64; 3] {
        self.0.map(|sum| sum / self.1)
    }
}

fn exact(model: &Hamiltonian, b: Beta) -> [f64; 3] {
    let exact = enumeration::averages(model, b).unwrap();
    [exact.energy, exact.abs_magnetization, exact.magnetization_2]
}

/// Runs 64 replicas and lets `see` add what it measures after every sweep.
fn replicas<U: Update<Model = Hamiltonian>>(
    model: &Hamiltonian,
    (b, sweeps): (Beta, u64),
    begin: impl Fn(u64) -> (U::State, U),
    mut see: impl FnMut(&Run<'_, U>, &mut Sums),
) -> Vec<[f64; 3]> {
    let plan = Plan { thermalization: 60, sweeps, every: 1 };
    (0..64)
        .map(|replica| {
            let (state, update) = begin(replica);
            let streams = Streams::new(4, Purpose::Test, replica, update.blocks());
            let mut run = Run::new(model, state, update, Schedule::Constant(b), streams);
            let mut sums = Sums::default();
            run.drive(&plan, |run| {
                see(run, &mut sums);
                ControlFlow::Continue(())
            });
            sums.means()
        })
        .collect()
}

/// The measured means agree with the exact ones at β; those at 1.1 β are told apart.
fn agrees(name: &str, model: &Hamiltonian, b: Beta, means: &[[f64; 3]]) {
    let t = |exact: [f64; 3]| {
        [0, 1, 2].map(|k| student(&means.iter().map(|means| means[k]).collect::<Vec<_>>(), exact[k]))
    };
    let right = t(exact(model, b));
    assert!(right.iter().all(|t| t.abs() < 6.8), "{name}: t = {right:?}");
    let wrong = t(exact(model, beta(1.1 * b.value())));
    assert!(wrong.iter().any(|t| t.abs() > 6.8), "{name} does not tell β from 1.1 β: t = {wrong:?}");
}

fn hot(model: &Hamiltonian, replica: u64, block: u64) -> Spins {
    Spins::random(model.n_sites(), &mut Stream::new(4, Purpose::Initial, replica, block))
}

/// A ±J square lattice of 4 × 4 in a weak random field.
fn glass() -> Hamiltonian {
    let topology = Topology::square(4).unwrap();
    let mut stream = Stream::new(50, Purpose::Instance, 0, 0);
    let couplings = (0..32).map(|_| 2.0 * stream.below(2) as f64 - 1.0).collect();
    let field = (0..16).map(|_| 0.2 * stream.normal()).collect();
    Hamiltonian::new(topology, Couplings::PerBond(couplings), Field::PerSite(field)).unwrap()
}

/// Sparse and without a field, so that the rarer sign of the overlap is taken.
fn sparse_glass() -> Hamiltonian {
    let mut stream = Stream::new(51, Purpose::Instance, 0, 0);
    let bonds: Vec<(u32, u32)> = (0..12).flat_map(|i| [(i, (i + 1) % 12), (i, (i + 5) % 12)]).collect();
    let couplings = bonds.iter().map(|_| stream.normal()).collect();
    let topology = Topology::from_bonds(12, &bonds).unwrap();
    Hamiltonian::new(topology, Couplings::PerBond(couplings), Field::Zero).unwrap()
}

fn models() -> Vec<(&'static str, Hamiltonian, Beta)> {
    vec![
        ("ferromagnet", uniform(Topology::square(4).unwrap(), 1.0, 0.0), beta(0.4)),
        ("ferromagnet in a field", uniform(Topology::square(4).unwrap(), 1.0, 0.05), beta(0.3)),
        ("antiferromagnet on an odd torus", uniform(Topology::square(3).unwrap(), -1.0, 0.0), beta(0.4)),
        ("complete graph", uniform(Topology::complete(12).unwrap(), 1.0 / 12.0, 0.0), beta(1.0)),
        ("glass", glass(), beta(0.6)),
    ]
}

#[test]
fn clusters_have_the_exact_averages() {
    for (name, model, b) in models() {
        let sw = |replica| (hot(&model, replica, 0), SwendsenWang::new(&model).unwrap());
        let means = replicas(&model, (b, 500), sw, |run, sums| sums.add(&model, run.state()));
        agrees(&format!("Swendsen-Wang, {name}"), &model, b, &means);
        let wolff = |replica| (hot(&model, replica, 0), Wolff::new(&model, 4).unwrap());
        let means = replicas(&model, (b, 500), wolff, |run, sums| sums.add(&model, run.state()));
        agrees(&format!("Wolff, {name}"), &model, b, &means);
    }
}

#[test]
fn improved_estimators_have_the_exact_moments_and_less_noise() {
    for (name, model, b) in models() {
        let begin = |replica| (hot(&model, replica, 0), SwendsenWang::new(&model).unwrap());
        let improved = replicas(&model, (b, 2_000), begin, |run, sums| {
            let m = run.update().moments();
            sums.add_numbers([m.magnetization, m.magnetization_2, m.magnetization_4]);
        });
        let plain = replicas(&model, (b, 2_000), begin, |run, sums| {
            let m = run.state().magnetization() as f64 / model.n_sites() as f64;
            sums.add_numbers([m, m * m, m.powi(4)]);
        });
        let moments = |b: Beta| {
            let exact = enumeration::averages(&model, b).unwrap();
            [exact.magnetization, exact.magnetization_2, exact.magnetization_4]
        };
        let column = |means: &[[f64; 3]], k: usize| means.iter().map(|means| means[k]).collect::<Vec<_>>();
        let variance = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / 64.0;
            values.iter().map(|x| (x - mean).powi(2)).sum::<f64>()
        };
        let t = |b: Beta| [0, 1, 2].map(|k| student(&column(&improved, k), moments(b)[k]));
        let right = t(b);
        assert!(right.iter().all(|t| t.abs() < 6.8), "{name}: t = {right:?}");
        let wrong = t(beta(1.2 * b.value()));
        assert!(wrong.iter().any(|t| t.abs() > 6.8), "{name} does not tell β from 1.2 β: t = {wrong:?}");
        // Averaging over orientations lowers the variance (Rao and Blackwell); without a field, that of ⟨m⟩ to nothing.
        if model.is_field_free() {
            assert_eq!(variance(&column(&improved, 0)), 0.0, "{name}");
            assert!(variance(&column(&plain, 0)) > 0.0, "{name}");
        }
    }
}

#[test]
fn wolff_clusters_estimate_the_square_of_the_magnetization() {
    for (name, model, b) in models().into_iter().filter(|(_, model, _)| model.is_field_free()) {
        let begin = |replica| (hot(&model, replica, 0), Wolff::new(&model, 4).unwrap());
        let means = replicas(&model, (b, 500), begin, |run, sums| {
            sums.add_numbers([run.update().magnetization_2().unwrap(); 3]);
        });
        let means: Vec<f64> = means.iter().map(|means| means[0]).collect();
        let exact = |b| enumeration::averages(&model, b).unwrap().magnetization_2;
        assert!(student(&means, exact(b)).abs() < 6.8, "{name}");
        assert!(student(&means, exact(beta(1.1 * b.value()))).abs() > 6.8, "{name}");
    }
}

#[test]
fn tempering_has_the_exact_averages_on_its_hottest_and_coldest_rung() {
    for (name, model) in [("glass", glass()), ("sparse glass", sparse_glass())] {
        let grid = BetaGrid::geometric(beta(0.3), beta(1.2), 5).unwrap();
        let inner = HeatBath::in_order(&model, Order::Index).unwrap();
        let begin = |replica| {
            let ladder = Ladder::new((0..5).map(|r| hot(&model, replica, r)).collect()).unwrap();
            (ladder, Tempering::new(grid.clone(), inner.clone()))
        };
        for rung in [0, 4] {
            let means = replicas(&model, (grid.coldest(), 1_000), begin, |run, sums| {
                sums.add(&model, &run.state().rungs()[rung]);
            });
            agrees(&format!("tempering, {name}, rung {rung}"), &model, grid.betas()[rung], &means);
        }
    }
}

#[test]
fn houdayer_pairs_have_the_exact_averages_alone_and_on_a_ladder() {
    for (name, model) in [("glass", glass()), ("sparse glass", sparse_glass())] {
        let inner = || HeatBath::in_order(&model, Order::Index).unwrap();
        let houdayer = || Houdayer::new(&model, inner()).unwrap();
        let pair = |replica, r| Pair::new(hot(&model, replica, r), hot(&model, replica, r + 9)).unwrap();
        let b = beta(0.6);
        let means = replicas(
            &model,
            (b, 400),
            |replica| (pair(replica, 0), houdayer()),
            |run, sums| {
                run.state().both().iter().for_each(|spins| sums.add(&model, spins));
            },
        );
        agrees(&format!("Houdayer, {name}"), &model, b, &means);
        let grid = BetaGrid::geometric(beta(0.3), beta(1.2), 4).unwrap();
        let begin = |replica| {
            let ladder = Ladder::new((0..4).map(|r| pair(replica, r)).collect()).unwrap();
            (ladder, Tempering::new(grid.clone(), houdayer()))
        };
        let means = replicas(&model, (grid.coldest(), 300), begin, |run, sums| {
            run.state().coldest().both().iter().for_each(|spins| sums.add(&model, spins));
        });
        agrees(&format!("tempering with Houdayer, {name}"), &model, grid.coldest(), &means);
    }
}

/// ⟨q²⟩ of the pair needs the *joint* law of both replicas, which each of them alone does not show.
#[test]
fn the_overlap_of_a_pair_is_that_of_independent_replicas() {
    let model = sparse_glass();
    let n = model.n_sites();
    // ⟨q²⟩ = (1/N²) Σ_ij ⟨s_i s_j⟩²
    let square = |b: Beta| {
        let (mut z, mut correlations) = (0.0, vec![0.0; n * n]);
        enumeration::visit(&model, |spins, energy| {
            let weight = (-b.value() * energy).exp();
            z += weight;
            for i in 0..n {
                for j in 0..n {
                    correlations[n * i + j] += weight * f64::from(spins.get(i) * spins.get(j));
                }
            }
        })
        .unwrap();
        correlations.iter().map(|c| (c / z).powi(2)).sum::<f64>() / (n * n) as f64
    };
    let b = beta(0.7);
    let begin = |replica| {
        let inner = HeatBath::in_order(&model, Order::Index).unwrap();
        let pair = Pair::new(hot(&model, replica, 0), hot(&model, replica, 1)).unwrap();
        (pair, Houdayer::new(&model, inner).unwrap())
    };
    let means = replicas(&model, (b, 500), begin, |run, sums| {
        sums.add_numbers([run.state().overlap().powi(2); 3]);
    });
    let means: Vec<f64> = means.iter().map(|means| means[0]).collect();
    assert!(student(&means, square(b)).abs() < 6.8);
    assert!(student(&means, square(beta(1.1 * b.value()))).abs() > 6.8);
}

#[test]
fn time_averages_and_equal_times_have_the_exact_averages() {
    for (name, model, b) in models() {
        for rule in [Rule::Metropolis, Rule::HeatBath] {
            let begin = |replica| (hot(&model, replica, 0), Kinetic::new(&model, rule).unwrap());
            let means = replicas(&model, (b, 500), begin, |run, sums| sums.add(&model, run.state()));
            agrees(&format!("{rule:?} at equal times, {name}"), &model, b, &means);
            let mut before = Default::default();
            let means = replicas(&model, (b, 500), begin, |run, sums| {
                let now = run.update().integrals();
                let seen = (now - before).means();
                before = now;
                // The first difference reaches back to the start, or to another replica.
                if run.sweeps() > 61 {
                    sums.add_numbers([seen.energy, seen.abs_magnetization, seen.magnetization_2]);
                }
            });
            agrees(&format!("{rule:?} over time, {name}"), &model, b, &means);
        }
    }
}

/// The wrong law, measured: the synchronous update misses the exact energy by far, and would pass for no test above.
#[test]
fn the_synchronous_update_fails_the_same_test() {
    for (name, model, b) in models() {
        let begin = |replica| (hot(&model, replica, 0), Synchronous::new(&model).unwrap());
        let means = replicas(&model, (b, 500), begin, |run, sums| sums.add(&model, run.state()));
        let energies: Vec<f64> = means.iter().map(|means| means[0]).collect();
        let t = student(&energies, exact(&model, b)[0]);
        assert!(t.abs() > 6.8, "{name}: t = {t}");
    }
}

#[test]
fn a_calibrated_ladder_rejects_equally_often_on_every_interval() {
    let model = uniform(Topology::square(8).unwrap(), 1.0, 0.0);
    let inner = HeatBath::new(&model).unwrap();
    let wanted = Calibration { hottest: beta(0.1), coldest: beta(0.8), rungs: None, sweeps: 100, seed: 0 };
    let found = wanted.run(&model, &inner).unwrap();
    let update = Tempering::new(found.grid.clone(), inner.clone());
    let streams = Streams::new(4, Purpose::Test, 0, update.blocks());
    let schedule = Schedule::Constant(found.grid.coldest());
    let mut run = Run::new(&model, found.ladder, update, schedule, streams);
    let plan = Plan { thermalization: 0, sweeps: 4_000, every: 1 };
    run.drive(&plan, |_| ControlFlow::Continue(()));
    let rejections = run.update().rejections();
    let mean = rejections.iter().sum::<f64>() / rejections.len() as f64;
    let uneven = |rejections: &[f64]| rejections.iter().map(|r| (r / mean - 1.0).abs()).fold(0.0, f64::max);
    assert!(uneven(&rejections) < 0.25, "{rejections:?}");
    assert!((found.barrier / rejections.iter().sum::<f64>() - 1.0).abs() < 0.1);
    assert!(run.update().journeys() > 10, "{} journeys", run.update().journeys());
    // The twin: equal steps of β reject unequally.
    let even = BetaGrid::linear(found.grid.hottest(), found.grid.coldest(), found.grid.rungs()).unwrap();
    let update = Tempering::new(even.clone(), inner);
    let ladder = Ladder::new((0..even.rungs() as u64).map(|r| hot(&model, 0, r)).collect()).unwrap();
    let streams = Streams::new(4, Purpose::Test, 1, update.blocks());
    let mut run = Run::new(&model, ladder, update, Schedule::Constant(even.coldest()), streams);
    run.drive(&plan, |_| ControlFlow::Continue(()));
    assert!(uneven(&run.update().rejections()) > 0.25);
}
