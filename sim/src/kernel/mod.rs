//! The inner loops. Every fast kernel has a naive twin here and equals it bit for bit, draws included.
//!
//! A single-spin update decides by one 32-bit draw r per attempt: the spin flips if r < t with the integer threshold
//! t = round(2³² p), so that its probability is p to within 2⁻³³. Every attempt draws, also where p is 0 or 1, so that the draws do not
//! depend on the configuration. Where p < 2⁻³³ the spin never flips.
//!
//! | kernel | for | order of sites |
//! |---|---|---|
//! | [`generic`] | every graph, coupling and field | checkerboard or index |
//! | [`square`] | square lattice, uniform J and h | checkerboard |
//! | [`free`] | graphs without a bond | index |
//! | [`panel`], [`rows`] | cached fields of dense graphs, up to 32 replicas at a time | index |
//! | [`neighbors`] | sparse graphs with any couplings, 16 replicas at a time or one | index |
//! | [`multispin`] | lattices that fill 512 lanes | colour by colour |
//!
//! [`generators`] draws for all lanes of a plain loop at once. [`search`] finds the state that a random number draws. [`products`] multiplies a
//! few rows with many. [`wide`] is no kernel but a way to compile one: plain loops for the registers of the running machine.

pub mod free;
pub mod generators;
pub mod generic;
pub mod multispin;
pub mod neighbors;
pub mod panel;
pub mod products;
pub mod rows;
pub mod search;
pub mod square;
pub mod wide;

use std::fmt;

/// The inner loop of a single-spin update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// One site after another, energies through the Hamiltonian: the naive twin of all others.
    Generic,
    /// Row by row on the square lattice with a table of thresholds, blocks of rows in parallel.
    SquareRows,
    /// Sites without bonds: both thresholds of every site are known before the sweep.
    Free,
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Generic => "generic",
            Self::SquareRows => "square-rows",
            Self::Free => "free",
        })
    }
}

/// The order in which a sweep visits the sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// All sites of colour 0, then all of colour 1. Neighbours are never updated at once, so each colour may be split into
    /// blocks that are updated in parallel.
    Checkerboard,
    /// Site 0, 1, 2, …
    Index,
}

/// round(2³² p), the number of 32-bit draws that accept.
///
/// ```
/// use ceas_sim::kernel::threshold;
/// assert_eq!((threshold(0.0), threshold(0.5), threshold(1.0)), (0, 1 << 31, 1 << 32));
/// ```
#[inline]
pub fn threshold(p: f64) -> u64 {
    // p is in [0, 1] and 2³²p has no more than 53 bits, so that adding ½ and cutting off rounds to the nearest integer.
    (p * 4_294_967_296.0 + 0.5) as u64
}
