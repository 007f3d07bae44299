//! Multi-spin kernels equal their naive twins bit for bit, at every instruction set of the machine and on any number of threads.

use ceas_sim::beta::Beta;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::kernel::multispin::sites::{Decision, SiteModel};
use ceas_sim::kernel::multispin::{Grid, Lattice, Level, PackedSpins, ReplicaSpins, naive};
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::Topology;
use ceas_sim::update::{MultiSpin, Replicas, Update};

const RULES: [Decision; 2] = [Decision::Metropolis, Decision::HeatBath];

fn beta(value: f64) -> Beta {
    Beta::new(value).unwrap()
}

/// A lattice as a graph given by its bonds, row by row.
fn lattice(kind: Lattice, l: usize) -> Topology {
    let at = |z: usize, y: usize, x: usize| ((z % l * l + y % l) * l + x % l) as u32;
    let mut bonds = Vec::new();
    for y in 0..l {
        for x in 0..l {
            let (here, right, down) = (at(0, y, x), at(0, y, x + 1), at(0, y + 1, x));
            match kind {
                Lattice::Square => bonds.extend([(here, right), (here, down)]),
                Lattice::Triangular => {
                    bonds.extend([(here, right), (here, down), (here, at(0, y + 1, x + 1))]);
                }
                // Site 0 of a cell is joined to site 1 of its own, of the one to the left and of the one above.
                Lattice::Honeycomb => {
                    bonds.extend(
                        [here, at(0, y, x + l - 1), at(0, y + l - 1, x)].map(|cell| (2 * here, 2 * cell + 1)),
                    );
                }
                Lattice::Cubic => bonds.extend((0..l).flat_map(|z| {
                    let here = at(z, y, x);
                    [(here, at(z, y, x + 1)), (here, at(z, y + 1, x)), (here, at(z + 1, y, x))]
                })),
            }
        }
    }
    let n = match kind {
        Lattice::Square | Lattice::Triangular => l * l,
        Lattice::Honeycomb => 2 * l * l,
        Lattice::Cubic => l * l * l,
    };
    Topology::from_bonds(n, &bonds).unwrap()
}

fn signs(n: usize) -> Vec<f64> {
    let mut stream = Stream::new(11, Purpose::Instance, 0, 0);
    (0..n).map(|_| if stream.next_u64() & 1 == 1 { 0.5 } else { -0.5 }).collect()
}

/// Every lattice with ferromagnetic, antiferromagnetic and ±J couplings, with and without field. 128 and 192 take the other split
/// of lanes; a square of 384 and a cube of 48 have several blocks.
fn models() -> Vec<Hamiltonian> {
    let model = |t: &Topology, j: Couplings, h: Field| Hamiltonian::new(t.clone(), j, h).unwrap();
    let mut models = Vec::new();
    let sizes = [
        (Lattice::Square, 64),
        (Lattice::Square, 128),
        (Lattice::Triangular, 96),
        (Lattice::Honeycomb, 32),
        (Lattice::Honeycomb, 64),
        (Lattice::Cubic, 16),
    ];
    for (kind, l) in sizes {
        let t = lattice(kind, l);
        models.push(model(&t, Couplings::Uniform(1.0), Field::Zero));
        models.push(model(&t, Couplings::Uniform(-0.75), Field::Uniform(0.3)));
        models.push(model(&t, Couplings::PerBond(signs(t.n_bonds())), Field::Zero));
    }
    models.push(Hamiltonian::ferromagnet(Topology::square(64).unwrap()));
    models
}

