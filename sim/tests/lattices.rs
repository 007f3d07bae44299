//! Every topology against its definition, against itself, and against the programs that define its numbering.
//!
//! The counts and hashes of Chimera, Pegasus and Zephyr were made once with dwave-networkx 0.8.19 (`chimera_graph`, `pegasus_graph`,
//! `zephyr_graph`, integer labels), those of hyperbolic tilings with hypertiling 1.5.1 (`HyperbolicTiling(p, q, layers)`, vertices
//! merged by position; for the tilings pinned here the two graphs were found isomorphic by networkx 3.6.1).

use std::collections::BTreeMap;

use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::observable::Observer;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream};
use ceas_sim::topology::{Boundary, Lattice, Topology};

fn stream(replica: u64) -> Stream {
    Stream::new(0, Purpose::Test, replica, 0)
}

/// One of each kind, small ones and odd ones too.
fn zoo() -> Vec<Topology> {
    let mut zoo = Vec::new();
    for lattice in Lattice::ALL {
        for boundary in [Boundary::Periodic, Boundary::Open] {
            let sizes = if lattice.dimension() > 2 { 1..=4 } else { 1..=7 };
            zoo.extend(sizes.filter_map(|l| Topology::lattice(lattice, l, boundary).ok()));
        }
    }
    zoo.extend((1..6).map(|n| Topology::complete(n).unwrap()));
    zoo.push(Topology::random_regular(20, 3, &mut stream(0)).unwrap());
    zoo.push(Topology::random_regular(1, 0, &mut stream(0)).unwrap());
    zoo.push(Topology::random_regular(6, 5, &mut stream(1)).unwrap());
    zoo.push(Topology::erdos_renyi(50, 3.0, &mut stream(2)).unwrap());
    zoo.push(Topology::erdos_renyi(5, 4.0, &mut stream(2)).unwrap());
    zoo.push(Topology::erdos_renyi(1, 0.0, &mut stream(2)).unwrap());
    zoo.push(Topology::cayley_tree(2, 0).unwrap());
    zoo.push(Topology::cayley_tree(4, 3).unwrap());
    zoo.push(Topology::hyperbolic(7, 3, 3).unwrap());
    zoo.push(Topology::hyperbolic(3, 7, 3).unwrap());
    zoo.push(Topology::chimera(2, 3, 2).unwrap());
    zoo.push(Topology::pegasus(3).unwrap());
    zoo.push(Topology::zephyr(2, 2).unwrap());
    zoo
}

#[test]
fn links_and_bonds_are_the_same_graph() {
    let zoo = zoo();
    assert!(zoo.len() > 80);
    for topology in &zoo {
        let what = format!("{} {:?}", topology.name(), topology.shape());
        let bonds: Vec<_> = topology.bonds().collect();
        assert_eq!(bonds.len(), topology.n_bonds(), "{what}");
        assert_eq!(topology.shape().iter().product::<usize>(), topology.n_sites(), "{what}");
        let mut expected = vec![Vec::new(); topology.n_sites()];
        for (number, &(a, b)) in bonds.iter().enumerate() {
            assert_ne!(a, b, "{what}");
            expected[a].push((b, number));
            expected[b].push((a, number));
        }
        for (site, expected) in expected.iter_mut().enumerate() {
            let mut links: Vec<_> = topology.links(site).collect();
            links.sort_unstable();
            expected.sort_unstable();
            assert_eq!(links, *expected, "{what}, site {site}");
            assert!(links.len() <= topology.coordination(), "{what}");
            if topology.is_periodic() {
                assert_eq!(links.len(), topology.coordination(), "{what}");
            }
        }
    }
}

