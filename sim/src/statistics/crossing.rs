//! Where two noisy curves cross.

pub use super::polynomial::Point;
use super::polynomial::Polynomial;
use crate::error::Error;

/// Intervals in which a root is bracketed before it is bisected.
const SCAN: usize = 256;

/// Two curves over overlapping ranges of β, each smoothed by a least-squares polynomial of the same degree.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    small: Polynomial,
    large: Polynomial,
    range: [f64; 2],
    chi_squared: f64,
    freedom: usize,
}

impl Curves {
    /// Fits both curves.
    ///
    /// # Errors
    /// [`Error::Data`] if one of them has fewer than `degree + 1` distinct points, an error is not positive, or their ranges
    /// do not overlap.
    pub fn fit(small: &[Point], large: &[Point], degree: usize) -> Result<Self, Error> {
        let refuse = |violated| Error::Data { what: "a crossing", violated };
        if small.iter().chain(large).any(|p| p.error.is_nan() || p.error <= 0.0) {
            return Err(refuse("a point has no positive error"));
        }
        let few = "each curve needs more distinct points than the degree of the fit";
        let fit = |points: &[Point]| Polynomial::fit(points, degree).ok_or(refuse(few));
        let (a, b) = (fit(small)?, fit(large)?);
        let low = |points: &[Point]| points.iter().map(|p| p.x).fold(f64::INFINITY, f64::min);
        let high = |points: &[Point]| points.iter().map(|p| p.x).fold(f64::NEG_INFINITY, f64::max);
        let range = [low(small).max(low(large)), high(small).min(high(large))];
        if range[0] >= range[1] {
            return Err(refuse("the two curves have no range in common"));
        }
        let chi_squared = a.chi_squared(small) + b.chi_squared(large);
        let freedom = small.len() + large.len() - 2 * (degree + 1);
        Ok(Self { small: a, large: b, range, chi_squared, freedom })
    }

    /// large − small at x.
    pub fn difference(&self, x: f64) -> f64 {
        self.large.at(x) - self.small.at(x)
    }

    /// Slope of large − small at x.
    pub fn slope(&self, x: f64) -> f64 {
        self.large.slope(x) - self.small.slope(x)
    }

    /// Both curves at x.
    pub fn at(&self, x: f64) -> [f64; 2] {
        [self.small.at(x), self.large.at(x)]
    }

    /// The range both curves cover.
    pub fn range(&self) -> [f64; 2] {
        self.range
    }

    /// χ² of both fits together and its degrees of freedom.
    pub fn chi_squared(&self) -> (f64, usize) {
        (self.chi_squared, self.freedom)
    }

    /// The x in the common range where large − small rises through zero, the steepest one if there are several; `None`
    /// if there is none.
    ///
    /// For Binder cumulants, the larger lattice lies below in the disordered phase and above in the ordered one.
    pub fn rising_root(&self) -> Option<f64> {
        let [low, high] = self.range;
        let x = |i: usize| low + (high - low) * i as f64 / SCAN as f64;
        (0..SCAN)
            .filter(|&i| self.difference(x(i)) <= 0.0 && self.difference(x(i + 1)) > 0.0)
            .map(|i| self.bisect(x(i), x(i + 1)))
            .max_by(|a, b| self.slope(*a).total_cmp(&self.slope(*b)))
    }

    fn bisect(&self, mut low: f64, mut high: f64) -> f64 {
        // Sixty halvings of an interval reach the spacing of the numbers in it.
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.difference(middle) > 0.0 { high = middle } else { low = middle }
        }
        0.5 * (low + high)
    }
}
