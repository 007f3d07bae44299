//! Eight generators side by side, one per word: 512 random bits a step.
//!
//! No other generator is offered than those of rand_xoshiro: a test here compares every word with it. So nothing here has to pass a test
//! suite that its authors' publication has not reported (TestU01's BigCrush, forward and bit-reversed).

use super::vector::{Vector, Words};
use crate::stream::{Stream, mix};

/// The states of eight xoshiro256++ generators (Blackman and Vigna, doi:10.1145/3460772), in memory.
///
/// Step t of the generator of word w is what `rand_xoshiro::Xoshiro256PlusPlus` gives at step t from the state
/// (`state[0].0[w]`, …, `state[3].0[w]`); every bit of it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lanes {
    state: [Words; 4],
}

impl Lanes {
    /// Seeds eight generators from four draws k_0 … k_3 of `stream`: word i of state of generator w is output w + 1 of the
    /// SplitMix64 generator that starts at k_i, so that no two of the eight are equal.
    ///
    /// The 256 bits are drawn anew for every sweep of every block, so that nothing but the streams has to be kept between
    /// sweeps; two of n such generators of length ℓ overlap with a probability below n²ℓ 2⁻²⁵⁶.
    pub fn from_stream(stream: &mut Stream) -> Self {
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut state = [Words::ZERO; 4];
        for words in &mut state {
            let key = stream.next_u64();
            for (w, word) in words.0.iter_mut().enumerate() {
                *word = mix(key.wrapping_add(GOLDEN.wrapping_mul(w as u64 + 1)));
            }
        }
        // A state of four zero words would stay there; it has probability 2⁻²⁵⁶ and costs nothing to exclude.
        for w in 0..8 {
            if state.iter().all(|words| words.0[w] == 0) {
                state[0].0[w] = GOLDEN;
            }
        }
        Self { state }
    }

    /// The states, first by word of state, then by generator.
    pub fn state(&self) -> [Words; 4] {
        self.state
    }
}

/// The same in registers.
#[derive(Clone, Copy)]
pub(super) struct Generator<V> {
    s: [V; 4],
}

impl<V: Vector> Generator<V> {
    #[inline(always)]
    pub(super) fn load(lanes: &Lanes) -> Self {
        let [a, b, c, d] = &lanes.state;
        Self { s: [V::load(a), V::load(b), V::load(c), V::load(d)] }
    }

    #[inline(always)]
    pub(super) fn store(self, lanes: &mut Lanes) {
        for i in 0..4 {
            self.s[i].store(&mut lanes.state[i]);
        }
    }

    #[inline(always)]
    pub(super) fn next(&mut self) -> V {
        let [s0, s1, s2, s3] = self.s;
        let out = s0.add(s3).rotate_left::<23>().add(s0);
        let t = s1.shift_left::<17>();
        self.s = [s0.xor3(s3, s1), s0.xor3(s1, s2), s0.xor3(s2, t), s1.xor(s3).rotate_left::<45>()];
        out
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::SeedableRng;

    use super::*;
    use crate::kernel::multispin::level::{Level, Task, dispatch};
    use crate::stream::Purpose;

    struct Draw<'a>(&'a mut Lanes);

    impl Task for Draw<'_> {
        type Output = Vec<Words>;
        #[inline(always)]
        fn run<V: Vector>(self) -> Vec<Words> {
            let mut generator = Generator::<V>::load(self.0);
            let mut drawn = vec![Words::ZERO; 100];
            for words in &mut drawn {
                generator.next().store(words);
            }
            generator.store(self.0);
            drawn
        }
    }

    #[test]
    fn every_word_is_a_xoshiro256_plus_plus_of_its_own_at_every_level() {
        let start = Lanes::from_stream(&mut Stream::new(3, Purpose::Test, 1, 4));
        let state = start.state();
        for level in Level::available() {
            let mut lanes = start.clone();
            let drawn = [dispatch(level, Draw(&mut lanes)), dispatch(level, Draw(&mut lanes))].concat();
            for w in 0..8 {
                let mut seed = [0; 32];
                for (i, bytes) in seed.chunks_exact_mut(8).enumerate() {
                    bytes.copy_from_slice(&state[i].0[w].to_le_bytes());
                }
                let mut scalar = Xoshiro256PlusPlus::from_seed(seed);
                for words in &drawn {
                    assert_eq!(words.0[w], scalar.next_u64(), "{level}, word {w}");
                }
            }
        }
    }
}
