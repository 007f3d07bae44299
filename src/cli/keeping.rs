//! Flags of verbs whose work can be killed and goes on.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::report::output::OutputFile;

/// Where the work is kept.
#[derive(Args, Debug)]
pub struct Keeping {
    /// Keep the work in FILE.checkpoint while it goes on, to be resumed if it is interrupted or killed
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub checkpoint: Option<PathBuf>,
    /// Go on from a checkpoint of the same command, and keep the work there; the answer is that of an uninterrupted run
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// Seconds between writings of the checkpoint
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, allow_hyphen_values = true)]
    checkpoint_every: f64,
}

impl Keeping {
    /// Where, and how often it is written; checked before anything is computed.
    pub fn kept(&self, force: bool) -> anyhow::Result<Option<(PathBuf, Duration)>> {
        let every = Duration::try_from_secs_f64(self.checkpoint_every).map_err(|_| {
            anyhow::anyhow!("--checkpoint-every {}: a number of seconds ≥ 0", self.checkpoint_every)
        })?;
        if let Some(path) = &self.checkpoint {
            OutputFile::reserve(path, "--checkpoint", &["checkpoint"], force)?;
        }
        Ok(self.checkpoint.as_ref().or(self.resume.as_ref()).map(|path| (path.clone(), every)))
    }

    /// The flag that was given.
    pub fn flag(&self) -> Option<&'static str> {
        match (&self.checkpoint, &self.resume) {
            (Some(_), _) => Some("--checkpoint"),
            (None, Some(_)) => Some("--resume"),
            (None, None) => None,
        }
    }
}
