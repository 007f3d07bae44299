//! The table of `ceas bench engine`: which works it has.

use std::time::Duration;

use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::couplings::CouplingRows;
use ceas_npu::sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_npu::sim::kernel::multispin::sites::{Decision, SiteModel};
use ceas_npu::sim::kernel::multispin::{Grid, Lattice, Level, PackedSpins, REPLICAS, ReplicaSpins};
use ceas_npu::sim::run::Run;
use ceas_npu::sim::schedule::Schedule;
use ceas_npu::sim::spins::Spins;
use ceas_npu::sim::stream::{Purpose, Stream, Streams};
use ceas_npu::sim::topology::Topology;
use ceas_npu::sim::update::{
    CachedField, CachedSpins, Metropolis, MultiSpin, Replicas, SharedRandom, SharedSpins, SwendsenWang, Wolff,
};

use super::bench_engine::{Bench, REPEATS, drive};
use crate::report::engine::{Counted, Line, SpeedUp};

/// Replicas with cached fields.
const READS: usize = 32;
/// β_c of the square lattice.
const SQUARE: f64 = ceas_npu::sim::exact::onsager::BETA_C;

/// What is made only for lines that are wanted.
type Made<'a, T> = &'a dyn Fn() -> anyhow::Result<T>;

impl Bench {
    /// The lines, and what all threads gain.
    pub(super) fn table(&self) -> anyhow::Result<(Vec<Line>, Option<SpeedUp>)> {
        let threads = rayon::current_num_threads();
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        let mut lines = alone.install(|| self.on_one_thread())?;
        let gained = if threads > 1 { self.together(&alone, threads)? } else { None };
        let speed_up = gained.map(|(line, speed_up)| {
            lines.push(line);
            speed_up
        });
        Ok((lines, speed_up))
    }

    /// The first work on all threads, one thread and all taking turns so that a busy machine troubles both.
    fn together(&self, alone: &rayon::ThreadPool, threads: usize) -> anyhow::Result<Option<(Line, SpeedUp)>> {
        let Some(line) = self.line("square 4096", "multi-spin sites", "metropolis", self.best.name()) else {
            return Ok(None);
        };
        let grid = Grid::new(Lattice::Square, 4096)?;
        let model = Hamiltonian::ferromagnet(Topology::open_chain(grid.n_sites())?);
        let all = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let made = || -> anyhow::Result<_> {
            let update = MultiSpin::new(SiteModel::ferromagnet(grid), Decision::Metropolis, self.best);
            let streams = Streams::new(self.seed, Purpose::Update, 0, update.blocks());
            let schedule = Schedule::Constant(Beta::new(SQUARE)?);
            Ok(Run::new(&model, PackedSpins::up(grid)?, update, schedule, streams))
        };
        let (mut one, mut many) = (made()?, made()?);
        let mut time = |sweeps: u64| {
            let alone = alone.install(|| drive(&mut one, sweeps));
            (alone, all.install(|| drive(&mut many, sweeps)))
        };
        // Twice as long as for another line, and threads have run before the clock starts.
        let warm_up = 50;
        let (_, several) = time(warm_up);
        let each = 2.0 * self.seconds / (REPEATS as f64 * (threads as f64 + 1.0));
        let sweeps = (each * warm_up as f64 / several.as_secs_f64()).ceil().clamp(1.0, 1e9) as u64;
        let rate = |time: Duration| sweeps as f64 * grid.n_sites() as f64 / time.as_nanos() as f64;
        let rates: Vec<_> =
            (0..REPEATS).map(|_| time(sweeps)).map(|(one, all)| (rate(one), rate(all))).collect();
        let (one, all): (Vec<f64>, Vec<f64>) = rates.into_iter().unzip();
        self.stages.step();
        let line = Line { beta: "βc".to_owned(), threads, spins: grid.n_sites(), ..line };
        let speed_up = SpeedUp::new(threads, &one, &all);
        Ok(Some((line.with_rates(all), speed_up)))
    }

    fn on_one_thread(&self) -> anyhow::Result<Vec<Line>> {
        let (metropolis, heat_bath) = (Decision::Metropolis, Decision::HeatBath);
        let best = self.best;
        let mut lines = Vec::new();
        for level in Level::available().filter(|&level| level <= best) {
            lines.extend(self.sites(Lattice::Square, 4096, metropolis, level)?);
        }
        lines.extend(self.sites(Lattice::Square, 1024, metropolis, best)?);
        lines.extend(self.sites(Lattice::Square, 4096, heat_bath, best)?);
        lines.extend(self.in_field()?);
        for (lattice, size) in
            [(Lattice::Triangular, 1920), (Lattice::Honeycomb, 2048), (Lattice::Cubic, 256)]
        {
            lines.extend(self.sites(lattice, size, metropolis, best)?);
        }
        lines.extend(self.glass()?);
        lines.extend(self.replicas()?);
        lines.extend(self.shared()?);
        lines.extend(self.cached()?);
        lines.extend(self.scalar()?);
        lines.extend(self.clusters()?);
        Ok(lines)
    }

