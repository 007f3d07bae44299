//! The verb `ceas run`: a whole model, exact and with components on spins.

use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use ceas_npu::mapping::attention::Sampler;
use ceas_npu::mapping::reference::Loaded;
use ceas_npu::mapping::reference::tokens::{Sequence, parse_ids};
use clap::{Args, ValueEnum};

use super::attend::{Request, all_heads};
use super::common::Common;
use super::failure::{Blame, Failure};
use super::model_input::{PARAGRAPH, read_text};
use super::run_setup::{SamplerName, SetupFlags};
use super::run_task::Job;
use super::value;
#[cfg(feature = "hdf5")]
use crate::report::attention;
use crate::report::present::present;
use crate::report::run::{HeadsOfModel, RunAnswer};

/// Arguments of `ceas run`.
#[derive(Args, Debug)]
#[command(
    after_help = "Matrix products, residual sums and the choice of tokens stay with the host; the notes at the end say where \
                  everything ran.\n\nExamples:\n  ceas run --model minilm --task embed --text-file sentences.txt --samples 256\n  \
                  ceas run --model SmolLM2-135M-Instruct.Q4_1.gguf --task generate --prompt \"Once upon a time\" --samples 64\n  \
                  ceas run --model smollm2.gguf --task perplexity --text-file f.txt --on attention,ffn --json"
)]
pub struct Arguments {
    /// Folder of a BERT- or Llama-family model (config.json, tokenizer.json, safetensors), or a GGUF file
    #[arg(long, value_name = "DIR|FILE.gguf", help_heading = "Input")]
    model: PathBuf,
    /// What to do with it
    #[arg(long, value_enum, help_heading = "Input")]
    task: Task,
    /// The text [default: the bundled paragraph by Maxwell; generate needs one]
    #[arg(long, visible_alias = "prompt", value_name = "TEXT", help_heading = "Input")]
    #[arg(conflicts_with_all = ["text_file", "tokens"])]
    text: Option<String>,
    /// The same, from a UTF-8 file; for embed, every line that is not empty is a text
    #[arg(long, value_name = "FILE", help_heading = "Input", conflicts_with = "tokens")]
    text_file: Option<PathBuf>,
    /// Exactly these tokens: a JSON array of ids
    #[arg(long, value_name = "FILE.json", help_heading = "Input")]
    tokens: Option<PathBuf>,
    /// Take every line that is not empty as a text of its own, for perplexity too
    #[arg(long, help_heading = "Input")]
    lines: bool,
    /// Keep at most so many tokens of every text [default: what the model takes]
    #[arg(long, value_name = "N", help_heading = "Input", value_parser = value::whole::<usize>)]
    limit: Option<usize>,
    #[command(flatten)]
    setup: SetupFlags,
    /// Runs on spins, each with streams of its own [default: 8 for embed, else 1]
    #[arg(long, value_name = "N", help_heading = "Run and output", value_parser = value::whole::<u32>)]
    repeats: Option<u32>,
    /// Tokens to generate
    #[arg(long, value_name = "N", default_value_t = 40, help_heading = "Generate", value_parser = value::whole::<usize>)]
    max_tokens: usize,
    /// Draw tokens from p ∝ e^(logit/T) instead of taking the likeliest
    #[arg(long, value_name = "T", help_heading = "Generate", value_parser = value::number)]
    temperature: Option<f64>,
    #[command(flatten)]
    common: Common,
}

