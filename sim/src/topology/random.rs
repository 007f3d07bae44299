//! Random graphs, drawn from one stream so that a seed names a graph.

use super::graph::{Family, Graph};
use super::{Topology, listed::Listed};
use crate::error::Error;
use crate::memory;
use crate::stream::Stream;

/// What Σ over sites of the bookkeeping below takes per site and per end of a bond.
const BYTES: u64 = 40;

impl Topology {
    /// A random regular graph: `n` sites with `q` bonds each, no bond twice. Around almost every site it looks like a Bethe
    /// lattice of coordination `q`, of which it is the finite stand-in without a boundary.
    ///
    /// Bonds are drawn one after another between two random free ends, leaving out pairs that would join a site to itself or
    /// twice to another. The law is uniform over q-regular graphs for n → ∞ (Steger and Wormald,
    /// doi:10.1017/S0963548399003867), not at every finite n.
    ///
    /// ```
    /// use ceas_sim::{stream::{Purpose, Stream}, topology::Topology};
    /// let graph = Topology::random_regular(100, 3, &mut Stream::new(1, Purpose::Instance, 0, 0)).unwrap();
    /// assert!((0..100).all(|site| graph.neighbors(site).count() == 3));
    /// ```
    ///
    /// # Errors
    /// [`Error::Topology`] if n = 0, q ≥ n or n·q is odd; [`Error::Memory`] if the graph does not fit into memory.
    pub fn random_regular(n: usize, q: usize, stream: &mut Stream) -> Result<Self, Error> {
        let refuse = |violated| Err(Error::Topology { what: "random regular graph", size: n, violated });
        if n == 0 || n > u32::MAX as usize {
            return refuse("it has 1 to 2³² − 1 sites");
        }
        if q >= n {
            return refuse("the degree must be smaller than the number of sites");
        }
        if n % 2 == 1 && q % 2 == 1 {
            return refuse("sites times degree must be even, because every bond has two ends");
        }
        let ends = (n as u64).saturating_mul(q as u64);
        memory::check("random regular graph", n, (n as u64).saturating_add(ends).saturating_mul(BYTES))?;
        loop {
            if let Some(bonds) = pair_ends(n, q, stream) {
                return Graph::new(Listed::new(n, &bonds)?, Family::Regular { q }).topology();
            }
        }
    }

    /// An Erdős–Rényi graph G(n, p): each of the n(n−1)/2 pairs is joined with probability p = `degree`/(n−1), independently;
    /// `degree` is the mean number of bonds of a site.
    ///
    /// The gaps between bonds in the list of pairs are drawn from their geometric law (Batagelj and Brandes,
    /// doi:10.1103/PhysRevE.71.036113), in time proportional to the number of bonds.
    ///
    /// ```
    /// use ceas_sim::{stream::{Purpose, Stream}, topology::Topology};
    /// let graph = Topology::erdos_renyi(1_000, 4.0, &mut Stream::new(1, Purpose::Instance, 0, 0)).unwrap();
    /// assert!((1_700..2_300).contains(&graph.n_bonds()));
    /// ```
    ///
    /// # Errors
    /// [`Error::Topology`] if n = 0 or the mean degree is not in [0, n−1]; [`Error::Memory`] if the graph does not fit into memory.
    pub fn erdos_renyi(n: usize, degree: f64, stream: &mut Stream) -> Result<Self, Error> {
        let refuse = |violated| Err(Error::Topology { what: "Erdős–Rényi graph", size: n, violated });
        if n == 0 || n > u32::MAX as usize {
            return refuse("it has 1 to 2³² − 1 sites");
        }
        if !(degree >= 0.0 && degree <= (n - 1) as f64) {
            return refuse("the mean degree lies between 0 and the number of sites less one");
        }
        // Six standard deviations of the number of bonds above its mean: more has a probability below 1e-8, and is refused below.
        let mean = degree * n as f64 / 2.0;
        let most = (mean + 6.0 * libm::sqrt(mean) + 6.0) as u64;
        memory::check("Erdős–Rényi graph", n, (n as u64 + 2 * most).saturating_mul(BYTES))?;
        let p = degree / (n.max(2) - 1) as f64;
        let mut bonds = Vec::new();
        let pairs = n as u64 * (n as u64 - 1) / 2;
        let log_miss = libm::log1p(-p);
        let mut pair = 0u64;
        while p > 0.0 && pair < pairs {
            // The number of misses before the next hit: ⌊ln(1−u)/ln(1−p)⌋, zero if p = 1.
            let misses = libm::floor(libm::log1p(-stream.uniform()) / log_miss);
            if misses >= (pairs - pair) as f64 {
                break;
            }
            pair += misses as u64;
            bonds.push(unrank(pair));
            pair += 1;
        }
        Graph::new(Listed::new(n, &bonds)?, Family::ErdosRenyi).topology()
    }
}

/// Pair number `pair` of (0, 1), (0, 2), (1, 2), (0, 3), …
fn unrank(pair: u64) -> (u32, u32) {
    let mut j = ((1.0 + libm::sqrt(1.0 + 8.0 * pair as f64)) / 2.0) as u64;
    // The square root is off by at most one.
    while j * (j - 1) / 2 > pair {
        j -= 1;
    }
    while j * (j + 1) / 2 <= pair {
        j += 1;
    }
    ((pair - j * (j - 1) / 2) as u32, j as u32)
}

/// Joins free ends pair by pair, or gives up where the ends that are left cannot be joined.
fn pair_ends(n: usize, q: usize, stream: &mut Stream) -> Option<Vec<(u32, u32)>> {
    let mut free: Vec<u32> = (0..n as u32).flat_map(|site| std::iter::repeat_n(site, q)).collect();
    let mut joined: Vec<Vec<u32>> = vec![Vec::with_capacity(q); n];
    let mut bonds = Vec::with_capacity(free.len() / 2);
    let mut misses = 0usize;
    while !free.is_empty() {
        let (i, j) = (stream.below(free.len() as u64) as usize, stream.below(free.len() as u64) as usize);
        let (a, b) = (free[i], free[j]);
        if a != b && !joined[a as usize].contains(&b) {
            joined[a as usize].push(b);
            joined[b as usize].push(a);
            bonds.push((a.min(b), a.max(b)));
            free.swap_remove(i.max(j));
            free.swap_remove(i.min(j));
            misses = 0;
            continue;
        }
        misses += 1;
        // With many ends left a suitable pair is near; with few, look whether there is one at all.
        if misses > 64 + free.len() {
            let suitable = |a: u32, b: u32| a != b && !joined[a as usize].contains(&b);
            if !free.iter().enumerate().any(|(i, &a)| free[..i].iter().any(|&b| suitable(a, b))) {
                return None;
            }
            misses = 0;
        }
    }
    bonds.sort_unstable();
    Some(bonds)
}
