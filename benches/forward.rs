//! The exact forward of all-MiniLM-L6-v2 on 128 tokens, loading excluded, on one thread and on two.
//!
//! The model is looked for in `$CEAS_MINILM`, then in `.tools/minilm` (`tools/fetch-minilm`).

use std::hint::black_box;
use std::path::{Path, PathBuf};

use ceas_npu::mapping::reference::Model;
use ceas_npu::mapping::reference::substrate::Digital;
use criterion::{Criterion, criterion_group, criterion_main};

fn forward(criterion: &mut Criterion) {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/minilm");
    let folder = std::env::var_os("CEAS_MINILM").map_or(fetched, PathBuf::from);
    let Ok(model) = Model::open(&folder) else {
        eprintln!("SKIPPED: no model in {}; tools/fetch-minilm fetches it", folder.display());
        return;
    };
    // Any 128 words: the time does not depend on which.
    let ids: Vec<u32> = (0..128).map(|i| 2000 + 37 * i).collect();
    let sequence = model.tokens().sequence(&ids, 128).expect("128 words of the vocabulary");
    let mut group = criterion.benchmark_group("forward, 128 tokens");
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
        group.bench_function(format!("{threads} threads"), |bench| {
            bench.iter(|| {
                pool.install(|| model.encoder().forward(black_box(&sequence), &mut Digital).expect("it fits"))
            });
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = Criterion::default().sample_size(20); targets = forward }
criterion_main!(benches);
