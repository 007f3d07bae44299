//! A model with components on spins: laws first, then samples with twins that must fail, and streams that depend on nothing else.
//!
//! Error budget: every sampled statement is missed with a probability below 1e-7 if the code is right.

mod tiny;

use std::num::NonZeroU32;

use ceas_mapping::reference::attend::attend;
use ceas_mapping::reference::layer::Activation;
use ceas_mapping::reference::substrate::{
    Digital, Place, Projections, RowLaw, RowPlace, Substrate, softmax_attention,
};
use ceas_mapping::reference::{LanguageModel, Loaded, Model};
use ceas_mapping::spins::{Component, RowSampler, SampledRows, Setup, Spins};
use ceas_sim::activity::Activity;
use ndarray::{Array2, Array3};
use tiny::llama::TinyLlama;
use tiny::{Tiny, sequence};

const SAMPLERS: [RowSampler; 3] = [RowSampler::Race, RowSampler::HeatBath, RowSampler::Multinomial];

fn samples(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

fn setup(seed: u64, s: u32) -> Setup {
    Setup {
        attention: Some(RowSampler::Race),
        attention_samples: samples(s),
        gates: Some(samples(s)),
        norm: None,
        position: true,
        seed,
    }
}

/// Scores of ten keys, one of them absent.
fn scores() -> Vec<f32> {
    let mut row: Vec<f32> = (0..10).map(|j| ((j * 37) % 11) as f32 * 0.7 - 2.0).collect();
    row[4] = f32::NEG_INFINITY;
    row
}

fn law(beta: f64) -> Vec<f64> {
    let weights: Vec<f64> = scores().iter().map(|&s| (beta * f64::from(s)).exp()).collect();
    let z: f64 = weights.iter().sum();
    weights.iter().map(|w| w / z).collect()
}

/// χ² of pooled counts against a law, over the states of positive probability.
fn chi_squared(counts: &[f64], law: &[f64]) -> f64 {
    let n: f64 = counts.iter().sum();
    counts.iter().zip(law).filter(|(_, p)| **p > 0.0).map(|(c, p)| (c - n * p).powi(2) / (n * p)).sum()
}

#[test]
fn rows_are_drawn_from_softmax_by_every_sampler() {
    const ROWS: usize = 2_000;
    // 400 is beyond 16 draws per state, where the multinomial draws counts at once.
    for (sampler, s) in SAMPLERS.into_iter().flat_map(|sampler| [(sampler, 50), (sampler, 400)]) {
        let rows = SampledRows { sampler, samples: samples(s), seed: 5, pass: 1 };
        let mut table = Default::default();
        let mut counts = vec![0.0; 10];
        for query in 0..ROWS {
            let mut row = scores();
            rows.weigh(RowPlace { layer: 1, head: 2, query }, 0.8, &mut row, &mut table);
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5 && row[4] == 0.0);
            counts.iter_mut().zip(row).for_each(|(sum, p)| *sum += f64::from(p) * f64::from(s));
        }
        // 8 degrees of freedom: 60 is exceeded with probability 5e-10.
        let chi = chi_squared(&counts, &law(0.8));
        assert!(chi < 60.0, "{sampler:?} {s}: {chi}");
        let twin = chi_squared(&counts, &law(0.82));
        assert!(twin > 60.0, "another β is told apart: {twin}");
    }
}

fn projections(q: &Array3<f32>, k: &Array3<f32>) -> [Array3<f32>; 2] {
    [q.clone(), k.clone()]
}

fn numbers(shape: (usize, usize, usize), seed: usize) -> Array3<f32> {
    Array3::from_shape_fn(shape, |(h, i, a)| ((h * 53 + i * 29 + a * 17 + seed) % 31) as f32 / 10.0 - 1.5)
}

#[test]
fn causal_grouped_rows_see_what_they_should_and_events_are_counted() {
    let [q, k] = projections(&numbers((4, 70, 8), 0), &numbers((2, 70, 8), 5));
    let v = numbers((2, 70, 6), 9);
    let all = |q, k, v, first| Projections { q, k, v, mask: &[], first, causal: true };
    let whole = softmax_attention(0, &all(q.view(), k.view(), v.view(), 0));
    // The last rows by themselves against the whole cache are the same rows, on the path for few queries too.
    for n in [1, 3, 20] {
        let last = q.slice(ndarray::s![.., 70 - n.., ..]);
        let some = softmax_attention(0, &all(last, k.view(), v.view(), 70 - n));
        for ((h, i, a), x) in some.indexed_iter() {
            assert!((x - whole[[h, 70 - n + i, a]]).abs() < 1e-5);
        }
    }
    // The first query sees itself alone.
    assert!((0..4).all(|h| (0..6).all(|a| (whole[[h, 0, a]] - v[[h / 2, 0, a]]).abs() < 1e-6)));
    let rows = SampledRows { sampler: RowSampler::Race, samples: samples(10), seed: 1, pass: 0 };
    let (_, activity) = attend(0, &all(q.view(), k.view(), v.view(), 0), &rows);
    let visible = 4 * 70 * 71 / 2;
    assert_eq!(
        (activity.attempts, activity.field_writes, activity.flips),
        (10 * visible, visible, 4 * 70 * 10)
    );
    let mut spins = Spins::new(Setup { attention_samples: samples(10), ..setup(1, 10) }, 0);
    spins.attention(0, &all(q.view(), k.view(), v.view(), 0));
    let counted = spins.activity_of(Component::Attention);
    assert_eq!((counted.coupling_writes, counted.coupler_reads), (2 * 70 * 8, 8 * visible));
    assert_eq!(counted.decoder_adds, 4 * 70 * 10 * 6);
    assert_eq!(spins.activity_of(Component::FeedForward), Activity::default());
}

