//! Machines that compute exact attention: achieved throughput, memory, launches, and energy as an interval.
//!
//! ```text
//! T(n) = T_inf / (1 + (n_half/n)^γ)               achieved FLOP/s at length n, fitted for one kernel, head dimension and mask
//! t    = launches·t_launch + max(F / (T·u), Q / (η·BW))   u share of multiprocessors at work, η share of bandwidth reached
//! E in [P_idle·t + F·e_F + Q·e_B ,  TDP·t]        the middle: P = P_idle + (s·TDP − P_idle)·T/T_inf, s what boards were seen to draw
//! ```
//!
//! A bare peak roofline is never used: where no curve was published for a part, its file assumes a share of the peak, says so, and
//! the interval is wide. FlashAttention: arXiv:2205.14135, arXiv:2307.08691, arXiv:2407.08608. What was published, and how far
//! this model is from it, stands in `docs/gpu.md`.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::provenance::{Fact, Known};
use crate::units::{BytesPerSecond, FlopsPerSecond, JoulesPerByte, JoulesPerFlop, Seconds, Share, Watts};
use crate::workload::Workload;

mod fit;
mod ising;
mod kernel;
mod measurement;
mod price;
mod read;
mod reading;
mod series;
mod shipped;
mod transformer;

pub use kernel::{Attention, Kernel, Product, Work};
pub use measurement::{MeasuredLength, MeasuredSeries, Measurement, Recorded};
pub use price::{GpuCost, Load};
pub use series::{Curve, Format, Role, Series};
pub use shipped::{load, shipped, shipped_names};
pub use transformer::Batch;

/// What kind of machine a baseline describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Machine {
    /// A graphics processor.
    Gpu,
    /// A tensor processor.
    Tpu,
    /// A general processor, or a GPU driver that runs on one.
    Cpu,
}

/// A board: what its components need at least, what it is built for, and what such boards were seen to draw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Board {
    /// Thermal design power.
    pub tdp: Known<Watts>,
    /// Power when idle.
    pub idle: Known<Watts>,
    /// Least energy of an operation.
    pub flop: Known<JoulesPerFlop>,
    /// Least energy of moving a byte.
    pub byte: Known<JoulesPerByte>,
    /// Share of TDP that boards draw while arithmetic binds.
    pub arithmetic: Known<Share>,
    /// Share of TDP that boards draw while memory binds.
    pub memory: Known<Share>,
}

/// What is known of the power a machine draws.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// Least energies of the components, and the power the board is built for.
    Modelled(Box<Board>),
    /// Power that was metered while the kernels ran.
    Metered(Known<Watts>),
}

/// A baseline: everything its file states. What is absent is unknown, never zero.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gpu {
    /// Short name.
    pub id: String,
    /// What it is.
    pub name: String,
    /// What kind of machine.
    pub kind: Machine,
    /// The kernel whose series are preferred.
    pub kernel: String,
    /// Peak throughput in half precision; an upper bound, never an estimate.
    pub peak: Option<Known<FlopsPerSecond>>,
    /// Throughput that matrix products reach.
    pub products: Option<Known<FlopsPerSecond>>,
    /// Peak memory bandwidth.
    pub bandwidth: Option<Known<BytesPerSecond>>,
    /// Share of it that kernels reach.
    pub reached: Option<Known<Share>>,
    /// Last cache before the memory, in bytes.
    pub l2_bytes: Option<Fact<f64>>,
    /// Memory in bytes.
    pub memory_bytes: Option<Fact<f64>>,
    /// Multiprocessors.
    pub multiprocessors: Option<Fact<u64>>,
    /// Highest clock in hertz.
    pub clock_hz: Option<Fact<f64>>,
    /// Power.
    pub power: Option<Power>,
    /// Latency of one launch.
    pub launch: Option<Known<Seconds>>,
    /// What a launch costs inside a recorded graph.
    pub replay: Option<Known<Seconds>>,
    /// Achieved throughput.
    pub series: Vec<Series>,
    /// How it was measured, if this program or its script measured it.
    pub measurement: Option<Measurement>,
    /// What a reader of its results has to know.
    pub notes: Vec<String>,
}

impl Gpu {
    /// The H100 SXM with FlashAttention-3.
    ///
    /// # Panics
    /// Never: a test reads every shipped baseline.
    pub fn h100() -> Self {
        load("h100_sxm").expect("the shipped baselines are read by a test")
    }

    /// The same machine running another kernel where its file has series of it.
    ///
    /// ```
    /// use ceas_npu_model::gpu::Gpu;
    /// let older = Gpu::h100().with_kernel("FlashAttention-2");
    /// assert_eq!(older.kernel, "FlashAttention-2");
    /// ```
    #[must_use]
    pub fn with_kernel(mut self, kernel: &str) -> Self {
        kernel.clone_into(&mut self.kernel);
        self
    }

    /// Time and energy of exact attention in half precision.
    ///
    /// ```
    /// use ceas_npu_model::gpu::{Gpu, Load};
    /// use ceas_npu_model::workload::{Shape, Workload};
    /// let heads = Workload::new(1, 16, Shape::square(4096, 128, false).unwrap()).unwrap();
    /// let cost = Gpu::h100().price(&heads, Load::Filled);
    /// assert!((cost.time.mid.value() / 16.0 / 13.4e-6 - 1.0).abs() < 0.02); // seconds for one head
    /// ```
    pub fn price(&self, workload: &Workload, load: Load) -> GpuCost {
        self.price_as(workload, Format::Fp16, load)
    }

    /// The same with numbers in another format, where the file has series of it.
    pub fn price_as(&self, workload: &Workload, format: Format, load: Load) -> GpuCost {
        let kernels = [Kernel::of(workload)];
        self.price_kernels(&kernels, format, load).expect("attention needs no throughput of products")
    }

    /// Reads a baseline from the text of its file; `file` names it in messages.
    ///
    /// # Errors
    /// [`Error::Toml`] and [`Error::Key`] as for devices.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Error> {
        read::gpu(file, text)
    }
}
