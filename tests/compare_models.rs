//! `ceas compare --model` as a user meets it.

mod comparison;

use std::fs;

use comparison::{ceas, json, number, refusal, row};
#[cfg(feature = "hdf5")]
use serde_json::Value;

const LLAMA: [&str; 6] = ["--model", "data/configs/llama3-8b.json", "--context", "2048", "--draws", "200"];

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
