//! Files of q, k, v: what is written is read back, the bundled file is what it says, and wrong files are named.

mod tiny;

use ceas_mapping::heads::{HeadSet, Origin};
use ceas_mapping::reference::substrate::{Projections, softmax_attention};
use ceas_mapping::{Error, qkv};
use ndarray::{Array3, Array4, Axis};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use tiny::{Tensors, lie, safetensors};

const BUNDLED: &[u8] = include_bytes!("../../data/minilm_maxwell.safetensors");

fn ramp(shape: [usize; 4]) -> Array4<f32> {
    let mut x = 0.0;
    Array4::from_shape_simple_fn(shape, || {
        x += 0.25;
        x - 7.0
    })
}

fn set() -> HeadSet {
    let origin = Origin {
        model: "a \"model\"".into(),
        text: "two\nlines, naïve".into(),
        tokens: ["α", "\"", "\\"].map(String::from).into(),
        licence: "none".into(),
        layers: vec![3, 1],
    };
    let tensors = [ramp([2, 2, 2, 4]), ramp([2, 2, 3, 4]), ramp([2, 2, 3, 5])];
    HeadSet::new(tensors, vec![true, true, false], true, origin).unwrap()
}

#[test]
fn what_is_written_is_read_back() {
    let bytes = qkv::to_bytes(&set());
    assert_eq!(qkv::from_bytes("memory", bytes.clone()).unwrap(), set());
    assert_eq!(qkv::to_bytes(&set()), bytes);
    // Another reader of the format agrees.
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("v").unwrap().shape(), [2, 2, 3, 5]);
    assert_eq!(file.tensor("mask").unwrap().data(), [1, 1, 0]);
    let (length, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(length % 8, 0);
    let strings = metadata.metadata().as_ref().unwrap();
    assert_eq!((strings["format"].as_str(), strings["version"].as_str()), ("ceas-qkv", "1"));
    assert_eq!((strings["causal"].as_str(), strings["layers"].as_str()), ("true", "[3,1]"));
}

fn plain(shape: &[usize], dtype: Dtype) -> Vec<u8> {
    let numbers: Vec<f32> = (0..shape.iter().product()).map(|i| i as f32 / 4.0).collect();
    let tensors: Tensors =
        ["q", "k", "v"].into_iter().map(|name| (name.into(), (shape.to_vec(), numbers.clone()))).collect();
    safetensors(&tensors, dtype)
}

#[test]
fn a_plain_file_needs_three_tensors_and_nothing_else() {
    let full = qkv::from_bytes("memory", plain(&[1, 2, 3, 4], Dtype::F32)).unwrap();
    assert_eq!((full.is_causal(), full.key_mask()), (false, &[true; 3][..]));
    for dtype in [Dtype::F16, Dtype::BF16, Dtype::F64] {
        assert_eq!(qkv::from_bytes("memory", plain(&[1, 2, 3, 4], dtype)).unwrap(), full, "{dtype:?}");
    }
    assert_eq!(qkv::from_bytes("memory", plain(&[2, 3, 4], Dtype::F32)).unwrap(), full);
}

