//! The verb `ceas sweep`.

use anyhow::{Context, anyhow, bail};
use clap::Args;

use ceas_npu::sim::Error;
use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::critical::{
    Class, Dynamics, Effort, Family, Findings, Grid, Listener, Precision, Progress, Refusal, Survey, Watch,
};
use ceas_npu::sim::hamiltonian::Hamiltonian;
use ceas_npu::sim::memory;

use super::common::Common;
use super::failure::{Blame, Failure};
use super::interrupt;
use super::keeping::Keeping;
use super::model_input::TextInput;
use super::value;
use crate::report::present::present;
use crate::report::progress;
use crate::report::transition::Transition;

/// Fewest replicas: with fewer, the bootstrap's error is itself known to less than a fifth.
const LEAST_REPLICAS: u64 = 16;
/// Fewest measured sweeps of a replica.
const LEAST_SWEEPS: u64 = 16;
/// Most β of a grid.
const MOST_BETAS: usize = 10_000;
/// Sites that the largest size, all replicas together, is to update in a survey that is asked for nothing else.
const USUAL_WORK: u64 = 80_000_000;

/// Arguments of `ceas sweep`.
///
/// With no flags: square lattices of L = 8, 16, 32, 64. A pilot run that does not know beta_c finds where the Binder cumulants of two
/// sizes cross; every size is then run about there, and reweighted to every beta near it. At beta_c the curves U4(beta) and xi/L(beta) of
/// all sizes meet, but for a correction L^-omega that is fitted with it.
#[derive(Args, Debug)]
#[command(
    after_help = "The search for β_c uses no known value; where the literature has one, it is printed beside the result afterwards. \
From slopes and moments at β_c come ν, η and β/ν. Points alone: one size and a grid with --beta.\n\nExamples:\n  \
ceas sweep --plot sweep.png\n  ceas sweep --precision 1e-5\n  ceas sweep --lattice cubic --precision 2e-5 --out cubic.h5\n  \
ceas sweep --lattice regular:q=3 --json\n  ceas sweep --sizes 32 --beta 0.40:0.48:9 --update heat-bath --out points.h5\n  \
ceas sweep --precision 1e-5 --checkpoint a.checkpoint, and if it was killed\n  ceas sweep --precision 1e-5 --resume a.checkpoint"
)]
pub struct Arguments {
    /// Lattice or graph, its size open: square, triangular, honeycomb, king, cubic, hypercubic, complete, regular:q=Q, …, with ,open and
    /// ,couplings=J behind it, or FILE.toml with the same as a table
    #[arg(long, value_name = "SPEC", default_value = "square", value_parser = value::family)]
    lattice: Family,
    /// Sizes: sides L ≥ 4, or numbers of sites of a graph; β_c needs two, and three to assess its drift [default: by the lattice, 8,16,32,64 if
    /// square]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', allow_hyphen_values = true, value_parser = value::listed)]
    sizes: Vec<usize>,
    /// Inverse temperatures, FROM:TO:COUNT or a list [default: found by a pilot run, three about β_c for each size]
    #[arg(long, value_name = "A:B:COUNT|A,B,…", allow_hyphen_values = true)]
    beta: Option<String>,
    /// How spins are updated [default: wolff; on a complete graph swendsen-wang]
    #[arg(long, value_name = "NAME", value_parser = value::update())]
    update: Option<Dynamics>,
    /// Independent replicas of each size and β, at least 16; all errors come from their scatter
    #[arg(long, value_name = "R", default_value_t = 32, value_parser = value::whole::<u64>)]
    replicas: u64,
    /// Measured sweeps of each replica at the largest size; smaller ones take as many more as they are smaller [default: by the largest size,
    /// some seconds in all; without clusters 4000]
    #[arg(long, value_name = "N", value_parser = value::whole::<u64>)]
    sweeps: Option<u64>,
    /// Sweeps of each replica before it is measured [default: 20; without clusters 2000]
    #[arg(long, value_name = "N", value_parser = value::whole::<u64>)]
    thermalization: Option<u64>,
    /// Run longer, and larger sizes, until the error of β_c, statistical and systematic together, is at most E
    #[arg(long, value_name = "E", allow_hyphen_values = true, value_parser = value::number)]
    precision: Option<f64>,
    /// How many times the work of the same command without --precision may be done at most
    #[arg(long, value_name = "TIMES", default_value_t = 200, requires = "precision", value_parser = value::whole::<u64>)]
    budget: u64,
    /// Sweep attention rows instead of a lattice: bundled, a file of q, k, v, a model folder or GGUF file; random (a head without training), iid (the
    /// finite random energy model), hyperbolic (mean field on trees and tilings)
    #[arg(long, value_name = "SOURCE", conflicts_with_all = ["lattice", "sizes", "beta", "update", "replicas", "sweeps", "thermalization", "precision", "checkpoint", "resume"])]
    heads: Option<String>,
    #[command(flatten)]
    text: TextInput,
    #[command(flatten)]
    keeping: Keeping,
    #[command(flatten)]
    common: Common,
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(source) = &arguments.heads {
        return super::sweep_heads::run(source, &arguments.text, &arguments.common);
    }
    if let Some(flag) = arguments.text.given() {
        return Err(anyhow!("{flag} belongs to --heads DIR|FILE.gguf: a lattice encodes no text")).input();
    }
    // First, because asking how many threads there are settles it.
    let outputs = arguments.common.prepare()?;
    let survey = arguments.survey().input()?;
    let keep = arguments.keeping.kept(arguments.common.force).input()?;
    #[cfg(not(feature = "hdf5"))]
    if outputs.out.is_some() {
        return Err(anyhow!("--out needs a program built with the feature hdf5 or hdf5-static")).input();
    }
    let bars = progress::stages();
    let aim = arguments.precision.map_or(String::new(), |target| format!(" of {target:.0e}"));
    let listener: Listener<'_> = &|progress| match progress {
        Progress::Stage { size, replicas } => bars.stage(&format!("size ≤ {size}"), replicas),
        Progress::Replica => bars.step(),
        Progress::Error(error) => bars.say(&format!("error {error:.1e}{aim}")),
    };
    if keep.is_some() {
        // Without a checkpoint there is nothing to go on from, and Ctrl-C ends the program.
        interrupt::listen()?;
    }
    let resume = arguments.keeping.resume.clone();
    let watch = Watch { listener, interrupted: &interrupt::asked, keep, resume };
    let findings = survey.run_watched(&watch);
    bars.finish();
    let findings: Findings = findings.map_err(|error| blamed(error, &watch))?;
    let answer = Transition::new(&survey, findings).run()?;
    for warning in answer.warnings() {
        eprintln!("ceas: {warning}");
    }
    #[cfg(feature = "hdf5")]
    if let Some(file) = &outputs.out {
        crate::report::transition::archive::write(&answer, file).run()?;
    }
    present(&answer, &arguments.common, &outputs)
}

