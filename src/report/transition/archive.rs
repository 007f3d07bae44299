//! `ceas sweep --out FILE.h5`: every point with its errors, every replica's averages, and where they come from.
//!
//! | dataset | shape | |
//! |---|---|---|
//! | `/points/size`, `/points/beta` | `[point]` | L and β |
//! | `/points/QUANTITY`, `/points/QUANTITY_error` | `[point]` | mean and one-σ error, QUANTITY as in the JSON document |
//! | `/replicas/averages` | `[point, replica, 6]` | each replica's ⟨e⟩, ⟨e²⟩, ⟨\|m\|⟩, ⟨m²⟩, ⟨m⁴⟩, ⟨F⟩ over its measured sweeps |
//! | `/pairs/small`, `large`, `beta`, `beta_error`, `length_beta`, `length_beta_error` | `[pair]` | crossings of U₄ and ξ/L |
//! | `/curves/size`, `/curves/beta`, `/curves/values` | `[size]`, `[size, 101]`, `[size, 101, 4]` | U₄, ξ/L, ln⟨m²⟩, ln⟨\|m\|⟩ reweighted from all runs of a size |
//! | `/collapse/size`, `x`, `binder`, `binder_error` | `[point]` | U₄ over x = (β − β_c) L^(1/ν) |
//!
//! Attributes of the file: provenance and, if it was located, `beta_c`, `beta_c_error`, `nu`, `nu_error`.

use ceas_npu::sim::critical::{AVERAGES, CURVES, Point};
use ceas_npu::sim::snapshot::archive::{self, Archive};
use ceas_npu::sim::snapshot::hdf5;
use ceas_npu::sim::statistics::Estimate;
use ndarray::{Array2, Array3};

use super::Transition;
use crate::report::output::OutputFile;
use crate::report::present::command_line;

/// Version of the layout above.
const SCHEMA_VERSION: u32 = 2;

/// Writes the whole file, or leaves nothing under its final name.
pub fn write(answer: &Transition, file: &OutputFile) -> anyhow::Result<()> {
    let archive = Archive::create(file.path())?;
    fill(answer, archive.file()).map_err(|e| archive::refused(file.path(), "writing", &e))?;
    archive.finish()?;
    Ok(())
}

