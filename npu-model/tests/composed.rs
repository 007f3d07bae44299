//! Prices composed of components: the law of their scaling, the grade they get, and what is refused.

use std::f64::consts::LN_2;

use ceas_npu_model::component::{LIBRARY, NODES, analogue_floor, find};
use ceas_npu_model::device::{self, Area, Device, Price, Rate};
use ceas_npu_model::ledger::{Event, Ledger};
use ceas_npu_model::provenance::{Evidence, Known};
use ceas_npu_model::units::{JoulesPerEvent, Kelvin};

const SHIPPED: &str = include_str!("../devices/composed_cim_28nm.toml");
const ADC: &str = "compose = [{ component = \"isaac_adc_8b\" }]";
const ADC_RATE: &str = "compose = [{ component = \"isaac_adc_8b\", copies = 3072 }]";
const CHIP: &str = "compose = [{ component = \"isaac_adc_8b\", count = 3072 }, { component = \"brahms_dac_8b\", count = 3072 }]";

/// The shipped device with its ADC composed otherwise.
fn with(parts: &str) -> Result<Device, ceas_npu_model::Error> {
    assert!(SHIPPED.contains(ADC));
    Device::from_toml("mine.toml", &SHIPPED.replacen(ADC, &format!("compose = [{parts}]"), 1))
}

fn price(device: &Device, event: Event) -> &Known<JoulesPerEvent> {
    match &device.prices[&event] {
        Price::Stated(price) => price,
        Price::IncludedIn { .. } => panic!("{event:?} is included"),
    }
}

fn adc(parts: &str) -> f64 {
    price(&with(parts).unwrap(), Event::AdcConversions).nominal().value()
}

/// V(node)², written again: 0.7 V at 7 nm, 1.1 V at 65 nm, straight in the logarithm of the node, held beyond.
fn square_of_supply(node: f64) -> f64 {
    (0.7 + 0.4 * ((node / 7.0).log2() / (65.0f64 / 7.0).log2()).clamp(0.0, 1.0)).powi(2)
}

fn close(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < 1e-12
}

/// Whether a converter at 28 nm follows E₀·2^Δbits·(node/node₀)^power·(V/V₀)².
fn follows(power: i32) -> bool {
    let found = adc("{ component = \"isaac_adc_8b\", bits = 6, node_nm = 28 }");
    let supply = square_of_supply(28.0) / square_of_supply(32.0);
    close(found, 1.667e-12 * (-2.0 * LN_2).exp() * (28.0f64 / 32.0).powi(power) * supply)
}

#[test]
fn a_converter_shrinks_with_length_supply_and_bits() {
    assert!(follows(1));
}

#[test]
fn and_shrinking_with_area_would_be_noticed() {
    assert!(!follows(2) && !follows(0));
}

#[test]
fn parts_add_by_their_counts_and_memory_does_not_scale() {
    let one = adc("{ component = \"hbm3\", bits = 8, node_nm = 7 }");
    assert!(close(one, 8.0 * 5.0e-12));
    let sum =
        adc("{ component = \"hbm3\", bits = 8 }, { component = \"wire_mm_45\", count = 2.5, node_nm = 45 }");
    assert!(close(sum, one + 2.5 * 0.2e-12));
    // A multiplier grows with the square of its width; the design's node holds where a part names none.
    let mac = adc("{ component = \"int8_mac_45\", bits = 16 }");
    let supply = square_of_supply(28.0) / square_of_supply(45.0);
    assert!(close(mac, 0.23e-12 * 4.0 * 28.0 / 45.0 * supply));
}

#[test]
fn a_grade_is_that_of_the_weakest_part_and_what_is_moved_is_projected() {
    let grade = |parts: &str| price(&with(parts).unwrap(), Event::AdcConversions).evidence;
    let survey = "{ component = \"survey_adc_8b_quartile\", node_nm = 65 }";
    assert_eq!(grade(survey), Evidence::Measured);
    assert_eq!(grade("{ component = \"survey_adc_8b_quartile\" }"), Evidence::Projected);
    assert_eq!(grade("{ component = \"isaac_adc_8b\", node_nm = 32 }"), Evidence::Simulated);
    let isaac = "{ component = \"isaac_adc_8b\", node_nm = 32 }";
    assert_eq!(grade(&format!("{survey}, {isaac}")), Evidence::Simulated);
    // The range is that of the grade.
    let moved = with("{ component = \"survey_adc_8b_quartile\" }").unwrap();
    let known = price(&moved, Event::AdcConversions);
    assert!(close(known.range.high.value() / known.range.low.value(), 35.0));
}

