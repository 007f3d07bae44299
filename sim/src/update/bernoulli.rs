//! Sixty-four independent decisions at once, or as many in each of several lanes.

use crate::kernel::generators::Generators;
use crate::stream::Stream;

/// 64 independent bits, each 1 with probability `threshold`/2³² exactly; `threshold` ≤ 2³².
///
/// Bit i compares a random number u_i, of which one binary digit is drawn for all 64 at a time, with the digits of the threshold, and is
/// decided by the first digit that differs: u_i < t needs about log₂64 + 1.3 digits until all are decided, never more than 32.
#[inline]
pub(super) fn word(threshold: u64, stream: &mut Stream) -> u64 {
    if threshold >> 32 != 0 {
        return u64::MAX;
    }
    let mut accepted = 0;
    let mut undecided = u64::MAX;
    // The digit of 2³¹ comes first. Where no digit is left, u = t or both go on with zeros, and u < t is false.
    let mut digits = threshold as u32;
    while undecided != 0 && digits != 0 {
        let drawn = stream.next_u64();
        if digits >> 31 == 1 {
            accepted |= undecided & !drawn;
            undecided &= drawn;
        } else {
            undecided &= !drawn;
        }
        digits <<= 1;
    }
    accepted
}

/// [`word`] in `L` lanes, each with a generator of its own; the same number of draws in all.
#[inline(always)]
// Loops over lanes become vector instructions; an iterator's closure would not.
#[allow(clippy::needless_range_loop)]
pub(super) fn words<const L: usize>(threshold: u64, generators: &mut Generators<L>) -> [u64; L] {
    if threshold >> 32 != 0 {
        return [u64::MAX; L];
    }
    let (mut accepted, mut undecided) = ([0; L], [u64::MAX; L]);
    let mut digits = threshold as u32;
    while digits != 0 && undecided.iter().fold(0, |any, word| any | word) != 0 {
        let drawn = generators.step();
        let one = u64::from(digits >> 31).wrapping_neg();
        for lane in 0..L {
            accepted[lane] |= undecided[lane] & !drawn[lane] & one;
            undecided[lane] &= drawn[lane] ^ !one;
        }
        digits <<= 1;
    }
    accepted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Purpose;

    /// The numbers u_i written out and compared.
    fn by_numbers(threshold: u64, stream: &mut Stream) -> u64 {
        let planes: Vec<u64> = (0..32).map(|_| stream.next_u64()).collect();
        let number = |i: usize| planes.iter().fold(0u64, |u, plane| 2 * u + (plane >> i & 1));
        (0..64).filter(|&i| number(i) < threshold).map(|i| 1 << i).sum()
    }

    #[test]
    fn every_bit_is_the_comparison_of_a_number_with_the_threshold() {
        let thresholds = [0, 1, 2, 3, 1 << 31, (1 << 31) + 1, (1 << 32) - 1, 1 << 32, 0x9611_a4c3];
        for (replica, threshold) in (0..).zip(thresholds.into_iter().cycle().take(900)) {
            let stream = || Stream::new(0, Purpose::Test, replica, 0);
            let (bits, numbers) = (word(threshold, &mut stream()), by_numbers(threshold, &mut stream()));
            assert_eq!(bits, numbers, "threshold {threshold}");
        }
    }

    #[test]
    fn every_lane_decides_by_its_own_numbers() {
        let thresholds = [0, 1, 2, 3, 1 << 31, (1 << 31) + 1, (1 << 32) - 1, 1 << 32, 0x9611_a4c3];
        for (replica, threshold) in (0..).zip(thresholds.into_iter().cycle().take(90)) {
            let mut stream = Stream::new(1, Purpose::Test, replica, 0);
            let start = Generators::<8>([[0; 8]; 4].map(|words| words.map(|_| stream.next_u64())));
            let drawn = words(threshold, &mut start.clone());
            for lane in 0..8 {
                let state = start.0.map(|words| words[lane]);
                let numbers = by_numbers(threshold, &mut Stream::at(state, None).unwrap());
                assert_eq!(drawn[lane], numbers, "threshold {threshold}");
            }
        }
    }
}
