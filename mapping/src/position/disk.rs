//! The Poincaré disk of curvature −1 and its motions.

/// A point of the open unit disk, z = x + iy.
///
/// Coordinates lose the distance from the rim: 1 − |z| = 2e^(−ℓt) underflows the 53 bits of a double at ℓt ≈ 36. What is far out is kept by
/// its rapidity ([`super::Flow`]), not by z.
///
/// ```
/// use ceas_mapping::position::Point;
/// let (z, w) = (Point::new(0.3, -0.1).unwrap(), Point::new(-0.2, 0.5).unwrap());
/// // −z undoes z, and motions keep distances.
/// assert!(z.negated().plus(z.plus(w)).distance(w) < 1e-12);
/// let moved = Point::new(0.4, 0.4).unwrap();
/// assert!((moved.plus(z).distance(moved.plus(w)) - z.distance(w)).abs() < 1e-12);
/// assert!(Point::new(1.0, 0.0).is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    x: f64,
    y: f64,
}

impl Point {
    /// The centre.
    pub const ORIGIN: Self = Self { x: 0.0, y: 0.0 };

    /// x + iy; `None` unless |z| < 1.
    pub fn new(x: f64, y: f64) -> Option<Self> {
        (x * x + y * y < 1.0).then_some(Self { x, y })
    }

    /// At distance `rapidity` from the centre in direction `angle`: |z| = tanh(rapidity/2).
    ///
    /// `None` where that rounds to the rim, from a rapidity of about 38 on.
    pub fn polar(rapidity: f64, angle: f64) -> Option<Self> {
        let r = libm::tanh(0.5 * rapidity);
        Self::new(r * libm::cos(angle), r * libm::sin(angle))
    }

    /// Coordinates (x, y).
    pub fn coordinates(self) -> (f64, f64) {
        (self.x, self.y)
    }

    /// −z.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { x: -self.x, y: -self.y }
    }

    /// Möbius addition z ⊕ w: w carried along by the motion that takes the centre to z. Neither commutative nor associative.
    ///
    /// Source: A. A. Ungar, doi:10.2200/S00175ED1V01Y200901MAS004.
    #[must_use]
    pub fn plus(self, w: Self) -> Self {
        let dot = self.x * w.x + self.y * w.y;
        let (zz, ww) = (self.x * self.x + self.y * self.y, w.x * w.x + w.y * w.y);
        let (a, b, c) = (1.0 + 2.0 * dot + ww, 1.0 - zz, 1.0 + 2.0 * dot + zz * ww);
        Self { x: (a * self.x + b * w.x) / c, y: (a * self.y + b * w.y) / c }
    }

    /// d(z, w) = 2 artanh|(−z) ⊕ w|, computed as 2 asinh(|z − w|/√((1 − |z|²)(1 − |w|²))), which loses no digits between points that are close.
    pub fn distance(self, w: Self) -> f64 {
        let apart = libm::hypot(self.x - w.x, self.y - w.y);
        let from_rim = |p: Self| {
            let r = libm::hypot(p.x, p.y);
            (1.0 - r) * (1.0 + r)
        };
        2.0 * libm::asinh(apart / (from_rim(self) * from_rim(w)).sqrt())
    }

    /// The image of the half plane's x + iy, y > 0, under the Cayley map (z − i)/(z + i).
    ///
    /// `None` where the image rounds to the rim.
    pub fn cayley(x: f64, y: f64) -> Option<Self> {
        // (x + i(y − 1))/(x + i(y + 1))
        let length = x * x + (y + 1.0) * (y + 1.0);
        Self::new((x * x + (y - 1.0) * (y + 1.0)) / length, -2.0 * x / length)
    }
}
