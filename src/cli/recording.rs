//! `ceas snapshot` in a build that writes HDF5: from arguments to a run, and from the run to a file and an answer.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::checkpoint::{self, SavedState, SavedUpdate};
use ceas_npu::sim::hamiltonian::Hamiltonian;
use ceas_npu::sim::kernel::Order;
use ceas_npu::sim::kernel::multispin::PackedSpins;
use ceas_npu::sim::plan::Plan;
use ceas_npu::sim::run::Run;
use ceas_npu::sim::schedule::Schedule;
use ceas_npu::sim::snapshot::{Frame, Header, SnapshotFile, SnapshotReader, SnapshotWriter};
use ceas_npu::sim::spec;
use ceas_npu::sim::spins::Spins;
use ceas_npu::sim::stream::{Purpose, Stream, Streams};
use ceas_npu::sim::update::{HeatBath, Metropolis, MultiSpin, SwendsenWang, Wolff, WolffCalibration};
use indicatif::ProgressBar;

use super::common::Outputs;
use super::failure::{Blame, Failure};
use super::film::Film;
use super::interrupt;
use super::snapshot::{Arguments, Moves, Start};
use crate::report::equilibrium::Equilibrium;
use crate::report::lattice::LatticePicture;
use crate::report::present::{command_line, present};
use crate::report::progress;
use crate::report::recorded::{Recorded, plane};

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outputs = arguments.common.prepare()?;
    let job = Job::new(arguments, &outputs).input()?;
    interrupt::listen()?;
    let model = &job.model;
    let answer = match arguments.update {
        Moves::HeatBath => match MultiSpin::heat_bath(model) {
            Ok(update) => job.record_packed("heat-bath", update, &outputs)?,
            Err(_) => {
                // A checkerboard where there is one, else one site after another.
                let update = HeatBath::new(model).or_else(|_| HeatBath::in_order(model, Order::Index));
                let update = update.context("--update heat-bath").input()?;
                let words = format!("heat-bath, kernel {}", update.kernel());
                job.record(update, words, 32, job.start(), &outputs, Clone::clone)?
            }
        },
        Moves::Metropolis => match MultiSpin::metropolis(model) {
            Ok(update) => job.record_packed("metropolis", update, &outputs)?,
            Err(_) => {
                let update = Metropolis::new(model).or_else(|_| Metropolis::in_order(model, Order::Index));
                let update = update.context("--update metropolis").input()?;
                let words = format!("metropolis, kernel {}", update.kernel());
                job.record(update, words, 32, job.start(), &outputs, Clone::clone)?
            }
        },
        Moves::Wolff => {
            let (update, spins) = job.calibrate()?;
            let words = format!("wolff, {} clusters per sweep", update.clusters_per_sweep());
            job.record(update, words, 32, spins, &outputs, Clone::clone)?
        }
        Moves::SwendsenWang => {
            let update = SwendsenWang::new(model).context("--update swendsen-wang").input()?;
            job.record(update, "swendsen-wang".to_owned(), 32, job.start(), &outputs, Clone::clone)?
        }
    };
    if let Some(sentence) = answer.equilibrium.and_then(|found| found.warning()) {
        eprintln!("warning: {sentence}");
    }
    present(&answer, &arguments.common, &outputs)?;
    if answer.frames < arguments.frames {
        let Recorded { frames, file, .. } = &answer;
        return Err(anyhow!("stopped: {frames} of {} frames are kept in {file}", arguments.frames)).run();
    }
    Ok(())
}

/// A checked command line.
struct Job<'a> {
    arguments: &'a Arguments,
    model: Hamiltonian,
    beta: Beta,
}

