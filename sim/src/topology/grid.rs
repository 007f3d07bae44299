//! Regular lattices: cells in up to four dimensions, joined along fixed directions, ends free or periodic.

use crate::error::Error;

/// A regular lattice of L cells along each axis.
///
/// | lattice | axes | sites | neighbours in the bulk |
/// |---|---|---|---|
/// | chain | x | L | ±x |
/// | square | y, x | L² | ±x, ±y |
/// | triangular | y, x | L² | ±x, ±y, ±(y + x) |
/// | honeycomb | y, x and a basis of 2 | 2L² | site 1 of the cell, of the cell at x − 1, of the cell at y − 1 (for site 0) |
/// | king's | y, x | L² | ±x, ±y, ±(y + x), ±(y − x) |
/// | cubic | z, y, x | L³ | ±x, ±y, ±z |
/// | hypercubic | w, z, y, x | L⁴ | ±x, ±y, ±z, ±w |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lattice {
    /// One dimension; periodic, it is a ring.
    Chain,
    /// Two dimensions, 4 neighbours.
    Square,
    /// Two dimensions, 6 neighbours.
    Triangular,
    /// Two dimensions, 3 neighbours, two sites in a cell.
    Honeycomb,
    /// Two dimensions, 8 neighbours: a king's moves.
    King,
    /// Three dimensions, 6 neighbours.
    Cubic,
    /// Four dimensions, 8 neighbours.
    Hypercubic,
}

/// What happens at the ends of a lattice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// The ends are joined to each other.
    Periodic,
    /// The ends are free: bonds that would leave the lattice do not exist.
    Open,
}

/// Joins site `from` of a cell to site `to` of the cell at `step`; axes as in the shape, slowest first.
#[derive(Debug, Clone, Copy)]
struct Direction {
    step: [i8; 4],
    from: usize,
    to: usize,
}

const fn step(step: [i8; 4]) -> Direction {
    Direction { step, from: 0, to: 0 }
}

const fn across(step: [i8; 4]) -> Direction {
    Direction { step, from: 0, to: 1 }
}

const CHAIN: &[Direction] = &[step([1, 0, 0, 0])];
const SQUARE: &[Direction] = &[step([0, 1, 0, 0]), step([1, 0, 0, 0])];
const TRIANGULAR: &[Direction] = &[step([0, 1, 0, 0]), step([1, 0, 0, 0]), step([1, 1, 0, 0])];
const HONEYCOMB: &[Direction] = &[across([0, 0, 0, 0]), across([0, -1, 0, 0]), across([-1, 0, 0, 0])];
const KING: &[Direction] = &[step([0, 1, 0, 0]), step([1, 0, 0, 0]), step([1, 1, 0, 0]), step([1, -1, 0, 0])];
const CUBIC: &[Direction] = &[step([0, 0, 1, 0]), step([0, 1, 0, 0]), step([1, 0, 0, 0])];
const HYPERCUBIC: &[Direction] =
    &[step([0, 0, 0, 1]), step([0, 0, 1, 0]), step([0, 1, 0, 0]), step([1, 0, 0, 0])];

impl Lattice {
    /// All lattices, in the order of the table above.
    pub const ALL: [Self; 7] = [
        Self::Chain,
        Self::Square,
        Self::Triangular,
        Self::Honeycomb,
        Self::King,
        Self::Cubic,
        Self::Hypercubic,
    ];

    /// Number of axes.
    pub fn dimension(self) -> usize {
        match self {
            Self::Chain => 1,
            Self::Square | Self::Triangular | Self::Honeycomb | Self::King => 2,
            Self::Cubic => 3,
            Self::Hypercubic => 4,
        }
    }

    /// Sites in a cell: 2 for the honeycomb lattice, 1 for all others.
    pub fn basis(self) -> usize {
        if self == Self::Honeycomb { 2 } else { 1 }
    }

    /// Bonds of a site that is not at an end.
    pub fn coordination(self) -> usize {
        2 * self.directions().len() / self.basis()
    }

    fn directions(self) -> &'static [Direction] {
        match self {
            Self::Chain => CHAIN,
            Self::Square => SQUARE,
            Self::Triangular => TRIANGULAR,
            Self::Honeycomb => HONEYCOMB,
            Self::King => KING,
            Self::Cubic => CUBIC,
            Self::Hypercubic => HYPERCUBIC,
        }
    }

    pub(super) fn name(self, boundary: Boundary) -> &'static str {
        let [periodic, open] = match self {
            Self::Chain => ["ring", "open chain"],
            Self::Square => ["square lattice", "open square lattice"],
            Self::Triangular => ["triangular lattice", "open triangular lattice"],
            Self::Honeycomb => ["honeycomb lattice", "open honeycomb lattice"],
            Self::King => ["king's lattice", "open king's lattice"],
            Self::Cubic => ["cubic lattice", "open cubic lattice"],
            Self::Hypercubic => ["hypercubic lattice", "open hypercubic lattice"],
        };
        if boundary == Boundary::Periodic { periodic } else { open }
    }
}

/// L cells along each axis of a lattice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) lattice: Lattice,
    pub(super) l: usize,
    pub(super) boundary: Boundary,
}

