//! The families of models whose transition can be located, and what is known of each beforehand.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::Error;
use crate::hamiltonian::{Couplings, Field, Hamiltonian};
use crate::spec::{self, Spec, SpecError};
use crate::topology::{Boundary, CriticalPoint, Lattice, Topology};

/// A lattice or graph with couplings, its size open: one model for every size.
///
/// ```
/// use ceas_sim::critical::Family;
/// let cubic: Family = "cubic".parse().unwrap();
/// assert_eq!(cubic.model(4, 1).unwrap().n_sites(), 64);
/// let glass = "square,couplings=pm1".parse::<Family>().unwrap().check(8, 1).unwrap_err();
/// assert!(glass.to_string().contains("order parameter"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Family(Arc<Spec>);

/// Why a family has no transition that can be found from the magnetization.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The spec is wrong, or no such size exists.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The physics is.
    #[error("{spec}: {reason}")]
    Physics {
        /// What was asked for.
        spec: String,
        /// Why not, and what would be right.
        reason: &'static str,
    },
    /// A graph in pieces.
    #[error(
        "{spec}: of its {sites} sites only {largest} are connected with each other: U₄ of m of separate parts shows no transition"
    )]
    Disconnected {
        /// What was asked for.
        spec: String,
        /// N.
        sites: usize,
        /// Sites of the largest part.
        largest: usize,
    },
}

/// What sets the corrections to scaling: the universality class, as far as dimension and range of the couplings tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Two dimensions, periodic.
    Two,
    /// Three dimensions, periodic.
    Three,
    /// Four dimensions, periodic: the upper critical dimension, with logarithms.
    Four,
    /// A graph without a dimension: size is the number of sites N.
    MeanField,
    /// Free ends, or a graph of unknown kind.
    Unknown,
}

/// A correction to scaling, L^(−ω), and how far ω is varied to see what a result owes to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correction {
    /// ω.
    pub omega: f64,
    /// By how much ω is made smaller and larger.
    pub spread: f64,
    /// Where ω is from.
    pub source: &'static str,
}

/// Critical exponents that a fit is printed beside: ν and η with their errors, or those of mean field in terms of N.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct KnownExponents {
    /// 1/ν; in terms of N on a graph without a dimension.
    pub inverse_nu: f64,
    /// Its error, 0 where it is exact.
    pub inverse_nu_error: f64,
    /// γ/ν.
    pub gamma_over_nu: f64,
    /// Its error.
    pub gamma_over_nu_error: f64,
    /// Where they are from.
    pub source: &'static str,
}

impl Class {
    /// d, the dimension by which β/ν = (d − γ/ν)/2; in terms of N it is 1.
    pub fn dimension(self) -> Option<f64> {
        match self {
            Self::Two => Some(2.0),
            Self::Three => Some(3.0),
            Self::Four => Some(4.0),
            Self::MeanField => Some(1.0),
            Self::Unknown => None,
        }
    }

    /// The leading correction of U₄ and ξ/L. Universal like the exponents, it tells nothing of where β_c is.
    pub fn correction(self) -> Correction {
        let (omega, spread, source) = match self {
            Self::Two => {
                (1.75, 0.25, "γ/ν of the background of ⟨m²⟩, Salas and Sokal, arXiv:cond-mat/9904038")
            }
            Self::Three => (0.83, 0.2, "ω = 0.832(6), Hasenbusch 2010, arXiv:1004.4486"),
            Self::Four => (1.0, 0.5, "assumed; at the upper critical dimension corrections are logarithms"),
            Self::MeanField => (0.5, 0.15, "expansion of the mean-field free energy in N^(−1/2)"),
            Self::Unknown => (1.0, 0.5, "assumed"),
        };
        Correction { omega, spread, source }
    }

    /// Exponents from the literature.
    pub fn known(self) -> Option<KnownExponents> {
        match self {
            Self::Two => Some(KnownExponents {
                inverse_nu: 1.0,
                inverse_nu_error: 0.0,
                gamma_over_nu: 1.75,
                gamma_over_nu_error: 0.0,
                source: "Onsager 1944; Wu, McCoy, Tracy and Barouch 1976 (exact)",
            }),
            Self::Three => Some(KnownExponents {
                inverse_nu: 1.0 / 0.629_971,
                inverse_nu_error: 4e-6 / (0.629_971 * 0.629_971),
                gamma_over_nu: 2.0 - 0.036_298,
                gamma_over_nu_error: 2e-6,
                source: "Kos, Poland, Simmons-Duffin and Vichi 2016, arXiv:1603.04436",
            }),
            Self::Four => None,
            Self::MeanField => Some(KnownExponents {
                inverse_nu: 0.5,
                inverse_nu_error: 0.0,
                gamma_over_nu: 0.5,
                gamma_over_nu_error: 0.0,
                source: "mean field, in terms of N (exact)",
            }),
            Self::Unknown => None,
        }
    }
}

impl Family {
    /// The periodic square lattice, J = 1.
    pub fn square() -> Self {
        "square".parse().expect("the square lattice has a name")
    }

    /// The model of one size; `seed` names the graph where it is random.
    ///
    /// An antiferromagnet on a bipartite graph is turned into the ferromagnet that it is once the spins of one sublattice are counted the
    /// other way round: its staggered magnetization is called m.
    ///
    /// # Errors
    /// As [`Spec::build`].
    pub fn model(&self, size: usize, seed: u64) -> Result<Hamiltonian, SpecError> {
        let size = if self.0.is_sized() { Some(size) } else { None };
        let model = self.0.build(size, seed)?;
        match model.uniform() {
            Some((j, h)) if j < 0.0 && h == 0.0 && model.topology().bipartition().is_some() => {
                Ok(Hamiltonian::new(model.topology().clone(), Couplings::Uniform(-j), Field::Zero)?)
            }
            _ => Ok(model),
        }
    }

