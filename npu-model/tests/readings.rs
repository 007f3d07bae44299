//! Every shipped number says whether its source was read, and is worth less where it was not.

use std::collections::BTreeMap;

use ceas_npu_model::component::LIBRARY;
use ceas_npu_model::device::{self, Device, Price, Rate, Reading};
use ceas_npu_model::gpu;
use ceas_npu_model::provenance::{Evidence, Known, Provenance};
use ceas_npu_model::units::Quantity;

/// What is asked of a number, whatever its unit.
struct Number {
    key: String,
    evidence: Evidence,
    provenance: Provenance,
    range: [f64; 3],
    source: String,
    checked: bool,
    derived: bool,
    same: bool,
}

fn number<Q: Quantity>(key: String, known: &Known<Q>) -> Number {
    Number {
        key,
        evidence: known.evidence,
        provenance: known.provenance,
        range: [known.range.low.si(), known.range.mid.si(), known.range.high.si()],
        source: known.source.clone(),
        checked: known.checked.is_some(),
        derived: !known.derived_from.is_empty(),
        same: known.same_as.is_some(),
    }
}

fn numbers(device: &Device) -> Vec<Number> {
    let mut found = Vec::new();
    for (event, price) in &device.prices {
        if let Price::Stated(known) = price {
            found.push(number(format!("price_j.{}", event.name()), known));
        }
    }
    for (event, rate) in &device.rates {
        if let Rate::Stated(known) | Rate::Frames(known) = rate {
            found.push(number(format!("rate_hz.{}", event.name()), known));
        }
    }
    found.extend(device.idle.iter().map(|(what, known)| number(what.name().into(), known)));
    found.extend(device.area.iter().map(|(what, known)| number(what.name().into(), known)));
    found
}

#[test]
fn a_number_whose_source_was_not_read_is_worth_less() {
    for device in device::shipped() {
        for n in numbers(&device).iter().filter(|n| !n.same) {
            let most = match n.provenance {
                Provenance::Memory => Evidence::Projected,
                Provenance::SecondHand => Evidence::Derived,
                Provenance::LookedUp if !n.checked => Evidence::Derived,
                _ => Evidence::Metered,
            };
            assert!(n.evidence <= most, "{} {}: {}", device.id, n.key, n.evidence.name());
        }
    }
    for c in LIBRARY {
        assert!(c.checked.is_some() == (c.provenance == Provenance::LookedUp), "{}", c.id);
        assert!(c.evidence == c.evidence.worth(c.provenance, c.checked.is_some()), "{}", c.id);
    }
}

#[test]
fn what_is_derived_says_of_what() {
    for device in device::shipped() {
        let composed: Vec<String> = device.composed.entries().map(|(key, _)| key).collect();
        for n in numbers(&device).iter().filter(|n| n.provenance == Provenance::Derived) {
            let said = n.checked || n.derived || composed.iter().any(|key| key.ends_with(&n.key));
            assert!(said, "{} {}", device.id, n.key);
        }
    }
}

#[test]
fn equal_ranges_under_equal_keys_are_one_number_in_every_file() {
    // Two files that gave one range two sources would draw it twice, and a ratio of them would look wider than it is.
    let mut sources: BTreeMap<(String, [u64; 3]), (String, String)> = BTreeMap::new();
    let mut shared = 0;
    for device in device::shipped() {
        let spread = |n: &&Number| n.range[0] < n.range[2] && !n.same && n.key.starts_with("price_j");
        for n in numbers(&device).iter().filter(spread) {
            let key = (n.key.clone(), n.range.map(f64::to_bits));
            let (first, source) = sources.entry(key).or_insert_with(|| (device.id.clone(), n.source.clone()));
            assert_eq!(*source, n.source, "{} of {first} and {}", n.key, device.id);
            shared += usize::from(*first != device.id);
        }
    }
    assert!(shared >= 20, "{shared}");
}

#[test]
fn readings_count_every_number_once_and_pass_on_what_was_not_read() {
    let kv260 = device::load("kv260_metered").unwrap();
    let readings = kv260.readings();
    assert_eq!(readings["price_j.read_outs"], Reading::Read);
    assert_eq!(readings["price_j.link_bits"], Reading::NotRead);
    assert_eq!(readings["price_j.field_macs"], Reading::Assumed);
    let counted = kv260.read();
    assert_eq!(counted.read + counted.quoted + counted.not_read + counted.assumed, readings.len());
    // 269,568 spins are quoted, so the rate that is their product with the clock is.
    let z1 = device::load("z1_spice").unwrap().readings();
    assert_eq!(z1["design.spins"], Reading::Quoted);
    assert_eq!(z1["rate_hz.attempts"], Reading::Quoted);
    // A composed number is as far as its farthest part.
    let composed = device::load("composed_cim_28nm").unwrap().readings();
    assert_eq!(composed["price_j.adc_conversions"], Reading::Read);
    assert_eq!(composed["price_j.coupling_writes"], Reading::NotRead);
    // A circle is not a source.
    let text = include_str!("../devices/z1_spice.toml");
    let round =
        text.replacen("[design.spins]\n", "[design.spins]\nderived_from = [\"rate_hz.attempts\"]\n", 1);
    assert_eq!(Device::from_toml("round.toml", &round).unwrap().readings()["design.spins"], Reading::NotRead);
}

#[test]
fn curves_of_machines_are_counted_as_read_quoted_or_assumed() {
    let read = |id: &str| gpu::load(id).unwrap().curves_read();
    let h100 = read("h100_sxm");
    // The charts of the paper were read in a transcription, the two hold-outs where they were published.
    assert_eq!((h100.read, h100.assumed), (2, 0));
    assert!(h100.quoted >= 18, "{h100:?}");
    assert_eq!(read("v100_sxm2").assumed, 1);
    assert!(read("b200").read >= 4);
    for machine in gpu::shipped() {
        for series in &machine.series {
            let most = series.evidence.worth(series.provenance, series.checked.is_some());
            assert_eq!(series.evidence, most, "{} {}", machine.id, series.id);
        }
    }
}
