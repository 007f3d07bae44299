//! `ceas compare --model … --out FILE.h5`: every row with its ranges and draws.
//!
//! | dataset | shape | |
//! |---|---|---|
//! | `/rows/name`, `kind`, `evidence`, `binds`, `manner`, `unreachable`, `notes` | `[row]` | text; notes one a line |
//! | `/rows/time_s`, `energy_j`, `area_mm2` | `[row, 3]` | low, mid, high |
//! | `/rows/monte_carlo_energy_j`, `monte_carlo_time_s`, `gain`, `gain_over_control` | `[row, 3]` | 5th, 50th, 95th percentile of draws |
//! | `/rows/beats_gpu`, `beats_control` | `[row]` | share of draws with less energy than the GPU, than the control |
//! | `/rows/output_error`, `samples` | `[row]` | |
//! | `/breakdown/energy_j/PART`, `/breakdown/time_s/STAGE` | `[row, 3]` | low, mid, high |
//! | `/report` | `[1]` | the whole JSON document |
//!
//! NaN where there is none.

use std::collections::BTreeSet;

use ceas_npu::npu_model::bill::Spread;
use ceas_npu::npu_model::comparison::InferenceRow;
use ceas_npu::sim::snapshot::archive::{self, Archive};
use ceas_npu::sim::snapshot::hdf5;
use ndarray::Array2;

use super::InferenceReport;
use crate::report::output::OutputFile;
use crate::report::present::command_line;

/// Version of the layout above.
const SCHEMA_VERSION: u32 = 1;

/// Writes the whole file, or leaves nothing under its final name.
pub fn write(report: &InferenceReport, seed: u64, file: &OutputFile) -> anyhow::Result<()> {
    let words = [
        ("program_version", concat!("ceas-npu ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("command_line", command_line()),
        ("units", "time in s, energy in J, both of the whole task; errors relative to |o|".to_owned()),
        ("workload", serde_json::to_string(&report.workload)?),
        ("findings", report.findings.join("\n")),
        ("excluded", report.excluded.join("\n")),
    ];
    let document = serde_json::to_string(report)?;
    let archive = Archive::create(file.path())?;
    fill(&report.rows, &words, &document, (seed, report.draws), archive.file())
        .map_err(|e| archive::refused(file.path(), "writing", &e))?;
    archive.finish()?;
    Ok(())
}

fn text(value: &str) -> Result<hdf5::types::VarLenUnicode, hdf5::Error> {
    value.parse().map_err(|_| hdf5::Error::Internal("a text holds a zero byte".into()))
}

fn fill(
    rows: &[InferenceRow],
    words: &[(&str, String)],
    document: &str,
    (seed, draws): (u64, usize),
    file: &hdf5::File,
) -> Result<(), hdf5::Error> {
    for (name, value) in words {
        file.new_attr::<hdf5::types::VarLenUnicode>().create(*name)?.write_scalar(&text(value)?)?;
    }
    file.new_attr::<u32>().create("schema_version")?.write_scalar(&SCHEMA_VERSION)?;
    file.new_attr::<u64>().create("seed")?.write_scalar(&seed)?;
    file.new_attr::<u64>().create("draws")?.write_scalar(&(draws as u64))?;
    // Longer than an attribute may be.
    file.new_dataset_builder().with_data(&[text(document)?]).create("report")?;
    let group = file.create_group("rows")?;
    type Words = (&'static str, fn(&InferenceRow) -> String);
    let columns: [Words; 7] = [
        ("name", |r| r.name.clone()),
        ("kind", |r| r.kind.name().to_owned()),
        ("evidence", |r| r.evidence.name().to_owned()),
        ("binds", |r| r.binds.clone()),
        ("manner", InferenceRow::manner),
        ("unreachable", |r| r.unreachable.clone().unwrap_or_default()),
        ("notes", |r| r.notes.join("\n")),
    ];
    for (name, column) in columns {
        let values = rows.iter().map(|r| text(&column(r))).collect::<Result<Vec<_>, _>>()?;
        group.new_dataset_builder().with_data(&values).create(name)?;
    }
    let spread = |s: Spread| [s.p05, s.p50, s.p95];
    type Triple<'f> = (&'static str, &'f dyn Fn(&InferenceRow) -> Option<[f64; 3]>);
    let triples: [Triple<'_>; 7] = [
        ("time_s", &|r| r.time_s.map(|t| [t.low.value(), t.mid.value(), t.high.value()])),
        ("energy_j", &|r| r.energy_j.map(|e| [e.low.value(), e.mid.value(), e.high.value()])),
        ("area_mm2", &|r| r.area_mm2),
        ("monte_carlo_energy_j", &|r| r.monte_carlo?.energy_j.map(spread)),
        ("monte_carlo_time_s", &|r| r.monte_carlo.map(|m| spread(m.time_s))),
        ("gain", &|r| r.monte_carlo?.gain.map(spread)),
        ("gain_over_control", &|r| r.monte_carlo?.gain_over_control.map(spread)),
    ];
    for (name, column) in triples {
        group.new_dataset_builder().with_data(&triple(rows, column)).create(name)?;
    }
    type Numbers = (&'static str, fn(&InferenceRow) -> f64);
    let numbers: [Numbers; 3] = [
        ("output_error", |r| r.output_error),
        ("beats_gpu", |r| r.monte_carlo.and_then(|m| m.beats_gpu).unwrap_or(f64::NAN)),
        ("beats_control", |r| r.monte_carlo.and_then(|m| m.beats_control).unwrap_or(f64::NAN)),
    ];
    for (name, column) in numbers {
        let values: Vec<f64> = rows.iter().map(column).collect();
        group.new_dataset_builder().with_data(&values).create(name)?;
    }
    let samples = rows.iter().map(|r| r.mapping.as_ref().and_then(|m| m.samples).unwrap_or(f64::NAN));
    group.new_dataset_builder().with_data(&samples.collect::<Vec<_>>()).create("samples")?;
    let energy = file.create_group("breakdown/energy_j")?;
    let parts: BTreeSet<&str> = rows.iter().flat_map(|r| r.breakdown.energy_j.keys().copied()).collect();
    for part in parts {
        let values = triple(rows, &|r| {
            r.breakdown.energy_j.get(part).map(|e| [e.low.value(), e.mid.value(), e.high.value()])
        });
        energy.new_dataset_builder().with_data(&values).create(part)?;
    }
    let time = file.create_group("breakdown/time_s")?;
    let stages: BTreeSet<&str> = rows.iter().flat_map(|r| r.breakdown.time_s.keys().copied()).collect();
    for stage in stages {
        let values = triple(rows, &|r| {
            r.breakdown.time_s.get(stage).map(|t| [t.low.value(), t.mid.value(), t.high.value()])
        });
        time.new_dataset_builder().with_data(&values).create(stage)?;
    }
    Ok(())
}

fn triple(rows: &[InferenceRow], column: &dyn Fn(&InferenceRow) -> Option<[f64; 3]>) -> Array2<f64> {
    let values: Vec<[f64; 3]> = rows.iter().map(|r| column(r).unwrap_or([f64::NAN; 3])).collect();
    Array2::from_shape_fn((rows.len(), 3), |(row, end)| values[row][end])
}
