//! Sweeps with 512 sites of one lattice in the lanes: colours, blocks, threads.

use std::marker::PhantomData;

use rayon::prelude::*;

use super::block::{CountUnsatisfied, Signs, Surroundings, Visit};
use super::classes::{HeatBath, InField, Metropolis};
use super::digits::{Codes, threshold};
use super::generator::Lanes;
use super::grid::{Grid, Lattice, coordinates, neighbor};
use super::level::{Level, dispatch};
use super::packed::PackedSpins;
use super::vector::Words;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::{Couplings, Field, Hamiltonian};
use crate::stream::Stream;
use crate::topology::Topology;

/// Which lanes take part in a random decision, and what a decision means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// min(1, e^(−βΔE)): only flips that cost energy draw random bits.
    Metropolis,
    /// 1/(1 + e^(βΔE)).
    HeatBath,
}

impl Decision {
    /// The probability of a flip as a function of β and ΔE.
    pub fn probability(self) -> fn(Beta, f64) -> f64 {
        match self {
            Self::Metropolis => crate::update::Metropolis::flip_probability,
            Self::HeatBath => crate::update::HeatBath::flip_probability,
        }
    }
}

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

    fn surroundings<'a>(
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

/// Scratch space and choices of a sweep.
#[derive(Debug, Clone)]
pub struct SiteSweep {
    level: Level,
    halo: Vec<Words>,
    lanes: Vec<Lanes>,
    table: Option<(Beta, Codes)>,
}

impl SiteSweep {
    /// Sweeps at `level`.
    pub fn new(level: Level) -> Self {
        Self { level, halo: Vec::new(), lanes: Vec::new(), table: None }
    }

    /// The instructions in use.
    pub fn level(&self) -> Level {
        self.level
    }

