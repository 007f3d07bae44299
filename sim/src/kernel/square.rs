//! Rows of the square lattice: uniform J and h, checkerboard order.
//!
//! ΔE depends on a spin and the sum of its four neighbours alone, so ten thresholds are the whole of the physics. A block is a
//! run of rows with a stream of its own; while one colour is updated, a block reads of the rows above and below it only the other
//! colour, which does not change, so that blocks work on copies of these two rows and can be done in any order.

use rayon::prelude::*;

use super::threshold;
use crate::beta::Beta;
use crate::stream::Stream;

/// The threshold of every (s, Σ neighbours), at index 9(s + 1)/2 + Σ + 4.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Table([u64; 18]);

impl Table {
    /// The thresholds of `rule` at β for coupling `j` and field `h`.
    pub fn new(rule: fn(Beta, f64) -> f64, beta: Beta, j: f64, h: f64) -> Self {
        let mut table = [0; 18];
        for (row, s) in [-1.0, 1.0].into_iter().enumerate() {
            for sum in [-4i32, -2, 0, 2, 4] {
                let delta_e = 2.0 * s * (h + j * f64::from(sum));
                table[9 * row + (sum + 4) as usize] = threshold(rule(beta, delta_e));
            }
        }
        Self(table)
    }

    #[inline(always)]
    fn attempt(&self, s: i8, sum: i8, draw: u32) -> bool {
        // s = ±1 and |sum| ≤ 4, so the index is in 0 ..= 17; `min` tells the compiler.
        let index = (i32::from(s) * 9 + 9) / 2 + i32::from(sum) + 4;
        u64::from(draw) < self.0[(index as usize).min(17)]
    }
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
    // A local copy stays in registers.
    let mut local = stream.clone();
    let mut flips = 0;
    for y in 0..rows.len() / l {
        let (before, rest) = rows.split_at_mut(y * l);
        let (row, after) = rest.split_at_mut(l);
        let up = if y == 0 { above } else { &before[(y - 1) * l..] };
        let down = if after.is_empty() { below } else { &after[..l] };
        flips += visit_row((first + y + pass.color) & 1, row, up, down, table, &mut local);
    }
    *stream = local;
    flips
}

/// The sites of a row whose column has the parity `odd`.
#[inline]
fn visit_row(odd: usize, row: &mut [i8], up: &[i8], down: &[i8], table: &Table, stream: &mut Stream) -> u64 {
    let l = row.len();
    let mut flips = 0;
    let mut attempt = |site: &mut i8, sum: i8| {
        let flip = table.attempt(*site, sum, stream.next_u32());
        *site = if flip { -*site } else { *site };
        flips += u64::from(flip);
    };
    // With the first site left out, odd columns come first in their pairs too; the last odd column then stands alone.
    let (first, last) = (row[0], row[l - 1]);
    let mut left = if odd == 0 { last } else { first };
    let pairs = row[odd..l - odd].chunks_exact_mut(2);
    let (up_pairs, down_pairs) = (up[odd..l - odd].chunks_exact(2), down[odd..l - odd].chunks_exact(2));
    for ((pair, up), down) in pairs.zip(up_pairs).zip(down_pairs) {
        let right = pair[1];
        attempt(&mut pair[0], left + right + up[0] + down[0]);
        left = right;
    }
    if odd == 1 {
        attempt(&mut row[l - 1], left + first + up[l - 1] + down[l - 1]);
    }
    flips
}

/// Σ_(ij) s_i s_j over the 2L² bonds.
///
/// # Panics
/// If `spins` is not L × L.
pub fn bond_sum(l: usize, spins: &[i8]) -> i64 {
    assert_eq!(spins.len(), l * l, "the lattice is L × L");
    let row = |y: usize| &spins[y * l..(y + 1) * l];
    let in_row = |y: usize| {
        let (this, down) = (row(y), row((y + 1) % l));
        let vertical: i64 = products(this, down);
        let horizontal: i64 = products(&this[..l - 1], &this[1..]);
        vertical + horizontal + i64::from(this[l - 1] * this[0])
    };
    (0..l).map(in_row).sum()
}

/// Σ a_i b_i of two rows of ±1.
fn products(a: &[i8], b: &[i8]) -> i64 {
    let chunks = a.chunks(1 << 20).zip(b.chunks(1 << 20));
    chunks.map(|(a, b)| i64::from(a.iter().zip(b).map(|(&a, &b)| i32::from(a * b)).sum::<i32>())).sum()
}
