//! A run that is written down and resumed equals the uninterrupted one, bit for bit; false files are refused, and an old file goes on.

mod chains;

use std::fmt::Debug;
use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use ceas_sim::Error;
use ceas_sim::checkpoint::{self, Reader, Recognizable, Refusal, SavedState, SavedUpdate};
use ceas_sim::couplings::CouplingRows;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::kernel::multispin::{Level, PackedSpins, ReplicaSpins};
use ceas_sim::plan::Plan;
use ceas_sim::potts::{self, PottsSpin};
use ceas_sim::run::{Ending, Run};
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::{Boundary, Lattice, Topology};
use ceas_sim::update::{
    BetaGrid, CachedField, CachedSpins, HeatBath, Houdayer, Kinetic, Ladder, Metropolis, MultiSpin, Pair,
    Replicas, Rule, SharedRandom, SharedSpins, SwendsenWang, Synchronous, TemperedFields, Tempering, Wolff,
    WolffCalibration,
};
use chains::{beta, random_model, uniform};

const PLAN: Plan = Plan { thermalization: 3, sweeps: 17, every: 4 };

fn begin<'m, U>(model: &'m U::Model, state: U::State, update: U) -> Run<'m, U>
where
    U: SavedUpdate,
{
    let streams = Streams::new(5, Purpose::Update, 2, update.blocks().max(potts::RACE_LANES).max(6));
    let schedule = Schedule::linear(beta(0.1), beta(0.7), 15).unwrap();
    Run::new(model, state, update, schedule, streams)
}

/// Interrupts a run of [`PLAN`] after every possible number of sweeps, and compares what was measured and where it ends.
fn resumes<U>(model: &U::Model, state: &U::State, update: &U)
where
    U: SavedUpdate + Clone,
    U::Model: Recognizable,
    U::State: SavedState<U::Model> + Clone + PartialEq + Debug,
{
    let name = update.kind();
    let fresh = || begin(model, state.clone(), update.clone());
    let mut seen = Vec::new();
    let mut whole = fresh();
    whole.drive(&PLAN, |run| {
        seen.push((run.sweeps(), run.state().clone()));
        ControlFlow::Continue(())
    });
    let end = checkpoint::encode(&whole, b"");
    for stop in 0..=PLAN.total() {
        let mut first = fresh();
        let mut measured = Vec::new();
        let plan = Plan { thermalization: 0, sweeps: stop, every: 1 };
        first.drive(&plan, |run| {
            if PLAN.measures(run.sweeps()) {
                measured.push((run.sweeps(), run.state().clone()));
            }
            ControlFlow::Continue(())
        });
        let bytes = checkpoint::encode(&first, &stop.to_le_bytes());
        let mut resumed = checkpoint::decode(&bytes, model, update.clone()).unwrap();
        assert_eq!(resumed.attached, stop.to_le_bytes());
        assert!(checkpoint::encode(&resumed.run, &resumed.attached) == bytes, "{name} after {stop}");
        let ending = resumed.run.drive_from(stop, &PLAN, |run| {
            measured.push((run.sweeps(), run.state().clone()));
            ControlFlow::Continue(())
        });
        assert_eq!(ending, Ending::Completed);
        assert_eq!(measured, seen, "{name} after {stop}");
        assert_eq!(resumed.run.state(), whole.state(), "{name} after {stop}");
        assert_eq!(resumed.run.activity(), whole.activity(), "{name} after {stop}");
        assert!(checkpoint::encode(&resumed.run, b"") == end, "{name} after {stop}");
    }
}

fn hot(n: usize, replica: u64) -> Spins {
    Spins::random(n, &mut Stream::new(5, Purpose::Initial, replica, 0))
}

