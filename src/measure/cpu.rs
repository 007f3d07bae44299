//! Exact attention on the processor: tiles of queries against tiles of keys, with a running softmax, in f32.
//!
//! ```text
//! S = Q Kᵀ/√d      m' = max(m, max_j S_j)      P = e^(S − m')      l ← l e^(m − m') + Σ_j P_j      O ← O e^(m − m') + P V
//! ```
//!
//! No row of n scores is ever held (Milakov and Gimelshein, arXiv:1805.02867; Dao et al., arXiv:2205.14135). Products are
//! matrixmultiply's, which picks the instruction set; tiles of all heads are shared among the threads.

use std::time::Instant;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::exponential::{exponential, exponentials};
use super::host;
use super::meter::Meter;
use super::problem::{Accuracy, Problem};
use super::{Error, Measured, Plan, Point};
use ceas_npu_model::gpu::{Machine, Measurement};

/// Queries of a tile.
const QUERIES: usize = 64;
/// Keys of a tile; a multiple of the queries, so that every query sees a key of every tile it meets.
const KEYS: usize = 128;
/// Shortest time that is measured at once, in seconds; shorter work is repeated within.
const SHORTEST: f64 = 2e-3;
/// Largest relative error that rounding in f32 explains.
const ALLOWED: f64 = 2e-6;
/// Name of the kernel in files.
const KERNEL: &str = "tiled online softmax, f32, rayon and matrixmultiply";

/// Attention of all heads: o \[head, row, d\].
pub fn attention(problem: &Problem) -> Vec<f32> {
    let Problem { n, d, heads, .. } = *problem;
    let mut output = vec![0.0f32; heads * n * d];
    output.par_chunks_mut(n * d).enumerate().for_each(|(head, of_head)| {
        of_head.par_chunks_mut(QUERIES * d).enumerate().for_each(|(tile, out)| {
            one_tile(problem, head, tile * QUERIES, out);
        });
    });
    output
}

/// The rows of one head.
fn rows_of(all: &[f32], head: usize, n: usize, d: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((n, d), &all[head * n * d..(head + 1) * n * d])
        .expect("a head has n rows of d numbers")
}

/// Output of the queries from `first` on, as many as `out` has rows.
fn one_tile(problem: &Problem, head: usize, first: usize, out: &mut [f32]) {
    let Problem { n, d, causal, .. } = *problem;
    let rows = out.len() / d;
    let (k, v) = (rows_of(&problem.k, head, n, d), rows_of(&problem.v, head, n, d));
    let scale = 1.0 / (d as f32).sqrt();
    let q = rows_of(&problem.q, head, n, d).slice(s![first..first + rows, ..]).mapv(|x| x * scale);
    let mut scores = Array2::<f32>::zeros((rows, KEYS));
    let mut o = Array2::<f32>::zeros((rows, d));
    let mut most = vec![f32::NEG_INFINITY; rows];
    let mut sum = vec![0.0f32; rows];
    let visible = if causal { (first + rows).min(n) } else { n };
    for start in (0..visible).step_by(KEYS) {
        let width = KEYS.min(visible - start);
        let keys = k.slice(s![start..start + width, ..]);
        let mut s_tile = scores.slice_mut(s![.., ..width]);
        general_mat_mul(1.0, &q, &keys.t(), 0.0, &mut s_tile);
        for (i, mut row) in s_tile.axis_iter_mut(Axis(0)).enumerate() {
            let row = row.as_slice_mut().expect("rows lie together");
            // Keys after the query are hidden. Tiles of keys start at or before the tile of queries, so one key is always seen.
            let seen = if causal { (first + i + 1 - start).min(width) } else { width };
            let (row, hidden) = row.split_at_mut(seen);
            hidden.fill(0.0);
            let here = row.iter().copied().fold(most[i], f32::max);
            let shrink = exponential(most[i] - here);
            row.iter_mut().for_each(|x| *x -= here);
            exponentials(row);
            sum[i] = sum[i] * shrink + row.iter().sum::<f32>();
            most[i] = here;
            o.row_mut(i).mapv_inplace(|x| x * shrink);
        }
        general_mat_mul(1.0, &s_tile, &v.slice(s![start..start + width, ..]), 1.0, &mut o);
    }
    for ((row, sum), out) in o.axis_iter(Axis(0)).zip(&sum).zip(out.chunks_mut(d)) {
        for (x, out) in row.iter().zip(out) {
            *out = x / sum;
        }
    }
}

/// Measures this processor: every length is compared with f64 first, then timed; the median of the repeats stands.
///
/// `step` is called after every measurement.
///
/// # Errors
/// [`Error::Wrong`] if the kernel were wrong.
pub fn measure(plan: &Plan, step: &dyn Fn()) -> Result<Measured, Error> {
    let machine = host::processor();
    let (load, clocks) = (host::load(), host::clock());
    let meter = Meter::open();
    let mut points = Vec::new();
    let mut watts = Vec::new();
    for &n in &plan.lengths {
        let problem = Problem::new(plan, n);
        let accuracy: Accuracy = problem.accuracy(&attention(&problem));
        // NaN is wrong as well.
        if !matches!(accuracy.relative_error.partial_cmp(&ALLOWED), Some(std::cmp::Ordering::Less)) {
            let kernel = KERNEL.to_owned();
            return Err(Error::Wrong { kernel, machine, found: accuracy.relative_error, allowed: ALLOWED });
        }
        let once = timed(&problem, 1);
        let inner = (SHORTEST / once).ceil().clamp(1.0, 1e4) as usize;
        let before = meter.as_ref().ok().and_then(Meter::read);
        let times: Vec<f64> = (0..plan.repeats)
            .map(|_| {
                let seconds = timed(&problem, inner);
                step();
                seconds
            })
            .collect();
        if let (Ok(meter), Some(before)) = (&meter, before)
            && let Some(drawn) = meter.read().and_then(|after| meter.watts(&before, &after))
        {
            watts.push(drawn);
        }
        points.push(Point::of(n, times, plan.flops(n)?, accuracy));
    }
    let drawn = (watts.len() == plan.lengths.len()).then(|| watts.iter().sum::<f64>() / watts.len() as f64);
    let power = match (&meter, drawn) {
        (_, Some(_)) => {
            "RAPL counters of the packages over the timed runs, idle power included, memory not".into()
        }
        (Err(why), _) => format!("not metered: {why}"),
        (Ok(_), None) => "not metered: the counters did not move".into(),
    };
    let worst = points.iter().map(|p| p.accuracy.relative_error).fold(0.0, f64::max);
    Ok(Measured {
        plan: plan.clone(),
        kind: Machine::Cpu,
        id: "this_cpu".into(),
        name: format!("this CPU, measured: {machine}"),
        kernel: KERNEL.into(),
        points,
        watts: drawn,
        notes: vec!["measured on this machine with everything else that ran on it".into(), power.clone()],
        measurement: Measurement {
            program: host::program(),
            command: host::command(),
            date: host::date(),
            machine,
            driver: None,
            backend: None,
            clocks,
            timer: "wall clock".into(),
            repeats: plan.repeats as u64,
            heads: plan.heads,
            threads: Some(rayon::current_num_threads() as u64),
            load,
            relative_error: worst,
            power,
        },
    })
}

/// Seconds of one of `times` runs.
fn timed(problem: &Problem, times: usize) -> f64 {
    let begin = Instant::now();
    for _ in 0..times {
        std::hint::black_box(attention(std::hint::black_box(problem)));
    }
    begin.elapsed().as_secs_f64().max(1e-9) / times as f64
}
