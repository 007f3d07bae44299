//! The verb `ceas attend`.

use std::num::NonZeroU32;
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use ceas_npu::mapping::attention::{
    Dynamics, Ensemble, HeadReport, HeadSample, Ramp, Relaxation, Sampler, Sampling, Start, Summary,
    relax_head, sample_head,
};
use ceas_npu::mapping::heads::HeadSet;
use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::memory;
use clap::{Args, ValueEnum};
use rayon::prelude::*;

use super::beta_table::Betas;
use super::common::Common;
use super::failure::{Blame, Failure};
use super::model_input::HeadSource;
use super::value;
#[cfg(feature = "hdf5")]
use crate::report::attention::archive;
use crate::report::attention::{Attended, AttendedHead, HeadRecord, Selected, ShownHead};
use crate::report::present::present;
use crate::report::progress;

/// Arguments of `ceas attend`.
#[derive(Args, Debug)]
#[command(
    after_help = "Every (head, query) is one Potts spin with a state per key and fields q·k; its law at β is the \
                  attention row. Without input flags the bundled heads of all-MiniLM-L6-v2 are run.\n\n\
                  Examples:\n  ceas attend --plot heads.png\n  ceas attend --sampler metropolis --schedule geometric \
                  --anneal-sweeps 300\n  ceas attend --qkv heads.safetensors --beta 0.2 --layers 0,5 --json"
)]
pub struct Arguments {
    #[command(flatten)]
    source: HeadSource,
    /// S: read-outs per query
    #[arg(long, default_value = "1000", value_name = "S", help_heading = "Sampling", value_parser = samples)]
    samples: NonZeroU32,
    /// How each spin is sampled
    #[arg(long, value_enum, default_value_t = SamplerName::Race, help_heading = "Sampling")]
    sampler: SamplerName,
    /// Inverse temperature: textbook (1/√d_head), a number, or a JSON file with one number per layer and head
    #[arg(long, default_value = "textbook", value_name = "textbook|X|FILE", help_heading = "Sampling")]
    #[arg(allow_hyphen_values = true)]
    beta: String,
    /// Layers to run, such as 0,2,5 [default: all]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', allow_hyphen_values = true, value_parser = value::listed, help_heading = "Sampling")]
    layers: Vec<usize>,
    /// Heads of each layer to run [default: all]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', allow_hyphen_values = true, value_parser = value::listed, help_heading = "Sampling")]
    heads: Vec<usize>,
    /// Head whose maps are drawn, as layer.head [default: a telling one of middling entropy]
    #[arg(long, value_name = "L.H", help_heading = "Sampling")]
    show_head: Option<String>,
    #[command(flatten)]
    anneal: AnnealFlags,
    #[command(flatten)]
    common: Common,
}

