//! Clusters of the square lattice with uniform J, found in runs along rows.
//!
//! Everything is a row of bits, 64 sites a word: spins, open bonds, and where runs begin; a *run* is a maximal string of sites of one
//! row joined by open bonds to the right. Runs are numbered in the order of their first sites, so that neither the open bonds
//! nor the labels of sites need be kept: walking along the beginnings again finds them.

use super::bernoulli;
use super::forest::Forest;
use super::improved::{BondCounts, Coins, MomentSums};
use crate::stream::Stream;

/// Working space of a sweep.
#[derive(Debug, Clone, Default)]
pub(super) struct SquareClusters {
    forest: Forest,
    /// Bit x of word w of a row: a run begins at column 64w + x.
    begins: Vec<u64>,
    /// First site of each run.
    starts: Vec<u32>,
    /// At the root of a cluster, 2³² times its size plus its magnetization: one sum for both.
    totals: Vec<i64>,
    /// The first run of each cluster.
    roots: Vec<u32>,
    /// −1 for the runs that turn, +1 for the others.
    signs: Vec<i8>,
}

/// A row while the rows above and below it are looked at.
#[derive(Debug, Clone, Default)]
struct Row {
    /// 1 = down.
    spins: Vec<u64>,
    /// Open bonds to the right and downwards.
    right: Vec<u64>,
    down: Vec<u64>,
    /// The run of each site.
    labels: Vec<u32>,
}

/// How bonds are opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    /// L.
    pub(super) l: usize,
    /// Whether J < 0, so that bonds between unlike spins are satisfied.
    pub(super) unlike: bool,
    /// 2³² times the probability that a satisfied bond is open.
    pub(super) threshold: u64,
}

impl Opening {
    /// The open bonds of one row to the right and downwards, drawn 64 at a time in turns. Counts them and the satisfied ones.
    pub(super) fn draw(
        self,
        spins: &[u64],
        below: &[u64],
        right: &mut Vec<u64>,
        down: &mut Vec<u64>,
        stream: &mut Stream,
        counts: &mut BondCounts,
    ) {
        let last = spins.len() - 1;
        let like = if self.unlike { 0 } else { u64::MAX };
        right.clear();
        down.clear();
        for w in 0..=last {
            let here = spins[w];
            // Beyond column L − 1 comes column 0.
            let (next, inside) = if w == last {
                let top = (self.l - 1) % 64;
                (here >> 1 | (spins[0] & 1) << top, u64::MAX >> (63 - top))
            } else {
                (here >> 1 | spins[w + 1] << 63, u64::MAX)
            };
            let satisfied_right = (here ^ next ^ like) & inside;
            let satisfied_down = (here ^ below[w] ^ like) & inside;
            let open_right = satisfied_right & bernoulli::word(self.threshold, stream);
            let open_down = satisfied_down & bernoulli::word(self.threshold, stream);
            counts.satisfied += u64::from(satisfied_right.count_ones() + satisfied_down.count_ones());
            counts.open += u64::from(open_right.count_ones() + open_down.count_ones());
            right.push(open_right);
            down.push(open_down);
        }
    }
}

/// The signs of up to 64 spins.
#[inline]
fn pack(spins: &[i8]) -> u64 {
    let mut word = 0;
    let eights = spins.chunks_exact(8);
    let rest = eights.remainder();
    let full = 8 * eights.len();
    for (i, eight) in eights.enumerate() {
        let bytes = u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|i| eight[i] as u8));
        // The sign bits of eight bytes, gathered into the highest byte by a multiplication in which no carry occurs.
        let bits = ((bytes >> 7) & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word |= bits << (8 * i);
    }
    for (i, &s) in rest.iter().enumerate() {
        word |= u64::from(s < 0) << (full + i);
    }
    word
}

/// The signs of the spins of one row.
pub(super) fn pack_row(spins: &[i8], out: &mut Vec<u64>) {
    out.clear();
    out.extend(spins.chunks(64).map(pack));
}

/// Bit x of the row as bit x + 1; nothing moves into bit 0.
#[inline]
fn shifted(row: &[u64], w: usize) -> u64 {
    row[w] << 1 | if w == 0 { 0 } else { row[w - 1] >> 63 }
}

/// Joins the runs of `row` to those of the row `above` it.
fn join_rows(row: &Row, above: &Row, forest: &mut Forest) {
    for w in 0..row.right.len() {
        // A bond is superfluous where its left neighbour joins the same two runs.
        let repeated = shifted(&row.right, w) & shifted(&above.right, w) & shifted(&above.down, w);
        let mut joins = above.down[w] & !repeated;
        let end = (64 * (w + 1)).min(row.labels.len());
        let (here, up) = (&row.labels[64 * w..end], &above.labels[64 * w..end]);
        while joins != 0 {
            let x = joins.trailing_zeros() as usize;
            joins &= joins - 1;
            forest.join(here[x], up[x]);
        }
    }
}

impl SquareClusters {
    /// Space per site if every run is a single site.
    pub(super) const BYTES_PER_SITE: u64 = 22;