    /// One sweep: every colour in turn, its sites all at once. Returns the number of flips.
    ///
    /// # Panics
    /// If there are fewer streams than blocks, or `spins` are laid out otherwise.
    pub fn advance(
        &mut self,
        model: &SiteModel,
        decision: Decision,
        spins: &mut PackedSpins,
        beta: Beta,
        streams: &mut [Stream],
    ) -> u64 {
        let grid = model.grid;
        assert_eq!(spins.grid(), &grid, "the configuration is laid out for the model");
        let blocks = grid.blocks();
        assert!(streams.len() >= blocks, "{blocks} blocks need {blocks} streams, not {}", streams.len());
        let digits = match &self.table {
            Some((known, codes)) if *known == beta => codes.clone(),
            _ => {
                let thresholds = model.thresholds(decision, beta);
                let codes = if model.field == 0.0 {
                    Codes::nested(&thresholds)
                } else {
                    Codes::disjoint(&thresholds)
                };
                self.table = Some((beta, codes.clone()));
                codes
            }
        };
        self.lanes.clear();
        self.lanes.extend(streams.iter_mut().take(blocks).map(Lanes::from_stream));
        let job = Job { level: self.level, decision, model, digits: &digits };
        let lanes = &mut self.lanes;
        let halo = &mut self.halo;
        if blocks == 1 || rayon::current_num_threads() == 1 {
            job.all_colors(spins, halo, lanes, Threads::One)
        } else {
            // Entering the pool once costs less than entering it for every colour.
            rayon::scope(|_| job.all_colors(spins, halo, lanes, Threads::All))
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Threads {
    One,
    All,
}

/// A sweep at one β.
#[derive(Clone, Copy)]
struct Job<'a> {
    level: Level,
    decision: Decision,
    model: &'a SiteModel,
    digits: &'a Codes,
}

impl Job<'_> {
    fn all_colors(
        self,
        spins: &mut PackedSpins,
        halo: &mut Vec<Words>,
        lanes: &mut [Lanes],
        threads: Threads,
    ) -> u64 {
        let grid = self.model.grid;
        let size = grid.planes_per_block() * grid.plane();
        let visit = |color: usize, number: usize, block: &mut [Words], halo: &[Words], lanes: &mut Lanes| {
            self.visit(self.model.surroundings(color, number, halo, block.len()), block, lanes)
        };
        let mut flips = 0;
        for color in 0..grid.lattice().colors() {
            fill_halo(&grid, spins.cells(), halo, threads);
            let cells = spins.cells_mut();
            let halos = 2 * grid.plane();
            flips += if threads == Threads::All {
                let blocks = cells.par_chunks_mut(size).zip(halo.par_chunks(halos)).zip(lanes.par_iter_mut());
                let blocks = blocks.enumerate();
                blocks.map(|(k, ((block, halo), lanes))| visit(color, k, block, halo, lanes)).sum::<u64>()
            } else {
                let blocks = cells.chunks_mut(size).zip(halo.chunks(halos)).zip(lanes.iter_mut()).enumerate();
                blocks.map(|(k, ((block, halo), lanes))| visit(color, k, block, halo, lanes)).sum()
            };
        }
        flips
    }

    /// Picks the instance of the kernel.
    fn visit(self, around: Surroundings<'_>, block: &mut [Words], lanes: &mut Lanes) -> u64 {
        macro_rules! instance {
            ($rule:ident, $lattice:literal, $q:literal, $g:literal) => {
                dispatch(
                    self.level,
                    Visit::<$rule, $lattice, $q, $g> {
                        around,
                        block,
                        digits: self.digits,
                        lanes,
                        rule: PhantomData,
                    },
                )
            };
        }
        let in_field = self.model.field != 0.0;
        // The first number is the place of the lattice in `Lattice::ALL`.
        match (self.model.grid.lattice(), in_field, self.decision) {
            (Lattice::Square, false, Decision::Metropolis) => instance!(Metropolis, 0, 4, 1),
            (Lattice::Square, false, Decision::HeatBath) => instance!(HeatBath, 0, 4, 2),
            (Lattice::Square, true, _) => instance!(InField, 0, 4, 9),
            (Lattice::Triangular, false, Decision::Metropolis) => instance!(Metropolis, 1, 6, 2),
            (Lattice::Triangular, false, Decision::HeatBath) => instance!(HeatBath, 1, 6, 3),
            (Lattice::Triangular, true, _) => instance!(InField, 1, 6, 13),
            (Lattice::Honeycomb, false, Decision::Metropolis) => instance!(Metropolis, 2, 3, 1),
            (Lattice::Honeycomb, false, Decision::HeatBath) => instance!(HeatBath, 2, 3, 1),
            (Lattice::Honeycomb, true, _) => instance!(InField, 2, 3, 7),
            (Lattice::Cubic, false, Decision::Metropolis) => instance!(Metropolis, 3, 6, 2),
            (Lattice::Cubic, false, Decision::HeatBath) => instance!(HeatBath, 3, 6, 3),
            (Lattice::Cubic, true, _) => instance!(InField, 3, 6, 13),
        }
    }
}

/// For every block the layer before it and the layer after it, as its lanes see them.
fn fill_halo(grid: &Grid, cells: &[Words], halo: &mut Vec<Words>, threads: Threads) {
    let (plane, planes, per_block) = (grid.plane(), grid.planes(), grid.planes_per_block());
    halo.resize(2 * plane * grid.blocks(), Words::ZERO);
    let fill = |(k, layer): (usize, &mut [Words])| {
        let (block, after) = (k / 2, k % 2 == 1);
        let (first, last) = (block * per_block, ((block + 1) * per_block).min(planes) - 1);
        let (source, across) = match after {
            false if first == 0 => (planes - 1, true),
            false => (first - 1, false),
            true if last + 1 == planes => (0, true),
            true => (last + 1, false),
        };
        layer.copy_from_slice(&cells[source * plane..(source + 1) * plane]);
        if across {
            for words in layer {
                *words = grid.axes()[0].across(words, after);
            }
        }
    };
    if threads == Threads::All {
        halo.par_chunks_mut(plane).enumerate().for_each(fill);
    } else {
        halo.chunks_mut(plane).enumerate().for_each(fill);
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
