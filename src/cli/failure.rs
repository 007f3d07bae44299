//! The two ways to fail: a wrong input (exit code 2) and a failed run (exit code 1).

use std::process::ExitCode;

/// Why a job ended without a result.
#[derive(Debug)]
pub enum Failure {
    /// The command line or an input file is wrong: exit code 2.
    Input(anyhow::Error),
    /// The run itself failed: exit code 1.
    Run(anyhow::Error),
}

impl Failure {
    /// One sentence to standard error, and the exit code.
    pub fn report(&self) -> ExitCode {
        let (error, code) = match self {
            Self::Input(error) => (error, 2),
            Self::Run(error) => (error, 1),
        };
        eprintln!("ceas: {error:#}");
        ExitCode::from(code)
    }
}

/// Says on whom a failed step is to be blamed.
pub trait Blame<T> {
    /// The input was wrong.
    fn input(self) -> Result<T, Failure>;
    /// The run failed.
    fn run(self) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> Blame<T> for Result<T, E> {
    fn input(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::Input(error.into()))
    }
    fn run(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::Run(error.into()))
    }
}
