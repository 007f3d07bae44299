//! An encoder on a device with flaws: attention as rows, feed-forward as gates, norms as spherical spins.

use ceas_sim::Beta;
use ceas_sim::plan::Plan;
use ceas_sim::potts::{Binomial, Metropolis, PottsSpin, uniform_state};
use ceas_sim::run::Run;
use ceas_sim::schedule::Schedule;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ndarray::{Array1, Array2, Array3, ArrayView2, Axis};
use rayon::prelude::*;

use super::{NonIdeal, Part, RowFlaws, rounded, rounded_below};
use crate::attention::textbook_beta;
use crate::embedding::Code;
use crate::feed_forward::Activation;
use crate::norm::SphericalSpin;
use crate::reference::layer::{Activation as Exact, FeedForward, LayerNorm};
use crate::reference::substrate::{Place, Projections, Substrate};

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

/// How scores get from q and k to the fields, where not as products of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codes {
    /// |q||k| cos θ̂ from the signs of the components.
    Sign,
    /// … from so many random planes per head.
    SimHash(usize),
    /// … from the principal directions of the text's own queries and keys, turned by so many rounds.
    Itq(u32),
}

/// A device that computes parts of an encoder.
///
/// Streams of read-outs are functions of (seed, layer, head, query) and of how many passes were made before; the flaws are functions of the
/// place alone, so that they stay while texts come and go.
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
    /// Passes made.
    passes: u64,
}

