//! Attention measured on this machine: right before it is timed, saved so that the model reads it back.

use assert_cmd::Command;
use ceas_npu::measure::{self, Plan, Problem};
use ceas_npu::npu_model::gpu::{self, Format, Load, Machine, Power};
use ceas_npu::npu_model::workload::{Shape, Workload};

fn plan(lengths: &[u64], d: u64, heads: u64, causal: bool) -> Plan {
    let plan =
        Plan { lengths: lengths.to_vec(), d, heads, causal, format: Format::Fp32, repeats: 2, seed: 1 };
    plan.checked().unwrap()
}

fn ceas() -> Command {
    Command::cargo_bin("ceas").unwrap()
}

#[test]
fn tiles_that_do_not_fit_give_attention_all_the_same() {
    for (n, d, heads, causal) in
        [(1, 4, 1, true), (63, 8, 2, false), (129, 20, 2, true), (200, 64, 1, false), (300, 32, 3, true)]
    {
        let problem = Problem::new(&plan(&[n], d, heads, causal), n);
        let output = measure::attention(&problem);
        let accuracy = problem.accuracy(&output);
        assert_eq!(accuracy.rows as u64, n * heads);
        assert!(accuracy.relative_error < 1e-6, "n = {n}: {accuracy:?}");
        // The twin: a single wrong number is seen.
        let mut wrong = output.clone();
        let last = wrong.len() - 1;
        wrong[last] += 1.0;
        assert!(problem.accuracy(&wrong).relative_error > 1e-3);
        wrong[last] = f32::NAN;
        assert!(problem.accuracy(&wrong).relative_error.is_nan());
        // And the oracle is not the mask of the other kind.
        if n > 1 {
            let other = Problem { causal: !causal, ..problem.clone() };
            assert!(other.accuracy(&output).relative_error > 1e-2);
        }
    }
}

#[test]
fn the_oracle_is_softmax_by_the_book() {
    // Two keys, d = 4: scores 2·ln 3/√4 = ln 3 and 0, so p = 3/4 and 1/4.
    let s = 2.0 * 3f32.ln();
    let problem = Problem {
        n: 2,
        d: 4,
        heads: 1,
        causal: false,
        q: vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        k: vec![s, 0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0],
        v: vec![4.0, 0.0, 8.0, 0.0, 0.0, 4.0, 0.0, 0.0],
    };
    let close = |found: &[f64], wanted: [f64; 4]| {
        assert!(found.iter().zip(wanted).all(|(f, w)| (f - w).abs() < 1e-6), "{found:?}");
    };
    close(&problem.exact_row(0), [3.0, 1.0, 6.0, 0.0]);
    close(&problem.exact_row(1), [2.0, 2.0, 4.0, 0.0]);
    let causal = Problem { causal: true, ..problem };
    close(&causal.exact_row(0), [4.0, 0.0, 8.0, 0.0]);
}

#[test]
fn a_measurement_is_a_row_of_a_comparison() {
    let measured = measure::on_cpu(&plan(&[32, 64, 128], 16, 2, true), &|| {}).unwrap();
    assert!(measured.points.iter().all(|p| p.shortest <= p.seconds && p.seconds <= p.longest));
    let text = measured.to_toml().unwrap();
    let baseline = gpu::Gpu::from_toml("mine.toml", &text).unwrap();
    assert_eq!((baseline.kind, baseline.id.as_str()), (Machine::Cpu, "this_cpu"));
    assert_eq!(baseline.series[0].seq, [32, 64, 128]);
    assert_eq!(baseline.measurement.as_ref(), Some(&measured.measurement));
    let work = Workload::new(1, 2, Shape::square(128, 16, true).unwrap()).unwrap();
    let cost = baseline.price(&work, Load::Alone);
    assert!(cost.time.low.value() > 0.0 && cost.time.low <= cost.time.mid);
    // Without a meter the energy is unknown; with one it is watts times seconds.
    assert_eq!(cost.energy.is_some(), measured.watts.is_some());
    let metered = measure::Measured { watts: Some(50.0), ..measured };
    let baseline = metered.baseline().unwrap();
    assert!(matches!(baseline.power, Some(Power::Metered(_))));
    let cost = baseline.price(&work, Load::Alone);
    let joules = 50.0 * cost.time.mid.value();
    assert!((cost.energy.unwrap().mid.value() / joules - 1.0).abs() < 1e-9);
}

#[test]
fn names_from_the_system_cannot_break_the_file() {
    let mut measured = measure::on_cpu(&plan(&[16], 4, 1, false), &|| {}).unwrap();
    measured.name = "a \"name\"\n[tdp_w]\nvalue = 1 \u{0} \\".into();
    measured.measurement.machine = measured.name.clone();
    let read = measured.baseline().unwrap();
    assert_eq!(read.name, measured.name);
    assert!(read.power.is_none() || measured.watts.is_some());
}

#[test]
fn the_command_prints_a_table_and_saves_what_compare_reads() {
    let folder = tempfile::tempdir().unwrap();
    let (save, plot) = (folder.path().join("cpu.toml"), folder.path().join("cpu.svg"));
    let shape = ["--n", "32,64", "--d", "8", "--heads", "2", "--repeats", "2"];
    let output = ceas()
        .args(["bench", "attention", "--save"])
        .arg(&save)
        .arg("--plot")
        .arg(&plot)
        .args(shape)
        .assert()
        .success();
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    assert!(text.contains("rel. error") && text.contains("power") && text.contains("checked   192 rows"));
    let baseline = gpu::load(save.to_str().unwrap()).unwrap();
    assert_eq!(baseline.series[0].d_head, 8);
    assert!(std::fs::read_to_string(plot).unwrap().contains("FLOP/s"));
    // Once more: the file exists.
    let again = ceas().args(["bench", "attention", "--save"]).arg(&save).args(shape).assert().code(2);
    assert!(String::from_utf8_lossy(&again.get_output().stderr).contains("--force"));
    let json = ceas().args(["bench", "attention", "--json"]).args(shape).assert().success();
    let document: serde_json::Value = serde_json::from_slice(&json.get_output().stdout).unwrap();
    assert_eq!(document["command"], "bench attention");
    assert_eq!(document["points"][1]["n"], 64);
    assert!(document["points"][1]["accuracy"]["relative_error"].as_f64().unwrap() < 2e-6);
}

#[test]
fn impossible_shapes_are_refused_with_exit_code_2() {
    for (arguments, says) in [
        (["--n", "0"], "at least 1"),
        (["--d", "6"], "multiple of 4"),
        (["--d", "260"], "256"),
        (["--heads", "0"], "at least one"),
        (["--repeats", "0"], "at least one"),
        (["--n", "64,32"], "rise"),
        (["--n", "4000000000"], "gibibyte"),
        (["--n", "x"], "8,16"),
        (["--out", "x.h5"], "--save"),
        (["--save", "x.h5"], ".toml"),
    ] {
        let output = ceas().args(["bench", "attention"]).args(arguments).assert().code(2);
        let stderr = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(stderr.contains(says) && !stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
}

#[cfg(not(feature = "gpu"))]
#[test]
fn a_build_without_the_feature_names_it() {
    let output = ceas().args(["bench", "gpu"]).assert().code(2);
    assert!(String::from_utf8_lossy(&output.get_output().stderr).contains("--features gpu"));
}
