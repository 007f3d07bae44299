//! Tempering on cached fields has the Boltzmann law; every method solves what brute force solves; a search that is broken off and
//! resumed ends as the uninterrupted one, and false checkpoints are refused.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ceas_sim::Error;
use ceas_sim::anneal::{Answer, Effort, Method, Settings, Watch, anneal, anneal_watched, default_reads};
use ceas_sim::beta::Beta;
use ceas_sim::couplings::CouplingRows;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::instance::Instance;
use ceas_sim::plan::Plan;
use ceas_sim::run::Run;
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::Topology;
use ceas_sim::update::{BetaGrid, CachedSpins, TemperedFields, Update};

fn stream(replica: u64) -> Stream {
    Stream::new(0, Purpose::Test, replica, 1)
}

/// Couplings of size `scale`: small whole multiples of it, or normal.
fn glass(topology: Topology, whole: bool, scale: f64, field: bool, seed: u64) -> Hamiltonian {
    let mut stream = stream(seed);
    let mut value = || scale * if whole { stream.below(5) as f64 - 2.0 } else { stream.normal() };
    let j = (0..topology.n_bonds()).map(|_| value()).collect();
    let h = (0..topology.n_sites()).map(|_| value()).collect();
    let field = if field { Field::PerSite(h) } else { Field::Zero };
    Hamiltonian::new(topology, Couplings::PerBond(j), field).unwrap()
}

fn energies(model: &Hamiltonian) -> Vec<f64> {
    let n = model.n_sites();
    let spins = |bits: u32| (0..n).map(|i| if bits >> i & 1 == 1 { 1 } else { -1 }).collect();
    (0..1u32 << n).map(|bits| model.energy(&Spins::from_values(spins(bits)).unwrap())).collect()
}

fn exact_energy(model: &Hamiltonian, beta: f64) -> f64 {
    let energies = energies(model);
    let ground = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = energies.iter().map(|e| (-beta * (e - ground)).exp()).collect();
    energies.iter().zip(&weights).map(|(e, w)| e * w).sum::<f64>() / weights.iter().sum::<f64>()
}

const BETAS: [f64; 3] = [0.1, 0.3, 0.6];

/// For every rung, Student's t of the mean energy of 48 independent ladders against the exact one at each of `factors` times its β.
fn students(model: &Hamiltonian, copies: usize, factors: [f64; 2]) -> [Vec<f64>; 2] {
    const LADDERS: u64 = 48;
    let rows = CouplingRows::<f32>::new(model).unwrap();
    let n = model.n_sites();
    let mut means = vec![Vec::new(); BETAS.len()];
    for ladder in 0..LADDERS {
        let grid = BetaGrid::new(BETAS.map(|b| Beta::new(b).unwrap()).to_vec()).unwrap();
        let schedule = Schedule::Constant(grid.coldest());
        let update = match copies {
            1 => TemperedFields::new(grid, &rows).unwrap(),
            _ => TemperedFields::pairs(grid, &rows).unwrap(),
        };
        let start = |r| CachedSpins::new(&rows, &Spins::random(n, &mut stream(1_000 + 10 * ladder + r)));
        let states = (0..update.replicas() as u64).map(start).collect();
        let streams = Streams::new(7, Purpose::Update, ladder, update.blocks());
        let mut run = Run::new(&rows, states, update, schedule, streams);
        let mut sums = [0.0; BETAS.len()];
        let plan = Plan { thermalization: 50, sweeps: 500, every: 1 };
        run.drive(&plan, |run| {
            for (r, state) in run.state().iter().enumerate() {
                sums[r / copies] += state.energy() / copies as f64;
            }
            ControlFlow::Continue(())
        });
        for state in run.state() {
            let exact = model.energy(&state.spins());
            assert!((state.energy() - exact).abs() < 1e-4, "{} against {exact}", state.energy());
        }
        assert!(run.update().swap_rates().iter().all(|swap| swap.accepted > 0));
        for (means, sum) in means.iter_mut().zip(sums) {
            means.push(sum / plan.sweeps as f64);
        }
    }
    let of = |factor: f64, (means, beta): (&Vec<f64>, f64)| {
        let n = means.len() as f64;
        let mean = means.iter().sum::<f64>() / n;
        let variance = means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean - exact_energy(model, factor * beta)) / (variance / n).sqrt()
    };
    factors.map(|factor| means.iter().zip(BETAS).map(|rung| of(factor, rung)).collect())
}

