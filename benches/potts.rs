//! Draws per second from the attention rows of one layer of the bundled heads, one thread: `cargo bench --bench potts`.
//!
//! The model is that of benches/peers/thrml_potts.py: every (head, query) of layer 2 is one categorical variable with a state per key, at β₀.
//! `heat-bath` is the update of the engine, through its loop; `table` is the same law by look-up, the filling of the table included.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use ceas_npu::mapping::attention::{Row, textbook_beta};
use ceas_npu::mapping::qkv;
use ceas_npu::sim::plan::Plan;
use ceas_npu::sim::potts::{HeatBath, Table};
use ceas_npu::sim::run::Run;
use ceas_npu::sim::schedule::Schedule;
use ceas_npu::sim::stream::{Purpose, Stream, Streams};

const BUNDLED: &[u8] = include_bytes!("../data/minilm_maxwell.safetensors");
const DRAWS: u32 = 4096;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = qkv::from_bytes("bundled", BUNDLED)?;
    let beta = textbook_beta(set.d_head());
    let mut rows = Vec::new();
    for head in 0..set.heads() {
        for query in 0..set.n_queries() {
            rows.push(Row::new(&set.head(2, head), query, beta)?);
        }
    }
    let draws = (rows.len() as f64) * f64::from(DRAWS);
    let report = |name: &str, seconds: f64, counts: &[Vec<f32>]| {
        // Σ_j |c_j/S − p_j|/2 beside what independent draws give: Σ_j √(p(1 − p)/(2πS)).
        let (mut tv, mut expected) = (0.0, 0.0);
        for (row, counts) in rows.iter().zip(counts) {
            for (p, c) in row.law.probabilities().iter().zip(counts) {
                tv += 0.5 * (f64::from(*c) / f64::from(DRAWS) - p).abs();
                expected += (p * (1.0 - p) / (std::f64::consts::TAU * f64::from(DRAWS))).sqrt();
            }
        }
        println!(
            "ceas {name:<10} | {} clusters of {} states | {:.2} ns per draw | total variation over its expectation {:.3}",
            rows.len(),
            set.n_keys(),
            1e9 * seconds / draws,
            tv / expected
        );
    };
    let plan = Plan { thermalization: 0, sweeps: DRAWS.into(), every: 1 };
    for _ in 0..2 {
        let mut counts = vec![vec![0f32; set.n_keys()]; rows.len()];
        let start = Instant::now();
        for (index, (row, counts)) in rows.iter().zip(&mut counts).enumerate() {
            let streams = Streams::new(0, Purpose::Update, index as u64, 1);
            let mut run = Run::new(&row.spin, 0, HeatBath::default(), Schedule::Constant(beta), streams);
            run.drive(&plan, |run| {
                counts[*run.state()] += 1.0;
                ControlFlow::Continue(())
            });
        }
        report("heat-bath", start.elapsed().as_secs_f64(), black_box(&counts));
        let mut counts = vec![vec![0f32; set.n_keys()]; rows.len()];
        let mut weights = vec![0f32; set.n_keys()];
        let mut table = Table::default();
        let start = Instant::now();
        for (index, (row, counts)) in rows.iter().zip(&mut counts).enumerate() {
            for (j, weight) in weights.iter_mut().enumerate() {
                *weight = (beta.value() * row.spin.gap(j)).exp() as f32;
            }
            table.fill(&weights);
            table.count(DRAWS, counts, &mut Stream::new(0, Purpose::Update, index as u64, 0));
        }
        report("table", start.elapsed().as_secs_f64(), black_box(&counts));
    }
    Ok(())
}