#[test]
fn every_update_of_spins_resumes() {
    let square = uniform(Topology::square(6).unwrap(), 1.0, 0.0);
    let glass = random_model(Topology::complete(11).unwrap(), 20, true);
    for model in [&square, &glass] {
        let s = &hot(model.n_sites(), 0);
        resumes(model, s, &Metropolis::new(model).unwrap());
        resumes(model, s, &HeatBath::new(model).unwrap());
        resumes(model, s, &Wolff::new(model, 3).unwrap());
        resumes(model, s, &WolffCalibration::new(model).unwrap());
        resumes(model, s, &SwendsenWang::new(model).unwrap());
        resumes(model, s, &Synchronous::new(model).unwrap());
        resumes(model, s, &Kinetic::new(model, Rule::HeatBath).unwrap());
        resumes(model, s, &Kinetic::new(model, Rule::Metropolis).unwrap());
    }
}

#[test]
fn updates_made_of_updates_resume() {
    let square = uniform(Topology::square(6).unwrap(), 1.0, 0.0);
    let glass = random_model(Topology::complete(11).unwrap(), 21, true);
    for model in [&square, &glass] {
        let n = model.n_sites();
        let pair = |replica| Pair::new(hot(n, replica), hot(n, replica + 9)).unwrap();
        let houdayer = Houdayer::new(model, HeatBath::new(model).unwrap()).unwrap();
        let grid = BetaGrid::geometric(beta(0.1), beta(0.7), 4).unwrap();
        resumes(model, &pair(0), &houdayer);
        let ladder = Ladder::new((0..4).map(|r| hot(n, r)).collect()).unwrap();
        resumes(model, &ladder, &Tempering::new(grid.clone(), HeatBath::new(model).unwrap()));
        let kinetic = Kinetic::new(model, Rule::Metropolis).unwrap();
        resumes(model, &ladder, &Tempering::new(grid.clone(), kinetic));
        let pairs = Ladder::new((0..4).map(pair).collect()).unwrap();
        resumes(model, &pairs, &Tempering::new(grid, houdayer));
    }
}

#[test]
fn updates_on_cached_fields_and_in_lanes_resume() {
    let sparse = random_model(Topology::square(4).unwrap(), 24, true);
    let dense = random_model(Topology::complete(11).unwrap(), 25, true);
    for model in [&sparse, &dense] {
        // Fields in 32 bits round, so that they depend on the way.
        let rows = &CouplingRows::<f32>::new(model).unwrap();
        let states = |n: usize| -> Vec<_> {
            (0..n as u64).map(|r| CachedSpins::new(rows, &hot(model.n_sites(), r))).collect()
        };
        resumes(rows, &states(3), &CachedField::new());
        let grid = BetaGrid::geometric(beta(0.1), beta(0.7), 3).unwrap();
        resumes(rows, &states(3), &TemperedFields::new(grid.clone(), rows).unwrap());
        resumes(rows, &states(6), &TemperedFields::pairs(grid, rows).unwrap());
    }
    let glass = lane_glass();
    let lanes = lane_spins();
    resumes(&glass, &lanes, &Replicas::metropolis(&glass).unwrap());
    resumes(&glass, &lanes, &Replicas::heat_bath(&glass).unwrap());
    let shared = SharedSpins::new(lanes);
    let ratios = (0..512).map(|r| f64::from(r) / 256.0).collect();
    resumes(&glass, &shared, &SharedRandom::new(&glass).unwrap().with_ratios(ratios).unwrap());
}

/// J = ±1 on a ring of nine sites in a field.
fn lane_glass() -> Hamiltonian {
    signs_alone(&random_model(Topology::ring(9).unwrap(), 26, false), Field::Uniform(1.0))
}

fn lane_spins() -> ReplicaSpins {
    ReplicaSpins::random(9, &mut Stream::new(5, Purpose::Initial, 0, 0)).unwrap()
}

fn signs_alone(model: &Hamiltonian, field: Field) -> Hamiltonian {
    let signs = (0..model.topology().n_bonds()).map(|bond| model.coupling_at(bond).signum()).collect();
    Hamiltonian::new(model.topology().clone(), Couplings::PerBond(signs), field).unwrap()
}

