//! Generators side by side, in plain loops that become vector instructions.
//!
//! Those of rand_xoshiro and no others: a test compares every word.
// Loops over lanes index several arrays at once and become vector instructions; an iterator's closure would not.
#![allow(clippy::needless_range_loop)]

/// `L` xoshiro256++ (Blackman and Vigna, doi:10.1145/3460772), word by word of their states: what makes a step in one lane is what
/// `rand_xoshiro::Xoshiro256PlusPlus` does from the same four words.
///
/// ```
/// use ceas_sim::kernel::generators::Generators;
/// use ceas_sim::stream::Stream;
/// let words = [[1, 5], [2, 6], [3, 7], [4, 8]];
/// let mut pair = Generators(words);
/// let mut second = Stream::at([5, 6, 7, 8], None).unwrap();
/// assert_eq!(pair.step()[1], second.next_u64());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generators<const L: usize>(pub [[u64; L]; 4]);

impl<const L: usize> Generators<L> {
    /// 64 bits from each.
    #[inline(always)]
    pub fn step(&mut self) -> [u64; L] {
        let [s0, s1, s2, s3] = &mut self.0;
        let mut out = [0; L];
        for lane in 0..L {
            let (a, b, c, d) = (s0[lane], s1[lane], s2[lane], s3[lane]);
            out[lane] = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
            let (c, d) = (c ^ a, d ^ b);
            (s0[lane], s1[lane], s2[lane], s3[lane]) = (a ^ d, b ^ c, c ^ b << 17, d.rotate_left(45));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::SeedableRng;

    use super::*;
    use crate::stream::{Purpose, Stream};

    #[test]
    fn every_lane_is_a_xoshiro256_plus_plus_of_its_own() {
        let mut stream = Stream::new(3, Purpose::Test, 1, 5);
        let mut all = Generators::<16>([[0; 16]; 4].map(|words| words.map(|_| stream.next_u64())));
        let mut scalar: Vec<Xoshiro256PlusPlus> = (0..16)
            .map(|lane| {
                let bytes: Vec<u8> = all.0.iter().flat_map(|words| words[lane].to_le_bytes()).collect();
                Xoshiro256PlusPlus::from_seed(bytes.try_into().unwrap())
            })
            .collect();
        for _ in 0..100 {
            assert_eq!(all.step().to_vec(), scalar.iter_mut().map(|g| g.next_u64()).collect::<Vec<_>>());
        }
    }
}
