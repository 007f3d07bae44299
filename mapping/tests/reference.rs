//! The exact forward: against a slow twin in f64, across dtypes, names and thread counts, and with parts replaced.

mod tiny;

use ceas_mapping::reference::layer::{Activation, Dense, FeedForward};
use ceas_mapping::reference::matrix::Matrix as Stored;
use ceas_mapping::reference::substrate::{Digital, Projections, Recorder, Substrate, softmax_attention};
use ceas_mapping::reference::{Error, Model};
use half::{bf16, f16};
use ndarray::{Array2, Array3};
use safetensors::tensor::Dtype;
use tiny::{HEADS, HIDDEN, LAYERS, POSITIONS, Tensors, Tiny, WORDS, safetensors, sequence, tensors};

const IDS: [u32; 7] = [2, 4, 5, 7, 8, 3, 0];

type Matrix = Vec<Vec<f64>>;
type Scalar<T> = fn(T) -> T;

/// The formulas of the encoder once more, one scalar at a time, in f64.
struct Twin<'a>(&'a Tensors);

impl Twin<'_> {
    fn vector(&self, name: &str) -> Vec<f64> {
        self.0[name].1.iter().map(|&x| f64::from(x)).collect()
    }

    fn matrix(&self, name: &str) -> Matrix {
        let columns = self.0[name].0[1];
        self.vector(name).chunks(columns).map(<[f64]>::to_vec).collect()
    }

    fn dense(&self, x: &Matrix, name: &str) -> Matrix {
        let (w, b) = (self.matrix(&format!("{name}.weight")), self.vector(&format!("{name}.bias")));
        let one = |x: &Vec<f64>| {
            w.iter().zip(&b).map(|(w, b)| w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + b).collect()
        };
        x.iter().map(one).collect()
    }

    fn norm(&self, x: &Matrix, name: &str) -> Matrix {
        let (scale, shift) = (self.vector(&format!("{name}.weight")), self.vector(&format!("{name}.bias")));
        let one = |x: &Vec<f64>| {
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / x.len() as f64;
            let unit = |(j, x): (usize, &f64)| (x - mean) / (variance + 1e-12).sqrt() * scale[j] + shift[j];
            x.iter().enumerate().map(unit).collect()
        };
        x.iter().map(one).collect()
    }

    fn attention(&self, x: &Matrix, layer: usize, mask: &[bool]) -> Matrix {
        let name = format!("encoder.layer.{layer}.attention.self");
        let [q, k, v] = ["query", "key", "value"].map(|part| self.dense(x, &format!("{name}.{part}")));
        let d = HIDDEN / HEADS;
        let mut context = vec![vec![0.0; HIDDEN]; x.len()];
        for i in 0..x.len() {
            for head in 0..HEADS {
                let columns = head * d..(head + 1) * d;
                let score =
                    |j: usize| columns.clone().map(|c| q[i][c] * k[j][c]).sum::<f64>() / (d as f64).sqrt();
                let weight = |j: usize| if mask[j] { score(j).exp() } else { 0.0 };
                let sum: f64 = (0..x.len()).map(weight).sum();
                for c in columns.clone() {
                    context[i][c] = (0..x.len()).map(|j| weight(j) / sum * v[j][c]).sum();
                }
            }
        }
        context
    }

    fn forward(&self, ids: &[u32], mask: &[bool], activation: Scalar<f64>) -> Matrix {
        let [words, positions, kinds] = ["word", "position", "token_type"]
            .map(|table| self.matrix(&format!("embeddings.{table}_embeddings.weight")));
        let sum = |a: &Matrix, b: &Matrix| -> Matrix {
            a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect()).collect()
        };
        let embedded: Matrix = ids
            .iter()
            .enumerate()
            .map(|(i, &id)| {
                (0..HIDDEN).map(|c| words[id as usize][c] + positions[i][c] + kinds[0][c]).collect()
            })
            .collect();
        let mut x = self.norm(&embedded, "embeddings.LayerNorm");
        for layer in 0..LAYERS {
            let name = format!("encoder.layer.{layer}");
            let context = self.attention(&x, layer, mask);
            let attended = self.dense(&context, &format!("{name}.attention.output.dense"));
            x = self.norm(&sum(&x, &attended), &format!("{name}.attention.output.LayerNorm"));
            let mut inner = self.dense(&x, &format!("{name}.intermediate.dense"));
            inner.iter_mut().flatten().for_each(|x| *x = activation(*x));
            let down = self.dense(&inner, &format!("{name}.output.dense"));
            x = self.norm(&sum(&x, &down), &format!("{name}.output.LayerNorm"));
        }
        x
    }
}

fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + libm::erf(x / 2f64.sqrt()))
}

fn gelu_tanh(x: f64) -> f64 {
    0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
}

fn hidden(tiny: &Tiny, ids: &[u32]) -> Array2<f32> {
    Model::open(tiny.path()).unwrap().encoder().forward(&sequence(ids), &mut Digital).unwrap().hidden
}

#[test]
fn the_forward_is_its_formulas() {
    let tensors = tensors();
    let cases: [(&str, Scalar<f64>); 4] =
        [("gelu", gelu), ("gelu_new", gelu_tanh), ("gelu_pytorch_tanh", gelu_tanh), ("relu", |x| x.max(0.0))];
    for (name, activation) in cases {
        let tiny = Tiny::new();
        tiny.configure("hidden_act", name);
        for ids in [&IDS[..], &IDS[..6], &[2], &[4, 5, 6, 7, 8, 4, 5, 6, 7, 8, 4, 5]] {
            let sequence = sequence(ids);
            let exact = Twin(&tensors).forward(ids, &sequence.mask, activation);
            let computed = hidden(&tiny, ids);
            for ((i, c), &x) in computed.indexed_iter() {
                assert!(
                    (f64::from(x) - exact[i][c]).abs() < 1e-5,
                    "{name} {ids:?} [{i}, {c}]: {x} {}",
                    exact[i][c]
                );
            }
        }
    }
    // The two forms of GELU are told apart at this tolerance.
    assert!((gelu(1.0) - gelu_tanh(1.0)).abs() > 1e-4);
}

