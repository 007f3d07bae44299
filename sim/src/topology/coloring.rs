//! Two colours such that no bond joins sites of one colour.

use super::grid::{Boundary, Grid, Lattice};

/// A colouring with two colours such that no bond joins sites of one colour.
///
/// The colour of a site of a chain, square, cubic or hypercubic lattice is the parity of the sum of its coordinates (a
/// checkerboard); of a honeycomb lattice, its place in the cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coloring(Rule);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Length of an axis, and number of axes.
    Parity {
        l: usize,
        axes: usize,
    },
    Sublattice,
}

impl Coloring {
    /// The colouring of a lattice, if it has one.
    pub(super) fn of(grid: &Grid) -> Option<Self> {
        let even = grid.boundary == Boundary::Open || grid.l.is_multiple_of(2);
        match grid.lattice {
            Lattice::Honeycomb => Some(Self(Rule::Sublattice)),
            Lattice::Triangular | Lattice::King => None,
            lattice => even.then(|| Self(Rule::Parity { l: grid.l, axes: lattice.dimension() })),
        }
    }

    /// 0 or 1.
    #[inline]
    pub fn color(self, site: usize) -> usize {
        match self.0 {
            Rule::Parity { l, axes: 2 } => (site / l + site % l) & 1,
            Rule::Parity { l, axes } => {
                let mut rest = site;
                let mut sum = 0;
                for _ in 1..axes {
                    sum += rest % l;
                    rest /= l;
                }
                (sum + rest) & 1
            }
            Rule::Sublattice => site & 1,
        }
    }
}
