//! The verb `ceas bench`: what this machine does.

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::{bench_attention, bench_engine, bench_gpu};

/// Arguments of `ceas bench`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Every kernel on its lattices: attempts per nanosecond
    Engine(bench_engine::Arguments),
    /// Exact attention on this processor
    Attention(bench_attention::AttentionArguments),
    /// A portable attention kernel on a graphics processor
    Gpu(bench_gpu::GpuArguments),
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.what {
        What::Engine(arguments) => bench_engine::run(arguments),
        What::Attention(arguments) => bench_attention::run(arguments),
        What::Gpu(arguments) => bench_gpu::run(arguments),
    }
}
