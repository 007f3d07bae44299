//! From kernels to seconds and joules.

use std::collections::BTreeMap;

use serde::Serialize;

use super::kernel::{Attention, Kernel, ROWS, TILE, Work};
use super::series::Format;
use super::{Gpu, Power};
use crate::cost::Cost;
use crate::error::Error;
use crate::interval::Interval;
use crate::provenance::Evidence;
use crate::units::{Bytes, Flops, FlopsPerSecond, Joules, Seconds, Watts};

/// Whether the work runs by itself or as one of many like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    /// By itself: every kernel is launched, and few heads leave multiprocessors idle.
    Alone,
    /// By itself, recorded as a graph and replayed: launches cost less.
    Replayed,
    /// In a stream of work like it that fills the machine: launches vanish behind work.
    Filled,
}

/// What a machine needs for a piece of work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GpuCost {
    /// Time.
    pub time: Interval<Seconds>,
    /// Energy; `None` where nothing is known of the power.
    pub energy: Option<Interval<Joules>>,
    /// Parts of the energy, which sum to it at every end.
    pub energy_by: BTreeMap<&'static str, Interval<Joules>>,
    /// Where time goes: by what binds for a single kernel, by kind of kernel for several.
    pub time_by: BTreeMap<&'static str, Interval<Seconds>>,
    /// What sets the time: `arithmetic`, `memory` or `launch`.
    pub binds: &'static str,
    /// Grade of the time.
    pub time_evidence: Evidence,
    /// Grade of the energy.
    pub energy_evidence: Evidence,
    /// Name of the series used for attention, if there is attention.
    pub fit: String,
    /// Why it does not quite apply; empty if it does.
    pub extrapolated: Vec<String>,
}

impl GpuCost {
    /// The same as a device's cost; `None` where the energy is unknown.
    pub fn cost(&self) -> Option<Cost> {
        Some(Cost {
            energy: self.energy?,
            time: self.time,
            energy_by: self.energy_by.clone(),
            time_by: self.time_by.clone(),
            pipelined: false,
            binds: self.binds,
            energy_evidence: self.energy_evidence,
            time_evidence: self.time_evidence,
        })
    }
}

/// One kernel on a machine, once.
struct Run {
    flops: Flops,
    bytes: Bytes,
    arithmetic: Interval<Seconds>,
    memory: Interval<Seconds>,
    launch: Interval<Seconds>,
    /// Share of the kernel's best throughput that it reaches.
    utilisation: f64,
}

const NOTHING: Interval<Seconds> =
    Interval { low: Seconds::new(0.0), mid: Seconds::new(0.0), high: Seconds::new(0.0) };

impl Run {
    fn time(&self) -> Interval<Seconds> {
        self.launch + self.arithmetic.max(self.memory)
    }

    fn binds(&self) -> &'static str {
        if self.launch.mid > self.arithmetic.mid.max(self.memory.mid) {
            "launch"
        } else if self.arithmetic.mid >= self.memory.mid {
            "arithmetic"
        } else {
            "memory"
        }
    }
}

impl Gpu {
    /// Time and energy of kernels that run one after the other.
    ///
    /// # Errors
    /// [`Error::Workload`] if there is nothing to run, or the file states no throughput of matrix products and there are some.
    pub fn price_kernels(&self, kernels: &[Kernel], format: Format, load: Load) -> Result<GpuCost, Error> {
        if kernels.is_empty() {
            return Err(Error::Workload { reason: "nothing to run on the GPU".into() });
        }
        let mut total = Total::new();
        for kernel in kernels {
            let run = self.run(kernel, format, load, &mut total)?;
            total.add(self, kernel, &run);
        }
        Ok(total.finish(self, kernels.len() == 1))
    }

