//! One cluster of the square lattice, found 64 sites at a time.
//!
//! Spins, bonds and the cluster are rows of bits. A word of a row is *visited* with the sites that are known to be reached: they spread
//! along the open bonds of the word by an addition to the right and by shifts to the left, and what is new is handed on to the four words
//! beside it, which are visited in turn, first come first served. Bonds are drawn when a word first needs them, eight words of
//! them at a time, so that a small cluster on a large lattice costs no more than it touches.

use super::bernoulli;
use super::square_clusters::pack_row;
use crate::kernel::generators::Generators;
use crate::kernel::multispin::Level;
use crate::kernel::multispin::generator::Lanes;
use crate::kernel::wide::{Loop, at};
use crate::stream::Stream;

/// Words whose bonds are drawn together, one for each of the generators of [`Lanes`].
const BLOCK: usize = 8;

/// A ferromagnet on the square lattice while clusters of it are grown and turned.
#[derive(Debug, Clone)]
pub(super) struct Flood {
    /// L.
    l: usize,
    /// Words of a row.
    width: usize,
    /// Place of the last site of a row in its last word.
    top: usize,
    level: Level,
    /// Whether clusters are found again by walking from site to site.
    walks: bool,
    /// 1 = down; the same layout as all that follows.
    spins: Vec<u64>,
    /// Open bonds to the right and downwards, between spins like the seed.
    right: Vec<u64>,
    down: Vec<u64>,
    /// The satisfied ones, open or not.
    like_right: Vec<u64>,
    like_down: Vec<u64>,
    /// Sites of the cluster, and sites that belong to it but have not been looked at.
    cluster: Vec<u64>,
    pending: Vec<u64>,
    /// By block: whether its bonds are drawn; and the blocks that are.
    drawn: Vec<bool>,
    blocks: Vec<u32>,
    /// Words to be visited, a ring: none is in it twice.
    queue: Vec<u32>,
    generators: Generators<BLOCK>,
}

/// What one cluster was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flooded {
    /// Its sites.
    pub(super) size: u64,
    /// Satisfied bonds with an end in it.
    pub(super) tested: u64,
}

impl Flood {
    /// Room for a lattice of `l` × `l` sites.
    pub(super) fn new(l: usize) -> Self {
        let width = l.div_ceil(64);
        let words = (l * width).next_multiple_of(BLOCK);
        let bits = || vec![0; words];
        Self {
            l,
            width,
            top: (l - 1) % 64,
            level: Level::choose().unwrap_or(Level::Portable),
            walks: false,
            spins: bits(),
            right: bits(),
            down: bits(),
            like_right: bits(),
            like_down: bits(),
            cluster: bits(),
            pending: bits(),
            drawn: vec![false; words / BLOCK],
            blocks: Vec::new(),
            // Four entries may be written behind the last without counting.
            queue: vec![0; (words + 5).next_power_of_two()],
            generators: Generators([[0; BLOCK]; 4]),
        }
    }

    /// Finds every cluster again by walking along its bonds from site to site: the same bytes, slower.
    pub(super) fn walk(&mut self) {
        self.walks = true;
    }

    /// Takes up the spins, and seeds the generators of the bonds of the clusters to come.
    pub(super) fn load(&mut self, spins: &[i8], stream: &mut Stream) {
        self.generators = Generators(Lanes::from_stream(stream).state().map(|words| words.0));
        let mut row = Vec::with_capacity(self.width);
        for (spins, bits) in spins.chunks_exact(self.l).zip(self.spins.chunks_exact_mut(self.width)) {
            pack_row(spins, &mut row);
            bits.copy_from_slice(&row);
        }
    }

    /// Puts the spins back.
    pub(super) fn store(&self, spins: &mut [i8]) {
        for (spins, bits) in spins.chunks_exact_mut(self.l).zip(self.spins.chunks_exact(self.width)) {
            for (sites, &bits) in spins.chunks_mut(64).zip(bits) {
                unpack(bits, sites);
            }
        }
    }

    /// Turns the cluster of `seed`; a satisfied bond is open with probability `threshold`/2³².
    pub(super) fn turn_one(&mut self, seed: usize, threshold: u64) -> Flooded {
        if !self.walks {
            return at(self.level, Turn { flood: self, seed, threshold });
        }
        self.grow(seed, threshold);
        self.cluster.fill(0);
        for site in self.walked(seed) {
            let (word, bit) = self.place(site);
            self.cluster[word] |= 1 << bit;
        }
        self.turn()
    }

    /// Where the bit of a site is.
    #[inline(always)]
    fn place(&self, site: usize) -> (usize, usize) {
        let (y, x) = (site / self.l, site % self.l);
        (y * self.width + x / 64, x % 64)
    }

    /// The first word of the row of a word, and which of the row it is.
    #[inline(always)]
    fn row(&self, word: usize) -> (usize, usize) {
        if self.width == 1 {
            return (word, 0);
        }
        let k = (word as u32 % self.width as u32) as usize;
        (word - k, k)
    }

