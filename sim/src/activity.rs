//! Counted physical events: the only thing the cost model prices.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul};

use serde::{Deserialize, Serialize};

/// How many physical events of each kind a run caused.
///
/// Every count is a total over the run, not per site or per sample. The simulator counts what the *simulated
/// substrate* does, never what the host spends on simulating it; a run that touches no spin counts no attempt.
///
/// ```
/// use ceas_sim::activity::Activity;
/// let sweep = Activity { attempts: 64, flips: 20, ..Activity::default() };
/// assert_eq!((sweep * 10).attempts, 640);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// Units that decided whether to change: one per Ising spin visited, one per state of a Potts spin that competed.
    pub attempts: u64,
    /// Units that did change.
    pub flips: u64,
    /// Couplings read to form local fields: one per (unit, neighbour) multiply-accumulate.
    pub coupler_reads: u64,
    /// Couplings programmed.
    pub coupling_writes: u64,
    /// Local fields (biases) programmed.
    pub field_writes: u64,
    /// Random bits drawn by the substrate.
    pub random_bits: u64,
    /// Bits of state read out.
    pub read_outs: u64,
    /// Additions of one number made outside the spins while decoding read-outs (for attention: d per sampled value row).
    pub decoder_adds: u64,
}

impl Activity {
    /// Every count with its name, in the order of the struct.
    pub fn counts(&self) -> [(&'static str, u64); 8] {
        [
            ("attempts", self.attempts),
            ("flips", self.flips),
            ("coupler_reads", self.coupler_reads),
            ("coupling_writes", self.coupling_writes),
            ("field_writes", self.field_writes),
            ("random_bits", self.random_bits),
            ("read_outs", self.read_outs),
            ("decoder_adds", self.decoder_adds),
        ]
    }
}

impl Add for Activity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            attempts: self.attempts + other.attempts,
            flips: self.flips + other.flips,
            coupler_reads: self.coupler_reads + other.coupler_reads,
            coupling_writes: self.coupling_writes + other.coupling_writes,
            field_writes: self.field_writes + other.field_writes,
            random_bits: self.random_bits + other.random_bits,
            read_outs: self.read_outs + other.read_outs,
            decoder_adds: self.decoder_adds + other.decoder_adds,
        }
    }
}

impl AddAssign for Activity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<u64> for Activity {
    type Output = Self;
    fn mul(self, times: u64) -> Self {
        Self {
            attempts: self.attempts * times,
            flips: self.flips * times,
            coupler_reads: self.coupler_reads * times,
            coupling_writes: self.coupling_writes * times,
            field_writes: self.field_writes * times,
            random_bits: self.random_bits * times,
            read_outs: self.read_outs * times,
            decoder_adds: self.decoder_adds * times,
        }
    }
}

impl Sum for Activity {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Add::add)
    }
}
