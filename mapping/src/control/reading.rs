//! What the controller sees of a head at its present β.

use std::num::NonZeroU32;

use ceas_sim::activity::Activity;
use ceas_sim::beta::Beta;
use ceas_sim::plan::Plan;
use ceas_sim::potts::{Multinomial, PottsSpin, RACE_LANES, Race};
use ceas_sim::run::Run;
use ceas_sim::schedule::Schedule;
use ceas_sim::stream::{Purpose, Stream, Streams};
use serde::Serialize;

use super::counted::CountReader;
use crate::criticality::Rows;
use crate::error::Error;

/// Row averages, measured or exact. Scores are in units of q·k, entropies in nats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Reading {
    /// H.
    pub entropy: f64,
    /// Var_p\[s\].
    pub variance: f64,
    /// dVar/dβ = ⟨(s − ⟨s⟩)³⟩_p.
    pub third: f64,
    /// Mean of ln N.
    pub ln_n: f64,
    /// Typical σ; 0 if all scores are equal.
    pub sigma: f64,
    /// Widest s_max − s_min.
    pub spread: f64,
    /// Events it took, if it was measured on spins.
    #[serde(skip)]
    pub activity: Activity,
}

/// How H and Var are known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// From the exact rows.
    Exact,
    /// From the counts of S draws per row: plug-in entropy plus (K − 1)/(2S), K the number of keys seen (G. A. Miller 1955), and the
    /// sample moments of the scores. The correction counts seen keys only, so that rows with many rare keys are still read too low.
    Counts(NonZeroU32),
    /// From S races per row: H = ln Z − β⟨s⟩ with ln Z from the winning times, without bias at every S, and the sample moments.
    Races(NonZeroU32),
}

impl Source {
    /// Draws per row, if there are any.
    pub fn samples(self) -> Option<NonZeroU32> {
        match self {
            Self::Exact => None,
            Self::Counts(samples) | Self::Races(samples) => Some(samples),
        }
    }
}

/// Reads a head at β. `place` and `step` key the streams: the same place at the same step sees the same draws.
///
/// ```
/// use ceas_mapping::control::{Source, read};
/// use ceas_mapping::criticality::gaussian_rows;
/// use ceas_sim::beta::Beta;
/// let rows = gaussian_rows(64, 200, 1).unwrap();
/// let beta = Beta::new(1.5).unwrap();
/// let exact = read(&rows, beta, Source::Exact, 1, 0, 0).unwrap();
/// let races = read(&rows, beta, Source::Races(64.try_into().unwrap()), 1, 0, 0).unwrap();
/// assert!((races.entropy - exact.entropy).abs() < 0.1);
/// ```
///
/// # Errors
/// [`Error::Rows`] for fewer than three draws per row, from which neither a variance nor ln Z can be read.
pub fn read(
    rows: &Rows,
    beta: Beta,
    source: Source,
    seed: u64,
    place: u64,
    step: u64,
) -> Result<Reading, Error> {
    let fixed = Reading {
        ln_n: rows.mean_ln_n(),
        sigma: rows.typical_sigma().unwrap_or(0.0),
        spread: rows.spread(),
        ..Reading::default()
    };
    let Some(samples) = source.samples() else {
        let mean = rows.mean(beta);
        return Ok(Reading { entropy: mean.entropy, variance: mean.variance, third: mean.third, ..fixed });
    };
    let samples = samples.get();
    if samples < 3 {
        return Err(Error::Rows {
            what: "an entropy from draws",
            violated: format!("{samples} draws per row are too few: at least 3 are needed"),
        });
    }
    let count = rows.len() as f64;
    let (mut entropy, mut variance, mut third, mut activity) = (0.0, 0.0, 0.0, Activity::default());
    let reader = CountReader::new(samples);
    for row in 0..rows.len() {
        // Heads in the upper half, queries in the lower; steps are blocks far from those of ordinary runs.
        let replica = (place << 32) | row as u64;
        let spin = rows.spin(row);
        let (h, [var, cube], events) = if matches!(source, Source::Races(_)) {
            let lanes = (0..RACE_LANES as u64)
                .map(|lane| Stream::new(seed, Purpose::Ensemble, replica, step * RACE_LANES as u64 + lane));
            let streams = Streams::from_blocks(lanes.collect()).expect("there is more than one lane");
            of_races(spin, beta, samples, streams)?
        } else {
            let mut stream = Stream::new(seed, Purpose::Ensemble, replica, step);
            let mut counts = vec![0; spin.labels()];
            Multinomial::new(spin, beta).add(samples, &mut counts, &mut stream);
            let [h, var, cube] = reader.row(spin, &counts);
            (h, [var, cube], Activity::default())
        };
        entropy += h / count;
        variance += var / count;
        third += cube / count;
        activity += events;
    }
    Ok(Reading { entropy, variance, third, activity, ..fixed })
}

/// Second and third central moments of S ≥ 3 draws from their raw moments, without bias.
pub(super) fn central([first, second, third]: [f64; 3], s: f64) -> [f64; 2] {
    let variance = (second - first * first).max(0.0);
    let cube = third - 3.0 * first * second + 2.0 * first * first * first;
    [variance * s / (s - 1.0), cube * s * s / ((s - 1.0) * (s - 2.0))]
}

/// Adds a gap of some weight to the raw moments.
fn gather(raw: &mut [f64; 3], weight: f64, gap: f64) {
    let mut power = weight;
    for moment in raw {
        power *= gap;
        *moment += power;
    }
}

/// Entropy as ln Z − β⟨s⟩, and the sample moments of the score.
fn of_races(
    spin: &PottsSpin,
    beta: Beta,
    samples: u32,
    streams: Streams,
) -> Result<(f64, [f64; 2], Activity), Error> {
    let s = f64::from(samples);
    let mut run = Run::new(spin, 0, Race::default(), Schedule::Constant(beta), streams);
    let mut raw = [0.0; 3];
    run.drive(&Plan { thermalization: 0, sweeps: samples.into(), every: 1 }, |run| {
        gather(&mut raw, 1.0 / s, spin.gap(*run.state()));
        std::ops::ControlFlow::Continue(())
    });
    let partition = run.update().partition(spin, beta).ok_or(Error::Rows {
        what: "an entropy from races",
        violated: format!("{samples} races are too few: at least 3 are needed"),
    })?;
    let entropy = partition.ln_z - beta.value() * (spin.highest() + raw[0]);
    Ok((entropy, central(raw, s), run.activity()))
}
