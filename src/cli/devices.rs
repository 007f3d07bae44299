//! The verb `ceas devices`.

use std::path::PathBuf;

use anyhow::anyhow;
use ceas_npu::npu_model::component::{LIBRARY, NODES};
use ceas_npu::npu_model::device::{self, Device, LACKING, Part, Price, Rate, Reading, Readings};
use ceas_npu::npu_model::gpu;
use ceas_npu::npu_model::ledger::Event;
use ceas_npu::npu_model::provenance::{Fact, Known};
use ceas_npu::npu_model::units::Quantity;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::failure::{Blame, Failure};
use crate::report::number::{list, narrow, wrapped};
use crate::report::output::print;
use crate::report::table::{si, table};

/// Arguments of `ceas devices`.
///
/// Without a verb it lists: what is shipped, and which devices of the literature cannot be priced and why.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    /// Print one JSON document instead of a table
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Every shipped device, and every device of the literature that lacks numbers
    List,
    /// One device with every number, its range, grade and source
    Show {
        /// A shipped device, or a device file
        device: String,
    },
    /// Components that prices are composed of
    Components,
    /// Whether device files are right, and what attention on them would still lack
    Validate {
        /// Device files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (document, text) = match arguments.what.as_ref().unwrap_or(&What::List) {
        What::List => listed(),
        What::Components => components(),
        What::Show { device } => shown(&device::load(device).input()?),
        What::Validate { files } => validated(files)?,
    };
    match arguments.json {
        true => print(&(serde_json::to_string_pretty(&document).run()? + "\n")).run(),
        false => print(&text).run(),
    }
}

/// Events that attention on a device may cause and that its file does not price or time.
fn missing(device: &Device) -> Vec<&'static str> {
    let needed = match device.encoding {
        device::Encoding::Exact => vec![Event::FieldMacs, Event::ValueMacs, Event::Exponentials],
        _ => vec![
            Event::Attempts,
            Event::Flips,
            Event::RandomBits,
            Event::ReadOuts,
            Event::DecoderAdds,
            Event::FieldMacs,
        ],
    };
    let fields = match (device.encoding, device.keys) {
        (device::Encoding::Exact, device::Keys::Beside) => vec![],
        (_, device::Keys::InArray) => vec![Event::CouplingWrites, Event::DacConversions],
        (_, device::Keys::Beside) => vec![Event::FieldWrites],
    };
    let model = [Event::WeightMacs, Event::PointwiseOps, Event::LinkBits];
    let silent = |e: &Event| !(device.prices.contains_key(e) && device.rates.contains_key(e));
    needed.into_iter().chain(fields).chain(model).filter(silent).map(Event::name).collect()
}

fn attempt(device: &Device) -> Option<&Known<ceas_npu::npu_model::units::JoulesPerEvent>> {
    let events = [Event::Attempts, Event::CouplerReads, Event::FieldMacs];
    events.iter().find_map(|e| if let Some(Price::Stated(p)) = device.prices.get(e) { Some(p) } else { None })
}

fn listed() -> (Value, String) {
    let devices = device::shipped();
    let mut rows = table(
        &["device", "kind", "row as", "spins", "an update", "grade", "numbers read", "prices attention"],
        3,
    );
    for d in &devices {
        let lacks = missing(d);
        rows.add_row(vec![
            d.id.clone(),
            d.kind.name().into(),
            d.encoding.name().into(),
            d.design.spins.as_ref().map_or("–".into(), |s| s.value.to_string()),
            attempt(d).map_or("–".into(), |p| si(p.nominal().si(), "J")),
            attempt(d).map_or("–".into(), |p| p.evidence.name().into()),
            of_sources(d.read()),
            if lacks.is_empty() { "and whole models".into() } else { format!("lacks {}", lacks.len()) },
        ]);
    }
    let mut text = narrow(rows) + "\n";
    text += &wrapped(
        "an update: a spin, or a coupling or product where that is what is priced. Numbers read: in their source, of those that claim one; \
         assumptions of a scenario come apart. What a device lacks, and which numbers were not read: ceas devices show NAME",
    );
    let baselines = gpu::shipped();
    let mut machines = table(&["baseline", "numbers read", "curves read"], 1);
    for g in &baselines {
        machines.add_row(vec![g.id.clone(), of_sources(g.read()), of_sources(g.curves_read())]);
    }
    text += &format!("\nMachines beside them, with what was read of their files\n\n{}\n", narrow(machines));
    let lines: Vec<String> =
        LACKING.iter().map(|l| format!("{}: {}; not published: {}", l.id, l.name, l.missing)).collect();
    list(&mut text, "\nOf the literature, without enough numbers for a file", &lines);
    let lacking: Vec<Value> =
        LACKING.iter().map(|l| json!({"id": l.id, "name": l.name, "missing": l.missing})).collect();
    let shipped: Vec<Value> = devices
        .iter()
        .map(|d| {
            json!({"id": d.id, "name": d.name, "kind": d.kind, "encoding": d.encoding, "missing": missing(d), "sources": d.read()})
        })
        .collect();
    let machines: Vec<Value> = baselines
        .iter()
        .map(|g| json!({"id": g.id, "name": g.name, "sources": g.read(), "curves": g.curves_read()}))
        .collect();
    (json!({"command": "devices", "devices": shipped, "baselines": machines, "lacking": lacking}), text)
}

