//! What `ceas compare` shows: the table, the JSON document, the sentences.

#[cfg(feature = "hdf5")]
pub mod archive;
pub mod figure;

use ceas_npu::mapping::attention::Quantiles;
use ceas_npu::npu_model::comparison::{
    BreakEven, Comparison, DeviceBreakEven, EXCLUDED, HeadRun, Row, Target,
};
use ceas_npu::npu_model::device::{CONTROL, Kind};
use ceas_npu::npu_model::units::Quantity;
use ceas_npu::npu_model::workload::Workload;
use ceas_npu::sim::statistics::Estimate;
use serde::Serialize;

use self::figure::Picture;
use super::drawing::Drawing;
use crate::report::number::{area, brief, list, narrow, percent, short, shown, times, wrapped};
use crate::report::present::Answer;
use crate::report::table::{si, table, with_error};

/// What was priced.
#[derive(Debug, Clone, Serialize)]
pub struct WorkloadReport {
    /// What it is.
    pub name: String,
    /// What a reader has to know of it.
    pub note: Option<String>,
    /// Layers, one after the other.
    pub layers: u64,
    /// Heads per layer.
    pub heads: u64,
    /// Queries per head.
    pub n_queries: u64,
    /// Keys per head.
    pub n_keys: u64,
    /// Dimension of queries and keys.
    pub d_head: u64,
    /// Dimension of values.
    pub d_value: u64,
    /// Whether later keys are hidden.
    pub causal: bool,
    /// Visible query–key pairs of all heads.
    pub pairs: u64,
    /// Floating-point operations of exact attention, masked pairs left out.
    pub flops: u64,
    /// What is held.
    pub held: Target,
    /// V/|o|² over the heads.
    pub variance: Quantiles,
    /// Sweeps of a one-hot cluster for one independent sample: mean over the heads that were run so, with its standard error.
    pub one_hot_sweeps: Option<Estimate>,
}

impl WorkloadReport {
    /// What was priced, and what was measured of its heads.
    pub fn new(name: String, note: Option<String>, work: &Workload, heads: &[HeadRun], held: Target) -> Self {
        let one_hot: Vec<_> = heads.iter().filter_map(|h| h.one_hot.as_ref()).collect();
        let count = one_hot.len() as f64;
        // 1/η, not η: it is a mean of 1/a over the rows, each without bias.
        let one_hot_sweeps = (!one_hot.is_empty()).then(|| Estimate {
            mean: one_hot.iter().map(|s| 1.0 / s.efficiency).sum::<f64>() / count,
            error: one_hot
                .iter()
                .map(|s| (s.efficiency_error / s.efficiency.powi(2)).powi(2))
                .sum::<f64>()
                .sqrt()
                / count,
        });
        Self {
            name,
            note,
            layers: work.layers,
            heads: work.heads,
            n_queries: work.shape.n_queries,
            n_keys: work.shape.n_keys,
            d_head: work.shape.d_head,
            d_value: work.shape.d_value,
            causal: work.shape.causal,
            pairs: work.pairs(),
            flops: work.flops(),
            held,
            variance: Quantiles::of(heads.iter().map(|h| h.variance)),
            one_hot_sweeps,
        }
    }
}

/// The result of `ceas compare`.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    command: &'static str,
    pub(super) workload: WorkloadReport,
    pub(super) rows: Vec<Row>,
    pub(super) break_even: BreakEven,
    pub(super) held_equal: String,
    pub(super) draws: usize,
    pub(super) findings: Vec<String>,
    pub(super) excluded: [&'static str; EXCLUDED.len()],
    #[serde(rename = "figure", skip_serializing_if = "Drawing::is_plain")]
    drawing: Drawing,
}

impl Report {
    /// The report of a comparison.
    pub fn new(workload: WorkloadReport, comparison: Comparison, draws: usize, drawing: Drawing) -> Self {
        let held_equal = match workload.held {
            Target::OutputError(error) => format!(
                "the relative output error: every head is sampled until √(V/S_eff)/|o| and the width of the fields give {} %",
                100.0 * error
            ),
            Target::Samples(samples) => {
                format!("{samples} read-outs per query; output errors differ and are in the table")
            }
        };
        let findings = findings(&comparison, workload.held);
        Self {
            command: "compare",
            workload,
            rows: comparison.rows,
            break_even: comparison.break_even,
            held_equal,
            draws,
            findings,
            excluded: EXCLUDED,
            drawing,
        }
    }
}

impl Answer for Report {
    type Picture = Picture;

    fn title(&self) -> String {
        let held = match self.workload.held {
            Target::OutputError(_) => "equal output error".to_owned(),
            Target::Samples(samples) => format!("{samples} read-outs per query, output errors differ"),
        };
        format!("Energy and time of {} at {held}", self.workload.name)
    }

