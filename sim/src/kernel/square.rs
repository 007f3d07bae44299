//! Rows of the square lattice: uniform J and h, checkerboard order.
//!
//! ΔE depends on a spin and the sum of its four neighbours alone, so ten thresholds are the whole of the physics. A block is a
//! run of rows with a stream of its own; while one colour is updated, a block reads of the rows above and below it only the other
//! colour, which does not change, so that blocks work on copies of these two rows and can be done in any order.

use rayon::prelude::*;

use super::threshold;
use super::wide::{Loop, widest};
use crate::beta::Beta;
use crate::stream::Stream;

/// The threshold of every (s, Σ neighbours), at index Σ + 4 for s = +1 and 16 + Σ + 4 for s = −1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Table([u64; 32]);

impl Table {
    /// The thresholds of `rule` at β for coupling `j` and field `h`.
    pub fn new(rule: fn(Beta, f64) -> f64, beta: Beta, j: f64, h: f64) -> Self {
        let mut table = [0; 32];
        for s in [1i8, -1] {
            for sum in [-4i8, -2, 0, 2, 4] {
                let delta_e = 2.0 * f64::from(s) * (h + j * f64::from(sum));
                table[usize::from(index(s, sum))] = threshold(rule(beta, delta_e));
            }
        }
        Self(table)
    }

    /// 1 if the draw accepts, else 0, without a branch that half of the draws would mispredict.
    #[inline(always)]
    fn accepts(&self, index: u8, draw: u32) -> i8 {
        let below = u64::from(draw).wrapping_sub(self.0[usize::from(index & 31)]);
        (below >> 63) as i8
    }
}

/// Where the table has (s, Σ).
#[inline(always)]
fn index(s: i8, sum: i8) -> u8 {
    (s as u8 >> 7) << 4 | (sum + 4) as u8
}

/// Sites per block of an L × L lattice: whole rows, at least 16 384 sites, at most 64 blocks; a function of L alone.
pub fn sites_per_block(l: usize) -> usize {
    let rows = 16_384usize.div_ceil(l).max(l.div_ceil(64));
    rows.min(l).saturating_mul(l)
}

/// Where one colour of one sweep is made: the lattice and how it is split.
#[derive(Debug, Clone, Copy)]
pub struct Pass {
    /// L, even.
    pub l: usize,
    /// Sites per block, a multiple of L.
    pub block: usize,
    /// 0 or 1.
    pub color: usize,
}

/// Attempts to flip every site of one colour, one 32-bit draw of the block's stream each, columns ascending within rows ascending.
/// `halo` is scratch space. Returns the number of flips, the same on any number of threads.
///
/// # Panics
/// If `spins` is not L × L or there are fewer streams than blocks.
pub fn visit(pass: Pass, spins: &mut [i8], table: &Table, streams: &mut [Stream], halo: &mut Vec<i8>) -> u64 {
    let Pass { l, block, .. } = pass;
    assert!(spins.len() == l * l && l.is_multiple_of(2), "the lattice is L × L with L even");
    let blocks = spins.len().div_ceil(block);
    assert!(streams.len() >= blocks, "{blocks} blocks need {blocks} streams, not {}", streams.len());
    halo.clear();
    halo.reserve(2 * l * blocks);
    for start in (0..spins.len()).step_by(block) {
        let end = (start + block).min(spins.len());
        let above = if start == 0 { spins.len() - l } else { start - l };
        let below = if end == spins.len() { 0 } else { end };
        halo.extend_from_slice(&spins[above..above + l]);
        halo.extend_from_slice(&spins[below..below + l]);
    }
    if blocks == 1 {
        return visit_block(pass, 0, spins, halo, table, &mut streams[0]);
    }
    let work =
        spins.par_chunks_mut(block).zip(halo.par_chunks(2 * l)).zip(streams.par_iter_mut()).enumerate();
    work.map(|(number, ((rows, halo), stream))| {
        visit_block(pass, number * (block / l), rows, halo, table, stream)
    })
    .sum()
}