/// How many of the numbers that claim a source were read in it, and how many claim none.
fn of_sources(r: Readings) -> String {
    let claimed = r.read + r.quoted + r.not_read;
    match r.assumed {
        0 => format!("{} of {claimed}", r.read),
        assumed => format!("{} of {claimed} + {assumed}", r.read),
    }
}

fn number<Q: Quantity>(known: &Known<Q>) -> [String; 3] {
    let range = format!(
        "{} ({}–{})",
        si(known.range.mid.si(), Q::UNIT),
        si(known.range.low.si(), ""),
        si(known.range.high.si(), "")
    );
    [
        range.replace(" –", "–").replace(" )", ")"),
        format!("{}, {}", known.evidence.name(), known.provenance.name()),
        cited(&known.source, known.checked.as_deref(), &known.derived_from),
    ]
}

/// A fact of a design as a line: its value, what kind of statement it is, and where it stands.
fn fact<T: ToString>(fact: &Fact<T>) -> [String; 3] {
    [
        fact.value.to_string(),
        fact.provenance.name().to_owned(),
        cited(&fact.source, fact.checked.as_deref(), &fact.derived_from),
    ]
}

/// Where a number stands, what it comes from, and what was read.
fn cited(source: &str, checked: Option<&str>, derived_from: &[String]) -> String {
    let mut text = source.to_owned();
    if !derived_from.is_empty() {
        text += &format!("; from {}", derived_from.join(", "));
    }
    if let Some(checked) = checked {
        text += &format!("; checked {checked}");
    }
    text
}

fn shown(device: &Device) -> (Value, String) {
    let mut text = wrapped(&format!("{}: {}", device.id, device.name));
    let storage = device.storage.name();
    text += &wrapped(&format!(
        "{}, a row as {}, keys {}, stages {}; weights, K and V {storage}; based on {}",
        device.kind.name(),
        device.encoding.name(),
        if device.keys == device::Keys::InArray { "in the array" } else { "beside the spins" },
        if device.pipelined { "overlap" } else { "follow each other" },
        device.based_on
    ));
    let r = device.read();
    text += &wrapped(&format!(
        "{} of its {} numbers were read in their source, {} in what quotes it, {} not; {} are assumed",
        r.read,
        r.read + r.quoted + r.not_read + r.assumed,
        r.quoted,
        r.not_read,
        r.assumed
    ));
    let readings = device.readings();
    let mut lines: Vec<String> = Vec::new();
    let mut line = |key: String, [range, grade, source]: [String; 3]| {
        let reading = match readings.get(key.split(' ').next().unwrap_or(&key)) {
            None | Some(Reading::Assumed) => String::new(),
            Some(reading) => format!(", {}", reading.name()),
        };
        lines.push(wrapped(&format!("{key}: {range}; {grade}{reading}; {source}")));
    };
    let d = &device.design;
    for (key, f) in [("design.spins", &d.spins), ("design.degree", &d.degree), ("design.numbers", &d.numbers)]
    {
        f.iter().for_each(|f| line(key.into(), fact(f)));
    }
    for (key, f) in [("design.coupling_bits", &d.coupling_bits), ("design.field_bits", &d.field_bits)] {
        f.iter().for_each(|f| line(key.into(), fact(f)));
    }
    for (key, f) in [
        ("design.node_nm", &d.node_nm),
        ("design.temperature_k", &d.temperature_k),
        ("design.clock_hz", &d.clock_hz),
    ] {
        f.iter().for_each(|f| line(key.into(), fact(f)));
    }
    if let Some(cap) = &device.power_cap {
        line("power_cap_w".into(), number(cap));
    }
    for (what, power) in &device.idle {
        line(format!("idle_w.{}", &what.name()[5..]), number(power));
    }
    for (what, area) in &device.area {
        let [range, grade, source] = number(area);
        line(
            format!("area_m2.{}", what.name()),
            [range, grade, put_together(source, device.composed.areas.get(what))],
        );
    }
    for (event, price) in &device.prices {
        let key = format!("price_j.{}", event.name());
        match price {
            Price::Stated(price) => {
                let [range, grade, source] = number(price);
                line(key, [range, grade, put_together(source, device.composed.prices.get(event))]);
            }
            Price::IncludedIn { event, source } => {
                line(key, [format!("in {}", event.name()), "included".into(), source.clone()])
            }
        }
    }
    for (event, rate) in &device.rates {
        let key = format!("rate_hz.{}", event.name());
        match rate {
            Rate::Stated(rate) => {
                let [range, grade, source] = number(rate);
                line(key, [range, grade, put_together(source, device.composed.rates.get(event))]);
            }
            Rate::Frames(frames) => line(format!("{key} (frames)"), number(frames)),
            Rate::Within { event, source } => {
                line(key, [format!("within {}", event.name()), "no time of its own".into(), source.clone()])
            }
            Rate::PowerLimited { source } => {
                line(key, ["as power allows".into(), "limited by power".into(), source.clone()])
            }
        }
    }
    text += &lines.concat();
    let lacks = missing(device);
    if !lacks.is_empty() {
        text += &wrapped(&format!(
            "attention and whole models on it lack a price or rate of: {}",
            lacks.join(", ")
        ));
    }
    list(&mut text, "\nNotes", &device.notes);
    (json!({"command": "devices show", "device": device, "missing": lacks}), text)
}

