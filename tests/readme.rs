//! The README is run, not believed: every `$ ceas …` line of its console blocks is executed in an empty folder, and what it
//! prints is compared with what the README shows.
//!
//! A line of output that is just `…` stands for any number of lines. Wall-clock times and rates differ from run to run: in
//! lines that hold one, digits are not compared.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A command and the output shown below it.
struct Example {
    command: String,
    output: Vec<String>,
}

fn examples(document: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    for block in document.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for line in block.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                found.push(Example { command: command.to_owned(), output: Vec::new() });
            } else {
                found.last_mut().expect("output follows a command").output.push(line.trim_end().to_owned());
            }
        }
    }
    found
}

/// The line with digits masked if it tells a time or a rate of this machine.
fn comparable(line: &str) -> String {
    let words: String = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let timed = words.contains("attempts/ns") || words.starts_with("time ");
    if !timed {
        return words;
    }
    let mut masked = String::new();
    for c in words.chars() {
        let digit = c.is_ascii_digit() || c == '.';
        if !digit {
            masked.push(c);
        } else if !masked.ends_with('#') {
            masked.push('#');
        }
    }
    masked
}

/// Whether `shown`, with its `…`, describes `printed`; otherwise the first line that was not found.
fn matches(shown: &[String], printed: &str) -> Result<(), String> {
    let mut rest = printed.lines().map(comparable).filter(|line| !line.is_empty()).peekable();
    let mut skip = false;
    for line in shown.iter().map(|line| comparable(line)).filter(|line| !line.is_empty()) {
        if line == "…" {
            skip = true;
            continue;
        }
        let found =
            if skip { rest.any(|printed| printed == line) } else { rest.next().as_ref() == Some(&line) };
        if !found {
            return Err(line);
        }
        skip = false;
    }
    if !skip && rest.peek().is_some() {
        return Err(format!("(end of output, but there is more: {})", rest.next().unwrap_or_default()));
    }
    Ok(())
}

#[test]
fn every_command_of_the_readme_does_what_it_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let examples = examples(&readme);
    assert!(examples.len() >= 4, "attend, sweep, snapshot and compare are shown");
    let folder = tempfile::tempdir().unwrap();
    for example in examples {
        let mut words = example.command.split_whitespace();
        assert_eq!(words.next(), Some("ceas"), "only ceas is run: {}", example.command);
        let output =
            Command::new(env!("CARGO_BIN_EXE_ceas")).args(words).current_dir(folder.path()).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`{}` failed: {complaint}", example.command);
        if !example.output.is_empty() {
            matches(&example.output, &printed).unwrap_or_else(|line| {
                panic!("`{}` did not print: {line}\n--- it printed\n{printed}", example.command)
            });
        }
    }
}

#[test]
fn a_wrong_output_would_be_noticed() {
    let shown: Vec<String> = ["first 1", "…", "time 3.2 s"].map(String::from).into();
    assert!(matches(&shown, "first 1\nsecond\n\ntime 4.75 s\n").is_ok());
    assert!(matches(&shown, "first 2\nsecond\ntime 4.75 s\n").is_err());
    assert!(matches(&shown[..1], "first 1\nsecond\n").is_err());
}