impl<'a> Job<'a> {
    fn new(arguments: &'a Arguments, outputs: &Outputs) -> anyhow::Result<Self> {
        if outputs.out.is_none() && arguments.resume.is_none() {
            bail!("--out FILE.h5 is needed: where should the configurations go?");
        }
        for (flag, count) in [("--frames", arguments.frames), ("--every", arguments.every)] {
            if count == 0 {
                bail!("{flag} 0: at least 1 is needed");
            }
        }
        let sweeps = arguments.every.checked_mul(arguments.frames);
        if sweeps.and_then(|s| s.checked_add(arguments.thermalization)).is_none() {
            bail!("--every × --frames + --thermalization is more than 2⁶⁴ sweeps");
        }
        let spec = &arguments.lattice;
        let size = arguments.size.or((spec.is_sized() && spec.size().is_none()).then_some(256));
        let named = || match arguments.size {
            Some(size) => format!("--lattice {spec} --size {size}"),
            None => format!("--lattice {spec}"),
        };
        let model = spec.build(size, arguments.common.seed).with_context(named)?;
        let topology = model.topology();
        let pictured = outputs.plot.is_some() || outputs.report.is_some();
        let svg = outputs.plot.as_ref().is_some_and(|plot| plot.is_svg()) || outputs.report.is_some();
        match plane(topology.shape()) {
            None if pictured => {
                bail!(
                    "--plot and --report draw lattices of two or more dimensions, not this: {}",
                    topology.name()
                )
            }
            Some([height, width]) if pictured => {
                let side = height.max(width);
                if side > LatticePicture::LARGEST {
                    bail!(
                        "--plot: {side} sites in a row are more than a picture can show: {}",
                        LatticePicture::LARGEST
                    );
                }
                if svg && side > LatticePicture::LARGEST_SVG {
                    bail!(
                        "{side} sites in a row are too many for an SVG (as --plot FILE.svg and --report draw), which holds up to {}: use --plot FILE.png",
                        LatticePicture::LARGEST_SVG
                    );
                }
            }
            _ => {}
        }
        let beta = match (arguments.beta, spec::critical_point(&model)) {
            (Some(beta), _) => beta,
            (None, Some(known)) => known.beta,
            (None, None) => bail!("--beta X is needed: no critical point is known for {spec}"),
        };
        let beta = Beta::new(beta).context("--beta")?;
        if beta.value() == 0.0 && arguments.update == Moves::Metropolis {
            eprintln!(
                "warning: at β = 0 Metropolis accepts every flip, so that two sweeps restore the configuration: use --update heat-bath"
            );
        }
        // A configuration, those that wait for the writer, its buffers, and the open sites of a cluster.
        let per_site = 4 + SnapshotWriter::WAITING as u64;
        let clusters = matches!(arguments.update, Moves::Wolff | Moves::SwendsenWang);
        topology.check_memory(if clusters { per_site + 8 } else { per_site }).with_context(named)?;
        Ok(Self { arguments, model, beta })
    }

    fn start(&self) -> Spins {
        let n = self.model.n_sites();
        match self.arguments.start {
            Start::Up => Spins::up(n),
            Start::Random => {
                Spins::random(n, &mut Stream::new(self.arguments.common.seed, Purpose::Initial, 0, 0))
            }
        }
    }

