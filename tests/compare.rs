//! `ceas compare` as a user meets it.

mod comparison;

use std::fs;

use comparison::{SMALL, ceas, json, number, refusal, row};
use serde_json::Value;

#[test]
fn the_document_has_its_keys_and_its_parts_sum() {
    let document = json(&[]);
    assert_eq!(document["command"], "compare");
    assert_eq!(document["workload"]["layers"], 6);
    let names = ["z1_spice", "asic28_measured", "pcm_wta_projected", "control_int8_digital", "h100_sxm"];
    for name in names {
        let row = row(&document, name);
        for end in ["low", "mid", "high"] {
            let total = number(&row["energy_j"][end]);
            let parts = row["breakdown"]["energy_j"].as_object().unwrap();
            let sum: f64 = parts.values().map(|part| number(&part[end])).sum();
            assert!((sum / total - 1.0).abs() < 1e-9, "{name} {end}: {sum} of {total}");
            assert!(number(&row["time_s"][end]) > 0.0);
        }
        assert!(number(&row["output_error"]) <= 0.1, "{name}");
        assert!(row["evidence"].is_string() && row["kind"].is_string());
    }
    // K and V of all heads at 0.34 µm² a number; the file of Z1 knows no area.
    let held = 6.0 * 12.0 * 102.0 * (32.0 + 32.0);
    let area = number(&row(&document, "control_int8_digital")["area_mm2"][1]);
    assert!((area / (held * 0.34e-6) - 1.0).abs() < 1e-12, "{area}");
    assert!(row(&document, "z1_spice")["area_mm2"].is_null());
    // What samples was sampled just enough: one read-out fewer would miss the target in some head.
    assert!(number(&row(&document, "pcm_wta_projected")["worst_head_error"]) > 0.0995);
    // Z1 has to write every logit, and that alone takes seconds for one sentence.
    let z1 = row(&document, "z1_spice");
    assert_eq!(z1["binds"], "field_writes");
    let written = number(&document["workload"]["pairs"]) / 269_568.0;
    assert!((number(&z1["time_s"]["mid"]) / written - 1.0).abs() < 1e-9);
    assert!(document["break_even"]["devices"].as_array().unwrap().len() == 4);
    assert!(
        document["excluded"].as_array().unwrap().iter().any(|e| e.as_str().unwrap().contains("static power"))
    );
}

#[test]
fn every_row_is_drawn_and_its_draws_lie_between_its_ends() {
    let drawn = |draws: &str| {
        json(&[&SMALL[..], &["--draws", draws, "--gpu", "h100_sxm", "--gpu", "tpu_v5e"]].concat())
    };
    let document = drawn("4000");
    assert_eq!(document["draws"], 4000);
    for name in ["z1_spice", "asic28_measured", "pcm_wta_projected", "control_int8_digital", "h100_sxm"] {
        let row = row(&document, name);
        for (quantity, drawn) in [("energy_j", "energy_j"), ("time_s", "time_s")] {
            let spread = &row["monte_carlo"][drawn];
            let [p05, p50, p95] = ["p05", "p50", "p95"].map(|q| number(&spread[q]));
            let [low, high] = ["low", "high"].map(|end| number(&row[quantity][end]));
            assert!(
                low * (1.0 - 1e-9) <= p05 && p05 <= p50 && p50 <= p95 && p95 <= high * (1.0 + 1e-9),
                "{name}"
            );
        }
        // A share above a half is a median above 1, and the other way round.
        let (share, median) =
            (number(&row["monte_carlo"]["beats_gpu"]), number(&row["monte_carlo"]["gain"]["p50"]));
        assert!(
            share == 0.5 || (share > 0.5) == (median > 1.0) || median == 1.0,
            "{name}: {share}, {median}"
        );
    }
    // A row beside itself gains nothing, in any draw.
    let gain = |name: &str, over: &str| document_gain(&document, name, over);
    assert_eq!(gain("h100_sxm", "gain"), [1.0, 1.0]);
    assert_eq!(gain("control_int8_digital", "gain_over_control"), [1.0, 1.0]);
    // What has no known power is drawn in time alone.
    let tpu = row(&document, "tpu_v5e");
    assert!(tpu["monte_carlo"]["energy_j"].is_null() && tpu["monte_carlo"]["time_s"]["p50"].is_number());
    // Nothing between these heads and a whole model but the same draws: more of them move no percentile far.
    let more = drawn("16000");
    let [few, many] =
        [&document, &more].map(|d| number(&row(d, "z1_spice")["monte_carlo"]["energy_j"]["p50"]));
    // Log-uniform over a decade, 4,000 draws: a median is known to 1.8 % (1σ).
    assert!((few / many - 1.0).abs() < 0.12, "{few} {many}");
    assert!(refusal(&["--draws", "1"]).contains("--draws"));
}

