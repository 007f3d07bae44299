//! GGUF files and decoder folders that are wrong: each gets an error that names the thing, and none a panic.

mod tiny;

use ceas_mapping::reference::format::Format;
use ceas_mapping::reference::gguf::Gguf;
use ceas_mapping::reference::{Error, LanguageModel, Loaded};
use proptest::prelude::*;
use safetensors::tensor::Dtype;
use tiny::llama::{HIDDEN, Meta, TinyLlama, config, file, gguf, metadata, string, tensors, tokenizer};
use tiny::{Tensors, safetensors};

fn refused(bytes: Vec<u8>) -> Error {
    Gguf::from_bytes("tiny.gguf", bytes)
        .and_then(|gguf| LanguageModel::of_gguf(gguf, "tiny.gguf".as_ref()))
        .map(|_| ())
        .unwrap_err()
}

fn sound() -> Vec<u8> {
    gguf(&tensors(), |_| Format::F32)
}

/// A file with one entry of the metadata replaced or added, and no tensors.
fn entry(key: &str, value: Meta) -> Vec<u8> {
    file(&[(key.to_owned(), value)], &[])
}

fn with_entry(key: &str, value: Meta) -> Error {
    let mut bytes = Vec::new();
    let mut entries = metadata();
    entries.retain(|(name, _)| name != key);
    entries.push((key.to_owned(), value));
    let stored: Vec<_> = tensors()
        .into_iter()
        .map(|(name, (shape, numbers))| {
            let numbers = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
            (tiny::llama::gguf_name(&name), shape, 0, numbers)
        })
        .collect();
    bytes.extend(file(&entries, &stored));
    refused(bytes)
}

#[test]
fn the_sound_file_is_read() {
    let gguf = Gguf::from_bytes("tiny.gguf", sound()).unwrap();
    assert!(LanguageModel::of_gguf(gguf, "tiny.gguf".as_ref()).is_ok());
}

#[test]
fn a_file_ends_or_is_another() {
    let sound = sound();
    for (bytes, named) in [
        (Vec::new(), "it ends: 4 bytes"),
        (b"GGML\x03\0\0\0".to_vec(), "letters GGUF"),
        ([b"GGUF", &1u32.to_le_bytes()[..]].concat(), "version is 1"),
        ([b"GGUF", &3u32.to_be_bytes()[..]].concat(), "big-endian"),
        (sound[..40].to_vec(), "entry 0 of 15"),
        (sound[..sound.len() - 4_000].to_vec(), "claims"),
    ] {
        let error = refused(bytes);
        assert!(matches!(error, Error::Gguf { .. }), "{error}");
        assert!(
            error.to_string().contains(named) && error.to_string().contains("tiny.gguf"),
            "{named}: {error}"
        );
    }
}

#[test]
fn lying_lengths_are_found_out() {
    let array = |kind: u32, length: u64, rest: &[u8]| {
        Meta(9, [&kind.to_le_bytes()[..], &length.to_le_bytes()[..], rest].concat())
    };
    let mut nested = array(0, 0, &[]);
    for _ in 0..100_000 {
        nested = array(9, 1, &nested.1);
        if nested.1.len() > 100_000 {
            break;
        }
    }
    let huge = |n: u64| [&n.to_le_bytes()[..], b"key"].concat();
    for (bytes, named) in [
        (entry("a", array(8, 1 << 60, &[])), "claims 1152921504606846976 values"),
        (entry("a", array(0, u64::MAX, &[])), "claims 18446744073709551615 values"),
        (entry("a", array(10, 300, &[0; 16])), "claims 300 values"),
        (entry("a", nested), "nested more than"),
        (entry("a", array(99, 0, &[])), "no architecture"),
        (entry("a", Meta(99, Vec::new())), "type 99"),
        (entry("a", Meta(7, vec![2])), "truth value is 2"),
        (entry("a", Meta(8, huge(u64::MAX))), "length of 18446744073709551615"),
        (entry("a", Meta(8, huge(1 << 40))), "length of 1099511627776"),
        (entry("general.alignment", Meta::u32(0)), "general.alignment"),
        (entry("general.alignment", Meta::u32(48)), "general.alignment"),
        (file(&[("a".into(), Meta::u32(1)), ("a".into(), Meta::u32(2))], &[]), "a twice"),
    ] {
        let message = refused(bytes).to_string();
        let absent = message.contains("general.architecture");
        assert!(message.contains(named) || (named == "no architecture" && absent), "{named}: {message}");
    }
    let mut counts = sound();
    for (at, named) in [(8, "tensor"), (16, "entry")] {
        let mut bytes = counts.clone();
        bytes[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        let message = refused(bytes).to_string();
        assert!(message.contains(named), "{message}");
    }
    counts.truncate(24);
    assert!(refused(counts).to_string().contains("entry 0"));
}

#[test]
fn tensors_that_cannot_be_there() {
    let tensor = |name: &str, shape: &[usize], kind: u32, bytes: usize| {
        (name.to_owned(), shape.to_vec(), kind, vec![0; bytes])
    };
    let only = |tensors: &[tiny::llama::Placed]| refused(file(&metadata(), tensors)).to_string();
    for (tensors, named) in [
        (vec![tensor("t", &[4, 4], 10, 64)], "tensor t has the type Q2_K"),
        (vec![tensor("t", &[4, 4], 77, 64)], "unknown (number 77)"),
        (vec![tensor("t", &[2, 33], 2, 64)], "cannot hold"),
        (vec![tensor("t", &[usize::MAX, usize::MAX], 0, 64)], "cannot hold"),
        (vec![tensor("t", &[1 << 40, 2], 0, 64)], "tensor t claims 8796093022208 bytes"),
        (vec![tensor("t", &[1; 9], 0, 64)], "9 axes"),
        (vec![tensor("t", &[4], 0, 16), tensor("t", &[4], 0, 16)], "tensor t twice"),
        (vec![tensor("t", &[16], 0, 32), tensor("u", &[4], 0, 16)], "tensor u overlaps"),
    ] {
        let message = only(&tensors);
        assert!(message.contains(named), "{named}: {message}");
    }
    // An offset that is no multiple of the alignment, and one that overflows.
    let sound = sound();
    let at = find(&sound, b"token_embd.weight") + 17 + 4 + 16 + 4;
    for (offset, named) in [(8u64, "multiple of 32"), (u64::MAX - 8, "claims")] {
        let mut bytes = sound.clone();
        bytes[at..at + 8].copy_from_slice(&offset.to_le_bytes());
        let message = refused(bytes).to_string();
        assert!(message.contains(named) && message.contains("token_embd.weight"), "{message}");
    }
}

fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|window| window == what).unwrap()
}

