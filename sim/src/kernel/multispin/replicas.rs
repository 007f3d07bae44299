//! Replicas in the lanes: 512 copies of one system, each with an inverse temperature of its own.
//!
//! H is −unit·(Σ k_ij s_i s_j + Σ m_i s_i) with small integers k, m. A field is a bond to a *ghost* that is always up, a coupling
//! of size k is k bonds; so a site has D = Σ|k| + |m| bonds, n of them unsatisfied, and flipping it costs ΔE = 2·unit·(D − 2n).

use super::vector::Words;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::memory;
use crate::spins::Spins;
use crate::stream::Stream;

/// Replicas in a vector.
pub const REPLICAS: usize = 512;

/// 512 configurations of the same sites: bit r of vector i is spin i of replica r (set: up).
///
/// ```
/// use ceas_sim::kernel::multispin::{ReplicaSpins, REPLICAS};
/// use ceas_sim::stream::{Purpose, Stream};
/// let hot = ReplicaSpins::random(100, &mut Stream::new(1, Purpose::Initial, 0, 0)).unwrap();
/// assert_eq!(hot.replica(REPLICAS - 1).len(), 100);
/// assert_ne!(hot.replica(0), hot.replica(1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaSpins {
    /// One per site, and the ghost.
    pub(super) planes: Vec<Words>,
}

impl ReplicaSpins {
    /// All spins of `n` sites up in every replica.
    ///
    /// # Errors
    /// [`Error::Memory`] if 64 bytes per site cannot be had.
    pub fn up(n: usize) -> Result<Self, Error> {
        memory::check("512 replicas of a graph", n, 64 * (n as u64 + 1))?;
        Ok(Self { planes: vec![Words::ONES; n + 1] })
    }

    /// Independent spins, up or down with probability ½ each (β = 0): eight draws of 64 bits per site.
    ///
    /// # Errors
    /// [`Error::Memory`] if 64 bytes per site cannot be had.
    pub fn random(n: usize, stream: &mut Stream) -> Result<Self, Error> {
        let mut spins = Self::up(n)?;
        for word in spins.planes[..n].iter_mut().flat_map(|words| &mut words.0) {
            *word = stream.next_u64();
        }
        Ok(spins)
    }

    /// The spins of site 0, 1, …, bit r of each vector in replica r.
    pub(crate) fn from_sites(mut planes: Vec<Words>) -> Self {
        planes.push(Words::ONES);
        Self { planes }
    }

    /// Number of sites.
    pub fn n_sites(&self) -> usize {
        self.planes.len() - 1
    }

    /// The configuration of replica `r`.
    ///
    /// # Panics
    /// If r ≥ 512.
    pub fn replica(&self, r: usize) -> Spins {
        let mut spins = Spins::up(self.n_sites());
        for (value, words) in spins.as_mut_slice().iter_mut().zip(&self.planes) {
            *value = if words.get(r) { 1 } else { -1 };
        }
        spins
    }

    /// Replaces the configuration of replica `r`.
    ///
    /// # Errors
    /// [`Error::Count`] if there is not one spin per site.
    ///
    /// # Panics
    /// If r ≥ 512.
    pub fn set_replica(&mut self, r: usize, spins: &Spins) -> Result<(), Error> {
        if spins.len() != self.n_sites() {
            return Err(Error::Count {
                what: "spins",
                per: "site",
                expected: self.n_sites(),
                got: spins.len(),
            });
        }
        for (words, &s) in self.planes.iter_mut().zip(spins.as_slice()) {
            words.set(r, s > 0);
        }
        Ok(())
    }

    /// Spin i in all replicas, bit r of them in replica r.
    ///
    /// # Panics
    /// If there is no such site.
    pub fn site(&self, i: usize) -> &Words {
        &self.planes[..self.n_sites()][i]
    }

    /// For kernels: one vector a site, and the ghost.
    pub(crate) fn planes_mut(&mut self) -> &mut [Words] {
        &mut self.planes
    }

    /// M = Σ_i s_i of every replica.
    pub fn magnetizations(&self) -> Vec<i64> {
        let mut up = LaneCounter::default();
        self.planes[..self.n_sites()].iter().for_each(|words| up.add(*words));
        up.counts().into_iter().map(|up| 2 * up as i64 - self.n_sites() as i64).collect()
    }

    /// Overlap q = Σ_i s_i^a s_i^b / N of two replicas.
    ///
    /// # Panics
    /// If a replica ≥ 512.
    pub fn overlap(&self, a: usize, b: usize) -> f64 {
        let n = self.n_sites();
        let equal = self.planes[..n].iter().filter(|words| words.get(a) == words.get(b)).count();
        (2.0 * equal as f64 - n as f64) / n as f64
    }
}

/// Counts set bits of each lane by itself, as a ripple-carry counter of vectors.
#[derive(Default)]
struct LaneCounter {
    planes: Vec<Words>,
}

