//! Attempts per nanosecond of every update and kernel at β_c, always with the naive line beside it.
//!
//! The throughput that criterion prints is attempts per second on one thread: 1 Gelem/s is 1 attempt/ns. Metropolis and heat bath
//! draw 32 exact random bits of xoshiro256++ per attempt, none shared. Wolff's line counts flipped sites, after thermalization.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Duration;

use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::hamiltonian::Hamiltonian;
use ceas_npu::sim::observable::Observer;
use ceas_npu::sim::plan::Plan;
use ceas_npu::sim::run::Run;
use ceas_npu::sim::schedule::Schedule;
use ceas_npu::sim::spins::Spins;
use ceas_npu::sim::stream::{Purpose, Stream, Streams};
use ceas_npu::sim::topology::Topology;
use ceas_npu::sim::update::{HeatBath, Metropolis, Update, WolffCalibration};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const SIZES: [usize; 3] = [64, 1024, 4096];

fn critical() -> Beta {
    Beta::new(0.440_686_793_509_772).expect("β_c is a β")
}

/// A run at β_c that has made twenty sweeps from a hot start.
fn warm<U: Update<Model = Hamiltonian, State = Spins>>(
    model: &Hamiltonian,
    update: U,
    blocks: usize,
) -> Run<'_, U> {
    let start = Spins::random(model.n_sites(), &mut Stream::new(1, Purpose::Initial, 0, 0));
    let streams = Streams::new(1, Purpose::Update, 0, blocks);
    let mut run = Run::new(model, start, update, Schedule::Constant(critical()), streams);
    run.drive(&Plan { thermalization: 20, sweeps: 0, every: 1 }, |_| ControlFlow::Continue(()));
    // A wrong answer cannot be a fast one: twenty sweeps after a quench the energy is within 12 % of e(β_c) = −√2.
    let energy = Observer::new(model).observe(run.state()).energy;
    assert!((energy + 1.414).abs() < 0.17, "energy per site {energy}");
    run
}

fn sweeps(c: &mut Criterion) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("no pool was made before");
    let mut group = c.benchmark_group("sweep");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    for l in SIZES {
        let model = Hamiltonian::ferromagnet(Topology::square(l).expect("the lattice fits"));
        group.throughput(Throughput::Elements((l * l) as u64));
        macro_rules! line {
            ($name:literal, $update:expr) => {{
                let update = $update;
                let blocks = update.blocks();
                let mut run = warm(&model, update, blocks);
                group.bench_function(BenchmarkId::new($name, l), |b| b.iter(|| black_box(&mut run).step()));
            }};
        }
        line!("metropolis/naive", Metropolis::new(&model).expect("L is even").with_generic_kernel());
        line!("metropolis/square-rows", Metropolis::new(&model).expect("L is even"));
        line!("heat-bath/naive", HeatBath::new(&model).expect("L is even").with_generic_kernel());
        line!("heat-bath/square-rows", HeatBath::new(&model).expect("L is even"));
    }
    group.finish();
}

fn clusters(c: &mut Criterion) {
    let mut group = c.benchmark_group("cluster");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    for l in SIZES {
        let model = Hamiltonian::ferromagnet(Topology::square(l).expect("the lattice fits"));
        let start = Spins::up(model.n_sites());
        let streams = Streams::new(1, Purpose::Thermalization, 0, 1);
        let calibration = WolffCalibration::new(&model).expect("there is no field");
        let constant = Schedule::Constant(critical());
        let mut run = Run::new(&model, start, calibration, constant.clone(), streams);
        run.drive(&Plan { thermalization: 20, sweeps: 0, every: 1 }, |_| ControlFlow::Continue(()));
        let wolff = run.update().freeze();
        let (state, _) = run.finish();
        for (name, update) in [("wolff/naive", wolff.clone().with_marks()), ("wolff/unmarked", wolff)] {
            let streams = Streams::new(1, Purpose::Update, 0, 1);
            let mut run = Run::new(&model, state.clone(), update, constant.clone(), streams);
            // Clusters differ in size: the flips per sweep are those of fifty sweeps made beforehand.
            let plan = Plan { thermalization: 50, sweeps: 0, every: 1 };
            let mut rehearsal = Run::new(
                &model,
                state.clone(),
                run.update().clone(),
                constant.clone(),
                Streams::new(1, Purpose::Update, 0, 1),
            );
            rehearsal.drive(&plan, |_| ControlFlow::Continue(()));
            group.throughput(Throughput::Elements(rehearsal.activity().flips / 50));
            group.bench_function(BenchmarkId::new(name, l), |b| b.iter(|| black_box(&mut run).step()));
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    // Criterion's plots look for system fonts, which the workspace's plotters is built without.
    config = Criterion::default().without_plots();
    targets = sweeps, clusters
}
criterion_main!(benches);