    fn run(&self, kernel: &Kernel, format: Format, load: Load, total: &mut Total) -> Result<Run, Error> {
        let flops = kernel.flops();
        let bytes = kernel.bytes(self, format);
        let mut utilisation = 1.0;
        let arithmetic = match kernel.work {
            Work::Attention(a) => {
                let fit = self.fit_for(&a, format);
                total.note(&fit.series.id, fit.why, fit.evidence);
                let fitted = fit.curve.throughput(a.shape.n_keys).value();
                // Nothing beats its peak, unless it was measured to.
                let seen = fit.series.achieved.iter().map(|t| t.value()).fold(0.0, f64::max);
                let most = self.peak.as_ref().map_or(f64::INFINITY, |p| p.nominal().value().max(seen));
                let busy = if load == Load::Filled { filled(&a) } else { filled(&a) * self.busy(&a) };
                utilisation = (fitted / fit.curve.t_inf.value() * busy).min(1.0);
                let rate = fit.factors.map(|f| FlopsPerSecond::new((fitted * f).min(most) * busy));
                Interval::new(flops / rate[2], flops / rate[1], flops / rate[0])
            }
            Work::Product(p) => {
                let Some(known) = &self.products else {
                    let reason = format!(
                        "baseline {} states no products_flops_per_s: it prices attention only",
                        self.id
                    );
                    return Err(Error::Workload { reason });
                };
                total.note("", Vec::new(), known.evidence);
                // Rows are padded to whole tiles. Eight-bit products run twice as fast, 32-bit ones are not modelled.
                let padded = p.rows.div_ceil(ROWS) as f64 * ROWS as f64 / p.rows as f64;
                let work = Flops::new(flops.value() * padded * format.bytes() / 2.0);
                known.range.map_falling(|rate| work / rate)
            }
            Work::Stream(_) => NOTHING,
        };
        let memory = match (&self.bandwidth, &self.reached) {
            (Some(bandwidth), Some(reached)) => {
                let share =
                    |s: f64| bytes / (crate::units::BytesPerSecond::new(bandwidth.nominal().value() * s));
                reached.range.map_falling(|s| share(s.value()))
            }
            _ => NOTHING,
        };
        let latency = match load {
            Load::Alone => self.launch.as_ref(),
            Load::Replayed => self.replay.as_ref().or(self.launch.as_ref()),
            Load::Filled => None,
        };
        let launch = latency.map_or(NOTHING, |l| l.range.scaled(kernel.launches as f64));
        Ok(Run { flops, bytes, arithmetic, memory, launch, utilisation })
    }

    /// Share of multiprocessors that have a tile to work on.
    fn busy(&self, a: &Attention) -> f64 {
        let Some(sms) = self.multiprocessors.as_ref().map(|m| m.value) else { return 1.0 };
        let group = a.heads / a.kv_heads.max(1);
        // Few queries are split over the keys instead.
        let tiles = if a.shape.n_queries * group < ROWS {
            a.sequences.saturating_mul(a.kv_heads).saturating_mul(a.shape.n_keys.div_ceil(2 * TILE))
        } else {
            a.sequences.saturating_mul(a.heads).saturating_mul(a.shape.n_queries.div_ceil(TILE))
        };
        let waves = tiles.div_ceil(sms).max(1);
        tiles as f64 / (waves as f64 * sms as f64)
    }
}

/// Share of a matrix unit's rows that one group of queries fills.
fn filled(a: &Attention) -> f64 {
    let rows = a.shape.n_queries.saturating_mul((a.heads / a.kv_heads.max(1)).max(1));
    (rows as f64 / ROWS as f64).min(1.0)
}

/// Sums over kernels.
struct Total {
    time: Interval<Seconds>,
    single: BTreeMap<&'static str, Interval<Seconds>>,
    parts: BTreeMap<&'static str, Interval<Seconds>>,
    by_bound: BTreeMap<&'static str, f64>,
    least: BTreeMap<&'static str, f64>,
    energy: [f64; 3],
    fit: String,
    why: Vec<String>,
    evidence: Evidence,
}

impl Total {
    fn new() -> Self {
        Self {
            time: NOTHING,
            single: BTreeMap::new(),
            parts: BTreeMap::new(),
            by_bound: BTreeMap::new(),
            least: BTreeMap::new(),
            energy: [0.0; 3],
            fit: String::new(),
            why: Vec::new(),
            evidence: Evidence::Metered,
        }
    }

    fn note(&mut self, fit: &str, why: Vec<String>, evidence: Evidence) {
        if self.fit.is_empty() {
            fit.clone_into(&mut self.fit);
        }
        self.why.extend(why);
        self.evidence = self.evidence.min(evidence);
    }

