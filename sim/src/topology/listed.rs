//! A graph given by its bonds, stored as rows of (neighbour, bond).

use crate::error::Error;
use crate::memory;

/// Bonds as listed, and for each site the run of its links in `links`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    bonds: Vec<(u32, u32)>,
    starts: Vec<usize>,
    links: Vec<(u32, u32)>,
}

impl Listed {
    pub(super) fn new(n: usize, bonds: &[(u32, u32)]) -> Result<Self, Error> {
        if n == 0 || n > u32::MAX as usize || bonds.len() > u32::MAX as usize {
            let violated = "a graph has 1 to 2³² − 1 sites and fewer than 2³² bonds";
            return Err(Error::Topology { what: "graph", size: n, violated });
        }
        memory::check("graph", n, 16 * n as u64 + 40 * bonds.len() as u64)?;
        let refuse = |index: usize, violated| {
            let (a, b) = bonds[index];
            Err(Error::Bond { index, a, b, violated })
        };
        for (index, &(a, b)) in bonds.iter().enumerate() {
            if a == b {
                return refuse(index, "a site is not joined to itself");
            }
            if a.max(b) as usize >= n {
                return refuse(index, "there is no such site");
            }
        }
        let mut sorted: Vec<_> =
            bonds.iter().enumerate().map(|(index, &(a, b))| (a.min(b), a.max(b), index)).collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1)) {
            return refuse(pair[1].2, "this bond is listed twice");
        }
        let mut starts = vec![0usize; n + 1];
        for &(a, b) in bonds {
            starts[a as usize + 1] += 1;
            starts[b as usize + 1] += 1;
        }
        for i in 0..n {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut links = vec![(0, 0); 2 * bonds.len()];
        for (index, &(a, b)) in bonds.iter().enumerate() {
            for (from, to) in [(a, b), (b, a)] {
                links[next[from as usize]] = (to, index as u32);
                next[from as usize] += 1;
            }
        }
        Ok(Self { bonds: bonds.to_vec(), starts, links })
    }

    pub(super) fn bonds(&self) -> &[(u32, u32)] {
        &self.bonds
    }

    pub(super) fn links(&self, site: usize) -> &[(u32, u32)] {
        &self.links[self.starts[site]..self.starts[site + 1]]
    }

    pub(super) fn n_sites(&self) -> usize {
        self.starts.len() - 1
    }
}
