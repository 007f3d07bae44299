//! Draws from one Potts spin at the price of a look-up.

use crate::kernel::multispin::Level;
use crate::kernel::search::{Node, Tree};
use crate::potts::Binomial;
use crate::stream::Stream;

/// The law of one Potts spin as integer thresholds in a tree of sixteen branches: after a pass over the states, a draw is sixteen
/// comparisons at once for every level, and no branch that a processor could guess wrongly.
///
/// The threshold of state j is ⌊2³² Σ_(i ≤ j) w_i / Σ w⌋ and a draw is one 32-bit number r: the state is the first whose threshold
/// exceeds it, that is the number of thresholds that do not, so that every probability is right to 2⁻³² (r = 2³² − 1 counts as
/// 2³² − 2). Inversion of a discrete law: Devroye, "Non-Uniform Random Variate Generation" (1986), chapter III.2.
///
/// ```
/// use ceas_sim::{potts::Table, stream::{Purpose, Stream}};
/// let mut table = Table::default();
/// table.fill(&[1.0, 0.0, 3.0]);
/// assert_eq!((table.state(0), table.state(0x3FFF_FFFF), table.state(0x4000_0000), table.state(u32::MAX)), (0, 0, 2, 2));
/// ```
#[derive(Debug, Clone)]
pub struct Table {
    /// Σ_(i ≤ j) w_i.
    sums: Vec<f64>,
    /// Level by level from the root; the leaves hold the thresholds, the nodes above the last threshold of each of their branches. What
    /// is missing to sixteen is 2³² − 1, which no draw reaches.
    nodes: Vec<Node>,
    /// The first node of every level.
    levels: Vec<usize>,
    /// The last state of positive weight.
    last: usize,
    level: Level,
}

impl Default for Table {
    fn default() -> Self {
        let level = Level::choose().unwrap_or(Level::Portable);
        Self { sums: Vec::new(), nodes: Vec::new(), levels: Vec::new(), last: 0, level }
    }
}

/// Draws that are made at once.
const BATCH: usize = 64;

impl Table {
    /// The law p_j = w_j / Σ w of weights that are finite, not negative, and not all zero.
    #[inline(always)]
    pub fn fill(&mut self, weights: &[f32]) {
        self.sums.clear();
        let mut sum = 0.0;
        let (eights, rest) = weights.as_chunks::<8>();
        for weights in eights {
            // Sums within eight weights do not wait for those before them.
            let mut within = weights.map(f64::from);
            for i in 1..8 {
                within[i] += within[i - 1];
            }
            self.sums.extend(within.map(|part| sum + part));
            sum += within[7];
        }
        self.sums.extend(rest.iter().map(|&w| {
            sum += f64::from(w);
            sum
        }));
        let scale = 4_294_967_296.0 / sum;
        self.last = weights.iter().rposition(|&w| w > 0.0).unwrap_or(0);
        let first_leaf = self.make_room(weights.len().div_ceil(16));
        for (leaf, sums) in self.nodes[first_leaf..].iter_mut().zip(self.sums.chunks(16)) {
            for (threshold, &sum) in leaf.iter_mut().zip(sums) {
                *threshold = floor(sum * scale);
            }
        }
        let mut end = self.nodes.len();
        for pair in self.levels.windows(2).rev() {
            let (above, below) = self.nodes[pair[0]..end].split_at_mut(pair[1] - pair[0]);
            for (node, below) in above.iter_mut().zip(below.chunks(16)) {
                for (key, below) in node.iter_mut().zip(below) {
                    *key = below[15];
                }
            }
            end = pair[1];
        }
    }

    /// Makes empty nodes above and for so many leaves, and says which is the first leaf.
    fn make_room(&mut self, leaves: usize) -> usize {
        let [mut width, mut total] = [leaves.max(1); 2];
        self.levels.clear();
        self.levels.push(width);
        while width > 1 {
            width = width.div_ceil(16);
            total += width;
            self.levels.push(width);
        }
        // From widths, leaves first, to first nodes, root first.
        let mut first = total;
        for level in &mut self.levels {
            first -= *level;
            *level = first;
        }
        self.levels.reverse();
        self.nodes.clear();
        self.nodes.resize(total, [u32::MAX; 16]);
        total - leaves.max(1)
    }

