//! The energy: couplings on bonds, fields on sites.

use std::fmt;

use crate::error::Error;
use crate::kernel;
use crate::spins::Spins;
use crate::topology::{Rows, Topology};

/// J_ij, one number for all bonds or one per bond. J > 0 is ferromagnetic.
#[derive(Debug, Clone, PartialEq)]
pub enum Couplings {
    /// The same J on every bond.
    Uniform(f64),
    /// J of each bond, in the order of [`Topology::bonds`].
    PerBond(Vec<f64>),
}

/// h_i, the field that pulls spin i up if positive.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// No field.
    Zero,
    /// The same h on every site.
    Uniform(f64),
    /// h of each site.
    PerSite(Vec<f64>),
}

/// H(s) = − Σ_(ij) J_ij s_i s_j − Σ_i h_i s_i, each bond once; dimensionless, total over the sites.
///
/// β is no part of it.
///
/// ```
/// use ceas_sim::{hamiltonian::{Couplings, Field, Hamiltonian}, spins::Spins, topology::Topology};
/// let h = Hamiltonian::new(Topology::ring(6).unwrap(), Couplings::Uniform(1.0), Field::Uniform(0.5)).unwrap();
/// let mut s = Spins::up(6);
/// assert_eq!(h.energy(&s), -6.0 - 3.0);
/// let change = h.delta_e(&s, 0);
/// s.flip(0);
/// assert_eq!(h.energy(&s), -9.0 + change);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Hamiltonian {
    topology: Topology,
    couplings: Couplings,
    field: Field,
}

impl Hamiltonian {
    /// Couplings and fields on a graph.
    ///
    /// # Errors
    /// [`Error::Count`] if there is not one coupling per bond or one field per site, [`Error::NotFinite`] if one is NaN or
    /// infinite, [`Error::EnergyOverflow`] if Σ|J| + Σ|h| is infinite.
    pub fn new(topology: Topology, couplings: Couplings, field: Field) -> Result<Self, Error> {
        let n = topology.n_sites();
        let (j, bonds) = match &couplings {
            Couplings::Uniform(j) => (std::slice::from_ref(j), topology.n_bonds() as f64),
            Couplings::PerBond(j) => (j.as_slice(), 1.0),
        };
        let (h, sites) = match &field {
            Field::Zero => (&[][..], 0.0),
            Field::Uniform(h) => (std::slice::from_ref(h), n as f64),
            Field::PerSite(h) => (h.as_slice(), 1.0),
        };
        if matches!(couplings, Couplings::PerBond(_)) && j.len() != topology.n_bonds() {
            return Err(Error::Count {
                what: "couplings",
                per: "bond",
                expected: topology.n_bonds(),
                got: j.len(),
            });
        }
        if matches!(field, Field::PerSite(_)) && h.len() != n {
            return Err(Error::Count { what: "fields", per: "site", expected: n, got: h.len() });
        }
        for (what, values) in [("coupling", j), ("field", h)] {
            if let Some(index) = values.iter().position(|x| !x.is_finite()) {
                return Err(Error::NotFinite { what, index, got: values[index] });
            }
        }
        let absolute = |values: &[f64]| values.iter().map(|x| x.abs()).sum::<f64>();
        // Twice the sum, because flipping a spin may change the energy by as much.
        if !(2.0 * (absolute(j) * bonds + absolute(h) * sites)).is_finite() {
            return Err(Error::EnergyOverflow);
        }
        Ok(Self { topology, couplings, field })
    }

    /// J = 1 on every bond, no field.
    pub fn ferromagnet(topology: Topology) -> Self {
        Self { topology, couplings: Couplings::Uniform(1.0), field: Field::Zero }
    }

    /// Which sites are joined.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// J.
    pub fn couplings(&self) -> &Couplings {
        &self.couplings
    }

    /// h.
    pub fn field(&self) -> &Field {
        &self.field
    }

    /// Number of spins N.
    pub fn n_sites(&self) -> usize {
        self.topology.n_sites()
    }

    /// Whether h_i = 0 everywhere.
    pub fn is_field_free(&self) -> bool {
        match &self.field {
            Field::Zero => true,
            Field::Uniform(h) => *h == 0.0,
            Field::PerSite(h) => h.iter().all(|&h| h == 0.0),
        }
    }

