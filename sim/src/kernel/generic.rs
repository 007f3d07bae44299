//! The naive kernel: every graph, every coupling, every field, one site at a time.

use std::ops::Range;

use super::threshold;
use crate::beta::Beta;
use crate::hamiltonian::Hamiltonian;
use crate::spins::Spins;
use crate::stream::Stream;

/// Attempts to flip the sites of `sites` that `chosen` picks, in index order, one 32-bit draw each, with probability
/// `probability(β, ΔE)`. Returns the number of flips.
///
/// # Panics
/// If a site does not exist or `spins` has too few.
pub fn visit(
    model: &Hamiltonian,
    spins: &mut Spins,
    sites: Range<usize>,
    chosen: impl Fn(usize) -> bool,
    mut probability: impl FnMut(f64) -> f64,
    stream: &mut Stream,
) -> u64 {
    let mut flips = 0;
    for site in sites.filter(|&site| chosen(site)) {
        let p = probability(model.delta_e(spins, site));
        if u64::from(stream.next_u32()) < threshold(p) {
            spins.flip(site);
            flips += 1;
        }
    }
    flips
}

/// The probability of a rule at a fixed β, remembering its last values: on a lattice ΔE takes few of them.
pub fn remembered(rule: fn(Beta, f64) -> f64, beta: Beta) -> impl FnMut(f64) -> f64 {
    const SLOTS: usize = 16;
    let mut known = [(f64::NAN, 0.0); SLOTS];
    move |delta_e: f64| {
        let slot = (delta_e.to_bits().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 60) as usize;
        if known[slot].0.to_bits() != delta_e.to_bits() {
            known[slot] = (delta_e, rule(beta, delta_e));
        }
        known[slot].1
    }
}
