//! `ceas sweep` from the command line to β_c.

use assert_cmd::Command;
use serde_json::Value;

fn ceas(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ceas").unwrap();
    command.arg("sweep").args(arguments);
    command
}

fn document(arguments: &[&str]) -> String {
    let output = ceas(arguments).arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Of `beta_c`: (mean − reference)/error.
fn off(answer: &Value, reference: f64) -> f64 {
    (number(&answer["beta_c"]["mean"]) - reference) / number(&answer["beta_c"]["error"])
}

/// The same bytes on one thread and two, but for the measured speed; and β_c within |t| < 6.8 of Onsager's (64 replicas of three sizes: one
/// right run in 2·10⁸ fails), while a β_c off by 5 % must fail.
#[test]
fn beta_c_is_found_blindly_and_does_not_depend_on_threads() {
    let run = |threads| {
        document(&["--sizes", "4,8,16", "--sweeps", "120", "--replicas", "64", "--threads", threads])
    };
    let (one, two) = (run("1"), run("2"));
    let without_speed = |text: &str| -> String {
        text.lines().filter(|line| !line.contains("\"attempts_per_ns\"")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without_speed(&one), without_speed(&two));
    let answer: Value = serde_json::from_str(&one).unwrap();
    let exact = (1.0 + 2f64.sqrt()).ln() / 2.0;
    assert!(off(&answer, exact).abs() < 6.8, "{}", answer["beta_c"]);
    assert!(off(&answer, 1.05 * exact).abs() > 6.8, "no power: {}", answer["beta_c"]);
    assert!((number(&answer["beta_c"]["sigmas"]) - off(&answer, exact)).abs() < 1e-9);
    assert_eq!(number(&answer["beta_c"]["reference"]), number(&answer["reference"]["beta_c"]));
    assert!(answer["reference"]["source"].as_str().unwrap().contains("Onsager"));
    let nu = &answer["nu"];
    assert!(
        (number(&nu["mean"]) - 1.0).abs() < 6.8 * number(&nu["error"]) && number(&nu["error"]) < 0.14,
        "{nu}"
    );
    assert!((number(&nu["mean"]) - 2.0).abs() > 6.8 * number(&nu["error"]), "no power: {nu}");
    // U₄ of the infinite torus at β_c (Kamieniarz and Blöte 1993).
    let binder = &answer["beta_c"]["binder"];
    assert!(
        (number(&binder["mean"]) - 0.610_69).abs() < 6.8 * number(&binder["error"]).max(0.005),
        "{binder}"
    );
    assert_eq!(answer["command"], "sweep");
    assert!(number(&answer["attempts_per_ns"]) > 0.0);
    assert_eq!(answer["points"].as_array().unwrap().len(), 9);
    for point in answer["points"].as_array().unwrap() {
        assert!(point["size"].is_u64() && point["beta"].is_f64());
        for key in [
            "energy",
            "abs_magnetization",
            "specific_heat",
            "susceptibility",
            "binder",
            "correlation_length",
            "tau_int",
        ] {
            assert!(point[key]["mean"].is_f64() && point[key]["error"].is_f64(), "{key}: {point}");
        }
    }
}

/// Every kind of lattice is found where the literature has it, and not 10 % away; Bethe and Curie–Weiss points among them.
#[test]
fn the_transitions_of_other_lattices_are_found() {
    let cases = [
        ("triangular", "4,8,16", 3f64.ln() / 4.0),
        ("honeycomb", "4,8,16", (2.0 + 3f64.sqrt()).ln() / 2.0),
        ("cubic", "4,6,8", 0.221_654_626),
        ("complete", "64,128,256", 1.0),
        ("regular:q=3", "64,128,256", 0.5f64.atanh()),
        // A gauge transformation and another unit of energy change nothing.
        ("square,couplings=-2", "4,8,16", 0.220_343_4),
    ];
    for (lattice, sizes, known) in cases {
        let arguments = ["--lattice", lattice, "--sizes", sizes, "--sweeps", "300", "--replicas", "32"];
        let answer: Value = serde_json::from_str(&document(&arguments)).unwrap();
        assert!(off(&answer, known).abs() < 6.8, "{lattice}: {}", answer["beta_c"]);
        assert!(off(&answer, 1.5 * known).abs() > 6.8, "{lattice}: no power: {}", answer["beta_c"]);
        assert!((number(&answer["reference"]["beta_c"]) - known).abs() < 1e-6 * known, "{lattice}");
    }
}

/// An error that is asked for is reached, or it is said that it was not.
#[test]
fn a_precision_is_reached_or_missed_in_words() {
    let common = ["--sizes", "4,8,16", "--sweeps", "50", "--replicas", "32"];
    let easy = [&common[..], &["--precision", "4e-3"]].concat();
    let answer: Value = serde_json::from_str(&document(&easy)).unwrap();
    assert_eq!(answer["outcome"], "reached");
    assert!(number(&answer["beta_c"]["error"]) <= 4e-3);
    let hard = [&common[..], &["--precision", "1e-9", "--budget", "2"]].concat();
    let output = ceas(&hard).output().unwrap();
    assert!(output.status.success());
    let (text, warning) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(text.contains("NOT reached") && warning.contains("misses --precision"), "{text}{warning}");
}

/// Points too far apart for reweighting give no β_c instead of a wrong one.
#[test]
fn a_grid_that_cannot_be_reweighted_is_refused_in_words() {
    let arguments =
        ["--sizes", "16,32", "--beta", "0.3,0.44,0.6", "--sweeps", "100", "--replicas", "32", "--json"];
    let output = ceas(&arguments).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(answer["beta_c"].is_null());
    assert!(
        answer["beta_c_missing"].as_str().unwrap().contains("too far apart")
            || answer["beta_c_missing"].as_str().unwrap().contains("so far apart"),
        "{}",
        answer["beta_c_missing"]
    );
}

/// Where nothing crosses, that is said and no number is made up.
#[test]
fn a_grid_without_a_crossing_gives_no_beta_c() {
    let arguments = ["--sizes", "4,8", "--beta", "0.2:0.3:3", "--sweeps", "20", "--replicas", "16", "--json"];
    let output = ceas(&arguments).output().unwrap();
    assert!(output.status.success());
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(answer["beta_c"].is_null());
    assert!(String::from_utf8_lossy(&output.stderr).contains("do not cross inside the grid"));
}

#[test]
fn one_size_on_a_grid_gives_points_only() {
    let arguments =
        ["--sizes", "6", "--beta", "0.3,0.2", "--update", "heat-bath", "--sweeps", "50", "--json"];
    let output = ceas(&arguments).output().unwrap();
    assert!(output.status.success());
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let betas: Vec<f64> =
        answer["points"].as_array().unwrap().iter().map(|p| p["beta"].as_f64().unwrap()).collect();
    assert_eq!(betas, [0.2, 0.3]);
    assert!(answer["beta_c"].is_null());
    // Points are what they are: of the smallest lattices, and in fields of any strength.
    for line in
        ["square:3 --beta 0.3", "complete:2 --beta 0.3", "square:8,field=1e9 --beta 1e-10 --update heat-bath"]
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        let output = ceas(&[&["--sweeps", "20", "--lattice"], &words[..]].concat()).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A sweep that is killed, interrupted and killed again, on one thread and two, ends with the document of an uninterrupted one, byte for byte
/// but for the measured speed; a checkpoint of another sweep or a damaged one is refused.
#[cfg(unix)]
#[test]
fn a_killed_sweep_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.checkpoint");
    let file = file.to_str().unwrap();
    let without_speed = |text: &str| -> String {
        text.lines().filter(|line| !line.contains("\"attempts_per_ns\"")).collect::<Vec<_>>().join("\n")
    };
    let precise = ["--sizes", "4,8,16", "--sweeps", "60", "--replicas", "32", "--precision", "1e-3"];
    let points = ["--sizes", "8,16", "--beta", "0.42:0.46:4", "--update", "heat-bath", "--sweeps", "900"];
    for sweep in [&precise[..], &points] {
        let whole = document(sweep);
        let program = |more: &[&str]| {
            let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_ceas"));
            program.arg("sweep").args(sweep).args(more).arg("--json");
            program.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
            program
        };
        // Until the file has been written so often, or it is done.
        let written = |more: &[&str], times: u32, signal: &str| {
            let mut running = program(more).spawn().unwrap();
            let stamp = || std::fs::metadata(file).and_then(|data| data.modified()).ok();
            let (mut seen, mut last) = (0, stamp());
            while seen < times && running.try_wait().unwrap().is_none() {
                std::thread::sleep(std::time::Duration::from_millis(1));
                let now = stamp();
                seen += u32::from(now != last);
                last = now;
            }
            let sent = std::process::Command::new("kill").args([signal, &running.id().to_string()]).status();
            assert!(sent.is_ok());
            running.wait_with_output().unwrap()
        };
        let fast = ["--checkpoint-every", "0.02"];
        let begin = [&["--checkpoint", file, "--threads", "1"], &fast[..]].concat();
        written(&begin, 2, "-KILL");
        let go_on = [&["--resume", file, "--threads", "2"], &fast[..]].concat();
        let output = written(&go_on, 2, "-INT");
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{message}");
            assert!(message.contains("interrupted") && message.contains("--resume"), "{message}");
        }
        written(&go_on, 3, "-KILL");
        let resumed = document(&[sweep, &["--resume", file, "--threads", "1"]].concat());
        assert_eq!(without_speed(&resumed), without_speed(&whole));
        // Twin: another seed has another document, and its checkpoint is no other's.
        assert_ne!(without_speed(&document(&[sweep, &["--seed", "2"]].concat())), without_speed(&whole));
        let refusal = |more: &[&str]| {
            let output = ceas(&[sweep, more].concat()).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stderr).unwrap()
        };
        let message = refusal(&["--seed", "2", "--resume", file]);
        assert!(message.contains("seed 2") && message.contains("seed 1"), "{message}");
        assert!(refusal(&["--checkpoint", file]).contains("exists already"));
        let good = std::fs::read(file).unwrap();
        for at in (0..good.len()).step_by(good.len() / 8 + 1) {
            let mut bytes = good.clone();
            bytes[at] ^= 0x10;
            std::fs::write(file, &bytes).unwrap();
            assert!(refusal(&["--resume", file]).contains("checkpoint"), "byte {at}");
            std::fs::write(file, &good[..at]).unwrap();
            assert!(refusal(&["--resume", file]).contains("checkpoint"), "{at} bytes");
        }
        std::fs::remove_file(file).unwrap();
    }
}

