//! Binary digits of acceptance probabilities, and how a random bit per lane is compared with one of them.
//!
//! A lane whose class has the probability p = 0.t₁t₂t₃…₂ accepts if the number r = 0.r₁r₂r₃…₂ of its random bits is below p. The
//! first digit in which they differ decides, and the lane accepts if its t is 1; on average that takes two digits. A lane that has
//! not been decided after all [`DIGITS`] digits has r = p and does not accept, so that it accepts with probability p exactly.

use super::batch::{BATCH, Classes};
use super::generator::Generator;
use super::vector::{Vector, Words};

/// Binary digits of p that are compared: p is realised to within 2⁻⁶⁴.
pub const DIGITS: usize = 64;

/// Digits in a table: the comparison goes in steps of two and may look at one digit after the last, which is 0.
const TABLE: usize = DIGITS + 1;

/// p as an integer multiple of 2⁻⁶⁴, rounded to nearest, and at most 1 − 2⁻⁶⁴.
///
/// The f64 p > 2⁻¹¹ has no digit beyond the 64th, so that it is realised exactly.
///
/// ```
/// use ceas_sim::kernel::multispin::digits::threshold;
/// assert_eq!((threshold(0.0), threshold(0.5), threshold(1.0)), (0, 1 << 63, u64::MAX));
/// ```
pub fn threshold(p: f64) -> u64 {
    // Scaling by a power of two is exact; a cast of a float saturates.
    libm::round(p * 18_446_744_073_709_551_616.0) as u64
}

/// Where the digit of a lane comes from.
///
/// A lane has class 0 unless one or more of its `G` masks are set; its digit is that of class 0, changed once for every mask that
/// is set and says so. Masks may be nested (class c is in masks 1 … c) or disjoint.
pub(super) trait Digits<V: Vector, const G: usize> {
    /// Whether all lanes have the same thresholds, so that a comparison may be made in another lane.
    const ALIKE: bool;
    /// One comparison: from (undecided, accepted) to the same after digit `i`, counted from 0, has met the random bits `r`.
    ///
    /// In lanes that stay undecided `accepted` is arbitrary.
    fn compare(&self, i: usize, masks: &[V; G], lanes: (V, V), r: V) -> (V, V);

    /// The same for every slot of a batch in turn, each with random bits of its own.
    #[inline(always)]
    fn compare_all(&self, i: usize, slots: &mut [Classes<V, G>; BATCH], rng: &mut Generator<V>) {
        for slot in slots {
            let r = rng.next();
            (slot.undecided, slot.accepted) =
                self.compare(i, &slot.masks, (slot.undecided, slot.accepted), r);
        }
    }
}

/// Most masks that a rule needs: seven counts by two spins, without class 0.
const MASKS: usize = 13;

/// Thresholds that are the same in every lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Codes {
    /// Bit 0 of code i says digit i of class 0, bit g + 1 whether mask g changes it.
    codes: [u16; TABLE],
    /// The same bits, each spread over a word.
    spread: [[u64; MASKS + 1]; TABLE],
    /// Digits that are 0 in all classes, before any that is not.
    leading_zeros: usize,
}

impl Codes {
    /// Digits for nested masks: `thresholds[c]` belongs to lanes in masks 0 … c − 1.
    pub(super) fn nested(thresholds: &[u64]) -> Self {
        Self::new(thresholds, |thresholds, c| thresholds[c] ^ thresholds[c - 1])
    }

    /// Digits for disjoint masks: `thresholds[c]` belongs to lanes in mask c − 1, `thresholds[0]` to those in none.
    pub(super) fn disjoint(thresholds: &[u64]) -> Self {
        Self::new(thresholds, |thresholds, c| thresholds[c] ^ thresholds[0])
    }

    fn new(thresholds: &[u64], change: fn(&[u64], usize) -> u64) -> Self {
        let mut codes = [0; TABLE];
        let mut spread = [[0; MASKS + 1]; TABLE];
        for c in 0..thresholds.len() {
            let digits = if c == 0 { thresholds[0] } else { change(thresholds, c) };
            for i in 0..DIGITS {
                let digit = digits >> (DIGITS - 1 - i) & 1;
                codes[i] |= (digit as u16) << c;
                spread[i][c] = digit.wrapping_neg();
            }
        }
        let leading_zeros = codes.iter().take_while(|&&code| code == 0).count();
        Self { codes, spread, leading_zeros }
    }
}

/// A batch of comparisons with a code known when compiled.
#[inline(always)]
fn compare_all_known<V: Vector, const G: usize, const CODE: u16>(
    slots: &mut [Classes<V, G>; BATCH],
    rng: &mut Generator<V>,
) {
    for slot in slots {
        let r = rng.next();
        (slot.undecided, slot.accepted) =
            compare_known::<V, G, CODE>(&slot.masks, (slot.undecided, slot.accepted), r);
    }
}

