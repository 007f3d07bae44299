//! Identities that hold for every graph, coupling, field and configuration.

use ceas_sim::Error;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::observable::Observer;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream};
use ceas_sim::topology::Topology;
use proptest::prelude::*;

fn topology() -> impl Strategy<Value = Topology> {
    let ring = (2usize..20).prop_map(|n| Topology::ring(n).unwrap());
    let chain = (1usize..20).prop_map(|n| Topology::open_chain(n).unwrap());
    let square = (2usize..9).prop_map(|l| Topology::square(l).unwrap());
    let complete = (1usize..9).prop_map(|n| Topology::complete(n).unwrap());
    let graph = (2u32..12, any::<u64>()).prop_map(|(n, seed)| {
        let mut stream = Stream::new(seed, Purpose::Test, 0, 0);
        let pairs = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
        let bonds: Vec<_> = pairs.filter(|_| stream.below(2) == 0).collect();
        Topology::from_bonds(n as usize, &bonds).unwrap()
    });
    prop_oneof![ring, chain, square, complete, graph]
}

/// A configuration with ±J-like or real couplings and fields, all from one seed.
fn system() -> impl Strategy<Value = (Hamiltonian, Spins)> {
    (topology(), any::<u64>(), 0..3u8, 0..3u8).prop_map(|(topology, seed, couplings, field)| {
        let mut stream = Stream::new(seed, Purpose::Test, 1, 0);
        let (n, bonds) = (topology.n_sites(), topology.n_bonds());
        let couplings = match couplings {
            0 => Couplings::Uniform(stream.normal()),
            1 => Couplings::PerBond((0..bonds).map(|_| stream.normal()).collect()),
            _ => Couplings::PerBond((0..bonds).map(|_| 1.0 - 2.0 * stream.below(2) as f64).collect()),
        };
        let field = match field {
            0 => Field::Zero,
            1 => Field::Uniform(stream.normal()),
            _ => Field::PerSite((0..n).map(|_| stream.normal()).collect()),
        };
        let spins = Spins::random(n, &mut stream);
        (Hamiltonian::new(topology, couplings, field).unwrap(), spins)
    })
}

proptest! {
    #[test]
    fn delta_e_is_the_change_of_energy((model, mut spins) in system(), pick in any::<prop::sample::Index>()) {
        let site = pick.index(spins.len());
        let before = model.energy(&spins);
        let change = model.delta_e(&spins, site);
        spins.flip(site);
        prop_assert!((model.energy(&spins) - before - change).abs() < 1e-11 * (1.0 + before.abs()));
    }

    #[test]
    fn flipping_all_spins_keeps_the_energy_without_a_field((model, mut spins) in system()) {
        let couplings = model.couplings().clone();
        let free = Hamiltonian::new(model.topology().clone(), couplings, Field::Zero).unwrap();
        let before = free.energy(&spins);
        spins.flip_all();
        prop_assert_eq!(free.energy(&spins), before);
    }

    #[test]
    fn a_gauge_transformation_keeps_the_energy((model, spins) in system(), seed in any::<u64>()) {
        // s → εs, J_ij → ε_i J_ij ε_j, h_i → ε_i h_i
        let topology = model.topology();
        let epsilon = Spins::random(spins.len(), &mut Stream::new(seed, Purpose::Test, 2, 0));
        let e = |site: usize| f64::from(epsilon.get(site));
        let couplings = topology.bonds().enumerate().map(|(b, (i, j))| e(i) * model.coupling_at(b) * e(j));
        let fields = (0..spins.len()).map(|i| e(i) * model.field_at(i));
        let gauged = Hamiltonian::new(
            topology.clone(),
            Couplings::PerBond(couplings.collect()),
            Field::PerSite(fields.collect()),
        ).unwrap();
        let turned = (0..spins.len()).map(|i| spins.get(i) * epsilon.get(i)).collect();
        let turned = Spins::from_values(turned).unwrap();
        let (a, b) = (model.energy(&spins), gauged.energy(&turned));
        prop_assert!((a - b).abs() < 1e-11 * (1.0 + a.abs()));
    }

    #[test]
    fn every_bond_is_seen_from_both_ends(topology in topology()) {
        let bonds: Vec<_> = topology.bonds().collect();
        prop_assert_eq!(bonds.len(), topology.n_bonds());
        let mut links = 0;
        for site in 0..topology.n_sites() {
            for (neighbor, bond) in topology.links(site) {
                prop_assert!(bonds[bond] == (site, neighbor) || bonds[bond] == (neighbor, site));
                links += 1;
            }
        }
        prop_assert_eq!(links, 2 * bonds.len());
    }

    #[test]
    fn no_bond_joins_sites_of_one_color(topology in topology()) {
        if let Ok(coloring) = topology.coloring() {
            prop_assert!(topology.bonds().all(|(a, b)| coloring.color(a) != coloring.color(b)));
        } else {
            let odd = topology.is_periodic() && topology.size() % 2 == 1;
            prop_assert!(odd || ["graph", "complete graph"].contains(&topology.name()));
        }
    }

    #[test]
    fn observations_equal_their_definitions(l in 2usize..10, seed in any::<u64>()) {
        let model = Hamiltonian::ferromagnet(Topology::square(l).unwrap());
        let spins = Spins::random(l * l, &mut Stream::new(seed, Purpose::Test, 3, 0));
        let s = |y: usize, x: usize| f64::from(spins.get(y % l * l + x % l));
        let sites = || (0..l).flat_map(|y| (0..l).map(move |x| (y, x)));
        let n = (l * l) as f64;
        let energy: f64 = sites().map(|(y, x)| -s(y, x) * (s(y, x + 1) + s(y + 1, x))).sum();
        let wave = |along: &dyn Fn(usize, usize) -> usize| {
            let k = std::f64::consts::TAU / l as f64;
            let re: f64 = sites().map(|(y, x)| s(y, x) * (k * along(y, x) as f64).cos()).sum();
            let im: f64 = sites().map(|(y, x)| s(y, x) * (k * along(y, x) as f64).sin()).sum();
            (re * re + im * im) / n
        };
        let f = 0.5 * (wave(&|y, _| y) + wave(&|_, x| x));
        let seen = Observer::new(&model).observe(&spins);
        prop_assert_eq!(seen.energy, energy / n);
        prop_assert_eq!(seen.magnetization, sites().map(|(y, x)| s(y, x)).sum::<f64>() / n);
        prop_assert!((seen.structure_factor - f).abs() < 1e-10 * (1.0 + f));
    }
}