#[test]
fn neighbors_are_where_geometry_puts_them() {
    // Positions in the plane or in space such that neighbours, and no other sites, are at the smallest distance.
    let half = f64::sqrt(3.0) / 2.0;
    let place = |lattice: Lattice, l: usize, site: usize| -> [f64; 4] {
        let x = (site / lattice.basis() % l) as f64;
        let y = (site / lattice.basis() / l % l) as f64;
        let z = (site / lattice.basis() / l / l % l) as f64;
        let w = (site / lattice.basis() / l / l / l) as f64;
        match lattice {
            // Axes at 120° make the step (1, 1) as short as the steps along the axes.
            Lattice::Triangular => [x - y / 2.0, y * half, 0.0, 0.0],
            Lattice::Honeycomb => {
                // Axes at 60°; the second site of a cell in the middle of the triangle it shares with its three neighbours.
                let third = (site % 2) as f64 / 3.0;
                let (x, y) = (x + third, y + third);
                [x + y / 2.0, y * half, 0.0, 0.0]
            }
            _ => [x, y, z, w],
        }
    };
    for lattice in Lattice::ALL {
        let l = if lattice.dimension() > 2 { 3 } else { 5 };
        let topology = Topology::lattice(lattice, l, Boundary::Open).unwrap();
        let reach: f64 = match lattice {
            Lattice::King => 2.0,
            Lattice::Honeycomb => 1.0 / 3.0,
            _ => 1.0,
        };
        for a in 0..topology.n_sites() {
            let mut near: Vec<_> = (0..topology.n_sites())
                .filter(|&b| {
                    let (p, q) = (place(lattice, l, a), place(lattice, l, b));
                    let distance: f64 = p.iter().zip(q).map(|(p, q)| (p - q) * (p - q)).sum();
                    b != a && distance < reach + 1e-9
                })
                .collect();
            near.sort_unstable();
            let mut neighbors: Vec<_> = topology.neighbors(a).collect();
            neighbors.sort_unstable();
            assert_eq!(neighbors, near, "{lattice:?}, site {a}");
        }
    }
}

#[test]
fn periodic_lattices_look_the_same_from_every_cell() {
    for lattice in Lattice::ALL {
        for l in [2, 3, 5] {
            let topology = Topology::lattice(lattice, l, Boundary::Periodic).unwrap();
            let axes = lattice.dimension();
            let basis = lattice.basis();
            // Moving by one cell along an axis maps bonds to bonds.
            for axis in 0..axes {
                let stride = l.pow((axes - 1 - axis) as u32);
                let moved = |site: usize| {
                    let cell = site / basis;
                    let x = cell / stride % l;
                    (cell - x * stride + (x + 1) % l * stride) * basis + site % basis
                };
                let sorted = |map: &dyn Fn(usize) -> usize| {
                    let mut bonds: Vec<_> =
                        topology.bonds().map(|(a, b)| (map(a).min(map(b)), map(a).max(map(b)))).collect();
                    bonds.sort_unstable();
                    bonds
                };
                assert_eq!(sorted(&moved), sorted(&|site| site), "{lattice:?}, L = {l}");
            }
        }
    }
}

#[test]
fn colors_alternate_and_odd_periods_have_none() {
    for topology in zoo() {
        let found = topology.bipartition();
        let proper = |colors: &dyn Fn(usize) -> usize| topology.bonds().all(|(a, b)| colors(a) != colors(b));
        if let Some(colors) = &found {
            assert!(proper(&|site| usize::from(colors[site])));
        }
        match topology.coloring() {
            Ok(coloring) => assert!(proper(&|site| coloring.color(site)), "{}", topology.name()),
            Err(error) => {
                let lattice = topology
                    .as_lattice()
                    .is_some_and(|(lattice, _)| !matches!(lattice, Lattice::Triangular | Lattice::King));
                assert!(!lattice || found.is_none(), "{error}");
            }
        }
    }
    assert!(Topology::chimera(3, 3, 4).unwrap().bipartition().is_some());
    assert!(Topology::cayley_tree(3, 4).unwrap().bipartition().is_some());
    assert!(Topology::hyperbolic(6, 4, 3).unwrap().bipartition().is_some());
    assert!(Topology::hyperbolic(5, 4, 2).unwrap().bipartition().is_none());
    assert!(Topology::pegasus(2).unwrap().bipartition().is_none());
}

/// FNV-1a over the labels and the sorted bonds as 32-bit words, little end first.
fn fingerprint(topology: &Topology) -> (usize, usize, u64) {
    let label = |site: usize| topology.labels().map_or(site as u32, |labels| labels[site]);
    let mut bonds: Vec<_> =
        topology.bonds().map(|(a, b)| (label(a).min(label(b)), label(a).max(label(b)))).collect();
    bonds.sort_unstable();
    let words = (0..topology.n_sites()).map(label).chain(bonds.into_iter().flat_map(|(a, b)| [a, b]));
    let hash = words
        .flat_map(u32::to_le_bytes)
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (topology.n_sites(), topology.n_bonds(), hash)
}

