//! β as a function of the sweep: β(t). How often something happens is [`crate::plan::Plan`].

use crate::beta::Beta;
use crate::error::Error;

/// The inverse temperature of every sweep.
///
/// `Linear` and `Geometric` reach `to` at sweep `sweeps − 1` and stay there; `Geometric` multiplies β by a constant
/// factor and therefore needs β > 0 at both ends.
///
/// ```
/// use ceas_sim::{beta::Beta, schedule::Schedule};
/// let b = |x| Beta::new(x).unwrap();
/// let anneal = Schedule::linear(b(0.0), b(1.0), 11).unwrap();
/// assert_eq!(anneal.beta(5).value(), 0.5);
/// assert_eq!(anneal.beta(1_000).value(), 1.0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// The same β for ever.
    Constant(Beta),
    /// β grows by a constant step over the first `sweeps` sweeps. Built by [`Schedule::linear`].
    #[non_exhaustive]
    Linear {
        /// β of sweep 0.
        from: Beta,
        /// β of sweep `sweeps − 1` and after.
        to: Beta,
        /// Length of the ramp.
        sweeps: u64,
    },
    /// β grows by a constant factor over the first `sweeps` sweeps. Built by [`Schedule::geometric`].
    #[non_exhaustive]
    Geometric {
        /// β of sweep 0.
        from: Beta,
        /// β of sweep `sweeps − 1` and after.
        to: Beta,
        /// Length of the ramp.
        sweeps: u64,
    },
}

impl Schedule {
    /// A linear ramp.
    ///
    /// # Errors
    /// [`Error::Schedule`] if the ramp has no sweep.
    pub fn linear(from: Beta, to: Beta, sweeps: u64) -> Result<Self, Error> {
        if sweeps == 0 {
            return Err(Error::Schedule { violated: "a ramp needs at least one sweep" });
        }
        Ok(Self::Linear { from, to, sweeps })
    }

    /// A geometric ramp.
    ///
    /// # Errors
    /// [`Error::Schedule`] if the ramp has no sweep or starts or ends at β = 0.
    pub fn geometric(from: Beta, to: Beta, sweeps: u64) -> Result<Self, Error> {
        if sweeps == 0 {
            return Err(Error::Schedule { violated: "a ramp needs at least one sweep" });
        }
        if from.value() == 0.0 || to.value() == 0.0 {
            return Err(Error::Schedule { violated: "a geometric ramp needs β > 0 at both ends" });
        }
        Ok(Self::Geometric { from, to, sweeps })
    }

    /// β of sweep `sweep` (counted from 0).
    pub fn beta(&self, sweep: u64) -> Beta {
        let ramp = |from: Beta, to: Beta, sweeps: u64, at: fn(f64, f64, f64) -> f64| {
            if sweep + 1 >= sweeps {
                return to;
            }
            let x = sweep as f64 / (sweeps - 1) as f64;
            Beta::new(at(from.value(), to.value(), x)).expect("a ramp between two β stays between them")
        };
        match *self {
            Self::Constant(beta) => beta,
            Self::Linear { from, to, sweeps } => ramp(from, to, sweeps, |a, b, x| a + (b - a) * x),
            Self::Geometric { from, to, sweeps } => {
                ramp(from, to, sweeps, |a, b, x| a * libm::exp(x * libm::log(b / a)))
            }
        }
    }
}
