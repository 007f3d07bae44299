//! Spins per nanosecond of the cluster updates at β_c on one thread, always with the naive line beside it.
//!
//! The throughput that criterion prints is spins per second: 1 Gelem/s is 1 spin/ns. Swendsen and Wang's line counts every site once
//! per sweep (it is decided, not necessarily flipped); Wolff's counts flipped sites. Both decide each bond by 32 exact random
//! digits of xoshiro256++, none shared, and start from 50 sweeps at β_c.

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
use ceas_npu::sim::stream::{Purpose, Streams};
use ceas_npu::sim::topology::Topology;
use ceas_npu::sim::update::{SwendsenWang, Update, Wolff};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const BETA_C: f64 = 0.440_686_793_509_772;

/// A run at β_c after 50 sweeps of Swendsen and Wang, driven on by `update`.
fn warm<U: Update<Model = Hamiltonian, State = Spins>>(model: &Hamiltonian, update: U) -> Run<'_, U> {
    let schedule = Schedule::Constant(Beta::new(BETA_C).expect("β_c is a β"));
    let start = SwendsenWang::new(model).expect("the lattice fits");
    let streams = Streams::new(1, Purpose::Thermalization, 0, 1);
    let mut run = Run::new(model, Spins::up(model.n_sites()), start, schedule.clone(), streams);
    run.drive(&Plan { thermalization: 50, sweeps: 0, every: 1 }, |_| ControlFlow::Continue(()));
    // A wrong answer cannot be a fast one.
    let energy = Observer::new(model).observe(run.state()).energy;
    assert!((energy + 2f64.sqrt()).abs() < 0.15, "energy per site {energy}");
    Run::new(model, run.finish().0, update, schedule, Streams::new(1, Purpose::Update, 0, 1))
}

fn clusters(c: &mut Criterion) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("no pool was made before");
    let mut group = c.benchmark_group("clusters");
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    for l in [64, 256, 1024] {
        let model = Hamiltonian::ferromagnet(Topology::square(l).expect("the lattice fits"));
        group.throughput(Throughput::Elements(model.n_sites() as u64));
        let fast = SwendsenWang::new(&model).expect("the lattice fits");
        for (name, update) in
            [("swendsen-wang/naive", fast.clone().with_generic_kernel()), ("swendsen-wang/runs", fast)]
        {
            let mut run = warm(&model, update);
            group.bench_function(BenchmarkId::new(name, l), |b| b.iter(|| black_box(&mut run).step()));
        }
        let fast = Wolff::new(&model, 1).expect("there is no field");
        for (name, update) in [("wolff/naive", fast.clone().with_marks()), ("wolff/unmarked", fast)] {
            let mut run = warm(&model, update);
            // Clusters differ in size: time is divided by the flips of the very clusters that were timed.
            group.throughput(Throughput::Elements(1));
            group.bench_function(BenchmarkId::new(name, l), |b| {
                b.iter_custom(|flips| {
                    let (before, begun) = (run.activity().flips, std::time::Instant::now());
                    while run.activity().flips - before < flips {
                        black_box(&mut run).step();
                    }
                    let done = (run.activity().flips - before) as f64;
                    begun.elapsed().mul_f64(flips as f64 / done)
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, clusters);
criterion_main!(benches);
