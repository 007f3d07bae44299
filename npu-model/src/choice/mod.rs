//! How a device goes about attention and the rest of a model: the choices of a mapping, and the events they lead to.
//!
//! ```text
//! S      = R / (ε² − δ²)                 samples of a row; R = V/|o|², δ = 8/(2^b √12)·σ: b-bit numbers over ±4σ of the logits
//! sweeps = K0 + S·K_mix                  of a row on binary spins
//! ```
//!
//! | construction | spins of a row | K_mix |
//! |---|---|---|
//! | M1 native: a noisy winner-take-all draws the winner | n | 1 |
//! | M1 one-hot, uncoupled: bits read until exactly one is up | n | t, measured (at most e ≈ 2.7) |
//! | M1 one-hot with a penalty A between all pairs | n·κ | 2τ = 1.4/leak, leak = √2·e^(−A); the rest is invalid |
//! | M1 domain wall: a chain of n − 1 spins | n − 1 | 2·(4/π²)·n²·e^(σ²) |
//! | M2 gated: a bit for every key, coupled by nothing | n | 1; not softmax: the model has to be trained for it |
//! | M3 bipartite: K is the couplings, products are made again in every sweep | n | 1 |
//! | exact: no spins | – | – |

mod lower;
mod search;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::device::{Device, Encoding, Keys, Storage};
use crate::error::Error;
use crate::ledger::Ledger;

pub use lower::lower;
pub use search::{Best, Constraint, Objective, Tariff, search};

/// How a softmax row is computed or sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Construction {
    /// Computed: products, exponentials, weighted average.
    Exact,
    /// M1a: one n-state unit.
    Native,
    /// M1b: n bits; without a penalty uncoupled, with one coupled pairwise.
    OneHot,
    /// M1c: a wall in a chain.
    DomainWall,
    /// M2: independent gates.
    Gated,
    /// M3: restricted Boltzmann machine with K as couplings.
    Bipartite,
}

impl Construction {
    /// Every construction.
    pub const ALL: [Self; 6] =
        [Self::Exact, Self::Native, Self::OneHot, Self::DomainWall, Self::Gated, Self::Bipartite];

    /// The construction as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Native => "native",
            Self::OneHot => "one-hot",
            Self::DomainWall => "domain-wall",
            Self::Gated => "gated",
            Self::Bipartite => "bipartite",
        }
    }
}

/// Who pays for bringing the fields q·k to the spins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Write {
    /// K is in the array; a token writes its own numbers once, and fields appear in place.
    Resident,
    /// Every logit is written as a bias, for every query.
    Bias,
    /// Every logit is held at its spin by a converter while the row is sampled.
    Clamp,
}

impl Write {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Resident, Self::Bias, Self::Clamp];

    /// The way in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resident => "K in the array",
            Self::Bias => "logits written",
            Self::Clamp => "logits held by converters",
        }
    }
}

/// How logical spins that all couple are put on sites that do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Nothing couples, so nothing is placed.
    Uncoupled,
    /// Every pair has a cell of its own.
    Crossbar,
    /// Copies on sites of the device's degree: κ = ⌈(n − 3)/(q − 2)⌉.
    Copies,
    /// Clique on Chimera: κ = n/4 + 1.
    Chimera,
    /// Clique on Pegasus: κ = n/12 + 2.
    Pegasus,
    /// Clique on Zephyr: κ = (n + 8)/16 + 1.
    Zephyr,
    /// A site for every pair: κ = (n − 1)/2.
    Parity,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 7] = [
        Self::Uncoupled,
        Self::Crossbar,
        Self::Copies,
        Self::Chimera,
        Self::Pegasus,
        Self::Zephyr,
        Self::Parity,
    ];

    /// The layout as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uncoupled => "uncoupled",
            Self::Crossbar => "crossbar",
            Self::Copies => "copies",
            Self::Chimera => "Chimera",
            Self::Pegasus => "Pegasus",
            Self::Zephyr => "Zephyr",
            Self::Parity => "parity",
        }
    }

    /// Bonds that a site needs to hold a clique of `n` logical spins so. A device whose sites have them is taken to have the graph as well,
    /// which favours it.
    pub fn bonds(self, n: f64) -> f64 {
        match self {
            Self::Uncoupled => 0.0,
            Self::Crossbar => n - 1.0,
            Self::Copies => 3.0,
            Self::Parity => 4.0,
            Self::Chimera => 6.0,
            Self::Pegasus => 15.0,
            Self::Zephyr => 20.0,
        }
    }

    /// Physical for each of `n` logical spins that all couple, on sites of `degree` bonds. The formulas are those of the
    /// constructions of [`ceas_mapping::placement`], which are verified as minors; here n need not be a size that a chip has.
    pub fn kappa(self, n: f64, degree: f64) -> f64 {
        let kappa = match self {
            Self::Uncoupled | Self::Crossbar => 1.0,
            Self::Copies if n <= degree + 1.0 => 1.0,
            Self::Copies => ((n - 3.0) / (degree - 2.0).max(1.0)).ceil(),
            Self::Chimera => (n / 4.0).ceil() + 1.0,
            Self::Pegasus => (n / 12.0).ceil() + 2.0,
            Self::Zephyr => ((n + 8.0) / 16.0).ceil() + 1.0,
            Self::Parity => (n - 1.0) / 2.0,
        };
        kappa.max(1.0)
    }
}

