//! A logarithmic axis over pixels, and how numbers stand on it.

use super::table::si;

/// From one number to another over pixels; `to` may lie below `from`.
pub struct Decades {
    /// Pixel of the low end.
    pub from: i32,
    /// Pixel of the high end.
    pub to: i32,
    /// Low end.
    pub low: f64,
    /// High end.
    pub high: f64,
}

impl Decades {
    /// Over whole decades around all numbers above 0.
    pub fn around(from: i32, to: i32, values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, 0.0f64);
        for value in values.filter(|v| v.is_finite() && *v > 0.0) {
            low = low.min(value);
            high = high.max(value);
        }
        if high <= 0.0 {
            (low, high) = (0.1, 10.0);
        }
        let floor = 10f64.powf(low.log10().floor());
        Self { from, to, low: floor, high: 10f64.powf(high.log10().ceil()).max(floor * 10.0) }
    }

    /// The pixel of a number, held between the ends.
    pub fn at(&self, value: f64) -> i32 {
        let share = (value.max(f64::MIN_POSITIVE) / self.low).log10() / (self.high / self.low).log10();
        self.from + (share.clamp(0.0, 1.0) * f64::from(self.to - self.from)).round() as i32
    }

    /// Powers of ten on it, no closer than `pixels`.
    pub fn ticks(&self, pixels: i32) -> Vec<f64> {
        let (a, b) = (self.low.log10().ceil() as i32, (self.high.log10() + 1e-9).floor() as i32);
        let length = (self.to - self.from).abs();
        let step = (1..).find(|s| length * s >= pixels * (b - a).max(1)).unwrap_or(1);
        (a..=b).step_by(step as usize).map(|d| 10f64.powi(d)).collect()
    }
}

/// A power of ten with its unit.
pub fn tick(value: f64, unit: &str) -> String {
    // `si` keeps three digits; on an axis only the power of ten counts.
    si(value, unit).replacen(".00", "", 1).replacen(".0", "", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_spans_whole_decades_and_marks_them() {
        let axis = Decades::around(100, 400, [3e-4, 0.02, f64::NAN, 0.0].into_iter());
        assert_eq!((axis.at(1e-4), axis.at(0.1), axis.at(1e-3)), (100, 400, 200));
        assert_eq!((axis.at(0.0), axis.at(1e9)), (100, 400));
        assert_eq!(axis.ticks(60).len(), 4);
        assert_eq!(axis.ticks(140).len(), 2);
        assert_eq!(tick(0.01, "J"), "10 mJ");
        assert_eq!(Decades::around(0, 10, std::iter::empty()).at(1.0), 5);
    }
}
