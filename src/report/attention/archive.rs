//! The HDF5 file of a run.
//!
//! | dataset | type | shape |
//! |---|---|---|
//! | `/layer`, `/head` | u64 | `[layer]`, `[head]`: the numbers in the model |
//! | `/counts` | u32 | `[layer, head, query, key]`, zlib: read-outs per key |
//! | `/law` | f32 | `[layer, head, query, key]`, zlib: the exact p, 0 where masked |
//! | `/output`, `/exact_output` | f64 | `[layer, head, query, d_value]`, zlib |
//! | `/row_…` | f64 | `[layer, head, query]`: entropy, variance V, signal, kl, ln_z and its estimate from races |
//! | `/beta`, `/entropy`, …, every number of the table | f64 | `[layer, head]` |
//! | `/activity/attempts`, … | u64 | `[layer, head]` |
//! | `/levels`; `/curve_…` | u64; f64 | `[level]`; `[layer, head, level]` |
//! | `/relaxation_…` | f64 | `[layer, head, look]`, chains only |
//!
//! Attributes say what was run on what; a script needs nothing but a stock HDF5 with zlib.

use std::path::Path;

use anyhow::Context;
use ceas_npu::mapping::attention::{CurvePoint, HeadReport, Relaxation};
use ceas_npu::sim::snapshot::archive::{Archive, text};
use ceas_npu::sim::snapshot::hdf5;
use hdf5::{Group, H5Type};

use super::record::ROWS;
use super::{Attended, AttendedHead};
use crate::report::present::command_line;

/// The version of the layout above.
const SCHEMA_VERSION: u32 = 1;

/// Writes the file; nothing is left under either name if it fails.
pub fn write(answer: &Attended, path: &Path) -> anyhow::Result<()> {
    let archive = Archive::create(path)?;
    fill(answer, archive.file()).with_context(|| format!("writing {}", path.display()))?;
    Ok(archive.finish()?)
}

/// A number of a point of the curve.
type OfPoint = fn(&CurvePoint) -> f64;
/// Numbers along the schedule.
type OfRelaxation = fn(&Relaxation) -> &Vec<f64>;
/// A number of the report with the name of its dataset and its units.
type Column = (&'static str, &'static str, fn(&HeadReport) -> f64);

const COLUMNS: [Column; 26] = [
    ("beta", "1/(q·k)", |h| h.beta),
    ("entropy", "nats", |h| h.entropy),
    ("n_eff", "keys", |h| h.n_eff),
    ("information", "nats", |h| h.information),
    ("sigma", "q·k", |h| h.sigma),
    ("beta_star", "1/(q·k)", |h| h.beta_star),
    ("beta_c", "1/(q·k)", |h| h.beta_c),
    ("beta_peak", "1/(q·k)", |h| h.beta_peak),
    ("specific_heat", "1", |h| h.specific_heat),
    ("rel_error", "1", |h| h.rel_error),
    ("rel_error_error", "1", |h| h.rel_error_error),
    ("rel_error_predicted", "1", |h| h.rel_error_predicted),
    ("variance_ratio", "1", |h| h.variance_ratio.mean),
    ("variance_ratio_error", "1", |h| h.variance_ratio.error),
    ("kl", "nats", |h| h.kl),
    ("kl_expected", "nats", |h| h.kl_expected),
    ("kl_asymptotic", "nats", |h| h.kl_asymptotic),
    ("tau_int", "read-outs", |h| h.tau_int),
    ("tau_int_error", "read-outs", |h| h.tau_int_error),
    ("tau_int_exact", "read-outs", |h| h.tau_int_exact),
    ("tau_int_value", "read-outs", |h| h.tau_int_value),
    ("samples_10_percent", "read-outs", |h| h.samples_10_percent),
    ("samples_5_percent", "read-outs", |h| h.samples_5_percent),
    ("samples_1_percent", "read-outs", |h| h.samples_1_percent),
    ("ln_z_deviation", "standard errors", |h| h.ln_z_deviation.map_or(f64::NAN, |z| z.mean)),
    ("ln_z_deviation_error", "standard errors", |h| h.ln_z_deviation.map_or(f64::NAN, |z| z.error)),
];

