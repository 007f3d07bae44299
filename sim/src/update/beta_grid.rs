//! The inverse temperatures of a ladder of replicas.

use crate::beta::Beta;
use crate::error::Error;

/// At least two β, strictly ascending: rung 0 is the hottest, the last rung the coldest.
///
/// ```
/// use ceas_sim::{beta::Beta, update::BetaGrid};
/// let b = |x| Beta::new(x).unwrap();
/// let grid = BetaGrid::geometric(b(0.25), b(1.0), 3).unwrap();
/// assert!((grid.betas()[1].value() - 0.5).abs() < 1e-15);
/// // The second interval rejects three times as often: equal steps in rejection put two thirds of the new rungs into it.
/// let even = grid.equalized(&[0.2, 0.6], 5).unwrap();
/// assert!((even.betas()[1].value() - 0.5).abs() < 1e-12);
/// assert!(BetaGrid::new(vec![b(1.0), b(1.0)]).is_err());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BetaGrid(Vec<Beta>);

impl BetaGrid {
    /// The β given.
    ///
    /// # Errors
    /// [`Error::Schedule`] unless there are at least two, strictly ascending.
    pub fn new(betas: Vec<Beta>) -> Result<Self, Error> {
        if betas.len() < 2 || !betas.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(Error::Schedule { violated: "a ladder needs at least two β, strictly ascending" });
        }
        Ok(Self(betas))
    }

    /// `rungs` β in equal steps.
    ///
    /// # Errors
    /// [`Error::Schedule`] unless `from` < `to` and there are at least two rungs between which β still differs.
    pub fn linear(from: Beta, to: Beta, rungs: usize) -> Result<Self, Error> {
        let (a, b) = (from.value(), to.value());
        Self::spaced(from, to, rungs, |x| a + (b - a) * x)
    }

    /// `rungs` β by equal factors.
    ///
    /// # Errors
    /// [`Error::Schedule`] unless 0 < `from` < `to` and there are at least two rungs between which β still differs.
    pub fn geometric(from: Beta, to: Beta, rungs: usize) -> Result<Self, Error> {
        if from.value() == 0.0 {
            return Err(Error::Schedule { violated: "a geometric ladder needs β > 0 at both ends" });
        }
        let (a, b) = (from.value(), to.value());
        Self::spaced(from, to, rungs, |x| a * libm::exp(x * libm::log(b / a)))
    }

    fn spaced(from: Beta, to: Beta, rungs: usize, at: impl Fn(f64) -> f64) -> Result<Self, Error> {
        let beta = |k: usize| match k {
            0 => Ok(from),
            k if k + 1 == rungs => Ok(to),
            k => Beta::new(at(k as f64 / (rungs - 1) as f64)),
        };
        Self::new((0..rungs).map(beta).collect::<Result<_, _>>()?)
    }

    /// The β, ascending.
    pub fn betas(&self) -> &[Beta] {
        &self.0
    }

    /// Number of rungs.
    pub fn rungs(&self) -> usize {
        self.0.len()
    }

    /// The least β.
    pub fn hottest(&self) -> Beta {
        self.0[0]
    }

    /// The greatest β.
    pub fn coldest(&self) -> Beta {
        self.0[self.0.len() - 1]
    }

    /// `rungs` β between the same ends such that each interval rejects equally often, given how often each interval of this grid
    /// rejects: equal steps of Λ(β), the sum of rejection rates up to β, interpolated linearly (Syed, Bouchard-Côté, Deligiannidis,
    /// Doucet, doi:10.1111/rssb.12464). It uses rejection rates alone, and no feedback from the flow of replicas.
    ///
    /// # Errors
    /// [`Error::Count`] unless there is one rate per interval, [`Error::Schedule`] if fewer than two rungs are asked for or so many that β
    /// no longer differs between them.
    pub fn equalized(&self, rejections: &[f64], rungs: usize) -> Result<Self, Error> {
        let intervals = self.0.len() - 1;
        if rejections.len() != intervals {
            return Err(Error::Count {
                what: "rejection rates",
                per: "interval of the ladder",
                expected: intervals,
                got: rejections.len(),
            });
        }
        // An interval that was never seen to reject keeps a little of the ladder, so that Λ ascends.
        let total: f64 = rejections.iter().sum();
        let least = if total > 0.0 { 1e-3 * total / intervals as f64 } else { 1.0 };
        let steps: Vec<f64> = rejections.iter().map(|r| r.max(least)).collect();
        let barrier: f64 = steps.iter().sum();
        let at = |x: f64| {
            let (mut left, mut k) = (x * barrier, 0);
            while k + 1 < intervals && left > steps[k] {
                left -= steps[k];
                k += 1;
            }
            let (a, b) = (self.0[k].value(), self.0[k + 1].value());
            a + (b - a) * (left / steps[k]).min(1.0)
        };
        Self::spaced(self.hottest(), self.coldest(), rungs, at)
    }
}
