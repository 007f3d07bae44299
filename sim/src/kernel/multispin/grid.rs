//! Sites in the lanes: which site of a lattice is which lane of which vector.
//!
//! The lattice is cut into 512 congruent boxes, one a lane. A *cell* is a place in the box, and the vector of a cell holds the 512
//! spins that sit there. A neighbour of all 512 is then the vector of the neighbouring cell; only at the faces of the box the lanes
//! must move on by one box along an axis. Each axis owns a field of bits of the lane's number: x the lowest, the slowest axis the
//! highest, so that moving on by one box rotates groups of bits.

use super::vector::Words;
use crate::error::Error;

/// The lattices that can be laid out, all periodic. Sites are numbered row by row, the last coordinate fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lattice {
    /// L × L, neighbours (0, ±1), (±1, 0) in (y, x).
    Square,
    /// L × L, neighbours of the square lattice and (+1, +1), (−1, −1).
    Triangular,
    /// L × L cells of two sites, hence rows of 2L: neighbours (0, ±1), and (−1, +1) of the first site of a cell, (+1, −1) of the
    /// second.
    Honeycomb,
    /// L × L × L, neighbours (0, 0, ±1), (0, ±1, 0), (±1, 0, 0) in (z, y, x).
    Cubic,
}

/// A step to a neighbouring cell along (slowest axis, y of three dimensions, x).
pub(super) type Step = [i8; 3];

impl Lattice {
    /// Every lattice.
    pub const ALL: [Self; 4] = [Self::Square, Self::Triangular, Self::Honeycomb, Self::Cubic];

    /// "square lattice", "triangular lattice", "honeycomb lattice" or "cubic lattice".
    pub fn name(self) -> &'static str {
        match self {
            Self::Square => "square lattice",
            Self::Triangular => "triangular lattice",
            Self::Honeycomb => "honeycomb lattice",
            Self::Cubic => "cubic lattice",
        }
    }

    /// Number of axes.
    pub fn dimension(self) -> usize {
        if self == Self::Cubic { 3 } else { 2 }
    }

    /// Number of neighbours of a site.
    pub fn degree(self) -> usize {
        match self {
            Self::Honeycomb => 3,
            Self::Square => 4,
            Self::Triangular | Self::Cubic => 6,
        }
    }

    /// Number of colours such that no bond joins sites of one colour.
    pub fn colors(self) -> usize {
        if self == Self::Triangular { 3 } else { 2 }
    }

    /// The steps to the neighbours of the sites of a colour.
    pub(super) fn steps(self, color: usize) -> &'static [Step] {
        match (self, color) {
            (Self::Square, _) => &[[0, 0, 1], [0, 0, -1], [1, 0, 0], [-1, 0, 0]],
            (Self::Triangular, _) => &[[0, 0, 1], [0, 0, -1], [1, 0, 0], [-1, 0, 0], [1, 0, 1], [-1, 0, -1]],
            (Self::Honeycomb, 0) => &[[0, 0, 1], [0, 0, -1], [-1, 0, 1]],
            (Self::Honeycomb, _) => &[[0, 0, 1], [0, 0, -1], [1, 0, -1]],
            (Self::Cubic, _) => &[[0, 0, 1], [0, 0, -1], [0, 1, 0], [0, -1, 0], [1, 0, 0], [-1, 0, 0]],
        }
    }

    /// The x component of step number `d`, without a table, for kernels that know `self` when compiled.
    #[inline(always)]
    pub(super) const fn dx(self, d: usize, color: usize) -> isize {
        match (self, d) {
            (_, 0) | (Self::Triangular, 4) => 1,
            (_, 1) | (Self::Triangular, 5) => -1,
            (Self::Honeycomb, _) => 1 - 2 * color as isize,
            _ => 0,
        }
    }

    /// The colour of the site at (slowest axis, y of three dimensions, x).
    pub(super) fn color(self, [z, y, x]: [usize; 3]) -> usize {
        match self {
            Self::Honeycomb => x % 2,
            _ => (z + y + x) % self.colors(),
        }
    }

    /// Sites along (slowest axis, y of three dimensions, x) of a lattice of size L.
    pub(super) fn lengths(self, size: usize) -> [usize; 3] {
        match self {
            Self::Square | Self::Triangular => [size, 1, size],
            Self::Honeycomb => [size, 1, 2 * size],
            Self::Cubic => [size; 3],
        }
    }

    fn fits(self) -> &'static str {
        match self {
            Self::Square => "512 sites at once need L to be a multiple of 64",
            Self::Honeycomb => "512 sites at once need L to be a multiple of 32",
            Self::Triangular => "512 sites at once need L to be a multiple of 96",
            Self::Cubic => "512 sites at once need L to be a multiple of 16",
        }
    }
}

