//! The qubit graphs of annealing machines: Chimera, Pegasus and Zephyr, numbered as D-Wave numbers them.
//!
//! Qubits are thought of as bars, half of them vertical (u = 0) and half horizontal (u = 1). Bars that cross are joined by an
//! *internal* bond, bars that follow each other on a line by an *external* one, neighbouring parallel bars by an *odd* one.
//! Sources: Boothby, Bunyk, Raymond, Roy, arXiv:2003.00133 (Pegasus); Boothby, King, Raymond, *Zephyr topology of D-Wave
//! quantum processors* (2021).

use super::graph::{Family, Graph};
use super::{Topology, listed::Listed};
use crate::error::Error;
use crate::memory;

impl Topology {
    /// The Chimera graph C(m, n, t): m × n cells, each a complete bipartite graph of t + t sites; sites of one half are joined to
    /// the same site of the cell below, of the other half to the same site of the cell to the right. Site k of half u of
    /// cell (y, x) has the number ((y·n + x)·2 + u)·t + k.
    ///
    /// ```
    /// use ceas_sim::topology::Topology;
    /// let chip = Topology::chimera(16, 16, 4).unwrap();
    /// assert_eq!((chip.n_sites(), chip.n_bonds()), (2048, 6016));
    /// ```
    ///
    /// # Errors
    /// [`Error::Topology`] if a size is 0; [`Error::Memory`] if the graph does not fit into memory.
    pub fn chimera(m: usize, n: usize, t: usize) -> Result<Self, Error> {
        let sites = allowed("Chimera graph", m, &[m, n, 2, t], t.saturating_add(2))?;
        let site = |y: usize, x: usize, u: usize, k: usize| (((y * n + x) * 2 + u) * t + k) as u32;
        let mut bonds = Vec::new();
        for (y, x) in (0..m).flat_map(|y| (0..n).map(move |x| (y, x))) {
            for k in 0..t {
                bonds.extend((0..t).map(|other| (site(y, x, 0, k), site(y, x, 1, other))));
                if y + 1 < m {
                    bonds.push((site(y, x, 0, k), site(y + 1, x, 0, k)));
                }
                if x + 1 < n {
                    bonds.push((site(y, x, 1, k), site(y, x + 1, 1, k)));
                }
            }
        }
        Graph::new(Listed::new(sites, &bonds)?, Family::Chimera).topology()
    }

    /// The Pegasus graph P(m), m ≥ 2, of the qubits that cross others: 8(m−1)(3m−1) sites, at most 15 bonds each.
    ///
    /// D-Wave's number of qubit (u, w, k, z) is ((u·m + w)·12 + k)·(m−1) + z. The numbers have gaps where a bar crosses no other;
    /// sites are numbered without gaps in the same order, and [`Topology::labels`] holds D-Wave's numbers.
    ///
    /// ```
    /// use ceas_sim::topology::Topology;
    /// let chip = Topology::pegasus(16).unwrap();
    /// assert_eq!((chip.n_sites(), chip.n_bonds()), (5640, 40484));
    /// assert_eq!(chip.labels().unwrap().last(), Some(&5729));
    /// ```
    ///
    /// # Errors
    /// [`Error::Topology`] if m < 2; [`Error::Memory`] if the graph does not fit into memory.
    pub fn pegasus(m: usize) -> Result<Self, Error> {
        // Where the bars of each group of two neighbouring lines begin, vertical and horizontal.
        const SHIFT: [[usize; 6]; 2] = [[2, 2, 10, 10, 6, 6], [6, 6, 2, 2, 10, 10]];
        if m < 2 {
            return Err(Error::Topology { what: "Pegasus graph", size: m, violated: "it has m ≥ 2" });
        }
        let all = allowed("Pegasus graph", m, &[2, m, 12, m - 1], 16)?;
        let number = |u: usize, w: usize, k: usize, z: usize| (((u * m + w) * 12 + k) * (m - 1) + z) as u32;
        let mut bonds = Vec::new();
        for (w, k) in (0..m).flat_map(|w| (0..12).map(move |k| (w, k))) {
            let line = 12 * w + k;
            for z in 0..m - 1 {
                for u in 0..2 {
                    if z + 2 < m {
                        bonds.push((number(u, w, k, z), number(u, w, k, z + 1)));
                    }
                    if k % 2 == 0 {
                        bonds.push((number(u, w, k, z), number(u, w, k + 1, z)));
                    }
                }
                // The vertical bar on column `line` crosses twelve rows; on each, a horizontal bar is at this column.
                let top = 12 * z + SHIFT[0][k / 2];
                for row in top..top + 12 {
                    let left = SHIFT[1][row % 12 / 2];
                    if line >= left && (line - left) / 12 < m - 1 {
                        bonds.push((number(0, w, k, z), number(1, row / 12, row % 12, (line - left) / 12)));
                    }
                }
            }
        }
        let crosses = |&(a, b): &(u32, u32)| (a as usize) < all / 2 && (b as usize) >= all / 2;
        let mut kept = vec![false; all];
        for &(a, b) in bonds.iter().filter(|bond| crosses(bond)) {
            kept[a as usize] = true;
            kept[b as usize] = true;
        }
        let labels: Vec<u32> = (0..all as u32).filter(|&label| kept[label as usize]).collect();
        let mut site_of = vec![0u32; all];
        for (site, &label) in labels.iter().enumerate() {
            site_of[label as usize] = site as u32;
        }
        bonds.retain(|&(a, b)| kept[a as usize] && kept[b as usize]);
        for (a, b) in &mut bonds {
            (*a, *b) = (site_of[*a as usize], site_of[*b as usize]);
        }
        let mut graph = Graph::new(Listed::new(labels.len(), &bonds)?, Family::Pegasus);
        graph.labels = Some(labels);
        graph.topology()
    }

