//! Draws of all numbers: what they cover, what moves together, and what single numbers do.

mod llama;

use ceas_npu_model::bill::{Bill, Extent, Spread, quantile};
use ceas_npu_model::choice::{Choice, Target, lower};
use ceas_npu_model::comparison::{InferenceComparison, InferenceQuestion, crossing};
use ceas_npu_model::device::{self, Device, Price};
use ceas_npu_model::gpu::Gpu;
use ceas_npu_model::interval::Interval;
use ceas_npu_model::ledger::{Event, Ledger};
use ceas_npu_model::units::JoulesPerEvent;
use ceas_npu_model::workload::Phase;
use llama::{close, question, rows, work};

#[test]
fn draws_are_a_function_of_the_seed_cover_and_are_shared_between_files() {
    let range = [1.0, 10f64.sqrt(), 10.0];
    assert_eq!([quantile(range, 0.0), quantile(range, 1.0)], [1.0, 10.0]);
    close(quantile(range, 0.25), 10f64.powf(0.25), 1e-12);
    let z1 = device::load("z1_spice").unwrap();
    let mut ledger = Ledger::default();
    ledger.add(Event::Attempts, 1.0);
    let bill = Bill::new(&z1, &ledger, Extent::ONE).unwrap();
    let draws = bill.draws(20_000, 7);
    assert_eq!(draws, bill.draws(20_000, 7));
    assert_ne!(draws, bill.draws(20_000, 8));
    // Log-uniform over a decade: quantiles of one number are known. At 20,000 draws a quantile is known to 0.25 % of the draws (1σ), and
    // a decade has 2.3 % a per cent of it: 10 % is 17 standard errors.
    let spread = Spread::of(&draws.energy).unwrap();
    for (got, q) in [(spread.p05, 0.05), (spread.p50, 0.5), (spread.p95, 0.95)] {
        close(got, 7.09e-15 * 10f64.powf(q), 0.1);
    }
    // A number that two files share moves together, so that the ratio of two controls is sharper than either.
    let control = device::load(device::CONTROL).unwrap();
    let streamed = device::load("control_int8_streamed").unwrap();
    let mut ledger = Ledger::default();
    ledger.add(Event::FieldMacs, 1.0);
    let [a, b] =
        [&control, &streamed].map(|d| Bill::new(d, &ledger, Extent::ONE).unwrap().draws(50, 7).energy);
    assert_eq!(a, b);
}

#[test]
fn a_device_whose_prices_are_zero_costs_its_idle_power_alone() {
    let kv260 = device::load("kv260_metered").unwrap();
    let lowered =
        lower(&work(Phase::Decode, 64, 1), &rows(), Target::Samples(4), &kv260, Choice::of(&kv260)).unwrap();
    let mut free = kv260.clone();
    for price in free.prices.values_mut() {
        if let Price::Stated(known) = price {
            known.range = Interval::exactly(JoulesPerEvent::new(0.0));
        }
    }
    let cost = Bill::new(&free, &lowered.ledger, lowered.extent).unwrap().cost();
    close(cost.energy.mid.value(), cost.energy_by["idle_host"].mid.value(), 1e-12);
    close(cost.energy.mid.value(), 3.22 * cost.time.mid.value(), 1e-9);
    free.idle.clear();
    assert_eq!(Bill::new(&free, &lowered.ledger, lowered.extent).unwrap().cost().energy.mid.value(), 0.0);
}

#[test]
fn tornado_bars_are_ends_of_single_numbers() {
    let (_, bill) = question(Phase::Decode, 1024, 1).put(&device::load("z1_spice").unwrap()).unwrap();
    let mid = bill.cost().energy.mid.value();
    let swings = bill.tornado();
    assert!(!swings.is_empty());
    for swing in &swings {
        assert!(
            swing.energy_j[0] <= mid * (1.0 + 1e-12) && mid <= swing.energy_j[1] * (1.0 + 1e-12),
            "{}",
            swing.number
        );
    }
}

#[test]
fn break_even_is_where_it_says() {
    let asked = question(Phase::Prefill, 1024, 1);
    let gpu = Gpu::h100();
    let z1 = device::load("z1_spice").unwrap();
    let comparison = InferenceComparison::new(&asked, std::slice::from_ref(&z1), &[gpu]).unwrap();
    let (row, bar) = (&comparison.rows[0], comparison.rows.last().unwrap().energy_j.unwrap().mid.value());
    let (_, bill) = asked.put(&z1).unwrap();
    let price = row.level.attempt_price_j.unwrap();
    close(bill.at_price(Event::Attempts, price), bar, 1e-9);
    // The numeric solve against the closed form.
    let solved = crossing(|e| Some(bill.at_price(Event::Attempts, e) - bar), 1e-20, 1e-6);
    match solved {
        Some(solved) => close(solved, price, 1e-6),
        None => assert!(price < 1e-20, "{price}"),
    }
    if let Some(samples) = row.level.samples {
        let at = InferenceQuestion { target: Target::Samples(samples.round() as u64), ..asked.clone() };
        close(at.put(&z1).unwrap().1.cost().energy.mid.value(), bar, 0.05);
    }
}

