//! `ceas snapshot` as a user meets it: files, answers, refusals, and what is left after a kill, Ctrl-C or a full disk.
#![cfg(feature = "hdf5")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use ceas_npu::sim::snapshot::SnapshotReader;
use serde_json::Value;

fn ceas(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ceas"));
    command.current_dir(folder).arg("snapshot").args(arguments.split_whitespace());
    command
}

fn run(folder: &Path, arguments: &str) -> Output {
    ceas(folder, arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = entries.collect();
    names.sort();
    names
}

/// A Python with h5py, or None, said aloud. With CEAS_REQUIRE_H5PY=1 its absence is a failure.
fn python() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/bin/python3");
    let works = |python: &PathBuf| {
        Command::new(python).args(["-c", "import h5py"]).output().is_ok_and(|o| o.status.success())
    };
    let found = [own, PathBuf::from("python3")].into_iter().find(works);
    if found.is_none() {
        let required = std::env::var_os("CEAS_REQUIRE_H5PY").is_some_and(|v| v == "1");
        assert!(!required, "CEAS_REQUIRE_H5PY=1, but neither .tools/bin/python3 nor python3 can import h5py");
        eprintln!("SKIPPED: no Python with h5py was found (./setup fetches one)");
    }
    found
}

#[test]
fn h5py_reads_what_the_json_says() {
    let folder = tempfile::tempdir().unwrap();
    let line = "--size 32 --frames 12 --every 3 --seed 5 --out a.h5 --plot a.png --json";
    let output = run(folder.path(), line);
    assert!(output.status.success(), "{}", said(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["command"], "snapshot");
    assert_eq!(answer["file"], "a.h5");
    assert_eq!(answer["frames"], 12);
    assert!(answer["attempts_per_ns"].as_f64().unwrap() > 0.0);
    assert_eq!(answer["activity"]["attempts"], 12 * 3 * 32 * 32);
    assert_eq!(names(folder.path()), ["a.h5", "a.png"]);
    assert!(fs::read(folder.path().join("a.png")).unwrap().starts_with(b"\x89PNG"));
    let Some(python) = python() else { return };
    let script = "
import h5py, json, numpy as np
f = h5py.File('a.h5')
s = f['spins'][:].astype(int)
assert f['spins'].shape == (12, 32, 32) and f['spins'].dtype == np.int8 and f['spins'].chunks == (1, 32, 32)
assert f['spins'].compression == 'gzip' and f['spins'].maxshape[0] is None
assert set(np.unique(s)) == {-1, 1}
assert (f['magnetization'][:] == s.sum((1, 2))).all()
assert (f['energy'][:] == -(s * (np.roll(s, 1, 1) + np.roll(s, 1, 2))).sum((1, 2))).all()
assert (f['sweep'][:] == 3 * np.arange(1, 13)).all()
assert (abs(f['beta'][:] - np.log(1 + 2 ** .5) / 2) < 1e-15).all()
a = f.attrs
assert a['seed'] == 5 and a['schema_version'] == 1 and a['command_line'].endswith('--json')
assert a['hamiltonian'].startswith('H = ') and 'heat-bath' in a['update'] and 'ceas-npu' in a['program_version']
print(json.dumps({'m': s[-1].mean(), 'e': f['energy'][-1] / 1024}))
";
    let output = Command::new(python).current_dir(folder.path()).args(["-c", script]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&seen["m"], &seen["e"]), (&answer["magnetization"], &answer["energy"]));
}

#[test]
fn the_same_seed_gives_the_same_frames_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    for update in ["heat-bath", "metropolis", "wolff"] {
        for threads in [1, 3] {
            let line = format!(
                "--size 256 --frames 2 --every 2 --update {update} --threads {threads} --out {threads}.h5 --force"
            );
            let output = run(folder.path(), &line);
            assert!(output.status.success(), "{}", said(&output));
        }
        let frames = |name: &str| {
            let reader = SnapshotReader::open(&folder.path().join(name)).unwrap();
            [reader.frame(0).unwrap(), reader.frame(1).unwrap()]
        };
        assert_eq!(frames("1.h5"), frames("3.h5"), "{update}");
    }
}

