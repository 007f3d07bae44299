//! Complete graphs on chips: constructed, and verified bond by bond against the chip.

use ceas_mapping::placement::{Copies, Flaw, Parity, Placement, chimera, pegasus, zephyr};
use ceas_sim::topology::Topology;

/// Size of the clique, and shortest and longest chain.
fn found(placement: &Placement, chip: &Topology) -> (usize, usize, usize) {
    placement.verify(chip).unwrap();
    let (shortest, longest) = placement.chain_lengths();
    (placement.logical(), shortest, longest)
}

#[test]
fn v12_cliques_of_the_published_sizes_are_minors() {
    // Published: minorminer.busclique on ideal graphs. Fitted on the source: no, constructed here.
    for (m, k, chain) in [(4, 16, 5), (8, 32, 9), (16, 64, 17)] {
        let chip = Topology::chimera(m, m, 4).unwrap();
        assert_eq!(found(&chimera(m).unwrap(), &chip), (k, chain, chain), "Chimera {m}");
    }
    for (m, k, longest) in [(4, 36, 5), (8, 84, 9), (16, 180, 17)] {
        let chip = Topology::pegasus(m).unwrap();
        let (logical, shortest, length) = found(&pegasus(m).unwrap(), &chip);
        assert_eq!((logical, length), (k, longest), "Pegasus {m}");
        assert!(shortest >= m - 1, "Pegasus {m}: {shortest}");
    }
    for (m, k, chain) in [(4, 56, 5), (8, 120, 9), (12, 184, 13), (15, 232, 16)] {
        let chip = Topology::zephyr(m, 4).unwrap();
        assert_eq!(found(&zephyr(m).unwrap(), &chip), (k, chain, chain), "Zephyr {m}");
    }
}

#[test]
fn every_size_from_the_smallest_is_constructed() {
    for m in 1..7 {
        assert_eq!(found(&chimera(m).unwrap(), &Topology::chimera(m, m, 4).unwrap()).0, 4 * m);
        assert_eq!(found(&zephyr(m).unwrap(), &Topology::zephyr(m, 4).unwrap()).0, 16 * m - 8);
    }
    for m in 3..12 {
        let (logical, _, longest) = found(&pegasus(m).unwrap(), &Topology::pegasus(m).unwrap());
        assert_eq!((logical, longest), (12 * (m - 1), m + 1));
    }
    assert!(matches!(pegasus(2), Err(Flaw::Size { .. })) && chimera(0).is_err() && zephyr(0).is_err());
}

#[test]
fn chains_that_are_no_minor_are_noticed() {
    let chip = Topology::zephyr(2, 4).unwrap();
    let good = zephyr(2).unwrap().chains().to_vec();
    let flaw = |change: &dyn Fn(&mut Vec<Vec<u32>>)| {
        let mut chains = good.clone();
        change(&mut chains);
        Placement::new(chains).verify(&chip).unwrap_err()
    };
    assert!(matches!(flaw(&|c| c[3].clear()), Flaw::Empty { chain: 3 }));
    assert!(matches!(
        flaw(&|c| {
            let twice = c[0][0];
            c[5].push(twice);
        }),
        Flaw::Site { chain: 5, .. }
    ));
    assert!(matches!(flaw(&|c| c[2].push(9_999)), Flaw::Site { chain: 2, site: 9_999 }));
    // Without its corner a chain falls apart or touches fewer others.
    assert!(matches!(
        flaw(&|c| {
            c[9].remove(1);
        }),
        Flaw::Parts { .. } | Flaw::Apart { .. }
    ));
    assert!(matches!(flaw(&|c| c[1].truncate(1)), Flaw::Apart { .. }));
    assert!(zephyr(2).unwrap().first(5).verify(&chip).is_ok());
}

#[test]
fn copies_hold_every_coupling_within_their_degree() {
    for (n, degree) in [(2, 3), (5, 3), (17, 16), (18, 16), (40, 16), (64, 8), (33, 4)] {
        let copies = Copies { n, degree };
        let (placement, bonds) = copies.construct().unwrap();
        let chip = Topology::from_bonds(placement.physical(), &bonds).unwrap();
        placement.verify(&chip).unwrap();
        assert!(chip.coordination() <= degree, "{n} at degree {degree}");
        assert_eq!(placement.chain_lengths(), (copies.kappa().unwrap(), copies.kappa().unwrap()));
        // One copy fewer would not have the bonds.
        if let Some(fewer) = copies.kappa().unwrap().checked_sub(1).filter(|&k| k > 0) {
            assert!(fewer * (degree - 2) + 2 < n - 1 || fewer == 0, "{n} at degree {degree}");
        }
    }
    assert!(Copies { n: 5, degree: 2 }.kappa().is_err());
}

#[test]
fn parities_of_any_configuration_meet_every_constraint_and_none_else_do() {
    let parity = Parity { n: 5 };
    let constraints = parity.constraints();
    let meets = |sites: &[i32]| constraints.iter().all(|c| c.iter().map(|&s| sites[s]).product::<i32>() == 1);
    let mut of_spins = std::collections::HashSet::new();
    for bits in 0..32u32 {
        let spin = |i: usize| if bits >> i & 1 == 1 { 1 } else { -1 };
        let sites: Vec<i32> =
            (0..5).flat_map(|i| (i + 1..5).map(move |j| (i, j))).map(|(i, j)| spin(i) * spin(j)).collect();
        assert!(meets(&sites));
        of_spins.insert(sites);
    }
    let all = (0..1u32 << 10)
        .map(|bits| (0..10).map(|s| if bits >> s & 1 == 1 { 1 } else { -1 }).collect::<Vec<i32>>());
    assert_eq!(all.filter(|sites| meets(sites)).count(), of_spins.len());
}