#[test]
fn tensors_missing_left_over_or_not_numbers() {
    let with = |change: &dyn Fn(&mut Tensors)| {
        let mut tensors = tensors();
        change(&mut tensors);
        let folder = TinyLlama::new();
        folder.write("model.safetensors", &safetensors(&tensors, Dtype::F32));
        [refused(gguf(&tensors, |_| Format::F32)), Loaded::open(folder.folder.path()).unwrap_err()]
    };
    let key = "model.layers.1.self_attn.k_proj.weight";
    for error in with(&|t| drop(t.remove(key))) {
        assert!(matches!(&error, Error::NoTensor { tensor, .. } if tensor.contains('k')), "{error}");
    }
    let bias = "model.layers.1.self_attn.k_proj.bias";
    for error in with(&|t| drop(t.insert(bias.into(), (vec![16], vec![0.0; 16])))) {
        assert!(matches!(&error, Error::ExtraTensor { tensor, .. } if tensor.ends_with(".bias")), "{error}");
    }
    for error in with(&|t| drop(t.insert("model.layers.2.x.weight".into(), (vec![1], vec![0.0])))) {
        assert!(error.to_string().contains("2.x"), "{error}");
    }
    for error in with(&|t| t.get_mut(key).unwrap().0 = vec![8, 64]) {
        assert!(matches!(error, Error::Shape { .. }), "{error}");
    }
    for error in with(&|t| t.get_mut("model.norm.weight").unwrap().1[3] = f32::NAN) {
        assert!(matches!(&error, Error::NotFinite { index, .. } if index == &[3]), "{error}");
    }
    for error in with(&|t| t.get_mut("model.embed_tokens.weight").unwrap().1[HIDDEN + 2] = f32::INFINITY) {
        assert!(matches!(&error, Error::NotFinite { index, .. } if index == &[1, 2]), "{error}");
    }
}

