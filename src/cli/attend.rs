//! The verb `ceas attend`.

use clap::Args;

use super::common::Common;
use super::failure::{Blame, Failure};

/// Arguments of `ceas attend`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let _outputs = arguments.common.prepare()?;
    Err(anyhow::anyhow!("attend is under construction")).run()
}
