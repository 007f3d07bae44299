//! Optimisation problems over ±1 or 0/1 variables: what is asked for, exact values, files.
//!
//! | format | file | variables | entries |
//! |---|---|---|---|
//! | [`Format::Rudy`] | G-set, Biq Mac `.mc` | from 1 | `n m`, then m lines `i j w` (`i j` alone: w = 1) |
//! | [`Format::Sparse`] | Biq Mac `.sparse` | from 1 | `n m`, then m lines `i j q` of one triangle of a symmetric matrix, the diagonal included |
//! | [`Format::Coo`] | dimod COO | from 0 | `# vartype=SPIN` or `BINARY`, then lines `i j bias`, linear terms as `i i bias` |
//! | [`Format::Bqm`] | dimod JSON | any labels | `BinaryQuadraticModel.to_serializable`, schema 3.0.0, `use_bytes=False` |
//! | [`Format::Edges`] | edge list | from 0 | lines `i j J` (`i j` alone: J = 1); `# sites N` keeps sites without bonds |
//!
//! Words after the two numbers of a header are ignored, as are lines that begin with `#`, `%` or `c `.

mod bqm;
mod flaw;
mod format;
mod lines;
mod read;
mod value;
mod write;

pub use flaw::{Flaw, Malformed, ReadError};
pub use format::Format;
pub(crate) use read::text;
pub use value::Value;
pub use write::CannotHold;

use std::fmt;

use serde::Serialize;

use crate::error::Error;
use crate::hamiltonian::{Couplings, Field, Hamiltonian};
use crate::topology::Topology;

/// What is sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// The largest cut Σ_(ij) w_ij (1 − s_i s_j)/2.
    MaxCut,
    /// The smallest Σ_i a_i x_i + Σ_(ij) b_ij x_i x_j + c over x = 0, 1.
    Qubo,
    /// The smallest energy − Σ_(ij) J_ij s_i s_j − Σ_i h_i s_i + c.
    Ising,
}

impl Objective {
    /// Whether larger values are better.
    pub fn maximizes(self) -> bool {
        self == Self::MaxCut
    }

    /// "maxcut", "qubo" or "ising".
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxCut => "maxcut",
            Self::Qubo => "qubo",
            Self::Ising => "ising",
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A quadratic problem over N variables, as a file states it.
///
/// `quadratic` are w_ij, b_ij (the whole coefficient of x_i x_j) or J_ij, `linear` are a_i or h_i, by the objective.
///
/// ```
/// use ceas_sim::instance::{Format, Instance, Objective, Value};
/// use ceas_sim::spins::Spins;
/// let triangle = Instance::parse("3 3\n1 2 1\n2 3 1\n1 3 1\n", Format::Rudy, None).unwrap();
/// let cut = triangle.value(&Spins::from_values(vec![1, -1, 1]).unwrap());
/// assert_eq!((triangle.objective(), cut), (Objective::MaxCut, Value::Integer(2)));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    objective: Objective,
    n: usize,
    pairs: Vec<(u32, u32)>,
    quadratic: Vec<f64>,
    /// Empty if there are no linear terms, else one per variable.
    linear: Vec<f64>,
    offset: f64,
    /// Names of the variables, where they are not their numbers.
    labels: Option<Vec<serde_json::Value>>,
}

impl Instance {
    /// Number of variables N.
    pub fn n(&self) -> usize {
        self.n
    }

    /// What is sought.
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// The pairs with a quadratic term, in the order of the file.
    pub fn pairs(&self) -> &[(u32, u32)] {
        &self.pairs
    }

    /// The quadratic term of each pair.
    pub fn quadratic(&self) -> &[f64] {
        &self.quadratic
    }

    /// The linear term of each variable; empty if there is none.
    pub fn linear(&self) -> &[f64] {
        &self.linear
    }

    /// The constant c.
    pub fn offset(&self) -> f64 {
        self.offset
    }

    /// The Ising problem of a Hamiltonian: the same bonds, couplings and fields. Couplings of bonds that join the same two sites
    /// (around a period of 2) are added.
    pub fn of(model: &Hamiltonian) -> Self {
        let mut listed: Vec<(u32, u32, f64)> = model
            .topology()
            .bonds()
            .enumerate()
            .map(|(bond, (a, b))| (a.min(b) as u32, a.max(b) as u32, model.coupling_at(bond)))
            .collect();
        listed.sort_by_key(|&(a, b, _)| (a, b));
        let mut merged: Vec<(u32, u32, f64)> = Vec::with_capacity(listed.len());
        for (a, b, j) in listed {
            match merged.last_mut() {
                Some(last) if (last.0, last.1) == (a, b) => last.2 += j,
                _ => merged.push((a, b, j)),
            }
        }
        let n = model.n_sites();
        let linear =
            if model.is_field_free() { Vec::new() } else { (0..n).map(|i| model.field_at(i)).collect() };
        Self {
            objective: Objective::Ising,
            n,
            pairs: merged.iter().map(|&(a, b, _)| (a, b)).collect(),
            quadratic: merged.iter().map(|&(_, _, j)| j).collect(),
            linear,
            offset: 0.0,
            labels: None,
        }
    }

    /// The Hamiltonian whose ground states are the optima: with x = (1 + s)/2,
    ///
    /// ```text
    /// maxcut  J_ij = −w_ij                                   cut    = (Σ w − H)/2
    /// qubo    J_ij = −b_ij/4,  h_i = −a_i/2 − Σ_j b_ij/4      value  = H + c + Σ a/2 + Σ b/4
    /// ising   J_ij, h_i as they are                           energy = H + c
    /// ```
    ///
    /// # Errors
    /// [`Error::Bond`] or [`Error::Memory`] as [`Topology::from_bonds`]; [`Error::EnergyOverflow`] if the weights do not sum to a
    /// finite number.
    pub fn hamiltonian(&self) -> Result<Hamiltonian, Error> {
        let topology = Topology::from_bonds(self.n, &self.pairs)?;
        let scaled = |factor: f64| Couplings::PerBond(self.quadratic.iter().map(|q| q * factor).collect());
        let (couplings, field) = match self.objective {
            Objective::MaxCut => (scaled(-1.0), Field::Zero),
            Objective::Qubo => {
                let mut h = vec![0.0; self.n];
                for (h, a) in h.iter_mut().zip(&self.linear) {
                    *h = -a / 2.0;
                }
                for (&(i, j), b) in self.pairs.iter().zip(&self.quadratic) {
                    h[i as usize] -= b / 4.0;
                    h[j as usize] -= b / 4.0;
                }
                (scaled(-0.25), Field::PerSite(h))
            }
            Objective::Ising if self.linear.is_empty() => (scaled(1.0), Field::Zero),
            Objective::Ising => (scaled(1.0), Field::PerSite(self.linear.clone())),
        };
        Hamiltonian::new(topology, couplings, field)
    }
}
