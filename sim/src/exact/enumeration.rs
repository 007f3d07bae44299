//! Every configuration of up to 24 spins, visited in Gray-code order: one flip from each to the next.

use super::averages::{Averages, WeightedSum};
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::spins::Spins;

/// The largest number of spins that is enumerated: 2²⁴ configurations.
pub const MOST_SITES: usize = 24;

/// Configurations after which the running energy is computed afresh, so that rounding cannot accumulate.
const REFRESH: u32 = 1 << 10;

/// Calls `see(spins, energy)` once for each of the 2ᴺ configurations, `energy` being H(s), total.
///
/// # Errors
/// [`Error::SiteCount`] unless 1 ≤ N ≤ [`MOST_SITES`].
pub fn visit(model: &Hamiltonian, mut see: impl FnMut(&Spins, f64)) -> Result<(), Error> {
    let sites = model.n_sites();
    if !(1..=MOST_SITES).contains(&sites) {
        return Err(Error::SiteCount { what: "enumeration", got: sites, least: 1, most: MOST_SITES });
    }
    let mut spins = Spins::up(sites);
    let mut energy = model.energy(&spins);
    see(&spins, energy);
    for step in 1..1u32 << sites {
        let site = step.trailing_zeros() as usize;
        energy += model.delta_e(&spins, site);
        spins.flip(site);
        if step.is_multiple_of(REFRESH) {
            energy = model.energy(&spins);
        }
        see(&spins, energy);
    }
    Ok(())
}

/// Exact averages at `beta` as sums over all 2ᴺ configurations.
///
/// ```
/// use ceas_sim::{beta::Beta, exact::enumeration, hamiltonian::Hamiltonian, topology::Topology};
/// let pair = Hamiltonian::ferromagnet(Topology::open_chain(2).unwrap());
/// let exact = enumeration::averages(&pair, Beta::new(0.5).unwrap()).unwrap();
/// assert!((exact.energy + 0.5f64.tanh()).abs() < 1e-15);
/// ```
///
/// # Errors
/// [`Error::SiteCount`] unless 1 ≤ N ≤ [`MOST_SITES`].
pub fn averages(model: &Hamiltonian, beta: Beta) -> Result<Averages, Error> {
    let mut sum = WeightedSum::new(model.n_sites(), beta);
    visit(model, |spins, energy| sum.add(energy, spins.magnetization() as f64, 0.0))?;
    Ok(sum.averages())
}
