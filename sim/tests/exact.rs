//! Exact answers against each other: every closed form against enumeration or its own limit.

use std::collections::BTreeMap;
use std::f64::consts::{LN_2, PI};

use ceas_sim::beta::Beta;
use ceas_sim::exact::chain::{Chain, Ends};
use ceas_sim::exact::curie_weiss::CurieWeiss;
use ceas_sim::exact::kaufman::Torus;
use ceas_sim::exact::{enumeration, onsager, yang};
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::topology::Topology;

fn beta(value: f64) -> Beta {
    Beta::new(value).unwrap()
}

/// A torus as a list of bonds; the two bonds that meet on a side of 2 are one of twice the coupling.
fn torus(width: usize, height: usize) -> Hamiltonian {
    let site = |x: usize, y: usize| ((y % height) * width + x % width) as u32;
    let mut couplings = BTreeMap::new();
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        for other in [site(x + 1, y), site(x, y + 1)] {
            let bond = (site(x, y).min(other), site(x, y).max(other));
            *couplings.entry(bond).or_insert(0.0) += 1.0;
        }
    }
    let bonds: Vec<_> = couplings.keys().copied().collect();
    let topology = Topology::from_bonds(width * height, &bonds).unwrap();
    let couplings = Couplings::PerBond(couplings.into_values().collect());
    Hamiltonian::new(topology, couplings, Field::Zero).unwrap()
}

fn close(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{what}: {a} against {b}");
}

#[test]
fn kaufman_is_enumeration_on_every_small_torus() {
    // Even and odd sides, both orders, and the doubled bonds of a side of 2.
    for (width, height) in [(4, 4), (3, 3), (3, 4), (4, 3), (5, 3), (3, 5), (2, 2), (2, 3), (2, 5), (6, 2)] {
        let model = torus(width, height);
        let torus = Torus::new(width, height).unwrap();
        for b in [0.0, 0.05, 0.2, 0.4, onsager::BETA_C, 0.5, 1.0, 2.5] {
            let exact = enumeration::averages(&model, beta(b)).unwrap();
            let name = format!("{width} × {height} at β = {b}");
            close(torus.ln_partition(beta(b)), exact.ln_partition, 1e-12, &name);
            close(torus.energy(beta(b)), exact.energy_per_site(), 1e-11, &name);
            close(torus.specific_heat(beta(b)), exact.specific_heat(), 1e-10, &name);
        }
    }
}

#[test]
fn kaufman_at_beta_0_4_and_its_approach_to_onsager() {
    for (side, energy) in [(16, -1.13132), (32, -1.10729), (64, -1.10608)] {
        close(Torus::new(side, side).unwrap().energy(beta(0.4)), energy, 5e-6, &format!("L = {side}"));
    }
    let torus = Torus::new(512, 512).unwrap();
    for b in [0.1, 0.3, 0.4, 0.48, 0.7, 1.2] {
        close(torus.energy(beta(b)), onsager::energy(beta(b)), 1e-9, &format!("u at {b}"));
        close(torus.specific_heat(beta(b)), onsager::specific_heat(beta(b)), 1e-7, &format!("C at {b}"));
    }
    let torus = Torus::new(1024, 1024).unwrap();
    for b in [0.1, 0.44, onsager::BETA_C, 0.441, 0.6, 2.0] {
        let c = torus.specific_heat(beta(b));
        assert!(torus.energy(beta(b)).is_finite() && c.is_finite() && c >= 0.0, "β = {b}: C = {c}");
    }
}

/// At the transition the energy is −√2 plus a correction in 1/L, and the specific heat grows with ln L.
#[test]
fn kaufman_at_the_transition_scales() {
    let excess = |side| Torus::new(side, side).unwrap().energy(beta(onsager::BETA_C)) + 2f64.sqrt();
    for side in [32, 128, 512] {
        close(excess(side) / excess(2 * side), 2.0, 1e-3, &format!("L = {side}"));
    }
    let c = |side| Torus::new(side, side).unwrap().specific_heat(beta(onsager::BETA_C));
    let step = 8.0 / PI * onsager::BETA_C.powi(2) * LN_2;
    close(c(1024) - c(512), step, 1e-3, "C(1024) − C(512)");
}

