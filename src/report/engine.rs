//! The answer of `ceas bench engine`: a table, and a dot for every line of it.

use std::fs;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde::Serialize;

use super::figure::{self, FAINT, Figure, INK, SERIES, Trouble};
use super::present::Answer;
use super::table::table;

/// What is divided by the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// Single-spin updates tried.
    Attempts,
    /// Sites whose cluster was decided, every one once a sweep.
    Decided,
    /// Sites that flipped.
    Flipped,
}

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// The lattice or graph.
    pub work: String,
    /// The inner loop.
    pub kernel: &'static str,
    /// The update.
    pub update: &'static str,
    /// The instructions.
    pub level: String,
    /// Spins of all replicas.
    pub spins: usize,
    /// β, as it is printed.
    pub beta: String,
    /// Threads.
    pub threads: usize,
    /// Binary digits of an acceptance probability that are compared.
    pub digits: u32,
    /// "own" or "shared".
    pub random: &'static str,
    /// What is counted.
    pub counted: Counted,
    /// Median rate, per nanosecond.
    pub attempts_per_ns: f64,
    /// The best of them.
    pub best: f64,
}

impl Line {
    /// A line of attempts on one thread, still without rates.
    pub fn new(work: String, kernel: &'static str, update: &'static str, level: &str) -> Self {
        Self {
            work,
            kernel,
            update,
            level: level.to_owned(),
            spins: 0,
            beta: String::new(),
            threads: 1,
            digits: 64,
            random: "own",
            counted: Counted::Attempts,
            attempts_per_ns: 0.0,
            best: 0.0,
        }
    }

    /// What is not as [`Engine::USUAL`] says.
    fn exceptions(&self) -> String {
        let mut found = Vec::new();
        if self.update != "metropolis" {
            found.push(self.update.to_owned());
        }
        if self.digits != 64 {
            found.push(format!("{} digits", self.digits));
        }
        if self.random != "own" {
            found.push(format!("{} random numbers", self.random));
        }
        if self.threads != 1 {
            found.push(format!("{} threads", self.threads));
        }
        found.join(", ")
    }

    /// With the median and the best of measured rates.
    #[must_use]
    pub fn with_rates(self, mut rates: Vec<f64>) -> Self {
        rates.sort_by(f64::total_cmp);
        let best = rates.last().copied().unwrap_or(0.0);
        Self { attempts_per_ns: rates.get(rates.len() / 2).copied().unwrap_or(0.0), best, ..self }
    }
}

/// The whole answer.
#[derive(Debug, Serialize)]
pub struct Engine {
    command: &'static str,
    machine: String,
    /// Processes that want a processor, averaged over a minute, before the first line was measured.
    load: Option<f64>,
    generator: &'static str,
    attempt: &'static str,
    lines: Vec<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed_up: Option<SpeedUp>,
    notes: Vec<String>,
}

/// All threads over one, both measured in turn.
#[derive(Debug, Clone, Serialize)]
pub struct SpeedUp {
    /// Threads.
    pub threads: usize,
    /// Median of the ratios of neighbouring measurements.
    pub ratio: f64,
    /// The smallest of them.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

impl SpeedUp {
    /// From rates on one thread and on all, in the order of measurement.
    pub fn new(threads: usize, one: &[f64], all: &[f64]) -> Self {
        let mut ratios: Vec<f64> = one.iter().zip(all).map(|(one, all)| all / one).collect();
        ratios.sort_by(f64::total_cmp);
        let at = |place: usize| ratios.get(place).copied().unwrap_or(f64::NAN);
        Self { threads, ratio: at(ratios.len() / 2), low: at(0), high: at(ratios.len().saturating_sub(1)) }
    }
}

impl Engine {
    /// The answer for a machine.
    pub fn new(
        (machine, load): (String, Option<f64>),
        lines: Vec<Line>,
        speed_up: Option<SpeedUp>,
        mut notes: Vec<String>,
    ) -> Self {
        if let Some(SpeedUp { threads, ratio, low, high }) = speed_up {
            notes.push(format!(
                "{threads} threads over one, measured in turn: {ratio:.2} times (from {low:.2} to {high:.2})"
            ));
        }
        Self {
            command: "bench engine",
            machine,
            load,
            generator: "xoshiro256++",
            attempt: "one update of one spin tried, accepted or not (swendsen-wang: a site decided; wolff: a site flipped)",
            lines,
            speed_up,
            notes,
        }
    }

    /// What holds where a line does not say otherwise.
    const USUAL: &str = "metropolis, one thread, random numbers of its own for every attempt, 64 digits of p";

    fn head(&self) -> String {
        let load = self.load.map_or(String::new(), |load| format!(", load {load:.1}"));
        format!("{}{load}; generator {}", self.machine, self.generator)
    }
}

/// Three digits, also of small rates.
fn rate(rate: f64) -> String {
    let decimals = if rate >= 9.995 {
        1
    } else if rate >= 0.9995 {
        2
    } else {
        3
    };
    format!("{rate:.decimals$}")
}

impl Answer for Engine {
    type Picture = EngineFigure;

    fn title(&self) -> String {
        format!("Attempts per nanosecond: {}", self.head())
    }

