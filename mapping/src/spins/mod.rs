//! A whole model with some of its components on spins: the [`Substrate`] that the forward of a model is handed.
//!
//! | component | on spins | fidelity | what stays with the host |
//! |---|---|---|---|
//! | attention | a Potts spin per head and query, read out S times | exact in law | q, k, v and output maps |
//! | feed-forward | a p-bit per hidden unit, read out S times; for GELU one with Gaussian noise | exact in law | both maps, the products |
//! | norm | the mean of a spherical spin at temperature T | exact at T = 0, else shrunk by about T/2σ | gain and shift |
//! | position | rotation of content (an elliptic flow of the disk) | exact | – |
//!
//! Every stream is a function of (seed, component, pass, layer, head, position): the same draws come whether a sequence is run at once
//! or token by token, and on any number of threads. Sampling noise of one layer enters the next, as on a substrate.

mod gates;
mod rows;

use std::num::NonZeroU32;

use ceas_sim::activity::Activity;
use ceas_sim::stream::{Purpose, Stream};
use ndarray::{Array2, Array3};

use crate::reference::attend::attend;
use crate::reference::layer::{Activation, Norm};
use crate::reference::rotation::Angles;
use crate::reference::substrate::{Place, Projections, RowPlace, Substrate, softmax_attention};

pub use rows::{RowSampler, SampledRows};

/// A component of a transformer that spins may take over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// Rows of attention.
    Attention,
    /// The non-linearity of the feed-forward block.
    FeedForward,
    /// LayerNorm or RMSNorm.
    Norm,
    /// Rotary positions.
    Position,
}

impl Component {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Attention, Self::FeedForward, Self::Norm, Self::Position];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::FeedForward => "ffn",
            Self::Norm => "norm",
            Self::Position => "position",
        }
    }
}

/// What runs on spins, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// How rows of attention are sampled; `None`: exact softmax.
    pub attention: Option<RowSampler>,
    /// S of a row of attention.
    pub attention_samples: NonZeroU32,
    /// S of a gate of the feed-forward block; `None`: exact activation.
    pub gates: Option<NonZeroU32>,
    /// T of the spherical spin of a norm, in the units of the rows; `None`: exact norm.
    pub norm: Option<f64>,
    /// Whether positions turn as an elliptic flow ([`crate::position`]): the same numbers, so that this only says who does it.
    pub position: bool,
    /// Seed of all streams.
    pub seed: u64,
}

/// The components of [`Setup`] on spins, all others exact.
#[derive(Debug, Clone)]
pub struct Spins {
    setup: Setup,
    /// Tells runs apart that share a seed: texts, repeats.
    pass: u32,
    activity: [Activity; 4],
}

impl Spins {
    /// A substrate for one pass; passes of different numbers draw from different streams.
    pub fn new(setup: Setup, pass: u32) -> Self {
        Self { setup, pass, activity: [Activity::default(); 4] }
    }

    /// What runs on spins, and how.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The events of one component so far.
    pub fn activity_of(&self, component: Component) -> Activity {
        self.activity[component as usize]
    }

    /// All events so far.
    pub fn activity(&self) -> Activity {
        self.activity.into_iter().sum()
    }
}

/// The stream of one unit of work.
fn stream(seed: u64, component: Component, pass: u32, at: RowPlace) -> Stream {
    let replica = ((component as u64) << 60) | (u64::from(pass) << 32) | at.query as u64;
    Stream::new(seed, Purpose::Update, replica, ((at.layer as u64) << 32) | at.head as u64)
}

impl Substrate for Spins {
    fn attention(&mut self, layer: usize, projections: &Projections<'_>) -> Array3<f32> {
        let Some(sampler) = self.setup.attention else { return softmax_attention(layer, projections) };
        let rows = SampledRows {
            sampler,
            samples: self.setup.attention_samples,
            seed: self.setup.seed,
            pass: self.pass,
        };
        let (context, mut activity) = attend(layer, projections, &rows);
        if sampler != RowSampler::Multinomial {
            let (shared, keys, d) = projections.k.dim();
            // K becomes couplings once: the keys of this call, for the others were written when they came.
            let new = if projections.causal { projections.q.dim().1.min(keys) } else { keys };
            activity.coupling_writes += (shared * new * d) as u64;
            activity.coupler_reads += activity.field_writes * d as u64;
            activity.decoder_adds *= projections.v.dim().2 as u64;
        }
        self.activity[Component::Attention as usize] += activity;
        context
    }

    fn activation(&mut self, layer: usize, first: usize, x: &mut Array2<f32>, activation: Activation) {
        let Some(samples) = self.setup.gates else { return activation.apply(x) };
        let streams = |row: usize| {
            let at = RowPlace { layer, head: 0, query: first + row };
            stream(self.setup.seed, Component::FeedForward, self.pass, at)
        };
        self.activity[Component::FeedForward as usize] += gates::sample(x, activation, samples, streams);
    }

    fn norm(&mut self, _place: Place, _first: usize, x: &mut Array2<f32>, norm: &Norm) {
        match self.setup.norm {
            None => norm.apply(x),
            // 1/2μ of the saddle: see [`crate::norm::SphericalSpin::saddle`]; ε counts as variance, as in the exact norm.
            Some(t) => norm.apply_with(x, |_, [_, square]| {
                let variance = square + f64::from(norm.epsilon);
                2.0 / (t + (t * t + 4.0 * variance).sqrt())
            }),
        }
    }

    fn position(&mut self, _layer: usize, x: &mut Array3<f32>, angles: &Angles) {
        angles.turn(x);
    }
}
