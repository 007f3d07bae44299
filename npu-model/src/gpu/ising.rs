//! What the same machines do to a two-dimensional Ising lattice: the bar that a thermodynamic update has to clear.
//!
//! The published program packs 16 spins in a word and draws a random number for each. Its printed bandwidth is its flip rate times
//! 1.5 bytes, by its own accounting; as a bound from memory, η·BW/1.5 B, that is 1.4 to 2.3 times more than was measured. What
//! three generations share is flips per multiprocessor and clock, so instructions bind:
//!
//! ```text
//! flips/s = min(c · multiprocessors · clock,  η·BW / 1.5 B)      c fitted on the V100 alone
//! ```
//!
//! Source: the README of NVIDIA's ising-gpu, optimized program (Romero et al., doi:10.1016/j.cpc.2020.107473).

use super::Gpu;
use crate::interval::Interval;
use crate::units::Hertz;

/// Flips of one multiprocessor in one clock, fitted on the V100: 383.13 flips/ns, 80 multiprocessors, 1.53 GHz.
const PER_CYCLE: f64 = 383.13 / (80.0 * 1.53);
/// Bytes that one flip moves.
const BYTES: f64 = 1.5;
/// How far the two other generations are from the constant of the first.
const SPREAD: f64 = 0.15;

impl Gpu {
    /// Flips a second of a large two-dimensional lattice with equal couplings; `None` where multiprocessors, clock or bandwidth
    /// are unknown.
    pub fn ising_flips(&self) -> Option<Interval<Hertz>> {
        let sms = self.multiprocessors.as_ref()?.value as f64;
        let clock = self.clock_hz.as_ref()?.value;
        let bandwidth = self.bandwidth.as_ref()?.nominal().value();
        let reached = self.reached.as_ref()?.range;
        let instructions = PER_CYCLE * sms * clock;
        let flips = |spread: f64, share: f64| {
            let by_memory = bandwidth * share / BYTES;
            Hertz::new((instructions * spread).min(by_memory))
        };
        Some(Interval::new(
            flips(1.0 / (1.0 + SPREAD), reached.low.value()),
            flips(1.0, reached.mid.value()),
            flips(1.0 + SPREAD, reached.high.value()),
        ))
    }
}
