//! Which sites are joined by a bond: rings, chains, the square torus, complete graphs, graphs given by their bonds.

mod listed;
mod walk;

use crate::error::Error;
use crate::memory;
use listed::Listed;
pub use walk::{Bonds, Neighbors};

/// A graph of sites 0 … N−1 and numbered bonds, each bond once.
///
/// Lattices store nothing per site: their neighbours are computed. Site (y, x) of a square lattice is number L·y + x; its bond
/// to the right has number 2(L·y + x), its bond downwards the number after that.
///
/// A square lattice of L = 2 and a ring of n = 2 have *two* bonds between neighbours, one each way round, as Kaufman's formula
/// and the transfer matrix count them: every site of a square lattice has four bonds, whatever L.
///
/// ```
/// use ceas_sim::topology::Topology;
/// let torus = Topology::square(4).unwrap();
/// assert_eq!((torus.n_sites(), torus.n_bonds()), (16, 32));
/// assert_eq!(torus.neighbors(0).collect::<Vec<_>>(), [1, 4, 3, 12]);
/// assert_eq!(Topology::square(2).unwrap().bonds().filter(|&b| b == (0, 1) || b == (1, 0)).count(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    kind: Kind,
    shape: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Ring(usize),
    OpenChain(usize),
    Square(usize),
    Complete(usize),
    Listed(Listed),
}

/// A colouring with two colours such that no bond joins sites of one colour: a checkerboard.
///
/// The colour of site (y, x) is (y + x) mod 2; a ring or chain is one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coloring {
    width: usize,
}

impl Coloring {
    /// 0 or 1.
    #[inline]
    pub fn color(self, site: usize) -> usize {
        (site / self.width + site % self.width) & 1
    }
}

impl Topology {
    /// `n` ≥ 2 sites in a circle: bond i joins i and (i + 1) mod n.
    ///
    /// # Errors
    /// [`Error::Topology`] if n < 2, [`Error::Memory`] if not even one configuration fits into memory.
    pub fn ring(n: usize) -> Result<Self, Error> {
        if n < 2 {
            return Err(Error::Topology { what: "ring", size: n, violated: "a ring needs at least 2 sites" });
        }
        Self::checked(Kind::Ring(n), vec![n])
    }

    /// `n` ≥ 1 sites in a row with free ends: bond i joins i and i + 1.
    ///
    /// # Errors
    /// [`Error::Topology`] if n = 0, [`Error::Memory`] if not even one configuration fits into memory.
    pub fn open_chain(n: usize) -> Result<Self, Error> {
        if n == 0 {
            return Err(Error::Topology {
                what: "open chain",
                size: n,
                violated: "a chain needs at least 1 site",
            });
        }
        Self::checked(Kind::OpenChain(n), vec![n])
    }

    /// The square lattice of L × L sites, L ≥ 2, periodic in both directions: 2L² bonds. For L = 2 see [`Topology`].
    ///
    /// # Errors
    /// [`Error::Topology`] if L < 2, [`Error::Memory`] if not even one configuration fits into memory.
    pub fn square(l: usize) -> Result<Self, Error> {
        if l < 2 {
            return Err(Error::Topology {
                what: "square lattice",
                size: l,
                violated: "a periodic lattice needs L ≥ 2",
            });
        }
        Self::checked(Kind::Square(l), vec![l, l])
    }

    /// All `n` ≥ 1 sites joined to each other: bonds (0, 1), (0, 2), …, (1, 2), … in this order.
    ///
    /// # Errors
    /// [`Error::Topology`] if n = 0 or n(n−1)/2 cannot be counted, [`Error::Memory`] if not even one configuration fits
    /// into memory.
    pub fn complete(n: usize) -> Result<Self, Error> {
        if n == 0 || n > 1 << 31 {
            let violated = "a complete graph has 1 to 2³¹ sites";
            return Err(Error::Topology { what: "complete graph", size: n, violated });
        }
        Self::checked(Kind::Complete(n), vec![n])
    }

