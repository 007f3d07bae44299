//! What `ceas compare --model` shows: the table, the JSON document, the sentences.

#[cfg(feature = "hdf5")]
pub mod archive;
pub mod figure;
pub(super) mod map;
pub(super) mod pareto;

use ceas_npu::npu_model::choice::{Best, Construction};
use ceas_npu::npu_model::comparison::{
    EXCLUDED_OF_MODELS, InferenceComparison, InferenceQuestion, InferenceRow, Level, Target,
};
use ceas_npu::npu_model::device::{CONTROL, Kind};
use ceas_npu::npu_model::workload::{Phase, Task, Transformer};
use serde::Serialize;

use self::figure::Picture;
use super::drawing::Drawing;
use crate::report::number::{area, list, narrow, percent, short, shown, times, wrapped};
use crate::report::present::Answer;
use crate::report::table::{si, table};

/// What was priced.
#[derive(Debug, Clone, Serialize)]
pub struct ModelReport {
    transformer: Transformer,
    task: Task,
    weights: f64,
    flops: f64,
    weight_macs: f64,
    attention_macs: f64,
    kv_numbers: f64,
    attention_outputs: f64,
    tokens: f64,
    held: Target,
    assumed: String,
}

/// Where one device draws level.
#[derive(Debug, Clone, Serialize)]
struct LevelOf {
    name: String,
    #[serde(flatten)]
    level: Level,
}

#[derive(Debug, Clone, Serialize)]
struct BreakEven {
    gpu: String,
    devices: Vec<LevelOf>,
}

/// The result of `ceas compare --model`.
#[derive(Debug, Clone, Serialize)]
pub struct InferenceReport {
    command: &'static str,
    pub(super) workload: ModelReport,
    pub(super) rows: Vec<InferenceRow>,
    pub(super) draws: usize,
    break_even: BreakEven,
    pub(super) findings: Vec<String>,
    pub(super) excluded: [&'static str; EXCLUDED_OF_MODELS.len()],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    search: Vec<(String, Result<Best, String>)>,
    /// Seconds that the search took: told, not part of the document.
    #[serde(skip)]
    seconds: f64,
    #[serde(skip_serializing_if = "Drawing::is_plain")]
    figure: Drawing,
}

impl InferenceReport {
    /// The report of a comparison.
    pub fn new(
        question: InferenceQuestion,
        comparison: InferenceComparison,
        assumed: String,
        figure: Drawing,
        search: Searched,
    ) -> Self {
        let work = &question.inference;
        let attention = work.attention();
        let workload = ModelReport {
            weights: work.transformer.weights() as f64,
            flops: work.flops(),
            weight_macs: work.weight_macs(),
            attention_macs: attention.field_macs() + attention.value_macs(),
            kv_numbers: work.kv_numbers(),
            attention_outputs: attention.outputs(),
            tokens: work.tokens(),
            held: question.target,
            assumed,
            task: work.task,
            transformer: work.transformer.clone(),
        };
        let levels = comparison.rows.iter().filter(|r| r.mapping.is_some());
        let devices = levels.map(|r| LevelOf { name: r.name.clone(), level: r.level }).collect();
        let findings = findings(&workload, &comparison);
        Self {
            command: "compare",
            workload,
            draws: question.draws,
            findings,
            break_even: BreakEven { gpu: comparison.gpu, devices },
            rows: comparison.rows,
            excluded: EXCLUDED_OF_MODELS,
            search: search.found,
            seconds: search.seconds,
            figure,
        }
    }

    fn unit(&self) -> &'static str {
        match self.workload.task.phase {
            Phase::Prefill => "prompt token",
            Phase::Decode => "new token",
        }
    }

    fn head(&self) -> String {
        let w = &self.workload;
        let t = &w.transformer;
        let mut text = wrapped(&format!(
            "{}: {} layers, {} heads on {} of K and V, d = {}, {:.2}e9 weights; {} of {} at n = {}",
            t.family,
            t.layers,
            t.heads,
            t.kv_heads,
            t.d_head,
            w.weights / 1e9,
            w.task.phase.name(),
            if w.task.batch == 1 { "one sequence".to_owned() } else { format!("{} sequences", w.task.batch) },
            w.task.context
        ));
        text += &wrapped(&format!(
            "question: joules and seconds for a {} and for an attention output at {}; {:.2e} multiply-accumulates with weights, {:.2e} in attention",
            self.unit(),
            held(w.held),
            w.weight_macs,
            w.attention_macs
        ));
        text += &wrapped(&w.assumed);
        text + "\n"
    }

