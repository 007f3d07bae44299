//! `ceas sweep --heads …`: β sweep of attention rows, of their random twins, and of coupled spins in mean field.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use ceas_npu::mapping::attention::{Quantiles, textbook_beta};
use ceas_npu::mapping::control::defaults::CRITICAL_SHARE;
use ceas_npu::mapping::criticality::{
    Curve, FiniteSize, MeanField, Planted, PlantedSize, Rows, exponential_fit, gap_count, grid, null_heads,
};
use ceas_npu::mapping::heads::HeadSet;
use ceas_npu::mapping::qkv;
use ceas_npu::sim::topology::Topology;
use rayon::prelude::*;

use super::common::{Common, Outputs};
use super::failure::{Blame, Failure};
use super::model_input::{TextInput, bundled};
use crate::report::heads_sweep::{Hyperbolic, HyperbolicRow, SizeTable, SweptHead, SweptHeads};
use crate::report::present::present;
use crate::report::progress;

/// Values of β on every grid.
const POINTS: usize = 60;
/// Heads of the random model beside the real ones.
const NULL_HEADS: usize = 24;
/// Standard deviation of its weights and its hidden width: BERT's initialisation, MiniLM's width.
const NULL_STD: f64 = 0.02;
const NULL_HIDDEN: usize = 384;
/// Scores drawn for a row of the size table, all rows of one N together.
const SCORES: usize = 1 << 20;
/// Gaps at which keys are counted, in units of σ.
const GAPS: [f64; 12] = [0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];

/// Runs the verb on the source that was named.
pub fn run(source: &str, text: &TextInput, common: &Common) -> Result<(), Failure> {
    let outputs = common.prepare()?;
    let model = is_model(source);
    if let (false, Some(flag)) = (model, text.given()) {
        return Err(anyhow!(
            "{flag} needs a model: --heads DIR|FILE.gguf; the rows of --heads {source} are there already"
        ))
        .input();
    }
    if outputs.out.is_some() {
        return Err(anyhow!(
            "--out: a sweep of heads is written as JSON (--json); HDF5 holds lattice sweeps"
        ))
        .input();
    }
    match source {
        "iid" => sizes(common, &outputs),
        "hyperbolic" => hyperbolic(common, &outputs),
        "random" => {
            let set = null_heads(NULL_HEADS, 102, 32, NULL_HIDDEN, NULL_STD, common.seed).run()?;
            heads(&set, common, &outputs)
        }
        "bundled" => heads(&bundled()?, common, &outputs),
        path if model => heads(&text.capture(Path::new(path), &[])?, common, &outputs),
        path => heads(&load(path)?, common, &outputs),
    }
}

/// A folder or a GGUF file.
fn is_model(source: &str) -> bool {
    let place = Path::new(source);
    place.is_dir() || place.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf"))
}

fn load(path: &str) -> Result<HeadSet, Failure> {
    let place = Path::new(path);
    if !place.exists() {
        return Err(anyhow!(
            "--heads {path}: neither bundled, random, iid, hyperbolic, nor a file of q, k, v, nor a model folder or GGUF file"
        ))
        .input();
    }
    qkv::read(place).with_context(|| format!("--heads {path}")).input()
}

/// Rows of a causal head that are long enough to have a crossover.
fn least_keys(set: &HeadSet) -> usize {
    if set.is_causal() && set.n_keys() >= 64 { 32 } else { 2 }
}

fn heads(set: &HeadSet, common: &Common, outputs: &Outputs) -> Result<(), Failure> {
    let least = least_keys(set);
    let keys = set.n_keys();
    if keys < 4 {
        return Err(anyhow!("rows of {keys} keys have no crossover to look for: at least 4 are needed"))
            .input();
    }
    let clock = Instant::now();
    let twin_keys = typical_keys(set, least);
    let twin = FiniteSize::measure(twin_keys, 400, common.seed).run()?;
    let places: Vec<(usize, usize)> =
        (0..set.layers()).flat_map(|layer| (0..set.heads()).map(move |head| (layer, head))).collect();
    let bar = progress::bar("heads", places.len() as u64);
    let swept: Result<Vec<SweptHead>, Failure> = places
        .par_iter()
        .map(|&at| {
            let head = sweep(set, at, least, twin.participation.mean).input();
            bar.inc(1);
            head
        })
        .collect();
    bar.finish_and_clear();
    let heads = swept?;
    let seconds = clock.elapsed().as_secs_f64();
    // The same number of tokens, d_head, and everything else but the weights.
    let null = null_heads(NULL_HEADS, keys, set.d_head(), NULL_HIDDEN, NULL_STD, common.seed).run()?;
    let null: Result<Vec<SweptHead>, Failure> = (0..NULL_HEADS)
        .into_par_iter()
        .map(|head| sweep(&null, (0, head), 2, twin.participation.mean).input())
        .collect();
    let answer = SweptHeads {
        model: set.origin().model.clone(),
        text: set.origin().text.clone(),
        least,
        points: POINTS,
        seed: common.seed,
        twin,
        heads,
        null: null?,
        null_is: format!("weights N(0, {NULL_STD}²), {NULL_HIDDEN} hidden, independent normalised states"),
        seconds,
    };
    present(&answer, common, outputs)
}

