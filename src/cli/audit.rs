//! The verb `ceas audit`.

use anyhow::anyhow;
use ceas_npu::audit::claims;
use clap::Args;

use super::common::Common;
use super::failure::{Blame, Failure};
use super::model_input::bundled;
use crate::report::audit::Audit;
use crate::report::output::print;
use crate::report::present::present;

/// Arguments of `ceas audit`.
#[derive(Args, Debug)]
#[command(
    after_help = "Every quantitative claim of the published description of CEAS is recomputed from its own formula; statements about trained heads are held \
                  against the bundled ones.\n\nExamples:\n  ceas audit\n  ceas audit --json\n  ceas audit --markdown > audit.md"
)]
pub struct Arguments {
    /// Print the page of the documentation
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    #[command(flatten)]
    common: Common,
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outputs = arguments.common.prepare()?;
    if outputs.out.is_some() {
        return Err(anyhow!("--out: an audit is words and numbers; --json writes all of it")).input();
    }
    let set = bundled()?;
    let found = claims(&set, arguments.common.seed).map_err(|e| anyhow!("{e}")).run()?;
    let audit = Audit { claims: found };
    if arguments.markdown {
        return print(&audit.markdown()).run();
    }
    present(&audit, &arguments.common, &outputs)
}
