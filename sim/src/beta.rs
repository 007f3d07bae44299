//! The inverse temperature.

use serde::Serialize;

use crate::error::Error;

/// The inverse temperature β ≥ 0 of the weight e^(−βH), in units of 1/energy. It is never folded into J or h.
///
/// ```
/// use ceas_sim::beta::Beta;
/// assert_eq!(Beta::new(0.44).unwrap().value(), 0.44);
/// assert!(Beta::new(-1.0).is_err());
/// assert!(Beta::new(f64::NAN).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
pub struct Beta(f64);

impl Beta {
    /// A finite β ≥ 0.
    ///
    /// # Errors
    /// [`Error::Beta`] if `value` is negative, infinite or not a number.
    pub fn new(value: f64) -> Result<Self, Error> {
        if value.is_finite() && value >= 0.0 { Ok(Self(value)) } else { Err(Error::Beta { got: value }) }
    }

    /// The number itself.
    pub fn value(self) -> f64 {
        self.0
    }
}
