//! `ceas compare` run, and its document read: what its tests share.

#![allow(dead_code, reason = "every test file reads some of it")]

use assert_cmd::Command;
use serde_json::Value;

pub fn ceas(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ceas").unwrap();
    command.arg("compare").args(arguments);
    command
}

pub fn json(arguments: &[&str]) -> Value {
    let output = ceas(arguments).arg("--json").assert().success();
    serde_json::from_slice(&output.get_output().stdout).unwrap()
}

/// The message of a run that ends with exit code 2.
pub fn refusal(arguments: &[&str]) -> String {
    let output = ceas(arguments).assert().code(2);
    assert!(output.get_output().stdout.is_empty());
    String::from_utf8(output.get_output().stderr.clone()).unwrap()
}

pub fn row<'v>(document: &'v Value, name: &str) -> &'v Value {
    let rows = document["rows"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no row {name}"))
}

pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

/// A small study: no test needs the size of the bundled heads.
pub const SMALL: [&str; 4] = ["--n", "64", "--d", "16"];