/// The N whose ln is the mean ln N of the rows.
fn typical_keys(set: &HeadSet, least: usize) -> usize {
    let head = set.head(0, 0);
    let counts = (0..set.n_queries()).map(|query| head.keys(query).count()).filter(|n| *n >= least.max(1));
    let (sum, rows) = counts.fold((0.0, 0.0), |(sum, rows), n| (sum + libm::log(n as f64), rows + 1.0));
    if rows > 0.0 { libm::exp(sum / rows).round().max(4.0) as usize } else { set.n_keys() }
}

fn sweep(
    set: &HeadSet,
    (index, head): (usize, usize),
    least: usize,
    participation: f64,
) -> anyhow::Result<SweptHead> {
    let layer = set.layer_number(index);
    let rows =
        Rows::of_head(&set.head(index, head), least).with_context(|| format!("head {layer}.{head}"))?;
    let textbook = textbook_beta(set.d_head());
    let state = rows.mean(textbook);
    let sigma = rows.typical_sigma();
    let beta_c = sigma.map(|sigma| libm::sqrt(2.0 * rows.mean_ln_n()) / sigma);
    let curve = beta_c.map(|beta_c| Curve::new(&rows, &grid(beta_c, POINTS)));
    let planted: Vec<Planted> = (0..rows.len()).filter_map(|row| Planted::of_row(rows.gaps(row))).collect();
    let standing: Vec<f64> = planted.iter().filter_map(Planted::beta_1).collect();
    let gaps: Vec<f64> = sigma.map_or(vec![], |sigma| GAPS.iter().map(|g| g * sigma).collect());
    Ok(SweptHead {
        layer,
        head,
        n: (0..rows.len()).map(|row| rows.keys(row)).max().unwrap_or(0),
        d: set.d_head(),
        rows: rows.len(),
        ln_n: rows.mean_ln_n(),
        beta: textbook.value(),
        sigma,
        beta_c,
        entropy: state.entropy,
        specific_heat: textbook.value().powi(2) * state.variance,
        participation: state.participation,
        peak: curve.as_ref().and_then(Curve::peak),
        by_entropy: curve.as_ref().and_then(|c| c.entropy_falls_to(CRITICAL_SHARE)),
        by_participation: curve.as_ref().and_then(|c| c.participation_rises_to(participation)),
        planted_share: standing.len() as f64 / rows.len() as f64,
        beta_1: (!standing.is_empty()).then(|| Quantiles::of(standing).median),
        keys_within_kt: gap_count(&rows, &[1.0 / textbook.value()])[0].keys,
        gap_count: gap_count(&rows, &gaps),
        levels: curve.map_or(vec![], |c| c.levels()),
    })
}

/// The random energy model at finite N, and planted keys.
fn sizes(common: &Common, outputs: &Outputs) -> Result<(), Failure> {
    let keys = [16usize, 64, 256, 1024, 4096, 16384];
    let bar = progress::bar("sizes", keys.len() as u64);
    let clock = Instant::now();
    let rows = |n: usize| (SCORES / n).clamp(64, 2048);
    let table: Result<Vec<FiniteSize>, Failure> = keys
        .par_iter()
        .map(|&n| {
            let size = FiniteSize::measure(n, rows(n), common.seed).run();
            bar.inc(1);
            size
        })
        .collect();
    let table = table?;
    let cases: Vec<(usize, f64)> =
        [256usize, 4096].iter().flat_map(|&n| [1.2, 1.5, 2.0].map(|d| (n, d))).collect();
    let planted: Result<Vec<PlantedSize>, Failure> = cases
        .par_iter()
        .map(|&(n, prominence)| PlantedSize::measure(n, rows(n).min(400), prominence, common.seed).run())
        .collect();
    bar.finish_and_clear();
    let planted = planted?;
    let seconds = clock.elapsed().as_secs_f64();
    present(&SizeTable { sizes: table, planted, seed: common.seed, seconds }, common, outputs)
}

/// Couplings that decay along bonds, on trees and hyperbolic patches, in mean field.
fn hyperbolic(common: &Common, outputs: &Outputs) -> Result<(), Failure> {
    let decays = [0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6];
    let mut graphs: Vec<(String, usize, anyhow::Result<Topology>)> = Vec::new();
    for depth in 2..=6 {
        let tree = Topology::cayley_tree(4, depth).map_err(anyhow::Error::from);
        graphs.push(("tree, branching 3".into(), depth, tree));
    }
    for (p, q, layers) in [(5, 4, 5), (7, 3, 6)] {
        for depth in 2..=layers {
            let patch = Topology::hyperbolic(p, q, depth).map_err(anyhow::Error::from);
            graphs.push((format!("{{{p},{q}}}"), depth, patch));
        }
    }
    let bar = progress::bar("graphs", graphs.len() as u64);
    let rows: anyhow::Result<Vec<HyperbolicRow>> = graphs
        .into_par_iter()
        .map(|(name, layers, topology)| {
            let topology = topology?;
            let bonds = MeanField::of_bonds(&topology)?;
            let decaying: Result<Vec<(f64, f64)>, _> = decays
                .iter()
                .map(|&a| MeanField::of_distances(&topology, a).map(|m| (a, m.beta_c())))
                .collect();
            let decaying = decaying?;
            let fit = exponential_fit(&decaying);
            bar.inc(1);
            if fit.is_none() {
                bail!("{name}: no fit through {} points", decaying.len());
            }
            Ok(HyperbolicRow {
                name,
                layers,
                sites: topology.n_sites(),
                bonds: bonds.beta_c(),
                decaying,
                fit,
            })
        })
        .collect();
    bar.finish_and_clear();
    present(&Hyperbolic { rows: rows.run()?, decays: decays.into() }, common, outputs)
}