    /// The word below; the lattice closes.
    #[inline(always)]
    fn below(&self, word: usize) -> usize {
        let next = word + self.width;
        if next < self.l * self.width { next } else { next - self.l * self.width }
    }

    /// Bits of `row` beside those of a word, each moved to the place of its left neighbour.
    #[inline(always)]
    fn next_to(&self, row: &[u64], word: usize) -> u64 {
        let (start, k) = self.row(word);
        let last = k + 1 == self.width;
        let (beyond, top) = if last { (row[start], self.top) } else { (row[word + 1], 63) };
        row[word] >> 1 | (beyond & 1) << top
    }

    /// Draws the bonds of a block, of those between spins that are 0 once `unlike` is subtracted modulo 2.
    #[inline(always)]
    fn draw(&mut self, block: usize, unlike: u64, threshold: u64) {
        let (right, down) = (
            bernoulli::words(threshold, &mut self.generators),
            bernoulli::words(threshold, &mut self.generators),
        );
        self.drawn[block] = true;
        self.blocks.push(block as u32);
        let words = self.l * self.width;
        for lane in 0..BLOCK.min(words - block * BLOCK) {
            let word = block * BLOCK + lane;
            let (_, k) = self.row(word);
            let inside = if k + 1 == self.width { u64::MAX >> (63 - self.top) } else { u64::MAX };
            let here = !(self.spins[word] ^ unlike) & inside;
            self.like_right[word] = here & !(self.next_to(&self.spins, word) ^ unlike);
            self.like_down[word] = here & !(self.spins[self.below(word)] ^ unlike);
            self.right[word] = self.like_right[word] & right[lane];
            self.down[word] = self.like_down[word] & down[lane];
        }
    }

    /// Finds the cluster.
    #[inline(always)]
    fn grow(&mut self, seed: usize, threshold: u64) {
        let (first, bit) = self.place(seed);
        let unlike = (self.spins[first] >> bit & 1).wrapping_neg();
        self.pending[first] = 1 << bit;
        self.queue[0] = first as u32;
        let (mut looked, mut known, ring) = (0, 1, self.queue.len() - 1);
        while looked < known {
            let word = self.queue[looked & ring] as usize;
            looked += 1;
            let (start, k) = self.row(word);
            let out = if k + 1 == self.width { self.top } else { 63 };
            let right = if k + 1 == self.width { start } else { word + 1 };
            let (left, left_out) = if k == 0 { (start + self.width - 1, self.top) } else { (word - 1, 63) };
            let below = self.below(word);
            let above = if word < self.width { word + (self.l - 1) * self.width } else { word - self.width };
            for needed in [word, left, above] {
                if !self.drawn[needed / BLOCK] {
                    self.draw(needed / BLOCK, unlike, threshold);
                }
            }
            let before = self.cluster[word];
            let reached = spread(self.pending[word] & !before, self.right[word] & !(1 << out));
            self.pending[word] = 0;
            self.cluster[word] |= reached;
            let new = reached & !before;
            for (beside, bits) in [
                (right, new >> out & self.right[word] >> out & 1),
                (left, (new & self.right[left] >> left_out & 1) << left_out),
                (below, new & self.down[word]),
                (above, new & self.down[above]),
            ] {
                let bits = bits & !self.cluster[beside];
                let waiting = self.pending[beside];
                self.pending[beside] = waiting | bits;
                self.queue[known & ring] = beside as u32;
                known += usize::from(waiting == 0 && bits != 0);
            }
        }
    }

    /// Turns the cluster and forgets it and its bonds.
    #[inline(always)]
    fn turn(&mut self) -> Flooded {
        let words = self.l * self.width;
        let mut done = Flooded::default();
        for &block in &self.blocks {
            let from = block as usize * BLOCK;
            for word in from..(from + BLOCK).min(words) {
                let cluster = self.cluster[word];
                let beside = self.next_to(&self.cluster, word);
                let tested = [
                    self.like_right[word] & (cluster | beside),
                    self.like_down[word] & (cluster | self.cluster[self.below(word)]),
                ];
                done.size += u64::from(cluster.count_ones());
                done.tested += u64::from(tested[0].count_ones() + tested[1].count_ones());
                self.spins[word] ^= cluster;
            }
        }
        for block in self.blocks.drain(..) {
            let block = block as usize;
            self.drawn[block] = false;
            self.cluster[block * BLOCK..(block + 1) * BLOCK].fill(0);
        }
        done
    }