/// The control with its second product drawn by itself instead of with the first.
fn apart() -> Device {
    let text = include_str!("../devices/control_int8_digital.toml");
    let same = "[price_j.value_macs]\nsame_as = \"field_macs\"";
    assert!(text.contains(same));
    let own = "[price_j.value_macs]\nlow = 0.08e-12\nmid = 0.2e-12\nhigh = 0.71e-12\nevidence = \"projected\"\nprovenance = \
               \"assumption\"";
    Device::from_toml("apart.toml", &text.replacen(same, own, 1)).unwrap()
}

/// Energies of a product of either kind, drawn so often.
fn products(device: &Device, draws: usize) -> Vec<f64> {
    let mut ledger = Ledger::default();
    ledger.add(Event::FieldMacs, 1.0);
    ledger.add(Event::ValueMacs, 1.0);
    Bill::new(device, &ledger, Extent::ONE).unwrap().draws(draws, 3).energy
}

const DRAWS: usize = 20_000;

/// Whether 90 % of draws lie between the 5 % and the 95 % of 2x, x drawn once from the range of the price; to four standard errors of a
/// share, √(0.9·0.1/20000) each: one law in 16,000 fails that is right.
fn covers(drawn: &[f64]) -> bool {
    let x = [0.08e-12, 0.2e-12, 0.71e-12];
    let [low, high] = [0.05, 0.95].map(|u| 2.0 * quantile(x, u));
    let inside = drawn.iter().filter(|e| (low..=high).contains(*e)).count() as f64 / drawn.len() as f64;
    (inside - 0.9).abs() < 4.0 * (0.09 / DRAWS as f64).sqrt()
}

#[test]
fn one_quantity_under_two_keys_is_drawn_once() {
    assert!(covers(&products(&device::load(device::CONTROL).unwrap(), DRAWS)));
}

#[test]
fn and_two_draws_of_it_would_pretend_to_know_more() {
    let apart = products(&apart(), DRAWS);
    assert!(!covers(&apart));
    let width = |draws: &[f64]| {
        let spread = Spread::of(draws).unwrap();
        (spread.p95 / spread.p05).ln()
    };
    let together = products(&device::load(device::CONTROL).unwrap(), DRAWS);
    // ln(q₉₅/q₀₅) is 1.87 for 2x; a sum of two has √½ of the variance, and about 1.3.
    assert!(width(&apart) < 0.8 * width(&together), "{} {}", width(&apart), width(&together));
}

#[test]
fn a_multiple_moves_turns_and_breaks_even_with_what_it_is_a_multiple_of() {
    let control = device::load(device::CONTROL).unwrap();
    let bill = |events: &[(Event, f64)]| {
        let mut ledger = Ledger::default();
        events.iter().for_each(|&(event, count)| ledger.add(event, count));
        Bill::new(&control, &ledger, Extent::ONE).unwrap()
    };
    let [one, five] = [Event::FieldMacs, Event::Exponentials].map(|e| bill(&[(e, 1.0)]).draws(100, 5).energy);
    assert!(one.iter().zip(&five).all(|(x, y)| (y / x / 2.5 - 1.0).abs() < 1e-12));
    let all = bill(&[(Event::FieldMacs, 3.0), (Event::ValueMacs, 2.0), (Event::Exponentials, 4.0)]);
    assert_eq!(all.weight(Event::FieldMacs), 3.0 + 2.0 + 2.5 * 4.0);
    assert_eq!(all.weight(Event::Exponentials), (3.0 + 2.0) / 2.5 + 4.0);
    let swings = all.tornado();
    assert_eq!(swings.len(), 1, "{swings:?}");
    assert_eq!(swings[0].number, "price_j.field_macs");
    close(swings[0].energy_j[0], 15.0 * 0.08e-12, 1e-12);
    close(swings[0].energy_j[1], 15.0 * 0.71e-12, 1e-12);
    for event in [Event::FieldMacs, Event::Exponentials] {
        let level = 1e-12;
        let price = all.price_for(event, level).unwrap();
        close(all.at_price(event, price), level, 1e-12);
    }
    assert_eq!(all.price_for(Event::Attempts, 1.0), None);
}
