//! Flags that every verb takes, and the files they name.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::failure::{Blame, Failure};
use super::value;
use crate::report::output::OutputFile;

/// Flags that every verb takes.
#[derive(Args, Debug, Clone)]
pub struct Common {
    /// Seed of every random stream; the same seed gives the same bytes on any number of threads
    #[arg(long, default_value_t = 1, value_name = "N", help_heading = "Run and output", value_parser = value::whole::<u64>)]
    pub seed: u64,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", help_heading = "Run and output", value_parser = value::whole::<usize>)]
    pub threads: Option<usize>,
    /// Print one JSON document instead of a table
    #[arg(long, help_heading = "Run and output")]
    pub json: bool,
    /// Save full results with provenance as HDF5
    #[arg(long, value_name = "FILE.h5", help_heading = "Run and output")]
    pub out: Option<PathBuf>,
    /// Draw the result
    #[arg(long, value_name = "FILE.png|svg", help_heading = "Run and output")]
    pub plot: Option<PathBuf>,
    /// Write one self-contained page with the table and the picture
    #[arg(long, value_name = "FILE.html", help_heading = "Run and output")]
    pub report: Option<PathBuf>,
    /// Replace output files that exist
    #[arg(long, help_heading = "Run and output")]
    pub force: bool,
}

/// The output files of a run, checked before anything is computed.
pub struct Outputs {
    /// Where `--out` goes.
    pub out: Option<OutputFile>,
    /// Where `--plot` goes.
    pub plot: Option<OutputFile>,
    /// Where `--report` goes.
    pub report: Option<OutputFile>,
}

/// Sets the number of threads of the whole program.
pub fn set_threads(threads: Option<usize>) -> Result<(), Failure> {
    /// More than any machine has processors, and few enough to be started.
    const MOST: usize = 4_096;
    if threads == Some(0) {
        return Err(anyhow::anyhow!("--threads 0: at least one thread is needed")).input();
    }
    if let Some(threads) = threads {
        if threads > MOST {
            return Err(anyhow::anyhow!("--threads {threads}: at most {MOST} are started")).input();
        }
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().run()?;
    }
    Ok(())
}

impl Common {
    /// Sets the number of threads and checks every output file, before any work is done.
    pub fn prepare(&self) -> Result<Outputs, Failure> {
        set_threads(self.threads)?;
        let reserve = |path: &Option<PathBuf>, flag: &str, extensions: &[&str]| {
            path.as_ref().map(|p| OutputFile::reserve(p, flag, extensions, self.force)).transpose().input()
        };
        let outputs = Outputs {
            out: reserve(&self.out, "--out", &["h5", "hdf5"])?,
            plot: reserve(&self.plot, "--plot", &["png", "svg"])?,
            report: reserve(&self.report, "--report", &["html", "htm"])?,
        };
        outputs.distinct().input()?;
        Ok(outputs)
    }
}

impl Outputs {
    fn distinct(&self) -> anyhow::Result<()> {
        let named: Vec<_> = [&self.out, &self.plot, &self.report].into_iter().flatten().collect();
        for (i, a) in named.iter().enumerate() {
            if let Some(b) = named[..i].iter().find(|b| b.path() == a.path()) {
                bail!("{} is named twice as an output file", b.path().display());
            }
        }
        Ok(())
    }
}
