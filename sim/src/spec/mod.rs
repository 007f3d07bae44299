//! A lattice with couplings and fields in one short line, for command lines and TOML files.
//!
//! ```text
//! NAME[:SIZE[,…]][,open|periodic][,couplings=VALUES][,field=VALUES][,seed=N]
//!
//! square:64                          ferromagnet, J = 1, periodic
//! cubic:16,open                      free ends
//! square:64,couplings=pm1            ±J spin glass
//! regular:1000,3                     random 3-regular graph (the Bethe lattice without its boundary)
//! complete:512,couplings=gaussian:1/sqrt(n)    Sherrington–Kirkpatrick
//! hyperbolic:5,4,6                   pentagons, four around a vertex, six layers
//! pegasus:4,couplings=pm1,field=gaussian:0.5
//! file:G1.mc                         bonds, couplings and fields from a problem file
//! ```
//!
//! | NAME | parameters, the size marked * | ends |
//! |---|---|---|
//! | `chain`, `ring` | `l`* | open, periodic |
//! | `square` `triangular` `honeycomb` `king` `cubic` `hypercubic` | `l`* | periodic, or `open` |
//! | `complete` | `n`* | |
//! | `regular` (or `bethe`) | `n`*, `q` | |
//! | `erdos-renyi` | `n`*, mean degree `c` | |
//! | `cayley` | `q`, `layers`* | |
//! | `hyperbolic` | `p`, `q`, `layers`* | |
//! | `chimera` | `m`*, `n` (= m), `t` (= 4) | |
//! | `pegasus` | `m`* | |
//! | `zephyr` | `m`*, `t` (= 4) | |
//!
//! VALUES is a number, `pm1` (±1 with probability ½ each), `gaussian` (mean 0, standard deviation 1) or `@FILE` (one number a line, in the
//! order of the bonds or sites). Any number may be followed by `/n` or `/sqrt(n)`, n the number of sites: `1/n`, `pm1/sqrt(n)`,
//! `gaussian:0.5/sqrt(n)`. Without couplings J = 1, on a complete graph J = 1/n. Without a field h = 0.

mod parse;
mod shape;
mod values;

pub use parse::SpecError;
pub use values::{Amount, Values};

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use crate::hamiltonian::{Couplings, Field, Hamiltonian};
use crate::instance::{Instance, Objective};
use crate::stream::{Purpose, Stream};
use crate::topology::{Boundary, CriticalPoint, Topology};
use shape::Shape;

/// A lattice with couplings and fields, its size perhaps still open: see [the module](self) for how it is written.
///
/// ```
/// use ceas_sim::spec::Spec;
/// let spec: Spec = "cubic:4,open,couplings=pm1,seed=7".parse().unwrap();
/// let model = spec.build(None, 1).unwrap();
/// assert_eq!((model.n_sites(), model.topology().n_bonds()), (64, 144));
/// let error = "cubic:4,opne".parse::<Spec>().unwrap_err();
/// assert!(error.to_string().contains("opne"));
/// ```
///
/// In TOML it is the same line as a string, or a table with `lattice` and the same keys (`--lattice FILE.toml` on the command line):
///
/// ```toml
/// lattice = "regular"
/// size = 1000
/// q = 3
/// couplings = "pm1"
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Spec {
    source: Source,
    couplings: Option<Values>,
    field: Option<Values>,
    seed: Option<u64>,
}

#[derive(Debug, Clone, PartialEq)]
enum Source {
    Shape(Shape),
    File(PathBuf),
}

