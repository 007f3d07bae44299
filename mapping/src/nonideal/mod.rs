//! What a device does wrong: one struct, everything off by default, frozen flaws from a seed of their own.
//!
//! | flaw | acts on | frozen |
//! |---|---|---|
//! | [`NonIdeal::field_bits`] | fields of a row over the top [`FIELD_RANGE`] kT; inputs of gates | – |
//! | [`NonIdeal::coupling_bits`] | K and the clamps q, symmetric about 0 and per head | – |
//! | [`NonIdeal::mismatch`] | every coupling, relative | per unit and wire |
//! | [`NonIdeal::field_noise`] | every field, in kT | per unit |
//! | [`NonIdeal::beta_error`] | β of a head or of a layer of gates, relative | per head |
//! | [`NonIdeal::beta_drift`] | β during the read-outs, relative from first to last | – |
//! | [`NonIdeal::stuck_off`], [`NonIdeal::stuck_on`] | units | per unit |
//! | [`NonIdeal::comparator`] | the shape of the noise | – |
//! | [`NonIdeal::read_out_error`] | a read-out says another state, a bit the other value | – |
//! | [`NonIdeal::penalty`] | no flaw by itself: rows stand on one-hot clusters with Poisson clocks, S read-outs of which are valid | – |
//! | [`NonIdeal::latency`] | coupled p-bits decide on an old state ([`crate::pbits::Asynchronous`], [`Late`]) | – |
//! | [`NonIdeal::sweeps`] | read-outs of a chain or a cluster that follow too soon | – |
//!
//! [`Chip`] is an encoder's attention, feed-forward blocks and norms with these flaws. Their measured effect on all-MiniLM-L6-v2 is in
//! `docs/components.md`.

mod chip;
mod codes;
mod late;
mod row;

pub use chip::{Chip, Reads};
pub use codes::Codes;
pub use late::{Bits, Cluster, Late};
pub use row::RowFlaws;

use std::num::NonZeroU32;

use ceas_sim::stream::{Purpose, Stream};

use crate::error::Error;
use crate::pbits::Noise;

/// Fields are written over this range below the largest, in kT: what lies further down is written as its end. It costs at most
/// N·e^(−12) = N·6e-6 in total variation.
pub const FIELD_RANGE: f64 = 12.0;

/// Flaws of a device. [`NonIdeal::default`] has none.
///
/// ```
/// use ceas_mapping::nonideal::NonIdeal;
/// let perfect = NonIdeal::default();
/// assert!(perfect.is_none() && perfect.check().is_ok());
/// assert!(NonIdeal { field_bits: Some(0), ..perfect }.check().is_err());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct NonIdeal {
    /// Bits of a field: 2^B levels over the range; 1 to 24.
    pub field_bits: Option<u32>,
    /// Bits of a coupling and of a clamp, sign included: 2^B − 1 levels; 2 to 24.
    pub coupling_bits: Option<u32>,
    /// Standard deviation of a coupling, relative to itself.
    pub mismatch: f64,
    /// Standard deviation of a field's offset, in kT.
    pub field_noise: f64,
    /// Standard deviation of ln β.
    pub beta_error: f64,
    /// Relative change of β from the first read-out to the last.
    pub beta_drift: f64,
    /// Share of the units that never come up.
    pub stuck_off: f64,
    /// Share of the units that are always up.
    pub stuck_on: f64,
    /// Shape of the comparators' noise; `None` is the one that the component asks for.
    pub comparator: Option<Noise>,
    /// Probability that a read-out is wrong.
    pub read_out_error: f64,
    /// Strength βA of the penalty that couples the p-bits of a row, read by single-spin dynamics; `None` draws from the law. Only sampled rows
    /// ([`Reads::Times`]) notice.
    pub penalty: Option<f64>,
    /// Delay of the wires between coupled p-bits, in units of the time between two attempts of one of them; without a penalty nobody
    /// notices.
    pub latency: f64,
    /// Sweeps between two read-outs of a Metropolis chain, or of a cluster (there `None` is 1); else `None` is a fresh draw each time.
    pub sweeps: Option<NonZeroU32>,
    /// Seed of what is frozen: another seed is another device.
    pub seed: u64,
}