#[test]
fn wrong_input_is_refused_in_one_sentence_with_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.h5"), "old").unwrap();
    for (line, expected) in [
        ("--lattice squarf --out a.h5", "squarf"),
        ("--lattice square:8,couplings=pm1 --out a.h5", "--beta X is needed"),
        ("--lattice ring:64 --beta 1 --out a.h5 --plot a.png", "two or more dimensions"),
        ("--size 1 --out a.h5", "size 1"),
        ("--size 100000000 --out a.h5", "square lattice of size 100000000 needs"),
        ("--beta -1 --out a.h5", "inverse temperature -1"),
        ("--beta NaN --out a.h5", "inverse temperature NaN"),
        ("--frames 0 --out a.h5", "--frames 0"),
        ("--every 0 --out a.h5", "--every 0"),
        ("--every 9999999999999 --frames 9999999999 --out a.h5", "2⁶⁴"),
        ("", "--out FILE.h5 is needed"),
        ("--out old.h5", "add --force"),
        ("--out none/a.h5", "the folder none does not exist"),
        ("--out a.txt", "must end in .h5"),
        ("--size 2048 --out a.h5 --plot a.svg", "--plot FILE.png"),
        ("--update glauber --out a.h5", "heat-bath"),
    ] {
        let output = run(folder.path(), line);
        assert_eq!(output.status.code(), Some(2), "{line}: {}", said(&output));
        assert!(said(&output).contains(expected), "{line}: {}", said(&output));
        assert!(output.stdout.is_empty());
        assert_eq!(names(folder.path()), ["old.h5"], "{line}");
    }
    assert_eq!(fs::read(folder.path().join("old.h5")).unwrap(), b"old");
}

#[test]
fn any_lattice_is_recorded_and_the_kernel_changes_the_speed_alone() {
    let folder = tempfile::tempdir().unwrap();
    for (line, shape, kernel) in [
        ("--lattice square:64,couplings=pm1,field=0.2 --beta 0.7", vec![64, 64], "multi-spin sites"),
        ("--lattice honeycomb:32 --update metropolis --plot a.png", vec![32, 32, 2], "multi-spin sites"),
        ("--lattice cubic:16 --plot a.png", vec![16, 16, 16], "multi-spin sites"),
        ("--lattice cubic:5,open --beta 0.3", vec![5, 5, 5], "generic"),
        ("--lattice square:7", vec![7, 7], "generic"),
        ("--lattice square:10", vec![10, 10], "square-rows"),
        ("--lattice regular:40,3,couplings=gaussian --beta 0.8", vec![40], "generic"),
        ("--lattice triangular:12 --update swendsen-wang", vec![12, 12], "swendsen-wang"),
    ] {
        let output = run(folder.path(), &format!("{line} --frames 2 --every 2 --out a.h5 --force --json"));
        assert!(output.status.success(), "{line}: {}", said(&output));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(answer["update"].as_str().unwrap().contains(kernel), "{line}: {}", answer["update"]);
        assert_eq!(answer["shape"], serde_json::json!(shape), "{line}");
        let reader = SnapshotReader::open(&folder.path().join("a.h5")).unwrap();
        let frame = reader.frame(1).unwrap();
        assert_eq!(frame.spins.len(), shape.iter().product::<usize>(), "{line}");
        let m = frame.spins.magnetization() as f64 / frame.spins.len() as f64;
        assert_eq!(answer["magnetization"], m, "{line}");
    }
    let beta_zero = run(folder.path(), "--size 8 --update metropolis --beta 0 --frames 1 --out b.h5");
    assert!(
        beta_zero.status.success() && said(&beta_zero).contains("two sweeps restore"),
        "{}",
        said(&beta_zero)
    );
}