    /// J and h, if both are the same everywhere.
    pub fn uniform(&self) -> Option<(f64, f64)> {
        match (&self.couplings, &self.field) {
            (&Couplings::Uniform(j), Field::Zero) => Some((j, 0.0)),
            (&Couplings::Uniform(j), &Field::Uniform(h)) => Some((j, h)),
            _ => None,
        }
    }

    /// h_i.
    ///
    /// # Panics
    /// If there is no such site.
    #[inline]
    pub fn field_at(&self, site: usize) -> f64 {
        match &self.field {
            Field::Zero => 0.0,
            Field::Uniform(h) => *h,
            Field::PerSite(h) => h[site],
        }
    }

    /// J of bond number `bond`.
    ///
    /// # Panics
    /// If couplings are per bond and there is no such bond.
    #[inline]
    pub fn coupling_at(&self, bond: usize) -> f64 {
        match &self.couplings {
            Couplings::Uniform(j) => *j,
            Couplings::PerBond(j) => j[bond],
        }
    }

    /// H(s), total over the sites.
    ///
    /// # Panics
    /// If `spins` has not one spin per site.
    pub fn energy(&self, spins: &Spins) -> f64 {
        assert_eq!(spins.len(), self.n_sites(), "one spin per site");
        let s = spins.as_slice();
        let on_bonds = match &self.couplings {
            // Counting first and multiplying once is exact for any order of the bonds.
            Couplings::Uniform(j) => j * self.bond_sum(s) as f64,
            Couplings::PerBond(j) => {
                self.topology.bonds().zip(j).map(|((a, b), j)| j * f64::from(s[a] * s[b])).sum()
            }
        };
        let on_sites = match &self.field {
            Field::Zero => 0.0,
            Field::Uniform(h) => h * spins.magnetization() as f64,
            Field::PerSite(h) => h.iter().zip(s).map(|(h, &s)| h * f64::from(s)).sum(),
        };
        -on_bonds - on_sites
    }

    /// Σ_(ij) s_i s_j.
    fn bond_sum(&self, s: &[i8]) -> i64 {
        match self.topology.square_size() {
            Some(l) => kernel::square::bond_sum(l, s),
            None if self.topology.is_complete() => {
                let m: i64 = s.iter().map(|&s| i64::from(s)).sum();
                (m * m - s.len() as i64) / 2
            }
            None => match Rows::of(&self.topology) {
                Some(rows) => rows.bond_sum(s),
                None => self.topology.bonds().map(|(a, b)| i64::from(s[a] * s[b])).sum(),
            },
        }
    }

    /// h_i + Σ_j J_ij s_j: the field that spin i feels.
    ///
    /// # Panics
    /// If there is no such site, or `spins` has too few.
    #[inline]
    pub fn local_field(&self, spins: &Spins, site: usize) -> f64 {
        let s = spins.as_slice();
        let links = self.topology.links(site);
        let coupled = match &self.couplings {
            Couplings::Uniform(j) => j * links.map(|(i, _)| i64::from(s[i])).sum::<i64>() as f64,
            Couplings::PerBond(j) => links.map(|(i, bond)| j[bond] * f64::from(s[i])).sum(),
        };
        self.field_at(site) + coupled
    }

    /// ΔE = 2 s_i (h_i + Σ_j J_ij s_j): the energy of flipping spin i.
    ///
    /// # Panics
    /// If there is no such site, or `spins` has too few.
    #[inline]
    pub fn delta_e(&self, spins: &Spins, site: usize) -> f64 {
        2.0 * f64::from(spins.get(site)) * self.local_field(spins, site)
    }
}

/// One line for provenance: the formula with its numbers, and the lattice.
impl fmt::Display for Hamiltonian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "H = -sum J s s - sum h s, s = +-1, each bond once; ")?;
        match &self.couplings {
            Couplings::Uniform(j) => write!(f, "J = {j}")?,
            Couplings::PerBond(_) => write!(f, "J per bond")?,
        }
        match &self.field {
            Field::Zero => write!(f, ", h = 0; ")?,
            Field::Uniform(h) => write!(f, ", h = {h}; ")?,
            Field::PerSite(_) => write!(f, ", h per site; ")?,
        }
        let shape: Vec<String> = self.topology.shape().iter().map(usize::to_string).collect();
        let edge = if self.topology.is_periodic() { ", periodic" } else { "" };
        write!(f, "{} {}{edge}", self.topology.name(), shape.join(" x "))
    }
}
