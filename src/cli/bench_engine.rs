//! `ceas bench engine`: the rate of every kernel on its lattices.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use clap::Args;

use ceas_npu::sim::activity::Activity;
use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_npu::sim::kernel::multispin::sites::{Decision, SiteModel};
use ceas_npu::sim::kernel::multispin::{Grid, Level, PackedSpins};
use ceas_npu::sim::plan::Plan;
use ceas_npu::sim::run::Run;
use ceas_npu::sim::schedule::Schedule;
use ceas_npu::sim::spec::{self, Spec};
use ceas_npu::sim::spins::Spins;
use ceas_npu::sim::stream::{Purpose, Stream, Streams};
use ceas_npu::sim::topology::Topology;
use ceas_npu::sim::update::{HeatBath, Metropolis, MultiSpin, Update};

use super::common::Common;
use super::failure::{Blame, Failure};
use super::value;
use crate::report::engine::{Counted, Engine, Line, machine, memory};
use crate::report::present::present;
use crate::report::progress::{self, Stages};

/// Repeats of every measurement, of which the median is printed and the best beside it.
pub(super) const REPEATS: usize = 5;
/// Sweeps before the clock starts.
const WARM_UP: u64 = 5;

/// Arguments of `ceas bench engine`.
#[derive(Args, Debug)]
#[command(
    after_help = "See --help for what is counted.",
    after_long_help = "An attempt is one single-spin update tried, whether accepted or not; 512 replicas updated at one site make 512. Of Swendsen and \
        Wang's update every site of a sweep is counted (it is decided), of Wolff's the sites that flip. Shared random numbers are \
        those that 512 replicas have in common, which is right for each replica and wrong for anything joint. Digits are the binary \
        digits of an acceptance probability that are compared.\n\n\
        Every line is the median of five measurements on one thread, with the best beside it: a busy machine spoils medians first. \
        The last line is measured on all threads and on one in turn. \
        CEAS_SIMD=portable|avx2|avx512 leaves out what is beyond it; the bytes are the same at every level.\n\n\
        Examples:\n  \
        ceas bench engine --plot engine.png\n  \
        ceas bench engine --only dense --seconds 5 --json\n  \
        ceas bench engine --lattice square --size 65536\n  \
        ceas bench engine --lattice regular:100000,3,couplings=pm1 --beta 1"
)]
pub struct Arguments {
    /// Seconds for each line, without making lattices
    #[arg(long, value_name = "S", default_value_t = 1.0, value_parser = value::number)]
    seconds: f64,
    /// Only lines that have this text in work, kernel, update and level
    #[arg(long, value_name = "TEXT", conflicts_with = "lattice")]
    only: Option<String>,
    /// Instead of the table, one lattice or graph with the fastest kernel that takes it, on all threads, and the memory it needs; also FILE.toml
    #[arg(long, value_name = "SPEC", value_parser = value::lattice)]
    lattice: Option<Spec>,
    /// Its size, where the spec has none
    #[arg(long, value_name = "L", value_parser = value::whole::<usize>, requires = "lattice")]
    size: Option<usize>,
    /// Its inverse temperature [default: the critical one where it is known, else 1]
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = value::number, requires = "lattice")]
    beta: Option<f64>,
    #[command(flatten)]
    common: Common,
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let common = &arguments.common;
    let outputs = common.prepare()?;
    if outputs.out.is_some() {
        return Err(anyhow!("--out: bench engine has a table, --json, --plot and --report, but no HDF5"))
            .input();
    }
    if !(arguments.seconds > 0.0 && arguments.seconds <= 3600.0) {
        return Err(anyhow!("--seconds {}: it takes more than 0 and at most 3600", arguments.seconds))
            .input();
    }
    let head = machine();
    let bench = Bench {
        seed: common.seed,
        best: Level::choose().input()?,
        seconds: arguments.seconds,
        only: arguments.only.clone(),
        stages: progress::stages(),
    };
    let (lines, speed_up, notes) = match &arguments.lattice {
        None => {
            let (lines, speed_up) = bench.table().run()?;
            (lines, speed_up, Vec::new())
        }
        Some(spec) => {
            let (lines, notes) = bench.one(spec, arguments)?;
            (lines, None, notes)
        }
    };
    bench.stages.finish();
    if lines.is_empty() {
        let only = arguments.only.as_deref().unwrap_or_default();
        return Err(anyhow!("--only {only}: no line has this text; leave the flag out to see all")).input();
    }
    present(&Engine::new(head, lines, speed_up, notes), common, &outputs)
}

/// How lines are measured.
pub(super) struct Bench {
    pub(super) seed: u64,
    /// The best level that is measured.
    pub(super) best: Level,
    pub(super) seconds: f64,
    only: Option<String>,
    pub(super) stages: Stages,
}