/// Which frozen numbers of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Offsets of fields.
    Field = 1,
    /// Mismatch of couplings.
    Coupling = 2,
    /// Errors of β.
    Beta = 3,
    /// Stuck units.
    Stuck = 4,
}

impl NonIdeal {
    /// Whether nothing is wrong.
    pub fn is_none(&self) -> bool {
        Self { seed: 0, ..*self } == Self::default()
    }

    /// # Errors
    /// [`Error::Component`] naming what is out of range.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |violated| Err(Error::Component { component: "non-idealities", violated });
        let share = |x: f64| (0.0..=1.0).contains(&x);
        let size = |x: f64| x >= 0.0 && x.is_finite();
        if self.field_bits.is_some_and(|bits| !(1..=24).contains(&bits)) {
            return refuse("a field has 1 to 24 bits");
        }
        if self.coupling_bits.is_some_and(|bits| !(2..=24).contains(&bits)) {
            return refuse("a coupling has 2 to 24 bits, one of them its sign");
        }
        if ![self.mismatch, self.field_noise, self.beta_error, self.latency].into_iter().all(size) {
            return refuse("mismatch, noise, the error of β and latency are finite numbers ≥ 0");
        }
        if !size(self.penalty.unwrap_or(0.0)) {
            return refuse("the strength of a penalty is a finite number ≥ 0");
        }
        if self.latency > 0.0 && self.penalty.is_none() {
            return refuse("latency lies between coupled p-bits: it needs a penalty that couples them");
        }
        if !(self.beta_drift > -1.0 && self.beta_drift.is_finite()) {
            return refuse("the drift of β is a finite number > −1");
        }
        if ![self.stuck_off, self.stuck_on, self.stuck_off + self.stuck_on, self.read_out_error]
            .into_iter()
            .all(share)
        {
            return refuse("shares of stuck units and of wrong read-outs lie between 0 and 1");
        }
        match self.comparator {
            Some(Noise::Gaussian { scale }) if !(scale > 0.0 && scale.is_finite()) => {
                refuse("the noise of a comparator has a finite standard deviation > 0")
            }
            _ => Ok(()),
        }
    }

    /// The stream of the frozen numbers of one unit: `layer` and `head` say where, `unit` which.
    pub fn frozen(&self, part: Part, layer: usize, head: usize, unit: usize) -> Stream {
        let place = (part as u64) << 48 | (layer as u64) << 24 | head as u64;
        Stream::new(self.seed, Purpose::Disorder, place, unit as u64)
    }

    /// e^(error of β) of one head.
    pub fn beta_factor(&self, layer: usize, head: usize) -> f64 {
        if self.beta_error == 0.0 {
            return 1.0;
        }
        libm::exp(self.beta_error * self.frozen(Part::Beta, layer, head, 0).normal())
    }

    /// Whether a unit is stuck, and at what.
    pub fn stuck(&self, layer: usize, head: usize, unit: usize) -> Option<bool> {
        if self.stuck_off == 0.0 && self.stuck_on == 0.0 {
            return None;
        }
        let u = self.frozen(Part::Stuck, layer, head, unit).uniform();
        if u < self.stuck_off { Some(false) } else { (u < self.stuck_off + self.stuck_on).then_some(true) }
    }
}

/// x rounded to `bits` bits, sign included, over ±`largest`: steps of largest/(2^(B−1) − 1).
///
/// ```
/// use ceas_mapping::nonideal::rounded;
/// assert_eq!(rounded(0.6, 1.0, 2), 1.0);
/// assert!((rounded(0.6, 1.0, 8) - 0.6).abs() <= 0.5 / 127.0);
/// ```
pub fn rounded(x: f64, largest: f64, bits: u32) -> f64 {
    let step = largest / ((1u64 << (bits - 1)) - 1) as f64;
    if step > 0.0 { libm::round(x / step) * step } else { 0.0 }
}

/// x in −`range` … 0 rounded to 2^B levels, the ends among them.
pub fn rounded_below(x: f64, range: f64, bits: u32) -> f64 {
    let step = range / ((1u64 << bits) - 1) as f64;
    libm::round(x.max(-range) / step) * step
}
