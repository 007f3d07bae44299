//! The command `ceas`: one match over the jobs. Exit code 0 success, 1 the run failed, 2 the command line or an input is wrong.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

mod cli;
mod report;

use cli::{Cli, Command};

fn main() -> ExitCode {
    // A negative number is a wrong value of its flag, not an unknown flag.
    let program = Cli::command().mut_subcommands(|verb| {
        verb.mut_args(|flag| match flag.get_action().takes_values() && !flag.is_positional() {
            true => flag.allow_negative_numbers(true),
            false => flag,
        })
    });
    let job = Cli::from_arg_matches(&program.get_matches()).unwrap_or_else(|error| error.exit());
    let outcome = match job.command {
        Command::Attend(arguments) => cli::attend::run(&arguments),
        Command::Run(arguments) => cli::run::run(&arguments),
        Command::Sweep(arguments) => cli::sweep::run(&arguments),
        Command::Snapshot(arguments) => cli::snapshot::run(&arguments),
        Command::Control(arguments) => cli::control::run(&arguments),
        Command::Compare(arguments) => cli::compare::run(&arguments),
        Command::Anneal(arguments) => cli::anneal::run(&arguments),
        Command::Audit(arguments) => cli::audit::run(&arguments),
        Command::Capture(arguments) => cli::capture::run(&arguments),
        Command::Bench(arguments) => cli::bench::run(&arguments),
        Command::Completions { shell } => cli::manual::completions(shell),
        Command::Man { verb } => cli::manual::page(verb.as_deref()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
