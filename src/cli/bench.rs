//! The verb `ceas bench`: what this machine does.

use std::fs;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde::Serialize;

use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_npu::sim::kernel::multispin::sites::{Decision, SiteModel};
use ceas_npu::sim::kernel::multispin::{Grid, Lattice, Level, PackedSpins, REPLICAS, ReplicaSpins};
use ceas_npu::sim::plan::Plan;
use ceas_npu::sim::run::Run;
use ceas_npu::sim::schedule::Schedule;
use ceas_npu::sim::spins::Spins;
use ceas_npu::sim::stream::{Purpose, Stream, Streams};
use ceas_npu::sim::topology::Topology;
use ceas_npu::sim::update::{Metropolis, MultiSpin, Replicas, Update};

use super::bench_attention::{self, AttentionArguments};
use super::bench_gpu::{self, GpuArguments};
use super::common::Common;
use super::failure::{Blame, Failure};
use crate::report::output::print;
use crate::report::table::table;

/// Repeats of every measurement, of which the median is printed and the best beside it.
const REPEATS: usize = 5;
/// Sweeps before the clock starts.
const WARM_UP: u64 = 5;

/// Arguments of `ceas bench`.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Every kernel on its lattices: attempts per nanosecond
    Engine(EngineArguments),
    /// Exact attention on this processor
    Attention(AttentionArguments),
    /// A portable attention kernel on a graphics processor
    Gpu(GpuArguments),
}

/// Arguments of `ceas bench engine`.
///
/// An attempt is one single-spin update tried, whether accepted or not, with random numbers of its own; 512 replicas updated at one site
/// make 512. Each line is the median of five measurements, with the best beside it: a busy machine spoils medians first. CEAS_SIMD set to
/// portable, avx2 or avx512 leaves out what is beyond it.
#[derive(Args, Debug)]
struct EngineArguments {
    /// Seconds for each line, without making lattices
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    seconds: f64,
    #[command(flatten)]
    common: Common,
}

/// One line of the table.
#[derive(Debug, Serialize)]
struct Line {
    work: String,
    kernel: &'static str,
    update: &'static str,
    level: String,
    spins: usize,
    beta: f64,
    threads: usize,
    digits: u32,
    attempts_per_ns: f64,
    best: f64,
}

/// The whole answer.
#[derive(Debug, Serialize)]
struct Engine {
    command: &'static str,
    machine: String,
    load: Option<f64>,
    generator: &'static str,
    attempt: &'static str,
    lines: Vec<Line>,
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let arguments = match &arguments.what {
        What::Engine(arguments) => arguments,
        What::Attention(arguments) => return bench_attention::run(arguments),
        What::Gpu(arguments) => return bench_gpu::run(arguments),
    };
    let common = &arguments.common;
    let outputs = common.prepare()?;
    if outputs.out.is_some() || outputs.plot.is_some() || outputs.report.is_some() {
        return Err(anyhow!("bench engine prints a table or --json; it writes no files")).input();
    }
    if !(arguments.seconds > 0.0 && arguments.seconds <= 3600.0) {
        return Err(anyhow!("--seconds {}: it takes more than 0 and at most 3600", arguments.seconds))
            .input();
    }
    let bench = Bench { seed: common.seed, best: Level::choose().input()?, seconds: arguments.seconds };
    let answer = Engine {
        command: "bench engine",
        machine: machine(),
        load: load(),
        generator: "xoshiro256++, no random bit read twice",
        attempt: "one single-spin update tried, accepted or not",
        lines: bench.lines().run()?,
    };
    if common.json {
        print(&(serde_json::to_string_pretty(&answer).run()? + "\n")).run()
    } else {
        print(&answer.text()).run()
    }
}

struct Bench {
    seed: u64,
    /// The best level that is measured.
    best: Level,
    seconds: f64,
}

const SQUARE: f64 = 0.440_686_793_509_772;

impl Bench {
    fn lines(&self) -> anyhow::Result<Vec<Line>> {
        let threads = rayon::current_num_threads();
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        let mut lines = alone.install(|| self.on_one_thread())?;
        if threads > 1 {
            lines.push(self.sites("square 4096", Lattice::Square, 4096, SQUARE, self.best, threads)?);
        }
        Ok(lines)
    }