/// The numbers are those of dwave-networkx, printed by validation/lattices.py.
#[test]
fn chips_are_numbered_as_their_maker_numbers_them() {
    let chimera = |m, n, t| fingerprint(&Topology::chimera(m, n, t).unwrap());
    assert_eq!(chimera(1, 1, 4), (8, 16, 0xbc07_e3b4_f0f2_21a5));
    assert_eq!(chimera(4, 4, 4), (128, 352, 0xbd8f_0dbe_2e8a_73a5));
    assert_eq!(chimera(16, 16, 4), (2048, 6016, 0x24b8_b663_e389_5865));
    assert_eq!(chimera(3, 2, 5), (60, 185, 0x9530_3538_bbf8_474f));
    let pegasus = |m| fingerprint(&Topology::pegasus(m).unwrap());
    assert_eq!(pegasus(2), (40, 164, 0xf612_4e82_f4d9_b7e5));
    assert_eq!(pegasus(3), (128, 704, 0x4924_7625_6725_22a5));
    assert_eq!(pegasus(6), (680, 4484, 0x1bc9_86bb_f1e3_5e13));
    assert_eq!(pegasus(16), (5640, 40484, 0x360f_d831_b1d4_7f64));
    let zephyr = |m, t| fingerprint(&Topology::zephyr(m, t).unwrap());
    assert_eq!(zephyr(1, 4), (48, 280, 0xd263_f733_3d6a_9b25));
    assert_eq!(zephyr(4, 4), (576, 5032, 0x2393_35ef_ecb1_f9c5));
    assert_eq!(zephyr(15, 4), (7440, 71736, 0x2be7_82cf_7a8f_6761));
    assert_eq!(zephyr(2, 3), (120, 726, 0xe1cb_307e_6f88_39c5));
    assert_eq!(zephyr(3, 1), (84, 270, 0x0aef_793f_f0de_3905));
}