    /// `n` ≥ 1 sites with the given bonds, numbered as listed.
    ///
    /// # Errors
    /// [`Error::Bond`] if a bond joins a site with itself, repeats another or names a site ≥ n; [`Error::Topology`] if n = 0
    /// or there are 2³² sites or bonds or more; [`Error::Memory`] if the graph does not fit into memory.
    pub fn from_bonds(n: usize, bonds: &[(u32, u32)]) -> Result<Self, Error> {
        let listed = Listed::new(n, bonds)?;
        Self::checked(Kind::Listed(listed), vec![n])
    }

    fn checked(kind: Kind, shape: Vec<usize>) -> Result<Self, Error> {
        let topology = Self { kind, shape };
        topology.check_memory(1)?;
        Ok(topology)
    }

    /// Whether `bytes_per_site` bytes for every site can be had; one configuration takes one byte per site.
    ///
    /// # Errors
    /// [`Error::Memory`] naming the lattice, the bytes needed and the bytes there are.
    pub fn check_memory(&self, bytes_per_site: u64) -> Result<(), Error> {
        memory::check(self.name(), self.size(), self.bytes_needed(bytes_per_site))
    }

    /// `bytes_per_site` times the number of sites, at most 2⁶⁴ − 1.
    pub fn bytes_needed(&self, bytes_per_site: u64) -> u64 {
        self.shape.iter().fold(bytes_per_site, |bytes, &axis| bytes.saturating_mul(axis as u64))
    }

    /// Number of sites N.
    pub fn n_sites(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of bonds.
    pub fn n_bonds(&self) -> usize {
        match &self.kind {
            Kind::Ring(n) => *n,
            Kind::OpenChain(n) => n - 1,
            Kind::Square(l) => 2 * l * l,
            Kind::Complete(n) => n * (n - 1) / 2,
            Kind::Listed(listed) => listed.bonds().len(),
        }
    }

    /// Every bond once, in the order of their numbers.
    pub fn bonds(&self) -> Bonds<'_> {
        Bonds::new(&self.kind)
    }

    /// The sites joined to `site`, one entry per bond.
    ///
    /// # Panics
    /// If there is no such site.
    pub fn neighbors(&self, site: usize) -> impl Iterator<Item = usize> {
        self.links(site).map(|(neighbor, _)| neighbor)
    }

    /// For each bond of `site`: the site at its other end, and its number.
    ///
    /// # Panics
    /// If there is no such site.
    #[inline]
    pub fn links(&self, site: usize) -> Neighbors<'_> {
        Neighbors::new(&self.kind, site)
    }

    /// The checkerboard colouring of a square lattice, ring or chain.
    ///
    /// # Errors
    /// [`Error::NotBipartite`], naming L, if the lattice is periodic with odd L, or if the graph is no lattice.
    pub fn coloring(&self) -> Result<Coloring, Error> {
        let odd =
            "an odd period joins sites of one colour, so choose an even size or an update in index order";
        let remedy = match self.kind {
            Kind::Square(l) if l % 2 == 0 => return Ok(Coloring { width: l }),
            Kind::Ring(n) if n % 2 == 0 => return Ok(Coloring { width: n }),
            Kind::OpenChain(n) => return Ok(Coloring { width: n }),
            Kind::Square(_) | Kind::Ring(_) => odd,
            Kind::Complete(_) | Kind::Listed(_) => {
                "only lattices are coloured, so use an update in index order"
            }
        };
        Err(Error::NotBipartite { what: self.name(), size: self.size(), remedy })
    }

    /// Length of each lattice axis, slowest first; `[N]` where there is no lattice.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// L of a lattice, the number of sites of a graph.
    pub fn size(&self) -> usize {
        self.shape[0]
    }

    /// Whether every axis of the shape is a periodic lattice axis.
    pub fn is_periodic(&self) -> bool {
        matches!(self.kind, Kind::Square(_) | Kind::Ring(_))
    }

    /// L, if this is the square lattice.
    pub fn square_size(&self) -> Option<usize> {
        if let Kind::Square(l) = self.kind { Some(l) } else { None }
    }

    /// "square lattice", "ring", "open chain", "complete graph" or "graph".
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Ring(_) => "ring",
            Kind::OpenChain(_) => "open chain",
            Kind::Square(_) => "square lattice",
            Kind::Complete(_) => "complete graph",
            Kind::Listed(_) => "graph",
        }
    }
}