    /// Lines that everything else is to be compared with.
    fn scalar(&self) -> anyhow::Result<Option<Line>> {
        let Some(line) = self.line("square 1024", "square-rows", "metropolis", "portable") else {
            return Ok(None);
        };
        let model = Hamiltonian::ferromagnet(Topology::square(1024)?);
        let start = Spins::random(model.n_sites(), &mut self.initial());
        let line = Line { digits: 32, beta: "βc".to_owned(), spins: model.n_sites(), ..line };
        self.timed(line, SQUARE, &model, start, Metropolis::new(&model)?).map(Some)
    }

    fn sites(
        &self,
        lattice: Lattice,
        size: usize,
        decision: Decision,
        level: Level,
    ) -> anyhow::Result<Option<Line>> {
        let (name, beta) = match lattice {
            Lattice::Square => ("square", SQUARE),
            Lattice::Triangular => ("triangular", 0.274_653_072_167),
            Lattice::Honeycomb => ("honeycomb", 0.658_478_948_462),
            Lattice::Cubic => ("cubic", 0.221_654_626),
        };
        let update = if decision == Decision::Metropolis { "metropolis" } else { "heat-bath" };
        let Some(line) = self.line(&format!("{name} {size}"), "multi-spin sites", update, level.name())
        else {
            return Ok(None);
        };
        let grid = Grid::new(lattice, size)?;
        // The kernel knows the lattice; a Hamiltonian of as many sites is all that the run asks for.
        let model = Hamiltonian::ferromagnet(Topology::open_chain(grid.n_sites())?);
        let update = MultiSpin::new(SiteModel::ferromagnet(grid), decision, level);
        let line = Line { beta: "βc".to_owned(), spins: grid.n_sites(), ..line };
        self.timed(line, beta, &model, PackedSpins::up(grid)?, update).map(Some)
    }

    fn in_field(&self) -> anyhow::Result<Option<Line>> {
        let best = self.best.name();
        let Some(line) = self.line("square 1024, h = 0.1", "multi-spin sites", "metropolis", best) else {
            return Ok(None);
        };
        let model = Hamiltonian::new(Topology::square(1024)?, Couplings::Uniform(1.0), Field::Uniform(0.1))?;
        self.packed(line, "βc", SQUARE, &model).map(Some)
    }

    fn glass(&self) -> anyhow::Result<Option<Line>> {
        let best = self.best.name();
        let Some(line) = self.line("square 4096 ±J", "multi-spin sites", "metropolis", best) else {
            return Ok(None);
        };
        let model = self.signed(Topology::square(4096)?, 0)?;
        self.packed(line, "1", 1.0, &model).map(Some)
    }

    fn packed(&self, line: Line, shown: &str, beta: f64, model: &Hamiltonian) -> anyhow::Result<Line> {
        let sites = SiteModel::new(model)?;
        let start = PackedSpins::random(*sites.grid(), &mut self.initial())?;
        let update = MultiSpin::new(sites, Decision::Metropolis, self.best);
        let line = Line { beta: shown.to_owned(), spins: model.n_sites(), ..line };
        self.timed(line, beta, model, start, update)
    }