/// Starts a run that would take hours and waits until its final name appears.
fn endless(folder: &Path) -> Child {
    let line = "--size 64 --every 1 --frames 1000000000 --out a.h5";
    let mut child = ceas(folder, line).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while !folder.join("a.h5").exists() {
        if begun.elapsed() > Duration::from_secs(60) {
            let _ = child.kill();
            panic!("no frame was committed within a minute");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

#[test]
fn a_killed_run_leaves_a_readable_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = endless(folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let reader = SnapshotReader::open(&folder.path().join("a.h5")).unwrap();
    assert!(reader.frames() >= 1);
    assert_eq!(reader.frame(reader.frames() - 1).unwrap().sweep, reader.frames() as u64);
    // It goes on as if nothing had happened.
    let frames = reader.frames() + 3;
    drop(reader);
    for (file, name) in [("--resume", "a.h5"), ("--out", "whole.h5")] {
        let output = run(folder.path(), &format!("--size 64 --every 1 --frames {frames} {file} {name}"));
        assert!(output.status.success(), "{}", said(&output));
    }
    assert_eq_files(folder.path(), "a.h5", "whole.h5");
    fs::remove_file(folder.path().join("whole.h5")).unwrap();
    if let Some(python) = python() {
        let script = "import h5py; assert len(h5py.File('a.h5')['spins'][:]) >= 1";
        let output = Command::new(python).current_dir(folder.path()).args(["-c", script]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
    // What the killed run left is replaced by the next one.
    let output = run(folder.path(), "--size 8 --frames 2 --out a.h5 --force");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(names(folder.path()), ["a.h5"]);
}

/// Everything but the command line.
fn assert_eq_files(folder: &Path, a: &str, b: &str) {
    let [a, b] = [a, b].map(|name| SnapshotReader::open(&folder.join(name)).unwrap());
    assert_eq!(a.frames(), b.frames());
    for index in 0..a.frames() {
        assert_eq!(a.frame(index).unwrap(), b.frame(index).unwrap(), "frame {index}");
    }
    assert_eq!(a.checkpoint().unwrap(), b.checkpoint().unwrap());
    assert!(a.checkpoint().unwrap().is_some());
}

#[test]
fn a_file_that_is_resumed_is_that_of_an_uninterrupted_run() {
    let folder = tempfile::tempdir().unwrap();
    for line in [
        "--size 64 --every 2 --thermalization 3",
        "--size 64 --every 1 --update metropolis --start up",
        "--lattice square:9,couplings=pm1 --beta 1 --every 2",
        "--size 12 --update wolff --every 1 --thermalization 25",
        "--lattice cubic:5 --update swendsen-wang --every 3 --thermalization 1",
    ] {
        for (frames, file) in [(3, "--out a.h5 --force"), (4, "--resume a.h5"), (7, "--resume a.h5")] {
            let output = run(folder.path(), &format!("{line} --frames {frames} {file}"));
            assert!(output.status.success(), "{line}: {}", said(&output));
        }
        let output = run(folder.path(), &format!("{line} --frames 7 --out b.h5 --force"));
        assert!(output.status.success(), "{line}: {}", said(&output));
        assert_eq_files(folder.path(), "a.h5", "b.h5");
        // The twin: a run with another seed is another run, so that the comparison can fail.
        let output = run(folder.path(), &format!("{line} --frames 7 --out c.h5 --force --seed 2"));
        assert!(output.status.success(), "{line}: {}", said(&output));
        let [b, c] = ["b.h5", "c.h5"].map(|name| SnapshotReader::open(&folder.path().join(name)).unwrap());
        assert_ne!(b.checkpoint().unwrap(), c.checkpoint().unwrap());
    }
    let line = "--lattice cubic:5 --update swendsen-wang --every 3 --thermalization 1 --resume a.h5";
    let before = fs::read(folder.path().join("a.h5")).unwrap();
    for (more, expected) in [
        ("--frames 7", "7 frames already"),
        ("--frames 9 --seed 2", "its seed is 1, that of this command 2"),
        ("--frames 9 --beta 0.3", "not --beta 0.3"),
        ("--frames 9 --out d.h5", "cannot be used with"),
    ] {
        let output = run(folder.path(), &format!("{line} {more}"));
        assert_eq!(output.status.code(), Some(2), "{more}: {}", said(&output));
        assert!(said(&output).contains(expected), "{more}: {}", said(&output));
    }
    for line in ["--lattice cubic:6 --resume a.h5 --frames 9", "--resume none.h5", "--resume text.h5"] {
        fs::write(folder.path().join("text.h5"), "text").unwrap();
        let output = run(folder.path(), line);
        assert_eq!(output.status.code(), Some(2), "{line}: {}", said(&output));
    }
    assert!(fs::read(folder.path().join("a.h5")).unwrap() == before, "a refusal changes nothing");
}

/// A file of which a byte was changed on the way is refused in one sentence, whatever HDF5 would make of it, and stays as it is.
#[test]
fn a_damaged_file_is_not_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    assert!(run(folder.path(), "--size 8 --frames 3 --out a.h5").status.success());
    let good = fs::read(&path).unwrap();
    let written: Vec<usize> = (0..good.len()).filter(|&at| good[at] != 0).collect();
    for at in written.iter().copied().step_by(written.len() / 24) {
        let mut bytes = good.clone();
        bytes[at] ^= 0xFF;
        fs::write(&path, &bytes).unwrap();
        let output = run(folder.path(), "--size 8 --frames 4 --resume a.h5");
        assert_eq!(output.status.code(), Some(2), "byte {at}: {}", said(&output));
        assert!(said(&output).contains("seal") && said(&output).lines().count() == 1, "{}", said(&output));
        assert!(fs::read(&path).unwrap() == bytes, "byte {at}: a refusal changes nothing");
        assert_eq!(names(folder.path()), ["a.h5"]);
    }
    fs::write(&path, &good).unwrap();
    assert!(run(folder.path(), "--size 8 --frames 4 --resume a.h5").status.success());
}

/// Configurations on their way to equilibrium are called that, in words, on the picture and for scripts; those that have come there are not.
/// Spins cooled at once from β = 0 to β_c are 5σ off after 500 sweeps, as domains grow like t^(1/z), z = 2.17; a thermalized run is called off in one
/// of 10⁴ at most.
#[test]
fn a_run_that_is_not_in_equilibrium_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let answer = |line: &str| -> (Value, String) {
        let output = run(folder.path(), &format!("{line} --out a.h5 --force --json"));
        assert!(output.status.success(), "{line}: {}", said(&output));
        (serde_json::from_slice(&output.stdout).unwrap(), said(&output))
    };
    let (hot, warning) = answer("--size 256 --frames 10 --every 2 --plot a.png");
    let found = &hot["equilibrium"];
    assert!(found["is_missed"] == true && found["sigmas"].as_f64().unwrap() > 4.0, "{found}");
    assert!(warning.contains("not in equilibrium") && warning.contains("above the exact one"), "{warning}");
    // Twin: clusters reach it.
    let (cold, warning) = answer("--size 64 --frames 40 --update wolff --thermalization 100");
    let found = &cold["equilibrium"];
    assert!(found["is_missed"] == false && warning.is_empty(), "{found} {warning}");
    assert!(found["exact"]["source"].as_str().unwrap().contains("Kaufman"), "{found}");
    // Where nothing exact is known, nothing is said.
    assert!(answer("--lattice cubic:8 --frames 2").0["equilibrium"].is_null());
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_closes_its_file_and_says_what_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let child = endless(folder.path());
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let reader = SnapshotReader::open(&folder.path().join("a.h5")).unwrap();
    let kept = format!("{} of 1000000000 frames are kept in a.h5", reader.frames());
    assert!(said(&output).contains(&kept), "{}", said(&output));
    assert_eq!(names(folder.path()), ["a.h5"]);
}

/// A limit on the size of files stands for a full disk: writing fails at some frame.
#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_that_leaves_a_readable_file() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "trap '' XFSZ; ulimit -f 200; exec {} snapshot --size 512 --frames 50 --out a.h5",
        env!("CARGO_BIN_EXE_ceas")
    );
    let output = Command::new("sh").current_dir(folder.path()).args(["-c", &script]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("File too large"), "{}", said(&output));
    assert_eq!(said(&output).trim().lines().count(), 1, "{}", said(&output));
    match names(folder.path()).as_slice() {
        [] => {}
        [name] => {
            assert_eq!(name, "a.h5");
            assert!(SnapshotReader::open(&folder.path().join("a.h5")).unwrap().frames() >= 1);
        }
        more => panic!("left behind: {more:?}"),
    }
}