/// A position that a step leads to, or nothing beyond a free end.
fn moved(at: [usize; 4], step: [i8; 4], sign: i8, grid: &Grid) -> Option<[usize; 4]> {
    let mut to = at;
    for (to, step) in to.iter_mut().zip(step) {
        match step * sign {
            1 if *to + 1 < grid.l => *to += 1,
            1 if grid.boundary == Boundary::Periodic => *to = 0,
            -1 if *to > 0 => *to -= 1,
            -1 if grid.boundary == Boundary::Periodic => *to = grid.l - 1,
            0 => {}
            _ => return None,
        }
    }
    Some(to)
}

/// The most bonds that a site of any lattice has.
pub(super) const MOST_LINKS: usize = 8;

impl Grid {
    pub(super) fn check(&self) -> Result<(), Error> {
        let (least, violated) = match self.boundary {
            Boundary::Periodic => (2, "a periodic lattice needs L ≥ 2"),
            Boundary::Open => (1, "a lattice needs L ≥ 1"),
        };
        if self.l < least {
            return Err(Error::Topology { what: self.lattice.name(self.boundary), size: self.l, violated });
        }
        Ok(())
    }

    pub(super) fn shape(&self) -> Vec<usize> {
        let mut shape = vec![self.l; self.lattice.dimension()];
        if self.lattice.basis() > 1 {
            shape.push(self.lattice.basis());
        }
        shape
    }

    fn cells(&self) -> usize {
        self.l.pow(self.lattice.dimension() as u32)
    }

    pub(super) fn n_sites(&self) -> usize {
        self.cells() * self.lattice.basis()
    }

    pub(super) fn n_bonds(&self) -> usize {
        let directions = self.lattice.directions();
        match self.boundary {
            Boundary::Periodic => self.cells() * directions.len(),
            Boundary::Open => directions.iter().map(|d| self.open_bonds(d)).sum(),
        }
    }

    /// Bonds along one direction with free ends.
    fn open_bonds(&self, direction: &Direction) -> usize {
        let lengths = direction.step.iter().take(self.lattice.dimension());
        lengths.map(|&step| self.l - usize::from(step != 0)).product()
    }

    fn position(&self, mut cell: usize) -> [usize; 4] {
        let mut at = [0; 4];
        for axis in (0..self.lattice.dimension()).rev() {
            at[axis] = cell % self.l;
            cell /= self.l;
        }
        at
    }

    fn cell(&self, at: [usize; 4]) -> usize {
        at.iter().take(self.lattice.dimension()).fold(0, |cell, x| cell * self.l + x)
    }

    /// Number of the bond that leaves the cell at `at` along direction number `k`.
    fn bond_number(&self, at: [usize; 4], k: usize) -> usize {
        let directions = self.lattice.directions();
        if self.boundary == Boundary::Periodic {
            return self.cell(at) * directions.len() + k;
        }
        // With free ends the bonds are counted direction by direction, each a box of L or L − 1 cells along every axis.
        let before: usize = directions[..k].iter().map(|d| self.open_bonds(d)).sum();
        let axes = at.iter().zip(directions[k].step).take(self.lattice.dimension());
        before
            + axes.fold(0, |number, (&x, step)| {
                number * (self.l - usize::from(step != 0)) + x - usize::from(step < 0)
            })
    }

    /// The pair of sites that bond `number` joins.
    pub(super) fn bond(&self, number: usize) -> (usize, usize) {
        let directions = self.lattice.directions();
        let (at, direction) = if self.boundary == Boundary::Periodic {
            (self.position(number / directions.len()), &directions[number % directions.len()])
        } else {
            let mut rest = number;
            let mut k = 0;
            while rest >= self.open_bonds(&directions[k]) {
                rest -= self.open_bonds(&directions[k]);
                k += 1;
            }
            let mut at = [0; 4];
            for axis in (0..self.lattice.dimension()).rev() {
                let step = directions[k].step[axis];
                let length = self.l - usize::from(step != 0);
                at[axis] = rest % length + usize::from(step < 0);
                rest /= length;
            }
            (at, &directions[k])
        };
        let to = moved(at, direction.step, 1, self).expect("bonds that leave the lattice are not counted");
        let basis = self.lattice.basis();
        (self.cell(at) * basis + direction.from, self.cell(to) * basis + direction.to)
    }

    /// Neighbours and bond numbers of a site, forward directions first; returns how many there are.
    pub(super) fn links(&self, site: usize, links: &mut [(usize, usize); MOST_LINKS]) -> usize {
        let basis = self.lattice.basis();
        let (cell, sub) = (site / basis, site % basis);
        let at = self.position(cell);
        let directions = self.lattice.directions();
        let mut len = 0;
        for (k, d) in directions.iter().enumerate().filter(|(_, d)| d.from == sub) {
            if let Some(to) = moved(at, d.step, 1, self) {
                links[len] = (self.cell(to) * basis + d.to, self.bond_number(at, k));
                len += 1;
            }
        }
        for (k, d) in directions.iter().enumerate().filter(|(_, d)| d.to == sub) {
            if let Some(to) = moved(at, d.step, -1, self) {
                links[len] = (self.cell(to) * basis + d.from, self.bond_number(to, k));
                len += 1;
            }
        }
        len
    }
}
