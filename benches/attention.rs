//! Samplers on the bundled heads: `cargo bench --bench attention`. One thread.
//!
//! `all heads` is what `ceas attend` does before it prints: 72 heads, every query, S = 1000, with everything exact beside it.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::Duration;

use ceas_npu::mapping::attention::{
    Dynamics, HeadReport, Ramp, Sampler, Sampling, Start, sample_head, textbook_beta,
};
use ceas_npu::mapping::heads::HeadSet;
use ceas_npu::mapping::qkv;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const BUNDLED: &[u8] = include_bytes!("../data/minilm_maxwell.safetensors");

fn sampling(sampler: Sampler) -> Sampling {
    let samples = NonZeroU32::new(1000).expect("1000 is not 0");
    Sampling { beta: textbook_beta(32), samples, sampler, seed: 1 }
}

fn run(set: &HeadSet, head: usize, sampler: Sampler) -> u64 {
    let at = (head / set.heads(), head % set.heads());
    let sample = sample_head(&set.head(at.0, at.1), head as u64, &sampling(sampler))
        .expect("the bundled heads are finite");
    black_box(HeadReport::new(at.0, at.1, &sample)).activity.attempts
}

fn samplers(criterion: &mut Criterion) {
    let set = qkv::from_bytes("bundled", BUNDLED).expect("the bundled file is whole");
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("no pool was built before");
    let dynamics = Dynamics { ramp: Ramp::Linear, from: Start::Fraction(0.1), sweeps: 510, interval: 1 };
    let all = [Sampler::Race, Sampler::HeatBath, Sampler::Metropolis(dynamics), Sampler::Law];
    let mut group = criterion.benchmark_group("one head");
    group.sample_size(10);
    for sampler in all {
        // Attempts, or for the shortcut that touches no spin, nothing.
        group.throughput(Throughput::Elements(run(&set, 53, sampler).max(1)));
        group.bench_function(sampler.name(), |b| b.iter(|| run(&set, 53, sampler)));
    }
    group.finish();
    let mut group = criterion.benchmark_group("all heads");
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    for sampler in all {
        let every = || (0..set.layers() * set.heads()).map(|head| run(&set, head, sampler)).sum::<u64>();
        group.bench_function(sampler.name(), |b| b.iter(every));
    }
    group.finish();
}

criterion_group!(benches, samplers);
criterion_main!(benches);
