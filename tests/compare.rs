//! `ceas compare` as a user meets it.

use std::fs;

use assert_cmd::Command;
use serde_json::Value;

fn ceas(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ceas").unwrap();
    command.arg("compare").args(arguments);
    command
}

fn json(arguments: &[&str]) -> Value {
    let output = ceas(arguments).arg("--json").assert().success();
    serde_json::from_slice(&output.get_output().stdout).unwrap()
}

/// The message of a run that ends with exit code 2.
fn refusal(arguments: &[&str]) -> String {
    let output = ceas(arguments).assert().code(2);
    assert!(output.get_output().stdout.is_empty());
    String::from_utf8(output.get_output().stderr.clone()).unwrap()
}

fn row<'v>(document: &'v Value, name: &str) -> &'v Value {
    let rows = document["rows"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no row {name}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

/// A small study: no test needs the size of the bundled heads.
const SMALL: [&str; 4] = ["--n", "64", "--d", "16"];

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
fn a_device_of_the_users_own_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let shipped = fs::read_to_string("npu-model/devices/asic28_measured.toml").unwrap();
    fs::write(&file, shipped.replacen("asic28_measured", "mine", 1)).unwrap();
    let document = json(&[&SMALL[..], &["--device", file.to_str().unwrap()]].concat());
    assert_eq!(row(&document, "mine")["kind"], "p-bit");

    let unpriced = shipped.replacen("[price_j.decoder_adds]", "[price_j.value_macs]", 1);
    fs::write(&file, unpriced).unwrap();
    let message = refusal(&[&SMALL[..], &["--device", file.to_str().unwrap()]].concat());
    assert!(message.contains("asic28_measured") && message.contains("decoder_adds"), "{message}");

    fs::write(&file, shipped.replacen("[price_j.attempts]", "[price.attempts]", 1)).unwrap();
    let message = refusal(&["--device", file.to_str().unwrap()]);
    assert!(message.contains("mine.toml") && message.contains("`price`"), "{message}");
}

#[test]
fn wrong_questions_are_refused_with_a_sentence() {
    let message = refusal(&["--device", "z2_spice"]);
    assert!(message.contains("z2_spice") && message.contains("control_int8_digital"), "{message}");
    assert!(refusal(&["--device", "nowhere.toml"]).contains("nowhere.toml"));
    assert!(refusal(&["--device", "z1_spice", "--device", "z1_spice"]).contains("twice"));
    assert!(refusal(&["--model", "nowhere.json", "--task", "prefill"]).contains("nowhere.json"));
    assert!(refusal(&["--task", "prefill"]).contains("--model"));
    assert!(refusal(&["--n", "0", "--d", "16"]).contains("at least 1"));
    assert!(refusal(&["--n", "1000000000", "--d", "16"]).contains("64 bits"));
    assert!(refusal(&["--n", "64"]).contains("--d"));
    assert!(refusal(&["--error", "0"]).contains("> 0"));
    assert!(refusal(&["--error", "-0.1"]).contains("0.1"));
    assert!(refusal(&["--error", "nan"]).contains("NaN"));
    assert!(refusal(&["--samples", "0"]).contains("at least one"));
    assert!(refusal(&["--samples", "5", "--error", "0.1"]).contains("cannot be used with"));
    assert!(refusal(&["--qkv", "nowhere.safetensors"]).contains("nowhere.safetensors"));
    assert!(refusal(&["--plot", "x.jpg"]).contains("--plot"));
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
    assert!(refusal(&["--figure", "map-n-s"]).contains("--model"));
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
fn a_device_that_does_not_exist_is_composed_and_its_sums_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let shipped = fs::read_to_string("npu-model/devices/composed_cim_28nm.toml").unwrap();
    let own = shipped
        .replacen("composed_cim_28nm", "mine", 2)
        .replace("isaac_adc_8b\" }", "isaac_adc_8b\", bits = 6 }");
    fs::write(&file, &own).unwrap();
    let path = file.to_str().unwrap();
    let devices = |arguments: &[&str]| {
        let output = Command::cargo_bin("ceas").unwrap().arg("devices").args(arguments).assert().success();
        String::from_utf8(output.get_output().stdout.clone()).unwrap()
    };
    for verb in ["validate", "show"] {
        let text = devices(&[verb, path]).replace("\n   ", "");
        assert!(
            text.contains("isaac_adc_8b at 28 nm and 6 bits") && text.contains("published: 1.67 pJ"),
            "{text}"
        );
    }
    assert!(devices(&["components"]).contains("isaac_adc_8b"));
    let document = json(&[&SMALL[..], &["--device", path]].concat());
    assert_eq!(row(&document, "mine")["evidence"], "projected");
    // An energy is a sum of parts, and 6 bits cost less than 8.
    let dearer = json(&[&SMALL[..], &["--device", "composed_cim_28nm"]].concat());
    let part =
        |d: &Value, name: &str| number(&row(d, name)["breakdown"]["energy_j"]["adc_conversions"]["mid"]);
    assert!((part(&document, "mine") / part(&dearer, "composed_cim_28nm") - 0.25).abs() < 1e-9);
    fs::write(&file, own.replace("isaac_adc_8b", "adc_sar")).unwrap();
    let message = refusal(&["--device", path]);
    assert!(
        message.contains("mine.toml") && message.contains("adc_sar") && message.contains("timely_tdc_8b"),
        "{message}"
    );
}

