//! Reweighting against enumeration, Kaufman's torus and itself.
//!
//! Sampled checks are Student's |t| < 6.8 with 63 degrees of freedom: a right one fails once in 2·10⁸. Each has a twin that must fail.

use ceas_sim::beta::Beta;
use ceas_sim::critical::{AVERAGES, Cell, Dynamics, Effort, Family, Measured, SizeCurves};
use ceas_sim::exact::{enumeration, kaufman::Torus};
use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::spins::Spins;
use ceas_sim::statistics::{Estimate, Histogram, MultiHistogram};
use ceas_sim::topology::Topology;

const BOUND: f64 = 6.8;

fn beta(value: f64) -> Beta {
    Beta::new(value).unwrap()
}

/// The 3 × 3 torus: every configuration with its weight, by its energy.
fn enumerated(model: &Hamiltonian, at: f64, times: f64) -> Histogram<3> {
    let mut all = Histogram::default();
    for bits in 0..1u32 << 9 {
        let mut spins = Spins::up(9);
        (0..9).filter(|i| bits >> i & 1 == 1).for_each(|i| spins.flip(i));
        let (e, m) = (model.energy(&spins), spins.magnetization() as f64 / 9.0);
        let mut one = Histogram::default();
        one.add(-e as i64, &[e, m * m, m.powi(4)]);
        all.merge(&one, times * (-at * e).exp());
    }
    all
}

#[test]
fn exact_histograms_give_exact_averages_at_every_beta() {
    let model = Hamiltonian::ferromagnet(Topology::square(3).unwrap());
    let [a, b] = [(0.2, 1.0), (0.35, 0.3)].map(|(at, times)| (at, enumerated(&model, at, times)));
    let alone = MultiHistogram::new(&[(a.0, &a.1)]).unwrap();
    let both = MultiHistogram::new(&[(b.0, &b.1), (a.0, &a.1)]).unwrap();
    for at in [0.0, 0.1, 0.2, 0.3, 0.35, 0.5, 1.0] {
        let exact = enumeration::averages(&model, beta(at)).unwrap();
        let exact = [exact.energy, exact.magnetization_2, exact.magnetization_4];
        for found in [alone.averages(at), both.averages(at)] {
            let same = found.iter().zip(exact).all(|(x, y)| (x - y).abs() < 1e-8 * y.abs().max(1e-3));
            assert!(same, "β = {at}: {found:?} against {exact:?}");
        }
    }
    assert!((alone.efficiency(0.2) - 1.0).abs() < 1e-12 && alone.efficiency(1.0) < 0.5);
}

#[test]
fn what_cannot_be_reweighted_is_refused() {
    let model = Hamiltonian::ferromagnet(Topology::square(3).unwrap());
    let hot = enumerated(&model, 0.2, 1.0);
    assert!(MultiHistogram::<3>::new(&[]).is_err());
    assert!(MultiHistogram::new(&[(0.2, &hot), (0.3, &Histogram::default())]).is_err());
    assert!(MultiHistogram::new(&[(f64::NAN, &hot)]).is_err());
    let mut far = Histogram::default();
    (0..50).for_each(|i| far.add(1_000 + i % 3, &[0.0; 3]));
    let error = MultiHistogram::new(&[(0.2, &hot), (0.9, &far)]).unwrap_err();
    assert!(error.to_string().contains("too far apart"));
}

fn run(dynamics: Dynamics, size: usize, at: f64, sweeps: u64) -> Measured {
    let effort = Effort { dynamics, replicas: 64, first: 0, thermalization: 20, sweeps, seed: 3 };
    let cell = Cell { family: Family::square(), size, beta: beta(at) };
    cell.simulate(&effort, &|| ()).unwrap()
}

/// Averages at another β from several runs, with errors by leaving replicas out.
fn reweighted(runs: &[Measured], at: f64, f: impl Fn(&[f64; AVERAGES]) -> f64) -> Estimate {
    let totals: Vec<(f64, Histogram<AVERAGES>)> = runs
        .iter()
        .map(|m| {
            let mut all = Histogram::default();
            m.histograms().for_each(|h| all.merge(h, 1.0));
            (m.theta(), all)
        })
        .collect();
    let pairs: Vec<_> = totals.iter().map(|(theta, h)| (*theta, h)).collect();
    let multi = MultiHistogram::new(&pairs).unwrap();
    let theta = runs[0].theta_at(at);
    let left_out = |replica: usize| {
        let mut without = multi.clone();
        runs.iter().for_each(|m| without.take(m.theta(), m.histograms().nth(replica).unwrap()));
        without.settle();
        f(&without.averages(theta))
    };
    let left: Vec<f64> = (0..64).map(left_out).collect();
    // Pseudo-values are nearly independent.
    let mean = f(&multi.averages(theta));
    let pseudo: Vec<f64> = left.iter().map(|x| 64.0 * mean - 63.0 * x).collect();
    Estimate::of_independent(&pseudo)
}