#[test]
fn other_architectures_and_constants_are_refused_by_name() {
    for (key, value, named) in [
        ("general.architecture", Meta::text("qwen2"), "\"qwen2\""),
        ("general.architecture", Meta::u32(3), "expected a string"),
        ("llama.expert_count", Meta::u32(8), "8 experts"),
        ("llama.rope.scaling.type", Meta::text("yarn"), "\"yarn\""),
        ("llama.rope.dimension_count", Meta::u32(4), "rope.dimension_count 4"),
        ("llama.block_count", Meta::u32(0), "layers is 0"),
        ("llama.block_count", Meta::text("two"), "whole number"),
        ("llama.attention.head_count", Meta::u32(5), "multiple of the 5"),
        ("llama.attention.head_count_kv", Meta::u32(3), "cannot share 3"),
        ("llama.attention.layer_norm_rms_epsilon", Meta::f32(f32::NAN), "RMSNorm"),
        ("llama.rope.freq_base", Meta::f32(-3.0), "rotary base -3"),
        ("llama.block_count", Meta::u32(u32::MAX), "blk.2"),
        ("llama.feed_forward_length", Meta::u32(u32::MAX), "4294967295"),
        ("tokenizer.ggml.merges", Meta::texts(&["a z"]), "merge 0"),
        ("tokenizer.ggml.tokens", Meta::texts(&["a", "a"]), "both \"a\""),
        ("tokenizer.ggml.tokens", Meta::texts(&["a"; 10]), "10 tokens, the model 9"),
    ] {
        let message = with_entry(key, value).to_string();
        assert!(message.contains(named), "{key}: {message}");
    }
    let tiny = TinyLlama::new();
    for (key, value, named) in [
        ("architectures", serde_json::json!(["MistralForCausalLM"]), "MistralForCausalLM"),
        ("model_type", serde_json::json!("qwen3"), "qwen3"),
        ("rope_scaling", serde_json::json!({"rope_type": "yarn", "factor": 4.0}), "yarn"),
        ("rope_scaling", serde_json::json!({"rope_type": "llama3", "factor": 4.0}), "low_freq_factor"),
        ("rope_scaling", serde_json::json!({"type": "linear", "factor": 0.0}), "factor 0"),
        ("num_key_value_heads", serde_json::json!(3), "cannot share 3"),
        ("head_dim", serde_json::json!(7), "odd dimension 7"),
        ("vocab_size", serde_json::json!(5), "9 tokens, the model 5"),
        ("hidden_act", serde_json::json!("mish"), "mish"),
        ("num_hidden_layers", serde_json::json!(1u64 << 60), "model.layers.2"),
        ("attention_bias", serde_json::json!(true), "q_proj.bias"),
    ] {
        let mut config = config();
        config[key] = value;
        tiny.write("config.json", config.to_string().as_bytes());
        let message = Loaded::open(tiny.folder.path()).unwrap_err().to_string();
        assert!(message.contains(named), "{key}: {message}");
    }
    let mut wider = tokenizer();
    wider["model"]["vocab"]["zz"] = 9.into();
    tiny.write("config.json", config().to_string().as_bytes());
    tiny.write("tokenizer.json", wider.to_string().as_bytes());
    assert!(matches!(
        Loaded::open(tiny.folder.path()).unwrap_err(),
        Error::Vocabulary { tokens: 10, vocabulary: 9, .. }
    ));
}

#[test]
fn a_tokenizer_that_is_not_built_stands_in_nobodys_way_but_the_texts() {
    for (key, value, named) in [
        ("tokenizer.ggml.model", Meta::text("llama"), "\"llama\""),
        ("tokenizer.ggml.pre", Meta::text("tekken"), "\"tekken\""),
    ] {
        let mut entries = metadata();
        entries.retain(|(name, _)| name != key);
        entries.push((key.to_owned(), value));
        let sound = Gguf::from_bytes("tiny.gguf", sound()).unwrap();
        let stored: Vec<_> = tensors()
            .into_iter()
            .map(|(name, (shape, numbers))| {
                let numbers: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
                (tiny::llama::gguf_name(&name), shape, 0, numbers)
            })
            .collect();
        let gguf = Gguf::from_bytes("tiny.gguf", file(&entries, &stored)).unwrap();
        assert_eq!(gguf.checkpoint().size(), sound.checkpoint().size());
        let model = LanguageModel::of_gguf(gguf, "tiny.gguf".as_ref()).unwrap();
        assert_eq!(model.tokens().sequence(&[1, 2], 9).unwrap().tokens, ["#1", "#2"]);
        let message = model.tokens().encode("ab", 9).unwrap_err().to_string();
        assert!(message.contains(named) && message.contains("--tokens"), "{message}");
    }
    assert!(string("ab").len() == 10);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_bytes_make_the_reader_panic(edits in prop::collection::vec((0usize..2_400, any::<u8>()), 1..5), cut in 0usize..60_000) {
        let mut bytes = sound();
        for (at, byte) in edits {
            bytes[at] = byte;
        }
        let read = |bytes: Vec<u8>| {
            if let Ok(gguf) = Gguf::from_bytes("memory", bytes) {
                let _ = LanguageModel::of_gguf(gguf, "memory".as_ref()).map(|model| model.tokens().encode("ab cd", 9));
            }
        };
        read(bytes.clone());
        bytes.truncate(bytes.len().saturating_sub(cut));
        read(bytes);
    }

    #[test]
    fn no_value_makes_the_reader_panic(kind in 0u32..14, value in prop::collection::vec(any::<u8>(), 0..40)) {
        let _ = Gguf::from_bytes("memory", entry("key", Meta(kind, value)));
    }
}
