//! What the rungs of a ladder exchanged.

use serde::Serialize;

use crate::checkpoint::{Reader, Refusal, Writer};
use crate::couplings::Real;
use crate::update::{ClusterShare, SwapRate, TemperedFields};

/// Counts of the exchanges on the ladders of a search.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exchanges {
    /// For each interval, hottest first, how often it was crossed.
    pub swaps: Vec<SwapRate>,
    /// For each rung, hottest first, how large the clusters were.
    pub shares: Vec<ClusterShare>,
    /// Arrivals of walkers at the coldest rung that came from the hottest.
    pub journeys: u64,
}

/// A rung of the ladder, for tables and files.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RungReport {
    /// β, in units of 1/energy of the instance.
    pub beta: f64,
    /// Mean probability of a swap with the next colder rung; none on the coldest.
    pub swap: Option<f64>,
    /// Mean share of the differing sites that one cluster holds; none where no cluster is exchanged.
    pub cluster_share: Option<f64>,
}

impl Exchanges {
    pub(super) fn of<T: Real>(update: &TemperedFields<T>) -> Self {
        Self {
            swaps: update.swap_rates().to_vec(),
            shares: update.cluster_shares().to_vec(),
            journeys: update.journeys(),
        }
    }

    /// Adds those of another ladder with the same β.
    pub(super) fn add(&mut self, other: &Self) {
        if self.swaps.is_empty() {
            *self = other.clone();
            return;
        }
        for (sum, swap) in self.swaps.iter_mut().zip(&other.swaps) {
            sum.attempts += swap.attempts;
            sum.accepted += swap.accepted;
            sum.rejection += swap.rejection;
        }
        for (sum, share) in self.shares.iter_mut().zip(&other.shares) {
            sum.clusters += share.clusters;
            sum.share += share.share;
        }
        self.journeys += other.journeys;
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.u64(self.journeys);
        out.u64(self.swaps.len() as u64);
        for swap in &self.swaps {
            out.u64(swap.attempts);
            out.u64(swap.accepted);
            out.f64(swap.rejection);
        }
        out.u64(self.shares.len() as u64);
        for share in &self.shares {
            out.u64(share.clusters);
            out.f64(share.share);
        }
    }

    pub(super) fn load(from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let journeys = from.count()?;
        let swaps = from.u64()?;
        let swap =
            |_| Ok(SwapRate { attempts: from.count()?, accepted: from.count()?, rejection: from.f64()? });
        let swaps = (0..swaps).map(swap).collect::<Result<_, Refusal>>()?;
        let shares = from.u64()?;
        let share = |_| Ok(ClusterShare { clusters: from.count()?, share: from.f64()? });
        let shares = (0..shares).map(share).collect::<Result<_, Refusal>>()?;
        Ok(Self { swaps, shares, journeys })
    }
}