#[test]
fn the_sentence_embedding_is_the_mean_of_tokens_that_are_not_padding() {
    let model = Model::open(Tiny::new().path()).unwrap();
    let encoding = model.encoder().forward(&sequence(&IDS), &mut Digital).unwrap();
    let embedding = encoding.sentence_embedding();
    let mean: Vec<f64> =
        (0..HIDDEN).map(|c| (0..6).map(|i| f64::from(encoding.hidden[[i, c]])).sum::<f64>() / 6.0).collect();
    let length = mean.iter().map(|x| x * x).sum::<f64>().sqrt();
    for (x, mean) in embedding.iter().zip(&mean) {
        assert!((f64::from(*x) - mean / length).abs() < 1e-7);
    }
    // Padding changes nothing for the tokens before it.
    let bare = model.encoder().forward(&sequence(&IDS[..6]), &mut Digital).unwrap().sentence_embedding();
    assert!(bare.iter().zip(&embedding).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn names_may_carry_a_prefix_and_old_norms_their_old_names() {
    let plain = Tiny::new();
    let renamed = Tiny::new();
    let old = |name: &str| {
        let name =
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
        format!("bert.{name}")
    };
    let mut with_more: Tensors = tensors().into_iter().map(|(name, tensor)| (old(&name), tensor)).collect();
    with_more.insert("cls.predictions.bias".into(), (vec![3], vec![0.0; 3]));
    renamed.write("model.safetensors", &safetensors(&with_more, Dtype::F32));
    assert_eq!(hidden(&plain, &IDS), hidden(&renamed, &IDS));
}

#[test]
fn stored_types_are_converted_and_nothing_else_happens() {
    let exact = hidden(&Tiny::new(), &IDS);
    let rounded: [(Dtype, Scalar<f32>); 3] = [
        (Dtype::F16, |x| f16::from_f32(x).to_f32()),
        (Dtype::BF16, |x| bf16::from_f32(x).to_f32()),
        (Dtype::F64, |x| x),
    ];
    for (dtype, round) in rounded {
        let stored = Tiny::new();
        stored.write("model.safetensors", &safetensors(&tensors(), dtype));
        let twin = Tiny::new();
        let mut tensors = tensors();
        tensors.values_mut().flat_map(|(_, numbers)| numbers).for_each(|x| *x = round(*x));
        twin.write("model.safetensors", &safetensors(&tensors, Dtype::F32));
        assert_eq!(hidden(&stored, &IDS), hidden(&twin, &IDS), "{dtype:?}");
        assert_eq!(hidden(&stored, &IDS) == exact, dtype == Dtype::F64);
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    // Long enough for several tasks per map.
    let q =
        Array3::from_shape_fn((5, 100, 8), |(h, i, j)| ((h * 31 + i * 17 + j * 7) % 23) as f32 / 9.0 - 1.0);
    let x = Array2::from_shape_fn((100, 300), |(i, j)| ((i * 13 + j * 5) % 29) as f32 / 11.0 - 1.0);
    let mask = [true; 100];
    let block = FeedForward {
        gate: Some(dense([300, 600])),
        up: dense([300, 600]),
        activation: Activation::Gelu,
        down: dense([600, 300]),
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let q = q.view();
            let projections = Projections { q, k: q, v: q, mask: &mask, first: 0, causal: false };
            (softmax_attention(0, &projections), block.apply(x.view()))
        })
    };
    let one = on(1);
    for threads in [2, 3, 7] {
        assert_eq!(on(threads), one, "{threads} threads");
    }
}

fn dense([n_in, n_out]: [usize; 2]) -> Dense {
    let weight = Array2::from_shape_fn((n_out, n_in), |(j, i)| ((i * 3 + j * 11) % 19) as f32 / 19.0 - 0.5);
    Dense {
        weight: Stored::of(&weight),
        bias: Some(ndarray::Array1::from_shape_fn(n_out, |j| j as f32 / 50.0)),
    }
}

/// Replaces the attention of one layer and the feed-forward of the other by nothing.
struct Muted;

impl Substrate for Muted {
    fn attention(&mut self, layer: usize, projections: &Projections<'_>) -> Array3<f32> {
        if layer == 1 {
            Array3::zeros(projections.v.raw_dim())
        } else {
            softmax_attention(layer, projections)
        }
    }

    fn activation(&mut self, layer: usize, _: usize, x: &mut Array2<f32>, activation: Activation) {
        if layer == 0 { x.fill(0.0) } else { activation.apply(x) }
    }
}

#[test]
fn parts_are_replaced_layer_by_layer() {
    // The same network with the weights of those parts at zero, computed digitally.
    let mut muted = tensors();
    for name in ["1.attention.self.value.weight", "1.attention.self.value.bias", "0.output.dense.weight"] {
        muted.get_mut(&format!("encoder.layer.{name}")).unwrap().1.fill(0.0);
    }
    let tiny = Tiny::new();
    let replaced =
        Model::open(tiny.path()).unwrap().encoder().forward(&sequence(&IDS), &mut Muted).unwrap().hidden;
    tiny.write("model.safetensors", &safetensors(&muted, Dtype::F32));
    assert_eq!(replaced, hidden(&tiny, &IDS));
    assert_ne!(replaced, hidden(&Tiny::new(), &IDS));
}

#[test]
fn recording_keeps_every_layer_and_disturbs_nothing() {
    let tiny = Tiny::new();
    let model = Model::open(tiny.path()).unwrap();
    let mut recorder = Recorder { inner: Digital, layers: Vec::new() };
    let encoding = model.encoder().forward(&sequence(&IDS), &mut recorder).unwrap();
    assert_eq!(encoding.hidden, hidden(&tiny, &IDS));
    assert_eq!(recorder.layers.len(), LAYERS);
    let set = model.capture(&sequence(&IDS), &[1]).unwrap();
    assert_eq!((set.layers(), set.heads(), set.n_keys(), set.d_head()), (1, HEADS, 7, HIDDEN / HEADS));
    assert_eq!((set.layer_number(0), set.key_mask()[5], set.key_mask()[6]), (1, true, false));
    assert_eq!(set.head(0, 1).q, recorder.layers[1][0].index_axis(ndarray::Axis(0), 1));
    assert!(matches!(
        model.capture(&sequence(&IDS), &[2]).unwrap_err(),
        ceas_mapping::Error::Reference(Error::Layer { layer: 2, layers: 2 })
    ));
}

#[test]
fn sequences_that_do_not_fit_are_refused() {
    let model = Model::open(Tiny::new().path()).unwrap();
    let refused = |ids: &[u32]| model.encoder().forward(&sequence(ids), &mut Digital).unwrap_err();
    assert!(matches!(refused(&[]), Error::Length { got: 0, limit: POSITIONS }));
    assert!(matches!(refused(&[0, 0]), Error::Length { got: 2, .. }));
    assert!(matches!(refused(&[4; POSITIONS + 1]), Error::Length { .. }));
    assert!(
        matches!(refused(&[2, 9]), Error::Token { position: 1, id: 9, vocabulary } if vocabulary == WORDS.len())
    );
}
