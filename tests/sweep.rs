//! `ceas sweep` from the command line to β_c.

use assert_cmd::Command;
use serde_json::Value;

fn ceas(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ceas").unwrap();
    command.arg("sweep").args(arguments);
    command
}

fn document(threads: &str) -> String {
    let arguments =
        ["--sizes", "8,16", "--sweeps", "150", "--replicas", "64", "--json", "--threads", threads];
    let output = ceas(&arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The same bytes on one thread and two, but for the measured speed; and β_c within |t| < 6.8 of Onsager's (64 replicas: one right run
/// in 2·10⁸ fails), while a β_c off by 2 % must fail. The drift of a single pair, which it says it cannot assess, is under 2σ here.
#[test]
fn beta_c_is_found_blindly_and_does_not_depend_on_threads() {
    let (one, two) = (document("1"), document("2"));
    let without_speed = |text: &str| -> String {
        text.lines().filter(|line| !line.contains("\"attempts_per_ns\"")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without_speed(&one), without_speed(&two));
    let answer: Value = serde_json::from_str(&one).unwrap();
    let number = |key: &str| answer["beta_c"][key].as_f64().unwrap();
    let t = |reference: f64| (number("mean") - reference).abs() / number("error");
    let exact = (1.0 + 2f64.sqrt()).ln() / 2.0;
    assert!(t(exact) < 6.8, "{}", answer["beta_c"]);
    assert!(t(1.02 * exact) > 6.8, "no power: {}", answer["beta_c"]);
    assert!((number("sigmas") - (number("mean") - exact) / number("error")).abs() < 1e-9);
    assert!(answer["beta_c"]["drift"].is_null());
    assert!(answer["beta_c"]["method"].as_str().unwrap().contains("not assessed"));
    assert_eq!(answer["command"], "sweep");
    assert!(answer["attempts_per_ns"].as_f64().unwrap() > 0.0);
    assert_eq!(answer["points"].as_array().unwrap().len(), 14);
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

/// A grid so coarse that a line misses the curves widens the error instead of giving a wrong β_c with a small one; the plain bootstrap
/// would be the twin that fails.
#[test]
fn curves_that_miss_their_points_stretch_the_error() {
    let arguments =
        ["--sizes", "8,16", "--beta", "0.418,0.4407,0.478", "--sweeps", "400", "--replicas", "64", "--json"];
    let output = ceas(&arguments).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let number = |key: &str| answer["beta_c"][key].as_f64().unwrap();
    let pair = &answer["pairs"][0];
    let stretch = (pair["chi_squared"].as_f64().unwrap() / pair["freedom"].as_f64().unwrap()).sqrt();
    assert!(stretch > 3.0, "{pair}");
    let off = (number("mean") - (1.0 + 2f64.sqrt()).ln() / 2.0).abs();
    assert!(off < 6.8 * number("error"), "{}", answer["beta_c"]);
    assert!(off > 6.8 * number("error") / stretch, "the plain error would do: {}", answer["beta_c"]);
    assert!(answer["beta_c"]["method"].as_str().unwrap().contains("error times"));
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
}

/// Wrong flags: exit code 2 and one sentence that names the thing.
#[test]
fn wrong_flags_are_refused_in_one_sentence() {
    let cases: [(&[&str], &str); 20] = [
        (&["--sizes", "7,14"], "L must be even"),
        (&["--sizes", "2,4"], "at least 4"),
        (&["--sizes", "8,8,16"], "named twice"),
        (&["--sizes", "8,12"], "two sizes L and 2L"),
        (&["--sizes", "8"], "two sizes L and 2L"),
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
        (&["--update", "magic"], "heat-bath, metropolis, wolff"),
        (&["--lattice", "cubic"], "square"),
    ];
    for (arguments, expected) in cases {
        let output = ceas(arguments).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(expected), "{arguments:?}: {message}");
        assert!(output.stdout.is_empty());
    }
}
