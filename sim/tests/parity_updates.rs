//! Every fast path of the cluster, kinetic and composed updates equals its naive twin bit for bit, on any number of threads.

mod chains;

use ceas_sim::activity::Activity;
use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::{Boundary, Lattice, Topology};
use ceas_sim::update::{
    BetaGrid, HeatBath, Houdayer, Kinetic, Ladder, Pair, Rule, SwendsenWang, Tempering, Update, Wolff,
};
use chains::{beta, random_model, uniform};

fn hot(n: usize, replica: u64) -> Spins {
    Spins::random(n, &mut Stream::new(7, Purpose::Initial, replica, 0))
}

/// Ten sweeps at ten β: the states, the counts, and where the streams stand.
fn trajectory<U: Update<Model = Hamiltonian>>(
    model: &Hamiltonian,
    update: &mut U,
    mut state: U::State,
) -> (U::State, Activity, Streams) {
    let mut streams = Streams::new(7, Purpose::Update, 0, update.blocks());
    let sweeps = (0..10).map(|t| update.sweep(model, &mut state, beta(0.1 * f64::from(t)), &mut streams));
    let activity = sweeps.sum();
    (state, activity, streams)
}

#[test]
fn runs_of_rows_equal_sites_and_bonds() {
    // Words of 64 sites: shorter, just full, one more, several; 2: double bonds; odd L with J < 0: frustrated.
    for l in [2, 3, 4, 7, 63, 64, 65, 128, 131] {
        for j in [1.0, -0.8, 0.0] {
            let model = uniform(Topology::square(l).unwrap(), j, 0.0);
            let mut fast = SwendsenWang::new(&model).unwrap();
            let mut slow = fast.clone().with_generic_kernel();
            let both = [&mut fast, &mut slow].map(|update| {
                let end = trajectory(&model, update, hot(l * l, 0));
                (end, update.moments())
            });
            assert!(both[0] == both[1], "L = {l}, J = {j}");
        }
    }
}

#[test]
fn rows_of_every_lattice_equal_its_bonds() {
    let lattices = Lattice::ALL.into_iter().filter(|lattice| lattice.dimension() > 1);
    for lattice in lattices.filter(|&lattice| lattice != Lattice::Square) {
        let sizes: &[usize] = if lattice.dimension() == 2 { &[2, 3, 32, 64, 65] } else { &[2, 3, 5] };
        for (l, j) in sizes.iter().flat_map(|&l| [(l, 1.0), (l, -0.8)]) {
            let model = uniform(Topology::lattice(lattice, l, Boundary::Periodic).unwrap(), j, 0.0);
            let mut fast = SwendsenWang::new(&model).unwrap();
            let mut slow = fast.clone().with_generic_kernel();
            let both = [&mut fast, &mut slow].map(|update| {
                let end = trajectory(&model, update, hot(model.n_sites(), 0));
                (end, update.moments(), update.bonds())
            });
            assert!(both[0] == both[1], "{lattice:?}, L = {l}, J = {j}");
        }
    }
}

#[test]
fn the_unmarked_cluster_of_any_graph_equals_the_marked_one() {
    let random = Topology::random_regular(40, 3, &mut Stream::new(3, Purpose::Test, 0, 0)).unwrap();
    let lattices = Lattice::ALL.into_iter().filter(|&lattice| lattice != Lattice::Square);
    let both_ends =
        |lattice| [Boundary::Periodic, Boundary::Open].map(|ends| Topology::lattice(lattice, 5, ends));
    let topologies = lattices.flat_map(both_ends).map(Result::unwrap);
    for topology in topologies.chain([random, Topology::complete(7).unwrap()]) {
        let model = uniform(topology, 0.7, 0.0);
        let mut fast = Wolff::new(&model, 20).unwrap();
        let mut slow = fast.clone().with_marks();
        let both = [&mut fast, &mut slow].map(|update| {
            let end = trajectory(&model, update, hot(model.n_sites(), 0));
            (end, update.magnetization_2())
        });
        assert!(both[0] == both[1], "{model}");
    }
}

#[test]
fn the_unmarked_wolff_cluster_equals_the_marked_one() {
    for l in [2, 3, 5, 16, 33] {
        let model = uniform(Topology::square(l).unwrap(), 1.0, 0.0);
        let mut fast = Wolff::new(&model, 20).unwrap();
        let mut slow = fast.clone().with_marks();
        let both = [&mut fast, &mut slow].map(|update| {
            let end = trajectory(&model, update, hot(l * l, 0));
            (end, update.magnetization_2())
        });
        assert!(both[0] == both[1], "L = {l}");
    }
}