/// One colour of one block that begins with row `first`.
fn visit_block(
    pass: Pass,
    first: usize,
    rows: &mut [i8],
    halo: &[i8],
    table: &Table,
    stream: &mut Stream,
) -> u64 {
    let l = pass.l;
    let (above, below) = halo.split_at(l);
    let mut strip = Strip { row: [0; 2 * WIDTH + 2], index: [0; WIDTH], draws: [0; WIDTH] };
    // A local copy stays in registers.
    let mut local = stream.clone();
    let mut flips = 0;
    for y in 0..rows.len() / l {
        let (before, rest) = rows.split_at_mut(y * l);
        let (row, after) = rest.split_at_mut(l);
        let up = if y == 0 { above } else { &before[(y - 1) * l..] };
        let down = if after.is_empty() { below } else { &after[..l] };
        flips += if (first + y + pass.color).is_multiple_of(2) {
            strip.visit_row::<0>(row, [&up[..l], down], table, &mut local)
        } else {
            strip.visit_row::<1>(row, [&up[..l], down], table, &mut local)
        };
    }
    *stream = local;
    flips
}

/// Sites of one colour that are worked on at once: few enough to stay in the nearest cache.
const WIDTH: usize = 128;

/// Space for one strip of a row. The work is cut into loops that each do one simple thing, which compilers turn into vector code.
struct Strip {
    /// Both colours of the strip, with one site more to the left and to the right.
    row: [i8; 2 * WIDTH + 2],
    /// Where the table has each site.
    index: [u8; WIDTH],
    draws: [u32; WIDTH],
}

impl Strip {
    /// The sites of a row whose column has the parity `ODD`.
    #[inline]
    fn visit_row<const ODD: usize>(
        &mut self,
        row: &mut [i8],
        [up, down]: [&[i8]; 2],
        table: &Table,
        stream: &mut Stream,
    ) -> u64 {
        let l = row.len();
        let mut flips = 0;
        for start in (0..l).step_by(2 * WIDTH) {
            let n = (l - start).min(2 * WIDTH) / 2;
            let range = start..start + 2 * n;
            // self.row[j] is column start + ODD − 1 + j of the torus.
            if ODD == 0 {
                self.row[0] = row[if start == 0 { l - 1 } else { start - 1 }];
                self.row[1..=2 * n].copy_from_slice(&row[range.clone()]);
            } else {
                self.row[..2 * n].copy_from_slice(&row[range.clone()]);
                self.row[2 * n] = row[if range.end == l { 0 } else { range.end }];
            }
            let triples = self.row[..2 * n].chunks_exact(2).zip(self.row[2..2 * n + 2].chunks_exact(2));
            let vertical = up[range.clone()].chunks_exact(2).zip(down[range.clone()].chunks_exact(2));
            let index_of = self.index.iter_mut();
            for (((left_and_s, right), (up, down)), to) in triples.zip(vertical).zip(index_of) {
                let sum = left_and_s[0] + right[0] + up[ODD] + down[ODD];
                *to = index(left_and_s[1], sum);
            }
            stream.fill_u32(&mut self.draws[..n]);
            let decided = self.index.iter().zip(&self.draws);
            for (pair, (&index, &draw)) in row[range].chunks_exact_mut(2).zip(decided) {
                let flip = table.accepts(index, draw);
                // −s where flip is 1, s where it is 0.
                pair[ODD] = (pair[ODD] ^ -flip) + flip;
                flips += flip as u64;
            }
        }
        flips
    }
}

/// Σ_(ij) s_i s_j over the 2L² bonds.
///
/// # Panics
/// If `spins` is not L × L.
pub fn bond_sum(l: usize, spins: &[i8]) -> i64 {
    assert_eq!(spins.len(), l * l, "the lattice is L × L");
    widest(BondSum { l, spins })
}

struct BondSum<'a> {
    l: usize,
    spins: &'a [i8],
}

impl Loop for BondSum<'_> {
    type Output = i64;

    #[inline(always)]
    fn run(self) -> i64 {
        let Self { l, spins } = self;
        let row = |y: usize| &spins[y * l..(y + 1) * l];
        let mut sum = 0;
        for y in 0..l {
            let (this, down) = (row(y), row((y + 1) % l));
            sum += products(this, down) + products(&this[..l - 1], &this[1..]);
            sum += i64::from(this[l - 1] * this[0]);
        }
        sum
    }
}

/// Σ a_i b_i of two rows of ±1.
#[inline(always)]
fn products(a: &[i8], b: &[i8]) -> i64 {
    let chunks = a.chunks(1 << 20).zip(b.chunks(1 << 20));
    chunks.map(|(a, b)| i64::from(a.iter().zip(b).map(|(&a, &b)| i32::from(a * b)).sum::<i32>())).sum()
}
