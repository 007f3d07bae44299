//! Finding the neighbourhood of a transition without knowing where it is.

use super::cell::{Cell, Effort, Measured};
use super::family::Family;
use super::job::Job;
use super::point;
use super::survey::Survey;
use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;

/// Measured sweeps of each pilot replica, and replicas of a pilot cell.
const SWEEPS: u64 = 200;
const REPLICAS: u64 = 16;

/// U₄ of the smallest size that the first search looks for: between 0, disordered, and ⅔, ordered.
const HALF: f64 = 0.4;

/// How often β is doubled at most until the smallest size is ordered, and how often halves are then taken.
const DOUBLINGS: u32 = 24;
const HALVINGS: u32 = 6;

/// The second search reaches from 2 widths below to 5 above, in steps of half a width; a width is 1/σ of the smallest size's energy.
const SCAN: std::ops::RangeInclusive<i32> = -4..=10;

/// What the pilot found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pilot {
    /// Where U₄ of the two smallest sizes cross, roughly.
    pub(super) crossing: f64,
    /// The last interval that was searched.
    pub(super) interval: [f64; 2],
    /// 1/σ of the energy of the smaller of them there, the width of its transition in β.
    pub(super) width: f64,
    /// Its sites.
    pub(super) sites: usize,
    /// What it cost.
    pub(super) activity: Activity,
}

/// 1/σ of the energy.
pub(super) fn width(measured: &Measured) -> f64 {
    let [e, e2, ..] = measured.samples.mean();
    1.0 / (libm::sqrt((e2 - e * e).max(0.0)) * measured.sites as f64).max(1e-300)
}

/// From half the mean-field bound β doubles until the smallest size is ordered; halving finds where it begins to be; and a scan of two sizes
/// about that finds where they cross.
pub(super) fn find(survey: &Survey, job: &Job<'_>) -> Result<Pilot, Error> {
    let refuse = |violated| Error::Survey { violated };
    let [small, .., _] = survey.sizes[..] else {
        return Err(refuse("an automatic grid needs two sizes; give a grid of β for a single size"));
    };
    let large = survey.sizes.iter().copied().find(|&l| l >= 2 * small).unwrap_or(survey.sizes[1]);
    // Replicas of their own, so that the pilot's choice of β is independent of what is then measured there.
    let effort = Effort { replicas: REPLICAS, sweeps: SWEEPS, first: 1 << 40, ..survey.effort };
    let mut activity = Activity::default();
    let mut run = |size: usize, betas: &[f64]| -> Result<Vec<Measured>, Error> {
        let cells = betas
            .iter()
            .map(|&beta| Ok(Cell { family: survey.family.clone(), size, beta: Beta::new(beta)? }))
            .collect::<Result<Vec<Cell>, Error>>()?;
        let measured = survey.simulate(&cells, &effort, job)?;
        activity += measured.iter().map(|m| m.activity).sum();
        Ok(measured)
    };
    let binder = |measured: &Measured| point::binder(&measured.samples.mean());
    let mut low = Family::hottest(&survey.family.model(small, survey.effort.seed)?);
    let mut high = 2.0 * low;
    let mut tries = 0;
    while binder(&run(small, &[high])?[0]) < HALF {
        (low, high) = (high, 2.0 * high);
        tries += 1;
        if tries == DOUBLINGS {
            return Err(refuse("the pilot run found no β at which the smallest size is ordered"));
        }
    }
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if binder(&run(small, &[middle])?[0]) < HALF { low = middle } else { high = middle }
    }
    let width = width(&run(small, &[high])?[0]);
    let betas: Vec<f64> =
        SCAN.map(|i| high + 0.5 * width * f64::from(i)).filter(|&beta| beta > 0.0).collect();
    let [a, b] = [run(small, &betas)?, run(large, &betas)?];
    let crossing = crossing(&a, &b).ok_or(refuse(
        "the pilot run found no β at which U₄ of the two smallest sizes cross: there may be no transition, or the sizes are too small",
    ))?;
    let sites = a[0].sites;
    Ok(Pilot { crossing, interval: [betas[0], betas[betas.len() - 1]], width, sites, activity })
}

/// Where straight lines between points at the same β first cross for good: after the most significant place with large below small, the
/// first where large − small changes sign.
pub(super) fn crossing(small: &[Measured], large: &[Measured]) -> Option<f64> {
    let differences: Vec<(f64, f64, f64)> = large
        .iter()
        .filter_map(|b| {
            let a = small.iter().find(|a| a.cell.beta == b.cell.beta)?;
            let [u, v] = [a, b].map(point::binder_estimate);
            Some((b.cell.beta.value(), v.mean - u.mean, libm::hypot(u.error, v.error)))
        })
        .collect();
    let lowest = differences.iter().enumerate().min_by(|a, b| (a.1.1 / a.1.2).total_cmp(&(b.1.1 / b.1.2)))?.0;
    differences[lowest..].windows(2).find(|w| w[0].1 <= 0.0 && w[1].1 > 0.0).map(|w| {
        let ((x0, d0, _), (x1, d1, _)) = (w[0], w[1]);
        x0 + (x1 - x0) * d0 / (d0 - d1)
    })
}
