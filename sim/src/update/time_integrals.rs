//! Averages in which a configuration counts for as long as it lasted.

use std::ops::Sub;

use serde::{Deserialize, Serialize};

/// ∫ dt of what a configuration has: means over time once divided by `time`.
///
/// Differences of what is read at two moments are the integrals over the time between them; feed their means to
/// [`crate::statistics::Accumulator`] to get an error that has grown by τ_int.
///
/// ```
/// use ceas_sim::update::TimeIntegrals;
/// let now = TimeIntegrals { time: 4.0, energy: -6.0, ..TimeIntegrals::default() };
/// let before = TimeIntegrals { time: 2.0, energy: -2.0, ..TimeIntegrals::default() };
/// assert_eq!((now - before).means().energy, -2.0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeIntegrals {
    /// ∫ dt, in units of the inverse attempt rate of one spin.
    pub time: f64,
    /// ∫ E dt, E the total energy.
    pub energy: f64,
    /// ∫ E² dt.
    pub energy_2: f64,
    /// ∫ m dt, m = M/N.
    pub magnetization: f64,
    /// ∫ |m| dt.
    pub abs_magnetization: f64,
    /// ∫ m² dt.
    pub magnetization_2: f64,
    /// ∫ m⁴ dt.
    pub magnetization_4: f64,
}

impl TimeIntegrals {
    /// Everything divided by `time`, which becomes 1.
    pub fn means(self) -> Self {
        self.map(|x| x / self.time)
    }

    #[inline]
    pub(super) fn add(&mut self, time: f64, energy: f64, m: f64) {
        let square = m * m;
        self.time += time;
        self.energy += time * energy;
        self.energy_2 += time * energy * energy;
        self.magnetization += time * m;
        self.abs_magnetization += time * m.abs();
        self.magnetization_2 += time * square;
        self.magnetization_4 += time * square * square;
    }

    /// Every number, in the order of the struct.
    pub(crate) fn to_array(self) -> [f64; 7] {
        [
            self.time,
            self.energy,
            self.energy_2,
            self.magnetization,
            self.abs_magnetization,
            self.magnetization_2,
            self.magnetization_4,
        ]
    }

    pub(crate) fn from_array(numbers: [f64; 7]) -> Self {
        let [time, energy, energy_2, magnetization, abs_magnetization, magnetization_2, magnetization_4] =
            numbers;
        Self { time, energy, energy_2, magnetization, abs_magnetization, magnetization_2, magnetization_4 }
    }

    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Self::from_array(self.to_array().map(f))
    }
}

impl Sub for TimeIntegrals {
    type Output = Self;
    fn sub(self, earlier: Self) -> Self {
        let (mut now, before) = (self.to_array(), earlier.to_array());
        for (x, y) in now.iter_mut().zip(before) {
            *x -= y;
        }
        Self::from_array(now)
    }
}
