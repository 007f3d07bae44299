//! How a baseline was measured, where this program or its script measured it.

use serde::{Deserialize, Serialize};

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
