//! The law of the kernels' decisions, computed exactly: what a comparison of digits accepts, and which probability a neighbourhood gets.

use super::classes::{HeatBath, InField, Metropolis, Rule};
use super::digits::{Codes, DIGITS, Digits, LaneDigits, threshold};
use super::sites::Decision;
use super::vector::{Portable, Vector, Words};
use crate::beta::Beta;

fn words(v: Portable) -> Words {
    let mut words = Words::ZERO;
    v.store(&mut words);
    words
}

/// 2⁶⁴ times the probability that lane `lane` accepts, from what the comparison does with either value of every random bit.
fn accepted_measure<const G: usize>(
    digits: &impl Digits<Portable, G>,
    masks: &[Portable; G],
    lane: usize,
) -> u128 {
    let all = Portable::splat(u64::MAX);
    let mut measure = 0;
    for i in 0..DIGITS {
        let mut undecided = 0;
        for r in [Portable::splat(0), all] {
            let (left, accepted) = digits.compare(i, masks, (all, Portable::splat(0)), r);
            if words(left).get(lane) {
                undecided += 1;
            } else if words(accepted).get(lane) {
                measure += 1u128 << (DIGITS - 1 - i);
            }
        }
        assert_eq!(undecided, 1, "one value of the bit decides, the other does not");
    }
    measure
}

/// Thresholds with all kinds of digits.
fn thresholds(n: usize) -> Vec<u64> {
    let known = [0, u64::MAX, 1, 1 << 63, 0x0123_4567_89ab_cdef, threshold(libm::exp(-3.5))];
    (0..n).map(|c| known[c % known.len()].rotate_left(c as u32 / 2)).collect()
}

/// Lane c is in class c.
fn masks<const G: usize>(nested: bool) -> [Portable; G] {
    std::array::from_fn(|g| {
        let mut words = Words::ZERO;
        (0..=G).for_each(|class| words.set(class, if nested { class > g } else { class == g + 1 }));
        Portable::load(&words)
    })
}

fn digits_are_exact<const G: usize>() {
    let t = thresholds(G + 1);
    let by_lane = LaneDigits::<G>::nested(|class, lane| t[class].rotate_left(lane as u32));
    for class in 0..=G {
        let nested = accepted_measure(&Codes::nested(&t), &masks::<G>(true), class);
        let disjoint = accepted_measure(&Codes::disjoint(&t), &masks::<G>(false), class);
        let own = accepted_measure(&by_lane, &masks::<G>(true), class);
        assert_eq!((nested, disjoint), (t[class].into(), t[class].into()), "class {class} of {G}");
        assert_eq!(own, t[class].rotate_left(class as u32).into(), "class {class} of {G}, by lane");
    }
}

#[test]
fn a_comparison_accepts_with_its_threshold_exactly() {
    digits_are_exact::<1>();
    digits_are_exact::<2>();
    digits_are_exact::<3>();
    digits_are_exact::<4>();
    digits_are_exact::<6>();
    digits_are_exact::<7>();
    digits_are_exact::<9>();
    digits_are_exact::<13>();
}

#[test]
fn thresholds_are_probabilities_to_the_last_digit() {
    for exponent in 0..2_000 {
        let p = libm::exp(-0.03 * f64::from(exponent));
        let t = threshold(p) as f64 / 18_446_744_073_709_551_616.0;
        // Half of 2⁻⁶⁴, and for p = 1 one whole.
        assert!((t - p).abs() <= 5.5e-20, "{p} became {t}");
    }
}

/// Every neighbourhood of a site, one a lane: bit d of the lane says whether bond d is unsatisfied, bit Q whether the spin is up.
fn neighbourhoods_are_right<R: Rule<Q, G>, const Q: usize, const G: usize>(decision: Decision, field: f64) {
    let bit = |k: usize| {
        let mut words = Words::ZERO;
        (0..512).for_each(|lane| words.set(lane, lane >> k & 1 == 1));
        Portable::load(&words)
    };
    let beta = Beta::new(0.37).unwrap();
    let a: [Portable; Q] = std::array::from_fn(bit);
    let (classes, inverted) = R::classify(&a, bit(Q));
    let cost =
        |n: usize, up: bool| 2.0 * (Q as f64 - 2.0 * n as f64) + if up { 2.0 * field } else { -2.0 * field };
    let p = |n: usize, up: bool| decision.probability()(beta, cost(n, up));
    for lane in 0..2 << Q {
        let n = (0..Q).filter(|d| lane >> d & 1 == 1).count();
        let up = lane >> Q & 1 == 1;
        let set: Vec<usize> = (0..G).filter(|&g| words(classes.masks[g]).get(lane)).collect();
        let accepted = if words(classes.undecided).get(lane) {
            assert!(!words(classes.accepted).get(lane), "a lane is not decided twice");
            if field != 0.0 {
                assert!(set.len() < 2, "masks are disjoint in a field");
                let class = set.first().map_or(0, |g| g + 1);
                assert_eq!(class, 2 * n + usize::from(up));
                p(class / 2, class % 2 == 1)
            } else {
                assert!(set.iter().enumerate().all(|(k, &g)| k == g), "masks are nested");
                p(set.len(), up)
            }
        } else {
            f64::from(u8::from(words(classes.accepted).get(lane)))
        };
        let flips = if R::INVERTS && words(inverted).get(lane) { 1.0 - accepted } else { accepted };
        assert!((flips - p(n, up)).abs() < 1e-15, "{decision:?}, {n} of {Q} unsatisfied, up: {up}");
    }
}

#[test]
fn every_neighbourhood_flips_with_the_probability_of_the_rule() {
    neighbourhoods_are_right::<Metropolis, 3, 1>(Decision::Metropolis, 0.0);
    neighbourhoods_are_right::<Metropolis, 4, 1>(Decision::Metropolis, 0.0);
    neighbourhoods_are_right::<Metropolis, 6, 2>(Decision::Metropolis, 0.0);
    neighbourhoods_are_right::<HeatBath, 3, 1>(Decision::HeatBath, 0.0);
    neighbourhoods_are_right::<HeatBath, 4, 2>(Decision::HeatBath, 0.0);
    neighbourhoods_are_right::<HeatBath, 6, 3>(Decision::HeatBath, 0.0);
    for decision in [Decision::Metropolis, Decision::HeatBath] {
        neighbourhoods_are_right::<InField, 3, 7>(decision, 0.4);
        neighbourhoods_are_right::<InField, 4, 9>(decision, 0.4);
        neighbourhoods_are_right::<InField, 6, 13>(decision, -0.4);
    }
}
