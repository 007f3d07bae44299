//! The real model, all-MiniLM-L6-v2: `tools/fetch-minilm` puts it where these tests find it.
//!
//! Looked for in `$CEAS_MINILM`, then in `.tools/minilm`. Without it the tests say that they were skipped, or fail if
//! `CEAS_REQUIRE_MINILM=1`. `data/minilm_embeddings.json` holds the three sentence embeddings as another program computes
//! them: a numpy forward of the same checkpoint in float32, with erf by Abramowitz and Stegun 7.1.26.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ceas_mapping::heads::HeadSet;
use ceas_mapping::qkv;
use ceas_mapping::reference::Model;
use ceas_mapping::reference::substrate::Digital;

const SENTENCES: [&str; 3] =
    ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."];

/// The model, or nothing where it was not fetched and is not required.
fn model() -> Option<Model> {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/minilm");
    let folder = std::env::var_os("CEAS_MINILM").map_or(fetched, PathBuf::from);
    if folder.is_dir() {
        return Some(Model::open(&folder).expect("the model that was fetched can be read"));
    }
    let required = std::env::var("CEAS_REQUIRE_MINILM").is_ok_and(|value| value == "1");
    assert!(!required, "no model in {}: run tools/fetch-minilm or set CEAS_MINILM", folder.display());
    // Written past the test harness, which keeps what passing tests print to itself.
    let _ =
        writeln!(io::stderr(), "SKIPPED: no model in {}; tools/fetch-minilm fetches it", folder.display());
    None
}

fn embeddings(model: &Model) -> Vec<Vec<f32>> {
    let embed = |text| {
        let sequence = model.tokens().encode(text, 512).expect("a sentence");
        let encoding = model.encoder().forward(&sequence, &mut Digital).expect("it fits");
        encoding.sentence_embedding().to_vec()
    };
    SENTENCES.map(embed).into()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

#[test]
fn three_sentences_have_the_published_cosines() {
    let Some(model) = model() else { return };
    let e = embeddings(&model);
    for (a, b, cosine) in [(0, 1, 0.6660), (0, 2, 0.1046), (1, 2, 0.1411)] {
        assert!((dot(&e[a], &e[b]) - cosine).abs() < 1e-4, "{a} {b}: {}", dot(&e[a], &e[b]));
    }
}

#[test]
fn embeddings_agree_with_another_program() {
    let Some(model) = model() else { return };
    let golden: Vec<Vec<f32>> =
        serde_json::from_str(include_str!("data/minilm_embeddings.json")).expect("a table of numbers");
    assert_eq!(golden.len(), 3);
    for (computed, golden) in embeddings(&model).iter().zip(&golden) {
        assert_eq!(computed.len(), golden.len());
        let worst = computed.iter().zip(golden).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-5, "{worst}");
    }
}

#[test]
fn the_bundled_heads_are_what_capture_writes() {
    let Some(model) = model() else { return };
    let bundled: HeadSet =
        qkv::from_bytes("bundled", &include_bytes!("../../data/minilm_maxwell.safetensors")[..])
            .expect("sound");
    let sequence = model.tokens().encode(include_str!("../../data/maxwell.txt"), 512).expect("a paragraph");
    let captured = model.capture(&sequence, &[]).expect("it fits");
    assert_eq!(captured.origin().text, bundled.origin().text);
    assert_eq!(captured.origin().tokens, bundled.origin().tokens);
    assert_eq!(captured.origin().layers, bundled.origin().layers);
    assert_eq!(captured.key_mask(), bundled.key_mask());
    // Processors with and without fused multiply-add differ in the last bits of a product.
    for (ours, theirs) in captured.tensors().into_iter().zip(bundled.tensors()) {
        assert_eq!(ours.shape(), theirs.shape());
        let worst = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-4, "{worst}");
    }
}