    fn text(&self) -> String {
        let heads = ["work", "kernel", "level", "β", "per ns", "best", "otherwise"];
        let mut rows = table(&heads, 4);
        if let Some(last) = rows.column_mut(6) {
            last.set_cell_alignment(comfy_table::CellAlignment::Left);
        }
        for line in &self.lines {
            rows.add_row([
                line.work.clone(),
                line.kernel.to_owned(),
                line.level.clone(),
                line.beta.clone(),
                rate(line.attempts_per_ns),
                rate(line.best),
                line.exceptions(),
            ]);
        }
        let notes: String = self.notes.iter().map(|note| format!("\n{note}")).collect();
        // The last column is often empty.
        let rows: String = rows.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        format!(
            "{}\nattempts per nanosecond, median and best of five\nattempt: {}\nif not said otherwise: {}\n\n{rows}{notes}{}",
            self.head(),
            self.attempt,
            Self::USUAL,
            if notes.is_empty() { "" } else { "\n" }
        )
    }

    fn picture(&self) -> EngineFigure {
        EngineFigure { head: self.head(), lines: self.lines.clone() }
    }
}

/// The colour of a kernel: those of the palette, then ink.
fn color(place: usize) -> RGBColor {
    SERIES.get(place).copied().unwrap_or(INK)
}

/// A dot for every line, on a logarithmic axis.
pub struct EngineFigure {
    head: String,
    lines: Vec<Line>,
}

const BAR: i32 = 26;
const LEFT: i32 = 450;
const TOP: i32 = 92;
const WIDTH: i32 = 1180;

impl Figure for EngineFigure {
    fn size(&self) -> (u32, u32) {
        (WIDTH as u32, (TOP + BAR * self.lines.len() as i32 + 96) as u32)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let trouble = |error: DrawingAreaErrorKind<B::ErrorType>| -> Trouble { error.to_string().into() };
        let write = |text: String, at: (i32, i32), style: TextStyle| {
            area.draw(&Text::new(text, at, style)).map_err(trouble)
        };
        let rates = || self.lines.iter().map(|line| line.attempts_per_ns).filter(|rate| *rate > 0.0);
        let low = rates().fold(f64::INFINITY, f64::min).log10();
        let high = rates().fold(f64::NEG_INFINITY, f64::max).log10().ceil();
        if !(low.is_finite() && high.is_finite()) {
            return Err("no line has a rate".into());
        }
        // Room for a stem under the slowest.
        let low = (low - 0.2).floor();
        let high = high.max(low + 1.0);
        let right = WIDTH - 110;
        let x = |rate: f64| LEFT + ((rate.log10() - low) / (high - low) * f64::from(right - LEFT)) as i32;
        let bottom = TOP + BAR * self.lines.len() as i32;
        write(
            "Rate of every kernel: attempts per nanosecond, median of 5".to_owned(),
            (24, 14),
            figure::text(22),
        )?;
        write(self.head.clone(), (24, 48), figure::text(16))?;
        for power in low as i32..=high as i32 {
            let at = x(10f64.powi(power));
            area.draw(&PathElement::new([(at, TOP), (at, bottom)], FAINT.stroke_width(1)))
                .map_err(trouble)?;
            let style = figure::text(15).pos(Pos::new(HPos::Center, VPos::Top));
            write(format!("{}", 10f64.powi(power)), (at, bottom + 6), style)?;
        }
        let mut kernels: Vec<&str> = Vec::new();
        for (k, line) in self.lines.iter().enumerate() {
            if !kernels.contains(&line.kernel) {
                kernels.push(line.kernel);
            }
            let place = kernels.iter().position(|kernel| *kernel == line.kernel).unwrap_or(0);
            let top = TOP + BAR * k as i32;
            let (color, middle) = (color(place), top + BAR / 2);
            let end = x(line.attempts_per_ns.max(10f64.powf(low)));
            // A dot on a stem: a bar would claim that its length, on a logarithmic axis, means something.
            area.draw(&PathElement::new([(LEFT, middle), (end, middle)], color.stroke_width(2)))
                .map_err(trouble)?;
            area.draw(&Circle::new((end, middle), 6, color.filled())).map_err(trouble)?;
            let mut name = format!("{}, {}, {}", line.work, line.update, line.level);
            if line.random != "own" {
                name += ", shared random numbers";
            }
            if line.threads > 1 {
                name += &format!(", {} threads", line.threads);
            }
            let style = figure::text(15).pos(Pos::new(HPos::Right, VPos::Center));
            write(name, (LEFT - 8, middle), style)?;
            let style = figure::text(15).pos(Pos::new(HPos::Left, VPos::Center));
            write(rate(line.attempts_per_ns), (end + 12, middle), style)?;
        }
        area.draw(&PathElement::new([(LEFT, TOP), (LEFT, bottom)], INK.stroke_width(1))).map_err(trouble)?;
        let style = figure::text(15).pos(Pos::new(HPos::Center, VPos::Top));
        write("attempts per ns (logarithmic)".to_owned(), ((LEFT + right) / 2, bottom + 28), style)?;
        let mut at = 24;
        for (place, kernel) in kernels.iter().enumerate() {
            let color = color(place);
            area.draw(&Rectangle::new([(at, bottom + 64), (at + 14, bottom + 78)], color.filled()))
                .map_err(trouble)?;
            let style = figure::text(15).pos(Pos::new(HPos::Left, VPos::Center));
            write((*kernel).to_owned(), (at + 20, bottom + 71), style)?;
            at += 40 + 9 * kernel.chars().count() as i32;
        }
        Ok(())
    }
}

/// What the processor calls itself, how many of it there are, and the load where the system says it.
pub fn machine() -> (String, Option<f64>) {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").ok();
    let load = load.and_then(|text| text.split(' ').next()?.parse().ok());
    (format!("{}, {cores} logical cores", name.unwrap_or(std::env::consts::ARCH)), load)
}

/// The most memory that this program has had so far, in bytes, where the system says it.
pub fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| 1024 * kibibytes)
}
