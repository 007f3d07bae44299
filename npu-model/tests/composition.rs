//! Energies add, stages compose, and nothing gets cheaper by doing more of it.

use ceas_npu_model::device::{self, Device};
use ceas_npu_model::ledger::{Event, Ledger};
use ceas_npu_model::{Error, cost::Cost, cost::POWER_CAP};
use ceas_npu_model::{interval::Interval, units::Joules};
use proptest::prelude::*;

/// Events that every shipped sampling device prices.
fn ledgers() -> impl Strategy<Value = [u64; 9]> {
    prop::array::uniform9(prop_oneof![Just(0u64), 1u64..1_000_000_000_000])
}

fn ledger(counts: &[u64; 9]) -> Ledger {
    let mut ledger = Ledger::default();
    for (event, &count) in Event::ALL.into_iter().zip(counts) {
        ledger.enter(event, count);
    }
    ledger
}

fn samplers() -> Vec<Device> {
    let all = device::compared().into_iter().filter(|d| d.id != device::CONTROL);
    // The same devices once more with stages that follow each other.
    all.flat_map(|d| [d.clone(), Device { pipelined: false, ..d }]).collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// Every end of energy and time.
fn ends(cost: &Cost) -> [f64; 6] {
    let (e, t) = (cost.energy, cost.time);
    [e.low.value(), e.mid.value(), e.high.value(), t.low.value(), t.mid.value(), t.high.value()]
}

proptest! {
    #[test]
    fn the_breakdown_sums_to_the_total(counts in ledgers()) {
        for device in samplers() {
            let cost = device.price_ledger(&ledger(&counts)).unwrap();
            let every: [fn(&Interval<Joules>) -> Joules; 3] = [|i| i.low, |i| i.mid, |i| i.high];
            for end in every {
                let sum: f64 = cost.energy_by.values().map(|part| end(part).value()).sum();
                prop_assert!(close(sum, end(&cost.energy).value()), "{}: {sum}", device.id);
            }
            let stages = cost.time_by.iter().filter(|(name, _)| **name != POWER_CAP).map(|(_, t)| t.mid.value());
            let composed: f64 = if device.pipelined { stages.fold(0.0, f64::max) } else { stages.sum() };
            let power = cost.time_by[POWER_CAP].mid.value();
            prop_assert!(close(cost.time.mid.value(), composed.max(power)), "{}", device.id);
        }
    }

    #[test]
    fn energies_add_and_times_add_or_overlap(a in ledgers(), b in ledgers()) {
        let mut both = a;
        for (x, y) in both.iter_mut().zip(b) {
            *x += y;
        }
        for device in samplers() {
            let [a, b, both] = [&a, &b, &both].map(|counts| device.price_ledger(&ledger(counts)).unwrap());
            prop_assert!(close(a.energy.mid.value() + b.energy.mid.value(), both.energy.mid.value()));
            prop_assert!(both.time.mid.value() <= (a.time.mid + b.time.mid).value() * (1.0 + 1e-9));
            prop_assert!(both.time.mid >= a.time.mid.max(b.time.mid));
        }
    }

    #[test]
    fn more_of_anything_never_costs_less(counts in ledgers(), which in 0usize..9, more in 1u64..1_000_000_000) {
        let mut grown = counts;
        grown[which] += more;
        for device in samplers() {
            let few = device.price_ledger(&ledger(&counts)).unwrap();
            let many = device.price_ledger(&ledger(&grown)).unwrap();
            for (a, b) in ends(&few).into_iter().zip(ends(&many)) {
                prop_assert!(b >= a * (1.0 - 1e-12), "{} {which}: {a} then {b}", device.id);
            }
        }
    }

    #[test]
    fn ranges_are_in_order(counts in ledgers()) {
        for device in samplers() {
            let [el, em, eh, tl, tm, th] = ends(&device.price_ledger(&ledger(&counts)).unwrap());
            prop_assert!(el <= em && em <= eh && tl <= tm && tm <= th);
        }
    }
}

#[test]
fn doing_nothing_costs_nothing() {
    for device in device::compared() {
        let cost = device.price_ledger(&Ledger::default()).unwrap();
        assert_eq!(ends(&cost), [0.0; 6], "{}", device.id);
    }
}

#[test]
fn an_event_without_a_price_or_a_rate_is_an_error_that_names_it() {
    for event in Event::ALL {
        for device in device::compared() {
            let mut ledger = Ledger::default();
            ledger.enter(event, 7);
            let mut bare = device.clone();
            bare.prices.remove(&event);
            let refused = bare.price_ledger(&ledger).unwrap_err();
            assert!(matches!(&refused, Error::NoPrice { event: e, .. } if *e == event.name()), "{refused}");
            assert!(refused.to_string().contains(&device.id));
            if device.prices.contains_key(&event) {
                let mut untimed = device;
                untimed.rates.remove(&event);
                let refused = untimed.price_ledger(&ledger).unwrap_err();
                assert!(
                    matches!(&refused, Error::NoRate { event: e, .. } if *e == event.name()),
                    "{refused}"
                );
            }
        }
    }
}
