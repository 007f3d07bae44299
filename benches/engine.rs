//! Attempts per nanosecond of the multi-spin kernels at β_c, one line for every instruction set of the machine.
//!
//! The throughput that criterion prints is attempts per second on one thread: 1 Gelem/s is 1 attempt/ns. An attempt is one single-spin
//! update tried, with random numbers of its own compared with 64 digits. `ceas bench engine` prints the whole table at once.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Duration;

use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::hamiltonian::Hamiltonian;
use ceas_npu::sim::kernel::multispin::sites::Decision;
use ceas_npu::sim::kernel::multispin::{Level, PackedSpins, REPLICAS, ReplicaSpins};
use ceas_npu::sim::plan::Plan;
use ceas_npu::sim::run::Run;
use ceas_npu::sim::schedule::Schedule;
use ceas_npu::sim::stream::{Purpose, Stream, Streams};
use ceas_npu::sim::topology::Topology;
use ceas_npu::sim::update::{MultiSpin, Replicas, Update};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn run<U: Update<Model = Hamiltonian>>(
    model: &Hamiltonian,
    start: U::State,
    update: U,
    blocks: usize,
) -> Run<'_, U> {
    let critical = Schedule::Constant(Beta::new(0.440_686_793_509_772).expect("β_c is a β"));
    let mut run = Run::new(model, start, update, critical, Streams::new(1, Purpose::Update, 0, blocks));
    run.drive(&Plan { thermalization: 20, sweeps: 0, every: 1 }, |_| ControlFlow::Continue(()));
    run
}

/// A wrong answer cannot be a fast one: twenty sweeps after a quench the energy is within 12 % of e(β_c) = −√2.
fn is_critical(energy: f64) {
    assert!((energy + 1.414).abs() < 0.17, "energy per site {energy}");
}

fn sites(c: &mut Criterion) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("no pool was made before");
    let mut group = c.benchmark_group("multi-spin sites");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    for l in [1024, 4096] {
        let model = Hamiltonian::ferromagnet(Topology::square(l).expect("the lattice fits"));
        group.throughput(Throughput::Elements((l * l) as u64));
        for level in Level::available() {
            for (name, update) in
                [("metropolis", MultiSpin::metropolis(&model)), ("heat-bath", MultiSpin::heat_bath(&model))]
            {
                let update = update.expect("L is a multiple of 64").at_level(level);
                let start = PackedSpins::random(*update.grid(), &mut Stream::new(1, Purpose::Initial, 0, 0));
                let blocks = update.blocks();
                let mut run = run(&model, start.expect("it fits into memory"), update, blocks);
                is_critical(run.update().energy(run.state()) / (l * l) as f64);
                let id = BenchmarkId::new(format!("square/{name}/{level}"), l);
                group.bench_function(id, |b| b.iter(|| black_box(&mut run).step()));
            }
        }
    }
    group.finish();
}

fn replicas(c: &mut Criterion) {
    let mut group = c.benchmark_group("multi-spin replicas");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    let model = Hamiltonian::ferromagnet(Topology::square(64).expect("the lattice fits"));
    group.throughput(Throughput::Elements((REPLICAS * model.n_sites()) as u64));
    for level in Level::available() {
        let update = Replicas::new(&model, Decision::Metropolis, level).expect("the couplings are integers");
        let start = ReplicaSpins::random(model.n_sites(), &mut Stream::new(1, Purpose::Initial, 0, 0));
        let blocks = update.blocks();
        let mut run = run(&model, start.expect("it fits into memory"), update, blocks);
        is_critical(run.update().energies(run.state())[0] / model.n_sites() as f64);
        let id = BenchmarkId::new(format!("square/metropolis/{level}"), 64);
        group.bench_function(id, |b| b.iter(|| black_box(&mut run).step()));
    }
    group.finish();
}

criterion_group!(benches, sites, replicas);
criterion_main!(benches);