/// Flags of the sampler metropolis.
#[derive(Args, Debug)]
struct AnnealFlags {
    /// Shape of β(t) before the first read-out [default: geometric]
    #[arg(long, value_enum, help_heading = "Annealing (--sampler metropolis)")]
    schedule: Option<RampName>,
    /// Sweeps before the first read-out [default: 5 per key]
    #[arg(long, value_name = "N", help_heading = "Annealing (--sampler metropolis)", value_parser = value::whole::<u64>)]
    anneal_sweeps: Option<u64>,
    /// β of the first sweep [default: a tenth of β]
    #[arg(long, value_name = "X", help_heading = "Annealing (--sampler metropolis)")]
    #[arg(allow_hyphen_values = true, value_parser = value::number)]
    beta_from: Option<f64>,
    /// Sweeps from one read-out to the next [default: 1]
    #[arg(long, value_name = "N", help_heading = "Annealing (--sampler metropolis)", value_parser = value::whole::<u64>)]
    interval: Option<u64>,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum SamplerName {
    /// All states race at their own rates, the first to flip wins; also estimates the partition function
    Race,
    /// A fresh draw from the law per read-out
    HeatBath,
    /// One chain per query, annealed from hot to β, then read out
    Metropolis,
    /// Digital shortcut: the S counts of a row drawn at once from their multinomial law; touches no spin
    Law,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum RampName {
    Constant,
    Linear,
    Geometric,
}

/// Chains per query by which the distance to the law is also measured, on the head that is shown.
const CHAINS: u16 = 500;

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outputs = arguments.common.prepare()?;
    if cfg!(not(feature = "hdf5")) && outputs.out.is_some() {
        return Err(anyhow!("--out needs a build with the feature hdf5 or hdf5-static")).input();
    }
    arguments.sampler(1).input()?;
    let set = arguments.source.load()?;
    let sampler = arguments.sampler(set.n_keys()).input()?;
    let chosen = arguments.choose(&set).input()?;
    let betas = Betas::parse(&arguments.beta, &set, &chosen).input()?;
    sampler_suits(&sampler, &betas).input()?;
    let shown = arguments.shown(&chosen).input()?;
    check_memory(&set, chosen.len(), outputs.out.is_some()).input()?;
    let keep = outputs.out.is_some();
    let request = Request { sampler, samples: arguments.samples, seed: arguments.common.seed, keep };
    let answer = attend_to(&set, &chosen, &betas, shown, &arguments.beta, request)?;
    #[cfg(feature = "hdf5")]
    if let Some(file) = &outputs.out {
        archive::write(&answer, file.path()).run()?;
    }
    present(&answer, &arguments.common, &outputs)
}

/// How heads are run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) sampler: Sampler,
    pub(super) samples: NonZeroU32,
    pub(super) seed: u64,
    /// Whether all samples are kept for a file.
    pub(super) keep: bool,
}

/// Runs every head of a set at the textbook β, for other verbs.
pub(super) fn all_heads(set: &HeadSet, request: Request) -> Result<Attended, Failure> {
    let (heads, numbers) = (set.heads(), 0..set.layers());
    let chosen: Vec<Selected> = numbers
        .flat_map(|index| (0..heads).map(move |head| Selected { index, layer: index, head }))
        .map(|at| Selected { layer: set.layer_number(at.index), ..at })
        .collect();
    let betas = Betas::parse("textbook", set, &chosen).input()?;
    check_memory(set, chosen.len(), request.keep).input()?;
    attend_to(set, &chosen, &betas, None, "textbook", request)
}

fn attend_to(
    set: &HeadSet,
    chosen: &[Selected],
    betas: &Betas,
    shown: Option<usize>,
    beta_source: &str,
    request: Request,
) -> Result<Attended, Failure> {
    let job = Job { set, request };
    let bar = progress::bar("sampling", chosen.len() as u64);
    let clock = Instant::now();
    let heads: Result<Vec<AttendedHead>, Failure> = chosen
        .par_iter()
        .zip(&betas.values)
        .map(|(&selected, &beta)| {
            let head = job.head(selected, beta).run()?;
            bar.inc(1);
            Ok(head)
        })
        .collect();
    let (heads, seconds) = (heads?, clock.elapsed().as_secs_f64());
    bar.finish_and_clear();

    let reports: Vec<HeadReport> = heads.iter().map(|head| head.report.clone()).collect();
    let at = shown.unwrap_or_else(|| telling(&reports));
    let shown = job.shown(chosen[at], betas.values[at]).run()?;
    Ok(Attended {
        origin: set.origin().clone(),
        sampling: job.sampling(betas.values[at]),
        beta_source: beta_source.to_owned(),
        beta: betas.uniform(),
        summary: Summary::new(&reports),
        heads,
        shown,
        seconds,
    })
}

/// Refuses a ramp that cannot reach β.
fn sampler_suits(sampler: &Sampler, betas: &Betas) -> anyhow::Result<()> {
    let geometric = matches!(sampler, Sampler::Metropolis(Dynamics { ramp: Ramp::Geometric, .. }));
    if geometric && betas.values.iter().any(|beta| beta.value() == 0.0) {
        bail!("--beta 0: a geometric schedule cannot end at 0; choose --schedule linear or constant");
    }
    Ok(())
}

