//! What became of a controlled head: converged, a limit cycle, a runaway, or none of them yet.

use serde::Serialize;

use super::thermostat::Moment;

/// The end of a trajectory.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Outcome {
    /// |H − H_t| stays within the tolerance from this step on.
    Converged {
        /// Number of steps taken until then.
        steps: usize,
    },
    /// H crosses its target again and again and the swing does not shrink.
    LimitCycle {
        /// Least β of the last quarter.
        low: f64,
        /// Greatest β of the last quarter.
        high: f64,
    },
    /// β moves away in one direction, and H does not come nearer to its target.
    Runaway {
        /// Whether β grows.
        colder: bool,
    },
    /// Still on the way.
    Unsettled,
    /// No β reaches the target: it is outside the range of H, or all scores are equal.
    Impossible,
}

impl Outcome {
    /// One word for a table.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Converged { .. } => "converged",
            Self::LimitCycle { .. } => "limit cycle",
            Self::Runaway { .. } => "runaway",
            Self::Unsettled => "unsettled",
            Self::Impossible => "impossible",
        }
    }
}

/// How near to its target H must stay.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tolerance(
    /// In nats.
    pub f64,
);

/// Judges a trajectory: the moments before each step and after the last.
///
/// Converged: all of the last moments are within the tolerance (five of them, or as many as there are). Otherwise the last half is looked at.
/// Limit cycle: H − H_t changes sign at least four times in it, and the swing of β in its second part is at least half of that in its first.
/// Runaway: β only ever moves one way, by more than 1 % in all, and |H − H_t| has not shrunk to half.
pub fn judge(moments: &[Moment], tolerance: Tolerance) -> Outcome {
    let within = |m: &Moment| (m.entropy - m.target).abs() <= tolerance.0;
    let steps = moments.iter().rposition(|m| !within(m)).map_or(0, |last| last + 1);
    if !moments.is_empty() && moments.len() - steps >= moments.len().min(5) {
        return Outcome::Converged { steps };
    }
    let half = &moments[moments.len() / 2..];
    if half.len() < 4 {
        return Outcome::Unsettled;
    }
    let signs = half.windows(2).filter(|w| (w[0].entropy > w[0].target) != (w[1].entropy > w[1].target));
    let range = |part: &[Moment]| {
        let low = part.iter().map(|m| m.beta).fold(f64::INFINITY, f64::min);
        let high = part.iter().map(|m| m.beta).fold(0.0, f64::max);
        (low, high)
    };
    let (early, late) = half.split_at(half.len() / 2);
    let ((e_low, e_high), (low, high)) = (range(early), range(late));
    if signs.count() >= 4 && high - low >= 0.5 * (e_high - e_low) {
        return Outcome::LimitCycle { low, high };
    }
    let (first, last) = (&half[0], &half[half.len() - 1]);
    let moves = || half.windows(2).map(|w| w[1].beta - w[0].beta);
    let colder = moves().all(|d| d >= 0.0) && last.beta > 1.01 * first.beta;
    let hotter = moves().all(|d| d <= 0.0) && last.beta < 0.99 * first.beta;
    let stuck = (last.entropy - last.target).abs() > 0.5 * (first.entropy - first.target).abs();
    if (colder || hotter) && stuck { Outcome::Runaway { colder } } else { Outcome::Unsettled }
}