    /// 512 replicas with independent random numbers; β as in a ladder for tempering, half to one and a half times the middle.
    fn replicas(&self) -> anyhow::Result<Vec<Line>> {
        let ladder: Vec<f64> = (0..REPLICAS).map(|r| 0.5 + r as f64 / (REPLICAS - 1) as f64).collect();
        let best = self.best.name();
        let mut lines = Vec::new();
        let works: [(&str, &str, &str, Made<'_, Hamiltonian>, f64); 3] = [
            ("square 64", "sparse replicas", "βc × ½…1½", &square_64, SQUARE),
            (
                "6-regular ±J 100000",
                "sparse replicas",
                "0.25…0.75",
                &|| self.signed(six_regular(100_000, self.seed)?, 1),
                0.5,
            ),
            (
                "complete ±J 1024",
                "dense replicas",
                "(½…1½)/√N",
                &|| self.signed(Topology::complete(1024)?, 2),
                1.0 / 32.0,
            ),
        ];
        for (work, kernel, shown, model, beta) in works {
            let Some(line) = self.line(work, kernel, "metropolis", best) else { continue };
            let model = model()?;
            let update =
                Replicas::new(&model, Decision::Metropolis, self.best)?.with_ratios(ladder.clone())?;
            let start = ReplicaSpins::random(model.n_sites(), &mut self.initial())?;
            let line = Line { beta: shown.to_owned(), spins: REPLICAS * model.n_sites(), ..line };
            lines.push(self.timed(line, beta, &model, start, update)?);
        }
        Ok(lines)
    }

    fn shared(&self) -> anyhow::Result<Option<Line>> {
        let Some(line) = self.line("square 64", "SHARED replicas", "metropolis", self.best.name()) else {
            return Ok(None);
        };
        let model = square_64()?;
        let start = SharedSpins::new(ReplicaSpins::random(model.n_sites(), &mut self.initial())?);
        let update = SharedRandom::at_level(&model, self.best)?;
        let spins = REPLICAS * model.n_sites();
        let line = Line { beta: "βc".to_owned(), random: "shared", spins, ..line };
        self.timed(line, SQUARE, &model, start, update).map(Some)
    }

    /// Annealing in real numbers from β = 0.1 to 5, couplings of variance 1 over the bonds of a site.
    fn cached(&self) -> anyhow::Result<Vec<Line>> {
        let mut lines = Vec::new();
        const CACHED: &str = "cached f32 fields";
        const SUMMED: &str = "summed f32 fields";
        let works: [(&str, &str, Made<'_, Topology>, f64); 3] = [
            ("complete normal 1024", CACHED, &|| Ok(Topology::complete(1024)?), 1024.0),
            ("6-regular normal 100000", SUMMED, &|| six_regular(100_000, self.seed), 6.0),
            ("square normal 256", SUMMED, &|| Ok(Topology::square(256)?), 4.0),
        ];
        for (number, (work, kernel, topology, variance)) in (3u64..).zip(works) {
            let Some(line) = self.line(work, kernel, "metropolis", self.best.name()) else {
                continue;
            };
            let topology = topology()?;
            let mut stream = Stream::new(self.seed, Purpose::Instance, number, 0);
            let j = (0..topology.n_bonds()).map(|_| stream.normal() / f64::sqrt(variance)).collect();
            let model = Hamiltonian::new(topology, Couplings::PerBond(j), Field::Zero)?;
            let rows = CouplingRows::<f32>::new(&model)?;
            let line =
                Line { beta: "0.1…5".to_owned(), digits: 32, spins: READS * model.n_sites(), ..line };
            let anneal = |sweeps: u64| -> anyhow::Result<Duration> {
                let (hot, cold) = (Beta::new(0.1)?, Beta::new(5.0)?);
                let replica = |r: usize| {
                    let mut stream = Stream::new(self.seed, Purpose::Initial, r as u64, 0);
                    CachedSpins::new(&rows, &Spins::random(model.n_sites(), &mut stream))
                };
                let states = (0..READS).map(replica).collect();
                let streams = Streams::new(self.seed, Purpose::Update, 0, READS);
                let schedule = Schedule::geometric(hot, cold, sweeps)?;
                let mut run = Run::new(&rows, states, CachedField::new(), schedule, streams);
                Ok(drive(&mut run, sweeps))
            };
            let one = anneal(20)?.as_secs_f64() / 20.0;
            let sweeps = (self.seconds / REPEATS as f64 / one).ceil().clamp(10.0, 1e9) as u64;
            let attempts = sweeps as f64 * line.spins as f64;
            let times = (0..REPEATS).map(|_| anneal(sweeps)).collect::<anyhow::Result<Vec<_>>>()?;
            lines.push(line.with_rates(times.iter().map(|time| attempts / time.as_nanos() as f64).collect()));
            self.stages.step();
        }
        Ok(lines)
    }

    /// Cluster updates, from configurations that 50 sweeps of Swendsen and Wang have made.
    fn clusters(&self) -> anyhow::Result<Vec<Line>> {
        let mut lines = Vec::new();
        let decided = self.line("square 1024", "clusters", "swendsen-wang", "portable");
        let flipped = self.line("square 1024", "clusters", "wolff", "portable");
        if decided.is_none() && flipped.is_none() {
            return Ok(lines);
        }
        let model = Hamiltonian::ferromagnet(Topology::square(1024)?);
        let beta = Beta::new(SQUARE)?;
        let start = SwendsenWang::new(&model)?;
        let streams = Streams::new(self.seed, Purpose::Thermalization, 0, start.blocks());
        let up = Spins::up(model.n_sites());
        let mut run = Run::new(&model, up, start.clone(), Schedule::Constant(beta), streams);
        drive(&mut run, 50);
        let (spins, _) = run.finish();
        let finished = |line: Line, counted| Line {
            digits: 32,
            beta: "βc".to_owned(),
            spins: model.n_sites(),
            counted,
            ..line
        };
        if let Some(line) = decided {
            let line = finished(line, Counted::Decided);
            lines.push(self.timed(line, SQUARE, &model, spins.clone(), start)?);
        }
        if let Some(line) = flipped {
            lines.push(self.timed(
                finished(line, Counted::Flipped),
                SQUARE,
                &model,
                spins,
                Wolff::new(&model, 1)?,
            )?);
        }
        Ok(lines)
    }
}

fn square_64() -> anyhow::Result<Hamiltonian> {
    Ok(Hamiltonian::ferromagnet(Topology::square(64)?))
}

/// Three random closed walks through all sites; the few bonds that repeat another are left out.
fn six_regular(n: usize, seed: u64) -> anyhow::Result<Topology> {
    let mut stream = Stream::new(seed, Purpose::Instance, 9, 0);
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
