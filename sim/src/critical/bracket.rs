//! Finding the neighbourhood of a transition without knowing where it is.

use super::cell::{Cell, Effort};
use super::pair::{WINDOW, Window};
use super::survey::{Listener, Survey};
use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;

/// Points of the first scan, and of each finer one.
const COARSE: usize = 9;

/// Measured sweeps of each pilot replica of the larger lattice of the pair.
const SWEEPS: u64 = 150;

/// Replicas of a pilot cell.
const REPLICAS: u64 = 16;

/// The first scan reaches from the Bethe bound to twice it; this often its upper end is doubled if nothing crosses.
const EXTENSIONS: u32 = 3;

/// What the pilot found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pilot {
    /// Where U₄ of the smallest pair cross, roughly.
    pub(super) crossing: f64,
    /// The last interval that was searched.
    pub(super) interval: [f64; 2],
    /// What it cost.
    pub(super) activity: Activity,
}

/// `count` equally spaced β in [centre − half, centre + half], cut off at 0.
pub(super) fn grid(centre: f64, half: f64, count: usize) -> Result<Vec<Beta>, Error> {
    let step = 2.0 * half / (count - 1) as f64;
    (0..count).map(|i| Beta::new((centre - half + step * i as f64).max(0.0))).collect()
}

/// Scans from the Bethe bound upwards with the smallest pair, then twice more about the crossing, each time narrower.
pub(super) fn find(survey: &Survey, listener: Listener<'_>) -> Result<Pilot, Error> {
    let refuse = |violated| Error::Survey { violated };
    let &(small, large) = Survey::pairs(&survey.sizes)
        .first()
        .ok_or(refuse("an automatic grid needs two sizes L and 2L; give a grid of β for single sizes"))?;
    let longest = survey.sizes.iter().max().copied().unwrap_or(large);
    let effort = Effort {
        replicas: REPLICAS,
        thermalization: survey.effort.thermalization,
        // Of the small pair: the survey lengthens the runs of sizes below its largest.
        sweeps: (SWEEPS * large as u64).div_ceil(longest as u64),
        // Replicas of their own, so that the pilot's choice of β is independent of what is then measured there.
        first: 1 << 40,
        ..survey.effort
    };
    let mut activity = Activity::default();
    let mut scan = |low: f64, high: f64| -> Result<Option<f64>, Error> {
        let betas = grid(0.5 * (low + high), 0.5 * (high - low), COARSE)?;
        let cells: Vec<Cell> = [small, large]
            .into_iter()
            .flat_map(|size| betas.iter().map(move |&beta| Cell { lattice: survey.lattice, size, beta }))
            .collect();
        let measured = survey.simulate(&cells, &effort, listener)?;
        activity += measured.iter().map(|m| m.activity).sum();
        Ok(Window::choose(&measured, small, large).and_then(|w| w.root().or(Some(w.centre()))))
    };
    let bound = survey.lattice.bethe_bound();
    let mut interval = [bound, 2.0 * bound];
    let mut found = scan(interval[0], interval[1])?;
    for _ in 0..EXTENSIONS {
        if found.is_none() {
            interval = [interval[1], 2.0 * interval[1]];
            found = scan(interval[0], interval[1])?;
        }
    }
    let mut crossing =
        found.ok_or(refuse("the pilot run found no crossing of U₄ up to 16 times the Bethe bound"))?;
    // The first scan is coarse against the width WINDOW/L of the transition; one step of it bounds the second.
    for half in [(interval[1] - interval[0]) / (COARSE - 1) as f64, 1.5 * WINDOW / large as f64] {
        interval = [crossing - half, crossing + half];
        crossing = scan(interval[0], interval[1])?.unwrap_or(crossing);
    }
    Ok(Pilot { crossing, interval, activity })
}
