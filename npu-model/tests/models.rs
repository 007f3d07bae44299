//! Whole transformers on devices: what the counts are, what a choice changes, and that searches agree with the prices.

mod llama;

use ceas_mapping::placement::{chimera, pegasus, zephyr};
use ceas_npu_model::bill::Bill;
use ceas_npu_model::choice::{
    Choice, Constraint, Construction, Layout, Objective, Target, Tariff, Write, lower, search,
};
use ceas_npu_model::comparison::InferenceComparison;
use ceas_npu_model::device::{self, Device, Storage};
use ceas_npu_model::error::Error;
use ceas_npu_model::gpu::Gpu;
use ceas_npu_model::ledger::Event;
use ceas_npu_model::workload::{Inference, Phase, Task, Transformer};
use llama::{close, question, rows, samplers, work};
use proptest::prelude::*;

#[test]
fn every_row_has_a_price_and_its_parts_sum() {
    for phase in [Phase::Prefill, Phase::Decode] {
        let asked = question(phase, 2048, 4);
        let comparison =
            InferenceComparison::new(&asked, &device::compared_with_models(), &[Gpu::h100()]).unwrap();
        assert!(comparison.rows.len() >= 9);
        for row in comparison.rows.iter().filter(|r| r.unreachable.is_none()) {
            let energy = row.energy_j.unwrap();
            let sum: f64 = row.breakdown.energy_j.values().map(|e| e.mid.value()).sum();
            close(sum, energy.mid.value(), 1e-9);
            assert!(energy.low <= energy.mid && energy.mid <= energy.high);
            let mc = row.monte_carlo.unwrap();
            let drawn = mc.energy_j.unwrap();
            assert!(drawn.p05 <= drawn.p50 && drawn.p50 <= drawn.p95);
            // Draws lie within the range in which everything is cheap or dear at once.
            assert!(drawn.p05 >= energy.low.value() * (1.0 - 1e-9), "{}", row.name);
            assert!(drawn.p95 <= energy.high.value() * (1.0 + 1e-9), "{}", row.name);
        }
    }
}

#[test]
fn an_event_that_a_file_does_not_price_is_named() {
    let dtca = device::load("dtca_projected").unwrap();
    let error = question(Phase::Decode, 128, 1).put(&dtca).unwrap_err();
    assert!(matches!(&error, Error::NoPrice { device, .. } if device == "dtca_projected"), "{error}");
}

#[test]
fn the_counts_of_a_row_are_those_of_the_formulas() {
    let inference = work(Phase::Decode, 1024, 1);
    let pairs = inference.attention().pairs();
    let z1 = device::load("z1_spice").unwrap();
    let count = |choice: Choice, event| {
        lower(&inference, &rows(), Target::Samples(16), &z1, choice).unwrap().ledger.count(event).value()
    };
    let own = Choice::of(&z1);
    assert_eq!(count(own, Event::Attempts), pairs * 16.0 * 2.5);
    assert_eq!(count(own, Event::FieldWrites), pairs);
    let clamp = Choice { write: Write::Clamp, ..own };
    assert_eq!((count(clamp, Event::FieldWrites), count(clamp, Event::DacConversions)), (0.0, pairs));
    // Copies at degree 16 multiply what is written by 73.
    let copies = Choice { layout: Layout::Copies, penalty: 4.0, ..own };
    assert_eq!(count(copies, Event::FieldWrites) / pairs, ((1024.0f64 - 3.0) / 14.0).ceil());
    let gated = Choice { construction: Construction::Gated, ..own };
    assert_eq!(count(gated, Event::Attempts), pairs * 16.0);
    // What cannot be is refused: K is not resident in a device that makes its fields beside the spins.
    let resident = Choice { write: Write::Resident, ..own };
    assert!(lower(&inference, &rows(), Target::Samples(16), &z1, resident).is_err());
}

#[test]
fn layouts_are_those_of_the_constructions() {
    for m in [4usize, 8] {
        let n = zephyr(m).unwrap().logical() as f64;
        assert_eq!(Layout::Zephyr.kappa(n, 20.0), zephyr(m).unwrap().kappa());
        let n = chimera(m).unwrap().logical() as f64;
        assert_eq!(Layout::Chimera.kappa(n, 6.0), chimera(m).unwrap().kappa());
        let placed = pegasus(m).unwrap();
        let bound = Layout::Pegasus.kappa(placed.logical() as f64, 15.0);
        assert!(placed.kappa() <= bound && placed.kappa() > bound - 1.0, "{} {bound}", placed.kappa());
    }
}