/// An error of the survey, and whose fault it is.
fn blamed(error: Error, watch: &Watch<'_>) -> Failure {
    match (error, &watch.keep) {
        (Error::Interrupted, Some((file, _))) => Failure::Run(anyhow!(
            "interrupted; the same command with --resume {} goes on from here",
            file.display()
        )),
        (error @ (Error::Checkpoint { .. } | Error::OtherCheckpoint { .. }), _)
        | (error @ Error::Archive { action: "reading checkpoint", .. }, _) => Failure::Input(error.into()),
        (error, _) => Failure::Run(error.into()),
    }
}

/// What a family is like, from one model of it.
struct Kind {
    class: Class,
    is_complete: bool,
    least: usize,
}

impl Arguments {
    /// Checks everything that can be checked before a spin is flipped.
    fn survey(&self) -> anyhow::Result<Survey> {
        let kind = self.kind()?;
        let update = self.update.unwrap_or(match kind.is_complete {
            true => Dynamics::SwendsenWang,
            false => Dynamics::Wolff,
        });
        let clusters = matches!(update, Dynamics::Wolff | Dynamics::SwendsenWang);
        let precision = match self.precision {
            Some(e) if !(e.is_finite() && e > 0.0) => bail!("--precision {e}: an error is a number above 0"),
            other => other,
        };
        let sizes = self.checked_sizes(&kind, clusters)?;
        let grid = match &self.beta {
            Some(text) => Grid::Fixed(betas(text)?),
            None => Grid::Automatic,
        };
        let single = sizes.len() == 1;
        if single && self.beta.is_none() {
            bail!(
                "--sizes {}: β_c needs two sizes, such as {},{}; for points alone give one size and a grid with --beta",
                sizes[0],
                sizes[0],
                2 * sizes[0]
            );
        }
        match self.lattice.check(sizes[0], self.common.seed) {
            Ok(()) => {}
            Err(Refusal::Spec(error)) => return Err(self.of_size(sizes[0], &error)),
            // Points are what they are; only β_c would be wrong.
            Err(reason) if single => eprintln!("ceas: points alone, no β_c: {reason}"),
            Err(reason) => bail!("--lattice {reason}"),
        }
        if let (Grid::Fixed(betas), Dynamics::Metropolis) = (&grid, update)
            && betas.iter().any(|b| b.value() == 0.0)
        {
            bail!(
                "--beta 0 with --update metropolis: every attempt is accepted and two sweeps restore the start; use heat-bath"
            );
        }
        if precision.is_some() && single {
            bail!("--precision needs two sizes: it is the error of β_c");
        }
        if self.replicas < LEAST_REPLICAS {
            bail!(
                "--replicas {}: errors come from the scatter of at least {LEAST_REPLICAS} replicas",
                self.replicas
            );
        }
        let largest = sizes.last().copied().unwrap_or(4);
        let sites = self.model(largest)?.n_sites();
        // A sweep of a complete graph draws its open bonds by logarithms.
        let work = if kind.is_complete { USUAL_WORK / 4 } else { USUAL_WORK };
        let usual = (work / (self.replicas.saturating_mul(sites as u64)).max(1)).clamp(100, 20_000);
        let sweeps = self.sweeps.unwrap_or(if clusters { usual } else { 4_000 });
        if sweeps < LEAST_SWEEPS {
            bail!("--sweeps {sweeps}: a replica is measured for at least {LEAST_SWEEPS} sweeps");
        }
        if self.budget == 0 {
            bail!("--budget 0: --precision may take at least as much work as there is without it, 1 times");
        }
        let effort = Effort {
            dynamics: update,
            replicas: self.replicas,
            first: 0,
            thermalization: self.thermalization.unwrap_or(if clusters { 20 } else { 2_000 }),
            sweeps,
            seed: self.common.seed,
        };
        check_effort(sites, &effort)?;
        let precision = precision.map(|target| Precision { target, most: self.budget });
        Ok(Survey { family: self.lattice.clone(), sizes, grid, effort, precision })
    }

