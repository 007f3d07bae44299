//! Device files that are wrong are refused, with file, key and reason.

use ceas_npu_model::device::Device;

const GOOD: &str = include_str!("../devices/asic28_measured.toml");

/// The message about the good file with one passage changed.
fn refusal(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    let message = Device::from_toml("mine.toml", &GOOD.replacen(from, to, 1)).unwrap_err().to_string();
    assert!(message.contains("mine.toml"), "{message}");
    assert!(!message.contains('\n'), "one line: {message}");
    message
}

#[test]
fn the_good_file_is_read() {
    assert_eq!(Device::from_toml("mine.toml", GOOD).unwrap().id, "asic28_measured");
    for device in ceas_npu_model::device::shipped() {
        assert!(ceas_npu_model::device::shipped_names().any(|name| name == device.id));
    }
}

#[test]
fn keys_nobody_knows_are_refused() {
    assert!(refusal("pipelined", "pipelinde").contains("pipelinde"));
    let message = refusal("[price_j.attempts]", "[price_j.attemps]");
    assert!(message.contains("attemps") && message.contains("line"), "{message}");
    assert!(refusal("source = \"arXiv:2609.07907 abstract, as quoted\"", "sorce = \"x\"").contains("sorce"));
}

#[test]
fn a_number_without_its_unit_or_in_another_unit_is_refused() {
    assert!(refusal("[price_j.attempts]", "[price.attempts]").contains("price_j"));
    assert!(refusal("[price_j.attempts]", "[price_pj.attempts]").contains("price_j"));
    assert!(refusal("[power_cap_w]", "[power_cap_mw]").contains("power_cap_w"));
}

#[test]
fn absurd_values_are_refused() {
    for absurd in ["-1.2e-12", "nan", "inf"] {
        let message = refusal("low = 1.2e-12", &format!("low = {absurd}"));
        assert!(message.contains("price_j.attempts") && message.contains("J/event"), "{message}");
    }
    for absurd in ["0.0", "-1.0", "nan"] {
        let message = refusal("low = 2.81e10", &format!("low = {absurd}"));
        assert!(message.contains("rate_hz.attempts") && message.contains("> 0"), "{message}");
    }
    // 1.2 where 1.2 pJ is meant, and what no device takes.
    for absurd in ["1.2", "1e300", "1e4", "1e-320", "1e-31"] {
        let message = refusal("low = 1.2e-12", &format!("low = {absurd}"));
        assert!(message.contains("price_j.attempts") && message.contains("1 pJ is 1e-12"), "{message}");
    }
    for absurd in ["1e300", "1e25", "1e-320"] {
        assert!(refusal("low = 2.81e10", &format!("low = {absurd}")).contains("rate_hz.attempts"));
    }
    assert!(refusal("value = 5.0", "value = 1e10").contains("power_cap_w"));
    assert!(refusal("high = 4.81e-12", "high = 1.0e-13").contains("rise"));
    assert!(refusal("value = 27648", "value = 0").contains("design.spins"));
    assert!(refusal("value = 27648", "value = -5").contains("line"));
    assert!(refusal("value = 27648", "value = \"many\"").contains("line"));
    assert!(refusal("value = 10\n", "value = 1000\n").contains("bits"));
    assert!(refusal("value = 5.0", "value = 0.0").contains("power_cap_w"));
    assert!(refusal("id = \"asic28_measured\"", "id = \"a b\"").contains("`id`"));
    assert!(refusal("schema = 1", "schema = 2").contains("schema"));
}

#[test]
fn numbers_without_papers_are_refused() {
    assert!(refusal("evidence = \"measured\"\nprovenance", "provenance").contains("evidence"));
    assert!(refusal("evidence = \"measured\"", "evidence = \"certain\"").contains("certain"));
    let message = refusal(
        "source = \"the measured price is per update, whether the spin changes or not\"",
        "source = \" \"",
    );
    assert!(message.contains("price_j.flips") && message.contains("source"), "{message}");
    let mid = "low = 1.2e-12\nmid = 2.4e-12\nhigh = 4.81e-12\nevidence = \"measured\"";
    assert!(refusal(mid, "value = 1.2e-12\nevidence = \"unstated\"").contains("low, mid and high"));
    assert!(refusal("mid = 2.4e-12\n", "").contains("`low`, `mid` and `high`"));
}

#[test]
fn references_that_lead_nowhere_are_refused() {
    let message = refusal("included_in = \"attempts\"", "included_in = \"flips\"");
    assert!(message.contains("price_j.flips") && message.contains("no price of its own"), "{message}");
    assert!(refusal("within = \"attempts\"", "within = \"flips\"").contains("no rate of its own"));
    assert!(refusal("within = \"attempts\"", "power_limited = false").contains("exactly one"));
    let capless =
        GOOD.replacen(&GOOD[GOOD.find("[power_cap_w]").unwrap()..GOOD.find("[price_j").unwrap()], "", 1);
    let message = Device::from_toml("mine.toml", &capless).unwrap_err().to_string();
    assert!(message.contains("power_cap_w"), "{message}");
}

#[test]
fn what_is_not_toml_is_refused() {
    for text in ["", "{", "schema", "schema = 1\nschema = 1", "\u{0}", "[[[", "id = \"\\uD800\""] {
        let message = Device::from_toml("mine.toml", text).unwrap_err().to_string();
        assert!(message.starts_with("mine.toml") && !message.contains('\n'), "{message}");
    }
}

#[test]
fn what_is_the_same_as_another_has_no_number_of_its_own() {
    let same = "[price_j.coupling_writes]\nsame_as = \"field_writes\"";
    let with = |line: &str| refusal(same, &format!("{same}\n{line}"));
    for line in
        ["value = 1e-12", "evidence = \"measured\"", "checked = \"x\"", "derived_from = [\"design.spins\"]"]
    {
        assert!(with(line).contains("`same_as`, `times` and `source`"), "{line}");
    }
    assert!(with("included_in = \"attempts\"").contains("keep one"));
    assert!(with("compose = []").contains("keep one"));
    for times in ["0.0", "-1.0", "nan", "inf", "1e7"] {
        assert!(with(&format!("times = {times}")).contains("times another"), "{times}");
    }
    let other = |name: &str| refusal(same, &format!("[price_j.coupling_writes]\nsame_as = \"{name}\""));
    // Nothing, an included price, itself: none has a number to share.
    for name in ["exponentials", "flips", "coupling_writes"] {
        let message = other(name);
        assert!(message.contains("price_j.coupling_writes") && message.contains(name), "{message}");
    }
    let message = refusal("[price_j.field_writes]\n", "[price_j.field_writes]\ntimes = 2.0\n");
    assert!(message.contains("without `same_as`"), "{message}");
}

#[test]
fn papers_that_say_nothing_or_lead_nowhere_are_refused() {
    let message = refusal("[design.clock_hz]\n", "[design.clock_hz]\nchecked = \" \"\n");
    assert!(message.contains("design.clock_hz") && message.contains("checked"), "{message}");
    let message = refusal("[price_j.memory_bits]\n", "[price_j.memory_bits]\nchecked = \"\"\n");
    assert!(message.contains("price_j.memory_bits") && message.contains("checked"), "{message}");
    let message =
        refusal("[price_j.memory_bits]\n", "[price_j.memory_bits]\nderived_from = [\"price_j.flips\"]\n");
    assert!(message.contains("`price_j.flips`") && message.contains("no number of this file"), "{message}");
}