/// Every choice of a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Choice {
    /// How a row is computed or sampled.
    pub construction: Construction,
    /// Who pays for the fields.
    pub write: Write,
    /// Where coupled spins go.
    pub layout: Layout,
    /// Penalty A of a coupled one-hot row.
    pub penalty: f64,
    /// Where weights, K and V are.
    pub storage: Storage,
    /// Bits of weights, keys, values and activations.
    pub bits: u32,
    /// Chips; at least as many as hold what is resident.
    pub chips: u64,
    /// Rows sampled side by side on a chip, at most as many as fit; the others wait. Several replicas of one row count as several.
    pub side_by_side: u64,
}

impl Choice {
    /// What a device's file says of itself: its own encoding, keys and storage, as few chips as will do, as many rows side by side as
    /// fit.
    pub fn of(device: &Device) -> Self {
        let construction = match device.encoding {
            Encoding::Exact => Construction::Exact,
            Encoding::Native => Construction::Native,
            Encoding::OneHot => Construction::OneHot,
        };
        let write = match device.keys {
            Keys::InArray => Write::Resident,
            Keys::Beside => Write::Bias,
        };
        Self {
            construction,
            write,
            layout: Layout::Uncoupled,
            penalty: 0.0,
            storage: device.storage,
            bits: device.design.field_bits.as_ref().map_or(8, |b| b.value),
            chips: 1,
            side_by_side: u64::MAX,
        }
    }
}

/// What is known of the rows of a workload: measured on real heads, or assumed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rows {
    /// R = V/|o|²: the squared relative error of a single draw. With values that are iid over the keys it is N₂ − 1, N₂ = 1/Σp².
    pub variance: f64,
    /// σ: standard deviation of β·s over the keys of a row.
    pub sigma: f64,
    /// Sweeps of uncoupled bits for one valid, independent sample.
    pub one_hot_sweeps: f64,
    /// Output error of exact attention by the bits of its numbers; widths between are interpolated, widths beyond clamped.
    pub rounding: BTreeMap<u32, f64>,
}

impl Rows {
    /// Output error of exact attention in numbers of `bits`.
    pub fn rounding(&self, bits: u32) -> f64 {
        let below = self.rounding.range(..=bits).next_back();
        let above = self.rounding.range(bits..).next();
        match (below, above) {
            (Some((_, e)), None) | (None, Some((_, e))) => *e,
            (Some((a, e)), Some((b, f))) if a != b => {
                let share = f64::from(bits - a) / f64::from(b - a);
                e * (f / e).powf(share)
            }
            (Some((_, e)), _) => *e,
            (None, None) => 0.0,
        }
    }

    /// δ: output error from fields of `bits` over ±4σ of the logits.
    pub fn field_error(&self, bits: u32) -> f64 {
        8.0 / (libm::exp2(f64::from(bits)) * 12f64.sqrt()) * self.sigma
    }
}

/// What is held: an output error, or samples of a row.
pub use crate::comparison::Target;

/// A workload put on a device: its events, and what they take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lowered {
    /// The choices.
    pub choice: Choice,
    /// Events of the whole work.
    #[serde(skip)]
    pub ledger: Ledger,
    /// Samples of every row, if it samples.
    pub samples: Option<f64>,
    /// Relative output error.
    pub error: f64,
    /// Sweeps of a row.
    pub sweeps: f64,
    /// Physical for each logical spin.
    pub kappa: f64,
    /// Chips, and the share of them at work.
    #[serde(skip)]
    pub extent: crate::bill::Extent,
    /// Numbers that are held: weights, K and V, on all chips.
    pub held: f64,
    /// Spins on all chips.
    pub spins: f64,
}

/// Why a choice is none for a device.
pub type Refusal = Result<Lowered, Error>;
