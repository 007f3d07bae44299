//! Which sites are joined by a bond: regular lattices, complete graphs, random graphs, trees, hyperbolic tilings, the graphs of
//! annealing machines, graphs given by their bonds.

mod chip;
mod coloring;
mod critical;
mod graph;
mod grid;
mod hyperbolic;
mod listed;
mod random;
mod rows;
mod tree;
mod walk;

use crate::error::Error;
use crate::memory;
pub use coloring::Coloring;
pub use critical::CriticalPoint;
pub use graph::Family;
use graph::Graph;
use grid::Grid;
pub use grid::{Boundary, Lattice};
use listed::Listed;
pub(crate) use rows::Rows;
pub use walk::{Bonds, Neighbors};

/// A graph of sites 0 … N−1 and numbered bonds, each bond once.
///
/// Regular lattices store nothing per site: their neighbours are computed. The site at (y, x) of a square lattice has number
/// L·y + x, and so on in other dimensions, the last axis fastest; the sites of a honeycomb cell follow each other. With periodic
/// ends, bond k of cell c has number k + c·(bonds per cell), in the order of the forward directions: right, down, and so on. With free
/// ends, bonds are numbered direction by direction, row by row.
///
/// Around a period of 2 there are *two* bonds between neighbours, one each way round, as Kaufman's formula and the transfer matrix
/// count them: every site of a periodic lattice has all its bonds, whatever L.
///
/// ```
/// use ceas_sim::topology::{Boundary, Lattice, Topology};
/// let torus = Topology::square(4).unwrap();
/// assert_eq!((torus.n_sites(), torus.n_bonds()), (16, 32));
/// assert_eq!(torus.neighbors(0).collect::<Vec<_>>(), [1, 4, 3, 12]);
/// assert_eq!(Topology::square(2).unwrap().bonds().filter(|&b| b == (0, 1) || b == (1, 0)).count(), 2);
/// let open = Topology::lattice(Lattice::Cubic, 3, Boundary::Open).unwrap();
/// assert_eq!((open.n_sites(), open.n_bonds(), open.coordination()), (27, 54, 6));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    kind: Kind,
    shape: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Grid(Grid),
    Complete(usize),
    Graph(Box<Graph>),
}

impl Topology {
    /// A regular lattice with L cells along each axis: L ≥ 2 if periodic, L ≥ 1 if open.
    ///
    /// # Errors
    /// [`Error::Topology`] if L is too small, [`Error::Memory`] if not even one configuration fits into memory.
    pub fn lattice(lattice: Lattice, l: usize, boundary: Boundary) -> Result<Self, Error> {
        let grid = Grid { lattice, l, boundary };
        grid.check()?;
        Self::checked(Kind::Grid(grid), grid.shape())
    }

    /// `n` ≥ 2 sites in a circle: bond i joins i and (i + 1) mod n.
    ///
    /// # Errors
    /// [`Error::Topology`] if n < 2, [`Error::Memory`] if not even one configuration fits into memory.
    pub fn ring(n: usize) -> Result<Self, Error> {
        Self::lattice(Lattice::Chain, n, Boundary::Periodic)
    }

    /// `n` ≥ 1 sites in a row with free ends: bond i joins i and i + 1.
    ///
    /// # Errors
    /// [`Error::Topology`] if n = 0, [`Error::Memory`] if not even one configuration fits into memory.
    pub fn open_chain(n: usize) -> Result<Self, Error> {
        Self::lattice(Lattice::Chain, n, Boundary::Open)
    }