/// Refuses what would not fit into memory, before it is taken.
fn check_memory(set: &HeadSet, heads: usize, keep: bool) -> anyhow::Result<()> {
    // A row holds its fields, gaps, order, law, counts and cached weights: some 64 bytes per key while its head is being worked on.
    const PER_KEY: u64 = 64;
    let workers = rayon::current_num_threads().min(heads) as u64;
    let row = (set.n_keys() as u64).saturating_mul(PER_KEY);
    let working = (set.n_queries() as u64).saturating_mul(row).saturating_mul(workers);
    let kept = HeadRecord::bytes(set.n_queries(), set.n_keys(), set.d_value()).saturating_mul(heads as u64);
    let needed = working.saturating_add(if keep { kept } else { 0 });
    memory::check("attention over rows", set.n_keys(), needed)
        .context("choose fewer heads with --layers and --heads, or fewer --threads")
}

impl Arguments {
    fn sampler(&self, keys: usize) -> anyhow::Result<Sampler> {
        let AnnealFlags { schedule, anneal_sweeps, beta_from, interval } = &self.anneal;
        if self.sampler != SamplerName::Metropolis {
            let given = [
                ("--schedule", schedule.is_some()),
                ("--anneal-sweeps", anneal_sweeps.is_some()),
                ("--beta-from", beta_from.is_some()),
                ("--interval", interval.is_some()),
            ];
            if let Some((flag, _)) = given.into_iter().find(|(_, given)| *given) {
                let name =
                    self.sampler.to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned());
                bail!("{flag} belongs to --sampler metropolis: {name} draws afresh and has no schedule");
            }
        }
        let ramp = match schedule.unwrap_or(RampName::Geometric) {
            RampName::Constant => Ramp::Constant,
            RampName::Linear => Ramp::Linear,
            RampName::Geometric => Ramp::Geometric,
        };
        let from = match beta_from {
            Some(beta) => Start::At(Beta::new(*beta).with_context(|| format!("--beta-from {beta}"))?),
            None => Start::Fraction(0.1),
        };
        if ramp == Ramp::Constant && beta_from.is_some() {
            bail!("--beta-from has no meaning for --schedule constant, which starts at β");
        }
        if ramp == Ramp::Geometric && *beta_from == Some(0.0) {
            bail!("--beta-from 0: a geometric schedule cannot start at 0; choose --schedule linear");
        }
        if *interval == Some(0) {
            bail!("--interval 0: at least one sweep lies between two read-outs");
        }
        // The slowest mode decays by a factor of at most 1 − 1/N per sweep.
        let sweeps = anneal_sweeps.unwrap_or(5 * keys as u64);
        if sweeps == 0 && ramp != Ramp::Constant {
            bail!("--anneal-sweeps 0: a ramp needs at least one sweep; --schedule constant may have none");
        }
        Ok(match self.sampler {
            SamplerName::Race => Sampler::Race,
            SamplerName::HeatBath => Sampler::HeatBath,
            SamplerName::Law => Sampler::Law,
            SamplerName::Metropolis => {
                Sampler::Metropolis(Dynamics { ramp, from, sweeps, interval: interval.unwrap_or(1) })
            }
        })
    }

    /// The heads to run, in the order of layer and head.
    fn choose(&self, set: &HeadSet) -> anyhow::Result<Vec<Selected>> {
        let numbers: Vec<usize> = (0..set.layers()).map(|index| set.layer_number(index)).collect();
        for layer in &self.layers {
            if !numbers.contains(layer) {
                bail!("--layers {layer}: the input has the layers {}", ranges(&numbers));
            }
        }
        for head in &self.heads {
            if *head >= set.heads() {
                bail!("--heads {head}: each layer has the heads 0 to {}", set.heads() - 1);
            }
        }
        let wanted = |list: &[usize], number: usize| list.is_empty() || list.contains(&number);
        let mut chosen = Vec::new();
        for (index, &layer) in numbers.iter().enumerate().filter(|(_, layer)| wanted(&self.layers, **layer)) {
            chosen.extend((0..set.heads()).filter(|&head| wanted(&self.heads, head)).map(|head| Selected {
                index,
                layer,
                head,
            }));
        }
        Ok(chosen)
    }

    /// Which of the chosen heads `--show-head` names.
    fn shown(&self, chosen: &[Selected]) -> anyhow::Result<Option<usize>> {
        let Some(name) = &self.show_head else { return Ok(None) };
        let (layer, head) = name
            .split_once('.')
            .and_then(|(layer, head)| Some((layer.parse::<usize>().ok()?, head.parse::<usize>().ok()?)))
            .ok_or_else(|| anyhow!("--show-head {name:?}: a head is named as layer.head, such as 2.7"))?;
        match chosen.iter().position(|s| s.layer == layer && s.head == head) {
            Some(at) => Ok(Some(at)),
            None => bail!(
                "--show-head {name} is not among the {} heads that are run, {} to {}",
                chosen.len(),
                chosen.first().map_or(String::new(), Selected::to_string),
                chosen.last().map_or(String::new(), Selected::to_string),
            ),
        }
    }
}

