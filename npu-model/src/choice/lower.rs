//! From a workload and a choice to counted events.

use super::{Choice, Construction, Layout, Lowered, Rows, Target, Write};
use crate::bill::Extent;
use crate::device::{Device, Keys, Storage};
use crate::error::Error;
use crate::ledger::{Event, Ledger};
use crate::workload::{AttentionWork, Inference, Phase};

/// Sweeps before the first sample where samples are correlated, in units of the relaxation time: the bias is then e^(−5) of the start.
const BURN_IN: f64 = 5.0;
/// Queries that share one pass over streamed keys and values.
const TILE: f64 = 128.0;

/// What sampling a row takes.
struct Sampling {
    samples: f64,
    sweeps: f64,
    kappa: f64,
    spins: f64,
    error: f64,
}

fn refuse(reason: String) -> Error {
    Error::Workload { reason }
}

/// The events of a whole transformer on a device.
///
/// # Errors
/// [`Error::Workload`] if the choice is none for the device or cannot reach the error; [`Error::TooManyEvents`] if the error asks for
/// more samples than can be counted.
pub fn lower(
    inference: &Inference,
    rows: &Rows,
    target: Target,
    device: &Device,
    choice: Choice,
) -> Result<Lowered, Error> {
    let attention = inference.attention();
    let mut ledger = Ledger::default();
    let bits = f64::from(choice.bits);
    let weights = inference.weight_numbers();
    let table = inference.transformer.vocabulary as f64 * inference.transformer.hidden as f64;
    let cache = inference.kv_numbers().max(inference.kv_written());
    let held = match choice.storage {
        Storage::Resident => weights + if inference.transformer.tied { 0.0 } else { table } + cache,
        Storage::Streamed => 0.0,
    };
    let needed = match (&device.design.numbers, choice.storage) {
        (Some(numbers), Storage::Resident) => (held / numbers.value as f64).ceil().max(1.0),
        _ => 1.0,
    };
    let chips = needed.max(choice.chips as f64);

    ledger.add(Event::WeightMacs, inference.weight_macs());
    ledger.add(Event::PointwiseOps, inference.pointwise_operations());
    if device.keys == Keys::InArray {
        // Vectors drive the rows of an array, and its columns are read.
        let driven: f64 = inference.products().map(|p| p.times as f64 * p.rows as f64 * p.inner as f64).sum();
        let read: f64 = inference.products().map(|p| p.times as f64 * p.rows as f64 * p.outer as f64).sum();
        ledger.add(Event::DacConversions, driven);
        ledger.add(Event::AdcConversions, read);
    }
    let sampling = sampled(&attention, rows, target, device, &choice)?;
    enter_attention(&mut ledger, &attention, device, &choice, &sampling, inference.kv_written())?;
    if choice.storage == Storage::Streamed {
        let passes = (attention.shape.n_queries as f64 / TILE).ceil();
        let kv = inference.kv_numbers() * passes + inference.kv_written();
        ledger.add(Event::MemoryBits, bits * (weights + kv));
    }
    ledger.add(Event::LinkBits, bits * link_numbers(inference, chips));

    // Tokens that can be in different layers at the same time keep different chips busy.
    let stages = chips.min(inference.transformer.layers as f64);
    let flying = match inference.task.phase {
        Phase::Prefill => inference.tokens(),
        Phase::Decode => inference.task.batch as f64,
    };
    let busy = (flying / stages).min(1.0);
    let (utilisation, spins) = utilisation(device, &choice, &sampling, attention.outputs(), chips)?;
    let busy = if choice.construction == Construction::Exact { busy } else { busy * utilisation };
    Ok(Lowered {
        choice,
        ledger,
        samples: (choice.construction != Construction::Exact).then_some(sampling.samples),
        error: sampling.error,
        sweeps: sampling.sweeps,
        kappa: sampling.kappa,
        extent: Extent { chips, busy },
        held,
        spins,
    })
}

