//! The verb `ceas bench attention`: exact attention on this processor, measured.

use anyhow::anyhow;
use ceas_npu::measure::{self, Plan};
use ceas_npu::npu_model::gpu::Format;
use clap::Args;

use super::common::Common;
use super::failure::{Blame, Failure};
use super::value;
use crate::report::measured::Report;
use crate::report::output::OutputFile;
use crate::report::present::present;
use crate::report::progress;

/// Shape and repeats of a measurement.
#[derive(Args, Debug)]
pub struct Heads {
    /// Lengths of the sequences, n queries and n keys
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "256,512,1024,2048")]
    #[arg(value_parser = value::listed)]
    n: Vec<usize>,
    /// Dimension of a head, a multiple of 4
    #[arg(long, value_name = "D", default_value_t = 64, value_parser = value::whole::<u64>)]
    d: u64,
    /// Heads that run together
    #[arg(long, value_name = "H", default_value_t = 8, value_parser = value::whole::<u64>)]
    heads: u64,
    /// Hide later keys
    #[arg(long)]
    causal: bool,
    /// Measurements of every length, of which the median stands
    #[arg(long, value_name = "R", default_value_t = 5, value_parser = value::whole::<usize>)]
    repeats: usize,
    /// Save a baseline that `ceas compare` takes as a machine
    #[arg(long, value_name = "FILE.toml", help_heading = "Run and output")]
    save: Option<std::path::PathBuf>,
}

impl Heads {
    /// The plan they describe, if it can be measured.
    pub fn plan(&self, format: Format, seed: u64) -> Result<Plan, Failure> {
        let plan = Plan {
            lengths: self.n.iter().map(|&n| n as u64).collect(),
            d: self.d,
            heads: self.heads,
            causal: self.causal,
            format,
            repeats: self.repeats,
            seed,
        };
        plan.checked().map_err(|e| anyhow!("--n, --d, --heads or --repeats: {e}")).input()
    }

    /// Where the baseline goes, checked before anything is measured.
    pub fn reserve(&self, common: &Common) -> Result<Option<OutputFile>, Failure> {
        let reserve =
            |path: &std::path::PathBuf| OutputFile::reserve(path, "--save", &["toml"], common.force);
        self.save.as_ref().map(reserve).transpose().input()
    }
}

/// Arguments of `ceas bench attention`.
///
/// Exact attention with a running softmax over tiles, in f32, on all threads. Before it is timed its output is compared with attention in
/// f64. Operations are 4·n²·d a head (half if causal), as papers count them. Energy is printed only where the system lets the RAPL
/// counters be read.
#[derive(Args, Debug)]
pub struct AttentionArguments {
    #[command(flatten)]
    heads: Heads,
    #[command(flatten)]
    common: Common,
}

/// Runs the verb.
pub fn run(arguments: &AttentionArguments) -> Result<(), Failure> {
    let common = &arguments.common;
    let outputs = common.prepare()?;
    if outputs.out.is_some() {
        return Err(anyhow!("--out: bench attention saves a baseline with --save FILE.toml, not HDF5"))
            .input();
    }
    let save = arguments.heads.reserve(common)?;
    let plan = arguments.heads.plan(Format::Fp32, common.seed)?;
    let bar = progress::bar("measuring", (plan.lengths.len() * plan.repeats) as u64);
    let measured = measure::on_cpu(&plan, &|| bar.inc(1)).run()?;
    bar.finish_and_clear();
    if let Some(file) = &save {
        file.write(measured.to_toml().run()?.as_bytes()).run()?;
    }
    present(&Report::new("bench attention", measured, save.as_ref()), common, &outputs)
}