    /// The sites that a walk along the open bonds reaches, one by one.
    fn walked(&self, seed: usize) -> Vec<usize> {
        let l = self.l;
        let is_open = |bonds: &[u64], site: usize| {
            let (word, bit) = self.place(site);
            assert!(self.drawn[word / BLOCK], "every bond of the cluster has been drawn");
            bonds[word] >> bit & 1 == 1
        };
        let mut seen = vec![false; l * l];
        let mut sites = vec![seed];
        seen[seed] = true;
        let mut looked = 0;
        while looked < sites.len() {
            let site = sites[looked];
            looked += 1;
            let (y, x) = (site / l, site % l);
            let left = y * l + (x + l - 1) % l;
            let above = (y + l - 1) % l * l + x;
            for (bonds, bond, other) in [
                (&self.right, site, y * l + (x + 1) % l),
                (&self.down, site, (y + 1) % l * l + x),
                (&self.right, left, left),
                (&self.down, above, above),
            ] {
                if is_open(bonds, bond) && !seen[other] {
                    seen[other] = true;
                    sites.push(other);
                }
            }
        }
        sites
    }
}

struct Turn<'a> {
    flood: &'a mut Flood,
    seed: usize,
    threshold: u64,
}

impl Loop for Turn<'_> {
    type Output = Flooded;

    #[inline(always)]
    fn run(self) -> Flooded {
        self.flood.grow(self.seed, self.threshold);
        self.flood.turn()
    }
}

/// The sites of a word that `sites` reach along `bonds`, bond x being that between sites x and x + 1.
#[inline(always)]
fn spread(sites: u64, bonds: u64) -> u64 {
    // A carry runs from a site along its bonds and stops in the site behind the last of them; all that it turned was reached.
    let mut reached = sites | bonds ^ bonds.wrapping_add(sites & bonds);
    let two = bonds & bonds >> 1;
    reached |= reached >> 1 & bonds;
    reached |= reached >> 2 & two;
    reached |= reached >> 4 & two & two >> 2;
    // Few strings of bonds are longer than eight.
    while reached >> 1 & bonds & !reached != 0 {
        reached |= reached >> 1 & bonds;
    }
    reached
}

/// ±1 from up to 64 bits, 1 = down.
#[inline(always)]
fn unpack(bits: u64, sites: &mut [i8]) {
    let mut eights = sites.chunks_exact_mut(8);
    let mut shift = 0;
    for eight in &mut eights {
        // One byte for each of eight bits, 0 or 1; +1 becomes −1 by turning seven of its bits.
        let spread = (bits >> shift & 0xFF).wrapping_mul(0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
        let ones = (spread + 0x7F7F_7F7F_7F7F_7F7F) >> 7 & 0x0101_0101_0101_0101;
        let bytes = 0x0101_0101_0101_0101 ^ (ones * 0xFE);
        for (s, byte) in eight.iter_mut().zip(bytes.to_le_bytes()) {
            *s = byte as i8;
        }
        shift += 8;
    }
    for (i, s) in eights.into_remainder().iter_mut().enumerate() {
        *s = 1 - 2 * (bits >> (shift + i) & 1) as i8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Purpose;

    fn stream(replica: u64) -> Stream {
        Stream::new(4, Purpose::Test, replica, 0)
    }

    #[test]
    fn a_word_is_flooded_along_its_bonds() {
        let mut stream = stream(0);
        for round in 0..20_000 {
            let (sites, mut bonds) = (stream.next_u64() & stream.next_u64(), stream.next_u64());
            for _ in 0..round % 4 {
                bonds |= stream.next_u64();
            }
            let (sites, bonds) = (sites & stream.next_u64(), bonds >> 1);
            let mut naive = sites;
            loop {
                let next = naive | naive >> 1 & bonds | (naive & bonds) << 1;
                if next == naive {
                    break;
                }
                naive = next;
            }
            assert_eq!(spread(sites, bonds), naive);
        }
    }

    #[test]
    fn every_instruction_set_turns_the_clusters_that_a_walk_finds() {
        for (replica, l) in (0..).zip([1, 2, 3, 5, 16, 31, 63, 64, 65, 100, 128, 130, 200]) {
            let spins: Vec<i8> =
                (0..l * l).map(|_| if stream(replica).next_u32() & 1 == 1 { 1 } else { -1 }).collect();
            let mut twin = Flood::new(l);
            twin.walk();
            let mut floods: Vec<Flood> =
                Level::available().map(|level| Flood { level, ..Flood::new(l) }).chain([twin]).collect();
            for threshold in [0x4000_0000, 0x9611_a4c3, 0xf000_0000, 1 << 32] {
                floods.iter_mut().for_each(|flood| flood.load(&spins, &mut stream(100 + replica)));
                let mut seeds = stream(200 + replica);
                for _ in 0..20 {
                    let seed = seeds.below((l * l) as u64) as usize;
                    let turned: Vec<Flooded> =
                        floods.iter_mut().map(|flood| flood.turn_one(seed, threshold)).collect();
                    assert!(turned.iter().all(|t| *t == turned[0]), "L = {l}: {turned:?}");
                    assert!(floods.iter().all(|flood| flood.spins == floods[0].spins));
                    assert!(floods[0].pending.iter().chain(&floods[0].cluster).all(|&word| word == 0));
                }
                let mut back = vec![0; l * l];
                floods[0].store(&mut back);
                assert!(back.iter().all(|&s| s == 1 || s == -1));
            }
        }
    }
}
