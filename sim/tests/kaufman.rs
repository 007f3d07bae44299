//! Cluster updates against Kaufman's finite torus, L = 4 … 128, below, at and above β_c.
//!
//! Student's |t| < 6.8 with 63 degrees of freedom, and the same replicas held against a β off by 1 %, which must fail in the energy.

use ceas_sim::beta::Beta;
use ceas_sim::critical::{Cell, Dynamics, Effort, Family};
use ceas_sim::exact::{kaufman::Torus, onsager};
use ceas_sim::statistics::jackknife::jackknife;

const BOUND: f64 = 6.8;

#[test]
fn energy_and_specific_heat_of_every_size_are_kaufmans() {
    // As many sites in all for every size, but the largest.
    for (size, sweeps) in [(4, 12_000), (8, 3_000), (16, 800), (32, 200), (64, 60), (128, 24)] {
        let torus = Torus::new(size, size).unwrap();
        let dynamics = if size % 3 == 1 { Dynamics::Wolff } else { Dynamics::SwendsenWang };
        for at in [0.3, 0.42, onsager::BETA_C, 0.5] {
            let beta = Beta::new(at).unwrap();
            let effort = Effort { dynamics, replicas: 64, first: 0, thermalization: 20, sweeps, seed: 11 };
            let cell = Cell { family: Family::square(), size, beta };
            let measured = cell.simulate(&effort, &|| ()).unwrap();
            let n = (size * size) as f64;
            let energy = jackknife(&measured.samples, |a| a[0]);
            let heat = jackknife(&measured.samples, |a| at * at * n * (a[1] - a[0] * a[0]));
            let t = [energy.sigmas_from(torus.energy(beta)), heat.sigmas_from(torus.specific_heat(beta))];
            assert!(t.iter().all(|t| t.abs() < BOUND), "{dynamics}, L = {size}, β = {at}: t = {t:?}");
            let twin = energy.sigmas_from(torus.energy(Beta::new(1.01 * at).unwrap()));
            assert!(twin.abs() > BOUND, "{dynamics}, L = {size}, β = {at}: no power, t = {twin}");
        }
    }
}
