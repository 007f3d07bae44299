//! Published numbers of whole models and machines, as `published.rs` has those of devices.

mod llama;

use ceas_npu_model::choice::{Choice, Construction, Rows, Target, lower};
use ceas_npu_model::comparison::InferenceComparison;
use ceas_npu_model::device::{self, Device};
use ceas_npu_model::gpu::Gpu;
use ceas_npu_model::ledger::{Event, Ledger};
use ceas_npu_model::workload::Phase;
use llama::{close, question, rows, work};

#[test]
fn v19_samples_follow_from_the_error_and_come_back_to_it() {
    // Published: simulated relative errors 0.53 and 0.136 at 16 and 256 samples, N₂ = 6.6. Fitted on the source: no.
    let r = Rows { variance: 6.6 - 1.0, ..rows() };
    let inference = work(Phase::Decode, 4096, 1);
    let pcm = device::load("pcm_wta_projected").unwrap();
    for (samples, published) in [(16, 0.53), (256, 0.136)] {
        let lowered = lower(&inference, &r, Target::Samples(samples), &pcm, Choice::of(&pcm)).unwrap();
        close(lowered.error, published, 0.15);
        let back = lower(&inference, &r, Target::OutputError(lowered.error), &pcm, Choice::of(&pcm)).unwrap();
        assert!((back.samples.unwrap() - samples as f64).abs() <= 1.0);
    }
    let refused = lower(&inference, &r, Target::OutputError(1e-4), &pcm, Choice::of(&pcm)).unwrap_err();
    assert!(refused.to_string().contains("8 bits"), "{refused}");
}

#[test]
fn v20_a_domain_wall_relaxes_in_the_published_number_of_sweeps() {
    // Published: 6.80e6, 1.81e7 and 3.76e8 sweeps at n = 4096, from an exact birth–death chain. Fitted on the source: the closed form, yes.
    let inference = work(Phase::Decode, 4096, 1);
    let z1 = device::load("z1_spice").unwrap();
    let choice = Choice { construction: Construction::DomainWall, ..Choice::of(&z1) };
    for (sigma, published) in [(0.0, 6.80e6), (1.0, 1.81e7), (2.0, 3.76e8)] {
        let r = Rows { sigma, ..rows() };
        let sweeps = |s| lower(&inference, &r, Target::Samples(s), &z1, choice).unwrap().sweeps;
        close((sweeps(3) - sweeps(2)) / 2.0, published, 0.3);
    }
}

#[test]
fn v09_v07_couplings_of_published_machines() {
    // V07, V08: 2048² couplings of 25.75 pJ are 108 µJ, in 624 cycles at 279 MHz. Fitted on the source: yes.
    let sbm = device::load("toshiba_sbm_measured").unwrap();
    let mut ledger = Ledger::default();
    ledger.add(Event::CouplerReads, 2048.0 * 2048.0);
    let cost = sbm.price_ledger(&ledger).unwrap();
    close(cost.energy_by["coupler_reads"].mid.value(), 108e-6, 0.001);
    close(cost.time.mid.value() * 279e6, 624.0, 0.001);
    close((cost.energy.mid / cost.time.mid).value(), 48.3, 0.02);
    // The latency of the same machine from its structure, exactly: n/32 + n/256·max(n/32, 32) + 48 cycles. Fitted: the 48.
    let cycles = |n: u64| n / 32 + n / 256 * (n / 32).max(32) + 48;
    assert_eq!((cycles(2048), cycles(4096)), (624, 2224));
    // V11: a thousand reads of the annealer take 173 ms.
    let annealer = device::load("dwave_advantage2").unwrap();
    let mut ledger = Ledger::default();
    ledger.add(Event::Attempts, 1000.0 * 4592.0);
    ledger.add(Event::FieldWrites, 4592.0);
    let sequential = Device { pipelined: false, ..annealer };
    close(sequential.price_ledger(&ledger).unwrap().time.mid.value(), 0.1732, 0.01);
}

#[test]
fn v17_northpole_takes_23_7_mj_a_token() {
    // Fitted on the source: yes; a consistency check.
    let mut ledger = Ledger::default();
    ledger.add(Event::WeightMacs, 3e9);
    let northpole = device::load("northpole_measured").unwrap();
    let energy = northpole.price_ledger(&ledger).unwrap().energy;
    close(energy.low.value(), 23.7e-3, 0.01);
    // A rack of 30 kW runs 18 of them, by the abstract of a later paper: 2.5 times that.
    close(energy.mid.value(), 30e3 / (18.0 * 28_356.0), 0.01);
}

#[test]
fn decode_of_llama_leads_to_the_numbers_that_residency_is_argued_with() {
    // Published scenario: weights 16 GB in 4.8 ms, 1.6 mJ a token in a resident array. Fitted on the source: the price of a product, yes.
    let one = question(Phase::Decode, 8192, 1);
    let (_, bill) = one.put(&device::load("control_analogue").unwrap()).unwrap();
    let parts = bill.cost().energy_by;
    let macs = parts["weight_macs"].mid + parts["field_macs"].mid + parts["value_macs"].mid;
    close(macs.value(), 1.6e-3, 0.05);
    // NorthPole: 63 mJ a token for 8e9 weights, counted on the weights alone, if its cards are all that draws; 1 J as its rack was measured.
    let (_, bill) = one.put(&device::load("northpole_measured").unwrap()).unwrap();
    let weights = bill.cost().energy_by["weight_macs"];
    close(weights.low.value(), 63e-3, 0.07);
    close(weights.high.value(), 30e3 / 30e3, 0.1);
    // The H100 at batch 1 is bound by the weights: about 5 ms and 2.6 to 3.1 J at 500 to 600 W.
    let comparison = InferenceComparison::new(&one, &[], &[Gpu::h100()]).unwrap();
    let gpu = comparison.rows.last().unwrap();
    let (time, energy) = (gpu.time_s.unwrap(), gpu.energy_j.unwrap());
    assert!(time.low.value() < 6e-3 && time.high.value() > 4.8e-3, "{time:?}");
    assert!(energy.low.value() < 3.1 && energy.high.value() > 2.0, "{energy:?}");
}
