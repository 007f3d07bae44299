//! `ceas snapshot` in a build that writes HDF5: from arguments to a run, and from the run to a file and an answer.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use ceas_npu::sim::activity::Activity;
use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::critical::Dynamics;
use ceas_npu::sim::exact::onsager;
use ceas_npu::sim::hamiltonian::Hamiltonian;
use ceas_npu::sim::plan::Plan;
use ceas_npu::sim::run::Run;
use ceas_npu::sim::schedule::Schedule;
use ceas_npu::sim::snapshot::{Frame, Header, SnapshotFile, SnapshotWriter};
use ceas_npu::sim::spins::Spins;
use ceas_npu::sim::stream::{Purpose, Stream, Streams};
use ceas_npu::sim::update::{HeatBath, Metropolis, SwendsenWang, Update, Wolff, WolffCalibration};
use indicatif::ProgressBar;
use serde::Serialize;

use super::common::Outputs;
use super::failure::{Blame, Failure};
use super::interrupt;
use super::snapshot::{Arguments, Start};
use crate::report::lattice::LatticePicture;
use crate::report::present::{Answer, command_line, present};
use crate::report::progress;

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outputs = arguments.common.prepare()?;
    let job = Job::new(arguments, &outputs).input()?;
    interrupt::listen()?;
    let answer = match arguments.update {
        Dynamics::HeatBath => {
            let update = HeatBath::new(&job.model).context("--update heat-bath").input()?;
            let (blocks, kernel) = (update.blocks(), update.kernel().to_string());
            job.record(update, blocks, format!("heat-bath, kernel {kernel}"), job.start(), &outputs)?
        }
        Dynamics::Metropolis => {
            let update = Metropolis::new(&job.model).context("--update metropolis").input()?;
            let (blocks, kernel) = (update.blocks(), update.kernel().to_string());
            job.record(update, blocks, format!("metropolis, kernel {kernel}"), job.start(), &outputs)?
        }
        Dynamics::SwendsenWang => {
            let update = SwendsenWang::new(&job.model).context("--update swendsen-wang").input()?;
            job.record(update, 1, "swendsen-wang".to_owned(), job.start(), &outputs)?
        }
        Dynamics::Wolff => {
            let (update, spins) = job.calibrate()?;
            let words = format!("wolff, {} clusters per sweep", update.clusters_per_sweep());
            job.record(update, 1, words, spins, &outputs)?
        }
    };
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
        let beta = Beta::new(arguments.beta.unwrap_or(onsager::BETA_C)).context("--beta")?;
        if outputs.out.is_none() {
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
        let size = arguments.size;
        if outputs.plot.is_some() && size > LatticePicture::LARGEST {
            bail!("--plot: L = {size} is more than a picture can show; L may be {}", LatticePicture::LARGEST);
        }
        let svg = outputs.plot.as_ref().is_some_and(|plot| plot.is_svg()) || outputs.report.is_some();
        if svg && size > LatticePicture::LARGEST_SVG {
            bail!(
                "L = {size} is too large for an SVG (as --plot FILE.svg and --report draw), which holds up to L = {}: use --plot FILE.png",
                LatticePicture::LARGEST_SVG
            );
        }
        let topology = arguments.lattice.topology(size).with_context(|| format!("--size {size}"))?;
        // A configuration, those that wait for the writer, its buffers, and the open sites of a cluster.
        let per_site = 4 + SnapshotWriter::WAITING as u64;
        let clusters = arguments.update == Dynamics::Wolff;
        topology
            .check_memory(if clusters { per_site + 8 } else { per_site })
            .with_context(|| format!("--size {size}"))?;
        Ok(Self { arguments, model: Hamiltonian::ferromagnet(topology), beta })
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

    fn record<U: Update<Model = Hamiltonian, State = Spins>>(
        &self,
        update: U,
        blocks: usize,
        words: String,
        spins: Spins,
        outputs: &Outputs,
    ) -> Result<Recorded, Failure> {
        let arguments = self.arguments;
        let out = outputs.out.as_ref().expect("`Job::new` has checked that there is one");
        let header = Header {
            seed: arguments.common.seed,
            hamiltonian: self.model.to_string(),
            update: words.clone(),
            lattice: self.model.topology().name().to_owned(),
            shape: self.model.topology().shape().to_vec(),
            program_version: concat!("ceas-npu ", env!("CARGO_PKG_VERSION")).to_owned(),
            command_line: command_line(),
        };
        let mut writer = SnapshotWriter::start(SnapshotFile::create(out.path(), &header).run()?);
        let streams = Streams::new(arguments.common.seed, Purpose::Update, 0, blocks);
        let run = Run::new(&self.model, spins, update, Schedule::Constant(self.beta), streams);
        // Wolff has thermalized already.
        let thermalization = if arguments.update == Dynamics::Wolff { 0 } else { arguments.thermalization };
        let film = self.film(run, thermalization, &writer);
        match writer.finish() {
            Ok(0) => Err(anyhow!("stopped before the first frame: nothing is kept")).run(),
            Ok(frames) => Ok(self.recorded(film, frames, words, out.path().display().to_string())),
            Err(error) => {
                let kept = writer.committed();
                let what = if kept == 0 {
                    "nothing is kept".to_owned()
                } else {
                    format!("stopped with {kept} frames kept in {}", out.path().display())
                };
                Err(anyhow!(error).context(what)).run()
            }
        }
    }

    /// Drives the run and hands its frames to the writer, until all are made, the writer fails or Ctrl-C is pressed.
    fn film<U: Update<Model = Hamiltonian, State = Spins>>(
        &self,
        mut run: Run<'_, U>,
        thermalization: u64,
        writer: &SnapshotWriter,
    ) -> Film {
        let Arguments { every, frames, .. } = *self.arguments;
        let bar: ProgressBar = progress::bar("frames", frames);
        let (mut last, mut aside) = (None, Duration::ZERO);
        let begun = Instant::now();
        // Looking after every sweep lets Ctrl-C end a long thermalization.
        let plan = Plan { thermalization: 0, sweeps: thermalization + every * frames, every: 1 };
        run.drive(&plan, |run| {
            let stop = interrupt::asked();
            let sweep = run.sweeps().saturating_sub(thermalization);
            if sweep == 0 || !sweep.is_multiple_of(every) {
                // Within a frame, Ctrl-C waits for its end.
                return if stop && sweep == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            }
            let looked = Instant::now();
            let frame = Frame {
                spins: run.state().clone(),
                sweep,
                beta: run.beta().value(),
                energy: run.model().energy(run.state()),
            };
            last = Some((sweep, frame.energy));
            let taken = writer.push(frame);
            bar.inc(1);
            aside += looked.elapsed();
            if stop || !taken { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let sweeping = begun.elapsed().saturating_sub(aside).as_secs_f64();
        bar.finish_and_clear();
        let (spins, activity) = run.finish();
        let (sweep, energy) = last.unwrap_or_default();
        Film { spins, sweep, energy, activity, sweeping, seconds: begun.elapsed().as_secs_f64() }
    }

    fn recorded(&self, film: Film, frames: u64, update: String, file: String) -> Recorded {
        let n = self.model.n_sites() as f64;
        Recorded {
            command: "snapshot",
            file,
            frames,
            attempts_per_ns: film.activity.attempts as f64 / film.sweeping / 1e9,
            update,
            generator: "xoshiro256++, 32 bits per draw, none shared",
            threads: rayon::current_num_threads(),
            seconds: film.seconds,
            lattice: self.model.topology().name(),
            size: self.arguments.size,
            beta: self.beta.value(),
            sweeps: film.sweep,
            energy: film.energy / n,
            magnetization: film.spins.magnetization() as f64 / n,
            activity: film.activity,
            spins: film.spins,
        }
    }
}

/// What came out of the loop.
struct Film {
    /// The configuration of the last frame.
    spins: Spins,
    /// Its sweep.
    sweep: u64,
    /// Its energy, total.
    energy: f64,
    activity: Activity,
    /// Seconds spent in sweeps alone.
    sweeping: f64,
    /// Seconds from the first sweep to the last frame.
    seconds: f64,
}

/// What was recorded; its JSON form is what scripts rely on.
#[derive(Serialize)]
struct Recorded {
    command: &'static str,
    file: String,
    /// Frames in the file.
    frames: u64,
    /// Attempts per nanosecond of sweeping, over all threads.
    attempts_per_ns: f64,
    update: String,
    generator: &'static str,
    threads: usize,
    /// Wall time from the first sweep to the last frame.
    seconds: f64,
    lattice: &'static str,
    size: usize,
    beta: f64,
    /// Sweeps at the last frame.
    sweeps: u64,
    /// e = H/N of the last frame.
    energy: f64,
    /// m = M/N of the last frame.
    magnetization: f64,
    activity: Activity,
    #[serde(skip)]
    spins: Spins,
}

impl Answer for Recorded {
    type Picture = LatticePicture;

    fn title(&self) -> String {
        let beta = match self.beta {
            huge if huge >= 1e6 => format!("{huge:e}"),
            beta => format!("{beta:.6}"),
        };
        format!("{} L = {}, β = {beta}", self.lattice, self.size)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let file = format!("{} frames in {}", self.frames, self.file);
        let speed = format!(
            "{:.3} attempts/ns on {} threads; {}",
            self.attempts_per_ns, self.threads, self.generator
        );
        let last =
            format!("sweep {}: m = {:+.4}, e = {:.4} per site", self.sweeps, self.magnetization, self.energy);
        for (name, value) in [
            ("lattice", self.title()),
            ("update", self.update.clone()),
            ("written", file),
            ("last frame", last),
            ("speed", speed),
            ("time", format!("{:.2} s", self.seconds)),
        ] {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name:<11} {value}");
        }
        text
    }

    fn picture(&self) -> LatticePicture {
        LatticePicture {
            size: self.size,
            spins: self.spins.as_slice().to_vec(),
            beta: self.beta,
            sweep: self.sweeps,
            magnetization: self.magnetization,
            energy: self.energy,
        }
    }
}