fn packed(update: &MultiSpin) -> PackedSpins {
    PackedSpins::random(*update.grid(), &mut Stream::new(5, Purpose::Initial, 0, 0)).unwrap()
}

#[test]
fn sites_in_the_lanes_resume() {
    let glass = signs_alone(&random_model(Topology::square(64).unwrap(), 27, false), Field::Zero);
    let cubic = uniform(Topology::lattice(Lattice::Cubic, 16, Boundary::Periodic).unwrap(), -1.0, 0.3);
    for model in [&glass, &cubic] {
        for update in [MultiSpin::metropolis(model).unwrap(), MultiSpin::heat_bath(model).unwrap()] {
            resumes(model, &packed(&update), &update);
            // Written on one machine, gone on with on another.
            let mut first = begin(model, packed(&update), update.clone());
            first.drive(&PLAN, |_| ControlFlow::Continue(()));
            let bytes = checkpoint::encode(&first, b"");
            let portable = update.clone().at_level(Level::Portable);
            let mut resumed = checkpoint::decode(&bytes, model, portable).unwrap().run;
            first.drive(&PLAN, |_| ControlFlow::Continue(()));
            resumed.drive(&PLAN, |_| ControlFlow::Continue(()));
            assert!(checkpoint::encode(&first, b"") == checkpoint::encode(&resumed, b""));
        }
    }
}

#[test]
fn every_update_of_a_potts_spin_resumes() {
    let spin = PottsSpin::new(&[0.5, f64::NEG_INFINITY, -1.0, 2.0]).unwrap();
    resumes(&spin, &0, &potts::HeatBath::default());
    resumes(&spin, &0, &potts::Metropolis);
    resumes(&spin, &0, &potts::Race::default());
    resumes(&spin, &potts::Distribution::uniform(&spin), &potts::LawUnderMetropolis::default());
}

type Sample = Tempering<HeatBath>;

fn sample_model() -> Hamiltonian {
    random_model(Topology::ring(13).unwrap(), 22, true)
}

fn sample_update(model: &Hamiltonian) -> Sample {
    let grid = BetaGrid::linear(beta(0.2), beta(1.0), 3).unwrap();
    Tempering::new(grid, HeatBath::new(model).unwrap())
}

/// A run of tempering after 7 of 30 sweeps of a linear ramp.
fn sample(model: &Hamiltonian) -> Run<'_, Sample> {
    let ladder = Ladder::new((0..3).map(|r| hot(13, r)).collect()).unwrap();
    let mut run = begin(model, ladder, sample_update(model));
    let plan = Plan { thermalization: 7, sweeps: 0, every: 1 };
    run.drive(&plan, |_| ControlFlow::Continue(()));
    run
}

fn refusal(bytes: &[u8], model: &Hamiltonian) -> Refusal {
    match checkpoint::decode(bytes, model, sample_update(model)) {
        Err(refusal) => refusal,
        Ok(_) => panic!("the file was taken"),
    }
}

