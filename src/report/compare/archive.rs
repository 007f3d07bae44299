//! `ceas compare --out FILE.h5`: every row with its ranges, where they come from, and what they mean.
//!
//! | dataset | shape | |
//! |---|---|---|
//! | `/rows/name`, `kind`, `encoding`, `evidence`, `binds`, `unreachable`, `notes` | `[row]` | text; notes one a line |
//! | `/rows/time_s`, `/rows/energy_j` | `[row, 3]` | low, mid, high; NaN if the device cannot do the work |
//! | `/rows/monte_carlo_time_s`, `monte_carlo_energy_j`, `gain`, `gain_over_control` | `[row, 3]` | 5th, 50th, 95th percentile of draws |
//! | `/rows/area_mm2` | `[row, 3]` | low, mid, high; NaN if the file is silent |
//! | `/rows/output_error`, `/rows/worst_head_error` | `[row]` | relative |
//! | `/rows/beats_gpu`, `/rows/beats_control` | `[row]` | share of draws with less energy than the GPU, than the control |
//! | `/rows/samples` | `[row, 3]` | read-outs per query: fewest, mean and most over the heads; NaN if it does not sample |
//! | `/breakdown/energy_j/PART`, `/breakdown/time_s/STAGE` | `[row, 3]` | low, mid, high; NaN where a row has no such part |
//! | `/activity/EVENT` | `[row]` | counted events; 0 if it does not sample |
//!
//! Attributes of the file: provenance, `workload` and `break_even` as JSON, `held_equal`, `findings`, `excluded`.

use std::collections::BTreeSet;

use ceas_npu::npu_model::bill::Spread;
use ceas_npu::npu_model::comparison::Row;
use ceas_npu::npu_model::interval::Interval;
use ceas_npu::npu_model::units::Quantity;
use ceas_npu::sim::snapshot::archive::{self, Archive};
use ceas_npu::sim::snapshot::hdf5;
use ndarray::Array2;

use super::Report;
use crate::report::output::OutputFile;
use crate::report::present::command_line;

/// Version of the layout above.
const SCHEMA_VERSION: u32 = 1;