    fn on_one_thread(&self) -> anyhow::Result<Vec<Line>> {
        let levels: Vec<Level> = Level::available().filter(|&level| level <= self.best).collect();
        let mut lines = vec![self.scalar()?];
        for &level in &levels {
            lines.push(self.sites("square 4096", Lattice::Square, 4096, SQUARE, level, 1)?);
        }
        let best = self.best;
        lines.push(self.sites("square 1024", Lattice::Square, 1024, SQUARE, best, 1)?);
        lines.push(self.sites("triangular 1920", Lattice::Triangular, 1920, 0.274_653_072_167, best, 1)?);
        lines.push(self.sites("honeycomb 2048", Lattice::Honeycomb, 2048, 0.658_478_948_462, best, 1)?);
        lines.push(self.sites("cubic 256", Lattice::Cubic, 256, 0.221_654_626, best, 1)?);
        lines.push(self.glass()?);
        lines.extend(self.replicas()?);
        Ok(lines)
    }

    /// The line that all others are to be compared with.
    fn scalar(&self) -> anyhow::Result<Line> {
        let model = Hamiltonian::ferromagnet(Topology::square(1024)?);
        let update = Metropolis::new(&model)?;
        let start = Spins::random(model.n_sites(), &mut self.initial());
        let blocks = update.blocks();
        let line = self.line("square 1024", "square-rows", "metropolis", model.n_sites());
        Ok(self.timed(Line { digits: 32, ..line }, &model, start, update, blocks))
    }

    fn sites(
        &self,
        work: &str,
        lattice: Lattice,
        size: usize,
        beta: f64,
        level: Level,
        threads: usize,
    ) -> anyhow::Result<Line> {
        let grid = Grid::new(lattice, size)?;
        // The kernel knows the lattice; a Hamiltonian of as many sites is all that the run asks for.
        let model = Hamiltonian::ferromagnet(Topology::open_chain(grid.n_sites())?);
        let update = MultiSpin::new(SiteModel::ferromagnet(grid), Decision::Metropolis, level);
        let line = self.line(work, "multi-spin sites", "metropolis", grid.n_sites());
        let line = Line { beta, threads, level: level.to_string(), ..line };
        Ok(self.timed(line, &model, PackedSpins::up(grid)?, update, grid.blocks()))
    }

    fn glass(&self) -> anyhow::Result<Line> {
        let topology = Topology::square(4096)?;
        let mut stream = Stream::new(self.seed, Purpose::Instance, 0, 0);
        let j = signs(&mut stream, topology.n_bonds());
        let model = Hamiltonian::new(topology, Couplings::PerBond(j), Field::Zero)?;
        let sites = SiteModel::new(&model)?;
        let start = PackedSpins::random(*sites.grid(), &mut self.initial())?;
        let update = MultiSpin::new(sites, Decision::Metropolis, self.best);
        let blocks = update.blocks();
        let line = self.line("±J square 4096", "multi-spin sites", "metropolis", model.n_sites());
        Ok(self.timed(Line { beta: 1.0, ..line }, &model, start, update, blocks))
    }

    fn replicas(&self) -> anyhow::Result<Vec<Line>> {
        let mut stream = Stream::new(self.seed, Purpose::Instance, 1, 0);
        let mut random = |topology: Topology| {
            let j = signs(&mut stream, topology.n_bonds());
            Hamiltonian::new(topology, Couplings::PerBond(j), Field::Zero)
        };
        let square = Hamiltonian::ferromagnet(Topology::square(64)?);
        let sparse = random(six_regular(100_000, self.seed)?)?;
        let dense = random(Topology::complete(1024)?)?;
        // β as in a ladder for tempering: half to one and a half times the one printed.
        let ladder: Vec<f64> = (0..REPLICAS).map(|r| 0.5 + r as f64 / (REPLICAS - 1) as f64).collect();
        let works = [
            ("square 64, 512 β", "sparse replicas", square, SQUARE),
            ("6-regular ±J 100000, 512 β", "sparse replicas", sparse, 0.5),
            ("dense ±J 1024, 512 β", "dense replicas", dense, 1.0 / 32.0),
        ];
        let mut lines = Vec::new();
        for (work, kernel, model, beta) in works {
            let update =
                Replicas::new(&model, Decision::Metropolis, self.best)?.with_ratios(ladder.clone())?;
            let start = ReplicaSpins::random(model.n_sites(), &mut self.initial())?;
            let blocks = update.blocks();
            let line = self.line(work, kernel, "metropolis", REPLICAS * model.n_sites());
            lines.push(self.timed(Line { beta, ..line }, &model, start, update, blocks));
        }
        Ok(lines)
    }

