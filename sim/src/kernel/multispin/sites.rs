//! Sweeps with 512 sites of one lattice in the lanes: colours, blocks, threads.

use std::marker::PhantomData;

use rayon::prelude::*;

use super::block::{Surroundings, Visit};
use super::classes::{HeatBath, InField, Metropolis};
use super::digits::Codes;
use super::generator::Lanes;
use super::grid::{Grid, Lattice};
use super::level::{Level, dispatch};
use super::packed::PackedSpins;
pub use super::site_model::SiteModel;
use super::vector::Words;
use crate::beta::Beta;
use crate::stream::Stream;

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
        let grid = *model.grid();
        assert_eq!(spins.grid(), &grid, "the configuration is laid out for the model");
        let blocks = grid.blocks();
        assert!(streams.len() >= blocks, "{blocks} blocks need {blocks} streams, not {}", streams.len());
        let digits = match &self.table {
            Some((known, codes)) if *known == beta => codes.clone(),
            _ => {
                let thresholds = model.thresholds(decision, beta);
                let codes = if model.is_in_field() {
                    Codes::disjoint(&thresholds)
                } else {
                    Codes::nested(&thresholds)
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
pub(super) enum Threads {
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
        let grid = *self.model.grid();
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
        let in_field = self.model.is_in_field();
        // The first number is the place of the lattice in `Lattice::ALL`.
        match (self.model.grid().lattice(), in_field, self.decision) {
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
pub(super) fn fill_halo(grid: &Grid, cells: &[Words], halo: &mut Vec<Words>, threads: Threads) {
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
