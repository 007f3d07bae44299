//! What is noted of a read on its way.

use crate::checkpoint::{Reader, Refusal, Writer};
use crate::spins::Spins;

/// Energies of a trace.
const TRACE: u64 = 100;
/// Parts of a read at whose ends all reads are compared.
pub(super) const PARTS: u64 = 10;

/// Sweep at which part number `part` (from 1) of so many sweeps ends.
pub(super) fn end_of_part(part: u64, sweeps: u64) -> u64 {
    (u128::from(part) * u128::from(sweeps)).div_ceil(u128::from(PARTS)) as u64
}

/// Whether something is noted after so many of all sweeps.
pub(super) fn is_mark(done: u64, sweeps: u64) -> bool {
    done.is_multiple_of((sweeps / TRACE).max(1))
        || done == sweeps
        || (1..=PARTS).any(|part| end_of_part(part, sweeps) == done)
}

/// What is noted of one read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Notes {
    /// The lowest energy met, in the units of the rows.
    pub(super) lowest: f64,
    /// Where it was met.
    pub(super) best: Spins,
    /// (sweep, energy), in the units of the rows.
    pub(super) trace: Vec<(u64, f64)>,
    /// At the end of each part, the energy and the lowest one until then.
    pub(super) parts: Vec<(f64, f64)>,
}

impl Notes {
    /// Of a read that begins at this configuration.
    pub(super) fn new(best: Spins, energy: f64) -> Self {
        Self { lowest: energy, best, trace: Vec::new(), parts: Vec::new() }
    }

    /// A configuration of this energy, which `copy` copies out, was met on the way.
    pub(super) fn see(&mut self, energy: f64, copy: impl FnOnce(&mut Spins)) {
        if energy < self.lowest {
            self.lowest = energy;
            copy(&mut self.best);
        }
    }

    /// After `done` of `sweeps` sweeps the read has energy `now`; the lowest of its replicas has `least`, in a configuration that
    /// `copy` copies out.
    pub(super) fn look(
        &mut self,
        done: u64,
        sweeps: u64,
        now: f64,
        least: f64,
        copy: impl FnOnce(&mut Spins),
    ) {
        self.see(least, copy);
        if is_mark(done, sweeps) {
            self.trace.push((done, now));
            while (self.parts.len() as u64) < PARTS
                && end_of_part(self.parts.len() as u64 + 1, sweeps) <= done
            {
                self.parts.push((now, self.lowest));
            }
        }
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.f64(self.lowest);
        out.u64(self.best.len() as u64);
        out.raw(self.best.as_slice().iter().map(|&s| s as u8));
        out.u64(self.trace.len() as u64);
        for &(sweep, energy) in &self.trace {
            out.u64(sweep);
            out.f64(energy);
        }
        out.u64(self.parts.len() as u64);
        for &(now, lowest) in &self.parts {
            out.f64(now);
            out.f64(lowest);
        }
    }

    /// Those of a read of `n` spins.
    pub(super) fn load(n: usize, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let lowest = from.f64()?;
        if from.u64()? != n as u64 {
            return Err(from.broken("a configuration has one spin per variable"));
        }
        let values = from.raw(n)?.iter().map(|&byte| byte as i8).collect();
        let best = Spins::from_values(values).map_err(|_| from.broken("a spin is +1 or −1"))?;
        // Entries are made one by one as long as there are bytes for them.
        let points = from.u64()?;
        let trace = (0..points).map(|_| Ok((from.u64()?, from.f64()?))).collect::<Result<_, Refusal>>()?;
        let parts = from.u64()?;
        if parts > PARTS {
            return Err(from.broken("a read has ten parts"));
        }
        let parts = (0..parts).map(|_| Ok((from.f64()?, from.f64()?))).collect::<Result<_, Refusal>>()?;
        Ok(Self { lowest, best, trace, parts })
    }
}
