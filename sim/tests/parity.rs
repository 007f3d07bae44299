//! Every fast path equals its naive twin bit for bit, and a run gives the same bytes on any number of threads.

use ceas_sim::activity::Activity;
use ceas_sim::beta::Beta;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::kernel::{Kernel, square};
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::{Boundary, Lattice, Topology};
use ceas_sim::update::{HeatBath, Metropolis, Update, Wolff};

/// Ten sweeps of ten β from a random start: the configuration, the counts, and the streams after it.
fn trajectory<U: Update<Model = Hamiltonian, State = Spins>>(
    model: &Hamiltonian,
    mut update: U,
    blocks: usize,
) -> (Spins, Activity, Streams) {
    let mut spins = Spins::random(model.n_sites(), &mut Stream::new(7, Purpose::Initial, 0, 0));
    let mut streams = Streams::new(7, Purpose::Update, 0, blocks);
    let sweeps = (0..10).map(|t| {
        let beta = Beta::new(0.1 * f64::from(t)).unwrap();
        update.sweep(model, &mut spins, beta, &mut streams)
    });
    let activity = sweeps.sum();
    (spins, activity, streams)
}

fn square(l: usize, j: f64, field: Field) -> Hamiltonian {
    Hamiltonian::new(Topology::square(l).unwrap(), Couplings::Uniform(j), field).unwrap()
}

fn models() -> Vec<Hamiltonian> {
    // 2: double bonds; 6: odd number of sites of a colour per row; 130, 150: several blocks, the last one shorter.
    let mut models: Vec<_> =
        [2, 4, 6, 64, 130, 150].into_iter().map(|l| square(l, 1.0, Field::Zero)).collect();
    models.push(square(10, -0.3, Field::Uniform(0.7)));
    models.push(square(136, 0.1, Field::Uniform(-1e-3)));
    models
}

#[test]
fn square_rows_equals_the_generic_kernel() {
    for model in models() {
        let metropolis = Metropolis::new(&model).unwrap();
        assert_eq!(metropolis.kernel(), Kernel::SquareRows);
        let blocks = metropolis.blocks();
        let naive = metropolis.clone().with_generic_kernel();
        assert_eq!(trajectory(&model, metropolis, blocks), trajectory(&model, naive, blocks), "{model}");
        let heat_bath = HeatBath::new(&model).unwrap();
        let naive = heat_bath.clone().with_generic_kernel();
        assert_eq!(trajectory(&model, heat_bath, blocks), trajectory(&model, naive, blocks), "{model}");
    }
}

#[test]
fn a_field_written_out_per_site_is_the_uniform_field() {
    let uniform = square(6, 1.0, Field::Uniform(0.25));
    let listed = square(6, 1.0, Field::PerSite(vec![0.25; 36]));
    let (fast, slow) = (HeatBath::new(&uniform).unwrap(), HeatBath::new(&listed).unwrap());
    assert_eq!((fast.kernel(), slow.kernel()), (Kernel::SquareRows, Kernel::Generic));
    assert_eq!(trajectory(&uniform, fast, 1), trajectory(&listed, slow, 1));
}

#[test]
fn several_blocks_are_really_in_play() {
    let blocks = |l: usize| Metropolis::new(&square(l, 1.0, Field::Zero)).unwrap().blocks();
    assert_eq!((blocks(64), blocks(130), blocks(1024), blocks(4096)), (1, 2, 64, 64));
    assert_eq!(square::sites_per_block(1024), 16 * 1024);
}

#[test]
fn one_thread_equals_many() {
    let model = square(256, 1.0, Field::Zero);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let update = HeatBath::new(&model).unwrap();
            let blocks = update.blocks();
            trajectory(&model, update, blocks)
        })
    };
    let alone = run(1);
    for threads in [2, 3, 8] {
        assert_eq!(run(threads), alone, "{threads} threads");
    }
}

#[test]
fn wolff_without_marks_equals_wolff_with_marks() {
    for l in [2, 5, 16, 65] {
        let model = square(l, 1.0, Field::Zero);
        let wolff = Wolff::new(&model, 20).unwrap();
        assert_eq!(
            trajectory(&model, wolff.clone(), 1),
            trajectory(&model, wolff.with_marks(), 1),
            "L = {l}"
        );
    }
}

#[test]
fn couplings_written_out_per_bond_are_the_uniform_coupling() {
    for l in [2, 6] {
        let topology = Topology::square(l).unwrap();
        let uniform = Hamiltonian::ferromagnet(topology.clone());
        let couplings = Couplings::PerBond(vec![1.0; topology.n_bonds()]);
        let listed = Hamiltonian::new(topology, couplings, Field::Zero).unwrap();
        let on = |model: &Hamiltonian| trajectory(model, HeatBath::new(model).unwrap(), 1);
        assert_eq!(on(&uniform), on(&listed), "L = {l}");
    }
    // Clusters where one |J| opens 64 bonds at a time; on the square lattice uniform couplings have a kernel of their own.
    for l in [3, 6] {
        let topology = Topology::lattice(Lattice::Triangular, l, Boundary::Periodic).unwrap();
        let uniform = Hamiltonian::ferromagnet(topology.clone());
        let couplings = Couplings::PerBond(vec![1.0; topology.n_bonds()]);
        let listed = Hamiltonian::new(topology, couplings, Field::Zero).unwrap();
        let on = |model: &Hamiltonian| trajectory(model, Wolff::new(model, 20).unwrap(), 1);
        assert_eq!(on(&uniform), on(&listed), "L = {l}");
    }
}

#[test]
fn a_square_lattice_written_out_as_a_graph_is_the_square_lattice() {
    let lattice = Topology::square(6).unwrap();
    let bonds: Vec<_> = lattice.bonds().map(|(a, b)| (a as u32, b as u32)).collect();
    let graph = Topology::from_bonds(36, &bonds).unwrap();
    let complete = Topology::complete(7).unwrap();
    let bonds: Vec<_> = complete.bonds().map(|(a, b)| (a as u32, b as u32)).collect();
    let listed = Topology::from_bonds(7, &bonds).unwrap();
    for (a, b) in [(lattice, graph), (complete, listed)] {
        assert!(a.bonds().eq(b.bonds()));
        assert_eq!(a.n_bonds(), b.n_bonds());
        for site in 0..a.n_sites() {
            let sorted = |t: &Topology| {
                let mut links: Vec<_> = t.links(site).collect();
                links.sort_unstable();
                links
            };
            assert_eq!(sorted(&a), sorted(&b));
        }
    }
}
