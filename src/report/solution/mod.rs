//! What `ceas anneal` found, for people and for scripts.

#[cfg(feature = "hdf5")]
pub mod archive;
mod figure;

use std::fmt::Write;

use serde::Serialize;

use ceas_npu::sim::anneal::{
    self, Effort, Found, LadderReport, Method, Part, Range, Settings, TimeToSolution,
};
use ceas_npu::sim::instance::{Instance, Objective, Value};
use ceas_npu::sim::spins::Spins;

use self::figure::SolutionFigure;
use crate::report::present::Answer;
use crate::report::table::{si, table, with_error};

/// Where the problem came from.
#[derive(Debug, Clone)]
pub struct Problem {
    /// File or lattice.
    pub name: String,
    /// Its format.
    pub format: &'static str,
}

/// A configuration as it is printed: 0 and 1 for a QUBO, else −1 and 1.
#[derive(Debug, Clone, Serialize)]
struct State {
    value: Value,
    reads: u64,
    state: Vec<i8>,
}

/// The answer of `ceas anneal`.
#[derive(Debug, Clone, Serialize)]
pub struct Solution {
    command: &'static str,
    problem: String,
    format: &'static str,
    objective: Objective,
    method: &'static str,
    variables: usize,
    terms: usize,
    /// Whether the weights are whole numbers and values therefore exact.
    exact: bool,
    best: Value,
    best_energy: f64,
    reads: u64,
    hits: u64,
    broken_off: u64,
    sweeps: u64,
    seconds: f64,
    /// Seconds of them before the first read.
    setting_up: f64,
    attempts_per_ns: f64,
    /// How attempts were made, and why not faster.
    kernel: String,
    threads: usize,
    seed: u64,
    beta: Range,
    time_to_solution: Option<TimeToSolution>,
    /// The best configuration.
    state: Vec<i8>,
    /// Distinct configurations, the best first.
    found: Vec<State>,
    /// The best value of every complete read.
    values: Vec<Value>,
    /// All reads at every tenth of their sweeps: mean energy with its error, and the lowest met.
    parts: Vec<Part>,
    /// The ladder of a tempering.
    ladder: Option<LadderReport>,
    /// (sweep, energy H) along the first read.
    trace: Vec<(u64, f64)>,
    #[serde(skip)]
    timed: bool,
    #[serde(skip)]
    traces: Vec<Vec<(u64, f64)>>,
}

impl Solution {
    /// Puts an answer beside its problem.
    pub fn new(problem: Problem, instance: &Instance, settings: &Settings, answer: anneal::Answer) -> Self {
        let objective = instance.objective();
        let shown = |spins: &Spins| -> Vec<i8> {
            let bit = |s: &i8| if objective == Objective::Qubo { (*s + 1) / 2 } else { *s };
            spins.as_slice().iter().map(bit).collect()
        };
        let found: Vec<State> = answer
            .found
            .iter()
            .map(|Found { spins, value, reads }| State { value: *value, reads: *reads, state: shown(spins) })
            .collect();
        Self {
            command: "anneal",
            problem: problem.name,
            format: problem.format,
            objective,
            method: settings.method.name(),
            variables: instance.n(),
            terms: instance.pairs().len() + instance.linear().iter().filter(|&&a| a != 0.0).count(),
            exact: instance.is_integer(),
            best: answer.best,
            best_energy: answer.best_energy,
            reads: answer.reads,
            hits: answer.hits,
            broken_off: answer.broken_off,
            sweeps: answer.sweeps,
            seconds: answer.seconds,
            setting_up: answer.setting_up,
            attempts_per_ns: answer.attempts as f64 / (answer.seconds - answer.setting_up).max(1e-9) / 1e9,
            kernel: answer.kernel,
            threads: rayon::current_num_threads(),
            seed: settings.seed,
            beta: answer.range,
            time_to_solution: answer.time_to_solution,
            state: found.first().map_or_else(Vec::new, |best| best.state.clone()),
            found,
            values: answer.values,
            parts: answer.parts,
            ladder: answer.ladder,
            trace: answer.traces.first().cloned().unwrap_or_default(),
            timed: matches!(settings.effort, Effort::Timed(_)),
            traces: answer.traces,
        }
    }

