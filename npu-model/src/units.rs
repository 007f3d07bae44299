//! Physical quantities as types, so that a price cannot be added to a total, nor joules to seconds.
//!
//! Every quantity is held in SI. Only products and quotients with a meaning exist:
//!
//! ```text
//! J/event × events = J      events / (events/s) = s      J / s = W
//! W × s = J                 J / W = s                    J/event × events/s = W
//! ```
//!
//! Adding a price to an energy does not compile:
//!
//! ```compile_fail
//! use ceas_npu_model::units::{Joules, JoulesPerEvent};
//! let wrong = Joules::new(1.0) + JoulesPerEvent::new(1e-12);
//! ```
//!
//! Nor does multiplying a price with a bare number, which is how picojoules become nanojoules:
//!
//! ```compile_fail
//! use ceas_npu_model::units::{Joules, JoulesPerEvent};
//! let wrong: Joules = JoulesPerEvent::new(1e-12) * 1000.0;
//! ```
//!
//! Counting events and multiplying does:
//!
//! ```
//! use ceas_npu_model::units::{Events, Joules, JoulesPerEvent};
//! let total: Joules = JoulesPerEvent::new(1.5e-12) * Events::new(1e12);
//! assert_eq!(total, Joules::new(1.5));
//! ```

use std::iter::Sum;
use std::ops::{Add, Div, Mul, Sub};

use serde::{Deserialize, Serialize};

/// What every quantity can do: be made from and turned into a number in SI units.
///
/// It lets [`crate::interval::Interval`] and the readers of files work on any quantity.
pub trait Quantity: Copy + PartialOrd {
    /// Symbol of the unit, for messages and tables.
    const UNIT: &'static str;
    /// The quantity with this SI value.
    fn from_si(value: f64) -> Self;
    /// Its SI value.
    fn si(self) -> f64;
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(f64);

        impl $name {
            /// From a number in the SI unit.
            pub const fn new(si: f64) -> Self {
                Self(si)
            }
            /// The number in the SI unit.
            pub const fn value(self) -> f64 {
                self.0
            }
            /// The larger of the two.
            pub fn max(self, other: Self) -> Self {
                Self(self.0.max(other.0))
            }
        }

        impl Quantity for $name {
            const UNIT: &'static str = $unit;
            fn from_si(value: f64) -> Self {
                Self(value)
            }
            fn si(self) -> f64 {
                self.0
            }
        }

        impl Div for $name {
            type Output = f64;
            fn div(self, other: Self) -> f64 {
                self.0 / other.0
            }
        }
    };
}

macro_rules! additive {
    ($($name:ident)*) => {$(
        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, times: f64) -> Self {
                Self(self.0 * times)
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
                parts.fold(Self(0.0), Add::add)
            }
        }
    )*};
}

macro_rules! product {
    ($($left:ident * $right:ident = $out:ident;)*) => {$(
        impl Mul<$right> for $left {
            type Output = $out;
            fn mul(self, other: $right) -> $out {
                $out(self.0 * other.0)
            }
        }
        impl Mul<$left> for $right {
            type Output = $out;
            fn mul(self, other: $left) -> $out {
                $out(self.0 * other.0)
            }
        }
        impl Div<$right> for $out {
            type Output = $left;
            fn div(self, other: $right) -> $left {
                $left(self.0 / other.0)
            }
        }
        impl Div<$left> for $out {
            type Output = $right;
            fn div(self, other: $left) -> $right {
                $right(self.0 / other.0)
            }
        }
    )*};
}

quantity!(
    /// An energy in joules: what a thing costs. The dimensionless energy of a spin configuration is another matter.
    Joules, "J");
quantity!(
    /// A duration in seconds.
    Seconds, "s");
quantity!(
    /// A power in watts.
    Watts, "W");
quantity!(
    /// A number of physical events; fractional, because it may be an average over runs.
    Events, "events");
quantity!(
    /// A price: joules for one event.
    JoulesPerEvent, "J/event");
quantity!(
    /// A rate: events in one second.
    Hertz, "events/s");
quantity!(
    /// A number of floating-point operations (a multiply-accumulate is two).
    Flops, "FLOP");
quantity!(
    /// Floating-point operations in one second.
    FlopsPerSecond, "FLOP/s");
quantity!(
    /// Joules for one floating-point operation.
    JoulesPerFlop, "J/FLOP");
quantity!(
    /// An amount of data.
    Bytes, "B");
quantity!(
    /// A bandwidth.
    BytesPerSecond, "B/s");
quantity!(
    /// Joules to move one byte.
    JoulesPerByte, "J/B");
quantity!(
    /// A factor or share, without unit.
    Share, "of 1");
quantity!(
    /// An absolute temperature. It is never a name for β.
    Kelvin, "K");

additive!(Joules Seconds Watts Events Flops Bytes);

product! {
    JoulesPerEvent * Events = Joules;
    Hertz * Seconds = Events;
    Watts * Seconds = Joules;
    JoulesPerEvent * Hertz = Watts;
    JoulesPerFlop * Flops = Joules;
    FlopsPerSecond * Seconds = Flops;
    JoulesPerByte * Bytes = Joules;
    BytesPerSecond * Seconds = Bytes;
}

/// k_B T at temperature `t`: the thermal energy, k_B = 1.380649·10⁻²³ J/K exactly (SI 2019).
pub fn thermal(t: Kelvin) -> Joules {
    Joules(1.380_649e-23 * t.0)
}

/// k_B T ln 2: the least heat of erasing one bit (Landauer, doi:10.1147/rd.53.0183).
pub fn landauer(t: Kelvin) -> Joules {
    thermal(t) * std::f64::consts::LN_2
}