fn fill(answer: &Transition, file: &hdf5::File) -> Result<(), hdf5::Error> {
    let words = [
        ("program_version", concat!("ceas-npu ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("command_line", command_line()),
        ("lattice", answer.lattice.clone()),
        ("update", answer.update.clone()),
        ("hamiltonian", format!("H = -sum J s s - sum h s, s = +-1, each bond once; {}", answer.model)),
        (
            "units",
            "energies in units of J, per site; beta in 1/J; lengths in lattice spacings; tau_int in sweeps"
                .to_owned(),
        ),
    ];
    for (name, value) in &words {
        archive::text(file, name, value)?;
    }
    file.new_attr::<u32>().create("schema_version")?.write_scalar(&SCHEMA_VERSION)?;
    for (name, value) in
        [("seed", answer.seed), ("sweeps", answer.sweeps), ("thermalization", answer.thermalization)]
    {
        file.new_attr::<u64>().create(name)?.write_scalar(&value)?;
    }
    if let Some(found) = &answer.beta_c {
        let Estimate { mean, error } = found.critical.beta;
        file.new_attr::<f64>().create("beta_c")?.write_scalar(&mean)?;
        file.new_attr::<f64>().create("beta_c_error")?.write_scalar(&error)?;
        archive::text(file, "beta_c_method", &found.critical.method)?;
    }
    if let Some(nu) = &answer.nu {
        file.new_attr::<f64>().create("nu")?.write_scalar(&nu.value.mean)?;
        file.new_attr::<f64>().create("nu_error")?.write_scalar(&nu.value.error)?;
    }
    let points = file.create_group("points")?;
    let sizes: Vec<u64> = answer.points.iter().map(|r| r.point.size as u64).collect();
    points.new_dataset_builder().with_data(&sizes).create("size")?;
    let betas: Vec<f64> = answer.points.iter().map(|r| r.point.beta).collect();
    points.new_dataset_builder().with_data(&betas).create("beta")?;
    type Column = (&'static str, fn(&Point) -> Estimate);
    let columns: [Column; 7] = [
        ("energy", |p| p.energy),
        ("abs_magnetization", |p| p.abs_magnetization),
        ("specific_heat", |p| p.specific_heat),
        ("susceptibility", |p| p.susceptibility),
        ("binder", |p| p.binder),
        ("correlation_length", |p| p.correlation_length),
        ("tau_int", |p| p.tau_int),
    ];
    for (name, column) in columns {
        let values: Vec<Estimate> = answer.points.iter().map(|r| column(&r.point)).collect();
        let means: Vec<f64> = values.iter().map(|e| e.mean).collect();
        let errors: Vec<f64> = values.iter().map(|e| e.error).collect();
        points.new_dataset_builder().with_data(&means).create(name)?;
        points.new_dataset_builder().with_data(&errors).create(format!("{name}_error").as_str())?;
    }
    let measured = answer.measured();
    let replicas = measured.first().map_or(0, |m| m.samples.rows().len());
    let averages = Array3::from_shape_fn((measured.len(), replicas, AVERAGES), |(point, replica, k)| {
        measured[point].samples.rows()[replica][k]
    });
    let group = file.create_group("replicas")?;
    let dataset = group.new_dataset_builder().with_data(&averages).create("averages")?;
    archive::text(
        &dataset,
        "columns",
        "e, e^2, |m|, m^2, m^4, structure factor at k = 2 pi/L; e = E/N, m = M/N",
    )?;
    curves(answer, file)?;
    if answer.pairs.is_empty() {
        return Ok(());
    }
    let pairs = file.create_group("pairs")?;
    let column = |f: &dyn Fn(usize) -> f64| (0..answer.pairs.len()).map(f).collect::<Vec<f64>>();
    for (name, values) in [
        ("small", column(&|i| answer.pairs[i].small as f64)),
        ("large", column(&|i| answer.pairs[i].large as f64)),
        ("beta", column(&|i| answer.pairs[i].beta.mean)),
        ("beta_error", column(&|i| answer.pairs[i].beta.error)),
        ("length_beta", column(&|i| answer.pairs[i].length_beta.map_or(f64::NAN, |b| b.mean))),
        ("length_beta_error", column(&|i| answer.pairs[i].length_beta.map_or(f64::NAN, |b| b.error))),
    ] {
        pairs.new_dataset_builder().with_data(&values).create(name)?;
    }
    Ok(())
}

/// Places of a curve.
const PLACES: usize = 101;

fn curves(answer: &Transition, file: &hdf5::File) -> Result<(), hdf5::Error> {
    let curves = answer.curves();
    if !curves.is_empty() {
        let group = file.create_group("curves")?;
        let sizes: Vec<u64> = curves.iter().map(|c| c.size as u64).collect();
        let beta = |curve: usize, place: usize| {
            let [low, high] = curves[curve].all.range();
            low + (high - low) * place as f64 / (PLACES - 1) as f64
        };
        let betas = Array2::from_shape_fn((curves.len(), PLACES), |(curve, place)| beta(curve, place));
        let values = Array3::from_shape_fn((curves.len(), PLACES, CURVES), |(curve, place, which)| {
            curves[curve].all.at(which, beta(curve, place)).0
        });
        group.new_dataset_builder().with_data(&sizes).create("size")?;
        group.new_dataset_builder().with_data(&betas).create("beta")?;
        let dataset = group.new_dataset_builder().with_data(&values).create("values")?;
        archive::text(&dataset, "columns", "U4, xi/L, ln<m^2>, ln<|m|>")?;
    }
    if let Some(collapse) = &answer.collapse {
        let group = file.create_group("collapse")?;
        let sizes: Vec<u64> = collapse.points.iter().map(|p| p.size as u64).collect();
        group.new_dataset_builder().with_data(&sizes).create("size")?;
        type Column = (&'static str, fn(&ceas_npu::sim::critical::Collapsed) -> f64);
        let columns: [Column; 3] =
            [("x", |p| p.x), ("binder", |p| p.binder.mean), ("binder_error", |p| p.binder.error)];
        for (name, column) in columns {
            let values: Vec<f64> = collapse.points.iter().map(column).collect();
            group.new_dataset_builder().with_data(&values).create(name)?;
        }
    }
    Ok(())
}
