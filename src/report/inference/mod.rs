//! What `ceas compare --model` shows: the table, the JSON document, the sentences.

#[cfg(feature = "hdf5")]
pub mod archive;
pub mod figure;
mod findings;
pub(super) mod map;
pub(super) mod pareto;
mod searched;

use ceas_npu::npu_model::comparison::{
    EXCLUDED_OF_MODELS, InferenceComparison, InferenceQuestion, InferenceRow, Level, Target,
};
use ceas_npu::npu_model::device::{CONTROL, Kind};
use ceas_npu::npu_model::workload::{Phase, Task, Transformer};
use serde::Serialize;

use self::figure::Picture;
pub use self::searched::Searched;
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
    #[serde(rename = "search", skip_serializing_if = "Searched::is_empty")]
    searched: Searched,
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
        searched: Searched,
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
        let findings = findings::findings(&workload, &comparison);
        Self {
            command: "compare",
            workload,
            draws: question.draws,
            findings,
            break_even: BreakEven { gpu: comparison.gpu, devices },
            rows: comparison.rows,
            excluded: EXCLUDED_OF_MODELS,
            searched,
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
        self.searched.list(&mut text);
        text
    }
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
