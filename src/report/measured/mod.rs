//! The answer of `ceas bench attention` and `ceas bench gpu`: a table, and what was measured how.

mod figure;

use ceas_npu::measure::Measured;
use serde::Serialize;

use self::figure::MeasuredFigure;
use crate::report::output::OutputFile;
use crate::report::present::Answer;
use crate::report::table::{si, table};

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    command: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<String>,
    #[serde(flatten)]
    measured: Measured,
    /// Joules of all heads at every length, if power was metered.
    energy_j: Option<Vec<f64>>,
}

impl Report {
    /// The report of a measurement, and where it was saved.
    pub fn new(command: &'static str, measured: Measured, saved: Option<&OutputFile>) -> Self {
        let energy_j = measured.watts.map(|w| measured.points.iter().map(|p| w * p.seconds).collect());
        let saved = saved.map(|file| file.path().display().to_string());
        Self { command, saved, measured, energy_j }
    }

    fn shape(&self) -> String {
        let plan = &self.measured.plan;
        let mask = if plan.causal { "causal" } else { "full" };
        format!("{} heads, d = {}, {mask}, {:?}", plan.heads, plan.d, plan.format).replace("Fp", "f")
    }

    fn circumstances(&self) -> Vec<String> {
        let m = &self.measured.measurement;
        let mut lines = vec![format!("machine   {}", m.machine)];
        let named = [("driver", &m.driver), ("backend", &m.backend), ("clocks", &m.clocks)];
        for (name, text) in named {
            lines.extend(text.as_ref().map(|text| format!("{name:9} {text}")));
        }
        let threads = m.threads.map_or(String::new(), |t| format!(", {t} threads"));
        let load = m.load.map_or(String::new(), |load| format!(", load {load:.1} when it began"));
        lines.push(format!("kernel    {}", self.measured.kernel));
        lines.push(format!("timer     {}, median of {}{threads}{load}", m.timer, m.repeats));
        lines.push(format!("power     {}", m.power));
        lines
    }
}

impl Answer for Report {
    type Picture = MeasuredFigure;

    fn title(&self) -> String {
        format!("{}: {}", self.measured.name, self.shape())
    }

    fn text(&self) -> String {
        let mut heads = vec!["n", "time", "shortest", "longest", "FLOP/s", "per pair", "rel. error"];
        if self.energy_j.is_some() {
            heads.push("energy");
        }
        let mut rows = table(&heads, 0);
        for (i, p) in self.measured.points.iter().enumerate() {
            let pairs = p.flops_per_s * p.seconds / (4.0 * self.measured.plan.d as f64);
            let mut row = vec![
                p.n.to_string(),
                si(p.seconds, "s"),
                si(p.shortest, "s"),
                si(p.longest, "s"),
                si(p.flops_per_s, ""),
                si(p.seconds / pairs, "s"),
                format!("{:.1e}", p.accuracy.relative_error),
            ];
            row.extend(self.energy_j.as_ref().map(|e| si(e[i], "J")));
            rows.add_row(row);
        }
        let rows_checked: usize = self.measured.points.iter().map(|p| p.accuracy.rows).sum();
        let mut text = format!("{}\n\n{rows}\n\n{}\n", self.shape(), self.circumstances().join("\n"));
        text += &format!("checked   {rows_checked} rows against attention in f64 before timing\n");
        for note in self.measured.notes.iter().filter(|n| **n != self.measured.measurement.power) {
            text += &format!("note      {note}\n");
        }
        if let Some(file) = &self.saved {
            text += &format!("saved     {file}\n");
        }
        wrapped(&text)
    }

    fn picture(&self) -> MeasuredFigure {
        MeasuredFigure::new(self.title(), &self.measured)
    }
}

/// Lines longer than a terminal, continued under their text.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 110;
    let mut out = String::new();
    for line in text.lines() {
        let mut used = 0;
        for word in line.split_inclusive(' ') {
            let width = word.trim_end().chars().count();
            if used > 10 && used + width > WIDTH {
                out += "\n          ";
                used = 10;
            }
            out += word;
            used += word.chars().count();
        }
        out.push('\n');
    }
    out
}
