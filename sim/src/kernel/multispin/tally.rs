//! Counting set lanes of many vectors: a carry-save adder first, so that only every eighth vector is counted bit by bit.

use super::vector::{Vector, Words};

/// A running count (Harley and Seal's method, in H. S. Warren, Hacker's Delight, §5–1).
#[derive(Clone, Copy)]
pub(super) struct Tally<V> {
    ones: V,
    twos: V,
    fours: V,
    eights: u64,
}

#[inline(always)]
fn lanes<V: Vector>(v: V) -> u64 {
    let mut words = Words::ZERO;
    v.store(&mut words);
    let mut total = 0;
    for w in words.0 {
        total += u64::from(w.count_ones());
    }
    total
}

impl<V: Vector> Tally<V> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        let zero = V::splat(0);
        Self { ones: zero, twos: zero, fours: zero, eights: 0 }
    }

    #[inline(always)]
    pub(super) fn add_eight(&mut self, a: &[V; 8]) {
        let mut twos = [self.twos; 4];
        for i in 0..4 {
            let (x, y) = (a[2 * i], a[2 * i + 1]);
            twos[i] = self.ones.majority(x, y);
            self.ones = self.ones.xor3(x, y);
        }
        let four_a = self.twos.majority(twos[0], twos[1]);
        self.twos = self.twos.xor3(twos[0], twos[1]);
        let four_b = self.twos.majority(twos[2], twos[3]);
        self.twos = self.twos.xor3(twos[2], twos[3]);
        let eight = self.fours.majority(four_a, four_b);
        self.fours = self.fours.xor3(four_a, four_b);
        self.eights += lanes(eight);
    }

    #[inline(always)]
    pub(super) fn total(&self) -> u64 {
        8 * self.eights + 4 * lanes(self.fours) + 2 * lanes(self.twos) + lanes(self.ones)
    }
}
