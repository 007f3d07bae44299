//! One colour of one block of layers: gather neighbours, classify, decide, flip.

use std::marker::PhantomData;

use super::batch::{BATCH, Batch};
use super::classes::Rule;
use super::digits::{Codes, Digits};
use super::generator::{Generator, Lanes};
use super::grid::{Grid, Lattice, Step};
use super::level::Task;
use super::tally::Tally;
use super::vector::{Vector, Words};

/// The sign of each bond of the cells of one colour.
#[derive(Debug, Clone, Copy)]
pub(super) enum Signs<'a> {
    /// All bonds J > 0, or (`true`) all J < 0.
    Same(bool),
    /// For each cell of the colour in the order of the update, one vector a neighbour: set where J < 0.
    Each(&'a [Words]),
}

/// A block and what surrounds it.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) grid: &'a Grid,
    /// The colour that is visited.
    pub(super) color: usize,
    /// The first layer of the block.
    pub(super) first: usize,
    /// The layer before the block, as its lanes see it.
    pub(super) above: &'a [Words],
    /// The layer after it.
    pub(super) below: &'a [Words],
    pub(super) signs: Signs<'a>,
}

/// A neighbour of the cells of one row: where its row is.
#[derive(Clone, Copy)]
struct Neighbor {
    source: Source,
    start: usize,
}

#[derive(Clone, Copy)]
enum Source {
    Block,
    Above,
    Below,
    /// A copy of the row, as the lanes see it across the y face of the box.
    Turned,
}

/// The cells of one row, of which every `colors`-th from `x` has the colour.
struct Row<const Q: usize> {
    neighbors: [Neighbor; Q],
    /// What the neighbour is where it lies across the x face of the box.
    ends: [Words; Q],
    start: usize,
    x: usize,
}

impl<'a> Surroundings<'a> {
    /// Finds the neighbours of a row. Rows beyond the y face are copied to `turned`.
    #[inline(always)]
    fn row<const Q: usize>(&self, block: &[Words], turned: &mut [Words], plane: usize, y: usize) -> Row<Q> {
        let [_, y_axis, x_axis] = self.grid.axes();
        let (ny, nx) = (y_axis.cells, x_axis.cells);
        let planes = block.len() / (ny * nx);
        let steps: &[Step] = self.grid.lattice().steps(self.color);
        let neighbors: [Neighbor; Q] = std::array::from_fn(|d| {
            let step = steps[d];
            let z = plane as isize + isize::from(step[0]);
            let (source, z) = match z {
                z if z < 0 => (Source::Above, 0),
                z if z as usize == planes => (Source::Below, 0),
                z => (Source::Block, z as usize),
            };
            let at = y as isize + isize::from(step[1]);
            if at >= 0 && (at as usize) < ny {
                return Neighbor { source, start: (z * ny + at as usize) * nx };
            }
            // No lattice here steps along y and the slowest axis at once, so that the row is in the block.
            let forward = at > 0;
            let start = (z * ny + if forward { 0 } else { ny - 1 }) * nx;
            let copy = if forward { nx } else { 0 };
            for (to, from) in turned[copy..copy + nx].iter_mut().zip(&block[start..start + nx]) {
                *to = y_axis.across(from, forward);
            }
            Neighbor { source: Source::Turned, start: copy }
        });
        // The first cell of the row that has the colour.
        let (colors, before) = (self.grid.lattice().colors(), self.grid.color([self.first + plane, y, 0]));
        let x = (self.color + colors - before) % colors;
        let ends = std::array::from_fn(|d| {
            let Neighbor { source, start } = neighbors[d];
            let row = &self.source(source, block, turned)[start..start + nx];
            match steps[d][2] {
                0 => Words::ZERO,
                dx => x_axis.across(&row[if dx > 0 { 0 } else { nx - 1 }], dx > 0),
            }
        });
        Row { neighbors, ends, start: (plane * ny + y) * nx, x }
    }

    #[inline(always)]
    fn source<'b>(&'b self, source: Source, block: &'b [Words], turned: &'b [Words]) -> &'b [Words] {
        match source {
            Source::Block => block,
            Source::Above => self.above,
            Source::Below => self.below,
            Source::Turned => turned,
        }
    }

    /// Room for the rows that [`Self::row`] copies.
    fn room(&self) -> Vec<Words> {
        let [_, y, x] = self.grid.axes();
        vec![Words::ZERO; if y.cells > 1 { 2 * x.cells } else { 0 }]
    }

    /// The rows of the neighbours.
    #[inline(always)]
    fn slices<'b, const Q: usize>(
        &'b self,
        block: &'b [Words],
        turned: &'b [Words],
        row: &Row<Q>,
        nx: usize,
    ) -> [&'b [Words]; Q] {
        let mut slices = [block; Q];
        for d in 0..Q {
            let Neighbor { source, start } = row.neighbors[d];
            slices[d] = &self.source(source, block, turned)[start..start + nx];
        }
        slices
    }

    /// Unsatisfied bonds of a cell with spins `s`.
    #[inline(always)]
    fn unsatisfied<V: Vector, const LATTICE: usize, const Q: usize>(
        &self,
        s: V,
        row: &Row<Q>,
        slices: &[&[Words]; Q],
        x: usize,
        number: usize,
    ) -> [V; Q] {
        let mut a = [s; Q];
        for d in 0..Q {
            let at = x.wrapping_add_signed(Lattice::ALL[LATTICE].dx(d, self.color));
            a[d] = V::load(slices[d].get(at).unwrap_or(&row.ends[d]));
        }
        match self.signs {
            Signs::Same(negative) => {
                let sign = V::splat(u64::from(negative).wrapping_neg());
                for d in 0..Q {
                    a[d] = s.xor3(a[d], sign);
                }
            }
            Signs::Each(signs) => {
                let signs = &signs[number * Q..(number + 1) * Q];
                for d in 0..Q {
                    a[d] = s.xor3(a[d], V::load(&signs[d]));
                }
            }
        }
        a
    }
}