/// An axis: cells of the box along it, and its field of bits lo .. hi in the number of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) cells: usize,
    lo: u32,
    hi: u32,
}

/// The layout of one lattice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    lattice: Lattice,
    size: usize,
    /// Slowest axis, y in three dimensions (one cell and no bits in two), x.
    axes: [Axis; 3],
}

impl Grid {
    /// The layout of a lattice of size L.
    ///
    /// # Errors
    /// [`Error::Topology`] saying which L fit, if this one does not: the box must be divisible by the number of colours along
    /// every axis.
    pub fn new(lattice: Lattice, size: usize) -> Result<Self, Error> {
        let splits: &[[u32; 3]] =
            if lattice.dimension() == 3 { &[[3, 3, 3]] } else { &[[3, 0, 6], [4, 0, 5]] };
        let lengths = lattice.lengths(size);
        // The colour of a cell must be that of all its sites: only the honeycomb's does not change along its columns.
        let along = if lattice == Lattice::Honeycomb { 1 } else { lattice.colors() };
        let multiples = [along, if lattice.dimension() == 3 { along } else { 1 }, lattice.colors()];
        for bits in splits {
            let fits = |axis: usize| size > 0 && lengths[axis].is_multiple_of(multiples[axis] << bits[axis]);
            if (0..3).all(fits) {
                let axis = |k: usize| {
                    let lo = bits[k + 1..].iter().sum();
                    Axis { cells: lengths[k] >> bits[k], lo, hi: lo + bits[k] }
                };
                return Ok(Self { lattice, size, axes: [axis(0), axis(1), axis(2)] });
            }
        }
        Err(Error::Topology { what: lattice.name(), size, violated: lattice.fits() })
    }

    /// Which lattice.
    pub fn lattice(&self) -> Lattice {
        self.lattice
    }

    /// L.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Number of spins.
    pub fn n_sites(&self) -> usize {
        512 * self.cells()
    }

    /// Number of vectors.
    pub fn cells(&self) -> usize {
        self.planes() * self.plane()
    }

    /// Layers of cells along the slowest axis.
    pub(super) fn planes(&self) -> usize {
        self.axes[0].cells
    }

    /// Cells of a layer.
    pub(super) fn plane(&self) -> usize {
        self.axes[1].cells * self.axes[2].cells
    }

    pub(super) fn axes(&self) -> &[Axis; 3] {
        &self.axes
    }

    /// Layers that are updated as one block: at least four and at least 1024 cells, at most 64 blocks; a function of L alone.
    pub(super) fn planes_per_block(&self) -> usize {
        let planes = self.planes();
        1024usize.div_ceil(self.plane()).max(4).max(planes.div_ceil(64)).min(planes)
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.planes().div_ceil(self.planes_per_block())
    }

    /// The colour of a cell.
    pub(super) fn color(&self, place: [usize; 3]) -> usize {
        self.lattice.color(place)
    }

    /// The place of cell number `cell` in the box.
    pub(super) fn place(&self, cell: usize) -> [usize; 3] {
        let [_, y, x] = self.axes.map(|axis| axis.cells);
        [cell / (y * x), cell / x % y, cell % x]
    }

    /// The site that is lane `lane` of cell `cell`.
    ///
    /// ```
    /// use ceas_sim::kernel::multispin::{Grid, Lattice};
    /// let grid = Grid::new(Lattice::Square, 128).unwrap();
    /// assert_eq!((grid.cells(), grid.site(0, 0), grid.site(1, 1), grid.site(0, 64)), (32, 0, 3, 16 * 128));
    /// assert!(Grid::new(Lattice::Square, 100).unwrap_err().to_string().contains("multiple of 64"));
    /// ```
    pub fn site(&self, cell: usize, lane: usize) -> usize {
        let mut site = 0;
        for ((axis, at), length) in
            self.axes.iter().zip(self.place(cell)).zip(self.lattice.lengths(self.size))
        {
            let of_lane = (lane >> axis.lo) & ((1 << (axis.hi - axis.lo)) - 1);
            site = site * length + of_lane * axis.cells + at;
        }
        site
    }

    /// The site at the end of a step.
    pub(super) fn neighbor(&self, site: usize, step: Step) -> usize {
        neighbor(self.lattice.lengths(self.size), site, step)
    }
}

/// The coordinates of a site.
pub(super) fn coordinates([_, ny, nx]: [usize; 3], site: usize) -> [usize; 3] {
    [site / (ny * nx), site / nx % ny, site % nx]
}

/// The site at the end of a step on a periodic lattice.
pub(super) fn neighbor(lengths: [usize; 3], site: usize, step: Step) -> usize {
    let at = coordinates(lengths, site);
    (0..3).fold(0, |number, k| {
        number * lengths[k] + (at[k] + lengths[k]).wrapping_add_signed(isize::from(step[k])) % lengths[k]
    })
}

