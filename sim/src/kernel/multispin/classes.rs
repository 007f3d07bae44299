//! From neighbours to classes: bit-sliced counting, and which counts need a random number.
//!
//! With couplings of one size |J| and n of a site's q bonds unsatisfied, flipping costs ΔE = 2|J|(q − 2n) + 2hs.

use super::batch::Classes;
use super::vector::Vector;

/// Binary digits of the number of set lanes among 3, 4 or 6 vectors: units, twos, fours.
#[inline(always)]
pub(super) fn count<V: Vector, const Q: usize>(a: &[V; Q]) -> [V; 3] {
    let zero = V::splat(0);
    let (sum, carry) = (a[0].xor3(a[1], a[2]), a[0].majority(a[1], a[2]));
    match Q {
        3 => [sum, carry, zero],
        4 => {
            let more = sum.and(a[3]);
            [sum.xor(a[3]), carry.xor(more), carry.and(more)]
        }
        6 => {
            let (sum2, carry2) = (a[3].xor3(a[4], a[5]), a[3].majority(a[4], a[5]));
            let more = sum.and(sum2);
            [sum.xor(sum2), carry.xor3(carry2, more), carry.majority(carry2, more)]
        }
        _ => unreachable!("a kernel is instantiated for 3, 4 or 6 neighbours"),
    }
}

/// What a rule makes of a site: its class, and where the decision is to be inverted.
pub(super) trait Rule<const Q: usize, const G: usize> {
    /// Whether `classify` ever asks for inversion.
    const INVERTS: bool;
    /// Classes of the lanes with unsatisfied bonds `a` and spin `s` (set: up); and the lanes that flip if *not* accepted.
    fn classify<V: Vector>(a: &[V; Q], s: V) -> (Classes<V, G>, V);
}

/// Metropolis without field: n ≥ q/2 costs nothing and is accepted; class n below that, in nested masks n ≥ 1, n ≥ 2.
pub(super) struct Metropolis;

/// Heat bath without field: p(−ΔE) = 1 − p(ΔE), so that classes are |ΔE|, and where ΔE < 0 the decision is inverted.
/// Class min(n, q − n), in nested masks.
pub(super) struct HeatBath;

/// Either rule in a uniform field: class 2n + (spin up), in disjoint masks, all of them decided by random numbers.
pub(super) struct InField;

/// n = 2, 3 for q = 3; n ≥ 2 for q = 4; n ≥ 3 for q = 6.
#[inline(always)]
fn at_least_half<V: Vector, const Q: usize>([one, two, four]: [V; 3]) -> V {
    match Q {
        3 => two,
        4 => two.or(four),
        _ => four.or_and(one, two),
    }
}

impl<const Q: usize, const G: usize> Rule<Q, G> for Metropolis {
    const INVERTS: bool = false;

    #[inline(always)]
    fn classify<V: Vector>(a: &[V; Q], _: V) -> (Classes<V, G>, V) {
        let zero = V::splat(0);
        let mut masks = [zero; G];
        let accepted;
        if Q == 4 {
            // Shorter than the adder: at least one, and at least two.
            let three = a[0].or3(a[1], a[2]);
            masks[0] = three.or(a[3]);
            accepted = a[0].majority(a[1], a[2]).or_and(three, a[3]);
        } else {
            let n = count(a);
            accepted = at_least_half::<V, Q>(n);
            masks[0] = n[0].or3(n[1], n[2]);
            if G == 2 {
                masks[1] = n[1].or(n[2]);
            }
        }
        (Classes { masks, undecided: accepted.not(), accepted }, zero)
    }
}

impl<const Q: usize, const G: usize> Rule<Q, G> for HeatBath {
    const INVERTS: bool = true;

    #[inline(always)]
    fn classify<V: Vector>(a: &[V; Q], _: V) -> (Classes<V, G>, V) {
        let zero = V::splat(0);
        let [one, two, four] = count(a);
        let mut masks = [zero; G];
        let (inverted, folded) = match Q {
            // 3 − n has the complementary digits of n.
            3 => (two, [one.xor(two), zero]),
            // 4 − n: 3 and 1 share the unit digit, 4 becomes 0.
            4 => (two.and(one).or(four), [one, two.and_not(one)]),
            // 6 − n: 4, 5, 6 become 2, 1, 0, and keep the unit digit.
            _ => (four, [one, four.select(one.or(two).not(), two)]),
        };
        // Folded counts are at most 1, 2, 3: masks ≥ 1, ≥ 2, ≥ 3.
        masks[0] = folded[0].or(folded[1]);
        if G >= 2 {
            masks[1] = folded[1];
        }
        if G >= 3 {
            masks[2] = folded[0].and(folded[1]);
        }
        (Classes { masks, undecided: V::splat(u64::MAX), accepted: zero }, inverted)
    }
}

impl<const Q: usize, const G: usize> Rule<Q, G> for InField {
    const INVERTS: bool = false;

    #[inline(always)]
    fn classify<V: Vector>(a: &[V; Q], s: V) -> (Classes<V, G>, V) {
        let zero = V::splat(0);
        let [one, two, four] = count(a);
        let mut masks = [zero; G];
        for g in 0..G {
            let class = g + 1;
            let mut lanes = if class & 1 == 1 { s } else { s.not() };
            for (bit, digit) in [one, two, four].into_iter().enumerate() {
                lanes = if class >> (bit + 1) & 1 == 1 { lanes.and(digit) } else { lanes.and_not(digit) };
            }
            masks[g] = lanes;
        }
        (Classes { masks, undecided: V::splat(u64::MAX), accepted: zero }, zero)
    }
}
