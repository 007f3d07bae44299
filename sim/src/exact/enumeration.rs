//! Every configuration of up to 24 spins, visited in Gray-code order: one flip from each to the next.

use super::averages::{Averages, WeightedSum};
use crate::beta::Beta;
use crate::error::Error;

/// The largest number of spins that is enumerated: 2²⁴ configurations.
pub const MOST_SITES: usize = 24;

/// Configurations after which the running energy is computed afresh, so that rounding cannot accumulate.
const REFRESH: u32 = 1 << 10;

/// What enumeration needs to know of a Hamiltonian over N spins s = ±1.
pub trait Energetics {
    /// Number of spins N.
    fn sites(&self) -> usize;
    /// H(s), total.
    fn energy(&self, spins: &[i8]) -> f64;
    /// The energy E(after) − E(before) of flipping spin `site`: 2 s_i (h_i + Σ_j J_ij s_j).
    fn flip_energy(&self, spins: &[i8], site: usize) -> f64;
}

/// Calls `see(spins, energy)` once for each of the 2ᴺ configurations.
///
/// # Errors
/// [`Error::SiteCount`] unless 1 ≤ N ≤ [`MOST_SITES`].
pub fn visit(model: &impl Energetics, mut see: impl FnMut(&[i8], f64)) -> Result<(), Error> {
    let sites = model.sites();
    if !(1..=MOST_SITES).contains(&sites) {
        return Err(Error::SiteCount { what: "enumeration", got: sites, least: 1, most: MOST_SITES });
    }
    let mut spins = vec![-1i8; sites];
    let mut energy = model.energy(&spins);
    see(&spins, energy);
    for step in 1..1u32 << sites {
        let site = step.trailing_zeros() as usize;
        energy += model.flip_energy(&spins, site);
        spins[site] = -spins[site];
        if step.is_multiple_of(REFRESH) {
            energy = model.energy(&spins);
        }
        see(&spins, energy);
    }
    Ok(())
}

/// Exact averages at `beta` as sums over all 2ᴺ configurations.
///
/// # Errors
/// [`Error::SiteCount`] unless 1 ≤ N ≤ [`MOST_SITES`].
pub fn averages(model: &impl Energetics, beta: Beta) -> Result<Averages, Error> {
    let mut sum = WeightedSum::new(model.sites(), beta);
    visit(model, |spins, energy| {
        let magnetization: i64 = spins.iter().map(|&s| i64::from(s)).sum();
        sum.add(energy, magnetization as f64, 0.0);
    })?;
    Ok(sum.averages())
}