#[test]
fn wrong_files_are_named() {
    let with = |metadata: &str, tensors: &str, data: usize| lie(&format!("{{{metadata}{tensors}}}"), data);
    let qkv_of = |dtype: &str, size: usize| -> String {
        let entry = |(i, name): (usize, &str)| {
            let (begin, end) = (i * size * 4, (i + 1) * size * 4);
            format!(r#""{name}":{{"dtype":"{dtype}","shape":[1,2,2],"data_offsets":[{begin},{end}]}}"#)
        };
        ["q", "k", "v"].into_iter().enumerate().map(entry).collect::<Vec<_>>().join(",")
    };
    let good = qkv_of("F32", 4);
    let strings = |key: &str, value: &str| {
        with(&format!(r#""__metadata__":{{"{key}":{}}},"#, serde_json::json!(value)), &good, 48)
    };
    let mask = |dtype: &str, shape: usize, size: usize, fill: u8| {
        let entry = format!(
            r#"{good},"mask":{{"dtype":"{dtype}","shape":[{shape}],"data_offsets":[48,{}]}}"#,
            48 + size
        );
        let mut bytes = with("", &entry, 48 + size);
        let end = bytes.len();
        bytes[end - size..].fill(fill);
        bytes
    };
    assert!(qkv::from_bytes("memory", with("", &good, 48)).is_ok());
    assert!(qkv::from_bytes("memory", mask("BOOL", 2, 2, 1)).is_ok());
    let cases = [
        (with("", &good.replace("\"v\"", "\"w\""), 48), "tensor w is unknown"),
        (with("", r#""q":{"dtype":"F32","shape":[1,2,2],"data_offsets":[0,16]}"#, 16), "no tensor k"),
        (with("", &qkv_of("I32", 4), 48), "has type I32"),
        (plain(&[4], Dtype::F32), "[layers, heads, n, d]"),
        (plain(&[1, 0, 3, 4], Dtype::F32), "dimension of size 0"),
        (strings("format", "other"), "format is \"other\""),
        (strings("version", "2"), "version is \"2\""),
        (strings("causal", "yes"), "causal is \"yes\""),
        (strings("tokens", "[\"a\"]"), "tokens has 1 entries; expected 2"),
        (strings("tokens", "a b"), "tokens is not a JSON array"),
        (strings("layers", "[0, 1]"), "layers has 2 entries; expected 1"),
        (mask("F32", 2, 8, 0), "mask has type F32"),
        (mask("U8", 3, 3, 1), "[2], one entry per key"),
        (mask("U8", 2, 2, 7), "mask holds 7 at 0"),
        (mask("U8", 2, 2, 0), "no key to attend to"),
    ];
    for (bytes, named) in cases {
        let message = qkv::from_bytes("given.safetensors", bytes).unwrap_err().to_string();
        assert!(message.contains(named), "{named}: {message}");
    }
    let mut bad = plain(&[1, 2, 3, 4], Dtype::F32);
    let end = bad.len();
    bad[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let message = qkv::from_bytes("given.safetensors", bad).unwrap_err().to_string();
    assert!(message.contains("tensor v holds NaN at [0, 1, 2, 3]"), "{message}");
    assert!(matches!(qkv::read("nowhere.safetensors".as_ref()), Err(Error::Reference(_))));
}

#[test]
fn the_bundled_file_is_what_it_says() {
    assert!(BUNDLED.len() <= 3_000_000);
    let set = qkv::from_bytes("bundled", BUNDLED).unwrap();
    assert_eq!((set.layers(), set.heads(), set.d_head(), set.d_value()), (6, 12, 32, 32));
    assert_eq!((set.n_queries(), set.n_keys(), set.is_causal()), (102, 102, false));
    let origin = set.origin();
    assert_eq!(origin.model, "sentence-transformers/all-MiniLM-L6-v2");
    assert_eq!(origin.text, include_str!("../../data/maxwell.txt").trim());
    assert!(origin.licence.contains("Apache-2.0") && origin.licence.contains("public domain"));
    assert_eq!((origin.tokens[0].as_str(), origin.tokens[101].as_str()), ("[CLS]", "[SEP]"));
    assert_eq!(set.key_mask(), [true; 102]);
    assert_eq!(qkv::to_bytes(&set), BUNDLED);
}

#[test]
fn attention_on_the_bundled_heads_is_a_mean_of_values() {
    let set = qkv::from_bytes("bundled", BUNDLED).unwrap();
    let [q, k, v] = set.tensors();
    for layer in 0..set.layers() {
        let [q, k, v] = [q, k, v].map(|x| x.index_axis(Axis(0), layer));
        let whole = Projections { q, k, v, mask: set.key_mask(), first: 0, causal: false };
        // With values of one, the context is the sum of each row of probabilities.
        let ones = Array3::ones(v.raw_dim());
        let sums = softmax_attention(0, &Projections { v: ones.view(), ..whole });
        assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-5), "layer {layer}");
        let context = softmax_attention(0, &whole);
        for (head, context) in context.outer_iter().enumerate() {
            let v = v.index_axis(Axis(0), head);
            let largest = v.iter().fold(0.0f32, |a, b| a.max(b.abs()));
            assert!(context.iter().all(|x| x.abs() <= largest * 1.00001), "layer {layer} head {head}");
        }
    }
}