/// Numbers over links: activations in and out, from chip to chip along the layers, and twice a layer where a layer is split.
fn link_numbers(inference: &Inference, chips: f64) -> f64 {
    let (layers, width) = (inference.transformer.layers as f64, inference.transformer.hidden as f64);
    let along = chips.min(layers) - 1.0;
    let split = (chips / layers).max(1.0) - 1.0;
    inference.tokens() * width * (2.0 + along + 2.0 * layers * split)
}

/// Samples, sweeps and error of a row.
fn sampled(
    a: &AttentionWork,
    rows: &Rows,
    target: Target,
    device: &Device,
    choice: &Choice,
) -> Result<Sampling, Error> {
    let n = a.shape.n_keys as f64;
    let none =
        Sampling { samples: 0.0, sweeps: 0.0, kappa: 1.0, spins: 0.0, error: rows.rounding(choice.bits) };
    if choice.construction == Construction::Exact {
        return match target {
            Target::OutputError(e) if none.error > e => Err(refuse(format!(
                "{}: {} bits alone make an output error of {:.2} %, more than {:.2} %",
                device.id,
                choice.bits,
                100.0 * none.error,
                100.0 * e
            ))),
            _ => Ok(none),
        };
    }
    let delta = rows.field_error(choice.bits);
    let samples = match target {
        Target::Samples(s) => s as f64,
        Target::OutputError(e) if e <= delta => {
            return Err(refuse(format!(
                "{}: fields of {} bits alone make an output error of {:.2} %, more than {:.2} %",
                device.id,
                choice.bits,
                100.0 * delta,
                100.0 * e
            )));
        }
        Target::OutputError(e) => (rows.variance / ((e - delta) * (e + delta))).ceil().max(1.0),
    };
    if samples > 9.0e15 {
        return Err(Error::TooManyEvents { event: "read_outs", samples: samples as u64 });
    }
    let degree = device.design.degree.as_ref().map_or(0.0, |d| d.value as f64);
    let (sweeps, kappa, spins) = match choice.construction {
        Construction::OneHot if choice.layout == Layout::Uncoupled => (samples * rows.one_hot_sweeps, 1.0, n),
        Construction::OneHot => {
            let needed = choice.layout.bonds(n);
            // A file without a degree says nothing of its bonds.
            let free = device.design.degree.is_none() && choice.layout == Layout::Crossbar;
            if degree < needed && !free {
                return Err(refuse(format!(
                    "{}: {} takes {needed} bonds at a site, and its file states {degree}",
                    device.id,
                    choice.layout.name()
                )));
            }
            // The rest of the time no single bit is up.
            let leak = (2f64.sqrt() * libm::exp(-choice.penalty)).min(0.9);
            let tau = 0.7 / leak;
            let kappa = choice.layout.kappa(n, degree);
            (BURN_IN * tau + samples * (2.0 * tau).max(1.0) / (1.0 - leak), kappa, n * kappa)
        }
        Construction::DomainWall => {
            let relaxation = 4.0 / std::f64::consts::PI.powi(2) * n * n * libm::exp(rows.sigma * rows.sigma);
            (relaxation * (BURN_IN + 2.0 * samples), 1.0, (n - 1.0).max(1.0))
        }
        _ => (samples, 1.0, n),
    };
    Ok(Sampling { samples, sweeps, kappa, spins, error: (rows.variance / samples + delta * delta).sqrt() })
}

