//! The verb `ceas bench`: what this machine does.

use clap::{Args, Subcommand};

use super::bench_engine;
use super::failure::Failure;

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
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let What::Engine(arguments) = &arguments.what;
    bench_engine::run(arguments)
}
