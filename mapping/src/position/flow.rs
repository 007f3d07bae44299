//! One-parameter groups of motions: positions as orbits, and the distance along them in closed form.

use super::Point;

/// How position t moves on the disk of curvature −1. Positions are integers or real; distances depend on Δ = |t − t'| alone.
///
/// [`Flow::distance`] is a formula in Δ and saturates nowhere; [`Flow::orbit`] is the point itself, as long as a double can hold it.
///
/// ```
/// use ceas_mapping::position::Flow;
/// let alibi = Flow::Hyperbolic { rapidity: 0.05 };
/// assert_eq!(alibi.distance(100_000.0), 5_000.0);
/// let (a, b) = (alibi.orbit(10.0).unwrap(), alibi.orbit(73.0).unwrap());
/// assert!((a.distance(b) - alibi.distance(63.0)).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Flow {
    /// Along a diameter: z = tanh(ℓt/2), d = ℓΔ.
    Hyperbolic {
        /// ℓ: distance per position.
        rapidity: f64,
    },
    /// Along a horocycle: z = Cayley(at + i), d = 2 asinh(aΔ/2) = arcosh(1 + a²Δ²/2).
    Parabolic {
        /// a.
        rate: f64,
    },
    /// Around a circle: z = r e^(iωt), d = 2 asinh(sinh ρ·|sin(ωΔ/2)|) with ρ = 2 artanh r.
    Elliptic {
        /// ω: angle per position.
        angle: f64,
        /// ρ: distance of the circle from the centre.
        radius: f64,
    },
}

impl Flow {
    /// d between two positions `apart` = Δ from each other.
    pub fn distance(self, apart: f64) -> f64 {
        let apart = apart.abs();
        match self {
            Self::Hyperbolic { rapidity } => rapidity * apart,
            Self::Parabolic { rate } => 2.0 * libm::asinh(0.5 * rate * apart),
            Self::Elliptic { angle, radius } => {
                2.0 * libm::asinh(libm::sinh(radius) * libm::sin(0.5 * angle * apart).abs())
            }
        }
    }

    /// The point of position t; `None` where it rounds to the rim (hyperbolic: from ℓt ≈ 38 on).
    pub fn orbit(self, t: f64) -> Option<Point> {
        match self {
            Self::Hyperbolic { rapidity } => {
                Point::polar((rapidity * t).abs(), if t < 0.0 { std::f64::consts::PI } else { 0.0 })
            }
            Self::Parabolic { rate } => Point::cayley(rate * t, 1.0),
            Self::Elliptic { angle, radius } => Point::polar(radius, angle * t),
        }
    }
}
