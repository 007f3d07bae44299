//! What the kernel with 512 sites in the lanes knows of a Hamiltonian.

use rayon::prelude::*;

use super::block::{CountUnsatisfied, Signs, Surroundings};
use super::digits::threshold;
use super::grid::{Grid, Lattice, coordinates, neighbor};
use super::level::{Level, dispatch};
use super::packed::PackedSpins;
use super::sites::{Decision, Threads, fill_halo};
use super::vector::Words;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::{Couplings, Field, Hamiltonian};
use crate::topology::Topology;

/// What a lattice kernel knows of a Hamiltonian: couplings ±|J| on a lattice that fits the lanes, and a uniform field.
#[derive(Debug, Clone)]
pub struct SiteModel {
    grid: Grid,
    /// |J|.
    coupling: f64,
    field: f64,
    signs: BondSigns,
}

#[derive(Debug, Clone)]
enum BondSigns {
    Same(bool),
    /// By colour, cell of the colour and neighbour.
    Each(Vec<Vec<Words>>),
}

impl SiteModel {
    /// J = 1 on every bond, no field, without a [`Hamiltonian`] in memory.
    pub fn ferromagnet(grid: Grid) -> Self {
        Self { grid, coupling: 1.0, field: 0.0, signs: BondSigns::Same(false) }
    }

    /// Recognises a Hamiltonian whose graph is one of the lattices, numbered row by row.
    ///
    /// # Errors
    /// [`Error::Kernel`] saying what does not fit: a graph that is none of the lattices, |J| that differ or vanish, a field that
    /// is not uniform; [`Error::Topology`] saying which sizes fit the lanes.
    pub fn new(model: &Hamiltonian) -> Result<Self, Error> {
        let refuse = |violated| Error::Kernel { kernel: "multi-spin over sites", violated };
        let grid = recognise(model.topology())?;
        let field = match model.field() {
            Field::Zero => 0.0,
            Field::Uniform(h) => *h,
            Field::PerSite(_) => return Err(refuse("it needs a uniform field")),
        };
        let (coupling, signs) = match model.couplings() {
            Couplings::Uniform(j) => (j.abs(), BondSigns::Same(*j < 0.0)),
            Couplings::PerBond(j) => {
                let size = j.first().map_or(0.0, |j| j.abs());
                if j.iter().any(|j| j.abs() != size) {
                    return Err(refuse("it needs couplings of one size, +J and −J"));
                }
                (size, BondSigns::Each(sign_planes(&grid, model.topology(), j)?))
            }
        };
        if coupling == 0.0 {
            return Err(refuse("it needs couplings that are not zero"));
        }
        Ok(Self { grid, coupling, field, signs })
    }

    /// How the spins are laid out.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Whether there is a field.
    pub(super) fn is_in_field(&self) -> bool {
        self.field != 0.0
    }

    /// Acceptance thresholds in units of 2⁻⁶⁴, in the order of the classes of the rule.
    pub(super) fn thresholds(&self, decision: Decision, beta: Beta) -> Vec<u64> {
        let rule = decision.probability();
        let q = self.grid.lattice().degree();
        let cost =
            |n: usize, s: f64| 2.0 * self.coupling * (q as f64 - 2.0 * n as f64) + 2.0 * self.field * s;
        let p = |n: usize, s: f64| threshold(rule(beta, cost(n, s)));
        if self.field != 0.0 {
            (0..2 * (q + 1)).map(|class| p(class / 2, if class % 2 == 1 { 1.0 } else { -1.0 })).collect()
        } else if decision == Decision::Metropolis {
            (0..q.div_ceil(2)).map(|n| p(n, 1.0)).collect()
        } else {
            (0..=q / 2).map(|n| p(n, 1.0)).collect()
        }
    }

    /// H(s), total over the sites, by counting bits.
    ///
    /// # Panics
    /// If `spins` are laid out otherwise.
    pub fn energy(&self, spins: &PackedSpins, level: Level) -> f64 {
        assert_eq!(spins.grid(), &self.grid, "the configuration is laid out for the model");
        let lattice = self.grid.lattice();
        let bonds = self.grid.n_sites() * lattice.degree() / 2;
        // With two colours each bond has one end of colour 0; with three, all colours see every bond twice.
        let (colors, ends) = if lattice.colors() == 2 { (1, 1) } else { (lattice.colors(), 2) };
        let mut halo = Vec::new();
        let mut unsatisfied = 0;
        for color in 0..colors {
            fill_halo(&self.grid, spins.cells(), &mut halo, Threads::All);
            unsatisfied += self
                .blocks(color, spins.cells(), &halo)
                .map(|(around, block)| match lattice {
                    Lattice::Square => dispatch(level, CountUnsatisfied::<0, 4> { around, block }),
                    Lattice::Triangular => dispatch(level, CountUnsatisfied::<1, 6> { around, block }),
                    Lattice::Honeycomb => dispatch(level, CountUnsatisfied::<2, 3> { around, block }),
                    Lattice::Cubic => dispatch(level, CountUnsatisfied::<3, 6> { around, block }),
                })
                .sum::<u64>();
        }
        let sum = bonds as f64 - 2.0 * (unsatisfied / ends) as f64;
        let on_sites = if self.field == 0.0 { 0.0 } else { self.field * spins.magnetization() as f64 };
        -self.coupling * sum - on_sites
    }

