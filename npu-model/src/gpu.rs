//! A GPU that computes exact attention: achieved throughput, a roofline, launch latency, and energy as an interval.
//!
//! ```text
//! T(n) = T_inf / (1 + n_half/n)                       achieved FLOP/s at length n, fitted for one head dimension
//! t    = t_launch + max(F / (T·u), Q / (0.9·BW))      F = 2·(MACs), Q bytes moved, u share of multiprocessors at work
//! E in [P_idle·t + F·e_F + Q·e_B ,  TDP·t]            geometric mean in the middle
//! ```
//!
//! FlashAttention: arXiv:2205.14135, arXiv:2407.08608. Other GPUs, decode with a KV cache, fp8 and measured baselines are not
//! modelled yet.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cost::Cost;
use crate::error::Error;
use crate::interval::Interval;
use crate::provenance::{Evidence, Fact, Known};
use crate::units::{
    Bytes, BytesPerSecond, Flops, FlopsPerSecond, Joules, JoulesPerByte, JoulesPerFlop, Seconds, Watts,
};
use crate::workload::Workload;

mod read;
mod series;

pub use series::Series;

const H100: &str = include_str!("../baselines/h100_sxm.toml");

/// Share of the peak bandwidth that kernels reach.
const REACHED_BANDWIDTH: f64 = 0.9;

/// Queries that one thread block of the kernel works on.
const TILE: u64 = 128;

/// By how much the fits overstate a second laboratory's measurement at worst (its series is a hold-out, never fitted).
const HOLD_OUT: f64 = 0.12;

/// Whether the work runs by itself or as one of many like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    /// By itself: every layer is a launch, and few heads leave multiprocessors idle.
    Alone,
    /// In a stream of work like it that fills the machine: launches vanish behind work.
    Filled,
}

/// A GPU baseline: everything its file states.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gpu {
    /// Short name.
    pub id: String,
    /// What it is.
    pub name: String,
    /// Peak throughput; an upper bound, never an estimate.
    pub peak: Known<FlopsPerSecond>,
    /// Peak memory bandwidth.
    pub bandwidth: Known<BytesPerSecond>,
    /// Level-2 cache in bytes.
    pub l2_bytes: Fact<f64>,
    /// Multiprocessors.
    pub multiprocessors: Fact<u64>,
    /// Thermal design power.
    pub tdp: Known<Watts>,
    /// Power when idle.
    pub idle: Known<Watts>,
    /// Latency of one launch.
    pub launch: Known<Seconds>,
    /// Least energy of an operation.
    pub flop: Known<JoulesPerFlop>,
    /// Least energy of moving a byte.
    pub byte: Known<JoulesPerByte>,
    /// Achieved throughput.
    pub series: Vec<Series>,
    /// What a reader of its results has to know.
    pub notes: Vec<String>,
}

/// What a GPU needs for a piece of work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GpuCost {
    /// Time and energy.
    pub cost: Cost,
    /// Name of the fit used.
    pub fit: String,
    /// Why the fit does not quite apply; empty if it does.
    pub extrapolated: Vec<String>,
}

impl Gpu {
    /// The H100 SXM with FlashAttention-3.
    pub fn h100() -> Self {
        Self::from_toml("h100_sxm", H100).expect("the shipped baseline is read by a test")
    }

