//! Sampled averages against exact ones: 64 independent replicas of every update on small tori.
//!
//! Each check is Student's |t| < 6.8 with 63 degrees of freedom: a right sampler fails one in 2·10⁸ of them. Each has a *twin*: the same
//! replicas held against the exact answer of a β a few per cent larger, as if the sampler's β were off, which must fail.

use ceas_sim::beta::Beta;
use ceas_sim::critical::{AVERAGES, Cell, Dynamics, Effort, Family, Measured};
use ceas_sim::exact::{enumeration, kaufman::Torus};
use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::statistics::jackknife::jackknife;
use ceas_sim::topology::Topology;

const BOUND: f64 = 6.8;
const ALL: [Dynamics; 4] =
    [Dynamics::HeatBath, Dynamics::Metropolis, Dynamics::SwendsenWang, Dynamics::Wolff];

fn beta(value: f64) -> Beta {
    Beta::new(value).unwrap()
}

fn replicas(dynamics: Dynamics, size: usize, at: f64, sweeps: u64) -> Measured {
    let effort = Effort { dynamics, replicas: 64, first: 0, thermalization: 200, sweeps, seed: 0 };
    let cell = Cell { family: Family::square(), size, beta: beta(at) };
    cell.simulate(&effort, &|| ()).unwrap()
}

/// The check and its twin: `exact` as a function of β, `off` the relative error of β that must be seen.
fn check(
    name: &str,
    measured: &Measured,
    f: impl Fn(&[f64; AVERAGES]) -> f64,
    exact: impl Fn(f64) -> f64,
    off: f64,
) {
    let at = measured.cell.beta.value();
    let estimate = jackknife(&measured.samples, f);
    let t = estimate.sigmas_from(exact(at));
    assert!(t.abs() < BOUND, "{name}: {estimate:?} against {}, t = {t}", exact(at));
    let twin = estimate.sigmas_from(exact(at * (1.0 + off)));
    assert!(twin.abs() > BOUND, "{name}: β off by {off} is not seen, t = {twin}");
}

#[test]
fn every_update_samples_the_4_by_4_torus() {
    let model = Hamiltonian::ferromagnet(Topology::square(4).unwrap());
    let exact = |b: f64| enumeration::averages(&model, beta(b)).unwrap();
    for dynamics in ALL {
        for at in [0.3, 0.44] {
            let measured = replicas(dynamics, 4, at, 10_000);
            let name = |what: &str| format!("{dynamics} at β = {at}: {what}");
            check(&name("energy"), &measured, |a| a[0], |b| exact(b).energy_per_site(), 0.02);
            check(&name("|m|"), &measured, |a| a[2], |b| exact(b).abs_magnetization, 0.02);
            check(&name("m²"), &measured, |a| a[3], |b| exact(b).magnetization_2, 0.02);
            check(&name("m⁴"), &measured, |a| a[4], |b| exact(b).magnetization_4, 0.02);
        }
        // Well below the transition, where C rises steeply enough for a twin.
        let measured = replicas(dynamics, 4, 0.25, 10_000);
        let specific_heat = |a: &[f64; AVERAGES]| 0.25 * 0.25 * 16.0 * (a[1] - a[0] * a[0]);
        check(&format!("{dynamics}: C"), &measured, specific_heat, |b| exact(b).specific_heat(), 0.05);
    }
}

#[test]
fn every_update_samples_kaufmans_torus() {
    let torus = Torus::new(8, 8).unwrap();
    for dynamics in ALL {
        let measured = replicas(dynamics, 8, 0.35, 5_000);
        let energy = |b: f64| torus.energy(beta(b));
        check(&format!("{dynamics}: energy"), &measured, |a| a[0], energy, 0.02);
        let specific_heat = |a: &[f64; AVERAGES]| 0.35 * 0.35 * 64.0 * (a[1] - a[0] * a[0]);
        let exact = |b: f64| torus.specific_heat(beta(b));
        check(&format!("{dynamics}: C"), &measured, specific_heat, exact, 0.05);
    }
}

/// In the disordered phase ξ is the exact decay length along an axis, 1/ξ = ln coth β − 2β, to the few per cent by which the second moment
/// and a lattice of 5 ξ differ from it.
#[test]
fn the_second_moment_correlation_length_is_that_of_the_infinite_lattice() {
    let measured = replicas(Dynamics::Wolff, 32, 0.36, 600);
    let wave = 2.0 * (std::f64::consts::PI / 32.0).sin();
    let xi = jackknife(&measured.samples, |a| (1024.0 * a[3] / a[5] - 1.0).sqrt() / wave);
    let exact = 1.0 / ((1.0 / 0.36f64.tanh()).ln() - 0.72);
    let bound = BOUND * xi.error + 0.04 * exact;
    assert!((xi.mean - exact).abs() < bound, "{xi:?} against {exact}");
    // Twin: at a β smaller by 5 % the exact length is out of reach.
    let other = 1.0 / ((1.0 / 0.342f64.tanh()).ln() - 0.684);
    assert!((xi.mean - other).abs() > bound, "{xi:?} against {other}: no power");
}
