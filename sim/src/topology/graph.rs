//! Graphs that are stored: their bonds, where they came from, and what is known about their sites.

use super::listed::Listed;
use super::{Kind, Topology};
use crate::error::Error;

/// Where a stored graph came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Its bonds were given.
    Given,
    /// [`Topology::random_regular`] of degree `q`.
    Regular {
        /// Bonds of every site.
        q: usize,
    },
    /// [`Topology::erdos_renyi`].
    ErdosRenyi,
    /// [`Topology::cayley_tree`] of coordination `q`.
    CayleyTree {
        /// Bonds of every site that is no leaf.
        q: usize,
    },
    /// [`Topology::hyperbolic`]: polygons of `p` sides, `q` around every vertex.
    Hyperbolic {
        /// Sides of a polygon.
        p: usize,
        /// Bonds of every vertex inside.
        q: usize,
    },
    /// [`Topology::chimera`].
    Chimera,
    /// [`Topology::pegasus`].
    Pegasus,
    /// [`Topology::zephyr`].
    Zephyr,
}

impl Family {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Given => "graph",
            Self::Regular { .. } => "random regular graph",
            Self::ErdosRenyi => "Erdős–Rényi graph",
            Self::CayleyTree { .. } => "Cayley tree",
            Self::Hyperbolic { .. } => "hyperbolic lattice",
            Self::Chimera => "Chimera graph",
            Self::Pegasus => "Pegasus graph",
            Self::Zephyr => "Zephyr graph",
        }
    }
}

/// A stored graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Graph {
    pub(super) listed: Listed,
    pub(super) family: Family,
    /// The number that a chip's maker gives each site, where it is not the site's own.
    pub(super) labels: Option<Vec<u32>>,
    /// For graphs grown layer by layer: the layer of each site, from 0.
    pub(super) layers: Option<Vec<u16>>,
}

impl Graph {
    pub(super) fn new(listed: Listed, family: Family) -> Self {
        Self { listed, family, labels: None, layers: None }
    }

    pub(super) fn topology(self) -> Result<Topology, Error> {
        let shape = vec![self.listed.n_sites()];
        Topology::checked(Kind::Graph(Box::new(self)), shape)
    }
}
