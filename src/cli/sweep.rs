//! The verb `ceas sweep`.

use clap::Args;

use super::common::Common;
use super::failure::{Blame, Failure};

/// Arguments of `ceas sweep`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let _outputs = arguments.common.prepare()?;
    Err(anyhow::anyhow!("sweep is under construction")).run()
}