#[test]
fn sites_in_the_lanes_equal_the_naive_twin_at_every_level() {
    for (number, model) in models().into_iter().enumerate() {
        for decision in RULES {
            let grid = *SiteModel::new(&model).unwrap().grid();
            let start = Spins::random(model.n_sites(), &mut Stream::new(1, Purpose::Initial, 0, 0));
            let streams = || Streams::new(2, Purpose::Update, 0, grid.blocks());
            let mut expected = start.clone();
            let mut drawn = streams();
            let betas = [0.3, 0.45, 0.0];
            let mut expected_flips = 0;
            for b in betas {
                let state = (&mut expected, beta(b));
                expected_flips += naive::sweep_sites(&model, &grid, decision, state, drawn.blocks());
            }
            for level in Level::available() {
                let mut update = MultiSpin::new(SiteModel::new(&model).unwrap(), decision, level);
                let mut packed = PackedSpins::from_spins(grid, &start).unwrap();
                let mut own = streams();
                let flips: u64 =
                    betas.iter().map(|&b| update.sweep(&model, &mut packed, beta(b), &mut own).flips).sum();
                assert!(packed.to_spins() == expected, "model {number}, {decision:?}, {level}: {model}");
                assert_eq!((flips, &own), (expected_flips, &drawn));
                let (fast, slow) = (update.energy(&packed), model.energy(&expected));
                assert!((fast - slow).abs() < 1e-9 * slow.abs().max(1.0), "energy {fast}, not {slow}");
                assert_eq!(packed.magnetization(), expected.magnetization());
            }
        }
    }
}

/// The bytes of ten sweeps of a lattice too large for the naive twin, on a pool of its own.
fn trajectory(grid: Grid, level: Level, threads: usize) -> (PackedSpins, u64) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let model = SiteModel::ferromagnet(grid);
        let mut sweep = ceas_sim::kernel::multispin::sites::SiteSweep::new(level);
        let mut spins = PackedSpins::random(grid, &mut Stream::new(5, Purpose::Initial, 0, 0)).unwrap();
        let mut streams = Streams::new(5, Purpose::Update, 0, grid.blocks());
        let flips = (0..10)
            .map(|_| sweep.advance(&model, Decision::Metropolis, &mut spins, beta(0.4), streams.blocks()))
            .sum();
        (spins, flips)
    })
}

#[test]
fn threads_and_levels_give_the_same_bytes() {
    let grids = [(Lattice::Square, 1536), (Lattice::Triangular, 1536), (Lattice::Honeycomb, 1536)];
    for (kind, l) in grids.into_iter().chain([(Lattice::Cubic, 144)]) {
        let grid = Grid::new(kind, l).unwrap();
        assert!(grid.blocks() > 2, "{kind:?} has {} blocks", grid.blocks());
        let alone = trajectory(grid, Level::Portable, 1);
        for level in Level::available() {
            for threads in [1, 2, 5] {
                assert!(trajectory(grid, level, threads) == alone, "{kind:?}, {level}, {threads} threads");
            }
        }
    }
}

/// A graph with sites of 0, 1, … bonds, couplings of one to three units of either sign, and fields.
fn uneven(n: usize, extra: usize) -> Hamiltonian {
    let mut stream = Stream::new(3, Purpose::Instance, 0, 0);
    let mut bonds: Vec<(u32, u32)> = (2..n as u32 - 1).map(|i| (i, i + 1)).collect();
    for _ in 0..extra {
        let (a, b) = (stream.below(n as u64 - 1) as u32 + 1, stream.below(n as u64 - 1) as u32 + 1);
        if a != b && !bonds.contains(&(a, b)) && !bonds.contains(&(b, a)) {
            bonds.push((a, b));
        }
    }
    let j = bonds.iter().map(|_| 0.25 * (stream.below(4) as f64 - 1.0)).collect();
    let h = (0..n).map(|i| 0.25 * ((i % 3) as f64 - 1.0) * f64::from(u8::from(i > 0))).collect();
    let t = Topology::from_bonds(n, &bonds).unwrap();
    Hamiltonian::new(t, Couplings::PerBond(j), Field::PerSite(h)).unwrap()
}

