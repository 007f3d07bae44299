//! Names of lattices and graphs with their parameters.

use std::fmt;

use super::boundary_word;
use super::parse::{SpecError, shown};
use crate::stream::Stream;
use crate::topology::{Boundary, Lattice, Topology};

/// A number that a shape needs.
struct Parameter {
    key: &'static str,
    /// The value if none is written; `None` if one must be.
    default: Option<f64>,
}

const fn needed(key: &'static str) -> Parameter {
    Parameter { key, default: None }
}

const fn usual(key: &'static str, default: f64) -> Parameter {
    Parameter { key, default: Some(default) }
}

/// What a name stands for.
struct Named {
    name: &'static str,
    /// The lattice and its usual ends; `None` for graphs.
    lattice: Option<(Lattice, Boundary)>,
    parameters: &'static [Parameter],
    /// Which of the parameters is the size.
    size: usize,
}

const L: &[Parameter] = &[needed("l")];

const fn lattice(name: &'static str, lattice: Lattice, usual: Boundary) -> Named {
    Named { name, lattice: Some((lattice, usual)), parameters: L, size: 0 }
}

const fn graph(name: &'static str, parameters: &'static [Parameter], size: usize) -> Named {
    Named { name, lattice: None, parameters, size }
}

static NAMES: [Named; 17] = [
    lattice("chain", Lattice::Chain, Boundary::Open),
    lattice("ring", Lattice::Chain, Boundary::Periodic),
    lattice("square", Lattice::Square, Boundary::Periodic),
    lattice("triangular", Lattice::Triangular, Boundary::Periodic),
    lattice("honeycomb", Lattice::Honeycomb, Boundary::Periodic),
    lattice("king", Lattice::King, Boundary::Periodic),
    lattice("cubic", Lattice::Cubic, Boundary::Periodic),
    lattice("hypercubic", Lattice::Hypercubic, Boundary::Periodic),
    graph("complete", &[needed("n")], 0),
    graph("regular", &[needed("n"), needed("q")], 0),
    graph("bethe", &[needed("n"), needed("q")], 0),
    graph("erdos-renyi", &[needed("n"), needed("c")], 0),
    graph("cayley", &[needed("q"), needed("layers")], 1),
    graph("hyperbolic", &[needed("p"), needed("q"), needed("layers")], 2),
    // A negative default stands for "as m".
    graph("chimera", &[needed("m"), usual("n", -1.0), usual("t", 4.0)], 0),
    graph("pegasus", &[needed("m")], 0),
    graph("zephyr", &[needed("m"), usual("t", 4.0)], 0),
];

/// A named shape with the numbers that were written.
#[derive(Clone)]
pub(super) struct Shape {
    named: &'static Named,
    written: Vec<Option<f64>>,
    boundary: Option<Boundary>,
}

impl Shape {
    /// The shape of a name.
    pub(super) fn named(name: &str) -> Result<Self, SpecError> {
        // The other spelling of one lattice.
        let name = if matches!(name, "kings" | "king's") { "king" } else { name };
        let named = NAMES
            .iter()
            .find(|known| known.name == name)
            .ok_or_else(|| SpecError::Name { got: shown(name), known: known_names() })?;
        Ok(Self { named, written: vec![None; named.parameters.len()], boundary: None })
    }

    /// Sets the next number that has not been written.
    pub(super) fn push(&mut self, word: &str) -> Result<(), SpecError> {
        match self.written.iter().position(Option::is_none) {
            Some(index) => self.set_index(index, word),
            None => Err(self.unknown(word)),
        }
    }

    /// Sets a number by its key; `None` if there is no such key.
    pub(super) fn set(&mut self, key: &str, word: &str) -> Option<Result<(), SpecError>> {
        let parameters = self.named.parameters;
        let index = if key == "size" {
            self.named.size
        } else {
            parameters.iter().position(|parameter| parameter.key == key)?
        };
        if self.written[index].is_some() {
            return Some(Err(SpecError::Twice { key: parameters[index].key.to_owned() }));
        }
        Some(self.set_index(index, word))
    }