/// What to do with a model.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// Embeddings: how far those on spins are from the exact ones
    Embed,
    /// Likelihood of a text: what spins add to its nll
    Perplexity,
    /// Text written by the exact model and by the one on spins, side by side
    Generate,
    /// The table of `ceas attend` for every head of every layer
    Heads,
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outputs = arguments.common.prepare()?;
    if cfg!(not(feature = "hdf5")) && outputs.out.is_some() {
        return Err(anyhow!("--out needs a build with the feature hdf5 or hdf5-static")).input();
    }
    arguments.check().input()?;
    let model = Loaded::open(&arguments.model).context("--model").input()?;
    let texts = arguments.texts(&model).input()?;
    if arguments.task == Task::Heads {
        let (sampler, samples) = arguments.setup.for_heads().input()?;
        let sampler = match sampler {
            SamplerName::Race => Sampler::Race,
            SamplerName::HeatBath => Sampler::HeatBath,
            SamplerName::Multinomial => Sampler::Law,
        };
        let set = model.capture(&texts[0], &[]).input()?;
        let keep = outputs.out.is_some();
        let request = Request { sampler, samples, seed: arguments.common.seed, keep };
        let answer = all_heads(&set, request)?;
        #[cfg(feature = "hdf5")]
        if let Some(file) = &outputs.out {
            attention::archive::write(&answer, file.path()).run()?;
        }
        return present(&HeadsOfModel(answer), &arguments.common, &outputs);
    }
    let settled = arguments.setup.settle(&model, arguments.common.seed).input()?;
    let usual = if arguments.task == Task::Embed { 8 } else { 1 };
    let job = Job {
        model: &model,
        settled: &settled,
        texts: &texts,
        repeats: arguments.repeats.unwrap_or(usual),
        seed: arguments.common.seed,
    };
    let outcome = match arguments.task {
        Task::Embed => job.embed()?,
        Task::Perplexity => job.perplexity()?,
        _ => job.generate(arguments.max_tokens, arguments.temperature)?,
    };
    let answer = RunAnswer::new(&job, outcome);
    #[cfg(feature = "hdf5")]
    if let Some(file) = &outputs.out {
        crate::report::run::archive::write(&answer, file).run()?;
    }
    present(&answer, &arguments.common, &outputs)
}

impl Arguments {
    /// Refuses flags that contradict each other.
    fn check(&self) -> anyhow::Result<()> {
        if self.repeats == Some(0) {
            bail!("--repeats 0: at least one run is needed");
        }
        if self.limit == Some(0) {
            bail!("--limit 0: at least one token is needed");
        }
        if let Some(t) = self.temperature.filter(|t| !(*t > 0.0 && t.is_finite())) {
            bail!("--temperature {t}: a number above 0 is expected; without it the likeliest token is taken");
        }
        if self.task == Task::Generate {
            if self.text.is_none() && self.text_file.is_none() && self.tokens.is_none() {
                bail!("--task generate needs a beginning: --prompt \"…\", --text-file or --tokens");
            }
            if self.max_tokens == 0 {
                bail!("--max-tokens 0: at least one token is generated");
            }
            if self.repeats.is_some_and(|n| n != 1) {
                bail!("--repeats belongs to embed and perplexity; another --seed writes another text");
            }
        } else if self.temperature.is_some() {
            bail!("--temperature belongs to --task generate");
        }
        if self.lines && self.text_file.is_none() {
            bail!("--lines belongs to --text-file");
        }
        if self.lines && matches!(self.task, Task::Generate | Task::Heads) {
            bail!("--lines belongs to embed and perplexity: the other tasks take one text");
        }
        Ok(())
    }

    fn texts(&self, model: &Loaded) -> anyhow::Result<Vec<Sequence>> {
        let limit = self.limit.unwrap_or(usize::MAX).min(model.context());
        let encode = |text: &str| model.tokens().encode(text, limit);
        let texts = if let Some(file) = &self.tokens {
            let name = file.display().to_string();
            let ids =
                parse_ids(&name, &read_text(file, "--tokens")?, model.vocabulary()).context("--tokens")?;
            vec![model.tokens().sequence(&ids, limit)?]
        } else if let Some(file) = &self.text_file {
            let name = || format!("--text-file {}", file.display());
            let text = read_text(file, "--text-file")?;
            if self.lines || self.task == Task::Embed {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                let texts: Result<Vec<_>, _> = lines.map(encode).collect();
                let texts = texts.with_context(name)?;
                if texts.is_empty() {
                    bail!("{} is empty: at least one word is needed", name());
                }
                texts
            } else {
                vec![encode(text.trim()).with_context(name)?]
            }
        } else {
            let text = self.text.as_deref().unwrap_or(PARAGRAPH.trim());
            let flag = if self.task == Task::Generate { "--prompt" } else { "--text" };
            vec![encode(text).context(flag)?]
        };
        let cut: usize = texts.iter().map(|text| text.cut).sum();
        if cut > 0 && self.limit.is_none() {
            eprintln!("ceas: warning: the model takes {limit} tokens: {cut} beyond them were cut");
        }
        Ok(texts)
    }
}
