//! Values of configurations, exact where the weights are whole numbers.

use std::cmp::Ordering;
use std::fmt;

use serde::{Serialize, Serializer};

use super::{Instance, Objective};
use crate::spins::Spins;

/// The value of a configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Exact, because every weight is a whole number.
    Integer(i128),
    /// The sum of real weights, rounded to within a few units in the last place of Σ|weights|.
    Real(f64),
}

impl Value {
    /// The nearest floating-point number.
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Real(value) => value,
        }
    }

    /// Order by size. Values of one instance are of one kind.
    pub fn total_cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            _ => self.to_f64().total_cmp(&other.to_f64()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Real(value) if *value != 0.0 && !(1e-4..1e15).contains(&value.abs()) => {
                write!(f, "{value:e}")
            }
            Self::Real(value) => value.fmt(f),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Integer(value) => match i64::try_from(value) {
                Ok(value) => serializer.serialize_i64(value),
                Err(_) => serializer.serialize_i128(value),
            },
            Self::Real(value) => serializer.serialize_f64(value),
        }
    }
}

/// A sum that carries its rounding error along (Neumaier, doi:10.1002/zamm.19740540106).
#[derive(Default)]
struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, x: f64) {
        let total = self.total + x;
        self.lost +=
            if self.total.abs() >= x.abs() { (self.total - total) + x } else { (x - total) + self.total };
        self.total = total;
    }
}

impl Instance {
    /// Whether every weight is a whole number, so that values are exact.
    pub fn is_integer(&self) -> bool {
        let mut weights = self.quadratic.iter().chain(&self.linear).chain(std::iter::once(&self.offset));
        // Up to 2⁶⁰, so that 2³² of them and twice as many sum in 128 bits.
        weights.all(|w| w.fract() == 0.0 && w.abs() <= (1u64 << 60) as f64)
    }

    /// The value of a configuration by the objective's own definition; for bits, x = 1 where s = +1.
    ///
    /// # Panics
    /// If `spins` has not one spin per variable.
    pub fn value(&self, spins: &Spins) -> Value {
        assert_eq!(spins.len(), self.n, "one spin per variable");
        if self.is_integer() {
            let mut total = 0i128;
            self.terms(spins, |weight| total += weight as i128);
            Value::Integer(total)
        } else {
            let mut sum = Sum::default();
            self.terms(spins, |weight| sum.add(weight));
            Value::Real(sum.total + sum.lost)
        }
    }

    /// Every term of the objective that is not zero.
    fn terms(&self, spins: &Spins, mut add: impl FnMut(f64)) {
        let s = spins.as_slice();
        for (&(i, j), &weight) in self.pairs.iter().zip(&self.quadratic) {
            let (a, b) = (s[i as usize], s[j as usize]);
            match self.objective {
                Objective::MaxCut if a != b => add(weight),
                Objective::Qubo if a + b == 2 => add(weight),
                Objective::Ising => add(-weight * f64::from(a * b)),
                _ => {}
            }
        }
        for (&weight, &s) in self.linear.iter().zip(s) {
            match self.objective {
                Objective::Qubo if s == 1 => add(weight),
                Objective::Ising => add(-weight * f64::from(s)),
                _ => {}
            }
        }
        add(self.offset);
    }
}
