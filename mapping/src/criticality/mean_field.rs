//! Coupled attention spins in mean field: β_c = 1/λ_max(J), on hyperbolic patches and trees.

use ceas_sim::topology::Topology;
use serde::Serialize;

use crate::error::Error;

/// Most sites whose couplings are all kept: n² numbers.
const MOST_SITES: usize = 6_000;

/// Ising spins with ferromagnetic couplings J_ij in mean field: m_i = tanh(β Σ_j J_ij m_j) has a solution m ≠ 0 above
///
/// ```text
/// β_c = 1/λ_max(J)        J_ij = e^(−a d_ij)  or  1 per bond
/// ```
///
/// with d the distance along bonds. True critical points lie higher (square lattice: ¼ here, 0.4407 exactly), because mean field ignores
/// fluctuations; on hyperbolic lattices its exponents are right.
///
/// ```
/// use ceas_mapping::criticality::MeanField;
/// use ceas_sim::topology::Topology;
/// let square = MeanField::of_bonds(&Topology::square(8).unwrap()).unwrap();
/// assert!((square.beta_c() - 0.25).abs() < 1e-9);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeanField {
    /// Number of sites.
    pub sites: usize,
    /// λ_max(J).
    pub largest_eigenvalue: f64,
}

impl MeanField {
    /// One bond, one coupling of 1.
    ///
    /// # Errors
    /// [`Error::Rows`] if there is no bond.
    pub fn of_bonds(topology: &Topology) -> Result<Self, Error> {
        let n = topology.n_sites();
        let neighbours: Vec<Vec<usize>> = (0..n).map(|site| topology.neighbors(site).collect()).collect();
        let apply = |x: &[f64], y: &mut [f64]| {
            for (y, near) in y.iter_mut().zip(&neighbours) {
                *y = near.iter().map(|&j| x[j]).sum();
            }
        };
        Self::of(n, topology.coordination() as f64, apply)
    }

    /// J_ij = e^(−`decay` d_ij) between all pairs of different sites of a connected graph.
    ///
    /// # Errors
    /// [`Error::Rows`] if there are more than 6000 sites, fewer than two, or sites without a path between them.
    pub fn of_distances(topology: &Topology, decay: f64) -> Result<Self, Error> {
        let n = topology.n_sites();
        let refuse = |violated: String| Error::Rows { what: "couplings between all sites", violated };
        if n > MOST_SITES {
            return Err(refuse(format!("{n} sites are more than {MOST_SITES}, whose n² couplings are kept")));
        }
        if !decay.is_finite() || decay < 0.0 {
            return Err(refuse(format!("a decay of {decay} per bond is not a number from 0")));
        }
        let mut j = vec![0.0; n * n];
        let mut distance = vec![u32::MAX; n];
        let mut queue = Vec::with_capacity(n);
        for site in 0..n {
            distance.fill(u32::MAX);
            distance[site] = 0;
            queue.clear();
            queue.push(site);
            let mut next = 0;
            while next < queue.len() {
                let at = queue[next];
                next += 1;
                for neighbour in topology.neighbors(at) {
                    if distance[neighbour] == u32::MAX {
                        distance[neighbour] = distance[at] + 1;
                        queue.push(neighbour);
                    }
                }
            }
            if queue.len() < n {
                return Err(refuse(format!("site {site} reaches {} of {n} sites only", queue.len())));
            }
            for (other, &d) in distance.iter().enumerate().filter(|(other, _)| *other != site) {
                j[site * n + other] = libm::exp(-decay * f64::from(d));
            }
        }
        let apply = |x: &[f64], y: &mut [f64]| {
            for (y, row) in y.iter_mut().zip(j.chunks_exact(n)) {
                *y = row.iter().zip(x).map(|(a, b)| a * b).sum();
            }
        };
        Self::of(n, 1.0, apply)
    }

    /// Power iteration on J + shift: all couplings are ≥ 0, so that the largest eigenvalue has a positive vector; the shift keeps that of the
    /// opposite sign, which a bipartite graph has, from being as large.
    fn of(n: usize, shift: f64, apply: impl Fn(&[f64], &mut [f64])) -> Result<Self, Error> {
        let refuse = |violated: String| Error::Rows { what: "a largest eigenvalue", violated };
        if n < 2 {
            return Err(refuse(format!("{n} sites have no coupling: at least 2 are needed")));
        }
        let mut x = vec![1.0 / libm::sqrt(n as f64); n];
        let mut y = vec![0.0; n];
        let mut value = 0.0;
        for _ in 0..20_000 {
            apply(&x, &mut y);
            let now: f64 = x.iter().zip(&y).map(|(a, b)| a * b).sum();
            y.iter_mut().zip(&x).for_each(|(y, x)| *y += shift * x);
            let norm = libm::sqrt(y.iter().map(|y| y * y).sum());
            x.iter_mut().zip(&y).for_each(|(x, y)| *x = y / norm);
            if (now - value).abs() <= 1e-13 * now.abs() {
                return Ok(Self { sites: n, largest_eigenvalue: now });
            }
            value = now;
        }
        Err(refuse(format!("power iteration did not settle; last value {value}")))
    }

    /// β_c = 1/λ_max(J).
    pub fn beta_c(&self) -> f64 {
        1.0 / self.largest_eigenvalue
    }
}

/// The published β_c ~ e^(r a) with one r for all decays a: the least-squares line of ln β_c against a, as (r, largest |residual| in ln β_c).
///
/// `None` with fewer than two points.
pub fn exponential_fit(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let count = points.len() as f64;
    let mean = |f: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / count;
    let (x, y) = (mean(&|p| p.0), mean(&|p| libm::log(p.1)));
    let spread = mean(&|p| (p.0 - x) * (p.0 - x));
    (points.len() >= 2 && spread > 0.0).then(|| {
        let slope = mean(&|p| (p.0 - x) * (libm::log(p.1) - y)) / spread;
        let worst = points.iter().map(|p| (libm::log(p.1) - y - slope * (p.0 - x)).abs());
        (slope, worst.fold(0.0, f64::max))
    })
}