    fn initial(&self) -> Stream {
        Stream::new(self.seed, Purpose::Initial, 0, 0)
    }

    fn line(&self, work: &str, kernel: &'static str, update: &'static str, spins: usize) -> Line {
        Line {
            work: work.to_owned(),
            kernel,
            update,
            level: if kernel == "square-rows" { "portable".to_owned() } else { self.best.to_string() },
            spins,
            beta: SQUARE,
            threads: 1,
            digits: 64,
            attempts_per_ns: 0.0,
            best: 0.0,
        }
    }

    /// Fills in the rates.
    fn timed<U: Update<Model = Hamiltonian>>(
        &self,
        line: Line,
        model: &Hamiltonian,
        start: U::State,
        update: U,
        blocks: usize,
    ) -> Line {
        let beta = Beta::new(line.beta).expect("every β of the table is one");
        let streams = Streams::new(self.seed, Purpose::Update, 0, blocks);
        let mut run = Run::new(model, start, update, Schedule::Constant(beta), streams);
        let mut advance = |sweeps: u64| {
            let plan = Plan { thermalization: sweeps, sweeps: 0, every: 1 };
            let begin = Instant::now();
            run.drive(&plan, |_| ControlFlow::Continue(()));
            begin.elapsed().max(Duration::from_nanos(1))
        };
        let one = advance(WARM_UP).as_secs_f64() / WARM_UP as f64;
        let sweeps = (self.seconds / REPEATS as f64 / one).ceil().clamp(1.0, 1e9) as u64;
        let attempts = sweeps as f64 * line.spins as f64;
        let mut rates: Vec<f64> =
            (0..REPEATS).map(|_| attempts / advance(sweeps).as_nanos() as f64).collect();
        rates.sort_by(f64::total_cmp);
        Line { attempts_per_ns: rates[REPEATS / 2], best: rates[REPEATS - 1], ..line }
    }
}

/// +1 or −1 with probability ½ each.
fn signs(stream: &mut Stream, n: usize) -> Vec<f64> {
    (0..n).map(|_| if stream.next_u64() >> 63 == 1 { 1.0 } else { -1.0 }).collect()
}

/// Three random closed walks through all sites; the few bonds that repeat another are left out.
fn six_regular(n: usize, seed: u64) -> anyhow::Result<Topology> {
    let mut stream = Stream::new(seed, Purpose::Instance, 2, 0);
    let mut order: Vec<u32> = (0..n as u32).collect();
    let mut bonds = Vec::new();
    for _ in 0..3 {
        for i in (1..n).rev() {
            order.swap(i, stream.below(i as u64 + 1) as usize);
        }
        bonds.extend((0..n).map(|i| (order[i].min(order[(i + 1) % n]), order[i].max(order[(i + 1) % n]))));
    }
    bonds.sort_unstable();
    bonds.dedup();
    Ok(Topology::from_bonds(n, &bonds)?)
}

impl Engine {
    fn text(&self) -> String {
        let heads = ["work", "kernel", "instructions", "β", "digits", "threads", "attempts/ns", "best of 5"];
        let mut rows = table(&heads, 3);
        for line in &self.lines {
            rows.add_row([
                line.work.clone(),
                line.kernel.to_owned(),
                line.level.clone(),
                format!("{:.4}", line.beta),
                line.digits.to_string(),
                line.threads.to_string(),
                format!("{:.2}", line.attempts_per_ns),
                format!("{:.2}", line.best),
            ]);
        }
        let load = self.load.map_or(String::new(), |load| format!(", load {load:.1}"));
        format!(
            "{}{load}\nattempt: {}; metropolis, median of 5; random numbers: {}\n\n{rows}\n",
            self.machine, self.attempt, self.generator
        )
    }
}

/// What the processor calls itself, and how many of it there are.
fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} logical cores", name.unwrap_or(std::env::consts::ARCH))
}

/// Processes that want a processor, averaged over a minute, where the system says so.
fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}