    /// Whether the transition of this family can be found from the magnetization; tried on one size.
    ///
    /// # Errors
    /// [`Refusal`], which says why not.
    pub fn check(&self, size: usize, seed: u64) -> Result<(), Refusal> {
        let model = self.model(size, seed)?;
        let physics = |reason| Err(Refusal::Physics { spec: self.to_string(), reason });
        if !model.is_field_free() {
            return physics(
                "a field breaks the symmetry by itself, so that no transition is left to be found; leave field= out",
            );
        }
        match model.couplings() {
            Couplings::Uniform(j) if *j < 0.0 => {
                return physics(
                    "an antiferromagnet with circles of odd length is frustrated, and neither m nor the staggered m is its order parameter; \
                     take even sizes of a bipartite lattice, or J > 0",
                );
            }
            Couplings::Uniform(0.0) => return physics("without couplings there is nothing to order"),
            Couplings::PerBond(j) if j.iter().any(|&j| j < 0.0) => {
                return physics(
                    "U₄ of m is not the order parameter of a spin glass (that is the overlap of two replicas), so that m finds no β_c here; \
                     `ceas anneal` looks for its ground states",
                );
            }
            _ => {}
        }
        let topology = model.topology();
        match topology.as_lattice() {
            Some((Lattice::Chain, _)) => {
                return physics("in one dimension β_c = ∞: no finite temperature orders a chain");
            }
            Some(_) => return Ok(()),
            None if topology.layers().is_some() => {
                return physics(
                    "a finite share of the sites of a tree or hyperbolic lattice lies at its free boundary, and m of all sites does not show the \
                     transition of its bulk; for the Bethe lattice take regular:q=…",
                );
            }
            None => {}
        }
        let largest = largest_part(topology);
        if 2 * largest < model.n_sites() {
            let spec = self.to_string();
            return Err(Refusal::Disconnected { spec, sites: model.n_sites(), largest });
        }
        Ok(())
    }

    /// Whether sizes can be chosen.
    pub fn is_sized(&self) -> bool {
        self.0.is_sized()
    }

    /// The size that is written in the spec.
    pub fn size(&self) -> Option<usize> {
        self.0.size()
    }

    /// Whether every replica has a random graph of its own.
    pub fn is_random(&self, topology: &Topology) -> bool {
        let name = topology.name();
        name.contains("random") || name.contains("Rényi")
    }

    /// The universality class, from a model of the family.
    pub fn class(&self, topology: &Topology) -> Class {
        match topology.as_lattice() {
            Some((lattice, Boundary::Periodic)) => match lattice.dimension() {
                2 => Class::Two,
                3 => Class::Three,
                4 => Class::Four,
                _ => Class::Unknown,
            },
            Some(_) => Class::Unknown,
            None if topology.is_complete() || self.is_random(topology) => Class::MeanField,
            None => Class::Unknown,
        }
    }

    /// β_c of the literature, where there is one. Nothing in the search uses it; it is what results are printed beside.
    pub fn reference(&self, model: &Hamiltonian) -> Option<CriticalPoint> {
        spec::critical_point(model)
    }

    /// The least β that the search begins at: half of 1/max_i Σ_j |J_ij|, below which no ferromagnet orders (M. E. Fisher,
    /// doi:10.1103/PhysRev.162.480).
    pub fn hottest(model: &Hamiltonian) -> f64 {
        let topology = model.topology();
        let strongest = match model.couplings() {
            Couplings::Uniform(j) => j.abs() * topology.coordination() as f64,
            Couplings::PerBond(_) => (0..model.n_sites())
                .map(|site| topology.links(site).map(|(_, bond)| model.coupling_at(bond).abs()).sum())
                .fold(0.0, f64::max),
        };
        if strongest > 0.0 { 0.5 / strongest } else { 1.0 }
    }
}

/// Sites of the largest connected part.
fn largest_part(topology: &Topology) -> usize {
    if topology.is_complete() {
        return topology.n_sites();
    }
    let mut part: Vec<u32> = (0..topology.n_sites() as u32).collect();
    fn root(part: &mut [u32], mut site: u32) -> u32 {
        while part[site as usize] != site {
            part[site as usize] = part[part[site as usize] as usize];
            site = part[site as usize];
        }
        site
    }
    for (a, b) in topology.bonds() {
        let (a, b) = (root(&mut part, a as u32), root(&mut part, b as u32));
        part[a.max(b) as usize] = a.min(b);
    }
    let mut sizes = BTreeMap::new();
    for site in 0..part.len() as u32 {
        *sizes.entry(root(&mut part, site)).or_insert(0) += 1;
    }
    sizes.into_values().max().unwrap_or(0)
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Family {
    type Err = SpecError;
    fn from_str(line: &str) -> Result<Self, SpecError> {
        Ok(Self(Arc::new(line.parse()?)))
    }
}

impl From<Spec> for Family {
    fn from(spec: Spec) -> Self {
        Self(Arc::new(spec))
    }
}

impl From<SpecError> for Error {
    fn from(error: SpecError) -> Self {
        match error {
            SpecError::Lattice(error) => error,
            _ => Self::Survey { violated: "the spec names no lattice of this size" },
        }
    }
}
