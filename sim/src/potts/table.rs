//! Draws from one Potts spin at the price of a table look-up.

use crate::potts::Binomial;
use crate::stream::Stream;

/// The law of one Potts spin as integer thresholds with a guide: after a pass over the states, a draw is a look-up and about one
/// comparison.
///
/// The threshold of state j is ⌊2³² Σ_(i ≤ j) w_i / Σ w⌋ and a draw is one 32-bit number, so that every probability is right to
/// 2⁻³². Source: the guide table of Chen and Asau, AIIE Trans. 6, 163 (1974), doi:10.1080/05695557408974949.
///
/// ```
/// use ceas_sim::{potts::Table, stream::{Purpose, Stream}};
/// let mut table = Table::default();
/// table.fill(&[1.0, 0.0, 3.0]);
/// assert_eq!((table.state(0), table.state(0x3FFF_FFFF), table.state(0x4000_0000), table.state(u32::MAX)), (0, 0, 2, 2));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Table {
    thresholds: Vec<u32>,
    /// For each value of the leading bits of a draw, the first state that it can mean.
    guide: Vec<u32>,
    shift: u32,
    /// The last state of positive weight.
    last: usize,
}

impl Table {
    /// The law p_j = w_j / Σ w of weights that are finite, not negative, and not all zero.
    pub fn fill(&mut self, weights: &[f32]) {
        let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        let scale = 4_294_967_296.0 / total;
        self.thresholds.clear();
        let mut sum = 0.0;
        // A conversion of a float saturates: rounding cannot carry a threshold beyond the largest draw.
        self.thresholds.extend(weights.iter().map(|&w| {
            sum += f64::from(w);
            (sum * scale) as u32
        }));
        self.last = weights.iter().rposition(|&w| w > 0.0).unwrap_or(0);
        let bits = usize::BITS - weights.len().saturating_sub(1).leading_zeros();
        let bits = bits.clamp(1, 16);
        self.shift = 32 - bits;
        self.guide.clear();
        let mut state = 0;
        for bucket in 0..1u32 << bits {
            let first = bucket << self.shift;
            while state < self.last && self.thresholds[state] <= first {
                state += 1;
            }
            self.guide.push(state as u32);
        }
    }

    /// The state that a 32-bit number draws.
    #[inline]
    pub fn state(&self, draw: u32) -> usize {
        let mut state = self.guide[(draw >> self.shift) as usize] as usize;
        while state < self.last && self.thresholds[state] <= draw {
            state += 1;
        }
        state
    }

    /// Adds the counts of `draws` independent draws to `counts`.
    ///
    /// # Panics
    /// If `counts` has fewer entries than there are states.
    pub fn count(&self, draws: u32, counts: &mut [f32], stream: &mut Stream) {
        for _ in 0..draws / 2 {
            let bits = stream.next_u64();
            counts[self.state(bits as u32)] += 1.0;
            counts[self.state((bits >> 32) as u32)] += 1.0;
        }
        if draws % 2 == 1 {
            counts[self.state(stream.next_u64() as u32)] += 1.0;
        }
    }

    /// The same law of the counts as [`Table::count`], drawn state by state as conditional binomials: the cost does not grow with
    /// `draws`.
    ///
    /// # Panics
    /// If `counts` has fewer entries than there are states.
    pub fn count_at_once(&self, draws: u32, counts: &mut [f32], stream: &mut Stream) {
        const WHOLE: f64 = 4_294_967_296.0;
        let (mut left, mut below) = (u64::from(draws), 0.0);
        for (state, count) in counts.iter_mut().enumerate().take(self.last + 1) {
            if left == 0 {
                return;
            }
            let next = if state == self.last { WHOLE } else { f64::from(self.thresholds[state]) };
            let drawn = Binomial { n: left, p: (next - below) / (WHOLE - below) }.draw(stream);
            *count += drawn as f32;
            left -= drawn;
            below = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Purpose;

    /// The first state whose threshold exceeds the draw, found by looking at all of them.
    fn slowly(weights: &[f32], draw: u32) -> usize {
        let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        let mut sum = 0.0;
        for (state, &w) in weights.iter().enumerate() {
            sum += f64::from(w);
            if u64::from((sum * (4_294_967_296.0 / total)) as u32) > u64::from(draw) {
                return state;
            }
        }
        weights.iter().rposition(|&w| w > 0.0).unwrap()
    }

    #[test]
    fn the_guide_changes_no_draw() {
        let mut stream = Stream::new(0, Purpose::Test, 0, 0);
        for n in [1, 2, 3, 5, 64, 65, 300] {
            for sharpness in [0.0, 1.0, 40.0] {
                let weights: Vec<f32> =
                    (0..n).map(|_| libm::exp(-sharpness * stream.uniform()) as f32).collect();
                let mut table = Table::default();
                table.fill(&weights);
                for draw in (0..2_000).map(|_| stream.next_u32()).chain([0, 1, u32::MAX - 1, u32::MAX]) {
                    assert_eq!(table.state(draw), slowly(&weights, draw), "{n} {sharpness} {draw}");
                }
            }
        }
    }

    #[test]
    fn counts_add_up_and_impossible_states_stay_empty() {
        let mut stream = Stream::new(1, Purpose::Test, 0, 0);
        let mut table = Table::default();
        table.fill(&[0.0, 2.0, 0.0, 1.0, 0.0]);
        for draws in [0, 1, 7, 1_000] {
            let (mut one, mut other) = ([0.0; 5], [0.0; 5]);
            table.count(draws, &mut one, &mut stream);
            table.count_at_once(draws, &mut other, &mut stream);
            for counts in [one, other] {
                assert_eq!(counts.iter().sum::<f32>(), draws as f32);
                assert_eq!([counts[0], counts[2], counts[4]], [0.0; 3]);
            }
        }
    }
}
