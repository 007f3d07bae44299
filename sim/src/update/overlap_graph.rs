//! The bonds along which clusters of the overlap of two replicas are followed.

use crate::couplings::{CouplingRows, Layout, Real};

/// Mean numbers of bonds per site of the graphs that are made of a dense one.
const DEGREES: [usize; 3] = [2, 4, 8];

/// Neighbours of every site, one run behind the other.
#[derive(Debug, Clone)]
pub(crate) struct OverlapGraph {
    starts: Vec<usize>,
    neighbors: Vec<u32>,
}

impl OverlapGraph {
    fn new(n: usize, bonds: &[(u32, u32)]) -> Self {
        let mut starts = vec![0; n + 1];
        for &(a, b) in bonds {
            starts[a as usize + 1] += 1;
            starts[b as usize + 1] += 1;
        }
        for site in 0..n {
            starts[site + 1] += starts[site];
        }
        let mut next = starts.clone();
        let mut neighbors = vec![0; 2 * bonds.len()];
        for &(a, b) in bonds {
            for (from, to) in [(a, b), (b, a)] {
                neighbors[next[from as usize]] = to;
                next[from as usize] += 1;
            }
        }
        Self { starts, neighbors }
    }

    /// Neighbours of a site.
    pub(crate) fn of(&self, site: usize) -> &[u32] {
        &self.neighbors[self.starts[site]..self.starts[site + 1]]
    }
}

/// All bonds of a sparse graph; of a dense one, those of its strongest that make a sparse graph, for three mean degrees. None of a
/// dense graph whose strongest bonds are too many alike: nothing sparse can be told from the rest.
pub(crate) fn graphs<T: Real>(rows: &CouplingRows<T>) -> Vec<OverlapGraph> {
    let n = rows.n();
    match &rows.layout {
        Layout::Sparse { starts, entries } => {
            let of =
                |site: usize| entries[starts[site]..starts[site + 1]].iter().map(move |e| (site as u32, e));
            let bonds: Vec<_> = (0..n)
                .flat_map(of)
                .filter(|&(site, &(j, twice))| site < j && twice != T::of(0.0))
                .map(|(site, &(j, _))| (site, j))
                .collect();
            vec![OverlapGraph::new(n, &bonds)]
        }
        Layout::Dense(matrix) => {
            let size = |a: usize, b: usize| matrix.values()[a * matrix.row_stride() + b].to_f64().abs();
            let mut sizes: Vec<f64> =
                (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b))).map(|(a, b)| size(a, b)).collect();
            let mut graphs = Vec::new();
            for degree in DEGREES {
                let wanted = degree * n / 2;
                if wanted == 0 || wanted >= sizes.len() {
                    continue;
                }
                let at = sizes.len() - wanted;
                let least = *sizes.select_nth_unstable_by(at, f64::total_cmp).1;
                let strong = |&(a, b): &(usize, usize)| least > 0.0 && size(a, b) >= least;
                let pairs = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
                let bonds: Vec<_> =
                    pairs.filter(strong).map(|(a, b)| (a as u32, b as u32)).take(2 * wanted + 1).collect();
                if !bonds.is_empty() && bonds.len() <= 2 * wanted {
                    graphs.push(OverlapGraph::new(n, &bonds));
                }
            }
            graphs
        }
    }
}

/// Whether clusters of the overlap can be told apart: on sparse graphs, and on dense ones with some bonds stronger than the rest.
pub(crate) fn can_cluster<T: Real>(rows: &CouplingRows<T>) -> bool {
    !rows.is_dense() || rows.n() <= 2 || !graphs(rows).is_empty()
}
