//! What a controller adds to a head that is sampled: `cargo bench --bench control`. One thread.
//!
//! In turn, and many times, with other random numbers every time: S draws of every row of a head, their counts kept (nothing exact beside them), by races,
//! by the heat bath of the engine, by the look-up table that whole models use, and by the law of the counts; and the controller's step, which is the entropy
//! and the moments from these counts, moving averages, Halley's step of β, the published score of every query and its gate, and freezing. Medians and
//! ratios. The same numbers twice would let the processor learn the branches of a sampler by heart.
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
use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::plan::Plan;
use ceas_npu::sim::potts::{HeatBath, Multinomial, PottsSpin, RACE_LANES, Race, Table};
use ceas_npu::sim::run::Run;
use ceas_npu::sim::schedule::Schedule;
use ceas_npu::sim::stream::{Purpose, Stream, Streams};
use ceas_npu::sim::update::Update;

const BUNDLED: &[u8] = include_bytes!("../data/minilm_maxwell.safetensors");
const TEXT: &str = include_str!("../data/passages.txt");
const SMOLLM2: &str = ".tools/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
/// Heads of a model that are timed, and turns of each.
const HEADS: usize = 6;
const TURNS: u64 = 5;

/// S draws of every row by one of the samplers, counted.
fn sample<U: Update<Model = PottsSpin, State = usize> + Default>(
    rows: &[Row],
    samples: u32,
    blocks: usize,
    beta: Beta,
    seed: u64,
    counts: &mut [Vec<u32>],
) {
    let plan = Plan { thermalization: 0, sweeps: samples.into(), every: 1 };
    for (index, (row, counts)) in rows.iter().zip(counts).enumerate() {
        counts.fill(0);
        let streams = Streams::new(seed, Purpose::Update, index as u64, blocks);
        let mut run = Run::new(&row.spin, 0, U::default(), Schedule::Constant(beta), streams);
        run.drive(&plan, |run| {
            counts[*run.state()] += 1;
            ControlFlow::Continue(())
        });
    }
}

/// The same by the table of thresholds in which whole models look up their draws; its filling from the fields is part of it.
fn look_up(rows: &[Row], samples: u32, beta: Beta, seed: u64, counts: &mut [Vec<u32>]) {
    let (mut table, mut weights, mut states) = (Table::default(), Vec::new(), [0; 64]);
    for (index, (row, counts)) in rows.iter().zip(counts).enumerate() {
        counts.fill(0);
        weights.clear();
        let gaps = row.spin.by_label().iter();
        weights.extend(gaps.map(|&gap| libm::expf((beta.value() * gap) as f32)));
        table.fill(&weights);
        let mut stream = Stream::new(seed, Purpose::Update, index as u64, 0);
        let mut left = samples as usize;
        while left > 0 {
            let batch = left.min(states.len());
            table.draw(&mut states[..batch], &mut stream);
            states[..batch].iter().for_each(|&state| counts[state as usize] += 1);
            left -= batch;
        }
    }
}

/// The counts themselves from their law, state by state.
fn at_once(rows: &[Row], samples: u32, beta: Beta, seed: u64, counts: &mut [Vec<u32>]) {
    for (index, (row, counts)) in rows.iter().zip(counts).enumerate() {
        counts.fill(0);
        let mut stream = Stream::new(seed, Purpose::Update, index as u64, 0);
        Multinomial::new(&row.spin, beta).add(samples, counts, &mut stream);
    }
}

/// One step of the controller of one head, gates included; tells β and the queries kept.
fn step(
    reader: &CountReader,
    rows: &[Row],
    (counts, visible): (&[Vec<u32>], &[usize]),
    thermostat: &mut Thermostat,
    frozen: &mut Freezing,
    scores: &mut Vec<f64>,
) -> (f64, usize, bool) {
    let beta = thermostat.beta();
    let weight = 1.0 / rows.len() as f64;
    let mut reading = Reading::default();
    scores.clear();
    let (mut states, mut ln_n) = (0, 0.0);
    for (row, (counts, &visible)) in rows.iter().zip(counts.iter().zip(visible)) {
        let [entropy, variance, third] = reader.row(&row.spin, &counts[..visible]);
        if states != row.spin.states() {
            states = row.spin.states();
            ln_n = libm::log(states as f64);
        }
        reading.entropy += weight * entropy;
        reading.variance += weight * variance;
        reading.third += weight * third;
        reading.ln_n += weight * ln_n;
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
        let mut seconds: [Vec<f64>; 5] = Default::default();
        let mut labels = 0;
        for number in 0..HEADS {
            let place = number * all / HEADS;
            let view = set.head(place / set.heads(), place % set.heads());
            let rows: Result<Vec<Row>, _> =
                (0..set.n_queries()).map(|query| Row::new(&view, query, beta)).collect();
            let rows = rows?;
            let mut counts = vec![vec![0u32; set.n_keys()]; rows.len()];
            // Keys after the query of a causal head are in no cache yet.
            let last = |query: usize| view.keys(query).last().map_or(0, |key| key + 1);
            let visible: Vec<usize> = (0..rows.len()).map(last).collect();
            labels = visible.iter().sum();
            let mut thermostat = Thermostat::new(control, beta);
            let mut frozen = Freezing::new(SCALES[1].freeze_after);
            let mut scores = Vec::new();
            for turn in 0..TURNS {
                let mut time = |which: usize, work: &mut dyn FnMut()| {
                    let clock = Instant::now();
                    work();
                    seconds[which].push(clock.elapsed().as_secs_f64());
                };
                time(0, &mut || sample::<Race>(&rows, samples, RACE_LANES, beta, turn, &mut counts));
                time(1, &mut || sample::<HeatBath>(&rows, samples, 1, beta, turn, &mut counts));
                time(2, &mut || at_once(&rows, samples, beta, turn, &mut counts));
                time(3, &mut || look_up(&rows, samples, beta, turn, &mut counts));
                time(4, &mut || {
                    black_box(step(
                        &reader,
                        &rows,
                        (black_box(&counts), &visible),
                        &mut thermostat,
                        &mut frozen,
                        &mut scores,
                    ));
                });
            }
        }
        let [race, bath, law, table, step] = seconds.map(median);
        println!(
            "{name} | n = {} | S = {samples:4} | controller {:6.2} µs, {:.2} ns a label | of races {:.2} %, heat bath {:.2} %, law of counts {:.2} %, \
             table {:.2} %",
            set.n_keys(),
            1e6 * step,
            1e9 * step / labels as f64,
            100.0 * step / race,
            100.0 * step / bath,
            100.0 * step / law,
            100.0 * step / table,
        );
        println!(
            "        |         |          | a row: races {:.2} µs, heat bath {:.2} µs, law of counts {:.2} µs, table {:.2} µs",
            1e6 * race / set.n_queries() as f64,
            1e6 * bath / set.n_queries() as f64,
            1e6 * law / set.n_queries() as f64,
            1e6 * table / set.n_queries() as f64,
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
