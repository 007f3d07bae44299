//! The place of a number among sorted ones: a tree of sixteen branches, searched with one comparison of sixteen keys per level.
//!
//! No branch depends on what is looked for, so that nothing can be guessed wrongly, as it is half the time with other searches when
//! the numbers are random.
#![allow(unsafe_code)]

use super::multispin::Level;

/// The keys of a node, ascending.
pub type Node = [u32; 16];

/// Sorted numbers in the leaves of a tree, every node above holding the last key of each of its branches.
#[derive(Debug, Clone, Copy)]
pub struct Tree<'a> {
    /// Level by level from the root. What is missing to sixteen keys is 2³² − 1.
    pub nodes: &'a [Node],
    /// The first node of every level.
    pub levels: &'a [usize],
}

impl Tree<'_> {
    /// How many keys are not above `number`, of which 2³² − 1 counts as 2³² − 2; there must be one above it.
    #[inline(always)]
    pub fn place(self, number: u32) -> usize {
        let number = number.min(u32::MAX - 1);
        self.descend(|node| node.iter().map(|&key| u32::from(key <= number)).sum())
    }

    #[inline(always)]
    fn descend(self, passed: impl Fn(&Node) -> u32) -> usize {
        self.levels.iter().fold(0, |node, first| 16 * node + passed(&self.nodes[first + node]) as usize)
    }

    /// Replaces every number by [`Tree::place`] of it, with the instructions of `level`, or plain ones where the machine lacks them.
    pub fn places(self, level: Level, numbers: &mut [u32]) {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 if level.is_available() => {
                // SAFETY: the machine has just been found to have AVX-512 F, BW, DQ and VL, and counts bits.
                unsafe { self.places_avx512(numbers) }
            }
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 if level.is_available() => {
                // SAFETY: the machine has just been found to have AVX2 and to count bits.
                unsafe { self.places_avx2(numbers) }
            }
            _ => numbers.iter_mut().for_each(|number| *number = self.place(*number) as u32),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,popcnt")]
    fn places_avx512(self, numbers: &mut [u32]) {
        use std::arch::x86_64::{_mm512_cmple_epu32_mask, _mm512_loadu_si512, _mm512_set1_epi32};
        for number in numbers {
            let wanted = _mm512_set1_epi32((*number).min(u32::MAX - 1).cast_signed());
            let passed = |node: &Node| {
                // SAFETY: a node is the 64 bytes that are loaded.
                let keys = unsafe { _mm512_loadu_si512(node.as_ptr().cast()) };
                _mm512_cmple_epu32_mask(keys, wanted).count_ones()
            };
            *number = self.descend(passed) as u32;
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,popcnt")]
    fn places_avx2(self, numbers: &mut [u32]) {
        use std::arch::x86_64::{
            _mm256_castsi256_ps, _mm256_cmpgt_epi32, _mm256_loadu_si256, _mm256_movemask_ps,
            _mm256_set1_epi32, _mm256_xor_si256,
        };
        // Comparisons are of signed numbers: the top bit turns round.
        let top = _mm256_set1_epi32(i32::MIN);
        for number in numbers {
            let wanted = _mm256_set1_epi32(((*number).min(u32::MAX - 1) ^ (1 << 31)).cast_signed());
            let above = |keys: &[u32; 8]| {
                // SAFETY: half a node is the 32 bytes that are loaded.
                let keys = unsafe { _mm256_loadu_si256(keys.as_ptr().cast()) };
                let above = _mm256_cmpgt_epi32(_mm256_xor_si256(keys, top), wanted);
                _mm256_movemask_ps(_mm256_castsi256_ps(above)).count_ones()
            };
            let passed = |node: &Node| {
                let (halves, _) = node.as_chunks::<8>();
                16 - above(&halves[0]) - above(&halves[1])
            };
            *number = self.descend(passed) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Purpose, Stream};

    #[test]
    fn every_level_finds_the_same_places() {
        let mut stream = Stream::new(3, Purpose::Test, 0, 0);
        let mut keys: Vec<u32> = (0..240).map(|_| stream.next_u32()).collect();
        keys.extend([0, 0, 1, u32::MAX - 1]);
        keys.sort_unstable();
        let mut nodes = vec![[u32::MAX; 16]; 17];
        for (i, &key) in keys.iter().enumerate() {
            nodes[1 + i / 16][i % 16] = key;
        }
        nodes[0] = std::array::from_fn(|i| nodes[1 + i][15]);
        let tree = Tree { nodes: &nodes, levels: &[0, 1] };
        let mut numbers: Vec<u32> = (0..2_000).map(|_| stream.next_u32()).collect();
        numbers.extend([0, 1, 2, u32::MAX - 2, u32::MAX - 1, u32::MAX]);
        numbers.extend(&keys);
        let slowly =
            |&number: &u32| keys.iter().filter(|key| **key <= number.min(u32::MAX - 1)).count() as u32;
        let expected: Vec<u32> = numbers.iter().map(slowly).collect();
        for level in Level::available() {
            let mut places = numbers.clone();
            tree.places(level, &mut places);
            assert_eq!(places, expected, "{level}");
        }
    }
}