    /// The square lattice of L × L sites, L ≥ 2, periodic in both directions: 2L² bonds. For L = 2 see [`Topology`].
    ///
    /// # Errors
    /// [`Error::Topology`] if L < 2, [`Error::Memory`] if not even one configuration fits into memory.
    pub fn square(l: usize) -> Result<Self, Error> {
        Self::lattice(Lattice::Square, l, Boundary::Periodic)
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
        Graph::new(Listed::new(n, bonds)?, Family::Given).topology()
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
            Kind::Grid(grid) => grid.n_bonds(),
            Kind::Complete(n) => n * (n - 1) / 2,
            Kind::Graph(graph) => graph.listed.bonds().len(),
        }
    }

    /// Every bond once, in the order of their numbers.
    pub fn bonds(&self) -> Bonds<'_> {
        Bonds::new(&self.kind, self.n_bonds())
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

    /// The two-colouring of a chain, square, cubic, hypercubic or honeycomb lattice. [`Topology::bipartition`] finds one of any graph.
    ///
    /// # Errors
    /// [`Error::NotBipartite`], naming L, if the lattice is periodic with odd L, or if it has none or is no lattice.
    pub fn coloring(&self) -> Result<Coloring, Error> {
        let remedy = match &self.kind {
            Kind::Grid(grid) => match Coloring::of(grid) {
                Some(coloring) => return Ok(coloring),
                None if matches!(grid.lattice, Lattice::Triangular | Lattice::King) => {
                    "its triangles need more than two colours, so use an update in index order"
                }
                None => {
                    "an odd period joins sites of one colour, so choose an even size or an update in index order"
                }
            },
            _ => "only lattices are coloured, so use an update in index order",
        };
        Err(Error::NotBipartite { what: self.name(), size: self.size(), remedy })
    }

    /// 0 or 1 for each site such that no bond joins equal ones, the first site of every connected part 0; `None` if there is an odd
    /// circle. Takes time and memory in proportion to sites and bonds.
    ///
    /// ```
    /// use ceas_sim::topology::Topology;
    /// assert_eq!(Topology::ring(4).unwrap().bipartition().unwrap(), [0, 1, 0, 1]);
    /// assert!(Topology::ring(5).unwrap().bipartition().is_none());
    /// ```
    pub fn bipartition(&self) -> Option<Vec<u8>> {
        const UNKNOWN: u8 = 2;
        let mut colors = vec![UNKNOWN; self.n_sites()];
        let mut open = Vec::new();
        for start in 0..colors.len() {
            if colors[start] != UNKNOWN {
                continue;
            }
            colors[start] = 0;
            open.push(start);
            while let Some(site) = open.pop() {
                for neighbor in self.neighbors(site) {
                    if colors[neighbor] == UNKNOWN {
                        colors[neighbor] = 1 - colors[site];
                        open.push(neighbor);
                    } else if colors[neighbor] == colors[site] {
                        return None;
                    }
                }
            }
        }
        Some(colors)
    }

    /// The most bonds that a site has; on a lattice, those of a site that is not at an end.
    pub fn coordination(&self) -> usize {
        match &self.kind {
            Kind::Grid(grid) => grid.lattice.coordination(),
            Kind::Complete(n) => n - 1,
            Kind::Graph(graph) => {
                (0..graph.listed.n_sites()).map(|site| graph.listed.links(site).len()).max().unwrap_or(0)
            }
        }
    }

    /// Length of each axis, slowest first: of a lattice L for each dimension, and 2 for the basis of a honeycomb cell; `[N]` where
    /// there is no lattice.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// L along each periodic axis of a lattice; empty where the ends are free or there is no lattice.
    pub fn periodic_axes(&self) -> &[usize] {
        match &self.kind {
            Kind::Grid(grid) if grid.boundary == Boundary::Periodic => {
                &self.shape[..grid.lattice.dimension()]
            }
            _ => &[],
        }
    }

    /// L of a lattice, the number of sites of a graph.
    pub fn size(&self) -> usize {
        self.shape[0]
    }

    /// Whether this is a lattice whose axes are all periodic.
    pub fn is_periodic(&self) -> bool {
        !self.periodic_axes().is_empty()
    }

    /// Which regular lattice this is, and its ends.
    pub fn as_lattice(&self) -> Option<(Lattice, Boundary)> {
        if let Kind::Grid(grid) = &self.kind { Some((grid.lattice, grid.boundary)) } else { None }
    }

    /// Where a stored graph came from; `None` for lattices and complete graphs.
    pub fn family(&self) -> Option<Family> {
        if let Kind::Graph(graph) = &self.kind { Some(graph.family) } else { None }
    }

    /// L, if this is the periodic square lattice.
    pub fn square_size(&self) -> Option<usize> {
        (self.as_lattice() == Some((Lattice::Square, Boundary::Periodic))).then(|| self.size())
    }

    /// Whether every two sites are joined by construction.
    pub fn is_complete(&self) -> bool {
        matches!(self.kind, Kind::Complete(_))
    }

    /// The number that the maker of the chip gives each site, where it is not the site's own number: see [`Topology::pegasus`].
    pub fn labels(&self) -> Option<&[u32]> {
        if let Kind::Graph(graph) = &self.kind { graph.labels.as_deref() } else { None }
    }

    /// The layer of each site, from 0, of a graph grown layer by layer: Cayley trees and hyperbolic lattices.
    pub fn layers(&self) -> Option<&[u16]> {
        if let Kind::Graph(graph) = &self.kind { graph.layers.as_deref() } else { None }
    }

    /// The sites that are not in the outermost `margin` layers of a graph grown layer by layer: its bulk. With a margin of 1 or more,
    /// each of them has all its bonds.
    pub fn interior(&self, margin: usize) -> Option<Vec<usize>> {
        let layers = self.layers()?;
        let outermost = layers.last().map_or(0, |&layer| usize::from(layer));
        Some((0..layers.len()).filter(|&site| usize::from(layers[site]) + margin <= outermost).collect())
    }

    /// The name in messages: "square lattice", "open chain", "complete graph", "Pegasus graph", "graph".
    pub fn name(&self) -> &'static str {
        match &self.kind {
            Kind::Grid(grid) => grid.lattice.name(grid.boundary),
            Kind::Complete(_) => "complete graph",
            Kind::Graph(graph) => graph.family.name(),
        }
    }
}