/// Energies of the torus at β = 0.4 from runs at other β, one and two of them, by energy and by open bonds.
#[test]
fn energies_at_another_beta_are_kaufmans() {
    for (size, sweeps, known) in [(16, 800, -1.131_32), (32, 200, -1.107_29), (64, 60, -1.106_08)] {
        let exact = Torus::new(size, size).unwrap().energy(beta(0.4));
        assert!((exact - known).abs() < 1e-5, "L = {size}: {exact}");
        let width = 0.1 / size as f64;
        for dynamics in [Dynamics::Wolff, Dynamics::SwendsenWang] {
            let below = run(dynamics, size, 0.4 - width, sweeps);
            let above = run(dynamics, size, 0.4 + 1.5 * width, sweeps);
            let plain: Vec<f64> = below.samples.rows().iter().map(|row| row[0]).collect();
            let one = reweighted(std::slice::from_ref(&below), 0.4, |a| a[0]);
            let two = reweighted(&[below, above], 0.4, |a| a[0]);
            for found in [one, two] {
                let t = found.sigmas_from(exact);
                assert!(t.abs() < BOUND, "{dynamics}, L = {size}: {found:?} against {exact}, t = {t}");
            }
            assert!(two.error < one.error);
            // Twin: the same runs without their weights.
            assert!(
                Estimate::of_independent(&plain).sigmas_from(exact).abs() > BOUND,
                "{dynamics}, L = {size}"
            );
        }
    }
}

/// Improved moments are functions of the clusters, and follow the open bonds: on the 4 × 4 torus, from β = 0.3 to 0.36.
#[test]
fn moments_of_clusters_are_reweighted_by_their_open_bonds() {
    let model = Hamiltonian::ferromagnet(Topology::square(4).unwrap());
    let exact = |at: f64| {
        let exact = enumeration::averages(&model, beta(at)).unwrap();
        [exact.magnetization_2, exact.magnetization_4, exact.abs_magnetization]
    };
    for dynamics in [Dynamics::SwendsenWang, Dynamics::Wolff] {
        let runs = [run(dynamics, 4, 0.3, 4_000)];
        for (k, column) in [3, 4, 2].into_iter().enumerate() {
            let found = reweighted(&runs, 0.36, |a| a[column]);
            let [right, wrong] = [0.36, 0.35].map(|at| found.sigmas_from(exact(at)[k]));
            assert!(right.abs() < BOUND, "{dynamics}, average {column}: t = {right}");
            assert!(wrong.abs() > BOUND, "{dynamics}, average {column}: no power, t = {wrong}");
        }
    }
}

/// A curve is its averages: U₄ and ξ/L of the run itself at the run's β, and Kaufman's slope of the energy beside it.
#[test]
fn a_curve_goes_through_the_run_it_is_made_of() {
    let measured = run(Dynamics::Wolff, 8, 0.43, 500);
    let curves = SizeCurves::new(&[&measured]).unwrap();
    let [_, _, m, m2, m4, f] = measured.samples.mean();
    let wave = 16.0 * (std::f64::consts::PI / 8.0).sin();
    let expected = [1.0 - m4 / (3.0 * m2 * m2), (64.0 * m2 / f - 1.0).sqrt() / wave, m2.ln(), m.ln()];
    for (which, expected) in expected.into_iter().enumerate() {
        let (found, slope) = curves.all.at(which, 0.43);
        assert!((found - expected).abs() < 1e-6, "{which}: {found} against {expected}");
        let step = 1e-5;
        let rise = (curves.all.at(which, 0.43 + step).0 - curves.all.at(which, 0.43 - step).0) / (2.0 * step);
        assert!((slope - rise).abs() < 1e-5 * rise.abs(), "{which}: slope {slope} against {rise}");
    }
}