#[test]
fn kaufman_is_the_same_turned_over() {
    for (a, b) in [(6, 10), (7, 12), (33, 64)] {
        for x in [0.2, 0.44, 0.9] {
            let (one, other) = (Torus::new(a, b).unwrap(), Torus::new(b, a).unwrap());
            close(one.ln_partition(beta(x)), other.ln_partition(beta(x)), 1e-12, "ln Z");
            close(one.specific_heat(beta(x)), other.specific_heat(beta(x)), 1e-9, "C");
        }
    }
}

#[test]
fn duality_relates_the_two_phases() {
    for b in [0.05, 0.2, 0.4, onsager::BETA_C, 0.6, 1.5] {
        let dual = onsager::dual(b);
        close((2.0 * b).sinh() * (2.0 * dual).sinh(), 1.0, 1e-12, "sinh 2β sinh 2β*");
        close(onsager::dual(dual), b, 1e-12, "dual of the dual");
        // ln Z/N − ½ ln sinh 2β is the same at β and β*; its derivative, with dβ*/dβ = −1/sinh 2β:
        let coth = |x: f64| 1.0 / (2.0 * x).tanh();
        let left = -onsager::energy(beta(b)) - coth(b);
        let right = (onsager::energy(beta(dual)) + coth(dual)) / (2.0 * b).sinh();
        close(left, right, 1e-10, &format!("energies at {b} and {dual}"));
    }
    close(onsager::dual(onsager::BETA_C), onsager::BETA_C, 1e-14, "the self-dual point");
    close(onsager::BETA_C, (1.0 + 2f64.sqrt()).ln() / 2.0, 1e-15, "β_c");
}

#[test]
fn onsager_is_the_derivative_of_itself_and_joins_its_series() {
    let h = 1e-5;
    for b in [0.01, 0.15, 0.4, 0.43, 0.46, 0.8, 1.4] {
        let slope = (onsager::energy(beta(b + h)) - onsager::energy(beta(b - h))) / (2.0 * h);
        close(onsager::specific_heat(beta(b)), -b * b * slope, 1e-6, &format!("C at {b}"));
    }
    let jump = |f: fn(Beta) -> f64| f(beta(0.02)) - f(beta(0.02 - 1e-15));
    assert!(jump(onsager::energy).abs() < 1e-12, "u jumps by {}", jump(onsager::energy));
    assert!(jump(onsager::specific_heat).abs() < 1e-12, "C jumps by {}", jump(onsager::specific_heat));
    assert_eq!(onsager::energy(beta(0.0)), 0.0);
    assert!(onsager::specific_heat(beta(onsager::BETA_C)) > 5.0);
    close(onsager::energy(beta(20.0)), -2.0, 1e-12, "ground state");
    close(yang::magnetization(beta(20.0)), 1.0, 1e-12, "ground state");
}

#[test]
fn chain_is_enumeration() {
    let sites = 9;
    for ends in [Ends::Ring, Ends::Open] {
        for (coupling, field) in [(1.0, 0.0), (-0.7, 0.3), (0.4, -1.1)] {
            let topology = match ends {
                Ends::Ring => Topology::ring(sites),
                Ends::Open => Topology::open_chain(sites),
            };
            let (couplings, fields) = (Couplings::Uniform(coupling), Field::Uniform(field));
            let model = Hamiltonian::new(topology.unwrap(), couplings, fields).unwrap();
            let chain = Chain::new(sites, coupling, field, ends).unwrap();
            for b in [0.0, 0.3, 1.0, 2.0] {
                let exact = enumeration::averages(&model, beta(b)).unwrap();
                let name = format!("{ends:?}, J = {coupling}, h = {field}, β = {b}");
                close(chain.ln_partition(beta(b)), exact.ln_partition, 1e-12, &name);
                close(chain.energy(beta(b)), exact.energy, 1e-11, &name);
                close(chain.specific_heat(beta(b)), exact.specific_heat(), 1e-11, &name);
                let total: f64 = (0..sites).map(|i| chain.magnetization(beta(b), i).unwrap()).sum();
                close(total / sites as f64, exact.magnetization, 1e-11, &name);
                let squared: f64 = (0..sites)
                    .flat_map(|i| (0..sites).map(move |j| (i, j)))
                    .map(|(i, j)| chain.correlation(beta(b), i, j).unwrap())
                    .sum();
                close(squared / (sites * sites) as f64, exact.magnetization_2, 1e-11, &name);
            }
        }
    }
    let long = Chain::new(1_000_000, 1.0, 0.0, Ends::Ring).unwrap();
    close(long.energy(beta(1.0)) / 1e6, -1f64.tanh(), 1e-9, "a long ring");
    assert!(Chain::new(1, 1.0, 0.0, Ends::Ring).is_err());
    assert!(long.correlation(beta(1.0), 0, 1_000_000).is_err());
}