#[test]
fn a_composed_price_costs_what_the_same_number_costs() {
    let composed = device::load("composed_cim_28nm").unwrap();
    let sum = price(&composed, Event::AdcConversions).nominal().value();
    let stated = format!("value = {sum:e}\nevidence = \"projected\"\nprovenance = \"derived\"");
    let plain = Device::from_toml("mine.toml", &SHIPPED.replacen(ADC, &stated, 1)).unwrap();
    let mut ledger = Ledger::default();
    ledger.enter(Event::AdcConversions, 1000);
    ledger.enter(Event::Exponentials, 10);
    assert_eq!(composed.price_ledger(&ledger), plain.price_ledger(&ledger));
    let parts = &composed.composed.prices[&Event::Exponentials];
    let total: f64 = parts.iter().map(|p| p.count * p.each.value()).sum();
    assert!(close(total, price(&composed, Event::Exponentials).nominal().value()));
    assert!(plain.composed.prices.len() + 1 == composed.composed.prices.len());
}

#[test]
fn no_converter_is_below_thermal_noise() {
    let floor = analogue_floor(16.0, Kelvin::new(300.0)).value();
    let device = with("{ component = \"timely_tdc_8b\", bits = 16, node_nm = 5 }").unwrap();
    assert!(close(price(&device, Event::AdcConversions).nominal().value(), floor));
    assert!(device.composed.prices[&Event::AdcConversions][0].thermal);
    assert!(!device.composed.prices[&Event::DacConversions][0].thermal);
}

#[test]
fn every_component_can_be_named_at_its_own_node_and_width() {
    for c in LIBRARY {
        let found = adc(&format!("{{ component = \"{}\", node_nm = {:?} }}", c.id, c.node_nm));
        assert!(close(found, c.energy.value()), "{}", c.id);
        assert!(find(c.id).is_some() && c.node_nm >= NODES.0 && c.node_nm <= NODES.1);
    }
}

#[test]
fn what_cannot_be_composed_is_refused_with_file_key_and_reason() {
    let refused = |parts: &str, wanted: &str| {
        let message = with(parts).unwrap_err().to_string();
        assert!(message.starts_with("mine.toml") && !message.contains('\n'), "{message}");
        assert!(message.contains(wanted), "{message}");
        message
    };
    let message = refused("{ component = \"adc_sar\" }", "isaac_adc_8b");
    assert!(message.contains("price_j.adc_conversions") && message.contains("adc_sar"), "{message}");
    for node in ["3", "180", "0", "-28", "nan", "inf", "1e300"] {
        refused(&format!("{{ component = \"isaac_adc_8b\", node_nm = {node} }}"), "5 to 130 nm");
    }
    for bits in ["0", "17", "-1", "nan", "1e9"] {
        refused(&format!("{{ component = \"isaac_adc_8b\", bits = {bits} }}"), "1 to 16 bits");
    }
    for count in ["0", "-1", "nan", "inf", "1e10"] {
        refused(&format!("{{ component = \"isaac_adc_8b\", count = {count} }}"), "count");
    }
    refused("", "0 parts");
    refused("{ component = \"isaac_adc_8b\", copies = 2 }", "only a rate has");
    refused("{ component = \"isaac_adc_8b\", node = 28 }", "node");
    refused("{ bits = 8 }", "component");
    let twice = |extra: &str, wanted: &str| {
        let text = SHIPPED.replacen(ADC, &format!("{ADC}\n{extra}"), 1);
        let message = Device::from_toml("mine.toml", &text).unwrap_err().to_string();
        assert!(message.contains("price_j.adc_conversions") && message.contains(wanted), "{message}");
    };
    twice("value = 1e-12", "keep one");
    twice("included_in = \"field_macs\"", "keep one");
    twice("evidence = \"measured\"", "leave them out");
    // A node that the design states is held to the same range.
    let old = SHIPPED.replacen("value = 28\n", "value = 250\n", 1);
    assert!(Device::from_toml("mine.toml", &old).unwrap_err().to_string().contains("5 to 130 nm"));
}

/// The rate of its converters, composed otherwise.
fn rate(parts: &str) -> Result<f64, String> {
    assert!(SHIPPED.contains(ADC_RATE));
    let text = SHIPPED.replacen(ADC_RATE, &format!("compose = [{parts}]"), 1);
    let device = Device::from_toml("mine.toml", &text).map_err(|e| e.to_string())?;
    match &device.rates[&Event::AdcConversions] {
        Rate::Stated(known) => Ok(known.nominal().value()),
        other => panic!("{other:?}"),
    }
}

