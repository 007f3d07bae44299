//! An encoder on a device with flaws: attention as rows, feed-forward as gates, norms as spherical spins.

use ceas_sim::Beta;
use ceas_sim::activity::Activity;
use ceas_sim::plan::Plan;
use ceas_sim::potts::{Binomial, Metropolis, PottsSpin, uniform_state};
use ceas_sim::run::Run;
use ceas_sim::schedule::Schedule;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ndarray::{Array2, Array3, Axis};
use rayon::prelude::*;

use super::codes::{Codes, coded_attention};
use super::{NonIdeal, Part, RowFlaws, late, rounded, rounded_below};
use crate::feed_forward::Activation;
use crate::reference::attend::attend;
use crate::reference::layer::{Activation as Exact, Norm};
use crate::reference::substrate::{Place, Projections, RowLaw, RowPlace, Substrate, softmax_attention};

/// How often a unit is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reads {
    /// The component is exact and on the host: no flaw touches it.
    #[default]
    Host,
    /// The law itself, as after infinitely many read-outs: what is left is the effect of the flaws.
    Infinite,
    /// So many independent read-outs.
    Times(u32),
}

/// A device that computes parts of an encoder.
///
/// Streams of read-outs are functions of (seed, pass, layer, head, query); the flaws are functions of the place alone, so that they stay while
/// texts come and go. It counts no events: it is for what flaws do to the result.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chip {
    /// What is wrong with it.
    pub flaws: NonIdeal,
    /// Attention.
    pub attention: Reads,
    /// Feed-forward gates.
    pub feed_forward: Reads,
    /// What the gates compute instead of the model's activation.
    pub gate: Option<Activation>,
    /// Temperature of the norms, in units of what is normalised; `None` leaves them to the host.
    pub norm_temperature: Option<f64>,
    /// Codes in the place of products.
    pub codes: Option<Codes>,
    /// Seed of the read-outs.
    pub seed: u64,
    /// Tells runs apart that share a seed: texts, repeats. The flaws stay.
    pub pass: u32,
}

/// The head number that stands for the gates of a layer.
const GATES: usize = 0xFFF;

impl Chip {
    /// A device without flaws on which nothing runs yet.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    fn stream(&self, layer: usize, head: usize, block: usize) -> Stream {
        let replica = u64::from(self.pass) << 24 | (layer as u64) << 12 | head as u64;
        Stream::new(self.seed, Purpose::Update, replica, block as u64)
    }

    /// Queries and keys as clamps and couplings have them: rounded per head, keys with their mismatch.
    fn written(&self, layer: usize, projections: &Projections<'_>) -> [Array3<f32>; 2] {
        let (mut q, mut k) = (projections.q.to_owned(), projections.k.to_owned());
        if let Some(bits) = self.flaws.coupling_bits {
            for mut head in q.outer_iter_mut().chain(k.outer_iter_mut()) {
                let largest = head.iter().fold(0.0f64, |a, x| a.max(f64::from(*x).abs()));
                head.mapv_inplace(|x| rounded(x.into(), largest, bits) as f32);
            }
        }
        if self.flaws.mismatch > 0.0 {
            for (head, mut keys) in k.outer_iter_mut().enumerate() {
                for (j, mut key) in keys.outer_iter_mut().enumerate() {
                    let mut frozen = self.flaws.frozen(Part::Coupling, layer, head, j);
                    key.mapv_inplace(|x| x * (1.0 + self.flaws.mismatch * frozen.normal()) as f32);
                }
            }
        }
        [q, k]
    }

    /// The frozen flaws of one row of `keys` keys.
    fn row(&self, at: RowPlace, keys: usize) -> RowFlaws {
        let offsets = if self.flaws.field_noise > 0.0 {
            let mut frozen = self.flaws.frozen(Part::Field, at.layer, at.head, at.query);
            (0..keys).map(|_| self.flaws.field_noise * frozen.normal()).collect()
        } else {
            Vec::new()
        };
        let stuck = if self.flaws.stuck_on + self.flaws.stuck_off > 0.0 {
            (0..keys).map(|j| self.flaws.stuck(at.layer, at.head, j)).collect()
        } else {
            Vec::new()
        };
        RowFlaws { offsets, stuck }
    }

    /// Turns a law into the frequencies of its read-outs.
    fn read(&self, reads: u32, p: &mut [f64], stream: &mut Stream) {
        if let Some(strength) = self.flaws.penalty {
            let interval = self.flaws.sweeps.map_or(1, |sweeps| sweeps.get());
            return late::read(reads, interval, [strength, self.flaws.latency], p, stream);
        }
        if let Some(interval) = self.flaws.sweeps {
            return chain(reads, interval.get(), p, stream);
        }
        let (mut left, mut rest) = (u64::from(reads), 1.0);
        for p in p.iter_mut() {
            let drawn =
                if left == 0 || *p <= 0.0 { 0 } else { Binomial { n: left, p: *p / rest }.draw(stream) };
            rest -= *p;
            left -= drawn;
            *p = drawn as f64 / f64::from(reads);
        }
        // What rounding has left of the last state.
        if left > 0
            && let Some(p) = p.iter_mut().rev().find(|p| **p > 0.0)
        {
            *p += left as f64 / f64::from(reads);
        }
    }

    fn meant(&self, exact: Exact) -> Activation {
        self.gate.unwrap_or(match exact {
            Exact::Gelu => Activation::Gelu,
            Exact::GeluTanh => Activation::GeluTanh,
            Exact::Relu => Activation::Relu,
            Exact::Silu => Activation::Silu,
        })
    }

    /// P(up) of the gate of unit `unit` for the pre-activation `x`.
    fn up(&self, gate: &Gate, unit: usize, x: f64) -> f64 {
        let mut input = gate.activation.input(x);
        if let Some(bits) = self.flaws.field_bits {
            // Over ±FIELD_RANGE/2, beyond which a comparator hardly ever errs.
            let half = 0.5 * super::FIELD_RANGE;
            input = rounded_below(input.min(half) - half, super::FIELD_RANGE, bits) + half;
        }
        input = gate.factor * (input + gate.offsets.get(unit).copied().unwrap_or(0.0));
        let noise = self.flaws.comparator.unwrap_or(gate.activation.noise());
        let drift = self.flaws.beta_drift;
        let p = match gate.stuck.get(unit) {
            Some(&Some(on)) => f64::from(u8::from(on)),
            // Averaged over the read-outs; two-point Gauss is exact to third order in the drift.
            _ if drift != 0.0 => {
                let at = |moment: f64| noise.up(input * (1.0 + drift * moment));
                // ½ ± 1/√12
                0.5 * (at(0.211_324_865_405_187_1) + at(0.788_675_134_594_812_9))
            }
            _ => noise.up(input),
        };
        p + self.flaws.read_out_error * (1.0 - 2.0 * p)
    }
}

