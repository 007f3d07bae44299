//! What `ceas anneal` found, for people and for scripts.

use std::fmt::Write;

use serde::Serialize;

use ceas_npu::sim::anneal::{self, Effort, Found, Range, Settings, TimeToSolution};
use ceas_npu::sim::instance::{Instance, Objective, Value};
use ceas_npu::sim::spins::Spins;

use super::present::Answer;
use super::solution_figure::SolutionFigure;
use super::table::{si, table};

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
    attempts_per_ns: f64,
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
            attempts_per_ns: answer.attempts as f64 / answer.seconds.max(1e-9) / 1e9,
            threads: rayon::current_num_threads(),
            seed: settings.seed,
            beta: answer.range,
            time_to_solution: answer.time_to_solution,
            state: found.first().map_or_else(Vec::new, |best| best.state.clone()),
            found,
            values: answer.values,
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
        } else if self.hits == 1 && self.reads > 1 {
            warnings.push(format!(
                "only 1 of {} reads met the best value: a better one may well exist, so try more --sweeps",
                self.reads
            ));
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
    pub fn words(&self) -> [(&'static str, &str); 4] {
        [
            ("problem", &self.problem),
            ("format", self.format),
            ("objective", self.objective.name()),
            ("method", self.method),
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
        let _ = writeln!(text, "met by {} of {} reads", self.hits, self.reads);
        let mut states = table(&["state", "value", "reads"], 0);
        let most = 8;
        for (number, found) in self.found.iter().take(most).enumerate() {
            states.add_row([(number + 1).to_string(), found.value.to_string(), found.reads.to_string()]);
        }
        let _ = writeln!(text, "\ndistinct states, the best first\n{states}");
        if self.found.len() > most {
            let _ = writeln!(text, "  … {} in all; --json prints them", self.found.len());
        }
        let broken = if self.broken_off > 0 {
            format!(", {} more broken off", self.broken_off)
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "\n{} reads of {} sweeps{broken}, β from {:.4e} to {:.4e}, {:.2} s, {:.4} attempts/ns on {} threads",
            self.reads,
            self.sweeps,
            self.beta.hot,
            self.beta.cold,
            self.seconds,
            self.attempts_per_ns,
            self.threads
        );
        text += "(an attempt is one spin that may flip, xoshiro256++, independent random numbers for every read)\n";
        if let Some(time) = self.time_to_solution {
            let _ = writeln!(
                text,
                "time to this value with probability 0.99, one thread: {} (68 %: {} to {})",
                si(time.mean, "s"),
                si(time.low, "s"),
                si(time.high, "s")
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