    fn add(&mut self, gpu: &Gpu, kernel: &Kernel, run: &Run) {
        let times = kernel.times as f64;
        let time = run.time();
        self.time = self.time + time.scaled(times);
        let parts = [("arithmetic", run.arithmetic), ("memory", run.memory), ("launch", run.launch)];
        for (name, part) in parts {
            if part.high.value() > 0.0 {
                self.single.insert(name, part.scaled(times));
            }
        }
        let work = run.arithmetic.max(run.memory);
        for (name, part) in [(kernel.part(), work), ("launch", run.launch)] {
            if part.high.value() > 0.0 {
                let sum = self.parts.entry(name).or_insert(NOTHING);
                *sum = *sum + part.scaled(times);
            }
        }
        *self.by_bound.entry(run.binds()).or_insert(0.0) += times * time.mid.value();
        match &gpu.power {
            Some(Power::Modelled(board)) => {
                let (tdp, idle) = (board.tdp.nominal(), board.idle.nominal());
                // Components cannot draw more than the board: where they would, their estimate is scaled down to it.
                let least = |t: Seconds| {
                    let parts: [(&'static str, Joules); 3] = [
                        ("idle", idle * t),
                        ("arithmetic", board.flop.nominal() * run.flops),
                        ("memory", board.byte.nominal() * run.bytes),
                    ];
                    let sum: Joules = parts.iter().map(|(_, e)| *e).sum();
                    let share = ((tdp * t) / sum).min(1.0);
                    (parts.map(|(name, e)| (name, e.value() * share)), sum.value() * share)
                };
                let (parts, low) = least(time.low);
                for (name, joules) in parts {
                    *self.least.entry(name).or_insert(0.0) += times * joules;
                }
                // Power rises from idle with the share of the best throughput that is reached; at the best it is what was seen.
                let (share, reached) = if run.arithmetic.mid >= run.memory.mid {
                    (&board.arithmetic, run.utilisation)
                } else {
                    (&board.memory, 1.0)
                };
                let full = Watts::new(tdp.value() * share.range.mid.value());
                let drawn = Watts::new(idle.value() + (full.value() - idle.value()).max(0.0) * reached);
                let seen = drawn * work.mid + idle * run.launch.mid;
                let (_, floor) = least(time.mid);
                let high = (tdp * time.high).value();
                let mid = seen.value().clamp(floor.max(low), (tdp * time.mid).value().max(low));
                for (sum, e) in self.energy.iter_mut().zip([low, mid, high]) {
                    *sum += times * e;
                }
            }
            Some(Power::Metered(power)) => {
                let energy =
                    [power.range.low * time.low, power.range.mid * time.mid, power.range.high * time.high];
                for (sum, e) in self.energy.iter_mut().zip(energy) {
                    *sum += times * e.value();
                }
            }
            None => {}
        }
    }

    fn finish(self, gpu: &Gpu, alone: bool) -> GpuCost {
        let [low, mid, high] = self.energy.map(Joules::new);
        let mut energy_by = BTreeMap::new();
        let (energy, energy_evidence) = match &gpu.power {
            Some(Power::Modelled(_)) => {
                for (name, joules) in &self.least {
                    energy_by.insert(*name, Interval::exactly(Joules::new(*joules)));
                }
                energy_by.insert("up_to_tdp", Interval::new(Joules::new(0.0), mid - low, high - low));
                (Some(Interval::new(low, mid, high)), Evidence::Derived.min(self.evidence))
            }
            Some(Power::Metered(power)) => {
                energy_by.insert("metered", Interval::new(low, mid, high));
                (Some(Interval::new(low, mid, high)), power.evidence)
            }
            None => (None, Evidence::Unstated),
        };
        let binds =
            self.by_bound.iter().max_by(|a, b| a.1.total_cmp(b.1)).map_or("launch", |(name, _)| *name);
        let mut why = self.why;
        why.sort();
        why.dedup();
        GpuCost {
            time: self.time,
            energy,
            energy_by,
            time_by: if alone { self.single } else { self.parts },
            binds,
            time_evidence: self.evidence,
            energy_evidence,
            fit: self.fit,
            extrapolated: why,
        }
    }
}
