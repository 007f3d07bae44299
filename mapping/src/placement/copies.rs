//! Cliques where no chip is given: copies on sites of bounded degree, and the parity encoding.

use super::{Flaw, Placement};

/// A complete graph on sites of at most `degree` bonds: every logical spin is a path of copies, and the couplings are dealt out to them.
///
/// ```text
/// κ = ⌈(n − 3)/(q − 2)⌉    a path of κ sites has κ(q − 2) + 2 bonds to spare, and n − 1 are needed
/// ```
///
/// The sites are taken wherever they are needed; on a chip with wires of bounded length κ is larger. Sparsification by copies:
/// arXiv:2503.01177.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copies {
    /// Logical spins n.
    pub n: usize,
    /// Bonds of a site q ≥ 3.
    pub degree: usize,
}

impl Copies {
    /// Copies of each logical spin, κ.
    ///
    /// ```
    /// use ceas_mapping::placement::Copies;
    /// assert_eq!(Copies { n: 4096, degree: 16 }.kappa().unwrap(), 293); // 1.2 million sites for K of 4096
    /// assert_eq!(Copies { n: 17, degree: 16 }.kappa().unwrap(), 1);
    /// ```
    ///
    /// # Errors
    /// [`Flaw::Size`] if the degree is below 3 or there is no spin.
    pub fn kappa(&self) -> Result<usize, Flaw> {
        if self.degree < 3 || self.n == 0 {
            let violated = "copies need sites of degree 3 or more, and at least one spin";
            return Err(Flaw::Size { what: "graph of bounded degree", size: self.degree, violated });
        }
        Ok(if self.n <= self.degree + 1 { 1 } else { (self.n - 3).div_ceil(self.degree - 2) })
    }

    /// The chains, and the bonds of the smallest graph that holds them: at most `degree` at every site.
    ///
    /// # Errors
    /// As [`Self::kappa`].
    pub fn construct(&self) -> Result<(Placement, Vec<(u32, u32)>), Flaw> {
        let kappa = self.kappa()?;
        let site = |spin: usize, copy: usize| (spin * kappa + copy) as u32;
        let mut free: Vec<usize> = vec![self.degree; self.n * kappa];
        let mut bonds = Vec::new();
        let mut join = |a: u32, b: u32, free: &mut Vec<usize>| {
            bonds.push((a, b));
            free[a as usize] -= 1;
            free[b as usize] -= 1;
        };
        for spin in 0..self.n {
            for copy in 1..kappa {
                join(site(spin, copy - 1), site(spin, copy), &mut free);
            }
        }
        let mut next = vec![0; self.n];
        for a in 0..self.n {
            for b in a + 1..self.n {
                let ends = [a, b].map(|spin| {
                    while free[site(spin, next[spin]) as usize] == 0 {
                        next[spin] += 1;
                    }
                    site(spin, next[spin])
                });
                join(ends[0], ends[1], &mut free);
            }
        }
        let chains = (0..self.n).map(|spin| (0..kappa).map(|copy| site(spin, copy)).collect()).collect();
        Ok((Placement::new(chains), bonds))
    }
}

/// The parity encoding of a complete graph (Lechner, Hauke, Zoller, doi:10.1126/sciadv.1500838): a site for every coupling, which
/// becomes its local field, held together by constraints on plaquettes.
///
/// ```text
/// sites n(n−1)/2 = K      constraints K − n + 1, of four bodies (three at the edge)
/// ```
///
/// Fields of the logical spins are couplings to one further spin: use n + 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parity {
    /// Logical spins n ≥ 2.
    pub n: usize,
}

impl Parity {
    /// Sites n(n−1)/2.
    pub fn sites(&self) -> usize {
        self.n * self.n.saturating_sub(1) / 2
    }

    /// The constraints, each the sites whose product is +1: cycles (i, j), (i, j+1), (i+1, j), (i+1, j+1) of logical spins, each
    /// visited twice, so that any configuration of the logical spins meets them all.
    ///
    /// ```
    /// use ceas_mapping::placement::Parity;
    /// let parity = Parity { n: 5 };
    /// assert_eq!((parity.sites(), parity.constraints().len()), (10, 10 - 5 + 1));
    /// ```
    pub fn constraints(&self) -> Vec<Vec<usize>> {
        let n = self.n;
        let site = |i: usize, j: usize| i * (2 * n - i - 1) / 2 + (j - i - 1);
        let mut all = Vec::new();
        for i in 0..n.saturating_sub(2) {
            for j in i + 1..n - 1 {
                let mut cycle = vec![site(i, j), site(i, j + 1), site(i + 1, j + 1)];
                if j > i + 1 {
                    cycle.push(site(i + 1, j));
                }
                all.push(cycle);
            }
        }
        all
    }
}