    /// Thermalizes by clusters and finds out how many make a sweep.
    fn calibrate(&self) -> Result<(Wolff, Spins), Failure> {
        let sweeps = self.arguments.thermalization.max(20);
        let streams = Streams::new(self.arguments.common.seed, Purpose::Thermalization, 0, 1);
        let update = WolffCalibration::new(&self.model).input()?;
        let mut run = Run::new(&self.model, self.start(), update, Schedule::Constant(self.beta), streams);
        let bar = progress::bar("thermalizing", sweeps);
        run.drive(&Plan { thermalization: 0, sweeps, every: 1 }, |_| {
            bar.inc(1);
            if interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        bar.finish_and_clear();
        if interrupt::asked() {
            return Err(anyhow!("stopped while thermalizing: nothing is kept")).run();
        }
        Ok((run.update().freeze(), run.finish().0))
    }

    /// Records a run of 512 sites at a time.
    fn record_packed(&self, name: &str, update: MultiSpin, outputs: &Outputs) -> Result<Recorded, Failure> {
        let start = PackedSpins::from_spins(*update.grid(), &self.start()).input()?;
        // Not the instructions: they change no byte, so that the file does not name them.
        let words = format!("{name}, kernel multi-spin sites");
        self.record(update, words, 64, start, outputs, PackedSpins::to_spins)
    }

    /// Records a run of `update`, whose acceptances have so many binary `digits`; `seen` is what a frame shows of its state.
    fn record<U>(
        &self,
        update: U,
        words: String,
        digits: u32,
        state: U::State,
        outputs: &Outputs,
        seen: fn(&U::State) -> Spins,
    ) -> Result<Recorded, Failure>
    where
        U: SavedUpdate<Model = Hamiltonian>,
        U::State: SavedState<Hamiltonian>,
    {
        let blocks = update.blocks();
        let arguments = self.arguments;
        let header = Header {
            seed: arguments.common.seed,
            hamiltonian: self.model.to_string(),
            update: words.clone(),
            lattice: self.model.topology().name().to_owned(),
            shape: self.model.topology().shape().to_vec(),
            program_version: concat!("ceas-npu ", env!("CARGO_PKG_VERSION")).to_owned(),
            command_line: command_line(),
        };
        let (path, file, run) = match (&arguments.resume, &outputs.out) {
            (Some(path), _) => {
                let run = self.resumed(path, &header, update, seen).input()?;
                (path.as_path(), SnapshotFile::reopen(path).run()?, run)
            }
            (None, out) => {
                let path = out.as_ref().expect("`Job::new` has checked that there is one").path();
                let streams = Streams::new(arguments.common.seed, Purpose::Update, 0, blocks);
                let run = Run::new(&self.model, state, update, Schedule::Constant(self.beta), streams);
                (path, SnapshotFile::create(path, &header).run()?, run)
            }
        };
        let mut writer = SnapshotWriter::start(file);
        let film = self.film(run, &writer, seen);
        match writer.finish() {
            Ok(0) => Err(anyhow!("stopped before the first frame: nothing is kept")).run(),
            Ok(frames) => {
                let energies = SnapshotReader::open(path).and_then(|file| file.energies()).run()?;
                let equilibrium = Equilibrium::of(&self.model, self.beta, &energies);
                let file = path.display().to_string();
                Ok(self.recorded(film, (frames, equilibrium), words, digits, file))
            }
            Err(error) => {
                let kept = writer.committed();
                let what = if kept == 0 {
                    "nothing is kept".to_owned()
                } else {
                    format!("stopped with {kept} frames kept in {}", path.display())
                };
                Err(anyhow!(error).context(what)).run()
            }
        }
    }

    /// The run that a file stopped in, if it is that of this command line.
    fn resumed<U>(
        &self,
        path: &Path,
        header: &Header,
        update: U,
        seen: fn(&U::State) -> Spins,
    ) -> anyhow::Result<Run<'_, U>>
    where
        U: SavedUpdate<Model = Hamiltonian>,
        U::State: SavedState<Hamiltonian>,
    {
        let reader = SnapshotReader::open_whole(path).context("--resume")?;
        let (found, frames) = (reader.header(), reader.frames() as u64);
        for (what, got, expected) in [
            ("seed", &found.seed.to_string(), &header.seed.to_string()),
            ("lattice", &found.lattice, &header.lattice),
            ("Hamiltonian", &found.hamiltonian, &header.hamiltonian),
            ("update", &found.update, &header.update),
        ] {
            if got != expected {
                bail!("--resume {}: its {what} is {got}, that of this command {expected}", path.display());
            }
        }
        if frames >= self.arguments.frames {
            bail!("--resume {}: it has {frames} frames already: ask for more by --frames", path.display());
        }
        let Some(bytes) = reader.checkpoint().context("--resume")? else {
            bail!("--resume {}: it holds frames, but not where their run stands", path.display());
        };
        let resumed = checkpoint::decode(&bytes, &self.model, update)
            .map_err(|refusal| refusal.of(path))
            .context("--resume")?;
        let (got, expected) = (String::from_utf8_lossy(&resumed.attached), self.course());
        if got != expected {
            bail!("--resume {}: it was made with {got}, not {expected}", path.display());
        }
        let sweeps = frames.checked_mul(self.arguments.every).and_then(|s| s.checked_add(self.before()));
        if sweeps != Some(resumed.run.sweeps()) {
            let made = resumed.run.sweeps();
            bail!("--resume {}: {frames} frames do not fit {made} sweeps: it is damaged", path.display());
        }
        let last = (frames > 0).then(|| reader.frame(frames as usize - 1)).transpose().context("--resume")?;
        if let Some(last) = last {
            let spins = seen(resumed.run.state());
            let energy = self.model.energy(&spins);
            if last
                != (Frame { spins, sweep: frames * self.arguments.every, beta: self.beta.value(), energy })
            {
                bail!(
                    "--resume {}: its last frame is not where its run stands: it is damaged",
                    path.display()
                );
            }
        }
        Ok(resumed.run)
    }

    /// What a run that goes on must have in common with the one that was stopped, beside what the file says of it.
    fn course(&self) -> String {
        let Arguments { every, thermalization, start, .. } = self.arguments;
        let start = if *start == Start::Up { "up" } else { "random" };
        let beta = self.beta.value();
        format!("--beta {beta} --every {every} --thermalization {thermalization} --start {start}")
    }

    /// Sweeps before those that count. Wolff has thermalized already when its run begins.
    fn before(&self) -> u64 {
        if self.arguments.update == Moves::Wolff { 0 } else { self.arguments.thermalization }
    }

    /// Drives the run and hands its frames to the writer, until all are made, the writer fails or Ctrl-C is pressed.
    fn film<U>(&self, mut run: Run<'_, U>, writer: &SnapshotWriter, seen: fn(&U::State) -> Spins) -> Film
    where
        U: SavedUpdate<Model = Hamiltonian>,
        U::State: SavedState<Hamiltonian>,
    {
        let Arguments { every, frames, .. } = *self.arguments;
        let before = self.before();
        let bar: ProgressBar = progress::bar("frames", frames);
        let (mut last, mut aside) = (None, Duration::ZERO);
        let (done, attempts) = (run.sweeps(), run.activity().attempts);
        bar.set_position(done.saturating_sub(before) / every);
        let course = self.course();
        let begun = Instant::now();
        // Looking after every sweep lets Ctrl-C end a long thermalization.
        let plan = Plan { thermalization: 0, sweeps: before + every * frames, every: 1 };
        run.drive_from(done, &plan, |run| {
            let stop = interrupt::asked();
            let sweep = run.sweeps().saturating_sub(before);
            if sweep == 0 || !sweep.is_multiple_of(every) {
                // Within a frame, Ctrl-C waits for its end.
                return if stop && sweep == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            }
            let looked = Instant::now();
            let spins = seen(run.state());
            let energy = run.model().energy(&spins);
            let frame = Frame { spins, sweep, beta: run.beta().value(), energy };
            last = Some((sweep, frame.energy));
            let taken = writer.push_with(frame, checkpoint::encode(run, course.as_bytes()));
            bar.inc(1);
            aside += looked.elapsed();
            if stop || !taken { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let sweeping = begun.elapsed().saturating_sub(aside).as_secs_f64();
        bar.finish_and_clear();
        let (state, activity) = run.finish();
        let spins = seen(&state);
        let (sweep, energy) = last.unwrap_or_default();
        let attempts = activity.attempts - attempts;
        Film { spins, sweep, energy, activity, attempts, sweeping, seconds: begun.elapsed().as_secs_f64() }
    }

    fn recorded(
        &self,
        film: Film,
        (frames, equilibrium): (u64, Option<Equilibrium>),
        update: String,
        digits: u32,
        file: String,
    ) -> Recorded {
        let n = self.model.n_sites() as f64;
        Recorded {
            command: "snapshot",
            file,
            frames,
            attempts_per_ns: film.attempts as f64 / film.sweeping / 1e9,
            update,
            generator: format!("xoshiro256++, {digits} binary digits of p, no random bit shared"),
            threads: rayon::current_num_threads(),
            seconds: film.seconds,
            lattice: self.model.topology().name(),
            size: self.model.topology().size(),
            spec: self.arguments.lattice.to_string(),
            shape: self.model.topology().shape().to_vec(),
            beta: self.beta.value(),
            sweeps: film.sweep,
            energy: film.energy / n,
            magnetization: film.spins.magnetization() as f64 / n,
            equilibrium,
            activity: film.activity,
            spins: film.spins,
        }
    }
}