fn document_gain(document: &Value, name: &str, over: &str) -> [f64; 2] {
    ["p05", "p95"].map(|q| number(&row(document, name)["monte_carlo"][over][q]))
}

#[test]
fn the_counts_are_those_of_a_run() {
    let document = json(&[&SMALL[..], &["--samples", "30"]].concat());
    let activity = |name: &str, count: &str| number(&row(&document, name)["activity"][count]);
    // Native: 64 states compete in each of 30 races for each of 64 queries; a winner is six bits and sixteen additions.
    assert_eq!(activity("pcm_wta_projected", "attempts"), 64.0 * 64.0 * 30.0);
    assert_eq!(activity("pcm_wta_projected", "read_outs"), 64.0 * 6.0 * 30.0);
    assert_eq!(activity("pcm_wta_projected", "decoder_adds"), 64.0 * 16.0 * 30.0);
    assert_eq!(activity("pcm_wta_projected", "field_writes"), 64.0 * 64.0);
    // One-hot: every bit is visited once in each of 30 sweeps, and read after each.
    assert_eq!(activity("asic28_measured", "attempts"), 64.0 * 64.0 * 30.0);
    assert_eq!(activity("asic28_measured", "read_outs"), 64.0 * 64.0 * 30.0);
}

#[test]
fn energy_is_a_line_in_the_number_of_samples() {
    let energy = |samples: &str, name: &str| {
        let document = json(&[&SMALL[..], &["--samples", samples]].concat());
        number(&row(&document, name)["energy_j"]["mid"])
    };
    for name in ["z1_spice", "pcm_wta_projected"] {
        let [a, b, c] = ["10", "20", "40"].map(|samples| energy(samples, name));
        assert!(((c - b) / (2.0 * (b - a)) - 1.0).abs() < 1e-9, "{name}");
    }
    assert_eq!(energy("10", "control_int8_digital"), energy("40", "control_int8_digital"));
}

#[test]
fn the_control_cannot_be_left_out_and_break_even_is_where_it_says() {
    let document = json(&[&SMALL[..], &["--device", "pcm_wta_projected"]].concat());
    row(&document, "control_int8_digital");
    let level = document["break_even"]["devices"][0]["samples_level"].as_f64().unwrap();
    let samples = format!("{level:.0}");
    let document = json(&[&SMALL[..], &["--device", "pcm_wta_projected", "--samples", &samples]].concat());
    let gain = number(&document["break_even"]["devices"][0]["gain"][1]);
    assert!((gain - 1.0).abs() < 1e-2, "{gain} at {samples} samples");
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let bytes = |threads: &str| {
        let output = ceas(&SMALL).args(["--json", "--threads", threads]).assert().success();
        output.get_output().stdout.clone()
    };
    assert_eq!(bytes("1"), bytes("3"));
}

#[test]
fn an_error_that_rounding_exceeds_is_said() {
    let document = json(&[&SMALL[..], &["--error", "0.0005"]].concat());
    let control = row(&document, "control_int8_digital");
    assert!(control["unreachable"].as_str().unwrap().contains("rounding"));
    let pcm = row(&document, "pcm_wta_projected");
    assert!(pcm["unreachable"].as_str().unwrap().contains("width of its fields"));
    assert!(pcm["energy_j"].is_null());
    let text = ceas(&SMALL).args(["--error", "0.0005"]).assert().success();
    let text = String::from_utf8(text.get_output().stdout.clone()).unwrap();
    assert!(text.contains("CANNOT"), "{text}");
}

#[test]
fn the_table_fits_a_terminal() {
    let output = ceas(&[]).assert().success();
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    for line in text.lines() {
        assert!(line.chars().count() <= 110, "{} columns: {line}", line.chars().count());
    }
    // Sentences are wrapped.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("INFEASIBLE in time") && text.contains("without any thermal physics"));
    assert!(text.contains("5–95 %") && text.contains("% of draws"), "{text}");
}

