//! What the bit-parallel updates put into a checkpoint.

use super::bytes::{Reader, Refusal, Writer};
use super::saved::{SavedState, SavedUpdate, stir};
use crate::hamiltonian::Hamiltonian;
use crate::kernel::multispin::sites::Decision;
use crate::kernel::multispin::{ReplicaSpins, Words};
use crate::update::Replicas;

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
        let decision = match self.decision() {
            Decision::Metropolis => "metropolis",
            Decision::HeatBath => "heat-bath",
        };
        format!("512 replicas by {decision} at ratios {ratios:016x}, {} blocks", self.blocks())
    }

    fn save(&self, _: &ReplicaSpins, _: &mut Writer) {}

    fn restore(&mut self, _: &ReplicaSpins, _: &mut Reader<'_>) -> Result<(), Refusal> {
        Ok(())
    }
}
