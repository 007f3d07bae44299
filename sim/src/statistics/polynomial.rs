//! Weighted least-squares polynomials over an interval.

use super::least_squares;

/// A polynomial in u = (x − centre)/half, u ∈ [−1, 1] over the points it was fitted to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Polynomial {
    centre: f64,
    half: f64,
    coefficients: Vec<f64>,
}

/// One point of a curve: abscissa, value, one-σ error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Abscissa.
    pub x: f64,
    /// Value.
    pub y: f64,
    /// One-σ error of the value; it must be positive.
    pub error: f64,
}

impl Polynomial {
    /// The least-squares polynomial of `degree`, points weighted by 1/error²; `None` if it is not determined.
    pub(crate) fn fit(points: &[Point], degree: usize) -> Option<Self> {
        let low = points.iter().map(|p| p.x).reduce(f64::min)?;
        let high = points.iter().map(|p| p.x).reduce(f64::max)?;
        let terms = degree + 1;
        if points.len() < terms || high <= low && degree > 0 {
            return None;
        }
        let (centre, half) = (0.5 * (low + high), if degree == 0 { 1.0 } else { 0.5 * (high - low) });
        let rows = points
            .iter()
            .map(|p| {
                let u = (p.x - centre) / half;
                let mut row: Vec<f64> =
                    std::iter::successors(Some(1.0 / p.error), |t| Some(t * u)).take(terms).collect();
                row.push(p.y / p.error);
                row
            })
            .collect();
        let coefficients = least_squares::solve(rows, terms)?;
        Some(Self { centre, half, coefficients })
    }

    pub(crate) fn at(&self, x: f64) -> f64 {
        let u = (x - self.centre) / self.half;
        self.coefficients.iter().rev().fold(0.0, |sum, c| sum * u + c)
    }

    pub(crate) fn slope(&self, x: f64) -> f64 {
        let u = (x - self.centre) / self.half;
        let mut sum = 0.0;
        for (k, c) in self.coefficients.iter().enumerate().skip(1).rev() {
            sum = sum * u + k as f64 * c;
        }
        sum / self.half
    }

    /// Σ ((y − p(x))/error)².
    pub(crate) fn chi_squared(&self, points: &[Point]) -> f64 {
        points.iter().map(|p| (p.y - self.at(p.x)) / p.error).map(|r| r * r).sum()
    }
}