fn fill(answer: &Attended, file: &Group) -> Result<(), hdf5::Error> {
    attributes(answer, file)?;
    let mut layers: Vec<u64> = answer.heads.iter().map(|h| h.report.layer as u64).collect();
    // Heads come layer by layer, each layer with the same heads.
    let per_layer = layers.iter().take_while(|layer| **layer == layers[0]).count().max(1);
    let heads: Vec<u64> = answer.heads[..per_layer].iter().map(|h| h.report.head as u64).collect();
    layers = layers.into_iter().step_by(per_layer).collect();
    let axes = [layers.len(), heads.len()];
    let store = Store { file, axes };
    store.plain("layer", "1", &layers, &[layers.len()])?;
    store.plain("head", "1", &heads, &[heads.len()])?;
    for (name, units, pick) in COLUMNS {
        store.each(name, units, &answer.heads, |head| vec![pick(&head.report)], &[])?;
    }
    let activity = Store { file: &file.create_group("activity")?, axes };
    for (place, (name, _)) in answer.summary.activity.counts().iter().enumerate() {
        activity.each(name, "events", &answer.heads, |h| vec![h.report.activity.counts()[place].1], &[])?;
    }
    curve(answer, &store)?;
    relaxation(answer, &store)?;
    records(answer, &store)
}

fn attributes(answer: &Attended, file: &Group) -> Result<(), hdf5::Error> {
    let origin = &answer.origin;
    let report = answer.shown_report();
    let tokens = serde_json::to_string(&origin.tokens).unwrap_or_default();
    for (name, value) in [
        ("command", "attend"),
        ("command_line", &command_line()),
        ("program_version", concat!("ceas-npu ", env!("CARGO_PKG_VERSION"))),
        ("sampler", answer.sampling.sampler.name()),
        ("dynamics", &answer.dynamics().map_or(String::new(), |d| super::dynamics_json(&d).to_string())),
        ("beta_source", &answer.beta_source),
        ("model", &origin.model),
        ("text", &origin.text),
        ("tokens", &tokens),
        ("licence", &origin.licence),
        ("units", "scores q·k are dimensionless; beta in 1/(q·k); entropies in nats"),
        ("law", "p_j = exp(beta q·k_j)/Z per (head, query); a masked key is an absent state"),
    ] {
        text(file, name, value)?;
    }
    let queries = answer.shown.sample.rows.len();
    for (name, value) in [
        ("seed", answer.sampling.seed),
        ("samples", answer.sampling.samples.get().into()),
        ("schema_version", SCHEMA_VERSION.into()),
        ("n", report.n as u64),
        ("d_head", report.d as u64),
        ("queries", queries as u64),
    ] {
        file.new_attr::<u64>().create(name)?.write_scalar(&value)?;
    }
    Ok(())
}

fn curve(answer: &Attended, store: &Store) -> Result<(), hdf5::Error> {
    let levels = &answer.shown.sample.levels;
    store.plain("levels", "read-outs", levels, &[levels.len()])?;
    let columns: [(&str, OfPoint); 3] = [
        ("curve_rel_error", |p| p.rel_error),
        ("curve_rel_error_error", |p| p.rel_error_error),
        ("curve_rel_error_predicted", |p| p.rel_error_predicted),
    ];
    for (name, pick) in columns {
        let line = |head: &AttendedHead| head.report.curve.iter().map(pick).collect();
        store.each(name, "1", &answer.heads, line, &[levels.len()])?;
    }
    Ok(())
}

