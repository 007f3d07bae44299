//! Problem files: every format read, written and read back; every flaw named with its line; nothing panics on any bytes.

use std::fs;
use std::path::Path;

use ceas_sim::Error;
use ceas_sim::anneal::{Effort, Method, Settings, anneal};
use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::instance::{Flaw, Format, Instance, Objective, Value};
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream};
use ceas_sim::topology::Topology;
use proptest::prelude::*;

fn parse(text: &str, format: Format) -> Result<Instance, String> {
    Instance::parse(text, format, None).map_err(|e| e.to_string())
}

fn flaw(text: &str, format: Format) -> (usize, Flaw) {
    let malformed = Instance::parse(text, format, None).unwrap_err();
    (malformed.line, malformed.flaw)
}

fn spins(bits: u32, n: usize) -> Spins {
    Spins::from_values((0..n).map(|i| if bits >> i & 1 == 1 { 1 } else { -1 }).collect()).unwrap()
}

#[test]
fn a_rudy_file_is_a_cut() {
    // A circle of five with a chord of weight −2; junk after the header, blank lines, a comment, tabs and a missing final newline.
    let text = "5 6 J\n1 2 1\n\n2 3 1\n# chord\n3\t4 1\n4 5 1\r\n5 1 1\n1 3 -2";
    let instance = parse(text, Format::Rudy).unwrap();
    assert_eq!((instance.n(), instance.pairs().len(), instance.objective()), (5, 6, Objective::MaxCut));
    // {1, 3} against {2, 4, 5}: all edges but (4, 5) are cut, and the chord is not.
    assert_eq!(instance.value(&spins(0b00101, 5)), Value::Integer(4));
    let best = (0..32).map(|bits| instance.value(&spins(bits, 5)).to_f64()).fold(f64::MIN, f64::max);
    assert_eq!(best, 4.0);
    assert_eq!(parse("2 1\n1 2\n", Format::Rudy).unwrap().quadratic(), [1.0]);
}

#[test]
fn a_sparse_matrix_is_symmetric_and_its_off_diagonal_counts_twice() {
    // Q = [[-3, 2, 0], [2, 1, -4], [0, -4, 5]], stored as one triangle.
    let text = " 3 5 \n1 1 -3\n2 1 2\n2 2 1\n2 3 -4\n3 3 5\n";
    let instance = parse(text, Format::Sparse).unwrap();
    let q = [[-3, 2, 0], [2, 1, -4], [0, -4, 5]];
    for bits in 0..8u32 {
        let x = |i: usize| i128::from(bits >> i & 1);
        let expected: i128 =
            (0..3).flat_map(|i| (0..3).map(move |j| (i, j))).map(|(i, j)| q[i][j] * x(i) * x(j)).sum();
        assert_eq!(instance.value(&spins(bits, 3)), Value::Integer(expected), "{bits:03b}");
    }
}

