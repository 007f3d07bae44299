//! Single-spin updates in a fixed order: the order of sites, the blocks, the choice of kernel. Rules differ in p(β, ΔE) alone.

use std::fmt;
use std::marker::PhantomData;

use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::kernel::{Kernel, Order, free, generic, square};
use crate::spins::Spins;
use crate::stream::Streams;
use crate::topology::Coloring;
use crate::update::Update;

/// With what probability one attempt flips its spin.
pub trait FlipRule: fmt::Debug + Clone + Copy + Send + Sync + 'static {
    /// p(β, ΔE), in [0, 1], ΔE the energy the flip would cost. e^(−βH) stays invariant if p(β, ΔE) = e^(−βΔE) p(β, −ΔE).
    fn flip_probability(beta: Beta, delta_e: f64) -> f64;
}

/// One attempt for every spin by the rule `R`, in a fixed order: [`Metropolis`](crate::update::Metropolis) and
/// [`HeatBath`](crate::update::HeatBath).
///
/// A sweep satisfies balance, πP = π, but not detailed balance, since it visits sites in a fixed order; each single attempt does.
#[derive(Debug, Clone)]
pub struct SingleSpin<R> {
    rule: PhantomData<R>,
    coloring: Option<Coloring>,
    kernel: Kernel,
    n_sites: usize,
    /// Sites per block.
    block: usize,
    /// Thresholds, and the (β, J, h) they belong to.
    table: Option<((f64, f64, f64), square::Table)>,
    halo: Vec<i8>,
    free: Option<free::Thresholds>,
}

impl<R: FlipRule> SingleSpin<R> {
    /// p(β, ΔE) of one attempt.
    pub fn flip_probability(beta: Beta, delta_e: f64) -> f64 {
        R::flip_probability(beta, delta_e)
    }

    /// The update for `model`: checkerboard order on square lattices, index order on every other graph.
    ///
    /// # Errors
    /// [`Error::NotBipartite`], naming L, on a square lattice of odd L; there use [`SingleSpin::in_order`] with [`Order::Index`].
    pub fn new(model: &Hamiltonian) -> Result<Self, Error> {
        let square = model.topology().square_size().is_some();
        Self::in_order(model, if square { Order::Checkerboard } else { Order::Index })
    }

    /// The update for `model` in the order asked for.
    ///
    /// # Errors
    /// [`Error::NotBipartite`] for a checkerboard on a graph that has none.
    pub fn in_order(model: &Hamiltonian, order: Order) -> Result<Self, Error> {
        let topology = model.topology();
        let (coloring, block) = match order {
            Order::Checkerboard => {
                let block = topology.square_size().map_or(model.n_sites(), square::sites_per_block);
                (Some(topology.coloring()?), block)
            }
            Order::Index => (None, model.n_sites()),
        };
        let fast = coloring.is_some() && topology.square_size().is_some() && model.uniform().is_some();
        let kernel = match fast {
            true => Kernel::SquareRows,
            false if coloring.is_none() && topology.n_bonds() == 0 => Kernel::Free,
            false => Kernel::Generic,
        };
        let (n_sites, halo) = (model.n_sites(), Vec::new());
        Ok(Self { rule: PhantomData, coloring, kernel, n_sites, block, table: None, halo, free: None })
    }

    /// The same update through the naive kernel: the same bytes, slower.
    #[must_use]
    pub fn with_generic_kernel(mut self) -> Self {
        self.kernel = Kernel::Generic;
        self
    }

    /// The inner loop in use.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The order in which a sweep visits the sites.
    pub fn order(&self) -> Order {
        if self.coloring.is_some() { Order::Checkerboard } else { Order::Index }
    }

    /// Number of blocks that draw from streams of their own, for [`Streams::new`]; it depends on the lattice alone.
    pub fn blocks(&self) -> usize {
        self.n_sites.div_ceil(self.block)
    }

    fn table(&mut self, beta: Beta, j: f64, h: f64) -> square::Table {
        let key = (beta.value(), j, h);
        match self.table {
            Some((known, table)) if known == key => table,
            _ => {
                let table = square::Table::new(R::flip_probability, beta, j, h);
                self.table = Some((key, table));
                table
            }
        }
    }
}

impl<R: FlipRule> Update for SingleSpin<R> {
    type Model = Hamiltonian;
    type State = Spins;

    /// N attempts, each of 32 random bits; coupler reads are one per site and bond of it.
    ///
    /// # Panics
    /// If the update was made for another number of sites, or there are fewer streams than [`SingleSpin::blocks`].
    fn sweep(
        &mut self,
        model: &Hamiltonian,
        spins: &mut Spins,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        super::check_sizes(self.n_sites, model, spins);
        let blocks = self.blocks();
        let streams = streams.blocks();
        assert!(streams.len() >= blocks, "{blocks} blocks need {blocks} streams, not {}", streams.len());
        let flips = match (self.kernel, model.topology().square_size(), model.uniform()) {
            (Kernel::SquareRows, Some(l), Some((j, h))) => {
                let table = self.table(beta, j, h);
                let passes = (0..2).map(|color| square::Pass { l, block: self.block, color });
                let spins = spins.as_mut_slice();
                passes.map(|pass| square::visit(pass, spins, &table, streams, &mut self.halo)).sum()
            }
            (Kernel::Free, ..) if model.topology().n_bonds() == 0 => {
                let known = self.free.take().filter(|known| known.are_of(model, beta));
                let known = known.unwrap_or_else(|| free::Thresholds::new(R::flip_probability, model, beta));
                let flips = known.visit(spins.as_mut_slice(), &mut streams[0]);
                self.free = Some(known);
                flips
            }
            _ => {
                let mut probability = generic::remembered(R::flip_probability, beta);
                let colors = if self.coloring.is_some() { 2 } else { 1 };
                let mut flips = 0;
                for color in 0..colors {
                    for (number, stream) in streams.iter_mut().enumerate().take(blocks) {
                        let start = number * self.block;
                        let sites = start..(start + self.block).min(self.n_sites);
                        let chosen = |site| self.coloring.is_none_or(|c| c.color(site) == color);
                        flips += generic::visit(model, spins, sites, chosen, &mut probability, stream);
                    }
                }
                flips
            }
        };
        super::one_attempt_each(model, flips)
    }

    fn blocks(&self) -> usize {
        SingleSpin::blocks(self)
    }
}
