//! Exact attention measured on the machine at hand: always on its processor, with the feature `gpu` on its graphics processors.
//!
//! Every kernel is first compared with attention in f64 on the same inputs, and is not timed if it is wrong. Operations are counted as
//! papers do: 2·pairs·(d + d_v), masked pairs left out, the softmax not counted.

use ceas_npu_model::gpu::{Format, Role};
use ceas_npu_model::gpu::{Gpu, Machine, MeasuredLength, MeasuredSeries, Measurement, Recorded};
use ceas_npu_model::workload::Shape;
use serde::Serialize;

#[cfg(feature = "gpu")]
mod adapter;
mod cpu;
mod exponential;
#[cfg(feature = "gpu")]
mod gpu;
mod host;
mod meter;
mod problem;

#[cfg(feature = "gpu")]
pub use adapter::{Adapter, adapters};
pub use cpu::{attention, measure as on_cpu};
#[cfg(feature = "gpu")]
pub use gpu::measure as on_gpu;
pub use meter::Meter;
pub use problem::{Accuracy, Problem};

/// Why a measurement could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something that cannot be measured, on this machine or on any.
    #[error("{0}")]
    Impossible(String),
    /// The kernel computed something else than attention.
    #[error(
        "{kernel} on {machine} is wrong: relative error {found:.2e} against attention in f64, at most {allowed:.0e} is rounding; \
         it was not timed"
    )]
    Wrong {
        /// The kernel.
        kernel: String,
        /// Where it ran.
        machine: String,
        /// The error found.
        found: f64,
        /// The largest that rounding explains.
        allowed: f64,
    },
    /// The machine failed.
    #[error("{0}")]
    Failed(String),
}

/// What to measure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Lengths n, rising.
    pub lengths: Vec<u64>,
    /// Head dimension.
    pub d: u64,
    /// Heads that run together.
    pub heads: u64,
    /// Whether later keys are hidden.
    pub causal: bool,
    /// How numbers are stored.
    pub format: Format,
    /// Measurements of every length, of which the median stands.
    pub repeats: usize,
    /// Seed of q, k and v.
    pub seed: u64,
}

/// Largest product heads · n · d: a gibibyte of q, k, v and o in f32.
const LARGEST: u64 = 1 << 26;

impl Plan {
    /// The plan, if it can be.
    ///
    /// # Errors
    /// [`Error::Impossible`] with what would be right.
    pub fn checked(self) -> Result<Self, Error> {
        let refuse = |reason: String| Err(Error::Impossible(reason));
        if self.lengths.is_empty() || self.lengths.contains(&0) {
            return refuse("n: every length must be at least 1".into());
        }
        if self.lengths.windows(2).any(|w| w[0] >= w[1]) {
            return refuse("n: the lengths must rise".into());
        }
        if self.d == 0 || !self.d.is_multiple_of(4) || self.d > 256 {
            return refuse(format!("d = {}: a multiple of 4 from 4 to 256 is expected", self.d));
        }
        if self.heads == 0 || self.repeats == 0 || self.repeats > 1000 {
            return refuse(format!(
                "{} heads, {} repeats: at least one of each, and at most 1000 repeats",
                self.heads, self.repeats
            ));
        }
        for &n in &self.lengths {
            let numbers = n.checked_mul(self.d).and_then(|x| x.checked_mul(self.heads));
            if numbers.is_none_or(|x| x > LARGEST) {
                return refuse(format!(
                    "n = {n}, d = {}, {} heads: heads·n·d is at most {LARGEST}, which is a gibibyte of q, k, v and o",
                    self.d, self.heads
                ));
            }
        }
        Ok(self)
    }

    /// Shape of one head of length n.
    fn shape(&self, n: u64) -> Result<Shape, Error> {
        Shape::square(n, self.d, self.causal).map_err(|e| Error::Impossible(e.to_string()))
    }

    /// Operations of all heads at length n.
    fn flops(&self, n: u64) -> Result<f64, Error> {
        Ok(4.0 * self.shape(n)?.pairs as f64 * self.d as f64 * self.heads as f64)
    }
}