/// One comparison with a code known when compiled.
#[inline(always)]
fn compare_known<V: Vector, const G: usize, const CODE: u16>(masks: &[V; G], lanes: (V, V), r: V) -> (V, V) {
    let (undecided, accepted) = lanes;
    let ones = CODE & 1 == 1;
    let mut changed: Option<V> = None;
    let mut g = 0;
    while g < G {
        if CODE >> (g + 1) & 1 == 1 {
            changed = Some(match changed {
                None => masks[g],
                Some(sum) => sum.xor(masks[g]),
            });
        }
        g += 1;
    }
    match (changed, ones) {
        (None, false) => (undecided.and_not(r), accepted.and_not(undecided)),
        (None, true) => (undecided.and(r), accepted.or(undecided)),
        (Some(t), false) => (undecided.where_equal(t, r), undecided.select(t, accepted)),
        (Some(t), true) => (undecided.where_different(t, r), undecided.select(t.not(), accepted)),
    }
}

impl<V: Vector, const G: usize> Digits<V, G> for Codes {
    const ALIKE: bool = true;

    #[inline(always)]
    fn compare(&self, i: usize, masks: &[V; G], lanes: (V, V), r: V) -> (V, V) {
        let words = &self.spread[i];
        let mut t = V::splat(words[0]);
        for g in 0..G {
            t = t.xor_and(masks[g], V::splat(words[g + 1]));
        }
        let (undecided, accepted) = lanes;
        (undecided.where_equal(t, r), undecided.select(t, accepted))
    }

    #[inline(always)]
    fn compare_all(&self, i: usize, slots: &mut [Classes<V, G>; BATCH], rng: &mut Generator<V>) {
        if i < self.leading_zeros {
            // Nobody has accepted yet, so that there is nothing to take back.
            for slot in slots {
                slot.undecided = slot.undecided.and_not(rng.next());
            }
            return;
        }
        if G <= 2 {
            // One branch for the batch instead of one for each vector.
            return match self.codes[i] & 7 {
                0 => compare_all_known::<V, G, 0>(slots, rng),
                1 => compare_all_known::<V, G, 1>(slots, rng),
                2 => compare_all_known::<V, G, 2>(slots, rng),
                3 => compare_all_known::<V, G, 3>(slots, rng),
                4 => compare_all_known::<V, G, 4>(slots, rng),
                5 => compare_all_known::<V, G, 5>(slots, rng),
                6 => compare_all_known::<V, G, 6>(slots, rng),
                _ => compare_all_known::<V, G, 7>(slots, rng),
            };
        }
        for slot in slots {
            let r = rng.next();
            (slot.undecided, slot.accepted) =
                self.compare(i, &slot.masks, (slot.undecided, slot.accepted), r);
        }
    }
}

/// Thresholds of every lane's own, for nested masks: digit i of class 0, and by mask which lanes change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LaneDigits<const G: usize> {
    base: Vec<Words>,
    changes: Vec<[Words; G]>,
}

impl<const G: usize> LaneDigits<G> {
    /// `thresholds(c, lane)` of class c ≤ G.
    pub(super) fn nested(thresholds: impl Fn(usize, usize) -> u64) -> Self {
        let mut base = vec![Words::ZERO; TABLE];
        let mut changes = vec![[Words::ZERO; G]; TABLE];
        for lane in 0..512 {
            let mut before = 0;
            for c in 0..=G {
                let digits = thresholds(c, lane);
                let changed = digits ^ before;
                before = digits;
                for i in 0..DIGITS {
                    let words = if c == 0 { &mut base[i] } else { &mut changes[i][c - 1] };
                    words.set(lane, changed >> (DIGITS - 1 - i) & 1 == 1);
                }
            }
        }
        Self { base, changes }
    }

    /// The same where the thresholds of class c are `thresholds(c)` in every lane, in a small part of the time.
    pub(super) fn alike(thresholds: impl Fn(usize) -> u64) -> Self {
        let mut base = vec![Words::ZERO; TABLE];
        let mut changes = vec![[Words::ZERO; G]; TABLE];
        let mut before = 0;
        for c in 0..=G {
            let digits = thresholds(c);
            let changed = digits ^ before;
            before = digits;
            for i in (0..DIGITS).filter(|i| changed >> (DIGITS - 1 - i) & 1 == 1) {
                let words = if c == 0 { &mut base[i] } else { &mut changes[i][c - 1] };
                *words = Words::ONES;
            }
        }
        Self { base, changes }
    }
}

impl<V: Vector, const G: usize> Digits<V, G> for LaneDigits<G> {
    const ALIKE: bool = false;

    #[inline(always)]
    fn compare(&self, i: usize, masks: &[V; G], lanes: (V, V), r: V) -> (V, V) {
        let mut t = V::load(&self.base[i]);
        let changes = &self.changes[i];
        for g in 0..G {
            t = t.xor_and(masks[g], V::load(&changes[g]));
        }
        let (undecided, accepted) = lanes;
        (undecided.where_equal(t, r), undecided.select(t, accepted))
    }
}