#[test]
fn the_picture_is_drawn_and_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "a.svg"] {
        let file = folder.path().join(name);
        let arguments = [&SMALL[..], &["--plot", file.to_str().unwrap()]].concat();
        ceas(&arguments).assert().success();
        assert!(fs::metadata(&file).unwrap().len() > 5_000);
        assert!(refusal(&arguments).contains("exists already"));
    }
    let file = folder.path().join("tornado.svg");
    let arguments = [&SMALL[..], &["--figure", "tornado", "--plot", file.to_str().unwrap()]].concat();
    ceas(&arguments).assert().success();
    assert!(fs::read_to_string(&file).unwrap().contains("price_j"));
    for heads in [&[][..], &SMALL[..]] {
        let message = refusal(&[heads, &["--figure", "map-n-s"]].concat());
        assert!(message.contains("--model") && message.contains("each captured by itself"), "{message}");
    }
    assert!(
        refusal(&["--figure", "map-flip-write", "--device", "control_int8_digital"])
            .contains("none of the devices")
    );
    let file = folder.path().join("map.svg");
    let arguments = [&SMALL[..], &["--figure", "map-flip-write", "--plot", file.to_str().unwrap()]].concat();
    ceas(&arguments).assert().success();
    assert!(fs::read_to_string(&file).unwrap().contains("price of a write"));
}

#[test]
fn energy_against_error_of_heads_agrees_with_the_rows() {
    let document = json(&["--figure", "pareto"]);
    let points = document["figure"]["pareto"].as_array().unwrap();
    let of = |name: &str| points.iter().filter(|p| p["name"] == name).collect::<Vec<_>>();
    for name in ["control_int8_digital", "h100_sxm"] {
        let point = of(name)[0];
        assert_eq!(point["energy_j"], row(&document, name)["energy_j"]["mid"], "{name}");
        assert_eq!(point["error"], row(&document, name)["output_error"], "{name}");
        assert_eq!(point["best"], true, "{name}");
    }
    // Less error never takes less energy, and at 10 % the curve passes the row.
    let z1: Vec<_> = of("z1_spice").iter().map(|p| (number(&p["error"]), number(&p["energy_j"]))).collect();
    assert!(z1.len() > 20 && z1.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 >= w[1].1));
    let own = number(&row(&document, "z1_spice")["energy_j"]["mid"]);
    let near = z1.iter().filter(|(error, _)| (0.05..0.2).contains(error));
    let (low, high) = near.fold((f64::MAX, 0.0f64), |(low, high), (_, e)| (low.min(*e), high.max(*e)));
    assert!(low < own && own < high, "{low} {own} {high}");
}

#[test]
fn what_cannot_reach_the_error_is_not_called_level() {
    let output = ceas(&SMALL).args(["--error", "1e-4"]).assert().success();
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    assert!(text.contains("h100_sxm itself has an output error"), "{text}");
    assert!(text.contains("control_int8_digital CANNOT") && !text.contains("The control, without"), "{text}");
    assert!(json(&SMALL)["findings"].to_string().contains("The control, without"));
}

#[cfg(feature = "hdf5")]
#[test]
fn the_file_holds_what_the_document_says() {
    use ceas_npu::sim::snapshot::hdf5::File;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.h5");
    let mut arguments = SMALL.to_vec();
    // An error that only some reach: what cannot is NaN, not 0.
    arguments.extend(["--error", "0.001", "--out", path.to_str().unwrap()]);
    let document = json(&arguments);
    let file = File::open(&path).unwrap();
    let read = |name: &str| file.dataset(name).unwrap().read_2d::<f64>().unwrap();
    for quantity in ["energy_j", "time_s"] {
        let values = read(&format!("rows/{quantity}"));
        for (at, row) in document["rows"].as_array().unwrap().iter().enumerate() {
            for (end, name) in ["low", "mid", "high"].into_iter().enumerate() {
                match row[quantity][name].as_f64() {
                    // Reading decimal digits back may miss the last bit.
                    Some(value) => assert!((values[[at, end]] / value - 1.0).abs() < 1e-14),
                    None => assert!(values[[at, end]].is_nan()),
                }
            }
        }
    }
    let energy = read("rows/energy_j");
    assert!(energy.iter().any(|e| e.is_nan()) && energy.iter().any(|e| e.is_finite()));
    let parts = file.group("breakdown/energy_j").unwrap().datasets().unwrap();
    let parts: Vec<_> = parts.iter().map(|part| part.read_2d::<f64>().unwrap()).collect();
    for (place, total) in energy.indexed_iter().filter(|(_, total)| total.is_finite()) {
        let sum: f64 = parts.iter().map(|part| part[place]).filter(|x| x.is_finite()).sum();
        assert!((sum / total - 1.0).abs() < 1e-9, "{place:?}: {sum} of {total}");
    }
    assert_eq!(file.attr("seed").unwrap().read_scalar::<u64>().unwrap(), 1);
    let gain = read("rows/gain");
    for (at, row) in document["rows"].as_array().unwrap().iter().enumerate() {
        match row["monte_carlo"]["gain"]["p95"].as_f64() {
            Some(value) => assert!((gain[[at, 2]] / value - 1.0).abs() < 1e-14),
            None => assert!(gain[[at, 2]].is_nan()),
        }
    }
}
