//! The verb `ceas anneal`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{anyhow, bail};
use clap::Args;

use ceas_npu::sim::Error;
use ceas_npu::sim::anneal::{self, Effort, Method, Range, Settings, Watch, anneal_watched};
use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::instance::{Format, Instance, Objective};
use ceas_npu::sim::spec::Spec;

use super::common::Common;
use super::failure::{Blame, Failure};
use super::interrupt;
use super::keeping::Keeping;
use super::value;
use crate::report::output::OutputFile;
use crate::report::present::present;
use crate::report::progress;
use crate::report::solution::{Problem, Solution};

/// Sweeps of a read, if nothing is said.
const SWEEPS: u64 = 1_000;
/// Steps of the progress bar.
const STEPS: f64 = 1_000.0;

/// Arguments of `ceas anneal`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Problem: G-set/rudy, Biq Mac sparse QUBO, dimod COO or JSON, edge list
    #[arg(required_unless_present = "lattice")]
    file: Option<PathBuf>,
    /// Solve a lattice instead of a file, for example square:64,couplings=pm1, or FILE.toml with the same as a table
    #[arg(long, value_name = "SPEC", conflicts_with_all = ["file", "objective", "format"], value_parser = value::lattice)]
    lattice: Option<Spec>,
    /// What is sought: maxcut, qubo, ising [default: what the format is for; rudy files are cuts, edge lists couplings J]
    #[arg(long, value_name = "NAME", value_parser = objective)]
    objective: Option<Objective>,
    /// Format of the file: rudy, sparse, coo, bqm, edges [default: by the name's ending, or by what the text looks like]
    #[arg(long, value_name = "NAME", value_parser = format)]
    format: Option<Format>,
    /// Method: sa (simulated annealing), pt (parallel tempering), pt-icm (pt with cluster moves, for sparse glasses)
    #[arg(long, value_name = "NAME", default_value = "sa")]
    method: Method,
    /// Seconds to spend; sweeps and reads are chosen to fit, so that the answer depends on the machine's speed
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["sweeps", "reads"], allow_hyphen_values = true)]
    time: Option<f64>,
    /// Sweeps of each read, of pt and pt-icm over all rungs of its ladder [default: 1000]
    #[arg(long, value_name = "N")]
    sweeps: Option<u64>,
    /// Independent reads [default: sa 32, or 512 where they run bit-parallel; pt and pt-icm 8 ladders]
    #[arg(long, value_name = "M")]
    reads: Option<u64>,
    /// Inverse temperatures at the beginning and the end, or of the hottest and the coldest rung, FROM:TO [default: measured on the instance]
    #[arg(long, value_name = "FROM:TO", allow_hyphen_values = true)]
    beta: Option<String>,
    /// Distinct best states to keep
    #[arg(long, value_name = "K", default_value_t = 16)]
    keep: usize,
    /// Write the problem that was read to FILE.mc, .sparse, .coo, .json or .edges
    #[arg(long, value_name = "FILE")]
    convert: Option<PathBuf>,
    #[command(flatten)]
    keeping: Keeping,
    #[command(flatten)]
    common: Common,
}

fn objective(name: &str) -> Result<Objective, String> {
    let known = [Objective::MaxCut, Objective::Qubo, Objective::Ising];
    let found = known.into_iter().find(|objective| objective.name() == name);
    found.ok_or_else(|| "it is one of maxcut, qubo, ising".to_owned())
}

fn format(name: &str) -> Result<Format, String> {
    let found = Format::ALL.into_iter().find(|format| format.name() == name);
    found.ok_or_else(|| "it is one of rudy, sparse, coo, bqm, edges".to_owned())
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outputs = arguments.common.prepare()?;
    let mut settings = arguments.settings().input()?;
    if let (Some(_), Some(flag)) = (arguments.time, arguments.keeping.flag()) {
        let why = "a search that is limited in time depends on the clock and cannot be resumed: give --sweeps and --reads";
        return Err(anyhow!("--time and {flag}: {why}")).input();
    }
    let keep = arguments.keeping.kept(arguments.common.force).input()?;
    #[cfg(not(feature = "hdf5"))]
    if outputs.out.is_some() {
        return Err(anyhow!("--out needs a program built with the feature hdf5 or hdf5-static")).input();
    }
    let converted = arguments.converted().input()?;
    let (instance, problem) = arguments.problem()?;
    if let Some((file, format)) = converted {
        let text = instance.to_text(format).map_err(|e| anyhow!("--convert: {e}")).input()?;
        file.write(text.as_bytes()).run()?;
    }
    // Weights that no energy can be made of are the file's fault, not the run's.
    instance.hamiltonian().map_err(|e| anyhow!("{}: {e}", problem.name)).input()?;
    if let (Effort::Counted { reads, .. }, None) = (&mut settings.effort, arguments.reads) {
        *reads = anneal::default_reads(&instance, settings.method).input()?;
    }
    interrupt::listen()?;
    let bar = progress::bar(settings.method.name(), STEPS as u64);
    let watch = Watch {
        interrupted: &interrupt::asked,
        progress: &|share| bar.set_position((STEPS * share.clamp(0.0, 1.0)) as u64),
        keep,
        resume: arguments.keeping.resume.clone(),
    };
    let answer = anneal_watched(&instance, &settings, &watch).map_err(|error| blamed(error, &problem));
    bar.finish_and_clear();
    let answer = answer?;
    let solution = Solution::new(problem, &instance, &settings, answer);
    for warning in solution.warnings() {
        eprintln!("ceas: {warning}");
    }
    if interrupt::asked() {
        eprintln!("ceas: interrupted; what follows is the best that was found until then");
        if let Some((file, _)) = &watch.keep {
            eprintln!("ceas: the same command with --resume {} goes on from here", file.display());
        }
    }
    #[cfg(feature = "hdf5")]
    if let Some(file) = &outputs.out {
        crate::report::solution::archive::write(&solution, file).run()?;
    }
    present(&solution, &arguments.common, &outputs)
}