    fn model(&self, size: usize) -> anyhow::Result<Hamiltonian> {
        self.lattice.model(size, self.common.seed).map_err(|error| self.of_size(size, &error))
    }

    fn of_size(&self, size: usize, error: &dyn std::fmt::Display) -> anyhow::Error {
        match (self.lattice.is_sized(), self.sizes.is_empty()) {
            (true, false) => anyhow!("--sizes {size}: {error}"),
            _ => anyhow!("--lattice {}: {error}", self.lattice),
        }
    }

    fn kind(&self) -> anyhow::Result<Kind> {
        let graph = self.lattice.model(64, self.common.seed);
        let model = match graph {
            Ok(model) if model.topology().as_lattice().is_none() => model,
            // The kind does not depend on the size; large ones are not made for it.
            _ => {
                let asked = self.sizes.first().copied().unwrap_or(4);
                let model = self.lattice.model(asked.clamp(2, 4), self.common.seed);
                model.map_err(|error| self.of_size(asked, &error))?
            }
        };
        let topology = model.topology();
        let class = self.lattice.class(topology);
        let least = if class == Class::MeanField {
            16
        } else if topology.as_lattice().is_some() {
            4
        } else {
            1
        };
        Ok(Kind { class, is_complete: topology.is_complete(), least })
    }

    /// Where none are given: three octaves that take some seconds, larger ones for a small error.
    fn usual_sizes(&self, kind: &Kind, clusters: bool) -> Vec<usize> {
        let fine = |error: f64| self.precision.is_some_and(|e| e < error);
        match kind.class {
            Class::Two if fine(5e-5) => vec![16, 32, 64, 128],
            Class::Two if clusters => vec![8, 16, 32, 64],
            Class::Three if fine(1e-4) => vec![8, 12, 16, 24, 32],
            Class::Three => vec![6, 8, 12, 16, 24],
            Class::Four => vec![4, 6, 8, 12],
            Class::MeanField => vec![128, 256, 512, 1024, 2048],
            _ => vec![8, 16, 32],
        }
    }

