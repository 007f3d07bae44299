//! `ceas control --out FILE.h5`: every trajectory, every rule, every gate.
//!
//! | dataset | shape | |
//! |---|---|---|
//! | `/layer`, `/head`, `/sigma`, `/entropy`, `/specific_heat`, `/beta_c`, `/beta_peak` | `[head]` | NaN where there is none |
//! | `/trajectories/VARIANT/beta`, `entropy`, `target`, `specific_heat` | `[head, step]` | VARIANT is the place in the attribute `variants`; N_eff is e^`entropy` |
//! | `/trajectories/VARIANT/gate_kept`, `frozen` | `[head, step]` | of `published` and `corrected`: share of queries that the published gate of the step keeps; 1 where it has frozen the head |
//! | `/rules/beta`, `/rules/output_change` | `[head, rule]` | in the order of the attribute `rules` |
//! | `/gates/pruned`, `error`, `bias`, `error_evenly` | `[head, gate]` | in the order of the attribute `gates` |
//!
//! Attributes of the file: provenance and `document`, the JSON document that `--json` prints.

use ceas_npu::mapping::control::Moment;
use ceas_npu::sim::snapshot::archive::{self, Archive};
use ceas_npu::sim::snapshot::hdf5;
use ndarray::{Array1, Array2};

use super::Controlled;
use super::over_steps::SHOWN;
use crate::report::output::OutputFile;
use crate::report::present::command_line;

/// Version of the layout above.
const SCHEMA_VERSION: u32 = 2;

/// Writes the whole file, or leaves nothing under its final name.
pub fn write(answer: &Controlled, file: &OutputFile) -> anyhow::Result<()> {
    let archive = Archive::create(file.path())?;
    fill(answer, archive.file()).map_err(|e| archive::refused(file.path(), "writing", &e))?;
    archive.finish()?;
    Ok(())
}

fn fill(answer: &Controlled, file: &hdf5::File) -> Result<(), hdf5::Error> {
    let list = |names: Vec<&str>| names.join("\n");
    let rules = answer.heads[0].control.rules.iter().map(|r| r.initial.rule.name()).collect();
    let words = [
        ("program_version", concat!("ceas-npu ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("command_line", command_line()),
        ("units", "β in 1/(q·k), entropies in nats, errors relative to |o|".to_owned()),
        ("variants", list(answer.variants.iter().map(|v| v.name).collect())),
        ("rules", list(rules)),
        ("gates", list(answer.gates.iter().map(|g| g.name.as_str()).collect())),
    ];
    for (name, value) in words {
        archive::text(file, name, &value)?;
    }
    file.new_attr::<u32>().create("schema_version")?.write_scalar(&SCHEMA_VERSION)?;
    file.new_attr::<u64>().create("seed")?.write_scalar(&answer.seed)?;
    let heads = &answer.heads;
    type Column = (&'static str, fn(&super::HeadControl) -> f64);
    let columns: [Column; 7] = [
        ("layer", |h| h.layer as f64),
        ("head", |h| h.head as f64),
        ("sigma", |h| h.sigma.unwrap_or(f64::NAN)),
        ("entropy", |h| h.entropy),
        ("specific_heat", |h| h.specific_heat),
        ("beta_c", |h| h.beta_c.unwrap_or(f64::NAN)),
        ("beta_peak", |h| h.peak.map_or(f64::NAN, |p| p.beta.mean)),
    ];
    for (name, pick) in columns {
        let values: Array1<f64> = heads.iter().map(|head| pick(&head.control)).collect();
        file.new_dataset_builder().with_data(&values).create(name)?;
    }
    let matrix = |width: usize, at: &dyn Fn(usize, usize) -> f64| {
        Array2::from_shape_fn((heads.len(), width), |(head, column)| at(head, column))
    };
    let trajectories = file.create_group("trajectories")?;
    for number in 0..answer.variants.len() {
        let group = trajectories.create_group(&number.to_string())?;
        let moments = |head: usize| &heads[head].control.traces[number].moments;
        let steps = moments(0).len();
        type OfMoment = (&'static str, fn(&Moment) -> f64);
        let columns: [OfMoment; 4] = [
            ("beta", |m| m.beta),
            ("entropy", |m| m.entropy),
            ("target", |m| m.target),
            ("specific_heat", |m| m.specific_heat),
        ];
        for (name, pick) in columns {
            let values = matrix(steps, &|h, t| pick(&moments(h)[t]));
            group.new_dataset_builder().with_data(&values).create(name)?;
        }
        if let Some(shown) = SHOWN.iter().position(|(place, _)| *place == number) {
            let passing = |head: usize| &heads[head].passing[shown];
            let kept = matrix(steps, &|h, t| passing(h).kept[t]);
            group.new_dataset_builder().with_data(&kept).create("gate_kept")?;
            let frozen = Array2::from_shape_fn((heads.len(), steps), |(h, t)| u8::from(passing(h).frozen[t]));
            group.new_dataset_builder().with_data(&frozen).create("frozen")?;
        }
    }
    let group = file.create_group("rules")?;
    let width = heads[0].control.rules.len();
    let rule = |head: usize, rule: usize| &heads[head].control.rules[rule];
    let beta = matrix(width, &|h, r| rule(h, r).initial.beta.unwrap_or(f64::NAN));
    group.new_dataset_builder().with_data(&beta).create("beta")?;
    let change = matrix(width, &|h, r| rule(h, r).output_change.unwrap_or(f64::NAN));
    group.new_dataset_builder().with_data(&change).create("output_change")?;
    let group = file.create_group("gates")?;
    let gate = |head: usize, gate: usize| &heads[head].gates[gate];
    type Picked = (&'static str, fn(&ceas_npu::mapping::control::Gated) -> f64);
    let picked: [Picked; 4] = [
        ("pruned", |g| g.pruned),
        ("error", |g| g.error),
        ("bias", |g| g.bias),
        ("error_evenly", |g| g.error_evenly),
    ];
    for (name, pick) in picked {
        let values = matrix(answer.gates.len(), &|h, g| pick(gate(h, g)));
        group.new_dataset_builder().with_data(&values).create(name)?;
    }
    Ok(())
}