#[test]
fn what_cannot_be_a_graph_is_refused() {
    assert!(matches!(Topology::square(1), Err(Error::Topology { size: 1, .. })));
    assert!(matches!(Topology::ring(1), Err(Error::Topology { size: 1, .. })));
    assert!(matches!(Topology::open_chain(0), Err(Error::Topology { .. })));
    assert!(matches!(Topology::complete(0), Err(Error::Topology { .. })));
    assert!(matches!(Topology::from_bonds(0, &[]), Err(Error::Topology { .. })));
    let bond = |bonds: &[(u32, u32)]| match Topology::from_bonds(3, bonds) {
        Err(Error::Bond { index, .. }) => index,
        other => panic!("{other:?}"),
    };
    assert_eq!(bond(&[(0, 1), (2, 2)]), 1);
    assert_eq!(bond(&[(0, 3)]), 0);
    assert_eq!(bond(&[(0, 1), (1, 2), (1, 0)]), 2);
    assert!(matches!(Spins::from_values(vec![1, 0]), Err(Error::Spin { site: 1, got: 0 })));
}

#[test]
fn a_lattice_too_large_for_memory_is_refused_before_anything_is_allocated() {
    for l in [100_000_000, 1 << 32, usize::MAX] {
        let error = Topology::square(l).unwrap_err();
        assert!(matches!(error, Error::Memory { size, .. } if size == l), "{error}");
        assert!(error.to_string().contains(&format!("square lattice of size {l} needs")));
    }
    let needed = Topology::square(1 << 10).unwrap().bytes_needed(5);
    assert_eq!(needed, 5 << 20);
}

#[test]
fn couplings_and_fields_that_are_no_numbers_are_refused() {
    let ring = || Topology::ring(3).unwrap();
    let new = |couplings, field| Hamiltonian::new(ring(), couplings, field).unwrap_err();
    assert!(matches!(
        new(Couplings::Uniform(f64::NAN), Field::Zero),
        Error::NotFinite { what: "coupling", .. }
    ));
    assert!(matches!(
        new(Couplings::PerBond(vec![1.0, f64::INFINITY, 0.0]), Field::Zero),
        Error::NotFinite { index: 1, .. }
    ));
    assert!(matches!(
        new(Couplings::Uniform(1.0), Field::PerSite(vec![0.0, 0.0, f64::NAN])),
        Error::NotFinite { what: "field", index: 2, .. }
    ));
    assert!(matches!(
        new(Couplings::PerBond(vec![1.0; 2]), Field::Zero),
        Error::Count { expected: 3, got: 2, .. }
    ));
    assert!(matches!(
        new(Couplings::Uniform(1.0), Field::PerSite(vec![0.0; 4])),
        Error::Count { expected: 3, got: 4, .. }
    ));
    assert!(matches!(new(Couplings::Uniform(1e308), Field::Zero), Error::EnergyOverflow));
}