fn relaxation(answer: &Attended, store: &Store) -> Result<(), hdf5::Error> {
    let Some(shown) = &answer.shown.relaxation else { return Ok(()) };
    store.plain("relaxation_sweeps", "sweeps", &shown.sweeps, &[shown.sweeps.len()])?;
    let columns: [(&str, &str, OfRelaxation); 4] = [
        ("relaxation_beta", "1/(q·k)", |r| &r.beta),
        ("relaxation_total_variation", "1", |r| &r.total_variation),
        ("relaxation_divergence", "nats", |r| &r.divergence),
        ("relaxation_lag", "1", |r| &r.lag),
    ];
    for (name, units, pick) in columns {
        let line = |head: &AttendedHead| head.relaxation.as_ref().map_or(Vec::new(), |r| pick(r).clone());
        store.each(name, units, &answer.heads, line, &[shown.sweeps.len()])?;
    }
    Ok(())
}

fn records(answer: &Attended, store: &Store) -> Result<(), hdf5::Error> {
    let Some(first) = answer.heads.first().and_then(|head| head.record.as_ref()) else { return Ok(()) };
    let map = [first.counts.nrows(), first.counts.ncols()];
    let value = [first.output.nrows(), first.output.ncols()];
    let all = || answer.heads.iter().filter_map(|head| head.record.as_ref());
    store.slabs("counts", "read-outs", all().map(|r| r.counts.as_slice()), &map)?;
    store.slabs("law", "probability", all().map(|r| r.law.as_slice()), &map)?;
    store.slabs("output", "units of v", all().map(|r| r.output.as_slice()), &value)?;
    store.slabs("exact_output", "units of v", all().map(|r| r.exact_output.as_slice()), &value)?;
    for (place, (name, units)) in ROWS.into_iter().enumerate() {
        store.slabs(name, units, all().map(|r| Some(r.rows[place].as_slice())), &map[..1])?;
    }
    Ok(())
}

/// Datasets whose first axes are layer and head.
struct Store<'a> {
    file: &'a Group,
    axes: [usize; 2],
}

impl Store<'_> {
    /// A dataset of its own shape.
    fn plain<T: H5Type>(
        &self,
        name: &str,
        units: &str,
        data: &[T],
        shape: &[usize],
    ) -> Result<(), hdf5::Error> {
        let dataset = self.file.new_dataset::<T>().shape(shape.to_vec()).create(name)?;
        dataset.write_raw(data)?;
        text(&dataset, "units", units)
    }

    /// A few numbers per head.
    fn each<T: H5Type>(
        &self,
        name: &str,
        units: &str,
        heads: &[AttendedHead],
        numbers: impl Fn(&AttendedHead) -> Vec<T>,
        rest: &[usize],
    ) -> Result<(), hdf5::Error> {
        let data: Vec<T> = heads.iter().flat_map(numbers).collect();
        self.plain(name, units, &data, &[&self.axes, rest].concat())
    }

    /// A compressed array per head, written head by head.
    fn slabs<'d, T: H5Type + 'd>(
        &self,
        name: &str,
        units: &str,
        heads: impl Iterator<Item = Option<&'d [T]>>,
        rest: &[usize],
    ) -> Result<(), hdf5::Error> {
        let shape = [&self.axes, rest].concat();
        let chunk = [&[1, 1], rest].concat();
        let dataset =
            self.file.new_dataset::<T>().chunk(chunk).shuffle().deflate(4).shape(shape).create(name)?;
        for (place, slab) in heads.enumerate() {
            let slab = slab.expect("arrays built row by row are contiguous");
            let (layer, head) = (place / self.axes[1], place % self.axes[1]);
            let mut block = vec![layer..layer + 1, head..head + 1];
            block.extend(rest.iter().map(|&length| 0..length));
            let block: Vec<hdf5::SliceOrIndex> = block.into_iter().map(hdf5::SliceOrIndex::from).collect();
            let view = ndarray::ArrayViewD::from_shape([&[1, 1], rest].concat(), slab)
                .expect("every head has the same number of queries and keys");
            dataset.write_slice(&view, hdf5::Selection::from(hdf5::Hyperslab::from(block)))?;
        }
        text(&dataset, "units", units)
    }
}