    fn blocks<'a>(
        &'a self,
        color: usize,
        cells: &'a [Words],
        halo: &'a [Words],
    ) -> impl IndexedParallelIterator<Item = (Surroundings<'a>, &'a [Words])> {
        let size = self.grid.planes_per_block() * self.grid.plane();
        let halos = halo.par_chunks(2 * self.grid.plane());
        cells
            .par_chunks(size)
            .zip(halos)
            .enumerate()
            .map(move |(number, (block, halo))| (self.surroundings(color, number, halo, block.len()), block))
    }

    pub(super) fn surroundings<'a>(
        &'a self,
        color: usize,
        number: usize,
        halo: &'a [Words],
        cells: usize,
    ) -> Surroundings<'a> {
        let (above, below) = halo.split_at(self.grid.plane());
        let first = number * self.grid.planes_per_block();
        let signs = match &self.signs {
            BondSigns::Same(negative) => Signs::Same(*negative),
            BondSigns::Each(planes) => {
                let lattice = self.grid.lattice();
                let each = |cells: usize| cells / lattice.colors() * lattice.degree();
                let start = each(first * self.grid.plane());
                Signs::Each(&planes[color][start..start + each(cells)])
            }
        };
        Surroundings { grid: &self.grid, color, first, above, below, signs }
    }
}

/// The lattice that a graph is, if its sites are numbered row by row.
fn recognise(topology: &Topology) -> Result<Grid, Error> {
    let n = topology.n_sites();
    let refused = Error::Kernel {
        kernel: "multi-spin over sites",
        violated: "it needs a periodic square, triangular, honeycomb or cubic lattice numbered row by row",
    };
    let degree = topology.neighbors(0).count();
    let mut unfit = None;
    for lattice in Lattice::ALL.into_iter().filter(|lattice| lattice.degree() == degree) {
        let cells = lattice.lengths(1).iter().product::<usize>();
        let root = if lattice.dimension() == 3 { libm::cbrt } else { libm::sqrt };
        let size = root((n / cells) as f64).round() as usize;
        let fits = size.checked_pow(lattice.dimension() as u32).and_then(|n| n.checked_mul(cells)) == Some(n);
        if !fits || !is_lattice(topology, lattice, size) {
            continue;
        }
        match Grid::new(lattice, size) {
            Ok(grid) => return Ok(grid),
            Err(error) => unfit = Some(error),
        }
    }
    Err(unfit.unwrap_or(refused))
}

/// Whether every site, or on a lattice that computes its neighbours every site near a corner of the period, has the neighbours
/// of `lattice`.
fn is_lattice(topology: &Topology, lattice: Lattice, size: usize) -> bool {
    let lengths = lattice.lengths(size);
    if size < 3 {
        return false;
    }
    let is_right = |site: usize| {
        let steps = lattice.steps(lattice.color(coordinates(lengths, site)));
        let mut expected: Vec<_> = steps.iter().map(|&step| neighbor(lengths, site, step)).collect();
        let mut found: Vec<_> = topology.neighbors(site).collect();
        expected.sort_unstable();
        found.sort_unstable();
        found == expected
    };
    if topology.shape().len() == 1 {
        return (0..topology.n_sites()).all(is_right);
    }
    let near = |length: usize| [0, 1, length - 2, length - 1].map(|at| at % length);
    let [z, y, x] = lengths.map(|length| if length == 1 { [0; 4] } else { near(length) });
    let all = z.into_iter().flat_map(|z| y.map(|y| x.map(|x| (z * lengths[1] + y) * lengths[2] + x)));
    all.flatten().all(is_right)
}

/// The signs of the bonds of every cell, by colour.
fn sign_planes(grid: &Grid, topology: &Topology, couplings: &[f64]) -> Result<Vec<Vec<Words>>, Error> {
    let lattice = grid.lattice();
    let vectors = grid.cells() as u64 * lattice.degree() as u64;
    crate::memory::check(lattice.name(), grid.size(), 64 * vectors)?;
    let mut planes = vec![Vec::new(); lattice.colors()];
    for cell in 0..grid.cells() {
        let color = grid.color(grid.place(cell));
        let mut signs = vec![Words::ZERO; lattice.degree()];
        for lane in 0..512 {
            let site = grid.site(cell, lane);
            for (step, words) in lattice.steps(color).iter().zip(&mut signs) {
                let neighbor = grid.neighbor(site, *step);
                let negative = topology.links(site).any(|(at, bond)| at == neighbor && couplings[bond] < 0.0);
                words.set(lane, negative);
            }
        }
        planes[color].extend(signs);
    }
    Ok(planes)
}
