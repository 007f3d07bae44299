//! What each flaw of a device costs on all-MiniLM-L6-v2, without sampling noise: the cosine to the exact sentence embedding.
//! `cargo run --release --example validate_precision`.
//!
//! `-- TEXT` runs the lines alone whose name holds TEXT. Where something is frozen, several devices are made (seeds 0, 1, …); the error is over texts, each being the mean over devices.

mod texts;

use std::error::Error;
use std::num::NonZeroU32;

use ceas_npu::mapping::feed_forward::Activation;
use ceas_npu::mapping::nonideal::{Chip, Codes, NonIdeal, Reads};
use ceas_npu::mapping::pbits::Noise;
use texts::{Bench, over_texts};

/// A line of the table: a device, on how many copies of which it is measured, and what the research page says, where it says something.
struct Line {
    name: &'static str,
    chip: Chip,
    devices: u64,
    page: &'static str,
}

fn main() -> Result<(), Box<dyn Error>> {
    let bench = Bench::open()?;
    println!(
        "{:<44} {:>22} {:>22}  {:>8}",
        "cosine to exact, mean ± error over texts", "16 sentences", "8 paragraphs", "page"
    );
    let only = std::env::args().nth(1).unwrap_or_default();
    for line in lines().into_iter().filter(|line| line.name.contains(&only)) {
        let mut shown = Vec::new();
        for list in [&bench.sentences, &bench.paragraphs] {
            let mut mean = vec![0.0; list.len()];
            for seed in 0..line.devices {
                let chip = Chip { flaws: NonIdeal { seed, ..line.chip.flaws }, seed, ..line.chip.clone() };
                let losses = bench.losses(list, &chip, 1)?;
                mean.iter_mut().zip(losses).for_each(|(mean, loss)| *mean += loss / line.devices as f64);
            }
            let loss = over_texts(&mean);
            shown.push(format!("{:.5} ± {:.5}", 1.0 - loss.mean, loss.error));
        }
        println!("{:<44} {:>22} {:>22}  {:>8}", line.name, shown[0], shown[1], line.page);
    }
    Ok(())
}

fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    let attention = Chip { attention: Reads::Infinite, ..Chip::new(0) };
    let gates = Chip { feed_forward: Reads::Infinite, ..Chip::new(0) };
    let sampled = |samples| Chip { attention: Reads::Times(samples), ..Chip::new(0) };
    let flawed = |chip: &Chip, flaws: NonIdeal| Chip { flaws, ..chip.clone() };
    let none = NonIdeal::default();
    let mut add = |name, chip, devices, page| lines.push(Line { name, chip, devices, page });

    add(
        "nothing wrong (attention, gates)",
        Chip { feed_forward: Reads::Infinite, ..attention.clone() },
        1,
        "1",
    );
    for (bits, name, page) in [
        (2, "fields of attention, 2 bits over 12 kT", "0.950"),
        (3, "fields of attention, 3 bits", "0.9955"),
        (4, "fields of attention, 4 bits", "0.9993"),
        (6, "fields of attention, 6 bits", "0.99996"),
        (8, "fields of attention, 8 bits", "1"),
    ] {
        add(name, flawed(&attention, NonIdeal { field_bits: Some(bits), ..none }), 1, page);
    }
    for (bits, name, page) in [
        (2, "couplings K and clamps q, 2 bits", "0.389"),
        (3, "couplings K and clamps q, 3 bits", "0.960"),
        (4, "couplings K and clamps q, 4 bits", "0.993"),
        (6, "couplings K and clamps q, 6 bits", "0.9997"),
        (8, "couplings K and clamps q, 8 bits", "0.99998"),
    ] {
        add(name, flawed(&attention, NonIdeal { coupling_bits: Some(bits), ..none }), 1, page);
    }
    for (codes, name, devices, page) in [
        (Codes::Sign, "scores from signs, 32 spins", 1, "0.653"),
        (Codes::Itq(30), "scores from ITQ codes, 32 spins", 2, ""),
        (Codes::SimHash(32), "scores from simHash, 32 spins", 2, "0.669"),
        (Codes::SimHash(128), "scores from simHash, 128 spins", 2, "0.921"),
        (Codes::SimHash(512), "scores from simHash, 512 spins", 2, "0.981"),
        (Codes::SimHash(2048), "scores from simHash, 2048 spins", 2, "0.996"),
    ] {
        add(name, Chip { codes: Some(codes), ..attention.clone() }, devices, page);
    }
    for (field_noise, name, page) in [
        (0.05, "frozen noise of fields, 0.05 kT", "0.9999"),
        (0.1, "frozen noise of fields, 0.1 kT", "0.9997"),
        (0.25, "frozen noise of fields, 0.25 kT", "0.9983"),
        (0.5, "frozen noise of fields, 0.5 kT", "0.993"),
        (1.0, "frozen noise of fields, 1 kT", "0.967"),
    ] {
        add(name, flawed(&attention, NonIdeal { field_noise, ..none }), 4, page);
    }
    for (mismatch, name) in [
        (0.01, "mismatch of couplings, 1 %"),
        (0.05, "mismatch of couplings, 5 %"),
        (0.2, "mismatch of couplings, 20 %"),
    ] {
        add(name, flawed(&attention, NonIdeal { mismatch, ..none }), 4, "");
    }
    for (beta_error, name, page) in [
        (0.01, "error of β per head, 1 %", "0.9999"),
        (0.05, "error of β per head, 5 %", "0.998"),
        (0.2, "error of β per head, 20 %", ""),
    ] {
        add(name, flawed(&attention, NonIdeal { beta_error, ..none }), 8, page);
    }
    for (beta_drift, name) in
        [(0.05, "drift of β while read out, +5 %"), (0.2, "drift of β while read out, +20 %")]
    {
        add(name, flawed(&attention, NonIdeal { beta_drift, ..none }), 1, "");
    }
    for (stuck_off, name) in
        [(0.001, "units stuck off, 0.1 %"), (0.01, "units stuck off, 1 %"), (0.05, "units stuck off, 5 %")]
    {
        add(name, flawed(&attention, NonIdeal { stuck_off, ..none }), 4, "");
    }
    for (stuck_on, name) in
        [(0.0001, "units stuck on, 0.01 %"), (0.001, "units stuck on, 0.1 %"), (0.01, "units stuck on, 1 %")]
    {
        add(name, flawed(&attention, NonIdeal { stuck_on, ..none }), 4, "");
    }
    for (scale, name) in [
        (1.702, "Gaussian comparators, free p-bits, s = 1.702"),
        (3.0, "Gaussian comparators, free p-bits, s = 3"),
    ] {
        add(
            name,
            flawed(&attention, NonIdeal { comparator: Some(Noise::Gaussian { scale }), ..none }),
            1,
            "",
        );
    }
    for (read_out_error, name) in
        [(0.01, "wrong read-outs of a row, 1 %"), (0.05, "wrong read-outs of a row, 5 %")]
    {
        add(name, flawed(&attention, NonIdeal { read_out_error, ..none }), 1, "");
    }
    add("S = 64, fresh draws", sampled(64), 4, "");
    for (sweeps, name) in [
        (1, "S = 64, a chain read every sweep"),
        (16, "S = 64, a chain read every 16 sweeps"),
        (256, "S = 64, a chain read every 256 sweeps"),
    ] {
        add(name, flawed(&sampled(64), NonIdeal { sweeps: NonZeroU32::new(sweeps), ..none }), 2, "");
    }
    for (latency, name) in [
        (0.0, "S = 64, one-hot βA = 2, latency 0"),
        (0.1, "S = 64, one-hot βA = 2, latency 0.1"),
        (0.5, "S = 64, one-hot βA = 2, latency 0.5"),
        (1.0, "S = 64, one-hot βA = 2, latency 1"),
        (2.0, "S = 64, one-hot βA = 2, latency 2"),
    ] {
        let (penalty, sweeps) = (Some(2.0), NonZeroU32::new(8));
        add(name, flawed(&sampled(64), NonIdeal { penalty, latency, sweeps, ..none }), 1, "");
    }
    for (bits, name) in [
        (3, "inputs of gates, 3 bits over ±6"),
        (4, "inputs of gates, 4 bits"),
        (6, "inputs of gates, 6 bits"),
    ] {
        add(name, flawed(&gates, NonIdeal { field_bits: Some(bits), ..none }), 1, "");
    }
    for (b, name, page) in [
        (1.702, "gates x σ(1.702 x) instead of GELU", "0.9959"),
        (1.773, "gates x σ(1.773 x) instead of GELU", "0.9963"),
    ] {
        add(name, Chip { gate: Some(Activation::Surrogate { b }), ..gates.clone() }, 1, page);
    }
    add("gates SiLU instead of GELU", Chip { gate: Some(Activation::Silu), ..gates.clone() }, 1, "0.51");
    add("gates ReLU instead of GELU", Chip { gate: Some(Activation::Relu), ..gates.clone() }, 1, "0.45");
    for (field_noise, name) in
        [(0.05, "frozen offsets of gates, 0.05"), (0.25, "frozen offsets of gates, 0.25")]
    {
        add(name, flawed(&gates, NonIdeal { field_noise, ..none }), 4, "");
    }
    let beta_error = NonIdeal { beta_error: 0.05, ..none };
    add("error of β per layer of gates, 5 %", flawed(&gates, beta_error), 8, "");
    for (stuck, name) in [(0.001, "gates stuck, half off and half on, 0.1 %"), (0.01, "gates stuck, 1 %")] {
        add(name, flawed(&gates, NonIdeal { stuck_off: 0.5 * stuck, stuck_on: 0.5 * stuck, ..none }), 4, "");
    }
    for (read_out_error, name) in [(0.001, "wrong bits of gates, 0.1 %"), (0.01, "wrong bits of gates, 1 %")]
    {
        add(name, flawed(&gates, NonIdeal { read_out_error, ..none }), 1, "");
    }
    for (samples, name, page) in [
        (1, "gates, S = 1", "0.449"),
        (4, "gates, S = 4", "0.878"),
        (16, "gates, S = 16", "0.973"),
        (64, "gates, S = 64", "0.9936"),
        (256, "gates, S = 256", "0.9984"),
    ] {
        add(name, Chip { feed_forward: Reads::Times(samples), ..Chip::new(0) }, 2, page);
    }
    for (t, name) in [(0.01, "norms at T = 0.01"), (0.1, "norms at T = 0.1"), (0.5, "norms at T = 0.5")] {
        add(name, Chip { norm_temperature: Some(t), ..Chip::new(0) }, 1, "");
    }
    let all =
        NonIdeal { field_bits: Some(4), coupling_bits: Some(6), field_noise: 0.25, beta_error: 0.05, ..none };
    add("4-bit fields, 6-bit K, 0.25 kT, 5 % β", flawed(&attention, all), 4, "");
    add("S = 256, nothing wrong", sampled(256), 4, "0.9983");
    lines
}
