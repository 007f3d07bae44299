//! Walking over bonds and over the neighbours of a site.

use std::slice;

use super::Kind;
use super::grid::{Boundary, Grid, Lattice, MOST_LINKS};

/// Every bond of a graph once, in the order of their numbers, as the pair of sites it joins.
#[derive(Debug, Clone)]
pub struct Bonds<'a> {
    kind: &'a Kind,
    next: usize,
    len: usize,
    /// For complete graphs, the ends of the next bond.
    ends: (usize, usize),
}

impl<'a> Bonds<'a> {
    pub(super) fn new(kind: &'a Kind, len: usize) -> Self {
        Self { kind, next: 0, len, ends: (0, 1) }
    }
}

impl Iterator for Bonds<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.next;
        if number >= self.len {
            return None;
        }
        self.next += 1;
        Some(match self.kind {
            Kind::Grid(Grid { lattice: Lattice::Square, l, boundary: Boundary::Periodic }) => {
                let site = number / 2;
                let [right, down, ..] = square_neighbors(*l, site);
                (site, if number.is_multiple_of(2) { right } else { down })
            }
            Kind::Grid(grid) => grid.bond(number),
            Kind::Complete(n) => {
                let (i, j) = self.ends;
                self.ends = if j + 1 < *n { (i, j + 1) } else { (i + 1, i + 2) };
                (i, j)
            }
            Kind::Graph(graph) => {
                let (a, b) = graph.listed.bonds()[number];
                (a as usize, b as usize)
            }
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len - self.next, Some(self.len - self.next))
    }
}

impl ExactSizeIterator for Bonds<'_> {}

/// Right, down, left, up on the torus.
#[inline]
fn square_neighbors(l: usize, site: usize) -> [usize; 4] {
    let x = site % l;
    let n = l * l;
    [
        if x + 1 == l { site + 1 - l } else { site + 1 },
        if site + l >= n { site + l - n } else { site + l },
        if x == 0 { site + l - 1 } else { site - 1 },
        if site < l { site + n - l } else { site - l },
    ]
}

/// For each bond of a site, the site at its other end and the number of the bond.
#[derive(Debug, Clone)]
pub struct Neighbors<'a>(Walk<'a>);

#[derive(Debug, Clone)]
enum Walk<'a> {
    /// Lattices.
    Few {
        links: [(usize, usize); MOST_LINKS],
        next: usize,
        len: usize,
    },
    Complete {
        n: usize,
        site: usize,
        next: usize,
    },
    Listed(slice::Iter<'a, (u32, u32)>),
}

impl<'a> Neighbors<'a> {
    #[inline]
    pub(super) fn new(kind: &'a Kind, site: usize) -> Self {
        Self(match kind {
            Kind::Grid(Grid { lattice: Lattice::Square, l, boundary: Boundary::Periodic }) => {
                assert!(site < l * l, "no such site");
                let [right, down, left, up] = square_neighbors(*l, site);
                let mut links = [(0, 0); MOST_LINKS];
                links[0] = (right, 2 * site);
                links[1] = (down, 2 * site + 1);
                links[2] = (left, 2 * left);
                links[3] = (up, 2 * up + 1);
                Walk::Few { links, next: 0, len: 4 }
            }
            Kind::Grid(grid) => {
                assert!(site < grid.n_sites(), "no such site");
                let mut links = [(0, 0); MOST_LINKS];
                let len = grid.links(site, &mut links);
                Walk::Few { links, next: 0, len }
            }
            Kind::Complete(n) => {
                assert!(site < *n, "no such site");
                Walk::Complete { n: *n, site, next: 0 }
            }
            Kind::Graph(graph) => {
                assert!(site < graph.listed.n_sites(), "no such site");
                Walk::Listed(graph.listed.links(site).iter())
            }
        })
    }
}

impl Iterator for Neighbors<'_> {
    type Item = (usize, usize);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Walk::Few { links, next, len } => (*next < *len).then(|| {
                *next += 1;
                links[*next - 1]
            }),
            Walk::Complete { n, site, next } => {
                *next += usize::from(next == site);
                (*next < *n).then(|| {
                    let (i, j) = (*site.min(next), *site.max(next));
                    *next += 1;
                    let other = *next - 1;
                    // Bonds (0, ·), …, (i−1, ·) come first: n−1, n−2, … of them.
                    (other, i * (2 * *n - i - 1) / 2 + j - i - 1)
                })
            }
            Walk::Listed(links) => links.next().map(|&(neighbor, bond)| (neighbor as usize, bond as usize)),
        }
    }
}
