//! Values of flags, read so that a wrong one is told what would be right.

use std::fs::File;
use std::io::Read;
use std::str::FromStr;

use ceas_npu::sim::critical::{Dynamics, Family};
use ceas_npu::sim::spec::Spec;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// A whole number from 0.
pub fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().map_err(|_| match digits {
        true => "this is more than can be counted".to_owned(),
        false => "a whole number is expected, such as 8".to_owned(),
    })
}

/// An entry of a list of whole numbers.
pub fn listed(text: &str) -> Result<usize, String> {
    whole(text).map_err(|reason| match text {
        "" => "whole numbers with commas between them are expected, such as 8,16".to_owned(),
        _ => format!("{reason}; a list is written with commas, such as 8,16"),
    })
}

/// A number; whether it makes sense is for the verb to say.
pub fn number(text: &str) -> Result<f64, String> {
    text.trim().parse().map_err(|_| "a number is expected, such as 0.44".to_owned())
}

/// An update by its name.
pub fn update() -> impl TypedValueParser<Value = Dynamics> {
    PossibleValuesParser::new([
        PossibleValue::new("heat-bath").help("Draw each spin anew given its neighbours"),
        PossibleValue::new("metropolis").help("Accept a flip with min(1, e^(−βΔE))"),
        PossibleValue::new("swendsen-wang").help("Turn every cluster of the lattice by a coin of its own"),
        PossibleValue::new("wolff").help("Flip clusters; fastest near β_c"),
    ])
    .try_map(|name| name.parse::<Dynamics>())
}

/// A file that describes a lattice has at most so many bytes.
const LONGEST_LATTICE: u64 = 1 << 16;

/// A lattice or graph with couplings and field: one line, or a file whose name ends in .toml with a table that says the same.
pub fn lattice(text: &str) -> Result<Spec, String> {
    if !text.ends_with(".toml") {
        return text.parse().map_err(|e: ceas_npu::sim::spec::SpecError| e.to_string());
    }
    let mut table = String::new();
    File::open(text)
        .and_then(|file| file.take(LONGEST_LATTICE + 1).read_to_string(&mut table))
        .map_err(|e| format!("this file cannot be read as text: {e}"))?;
    if table.len() as u64 > LONGEST_LATTICE {
        return Err(format!("this file is longer than the {LONGEST_LATTICE} bytes that describe a lattice"));
    }
    toml::from_str(&table)
        .map_err(|e| format!("{}; a file has lines such as lattice = \"cubic\" and size = 16", e.message()))
}

/// The same with its size open.
pub fn family(text: &str) -> Result<Family, String> {
    lattice(text).map(Family::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_offered_is_known() {
        let command =
            clap::Command::new("x").args([clap::Arg::new("update").long("update").value_parser(update())]);
        for argument in command.get_arguments() {
            for value in argument.get_possible_values() {
                let flag = format!("--{}", argument.get_id());
                let tried = command.clone().try_get_matches_from(["x", &flag, value.get_name()]);
                assert!(tried.is_ok(), "{flag} {}", value.get_name());
            }
        }
    }

    #[test]
    fn a_lattice_is_a_line_or_a_table() {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        let path = file.path().to_str().unwrap();
        std::fs::write(path, "lattice = \"square\"\nsize = 8\nboundary = \"open\"\ncouplings = \"pm1\"\n")
            .unwrap();
        assert_eq!(lattice(path), lattice("square:8,open,couplings=pm1"));
        for (table, named) in [
            ("size = 8", "lattice"),
            ("lattice = \"sqare\"", "sqare"),
            ("lattice = [1]", "lattice = \"cubic\""),
        ] {
            std::fs::write(path, table).unwrap();
            let error = lattice(path).unwrap_err();
            assert!(error.contains(named), "{table}: {error}");
        }
        std::fs::write(path, vec![b'#'; 1 << 17]).unwrap();
        assert!(lattice(path).unwrap_err().contains("longer"));
        assert!(lattice("absent.toml").unwrap_err().contains("cannot be read"));
    }

    #[test]
    fn wrong_numbers_are_told_what_is_right() {
        assert_eq!(listed("16"), Ok(16));
        assert!(listed("x").unwrap_err().contains("8,16") && listed("").unwrap_err().contains("8,16"));
        assert!(whole::<u64>("99999999999999999999").unwrap_err().contains("more than"));
        assert!(number("1.5e").is_err() && number("-1e3") == Ok(-1000.0));
    }
}
