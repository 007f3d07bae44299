//! `ceas snapshot` in a build that writes HDF5: from arguments to a run, and from the run to a file and an answer.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use ceas_npu::sim::activity::Activity;
use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::hamiltonian::Hamiltonian;
use ceas_npu::sim::kernel::Order;
use ceas_npu::sim::kernel::multispin::PackedSpins;
use ceas_npu::sim::plan::Plan;
use ceas_npu::sim::run::Run;
use ceas_npu::sim::schedule::Schedule;
use ceas_npu::sim::snapshot::{Frame, Header, SnapshotFile, SnapshotWriter};
use ceas_npu::sim::spec;
use ceas_npu::sim::spins::Spins;
use ceas_npu::sim::stream::{Purpose, Stream, Streams};
use ceas_npu::sim::update::{HeatBath, Metropolis, MultiSpin, SwendsenWang, Update, Wolff, WolffCalibration};
use indicatif::ProgressBar;
use serde::Serialize;

use super::common::Outputs;
use super::failure::{Blame, Failure};
use super::interrupt;
use super::snapshot::{Arguments, Moves, Start};
use crate::report::lattice::LatticePicture;
use crate::report::present::{Answer, command_line, present};
use crate::report::progress;

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
    fn record<U: Update<Model = Hamiltonian>>(
        &self,
        update: U,
        words: String,
        digits: u32,
        state: U::State,
        outputs: &Outputs,
        seen: fn(&U::State) -> Spins,
    ) -> Result<Recorded, Failure> {
        let blocks = update.blocks();
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
        let run = Run::new(&self.model, state, update, Schedule::Constant(self.beta), streams);
        // Wolff has thermalized already.
        let thermalization = if arguments.update == Moves::Wolff { 0 } else { arguments.thermalization };
        let film = self.film(run, thermalization, &writer, seen);
        match writer.finish() {
            Ok(0) => Err(anyhow!("stopped before the first frame: nothing is kept")).run(),
            Ok(frames) => Ok(self.recorded(film, frames, words, digits, out.path().display().to_string())),
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
    fn film<U: Update<Model = Hamiltonian>>(
        &self,
        mut run: Run<'_, U>,
        thermalization: u64,
        writer: &SnapshotWriter,
        seen: fn(&U::State) -> Spins,
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
            let spins = seen(run.state());
            let energy = run.model().energy(&spins);
            let frame = Frame { spins, sweep, beta: run.beta().value(), energy };
            last = Some((sweep, frame.energy));
            let taken = writer.push(frame);
            bar.inc(1);
            aside += looked.elapsed();
            if stop || !taken { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let sweeping = begun.elapsed().saturating_sub(aside).as_secs_f64();
        bar.finish_and_clear();
        let (state, activity) = run.finish();
        let spins = seen(&state);
        let (sweep, energy) = last.unwrap_or_default();
        Film { spins, sweep, energy, activity, sweeping, seconds: begun.elapsed().as_secs_f64() }
    }

    fn recorded(&self, film: Film, frames: u64, update: String, digits: u32, file: String) -> Recorded {
        let n = self.model.n_sites() as f64;
        Recorded {
            command: "snapshot",
            file,
            frames,
            attempts_per_ns: film.activity.attempts as f64 / film.sweeping / 1e9,
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
            activity: film.activity,
            spins: film.spins,
        }
    }
}

/// Rows and columns of a picture of a lattice: of three and more dimensions a plane of the last two, of a honeycomb both sites of a
/// cell side by side.
fn plane(shape: &[usize]) -> Option<[usize; 2]> {
    match shape {
        [] | [_] => None,
        [height, width] => Some([*height, *width]),
        [height, width, 2] if height == width && *width != 2 => Some([*height, 2 * width]),
        [.., height, width] => Some([*height, *width]),
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
    generator: String,
    threads: usize,
    /// Wall time from the first sweep to the last frame.
    seconds: f64,
    lattice: &'static str,
    size: usize,
    /// As it was asked for.
    spec: String,
    /// Lengths of the axes of a frame.
    shape: Vec<usize>,
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
        let extent = if self.shape.len() > 1 { "L" } else { "N" };
        format!("{} {extent} = {}, β = {beta}", self.lattice, self.size)
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
        // The first plane, where there are several.
        let [height, width] = plane(&self.shape).unwrap_or([1, self.spins.len()]);
        LatticePicture {
            name: self.lattice,
            size: self.size,
            width,
            is_slice: height * width < self.spins.len(),
            spins: self.spins.as_slice()[..height * width].to_vec(),
            beta: self.beta,
            sweep: self.sweeps,
            magnetization: self.magnetization,
            energy: self.energy,
        }
    }
}
