//! Reaching an error: which sizes to run longer, and when to take a larger one.

use super::cell::Measured;
use super::design::Plan;
use super::meeting::Critical;

/// An error to be reached by longer runs and larger sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision {
    /// The error of β_c to reach, statistical and systematic together.
    pub target: f64,
    /// The whole work may be at most this many times that of the survey without a target.
    pub most: u64,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The error is no larger than asked for.
    Reached,
    /// It is larger, and another round would have cost more than the budget.
    OutOfBudget,
    /// It is larger because of the correction to scaling, and the next larger size does not fit into memory or budget.
    OutOfSize,
}

/// Work that a sweep costs beside its attempts: measuring and bookkeeping, in attempts.
const OVERHEAD: f64 = 500.0;

/// A round does at most so many times the work that has been done: an early error is itself uncertain.
const GROWTH: f64 = 3.0;

/// Fewest sweeps of each replica of a size that is begun.
const LEAST_SWEEPS: f64 = 64.0;

/// The error to be reached is planned to be a little smaller than the one asked for.
const MARGIN: f64 = 0.95;

/// A larger size is taken where it saves this share of the work, or where nothing else reaches the error.
const SAVED: f64 = 0.15;

/// Work done, in attempts.
pub(super) fn work(measured: &[Measured]) -> f64 {
    measured.iter().map(|m| cost(m) * m.sweeps as f64).sum()
}

/// Work of one sweep of all replicas of a cell.
fn cost(m: &Measured) -> f64 {
    m.attempts_per_sweep() + OVERHEAD * m.histograms().len() as f64
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Done,
    /// How many times as long the runs of each size are to be, by size.
    Lengthen(Vec<(usize, f64)>),
    /// Begin the size after the largest, by so many sweeps of each replica; and how to go on if it cannot be had.
    Larger {
        size: usize,
        sweeps: u64,
        otherwise: Vec<(usize, f64)>,
    },
    /// The sizes there are cannot tell it.
    Hopeless,
}

impl Precision {
    /// A larger size costs `thermalization` sweeps before it tells anything, and is taken only if `allowed`; `left` is the work
    /// that may still be done.
    pub(super) fn step(
        &self,
        measured: &[Measured],
        critical: &Critical,
        (thermalization, left): (u64, f64),
        allowed: &dyn Fn(usize) -> bool,
    ) -> Step {
        let error = critical.beta.error;
        if error <= self.target {
            return Step::Done;
        }
        let design = &critical.design;
        let Some(now) = design.variance() else { return Step::Hopeless };
        // What the design does not know of, a χ² that is too large and a smallest size that disagrees, is taken to fall with the rest.
        let scale = (error * error / now).clamp(1.0, 9.0);
        let wanted = MARGIN * MARGIN * self.target * self.target / scale;
        let central = |size: usize| {
            let of_size = measured.iter().filter(move |m| m.cell.size == size);
            of_size.max_by(|a, b| a.sweeps.cmp(&b.sweeps))
        };
        let spent: Option<Vec<f64>> =
            design.told.iter().map(|told| central(told.size).map(|m| cost(m) * m.sweeps as f64)).collect();
        let Some(spent) = spent else { return Step::Hopeless };
        let begun = vec![true; spent.len()];
        let Some(plan) = design.plan(&spent, &begun, wanted) else { return Step::Hopeless };
        let round = (GROWTH * work(measured)).min(left);
        let factors = |plan: &Plan| -> Vec<(usize, f64)> {
            let share = (round / plan.work).min(1.0);
            design.told.iter().zip(&plan.factors).map(|(t, f)| (t.size, 1.0 + (f - 1.0) * share)).collect()
        };
        let mut best = plan.reaches.then_some((1.0 - SAVED) * plan.work);
        let mut larger = None;
        let Some(last) = design.told.last().and_then(|told| central(told.size)) else {
            return Step::Hopeless;
        };
        for next in critical.next.iter().filter(|next| allowed(next.size)) {
            let Some(sites) = last.sites_of(next.size) else { continue };
            let each = cost(last) * sites as f64 / last.sites as f64;
            let mut with = design.clone();
            with.told.push(next.clone());
            let costs = [&spent[..], &[each * last.sweeps as f64]].concat();
            let begun = [&begun[..], &[false]].concat();
            let Some(other) = with.plan(&costs, &begun, wanted) else { continue };
            let sweeps = other.factors[spent.len()] * last.sweeps as f64;
            let total = other.work + thermalization as f64 * each;
            let affordable = (thermalization as f64 + LEAST_SWEEPS) * each <= round;
            if affordable && other.reaches && sweeps >= LEAST_SWEEPS && best.is_none_or(|best| total < best) {
                // No more than a round's share of it at first.
                let share = (round / other.work).min(1.0);
                best = Some(total);
                larger = Some((next.size, (sweeps * share).max(LEAST_SWEEPS) as u64));
            }
        }
        if let Some((size, sweeps)) = larger {
            return Step::Larger { size, sweeps, otherwise: factors(&plan) };
        }
        if !plan.reaches && !critical.next.iter().any(|next| allowed(next.size)) {
            return Step::Hopeless;
        }
        let mut factors = factors(&plan);
        // Where little is missing, all go on a little.
        if factors.iter().all(|f| f.1 < 1.05) {
            factors.iter_mut().for_each(|f| f.1 = 1.1);
        }
        Step::Lengthen(factors)
    }
}
