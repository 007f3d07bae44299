//! `ceas attend` as a user and a script meet it.

use assert_cmd::Command;
use serde_json::Value;

fn ceas() -> Command {
    let mut command = Command::cargo_bin("ceas").unwrap();
    command.arg("attend");
    command
}

fn json(arguments: &[&str]) -> Value {
    let output = ceas().args(arguments).arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_document_has_the_keys_that_scripts_rely_on() {
    for sampler in ["race", "heat-bath", "metropolis", "law"] {
        let document = json(&["--sampler", sampler, "--samples", "50", "--layers", "2", "--heads", "1,7"]);
        for key in ["command", "beta", "samples", "sampler", "heads", "summary"] {
            assert!(!document[key].is_null(), "{sampler}: {key}");
        }
        assert_eq!(document["sampler"], sampler);
        let heads = document["heads"].as_array().unwrap();
        assert_eq!(heads.len(), 2);
        let keys = "layer head n d beta entropy n_eff sigma beta_star beta_c specific_heat rel_error rel_error_predicted kl \
                    tau_int";
        for key in keys.split_whitespace() {
            assert!(heads[1][key].is_number(), "{sampler}: {key} is {}", heads[1][key]);
        }
        assert_eq!((&heads[1]["layer"], &heads[1]["head"]), (&Value::from(2), &Value::from(7)));
        let attempts = heads[0]["activity"]["attempts"].as_u64().unwrap();
        assert_eq!(attempts == 0, sampler == "law", "only the shortcut touches no spin");
    }
}

#[test]
fn threads_and_what_else_is_run_change_no_number() {
    let alone = json(&["--threads", "1", "--samples", "64", "--layers", "3", "--heads", "4"]);
    let among = json(&["--threads", "4", "--samples", "64", "--layers", "1,3"]);
    assert_eq!(alone["heads"][0], among["heads"][16]);
}

#[test]
fn everything_asked_for_is_left_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let few = ["--samples", "100", "--layers", "4", "--heads", "5,6"];
    let names = ["map.png", "map.svg", "map.html"].map(path);
    ceas().args(few).args(["--plot", &names[0]]).assert().success();
    ceas().args(few).args(["--plot", &names[1], "--report", &names[2]]).assert().success();
    assert!(std::fs::read(&names[0]).unwrap().starts_with(b"\x89PNG"));
    for name in &names[1..] {
        assert!(std::fs::read_to_string(name).unwrap().contains("exact law"), "{name}");
    }
    ceas().args(few).args(["--plot", &names[0]]).assert().code(2);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[cfg(feature = "hdf5")]
#[test]
fn the_file_holds_what_was_sampled() {
    use ceas_npu::sim::snapshot::hdf5;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.h5");
    let name = path.display().to_string();
    let document = json(&["--samples", "100", "--layers", "4,5", "--heads", "5,6,8", "--out", &name]);
    let file = hdf5::File::open(&path).unwrap();
    let counts = file.dataset("counts").unwrap();
    assert_eq!(counts.shape(), [2, 3, 102, 102]);
    let counts: Vec<u32> = counts.read_raw().unwrap();
    assert!(counts.chunks(102).all(|row| row.iter().sum::<u32>() == 100));
    let errors: Vec<f64> = file.dataset("rel_error").unwrap().read_raw().unwrap();
    let heads = document["heads"].as_array().unwrap();
    for (error, head) in errors.iter().zip(heads) {
        assert!((error / head["rel_error"].as_f64().unwrap() - 1.0).abs() < 1e-12);
    }
    let attempts: Vec<u64> = file.dataset("activity/attempts").unwrap().read_raw().unwrap();
    assert_eq!(attempts, [100 * 102 * 102; 6]);
    let law: Vec<f32> = file.dataset("law").unwrap().read_raw().unwrap();
    assert!(law.chunks(102).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-4));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no partial file is left");
}

#[test]
fn what_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let table = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let short = table("short.json", "[[0.1, 0.2]]");
    let row = ["0.1"; 12].join(",");
    let negative = table(
        "negative.json",
        &format!("[[{row}],[{row}],[0.1,-2{}],[{row}],[{row}],[{row}]]", ",0.1".repeat(10)),
    );
    let word = table("word.json", "[[\"hot\"]]");
    for (arguments, named) in [
        (vec!["--samples", "0"], "at least once"),
        (vec!["--beta", "-1"], "-1"),
        (vec!["--beta", "nan"], "NaN"),
        (vec!["--beta", "no-such-file"], "no-such-file"),
        (vec!["--beta", &short], "1 layers"),
        (vec!["--beta", &negative], "layer 2, head 1"),
        (vec!["--beta", &word], "\"hot\""),
        (vec!["--layers", "6"], "0 to 5"),
        (vec!["--heads", "12"], "0 to 11"),
        (vec!["--show-head", "7"], "layer.head"),
        (vec!["--layers", "1", "--show-head", "2.3"], "2.3"),
        (vec!["--interval", "3"], "metropolis"),
        (vec!["--sampler", "law", "--schedule", "linear"], "metropolis"),
        (vec!["--sampler", "metropolis", "--interval", "0"], "--interval 0"),
        (vec!["--sampler", "metropolis", "--beta-from", "0"], "geometric"),
        (vec!["--sampler", "metropolis", "--anneal-sweeps", "0"], "at least one sweep"),
    ] {
        let output = ceas().args(&arguments).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(named) && output.stdout.is_empty(), "{arguments:?}: {message}");
    }
}

#[test]
fn the_table_fits_a_terminal() {
    let output = ceas()
        .args(["--sampler", "metropolis", "--samples", "100", "--anneal-sweeps", "20"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let widest = text.lines().map(|line| line.trim_end().chars().count()).max().unwrap();
    assert!(widest <= 110, "{widest} columns");
    assert!(text.contains("Plainly:"));
}
