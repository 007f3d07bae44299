//! `ceas anneal --out FILE.h5`: every state kept, the value of every read, traces, and where they come from.
//!
//! | dataset | shape | |
//! |---|---|---|
//! | `/states` | `[state, variable]` | i8: 0, 1 for a QUBO, else −1, 1; the best first |
//! | `/values`, `/reads` | `[state]` | value, reads that ended there |
//! | `/read_values` | `[read]` | best value of every complete read |
//! | `/trace_sweep`, `/trace_energy` | `[read, point]` | energy H along at most 32 reads |
//! | `/part_sweep`, `/part_mean`, `/part_error`, `/part_best` | `[10]` | mean energy H of all reads (NaN: no error), lowest met |
//! | `/rung_beta`, `/rung_swap`, `/rung_cluster_share` | `[rung]` | the ladder, hottest first (NaN: none) |

use ceas_npu::sim::snapshot::archive::{self, Archive};
use ceas_npu::sim::snapshot::hdf5;
use ndarray::Array2;

use super::Solution;
use crate::report::output::OutputFile;
use crate::report::present::command_line;

/// Version of the layout above.
const SCHEMA_VERSION: u32 = 2;

/// Writes the whole file, or leaves nothing under its final name.
pub fn write(solution: &Solution, file: &OutputFile) -> anyhow::Result<()> {
    let archive = Archive::create(file.path())?;
    fill(solution, archive.file()).map_err(|e| archive::refused(file.path(), "writing", &e))?;
    archive.finish()?;
    Ok(())
}

fn fill(solution: &Solution, file: &hdf5::File) -> Result<(), hdf5::Error> {
    archive::text(file, "program_version", concat!("ceas ", env!("CARGO_PKG_VERSION")))?;
    archive::text(file, "command_line", &command_line())?;
    archive::text(file, "units", "energies in units of the file's weights; beta in their inverse")?;
    for (name, value) in solution.words() {
        archive::text(file, name, value)?;
    }
    for (name, value) in solution.numbers() {
        file.new_attr::<f64>().create(name)?.write_scalar(&value)?;
    }
    file.new_attr::<u32>().create("schema_version")?.write_scalar(&SCHEMA_VERSION)?;
    file.new_attr::<u64>().create("seed")?.write_scalar(&solution.seed())?;
    let states: Vec<_> = solution.states().collect();
    let width = states.first().map_or(0, |(state, ..)| state.len());
    let spins = Array2::from_shape_fn((states.len(), width), |(k, i)| states[k].0[i]);
    file.new_dataset_builder().with_data(&spins).create("states")?;
    let values: Vec<f64> = states.iter().map(|(_, value, _)| value.to_f64()).collect();
    file.new_dataset_builder().with_data(&values).create("values")?;
    let reads: Vec<u64> = states.iter().map(|&(_, _, reads)| reads).collect();
    file.new_dataset_builder().with_data(&reads).create("reads")?;
    let values: Vec<f64> = solution.values().iter().map(|value| value.to_f64()).collect();
    file.new_dataset_builder().with_data(&values).create("read_values")?;
    let traces = solution.traces();
    let points = traces.iter().map(Vec::len).min().unwrap_or(0);
    let sweeps = Array2::from_shape_fn((traces.len(), points), |(k, i)| traces[k][i].0);
    let energies = Array2::from_shape_fn((traces.len(), points), |(k, i)| traces[k][i].1);
    file.new_dataset_builder().with_data(&sweeps).create("trace_sweep")?;
    file.new_dataset_builder().with_data(&energies).create("trace_energy")?;
    let parts = solution.parts();
    let sweeps: Vec<u64> = parts.iter().map(|part| part.sweep).collect();
    file.new_dataset_builder().with_data(&sweeps).create("part_sweep")?;
    let column = |name: &str, numbers: Vec<f64>| {
        file.new_dataset_builder().with_data(&numbers).create(name).map(|_| ())
    };
    column("part_mean", parts.iter().map(|part| part.mean).collect())?;
    column("part_error", parts.iter().map(|part| part.error.unwrap_or(f64::NAN)).collect())?;
    column("part_best", parts.iter().map(|part| part.best).collect())?;
    if let Some(ladder) = solution.ladder() {
        let rungs = &ladder.rungs;
        column("rung_beta", rungs.iter().map(|rung| rung.beta).collect())?;
        column("rung_swap", rungs.iter().map(|rung| rung.swap.unwrap_or(f64::NAN)).collect())?;
        let share = rungs.iter().map(|rung| rung.cluster_share.unwrap_or(f64::NAN));
        column("rung_cluster_share", share.collect())?;
    }
    Ok(())
}
