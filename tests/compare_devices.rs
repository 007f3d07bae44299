//! Devices of one's own, and questions that make no sense, in `ceas compare` and `ceas devices`.

mod comparison;

use std::fs;

use assert_cmd::Command;
use comparison::{SMALL, json, number, refusal, row};
use serde_json::Value;

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

fn devices(arguments: &[&str]) -> String {
    let output = Command::cargo_bin("ceas").unwrap().arg("devices").args(arguments).assert().success();
    String::from_utf8(output.get_output().stdout.clone()).unwrap()
}

#[test]
fn what_was_read_of_a_number_is_said() {
    let list = devices(&[]);
    assert!(list.contains("numbers read") && list.contains("curves read"), "{list}");
    for line in list.lines() {
        assert!(line.chars().count() <= 110, "{} columns: {line}", line.chars().count());
    }
    let document: Value = serde_json::from_str(&devices(&["list", "--json"])).unwrap();
    let sources = |kind: &str, id: &str, what: &str| {
        let found = document[kind].as_array().unwrap().iter().find(|d| d["id"] == id).unwrap();
        number(&found[what]["read"])
    };
    assert!(sources("devices", "kv260_metered", "sources") >= 10.0);
    assert_eq!(sources("devices", "z1_spice", "sources"), 0.0);
    assert_eq!(sources("baselines", "h100_sxm", "curves"), 2.0);
    let shown = devices(&["show", "kv260_metered"]).replace("\n   ", "");
    assert!(shown.contains("checked 2026-11-30 against the file") && shown.contains("not read"), "{shown}");
    let z1 = devices(&["show", "z1_spice"]).replace("\n   ", "");
    assert!(
        z1.contains("quoted, source not read") && z1.contains("from design.spins, design.clock_hz"),
        "{z1}"
    );
    assert!(devices(&["components"]).contains("not read"));
}

#[test]
fn rates_and_areas_of_ones_own_are_composed_and_wrong_ones_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let shipped = fs::read_to_string("npu-model/devices/composed_cim_28nm.toml").unwrap();
    let path = file.to_str().unwrap();
    fs::write(&file, shipped.replace("copies = 3072", "copies = 2")).unwrap();
    let slow = json(&[&SMALL[..], &["--device", path]].concat());
    assert_eq!(row(&slow, "composed_cim_28nm")["binds"], "adc_conversions");
    let text = devices(&["validate", path]).replace("\n   ", "");
    assert!(text.contains("rate_hz.adc_conversions is composed of") && text.contains("2 copies"), "{text}");
    // 3,072 converters of either kind, 1200 µm² at 32 nm and 438 µm² at 40 nm, at 28 nm.
    let area = 3072.0 * (1200e-6 * (28.0f64 / 32.0).powi(2) + 438e-6 * (28.0f64 / 40.0).powi(2));
    let told = number(&row(&slow, "composed_cim_28nm")["area_mm2"][0]);
    assert!((told / area - 1.0).abs() < 1e-9, "{told} {area}");
    assert!(text.contains("area_m2.chip is composed of"), "{text}");
    fs::write(&file, shipped.replace("\"brahms_dac_8b\", count", "\"hbm3\", count")).unwrap();
    let message = refusal(&["--device", path]);
    assert!(message.contains("area_m2.chip") && message.contains("isaac_edram"), "{message}");
}
