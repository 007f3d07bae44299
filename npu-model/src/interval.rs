//! A quantity that is known as low, middle and high.

use std::ops::{Add, Mul};

use serde::Serialize;

use crate::units::Quantity;

/// low ≤ mid ≤ high of one quantity.
///
/// `mid` is the median, `low` and `high` bound what the evidence allows. Sums add the ends: everything cheap at once, or
/// everything dear at once. That is the widest range, exact when the numbers err together (as they do when one estimator
/// made them) and pessimistic when they are independent.
///
/// ```
/// use ceas_npu_model::interval::Interval;
/// use ceas_npu_model::units::Joules;
/// let a = Interval::new(Joules::new(1.0), Joules::new(2.0), Joules::new(4.0));
/// assert_eq!((a + a).high, Joules::new(8.0));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Interval<Q> {
    /// The least the evidence allows.
    pub low: Q,
    /// The median.
    pub mid: Q,
    /// The most the evidence allows.
    pub high: Q,
}

impl<Q: Quantity> Interval<Q> {
    /// From the three numbers.
    ///
    /// # Panics
    /// If they are out of order, which readers of files check beforehand.
    pub fn new(low: Q, mid: Q, high: Q) -> Self {
        assert!(
            low <= mid && mid <= high,
            "an interval is in order: {} {} {}",
            low.si(),
            mid.si(),
            high.si()
        );
        Self { low, mid, high }
    }

    /// The three ends equal.
    pub fn exactly(value: Q) -> Self {
        Self { low: value, mid: value, high: value }
    }

    /// Applies a rising function to every end.
    pub fn map<R: Quantity>(self, rising: impl Fn(Q) -> R) -> Interval<R> {
        Interval::new(rising(self.low), rising(self.mid), rising(self.high))
    }

    /// Applies a falling function: the ends change places.
    pub fn map_falling<R: Quantity>(self, falling: impl Fn(Q) -> R) -> Interval<R> {
        Interval::new(falling(self.high), falling(self.mid), falling(self.low))
    }

    /// The larger of the two, end by end.
    pub fn max(self, other: Self) -> Self {
        let larger = |a: Q, b: Q| if a < b { b } else { a };
        Self {
            low: larger(self.low, other.low),
            mid: larger(self.mid, other.mid),
            high: larger(self.high, other.high),
        }
    }
}

impl<Q: Quantity + Add<Output = Q>> Add for Interval<Q> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { low: self.low + other.low, mid: self.mid + other.mid, high: self.high + other.high }
    }
}

impl<Q: Quantity + Mul<f64, Output = Q>> Interval<Q> {
    /// Every end times a number ≥ 0.
    ///
    /// # Panics
    /// If `times` is negative or NaN.
    pub fn scaled(self, times: f64) -> Self {
        assert!(times >= 0.0, "an interval is scaled by a number ≥ 0, not {times}");
        Self { low: self.low * times, mid: self.mid * times, high: self.high * times }
    }
}
