//! The probability with which a satisfied bond, or a field, ties spins together in a cluster update.

use crate::beta::Beta;
use crate::hamiltonian::{Couplings, Field, Hamiltonian};
use crate::kernel::threshold;

/// p = 1 − e^(−2βJ s_i s_j) for a satisfied bond, 0 for the others; `satisfaction` is J s_i s_j, or h_i s_i for the bond to the ghost
/// spin that stands for the field (Fortuin and Kasteleyn, doi:10.1016/0031-8914(72)90045-6).
///
/// ```
/// use ceas_sim::{beta::Beta, update::bond_probability};
/// let half = bond_probability(Beta::new(1.0).unwrap(), 0.5 * 2f64.ln());
/// assert!((half - 0.5).abs() < 1e-15);
/// assert_eq!(bond_probability(Beta::new(1.0).unwrap(), -0.5), 0.0);
/// ```
pub fn bond_probability(beta: Beta, satisfaction: f64) -> f64 {
    if satisfaction <= 0.0 { 0.0 } else { -libm::expm1(-2.0 * beta.value() * satisfaction) }
}

/// One number for all, or one for each.
#[derive(Debug, Clone)]
pub(super) enum Thresholds {
    /// The same everywhere.
    Same(u64),
    /// By bond or site.
    Each(Vec<u64>),
}

impl Thresholds {
    /// Those of a list, which is one number where all are equally strong, as in a ±J glass.
    fn of(strengths: &[f64], threshold: impl Fn(&f64) -> u64) -> Self {
        match strengths {
            [first, rest @ ..] if rest.iter().all(|other| other.abs() == first.abs()) => {
                Self::Same(threshold(first))
            }
            _ => Self::Each(strengths.iter().map(threshold).collect()),
        }
    }
}

/// Thresholds of |J| on bonds and |h| on sites, remembered for the β, J and h they belong to.
#[derive(Debug, Clone)]
pub(super) struct BondThresholds {
    of: Option<(Beta, Couplings, Field)>,
    pub(super) bonds: Thresholds,
    /// `None` where there is no field.
    pub(super) sites: Option<Thresholds>,
}

impl BondThresholds {
    pub(super) fn new() -> Self {
        Self { of: None, bonds: Thresholds::Same(0), sites: None }
    }

    /// Bytes they take, the copy of the couplings and fields included.
    pub(super) fn bytes(model: &Hamiltonian) -> u64 {
        let bonds =
            if matches!(model.couplings(), Couplings::PerBond(_)) { model.topology().n_bonds() } else { 0 };
        let sites = if matches!(model.field(), Field::PerSite(_)) { model.n_sites() } else { 0 };
        16 * (bonds + sites) as u64
    }

    pub(super) fn at(&mut self, model: &Hamiltonian, beta: Beta) {
        if matches!(&self.of, Some((b, j, h)) if *b == beta && j == model.couplings() && h == model.field()) {
            return;
        }
        match &mut self.of {
            Some((known, j, h)) if j == model.couplings() && h == model.field() => *known = beta,
            of => *of = Some((beta, model.couplings().clone(), model.field().clone())),
        }
        let t = |strength: &f64| threshold(bond_probability(beta, strength.abs()));
        self.bonds = match model.couplings() {
            Couplings::Uniform(j) => Thresholds::Same(t(j)),
            Couplings::PerBond(j) => Thresholds::of(j, t),
        };
        self.sites = match model.field() {
            _ if model.is_field_free() => None,
            Field::Zero => None,
            Field::Uniform(h) => Some(Thresholds::Same(t(h))),
            Field::PerSite(h) => Some(Thresholds::of(h, t)),
        };
    }
}
