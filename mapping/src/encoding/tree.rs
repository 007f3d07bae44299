//! An N-state choice as a walk down a binary tree of p-bits: ancestral sampling, log₂ N bits per read-out.
//!
//! ```text
//! at a node: P(right) = Z_right/(Z_left + Z_right) = 1/(1 + e^(−x)),  x = ln(Z_right/Z_left)
//! ```
//!
//! Every node is one p-bit whose field is x/2 at β = 1; it is exact, every read-out is valid, and it costs N − 1 subtree sums to program. The
//! bits are read from the root down and only those on the way decide: a *directed* model, not the equilibrium of a lattice of pairwise
//! couplings. (⌈log₂ N⌉ bits that carry the label itself would need couplings of up to log₂ N bodies.)

use ceas_sim::Beta;
use ceas_sim::activity::Activity;
use ceas_sim::potts::PottsSpin;
use ceas_sim::schedule::Schedule;
use ceas_sim::stream::Streams;
use ceas_sim::update::Update;

use crate::error::Error;
use crate::program::{Component, Decoder, Fidelity, Footprint, Program};

/// An attention row on a tree of p-bits: the input is its Potts spin, the output its probabilities by label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TreeRow {
    /// The inverse temperature of the row.
    pub beta: Beta,
}

/// The tree of one row, balanced over the states in the order of their labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Labels of the leaves from left to right.
    pub(crate) labels: Vec<usize>,
    /// x = ln(Z_right/Z_left) of node `i`, in the order of a heap: the children of i are 2i + 1 and 2i + 2.
    pub(crate) fields: Vec<f64>,
    levels: u32,
}

impl Tree {
    /// The tree of `spin` at `beta`, with its fields in logits.
    pub fn new(spin: &PottsSpin, beta: Beta) -> Self {
        let labels: Vec<usize> = (0..spin.labels()).filter(|&j| spin.gap(j).is_finite()).collect();
        let leaves = labels.len().next_power_of_two();
        // ln Z of every node of the heap, leaves last; a leaf that does not exist has none.
        let mut ln_z = vec![f64::NEG_INFINITY; 2 * leaves - 1];
        for (leaf, &label) in labels.iter().enumerate() {
            ln_z[leaves - 1 + leaf] = beta.value() * spin.gap(label);
        }
        for node in (0..leaves - 1).rev() {
            let (left, right) = (ln_z[2 * node + 1], ln_z[2 * node + 2]);
            let high = left.max(right);
            let both = || high + libm::log(libm::exp(left - high) + libm::exp(right - high));
            ln_z[node] = if high == f64::NEG_INFINITY { high } else { both() };
        }
        let field = |node: usize| match (ln_z[2 * node + 1], ln_z[2 * node + 2]) {
            // Never reached; any field will do.
            (f64::NEG_INFINITY, f64::NEG_INFINITY) => 0.0,
            (left, right) => right - left,
        };
        Self { fields: (0..leaves - 1).map(field).collect(), levels: leaves.trailing_zeros(), labels }
    }

    /// ln(Z_right/Z_left) of every node, root first, level by level; ±∞ where one side holds no state.
    pub fn fields(&self) -> &[f64] {
        &self.fields
    }

    /// The probability of every leaf as the product of the decisions that lead to it, by label of the leaf from left to right.
    pub fn leaf_probabilities(&self) -> Vec<(usize, f64)> {
        let leaves = 1usize << self.levels;
        let probability = |leaf: usize| {
            let (mut node, mut p) = (leaves - 1 + leaf, 1.0);
            while node > 0 {
                let parent = (node - 1) / 2;
                let x = self.fields[parent];
                p /= 1.0 + libm::exp(if node % 2 == 0 { -x } else { x });
                node = parent;
            }
            p
        };
        self.labels.iter().enumerate().map(|(leaf, &label)| (label, probability(leaf))).collect()
    }
}

/// Walks from the root to a leaf, one p-bit per level; successive read-outs are independent. The state is the label.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Descent;

impl Update for Descent {
    type Model = Tree;
    type State = usize;

    /// log₂ N attempts of 53 bits. β is in the fields of the tree, which are logits; the one given here is not used.
    fn sweep(&mut self, tree: &Tree, state: &mut usize, _: Beta, streams: &mut Streams) -> Activity {
        let mut node = 0;
        for _ in 0..tree.levels {
            let up = 1.0 / (1.0 + libm::exp(-tree.fields[node]));
            node = 2 * node + 1 + usize::from(streams.first().uniform() < up);
        }
        let label = tree.labels[node - tree.fields.len()];
        let flips = u64::from(label != *state);
        *state = label;
        let attempts = u64::from(tree.levels);
        Activity { attempts, flips, random_bits: 53 * attempts, ..Activity::default() }
    }
}

/// Counts labels: output j is how often state j was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labels {
    /// Number of labels, absent states included.
    pub labels: usize,
}

impl Decoder for Labels {
    type State = usize;

    fn width(&self) -> usize {
        self.labels
    }

    fn read(&self, state: &usize, sum: &mut [f64]) -> bool {
        sum[*state] += 1.0;
        true
    }
}

impl Component for TreeRow {
    type Input = PottsSpin;
    type Update = Descent;
    type Decoder = Labels;

    fn lower(&self, spin: &PottsSpin) -> Result<Program<Descent, Labels>, Error> {
        let model = Tree::new(spin, self.beta);
        Ok(Program {
            start: model.labels[0],
            model,
            clamps: Vec::new(),
            update: Descent,
            schedule: Schedule::Constant(self.beta),
            decoder: Labels { labels: spin.labels() },
            fidelity: Fidelity::ExactInLaw,
        })
    }

    fn reference(&self, spin: &PottsSpin) -> Result<Vec<f64>, Error> {
        Ok(spin.law(self.beta).probabilities().to_vec())
    }

    fn footprint(&self, spin: &PottsSpin) -> Footprint {
        let n = spin.states() as u64;
        let levels = n.next_power_of_two().trailing_zeros().into();
        Footprint { spins: n - 1, fields: n - 1, read_outs: levels, ..Footprint::default() }
    }
}
