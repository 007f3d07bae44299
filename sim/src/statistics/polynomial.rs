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
pub(crate) struct Point {
    /// Abscissa.
    pub(crate) x: f64,
    /// Value.
    pub(crate) y: f64,
    /// One-σ error of the value; it must be positive.
    pub(crate) error: f64,
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

    /// Σ ((y − p(x))/error)².
    pub(crate) fn chi_squared(&self, points: &[Point]) -> f64 {
        points.iter().map(|p| (p.y - self.at(p.x)) / p.error).map(|r| r * r).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polynomial_of_the_degree_is_met_and_one_of_a_higher_is_not() {
        let points = |cubic: f64| -> Vec<Point> {
            let at = |x: f64| 0.61 + (x - 0.44) - 3.0 * (x - 0.44).powi(2) + cubic * (x - 0.44).powi(3);
            (0..9).map(|i| 0.40 + 0.01 * f64::from(i)).map(|x| Point { x, y: at(x), error: 1e-6 }).collect()
        };
        let met = Polynomial::fit(&points(0.0), 2).unwrap();
        assert!(met.chi_squared(&points(0.0)) < 1e-9 && (met.at(0.44) - 0.61).abs() < 1e-12);
        let missed = points(10.0);
        assert!(Polynomial::fit(&missed, 2).unwrap().chi_squared(&missed) > 1e3);
        assert!(Polynomial::fit(&points(0.0)[..2], 2).is_none());
    }
}