/// The two ways a spec is written in a file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Line(String),
    Table(BTreeMap<String, Scalar>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Whole(u64),
    Number(f64),
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(n) => n.fmt(f),
            Self::Number(x) => x.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl TryFrom<Written> for Spec {
    type Error = SpecError;

    fn try_from(written: Written) -> Result<Self, SpecError> {
        match written {
            Written::Line(line) => line.parse(),
            Written::Table(mut table) => {
                let name = table.remove("lattice").ok_or(SpecError::NoLattice)?;
                let items = table.iter().map(|(key, value)| format!(",{key}={value}"));
                format!("{name}{}", items.collect::<String>()).parse()
            }
        }
    }
}

impl Spec {
    /// The size that was written: L of a lattice, sites of a graph, layers of a tree or tiling, m of a chip.
    pub fn size(&self) -> Option<usize> {
        match &self.source {
            Source::Shape(shape) => shape.size(),
            Source::File(_) => None,
        }
    }

    /// Whether a size can be chosen; files have the size they have.
    pub fn is_sized(&self) -> bool {
        matches!(self.source, Source::Shape(_))
    }

    /// The graph. `size` overrides the one that was written; `seed` names the random graph, unless the spec has a seed of its own.
    ///
    /// # Errors
    /// [`SpecError::NoSize`] if there is no size at all; otherwise as the constructors of [`Topology`], and as [`Instance::read`].
    pub fn topology(&self, size: Option<usize>, seed: u64) -> Result<Topology, SpecError> {
        match &self.source {
            Source::Shape(shape) => shape.build(size, &mut self.stream(seed, 0)),
            Source::File(_) => Ok(self.build(size, seed)?.topology().clone()),
        }
    }

    /// The graph with its couplings and fields. Random graphs, couplings and fields are functions of the seed alone, each with a
    /// stream of its own.
    ///
    /// # Errors
    /// As [`Spec::topology`], and [`SpecError::Values`] if a file does not hold one number per bond or site.
    pub fn build(&self, size: Option<usize>, seed: u64) -> Result<Hamiltonian, SpecError> {
        let topology = match &self.source {
            Source::Shape(_) => self.topology(size, seed)?,
            Source::File(_) if size.is_some() => return Err(SpecError::FixedSize),
            Source::File(path) => {
                let (instance, _) = Instance::read(path, None, Some(Objective::Ising))?;
                let model = instance.hamiltonian()?;
                if self.couplings.is_none() && self.field.is_none() {
                    return Ok(model);
                }
                return self.with_values(model.topology().clone(), Some(&model), seed);
            }
        };
        self.with_values(topology, None, seed)
    }

    fn with_values(
        &self,
        topology: Topology,
        base: Option<&Hamiltonian>,
        seed: u64,
    ) -> Result<Hamiltonian, SpecError> {
        let n = topology.n_sites();
        let couplings = match (&self.couplings, base) {
            (Some(values), _) => {
                match values.draw(topology.n_bonds(), n, "bond", &mut self.stream(seed, 1))? {
                    values::Drawn::Same(j) => Couplings::Uniform(j),
                    values::Drawn::Each(j) => Couplings::PerBond(j),
                }
            }
            (None, Some(base)) => base.couplings().clone(),
            (None, None) if topology.is_complete() => Couplings::Uniform(1.0 / n as f64),
            (None, None) => Couplings::Uniform(1.0),
        };
        let field = match (&self.field, base) {
            (Some(values), _) => match values.draw(n, n, "site", &mut self.stream(seed, 2))? {
                values::Drawn::Same(0.0) => Field::Zero,
                values::Drawn::Same(h) => Field::Uniform(h),
                values::Drawn::Each(h) => Field::PerSite(h),
            },
            (None, Some(base)) => base.field().clone(),
            (None, None) => Field::Zero,
        };
        Ok(Hamiltonian::new(topology, couplings, field)?)
    }

    fn stream(&self, seed: u64, part: u64) -> Stream {
        Stream::new(self.seed.unwrap_or(seed), Purpose::Instance, part, 0)
    }
}

/// β_c of a model whose couplings are one J > 0 and that has no field, where it is known for its lattice: see
/// [`Topology::critical_point`].
///
/// ```
/// use ceas_sim::spec::{self, Spec};
/// let model = "complete:100".parse::<Spec>().unwrap().build(None, 1).unwrap();
/// assert_eq!(spec::critical_point(&model).unwrap().beta, 1.0);
/// ```
pub fn critical_point(model: &Hamiltonian) -> Option<CriticalPoint> {
    let (j, h) = model.uniform()?;
    let known = model.topology().critical_point()?;
    (j > 0.0 && h == 0.0).then(|| CriticalPoint { beta: known.beta / j, error: known.error / j, ..known })
}

/// The spec as it would be written.
impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Shape(shape) => shape.fmt(f)?,
            Source::File(path) => write!(f, "file:{}", path.display())?,
        }
        for (key, values) in [("couplings", &self.couplings), ("field", &self.field)] {
            if let Some(values) = values {
                write!(f, ",{key}={values}")?;
            }
        }
        self.seed.map_or(Ok(()), |seed| write!(f, ",seed={seed}"))
    }
}

/// Whether a spec asks for free ends, for messages.
fn boundary_word(boundary: Boundary) -> &'static str {
    match boundary {
        Boundary::Periodic => "periodic",
        Boundary::Open => "open",
    }
}
