//! Walking over bonds and over the neighbours of a site.

use std::slice;

use super::Kind;

/// Every bond of a graph once, in the order of their numbers, as the pair of sites it joins.
#[derive(Debug, Clone)]
pub struct Bonds<'a> {
    kind: &'a Kind,
    next: usize,
    /// For complete graphs, the ends of the next bond.
    ends: (usize, usize),
}

impl<'a> Bonds<'a> {
    pub(super) fn new(kind: &'a Kind) -> Self {
        Self { kind, next: 0, ends: (0, 1) }
    }
}

impl Iterator for Bonds<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.next;
        let bond = match self.kind {
            Kind::Ring(n) => (number < *n).then(|| (number, (number + 1) % n)),
            Kind::OpenChain(n) => (number + 1 < *n).then_some((number, number + 1)),
            Kind::Square(l) => {
                let (site, l) = (number / 2, *l);
                (site < l * l).then(|| {
                    let [right, down, ..] = square_neighbors(l, site);
                    (site, if number.is_multiple_of(2) { right } else { down })
                })
            }
            Kind::Complete(n) => {
                let (i, j) = self.ends;
                (j < *n).then(|| {
                    self.ends = if j + 1 < *n { (i, j + 1) } else { (i + 1, i + 2) };
                    (i, j)
                })
            }
            Kind::Listed(listed) => listed.bonds().get(number).map(|&(a, b)| (a as usize, b as usize)),
        };
        self.next += 1;
        bond
    }
}

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
    /// Lattices: at most four.
    Few {
        links: [(usize, usize); 4],
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
        const NONE: (usize, usize) = (0, 0);
        Self(match kind {
            Kind::Square(l) => {
                assert!(site < l * l, "no such site");
                let [right, down, left, up] = square_neighbors(*l, site);
                let links = [(right, 2 * site), (down, 2 * site + 1), (left, 2 * left), (up, 2 * up + 1)];
                Walk::Few { links, next: 0, len: 4 }
            }
            Kind::Ring(n) => {
                assert!(site < *n, "no such site");
                let left = (site + n - 1) % n;
                Walk::Few { links: [((site + 1) % n, site), (left, left), NONE, NONE], next: 0, len: 2 }
            }
            Kind::OpenChain(n) => {
                assert!(site < *n, "no such site");
                let mut links = [NONE; 4];
                let mut len = 0;
                if site + 1 < *n {
                    links[len] = (site + 1, site);
                    len += 1;
                }
                if site > 0 {
                    links[len] = (site - 1, site - 1);
                    len += 1;
                }
                Walk::Few { links, next: 0, len }
            }
            Kind::Complete(n) => {
                assert!(site < *n, "no such site");
                Walk::Complete { n: *n, site, next: 0 }
            }
            Kind::Listed(listed) => {
                assert!(site < listed.n_sites(), "no such site");
                Walk::Listed(listed.links(site).iter())
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