    /// What the reader should know before believing the answer.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.reads == 0 {
            warnings.push(
                "no read was completed: the answer is the best of reads that were broken off".to_owned(),
            );
        } else if self.hits < TimeToSolution::FEW && self.hits < self.reads {
            warnings.push(format!(
                "only {} of {} reads met the best value: a better one may well exist, so try more --sweeps",
                self.hits, self.reads
            ));
        }
        if let Some(ladder) = self.ladder.as_ref().filter(|_| self.method == Method::ClusterTempering.name())
        {
            let rungs = ladder.rungs.len();
            if ladder.clustered == 0 {
                warnings.push(
                    "on every rung clusters of the overlap percolate or are refused, so that none was exchanged: pt does the same in half the time"
                        .to_owned(),
                );
            } else if 2 * ladder.clustered < rungs {
                warnings.push(format!(
                    "on {} of {rungs} rungs clusters of the overlap percolate or are refused: they were exchanged on {} only",
                    rungs - ladder.clustered,
                    ladder.clustered
                ));
            }
        }
        warnings
    }

    /// The distinct configurations as spins or bits, with values and counts.
    #[cfg(feature = "hdf5")]
    pub fn states(&self) -> impl ExactSizeIterator<Item = (&[i8], Value, u64)> {
        self.found.iter().map(|found| (found.state.as_slice(), found.value, found.reads))
    }

    /// Names for provenance.
    #[cfg(feature = "hdf5")]
    pub fn words(&self) -> [(&'static str, &str); 5] {
        [
            ("problem", &self.problem),
            ("format", self.format),
            ("objective", self.objective.name()),
            ("method", self.method),
            ("kernel", &self.kernel),
        ]
    }

    /// Numbers for provenance.
    #[cfg(feature = "hdf5")]
    pub fn numbers(&self) -> [(&'static str, f64); 6] {
        [
            ("best", self.best.to_f64()),
            ("best_energy", self.best_energy),
            ("beta_hot", self.beta.hot),
            ("beta_cold", self.beta.cold),
            ("seconds", self.seconds),
            ("sweeps", self.sweeps as f64),
        ]
    }

    /// Seed of every stream.
    #[cfg(feature = "hdf5")]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The best value of every complete read.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// All reads at every tenth of their sweeps.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The ladder, if there was one.
    pub fn ladder(&self) -> Option<&LadderReport> {
        self.ladder.as_ref()
    }

    /// (sweep, energy H) along some of the reads.
    pub fn traces(&self) -> &[Vec<(u64, f64)>] {
        &self.traces
    }

    /// H of the best configuration.
    pub fn best_energy(&self) -> f64 {
        self.best_energy
    }

    /// The best value.
    pub fn best(&self) -> Value {
        self.best
    }

    /// What is sought.
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// (reads that met the best value, complete reads).
    pub fn hits(&self) -> (u64, u64) {
        (self.hits, self.reads)
    }
}

impl Solution {
    /// How the reads came down, and how the rungs of a ladder exchanged.
    fn way(&self) -> String {
        let mut text = String::new();
        if !self.parts.is_empty() {
            let whose = if self.ladder.is_some() { "the coldest rung of every read" } else { "all reads" };
            let mut parts = table(&["sweep", "mean H", "lowest H met"], 0);
            for part in &self.parts {
                let mean = match part.error {
                    Some(error) if error > 0.0 => with_error(part.mean, error),
                    _ => short(part.mean),
                };
                parts.add_row([part.sweep.to_string(), mean, short(part.best)]);
            }
            let _ = writeln!(text, "\nenergy of {whose} on the way\n{parts}");
        }
        if let Some(ladder) = &self.ladder {
            let _ = writeln!(
                text,
                "\nladder of {} rungs, placed by measured rejection rates (their sum {:.2}); {} arrivals at the cold end",
                ladder.rungs.len(),
                ladder.barrier,
                ladder.journeys
            );
            let share = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{x:.3}"));
            for rungs in ladder.rungs.chunks(10) {
                let line = |name: &str, cells: Vec<String>| {
                    let cells: String = cells.iter().map(|cell| format!("{cell:>9}")).collect();
                    format!("  {name:<8}{cells}\n")
                };
                text += &line("β", rungs.iter().map(|rung| format!("{:.2e}", rung.beta)).collect());
                text += &line("swaps", rungs.iter().map(|rung| share(rung.swap)).collect());
                if rungs.iter().any(|rung| rung.cluster_share.is_some()) {
                    text += &line("clusters", rungs.iter().map(|rung| share(rung.cluster_share)).collect());
                    text += &line("turned", rungs.iter().map(|rung| share(rung.turned)).collect());
                }
            }
            text += "  (swaps: mean probability of an exchange with the next colder rung";
            text += if ladder.clustered > 0 {
                ";\n   clusters: mean share of the differing sites that one holds; turned: how often it was)\n"
            } else {
                ")\n"
            };
        }
        text
    }
}

/// A number for a column.
fn short(x: f64) -> String {
    if x.fract() == 0.0 && x.abs() < 1e15 { format!("{x:.0}") } else { format!("{x:.6}") }
}

impl Answer for Solution {
    type Picture = SolutionFigure;

    fn title(&self) -> String {
        format!("{} of {}: {}", self.objective, self.problem, self.best)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let exact = if self.exact { "exact, from whole-number weights" } else { "from real weights" };
        let sought = if self.objective.maximizes() { "largest" } else { "smallest" };
        let _ = writeln!(
            text,
            "{} ({}): {}, {} variables, {} terms",
            self.problem, self.format, self.objective, self.variables, self.terms
        );
        let _ = writeln!(
            text,
            "{sought} value found: {} ({exact}), energy H = {}",
            self.best,
            Value::Real(self.best_energy)
        );
        let _ = writeln!(
            text,
            "met by {} of {} reads; it is not proven to be the optimum",
            self.hits, self.reads
        );
        let mut states = table(&["state", "value", "reads"], 0);
        let most = 8;
        for (number, found) in self.found.iter().take(most).enumerate() {
            states.add_row([(number + 1).to_string(), found.value.to_string(), found.reads.to_string()]);
        }
        let _ = writeln!(text, "\ndistinct states, the best first\n{states}");
        if self.found.len() > most {
            let _ = writeln!(text, "  … {} in all; --json prints them", self.found.len());
        }
        text += &self.way();
        let broken = if self.broken_off > 0 {
            format!(", {} more broken off", self.broken_off)
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "\n{} reads of {} sweeps{broken}, {}, β from {:.4e} to {:.4e}",
            self.reads, self.sweeps, self.method, self.beta.hot, self.beta.cold,
        );
        let _ = writeln!(
            text,
            "{:.2} s, {:.2} s of them setting up, then {:.4} attempts/ns on {} threads",
            self.seconds, self.setting_up, self.attempts_per_ns, self.threads
        );
        let _ = writeln!(text, "kernel: {}", self.kernel.replacen(" (", "\n        (", 1));
        text += "(an attempt is one spin that may flip, xoshiro256++, independent random numbers for every read)\n";
        if let Some(time) = self.time_to_solution {
            let _ = writeln!(
                text,
                "time to this value with probability 0.99, one thread: {} (68 %: {} to {}){}",
                si(time.mean, "s"),
                si(time.low, "s"),
                si(time.high, "s"),
                match self.hits {
                    hits if hits == self.reads => "\n  (every read met it, so that shorter ones may do)",
                    hits if hits < TimeToSolution::FEW => "\n  (too few hits to say more)",
                    _ => "",
                }
            );
        }
        if self.timed {
            text += "the sweeps were chosen by --time: another run may find something else\n";
        }
        text
    }

    fn picture(&self) -> SolutionFigure {
        SolutionFigure::new(self)
    }
}