/// Wrong flags: exit code 2 and one sentence that names the thing.
#[test]
fn wrong_flags_are_refused_in_one_sentence() {
    let cases: [(&[&str], &str); 38] = [
        (&["--sizes", "2,4"], "at least 4"),
        (&["--sizes", "8,8,16"], "named twice"),
        (&["--sizes", "8"], "two sizes"),
        (&["--sizes", "4000000,8000000"], "memory"),
        (&["--sizes", "18446744073709551614"], "memory"),
        (&["--sizes", "8,x"], "x"),
        (&["--beta", "0.4:0.5:0"], "empty"),
        (&["--beta", "0.4:0.5:1"], "one point"),
        (&["--beta", "0.5:0.4:5"], "backwards"),
        (&["--beta", "-0.1,0.2"], "finite number ≥ 0"),
        (&["--beta", "NaN"], "finite number ≥ 0"),
        (&["--beta", "0.4:0.5"], "FROM:TO:COUNT"),
        (&["--beta", "0:0.1:3", "--update", "metropolis"], "use heat-bath"),
        (&["--replicas", "4"], "at least 16"),
        (&["--sweeps", "0"], "at least 16"),
        (&["--precision", "-1"], "above 0"),
        (&["--precision", "NaN"], "above 0"),
        (&["--precision", "0"], "above 0"),
        (&["--precision", "1e-3", "--budget", "0"], "at least as much work"),
        (&["--precision", "1e-3", "--sizes", "8", "--beta", "0.44"], "needs two sizes"),
        (&["--checkpoint", "a.txt"], ".checkpoint"),
        (&["--checkpoint", "absent/a.checkpoint"], "does not exist"),
        (&["--resume", "absent.checkpoint"], "absent.checkpoint"),
        (&["--resume", "Cargo.toml"], "no checkpoint of a sweep"),
        (&["--checkpoint", "a.checkpoint", "--checkpoint-every", "-1"], "seconds ≥ 0"),
        (&["--update", "magic"], "heat-bath, metropolis, swendsen-wang, wolff"),
        (&["--lattice", "cubical"], "cubic"),
        (&["--lattice", "square:16", "--sizes", "8,16"], "has the size 16 already"),
        (&["--lattice", "square:16"], "needs two sizes"),
        (&["--lattice", "square,field=0.1"], "a field breaks the symmetry"),
        (&["--lattice", "square,couplings=pm1"], "not the order parameter of a spin glass"),
        (&["--lattice", "cubic,couplings=gaussian"], "not the order parameter of a spin glass"),
        (&["--lattice", "triangular,couplings=-1"], "frustrated"),
        (&["--lattice", "square,couplings=-1", "--sizes", "5,10"], "frustrated"),
        (&["--lattice", "ring"], "one dimension"),
        (&["--lattice", "hyperbolic:p=5,q=4", "--sizes", "2,3"], "free boundary"),
        (&["--lattice", "erdos-renyi:c=0.5"], "connected"),
        (&["--lattice", "regular:q=3", "--sizes", "65,130"], "65"),
    ];
    for (arguments, expected) in cases {
        let output = ceas(arguments).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(expected), "{arguments:?}: {message}");
        assert!(output.stdout.is_empty());
    }
}
