//! What clusters say about the magnetization beyond the configuration they leave behind: improved estimators.

use serde::{Deserialize, Serialize};

use crate::stream::Stream;

/// Moments of the magnetization averaged over all 2^(clusters) orientations of the clusters of one configuration.
///
/// With M₀ the magnetization of the sites held by the field (0 without one), M_C = Σ_(i∈C) s_i that of a free cluster,
/// S₂ = Σ_C M_C² and S₄ = Σ_C M_C⁴,
/// ```text
/// ⟨M⟩ = M₀      ⟨M²⟩ = M₀² + S₂      ⟨M⁴⟩ = M₀⁴ + 6 M₀² S₂ + 3 S₂² − 2 S₄
/// ```
/// Their means over sweeps are ⟨m⟩, ⟨m²⟩, ⟨m⁴⟩ with less noise than the moments of the configurations, for couplings of any sign
/// (arXiv:2108.11566 has those of U₄; first U. Wolff, Nucl. Phys. B 322, 759 (1989), and F. Niedermayer, Phys. Lett. B 237, 473 (1990),
/// both cited from memory). All moments are per site: m = M/N.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ImprovedMoments {
    /// Number of clusters that are free to turn.
    pub clusters: u64,
    /// Share of the sites held by the field, 0 without one.
    pub held: f64,
    /// Σ_C |C|²/N², over free clusters: the mean size of the cluster of a random site, as a share of N, held sites counting 0.
    pub mean_cluster: f64,
    /// m averaged over orientations.
    pub magnetization: f64,
    /// m² averaged over orientations.
    pub magnetization_2: f64,
    /// m⁴ averaged over orientations.
    pub magnetization_4: f64,
}

/// The bonds that a sweep of clusters saw, those to the ghost left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BondCounts {
    /// Satisfied bonds of the configuration before the sweep: with one J and no field, E = −|J| (2 satisfied − bonds).
    pub satisfied: u64,
    /// Bonds opened. With one J and no field the weight of the clusters is (e^(2β|J|) − 1)^open × a function of the clusters alone
    /// (Fortuin and Kasteleyn), so that what depends on them alone can be reweighted to other β by this number.
    pub open: u64,
}

/// The sums behind [`ImprovedMoments`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MomentSums {
    clusters: u64,
    held_sites: i64,
    held: i64,
    sizes: f64,
    s2: f64,
    s4: f64,
}

impl MomentSums {
    /// A cluster of `size` sites and magnetization `m`, held by the field or free.
    #[inline]
    pub(super) fn add(&mut self, size: i64, m: i64, held: bool) {
        if held {
            self.held_sites += size;
            self.held += m;
        } else {
            self.clusters += 1;
            self.sizes += (size * size) as f64;
            let square = (m * m) as f64;
            self.s2 += square;
            self.s4 += square * square;
        }
    }

    pub(super) fn moments(&self, n: usize) -> ImprovedMoments {
        let (n, held) = (n as f64, self.held as f64);
        let (n2, held2) = (n * n, held * held);
        let m4 = held2 * held2 + 6.0 * held2 * self.s2 + 3.0 * self.s2 * self.s2 - 2.0 * self.s4;
        ImprovedMoments {
            clusters: self.clusters,
            held: self.held_sites as f64 / n,
            mean_cluster: self.sizes / n2,
            magnetization: held / n,
            magnetization_2: (held2 + self.s2) / n2,
            magnetization_4: m4 / (n2 * n2),
        }
    }
}

/// Coins tossed 64 at a time.
#[derive(Debug)]
pub(super) struct Coins<'s> {
    stream: &'s mut Stream,
    bits: u64,
    left: u32,
}

impl<'s> Coins<'s> {
    pub(super) fn new(stream: &'s mut Stream) -> Self {
        Self { stream, bits: 0, left: 0 }
    }

    /// −1 or +1, each with probability ½; the same coin shows again next time unless it was `wanted`.
    #[inline(always)]
    pub(super) fn sign_if(&mut self, wanted: bool) -> i8 {
        if u32::from(wanted) > self.left {
            (self.bits, self.left) = (self.stream.next_u64(), 64);
        }
        let sign = 2 * (self.bits & 1) as i8 - 1;
        self.bits >>= u32::from(wanted);
        self.left -= u32::from(wanted);
        sign
    }

    /// −1 or +1, each with probability ½.
    #[inline]
    pub(super) fn sign(&mut self) -> i8 {
        self.sign_if(true)
    }
}