fn degrees(topology: &Topology) -> Vec<(usize, usize)> {
    let mut counts = BTreeMap::new();
    for site in 0..topology.n_sites() {
        *counts.entry(topology.neighbors(site).count()).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

/// The numbers of sites, bonds and degrees, and of sites by layer, are those of hypertiling, printed by validation/lattices.py.
#[test]
fn hyperbolic_tilings_grow_as_they_must() {
    let tiling = |p, q, layers| {
        let topology = Topology::hyperbolic(p, q, layers).unwrap();
        (topology.n_sites(), topology.n_bonds(), degrees(&topology))
    };
    for (p, q, by_layer) in [
        (5, 4, &[5, 25, 95, 355][..]),
        (7, 3, &[7, 28, 77, 203, 532]),
        (3, 7, &[3, 12, 33, 87]),
        (4, 5, &[4, 20, 76, 284]),
        (6, 4, &[6, 42, 246]),
        (8, 3, &[8, 40, 152, 568]),
    ] {
        let mut sites = 0;
        for (layer, count) in by_layer.iter().enumerate() {
            sites += count;
            assert_eq!(tiling(p, q, layer + 1).0, sites, "{{{p}, {q}}}, layer {}", layer + 1);
        }
    }
    assert_eq!(tiling(5, 4, 1), (5, 5, vec![(2, 5)]));
    assert_eq!(tiling(5, 4, 2), (30, 40, vec![(2, 15), (3, 10), (4, 5)]));
    assert_eq!(tiling(5, 4, 4), (480, 680, vec![(2, 205), (3, 150), (4, 125)]));
    assert_eq!(tiling(7, 3, 5), (847, 1078, vec![(2, 385), (3, 462)]));
    assert_eq!(tiling(3, 7, 2), (15, 30, vec![(3, 9), (4, 3), (7, 3)]));
    assert_eq!(tiling(3, 7, 4), (135, 315, vec![(3, 54), (4, 33), (7, 48)]));
    assert_eq!(tiling(3, 8, 3), (75, 165, vec![(3, 42), (4, 15), (8, 18)]));
    assert_eq!(tiling(4, 5, 4), (384, 624, vec![(2, 104), (3, 180), (5, 100)]));
    assert_eq!(tiling(6, 4, 3), (294, 378, vec![(2, 174), (3, 72), (4, 48)]));
    assert_eq!(tiling(8, 3, 4), (768, 928, vec![(2, 448), (3, 320)]));
    for (p, q, layers) in [(5, 4, 5), (7, 3, 6), (3, 7, 5), (10, 3, 3), (3, 12, 3), (4, 6, 3), (5, 5, 3)] {
        let topology = Topology::hyperbolic(p, q, layers).unwrap();
        // Euler: a disc has V − E + F = 1; the number of polygons follows from their sides, inside and on the rim.
        let (v, e) = (topology.n_sites(), topology.n_bonds());
        let faces = 1 + e - v;
        let rim = 2 * e - p * faces;
        let interior = topology.interior(1).unwrap();
        assert!(interior.iter().all(|&site| topology.neighbors(site).count() == q), "{{{p}, {q}}}");
        assert_eq!(interior.len() + rim, v, "all sites of the last layer, and no others, are on the rim");
    }
}

#[test]
fn random_graphs_have_their_degrees_and_forget_the_order_of_sites() {
    for (n, q) in [(10, 3), (64, 7), (9, 4), (8, 7), (12, 10)] {
        for seed in 0..5 {
            let topology = Topology::random_regular(n, q, &mut stream(seed)).unwrap();
            assert_eq!(degrees(&topology), [(q, n)]);
        }
    }
    // Each of the 15 perfect matchings of 6 sites is drawn equally often: χ² of 14 degrees of freedom below its 1e-8 quantile (66).
    let mut counts = BTreeMap::new();
    let draws = 15_000;
    for seed in 0..draws {
        let bonds: Vec<_> = Topology::random_regular(6, 1, &mut stream(seed)).unwrap().bonds().collect();
        *counts.entry(bonds).or_insert(0u64) += 1;
    }
    let expected = draws as f64 / 15.0;
    let chi2: f64 = counts.values().map(|&n| (n as f64 - expected).powi(2) / expected).sum();
    assert_eq!(counts.len(), 15);
    assert!(chi2 < 66.0, "{chi2}");
}

#[test]
fn erdos_renyi_joins_every_pair_equally_often() {
    // 10 pairs of 5 sites, p = 1/2, 4000 graphs: each count is binomial; |z| < 6.8 for ten counts.
    let draws = 4_000u64;
    let mut counts = BTreeMap::new();
    let mut squares = 0.0;
    for seed in 0..draws {
        let topology = Topology::erdos_renyi(5, 2.0, &mut stream(seed)).unwrap();
        squares += (topology.n_bonds() as f64 - 5.0).powi(2);
        for bond in topology.bonds() {
            *counts.entry((bond.0.min(bond.1), bond.0.max(bond.1))).or_insert(0u64) += 1;
        }
    }
    assert_eq!(counts.len(), 10);
    for (pair, count) in counts {
        let z = (count as f64 - 0.5 * draws as f64) / (0.25 * draws as f64).sqrt();
        assert!(z.abs() < 6.8, "{pair:?}: {z}");
    }
    // The number of bonds has variance 10·p(1−p) = 2.5, which fails if pairs are not independent.
    let variance = squares / draws as f64;
    assert!((variance - 2.5).abs() < 6.8 * 2.5 * (2.0 / draws as f64).sqrt(), "{variance}");
}

#[test]
fn the_same_seed_is_the_same_graph() {
    let graph = |seed| Topology::random_regular(50, 4, &mut stream(seed)).unwrap();
    assert_eq!(graph(3), graph(3));
    assert_ne!(graph(3), graph(4));
}

#[test]
fn critical_points_satisfy_their_equations() {
    let beta = |topology: Topology| topology.critical_point().unwrap().beta;
    let lattice = |lattice| beta(Topology::lattice(lattice, 4, Boundary::Periodic).unwrap());
    let square: f64 = lattice(Lattice::Square);
    assert!(((2.0 * square).sinh() - 1.0).abs() < 1e-15);
    // Star–triangle and duality: (e^(4β) − 1)... on the triangular lattice e^(4β) = 3, and on its dual cosh 2β = 2.
    let (triangular, honeycomb) = (lattice(Lattice::Triangular), lattice(Lattice::Honeycomb));
    assert!(((4.0 * triangular).exp() - 3.0).abs() < 1e-14);
    assert!(((2.0 * honeycomb).cosh() - 2.0).abs() < 1e-14);
    assert!(((2.0 * triangular).sinh() * (2.0 * honeycomb).sinh() - 1.0).abs() < 1e-14);
    assert!((lattice(Lattice::Cubic) - 0.221_654_626).abs() < 1e-12);
    assert_eq!(beta(Topology::complete(64).unwrap()), 1.0 / 64.0);
    for (q, expected) in [(3, 0.549_306_1), (4, 0.346_573_6), (7, 0.168_236_1)] {
        let bethe: f64 = beta(Topology::random_regular(64, q, &mut stream(0)).unwrap());
        assert!((bethe - expected).abs() < 1e-7);
    }
}

#[test]
fn the_structure_factor_is_the_fourier_sum_in_every_dimension() {
    for lattice in Lattice::ALL {
        let l = 3;
        let topology = Topology::lattice(lattice, l, Boundary::Periodic).unwrap();
        let n = topology.n_sites();
        let model = Hamiltonian::ferromagnet(topology);
        let spins = Spins::random(n, &mut stream(9));
        let axes = lattice.dimension();
        let mut expected = 0.0;
        for axis in 0..axes {
            let (mut re, mut im) = (0.0, 0.0);
            for site in 0..n {
                let x = site / lattice.basis() / l.pow((axes - 1 - axis) as u32) % l;
                let phase = 2.0 * std::f64::consts::PI * x as f64 / l as f64;
                re += phase.cos() * f64::from(spins.get(site));
                im += phase.sin() * f64::from(spins.get(site));
            }
            expected += (re * re + im * im) / (axes * n) as f64;
        }
        let seen = Observer::new(&model).observe(&spins).structure_factor;
        assert!((seen - expected).abs() < 1e-12, "{lattice:?}: {seen} against {expected}");
    }
    let open = Hamiltonian::ferromagnet(Topology::lattice(Lattice::Cubic, 3, Boundary::Open).unwrap());
    assert!(Observer::new(&open).observe(&Spins::up(27)).structure_factor.is_nan());
}

#[test]
fn impossible_graphs_are_refused_before_anything_is_allocated() {
    let message = |result: Result<Topology, ceas_sim::Error>| result.unwrap_err().to_string();
    let huge = usize::MAX / 2;
    for lattice in Lattice::ALL {
        for boundary in [Boundary::Periodic, Boundary::Open] {
            assert!(message(Topology::lattice(lattice, huge, boundary)).contains("memory"), "{lattice:?}");
            assert!(Topology::lattice(lattice, 0, boundary).is_err());
        }
        assert!(message(Topology::lattice(lattice, 1, Boundary::Periodic)).contains("L ≥ 2"));
    }
    let s = &mut stream(0);
    assert!(message(Topology::random_regular(9, 3, s)).contains("even"));
    assert!(message(Topology::random_regular(4, 4, s)).contains("smaller than"));
    assert!(message(Topology::random_regular(4_000_000_000, 3_000_000, s)).contains("memory"));
    assert!(message(Topology::erdos_renyi(4_000_000_000, 1e9, s)).contains("memory"));
    assert!(message(Topology::erdos_renyi(10, f64::NAN, s)).contains("mean degree"));
    assert!(message(Topology::cayley_tree(1, 3)).contains("at least 2"));
    assert!(message(Topology::cayley_tree(3, huge)).contains("memory"));
    assert!(message(Topology::hyperbolic(4, 4, 2)).contains("hyperbolic only if"));
    assert!(message(Topology::hyperbolic(7, 3, 0)).contains("layers"));
    assert!(message(Topology::hyperbolic(7, 3, huge)).contains("layers"));
    assert!(message(Topology::hyperbolic(1 << 20, 1 << 20, 3)).contains("memory"));
    assert!(message(Topology::hyperbolic(huge, 3, 3)).contains("2²⁰"));
    assert!(message(Topology::chimera(0, 1, 1)).contains("at least 1"));
    assert!(message(Topology::chimera(huge, huge, 4)).contains("memory"));
    assert!(message(Topology::pegasus(1)).contains("m ≥ 2"));
    assert!(message(Topology::pegasus(huge)).contains("memory"));
    assert!(message(Topology::zephyr(huge, huge)).contains("memory"));
}