/// A source with the parts that a number is composed of.
fn put_together(source: String, parts: Option<&Vec<Part>>) -> String {
    let parts = parts.into_iter().flatten().map(composed);
    std::iter::once(source).chain(parts).collect::<Vec<_>>().join("; ")
}

/// A part of a composed number, with what was published.
fn composed(part: &Part) -> String {
    let c = &part.published;
    let moved = part.node_nm != c.node_nm || part.bits != c.bits;
    let mut text = format!(
        "{} × {} at {} nm and {} bits, {}",
        part.count,
        c.id,
        part.node_nm,
        part.bits,
        si(part.each.value(), "J")
    );
    if part.copies != 1.0 {
        text += &format!(", {} copies", part.copies);
    }
    if let Some(rate) = part.rate {
        text += &format!(", {}", si(rate.value(), "/s"));
    }
    if let Some(area) = part.area {
        text += &format!(", {:.3} µm²", area.value() * 1e12);
    }
    if part.thermal {
        text += " by thermal noise";
    }
    if moved {
        text +=
            &format!(" (published: {} at {} nm and {} bits)", si(c.energy.value(), "J"), c.node_nm, c.bits);
    }
    text
}

fn components() -> (Value, String) {
    let mut rows = table(&["component", "does", "published", "µm²", "a second", "nm", "bits", "grade"], 2);
    for c in LIBRARY {
        rows.add_row(vec![
            c.id.to_owned(),
            c.kind.name().to_owned(),
            si(c.energy.value(), "J"),
            c.area.map_or("–".into(), |a| format!("{:.3}", a.value() * 1e12)),
            c.rate.map_or("–".into(), |r| si(r.value(), "")),
            c.node_nm.to_string(),
            c.bits.to_string(),
            format!(
                "{}, {}{}",
                c.evidence.name(),
                c.provenance.name(),
                if c.checked.is_some() { ", read" } else { ", not read" }
            ),
        ]);
    }
    let mut text = narrow(rows) + "\n";
    text += &wrapped(&format!(
        "scaled to {} to {} nm; energies of logic and memory on a chip fall with length and with the square of the supply, those of links and \
         of memory off the chip do not; rates grow as lengths shrink, areas with their square; what is moved is projected",
        NODES.0, NODES.1
    ));
    let sources: Vec<String> = LIBRARY
        .iter()
        .map(|c| match c.checked {
            Some(checked) => format!("{}: {}; checked {checked}", c.id, c.source),
            None => format!("{}: {}; not read", c.id, c.source),
        })
        .collect();
    list(&mut text, "\nSources", &sources);
    (json!({"command": "devices components", "components": LIBRARY.to_vec()}), text)
}

fn validated(files: &[PathBuf]) -> Result<(Value, String), Failure> {
    let mut text = String::new();
    let mut found = Vec::new();
    for file in files {
        let name =
            file.to_str().ok_or_else(|| anyhow!("{}: the name is not Unicode", file.display())).input()?;
        if !name.to_lowercase().ends_with(".toml") {
            return Err(anyhow!("{name}: the name of a device file ends in .toml")).input();
        }
        let device = device::load(name).input()?;
        let lacks = missing(&device);
        text += &match lacks.is_empty() {
            true => format!("{name}: {} is right, and prices attention and whole models\n", device.id),
            false => wrapped(&format!(
                "{name}: {} is right; to price whole models it lacks {}",
                device.id,
                lacks.join(", ")
            )),
        };
        for (key, parts) in device.composed.entries() {
            let parts = parts.iter().map(composed).collect::<Vec<_>>().join("; ");
            text += &wrapped(&format!("{key} is composed of {parts}"));
        }
        found.push(json!({"file": name, "id": device.id, "missing": lacks, "composed": device.composed}));
    }
    Ok((json!({"command": "devices validate", "files": found}), text))
}