/// One colour of one block: attempts to flip all its spins.
pub(super) struct Visit<'a, R, const LATTICE: usize, const Q: usize, const G: usize> {
    pub(super) around: Surroundings<'a>,
    pub(super) block: &'a mut [Words],
    pub(super) digits: &'a Codes,
    pub(super) lanes: &'a mut Lanes,
    pub(super) rule: PhantomData<R>,
}

impl<R: Rule<Q, G>, const LATTICE: usize, const Q: usize, const G: usize> Task
    for Visit<'_, R, LATTICE, Q, G>
{
    /// Number of flips.
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector>(self) -> u64 {
        let Self { around, block, digits, lanes, .. } = self;
        let [_, ny, nx] = around.grid.axes().map(|axis| axis.cells);
        let colors = around.grid.lattice().colors();
        let planes = block.len() / (ny * nx);
        let mut rng = Generator::<V>::load(lanes);
        let mut pending = Pending::<V, G>::new();
        let mut turned = around.room();
        let mut number = 0;
        let ahead = Ahead(ny * nx + nx);
        for plane in 0..planes {
            for y in 0..ny {
                let row = around.row::<Q>(block, &mut turned, plane, y);
                let mut x = row.x;
                while x < nx {
                    let slices = around.slices(block, &turned, &row, nx);
                    let own = &block[row.start..row.start + nx];
                    let first = pending.batch.len();
                    let room = (nx - x).div_ceil(colors).min(BATCH - first);
                    for slot in first..first + room {
                        let s = V::load(&own[x]);
                        let a = around.unsatisfied::<V, LATTICE, Q>(s, &row, &slices, x, number);
                        ahead.advise::<V>(block, row.start + x);
                        let (classes, inverted) = R::classify(&a, s);
                        pending.cells[slot] = row.start + x;
                        if R::INVERTS {
                            pending.inverted[slot] = inverted;
                        }
                        pending.batch.set(slot, classes);
                        number += 1;
                        x += colors;
                    }
                    pending.batch.fill_to(first + room);
                    if pending.batch.len() == BATCH {
                        pending.flip(R::INVERTS, block, digits, &mut rng);
                    }
                }
            }
        }
        if pending.batch.len() > 0 {
            pending.flip(R::INVERTS, block, digits, &mut rng);
        }
        rng.store(lanes);
        pending.flips.total()
    }
}

/// How far ahead of a cell memory is asked for: one row beyond the next layer, which nobody has looked at yet. A row is a page or
/// less, so that processors do not foresee it by themselves.
struct Ahead(usize);

impl Ahead {
    #[inline(always)]
    fn advise<V: Vector>(&self, block: &[Words], cell: usize) {
        if let Some([first, second]) = block.get(cell + self.0..cell + self.0 + 2) {
            V::prefetch(first);
            V::prefetch(second);
        }
    }
}

/// The cells of the batch that is being collected.
struct Pending<V, const G: usize> {
    batch: Batch<V, G>,
    cells: [usize; BATCH],
    inverted: [V; BATCH],
    flips: Tally<V>,
}

impl<V: Vector, const G: usize> Pending<V, G> {
    #[inline(always)]
    fn new() -> Self {
        let inverted = [V::splat(0); BATCH];
        Self { batch: Batch::new(), cells: [0; BATCH], inverted, flips: Tally::new() }
    }

    #[inline(always)]
    fn flip(
        &mut self,
        inverts: bool,
        block: &mut [Words],
        digits: &impl Digits<V, G>,
        rng: &mut Generator<V>,
    ) {
        let len = self.batch.len();
        let mut flips = self.batch.decide(digits, rng);
        for slot in 0..len {
            if inverts {
                flips[slot] = flips[slot].xor(self.inverted[slot]);
            }
            let words = &mut block[self.cells[slot]];
            V::load(words).xor(flips[slot]).store(words);
        }
        self.flips.add_eight(&flips);
    }
}

/// Counts unsatisfied bonds, each as often as it has an end of the colour in the block.
pub(super) struct CountUnsatisfied<'a, const LATTICE: usize, const Q: usize> {
    pub(super) around: Surroundings<'a>,
    pub(super) block: &'a [Words],
}

impl<const LATTICE: usize, const Q: usize> Task for CountUnsatisfied<'_, LATTICE, Q> {
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector>(self) -> u64 {
        let Self { around, block } = self;
        let [_, ny, nx] = around.grid.axes().map(|axis| axis.cells);
        let planes = block.len() / (ny * nx);
        let mut tally = Tally::<V>::new();
        let mut turned = around.room();
        let mut number = 0;
        for plane in 0..planes {
            for y in 0..ny {
                let row = around.row::<Q>(block, &mut turned, plane, y);
                let slices = around.slices(block, &turned, &row, nx);
                let mut x = row.x;
                while x < nx {
                    let s = V::load(&block[row.start + x]);
                    let mut eight = [V::splat(0); 8];
                    eight[..Q]
                        .copy_from_slice(&around.unsatisfied::<V, LATTICE, Q>(s, &row, &slices, x, number));
                    tally.add_eight(&eight);
                    number += 1;
                    x += around.grid.lattice().colors();
                }
            }
        }
        tally.total()
    }
}