/// Writes the whole file, or leaves nothing under its final name.
pub fn write(report: &Report, seed: u64, file: &OutputFile) -> anyhow::Result<()> {
    let words = [
        ("program_version", concat!("ceas-npu ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("command_line", command_line()),
        ("units", "time in s, energy in J, both of the whole work; errors relative to |o|".to_owned()),
        ("workload", serde_json::to_string(&report.workload)?),
        ("break_even", serde_json::to_string(&report.break_even)?),
        ("held_equal", report.held_equal.clone()),
        ("findings", report.findings.join("\n")),
        ("excluded", report.excluded.join("\n")),
    ];
    let archive = Archive::create(file.path())?;
    fill(&report.rows, &words, (seed, report.draws), archive.file())
        .map_err(|e| archive::refused(file.path(), "writing", &e))?;
    archive.finish()?;
    Ok(())
}

fn fill(
    rows: &[Row],
    words: &[(&str, String)],
    (seed, draws): (u64, usize),
    file: &hdf5::File,
) -> Result<(), hdf5::Error> {
    for (name, value) in words {
        archive::text(file, name, value)?;
    }
    file.new_attr::<u32>().create("schema_version")?.write_scalar(&SCHEMA_VERSION)?;
    file.new_attr::<u64>().create("seed")?.write_scalar(&seed)?;
    file.new_attr::<u64>().create("draws")?.write_scalar(&(draws as u64))?;

    let group = file.create_group("rows")?;
    type Words = (&'static str, fn(&Row) -> String);
    let columns: [Words; 7] = [
        ("name", |r| r.name.clone()),
        ("kind", |r| r.kind.name().to_owned()),
        ("encoding", |r| if r.stands_in { "native".to_owned() } else { r.encoding.name().to_owned() }),
        ("evidence", |r| r.evidence.name().to_owned()),
        ("binds", |r| r.binds.to_owned()),
        ("unreachable", |r| r.unreachable.clone().unwrap_or_default()),
        ("notes", |r| r.notes.join("\n")),
    ];
    for (name, column) in columns {
        texts(&group, name, rows.iter().map(column))?;
    }
    let numbers = |name: &str, values: Array2<f64>| {
        group.new_dataset_builder().with_data(&values).create(name).map(|_| ())
    };
    numbers("time_s", ranges(rows, |r| r.time_s.map(ends)))?;
    numbers("energy_j", ranges(rows, |r| r.energy_j.map(ends)))?;
    numbers("area_mm2", ranges(rows, |r| r.area_mm2))?;
    let spread = |s: Spread| [s.p05, s.p50, s.p95];
    numbers("monte_carlo_time_s", ranges(rows, |r| r.monte_carlo.map(|m| spread(m.time_s))))?;
    numbers("monte_carlo_energy_j", ranges(rows, |r| r.monte_carlo?.energy_j.map(spread)))?;
    numbers("gain", ranges(rows, |r| r.monte_carlo?.gain.map(spread)))?;
    numbers("gain_over_control", ranges(rows, |r| r.monte_carlo?.gain_over_control.map(spread)))?;
    numbers("samples", ranges(rows, |r| r.samples.map(|s| [s.min as f64, s.mean, s.max as f64])))?;
    type Numbers = (&'static str, fn(&Row) -> f64);
    let errors: [Numbers; 4] = [
        ("output_error", |r| r.output_error),
        ("worst_head_error", |r| r.worst_head_error),
        ("beats_gpu", |r| r.monte_carlo.and_then(|m| m.beats_gpu).unwrap_or(f64::NAN)),
        ("beats_control", |r| r.monte_carlo.and_then(|m| m.beats_control).unwrap_or(f64::NAN)),
    ];
    for (name, column) in errors {
        let values: Vec<f64> = rows.iter().map(column).collect();
        group.new_dataset_builder().with_data(&values).create(name)?;
    }

    let energy = file.create_group("breakdown/energy_j")?;
    let parts: BTreeSet<&str> = rows.iter().flat_map(|r| r.breakdown.energy_j.keys().copied()).collect();
    for part in parts {
        let values = ranges(rows, |r| r.breakdown.energy_j.get(part).copied().map(ends));
        energy.new_dataset_builder().with_data(&values).create(part)?;
    }
    let time = file.create_group("breakdown/time_s")?;
    let stages: BTreeSet<&str> = rows.iter().flat_map(|r| r.breakdown.time_s.keys().copied()).collect();
    for stage in stages {
        let values = ranges(rows, |r| r.breakdown.time_s.get(stage).copied().map(ends));
        time.new_dataset_builder().with_data(&values).create(stage)?;
    }
    texts(&time, "rule", rows.iter().map(|r| r.breakdown.time_rule.to_owned()))?;

    let activity = file.create_group("activity")?;
    let counts: Vec<_> = rows.iter().map(|r| r.activity.unwrap_or_default().counts()).collect();
    for (event, &(name, _)) in counts.first().into_iter().flatten().enumerate() {
        let column: Vec<u64> = counts.iter().map(|row| row[event].1).collect();
        activity.new_dataset_builder().with_data(&column).create(name)?;
    }
    Ok(())
}

fn ends<Q: Quantity>(range: Interval<Q>) -> [f64; 3] {
    [range.low.si(), range.mid.si(), range.high.si()]
}

fn ranges(rows: &[Row], column: impl Fn(&Row) -> Option<[f64; 3]>) -> Array2<f64> {
    let values: Vec<[f64; 3]> = rows.iter().map(|row| column(row).unwrap_or([f64::NAN; 3])).collect();
    Array2::from_shape_fn((rows.len(), 3), |(row, end)| values[row][end])
}

fn texts(group: &hdf5::Group, name: &str, values: impl Iterator<Item = String>) -> Result<(), hdf5::Error> {
    let word = |text: String| {
        text.parse::<hdf5::types::VarLenUnicode>()
            .map_err(|_| hdf5::Error::Internal(format!("{name} holds a zero byte")))
    };
    let words = values.map(word).collect::<Result<Vec<_>, _>>()?;
    group.new_dataset_builder().with_data(&words).create(name)?;
    Ok(())
}
