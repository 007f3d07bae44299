//! The verb `ceas snapshot`.

use clap::Args;

use super::common::Common;
use super::failure::{Blame, Failure};

/// Arguments of `ceas snapshot`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let _outputs = arguments.common.prepare()?;
    Err(anyhow::anyhow!("snapshot is under construction")).run()
}
