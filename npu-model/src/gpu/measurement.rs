//! How a baseline was measured, where this program or its script measured it.

use serde::{Deserialize, Serialize};

use super::Machine;
use super::series::{Format, Role};
use crate::error::Error;
use crate::provenance::{Evidence, Provenance};

/// The circumstances of a measurement. Texts are as the system gives them; what it does not tell is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// Program and version.
    pub program: String,
    /// Command line.
    pub command: String,
    /// Date, as year-month-day.
    pub date: String,
    /// Machine: processor or adapter.
    pub machine: String,
    /// Driver and its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// Interface to the machine, such as Vulkan or CUDA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Clocks, where the system tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clocks: Option<String>,
    /// What the times were taken with.
    pub timer: String,
    /// Measurements of every length, of which the median stands.
    pub repeats: u64,
    /// Heads that ran together.
    pub heads: u64,
    /// Threads of the host, where they matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<u64>,
    /// Processes that wanted a processor, averaged over a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<f64>,
    /// Largest relative error of the output against attention in f64.
    pub relative_error: f64,
    /// How power was taken, or why it was not.
    pub power: String,
}

/// A measured baseline, ready to be written: what `Gpu::from_toml` reads back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recorded {
    schema: u32,
    id: String,
    name: String,
    kind: Machine,
    kernel: String,
    notes: Vec<String>,
    measurement: Measurement,
    #[serde(skip_serializing_if = "Option::is_none")]
    metered_w: Option<RecordedNumber>,
    series: Vec<RecordedSeries>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct RecordedNumber {
    low: f64,
    mid: f64,
    high: f64,
    evidence: Evidence,
    provenance: Provenance,
    source: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct RecordedSeries {
    id: String,
    role: Role,
    kernel: String,
    format: Format,
    d_head: u64,
    causal: bool,
    seq: Vec<u64>,
    tflops: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n_half: Option<f64>,
    spread: [f64; 3],
    evidence: Evidence,
    provenance: Provenance,
    source: String,
}

/// One measured length.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeasuredLength {
    /// Length n.
    pub n: u64,
    /// Median throughput in FLOP/s.
    pub median: f64,
    /// Least of the repeats.
    pub least: f64,
    /// Most of the repeats.
    pub most: f64,
}

/// What was measured, besides the circumstances.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredSeries {
    /// The kernel.
    pub kernel: String,
    /// How it stored its numbers.
    pub format: Format,
    /// Head dimension.
    pub d_head: u64,
    /// Whether masked pairs were left out.
    pub causal: bool,
    /// Lengths, rising.
    pub lengths: Vec<MeasuredLength>,
    /// Watts while it ran, if they were metered.
    pub watts: Option<f64>,
}

impl Recorded {
    /// The baseline of a measurement under an id of letters, digits and underscores.
    pub fn new(
        id: &str,
        name: &str,
        kind: Machine,
        notes: Vec<String>,
        measurement: Measurement,
        series: &MeasuredSeries,
    ) -> Self {
        let tera = |x: f64| x * 1e-12;
        let source = format!("{}, {}", measurement.program, measurement.command);
        let spread = series.lengths.iter().fold([1.0f64, 1.0, 1.0], |[low, mid, high], l| {
            [low.min(l.least / l.median), mid, high.max(l.most / l.median)]
        });
        let (evidence, provenance) = (Evidence::Measured, Provenance::Measured);
        let metered_w = series.watts.map(|w| {
            let source = measurement.power.clone();
            RecordedNumber { low: 0.9 * w, mid: w, high: 1.1 * w, evidence, provenance, source }
        });
        let mask = if series.causal { "causal" } else { "noncausal" };
        Self {
            schema: 2,
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            kernel: series.kernel.clone(),
            notes,
            metered_w,
            series: vec![RecordedSeries {
                id: format!("measured_d{}_{mask}", series.d_head),
                role: Role::Fit,
                kernel: series.kernel.clone(),
                format: series.format,
                d_head: series.d_head,
                causal: series.causal,
                seq: series.lengths.iter().map(|l| l.n).collect(),
                tflops: series.lengths.iter().map(|l| tera(l.median)).collect(),
                // One length says nothing of the rise: none is assumed.
                n_half: (series.lengths.len() == 1).then_some(0.0),
                spread,
                evidence,
                provenance,
                source,
            }],
            measurement,
        }
    }

    /// The text of its file.
    ///
    /// # Errors
    /// [`Error::Toml`] if a number of it cannot be written.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml::to_string(self).map_err(|e| Error::Toml { file: self.id.clone(), reason: e.to_string() })
    }
}
