//! `ceas run` as a user and a script meet it, on tiny random models; the real ones are tested in mapping/tests/.

#[path = "../mapping/tests/tiny/mod.rs"]
mod tiny;

use assert_cmd::Command;
use serde_json::Value;
use tiny::Tiny;
use tiny::llama::TinyLlama;

fn run(arguments: &[&str]) -> std::process::Output {
    Command::cargo_bin("ceas").unwrap().arg("run").args(arguments).output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = run(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn shown(path: &std::path::Path) -> String {
    path.display().to_string()
}

const WORDS: &str = "spin glass heated";

#[test]
fn the_document_has_the_keys_that_scripts_rely_on() {
    let (encoder, decoder) = (Tiny::new(), TinyLlama::new());
    let (bert, gguf) = (shown(encoder.path()), shown(&decoder.file("model.gguf")));
    for (model, text, task, own) in [
        (&bert, WORDS, "embed", "cosine"),
        (&gguf, "ab cab d", "perplexity", "delta_nll"),
        (&gguf, "ab cab d", "generate", "next_token_kl"),
    ] {
        let on = if task == "embed" { "attention,ffn" } else { "all" };
        let document = json(&[
            "--model",
            model,
            "--text",
            text,
            "--task",
            task,
            "--on",
            on,
            "--samples",
            "32",
            "--max-tokens",
            "5",
        ]);
        for key in ["command", "task", "tokens", "exact", "substrate", "activity", "notes", own] {
            assert!(!document[key].is_null(), "{task}: {key}");
        }
        assert_eq!((&document["command"], &document["task"]), (&"run".into(), &task.into()));
        let estimate = &document[own];
        assert!(estimate["mean"].is_number() && estimate["error"].is_number(), "{estimate}");
        assert!(document["activity"]["attempts"].as_u64().unwrap() > 0);
        let parts = document["activity_by_component"].as_object().unwrap();
        assert_eq!(parts.len(), if on == "all" { 4 } else { 2 });
    }
    let heads = json(&["--model", &gguf, "--text", "ab cab d", "--task", "heads", "--samples", "20"]);
    assert_eq!((heads["command"].as_str(), heads["task"].as_str()), (Some("run"), Some("heads")));
    assert_eq!(heads["heads"].as_array().unwrap().len(), 8);
    assert!(heads["heads"][3]["rel_error"].is_number() && heads["activity"]["attempts"].is_number());
}

#[test]
fn the_seed_decides_and_threads_do_not() {
    let decoder = TinyLlama::new();
    let gguf = shown(&decoder.file("model.gguf"));
    let with = |more: &[&str]| {
        let base = [
            "--model",
            &gguf,
            "--text",
            "ab cab dab cab",
            "--task",
            "perplexity",
            "--on",
            "attention,ffn",
            "--samples",
            "8",
        ];
        json(&[&base[..], more].concat())["substrate"]["nll"].clone()
    };
    let one = with(&["--threads", "1"]);
    assert_eq!(one, with(&["--threads", "3"]));
    assert_ne!(one, with(&["--seed", "2"]));
    assert_eq!(with(&["--sampler", "race"]), one, "race is the default");
    assert_ne!(with(&["--flaws", "field-bits=2"]), one);
}

#[test]
fn more_samples_come_nearer_and_nothing_on_spins_is_exact() {
    let encoder = Tiny::new();
    let bert = shown(encoder.path());
    let file = shown(&encoder.file("lines.txt"));
    std::fs::write(&file, "spin glass\n\nheated spin glass.\nglass glass heated\n spin .\n").unwrap();
    let with = |samples: &str| {
        json(&[
            "--model",
            &bert,
            "--text-file",
            &file,
            "--task",
            "embed",
            "--on",
            "attention,ffn",
            "--samples",
            samples,
        ])
    };
    let (few, many) = (with("4"), with("4000"));
    assert_eq!(many["texts"].as_array().unwrap().len(), 4);
    let distance = |document: &Value| 1.0 - document["cosine"]["mean"].as_f64().unwrap();
    assert!(distance(&few) > 20.0 * distance(&many), "{} {}", few["cosine"], many["cosine"]);
    // Six pairs of a random model, some nearly equal: the order of those may turn, not that of most.
    let order = many["rank_correlation"]["mean"].as_f64().unwrap();
    assert!(order > 0.5 && order <= 1.0, "{}", many["rank_correlation"]);
    // Norms at T = 0 are the norms themselves.
    let exact = json(&["--model", &bert, "--text-file", &file, "--task", "embed", "--on", "norm"]);
    assert!(distance(&exact).abs() < 1e-12);
}

#[test]
fn the_law_of_the_next_token_comes_nearer_with_samples() {
    let decoder = TinyLlama::new();
    let gguf = shown(&decoder.file("model.gguf"));
    let divergence = |on: &str, samples: &str| {
        let base = ["--model", &gguf, "--prompt", "ab cab d", "--task", "generate", "--max-tokens", "8"];
        let document = json(&[&base[..], &["--on", on, "--samples", samples]].concat());
        document["next_token_kl"]["mean"].as_f64().unwrap()
    };
    let (few, many) = (divergence("attention,ffn", "4"), divergence("attention,ffn", "4000"));
    assert!(few > 20.0 * many && many > 0.0, "{few} {many}");
    // Norms at T = 0 are the norms themselves.
    assert!(divergence("norm", "4").abs() < 1e-12);
}

#[test]
fn everything_asked_for_is_left_and_nothing_else() {
    let (encoder, decoder) = (Tiny::new(), TinyLlama::new());
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| shown(&folder.path().join(name));
    let (bert, gguf) = (shown(encoder.path()), shown(&decoder.file("model.gguf")));
    for (model, text, task) in
        [(&bert, WORDS, "embed"), (&gguf, "ab cab", "perplexity"), (&gguf, "ab cab", "generate")]
    {
        let [plot, report] = ["png", "html"].map(|ending| path(&format!("{task}.{ending}")));
        let output = run(&[
            "--model",
            model,
            "--text",
            text,
            "--task",
            task,
            "--plot",
            &plot,
            "--report",
            &report,
            "--max-tokens",
            "8",
        ]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(std::fs::read(&plot).unwrap().starts_with(b"\x89PNG"));
        assert!(std::fs::read_to_string(&report).unwrap().contains("Where it ran"));
        let text = String::from_utf8(output.stdout).unwrap();
        let widest = text.lines().map(|line| line.trim_end().chars().count()).max().unwrap();
        assert!(widest <= 110, "{task}: {widest} columns");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 6);
}

#[cfg(feature = "hdf5")]
#[test]
fn the_file_holds_what_came_out() {
    use ceas_npu::sim::snapshot::hdf5;
    let decoder = TinyLlama::new();
    let gguf = shown(&decoder.file("model.gguf"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.h5");
    let document = json(&[
        "--model",
        &gguf,
        "--text",
        "ab cab d",
        "--task",
        "perplexity",
        "--repeats",
        "3",
        "--out",
        &shown(&path),
    ]);
    let file = hdf5::File::open(&path).unwrap();
    let nll: Vec<f64> = file.dataset("nll_exact").unwrap().read_raw().unwrap();
    let mean = nll.iter().sum::<f64>() / nll.len() as f64;
    assert!((mean - document["exact"]["nll"]["mean"].as_f64().unwrap()).abs() < 1e-12);
    assert_eq!(file.dataset("nll_substrate").unwrap().shape(), [3, nll.len()]);
}

#[test]
fn what_is_wrong_is_named() {
    let (encoder, decoder) = (Tiny::new(), TinyLlama::new());
    let (bert, gguf) = (shown(encoder.path()), shown(&decoder.file("model.gguf")));
    let ids = shown(&decoder.file("ids.json"));
    std::fs::write(&ids, "[1, 2, 9]").unwrap();
    let empty = shown(&decoder.file("empty.txt"));
    std::fs::write(&empty, "\n \n").unwrap();
    let nothing = shown(&decoder.file("nothing.gguf"));
    std::fs::write(&nothing, "GG").unwrap();
    let bert = ["--model", &bert];
    let llama = ["--model", &gguf];
    for (model, arguments, named) in [
        (bert, vec!["--task", "embed", "--samples", "0"], "at least once"),
        (bert, vec!["--task", "embed", "--samples", "ffn=0"], "at least once"),
        (bert, vec!["--task", "embed", "--samples", "rows=4"], "attention=S"),
        (bert, vec!["--task", "embed", "--on", "position"], "learned vectors"),
        (bert, vec!["--task", "embed", "--on", "embedding"], "known are"),
        (bert, vec!["--task", "embed", "--text-file", &empty], "is empty"),
        (bert, vec!["--task", "embed", "--repeats", "0"], "--repeats 0"),
        (bert, vec!["--task", "embed", "--norm-temperature", "1"], "norm"),
        (bert, vec!["--task", "embed", "--temperature", "1"], "generate"),
        (bert, vec!["--task", "embed", "--flaws", "field-bits=0"], "1 to 24"),
        (bert, vec!["--task", "embed", "--flaws", "colour=3"], "known are"),
        (bert, vec!["--task", "perplexity", "--text", WORDS], "an encoder"),
        (llama, vec!["--task", "embed", "--text", "ab"], "a decoder"),
        (llama, vec!["--task", "generate"], "--prompt"),
        (llama, vec!["--task", "generate", "--prompt", "ab", "--max-tokens", "24"], "leaves 23"),
        (llama, vec!["--task", "generate", "--prompt", "ab", "--max-tokens", "0"], "--max-tokens 0"),
        (llama, vec!["--task", "generate", "--prompt", "ab", "--temperature", "0"], "--temperature 0"),
        (llama, vec!["--task", "perplexity", "--tokens", &ids], "token 9 at position 2"),
        (llama, vec!["--task", "perplexity", "--text", "a"], "needs two"),
        (llama, vec!["--task", "perplexity", "--limit", "0"], "--limit 0"),
        (llama, vec!["--task", "heads", "--text", "ab", "--on", "ffn"], "--on"),
        (["--model", &nothing], vec!["--task", "perplexity", "--text", "ab"], "nothing.gguf"),
        (["--model", "nowhere"], vec!["--task", "perplexity", "--text", "ab"], "nowhere"),
    ] {
        let output = run(&[&model[..], &arguments].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(named) && output.stdout.is_empty(), "{arguments:?}: {message}");
    }
}

/// The table of heads is `attend`'s on the same model and text: every number of every head, on MiniLM and on SmolLM2 (shared keys, a causal
/// mask, turned queries).
#[test]
fn the_heads_of_real_models_are_those_of_attend() {
    for (variable, require, place, heads) in [
        ("CEAS_MINILM", "CEAS_REQUIRE_MINILM", ".tools/minilm", 72),
        ("CEAS_SMOLLM2", "CEAS_REQUIRE_SMOLLM2", ".tools/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 270),
    ] {
        let fetched = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(place);
        let model = std::env::var_os(variable).map_or(fetched, std::path::PathBuf::from);
        if !model.exists() {
            assert!(std::env::var(require).is_err(), "no model {}", model.display());
            eprintln!("SKIPPED: no model {}", model.display());
            continue;
        }
        let text = "The second law of thermodynamics says that entropy does not fall.";
        let model = shown(&model);
        let shared = ["--model", &model, "--text", text, "--samples", "32"];
        let of_run = json(&[&shared[..], &["--task", "heads"]].concat());
        let output =
            Command::cargo_bin("ceas").unwrap().arg("attend").args(shared).arg("--json").output().unwrap();
        let of_attend: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(of_run["heads"].as_array().unwrap().len(), heads, "{model}");
        assert_eq!(of_run["heads"], of_attend["heads"], "{model}");
        let other = json(&[&shared[..], &["--task", "heads", "--seed", "2"]].concat());
        assert_ne!(of_run["heads"], other["heads"], "another seed draws otherwise");
    }
}
