//! The bonds of a periodic lattice, a row of sites at a time.
//!
//! A row is all sites along the fastest axis (on the honeycomb lattice, both sites of its cells in turn). Along every direction, the bonds
//! that leave a row end in one other row, all shifted by the same number of sites.

use super::grid::MOST_LINKS;
use super::{Boundary, Lattice, Topology};

/// Joins the site at x of a row to the site at x + `dx` of the row `step` rows on along `axis`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Direction {
    /// Which of the axes that number the rows, the fastest of them 0, is followed by one step; `None` stays in the row.
    axis: Option<u32>,
    pub(crate) dx: isize,
    /// Which sites of a row have such a bond.
    pub(crate) sites: u64,
}

const EVERY: u64 = u64::MAX;
const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;

const fn along(axis: Option<u32>, dx: isize, sites: u64) -> Direction {
    Direction { axis, dx, sites }
}

const RIGHT: Direction = along(None, 1, EVERY);
const SQUARE: &[Direction] = &[RIGHT, along(Some(0), 0, EVERY)];
const TRIANGULAR: &[Direction] = &[RIGHT, along(Some(0), 0, EVERY), along(Some(0), 1, EVERY)];
const HONEYCOMB: &[Direction] = &[RIGHT, along(Some(0), -1, ODD)];
const KING: &[Direction] =
    &[RIGHT, along(Some(0), 0, EVERY), along(Some(0), 1, EVERY), along(Some(0), -1, EVERY)];
const CUBIC: &[Direction] = &[RIGHT, along(Some(0), 0, EVERY), along(Some(1), 0, EVERY)];
const HYPERCUBIC: &[Direction] =
    &[RIGHT, along(Some(0), 0, EVERY), along(Some(1), 0, EVERY), along(Some(2), 0, EVERY)];

/// The rows of a periodic lattice of two or more dimensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    lattice: Lattice,
    pub(crate) directions: &'static [Direction],
    /// Cells along each axis.
    l: usize,
    /// Sites of a row.
    pub(crate) width: usize,
    /// Number of rows.
    pub(crate) count: usize,
}

impl Rows {
    /// Those of a lattice, if it has any.
    pub(crate) fn of(topology: &Topology) -> Option<Self> {
        let (lattice, Boundary::Periodic) = topology.as_lattice()? else { return None };
        let directions = match lattice {
            Lattice::Chain => return None,
            Lattice::Square => SQUARE,
            Lattice::Triangular => TRIANGULAR,
            Lattice::Honeycomb => HONEYCOMB,
            Lattice::King => KING,
            Lattice::Cubic => CUBIC,
            Lattice::Hypercubic => HYPERCUBIC,
        };
        let l = topology.size();
        let width = l * lattice.basis();
        Some(Self { lattice, directions, l, width, count: topology.n_sites() / width })
    }

    /// Whether every site has all directions forwards and backwards, in the order of [`Topology::links`].
    pub(crate) fn is_bravais(&self) -> bool {
        self.lattice.basis() == 1
    }

    /// The row that a direction leads to, or that it comes from.
    pub(crate) fn target(&self, row: usize, direction: &Direction, forward: bool) -> usize {
        let Some(axis) = direction.axis else { return row };
        let stride = self.l.pow(axis);
        let at = row / stride % self.l;
        match (forward, at) {
            (true, at) if at + 1 == self.l => row + stride - stride * self.l,
            (true, _) => row + stride,
            (false, 0) => row + stride * self.l - stride,
            (false, _) => row - stride,
        }
    }

    /// x + `dx` around the row.
    #[inline(always)]
    pub(crate) fn beside(&self, x: usize, dx: isize) -> usize {
        match dx {
            0 => x,
            1 if x + 1 == self.width => 0,
            1 => x + 1,
            _ if x == 0 => self.width - 1,
            _ => x - 1,
        }
    }