impl Bench {
    /// One lattice of the user's, and the memory that the program has needed.
    fn one(&self, spec: &Spec, arguments: &Arguments) -> Result<(Vec<Line>, Vec<String>), Failure> {
        let model =
            spec.build(arguments.size, self.seed).with_context(|| format!("--lattice {spec}")).input()?;
        let known = spec::critical_point(&model).map_or(1.0, |point| point.beta);
        let beta = Beta::new(arguments.beta.unwrap_or(known)).context("--beta").input()?;
        let size = arguments.size.map_or(String::new(), |size| format!(":{size}"));
        let work = format!("{spec}{size}");
        let line = |kernel, level: &str| Line {
            threads: rayon::current_num_threads(),
            beta: format!("{:.4}", beta.value()),
            spins: model.n_sites(),
            ..Line::new(work.clone(), kernel, "metropolis", level)
        };
        let mut notes = Vec::new();
        let line = match SiteModel::new(&model) {
            Ok(sites) => {
                let grid = *sites.grid();
                grid_start(grid)
                    .and_then(|start| {
                        let update = MultiSpin::new(sites, Decision::Metropolis, self.best);
                        self.timed(
                            line("multi-spin sites", self.best.name()),
                            beta.value(),
                            &model,
                            start,
                            update,
                        )
                    })
                    .run()?
            }
            Err(error) => {
                notes.push(format!("not bit-parallel: {error}"));
                model.topology().check_memory(1).context("--lattice").input()?;
                let start = Spins::random(model.n_sites(), &mut self.initial());
                // Index order works on every graph; the heat bath also at β = 0.
                let update = if beta.value() == 0.0 { None } else { Metropolis::new(&model).ok() };
                match update {
                    Some(update) => {
                        let kernel =
                            if update.kernel().to_string() == "generic" { "generic" } else { "square-rows" };
                        let line = Line { digits: 32, ..line(kernel, "portable") };
                        self.timed(line, beta.value(), &model, start, update).run()?
                    }
                    None => {
                        let update =
                            HeatBath::in_order(&model, ceas_npu::sim::kernel::Order::Index).input()?;
                        let line = Line { digits: 32, update: "heat-bath", ..line("generic", "portable") };
                        self.timed(line, beta.value(), &model, start, update).run()?
                    }
                }
            }
        };
        if beta.value() == 0.0 && line.update == "metropolis" {
            notes.push(
                "at β = 0 Metropolis flips every spin in every sweep, and comes back after two".to_owned(),
            );
        }
        if let Some(bytes) = memory() {
            notes.push(format!(
                "memory: {:.1} MiB at most for the whole program, {:.3} bits per spin",
                bytes as f64 / 1_048_576.0,
                8.0 * bytes as f64 / model.n_sites() as f64
            ));
        }
        Ok((vec![line], notes))
    }

    pub(super) fn initial(&self) -> Stream {
        Stream::new(self.seed, Purpose::Initial, 0, 0)
    }

    /// ±J couplings with probability ½ each.
    pub(super) fn signed(&self, topology: Topology, number: u64) -> anyhow::Result<Hamiltonian> {
        let mut stream = Stream::new(self.seed, Purpose::Instance, number, 0);
        let j = (0..topology.n_bonds()).map(|_| if stream.next_u64() >> 63 == 1 { 1.0 } else { -1.0 });
        let j = j.collect();
        Ok(Hamiltonian::new(topology, Couplings::PerBond(j), Field::Zero)?)
    }

    /// A line to be measured, unless `--only` leaves it out.
    pub(super) fn line(
        &self,
        work: &str,
        kernel: &'static str,
        update: &'static str,
        level: &str,
    ) -> Option<Line> {
        let text = [work, kernel, update, level].join(" ");
        if self.only.as_ref().is_some_and(|only| !text.contains(only.as_str())) {
            return None;
        }
        self.stages.stage(work, 1);
        Some(Line::new(work.to_owned(), kernel, update, level))
    }

    /// Fills in the rates.
    pub(super) fn timed<U: Update<Model = Hamiltonian>>(
        &self,
        line: Line,
        beta: f64,
        model: &Hamiltonian,
        start: U::State,
        update: U,
    ) -> anyhow::Result<Line> {
        let beta = Beta::new(beta)?;
        let streams = Streams::new(self.seed, Purpose::Update, 0, update.blocks());
        let mut run = Run::new(model, start, update, Schedule::Constant(beta), streams);
        let one = drive(&mut run, WARM_UP).as_secs_f64() / WARM_UP as f64;
        let sweeps = (self.seconds / REPEATS as f64 / one).ceil().clamp(1.0, 1e9) as u64;
        let counted = |activity: Activity| match line.counted {
            Counted::Flipped => activity.flips,
            _ => activity.attempts,
        };
        let mut rate = || {
            let before = counted(run.activity());
            let time = drive(&mut run, sweeps);
            (counted(run.activity()) - before) as f64 / time.as_nanos() as f64
        };
        let rates = (0..REPEATS).map(|_| rate()).collect();
        self.stages.step();
        Ok(line.with_rates(rates))
    }
}

/// The time of `sweeps` sweeps.
pub(super) fn drive<U: Update>(run: &mut Run<'_, U>, sweeps: u64) -> Duration {
    let plan = Plan { thermalization: sweeps, sweeps: 0, every: 1 };
    let begin = Instant::now();
    run.drive(&plan, |_| ControlFlow::Continue(()));
    begin.elapsed().max(Duration::from_nanos(1))
}

fn grid_start(grid: Grid) -> anyhow::Result<PackedSpins> {
    Ok(PackedSpins::up(grid)?)
}