    fn checked_sizes(&self, kind: &Kind, clusters: bool) -> anyhow::Result<Vec<usize>> {
        let mut sizes = match (self.sizes.is_empty(), self.lattice.size()) {
            (false, Some(size)) => {
                bail!(
                    "--lattice {} has the size {size} already: leave it out there, or leave out --sizes",
                    self.lattice
                )
            }
            (false, None) if !self.lattice.is_sized() => {
                bail!(
                    "--lattice {}: a lattice from a file has the size it has; leave out --sizes",
                    self.lattice
                )
            }
            (false, None) => self.sizes.clone(),
            (true, Some(size)) => vec![size],
            (true, None) if !self.lattice.is_sized() => vec![self.model(0)?.n_sites()],
            (true, None) => self.usual_sizes(kind, clusters),
        };
        sizes.sort_unstable();
        for (i, &size) in sizes.iter().enumerate() {
            // Points are what they are on a lattice of any size; β_c from the smallest would be wrong.
            if size < kind.least && (sizes.len() > 1 || self.beta.is_none()) {
                let why = format!("to find β_c it must be at least {}", kind.least);
                return Err(self.of_size(size, &why));
            }
            if i > 0 && sizes[i - 1] == size {
                bail!("--sizes: {size} is named twice");
            }
            let topology = self.model(size)?.topology().clone();
            // One configuration per replica of three β, and per thread what an update works with.
            let each = 3 * self.replicas.min(1 << 20) + 32 * rayon::current_num_threads() as u64;
            topology.check_memory(each).map_err(|e| self.of_size(size, &e))?;
        }
        Ok(sizes)
    }
}

/// Refuses what would not fit into memory or never end.
fn check_effort(sites: usize, effort: &Effort) -> anyhow::Result<()> {
    /// A hundred years of one attempt per nanosecond.
    const ENDLESS: u64 = 3_000_000_000_000_000_000;
    let Effort { replicas, sweeps, thermalization, .. } = *effort;
    let flags = || format!("--replicas {replicas} × --sweeps {sweeps}");
    // The first sweeps of every replica are remembered for their autocorrelation time.
    let numbers = replicas.saturating_mul(sweeps.min(20_000)).saturating_mul(24);
    memory::check("a record of |m| at size", sites, numbers).with_context(flags)?;
    let attempts =
        sweeps.saturating_add(thermalization).saturating_mul(sites as u64).saturating_mul(replicas);
    if attempts > ENDLESS {
        bail!(
            "{} and --thermalization {thermalization} are {:.0e} attempts at {sites} sites alone, more than a century: choose less",
            flags(),
            attempts as f64
        );
    }
    Ok(())
}

/// FROM:TO:COUNT or a list, ascending.
fn betas(text: &str) -> anyhow::Result<Vec<Beta>> {
    let number = |part: &str| -> anyhow::Result<f64> {
        let value: f64 =
            part.trim().parse().map_err(|_| anyhow!("--beta {text}: {part:?} is not a number"))?;
        Beta::new(value).map_err(|e| anyhow!("--beta {text}: {e}"))?;
        Ok(value)
    };
    let parts: Vec<&str> = text.split(':').collect();
    let values: Vec<f64> = match parts[..] {
        [list] => {
            let mut values = list.split(',').map(number).collect::<anyhow::Result<Vec<f64>>>()?;
            values.sort_by(f64::total_cmp);
            if let Some(twice) = values.windows(2).find(|w| w[0] == w[1]) {
                bail!("--beta {text}: {} is named twice", twice[0]);
            }
            values
        }
        [from, to, count] => {
            let (from, to) = (number(from)?, number(to)?);
            let count: usize = count.trim().parse().map_err(|_| {
                anyhow!("--beta {text}: the number of points {count:?} is not a whole number")
            })?;
            match count {
                0 => bail!("--beta {text}: a grid of 0 points is empty"),
                1 => bail!("--beta {text}: a grid of one point is written as --beta {from}"),
                2..=MOST_BETAS => {}
                _ => bail!("--beta {text}: {count} points are too many: a grid has at most {MOST_BETAS}"),
            }
            if from == to {
                bail!("--beta {text}: the grid has no width; write --beta {from}, or two different ends");
            }
            if from > to {
                bail!("--beta {text}: the grid runs backwards; write {to}:{from}:{count}");
            }
            let step = (to - from) / (count - 1) as f64;
            (0..count).map(|i| if i + 1 == count { to } else { from + step * i as f64 }).collect()
        }
        _ => bail!("--beta {text}: write FROM:TO:COUNT, such as 0.42:0.46:9, or a list, such as 0.43,0.44"),
    };
    values.into_iter().map(|b| Beta::new(b).map_err(anyhow::Error::from)).collect()
}