    /// For every row, the first site of the row at the end of each link of its sites, and the shift along it, in the order of
    /// [`Topology::links`].
    pub(crate) fn links_table(&self) -> Vec<[(u32, i32); MOST_LINKS]> {
        let row_links = |row| {
            let mut links = [(0, 0); MOST_LINKS];
            let both = [true, false]
                .into_iter()
                .flat_map(|forward| self.directions.iter().map(move |d| (d, forward)));
            for (link, (direction, forward)) in links.iter_mut().zip(both) {
                let dx = if forward { direction.dx } else { -direction.dx };
                *link = ((self.target(row, direction, forward) * self.width) as u32, dx as i32);
            }
            links
        };
        (0..self.count).map(row_links).collect()
    }

    /// For every row, direction and place in the row, the bond there, if there is one.
    pub(crate) fn places(self) -> impl Iterator<Item = (usize, Option<(usize, usize)>)> {
        (0..self.count).flat_map(move |row| {
            self.directions.iter().flat_map(move |direction| {
                let target = self.target(row, direction, true);
                (0..self.width).map(move |x| {
                    let end = target * self.width + self.beside(x, direction.dx);
                    (x, (direction.sites >> (x % 64) & 1 == 1).then_some((row * self.width + x, end)))
                })
            })
        })
    }

    /// Σ_(ij) s_i s_j over all bonds.
    pub(crate) fn bond_sum(&self, s: &[i8]) -> i64 {
        let dot = |a: &[i8], b: &[i8], every: usize| -> i64 {
            match every {
                1 => a.iter().zip(b).map(|(a, b)| i32::from(a * b)).sum::<i32>().into(),
                _ => a.iter().zip(b).step_by(every).map(|(a, b)| i32::from(a * b)).sum::<i32>().into(),
            }
        };
        let mut sum = 0;
        for (row, here) in s.chunks_exact(self.width).enumerate() {
            for direction in self.directions {
                let target = self.target(row, direction, true) * self.width;
                let there = &s[target..target + self.width];
                let last = self.width - 1;
                sum += match (direction.dx, direction.sites == EVERY) {
                    (0, _) => dot(here, there, 1),
                    (1, _) => dot(&here[..last], &there[1..], 1) + i64::from(here[last] * there[0]),
                    (_, true) => dot(&here[1..], &there[..last], 1) + i64::from(here[0] * there[last]),
                    (_, false) => dot(&here[1..], &there[..last], 2),
                };
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every bond of the lattice once, in whatever order.
    #[test]
    fn rows_have_the_bonds_of_the_lattice() {
        for lattice in Lattice::ALL.into_iter().filter(|lattice| lattice.dimension() > 1) {
            for l in 2..=5 {
                let topology = Topology::lattice(lattice, l, Boundary::Periodic).unwrap();
                let sorted = |bonds: &mut dyn Iterator<Item = (usize, usize)>| {
                    let mut bonds: Vec<_> = bonds.map(|(a, b)| (a.min(b), a.max(b))).collect();
                    bonds.sort_unstable();
                    bonds
                };
                let rows = Rows::of(&topology).unwrap();
                let found = sorted(&mut rows.places().filter_map(|(_, bond)| bond));
                assert_eq!(found, sorted(&mut topology.bonds()), "{lattice:?}, L = {l}");
                let spins: Vec<i8> =
                    (0..topology.n_sites()).map(|i| if i * i % 7 < 3 { 1 } else { -1 }).collect();
                let sum = topology.bonds().map(|(a, b)| i64::from(spins[a] * spins[b])).sum::<i64>();
                assert_eq!(rows.bond_sum(&spins), sum, "{lattice:?}, L = {l}");
                if rows.is_bravais() {
                    let links = rows.links_table();
                    for site in 0..topology.n_sites() {
                        let (row, x) = (site / rows.width, site % rows.width);
                        let found = links[row].iter().take(2 * rows.directions.len());
                        let found = found.map(|&(start, dx)| start as usize + rows.beside(x, dx as isize));
                        assert!(found.eq(topology.neighbors(site)), "{lattice:?}, L = {l}, site {site}");
                    }
                }
            }
        }
    }
}
