//! A batch of vectors that are decided together, so that few random bits are drawn that nobody reads.
//!
//! After [`PRIVATE`] digits only one lane in 2^PRIVATE is undecided, yet every further digit of one vector would cost a whole vector
//! of random bits. So each vector of the batch gets its first digits to itself, and then the undecided lanes of all vectors are
//! *pooled*: lane l of the pool belongs to the first vector whose lane l is undecided, and all of them are compared with the same
//! further vectors of random bits. Lanes that were second come into the next pool.
//!
//! # Why that is exact
//! Think of the random bits of lane l as one endless tape. Every comparison reads the next bit of the tape, or lets bits of it pass
//! unread. Whether a bit is read, and by which spin, is settled by bits further up on the tape alone, never by the bit itself or by
//! later ones; so the bits read are independent fair coins, each read by one spin only. Sharing a bit between two spins never happens.

use super::digits::{DIGITS, Digits};
use super::generator::Generator;
use super::vector::Vector;

/// Vectors in a batch.
pub const BATCH: usize = 8;

/// Digits that each vector of a batch is compared with before the pool.
pub const PRIVATE: usize = 5;

/// Digits that a pool is compared with before anybody looks whether lanes are left; after that it is looked every second digit.
pub const BLIND: usize = 4;

/// Lanes by class: the masks, those that need a random number, and those that accept without one.
#[derive(Clone, Copy)]
pub(super) struct Classes<V, const G: usize> {
    pub(super) masks: [V; G],
    pub(super) undecided: V,
    pub(super) accepted: V,
}

/// The vectors of a batch. Slots that no vector has taken are decided from the beginning.
pub(super) struct Batch<V, const G: usize> {
    slots: [Classes<V, G>; BATCH],
    len: usize,
}

impl<V: Vector, const G: usize> Batch<V, G> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        let zero = V::splat(0);
        Self { slots: [Classes { masks: [zero; G], undecided: zero, accepted: zero }; BATCH], len: 0 }
    }

    /// Puts a vector into a slot.
    ///
    /// # Panics
    /// If there is no such slot.
    #[inline(always)]
    pub(super) fn set(&mut self, slot: usize, classes: Classes<V, G>) {
        self.slots[slot] = classes;
    }

    /// Declares the slots below `len` taken.
    #[inline(always)]
    pub(super) fn fill_to(&mut self, len: usize) {
        self.len = len;
    }

    /// Vectors taken in.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Decides all lanes of all vectors and empties the batch: one vector of accepted lanes each, in the order of arrival,
    /// and none in empty slots.
    #[inline(always)]
    pub(super) fn decide(&mut self, digits: &impl Digits<V, G>, rng: &mut Generator<V>) -> [V; BATCH] {
        let zero = V::splat(0);
        for i in 0..PRIVATE {
            digits.compare_all(i, &mut self.slots, rng);
        }
        let mut flips = [zero; BATCH];
        for slot in 0..BATCH {
            flips[slot] = self.slots[slot].accepted.and_not(self.slots[slot].undecided);
        }
        loop {
            let mut pool = zero;
            let mut again = zero;
            let mut masks = [zero; G];
            let mut mine = [zero; BATCH];
            for slot in 0..BATCH {
                let undecided = self.slots[slot].undecided;
                let new = undecided.and_not(pool);
                self.slots[slot].undecided = undecided.and(pool);
                again = again.or_and(undecided, pool);
                pool = pool.or(undecided);
                for g in 0..G {
                    masks[g] = masks[g].or_and(new, self.slots[slot].masks[g]);
                }
                mine[slot] = new;
            }
            let mut lanes = (pool, zero);
            for i in PRIVATE..PRIVATE + BLIND {
                let r = rng.next();
                lanes = digits.compare(i, &masks, lanes, r);
            }
            let mut i = PRIVATE + BLIND;
            while i < DIGITS && !lanes.0.is_zero() {
                for _ in 0..2 {
                    let r = rng.next();
                    lanes = digits.compare(i, &masks, lanes, r);
                    i += 1;
                }
            }
            let accepted = lanes.1.and_not(lanes.0);
            for slot in 0..BATCH {
                flips[slot] = flips[slot].or_and(mine[slot], accepted);
            }
            if again.is_zero() {
                break;
            }
        }
        for slot in self.len..BATCH {
            flips[slot] = zero;
        }
        for slot in &mut self.slots {
            // The next batch may leave slots empty.
            slot.undecided = zero;
        }
        self.len = 0;
        flips
    }
}
