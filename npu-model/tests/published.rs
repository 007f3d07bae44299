//! Published numbers, as checks of consistency.
//!
//! Each says whether a constant of ours was taken from the same source: such a check shows that the accounting puts the number
//! together as its source does, and proves nothing about the number. Only a hold-out validates.

use ceas_npu_model::device::{self, Device, Price, Rate};
use ceas_npu_model::ledger::{Event, Ledger};
use ceas_npu_model::units::{Hertz, Joules, JoulesPerEvent, Kelvin, Seconds, landauer, thermal};
use ceas_npu_model::workload::{Shape, Workload};
use ceas_sim::activity::Activity;

fn price(device: &Device, event: Event) -> JoulesPerEvent {
    match &device.prices[&event] {
        Price::Stated(known) => known.nominal(),
        Price::IncludedIn { .. } => panic!("{} has no price of its own", event.name()),
    }
}

fn close(got: f64, published: f64, tolerance: f64) {
    assert!(
        (got / published - 1.0).abs() <= tolerance,
        "{got:e} against {published:e}, tolerance {tolerance}"
    );
}

/// A device that only updates spins, at a price and a rate.
fn sampler(joules: f64, hertz: f64) -> Device {
    let number = |key: &str, value: f64| {
        format!(
            "[{key}.attempts]\nlow = {value:e}\nmid = {value:e}\nhigh = {value:e}\nevidence = \"metered\"\nprovenance = \
             \"second-hand\"\nsource = \"test\"\n"
        )
    };
    let text = format!(
        "schema = 1\nid = \"t\"\nname = \"t\"\nbased_on = \"t\"\nkind = \"p-bit\"\nencoding = \"one-hot\"\nkeys = \"beside\"\n\
         pipelined = true\n{}{}",
        number("price_j", joules),
        number("rate_hz", hertz)
    );
    Device::from_toml("test", &text).unwrap()
}

fn attempts(count: u64) -> Ledger {
    Ledger::from(&Activity { attempts: count, ..Activity::default() })
}

#[test]
fn v01_a_denoising_layer_takes_1_6_nj() {
    // Fitted on the source: yes (1.3 fJ, its first version; 2 fJ of the second gives 2.45 nJ).
    let cost = sampler(1.3e-15, 1e7).price_ledger(&attempts(250 * 70 * 70)).unwrap();
    close(cost.energy.mid.value(), 1.6e-9, 0.01);
}

#[test]
fn v02_z1_samples_below_one_watt() {
    // Fitted on the source: the price, yes; that it stays below the stated 1 W, no.
    let z1 = device::load("z1_spice").unwrap();
    let Rate::Stated(rate) = &z1.rates[&Event::Attempts] else { panic!("z1 states a rate of attempts") };
    let power = price(&z1, Event::Attempts) * rate.nominal();
    close(power.value(), 0.0956, 0.01);
    assert!(power.value() < 1.0);
    let design = z1.design.spins.unwrap().value as f64 * z1.design.clock_hz.unwrap().value;
    close(rate.nominal().value(), design, 1e-3);
}

#[test]
fn v03_a_write_of_z1_costs_21_664_samples() {
    // Fitted on the source: yes.
    let z1 = device::load("z1_spice").unwrap();
    close(price(&z1, Event::FieldWrites) / price(&z1, Event::Attempts), 21664.0, 0.01);
    close(price(&z1, Event::ReadOuts) / price(&z1, Event::Attempts), 238.6, 0.01);
    close(price(&z1, Event::FieldWrites) / price(&z1, Event::ReadOuts), 90.8, 0.01);
}

#[test]
fn v04_v05_the_metered_board_makes_51_flips_a_nanosecond_at_555_mw() {
    // Fitted on the source: yes. 1,024 p-bits, 100 MHz, two clocks a sweep; 10.848 pJ above idle.
    let cost = sampler(1.0848e-11, 1024.0 * 100e6 / 2.0).price_ledger(&attempts(51_200_000_000)).unwrap();
    close(cost.time.mid.value(), 1.0, 0.001);
    close((cost.energy.mid / cost.time.mid).value(), 0.5554, 0.05);
}