    /// The state that a 32-bit number draws.
    #[inline(always)]
    pub fn state(&self, draw: u32) -> usize {
        self.tree().place(draw)
    }

    #[inline(always)]
    fn tree(&self) -> Tree<'_> {
        Tree { nodes: &self.nodes, levels: &self.levels }
    }

    /// Fills `states` with independent draws, each of 32 bits.
    #[inline(always)]
    pub fn draw(&self, states: &mut [u32], stream: &mut Stream) {
        stream.fill_u32(states);
        self.tree().places(self.level, states);
    }

    /// Adds the counts of `draws` independent draws to `counts`.
    ///
    /// # Panics
    /// If `counts` has fewer entries than there are states.
    #[inline(always)]
    pub fn count(&self, draws: u32, counts: &mut [f32], stream: &mut Stream) {
        // Drawn first and counted then: a look-up that follows a count waits for it.
        let mut states = [0; BATCH];
        let mut left = draws as usize;
        while left > 0 {
            let batch = left.min(BATCH);
            self.draw(&mut states[..batch], stream);
            for &state in &states[..batch] {
                counts[state as usize] += 1.0;
            }
            left -= batch;
        }
    }

    /// The same law of the counts as [`Table::count`], drawn state by state as conditional binomials: the cost does not grow with
    /// `draws`.
    ///
    /// # Panics
    /// If `counts` has fewer entries than there are states.
    pub fn count_at_once(&self, draws: u32, counts: &mut [f32], stream: &mut Stream) {
        const WHOLE: f64 = 4_294_967_296.0;
        let leaves = &self.nodes[self.levels.last().copied().unwrap_or(0)..];
        let (mut left, mut below) = (u64::from(draws), 0.0);
        for (state, count) in counts.iter_mut().enumerate().take(self.last + 1) {
            if left == 0 {
                return;
            }
            let next = if state == self.last { WHOLE } else { f64::from(leaves[state / 16][state % 16]) };
            let drawn = Binomial { n: left, p: (next - below) / (WHOLE - below) }.draw(stream);
            *count += drawn as f32;
            left -= drawn;
            below = next;
        }
    }
}

/// ⌊x⌋ for 0 ≤ x, at most 2³² − 1: what `x as u32` is, but made of additions that are done eight at once.
#[inline(always)]
fn floor(x: f64) -> u32 {
    /// 2⁵²: what is added to it is rounded to a whole number, which its low bits are.
    const ROUND: f64 = 4_503_599_627_370_496.0;
    let x = if x < 4_294_967_295.0 { x } else { 4_294_967_295.0 };
    let near = (x + ROUND) - ROUND;
    let whole = if near > x { near - 1.0 } else { near };
    (whole + ROUND).to_bits() as u32
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
            if (sum * (4_294_967_296.0 / total)) as u32 > draw.min(u32::MAX - 1) {
                return state;
            }
        }
        weights.iter().rposition(|&w| w > 0.0).unwrap()
    }

    #[test]
    fn the_tree_changes_no_draw() {
        let mut stream = Stream::new(0, Purpose::Test, 0, 0);
        for n in [1, 2, 16, 17, 64, 256, 257, 300, 4_097] {
            for sharpness in [0.0, 1.0, 40.0] {
                let weights: Vec<f32> =
                    (0..n).map(|_| libm::exp(-sharpness * stream.uniform()) as f32).collect();
                let mut table = Table::default();
                table.fill(&weights);
                for draw in (0..500).map(|_| stream.next_u32()).chain([0, 1, u32::MAX - 1, u32::MAX]) {
                    assert_eq!(table.state(draw), slowly(&weights, draw), "{n} {sharpness} {draw}");
                }
            }
        }
    }

    #[test]
    fn floors_are_those_of_a_conversion() {
        let mut stream = Stream::new(2, Purpose::Test, 0, 0);
        let some = (0..10_000).map(|_| stream.uniform() * 4_294_967_296.0);
        for x in
            some.chain([0.0, 0.5, 1.0, 1.5, 2.5, 4_294_967_294.999_999, 4_294_967_295.0, 4_294_967_296.5])
        {
            assert_eq!(floor(x), x as u32, "{x}");
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