/// 64-bit FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The bytes with the checksum that fits them.
fn forged(mut bytes: Vec<u8>) -> Vec<u8> {
    let body = bytes.len() - 8;
    let sum = hash(&bytes[..body]);
    bytes[body..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn damaged_files_are_refused() {
    let model = sample_model();
    let bytes = checkpoint::encode(&sample(&model), b"attached");
    assert_eq!(forged(bytes.clone()), bytes);
    for length in 0..bytes.len() {
        refusal(&bytes[..length], &model);
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        refusal(&damaged, &model);
    }
}

/// Every byte and every word of a file changed, one at a time: the lie is refused, or taken as a run that can be driven.
fn lies_are_refused_or_harmless<U>(bytes: &[u8], model: &U::Model, update: &U)
where
    U: SavedUpdate + Clone,
    U::Model: Recognizable,
    U::State: SavedState<U::Model>,
{
    for at in 12..bytes.len() - 8 {
        for value in [0, 1, 0x7F, 0x80, 0xFF] {
            let mut lies = bytes.to_vec();
            lies[at] = value;
            if let Ok(mut resumed) = checkpoint::decode(&forged(lies), model, update.clone()) {
                let plan = Plan { thermalization: 0, sweeps: 2, every: 1 };
                resumed.run.drive(&plan, |_| ControlFlow::Continue(()));
            }
        }
        // Lengths and counts of 2⁶⁴ − 1, of 2⁶² and of bytes that are not there.
        for word in [u64::MAX, 1 << 62, 1 << 40] {
            if at + 16 <= bytes.len() {
                let mut lies = bytes.to_vec();
                lies[at..at + 8].copy_from_slice(&word.to_le_bytes());
                let _ = checkpoint::decode(&forged(lies), model, update.clone());
            }
        }
    }
}

#[test]
fn forged_files_are_refused_or_harmless() {
    let model = sample_model();
    let bytes = checkpoint::encode(&sample(&model), b"");
    lies_are_refused_or_harmless(&bytes, &model, &sample_update(&model));
}

/// A run in lanes of which every part is forged, and of which ever more is missing under a checksum that fits.
fn lies_about_lanes<U>(model: &Hamiltonian, state: U::State, update: &U)
where
    U: SavedUpdate<Model = Hamiltonian> + Clone,
    U::State: SavedState<Hamiltonian>,
{
    let streams = Streams::new(5, Purpose::Update, 2, update.blocks());
    let run = Run::new(model, state, update.clone(), Schedule::Constant(beta(0.5)), streams);
    let bytes = checkpoint::encode(&run, b"");
    assert!(checkpoint::decode(&bytes, model, update.clone()).is_ok());
    lies_are_refused_or_harmless(&bytes, model, update);
    for missing in 1..bytes.len() - 20 {
        let short = forged(bytes[..bytes.len() - missing].to_vec());
        let refused = checkpoint::decode(&short, model, update.clone()).err();
        assert!(matches!(refused, Some(Refusal::Broken { .. } | Refusal::Other { .. })), "{missing} missing");
    }
}

#[test]
fn forged_lanes_are_refused_or_harmless() {
    let ferromagnet = uniform(Topology::square(64).unwrap(), 1.0, 0.0);
    let metropolis = MultiSpin::metropolis(&ferromagnet).unwrap();
    lies_about_lanes(&ferromagnet, packed(&metropolis), &metropolis);
    let glass = lane_glass();
    let shared = SharedRandom::new(&glass).unwrap();
    lies_about_lanes(&glass, SharedSpins::new(lane_spins()), &shared);

    // Another rule is refused by name.
    let bytes = checkpoint::encode(&begin(&ferromagnet, packed(&metropolis), metropolis.clone()), b"");
    let heat_bath = MultiSpin::heat_bath(&ferromagnet).unwrap();
    let Err(Refusal::Other { expected, got, .. }) = checkpoint::decode(&bytes, &ferromagnet, heat_bath)
    else {
        panic!("another rule was taken")
    };
    assert!(expected.contains("heat-bath") && got.contains("metropolis"), "{expected}, {got}");

    // A graph that fits no lanes, bytes that are not there, and spins of another lattice.
    let ring = sample_model();
    let load = |model, bytes: &[u8]| PackedSpins::load(model, &mut Reader::new(bytes));
    assert!(
        matches!(load(&ring, &[0; 512]), Err(Refusal::Broken { violated, .. }) if violated.contains("lattice"))
    );
    assert!(matches!(load(&ferromagnet, &[0; 511]), Err(Refusal::Broken { at: 0, .. })));
    assert!(load(&ferromagnet, &[0; 512]).unwrap().magnetization() == -4096);
    let cubic = uniform(Topology::lattice(Lattice::Cubic, 16, Boundary::Periodic).unwrap(), 1.0, 0.0);
    let mut update = MultiSpin::metropolis(&cubic).unwrap();
    let other = packed(&metropolis);
    assert!(SavedUpdate::restore(&mut update, &other, &mut Reader::new(&[])).is_err());
}

#[test]
fn files_of_other_runs_are_refused_by_name() {
    let model = sample_model();
    let bytes = checkpoint::encode(&sample(&model), b"");
    let other = random_model(Topology::ring(13).unwrap(), 23, true);
    let Refusal::Other { what, .. } = refusal(&bytes, &other) else { panic!("another model was taken") };
    assert!(what.contains("model"));
    let grid = BetaGrid::linear(beta(0.2), beta(1.1), 3).unwrap();
    let update = Tempering::new(grid, HeatBath::new(&model).unwrap());
    let Err(Refusal::Other { expected, got, .. }) = checkpoint::decode(&bytes, &model, update) else {
        panic!("another grid was taken")
    };
    assert!(expected != got && got.contains("3 rungs"), "{expected}, {got}");
    let mut newer = bytes.clone();
    newer[8] = 99;
    let refused = refusal(&newer, &model);
    assert!(matches!(&refused, Refusal::Other { got, .. } if got == "99"), "{refused:?}");
    assert!(matches!(refusal(b"not a checkpoint at all", &model), Refusal::Broken { at: 0, .. }));
}

#[test]
fn a_file_is_whole_or_not_there() {
    let model = sample_model();
    let run = sample(&model);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.checkpoint");
    checkpoint::save(&run, b"one", &path).unwrap();
    checkpoint::save(&run, b"two", &path).unwrap();
    let names = |folder: &tempfile::TempDir| -> Vec<PathBuf> {
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    assert_eq!(names(&folder), std::slice::from_ref(&path));
    assert_eq!(checkpoint::resume(&path, &model, sample_update(&model)).unwrap().attached, b"two");

    // A folder stands where the file should be: nothing is left of the attempt.
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    let error = checkpoint::save(&run, b"", &taken).unwrap_err();
    assert!(matches!(error, Error::Archive { .. }), "{error}");
    assert_eq!(names(&folder).len(), 2);
    let error = checkpoint::save(&run, b"", &folder.path().join("no/such/folder")).unwrap_err();
    assert!(error.to_string().contains("no/such/folder"), "{error}");

    let missing = folder.path().join("missing");
    let error = checkpoint::resume(&missing, &model, sample_update(&model)).err().unwrap();
    assert!(error.to_string().contains("missing"), "{error}");
    fs::write(&path, b"CEASCKPT").unwrap();
    let error = checkpoint::resume(&path, &model, sample_update(&model)).err().unwrap();
    assert!(matches!(error, Error::Checkpoint { at: 8, .. }), "{error}");
}

/// Version 1, written by the first program that wrote it. It must be read, and go on as then, for good.
#[test]
fn a_checkpoint_of_version_one_goes_on() {
    let bytes = include_bytes!("data/tempering-v1.checkpoint");
    let model = sample_model();
    let mut resumed = checkpoint::decode(bytes, &model, sample_update(&model)).unwrap();
    assert_eq!((resumed.run.sweeps(), resumed.attached.as_slice()), (7, &b"version one"[..]));
    resumed.run.drive_from(7, &PLAN, |_| ControlFlow::Continue(()));
    let mut end = Vec::new();
    for rung in resumed.run.state().rungs() {
        end.extend(rung.as_slice().iter().map(|&s| s as u8));
    }
    end.extend(resumed.run.streams().as_slice().iter().flat_map(|s| s.position().0[0].to_le_bytes()));
    assert_eq!(hash(&end), CONTINUED);
    assert_eq!(resumed.run.activity().attempts, 20 * 3 * 13);
}

const CONTINUED: u64 = 9_386_961_251_852_592_720;
