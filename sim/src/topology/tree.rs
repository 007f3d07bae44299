//! The Cayley tree.

use super::graph::{Family, Graph};
use super::{Topology, listed::Listed};
use crate::error::Error;
use crate::memory;

impl Topology {
    /// The Cayley tree of coordination `q` ≥ 2: a root with q branches, every further site with q − 1, to `layers` ≥ 0 layers
    /// around the root. Sites are numbered layer by layer.
    ///
    /// Most of its sites are leaves, so that averages over the whole tree are those of a boundary, not of the Bethe lattice; the
    /// Bethe lattice without boundary is [`Topology::random_regular`] (see Baxter, *Exactly Solved Models*, chapter 4).
    ///
    /// ```
    /// use ceas_sim::topology::Topology;
    /// let tree = Topology::cayley_tree(3, 3).unwrap();
    /// assert_eq!((tree.n_sites(), tree.n_bonds()), (1 + 3 + 6 + 12, 21));
    /// assert_eq!(tree.interior(1).unwrap(), (0..10).collect::<Vec<_>>());
    /// ```
    ///
    /// # Errors
    /// [`Error::Topology`] if q < 2; [`Error::Memory`] if the tree does not fit into memory.
    pub fn cayley_tree(q: usize, layers: usize) -> Result<Self, Error> {
        let what = "Cayley tree";
        if q < 2 {
            return Err(Error::Topology { what, size: q, violated: "its coordination is at least 2" });
        }
        let mut sites = 1u64;
        let mut last = 1u64;
        for layer in 0..layers {
            last = last.saturating_mul(if layer == 0 { q as u64 } else { q as u64 - 1 });
            sites = sites.saturating_add(last);
            memory::check(what, layers, sites.saturating_mul(64))?;
        }
        if sites > u64::from(u32::MAX) || layers > usize::from(u16::MAX) {
            let violated = "it has fewer than 2³² sites and at most 65535 layers";
            return Err(Error::Topology { what, size: layers, violated });
        }
        let mut of_site = vec![0u16];
        let mut bonds = Vec::with_capacity(sites as usize - 1);
        let mut parents = 0..1u32;
        for layer in 0..layers {
            let first = parents.end;
            for parent in parents.clone() {
                for _ in 0..if layer == 0 { q } else { q - 1 } {
                    bonds.push((parent, of_site.len() as u32));
                    of_site.push(layer as u16 + 1);
                }
            }
            parents = first..of_site.len() as u32;
        }
        let mut graph = Graph::new(Listed::new(of_site.len(), &bonds)?, Family::CayleyTree { q });
        graph.layers = Some(of_site);
        graph.topology()
    }
}