/// One length, measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Length n.
    pub n: u64,
    /// Median time of all heads.
    pub seconds: f64,
    /// Shortest time.
    pub shortest: f64,
    /// Longest time.
    pub longest: f64,
    /// Operations over the median time.
    pub flops_per_s: f64,
    /// How far the output is from attention in f64.
    pub accuracy: Accuracy,
}

impl Point {
    /// From the times of all repeats, one at least, and the operations of each.
    fn of(n: u64, mut times: Vec<f64>, flops: f64, accuracy: Accuracy) -> Self {
        times.sort_by(f64::total_cmp);
        let seconds = times[times.len() / 2];
        let (shortest, longest) = (times[0], times[times.len() - 1]);
        Self { n, seconds, shortest, longest, flops_per_s: flops / seconds, accuracy }
    }
}

/// What came out, and under which circumstances.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// What was asked for.
    pub plan: Plan,
    /// What kind of machine.
    pub kind: Machine,
    /// What it is called in a comparison.
    pub id: String,
    /// One line that says what was measured.
    pub name: String,
    /// The kernel.
    pub kernel: String,
    /// One point a length.
    pub points: Vec<Point>,
    /// Watts over the timed runs, if a meter can be read.
    pub watts: Option<f64>,
    /// What a reader has to know.
    pub notes: Vec<String>,
    /// Circumstances.
    pub measurement: Measurement,
}

impl Measured {
    /// The baseline file of this measurement.
    ///
    /// # Errors
    /// [`Error::Failed`] if a number of it cannot be written, which would be a time of zero.
    pub fn to_toml(&self) -> Result<String, Error> {
        let lengths = self.points.iter().map(|p| {
            let rate = |seconds: f64| p.flops_per_s * p.seconds / seconds;
            MeasuredLength { n: p.n, median: p.flops_per_s, least: rate(p.longest), most: rate(p.shortest) }
        });
        let series = MeasuredSeries {
            kernel: self.kernel.clone(),
            format: self.plan.format,
            d_head: self.plan.d,
            causal: self.plan.causal,
            lengths: lengths.collect(),
            watts: self.watts,
        };
        let notes = self.notes.clone();
        let file = Recorded::new(&self.id, &self.name, self.kind, notes, self.measurement.clone(), &series);
        file.to_toml().map_err(|e| Error::Failed(e.to_string()))
    }

    /// The same as a row of a comparison.
    ///
    /// # Errors
    /// [`Error::Failed`] as [`Self::to_toml`].
    pub fn baseline(&self) -> Result<Gpu, Error> {
        Gpu::from_toml(&self.id, &self.to_toml()?).map_err(|e| Error::Failed(e.to_string()))
    }
}

/// A quick measurement of this processor for heads of a shape: a few lengths around its own, some tenths of a second.
///
/// ```
/// use ceas_npu::measure;
/// use ceas_npu::npu_model::gpu::Load;
/// use ceas_npu::npu_model::workload::{Shape, Workload};
/// let shape = Shape::square(128, 32, false).unwrap();
/// let cpu = measure::quick(&shape, 1).unwrap();
/// assert!(cpu.price(&Workload::one(shape), Load::Alone).time.mid.value() > 0.0);
/// ```
///
/// # Errors
/// As [`on_cpu`].
pub fn quick(shape: &Shape, seed: u64) -> Result<Gpu, Error> {
    // Long heads are priced by the law from shorter ones: throughput is flat there.
    let n = shape.n_keys.clamp(16, 2048);
    let d = shape.d_head.max(shape.d_value).clamp(4, 256).next_multiple_of(4);
    let mut lengths: Vec<u64> = [n / 4, n / 2, n].into_iter().filter(|&n| n > 0).collect();
    lengths.dedup();
    let plan = Plan { lengths, d, heads: 4, causal: shape.causal, format: Format::Fp32, repeats: 3, seed };
    let gpu = on_cpu(&plan.checked()?, &|| {})?.baseline()?;
    debug_assert!(gpu.series.iter().all(|s| s.role == Role::Fit));
    Ok(gpu)
}
