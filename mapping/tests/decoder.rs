//! The exact forward of decoders: against a slow twin in f64, from a folder and from GGUF, at once and token by token.

mod tiny;

use ceas_mapping::reference::format::Format;
use ceas_mapping::reference::gguf::Gguf;
use ceas_mapping::reference::substrate::Digital;
use ceas_mapping::reference::{Error, LanguageModel, Loaded};
use ndarray::Array2;
use safetensors::tensor::Dtype;
use tiny::llama::{
    CONTEXT, D, HEADS, HIDDEN, KV_HEADS, LAYERS, THETA, TinyLlama, WORDS, config, gguf, tensors,
};
use tiny::{Tensors, safetensors};

const IDS: [u32; 7] = [5, 6, 2, 0, 8, 3, 1];

type Matrix = Vec<Vec<f64>>;

/// The formulas of the decoder once more, one scalar at a time, in f64.
struct Twin<'a>(&'a Tensors);

impl Twin<'_> {
    fn matrix(&self, name: &str) -> Matrix {
        let (shape, numbers) = &self.0[&format!("{name}.weight")];
        numbers
            .chunks(shape[shape.len() - 1])
            .map(|row| row.iter().map(|&x| f64::from(x)).collect())
            .collect()
    }

    fn map(&self, x: &[f64], name: &str) -> Vec<f64> {
        self.matrix(name).iter().map(|w| w.iter().zip(x).map(|(w, x)| w * x).sum()).collect()
    }

    fn norm(&self, x: &[f64], name: &str) -> Vec<f64> {
        let square = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64;
        x.iter().zip(&self.matrix(name)[0]).map(|(x, w)| x / (square + 1e-5).sqrt() * w).collect()
    }

    fn turn(x: &mut [f64], position: usize, stretch: f64) {
        for head in x.chunks_mut(D) {
            for i in 0..D / 2 {
                let angle = position as f64 / stretch * THETA.powf(-2.0 * i as f64 / D as f64);
                let (a, b) = (head[i], head[i + D / 2]);
                head[i] = a * angle.cos() - b * angle.sin();
                head[i + D / 2] = a * angle.sin() + b * angle.cos();
            }
        }
    }

    /// Logits of every position.
    fn forward(&self, ids: &[u32], stretch: f64) -> Matrix {
        let words = self.matrix("model.embed_tokens");
        let mut x: Matrix = ids.iter().map(|&id| words[id as usize].clone()).collect();
        for layer in 0..LAYERS {
            let name = |part: &str| format!("model.layers.{layer}.{part}");
            let y: Matrix = x.iter().map(|x| self.norm(x, &name("input_layernorm"))).collect();
            let project = |part: &str| -> Matrix { y.iter().map(|y| self.map(y, &name(part))).collect() };
            let [mut q, mut k, v] = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"].map(project);
            for t in 0..ids.len() {
                Self::turn(&mut q[t], t, stretch);
                Self::turn(&mut k[t], t, stretch);
            }
            for t in 0..ids.len() {
                let mut context = vec![0.0; HEADS * D];
                for head in 0..HEADS {
                    let shared = head / (HEADS / KV_HEADS);
                    let weight = |j: usize| {
                        let s: f64 = (0..D).map(|a| q[t][head * D + a] * k[j][shared * D + a]).sum();
                        (s / (D as f64).sqrt()).exp()
                    };
                    let z: f64 = (0..=t).map(weight).sum();
                    for a in 0..D {
                        context[head * D + a] = (0..=t).map(|j| weight(j) / z * v[j][shared * D + a]).sum();
                    }
                }
                let out = self.map(&context, &name("self_attn.o_proj"));
                x[t].iter_mut().zip(out).for_each(|(x, o)| *x += o);
            }
            for x in &mut x {
                let y = self.norm(x, &name("post_attention_layernorm"));
                let gate = self.map(&y, &name("mlp.gate_proj"));
                let up = self.map(&y, &name("mlp.up_proj"));
                let inner: Vec<f64> = gate.iter().zip(up).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect();
                let down = self.map(&inner, &name("mlp.down_proj"));
                x.iter_mut().zip(down).for_each(|(x, d)| *x += d);
            }
        }
        let head = if self.0.contains_key("lm_head.weight") { "lm_head" } else { "model.embed_tokens" };
        x.iter().map(|x| self.map(&self.norm(x, "model.norm"), head)).collect()
    }
}

fn decoder(path: &std::path::Path) -> LanguageModel {
    match Loaded::open(path).unwrap() {
        Loaded::Decoder(model) => *model,
        Loaded::Encoder(_) => panic!("an encoder"),
    }
}

