//! `ceas anneal` from a file to a solution.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

fn ceas(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ceas").unwrap();
    command.current_dir(folder).arg("anneal").args(arguments);
    command
}

/// A folder with the cut of a wheel: a rim of seven around a hub, all weights 1, which is cut best at 10 of its 14 edges.
fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "8 14 comment\n".to_owned();
    for i in 0..7 {
        text += &format!("{} {} 1\n8 {} 1\n", i + 1, (i + 1) % 7 + 1, i + 1);
    }
    let path = folder.path().join("wheel.mc");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = ceas(folder, arguments).arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Takes away what depends on the clock.
fn clockless(answer: &mut Value) {
    for key in ["seconds", "setting_up", "attempts_per_ns", "time_to_solution", "threads"] {
        answer[key] = Value::Null;
    }
}

/// The sentence on standard error and the exit code.
fn refusal(folder: &Path, arguments: &[&str]) -> (String, i32) {
    let output = ceas(folder, arguments).output().unwrap();
    assert!(output.stdout.is_empty());
    (String::from_utf8(output.stderr).unwrap(), output.status.code().unwrap())
}

#[test]
fn a_cut_is_found_drawn_and_kept() {
    let (folder, _) = folder();
    let folder = folder.path();
    let answer = json(folder, &["wheel.mc", "--plot", "a.png", "--report", "a.html", "--seed", "3"]);
    assert_eq!((&answer["command"], &answer["objective"]), (&"anneal".into(), &"maxcut".into()));
    assert_eq!((&answer["best"], &answer["exact"]), (&10.into(), &true.into()));
    // cut = (Σw − H)/2.
    assert_eq!(answer["best_energy"], -6.0);
    assert_eq!((&answer["reads"], &answer["sweeps"]), (&512.into(), &1000.into()));
    let state: Vec<i64> = answer["state"].as_array().unwrap().iter().map(|s| s.as_i64().unwrap()).collect();
    let edges = (0..7).flat_map(|i| [(i, (i + 1) % 7), (7, i)]);
    assert_eq!(edges.filter(|&(a, b)| state[a] != state[b]).count(), 10);
    for key in ["hits", "seconds", "attempts_per_ns", "time_to_solution", "found", "values", "trace", "beta"]
    {
        assert!(!answer[key].is_null(), "{key}");
    }
    assert!(fs::read(folder.join("a.png")).unwrap().starts_with(b"\x89PNG"));
    assert!(fs::read_to_string(folder.join("a.html")).unwrap().contains("<svg"));
    let text = ceas(folder, &["wheel.mc"]).output().unwrap();
    assert!(String::from_utf8(text.stdout).unwrap().contains("largest value found: 10 (exact"));
    let (message, code) = refusal(folder, &["wheel.mc", "--plot", "a.png"]);
    assert!(code == 2 && message.contains("--force"), "{message}");
}

#[test]
fn threads_change_nothing_but_the_clock() {
    let (folder, _) = folder();
    let run = |threads| {
        let mut answer = json(folder.path(), &["wheel.mc", "--sweeps", "50", "--threads", threads]);
        clockless(&mut answer);
        answer
    };
    assert_eq!(run("1"), run("2"));
}

#[test]
fn formats_convert_and_objectives_change() {
    let (folder, path) = folder();
    let folder = folder.path();
    let cut = json(folder, &["wheel.mc", "--convert", "wheel.edges"]);
    let couplings = json(folder, &["wheel.edges"]);
    // As couplings J = 1 the wheel is a ferromagnet.
    assert_eq!((&cut["best"], &couplings["best"]), (&10.into(), &(-14).into()));
    assert_eq!(json(folder, &["wheel.edges", "--objective", "maxcut"])["best"], 10);
    json(folder, &["wheel.edges", "--convert", "wheel.json"]);
    assert_eq!(json(folder, &["wheel.json"])["best"], -14);
    // As a QUBO without linear terms nothing is chosen, or as few pairs as possible.
    fs::rename(&path, folder.join("wheel.txt")).unwrap();
    let qubo = json(folder, &["wheel.txt", "--objective", "qubo"]);
    assert_eq!((&qubo["best"], &qubo["format"]), (&0.into(), &"sparse".into()));
    assert!(qubo["state"].as_array().unwrap().iter().all(|x| *x == 0 || *x == 1));
}