#[test]
fn a_field_written_out_per_site_holds_the_same_clusters_in_the_end() {
    // Draws differ, but at β where every satisfied tie is open the clusters do not.
    let topology = Topology::complete(9).unwrap();
    let same = uniform(topology, 1.0, 0.5);
    let mut update = SwendsenWang::new(&same).unwrap();
    let mut state = Spins::up(9);
    let streams = &mut Streams::new(0, Purpose::Test, 0, 1);
    update.sweep(&same, &mut state, beta(60.0), streams);
    assert_eq!((state.magnetization(), update.moments().held), (9, 1.0));
}

#[test]
fn changed_rates_equal_fresh_rates() {
    for model in [
        uniform(Topology::square(8).unwrap(), 1.0, 0.1),
        random_model(Topology::complete(13).unwrap(), 30, true),
        uniform(Topology::ring(2).unwrap(), 1.0, 0.0),
        uniform(Topology::open_chain(1).unwrap(), 1.0, 0.3),
    ] {
        for rule in [Rule::Metropolis, Rule::HeatBath] {
            let mut fast = Kinetic::new(&model, rule).unwrap();
            let mut slow = fast.clone().with_fresh_rates();
            let both = [&mut fast, &mut slow].map(|update| {
                let end = trajectory(&model, update, hot(model.n_sites(), 0));
                (end, update.integrals())
            });
            assert!(both[0] == both[1], "{model}");
        }
    }
}

fn on_threads<T: Send>(threads: usize, work: impl Fn() -> T + Send + Sync) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn a_ladder_on_one_thread_equals_a_ladder_on_many() {
    // Large enough to be shared among threads; the larger lattice has several blocks per replica.
    for l in [64, 150] {
        let model = uniform(Topology::square(l).unwrap(), 1.0, 0.0);
        let n = model.n_sites();
        let grid = BetaGrid::linear(beta(0.40), beta(0.41), 5).unwrap();
        let single = || {
            let mut update = Tempering::new(grid.clone(), HeatBath::new(&model).unwrap());
            let ladder = Ladder::new((0..5).map(|r| hot(n, r)).collect()).unwrap();
            (trajectory(&model, &mut update, ladder), update.swap_rates().to_vec())
        };
        let pairs = || {
            let inner = Houdayer::new(&model, HeatBath::new(&model).unwrap()).unwrap();
            let mut update = Tempering::new(grid.clone(), inner);
            let pair = |r| Pair::new(hot(n, r), hot(n, r + 5)).unwrap();
            let ladder = Ladder::new((0..5).map(pair).collect()).unwrap();
            (trajectory(&model, &mut update, ladder), update.swap_rates().to_vec())
        };
        let (alone, alone_pairs) = (on_threads(1, single), on_threads(1, pairs));
        for threads in [2, 3, 8] {
            assert!(on_threads(threads, single) == alone, "{threads} threads");
            assert!(on_threads(threads, pairs) == alone_pairs, "{threads} threads");
        }
    }
}

#[test]
fn a_ladder_without_swaps_is_its_replicas_alone() {
    // Rungs so far apart that nothing is ever exchanged: each rung is then a run of its own, with its own streams.
    let model = uniform(Topology::square(6).unwrap(), 1.0, 0.0);
    let grid = BetaGrid::new(vec![beta(0.0), beta(300.0)]).unwrap();
    let mut update = Tempering::new(grid, HeatBath::new(&model).unwrap());
    let mut ladder = Ladder::new(vec![hot(36, 0), Spins::up(36)]).unwrap();
    let mut streams = Streams::new(3, Purpose::Test, 0, update.blocks());
    let mut alone = hot(36, 0);
    let mut lone = Streams::new(3, Purpose::Test, 0, 1);
    for _ in 0..50 {
        update.sweep(&model, &mut ladder, beta(300.0), &mut streams);
        HeatBath::new(&model).unwrap().sweep(&model, &mut alone, beta(0.0), &mut lone);
        assert_eq!(ladder.rungs()[0], alone);
    }
    assert_eq!(ladder.coldest(), &Spins::up(36));
    assert_eq!((update.swap_rates()[0].accepted, update.journeys()), (0, 0));
}
