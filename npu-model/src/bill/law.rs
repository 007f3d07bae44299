//! The law that a number is drawn from, and what many draws come to.

use serde::Serialize;

/// A law by its quantiles at 0, ½ and 1: uniform in the logarithm on either side of ½, or uniform where a range reaches 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantiles {
    range: [f64; 3],
    /// ln of the ratio of the ends of each side, where it is drawn in the logarithm.
    logarithm: [Option<f64>; 2],
}

impl Quantiles {
    /// Of three numbers in order.
    pub fn of(range: [f64; 3]) -> Self {
        let side = |from: f64, to: f64| (from > 0.0 && from < to).then(|| libm::log(to / from));
        Self { range, logarithm: [side(range[0], range[1]), side(range[1], range[2])] }
    }

    /// The number at quantile `u` from 0 to 1.
    pub fn at(&self, u: f64) -> f64 {
        let (side, share) = if u < 0.5 { (0, 2.0 * u) } else { (1, 2.0 * u - 1.0) };
        let (from, to) = (self.range[side], self.range[side + 1]);
        match self.logarithm[side] {
            Some(log) => from * libm::exp(share * log),
            None => from + share * (to - from),
        }
    }
}

/// The number at a quantile of [`Quantiles`].
pub fn quantile(range: [f64; 3], u: f64) -> f64 {
    Quantiles::of(range).at(u)
}

/// Energy and time under many draws of all numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draws {
    /// Joules of each draw; none if they are unknown.
    pub energy: Vec<f64>,
    /// Seconds of each draw.
    pub time: Vec<f64>,
}

/// The 5th, 50th and 95th percentile of draws.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// 5 % of draws are below.
    pub p05: f64,
    /// Median.
    pub p50: f64,
    /// 95 % of draws are below.
    pub p95: f64,
}

impl Spread {
    /// Of draws; `None` of none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut values = values.to_vec();
        let last = values.len().checked_sub(1)?;
        let mut at =
            |q: f64| *values.select_nth_unstable_by((q * last as f64).round() as usize, f64::total_cmp).1;
        Some(Self { p05: at(0.05), p50: at(0.5), p95: at(0.95) })
    }
}
