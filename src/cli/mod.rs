//! The command line: one file a verb, what they share, and the two ways to fail.

pub mod anneal;
pub mod attend;
pub mod audit;
pub mod baselines;
pub mod bench;
pub mod bench_attention;
pub mod bench_engine;
pub mod bench_gpu;
pub mod beta_table;
pub mod capture;
pub mod common;
pub mod compare;
pub mod control;
pub mod control_effect;
pub mod control_heads;
pub mod devices;
pub mod diagnose;
mod engine_table;
pub mod failure;
#[cfg(feature = "hdf5")]
mod film;
pub mod interrupt;
pub mod keeping;
pub mod manual;
pub mod model_input;
#[cfg(feature = "hdf5")]
mod recording;
pub mod run;
pub mod run_setup;
pub mod run_task;
pub mod snapshot;
pub mod sweep;
pub mod sweep_heads;
pub mod value;
pub mod whole_model;

use clap::{Parser, Subcommand};

/// What happens when a transformer runs on a lattice of thermal spins instead of a GPU.
///
/// Standard output carries the result: a table, or one JSON document with --json. Standard error carries progress and
/// warnings. Exit code 0: success; 1: the run failed; 2: the command line or an input file is wrong.
#[derive(Parser)]
#[command(name = "ceas", version, max_term_width = 110)]
pub struct Cli {
    /// The job to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The jobs.
#[derive(Subcommand)]
pub enum Command {
    /// Run real attention heads as thermal spins: error, entropy, relaxation
    Attend(attend::Arguments),
    /// Run a whole model with components on spins, beside its exact answer
    Run(run::Arguments),
    /// Sweep the inverse temperature of a lattice and locate β_c with an error bar
    Sweep(sweep::Arguments),
    /// Write lattice configurations to HDF5 while they are simulated
    Snapshot(snapshot::Arguments),
    /// Hold the entropy of attention heads at a target by moving β: the CEAS thermostat, as published and corrected
    Control(control::Arguments),
    /// Price counted events on devices beside a GPU, at equal output error
    Compare(compare::Arguments),
    /// List, show and validate device files
    Devices(devices::Arguments),
    /// Solve a Max-Cut, QUBO or Ising file by annealing
    ///
    /// Every read cools a random configuration once, from a β at which it is hot to one at which it is frozen; both are measured on
    /// the instance, whatever the size of its weights. Values are recomputed from the file's weights, exactly where they are whole
    /// numbers. With --sweeps and --reads the answer is a function of the seed on any number of threads. With --time the number of
    /// sweeps follows from the speed of the machine, so that the answer may differ from run to run.
    Anneal(anneal::Arguments),
    /// Recompute the quantitative claims of the published description of CEAS from their own formulas
    Audit(audit::Arguments),
    /// Write queries, keys and values of a real model to a file that attend reads
    Capture(capture::Arguments),
    /// Measure this machine: attempts per nanosecond of every kernel, exact attention on its processors
    Bench(bench::Arguments),
    /// Print a completion script for a shell
    Completions {
        /// The shell to complete for
        shell: clap_complete::Shell,
    },
    /// Print the manual page of the program or of one verb
    Man {
        /// The verb; without it, the page of the program
        verb: Option<String>,
    },
}