#[test]
fn curie_weiss_is_enumeration_on_the_complete_graph() {
    let sites = 12;
    for (coupling, field) in [(1.0, 0.0), (1.0, 0.2), (-0.5, 0.0)] {
        let couplings = Couplings::Uniform(coupling / sites as f64);
        let topology = Topology::complete(sites).unwrap();
        let model = Hamiltonian::new(topology, couplings, Field::Uniform(field)).unwrap();
        let graph = CurieWeiss::new(coupling, field).unwrap();
        for b in [0.0, 0.5, 1.0, 1.7] {
            let a = graph.finite(sites, beta(b)).unwrap();
            let e = enumeration::averages(&model, beta(b)).unwrap();
            let name = format!("J = {coupling}, h = {field}, β = {b}");
            close(a.ln_partition, e.ln_partition, 1e-12, &name);
            close(a.energy, e.energy, 1e-11, &name);
            close(a.energy_variance, e.energy_variance, 1e-11, &name);
            close(a.magnetization, e.magnetization, 1e-11, &name);
            close(a.abs_magnetization, e.abs_magnetization, 1e-11, &name);
            close(a.binder(), e.binder(), 1e-10, &name);
            close(a.susceptibility(), e.susceptibility(), 1e-10, &name);
        }
    }
}

#[test]
fn curie_weiss_approaches_its_limit() {
    for (b, field) in [(0.5, 0.0), (1.5, 0.0), (0.8, 0.3), (1.2, -0.1)] {
        let graph = CurieWeiss::new(1.0, field).unwrap();
        let finite = graph.finite(1_000_000, beta(b)).unwrap();
        close(finite.energy_per_site(), graph.limit_energy(beta(b)), 1e-5, "energy");
        if field != 0.0 {
            close(finite.magnetization, graph.limit_magnetization(beta(b)), 1e-5, "m");
        }
    }
    // At β_c the law of x = m N^(1/4) is exp(−x⁴/12): ⟨m⁴⟩/⟨m²⟩² = Γ(5/4)Γ(1/4)/Γ(3/4)², approached as N^(−1/2).
    let ratio = libm::tgamma(1.25) * libm::tgamma(0.25) / libm::tgamma(0.75).powi(2);
    let critical = CurieWeiss::new(1.0, 0.0).unwrap().finite(1_000_000, beta(1.0)).unwrap();
    close(critical.binder(), 1.0 - ratio / 3.0, 1e-3, "U₄ at β_c");
}

#[test]
fn sizes_outside_a_method_are_refused() {
    let too_big = Hamiltonian::ferromagnet(Topology::square(5).unwrap());
    let message = enumeration::averages(&too_big, beta(1.0)).unwrap_err().to_string();
    assert_eq!(message, "enumeration of 25: it takes 1 to 24");
    assert!(Torus::new(1, 8).is_err());
    assert!(CurieWeiss::new(f64::NAN, 0.0).is_err());
    assert!(CurieWeiss::new(1.0, 0.0).unwrap().finite(0, beta(1.0)).is_err());
}
