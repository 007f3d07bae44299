//! What comes out of a survey.

use std::time::Duration;

use super::cell::Measured;
use super::collapse::Collapse;
use super::course::Course;
use super::curve::SizeCurves;
use super::exponents::Exponents;
use super::family::Class;
use super::meeting::Critical;
use super::pair::Pair;
use super::point::Point;
use super::precision::Outcome;
use crate::activity::Activity;

/// What came out.
#[derive(Debug, Clone)]
pub struct Findings {
    /// Every cell, by size and then β.
    pub measured: Vec<Measured>,
    /// Every cell's quantities, in the same order.
    pub points: Vec<Point>,
    /// The curves of every size, where its runs overlap.
    pub curves: Vec<SizeCurves>,
    /// The crossings found, by size.
    pub pairs: Vec<Pair>,
    /// β_c, or why there is none.
    pub critical: Result<Critical, Unlocated>,
    /// Exponents at β_c, if it was located from three sizes or more.
    pub exponents: Option<Exponents>,
    /// U₄ of all sizes on one curve.
    pub collapse: Option<Collapse>,
    /// What became of the precision asked for.
    pub outcome: Option<Outcome>,
    /// All events, those of pilot runs included.
    pub activity: Activity,
    /// The interval in which the pilot found the crossing, if there was a pilot.
    pub bracket: Option<[f64; 2]>,
    /// What the corrections to scaling were taken to be.
    pub class: Class,
    /// Time that it took, with that of runs that were resumed.
    pub spent: Duration,
}

/// Why no β_c is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unlocated {
    /// One size.
    #[error("it takes two sizes")]
    NoPair,
    /// Not even one pair crosses.
    #[error("U₄ of two sizes do not cross inside the grid")]
    NoCrossing,
    /// Runs at neighbouring β have no energies in common.
    #[error(
        "neighbouring β are so far apart that runs there have no energies in common, and cannot be reweighted to where the curves meet"
    )]
    Apart,
    /// The noise is as large as the effect.
    #[error(
        "the curves of all sizes meet nowhere within their noise: it needs more sweeps, or β nearer to where they meet"
    )]
    Noise,
}

/// Of the data of a course.
pub(super) struct Reduced {
    pub(super) curves: Vec<SizeCurves>,
    pub(super) critical: Result<Critical, Unlocated>,
}

impl Findings {
    /// From where a survey has ended.
    pub(super) fn of(
        course: Course,
        Reduced { curves, critical }: Reduced,
        class: Class,
        outcome: Option<Outcome>,
        spent: Duration,
    ) -> Self {
        let Course { pilot, measured, .. } = course;
        let of_size = |size: usize| curves.iter().find(|c| c.size == size);
        let sizes: Vec<usize> = curves.iter().map(|c| c.size).collect();
        let pairs = pairs(&sizes)
            .into_iter()
            .filter_map(|(small, large)| Pair::of(of_size(small)?, of_size(large)?))
            .collect();
        let known = (class != Class::MeanField && class != Class::Unknown, class.known());
        let exponents = critical.as_ref().ok().filter(|c| c.sizes.len() > 2);
        let exponents = exponents.map(|c| Exponents::at(&curves, c, class.correction(), known));
        let collapse = critical.as_ref().ok().and_then(|c| {
            let inverse_nu = 1.0 / exponents.as_ref()?.nu?.value.mean;
            Collapse::of(&curves, &c.sizes, c.beta.mean, inverse_nu)
        });
        let mut activity = pilot.map(|pilot| pilot.activity).unwrap_or_default();
        activity += measured.iter().map(|m| m.activity).sum();
        Self {
            points: measured.iter().map(Point::of).collect(),
            measured,
            curves,
            pairs,
            critical,
            exponents,
            collapse,
            outcome,
            activity,
            bracket: pilot.map(|pilot| pilot.interval),
            class,
            spent,
        }
    }
}

/// Sizes L for which 2L is also there, ascending; if there are none, neighbours.
fn pairs(sizes: &[usize]) -> Vec<(usize, usize)> {
    let doubles: Vec<_> = sizes.iter().filter(|&&l| sizes.contains(&(2 * l))).map(|&l| (l, 2 * l)).collect();
    if doubles.is_empty() { sizes.windows(2).map(|w| (w[0], w[1])).collect() } else { doubles }
}