fn replica_parity(model: &Hamiltonian, decision: Decision) {
    let ratios: Vec<f64> = (0..512).map(|r| 0.005 * f64::from(r)).collect();
    let update = |level| Replicas::new(model, decision, level).unwrap().with_ratios(ratios.clone()).unwrap();
    let start = ReplicaSpins::random(model.n_sites(), &mut Stream::new(1, Purpose::Initial, 0, 0)).unwrap();
    let reference = update(Level::Portable);
    let betas = reference.betas(beta(1.0)).unwrap();
    let mut expected: Vec<Spins> = (0..512).map(|r| start.replica(r)).collect();
    let mut drawn = Streams::new(4, Purpose::Update, 0, reference.blocks());
    let mut expected_flips = 0;
    for _ in 0..2 {
        let state = (expected.as_mut_slice(), betas.as_slice());
        expected_flips += match reference.plan() {
            Some(plan) => naive::sweep_sparse(model, plan, decision, state, drawn.blocks()),
            None => naive::sweep_dense(model, reference.model(), state, drawn.first()),
        };
    }
    for level in Level::available() {
        let mut update = update(level);
        let mut spins = start.clone();
        let mut own = Streams::new(4, Purpose::Update, 0, update.blocks());
        let flips: u64 = (0..2).map(|_| update.sweep(model, &mut spins, beta(1.0), &mut own).flips).sum();
        assert_eq!((flips, &own), (expected_flips, &drawn), "{decision:?}, {level}: {model}");
        let energies = update.energies(&spins);
        for (r, expected) in expected.iter().enumerate() {
            assert!(spins.replica(r) == *expected, "replica {r}, {decision:?}, {level}: {model}");
            assert!((energies[r] - model.energy(expected)).abs() < 1e-9);
            assert_eq!(spins.magnetizations()[r], expected.magnetization());
        }
    }
}

#[test]
fn sparse_replicas_equal_the_naive_twin_at_every_level() {
    for decision in RULES {
        replica_parity(&Hamiltonian::ferromagnet(Topology::square(6).unwrap()), decision);
        replica_parity(&Hamiltonian::ferromagnet(Topology::square(2).unwrap()), decision);
        let cubic = lattice(Lattice::Cubic, 4);
        let couplings = Couplings::PerBond(signs(cubic.n_bonds()));
        replica_parity(&Hamiltonian::new(cubic, couplings, Field::Zero).unwrap(), decision);
        replica_parity(&uneven(40, 30), decision);
    }
}

#[test]
fn dense_replicas_equal_the_naive_twin_at_every_level() {
    for n in [18, 31, 40] {
        let t = Topology::complete(n).unwrap();
        let couplings = Couplings::PerBond(signs(t.n_bonds()));
        let field = if n == 40 { Field::Uniform(1.0) } else { Field::Zero };
        let model = Hamiltonian::new(t, couplings, field).unwrap();
        assert!(Replicas::metropolis(&model).unwrap().plan().is_none(), "the dense kernel is meant");
        replica_parity(&model, Decision::Metropolis);
    }
    replica_parity(&uneven(60, 600), Decision::Metropolis);
    // Enough neighbours to be counted in groups: with couplings of one and of two units, with holes, and an odd number of sites.
    let t = Topology::complete(171).unwrap();
    let mut stream = Stream::new(12, Purpose::Instance, 0, 0);
    let coupling = |_| match stream.below(40) {
        0 => 0.0,
        1 => 0.2,
        k => 0.1 - 0.2 * (k % 2) as f64,
    };
    let couplings = Couplings::PerBond((0..t.n_bonds()).map(coupling).collect());
    replica_parity(&Hamiltonian::new(t, couplings, Field::Zero).unwrap(), Decision::Metropolis);
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let refused = |model: &Hamiltonian| MultiSpin::metropolis(model).unwrap_err().to_string();
    let square = |l: usize| Topology::square(l).unwrap();
    assert!(refused(&Hamiltonian::ferromagnet(square(100))).contains("multiple of 64"));
    assert!(refused(&Hamiltonian::ferromagnet(Topology::ring(512).unwrap())).contains("lattice"));
    let gaussian = |t: Topology| {
        let mut stream = Stream::new(1, Purpose::Instance, 0, 0);
        let j = (0..t.n_bonds()).map(|_| stream.normal()).collect();
        Hamiltonian::new(t, Couplings::PerBond(j), Field::Zero).unwrap()
    };
    assert!(refused(&gaussian(square(64))).contains("one size"));
    let zero = Hamiltonian::new(square(64), Couplings::Uniform(0.0), Field::Zero).unwrap();
    assert!(refused(&zero).contains("not zero"));
    let error = Replicas::metropolis(&gaussian(square(6))).unwrap_err().to_string();
    assert!(error.contains("integer multiples"), "{error}");
    let error = "avx1024".parse::<Level>().unwrap_err().to_string();
    assert!(error.contains("avx1024") && error.contains("portable"), "{error}");
    assert_eq!("portable".parse::<Level>().unwrap(), Level::Portable);
}