impl LaneCounter {
    fn add(&mut self, words: Words) {
        let mut carry = words;
        for plane in &mut self.planes {
            let mut any = 0;
            for (sum, carry) in plane.0.iter_mut().zip(&mut carry.0) {
                let both = *sum & *carry;
                *sum ^= *carry;
                *carry = both;
                any |= both;
            }
            if any == 0 {
                return;
            }
        }
        if carry != Words::ZERO {
            self.planes.push(carry);
        }
    }

    fn counts(&self) -> Vec<u64> {
        let of = |lane: usize| self.planes.iter().enumerate().map(|(k, w)| u64::from(w.get(lane)) << k).sum();
        (0..REPLICAS).map(of).collect()
    }
}

/// What the replica kernels know of a Hamiltonian.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaModel {
    unit: f64,
    /// Where the bonds of each site begin.
    starts: Vec<usize>,
    /// 2·(site at the other end) + (1 if the coupling is negative).
    bonds: Vec<u32>,
}

/// Bonds of all sites together, beyond which the integers are not called small.
const MOST_BONDS: u64 = 1 << 31;

impl ReplicaModel {
    /// Finds the unit of which all couplings and fields are integer multiples.
    ///
    /// # Errors
    /// [`Error::Kernel`] if there is none, or if the multiples add up to more than 2³¹ bonds, or if there are 2³⁰ sites or more;
    /// [`Error::Memory`] if they do not fit.
    pub fn new(model: &Hamiltonian) -> Result<Self, Error> {
        let refuse = |violated| Err(Error::Kernel { kernel: "multi-spin over replicas", violated });
        let n = model.n_sites();
        if n >= 1 << 30 {
            return refuse("it takes fewer than 2³⁰ sites");
        }
        let couplings = || (0..model.topology().n_bonds()).map(|bond| model.coupling_at(bond));
        let fields = || (0..n).map(|site| model.field_at(site));
        // Euclid's algorithm; the remainder of two floats is exact.
        let unit = couplings().chain(fields()).fold(0.0f64, |a, b| {
            let (mut a, mut b) = (a, b.abs());
            while b > 0.0 {
                (a, b) = (b, a % b);
            }
            a
        });
        let unit = if unit > 0.0 { unit } else { 1.0 };
        let total = 2.0 * couplings().map(|j| j.abs() / unit).sum::<f64>()
            + fields().map(|h| h.abs() / unit).sum::<f64>();
        if total > MOST_BONDS as f64 {
            return refuse("it needs couplings and fields that are small integer multiples of one number");
        }
        memory::check("graph of integer bonds", n, 4 * total as u64 + 8 * n as u64)?;
        let (mut starts, mut bonds) = (vec![0], Vec::with_capacity(total as usize));
        for site in 0..n {
            let links = model.topology().links(site).map(|(other, bond)| (other, model.coupling_at(bond)));
            for (other, j) in links.chain([(n, model.field_at(site))]) {
                let times = (j.abs() / unit).round() as usize;
                bonds.extend(std::iter::repeat_n(2 * other as u32 + u32::from(j < 0.0), times));
            }
            starts.push(bonds.len());
        }
        Ok(Self { unit, starts, bonds })
    }

    /// Number of sites.
    pub fn n_sites(&self) -> usize {
        self.starts.len() - 1
    }

    /// The energy that one unsatisfied bond more costs is twice this.
    pub fn unit(&self) -> f64 {
        self.unit
    }

    /// The bonds of a site.
    pub(super) fn bonds(&self, site: usize) -> &[u32] {
        &self.bonds[self.starts[site]..self.starts[site + 1]]
    }

    /// Bonds of all sites, those between sites twice.
    pub fn n_bond_ends(&self) -> usize {
        self.bonds.len()
    }

    /// H(s) of every replica, total over the sites.
    ///
    /// # Panics
    /// If `spins` have another number of sites.
    pub fn energies(&self, spins: &ReplicaSpins) -> Vec<f64> {
        assert_eq!(spins.n_sites(), self.n_sites(), "the replicas have the sites of the model");
        let mut unsatisfied = LaneCounter::default();
        let mut total = 0u64;
        for site in 0..self.n_sites() {
            // The ghost has the highest number, so that every bond is counted once.
            for bond in self.bonds(site).iter().filter(|&&bond| bond as usize / 2 > site) {
                let mut words = spins.planes[site];
                let sign = u64::from(bond & 1).wrapping_neg();
                for (word, other) in words.0.iter_mut().zip(spins.planes[*bond as usize / 2].0) {
                    *word ^= other ^ sign;
                }
                unsatisfied.add(words);
                total += 1;
            }
        }
        let energy = |n: u64| -self.unit * (total as f64 - 2.0 * n as f64);
        unsatisfied.counts().into_iter().map(energy).collect()
    }
}
