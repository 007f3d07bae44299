//! The verb `ceas sweep`.

use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use clap::Args;

use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::critical::{
    Dynamics, Effort, Findings, Grid, Lattice, Listener, Precision, Progress, Survey,
};
use ceas_npu::sim::memory;

use super::common::Common;
use super::failure::{Blame, Failure};
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
/// Resamples of every bootstrap: they know an error to 2 %.
const RESAMPLES: u64 = 1_000;

/// Arguments of `ceas sweep`.
///
/// With no flags: square lattices of L = 8, 16, 32, 64; the grid of beta is found by a pilot run that starts from a rigorous bound and
/// does not know beta_c. Binder cumulants of L and 2L cross near beta_c; the crossings are extrapolated with their known drift.
#[derive(Args, Debug)]
#[command(
    after_help = "β_c comes from the crossings of the Binder cumulants U₄ of L and 2L. The automatic grid is found by a pilot run that starts \
from a rigorous bound and does not know β_c. Points alone: one size and a grid with --beta.\n\nExamples:\n  \
ceas sweep --plot sweep.png\n  ceas sweep --sizes 16,32,64,128 --precision 1e-4 --json\n  \
ceas sweep --sizes 32 --beta 0.40:0.48:9 --update heat-bath --out points.h5"
)]
pub struct Arguments {
    /// Family of lattices
    #[arg(long, value_name = "SPEC", default_value = "square", value_parser = value::lattice())]
    lattice: Lattice,
    /// Sides L, even and at least 4; β_c needs two of them to be L and 2L [default: 8,16,32,64; without clusters 8,16,32]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', allow_hyphen_values = true, value_parser = value::listed)]
    sizes: Vec<usize>,
    /// Inverse temperatures, FROM:TO:COUNT or a list [default: found by a pilot run, a grid of width ∝ 1/L for each L]
    #[arg(long, value_name = "A:B:COUNT|A,B,…", allow_hyphen_values = true)]
    beta: Option<String>,
    /// How spins are updated
    #[arg(long, value_name = "NAME", default_value = "wolff", value_parser = value::update())]
    update: Dynamics,
    /// Independent replicas of each L and β, at least 16; all errors come from their scatter
    #[arg(long, value_name = "R", default_value_t = 32, value_parser = value::whole::<u64>)]
    replicas: u64,
    /// Measured sweeps of each replica at the largest L; a smaller L makes L_max/L times as many [default: 500; without clusters 4000]
    #[arg(long, value_name = "N", value_parser = value::whole::<u64>)]
    sweeps: Option<u64>,
    /// Sweeps of each replica before it is measured [default: 20; without clusters 2000]
    #[arg(long, value_name = "N", value_parser = value::whole::<u64>)]
    thermalization: Option<u64>,
    /// Add replicas until the error of β_c is at most E
    #[arg(long, value_name = "E", allow_hyphen_values = true, value_parser = value::number)]
    precision: Option<f64>,
    /// How many times the replicas --precision may use at most
    #[arg(long, value_name = "TIMES", default_value_t = 16, requires = "precision", value_parser = value::whole::<u64>)]
    budget: u64,
    /// Sweep attention rows instead of a lattice: bundled, a file of q, k, v, a model folder or GGUF file; random (a head without training), iid (the
    /// finite random energy model), hyperbolic (mean field on trees and tilings)
    #[arg(long, value_name = "SOURCE", conflicts_with_all = ["lattice", "sizes", "beta", "update", "replicas", "sweeps", "thermalization", "precision"])]
    heads: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(source) = &arguments.heads {
        return super::sweep_heads::run(source, &arguments.common);
    }
    // First, because asking how many threads there are settles it.
    let outputs = arguments.common.prepare()?;
    let survey = arguments.survey().input()?;
    #[cfg(not(feature = "hdf5"))]
    if outputs.out.is_some() {
        return Err(anyhow!("--out needs a program built with the feature hdf5 or hdf5-static")).input();
    }
    let bars = progress::stages();
    let listener: Listener<'_> = &|progress| match progress {
        Progress::Stage { size, replicas } => bars.stage(&format!("L ≤ {size}"), replicas),
        Progress::Replica => bars.step(),
    };
    let start = Instant::now();
    let findings: Findings = survey.run(listener).run()?;
    let seconds = start.elapsed().as_secs_f64();
    bars.finish();
    let answer = Transition::new(&survey, findings, seconds);
    for warning in answer.warnings() {
        eprintln!("ceas: {warning}");
    }
    #[cfg(feature = "hdf5")]
    if let Some(file) = &outputs.out {
        crate::report::transition_archive::write(&answer, file).run()?;
    }
    present(&answer, &arguments.common, &outputs)
}

