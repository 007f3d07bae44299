//! The verb `ceas bench gpu`: a portable attention kernel on whatever graphics processor the system offers, measured.

use clap::{Args, ValueEnum};

use super::bench_attention::Heads;
use super::common::Common;
use super::failure::Failure;

/// How the kernel stores its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Storage {
    /// 32 bits
    F32,
    /// 16 bits, with arithmetic in 32; on adapters that offer it
    F16,
}

/// Arguments of `ceas bench gpu`.
///
/// A tiled attention with a running softmax in WGSL, which runs on Vulkan, Metal and Direct3D 12. It uses no matrix units: on a GPU that
/// has them it is far below the vendor's kernels, and is a portable lower bound, not the state of the art. Before it is timed its
/// output is compared with attention in f64. Needs a build with the feature `gpu`.
#[derive(Args, Debug)]
pub struct GpuArguments {
    #[command(flatten)]
    heads: Heads,
    /// How q, k, v and o are stored
    #[arg(long, value_name = "F", default_value = "f32")]
    format: Storage,
    /// The adapter whose name contains this [default: a GPU before a software driver]
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// List the adapters and what they offer, and measure nothing
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    common: Common,
}

/// Runs the verb.
#[cfg(not(feature = "gpu"))]
pub fn run(_: &GpuArguments) -> Result<(), Failure> {
    use super::failure::Blame;
    Err(anyhow::anyhow!(
        "bench gpu: this build has no GPU kernel; build it with `cargo build --release --features gpu`"
    ))
    .input()
}

/// Runs the verb.
#[cfg(feature = "gpu")]
pub fn run(arguments: &GpuArguments) -> Result<(), Failure> {
    use anyhow::anyhow;
    use ceas_npu::measure;
    use ceas_npu::npu_model::gpu::Format;

    use super::failure::Blame;
    use crate::report::measured::Report;
    use crate::report::output::print;
    use crate::report::present::present;
    use crate::report::progress;

    let common = &arguments.common;
    let outputs = common.prepare()?;
    if outputs.out.is_some() {
        return Err(anyhow!("--out: bench gpu saves a baseline with --save FILE.toml, not HDF5")).input();
    }
    let format = match arguments.format {
        Storage::F32 => Format::Fp32,
        Storage::F16 => Format::Fp16,
    };
    let save = arguments.heads.reserve(common)?;
    let plan = arguments.heads.plan(format, common.seed)?;
    let adapters = measure::adapters();
    if arguments.list {
        let text = if common.json {
            serde_json::to_string_pretty(&adapters).run()? + "\n"
        } else {
            adapters.iter().map(|a| format!("{a}\n")).collect()
        };
        return print(&text).run();
    }
    let names = adapters.iter().map(|a| a.name.clone()).collect::<Vec<_>>().join(", ");
    let chosen = match &arguments.adapter {
        Some(part) => adapters.iter().find(|a| a.name.to_lowercase().contains(&part.to_lowercase())),
        None => adapters.first(),
    };
    let Some(adapter) = chosen else {
        let reason = match &arguments.adapter {
            Some(part) if !adapters.is_empty() => format!("--adapter {part}: there is {names}"),
            _ => "no adapter was found: a driver for Vulkan, Metal or Direct3D 12 is needed (Debian's software driver is in \
                  mesa-vulkan-drivers)"
                .into(),
        };
        return Err(anyhow!(reason)).input();
    };
    let bar = progress::bar("measuring", (plan.lengths.len() * plan.repeats) as u64);
    let measured = measure::on_gpu(&plan, adapter, &|| bar.inc(1)).map_err(|error| match error {
        measure::Error::Impossible(_) => Failure::Input(error.into()),
        _ => Failure::Run(error.into()),
    })?;
    bar.finish_and_clear();
    if let Some(file) = &save {
        file.write(measured.to_toml().run()?.as_bytes()).run()?;
    }
    present(&Report::new("bench gpu", measured, save.as_ref()), common, &outputs)
}