#[test]
fn what_cannot_reach_the_error_is_not_called_level() {
    let output = ceas(&SMALL).args(["--error", "1e-4"]).assert().success();
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    assert!(text.contains("h100_sxm itself has an output error"), "{text}");
    assert!(text.contains("control_int8_digital CANNOT") && !text.contains("The control, without"), "{text}");
    assert!(json(&SMALL)["findings"].to_string().contains("The control, without"));
}

#[test]
fn a_file_cannot_take_the_place_of_the_control() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/npu-model/devices/z1_spice.toml");
    let own = folder.path().join("own.toml");
    for id in ["control_int8_digital", "h100_sxm"] {
        let text =
            fs::read_to_string(shipped).unwrap().replace("id = \"z1_spice\"", &format!("id = \"{id}\""));
        fs::write(&own, text).unwrap();
        let message = refusal(&["--n", "16", "--d", "4", "--device", own.to_str().unwrap()]);
        assert!(message.contains("own.toml") && message.contains(id), "{message}");
    }
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

#[cfg(feature = "hdf5")]
#[test]
fn the_file_of_a_whole_model_holds_what_its_document_says() {
    use ceas_npu::sim::snapshot::hdf5::File;
    use ceas_npu::sim::snapshot::hdf5::types::VarLenUnicode;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.h5");
    let document = json(&[&LLAMA[..], &["--out", path.to_str().unwrap()]].concat());
    let file = File::open(&path).unwrap();
    let read = |name: &str| file.dataset(name).unwrap().read_2d::<f64>().unwrap();
    let (energy, drawn) = (read("rows/energy_j"), read("rows/monte_carlo_energy_j"));
    let parts = file.group("breakdown/energy_j").unwrap().datasets().unwrap();
    let parts: Vec<_> = parts.iter().map(|part| part.read_2d::<f64>().unwrap()).collect();
    for (at, row) in document["rows"].as_array().unwrap().iter().enumerate() {
        assert!((energy[[at, 1]] / number(&row["energy_j"]["mid"]) - 1.0).abs() < 1e-14);
        assert!((drawn[[at, 0]] / number(&row["monte_carlo"]["energy_j"]["p05"]) - 1.0).abs() < 1e-14);
        let sum: f64 = parts.iter().map(|part| part[[at, 1]]).filter(|x| x.is_finite()).sum();
        assert!((sum / energy[[at, 1]] - 1.0).abs() < 1e-9, "row {at}");
    }
    assert_eq!(file.attr("draws").unwrap().read_scalar::<u64>().unwrap(), 200);
    let report = file.dataset("report").unwrap().read_1d::<VarLenUnicode>().unwrap();
    let inside: Value = serde_json::from_str(report[0].as_str()).unwrap();
    assert_eq!(inside["rows"].as_array().unwrap().len(), document["rows"].as_array().unwrap().len());
}

const LLAMA: [&str; 6] = ["--model", "data/configs/llama3-8b.json", "--context", "2048", "--draws", "200"];

#[test]
fn a_whole_model_has_its_keys_and_its_table_fits_a_terminal() {
    let document = json(&[&LLAMA[..], &["--task", "decode", "--batch", "4"]].concat());
    assert_eq!(document["command"], "compare");
    for name in ["z1_spice", "control_int8_digital", "northpole_measured", "h100_sxm"] {
        let row = row(&document, name);
        let total = number(&row["energy_j"]["mid"]);
        let parts = row["breakdown"]["energy_j"].as_object().unwrap();
        let sum: f64 = parts.values().map(|part| number(&part["mid"])).sum();
        assert!((sum / total - 1.0).abs() < 1e-9, "{name}: {sum} of {total}");
        assert!(row["evidence"].is_string() && row["monte_carlo"]["energy_j"]["p50"].is_number());
    }
    let output = ceas(&LLAMA).args(["--task", "prefill", "--search", "energy"]).assert().success();
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    for line in text.lines() {
        assert!(line.chars().count() <= 110, "{} columns: {line}", line.chars().count());
    }
    assert!(text.contains("needs no spin") && text.contains("priced one by one"), "{text}");
    assert!(refusal(&[&LLAMA[..], &["--n2", "0.5"]].concat()).contains("--n2"));
    assert!(refusal(&[&LLAMA[..], &["--device", "dtca_projected"]].concat()).contains("states no price"));
}

#[test]
fn every_figure_of_a_whole_model_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    for figure in ["bars", "map-n-s", "map-flip-write", "pareto", "tornado"] {
        let file = folder.path().join(format!("{figure}.svg"));
        ceas(&LLAMA).args(["--figure", figure, "--plot", file.to_str().unwrap()]).assert().success();
        assert!(fs::metadata(&file).unwrap().len() > 3_000, "{figure}");
    }
}