#[test]
fn v06_the_asic_takes_36_mw_and_128_cycles_a_sweep() {
    // Fitted on the source: yes; the whole number of cycles is not put in.
    let asic = device::load("asic28_measured").unwrap();
    let Rate::Stated(rate) = &asic.rates[&Event::Attempts] else {
        panic!("the ASIC states a rate of attempts")
    };
    // The 1.2 pJ of its abstract are the low end: a page of its authors states 4.81 pJ.
    let Price::Stated(known) = &asic.prices[&Event::Attempts] else { panic!("the ASIC prices attempts") };
    close((known.range.low * rate.nominal()).value(), 0.0363, 0.02);
    let sweep = asic.design.spins.unwrap().value as f64 / rate.nominal().value();
    close(sweep * asic.design.clock_hz.unwrap().value, 128.0, 0.001);
}

#[test]
fn v16_the_analogue_array_takes_0_161_pj_a_mac() {
    // Fitted on the source: yes.
    let pcm = device::load("pcm_wta_projected").unwrap();
    close(price(&pcm, Event::FieldMacs).value(), 1.61e-13, 0.01);
}

#[test]
fn v21_distance_from_landauer() {
    let room = Kelvin::new(300.0);
    close(thermal(room).value(), 4.141_947e-21, 1e-6);
    close(landauer(room).value(), 2.870_979e-21, 1e-6);
    let z1 = price(&device::load("z1_spice").unwrap(), Event::Attempts).value();
    close(z1 / landauer(room).value(), 2.47e6, 0.001);
    close(9.1316e-12 / landauer(room).value(), 3.18e9, 0.001);
}

#[test]
fn writing_every_logit_of_a_head_into_z1_takes_a_minute() {
    // n = 4096: 16.8 million biases at 269,568 a second.
    let z1 = device::load("z1_spice").unwrap();
    let head = Workload::one(Shape::square(4096, 128, false).unwrap());
    let run = Activity {
        attempts: 260 * head.pairs(),
        field_writes: head.pairs(),
        coupler_reads: head.field_macs(),
        coupling_writes: head.key_numbers(),
        read_outs: 16 * head.pairs(),
        decoder_adds: 16 * 4096 * 128,
        ..Activity::default()
    };
    let cost = z1.price(&run, &head).unwrap();
    assert_eq!(cost.binds, "field_writes");
    close(cost.time.mid.value(), 62.2, 0.01);
    // The literal prices are the low ends: 208 pJ a pair with 0.1 pJ an operation for q·k.
    let low = |part: &str| cost.energy_by[part].low.value() / head.pairs() as f64;
    let literal = low("field_writes") + low("read_outs") + low("attempts");
    let products = cost.energy_by["field_macs"].mid.value() / head.pairs() as f64;
    close((literal + products) * 1e12, 208.0, 0.01);
}

#[test]
fn the_control_takes_51_pj_a_pair_for_its_products() {
    // Fitted on the source: yes (0.1 pJ an operation). The exponentials come on top: 1 % at d = 128.
    let control = device::load(device::CONTROL).unwrap();
    let head = Workload::one(Shape::square(4096, 128, false).unwrap());
    let cost = control.price(&Activity::default(), &head).unwrap();
    let products = cost.energy_by["field_macs"].mid + cost.energy_by["value_macs"].mid;
    close(products.value() / head.pairs() as f64, 51.2e-12, 0.001);
    close(cost.energy_by["exponentials"].mid / cost.energy.mid, 0.0097, 0.01);
    assert_eq!(cost.binds, "power_cap");
    assert_eq!(cost.time.mid, cost.energy.mid / control.power_cap.unwrap().nominal());
}

#[test]
fn quantities_of_different_kinds_meet_only_where_that_means_something() {
    let energy: Joules = JoulesPerEvent::new(2.0) * (Hertz::new(3.0) * Seconds::new(4.0));
    assert_eq!(energy, Joules::new(24.0));
    assert_eq!((energy / Seconds::new(4.0)).value(), 6.0);
}