#[test]
fn every_rung_has_its_boltzmann_law_and_another_beta_is_seen() {
    // Twelve of the at most 200 checks of the family budget: |t| < 7.2 with 47 degrees of freedom.
    for (model, copies) in [
        (glass(Topology::complete(7).unwrap(), false, 1.0, true, 1), 1),
        (glass(Topology::complete(9).unwrap(), false, 0.5, true, 2), 2),
        (glass(Topology::square(3).unwrap(), false, 1.0, true, 3), 2),
        (glass(Topology::ring(9).unwrap(), true, 1.0, false, 4), 2),
    ] {
        let [t, twin] = students(&model, copies, [1.0, 0.9]);
        assert!(t.iter().all(|t| t.abs() < 7.2), "{t:?}");
        // The power twin: at a β 10 % off the warmer rungs, which decorrelate in a sweep, must fail.
        let t = twin;
        assert!(t.iter().any(|t| t.abs() > 7.2), "{t:?}");
    }
}

fn solve(instance: &Instance, method: Method, sweeps: u64, reads: u64) -> Answer {
    let settings = Settings::new(Effort::Counted { sweeps, reads }, 1).by(method);
    anneal(instance, &settings, &|| false).unwrap()
}

#[test]
fn every_method_solves_whatever_the_scale_of_the_weights() {
    for (number, scale) in [1.0, 1e5, 1e-7].into_iter().enumerate() {
        for (whole, field) in [(true, false), (true, true), (false, true)] {
            let model = glass(Topology::square(3).unwrap(), whole, scale, field, 10 + number as u64);
            let best = energies(&model).into_iter().fold(f64::INFINITY, f64::min);
            let instance = Instance::of(&model);
            for (method, reads) in
                [(Method::Annealing, 64), (Method::Tempering, 3), (Method::ClusterTempering, 3)]
            {
                let answer = solve(&instance, method, 100, reads);
                let off = (answer.best_energy - best).abs();
                assert!(off <= 1e-12 * best.abs(), "{method}, {scale}: {} not {best}", answer.best_energy);
                assert_eq!((answer.parts.len(), answer.parts[9].sweep), (10, 100));
                let falls = answer.parts.windows(2).all(|pair| pair[1].best <= pair[0].best);
                assert!(falls, "{:?}", answer.parts);
                let ladder = answer.ladder.as_ref().map(|ladder| ladder.rungs.len());
                assert_eq!(ladder.is_some(), method != Method::Annealing);
            }
        }
    }
}

#[test]
fn the_kernel_is_chosen_by_the_weights_and_said() {
    let whole = Instance::of(&glass(Topology::square(6).unwrap(), true, 3.0, false, 20));
    let real = Instance::of(&glass(Topology::square(6).unwrap(), false, 1.0, false, 20));
    let lanes = solve(&whole, Method::Annealing, 20, 600);
    assert!(lanes.kernel.starts_with("bit-parallel"), "{}", lanes.kernel);
    assert_eq!((lanes.reads, lanes.attempts), (600, 600 * 20 * 36));
    let few = solve(&whole, Method::Annealing, 20, 8);
    assert!(few.kernel.contains("too few reads"), "{}", few.kernel);
    let fields = solve(&real, Method::Annealing, 20, 600);
    assert!(fields.kernel.contains("no small whole multiples"), "{}", fields.kernel);
    assert_eq!(default_reads(&whole, Method::Annealing).unwrap(), 512);
    assert_eq!(default_reads(&real, Method::Annealing).unwrap(), 32);
    // Reads in the lanes are as independent as others: a bad cooling ends in as many places.
    let big = Instance::of(&glass(Topology::square(20).unwrap(), true, 1.0, true, 21));
    let mut values: Vec<_> =
        solve(&big, Method::Annealing, 2, 64).values.iter().map(|v| v.to_f64()).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    assert!(values.len() > 32, "{} distinct values in 64 reads", values.len());
}

#[test]
fn clusters_are_refused_where_they_percolate() {
    let mut stream = stream(30);
    let complete = Topology::complete(40).unwrap();
    let j = (0..complete.n_bonds()).map(|_| 2.0 * stream.below(2) as f64 - 1.0).collect();
    let dense = Instance::of(&Hamiltonian::new(complete, Couplings::PerBond(j), Field::Zero).unwrap());
    let settings = Settings::new(Effort::Counted { sweeps: 10, reads: 1 }, 1).by(Method::ClusterTempering);
    let error = anneal(&dense, &settings, &|| false).unwrap_err();
    assert!(matches!(error, Error::Percolates { n: 40, .. }), "{error}");
}