fn logits(model: &LanguageModel, ids: &[u32]) -> Array2<f32> {
    let mut cache = model.decoder().cache(ids.len()).unwrap();
    let hidden = model.decoder().forward(ids, &mut cache, &mut Digital).unwrap();
    model.decoder().logits(hidden.view())
}

fn assert_near(computed: &Array2<f32>, exact: &Matrix, tolerance: f64) {
    for ((i, c), &x) in computed.indexed_iter() {
        assert!((f64::from(x) - exact[i][c]).abs() < tolerance, "[{i}, {c}]: {x} {}", exact[i][c]);
    }
}

#[test]
fn the_forward_is_its_formulas() {
    let tiny = TinyLlama::new();
    for path in [tiny.folder.path().to_owned(), tiny.file("model.gguf")] {
        for ids in [&IDS[..], &[3], &[1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 6]]
        {
            let exact = Twin(&tensors()).forward(ids, 1.0);
            assert_near(&logits(&decoder(&path), ids), &exact, 1e-4);
            // Positions matter at this tolerance.
            let other = Twin(&tensors()).forward(ids, 2.0);
            let apart = exact
                .iter()
                .flatten()
                .zip(other.iter().flatten())
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f64::max);
            assert!(ids.len() == 1 || apart > 1e-2, "{apart}");
        }
    }
}

#[test]
fn a_read_out_of_its_own_and_stretched_positions() {
    let mut with_head = tensors();
    let numbers = (0..WORDS.len() * HIDDEN).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
    with_head.insert("lm_head.weight".into(), (vec![WORDS.len(), HIDDEN], numbers));
    let tiny = TinyLlama::new();
    let mut config = config();
    config["tie_word_embeddings"] = false.into();
    config["rope_scaling"] = serde_json::json!({"type": "linear", "factor": 2.0});
    tiny.write("config.json", config.to_string().as_bytes());
    tiny.write("model.safetensors", &safetensors(&with_head, Dtype::F32));
    let exact = Twin(&with_head).forward(&IDS, 2.0);
    assert_near(&logits(&decoder(tiny.folder.path()), &IDS), &exact, 1e-4);
    tiny.write("model.gguf", &gguf(&with_head, |_| Format::F32));
    assert_near(
        &logits(&decoder(&tiny.file("model.gguf")), &IDS),
        &Twin(&with_head).forward(&IDS, 1.0),
        1e-4,
    );
    // Untied, and no tensor for it.
    tiny.write("model.safetensors", &safetensors(&tensors(), Dtype::F32));
    let error = Loaded::open(tiny.folder.path()).unwrap_err();
    assert!(matches!(&error, Error::NoTensor { tensor, .. } if tensor == "lm_head.weight"), "{error}");
}

#[test]
fn formats_may_be_mixed_and_are_only_converted() {
    let mixed = |name: &str| match name {
        _ if name.contains("embed") => Format::Q8_0,
        _ if name.contains("mlp") => Format::F16,
        _ if name.contains("o_proj") => Format::BF16,
        _ => Format::F32,
    };
    let bytes = gguf(&tensors(), mixed);
    let gguf = Gguf::from_bytes("memory", bytes).unwrap();
    let mut read = Tensors::new();
    for (name, (shape, numbers)) in tensors() {
        let numbers = match (mixed(&name), shape.len()) {
            (Format::F32, _) | (_, 1) => numbers,
            _ => {
                let stored =
                    gguf.checkpoint().matrix(&tiny::llama::gguf_name(&name), [shape[0], shape[1]]).unwrap();
                let mut row = vec![0.0; shape[1]];
                (0..shape[0])
                    .flat_map(|i| {
                        stored.row(i, &mut row);
                        row.clone()
                    })
                    .collect()
            }
        };
        read.insert(name, (shape, numbers));
    }
    let model = LanguageModel::of_gguf(gguf, "tiny".as_ref()).unwrap();
    let ours = logits(&model, &IDS);
    assert_near(&ours, &Twin(&read).forward(&IDS, 1.0), 1e-4);
    let unrounded = Twin(&tensors()).forward(&IDS, 1.0);
    assert!(ours.indexed_iter().any(|((i, c), &x)| (f64::from(x) - unrounded[i][c]).abs() > 1e-3));
    let formats: Vec<&str> = model.formats().iter().map(|(format, _)| format.as_str()).collect();
    assert_eq!(formats, ["BF16", "F16", "F32", "Q8_0"]);
}

