//! Tilings {p, q} of the hyperbolic plane, grown layer by layer without a coordinate.

use super::graph::{Family, Graph};
use super::{Topology, listed::Listed};
use crate::error::Error;
use crate::memory;

impl Topology {
    /// The vertices and edges of the regular tiling {p, q} of the hyperbolic plane, polygons of `p` ≥ 3 sides with `q` ≥ 3 around
    /// every vertex, (p−2)(q−2) > 4: one polygon, then layer after layer of all polygons that touch the patch, to `layers` ≥ 1
    /// layers, the ends free. Sites are numbered layer by layer around the patch.
    ///
    /// A fixed share of the sites is boundary however many layers there are: averages over all sites are not those of the bulk
    /// (arXiv:2507.21044). [`Topology::interior`] lists the sites away from the boundary.
    ///
    /// ```
    /// use ceas_sim::topology::Topology;
    /// let patch = Topology::hyperbolic(5, 4, 2).unwrap();
    /// assert_eq!((patch.n_sites(), patch.n_bonds()), (30, 40));
    /// assert_eq!(patch.interior(1).unwrap(), [0, 1, 2, 3, 4]);
    /// ```
    ///
    /// # Errors
    /// [`Error::Topology`] if there is no such tiling or no layer; [`Error::Memory`] if the patch does not fit into memory.
    pub fn hyperbolic(p: usize, q: usize, layers: usize) -> Result<Self, Error> {
        let what = "hyperbolic lattice";
        let refuse = |size, violated| Err(Error::Topology { what, size, violated });
        if p < 3 || q < 3 || p > 1 << 20 || q > 1 << 20 {
            return refuse(p.min(q), "{p, q} needs p ≥ 3 and q ≥ 3 (and at most 2²⁰)");
        }
        if (p - 2) * (q - 2) <= 4 {
            return refuse(layers, "{p, q} is hyperbolic only if (p−2)(q−2) > 4");
        }
        // Every layer multiplies the number of sites by 2.6 or more: {7, 3} grows most slowly.
        if layers == 0 || layers > 24 {
            return refuse(layers, "there are 1 to 24 layers, because more would have over 2³² sites");
        }
        let mut patch = Patch::polygon(p);
        for layer in 1..layers {
            let sites = patch.layers.len() as u64 + patch.growth(p, q);
            memory::check(what, layers, sites.saturating_mul(32 * q.min(p) as u64 + 64))?;
            if sites > u64::from(u32::MAX) {
                return refuse(layers, "it has fewer than 2³² sites");
            }
            patch.grow(p, q, layer as u16);
        }
        let mut graph =
            Graph::new(Listed::new(patch.layers.len(), &patch.bonds)?, Family::Hyperbolic { p, q });
        graph.layers = Some(patch.layers);
        graph.topology()
    }
}

/// A disc of polygons.
struct Patch {
    /// The vertices on the boundary in cyclic order, each with the number of polygons that meet there.
    rim: Vec<(u32, usize)>,
    bonds: Vec<(u32, u32)>,
    layers: Vec<u16>,
}

impl Patch {
    fn polygon(p: usize) -> Self {
        let n = p as u32;
        Self {
            rim: (0..n).map(|v| (v, 1)).collect(),
            bonds: (0..n).map(|v| (v.min((v + 1) % n), v.max((v + 1) % n))).collect(),
            layers: vec![0; p],
        }
    }

    /// Number of vertices that the next layer adds: p − 2 per new edge that leaves the rim, less one per edge of the rim.
    fn growth(&self, p: usize, q: usize) -> u64 {
        let spokes: u64 = self.rim.iter().map(|&(_, polygons)| (q - polygons - 1) as u64).sum();
        spokes.saturating_mul(p as u64 - 2) - self.rim.len() as u64
    }

    /// Adds every polygon that touches the rim, so that each of its vertices gets all its `q` polygons.
    ///
    /// At a rim vertex with c polygons there are q − c new ones, the first on the rim's edge before the vertex, the last on the
    /// edge after it, and q − c − 1 new edges (spokes) leave the vertex between them. The polygon between two spokes that follow
    /// each other lies on r edges of the rim, so that r + 1 of its vertices are there and p − r − 1 are new: a row from the far end of the
    /// one spoke to the far end of the other, which are the same vertex if that is 1. These rows make up the new rim.
    fn grow(&mut self, p: usize, q: usize, layer: u16) {
        // The spokes in cyclic order, by the rim vertex they leave, with the r of the polygon after each.
        let mut spokes: Vec<(u32, usize)> = Vec::new();
        let mut leading = 0;
        for &(vertex, polygons) in &self.rim {
            let here = q - polygons - 1;
            spokes.extend((0..here).map(|_| (vertex, 0)));
            // The edge of the rim after this vertex belongs to the polygon after the last spoke so far.
            match spokes.last_mut() {
                Some((_, edges)) => *edges += 1,
                None => leading += 1,
            }
        }
        spokes.last_mut().expect("some vertex of the rim of a hyperbolic patch has a spoke").1 += leading;
        let merges = |edges: usize| p - edges - 1 == 1;
        // Begin where the last polygon does not merge its two far ends, so that no far end is met again at the end.
        let start = spokes.iter().position(|&(_, edges)| !merges(edges)).map_or(0, |last| last + 1);
        let turns = spokes.len();
        spokes.rotate_left(start % turns);
        self.rim.clear();
        let first = self.layers.len() as u32;
        let mut merged = false;
        for (number, &(vertex, edges)) in spokes.iter().enumerate() {
            if merged {
                self.rim.last_mut().expect("a far end came before").1 += 1;
            } else {
                self.add(layer, 2);
            }
            self.bonds.push((vertex, self.layers.len() as u32 - 1));
            merged = merges(edges);
            if !merged {
                for _ in 0..p - edges - 3 {
                    self.add(layer, 1);
                    let filler = self.layers.len() as u32 - 1;
                    self.bonds.push((filler - 1, filler));
                }
                let end = self.layers.len() as u32 - 1;
                self.bonds.push(if number + 1 == turns { (first, end) } else { (end, end + 1) });
            }
        }
    }

    fn add(&mut self, layer: u16, polygons: usize) {
        self.rim.push((self.layers.len() as u32, polygons));
        self.layers.push(layer);
    }
}
