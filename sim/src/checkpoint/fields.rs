//! What updates on cached fields put into a checkpoint.

use super::bytes::{Reader, Refusal, Writer};
use super::saved::{Recognizable, SavedState, SavedUpdate, stir};
use crate::couplings::{CouplingRows, Layout, Real};
use crate::update::{CachedField, CachedSpins, ClusterShare, End, Learnt, SwapRate, TemperedFields};

impl<T: Real> Recognizable for CouplingRows<T> {
    fn fingerprint(&self) -> u64 {
        let bits = |x: T| x.to_f64().to_bits();
        let mut hash = stir(stir(8, self.n() as u64), std::mem::size_of::<T>() as u64);
        match &self.layout {
            Layout::Sparse { starts, entries } => {
                hash = starts.iter().map(|&start| start as u64).fold(hash, stir);
                hash = entries
                    .iter()
                    .fold(hash, |hash, &(j, twice)| stir(stir(hash, u64::from(j)), bits(twice)));
            }
            Layout::Dense(rows) => {
                for row in rows.values().chunks(rows.row_stride()).take(self.n()) {
                    hash = row[..self.n()].iter().map(|&twice| bits(twice)).fold(hash, stir);
                }
            }
        }
        self.fields.iter().map(|&h| bits(h)).fold(hash, stir)
    }
}

impl<T: Real> SavedState<CouplingRows<T>> for Vec<CachedSpins<T>> {
    fn save(&self, out: &mut Writer) {
        out.u64(self.len() as u64);
        for replica in self {
            // Fields too, where they are kept: where they round, they depend on the flips that led here.
            let (spins, fields, energy, uphill) = replica.memory();
            out.f64(energy);
            out.u64(uphill);
            out.raw(spins.iter().map(|s| u8::from(s.to_f64() > 0.0)));
            fields.iter().for_each(|field| out.f64(field.to_f64()));
        }
    }

    fn load(rows: &CouplingRows<T>, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut replicas = Vec::new();
        // Replicas are made one by one as long as there are bytes for them.
        for _ in 0..from.u64()? {
            let (energy, uphill) = (from.f64()?, from.count()?);
            let bits = from.raw(rows.n())?;
            if bits.iter().any(|&bit| bit > 1) {
                return Err(from.broken("a spin is up or down"));
            }
            let spins = bits.iter().map(|&bit| T::of(2.0 * f64::from(bit) - 1.0)).collect();
            let kept = if rows.keeps_fields() { rows.n() } else { 0 };
            let fields = (0..kept).map(|_| Ok(T::of(from.f64()?))).collect::<Result<_, Refusal>>()?;
            replicas.push(CachedSpins::remembered(spins, fields, energy, uphill));
        }
        Ok(replicas)
    }
}

fn digits<T>() -> usize {
    8 * std::mem::size_of::<T>()
}

impl<T: Real> SavedUpdate for CachedField<T> {
    fn kind(&self) -> String {
        let ratios = self.ratios().iter().map(|ratio| ratio.to_bits()).fold(9, stir);
        format!("cached fields of {} bits at ratios {ratios:016x}", digits::<T>())
    }

    fn save(&self, _: &Self::State, out: &mut Writer) {
        out.u64(self.sweeps());
    }

    fn restore(&mut self, _: &Self::State, from: &mut Reader<'_>) -> Result<(), Refusal> {
        self.stand_at(from.count()?);
        Ok(())
    }
}

impl<T: Real> SavedUpdate for TemperedFields<T> {
    fn kind(&self) -> String {
        let betas = self.grid().betas().iter().map(|b| b.value().to_bits()).fold(10, stir);
        let clustered = self.clustered().iter().map(|&on| u64::from(on)).fold(betas, stir);
        let (bits, rungs, copies) = (digits::<T>(), self.grid().rungs(), self.copies());
        format!("tempered fields of {bits} bits, {rungs} rungs of {copies} at {clustered:016x}")
    }

    fn save(&self, _: &Self::State, out: &mut Writer) {
        let learnt = self.learnt();
        [learnt.inner, learnt.sweeps, learnt.journeys].into_iter().for_each(|count| out.u64(count));
        for swap in &learnt.swaps {
            out.u64(swap.attempts);
            out.u64(swap.accepted);
            out.f64(swap.rejection);
        }
        for share in &learnt.shares {
            out.u64(share.clusters);
            out.u64(share.turned);
            out.f64(share.share);
        }
        learnt.walkers.iter().for_each(|&walker| out.u32(walker));
        learnt.ends.iter().for_each(|&end| out.u8(end as u8));
    }

    fn restore(&mut self, state: &Self::State, from: &mut Reader<'_>) -> Result<(), Refusal> {
        let (rungs, places) = (self.grid().rungs(), self.replicas());
        if state.len() != places {
            return Err(from.broken("the ladder has as many replicas as its grid has places"));
        }
        let (inner, sweeps, journeys) = (from.count()?, from.count()?, from.count()?);
        let swap =
            |_| Ok(SwapRate { attempts: from.count()?, accepted: from.count()?, rejection: from.f64()? });
        let swaps = (1..rungs).map(swap).collect::<Result<_, Refusal>>()?;
        let share =
            |_| Ok(ClusterShare { clusters: from.count()?, turned: from.count()?, share: from.f64()? });
        let shares = (0..rungs).map(share).collect::<Result<_, Refusal>>()?;
        let mut seen = vec![false; places];
        let mut walkers = Vec::with_capacity(places);
        for _ in 0..places {
            let walker = from.u32()?;
            match seen.get_mut(walker as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(from.broken("every walker stands on one rung")),
            }
            walkers.push(walker);
        }
        let end = |_| match from.u8()? {
            0 => Ok(End::None),
            1 => Ok(End::Hot),
            2 => Ok(End::Cold),
            _ => Err(from.broken("a walker comes from the hot end, the cold end or neither")),
        };
        let ends = (0..places).map(end).collect::<Result<_, Refusal>>()?;
        self.learn(Learnt { inner, sweeps, journeys, swaps, shares, walkers, ends });
        Ok(())
    }
}