#[test]
fn a_lattice_is_solved_and_time_is_kept() {
    let (folder, _) = folder();
    let answer = json(folder.path(), &["--lattice", "square:4,open", "--time", "0.2"]);
    assert_eq!((&answer["best"], &answer["objective"]), (&(-24).into(), &"ising".into()));
    assert!(answer["seconds"].as_f64().unwrap() < 5.0);
}

#[test]
fn a_glass_is_tempered_and_the_ladder_is_shown() {
    let (folder, _) = folder();
    for method in ["pt", "pt-icm"] {
        let lattice = ["--lattice", "square:6,couplings=pm1", "--method", method, "--sweeps", "60"];
        let arguments = [&lattice[..], &["--reads", "2", "--plot", "a.svg", "--force"]].concat();
        let answer = json(folder.path(), &arguments);
        let rungs = answer["ladder"]["rungs"].as_array().unwrap();
        assert!(rungs.len() >= 3 && rungs[0]["swap"].as_f64().unwrap() > 0.05, "{rungs:?}");
        assert_eq!(rungs[0]["cluster_share"].is_null(), method == "pt");
        assert_eq!(answer["parts"].as_array().unwrap().len(), 10);
        let text = String::from_utf8(ceas(folder.path(), &lattice).output().unwrap().stdout).unwrap();
        assert!(text.contains("swaps") && text.contains("not proven"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    }
}

#[test]
fn windows_line_ends_and_pieces_are_no_trouble() {
    let (folder, path) = folder();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(folder.path().join("crlf.mc"), text.replace('\n', "\r\n")).unwrap();
    // A second piece, and a vertex without an edge.
    fs::write(
        folder.path().join("two.mc"),
        "12 15\n".to_owned() + &text[text.find('\n').unwrap() + 1..] + "9 10 1\n",
    )
    .unwrap();
    assert_eq!(json(folder.path(), &["crlf.mc"])["best"], 10);
    assert_eq!(json(folder.path(), &["two.mc"])["best"], 11);
}

/// Kills at several moments leave a checkpoint from which the answer is that of an uninterrupted run.
#[cfg(unix)]
#[test]
fn a_killed_search_goes_on() {
    let (folder, _) = folder();
    let folder = folder.path();
    let search = ["--lattice", "cubic:6,couplings=gaussian", "--sweeps", "3000", "--reads", "16"];
    let file = folder.join("a.checkpoint");
    let mut program = std::process::Command::new(assert_cmd::cargo::cargo_bin("ceas"));
    let keep = ["--checkpoint", "a.checkpoint", "--checkpoint-every", "0", "--json"];
    let mut running = program.current_dir(folder).arg("anneal").args(search).args(keep);
    running = running.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut running = running.spawn().unwrap();
    while !file.exists() && running.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    running.kill().unwrap();
    running.wait().unwrap();
    let mut resumed = json(folder, &[&search[..], &["--resume", "a.checkpoint"]].concat());
    let mut whole = json(folder, &search);
    clockless(&mut resumed);
    clockless(&mut whole);
    assert_eq!(resumed, whole);
    let (message, code) = refusal(folder, &[&search[..], &["--checkpoint", "a.checkpoint"]].concat());
    assert!(code == 2 && message.contains("exists already"), "{message}");
    let other = [&search[..4], &["--reads", "17", "--resume", "a.checkpoint"]].concat();
    let (message, code) = refusal(folder, &other);
    assert!(code == 2 && message.contains("16 reads") && message.contains("17 reads"), "{message}");
}

#[cfg(feature = "hdf5")]
#[test]
fn full_results_are_archived() {
    let (folder, _) = folder();
    let out = folder.path().join("a.h5");
    let answer = json(folder.path(), &["wheel.mc", "--out", "a.h5", "--reads", "5"]);
    let file = hdf5_metno::File::open(&out).unwrap();
    let states = file.dataset("states").unwrap();
    assert_eq!(states.shape(), [answer["found"].as_array().unwrap().len(), 8]);
    assert_eq!(file.dataset("read_values").unwrap().shape(), [5]);
    assert_eq!(file.dataset("part_mean").unwrap().shape(), [10]);
    assert_eq!(file.attr("best").unwrap().read_scalar::<f64>().unwrap(), 10.0);
}

#[test]
fn bad_input_is_named_in_one_sentence() {
    let (folder, _) = folder();
    let folder = folder.path();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    write("loop.mc", b"3 2\n1 2 1\n3 3 1\n");
    write("twice.mc", b"3 2\n1 2 1\n2 1 1\n");
    write("short.mc", b"3 5\n1 2 1\n");
    write("nan.mc", b"3 1\n1 2 nan\n");
    write("huge.mc", b"3999999999 1\n1 2 1\n");
    write("big.edges", b"0 1 1e308\n1 2 1e308\n");
    write("half.coo", b"0 1 1\n");
    write("a.sparse", b"2 1\n1 1 1\n");
    write("bytes.mc", b"\xff\xff");
    write("empty.mc", b"");
    write("junk.mc", b"PK\x03\x04\0\0\n1 2 3\n");
    for (arguments, parts) in [
        (&["absent.mc"][..], &["absent.mc"][..]),
        (&["loop.mc"], &["loop.mc, line 3", "variable 3 to itself", "qubo"]),
        (&["twice.mc"], &["twice.mc, line 3", "on line 2"]),
        (&["short.mc"], &["short.mc, line 2", "cut short"]),
        (&["nan.mc"], &["nan.mc, line 2", "finite"]),
        (&["huge.mc"], &["huge.mc", "not believed"]),
        (&["big.edges"], &["big.edges", "scale couplings"]),
        (&["half.coo"], &["half.coo", "vartype"]),
        (&["a.sparse", "--objective", "maxcut"], &["a.sparse", "qubo, not maxcut"]),
        (&["bytes.mc"], &["bytes.mc, line 1", "UTF-8"]),
        (&["."], &["."]),
        (&["wheel.mc", "--sweeps", "0"], &["--sweeps 0"]),
        (&["wheel.mc", "--reads", "0"], &["--reads 0"]),
        (&["wheel.mc", "--time", "-1"], &["--time -1"]),
        (&["wheel.mc", "--time", "nan"], &["--time NaN"]),
        (&["wheel.mc", "--beta", "2:1"], &["--beta 2:1"]),
        (&["wheel.mc", "--keep", "0"], &["--keep 0"]),
        (&["wheel.mc", "--convert", "a.sparse", "--force"], &["sparse cannot hold"]),
        (&["--lattice", "squire:4"], &["squire"]),
        (&["--lattice", "square"], &["square needs a size"]),
        (&["wheel.mc", "--method", "tabu"], &["tabu", "sa", "pt-icm"]),
        (&["wheel.mc", "--method", "pt", "--beta", "1:1"], &["--beta 1:1", "ladder"]),
        (&["--lattice", "complete:40,couplings=pm1", "--method", "pt-icm"], &["pt-icm", "use pt"]),
        (&["wheel.mc", "--time", "1", "--checkpoint", "a.checkpoint"], &["--time", "--checkpoint"]),
        (&["wheel.mc", "--checkpoint", "a.txt"], &["--checkpoint a.txt", ".checkpoint"]),
        (&["wheel.mc", "--resume", "absent.checkpoint"], &["absent.checkpoint"]),
        (&["wheel.mc", "--resume", "wheel.mc"], &["wheel.mc", "no checkpoint"]),
        (&["wheel.mc", "--checkpoint", "a.checkpoint", "--checkpoint-every", "-1"], &["--checkpoint-every"]),
        (&["empty.mc"], &["empty.mc", "no problem"]),
        (&["junk.mc"], &["junk.mc, line 1", "header"]),
        (&["wheel.mc", "--objective", "tsp"], &["maxcut, qubo, ising"]),
        (&["wheel.mc", "--format", "mps"], &["rudy, sparse"]),
        (&[], &["FILE"]),
    ] {
        let (message, code) = refusal(folder, arguments);
        assert_eq!(code, 2, "{arguments:?}: {message}");
        for part in parts {
            assert!(message.contains(part), "{arguments:?}: {message}");
        }
        assert!(!message.contains("panicked"), "{message}");
    }
}