#[test]
fn shards_are_one_checkpoint() {
    let tiny = TinyLlama::new();
    let whole = logits(&decoder(tiny.folder.path()), &IDS);
    let (one, other): (Tensors, Tensors) =
        tensors().into_iter().partition(|(name, _)| name.contains("layers.0"));
    let mut map = serde_json::Map::new();
    for (shard, tensors) in [("a.safetensors", &one), ("b.safetensors", &other)] {
        tiny.write(shard, &safetensors(tensors, Dtype::F32));
        map.extend(tensors.keys().map(|name| (name.clone(), shard.into())));
    }
    std::fs::remove_file(tiny.file("model.safetensors")).unwrap();
    let index = |map: &serde_json::Map<String, serde_json::Value>| {
        tiny.write(
            "model.safetensors.index.json",
            serde_json::json!({"weight_map": map}).to_string().as_bytes(),
        );
    };
    index(&map);
    assert_eq!(logits(&decoder(tiny.folder.path()), &IDS), whole);
    let refused = |change: &dyn Fn(&mut serde_json::Map<String, serde_json::Value>)| {
        let mut map = map.clone();
        change(&mut map);
        index(&map);
        Loaded::open(tiny.folder.path()).unwrap_err().to_string()
    };
    let name = "model.norm.weight";
    assert!(refused(&|map| drop(map.remove(name))).contains(name));
    assert!(refused(&|map| drop(map.insert(name.into(), "a.safetensors".into()))).contains(name));
    assert!(refused(&|map| drop(map.insert(name.into(), "../b.safetensors".into()))).contains("../b"));
    assert!(refused(&|map| drop(map.insert(name.into(), "c.safetensors".into()))).contains("c.safetensors"));
    assert!(
        refused(&|map| drop(map.insert("extra.weight".into(), "a.safetensors".into())))
            .contains("extra.weight")
    );
}

#[test]
fn token_by_token_and_shared_heads_are_the_same() {
    let tiny = TinyLlama::new();
    let model = decoder(tiny.folder.path());
    let whole = logits(&model, &IDS);
    let mut cache = model.decoder().cache(IDS.len()).unwrap();
    for (position, id) in IDS.iter().enumerate() {
        let hidden = model.decoder().forward(&[*id], &mut cache, &mut Digital).unwrap();
        let one = model.decoder().logits(hidden.view());
        assert!(one.row(0).iter().zip(whole.row(position)).all(|(a, b)| (a - b).abs() < 1e-5));
    }
    assert_eq!(cache.bytes(), model.decoder().cache_bytes_per_token() * IDS.len());
    let full = model.decoder().forward(&[0], &mut cache, &mut Digital).unwrap_err();
    assert!(matches!(full, Error::Length { got: 8, limit: 7 }));
    assert!(matches!(model.decoder().cache(CONTEXT + 1), Err(Error::Length { .. })));
    cache.truncate(2);
    assert!(matches!(
        model.decoder().forward(&[0, 9], &mut cache, &mut Digital).unwrap_err(),
        Error::Token { position: 3, id: 9, vocabulary: 9 }
    ));
    let sequence = model.tokens().sequence(&IDS, 99).unwrap();
    let set = model.capture(&sequence, &[1]).unwrap();
    assert!(set.is_causal() && set.heads() == HEADS && set.head(0, 0).k == set.head(0, 1).k);
    assert!(set.head(0, 1).k != set.head(0, 2).k);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let tiny = TinyLlama::new();
    let model = decoder(&tiny.file("model.gguf"));
    let on = |threads: usize, ids: &[u32]| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| logits(&model, ids))
    };
    for ids in [&IDS[..], &IDS[..2]] {
        assert_eq!(on(1, ids), on(5, ids));
    }
}

#[test]
fn the_tokenizer_of_a_file_is_that_of_the_folder() {
    let tiny = TinyLlama::new();
    let (folder, file) = (decoder(tiny.folder.path()), decoder(&tiny.file("model.gguf")));
    for text in ["ab cd", "abab", "a c b"] {
        let ids = file.tokens().encode(text, 99).unwrap().ids;
        assert_eq!(ids, folder.tokens().encode(text, 99).unwrap().ids);
        assert_eq!(file.tokens().decode(&ids).unwrap(), text);
    }
    // Control tokens are found in the text, and end it; they are not spelt.
    let ids = file.tokens().encode("ab<|end|>", 99).unwrap().ids;
    assert_eq!(
        (ids.as_slice(), file.tokens().is_end(7), folder.tokens().is_end(7)),
        (&[5, 7][..], true, true)
    );
    assert_eq!(file.tokens().decode(&ids).unwrap(), "ab");
}
