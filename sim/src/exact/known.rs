//! The exact energy of whatever model has one of the exact answers of this module.

use super::chain::{Chain, Ends};
use super::curie_weiss::CurieWeiss;
use super::enumeration;
use super::kaufman::Torus;
use crate::beta::Beta;
use crate::hamiltonian::Hamiltonian;
use crate::topology::{Boundary, Lattice};

/// Energies of up to 2^so many configurations are added up where no formula is known.
const ENUMERATED: usize = 16;

/// The energy of a model in equilibrium.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct KnownEnergy {
    /// ⟨E⟩/N, per site.
    pub mean: f64,
    /// √(⟨E²⟩ − ⟨E⟩²)/N = √(C/N)/β, per site: by how much single configurations differ.
    pub spread: f64,
    /// Whose answer it is.
    pub source: &'static str,
}

/// The exact energy of `model` at β > 0: of square tori with one J of either sign (L even where J < 0) and no field, of chains and rings with
/// one J and one h, of complete graphs with the same, and of anything up to 16 spins.
///
/// ```
/// use ceas_sim::{beta::Beta, exact, hamiltonian::Hamiltonian, topology::Topology};
/// let beta = Beta::new(0.44).unwrap();
/// let known = |l| exact::known_energy(&Hamiltonian::ferromagnet(Topology::square(l).unwrap()), beta).unwrap();
/// // Kaufman's formula, and the sum over 2⁹ configurations.
/// assert!(known(64).source.contains("Kaufman") && (known(64).mean + 1.41).abs() < 0.02);
/// assert!(known(3).source.contains("enumeration") && known(3).spread > known(64).spread);
/// let cubic: ceas_sim::spec::Spec = "cubic:8".parse().unwrap();
/// assert!(exact::known_energy(&cubic.build(None, 1).unwrap(), beta).is_none());
/// ```
pub fn known_energy(model: &Hamiltonian, beta: Beta) -> Option<KnownEnergy> {
    let n = model.n_sites();
    let known = |mean: f64, specific_heat: f64, source| {
        let spread = libm::sqrt((specific_heat / n as f64).max(0.0)) / beta.value();
        (mean.is_finite() && spread.is_finite()).then_some(KnownEnergy { mean, spread, source })
    };
    if beta.value() == 0.0 {
        return None;
    }
    if n <= ENUMERATED {
        let averages = enumeration::averages(model, beta).ok()?;
        return known(
            averages.energy_per_site(),
            averages.specific_heat(),
            "enumeration of all configurations",
        );
    }
    let (j, h) = model.uniform()?;
    let topology = model.topology();
    if topology.is_complete() {
        let averages = CurieWeiss::new(j * n as f64, h).ok()?.finite(n, beta).ok()?;
        return known(averages.energy_per_site(), averages.specific_heat(), "Curie and Weiss, finite N");
    }
    let chain = |ends| {
        let chain = Chain::new(n, j, h, ends).ok()?;
        known(chain.energy(beta) / n as f64, chain.specific_heat(beta), "transfer matrix")
    };
    match topology.as_lattice()? {
        (Lattice::Chain, Boundary::Periodic) => chain(Ends::Ring),
        (Lattice::Chain, Boundary::Open) => chain(Ends::Open),
        (Lattice::Square, Boundary::Periodic) if h == 0.0 => {
            let l = topology.size();
            // An antiferromagnet on two sublattices is a ferromagnet that is looked at otherwise.
            if j < 0.0 && !l.is_multiple_of(2) {
                return None;
            }
            let (torus, beta) = (Torus::new(l, l).ok()?, Beta::new(beta.value() * j.abs()).ok()?);
            known(j.abs() * torus.energy(beta), torus.specific_heat(beta), "Kaufman's finite torus")
        }
        _ => None,
    }
}
