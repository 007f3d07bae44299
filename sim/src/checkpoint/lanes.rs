//! What the bit-parallel updates put into a checkpoint.

use super::bytes::{Reader, Refusal, Writer};
use super::saved::{SavedState, SavedUpdate, stir};
use crate::hamiltonian::Hamiltonian;
use crate::kernel::multispin::sites::{Decision, SiteModel};
use crate::kernel::multispin::{PackedSpins, ReplicaSpins, Words};
use crate::update::{MultiSpin, Replicas, SharedRandom, SharedSpins};

/// Bytes of a vector.
const VECTOR: usize = 64;

/// A vector as it was written, from [`VECTOR`] bytes.
fn vector(bytes: &[u8]) -> Words {
    let mut words = Words::ZERO;
    for (word, bytes) in words.0.iter_mut().zip(bytes.chunks_exact(8)) {
        let mut eight = [0; 8];
        eight.copy_from_slice(bytes);
        *word = u64::from_le_bytes(eight);
    }
    words
}

fn name(decision: Decision) -> &'static str {
    match decision {
        Decision::Metropolis => "metropolis",
        Decision::HeatBath => "heat-bath",
    }
}

impl SavedState<Hamiltonian> for PackedSpins {
    fn save(&self, out: &mut Writer) {
        self.cells().iter().flat_map(|cell| cell.0).for_each(|word| out.u64(word));
    }

    fn load(model: &Hamiltonian, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let no_lattice = |_| from.broken("spins in the lanes need a lattice that fits them");
        let grid = *SiteModel::new(model).map_err(no_lattice)?.grid();
        // The bytes must be there before there is a vector for them.
        let bytes = from.raw(VECTOR * grid.cells())?;
        Ok(Self::from_cells(grid, bytes.chunks_exact(VECTOR).map(vector).collect()))
    }
}

impl SavedUpdate for MultiSpin {
    fn kind(&self) -> String {
        let (grid, decision) = (self.grid(), name(self.decision()));
        let (lattice, size, blocks) = (grid.lattice().name(), grid.size(), grid.blocks());
        format!("512 sites by {decision} on the {lattice}, L = {size}, {blocks} blocks")
    }

    fn save(&self, _: &PackedSpins, _: &mut Writer) {}

    fn restore(&mut self, state: &PackedSpins, from: &mut Reader<'_>) -> Result<(), Refusal> {
        if state.grid() == self.grid() {
            Ok(())
        } else {
            Err(from.broken("the spins are laid out for another lattice than the update"))
        }
    }
}

impl SavedState<Hamiltonian> for SharedSpins {
    fn save(&self, out: &mut Writer) {
        self.inside().save(out);
    }

    fn load(model: &Hamiltonian, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self::new(ReplicaSpins::load(model, from)?))
    }
}

impl SavedUpdate for SharedRandom {
    fn kind(&self) -> String {
        let ratios = self.ratios().iter().map(|ratio| ratio.to_bits()).fold(12, stir);
        format!("512 replicas by metropolis with shared random numbers at ratios {ratios:016x}")
    }

    fn save(&self, _: &SharedSpins, _: &mut Writer) {}

    fn restore(&mut self, _: &SharedSpins, _: &mut Reader<'_>) -> Result<(), Refusal> {
        Ok(())
    }
}

impl SavedState<Hamiltonian> for ReplicaSpins {
    fn save(&self, out: &mut Writer) {
        for site in 0..self.n_sites() {
            self.site(site).0.into_iter().for_each(|word| out.u64(word));
        }
    }

    fn load(model: &Hamiltonian, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let mut sites = Vec::new();
        for _ in 0..model.n_sites() {
            let mut words = Words::ZERO;
            for word in &mut words.0 {
                *word = from.u64()?;
            }
            sites.push(words);
        }
        Ok(Self::from_sites(sites))
    }
}

impl SavedUpdate for Replicas {
    fn kind(&self) -> String {
        let ratios = self.ratios().iter().map(|ratio| ratio.to_bits()).fold(11, stir);
        let decision = name(self.decision());
        format!("512 replicas by {decision} at ratios {ratios:016x}, {} blocks", self.blocks())
    }

    fn save(&self, _: &ReplicaSpins, _: &mut Writer) {}

    fn restore(&mut self, _: &ReplicaSpins, _: &mut Reader<'_>) -> Result<(), Refusal> {
        Ok(())
    }
}