impl Arguments {
    /// Checks everything that can be checked before a spin is flipped.
    fn survey(&self) -> anyhow::Result<Survey> {
        let clusters = self.update == Dynamics::Wolff;
        let sizes = self.checked_sizes(clusters)?;
        let grid = match &self.beta {
            Some(text) => Grid::Fixed(betas(text)?),
            None => Grid::Automatic,
        };
        let single = sizes.len() == 1 && self.beta.is_some();
        if !single && Survey::pairs(&sizes).is_empty() {
            bail!(
                "--sizes {}: β_c needs two sizes L and 2L, such as {},{}; for points alone give one size and a grid with --beta",
                list(&sizes),
                sizes[0],
                2 * sizes[0]
            );
        }
        if let (Grid::Fixed(betas), Dynamics::Metropolis) = (&grid, self.update)
            && betas.iter().any(|b| b.value() == 0.0)
        {
            bail!(
                "--beta 0 with --update metropolis: every attempt is accepted and two sweeps restore the start; use heat-bath"
            );
        }
        let sweeps = self.sweeps.unwrap_or(if clusters { 500 } else { 4_000 });
        if sweeps < LEAST_SWEEPS {
            bail!("--sweeps {sweeps}: a replica is measured for at least {LEAST_SWEEPS} sweeps");
        }
        if self.replicas < LEAST_REPLICAS {
            bail!(
                "--replicas {}: errors come from the scatter of at least {LEAST_REPLICAS} replicas",
                self.replicas
            );
        }
        if self.budget == 0 {
            bail!("--budget 0: --precision may use at least as many replicas as there are, 1 times");
        }
        let precision = match self.precision {
            Some(e) if !(e.is_finite() && e > 0.0) => bail!("--precision {e}: an error is a number above 0"),
            Some(_) if single => bail!("--precision needs two sizes L and 2L: it is the error of β_c"),
            Some(target) => Some(Precision { target, most: self.budget }),
            None => None,
        };
        let effort = Effort {
            dynamics: self.update,
            replicas: self.replicas,
            first: 0,
            thermalization: self.thermalization.unwrap_or(if clusters { 20 } else { 2_000 }),
            sweeps,
            seed: self.common.seed,
        };
        check_effort(&sizes, &effort)?;
        Ok(Survey { lattice: self.lattice, sizes, grid, effort, precision, resamples: RESAMPLES })
    }

    fn checked_sizes(&self, clusters: bool) -> anyhow::Result<Vec<usize>> {
        let mut sizes = match (self.sizes.is_empty(), clusters) {
            (false, _) => self.sizes.clone(),
            (true, true) => vec![8, 16, 32, 64],
            (true, false) => vec![8, 16, 32],
        };
        sizes.sort_unstable();
        for (i, &size) in sizes.iter().enumerate() {
            if size < 4 {
                bail!("--sizes {size}: L must be at least 4");
            }
            if size % 2 == 1 {
                bail!(
                    "--sizes {size}: L must be even, so that the lattice has two sublattices; take {} or {}",
                    size - 1,
                    size.saturating_add(1)
                );
            }
            if i > 0 && sizes[i - 1] == size {
                bail!("--sizes: {size} is named twice");
            }
            let topology = self.lattice.topology(size).map_err(|e| anyhow!("--sizes {size}: {e}"))?;
            // One configuration per thread, and for clusters the sites still to be looked at.
            let each: u64 = if clusters { 9 } else { 2 };
            topology
                .check_memory(each * rayon::current_num_threads() as u64)
                .map_err(|e| anyhow!("--sizes {size}: {e}"))?;
        }
        Ok(sizes)
    }
}

/// Refuses what would not fit into memory or never end.
fn check_effort(sizes: &[usize], effort: &Effort) -> anyhow::Result<()> {
    /// A hundred years of one attempt per nanosecond.
    const ENDLESS: u64 = 3_000_000_000_000_000_000;
    let Effort { replicas, sweeps, thermalization, .. } = *effort;
    let (smallest, largest) = match sizes {
        [first, .., last] => (*first, *last),
        [only] => (*only, *only),
        [] => return Ok(()),
    };
    let flags = || format!("--replicas {replicas} × --sweeps {sweeps}");
    // A smaller lattice is measured for longer; |m| is kept for every sweep of every replica.
    let longest = sweeps.saturating_mul(largest as u64) / smallest as u64;
    memory::check("a record of |m| at side", smallest, longest.saturating_mul(replicas).saturating_mul(8))
        .with_context(flags)?;
    let sites = (largest as u64).saturating_mul(largest as u64);
    let attempts = sweeps.saturating_add(thermalization).saturating_mul(sites).saturating_mul(replicas);
    if attempts > ENDLESS {
        bail!(
            "{} and --thermalization {thermalization} are {:.0e} attempts at L = {largest} alone, more than a century: choose less",
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

fn list(sizes: &[usize]) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}