impl Chip {
    /// A device without flaws on which nothing runs yet.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    fn stream(&self, layer: usize, head: usize, block: usize) -> Stream {
        let replica = self.passes << 24 | (layer as u64) << 12 | head as u64;
        Stream::new(self.seed, Purpose::Update, replica, block as u64)
    }

    /// βs_ij of one head, `[queries, keys]`, with what flaws make of q, K and β.
    fn scores(
        &self,
        layer: usize,
        head: usize,
        q: ArrayView2<'_, f32>,
        k: ArrayView2<'_, f32>,
    ) -> Array2<f64> {
        let beta = textbook_beta(q.ncols()).value() * self.flaws.beta_factor(layer, head);
        let (mut q, mut k) = (q.mapv(f64::from), k.mapv(f64::from));
        if let Some(bits) = self.flaws.coupling_bits {
            for x in [&mut q, &mut k] {
                let largest = x.iter().fold(0.0f64, |a, x| a.max(x.abs()));
                x.mapv_inplace(|x| rounded(x, largest, bits));
            }
        }
        if self.flaws.mismatch > 0.0 {
            for (j, mut key) in k.rows_mut().into_iter().enumerate() {
                let mut frozen = self.flaws.frozen(Part::Coupling, layer, head, j);
                key.mapv_inplace(|x| x * (1.0 + self.flaws.mismatch * frozen.normal()));
            }
        }
        match self.codes {
            None => q.dot(&k.t()) * beta,
            Some(codes) => coded(codes, &q, &k, self.seed ^ (layer << 8 | head) as u64) * beta,
        }
    }

    fn rows(&self, layer: usize, head: usize, keys: usize, query: usize) -> RowFlaws {
        let offsets = if self.flaws.field_noise > 0.0 {
            let mut frozen = self.flaws.frozen(Part::Field, layer, head, query);
            (0..keys).map(|_| self.flaws.field_noise * frozen.normal()).collect()
        } else {
            Vec::new()
        };
        let stuck = if self.flaws.stuck_on + self.flaws.stuck_off > 0.0 {
            (0..keys).map(|j| self.flaws.stuck(layer, head, j)).collect()
        } else {
            Vec::new()
        };
        RowFlaws { offsets, stuck }
    }

    /// Turns a law into the frequencies of its read-outs.
    fn read(&self, reads: u32, p: &mut [f64], stream: &mut Stream) {
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

    fn activation(&self, exact: Exact) -> Activation {
        self.gate.unwrap_or(match exact {
            Exact::Gelu => Activation::Gelu,
            Exact::GeluTanh => Activation::GeluTanh,
            _ => Activation::Relu,
        })
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

/// |q||k| cos θ̂ of every pair.
fn coded(codes: Codes, q: &Array2<f64>, k: &Array2<f64>, seed: u64) -> Array2<f64> {
    let d = q.ncols();
    let vectors = || q.rows().into_iter().chain(k.rows()).map(|x| x.to_vec()).collect::<Vec<_>>();
    let code = match codes {
        Codes::Sign => Code::sign(d),
        Codes::SimHash(spins) => Code::sim_hash(d, spins, seed),
        Codes::Itq(rounds) => {
            Code::itq(&vectors(), d, rounds, false, seed).expect("there are vectors, all of d numbers")
        }
    };
    let lengths = |x: &Array2<f64>| x.map_axis(Axis(1), |x| x.dot(&x).sqrt());
    let sides = |x: &Array2<f64>| {
        let spins: Vec<f64> =
            x.rows().into_iter().flat_map(|x| code.encode(&x.to_vec())).map(f64::from).collect();
        Array2::from_shape_vec((x.nrows(), code.spins()), spins).expect("one code per row")
    };
    let mut scores = sides(q).dot(&sides(k).t());
    let (lq, lk): (Array1<f64>, Array1<f64>) = (lengths(q), lengths(k));
    let m = code.spins() as f64;
    for ((i, j), agree) in scores.indexed_iter_mut() {
        *agree = lq[i] * lk[j] * libm::cos(0.5 * std::f64::consts::PI * (1.0 - *agree / m));
    }
    scores
}

impl Substrate for Chip {
    fn attention(&mut self, layer: usize, projections: &Projections<'_>) -> Array3<f32> {
        if self.attention == Reads::Host {
            return crate::reference::substrate::softmax_attention(projections);
        }
        let Projections { q, k, v, mask } = *projections;
        let mut context = Array3::zeros((v.dim().0, q.dim().1, v.dim().2));
        let chip = &*self;
        context.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(head, mut context)| {
            let [q, k, v] = [q, k, v].map(|x| x.index_axis_move(Axis(0), head));
            let mut p = chip.scores(layer, head, q.view(), k.view());
            for (query, mut row) in p.rows_mut().into_iter().enumerate() {
                row.iter_mut()
                    .zip(mask)
                    .filter(|(_, exists)| !**exists)
                    .for_each(|(x, _)| *x = f64::NEG_INFINITY);
                let x = row.as_slice_mut().expect("a product of matrices is contiguous");
                chip.rows(layer, head, x.len(), query).apply(&chip.flaws, x);
                if let Reads::Times(reads) = chip.attention {
                    chip.read(reads, x, &mut chip.stream(layer, head, query));
                }
            }
            context.assign(&p.dot(&v.mapv(f64::from)).mapv(|x| x as f32));
        });
        context
    }

    fn feed_forward(&mut self, layer: usize, x: ArrayView2<'_, f32>, block: &FeedForward) -> Array2<f32> {
        if self.feed_forward == Reads::Host {
            return block.apply(x);
        }
        /// The head number that stands for the gates of a layer.
        const GATES: usize = 0xFFF;
        let activation = self.activation(block.activation);
        let noise = self.flaws.comparator.unwrap_or(activation.noise());
        let factor = self.flaws.beta_factor(layer, GATES);
        let mut inner = block.up.apply(x);
        let units = inner.ncols();
        let mut frozen = self.flaws.frozen(Part::Field, layer, GATES, 0);
        let offsets: Vec<f64> = if self.flaws.field_noise > 0.0 {
            (0..units).map(|_| self.flaws.field_noise * frozen.normal()).collect()
        } else {
            vec![0.0; units]
        };
        let stuck: Vec<Option<bool>> = (0..units).map(|unit| self.flaws.stuck(layer, GATES, unit)).collect();
        let chip = &*self;
        inner.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(token, mut row)| {
            let mut stream = chip.stream(layer, GATES, token);
            for (unit, x) in row.iter_mut().enumerate() {
                let pre = f64::from(*x);
                let mut input = activation.input(pre);
                if let Some(bits) = chip.flaws.field_bits {
                    // Over ±FIELD_RANGE/2, beyond which a comparator hardly ever errs.
                    let half = 0.5 * super::FIELD_RANGE;
                    input = rounded_below(input.min(half) - half, super::FIELD_RANGE, bits) + half;
                }
                input = factor * (input + offsets[unit]);
                let up = |input: f64| noise.up(input);
                let mut p = match stuck[unit] {
                    Some(on) => f64::from(u8::from(on)),
                    // A drift of β averages the gate over the read-outs; two-point Gauss is exact to third order in it.
                    None if chip.flaws.beta_drift != 0.0 => {
                        let at = |x: f64| up(input * (1.0 + chip.flaws.beta_drift * x));
                        0.5 * (at(0.5 - 0.288_675_134_594_812_9) + at(0.5 + 0.288_675_134_594_812_9))
                    }
                    None => up(input),
                };
                p += chip.flaws.read_out_error * (1.0 - 2.0 * p);
                if let Reads::Times(reads) = chip.feed_forward {
                    let drawn = Binomial { n: reads.into(), p }.draw(&mut stream);
                    p = drawn as f64 / f64::from(reads);
                }
                let [high, low] = activation.levels(pre);
                *x = (p * high + (1.0 - p) * low) as f32;
            }
        });
        block.down.apply(inner.view())
    }

    fn norm(&mut self, place: Place, x: &mut Array2<f32>, norm: &LayerNorm) {
        if place == Place::Embeddings {
            self.passes += 1;
        }
        let Some(temperature) = self.norm_temperature else { return norm.apply(x) };
        for mut row in x.rows_mut() {
            let field: Vec<f64> = row.iter().map(|&x| f64::from(x)).collect();
            let Ok(spin) = SphericalSpin::saddle(&field, true, temperature) else { continue };
            for (((x, m), scale), shift) in row.iter_mut().zip(spin.mean()).zip(&norm.scale).zip(&norm.shift)
            {
                *x = m as f32 * scale + shift;
            }
        }
    }
}
