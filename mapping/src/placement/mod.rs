//! Placement: a problem whose spins all couple on a chip whose sites do not.
//!
//! A logical spin becomes a *chain* of sites, joined by strong ferromagnetic bonds, so that the chains touch pairwise: the complete
//! graph is then a minor of the chip. Chains are constructed here and verified against the chip's own bonds ([`Placement::verify`]);
//! no number of this module is taken from a table.
//!
//! | chip | largest clique placed | sites in a chain | physical for logical spins κ |
//! |---|---|---|---|
//! | Chimera C(m, m, 4) | 4m | m + 1 | m + 1 |
//! | Pegasus P(m), m ≥ 3 | 12(m − 1) | m or m + 1 | ≈ m + ½ |
//! | Zephyr Z(m, 4) | 16m − 8 | m + 1 | m + 1 |
//! | any of degree q ≥ 3 | n | ⌈(n − 3)/(q − 2)⌉ | ≈ n/(q − 2) |
//! | parity (LHZ) | n | – | (n − 1)/2, and four-body constraints |
//! | crossbar | n | 1 | 1, with n(n − 1)/2 couplings |

mod clique;
mod copies;

use std::collections::HashSet;

use ceas_sim::topology::Topology;

pub use clique::{chimera, pegasus, zephyr};
pub use copies::{Copies, Parity};

/// A complete graph placed on a chip: one chain of sites for every logical spin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    chains: Vec<Vec<u32>>,
}

/// Why chains do not make a complete graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// A chip too small for the construction.
    #[error("a {what} of size {size} is too small: {violated}")]
    Size {
        /// The chip.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The condition violated.
        violated: &'static str,
    },
    /// A chain without a site.
    #[error("chain {chain} has no site")]
    Empty {
        /// Which.
        chain: usize,
    },
    /// A site in two chains, twice in one, or not on the chip.
    #[error("site {site} of chain {chain} is in a chain already, or not on the chip")]
    Site {
        /// The chain.
        chain: usize,
        /// The site.
        site: u32,
    },
    /// A chain that falls apart.
    #[error("chain {chain} is not connected")]
    Parts {
        /// Which.
        chain: usize,
    },
    /// Two chains without a bond between them.
    #[error("no bond joins chains {a} and {b}")]
    Apart {
        /// One.
        a: usize,
        /// The other.
        b: usize,
    },
}

impl Placement {
    /// From chains of sites; nothing is checked until [`Self::verify`].
    pub fn new(chains: Vec<Vec<u32>>) -> Self {
        Self { chains }
    }

    /// Logical spins.
    pub fn logical(&self) -> usize {
        self.chains.len()
    }

    /// Sites of all chains.
    pub fn physical(&self) -> usize {
        self.chains.iter().map(Vec::len).sum()
    }

    /// Physical for each logical spin: κ.
    pub fn kappa(&self) -> f64 {
        self.physical() as f64 / self.logical() as f64
    }

    /// Sites of the shortest and of the longest chain.
    pub fn chain_lengths(&self) -> (usize, usize) {
        let lengths = || self.chains.iter().map(Vec::len);
        (lengths().min().unwrap_or(0), lengths().max().unwrap_or(0))
    }

    /// The chains.
    pub fn chains(&self) -> &[Vec<u32>] {
        &self.chains
    }

    /// The first `n` logical spins alone.
    pub fn first(mut self, n: usize) -> Self {
        self.chains.truncate(n);
        self
    }

    /// Whether the chains make the complete graph a minor of `chip`: disjoint, each connected, every two joined by a bond.
    ///
    /// # Errors
    /// The [`Flaw`] found first.
    pub fn verify(&self, chip: &Topology) -> Result<(), Flaw> {
        const FREE: u32 = u32::MAX;
        let mut owner = vec![FREE; chip.n_sites()];
        for (chain, sites) in self.chains.iter().enumerate() {
            if sites.is_empty() {
                return Err(Flaw::Empty { chain });
            }
            for &site in sites {
                match owner.get_mut(site as usize) {
                    Some(place) if *place == FREE => *place = chain as u32,
                    _ => return Err(Flaw::Site { chain, site }),
                }
            }
        }
        let mut joined = HashSet::new();
        for (chain, sites) in self.chains.iter().enumerate() {
            // A walk that stays in the chain, and notes every other chain it sees.
            let mut reached: HashSet<u32> = HashSet::from([sites[0]]);
            let mut open = vec![sites[0]];
            while let Some(site) = open.pop() {
                for neighbor in chip.neighbors(site as usize) {
                    match owner[neighbor] {
                        FREE => {}
                        other if other as usize == chain => {
                            if reached.insert(neighbor as u32) {
                                open.push(neighbor as u32);
                            }
                        }
                        other => {
                            joined.insert((chain as u32, other));
                        }
                    }
                }
            }
            if reached.len() != sites.len() {
                return Err(Flaw::Parts { chain });
            }
        }
        for a in 0..self.chains.len() {
            for b in a + 1..self.chains.len() {
                if !joined.contains(&(a as u32, b as u32)) {
                    return Err(Flaw::Apart { a, b });
                }
            }
        }
        Ok(())
    }
}