#[test]
fn gates_are_right_in_mean_and_variance() {
    for activation in [Activation::Silu, Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
        const ROWS: usize = 4_000;
        const S: u32 = 8;
        let x = [-1.3f32, 0.4, 2.0];
        let mut gates = Array2::from_shape_fn((ROWS, 3), |(_, j)| x[j]);
        let mut spins = Spins::new(setup(3, S), 0);
        spins.activation(0, 0, &mut gates, activation);
        for (j, &x) in x.iter().enumerate() {
            let exact = f64::from(activation.value(x));
            let p = exact / f64::from(x);
            let error = (f64::from(x).powi(2) * p * (1.0 - p) / f64::from(S) / ROWS as f64).sqrt();
            let mean = gates.column(j).iter().map(|&y| f64::from(y)).sum::<f64>() / ROWS as f64;
            assert!((mean - exact).abs() <= 6.0 * error + 1e-6, "{activation:?}({x}): {mean} {exact}");
            let square =
                gates.column(j).iter().map(|&y| (f64::from(y) - exact).powi(2)).sum::<f64>() / ROWS as f64;
            let predicted = error * error * ROWS as f64;
            // The relative error of a variance from 4000 values is below 0.05 for these p.
            assert!(
                (square - predicted).abs() <= 0.3 * predicted + 1e-9,
                "{activation:?}({x}): {square} {predicted}"
            );
            assert!(activation == Activation::Relu || (mean - 1.1 * exact).abs() > 6.0 * error, "a twin");
        }
    }
}

#[test]
fn errors_of_a_whole_model_fall_as_one_over_s() {
    let model = Model::open(Tiny::new().path()).unwrap();
    let ids = [2, 4, 5, 7, 8, 3];
    let exact = model.encoder().forward(&sequence(&ids), &mut Digital).unwrap().hidden;
    let error = |s: u32| {
        let runs = 60;
        let squares = (0..runs).map(|pass| {
            let mut spins = Spins::new(setup(9, s), pass);
            let hidden = model.encoder().forward(&sequence(&ids), &mut spins).unwrap().hidden;
            hidden.iter().zip(&exact).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
        });
        squares.sum::<f64>() / f64::from(runs)
    };
    let ratio = error(64) / error(1_024);
    // 16 up to nonlinearity; each mean of 60 has a relative error of some 6 %.
    assert!((9.0..25.0).contains(&ratio), "{ratio}");
}

fn decoder() -> LanguageModel {
    match Loaded::open(TinyLlama::new().folder.path()).unwrap() {
        Loaded::Decoder(model) => *model,
        Loaded::Encoder(_) => panic!("an encoder"),
    }
}

#[test]
fn streams_depend_on_the_place_alone() {
    let model = decoder();
    let ids = [5, 6, 2, 0, 8, 3, 1];
    let run = |threads: usize, seed: u64, pass: u32| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut spins = Spins::new(setup(seed, 16), pass);
            let mut cache = model.decoder().cache(ids.len()).unwrap();
            (model.decoder().forward(&ids, &mut cache, &mut spins).unwrap(), spins.activity())
        })
    };
    let one = run(1, 4, 0);
    assert_eq!(one, run(6, 4, 0));
    assert_ne!(one.0, run(1, 5, 0).0);
    assert_ne!(one.0, run(1, 4, 1).0);
}

#[test]
fn a_norm_at_temperature_zero_is_the_norm_and_warms_as_it_should() {
    let norm = ceas_mapping::reference::layer::Norm {
        centred: false,
        scale: ndarray::Array1::ones(6),
        shift: None,
        epsilon: 1e-12,
    };
    let x = Array2::from_shape_fn((2, 6), |(i, j)| (i * 6 + j) as f32 - 5.2);
    let at = |t: Option<f64>| {
        let mut x = x.clone();
        Spins::new(Setup { norm: t, ..setup(1, 1) }, 0).norm(Place::Output, 0, &mut x, &norm);
        x
    };
    let exact = at(None);
    assert!(at(Some(0.0)).iter().zip(&exact).all(|(a, b)| (a - b).abs() < 1e-6));
    // To first order in T the rows shrink by T/2σ.
    let sigma = (x.row(0).dot(&x.row(0)) / 6.0).sqrt();
    let shrunk = 1.0 - at(Some(0.02))[[0, 0]] / exact[[0, 0]];
    assert!((shrunk / (0.01 / sigma) - 1.0).abs() < 0.01, "{shrunk}");
}