/// A number of read-outs.
fn samples(text: &str) -> anyhow::Result<NonZeroU32> {
    let number: u64 = value::whole(text).unwrap_or(0);
    if number == 0 && text != "0" {
        bail!("a whole number of read-outs from 1 to {} is expected", u32::MAX);
    }
    u32::try_from(number)
        .ok()
        .and_then(NonZeroU32::new)
        .ok_or_else(|| anyhow!("each query is read out at least once and at most {} times", u32::MAX))
}

/// `0 to 5` for numbers without a gap, else all of them.
fn ranges(numbers: &[usize]) -> String {
    let text = |n: &usize| n.to_string();
    match numbers {
        [first, .., last] if last - first + 1 == numbers.len() => format!("{first} to {last}"),
        _ => numbers.iter().map(text).collect::<Vec<_>>().join(", "),
    }
}

/// What is run on every head.
struct Job<'a> {
    set: &'a HeadSet,
    request: Request,
}

impl Job<'_> {
    fn sampling(&self, beta: Beta) -> Sampling {
        let Request { sampler, samples, seed, .. } = self.request;
        Sampling { beta, samples, sampler, seed }
    }

    /// The streams of a head depend on where it stands in the model, not on what else is run.
    fn sample(&self, at: Selected, beta: Beta) -> anyhow::Result<HeadSample> {
        Ok(sample_head(&self.set.head(at.index, at.head), at.stream(self.set), &self.sampling(beta))?)
    }

    fn head(&self, at: Selected, beta: Beta) -> anyhow::Result<AttendedHead> {
        let sample = self.sample(at, beta)?;
        let report = HeadReport::new(at.layer, at.head, &sample);
        let relaxation = self.relax(at, beta, 0)?;
        let record = self.request.keep.then(|| HeadRecord::new(&sample));
        Ok(AttendedHead { report, relaxation, record })
    }

    fn relax(&self, at: Selected, beta: Beta, chains: u16) -> anyhow::Result<Option<Relaxation>> {
        let Sampler::Metropolis(dynamics) = &self.request.sampler else { return Ok(None) };
        let ensemble = Ensemble { chains, index: at.stream(self.set) as u32, seed: self.request.seed };
        Ok(Some(relax_head(&self.set.head(at.index, at.head), beta, dynamics, ensemble)?))
    }

    fn shown(&self, at: Selected, beta: Beta) -> anyhow::Result<ShownHead> {
        let sample = self.sample(at, beta)?;
        let quench_residual = match self.request.sampler {
            Sampler::Metropolis(dynamics) => {
                let quench = Dynamics { ramp: Ramp::Constant, ..dynamics };
                let none = Ensemble { chains: 0, index: 0, seed: self.request.seed };
                Some(relax_head(&self.set.head(at.index, at.head), beta, &quench, none)?.residual())
            }
            _ => None,
        };
        Ok(ShownHead { at, relaxation: self.relax(at, beta, CHAINS)?, quench_residual, sample })
    }
}

/// The head whose map says most about its queries, among those whose entropy is in the middle half: neither frozen nor flat.
fn telling(reports: &[HeadReport]) -> usize {
    let mut order: Vec<usize> = (0..reports.len()).collect();
    order.sort_by(|&a, &b| reports[a].entropy.total_cmp(&reports[b].entropy));
    let middle = &order[reports.len() / 4..(3 * reports.len()).div_ceil(4)];
    let most =
        middle.iter().copied().max_by(|&a, &b| reports[a].information.total_cmp(&reports[b].information));
    most.unwrap_or(0)
}
