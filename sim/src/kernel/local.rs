//! What Metropolis and heat bath share: the order of sites, the blocks, the choice of kernel.

use super::{Kernel, Order, free, generic, square};
use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::spins::Spins;
use crate::stream::Streams;
use crate::topology::Coloring;

/// A sweep of single-spin attempts by one rule p(β, ΔE).
#[derive(Debug, Clone)]
pub(crate) struct LocalSweep {
    rule: fn(Beta, f64) -> f64,
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

impl LocalSweep {
    pub(crate) fn new(rule: fn(Beta, f64) -> f64, model: &Hamiltonian, order: Order) -> Result<Self, Error> {
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
        Ok(Self { rule, coloring, kernel, n_sites, block, table: None, halo, free: None })
    }

    /// Square lattices in checkerboard order, everything else in index order.
    pub(crate) fn natural(rule: fn(Beta, f64) -> f64, model: &Hamiltonian) -> Result<Self, Error> {
        let square = model.topology().square_size().is_some();
        Self::new(rule, model, if square { Order::Checkerboard } else { Order::Index })
    }

    pub(crate) fn use_generic(&mut self) {
        self.kernel = Kernel::Generic;
    }

    pub(crate) fn kernel(&self) -> Kernel {
        self.kernel
    }

    pub(crate) fn order(&self) -> Order {
        if self.coloring.is_some() { Order::Checkerboard } else { Order::Index }
    }

    pub(crate) fn blocks(&self) -> usize {
        self.n_sites.div_ceil(self.block)
    }

    pub(crate) fn sweep(
        &mut self,
        model: &Hamiltonian,
        spins: &mut Spins,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        let n = self.n_sites;
        assert!(
            model.n_sites() == n && spins.len() == n,
            "the update was made for {n} sites; the Hamiltonian has {}, the configuration {}",
            model.n_sites(),
            spins.len()
        );
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
                let known = known.unwrap_or_else(|| free::Thresholds::new(self.rule, model, beta));
                let flips = known.visit(spins.as_mut_slice(), &mut streams[0]);
                self.free = Some(known);
                flips
            }
            _ => {
                let mut probability = generic::remembered(self.rule, beta);
                let colors = if self.coloring.is_some() { 2 } else { 1 };
                let mut flips = 0;
                for color in 0..colors {
                    for (number, stream) in streams.iter_mut().enumerate().take(blocks) {
                        let start = number * self.block;
                        let sites = start..(start + self.block).min(n);
                        let chosen = |site| self.coloring.is_none_or(|c| c.color(site) == color);
                        flips += generic::visit(model, spins, sites, chosen, &mut probability, stream);
                    }
                }
                flips
            }
        };
        let attempts = n as u64;
        Activity {
            attempts,
            flips,
            coupler_reads: 2 * model.topology().n_bonds() as u64,
            random_bits: 32 * attempts,
            ..Activity::default()
        }
    }

    fn table(&mut self, beta: Beta, j: f64, h: f64) -> square::Table {
        let key = (beta.value(), j, h);
        match self.table {
            Some((known, table)) if known == key => table,
            _ => {
                let table = square::Table::new(self.rule, beta, j, h);
                self.table = Some((key, table));
                table
            }
        }
    }
}