/// An error of the search, and whose fault it is.
fn blamed(error: Error, problem: &Problem) -> Failure {
    match error {
        Error::Checkpoint { .. } | Error::OtherCheckpoint { .. } => Failure::Input(error.into()),
        Error::Archive { action: "reading checkpoint", .. } => Failure::Input(error.into()),
        Error::Percolates { .. } | Error::Beta { .. } | Error::Schedule { .. } => {
            Failure::Input(anyhow!("{}: {error}", problem.name))
        }
        _ => Failure::Run(error.into()),
    }
}

impl Arguments {
    /// Everything that can be checked before a file is opened.
    fn settings(&self) -> anyhow::Result<Settings> {
        let effort = match self.time {
            Some(seconds) if !(seconds.is_finite() && seconds > 0.0 && seconds < 1e9) => {
                bail!("--time {seconds}: a number of seconds above 0");
            }
            Some(seconds) => Effort::Timed(Duration::from_secs_f64(seconds)),
            None => {
                let (sweeps, reads) = (self.sweeps.unwrap_or(SWEEPS), self.reads.unwrap_or(1));
                for (flag, value) in [("--sweeps", sweeps), ("--reads", reads)] {
                    if value == 0 || value > 1 << 40 {
                        bail!("{flag} {value}: at least 1, at most 2⁴⁰");
                    }
                }
                Effort::Counted { sweeps, reads }
            }
        };
        if self.keep == 0 || self.keep > 1 << 20 {
            bail!("--keep {}: at least 1, at most 1048576", self.keep);
        }
        let range = self.beta.as_deref().map(range).transpose()?;
        if let (Some(Range { hot, cold }), true) = (range, self.method != Method::Annealing)
            && hot == cold
        {
            bail!("--beta {hot}:{cold}: a ladder needs two different β");
        }
        Ok(Settings { method: self.method, effort, range, seed: self.common.seed, keep: self.keep })
    }

    /// The file of `--convert`, and the format that its name stands for.
    fn converted(&self) -> anyhow::Result<Option<(OutputFile, Format)>> {
        let Some(path) = &self.convert else { return Ok(None) };
        let endings = ["mc", "sparse", "coo", "json", "edges"];
        let file = OutputFile::reserve(path, "--convert", &endings, self.common.force)?;
        Ok(Format::of_name(path).map(|format| (file, format)))
    }

    fn problem(&self) -> Result<(Instance, Problem), Failure> {
        if let Some(spec) = &self.lattice {
            let model =
                spec.build(None, self.common.seed).map_err(|e| anyhow!("--lattice {spec}: {e}")).input()?;
            let instance = Instance::of(&model);
            return Ok((instance, Problem { name: spec.to_string(), format: "lattice" }));
        }
        let path = self.file.as_ref().ok_or_else(|| anyhow!("a FILE or --lattice is needed")).input()?;
        let (instance, format) = Instance::read(path, self.format, self.objective).input()?;
        let problem = Problem { name: path.display().to_string(), format: format.name() };
        Ok((instance, problem))
    }
}

/// FROM:TO.
fn range(text: &str) -> anyhow::Result<Range> {
    let number =
        |part: &str| part.trim().parse::<f64>().ok().and_then(|x| Beta::new(x).ok()).map(Beta::value);
    let ends = text.split_once(':').and_then(|(from, to)| number(from).zip(number(to)));
    match ends {
        Some((hot, cold)) if hot > 0.0 && cold >= hot && cold < 1e300 => Ok(Range { hot, cold }),
        _ => bail!("--beta {text}: two inverse temperatures above 0, FROM:TO, the second not smaller"),
    }
}