    fn table(&self) -> String {
        let heads = ["", "time (5–95 %)", "for a token (5–95 %)", "gain", "error %", "grade", "bound by"];
        let mut rows = table(&heads, 1);
        let tokens = self.workload.tokens;
        for row in &self.rows {
            let mc = row.monte_carlo.as_ref();
            let possible = row.unreachable.is_none();
            rows.add_row(vec![
                row.name.clone(),
                shown(
                    row.time_s.map(|t| t.mid.value()).filter(|_| possible),
                    "s",
                    mc.map(|m| (m.time_s.p05, m.time_s.p95)),
                ),
                shown(
                    row.energy_j.map(|e| e.mid.value() / tokens).filter(|_| possible),
                    "J",
                    mc.and_then(|m| m.energy_j).map(|e| (e.p05 / tokens, e.p95 / tokens)),
                ),
                self.gain(row).map_or("–".into(), times),
                if row.output_error.is_finite() {
                    format!("{:.2}", 100.0 * row.output_error)
                } else {
                    "–".into()
                },
                row.evidence.name().into(),
                if possible { row.binds.replace('_', " ") } else { "CANNOT".into() },
            ]);
        }
        narrow(rows)
    }

    /// Joules of the bar over joules of a row, at the middle of the ranges.
    fn gain(&self, row: &InferenceRow) -> Option<f64> {
        let bar = self.rows.iter().find(|r| r.name == self.break_even.gpu)?.energy_j?;
        let energy = row.energy_j.filter(|_| row.unreachable.is_none())?;
        Some(bar.mid.value() / energy.mid.value())
    }

    fn level(&self) -> String {
        let mut rows = table(
            &[
                "",
                "done as",
                "S",
                "mm² (low–high)",
                "beats GPU",
                "control",
                "e* attempt",
                "e* write",
                "S*",
                "n*",
            ],
            2,
        );
        let price = |x: Option<f64>| match x {
            None => "–".to_owned(),
            Some(x) if x < 0.0 => "never".into(),
            Some(x) => si(x, "J"),
        };
        for row in self.rows.iter().filter(|r| r.mapping.is_some() && r.unreachable.is_none()) {
            let mc = row.monte_carlo.as_ref();
            rows.add_row(vec![
                row.name.clone(),
                row.manner(),
                row.mapping.as_ref().and_then(|m| m.samples).map_or("–".into(), short),
                area(row.area_mm2),
                percent(mc.and_then(|m| m.beats_gpu)),
                percent(mc.and_then(|m| m.beats_control).filter(|_| row.name != CONTROL)),
                price(row.level.attempt_price_j),
                price(row.level.write_price_j),
                row.level.samples.map_or("–".into(), short),
                row.level.context.map_or("–".into(), short),
            ]);
        }
        narrow(rows)
    }

    fn result(&self) -> String {
        let mut text = self.head();
        text += &format!("{}\n\n{}\n\n", self.table(), self.level());
        text += &wrapped(
            "e*, S*, n*: price, samples of a row and context at which a device draws level with the GPU; mm²: of the numbers held and the \
             spins, or of whole chips; ? where its file knows no area",
        );
        text.push('\n');
        list(&mut text, "What comes out", &self.findings);
        if !self.search.is_empty() {
            let mut lines: Vec<String> =
                self.search.iter().map(|(name, best)| searched(name, best)).collect();
            let sum = |of: fn(&Best) -> u64| -> u64 {
                self.search.iter().filter_map(|(_, best)| best.as_ref().ok()).map(of).sum()
            };
            let (looked, priced) = (sum(|b| b.candidates), sum(|b| b.priced));
            lines.push(format!(
                "looked at {looked} mappings in all; {priced} were priced one by one in {:.2} s, {:.1e} a second",
                self.seconds,
                priced as f64 / self.seconds.max(1e-9)
            ));
            list(&mut text, "\nBest mappings", &lines);
        }
        text
    }
}

/// What a search found on every device, and how long it took.
#[derive(Debug, Clone, Default)]
pub struct Searched {
    /// The best mapping of each device, or why there is none.
    pub found: Vec<(String, Result<Best, String>)>,
    /// Seconds.
    pub seconds: f64,
}

/// One line of a search.
fn searched(name: &str, best: &Result<Best, String>) -> String {
    let best = match best {
        Err(reason) => return format!("{name}: {reason}"),
        Ok(best) => best,
    };
    let c = &best.lowered.choice;
    let mut manner = vec![c.storage.name()];
    if c.construction != Construction::Exact {
        manner.push(c.write.name());
        manner.push(c.layout.name());
    }
    let own = best.least.get(c.construction.name()).copied().unwrap_or(f64::NAN);
    let others = best.least.iter().filter(|(other, _)| **other != c.construction.name());
    let others: Vec<String> =
        others.map(|(other, least)| format!("{other} {}", times(least / own))).collect();
    let mut text = format!(
        "{name}: {} ({}), {} chips: {}, {}; bound by {}; {} of {} mappings priced",
        c.construction.name(),
        manner.join(", "),
        best.lowered.extent.chips,
        si(best.energy_j, "J"),
        si(best.time_s, "s"),
        best.binds.replace('_', " "),
        best.priced,
        best.candidates
    );
    if !others.is_empty() {
        text += &format!("; beside it at best: {}", others.join(", "));
    }
    if c.construction == Construction::Gated || best.least.contains_key(Construction::Gated.name()) {
        text += "; gates are not softmax";
    }
    text
}

fn held(target: Target) -> String {
    match target {
        Target::OutputError(e) => format!("an error of {} %", 100.0 * e),
        Target::Samples(s) => format!("{s} samples of a row"),
    }
}

