//! Opening the bonds of a periodic lattice, 64 of them at a time.

use super::bernoulli;
use super::forest::Forest;
use super::improved::BondCounts;
use super::square_clusters::pack_row;
use crate::stream::Stream;
use crate::topology::Rows;

/// The spins of all rows, 1 = down, each row beginning a word of its own.
#[derive(Debug, Clone, Default)]
pub(super) struct RowBonds {
    packed: Vec<u64>,
    row: Vec<u64>,
}

impl RowBonds {
    /// Opens satisfied bonds with probability `threshold`/2³² each: row by row, direction by direction; and joins their ends. `unlike`
    /// says that bonds between unlike spins are satisfied.
    pub(super) fn join(
        &mut self,
        rows: &Rows,
        (unlike, threshold): (bool, u64),
        spins: &[i8],
        forest: &mut Forest,
        stream: &mut Stream,
    ) -> BondCounts {
        let (width, words) = (rows.width, rows.width.div_ceil(64));
        self.packed.clear();
        for row in spins.chunks_exact(width) {
            pack_row(row, &mut self.row);
            self.packed.extend_from_slice(&self.row);
        }
        let like = if unlike { 0 } else { u64::MAX };
        let top = (width - 1) % 64;
        let mut counts = BondCounts::default();
        for row in 0..rows.count {
            let here = &self.packed[row * words..(row + 1) * words];
            for direction in rows.directions {
                let target = rows.target(row, direction, true);
                let there = &self.packed[target * words..(target + 1) * words];
                for w in 0..words {
                    let last = w + 1 == words;
                    let inside = if last { u64::MAX >> (63 - top) } else { u64::MAX };
                    let other = match direction.dx {
                        0 => there[w],
                        1 if last => there[w] >> 1 | (there[0] & 1) << top,
                        1 => there[w] >> 1 | there[w + 1] << 63,
                        _ if w == 0 => there[0] << 1 | there[words - 1] >> top & 1,
                        _ => there[w] << 1 | there[w - 1] >> 63,
                    };
                    let satisfied = (here[w] ^ other ^ like) & inside & direction.sites;
                    let mut open = satisfied & bernoulli::word(threshold, stream);
                    counts.satisfied += u64::from(satisfied.count_ones());
                    counts.open += u64::from(open.count_ones());
                    while open != 0 {
                        let x = 64 * w + open.trailing_zeros() as usize;
                        open &= open - 1;
                        let end = target * width + rows.beside(x, direction.dx);
                        forest.join((row * width + x) as u32, end as u32);
                    }
                }
            }
        }
        counts
    }
}

/// The same bond by bond: the same bytes, slower.
pub(super) fn join_naively(
    rows: &Rows,
    (unlike, threshold): (bool, u64),
    spins: &[i8],
    forest: &mut Forest,
    stream: &mut Stream,
) -> BondCounts {
    let mut counts = BondCounts::default();
    let mut drawn = 0;
    for (place, bond) in rows.places() {
        if place % 64 == 0 {
            drawn = bernoulli::word(threshold, stream);
        }
        let Some((a, b)) = bond else { continue };
        if (spins[a] != spins[b]) == unlike {
            counts.satisfied += 1;
            if drawn >> (place % 64) & 1 == 1 {
                counts.open += 1;
                forest.join(a as u32, b as u32);
            }
        }
    }
    counts
}