/// The gates of one layer with their frozen flaws.
struct Gate {
    activation: Activation,
    factor: f64,
    offsets: Vec<f64>,
    stuck: Vec<Option<bool>>,
}

impl RowLaw for Chip {
    type Scratch = Vec<f64>;

    fn weigh(&self, at: RowPlace, beta: f32, row: &mut [f32], x: &mut Vec<f64>) -> Activity {
        let b = f64::from(beta) * self.flaws.beta_factor(at.layer, at.head);
        x.clear();
        x.extend(row.iter().map(|&s| b * f64::from(s)));
        self.row(at, x.len()).apply(&self.flaws, x);
        if let Reads::Times(reads) = self.attention {
            self.read(reads, x, &mut self.stream(at.layer, at.head, at.query));
        }
        row.iter_mut().zip(&*x).for_each(|(row, &p)| *row = p as f32);
        Activity::default()
    }
}

/// Frequencies of read-outs of a Metropolis chain on the law p, one every `interval` sweeps, from a uniform start.
fn chain(reads: u32, interval: u32, p: &mut [f64], stream: &mut Stream) {
    let fields: Vec<f64> =
        p.iter().map(|p| if *p > 0.0 { libm::log(*p) } else { f64::NEG_INFINITY }).collect();
    let Ok(spin) = PottsSpin::new(&fields) else { return };
    let start = uniform_state(&spin, stream);
    let beta = Schedule::Constant(Beta::new(1.0).expect("1 is a β"));
    let streams = Streams::from_blocks(vec![stream.clone()]).expect("one stream is given");
    let mut run = Run::new(&spin, start, Metropolis, beta, streams);
    let sweeps = u64::from(reads) * u64::from(interval);
    p.fill(0.0);
    run.drive(&Plan { thermalization: 0, sweeps, every: interval.into() }, |run| {
        p[*run.state()] += 1.0 / f64::from(reads);
        std::ops::ControlFlow::Continue(())
    });
}

impl Substrate for Chip {
    fn attention(&mut self, layer: usize, projections: &Projections<'_>) -> Array3<f32> {
        if self.attention == Reads::Host {
            return softmax_attention(layer, projections);
        }
        let [q, k] = self.written(layer, projections);
        let written = Projections { q: q.view(), k: k.view(), ..*projections };
        match self.codes {
            Some(codes) => coded_attention(codes, self.seed, layer, &written, self),
            None => attend(layer, &written, self).0,
        }
    }

    fn activation(&mut self, layer: usize, first: usize, x: &mut Array2<f32>, exact: Exact) {
        if self.feed_forward == Reads::Host {
            return exact.apply(x);
        }
        let units = x.ncols();
        let mut frozen = self.flaws.frozen(Part::Field, layer, GATES, 0);
        let noisy = if self.flaws.field_noise > 0.0 { units } else { 0 };
        let gate = Gate {
            activation: self.meant(exact),
            factor: self.flaws.beta_factor(layer, GATES),
            offsets: (0..noisy).map(|_| self.flaws.field_noise * frozen.normal()).collect(),
            stuck: (0..units).map(|unit| self.flaws.stuck(layer, GATES, unit)).collect(),
        };
        let chip = &*self;
        x.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(token, mut row)| {
            let mut stream = chip.stream(layer, GATES, first + token);
            for (unit, x) in row.iter_mut().enumerate() {
                let pre = f64::from(*x);
                let mut p = chip.up(&gate, unit, pre);
                if let Reads::Times(reads) = chip.feed_forward {
                    p = Binomial { n: reads.into(), p }.draw(&mut stream) as f64 / f64::from(reads);
                }
                let [high, low] = gate.activation.levels(pre);
                *x = (p * high + (1.0 - p) * low) as f32;
            }
        });
    }

    fn norm(&mut self, _: Place, _: usize, x: &mut Array2<f32>, norm: &Norm) {
        match self.norm_temperature {
            None => norm.apply(x),
            // 1/2μ of the saddle: see [`crate::norm::SphericalSpin::saddle`]; ε counts as variance, as in the exact norm.
            Some(t) => norm.apply_with(x, |_, [_, square]| {
                let variance = square + f64::from(norm.epsilon);
                2.0 / (t + (t * t + 4.0 * variance).sqrt())
            }),
        }
    }
}
