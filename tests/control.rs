//! `ceas control`, `ceas sweep --heads` and `ceas audit` as a user and a script meet them.

use assert_cmd::Command;
use serde_json::Value;

fn ceas(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ceas").unwrap();
    command.args(arguments);
    command
}

fn json(arguments: &[&str]) -> Value {
    let output = ceas(arguments).arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Two layers of two heads of 24 tokens, causal, one of them with equal scores everywhere.
fn small(folder: &std::path::Path) -> String {
    use ceas_npu::mapping::heads::{HeadSet, Origin};
    use ndarray::Array4;
    let wave = |scale: f32| {
        Array4::from_shape_fn((2, 2, 24, 4), |(layer, head, i, a)| {
            if (layer, head) == (1, 1) {
                0.0
            } else {
                scale * ((1 + layer + head) as f32 * (i * 7 + a * 3) as f32).sin()
            }
        })
    };
    let set =
        HeadSet::new([wave(4.0), wave(2.0), wave(1.0)], vec![true; 24], true, Origin::default()).unwrap();
    let path = folder.join("small.safetensors");
    std::fs::write(&path, ceas_npu::mapping::qkv::to_bytes(&set)).unwrap();
    path.display().to_string()
}

#[test]
fn heads_are_controlled_and_nothing_in_the_document_is_nan() {
    let folder = tempfile::tempdir().unwrap();
    let file = small(folder.path());
    let few = ["control", "--qkv", &file, "--samples", "16", "--least-keys", "1", "--steps", "20"];
    let document = json(&few);
    assert_eq!(document["command"], "control");
    let heads = document["heads"].as_array().unwrap();
    assert_eq!(heads.len(), 4);
    let outcome = |head: usize, variant: usize| {
        heads[head]["trajectories"][variant]["outcome"]["kind"].as_str().unwrap()
    };
    assert_eq!(outcome(3, 0), "impossible");
    assert_eq!(outcome(3, 4), "impossible");
    assert!(heads[3]["sigma"].is_null() && heads[3]["peak"].is_null());
    let text = ceas(&few).output().unwrap().stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    // Threads change nothing, measured entropies included.
    let measured = |threads: &str| {
        let mut arguments = few.to_vec();
        arguments.extend(["--entropy", "races", "--threads", threads]);
        json(&arguments)["heads"].clone()
    };
    assert_eq!(measured("1"), measured("3"));
}

/// H, β, N_eff, C and gates over steps: what the document says of all heads is what its head says of itself, and the text has both.
#[test]
fn a_run_is_told_step_by_step() {
    let folder = tempfile::tempdir().unwrap();
    let file = small(folder.path());
    let few = ["control", "--qkv", &file, "--samples", "8", "--least-keys", "2", "--steps", "20"];
    let document = json(&[&few[..], &["--head", "1.0"]].concat());
    let over = |which: &str| document["over_steps"][which].as_array().unwrap().clone();
    let [published, corrected] = ["published", "corrected"].map(over);
    assert_eq!((published.len(), corrected.len()), (21, 13));
    let head = &document["heads"][2];
    assert_eq!((head["layer"].as_u64(), head["head"].as_u64()), (Some(1), Some(0)));
    for (place, instants) in [(0, &published), (4, &corrected)] {
        let moments = head["trajectories"][place]["moments"].as_array().unwrap();
        assert_eq!(moments.len(), instants.len());
        for (step, (now, moment)) in instants.iter().zip(moments).enumerate() {
            let within = |key: &str, x: f64| {
                let [low, high] = ["min", "max"].map(|end| now[key][end].as_f64().unwrap());
                assert!(low - 1e-12 <= x && x <= high + 1e-12, "{key} at step {step}: {low} {x} {high}");
            };
            let h = moment["entropy"].as_f64().unwrap();
            within("entropy", h);
            within("n_eff", h.exp());
            within("specific_heat", moment["specific_heat"].as_f64().unwrap());
            within("over_textbook", moment["beta"].as_f64().unwrap() / head["beta"].as_f64().unwrap());
            let which = usize::from(place == 4);
            within("kept", head["gates_over_steps"][which]["kept"][step].as_f64().unwrap());
            assert_eq!(now["step"], step);
        }
    }
    // The two heads that can be held are on target at the end; the one of equal scores has none.
    assert_eq!(published[0]["over_textbook"]["median"], 1.0);
    assert!(corrected[12]["on_target"].as_f64().unwrap() > published[20]["on_target"].as_f64().unwrap());
    let text = |arguments: &[&str]| {
        String::from_utf8(ceas(&[&few[..], arguments].concat()).output().unwrap().stdout).unwrap()
    };
    let with_head = text(&["--head", "1.0"]);
    assert!(with_head.contains("gate keeps %") && with_head.contains("Head 1.0:"), "{with_head}");
    assert!(!text(&[]).contains("Head 1.0:"));
}

/// One key, equal scores, keys that are masked, values of 0, scores so far apart that a row is frozen.
#[test]
fn odd_rows_have_a_defined_answer() {
    use ceas_npu::mapping::heads::{HeadSet, Origin};
    use ndarray::Array4;
    let folder = tempfile::tempdir().unwrap();
    let wave = |n: usize, scale: f32| {
        Array4::from_shape_fn((1, 1, n, 4), |(.., i, a)| scale * ((i * 7 + a * 3) as f32).sin())
    };
    let half: Vec<bool> = (0..20).map(|key| key % 2 == 0).collect();
    let alone: Vec<bool> = (0..20).map(|key| key == 3).collect();
    let cases = [
        ("one key", [1.0, 1.0, 1.0], vec![true]),
        ("equal scores", [0.0, 1.0, 1.0], vec![true; 20]),
        ("half the keys", [1.0, 1.0, 1.0], half),
        ("one key left", [1.0, 1.0, 1.0], alone),
        ("no values", [1.0, 1.0, 0.0], vec![true; 20]),
        ("frozen", [1e9, 1e9, 1.0], vec![true; 20]),
        ("diffuse", [1e-15, 1e-15, 1.0], vec![true; 20]),
    ];
    for (name, scales, mask) in cases {
        let set = HeadSet::new(scales.map(|s| wave(mask.len(), s)), mask, false, Origin::default()).unwrap();
        let path = folder.path().join("odd.safetensors").display().to_string();
        std::fs::write(&path, ceas_npu::mapping::qkv::to_bytes(&set)).unwrap();
        let few = ["--samples", "8", "--steps", "8"];
        let runs: [&[&str]; 5] = [
            &["control", "--qkv", &path],
            &["control", "--qkv", &path, "--from", "0", "--entropy", "races"],
            &["control", "--qkv", &path, "--diagnostics"],
            &["attend", "--qkv", &path],
            &["sweep", "--heads", &path],
        ];
        for run in runs {
            let arguments: Vec<&str> = match run[0] {
                "control" => run.iter().chain(&few).copied().collect(),
                "attend" => run.iter().chain(&few[..2]).copied().collect(),
                _ => run.to_vec(),
            };
            let output = ceas(&arguments).output().unwrap();
            let (text, complaint) = (String::from_utf8(output.stdout).unwrap(), output.stderr);
            let complaint = String::from_utf8_lossy(&complaint).into_owned();
            // Rows too short for a verb are refused, in a sentence.
            assert!(
                output.status.success() || complaint.contains("keys"),
                "{name}, {arguments:?}: {complaint}"
            );
            let broken =
                |word: &str| word.contains("NaN") || word.trim_matches(['+', '-', 'σ', ';']) == "inf";
            assert!(!text.split_whitespace().any(broken), "{name}, {arguments:?}: {text}");
        }
    }
}

#[test]
fn files_are_left_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = small(folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let names = ["c.svg", "c.h5", "c.html", "s.svg"].map(path);
    ceas(&[
        "control",
        "--qkv",
        &file,
        "--samples",
        "8",
        "--steps",
        "8",
        "--plot",
        &names[0],
        "--out",
        &names[1],
        "--report",
        &names[2],
    ])
    .assert()
    .success();
    ceas(&["sweep", "--heads", &file, "--plot", &names[3]]).assert().success();
    for name in &names {
        assert!(std::fs::metadata(name).unwrap().len() > 1000, "{name}");
    }
    let svg = std::fs::read_to_string(&names[0]).unwrap();
    assert!(svg.contains("Where the heads sit") && svg.contains("corrected"));
}

#[test]
fn wrong_input_is_told_what_is_right() {
    let cases: [(&[&str], &str); 16] = [
        (&["control", "--head", "3"], "such as 3.7"),
        (&["control", "--head", "6.0"], "6 layers of 12 heads"),
        (&["control", "--target", "0"], "between 0 and ln N"),
        (&["control", "--target", "warm"], "published, critical"),
        (&["control", "--scale", "7b"], "9k, 14m, gpt"),
        (&["control", "--from", "-1"], "finite number"),
        (&["control", "--samples", "2"], "at least 3"),
        (&["control", "--steps", "0"], "1 to 100000"),
        (&["control", "--least-keys", "4000"], "no query sees 4000 keys"),
        (&["sweep", "--heads", "nowhere"], "bundled, random, iid, hyperbolic"),
        (&["sweep", "--heads", "bundled", "--text", "hi"], "--text needs a model"),
        (&["sweep", "--limit", "160"], "--limit belongs to --heads"),
        (&["control", "--text-file", "data/maxwell.txt"], "--text-file needs --model"),
        (&["attend", "--limit", "8"], "--limit needs --model"),
        (&["control", "--passages", "1"], "an error needs 2"),
        (&["control", "--passages", "33"], "there are 32"),
    ];
    for (arguments, expected) in cases {
        let output = ceas(arguments).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {complaint}");
        assert!(complaint.contains(expected), "{arguments:?}: {complaint}");
    }
}

#[test]
fn trained_heads_are_swept_beside_their_twins() {
    let document = json(&["sweep", "--heads", "bundled"]);
    let summary = &document["summary"];
    let share = summary["within_1.5"]["mean"].as_f64().unwrap();
    assert_eq!((share * 72.0).round(), 52.0);
    assert_eq!(summary["random_within_1.5"]["mean"], 0.0);
    let at_peak = &summary["entropy_share_at_peak"];
    assert!(
        (at_peak["mean"].as_f64().unwrap() - 0.55).abs() < 0.02 && at_peak["error"].as_f64().unwrap() < 0.01
    );
    for head in document["heads"].as_array().unwrap() {
        assert_eq!(head["levels"].as_array().unwrap().len(), 60);
        assert!(head["peak"]["beta"]["error"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn the_audit_is_the_page_of_the_documentation() {
    let output = ceas(&["audit", "--markdown"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/audit.md")).unwrap();
    let difference = page.lines().zip(printed.lines()).find(|(a, b)| a != b);
    assert!(page == printed, "docs/audit.md is not what `ceas audit --markdown` prints: {difference:?}");
}