impl Answer for InferenceReport {
    type Picture = Picture;

    fn title(&self) -> String {
        let w = &self.workload;
        format!(
            "{} of {} ({:.3}e9 weights), n = {}, batch {}, {}",
            w.task.phase.name(),
            w.transformer.family,
            w.weights / 1e9,
            w.task.context,
            w.task.batch,
            held(w.held)
        )
    }

    fn text(&self) -> String {
        let mut text = self.result();
        let first = |row: &InferenceRow| row.notes.first().map(|note| format!("{}: {note}", row.name));
        list(
            &mut text,
            "\nNotes",
            &self.rows.iter().filter(|r| r.kind != Kind::Gpu).filter_map(first).collect::<Vec<_>>(),
        );
        let heads = self
            .excluded
            .map(|line| line.split([',', ':', '(', ';']).next().unwrap_or(line).trim().to_owned());
        list(&mut text, "\nNot in these numbers", &[heads.join("; ")]);
        text += "\nAll notes and omissions in full: --json, --out or --report.\n";
        text
    }

    fn full_text(&self) -> String {
        let mut text = self.result();
        let mut notes = Vec::new();
        for row in &self.rows {
            notes.extend(row.notes.iter().map(|note| format!("{}: {note}", row.name)));
        }
        list(&mut text, "\nNotes", &notes);
        list(&mut text, "\nNot in these numbers", &self.excluded.map(str::to_owned));
        text
    }

    fn picture(&self) -> Picture {
        Picture::new(self.title(), &self.rows, self.workload.tokens, self.figure.clone())
    }
}

/// Plain sentences, flattering or not.
fn findings(work: &ModelReport, comparison: &InferenceComparison) -> Vec<String> {
    let mut found = Vec::new();
    let find = |name: &str| comparison.rows.iter().find(|r| r.name == name && r.unreachable.is_none());
    let mid = |row: &InferenceRow| row.energy_j.map(|e| e.mid.value());
    let bar = find(&comparison.gpu).and_then(mid);
    if let (Some(gpu), Some(time)) = (bar, find(&comparison.gpu).and_then(|r| r.time_s)) {
        found.push(format!(
            "{} takes {} and {} for a token, {} for an attention output with its share of everything else.",
            comparison.gpu,
            si(time.mid.value() / work.tokens, "s"),
            si(gpu / work.tokens, "J"),
            si(gpu / work.attention_outputs, "J")
        ));
    }
    for row in &comparison.rows {
        if let Some(reason) = &row.unreachable {
            found.push(format!(
                "{} CANNOT do this: {}.",
                row.name,
                reason.trim_start_matches(&format!("{}: ", row.name))
            ));
        }
    }
    let control = find(CONTROL).and_then(mid);
    for row in comparison
        .rows
        .iter()
        .filter(|r| r.unreachable.is_none() && r.mapping.as_ref().is_some_and(|m| m.samples.is_some()))
    {
        let (Some(own), Some(bar), Some(control)) = (mid(row), bar, control) else { continue };
        let part = row.breakdown.energy_j.iter().max_by(|a, b| a.1.mid.value().total_cmp(&b.1.mid.value()));
        let most = part.map_or(String::new(), |(name, e)| {
            format!("; {:.0} % of it is {}", 100.0 * e.mid.value() / own, name.replace('_', " "))
        });
        let against = |other: f64, who: &str| match other / own {
            g if g >= 1.0 => format!("{} less energy than {who}", times(g)),
            g => format!("{} MORE energy than {who}", times(1.0 / g)),
        };
        found.push(format!(
            "{} (grade {}): {}, {}{most}.",
            row.name,
            row.evidence.name(),
            against(bar, "the GPU"),
            against(control, "the control without thermal physics")
        ));
    }
    if let (Some(resident), Some(streamed)) = (control, find("control_int8_streamed").and_then(mid)) {
        let digital = find("northpole_measured").and_then(mid).zip(bar);
        let real = digital.map_or(String::new(), |(e, bar)| match bar / e {
            g if g >= 1.0 => format!(" Measured silicon that does so gains {} over the GPU.", times(g)),
            g => format!(" Measured silicon that does so takes {} MORE energy than the GPU.", times(1.0 / g)),
        });
        found.push(format!(
            "Keeping weights, K and V on the chip is worth {} to the control, and needs no spin.{real}",
            times(streamed / resident)
        ));
    }
    let best = comparison
        .rows
        .iter()
        .filter(|r| r.unreachable.is_none() && r.mapping.is_some())
        .min_by(|a, b| mid(a).unwrap_or(f64::INFINITY).total_cmp(&mid(b).unwrap_or(f64::INFINITY)));
    if let Some(best) = best {
        let thermal = best.mapping.as_ref().is_some_and(|m| m.samples.is_some());
        found.push(format!(
            "Least energy at the middle of the ranges: {}, which {}.",
            best.name,
            if thermal { "samples" } else { "computes: no thermal physics" }
        ));
    }
    found
}