#[test]
fn the_models_that_dimod_writes_are_read_with_its_signs() {
    // Written by dimod 0.12.23: {0: 1, 1: −2, 2: 0.5}, {(0, 1): 1.5, (1, 2): −1}, offset 3.25, SPIN.
    let json = r#"{"type": "BinaryQuadraticModel", "version": {"bqm_schema": "3.0.0"}, "use_bytes": false, "index_type": "int32", "bias_type": "float64", "num_variables": 3, "num_interactions": 2, "variable_labels": [0, 1, 2], "variable_type": "SPIN", "offset": 3.25, "info": {}, "linear_biases": [1.0, -2.0, 0.5], "quadratic_biases": [1.5, -1.0], "quadratic_head": [0, 1], "quadratic_tail": [1, 2]}"#;
    let coo = "# vartype=SPIN\n0 0 1.000000\n0 1 1.500000\n1 1 -2.000000\n1 2 -1.000000\n2 2 0.500000";
    let (json, coo) = (parse(json, Format::Bqm).unwrap(), parse(coo, Format::Coo).unwrap());
    for bits in 0..8 {
        let s = spins(bits, 3);
        let at = |i| f64::from(s.get(i));
        let energy = at(0) - 2.0 * at(1) + 0.5 * at(2) + 1.5 * at(0) * at(1) - at(1) * at(2);
        assert_eq!(coo.value(&s), Value::Real(energy));
        assert_eq!(json.value(&s), Value::Real(energy + 3.25));
    }
    // Labels that are no numbers, bits, and a tuple for a label.
    let json = r#"{"type": "BinaryQuadraticModel", "version": {"bqm_schema": "3.0.0"}, "use_bytes": false, "index_type": "int32", "bias_type": "float64", "num_variables": 2, "num_interactions": 1, "variable_labels": ["a", [0, 1]], "variable_type": "BINARY", "offset": 0.0, "info": {}, "linear_biases": [1.0, -2.0], "quadratic_biases": [3.0], "quadratic_head": [0], "quadratic_tail": [1]}"#;
    let model = parse(json, Format::Bqm).unwrap();
    assert_eq!(model.value(&spins(0b11, 2)), Value::Integer(2));
    assert_eq!(model.value(&spins(0b10, 2)), Value::Integer(-2));
    let text = model.to_text(Format::Bqm).unwrap();
    assert!(text.contains(r#"["a",[0,1]]"#), "{text}");
    assert_eq!(parse(&text, Format::Bqm).unwrap(), model);
    assert!(model.to_text(Format::Coo).is_err());
}

#[test]
fn energies_and_values_are_related_as_the_documentation_says() {
    let mut stream = Stream::new(0, Purpose::Test, 0, 0);
    for n in [1, 2, 5, 9] {
        for format in [Format::Rudy, Format::Sparse, Format::Coo, Format::Edges] {
            let mut entries = String::new();
            let mut count = 0;
            let base = u32::from(matches!(format, Format::Rudy | Format::Sparse));
            let diagonal = matches!(format, Format::Sparse | Format::Coo);
            for i in 0..n {
                for j in (if diagonal { i } else { i + 1 })..n {
                    let weight = stream.below(11) as i64 - 5;
                    entries += &format!("{} {} {weight}\n", i + base, j + base);
                    count += 1;
                }
            }
            let head = match format {
                Format::Coo => "# vartype=SPIN".to_owned(),
                Format::Edges => format!("# sites {n}"),
                _ => format!("{n} {count}"),
            };
            let instance = parse(&format!("{head}\n{entries}"), format).unwrap();
            let model = instance.hamiltonian().unwrap();
            let total: f64 = instance.quadratic().iter().sum();
            let linear: f64 = instance.linear().iter().sum();
            for bits in 0..1u32 << n {
                let s = spins(bits, n as usize);
                let energy = model.energy(&s);
                let expected = match instance.objective() {
                    Objective::MaxCut => (total - energy) / 2.0,
                    Objective::Qubo => energy + linear / 2.0 + total / 4.0,
                    Objective::Ising => energy,
                };
                assert_eq!(instance.value(&s), Value::Integer(expected as i128), "{format}");
                assert_eq!(expected.fract(), 0.0);
            }
        }
    }
}

#[test]
fn a_hamiltonian_becomes_the_problem_with_its_energies() {
    for l in [2, 3] {
        let model = Hamiltonian::ferromagnet(Topology::square(l).unwrap());
        let instance = Instance::of(&model);
        for bits in 0..1u32 << (l * l) {
            let s = spins(bits, l * l);
            assert_eq!(instance.value(&s).to_f64(), model.energy(&s));
        }
    }
}

#[test]
fn exact_values_do_not_round() {
    let text = "4 3\n1 2 9007199254740992\n2 3 9007199254740991\n3 4 1\n";
    let instance = parse(text, Format::Rudy).unwrap();
    assert_eq!(instance.value(&spins(0b0101, 4)), Value::Integer(18_014_398_509_481_984));
    assert_eq!(instance.value(&spins(0b0010, 4)).to_string(), "18014398509481983");
    assert_eq!(serde_json(&instance.value(&spins(0b0010, 4))), "18014398509481983");
}

fn serde_json(value: &Value) -> String {
    serde_json::to_string(value).unwrap()
}

#[test]
fn flaws_are_named_with_their_line() {
    use Format::{Bqm, Coo, Edges, Rudy, Sparse};
    assert_eq!(flaw("", Rudy), (0, Flaw::Empty));
    assert_eq!(flaw("# only\n\n", Edges), (0, Flaw::Empty));
    assert_eq!(flaw("0 0\n", Rudy), (1, Flaw::Empty));
    assert!(matches!(flaw("graph\n", Rudy), (1, Flaw::Header { .. })));
    assert!(matches!(flaw("3.5 2\n", Rudy), (1, Flaw::NotWhole { what: "number of variables", .. })));
    assert!(matches!(flaw("-3 2\n", Rudy), (1, Flaw::NotWhole { .. })));
    assert_eq!(flaw("3 2\n1 2 1\n", Rudy), (2, Flaw::Truncated { expected: 2, got: 1 }));
    assert_eq!(flaw("3 1\n1 2 1\n\n2 3 1\n", Rudy), (4, Flaw::Excess { expected: 1 }));
    assert_eq!(flaw("3 1\n1 4 1\n", Rudy), (2, Flaw::OutOfRange { variable: 4, least: 1, most: 3 }));
    assert_eq!(flaw("3 1\n0 1 1\n", Sparse), (2, Flaw::OutOfRange { variable: 0, least: 1, most: 3 }));
    assert!(matches!(flaw("3 1\n2 2 1\n", Rudy), (2, Flaw::SelfLoop { variable: 2, .. })));
    assert!(matches!(flaw("2 2 1\n", Edges), (1, Flaw::SelfLoop { variable: 2, .. })));
    assert_eq!(flaw("3 2\n1 2 1\n2 1 1\n", Sparse), (3, Flaw::Duplicate { a: 1, b: 2, first: 2 }));
    assert_eq!(flaw("3 2\n1 1 1\n1 1 1\n", Sparse), (3, Flaw::Duplicate { a: 1, b: 1, first: 2 }));
    assert!(matches!(flaw("3 1\n1 2 nan\n", Rudy), (2, Flaw::NotFinite { .. })));
    assert!(matches!(flaw("3 1\n1 2 1e999\n", Rudy), (2, Flaw::NotFinite { .. })));
    assert!(matches!(flaw("3 1\n1 2 1e308\n", Sparse), (0, Flaw::NotFinite { .. })));
    assert!(matches!(flaw("3 1\n1 2 x\n", Rudy), (2, Flaw::NotFinite { .. })));
    assert!(matches!(flaw("3 1\n1 2 9007199254740993\n", Rudy), (2, Flaw::Inexact { .. })));
    assert!(matches!(flaw("3 1\n1.5 2 1\n", Rudy), (2, Flaw::NotWhole { what: "variable", .. })));
    assert!(matches!(flaw("3 1\n1 2 1 1\n", Rudy), (2, Flaw::Columns { got: 4, .. })));
    assert!(matches!(flaw("3 1\n1 2\n", Sparse), (2, Flaw::Columns { got: 2, .. })));
    assert_eq!(flaw("0 1 1\n", Coo), (0, Flaw::Vartype));
    assert_eq!(flaw("# vartype=COLOUR\n0 1 1\n", Coo), (1, Flaw::Vartype));
    assert!(matches!(flaw("{", Bqm), (1, Flaw::Json { .. })));
    assert!(matches!(flaw("{\"type\": \"Other\"}", Bqm), (0, Flaw::Json { .. })));
    // Four thousand million variables on a file's word, in every format that could say so.
    assert!(matches!(flaw("4000000000 1\n1 2 1\n", Rudy), (0, Flaw::NotCredible { .. })));
    assert!(matches!(flaw("# vartype=SPIN\n0 4000000000 1\n", Coo), (0, Flaw::NotCredible { .. })));
    assert!(matches!(flaw("# sites 4000000000\n0 1\n", Edges), (0, Flaw::NotCredible { .. })));
    assert!(matches!(flaw("18446744073709551615 1\n1 2 1\n", Rudy), (0, Flaw::NotCredible { .. })));
    assert!(matches!(flaw("4294967296 1\n1 4294967296 1\n", Rudy), (0, Flaw::NotCredible { .. })));
    let sparse = Instance::parse("2 1\n1 2 1\n", Sparse, Some(Objective::MaxCut)).unwrap_err();
    assert_eq!(sparse.to_string(), "the file is a problem of the kind qubo, not maxcut");
    assert_eq!(
        parse("3 1\n1 2 nan\n", Rudy).unwrap_err(),
        "line 2: \"nan\" is no weight: it must be a finite number"
    );
}

#[test]
fn formats_are_recognised() {
    let of = |text: &str| Format::of_text(text, None);
    assert_eq!(of("3 2 J\n1 2 1\n2 3 1\n"), Format::Rudy);
    assert_eq!(of("3 2\n1 2\n2 3\n"), Format::Rudy);
    assert_eq!(of("800 19176\n1 2 1\n"), Format::Rudy, "a file cut short is no edge list");
    assert_eq!(of("0 1\n1 2\n2 0\n"), Format::Edges);
    assert_eq!(of("4 7 1\n1 2 1\n"), Format::Edges);
    assert_eq!(of("# vartype=SPIN\n0 1 1\n"), Format::Coo);
    assert_eq!(of(" {\"type\": 1}"), Format::Bqm);
    assert_eq!(Format::of_text("3 1\n1 1 1\n", Some(Objective::Qubo)), Format::Sparse);
    assert_eq!(Format::of_name(Path::new("be100.1.sparse")), Some(Format::Sparse));
    assert_eq!(Format::of_name(Path::new("G1.txt")), None);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let message = |path: &Path| Instance::read(path, None, None).unwrap_err().to_string();
    assert!(message(&folder.join("absent.mc")).contains("absent.mc"));
    assert!(message(folder).contains(folder.to_str().unwrap()));
    let path = folder.join("binary.mc");
    fs::write(&path, b"3 2\n1 2 1\n\xff\xfe\n").unwrap();
    assert!(message(&path).ends_with("binary.mc, line 3: the file is not UTF-8 text"));
}

/// A valid instance of an objective, with real or whole weights.
fn any_instance() -> impl Strategy<Value = Instance> {
    let weight = prop_oneof![(-5i32..6).prop_map(f64::from), -1e6..1e6, Just(1e-300), Just(1e300), Just(0.1)];
    let entries = proptest::collection::btree_map((0u32..12, 0u32..12), weight, 0..40);
    (entries, 12usize..20, 0usize..3).prop_map(|(entries, n, kind)| {
        let (format, head, diagonal) = match kind {
            0 => (Format::Edges, format!("# sites {n}\n"), false),
            1 => (Format::Coo, "# vartype=SPIN\n".to_owned(), true),
            _ => (Format::Coo, "# vartype=BINARY\n".to_owned(), true),
        };
        let mut text = head;
        for ((a, b), w) in entries.into_iter().filter(|&((a, b), _)| a < b || (a == b && diagonal)) {
            text += &format!("{a} {b} {w:e}\n");
        }
        // One entry that is always there, so that no instance is empty.
        text += "18 19 1\n";
        let text = if kind == 0 { text.replacen(&format!("sites {n}"), "sites 20", 1) } else { text };
        Instance::parse(&text, format, None).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(instance in any_instance()) {
        let mut held = 0;
        for format in Format::ALL {
            if let Ok(text) = instance.to_text(format) {
                let back = Instance::parse(&text, format, Some(instance.objective())).unwrap();
                // An instance with fields of 0 throughout is one without fields.
                let plain = |i: &Instance| i.linear().iter().copied().filter(|&a| a != 0.0).collect::<Vec<_>>();
                prop_assert_eq!(back.n(), instance.n());
                prop_assert_eq!(plain(&back), plain(&instance));
                if format == Format::Sparse {
                    prop_assert_eq!(back.quadratic(), instance.quadratic());
                } else {
                    prop_assert_eq!(back.pairs(), instance.pairs());
                    prop_assert_eq!(back.quadratic(), instance.quadratic());
                }
                prop_assert_eq!(back.to_text(format).unwrap(), text);
                held += 1;
            }
        }
        prop_assert!(held >= 2);
    }

    /// Whatever was read can be searched by every method, and what is found has the value that is told.
    #[test]
    fn every_instance_can_be_searched(instance in any_instance(), method in 0usize..3) {
        let effort = Effort::Counted { sweeps: 5, reads: 2 };
        let settings = Settings::new(effort, 1).by(Method::ALL[method]);
        match anneal(&instance, &settings, &|| false) {
            Ok(answer) => prop_assert_eq!(instance.value(&answer.found[0].spins), answer.best),
            Err(error) => prop_assert!(matches!(error, Error::Percolates { .. } | Error::EnergyOverflow), "{error}"),
        }
    }

    #[test]
    fn arbitrary_text_is_read_or_refused(text in ".{0,200}", objective in 0usize..4) {
        no_panic(&text, objective);
    }

    #[test]
    fn arbitrary_lines_of_numbers_are_read_or_refused(
        words in proptest::collection::vec(
            prop_oneof![
                (0u32..6).prop_map(|n| n.to_string()),
                Just("\n".to_owned()),
                Just("-1".to_owned()),
                Just("1e400".to_owned()),
                Just("# vartype=SPIN\n".to_owned()),
                Just("# sites 3\n".to_owned()),
                any::<u64>().prop_map(|n| n.to_string()),
                any::<f64>().prop_map(|x| x.to_string()),
            ],
            0..60,
        ),
        objective in 0usize..4,
    ) {
        no_panic(&words.join(" "), objective);
    }

    #[test]
    fn damaged_files_are_read_or_refused(
        which in 0usize..5,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0usize..4), 1..6),
        objective in 0usize..4,
    ) {
        let instance = Instance::parse("# vartype=BINARY\n0 0 1.5\n0 1 -2\n2 3 0.25\n3 3 7\n", Format::Coo, None).unwrap();
        let cut = Instance::parse("5 4 J\n1 2 1\n2 3 -1\n3 4 100000\n4 5 1\n", Format::Rudy, None).unwrap();
        let source = if matches!(Format::ALL[which], Format::Rudy | Format::Edges) { &cut } else { &instance };
        let mut bytes = source.to_text(Format::ALL[which]).unwrap().into_bytes();
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            match kind {
                _ if bytes.is_empty() => {}
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                2 => bytes.insert(at, byte),
                _ => bytes.truncate(at),
            }
        }
        no_panic(&String::from_utf8_lossy(&bytes), objective);
    }
}

/// Reads in every way; whatever is read has a value and a Hamiltonian or an error, and can be written or not.
fn no_panic(text: &str, objective: usize) {
    let objective = [None, Some(Objective::MaxCut), Some(Objective::Qubo), Some(Objective::Ising)][objective];
    let recognised = Format::of_text(text, objective);
    for format in Format::ALL.into_iter().chain([recognised]) {
        match Instance::parse(text, format, objective) {
            Ok(instance) => {
                let _ = instance.value(&Spins::up(instance.n()));
                let _ = instance.hamiltonian();
                for format in Format::ALL {
                    let _ = instance.to_text(format).map_err(|e| e.to_string());
                }
            }
            Err(malformed) => assert!(!malformed.to_string().contains('\n'), "{malformed}"),
        }
    }
}
