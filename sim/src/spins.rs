//! Configurations of Ising spins.

use crate::error::Error;
use crate::stream::Stream;

/// A configuration: one spin s_i = ±1 per site, in the order of the sites.
///
/// ```
/// use ceas_sim::{spins::Spins, stream::{Purpose, Stream}};
/// assert_eq!(Spins::up(10).magnetization(), 10);
/// let hot = Spins::random(1_000, &mut Stream::new(1, Purpose::Initial, 0, 0));
/// assert!(hot.magnetization().abs() < 300 && hot.as_slice().iter().all(|s| s.abs() == 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spins {
    values: Vec<i8>,
}

impl Spins {
    /// All `n` spins up: the ground state of a ferromagnet, where a cold start begins.
    ///
    /// A lattice knows beforehand whether this fits into memory: [`crate::topology::Topology::check_memory`].
    pub fn up(n: usize) -> Self {
        Self { values: vec![1; n] }
    }

    /// `n` independent spins, up or down with probability ½ each (β = 0): a hot start. Takes ⌈n/64⌉ draws of 64 bits.
    pub fn random(n: usize, stream: &mut Stream) -> Self {
        let mut values = vec![0; n];
        for chunk in values.chunks_mut(64) {
            let bits = stream.next_u64();
            for (i, s) in chunk.iter_mut().enumerate() {
                *s = 2 * (bits >> i & 1) as i8 - 1;
            }
        }
        Self { values }
    }

    /// The spins given, each +1 or −1.
    ///
    /// # Errors
    /// [`Error::Spin`] naming the first that is neither.
    pub fn from_values(values: Vec<i8>) -> Result<Self, Error> {
        match values.iter().position(|&s| s != 1 && s != -1) {
            Some(site) => Err(Error::Spin { site, got: values[site] }),
            None => Ok(Self { values }),
        }
    }

    /// Number of spins.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no spin at all.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// s_i = ±1.
    ///
    /// # Panics
    /// If there is no such site.
    #[inline]
    pub fn get(&self, site: usize) -> i8 {
        self.values[site]
    }

    /// Turns s_i into −s_i.
    ///
    /// # Panics
    /// If there is no such site.
    #[inline]
    pub fn flip(&mut self, site: usize) {
        self.values[site] = -self.values[site];
    }

    /// Turns every spin: a symmetry of H where there is no field.
    pub fn flip_all(&mut self) {
        for s in &mut self.values {
            *s = -*s;
        }
    }

    /// M = Σ_i s_i, total over the sites.
    pub fn magnetization(&self) -> i64 {
        // i32 within a chunk lets the compiler add many spins at once.
        self.values.chunks(1 << 20).map(|c| i64::from(c.iter().map(|&s| i32::from(s)).sum::<i32>())).sum()
    }

    /// The spins in the order of the sites, +1 or −1 each.
    pub fn as_slice(&self) -> &[i8] {
        &self.values
    }

    /// For kernels, which keep every entry at ±1.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [i8] {
        &mut self.values
    }
}