/// The area of its chip, composed otherwise.
fn area(parts: &str) -> Result<f64, String> {
    assert!(SHIPPED.contains(CHIP));
    let text = SHIPPED.replacen(CHIP, &format!("compose = [{parts}]"), 1);
    let device = Device::from_toml("mine.toml", &text).map_err(|e| e.to_string())?;
    Ok(device.area[&Area::Chip].nominal().value())
}

/// Whether the rate of a converter at 28 nm and 6 bits follows f₀·(bits₀/bits)^width·(node₀/node)^length.
fn rate_follows(width: i32, length: i32) -> bool {
    let found = rate("{ component = \"isaac_adc_8b\", bits = 6, node_nm = 28 }").unwrap();
    close(found, 1.2e9 * (8.0f64 / 6.0).powi(width) * (32.0f64 / 28.0).powi(length))
}

#[test]
fn a_converter_is_faster_where_it_is_small_and_narrow() {
    assert!(rate_follows(1, 1));
}

#[test]
fn and_a_rate_that_followed_another_law_would_be_noticed() {
    assert!(!rate_follows(0, 1) && !rate_follows(1, 0) && !rate_follows(1, 2));
}

#[test]
fn the_slowest_part_sets_a_composed_rate() {
    let one = |part: &str| rate(part).unwrap();
    let adc = "{ component = \"isaac_adc_8b\", copies = 100, node_nm = 32 }";
    let dac = "{ component = \"brahms_dac_8b\", copies = 50, count = 4, node_nm = 40 }";
    assert!(close(one(adc), 100.0 * 1.2e9) && close(one(dac), 50.0 * 1.1e9 / 4.0));
    // A sum, or the fastest, would be something else.
    assert!(close(one(&format!("{adc}, {dac}")), one(dac)) && one(dac) < one(adc));
    let message = rate("{ component = \"survey_adc_8b_best\" }").unwrap_err();
    assert!(message.contains("rate_hz.adc_conversions") && message.contains("isaac_adc_8b"), "{message}");
    assert!(message.contains("not published"), "{message}");
    assert!(rate("{ component = \"isaac_adc_8b\", copies = 0 }").unwrap_err().contains("copies"));
}

#[test]
fn areas_add_and_shrink_with_the_square_of_length() {
    let one = |part: &str| area(part).unwrap();
    let adc = "{ component = \"isaac_adc_8b\", count = 3, node_nm = 32 }";
    let memory = "{ component = \"isaac_edram\", bits = 8, node_nm = 32 }";
    assert!(close(one(adc), 3.0 * 1200e-12) && close(one(memory), 8.0 * 83_000e-12 / 524_288.0));
    assert!(close(one(&format!("{adc}, {memory}")), one(adc) + one(memory)));
    let shrunk = one("{ component = \"isaac_edram\", bits = 8, node_nm = 16 }");
    assert!(close(shrunk, one(memory) / 4.0) && !close(shrunk, one(memory) / 2.0));
    let message = area("{ component = \"hbm3\" }").unwrap_err();
    assert!(message.contains("area_m2.chip") && message.contains("isaac_edram"), "{message}");
    assert!(area("{ component = \"isaac_adc_8b\", copies = 2 }").unwrap_err().contains("only a rate has"));
    assert!(area("{ component = \"isaac_adc_8b\", count = 1e9 }").unwrap_err().contains("1 mm² is 1e-6"));
}

#[test]
fn composed_rates_and_areas_are_what_the_same_numbers_are() {
    let composed = device::load("composed_cim_28nm").unwrap();
    let hertz = rate("{ component = \"isaac_adc_8b\", copies = 3072 }").unwrap();
    let stated = format!("value = {hertz:e}\nevidence = \"projected\"\nprovenance = \"assumption\"");
    let plain = Device::from_toml("mine.toml", &SHIPPED.replacen(ADC_RATE, &stated, 1)).unwrap();
    let mut ledger = Ledger::default();
    ledger.enter(Event::AdcConversions, 1_000_000);
    let cost = composed.price_ledger(&ledger).unwrap();
    assert_eq!(cost, plain.price_ledger(&ledger).unwrap());
    assert_eq!(cost.time_by["adc_conversions"].mid.value(), 1e6 / hertz);
    assert_eq!(cost.time_evidence, Evidence::Projected);
    assert_eq!(composed.composed.rates.len(), 2);
    assert_eq!(composed.composed.areas[&Area::Chip].len(), 2);
}