/// Everything but the clock.
fn timeless(mut answer: Answer) -> Answer {
    (answer.seconds, answer.setting_up) = (0.0, 0.0);
    answer.time_to_solution = None;
    answer
}

fn cases() -> Vec<(Instance, Settings)> {
    let whole = Instance::of(&glass(Topology::square(6).unwrap(), true, 1.0, true, 40));
    let real = Instance::of(&glass(Topology::complete(20).unwrap(), false, 1.0, true, 41));
    let sparse = Instance::of(&glass(Topology::square(5).unwrap(), false, 1.0, false, 42));
    let settings = |sweeps, reads| Settings::new(Effort::Counted { sweeps, reads }, 3);
    vec![
        (whole, settings(40, 520)),
        (real.clone(), settings(40, 5)),
        (real, settings(40, 2).by(Method::Tempering)),
        (sparse, settings(40, 2).by(Method::ClusterTempering)),
    ]
}

/// One leg of a search: broken off after so many questions.
fn leg(case: &(Instance, Settings), path: &Path, resume: bool, questions: u64) -> Result<Answer, Error> {
    let asked = AtomicU64::new(0);
    // The trial cooling and the placing of rungs ask too, and are made again in every leg.
    let interrupted = || asked.fetch_add(1, Ordering::Relaxed) >= questions;
    let watch = Watch {
        // Written at the end of the leg, whatever the disk.
        keep: Some((path.to_owned(), Duration::from_secs(3600))),
        resume: resume.then(|| path.to_owned()),
        ..Watch::new(&interrupted)
    };
    anneal_watched(&case.0, &case.1, &watch)
}

#[test]
fn a_search_resumed_equals_the_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    for (number, case) in cases().iter().enumerate() {
        let whole = timeless(anneal(&case.0, &case.1, &|| false).unwrap());
        let path = folder.path().join(format!("{number}.checkpoint"));
        let mut legs = 0;
        let found = loop {
            // At least as many as the setting-up asks, and some more each time.
            let questions = [310, 340, 350, 640, 660, 690][legs.min(5)] + 20 * legs as u64;
            // A leg that ends while the search is set up leaves no file.
            let found = leg(case, &path, path.exists(), questions).unwrap();
            legs += 1;
            if found.broken_off == 0 {
                break found;
            }
            assert!(legs < 100, "no progress");
        };
        assert!(legs > 1, "case {number} was never broken off");
        assert_eq!(timeless(found), whole, "case {number}");
        // A finished search is read, not made again.
        assert_eq!(timeless(leg(case, &path, true, 1 << 40).unwrap()), whole);
    }
}

#[test]
fn false_checkpoints_of_searches_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.checkpoint");
    let cases = cases();
    let case = &cases[3];
    leg(case, &path, false, 660).unwrap();
    let good = fs::read(&path).unwrap();
    let sum = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0xcbf2_9ce4_8422_2325u64, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
    };
    let mut stream = stream(50);
    for round in 0..90 {
        let mut bytes = good.clone();
        let at = stream.below(bytes.len() as u64) as usize;
        match round % 3 {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << (round % 8),
            _ => {
                // A lie with the checksum that fits it: refused, or a search that can be made.
                let value = [0, 0x7F, 0xFF][round / 3 % 3];
                let until = (at + 8).min(bytes.len() - 8);
                bytes[at.min(until)..until].fill(value);
                let body = bytes.len() - 8;
                let sum = sum(&bytes[..body]);
                bytes[body..].copy_from_slice(&sum.to_le_bytes());
            }
        }
        fs::write(&path, &bytes).unwrap();
        let result = leg(case, &path, true, 1 << 40);
        if round % 3 < 2 && bytes != good {
            assert!(matches!(result, Err(Error::Checkpoint { .. })), "{:?}", result.map(|a| a.best));
        }
    }
    fs::write(&path, &good).unwrap();
    let other = (case.0.clone(), Settings { seed: 4, ..case.1.clone() });
    let error = leg(&other, &path, true, 1 << 40).unwrap_err().to_string();
    assert!(error.contains("seed 4") && error.contains("seed 3"), "{error}");
    let problem = (cases[0].0.clone(), case.1.clone());
    assert!(leg(&problem, &path, true, 1 << 40).is_err());
    fs::remove_file(&path).unwrap();
    assert!(matches!(leg(case, &path, true, 1 << 40), Err(Error::Archive { .. })));
}