impl Axis {
    /// The vector that a cell sees when its neighbour lies across the face of the box: lane b gets the spin of the box after
    /// (`forward`) or before its own along this axis.
    #[inline(always)]
    pub(super) fn across(self, words: &Words, forward: bool) -> Words {
        let Self { lo, hi, .. } = self;
        let mut out = Words::ZERO;
        if lo == hi {
            return *words;
        }
        // Moving forward, lane b takes from lane b + 2^lo, going round within groups of 2^hi lanes.
        let by = 1 << lo;
        if hi <= 6 {
            let group = 1u32 << hi;
            let back = group - by;
            let (near, far) = if forward { (by, back) } else { (back, by) };
            // Lanes whose source is higher take it by a shift down, the others by a shift up.
            let low = u64::MAX.checked_shl(group).map_or(u64::MAX, |above| !above);
            let in_group = (low >> near) & low;
            let mut mask = 0u64;
            let mut start = 0;
            while start < 64 {
                mask |= in_group << start;
                start += group;
            }
            for (out, w) in out.0.iter_mut().zip(words.0) {
                *out = ((w >> near) & mask) | ((w << far) & !mask);
            }
        } else {
            // The field goes up to the last lane, so that all 512 rotate.
            for w in 0..8 {
                let source = |i: usize| words.0[i % 8];
                out.0[w] = match (forward, by) {
                    (true, 64) => source(w + 1),
                    (false, 64) => source(w + 7),
                    (true, _) => (source(w) >> by) | (source(w + 1) << (64 - by)),
                    (false, _) => (source(w) << by) | (source(w + 7) >> (64 - by)),
                };
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_of_neighbouring_cells_are_neighbouring_sites() {
        let sizes = [
            (Lattice::Square, 64),
            (Lattice::Square, 128),
            (Lattice::Triangular, 96),
            (Lattice::Triangular, 192),
            (Lattice::Honeycomb, 32),
            (Lattice::Honeycomb, 64),
            (Lattice::Cubic, 16),
            (Lattice::Cubic, 48),
        ];
        for (lattice, l) in sizes {
            let grid = Grid::new(lattice, l).unwrap();
            let mut seen = vec![false; grid.n_sites()];
            for cell in 0..grid.cells() {
                for lane in 0..512 {
                    let site = grid.site(cell, lane);
                    assert!(!std::mem::replace(&mut seen[site], true), "site {site} is in two lanes");
                }
                let place = grid.place(cell);
                for &step in lattice.steps(grid.color(place)) {
                    // Bit k of the number of the lane itself, seen across the face.
                    let mut target = [0usize; 3];
                    let mut source: [Words; 9] = std::array::from_fn(|k| {
                        let mut words = Words::ZERO;
                        (0..512).for_each(|lane| words.set(lane, lane >> k & 1 == 1));
                        words
                    });
                    for axis in 0..3 {
                        let n = grid.axes[axis].cells as isize;
                        let at = place[axis] as isize + isize::from(step[axis]);
                        target[axis] = at.rem_euclid(n) as usize;
                        if at < 0 || at >= n {
                            source = source.map(|w| grid.axes[axis].across(&w, at >= n));
                        }
                    }
                    let [_, y, x] = grid.axes.map(|axis| axis.cells);
                    let other = (target[0] * y + target[1]) * x + target[2];
                    for lane in 0..512 {
                        let from = (0..9).map(|k| usize::from(source[k].get(lane)) << k).sum();
                        let expected = grid.neighbor(grid.site(cell, lane), step);
                        assert_eq!(grid.site(other, from), expected, "{lattice:?} {l} {step:?}");
                        assert_ne!(grid.color(place), grid.color(grid.place(other)));
                    }
                }
            }
        }
    }

    #[test]
    fn neighbours_are_mutual() {
        for (lattice, l) in [(Lattice::Triangular, 96), (Lattice::Honeycomb, 64), (Lattice::Cubic, 16)] {
            for color in 0..lattice.colors() {
                let steps = lattice.steps(color).iter().enumerate();
                steps.for_each(|(d, step)| assert_eq!(isize::from(step[2]), lattice.dx(d, color)));
            }
            let grid = Grid::new(lattice, l).unwrap();
            let color = |site: usize| lattice.color(coordinates(lattice.lengths(l), site));
            for site in (0..grid.n_sites()).step_by(7) {
                for &step in lattice.steps(color(site)) {
                    let other = grid.neighbor(site, step);
                    let back = lattice.steps(color(other));
                    assert!(back.iter().any(|&step| grid.neighbor(other, step) == site));
                }
            }
        }
    }
}