    fn text(&self) -> String {
        let mut text = self.result();
        // The first note of a row says what kind of evidence it is; what flatters a device is never cut.
        let mut notes = Vec::new();
        for row in &self.rows {
            let told = |(at, note): &(usize, &String)| *at == 0 || note.contains("favours this device");
            let shown = row.notes.iter().enumerate().filter(told);
            notes.extend(shown.map(|(_, note)| format!("{}: {note}", row.name)));
        }
        list(&mut text, "\nNotes", &notes);
        list(&mut text, "\nNot in these numbers", &[self.omissions()]);
        text += "\nAll notes and omissions in full: --json, --out or --report.\n";
        text
    }

    fn full_text(&self) -> String {
        let mut text = self.result();
        let mut notes = Vec::new();
        for row in &self.rows {
            for note in &row.notes {
                if !notes.iter().any(|line: &String| line.ends_with(&format!(": {note}"))) {
                    notes.push(format!("{}: {note}", row.name));
                }
            }
        }
        list(&mut text, "\nNotes", &notes);
        list(&mut text, "\nNot in these numbers", &self.excluded.map(str::to_owned));
        text
    }

    fn picture(&self) -> Picture {
        Picture::new(self.title(), &self.rows, self.drawing.clone())
    }
}

impl Report {
    /// Tables, what comes out, and what is held equal.
    fn result(&self) -> String {
        let mut text = self.head();
        text += &format!("{}\n\n", self.table());
        text += &format!("{}\n\n", self.level());
        text += &wrapped(
            "level at: the price of an attempt, or the read-outs, at which a device draws level with the GPU; mm²: of the K and V held and \
             the spins, or of whole chips; ? where its file knows no area",
        );
        text.push('\n');
        if self.rows.iter().any(|row| row.stands_in) {
            text += "* the device has binary spins, but its rows could not be run as such: native sampling stands in\n\n";
        }
        list(&mut text, "What comes out", &self.findings);
        list(&mut text, "\nHeld equal", std::slice::from_ref(&self.held_equal));
        text
    }

    /// What is left out, by the first words of each omission, and whom the omissions favour.
    fn omissions(&self) -> String {
        let heads = self.excluded.map(|line| line.split([',', ':', '(', ';']).next().unwrap_or(line).trim());
        let count = |side: &str| self.excluded.iter().filter(|line| line.contains(side)).count();
        format!(
            "{}. Of these {}, {} flatter the devices and {} work against them",
            heads.join("; "),
            heads.len(),
            count("(favours "),
            count("(against ")
        )
    }

    /// What was priced, in two or three lines.
    fn head(&self) -> String {
        let w = &self.workload;
        let kind = if w.causal { "causal" } else { "full" };
        let mut text = wrapped(&format!(
            "{}: {} × {} heads, n = {}, d = {}, {kind}, {:.4e} query–key pairs; V/|o|² median {:.2}, largest {:.2}",
            w.name, w.layers, w.heads, w.n_keys, w.d_head, w.pairs as f64, w.variance.median, w.variance.max
        ));
        if let Some(sweeps) = w.one_hot_sweeps {
            text += &wrapped(&format!(
                "on binary spins: uncoupled bits, read until exactly one is up; {} sweeps for a valid sample (measured)",
                with_error(sweeps.mean, sweeps.error)
            ));
        }
        if let Some(note) = &w.note {
            text += &wrapped(note);
        }
        text + "\n"
    }

    fn table(&self) -> String {
        let heads =
            ["", "time (5–95 %)", "energy (5–95 %)", "mm² (low–high)", "error %", "grade", "bound by"];
        let mut rows = table(&heads, 1);
        for row in &self.rows {
            let bound = match row.binds {
                _ if row.unreachable.is_some() => "CANNOT".into(),
                "coupling_writes" => "K writes".into(),
                stage => stage.replace('_', " "),
            };
            let mc = row.monte_carlo.as_ref();
            rows.add_row(vec![
                row.name.clone(),
                shown(row.time_s.map(|t| t.mid.si()), "s", mc.map(|m| (m.time_s.p05, m.time_s.p95))),
                shown(
                    row.energy_j.map(|e| e.mid.si()),
                    "J",
                    mc.and_then(|m| m.energy_j).map(|e| (e.p05, e.p95)),
                ),
                area(row.area_mm2),
                format!("{:.2}", 100.0 * row.output_error),
                row.evidence.name().into(),
                bound,
            ]);
        }
        narrow(rows)
    }

