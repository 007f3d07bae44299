//! Completion scripts and manual pages, made from the command line's own definition.

use std::io;

use anyhow::anyhow;
use clap::CommandFactory;

use super::Cli;
use super::failure::{Blame, Failure};
use crate::report::output::print;

/// Prints the completion script of a shell.
pub fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ceas", &mut script);
    print(&String::from_utf8_lossy(&script)).run()
}

/// Prints the manual page of the program or of one verb.
pub fn page(verb: Option<&str>) -> Result<(), Failure> {
    let mut program = Cli::command();
    program.build();
    let command = match verb {
        None => program,
        Some(name) => program
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| anyhow!("no verb {name:?}: `ceas --help` lists the verbs"))
            .input()?,
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).map_err(io::Error::other).run()?;
    print(&String::from_utf8_lossy(&page)).run()
}
