//! What `ceas attend` shows: its table and summary, its JSON document, its picture.

#[cfg(feature = "hdf5")]
pub mod archive;
mod curve;
mod figure;
mod map;
mod needs;
mod record;
mod relaxation;
mod text;

use std::fmt;

use ceas_npu::mapping::attention::{
    Dynamics, HeadReport, HeadSample, Ramp, Relaxation, Sampler, Sampling, Start, Summary,
};
use ceas_npu::mapping::heads::{HeadSet, Origin};
use serde::Serialize;
use serde_json::{Value, json};

use super::present::{Answer, command_line};
use figure::AttentionFigure;
pub use record::HeadRecord;

/// One head of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    /// Index of its layer in the input.
    pub index: usize,
    /// Number of that layer in the model.
    pub layer: usize,
    /// Head within the layer.
    pub head: usize,
}

impl Selected {
    /// The number that keys its streams: its place in the input, whatever else is run.
    pub fn stream(self, set: &HeadSet) -> u64 {
        (self.index * set.heads() + self.head) as u64
    }
}

impl fmt::Display for Selected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.layer, self.head)
    }
}

/// One head as reported.
#[derive(Serialize)]
pub struct AttendedHead {
    /// Thermodynamics and sampling.
    #[serde(flatten)]
    pub report: HeadReport,
    /// Distance to the law along the schedule, for chains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relaxation: Option<Relaxation>,
    /// All its samples, if they are to be written to a file.
    #[serde(skip)]
    pub record: Option<HeadRecord>,
}

/// The head whose maps are drawn, with all its samples.
pub struct ShownHead {
    /// Which one it is.
    pub at: Selected,
    /// Its samples.
    pub sample: HeadSample,
    /// Distance to the law along the schedule, measured from an ensemble too.
    pub relaxation: Option<Relaxation>,
    /// Total variation left after a quench of as many sweeps, for chains.
    pub quench_residual: Option<f64>,
}

/// The result of `ceas attend`.
pub struct Attended {
    /// Where the heads come from.
    pub origin: Origin,
    /// How the shown head was run; the others differ in β only.
    pub sampling: Sampling,
    /// `--beta` as given.
    pub beta_source: String,
    /// β, if it is the same for all heads.
    pub beta: Option<f64>,
    /// All heads together.
    pub summary: Summary,
    /// In the order of layer and head.
    pub heads: Vec<AttendedHead>,
    /// The head that is drawn.
    pub shown: ShownHead,
    /// Wall time of sampling all heads and of everything exact beside it.
    pub seconds: f64,
}

impl Attended {
    /// Attempts per nanosecond of wall time, all threads together; `None` if no spin was touched.
    pub fn attempts_per_ns(&self) -> Option<f64> {
        let attempts = self.summary.activity.attempts;
        (attempts > 0).then(|| attempts as f64 / (self.seconds * 1e9))
    }

    /// The number of the layer and of the head that is drawn.
    fn shown_name(&self) -> String {
        self.shown.at.to_string()
    }

    /// The report on the head that is drawn.
    fn shown_report(&self) -> &HeadReport {
        let at = self.shown.at;
        let is_it = |head: &&AttendedHead| (head.report.layer, head.report.head) == (at.layer, at.head);
        &self.heads.iter().find(is_it).expect("the shown head is one of those run").report
    }

    /// Mean over the heads of the total variation left after the schedule.
    fn residual(&self) -> Option<f64> {
        let left: Vec<f64> =
            self.heads.iter().filter_map(|h| h.relaxation.as_ref()).map(Relaxation::residual).collect();
        (!left.is_empty()).then(|| left.iter().sum::<f64>() / left.len() as f64)
    }

    /// The dynamics of chains.
    fn dynamics(&self) -> Option<Dynamics> {
        match self.sampling.sampler {
            Sampler::Metropolis(dynamics) => Some(dynamics),
            _ => None,
        }
    }
}

/// The dynamics as an object of the JSON document.
fn dynamics_json(dynamics: &Dynamics) -> Value {
    let from = match dynamics.from {
        _ if dynamics.ramp == Ramp::Constant => Value::Null,
        Start::At(beta) => json!(beta.value()),
        Start::Fraction(fraction) => json!(format!("{fraction} β")),
    };
    json!({
        "schedule": dynamics.ramp,
        "from": from,
        "sweeps": dynamics.sweeps,
        "interval": dynamics.interval,
    })
}

impl Serialize for Attended {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Whole<'a> {
            #[serde(flatten)]
            heads: &'a Summary,
            residual_total_variation: Option<f64>,
            seconds: f64,
            attempts_per_ns: Option<f64>,
        }
        #[derive(Serialize)]
        struct Document<'a> {
            command: &'static str,
            command_line: String,
            version: &'static str,
            model: &'a str,
            text: &'a str,
            tokens: &'a [String],
            beta: Option<f64>,
            beta_source: &'a str,
            samples: u32,
            sampler: &'static str,
            dynamics: Option<Value>,
            seed: u64,
            heads: &'a [AttendedHead],
            summary: Whole<'a>,
            shown: Value,
        }
        let sampler = self.sampling.sampler;
        Document {
            command: "attend",
            command_line: command_line(),
            version: env!("CARGO_PKG_VERSION"),
            model: &self.origin.model,
            text: &self.origin.text,
            tokens: &self.origin.tokens,
            beta: self.beta,
            beta_source: &self.beta_source,
            samples: self.sampling.samples.get(),
            sampler: sampler.name(),
            dynamics: self.dynamics().as_ref().map(dynamics_json),
            seed: self.sampling.seed,
            heads: &self.heads,
            summary: Whole {
                heads: &self.summary,
                residual_total_variation: self.residual(),
                seconds: self.seconds,
                attempts_per_ns: self.attempts_per_ns(),
            },
            shown: json!({
                "layer": self.shown.at.layer,
                "head": self.shown.at.head,
                "relaxation": self.shown.relaxation,
                "quench_residual": self.shown.quench_residual,
            }),
        }
        .serialize(serializer)
    }
}

impl Answer for Attended {
    type Picture = AttentionFigure;

    fn title(&self) -> String {
        format!("Attention as thermal spins: {} heads of {}", self.heads.len(), self.model_name())
    }

    fn text(&self) -> String {
        text::text(self)
    }

    fn picture(&self) -> AttentionFigure {
        AttentionFigure::new(self)
    }
}

impl Attended {
    /// Name of the model, or what can be said without one.
    fn model_name(&self) -> &str {
        if self.origin.model.is_empty() { "an unnamed model" } else { &self.origin.model }
    }
}
