//! A number with its first two derivatives in β, so that energies and specific heats come from ln Z without differences.

use std::ops::{Add, Mul, Sub};

/// f(β), f′(β), f″(β).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Jet {
    pub(super) value: f64,
    pub(super) first: f64,
    pub(super) second: f64,
}

impl Jet {
    /// The variable itself.
    pub(super) fn variable(value: f64) -> Self {
        Self { value, first: 1.0, second: 0.0 }
    }

    /// A number that does not depend on β.
    pub(super) fn constant(value: f64) -> Self {
        Self { value, first: 0.0, second: 0.0 }
    }

    /// g(f(β)) from g, g′, g″ at f.
    fn compose(self, g: f64, g1: f64, g2: f64) -> Self {
        Self { value: g, first: g1 * self.first, second: g2 * self.first * self.first + g1 * self.second }
    }

    pub(super) fn exp(self) -> Self {
        let e = libm::exp(self.value);
        self.compose(e, e, e)
    }

    pub(super) fn ln(self) -> Self {
        let inverse = 1.0 / self.value;
        self.compose(libm::log(self.value), inverse, -inverse * inverse)
    }

    pub(super) fn ln_1p(self) -> Self {
        let inverse = 1.0 / (1.0 + self.value);
        self.compose(libm::log1p(self.value), inverse, -inverse * inverse)
    }

    pub(super) fn sqrt(self) -> Self {
        let root = libm::sqrt(self.value);
        self.compose(root, 0.5 / root, -0.25 / (root * self.value))
    }

    pub(super) fn recip(self) -> Self {
        let inverse = 1.0 / self.value;
        self.compose(inverse, -inverse * inverse, 2.0 * inverse * inverse * inverse)
    }

    pub(super) fn sinh(self) -> Self {
        let (s, c) = (libm::sinh(self.value), libm::cosh(self.value));
        self.compose(s, c, s)
    }

    pub(super) fn tanh(self) -> Self {
        let t = libm::tanh(self.value);
        let slope = 1.0 - t * t;
        self.compose(t, slope, -2.0 * t * slope)
    }

    /// ln(2 cosh f) without overflow.
    pub(super) fn ln_2cosh(self) -> Self {
        let (x, t) = (self.value.abs(), libm::tanh(self.value));
        self.compose(x + libm::log1p(libm::exp(-2.0 * x)), t, 1.0 - t * t)
    }

    /// ln(2 sinh f) for f > 0 without overflow.
    pub(super) fn ln_2sinh(self) -> Self {
        let x = self.value;
        let coth = 1.0 / libm::tanh(x);
        self.compose(x + libm::log(-libm::expm1(-2.0 * x)), coth, 1.0 - coth * coth)
    }
}

impl Add for Jet {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            first: self.first + other.first,
            second: self.second + other.second,
        }
    }
}

impl Sub for Jet {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + other * -1.0
    }
}

impl Mul for Jet {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self {
            value: self.value * other.value,
            first: self.first * other.value + self.value * other.first,
            second: self.second * other.value + 2.0 * self.first * other.first + self.value * other.second,
        }
    }
}

impl Mul<f64> for Jet {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self { value: self.value * factor, first: self.first * factor, second: self.second * factor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each function against the three-point differences of itself.
    #[test]
    fn derivatives_agree_with_differences() {
        type Named = (&'static str, fn(Jet) -> Jet);
        let functions: [Named; 10] = [
            ("exp", Jet::exp),
            ("ln", Jet::ln),
            ("ln_1p", Jet::ln_1p),
            ("sqrt", Jet::sqrt),
            ("recip", Jet::recip),
            ("sinh", Jet::sinh),
            ("tanh", Jet::tanh),
            ("ln_2cosh", Jet::ln_2cosh),
            ("ln_2sinh", Jet::ln_2sinh),
            ("x·exp(x²)", |x| x * (x * x).exp()),
        ];
        let (x, h) = (0.7, 1e-4);
        for (name, f) in functions {
            let at = |x: f64| f(Jet::variable(x)).value;
            let jet = f(Jet::variable(x));
            let first = (at(x + h) - at(x - h)) / (2.0 * h);
            let second = (at(x + h) - 2.0 * at(x) + at(x - h)) / (h * h);
            assert!((jet.first - first).abs() < 1e-6, "{name}: {} against {first}", jet.first);
            assert!((jet.second - second).abs() < 1e-5, "{name}: {} against {second}", jet.second);
        }
    }
}