/// The events of attention.
fn enter_attention(
    ledger: &mut Ledger,
    a: &AttentionWork,
    device: &Device,
    choice: &Choice,
    s: &Sampling,
    kv_written: f64,
) -> Result<(), Error> {
    let (pairs, d, n) = (a.pairs(), a.shape.d_head as f64, a.shape.n_keys as f64);
    let in_array = device.keys == Keys::InArray;
    if (choice.write == Write::Resident) != in_array {
        let reason = match in_array {
            true => "holds K in its array, so that nothing writes logits into it",
            false => "makes its fields beside the spins, so that K is not resident in it",
        };
        return Err(refuse(format!("{}: it {reason}", device.id)));
    }
    if in_array {
        // A token pays for its own numbers, once; a device that samples leaves V in a memory beside it.
        ledger.add(
            Event::CouplingWrites,
            kv_written * if choice.construction == Construction::Exact { 1.0 } else { 0.5 },
        );
        ledger.add(Event::DacConversions, a.outputs() * d);
    }
    if choice.construction == Construction::Exact {
        ledger.add(Event::FieldMacs, a.field_macs());
        ledger.add(Event::ValueMacs, a.value_macs());
        ledger.add(Event::Exponentials, pairs);
        if in_array {
            ledger.add(Event::AdcConversions, pairs + a.outputs() * d);
            ledger.add(Event::DacConversions, pairs);
        }
        return Ok(());
    }
    let spins = pairs * s.kappa;
    match choice.construction {
        Construction::Bipartite => {
            if !in_array {
                return Err(refuse(format!("{}: a bipartite row needs K as couplings", device.id)));
            }
            // Every sweep makes the products to the keys and back again.
            ledger.add(Event::FieldMacs, 2.0 * pairs * d * s.sweeps);
        }
        _ => ledger.add(Event::FieldMacs, a.field_macs()),
    }
    match choice.write {
        Write::Resident => ledger.add(Event::Comparisons, pairs),
        Write::Bias => ledger.add(Event::FieldWrites, spins),
        Write::Clamp => ledger.add(Event::DacConversions, spins),
    }
    if choice.layout != Layout::Uncoupled {
        // The penalty is static: written once for every spin that is there.
        ledger.add(Event::CouplingWrites, s.spins * (n - 1.0) / 2.0);
        let degree = device.design.degree.as_ref().map_or(n - 1.0, |d| d.value as f64).min(n - 1.0);
        ledger.add(Event::CouplerReads, spins * s.sweeps * degree);
    }
    ledger.add(Event::Attempts, spins * s.sweeps);
    ledger.add(Event::Flips, spins * s.sweeps / n.max(2.0));
    ledger.add(Event::RandomBits, spins * s.sweeps * 32.0);
    let one_winner = matches!(choice.construction, Construction::Native | Construction::Bipartite);
    // A winner is an address; bits all have to leave before it is known whether exactly one is up.
    let reads = if one_winner {
        a.outputs() * s.samples * n.log2().ceil().max(1.0)
    } else {
        spins * reads_of(choice, s)
    };
    ledger.add(Event::ReadOuts, reads);
    // Winners are counted, so that a value row is added at most once; of gates about half are open.
    let adds = match choice.construction {
        Construction::Gated => n / 2.0 * s.samples.min(2.0),
        _ => s.samples.min(n),
    };
    ledger.add(Event::DecoderAdds, a.outputs() * adds * a.shape.d_value as f64);
    Ok(())
}

/// Read-outs of a row: after every sweep where bits are uncoupled, otherwise one for every sample.
fn reads_of(choice: &Choice, s: &Sampling) -> f64 {
    match choice.layout {
        Layout::Uncoupled if choice.construction == Construction::OneHot => s.sweeps,
        _ => s.samples,
    }
}

/// Share of the spins that rows can use, and the spins there are.
fn utilisation(
    device: &Device,
    choice: &Choice,
    s: &Sampling,
    outputs: f64,
    chips: f64,
) -> Result<(f64, f64), Error> {
    let Some(spins) = device.design.spins.as_ref().map(|s| s.value as f64) else { return Ok((1.0, s.spins)) };
    if choice.construction == Construction::Exact {
        return Ok((1.0, spins * chips));
    }
    let fit = (spins * chips / s.spins).floor();
    if fit < 1.0 {
        // Bits that do not couple take turns; coupled ones cannot.
        return match choice.layout == Layout::Uncoupled && choice.construction != Construction::DomainWall {
            true => Ok((1.0, spins * chips)),
            false => Err(refuse(format!(
                "{}: a row takes {:.0} spins, and {chips:.0} chips have {:.0}",
                device.id,
                s.spins,
                spins * chips
            ))),
        };
    }
    let together = fit.min(choice.side_by_side as f64 * chips).min(outputs);
    Ok((together * s.spins / (spins * chips), spins * chips))
}
