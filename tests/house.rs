//! The house keeps its shape: arrows between crates, one loop over sweeps, `unsafe` in one place, documents that name
//! only what exists.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of the workspace outside `target`.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = ["src", "sim", "mapping", "npu-model", "tests", "examples", "benches"]
        .iter()
        .map(|folder| root().join(folder))
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(found.len() > 30, "the sources were not found");
    found
}

fn is_test_code(path: &Path) -> bool {
    path.components().any(|part| ["tests", "benches", "examples"].iter().any(|t| part.as_os_str() == *t))
}

/// The part of a file before its unit tests.
fn product_code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]").next().unwrap().to_owned()
}

#[test]
fn crates_depend_only_on_crates_to_their_left() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = ["ceas-sim", "ceas-mapping", "ceas-npu-model", "ceas-npu"];
    let mut seen = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let place =
            row.iter().position(|r| *r == name).unwrap_or_else(|| panic!("{name} has no place in the row"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let needed = dependency["name"].as_str().unwrap();
            if let Some(other) = row.iter().position(|r| *r == needed) {
                assert!(other < place, "{name} may not depend on {needed}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 6, "the arrows were not read");
}

#[test]
fn there_is_one_loop_over_sweeps() {
    // An update may be made of another one; nobody else makes sweeps.
    let updates = root().join("sim/src/update");
    let drivers: Vec<_> = sources()
        .into_iter()
        .filter(|path| !is_test_code(path) && !path.starts_with(&updates))
        .filter(|path| product_code(path).contains(".sweep("))
        .collect();
    assert_eq!(drivers, [root().join("sim/src/run.rs")], "only Run::step may call Update::sweep");
}

#[test]
fn unsafe_code_lives_in_the_kernels() {
    for path in sources() {
        let in_kernel = path.starts_with(root().join("sim/src/kernel"));
        let text = fs::read_to_string(&path).unwrap();
        let uses = text.lines().any(|line| {
            let code = line.split("//").next().unwrap();
            ["unsafe {", "unsafe fn", "unsafe impl", "allow(unsafe_code)"].iter().any(|u| code.contains(u))
                && !code.contains('"')
        });
        assert!(
            in_kernel || !uses || path.ends_with("mapping/src/reference/weights.rs"),
            "{} holds unsafe code",
            path.display()
        );
    }
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["todo", "!("].concat(),
        ["unimple", "mented!("].concat(),
    ];
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{} says {mark}", path.display());
        }
    }
}

#[test]
fn a_file_is_one_noun_and_fits_on_a_few_screens() {
    for path in sources() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 450, "{} has {lines} lines: look for its second noun", path.display());
    }
}

/// Words in backticks that look like paths of this repository.
fn named_paths(document: &str) -> Vec<String> {
    document
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| {
            let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
            let file = [".rs", ".md", ".toml"].iter().any(|ending| word.ends_with(ending));
            plain && !word.starts_with(['-', '/']) && !word.contains("..") && (word.contains('/') || file)
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_path_named_in_the_documents_exists() {
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "data/README.md", "benches/README.md"]
    {
        let text = fs::read_to_string(root().join(document)).unwrap();
        // Fenced blocks hold commands and trees, which other tests run or read.
        let prose: String = text.split("```").step_by(2).collect();
        let here = Path::new(document).parent().unwrap();
        for path in named_paths(&prose) {
            let found = [root().join(&path), root().join(here).join(&path)].iter().any(|p| p.exists());
            assert!(found, "{document} names {path}, which does not exist");
        }
    }
}

#[test]
fn the_continuous_integration_runs_the_command_of_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let script = fs::read_to_string(root().join(".ci/run")).unwrap();
    let command = readme
        .lines()
        .find(|line| line.contains("cargo test"))
        .expect("README names the command that runs the tests")
        .trim()
        .trim_start_matches("$ ");
    assert!(script.lines().any(|line| line.trim() == command), ".ci/run does not run: {command}");
}