    /// The Zephyr graph Z(m, t): 4tm(2m+1) sites, at most 4t + 4 bonds each. D-Wave's number of qubit (u, w, k, j, z) is
    /// (((u·(2m+1) + w)·t + k)·2 + j)·m + z, and so is the site's.
    ///
    /// ```
    /// use ceas_sim::topology::Topology;
    /// let chip = Topology::zephyr(15, 4).unwrap();
    /// assert_eq!((chip.n_sites(), chip.n_bonds()), (7440, 71736));
    /// ```
    ///
    /// # Errors
    /// [`Error::Topology`] if a size is 0; [`Error::Memory`] if the graph does not fit into memory.
    pub fn zephyr(m: usize, t: usize) -> Result<Self, Error> {
        let lines = m.saturating_mul(2).saturating_add(1);
        let sites = allowed("Zephyr graph", m, &[2, lines, t, 2, m], t.saturating_mul(2).saturating_add(2))?;
        let number = |u: usize, w: usize, k: usize, j: usize, z: usize| {
            ((((u * lines + w) * t + k) * 2 + j) * m + z) as u32
        };
        // The bars (j, z) that lie across line w of the other kind: those with w − 2z − j = 0 or 1.
        let across = |w: usize| {
            let bar = move |j: usize| Some((j, w.checked_sub(j)? / 2)).filter(|&(_, z)| z < m);
            (0..2).filter_map(bar)
        };
        let mut bonds = Vec::new();
        for (w, k) in (0..lines).flat_map(|w| (0..t).map(move |k| (w, k))) {
            for z in 0..m {
                for u in 0..2 {
                    bonds.push((number(u, w, k, 0, z), number(u, w, k, 1, z)));
                    if z + 1 < m {
                        bonds.push((number(u, w, k, 0, z), number(u, w, k, 0, z + 1)));
                        bonds.push((number(u, w, k, 1, z), number(u, w, k, 1, z + 1)));
                        bonds.push((number(u, w, k, 1, z), number(u, w, k, 0, z + 1)));
                    }
                }
            }
            for other in 0..lines {
                for ((j, z), (j2, z2)) in across(other).flat_map(|bar| across(w).map(move |two| (bar, two))) {
                    bonds.extend((0..t).map(|k2| (number(0, w, k, j, z), number(1, other, k2, j2, z2))));
                }
            }
        }
        Graph::new(Listed::new(sites, &bonds)?, Family::Zephyr).topology()
    }
}

/// The product of `factors`, if it is a number of sites with up to `bonds` bonds each that fit into memory.
fn allowed(what: &'static str, size: usize, factors: &[usize], bonds: usize) -> Result<usize, Error> {
    if factors.contains(&0) {
        return Err(Error::Topology { what, size, violated: "every size is at least 1" });
    }
    let sites = factors.iter().fold(1u64, |product, &factor| product.saturating_mul(factor as u64));
    memory::check(what, size, sites.saturating_mul(bonds as u64).saturating_mul(32))?;
    if sites > u64::from(u32::MAX) {
        return Err(Error::Topology { what, size, violated: "it has fewer than 2³² sites" });
    }
    Ok(sites as usize)
}
