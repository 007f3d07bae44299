//! The closed loop on one head.

use ceas_sim::activity::Activity;
use ceas_sim::beta::Beta;
use serde::Serialize;

use super::defaults::{CRITICAL_SHARE, ENTROPY_WINDOW, SIGMA_WINDOW, TARGET_BELOW};
use super::margin::Margin;
use super::outcome::{Outcome, Tolerance, judge};
use super::reading::{Reading, Source, read};
use super::step::Step;
use crate::criticality::Rows;
use crate::error::Error;

/// The entropy that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// ln N − this, N the number of keys: the published corridor with a reference that does not move.
    BelowKeys(f64),
    /// ln N_eff − this with N_eff = e^H of the moment, as the page defines N_eff: always below where H is, so that no β satisfies it.
    BelowItself(f64),
    /// This share of ln N.
    Share(f64),
    /// So many nats.
    Nats(f64),
}

impl Target {
    /// The published corridor.
    pub const PUBLISHED: Self = Self::BelowKeys(TARGET_BELOW);
    /// The peak of the specific heat of a random energy model.
    pub const CRITICAL: Self = Self::Share(CRITICAL_SHARE);

    /// H_t in nats.
    pub fn nats(&self, reading: &Reading) -> f64 {
        match *self {
            Self::BelowKeys(below) => reading.ln_n - below,
            Self::BelowItself(below) => reading.entropy - below,
            Self::Share(share) => share * reading.ln_n,
            Self::Nats(nats) => nats,
        }
    }
}

/// A controller's settings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Control {
    /// The rule.
    pub step: Step,
    /// What for.
    pub target: Target,
    /// Whether H and σ are the published moving averages (64 and 128 steps) of the readings.
    pub smoothed: bool,
    /// The least distance from β_c, if one is kept.
    pub margin: Option<Margin>,
    /// How H and Var are read.
    pub source: Source,
}

/// One moment of a controlled head, before the step that follows it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Moment {
    /// β.
    pub beta: f64,
    /// H at it, exactly (whatever the controller saw).
    pub entropy: f64,
    /// H as the controller saw it.
    pub seen: f64,
    /// H_t.
    pub target: f64,
    /// C at it, exactly.
    pub specific_heat: f64,
}

/// A controller on its way.
#[derive(Debug, Clone)]
pub struct Thermostat {
    control: Control,
    beta: f64,
    t: u64,
    entropy: Option<f64>,
    sigma: Option<f64>,
    damping: f64,
}

impl Thermostat {
    /// A controller that starts at `beta`.
    pub fn new(control: Control, beta: Beta) -> Self {
        Self { control, beta: beta.value(), t: 0, entropy: None, sigma: None, damping: 1.0 }
    }

    /// The present β.
    pub fn beta(&self) -> f64 {
        self.beta
    }

    /// Multiplies κ from now on; 1 is the schedule itself, ½ the published back-off.
    pub fn damp(&mut self, damping: f64) {
        self.damping = damping;
    }

    /// Takes a reading at the present β, moves β, and tells the target it moved towards and the entropy it went by.
    pub fn observe(&mut self, reading: &Reading) -> (f64, f64) {
        let mut seen = *reading;
        if self.control.smoothed {
            seen.entropy = smooth(&mut self.entropy, reading.entropy, ENTROPY_WINDOW);
            seen.sigma = smooth(&mut self.sigma, reading.sigma, SIGMA_WINDOW);
        }
        let target = self.control.target.nats(&seen);
        let mut next = self.control.step.next(self.beta, &seen, target, self.t, self.damping);
        if let Some(margin) = self.control.margin
            && seen.sigma > 0.0
        {
            let beta_c = libm::sqrt(2.0 * seen.ln_n) / seen.sigma;
            next = margin.keep(self.beta, next, beta_c);
        }
        if next.is_finite() {
            self.beta = next;
        }
        self.t += 1;
        (target, seen.entropy)
    }
}

/// An exponential moving average of a window of so many steps, started at its first value.
fn smooth(state: &mut Option<f64>, value: f64, window: f64) -> f64 {
    let next = state.map_or(value, |old| old + (value - old) / window);
    *state = Some(next);
    next
}

/// The trajectory of one head.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// Before every step, and after the last.
    pub moments: Vec<Moment>,
    /// What became of it.
    pub outcome: Outcome,
    /// Events of all readings, if they were measured on spins.
    pub activity: Activity,
}

impl Trace {
    /// Where it ended.
    pub fn last(&self) -> &Moment {
        self.moments.last().expect("there is a moment before the first step")
    }
}

/// Runs a controller on the rows of a head for `steps` steps from `start`. `place` tells heads apart in the streams of measured readings.
///
/// # Errors
/// [`Error::Rows`] if a row cannot be read with the source that was chosen.
pub fn run(
    rows: &Rows,
    control: Control,
    start: Beta,
    steps: usize,
    tolerance: Tolerance,
    (seed, place): (u64, u64),
) -> Result<Trace, Error> {
    let mut thermostat = Thermostat::new(control, start);
    let mut activity = Activity::default();
    let mut moments = Vec::with_capacity(steps + 1);
    for step in 0..=steps as u64 {
        let beta = Beta::new(thermostat.beta())?;
        let exact = rows.mean(beta);
        let reading = match control.source {
            Source::Exact => Reading {
                entropy: exact.entropy,
                variance: exact.variance,
                third: exact.third,
                ln_n: rows.mean_ln_n(),
                sigma: rows.typical_sigma().unwrap_or(0.0),
                spread: rows.spread(),
                activity: Activity::default(),
            },
            source => read(rows, beta, source, seed, place, step)?,
        };
        activity += reading.activity;
        let (target, seen) = thermostat.observe(&reading);
        let specific_heat = beta.value() * beta.value() * exact.variance;
        moments.push(Moment { beta: beta.value(), entropy: exact.entropy, seen, target, specific_heat });
    }
    let reachable = |m: &Moment| m.target > 0.0 && m.target < rows.mean_ln_n();
    let moving = matches!(control.target, Target::BelowItself(_));
    let outcome = if rows.spread() == 0.0 || !(moving || moments.iter().all(reachable)) {
        Outcome::Impossible
    } else {
        judge(&moments, tolerance)
    };
    Ok(Trace { moments, outcome, activity })
}