    /// Break-even against the GPU.
    fn level(&self) -> String {
        let heads = [
            "",
            "row as",
            "S",
            "per pair",
            "gain (5–95 %)",
            "beats GPU",
            "control",
            "level at e*",
            "level at S",
        ];
        let mut rows = table(&heads, 2);
        let number = |x: Option<f64>| match x {
            None => "–".to_owned(),
            Some(x) if x < 0.0 => "never".into(),
            Some(x) => short(x),
        };
        for d in &self.break_even.devices {
            let price = match d.attempt_price_level_j {
                None => "–".into(),
                Some(p) if p.si() < 0.0 => "never".into(),
                Some(p) if p.si().is_infinite() => "∞".into(),
                Some(p) => si(p.si(), "J"),
            };
            let row = self.rows.iter().find(|row| row.name == d.name);
            let mc = row.and_then(|row| row.monte_carlo.as_ref());
            let range = mc.and_then(|m| m.gain).map(|g| format!(" ({}–{})", brief(g.p05), brief(g.p95)));
            let gain = times(d.gain[1]) + &range.unwrap_or_default();
            rows.add_row(vec![
                d.name.clone(),
                match row {
                    Some(row) if row.stands_in => "native*".into(),
                    row => row.map_or("–".into(), |row| row.encoding.name().into()),
                },
                row.and_then(|row| row.samples).map_or("–".into(), |s| short(s.mean)),
                si(d.pair_j.mid.si(), "J"),
                gain,
                percent(mc.and_then(|m| m.beats_gpu)),
                percent(mc.and_then(|m| m.beats_control).filter(|_| d.name != CONTROL)),
                price,
                number(d.samples_level),
            ]);
        }
        let gpu = self.break_even.gpu_pair_j;
        rows.add_row(vec![
            self.break_even.gpu.clone(),
            "exact".into(),
            "–".into(),
            si(gpu.mid.si(), "J"),
            "1×".into(),
        ]);
        narrow(rows)
    }
}

/// Plain sentences: what the numbers say, flattering or not.
fn findings(comparison: &Comparison, held: Target) -> Vec<String> {
    let mut found = Vec::new();
    if let Target::OutputError(target) = held
        && let Some(gpu) = comparison.rows.iter().find(|r| r.kind == Kind::Gpu && r.output_error > target)
    {
        found.push(format!(
            "{} itself has an output error of {:.2e} in half precision, more than {target:.2e}: nothing here is level with it.",
            gpu.name, gpu.output_error
        ));
    }
    for row in &comparison.rows {
        if let Some(reason) = &row.unreachable {
            found.push(format!("{} CANNOT do this: {reason}.", row.name));
        }
    }
    for entry in &comparison.break_even.devices {
        let row = comparison.rows.iter().find(|r| r.name == entry.name);
        if let Some(row) = row.filter(|r| r.unreachable.is_none()) {
            found.push(sentence(entry, row));
        }
    }
    let reached = |name: &str| comparison.rows.iter().any(|r| r.name == name && r.unreachable.is_none());
    let control = comparison.break_even.devices.iter().find(|d| d.name == CONTROL && reached(&d.name));
    if let Some(control) = control {
        let better = comparison
            .break_even
            .devices
            .iter()
            .filter(|d| d.name != CONTROL && d.gain_over_control[1] > 1.0);
        let better: Vec<&str> = better.map(|d| d.name.as_str()).collect();
        found.push(format!(
            "The control, without any thermal physics, gains {} over the GPU. {}",
            times(control.gain[1]),
            if better.is_empty() {
                "No device that samples gains more at the middle of its range.".to_owned()
            } else {
                format!(
                    "Only {} needs less energy than the control at the middle of its range.",
                    better.join(", ")
                )
            }
        ));
    }
    found
}

/// What one device comes out as.
fn sentence(entry: &DeviceBreakEven, row: &Row) -> String {
    let gain = entry.gain[1];
    let energy = match gain {
        g if g >= 1.0 => format!("{} less energy than the GPU", times(g)),
        g => format!("{} MORE energy than the GPU", times(1.0 / g)),
    };
    let drawn = row.monte_carlo.and_then(|m| m.beats_gpu);
    let drawn = drawn.map_or(String::new(), |share| format!("less in {} of draws; ", percent(Some(share))));
    let time = match entry.slowdown {
        s if s > 1e4 => format!("INFEASIBLE in time, {} slower than the GPU by itself", times(s)),
        s if s >= 1.0 => format!("{} slower than the GPU by itself", times(s)),
        s => format!("{} faster than the GPU by itself", times(1.0 / s)),
    };
    let top = row.breakdown.energy_j.iter().max_by(|a, b| a.1.mid.si().total_cmp(&b.1.mid.si()));
    let part = top.zip(row.energy_j).map_or(String::new(), |((name, part), all)| {
        format!("; {:.0} % of the energy is {name}", 100.0 * (part.mid / all.mid))
    });
    format!(
        "{}: {energy} ({drawn}grade of the ratio: {}), {time}, bound by {}{part}.",
        row.name,
        entry.evidence.name(),
        row.binds
    )
}