    /// Time and energy of exact attention.
    ///
    /// Energy: the low end is the component sum (idle power, arithmetic, memory), the high end TDP × time, the middle their
    /// geometric mean. Time: the high end allows the 12 % by which a second laboratory measured less than the fits say.
    pub fn price(&self, workload: &Workload, load: Load) -> GpuCost {
        let (fit, factors, extrapolated) = self.fit_for(workload);
        let shape = workload.shape;
        let tiles = workload.heads * shape.n_queries.div_ceil(TILE);
        let sms = self.multiprocessors.value;
        let busy = match load {
            Load::Alone => tiles as f64 / (tiles.div_ceil(sms) * sms) as f64,
            Load::Filled => 1.0,
        };
        let launches = match load {
            Load::Alone => workload.layers as f64,
            Load::Filled => 0.0,
        };
        let flops = Flops::new(workload.flops() as f64);
        let bytes = self.bytes(workload);
        let fitted = fit.throughput(shape.n_keys).value();
        let rate = factors.map(|f| FlopsPerSecond::new((fitted * f).min(self.peak.nominal().value()) * busy));
        let arithmetic = Interval::new(flops / rate[2], flops / rate[1], flops / rate[0]);
        let moved = bytes / BytesPerSecond::new(self.bandwidth.nominal().value() * REACHED_BANDWIDTH);
        let memory = Interval::exactly(moved);
        let launch = self.launch.range.scaled(launches);
        let time = launch + arithmetic.max(memory);

        let least = |t: Seconds| {
            let parts = [
                ("idle", self.idle.nominal() * t),
                ("arithmetic", self.flop.nominal() * flops),
                ("memory", self.byte.nominal() * bytes),
            ];
            let sum: Joules = parts.iter().map(|(_, e)| *e).sum();
            let board = self.tdp.nominal() * t;
            // Components cannot draw more than the board: where they would, their estimate is scaled down to it.
            let share = (board / sum).min(1.0);
            (parts.map(|(name, e)| (name, e * share)), sum * share)
        };
        let (parts, low) = least(time.low);
        let high = self.tdp.nominal() * time.high;
        let (_, mid_low) = least(time.mid);
        let mid = Joules::new((mid_low.value() * (self.tdp.nominal() * time.mid).value()).sqrt()).max(low);
        let mut energy_by: BTreeMap<&'static str, Interval<Joules>> =
            parts.into_iter().map(|(name, e)| (name, Interval::exactly(e))).collect();
        let rest = Interval::new(Joules::new(0.0), mid - low, high - low);
        energy_by.insert("up_to_tdp", rest);
        let mut time_by = BTreeMap::from([("arithmetic", arithmetic), ("memory", memory)]);
        if launches > 0.0 {
            time_by.insert("launch", launch);
        }
        let binds = if launch.mid > arithmetic.mid.max(memory.mid) {
            "launch"
        } else if arithmetic.mid >= memory.mid {
            "arithmetic"
        } else {
            "memory"
        };
        let cost = Cost {
            energy: Interval::new(low, mid, high),
            time,
            energy_by,
            time_by,
            pipelined: false,
            binds,
            energy_evidence: Evidence::Derived,
            time_evidence: if extrapolated.is_empty() { Evidence::Measured } else { Evidence::Derived },
        };
        GpuCost { cost, fit: fit.id.clone(), extrapolated }
    }

    /// Bytes through the memory: Q = 2 B · heads · (n_q (d + d_v) + r·n_k (d + d_v)).
    ///
    /// K and V are read once (r = 1) if those of the heads that are at work together fit into half of L2; otherwise once for every
    /// wave of tiles, r = ⌈⌈n_q/128⌉/multiprocessors⌉, since the tiles of a wave read the same keys at about the same time.
    fn bytes(&self, workload: &Workload) -> Bytes {
        let shape = workload.shape;
        let width = (shape.d_head + shape.d_value) as f64 * 2.0;
        let kv = shape.n_keys as f64 * width;
        let tiles = shape.n_queries.div_ceil(TILE);
        let together = self.multiprocessors.value.div_ceil(tiles).min(workload.heads);
        let resident = kv * together as f64 <= 0.5 * self.l2_bytes.value;
        let reads = if resident { 1.0 } else { tiles.div_ceil(self.multiprocessors.value) as f64 };
        Bytes::new(workload.all_heads() as f64 * (shape.n_queries as f64 * width + reads * kv))
    }

    /// The fit that applies, or stands in; throughput factors low, mid, high on it; and why it stands in.
    fn fit_for(&self, workload: &Workload) -> (&Series, [f64; 3], Vec<String>) {
        let shape = workload.shape;
        let d = shape.d_head.max(shape.d_value);
        let rank = |s: &&Series| {
            // The same causality first, then the next larger head dimension (kernels pad up), then the largest.
            (s.d_head < d, s.causal != shape.causal, s.d_head.abs_diff(d))
        };
        let fit = self.series.iter().filter(|s| s.fitted).min_by_key(rank);
        let fit = fit.expect("a baseline without a fit is refused when it is read");
        let mut why = Vec::new();
        let mut factors = [1.0 / (1.0 + HOLD_OUT), 1.0, 1.0 + fit.max_err];
        if fit.d_head != d {
            // Padding at worst costs the whole width; the softmax, whose cost does not shrink with d, costs part of it.
            let narrow = (d as f64 / fit.d_head as f64).min(1.0);
            factors[0] *= narrow;
            factors[1] *= narrow.sqrt();
            if d > fit.d_head {
                factors[0] *= 0.7;
            }
            why.push(format!("head dimension {d} by the fit of {}", fit.d_head));
        }
        if fit.causal != shape.causal {
            let wanted = if shape.causal { "causal" } else { "full" };
            why.push(format!("{wanted} attention by the fit of the other kind"));
            factors[0] *= 0.8;
        }
        let (shortest, longest) = (fit.seq.iter().min(), fit.seq.iter().max());
        if shortest.is_some_and(|&s| shape.n_keys < s) || longest.is_some_and(|&l| shape.n_keys > l) {
            let (low, high) = (shortest.unwrap_or(&0), longest.unwrap_or(&0));
            why.push(format!("n = {} outside the fitted {low} to {high}", shape.n_keys));
        }
        (fit, factors, why)
    }

    /// Reads a baseline from the text of its file; `file` names it in messages.
    ///
    /// # Errors
    /// [`Error::Toml`] and [`Error::Key`] as for devices; a fit must reproduce its own points within its stated error.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Error> {
        read::gpu(file, text)
    }
}