    fn set_index(&mut self, index: usize, word: &str) -> Result<(), SpecError> {
        let key = self.named.parameters[index].key;
        // The mean degree is the only number that need not be whole.
        let value = if key == "c" {
            word.parse::<f64>().ok().filter(|x| x.is_finite() && *x >= 0.0)
        } else {
            word.parse::<u64>().ok().filter(|&n| n < 1 << 53).map(|n| n as f64)
        };
        let what = if key == "c" { "a number ≥ 0" } else { "a whole number" };
        self.written[index] = Some(value.ok_or(SpecError::Number { key, got: shown(word), what })?);
        Ok(())
    }

    pub(super) fn set_boundary(&mut self, boundary: Boundary) -> Result<(), SpecError> {
        let fixed = matches!(self.named.name, "chain" | "ring");
        match self.named.lattice {
            Some((_, usual)) if !fixed || usual == boundary => self.boundary = Some(boundary),
            Some(_) => {
                return Err(SpecError::Ends {
                    name: self.named.name,
                    remedy: "chain is open, ring is periodic",
                });
            }
            None => return Err(SpecError::Ends { name: self.named.name, remedy: "only lattices have ends" }),
        }
        Ok(())
    }

    /// A word that has no meaning here.
    pub(super) fn unknown(&self, word: &str) -> SpecError {
        let keys: Vec<&str> = self.named.parameters.iter().map(|parameter| parameter.key).collect();
        SpecError::Word { got: shown(word), name: self.named.name, keys: keys.join(", ") }
    }

    pub(super) fn size(&self) -> Option<usize> {
        self.written[self.named.size].map(|size| size as usize)
    }

    pub(super) fn build(&self, size: Option<usize>, stream: &mut Stream) -> Result<Topology, SpecError> {
        let mut numbers = Vec::with_capacity(self.written.len());
        for (index, parameter) in self.named.parameters.iter().enumerate() {
            let overriding = size.filter(|_| index == self.named.size).map(|size| size as f64);
            let number = overriding.or(self.written[index]).or(parameter.default);
            let missing = if index == self.named.size {
                SpecError::NoSize { name: self.named.name, key: parameter.key }
            } else {
                SpecError::Missing { name: self.named.name, key: parameter.key }
            };
            numbers.push(number.ok_or(missing)?);
        }
        let whole = |index: usize| numbers[index] as usize;
        if let Some((lattice, usual)) = self.named.lattice {
            return Ok(Topology::lattice(lattice, whole(0), self.boundary.unwrap_or(usual))?);
        }
        Ok(match self.named.name {
            "complete" => Topology::complete(whole(0)),
            "regular" | "bethe" => Topology::random_regular(whole(0), whole(1), stream),
            "erdos-renyi" => Topology::erdos_renyi(whole(0), numbers[1], stream),
            "cayley" => Topology::cayley_tree(whole(0), whole(1)),
            "hyperbolic" => Topology::hyperbolic(whole(0), whole(1), whole(2)),
            "chimera" => {
                Topology::chimera(whole(0), if numbers[1] < 0.0 { whole(0) } else { whole(1) }, whole(2))
            }
            "pegasus" => Topology::pegasus(whole(0)),
            _ => Topology::zephyr(whole(0), whole(1)),
        }?)
    }
}

/// All names, for messages.
pub(super) fn known_names() -> String {
    let names: Vec<&str> = NAMES.iter().map(|known| known.name).collect();
    names.join(", ") + ", file"
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.named.name == other.named.name
            && self.written == other.written
            && self.boundary == other.boundary
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.named.name)?;
        let mut mark = ':';
        // Once a number is left out, those after it need their keys.
        let mut skipped = false;
        for (value, parameter) in self.written.iter().zip(self.named.parameters) {
            match value {
                Some(value) if skipped => write!(f, "{mark}{}={value}", parameter.key)?,
                Some(value) => write!(f, "{mark}{value}")?,
                None => {
                    skipped = true;
                    continue;
                }
            }
            mark = ',';
        }
        self.boundary.map_or(Ok(()), |boundary| write!(f, "{mark}{}", boundary_word(boundary)))
    }
}
