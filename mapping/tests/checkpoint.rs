//! A run of every update of this crate that is written down and goes on ends as if nothing had happened.

use std::fmt::Debug;
use std::ops::ControlFlow;

use ceas_mapping::attention::hopfield::{Hopfield, HopfieldGibbs, VisibleHidden};
use ceas_mapping::encoding::tree::{Descent, Tree};
use ceas_mapping::norm::{Relaxed, SphericalSpin};
use ceas_mapping::pbits::{Asynchronous, Noise, PBits};
use ceas_mapping::potts_network::{PottsGibbs, PottsNetwork};
use ceas_sim::checkpoint::{Recognizable, SavedState, SavedUpdate, resume, save};
use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::potts::PottsSpin;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Streams};
use ceas_sim::topology::Topology;
use ceas_sim::{Beta, plan::Plan, run::Run, schedule::Schedule};
use ndarray::Array2;

/// Runs 20 sweeps at once, and again with a stop after the seventh; a checkpoint is refused by `another` model.
fn goes_on<U>(model: &U::Model, another: &U::Model, start: U::State, update: impl Fn() -> U)
where
    U: SavedUpdate,
    U::Model: Recognizable,
    U::State: SavedState<U::Model> + Clone + PartialEq + Debug,
{
    let begin = || {
        let schedule = Schedule::Constant(Beta::new(0.7).unwrap());
        Run::new(model, start.clone(), update(), schedule, Streams::new(1, Purpose::Update, 0, 1))
    };
    let plan = Plan { thermalization: 0, sweeps: 20, every: 1 };
    let (mut whole, mut half) = (begin(), begin());
    whole.drive(&plan, |_| ControlFlow::Continue(()));
    half.drive(
        &plan,
        |run| if run.sweeps() == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) },
    );
    assert_ne!(half.streams(), whole.streams(), "the rest of the run draws");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    save(&half, b"", &path).unwrap();
    let mut resumed = resume(&path, model, update()).unwrap().run;
    resumed.drive_from(resumed.sweeps(), &plan, |_| ControlFlow::Continue(()));
    assert_eq!(resumed.state(), whole.state());
    assert_eq!(resumed.streams(), whole.streams());
    assert_eq!(resumed.activity(), whole.activity());
    assert!(resume(&path, another, update()).is_err(), "another model");
}

#[test]
fn every_update_goes_on_bit_for_bit() {
    let matrix =
        |shape, rate: f64| Array2::from_shape_fn(shape, |(i, j)| (rate * (3 * i + 5 * j) as f64).sin());
    let hopfield = |rate| Hopfield { patterns: matrix((6, 4), rate), beta: Beta::new(0.7).unwrap() };
    let free = VisibleHidden { visible: vec![0.1; 4], hidden: 0 };
    goes_on(&hopfield(1.0), &hopfield(1.1), free.clone(), HopfieldGibbs::free);
    goes_on(&hopfield(1.0), &hopfield(1.1), free, || HopfieldGibbs::clamped(vec![0.3, -0.2, 0.9, 0.0]));

    let couplings = Array2::from_shape_fn((5, 5), |(i, j)| ((i + j) as f64).cos());
    let network = |strength: f64| {
        let network = PottsNetwork::independent(matrix((5, 3), 1.0)).unwrap();
        network.coupled(&couplings * strength, Array2::eye(3)).unwrap()
    };
    goes_on(&network(1.0), &network(0.9), vec![0, 1, 2, 0, 1], || PottsGibbs);

    let sphere = |t| SphericalSpin::saddle(&[0.3, -1.2, 2.0, 0.4], true, t).unwrap();
    goes_on(&sphere(0.5), &sphere(0.6), vec![0.0; 4], || Relaxed);

    let tree = |top| {
        let spin = PottsSpin::new(&[0.1, top, f64::NEG_INFINITY, -0.4, 0.8]).unwrap();
        Tree::new(&spin, Beta::new(1.0).unwrap())
    };
    goes_on(&tree(0.5), &tree(0.6), 0, || Descent);

    let [chain, square] =
        [Topology::open_chain(9), Topology::square(3)].map(|t| Hamiltonian::ferromagnet(t.unwrap()));
    goes_on(&chain, &square, Spins::up(9), || PBits::new(Noise::Logistic).holding(9, [2, 5]));
    for latency in [0.0, 2.5] {
        goes_on(&chain, &square, Spins::up(9), || Asynchronous::new(Noise::Logistic, latency));
    }
}
