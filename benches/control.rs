//! What a controller adds to a head that is sampled: `cargo bench --bench control`. One thread.
//!
//! In turn, and many times: S races of every row of a head, its counts kept (nothing exact beside them); and the controller's step, which is the entropy and
//! the moments from these counts, moving averages, Halley's step of β, the published score of every query and its gate, and freezing. Medians and their ratio.
//! Bundled heads at n = 102; SmolLM2 at n = 160, if `tools/fetch-smollm2` has been run.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use ceas_npu::mapping::attention::{Row, textbook_beta};
use ceas_npu::mapping::control::defaults::{FREEZE_BELOW, LEAST_TOKENS, SCALES};
use ceas_npu::mapping::control::{
    Control, CountReader, Freezing, GateRule, Reading, Source, Target, Thermostat, TokenScore, Variant,
    threshold, top_share,
};
use ceas_npu::mapping::heads::HeadSet;
use ceas_npu::mapping::qkv;
use ceas_npu::mapping::reference::Loaded;
use ceas_npu::sim::plan::Plan;
use ceas_npu::sim::potts::{HeatBath, PottsSpin, RACE_LANES, Race};
use ceas_npu::sim::run::Run;
use ceas_npu::sim::schedule::Schedule;
use ceas_npu::sim::stream::{Purpose, Streams};
use ceas_npu::sim::update::Update;

const BUNDLED: &[u8] = include_bytes!("../data/minilm_maxwell.safetensors");
const TEXT: &str = include_str!("../data/passages.txt");
const SMOLLM2: &str = ".tools/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
/// Heads of a model that are timed, and turns of each.
const HEADS: usize = 6;
const TURNS: usize = 5;

/// S draws of every row by one of the samplers, counted.
fn sample<U: Update<Model = PottsSpin, State = usize> + Default>(
    rows: &[Row],
    samples: u32,
    blocks: usize,
    beta: ceas_npu::sim::beta::Beta,
    counts: &mut [Vec<u32>],
) {
    let plan = Plan { thermalization: 0, sweeps: samples.into(), every: 1 };
    for (index, (row, counts)) in rows.iter().zip(counts).enumerate() {
        counts.fill(0);
        let streams = Streams::new(0, Purpose::Update, index as u64, blocks);
        let mut run = Run::new(&row.spin, 0, U::default(), Schedule::Constant(beta), streams);
        run.drive(&plan, |run| {
            counts[*run.state()] += 1;
            ControlFlow::Continue(())
        });
    }
}

/// One step of the controller of one head, gates included; tells β and the queries kept.
fn step(
    reader: &CountReader,
    rows: &[Row],
    counts: &[Vec<u32>],
    thermostat: &mut Thermostat,
    frozen: &mut Freezing,
    scores: &mut Vec<f64>,
) -> (f64, usize, bool) {
    let beta = thermostat.beta();
    let weight = 1.0 / rows.len() as f64;
    let mut reading = Reading::default();
    scores.clear();
    for (row, counts) in rows.iter().zip(counts) {
        let [entropy, variance, third] = reader.row(&row.spin, counts);
        reading.entropy += weight * entropy;
        reading.variance += weight * variance;
        reading.third += weight * third;
        reading.ln_n += weight * libm::log(row.spin.states() as f64);
        reading.sigma += weight * row.sigma;
        reading.spread = reading.spread.max(-row.spin.descending().last().copied().unwrap_or(0.0));
        scores.push(beta * row.sigma * libm::sqrt(2.0 * entropy.max(0.0)));
    }
    thermostat.observe(&reading);
    let gate = GateRule {
        score: TokenScore::Published,
        threshold: threshold(&SCALES[1], 0),
        top_share: top_share(0),
        least: LEAST_TOKENS[0],
    };
    let kept = gate.keep(scores).into_iter().filter(|keep| *keep).count();
    (thermostat.beta(), kept, frozen.observe(reading.entropy, reading.ln_n - FREEZE_BELOW))
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn report(name: &str, set: &HeadSet) -> Result<(), Box<dyn std::error::Error>> {
    let beta = textbook_beta(set.d_head());
    let corrected = Variant::all(&SCALES[1], Target::PUBLISHED, Source::Exact)[Variant::CORRECTED].control;
    let control = Control { smoothed: true, ..corrected };
    let all = set.layers() * set.heads();
    for samples in [256u32, 1000] {
        let reader = CountReader::new(samples);
        let (mut races, mut baths, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..HEADS {
            let place = number * all / HEADS;
            let view = set.head(place / set.heads(), place % set.heads());
            let rows: Result<Vec<Row>, _> =
                (0..set.n_queries()).map(|query| Row::new(&view, query, beta)).collect();
            let rows = rows?;
            let mut counts = vec![vec![0u32; set.n_keys()]; rows.len()];
            let mut thermostat = Thermostat::new(control, beta);
            let mut frozen = Freezing::new(SCALES[1].freeze_after);
            let mut scores = Vec::new();
            for _ in 0..TURNS {
                let clock = Instant::now();
                sample::<HeatBath>(&rows, samples, 1, beta, &mut counts);
                baths.push(clock.elapsed().as_secs_f64());
                let clock = Instant::now();
                sample::<Race>(&rows, samples, RACE_LANES, beta, &mut counts);
                races.push(clock.elapsed().as_secs_f64());
                let clock = Instant::now();
                black_box(step(
                    &reader,
                    &rows,
                    black_box(&counts),
                    &mut thermostat,
                    &mut frozen,
                    &mut scores,
                ));
                steps.push(clock.elapsed().as_secs_f64());
            }
        }
        let [race, bath, step] = [races, baths, steps].map(median);
        println!(
            "{name} | n = {} | S = {samples:4} | races {:8.1} µs | heat bath {:8.1} µs | controller {:6.2} µs = {:.2} % of the races, {:.2} % of the \
             heat bath",
            set.n_keys(),
            1e6 * race,
            1e6 * bath,
            1e6 * step,
            100.0 * step / race,
            100.0 * step / bath,
        );
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    report("MiniLM ", &qkv::from_bytes("bundled", BUNDLED)?)?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(SMOLLM2);
    if !file.exists() {
        eprintln!("SKIPPED: no model at {}; tools/fetch-smollm2 fetches it", file.display());
        return Ok(());
    }
    let model = Loaded::open(&file)?;
    let text = model.tokens().encode(TEXT, 160)?;
    report("SmolLM2", &model.capture(&text, &[])?)
}