    /// Opens the satisfied bonds, joins their ends, and lets each cluster turn by a coin of its own. Returns the numbers of
    /// bonds, of flipped sites, and what the clusters were.
    pub(super) fn sweep(
        &mut self,
        opening: Opening,
        spins: &mut [i8],
        stream: &mut Stream,
    ) -> (BondCounts, u64, MomentSums) {
        let l = opening.l;
        self.forest.clear();
        self.begins.clear();
        self.starts.clear();
        let mut counts = BondCounts::default();
        let (mut row, mut above, mut first) = (Row::default(), Row::default(), Row::default());
        let mut below = Vec::new();
        pack_row(&spins[..l], &mut row.spins);
        for y in 0..l {
            let next = if y + 1 == l { 0 } else { y + 1 };
            pack_row(&spins[next * l..(next + 1) * l], &mut below);
            opening.draw(&row.spins, &below, &mut row.right, &mut row.down, stream, &mut counts);
            self.number_runs(y * l, l, &mut row);
            if row.right[row.right.len() - 1] >> ((l - 1) % 64) & 1 == 1 {
                self.forest.join(row.labels[l - 1], row.labels[0]);
            }
            if y == 0 {
                first.clone_from(&row);
            } else {
                join_rows(&row, &above, &mut self.forest);
            }
            std::mem::swap(&mut row, &mut above);
            std::mem::swap(&mut row.spins, &mut below);
        }
        join_rows(&first, &above, &mut self.forest);
        self.starts.push(spins.len() as u32);
        let (flips, sums) = self.toss(opening.unlike, spins, stream);
        self.turn(l, spins);
        (counts, flips, sums)
    }

    /// Numbers the runs of the row whose first site is `site`.
    fn number_runs(&mut self, site: usize, l: usize, row: &mut Row) {
        let mut count = self.forest.len() as u32;
        row.labels.resize(l, 0);
        for (w, labels) in row.labels.chunks_mut(64).enumerate() {
            let begins = !shifted(&row.right, w) & (u64::MAX >> (64 - labels.len()));
            self.begins.push(begins);
            for (x, label) in labels.iter_mut().enumerate() {
                count += (begins >> x & 1) as u32;
                *label = count.wrapping_sub(1);
            }
            let known = self.starts.len();
            self.starts.resize(known + begins.count_ones() as usize, 0);
            let mut rest = begins;
            for start in &mut self.starts[known..] {
                *start = (site + 64 * w) as u32 + rest.trailing_zeros();
                rest &= rest.wrapping_sub(1);
            }
        }
        self.forest.grow(count);
    }

    /// A coin for each cluster, in the order of their first sites. Returns the number of sites that will turn.
    ///
    /// Nothing branches on whether a run is the first of its cluster, which no processor could foresee.
    fn toss(&mut self, unlike: bool, spins: &[i8], stream: &mut Stream) -> (u64, MomentSums) {
        let (signs, starts, roots) = (&mut self.signs, &self.starts, &mut self.roots);
        self.totals.clear();
        self.totals.resize(self.forest.len(), 0);
        signs.resize(self.forest.len(), 0);
        roots.resize(self.forest.len(), 0);
        let totals = self.totals.as_mut_slice();
        let mut clusters = 0;
        let mut coins = Coins::new(stream);
        self.forest.flatten(|label, root| {
            let at = label as usize;
            let (start, end) = (starts[at], starts[at + 1]);
            let size = i64::from(end - start);
            // Spins of a run are equal, or alternate.
            let m = i64::from(spins[start as usize]) * if unlike { size & 1 } else { size };
            let is_root = label == root;
            let coin = coins.sign_if(is_root);
            signs[at] = coin;
            signs[at] = signs[root as usize];
            roots[clusters] = label;
            clusters += usize::from(is_root);
            totals[root as usize] += (size << 32) + m;
        });
        let mut sums = MomentSums::default();
        let mut flips = 0;
        for &root in &roots[..clusters] {
            let total = totals[root as usize];
            let m = i64::from(total as i32);
            let size = (total - m) >> 32;
            sums.add(size, m, false);
            flips += size * i64::from(signs[root as usize] < 0);
        }
        (flips as u64, sums)
    }

    /// Turns the runs, 64 sites at a time: a bit where a run begins whose coin differs from that of the run before it; the sums of these
    /// bits up to each site, modulo 2; and the sites where that is 1.
    fn turn(&self, l: usize, spins: &mut [i8]) {
        let mut runs = self.signs.iter();
        let mut turning = 0;
        let mut words = self.begins.iter();
        for row in spins.chunks_mut(l) {
            for (sites, &begins) in row.chunks_mut(64).zip(&mut words) {
                let (mut rest, mut changes) = (begins, 0);
                let before = turning;
                for &sign in runs.by_ref().take(begins.count_ones() as usize) {
                    let turns = u64::from(sign < 0);
                    changes |= (turns ^ turning) << rest.trailing_zeros();
                    rest &= rest.wrapping_sub(1);
                    turning = turns;
                }
                let mut turns = changes ^ before;
                for shift in [1, 2, 4, 8, 16, 32] {
                    turns ^= turns << shift;
                }
                turn_sites(sites, turns);
            }
        }
    }
}

/// Turns the sites whose bit is set.
#[inline]
fn turn_sites(sites: &mut [i8], turns: u64) {
    let mut eights = sites.chunks_exact_mut(8);
    let mut shift = 0;
    for eight in &mut eights {
        // One byte for each of eight bits, 0 or 1; a spin turns where 0xFE is added without carry.
        let spread = (turns >> shift & 0xFF).wrapping_mul(0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
        let ones = (spread + 0x7F7F_7F7F_7F7F_7F7F) >> 7 & 0x0101_0101_0101_0101;
        let bytes = u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|i| eight[i] as u8)) ^ (ones * 0xFE);
        for (s, byte) in eight.iter_mut().zip(bytes.to_le_bytes()) {
            *s = byte as i8;
        }
        shift += 8;
    }
    for (i, s) in eights.into_remainder().iter_mut().enumerate() {
        *s = if turns >> (shift + i) & 1 == 1 { -*s } else { *s };
    }
}