#[test]
fn the_quick_tariff_and_the_bill_agree_and_the_search_finds_no_better_choice_than_it_says() {
    let inference = work(Phase::Decode, 512, 4);
    for device in samplers() {
        let lowered =
            lower(&inference, &rows(), Target::OutputError(0.1), &device, Choice::of(&device)).unwrap();
        let quick =
            Tariff::of(&device).price(&lowered.ledger, lowered.extent.chips, lowered.extent.busy).unwrap();
        let cost = Bill::new(&device, &lowered.ledger, lowered.extent).unwrap().cost();
        close(quick.energy, cost.energy.mid.value(), 1e-9);
        close(quick.time, cost.time.mid.value(), 1e-9);
        let target = Target::OutputError(0.1);
        let best = search(&inference, &rows(), target, &device, Objective::Energy, Constraint::default(), 1)
            .unwrap();
        assert!(best.energy_j <= quick.energy * (1.0 + 1e-9), "{}", device.id);
        assert!(best.candidates > 1000 && !best.refused.is_empty());
        // Every candidate is refused or priced, and of what is priced constraints may refuse some.
        let refused: u64 = best.refused.values().sum();
        assert!(best.priced > 0 && best.priced + refused >= best.candidates, "{}", device.id);
        // Gates are cheaper, and are not softmax: they are told, and not taken.
        assert_ne!(best.lowered.choice.construction, Construction::Gated);
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let again = one_thread.install(|| {
            search(&inference, &rows(), target, &device, Objective::Energy, Constraint::default(), 1)
        });
        assert_eq!(best, again.unwrap(), "{}: another number of threads", device.id);
        let fast =
            search(&inference, &rows(), target, &device, Objective::Time, Constraint::default(), 1).unwrap();
        assert!(fast.time_s <= best.time_s * (1.0 + 1e-9));
    }
    let z1 = device::load("z1_spice").unwrap();
    let none = Constraint { time_s: Some(1e-15), ..Constraint::default() };
    let refused =
        search(&inference, &rows(), Target::OutputError(0.1), &z1, Objective::Energy, none, 1).unwrap_err();
    assert!(refused.to_string().contains("none of"), "{refused}");
}

#[test]
fn a_huge_model_is_priced_at_once() {
    let text = include_str!("../../data/configs/llama3-405b.json");
    let model = Transformer::from_json("405b", text).unwrap();
    close(model.weights() as f64, 405.85e9, 0.001);
    let inference =
        Inference::new(model, Task { phase: Phase::Prefill, context: 131_072, batch: 64 }).unwrap();
    for device in device::compared_with_models() {
        let lowered =
            lower(&inference, &rows(), Target::OutputError(0.1), &device, Choice::of(&device)).unwrap();
        let cost = Bill::new(&device, &lowered.ledger, lowered.extent).unwrap().cost();
        assert!(cost.energy.mid.value() > 0.0 && !cost.energy.high.value().is_nan(), "{}", device.id);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn more_work_never_costs_less(context in 16u64..4096, batch in 1u64..64, more in 1u64..512, samples in 1u64..2000) {
        for device in device::compared_with_models() {
            let energy = |context, batch, samples| {
                let work = work(Phase::Decode, context, batch);
                let lowered = lower(&work, &rows(), Target::Samples(samples), &device, Choice::of(&device)).unwrap();
                Bill::new(&device, &lowered.ledger, lowered.extent).unwrap().cost().energy.mid.value()
            };
            let least = energy(context, batch, samples) * (1.0 - 1e-9);
            // Idle power of chips that a larger batch keeps busy is spread, so only devices without any are monotone in the batch.
            prop_assert!(energy(context + more, batch, samples) >= least, "{} context", device.id);
            prop_assert!(energy(context, batch, samples + more) >= least, "{} samples", device.id);
            if device.idle.is_empty() {
                prop_assert!(energy(context, batch + more, samples) >= least, "{} batch", device.id);
            }
        }
    }

    #[test]
    fn a_smaller_error_takes_more_samples(error in 0.05f64..0.5, less in 0.5f64..0.99) {
        let inference = work(Phase::Decode, 256, 1);
        for device in samplers() {
            let samples = |e| lower(&inference, &rows(), Target::OutputError(e), &device, Choice::of(&device)).unwrap().samples.unwrap();
            prop_assert!(samples(error * less) >= samples(error));
        }
    }
}

#[test]
fn storage_is_a_choice_that_decides_the_sign() {
    let inference = work(Phase::Decode, 8192, 1);
    let control = device::load(device::CONTROL).unwrap();
    let streamed = device::load("control_int8_streamed").unwrap();
    let energy = |d: &Device| {
        let l = lower(&inference, &rows(), Target::OutputError(0.1), d, Choice::of(d)).unwrap();
        (Bill::new(d, &l.ledger, l.extent).unwrap().cost().energy.mid.value(), l.choice.storage, l.held)
    };
    let (held, kept, numbers) = energy(&control);
    let (moved, not_kept, none) = energy(&streamed);
    assert_eq!((kept, not_kept, none), (Storage::Resident, Storage::Streamed, 0.0));
    assert!(numbers > 8e9 && moved > 20.0 * held, "{moved} against {held}");
}
