//! Specs: what they build, how they are written back, what they refuse.

use std::fs;
use std::path::PathBuf;

use ceas_sim::hamiltonian::{Couplings, Field};
use ceas_sim::spec::{Spec, critical_point};
use proptest::prelude::*;
use serde::Deserialize;

fn spec(text: &str) -> Spec {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn refusal(text: &str) -> String {
    match text.parse::<Spec>() {
        Ok(spec) => spec.build(None, 1).expect_err(text).to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_name_builds_its_lattice() {
    for (text, name, sites, bonds) in [
        ("chain:5", "open chain", 5, 4),
        ("ring:5", "ring", 5, 5),
        ("square:4", "square lattice", 16, 32),
        ("square:4,open", "open square lattice", 16, 24),
        ("triangular:3", "triangular lattice", 9, 27),
        ("honeycomb:3", "honeycomb lattice", 18, 27),
        ("king:3", "king's lattice", 9, 36),
        ("kings:3,open", "open king's lattice", 9, 20),
        ("cubic:3", "cubic lattice", 27, 81),
        ("hypercubic:2", "hypercubic lattice", 16, 64),
        ("complete:6", "complete graph", 6, 15),
        ("regular:10,3", "random regular graph", 10, 15),
        ("bethe:10,4", "random regular graph", 10, 20),
        ("erdos-renyi:4,3", "Erdős–Rényi graph", 4, 6),
        ("cayley:3,2", "Cayley tree", 10, 9),
        ("hyperbolic:5,4,2", "hyperbolic lattice", 30, 40),
        ("chimera:2", "Chimera graph", 32, 80),
        ("chimera:3,2,5", "Chimera graph", 60, 185),
        ("chimera:1,t=2", "Chimera graph", 4, 4),
        ("pegasus:2", "Pegasus graph", 40, 164),
        ("zephyr:1", "Zephyr graph", 48, 280),
        ("zephyr:3,1", "Zephyr graph", 84, 270),
    ] {
        let topology = spec(text).topology(None, 1).unwrap();
        assert_eq!((topology.name(), topology.n_sites(), topology.n_bonds()), (name, sites, bonds), "{text}");
    }
}

#[test]
fn a_size_may_be_left_open_and_overridden() {
    assert_eq!(spec("square").size(), None);
    assert_eq!(spec("square:64").size(), Some(64));
    assert_eq!(spec("hyperbolic:5,4").topology(Some(2), 1).unwrap().n_sites(), 30);
    assert_eq!(spec("regular:q=3").topology(Some(8), 1).unwrap().n_bonds(), 12);
    assert_eq!(spec("regular:100,3").topology(Some(8), 1).unwrap().n_bonds(), 12);
    assert_eq!(spec("square,open").topology(Some(3), 1).unwrap().n_bonds(), 12);
    assert_eq!(spec("square:size=3").topology(None, 1).unwrap().n_sites(), 9);
    assert!(spec("square").topology(None, 1).unwrap_err().to_string().contains("square:…"));
}

#[test]
fn couplings_and_fields_are_what_was_asked_for() {
    let uniform = spec("square:4,couplings=-0.5,field=0.25").build(None, 1).unwrap();
    assert_eq!(uniform.uniform(), Some((-0.5, 0.25)));
    assert_eq!(spec("square:4").build(None, 1).unwrap().uniform(), Some((1.0, 0.0)));
    assert_eq!(spec("complete:50").build(None, 1).unwrap().uniform(), Some((0.02, 0.0)));
    assert_eq!(spec("complete:16,couplings=3/sqrt(n)").build(None, 1).unwrap().uniform(), Some((0.75, 0.0)));
    let glass = spec("square:64,couplings=pm1,field=pm0.5").build(None, 1).unwrap();
    let (Couplings::PerBond(j), Field::PerSite(h)) = (glass.couplings(), glass.field()) else { panic!() };
    assert!(j.iter().all(|j| j.abs() == 1.0) && h.iter().all(|h| h.abs() == 0.5));
    // 8192 and 4096 fair coins: |z| < 6.
    assert!(j.iter().sum::<f64>().abs() < 6.0 * 8192f64.sqrt());
    assert!(h.iter().sum::<f64>().abs() < 3.0 * 4096f64.sqrt());
    let gauss = spec("complete:100,couplings=gaussian:2/sqrt(n)").build(None, 1).unwrap();
    let Couplings::PerBond(j) = gauss.couplings() else { panic!() };
    let variance = j.iter().map(|j| j * j).sum::<f64>() / j.len() as f64;
    // Variance 0.04 from 4950 numbers: relative error √(2/4950), six of them.
    assert!((variance / 0.04 - 1.0).abs() < 6.0 * (2.0f64 / 4950.0).sqrt(), "{variance}");
}

#[test]
fn the_seed_names_the_instance() {
    let text = "regular:50,3,couplings=gaussian,field=gaussian";
    let build = |text: &str, seed| spec(text).build(None, seed).unwrap();
    assert_eq!(build(text, 1), build(text, 1));
    assert_ne!(build(text, 1), build(text, 2));
    let own = format!("{text},seed=7");
    assert_eq!(build(&own, 1), build(&own, 2));
    assert_eq!(build(&own, 1), build(text, 7));
    // Another field leaves graph and couplings as they are.
    let other = build("regular:50,3,couplings=gaussian", 1);
    assert_eq!(other.couplings(), build(text, 1).couplings());
}

#[test]
fn values_and_lattices_come_from_files() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let couplings = folder.join("couplings.txt");
    fs::write(&couplings, "# four\n1\n-2\n0.5\n\n4\n").unwrap();
    let text = format!("chain:5,couplings=@{}", couplings.display());
    let model = spec(&text).build(None, 1).unwrap();
    assert_eq!(model.couplings(), &Couplings::PerBond(vec![1.0, -2.0, 0.5, 4.0]));
    let error = spec(&text.replace("chain:5", "chain:6")).build(None, 1).unwrap_err().to_string();
    assert!(error.ends_with("4 numbers, but there must be 5, one per bond"), "{error}");
    fs::write(&couplings, "1\nNaN\n").unwrap();
    assert!(spec(&text).build(None, 1).unwrap_err().to_string().contains("line 2"));
    let graph = folder.join("graph.edges");
    fs::write(&graph, "0 1 2\n1 2 -1\n").unwrap();
    let text = format!("file:{}", graph.display());
    let model = spec(&text).build(None, 1).unwrap();
    assert_eq!(model.couplings(), &Couplings::PerBond(vec![2.0, -1.0]));
    let model = spec(&format!("{text},field=1,couplings=pm3")).build(None, 1).unwrap();
    assert_eq!((model.n_sites(), model.field_at(2), model.coupling_at(0).abs()), (3, 1.0, 3.0));
    assert!(spec(&text).build(Some(4), 1).unwrap_err().to_string().contains("leave the size out"));
}

#[derive(Deserialize)]
struct Document {
    lattice: Spec,
}

#[test]
fn toml_says_the_same() {
    let read = |text: &str| toml::from_str::<Document>(text).map(|d| d.lattice);
    let line = spec("regular:1000,3,couplings=pm1,field=0.5,seed=3");
    assert_eq!(read("lattice = 'regular:1000,3,couplings=pm1,field=0.5,seed=3'").unwrap(), line);
    let table =
        "[lattice]\nlattice = 'regular'\nsize = 1000\nq = 3\ncouplings = 'pm1'\nfield = 0.5\nseed = 3";
    assert_eq!(read(table).unwrap(), line);
    assert_eq!(
        read("[lattice]\nlattice = 'square'\nl = 4\nboundary = 'open'").unwrap(),
        spec("square:4,open")
    );
    assert!(read("[lattice]\nsize = 3").unwrap_err().to_string().contains("key `lattice`"));
    assert!(read("lattice = 'squire'").unwrap_err().to_string().contains("squire"));
}

#[test]
fn what_is_written_back_means_the_same() {
    for text in [
        "square",
        "square:64",
        "square:64,open",
        "square,open",
        "regular:q=3",
        "regular:1000,3,couplings=pm1,seed=9",
        "erdos-renyi:100,2.5",
        "hyperbolic:5,4",
        "hyperbolic:layers=3,couplings=gaussian:0.5/sqrt(n)",
        "chimera:3,t=2",
        "complete:8,couplings=1/n,field=pm0.25",
        "file:a b.edges,couplings=@j.txt",
    ] {
        let first = spec(text);
        assert_eq!(spec(&first.to_string()), first, "{text} became {first}");
    }
}

#[test]
fn refusals_name_the_part_and_say_what_would_be_right() {
    for (text, part) in [
        ("", "no lattice \"\""),
        ("squire:4", "square, triangular"),
        ("square:", "means nothing"),
        ("square:x", "\"x\" means nothing"),
        ("square:4,5", "\"5\" means nothing for square"),
        ("square:4.5", "l is \"4.5\""),
        ("square:-4", "\"-4\" means nothing"),
        ("square:1", "L ≥ 2"),
        ("square:4,opne", "\"opne\""),
        ("square:4,l=5", "l is given twice"),
        ("square:4,couplings=1,couplings=2", "couplings is given twice"),
        ("square:4,couplings=heavy", "couplings are \"heavy\""),
        ("square:4,couplings=nan", "couplings are \"nan\""),
        ("square:4,couplings=gaussian:-1", "gaussian:-1"),
        ("square:4,couplings=1/N", "1/N"),
        ("square:4,field=@/nowhere/at/all", "/nowhere/at/all"),
        ("square:4,seed=-1", "seed is \"-1\""),
        ("ring:4,open", "chain is open, ring is periodic"),
        ("complete:4,open", "only lattices have ends"),
        ("regular:9,3", "must be even"),
        ("regular:9", "regular needs q=…"),
        ("erdos-renyi:9,-1", "means nothing"),
        ("hyperbolic:4,4,3", "(p−2)(q−2) > 4"),
        ("cubic:99999999", "memory"),
        ("file:", "path"),
        ("file:/nowhere/at/all.mc", "/nowhere/at/all.mc"),
    ] {
        let message = refusal(text);
        assert!(message.contains(part), "{text}: {message}");
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn critical_points_follow_the_coupling() {
    let beta = |text: &str| critical_point(&spec(text).build(None, 1).unwrap()).map(|c| c.beta);
    let unit = beta("square:4").unwrap();
    assert!((beta("square:4,couplings=2").unwrap() - unit / 2.0).abs() < 1e-15);
    assert_eq!(beta("complete:100"), Some(1.0));
    assert_eq!(beta("square:4,couplings=-1"), None);
    assert_eq!(beta("square:4,field=1"), None);
    assert_eq!(beta("square:4,couplings=pm1"), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(
        words in proptest::collection::vec(
            prop_oneof![
                Just("square".to_owned()), Just("regular".to_owned()), Just("zephyr".to_owned()), Just("file".to_owned()),
                Just("open".to_owned()), Just("couplings=pm1".to_owned()), Just("field=gaussian:".to_owned()),
                Just("couplings=1/sqrt(n)".to_owned()), Just("q=".to_owned()), Just("boundary=open".to_owned()),
                (0u32..9).prop_map(|n| n.to_string()), ".{0,6}", any::<u64>().prop_map(|n| format!("size={n}")),
            ],
            0..5,
        ),
        colon in any::<bool>(),
    ) {
        let text = words.join(",");
        let text = if colon { text.replacen(',', ":", 1) } else { text };
        if let Ok(spec) = text.parse::<Spec>() {
            // Whatever is read is written back, and builds or says why not; 7 sites keep it small.
            prop_assert!(spec.to_string().parse::<Spec>().is_ok(), "{}", spec);
            let _ = spec.build(Some(7), 1).map_err(|e| e.to_string());
        }
    }
}
