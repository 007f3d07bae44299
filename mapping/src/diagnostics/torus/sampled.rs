//! The same curvature by Monte Carlo, for sides beyond the reach of transfer matrices.

use std::f64::consts::PI;
use std::ops::ControlFlow;

use ceas_sim::beta::Beta;
use ceas_sim::exact::kaufman;
use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::memory;
use ceas_sim::plan::Plan;
use ceas_sim::run::Run;
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::statistics::Estimate;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::Topology;
use ceas_sim::update::SwendsenWang;
use rayon::prelude::*;

use super::modes::{Modes, Triple, triples};
use crate::error::Error;

/// How long a torus is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Independent replicas, 4 or more: errors come from their scatter.
    pub replicas: usize,
    /// Configurations that each is looked at.
    pub samples: u64,
    /// Sweeps of clusters from one to the next.
    pub interval: u64,
    /// Seed of the streams.
    pub seed: u64,
}

/// A curvature with its error, and the two sums it is a difference of: R = ¼ (`full` − `trace`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampled {
    /// R.
    pub curvature: Estimate,
    /// T_abc T^abc.
    pub full: Estimate,
    /// T_a T^a.
    pub trace: Estimate,
}

/// Sweeps before the first look: clusters forget their start within ten or so at these sides.
const THERMALIZATION: u64 = 200;

/// [`super::curvature`] of an L × L torus from Swendsen–Wang configurations.
///
/// The family has 2n couplings, n = L², and (2n)³/6 third cumulants. Translations leave those with k₁ + k₂ + k₃ = 0 among the Fourier modes of
/// horizontal and vertical bonds, inversion makes them real, and ⟨B⟩ is exact (Kaufman). What is summed are squares of noisy numbers: they are
/// taken as products of *different* replicas, which are unbiased; the metric is that of all replicas, and what bias that leaves (of order
/// 1/samples) the jackknife over replicas removes. Per look it takes O(n²/12) steps, and memory as many numbers × 8 × replicas: this, not the
/// error, ends it, for the relative error of R grows slowly with n.
///
/// ```
/// use ceas_mapping::diagnostics::torus::{self, Effort};
/// use ceas_sim::beta::Beta;
/// let beta = Beta::new(0.3).unwrap();
/// let effort = Effort { replicas: 8, samples: 2000, interval: 5, seed: 0 };
/// let r = torus::sampled(3, beta, &effort, &|| ()).unwrap().curvature;
/// let exact = torus::curvature(3, beta).unwrap();
/// assert!((r.mean - exact).abs() < 9.0 * r.error && r.error < 0.1 * exact.abs());
/// ```
///
/// # Errors
/// [`Error::Rows`] for a side below 3, fewer than 4 replicas, no sample, or so few that the metric is not positive definite; [`Error::Sim`] if
/// the memory cannot be had.
pub fn sampled(
    side: usize,
    beta: Beta,
    effort: &Effort,
    progress: &(dyn Fn() + Sync),
) -> Result<Sampled, Error> {
    let refuse = |violated: String| Error::Rows { what: "the sampled curvature of a torus", violated };
    if side < 3 {
        return Err(refuse(format!("side {side}: below 3 bonds coincide")));
    }
    if effort.replicas < 4 || effort.samples == 0 {
        return Err(refuse(format!(
            "{} replicas of {} samples: at least 4 of at least 1 are needed",
            effort.replicas, effort.samples
        )));
    }
    let model = Hamiltonian::ferromagnet(Topology::square(side)?);
    let n = (side * side) as u64;
    let numbers = (n * n / 12 + 2 * n).saturating_mul(8 * 8).saturating_mul(effort.replicas as u64);
    memory::check("the third cumulants of a torus", side, numbers)?;
    let kinds = triples(side);
    let mean = -0.5 * kaufman::Torus::new(side, side)?.energy(beta);
    let replicas: Result<Vec<Sums>, Error> = (0..effort.replicas)
        .into_par_iter()
        .map(|replica| {
            let sums = sample(&model, side, mean, beta, &kinds, effort, replica as u64);
            progress();
            sums
        })
        .collect();
    let replicas = replicas?;
    let all: Vec<usize> = (0..replicas.len()).collect();
    let whole = invariants(&replicas, &all, &kinds).ok_or_else(|| {
        refuse("the sampled metric is not positive definite: more samples are needed".into())
    })?;
    let left_out: Option<Vec<[f64; 2]>> = (0..replicas.len())
        .into_par_iter()
        .map(|out| {
            let others: Vec<usize> = all.iter().copied().filter(|&i| i != out).collect();
            invariants(&replicas, &others, &kinds)
        })
        .collect();
    let left_out = left_out.ok_or_else(|| {
        refuse(
            "the sampled metric without one replica is not positive definite: more samples are needed".into(),
        )
    })?;
    let estimate = |f: &dyn Fn(&[f64; 2]) -> f64| {
        let count = left_out.len() as f64;
        let values: Vec<f64> = left_out.iter().map(f).collect();
        let average = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|x| (x - average) * (x - average)).sum();
        Estimate {
            mean: count * f(&whole) - (count - 1.0) * average,
            error: libm::sqrt((count - 1.0) / count * squares),
        }
    };
    Ok(Sampled {
        curvature: estimate(&|[full, trace]| 0.25 * (full - trace)),
        full: estimate(&|[full, _]| *full),
        trace: estimate(&|[_, trace]| *trace),
    })
}

/// Averages over the samples of one replica.
struct Sums {
    /// φ_h(0) and φ_v(0): 0 but for noise, for ⟨B⟩ is exact.
    zero: [f64; 2],
    /// ⟨φ_μ(k) φ_ν(k)*⟩ for every k: hh, hv, vv.
    metric: Vec<[f64; 3]>,
    /// ⟨φ_λ(0) φ_μ(k) φ_ν(k)*⟩ for every k: λ = h, then λ = v, of hh, hv, vv.
    trace: Vec<[[f64; 3]; 2]>,
    /// ⟨φ_μ(a) φ_ν(b) φ_λ(c)⟩ for every triple, at 4μ + 2ν + λ.
    third: Vec<[f64; 8]>,
}

fn sample(
    model: &Hamiltonian,
    side: usize,
    mean: f64,
    beta: Beta,
    kinds: &[Triple],
    effort: &Effort,
    replica: u64,
) -> Result<Sums, Error> {
    let n = side * side;
    let update = SwendsenWang::new(model)?;
    let start = Spins::random(n, &mut Stream::new(effort.seed, Purpose::Initial, replica, 0));
    let streams = Streams::new(effort.seed, Purpose::Update, replica, update.blocks());
    let mut run = Run::new(model, start, update, Schedule::Constant(beta), streams);
    let mut modes = Modes::new(side, mean);
    let mut sums = Sums {
        zero: [0.0; 2],
        metric: vec![[0.0; 3]; n],
        trace: vec![[[0.0; 3]; 2]; n],
        third: vec![[0.0; 8]; kinds.len()],
    };
    let interval = effort.interval.max(1);
    let plan = Plan {
        thermalization: THERMALIZATION,
        sweeps: effort.samples.saturating_mul(interval),
        every: interval,
    };
    run.drive(&plan, |run| {
        modes.of(run.state().as_slice());
        modes.add_pairs(&mut sums.zero, &mut sums.metric, &mut sums.trace);
        modes.add_triples(kinds, &mut sums.third);
        ControlFlow::Continue(())
    });
    let scale = 1.0 / effort.samples as f64;
    sums.zero.iter_mut().for_each(|x| *x *= scale);
    sums.metric.as_flattened_mut().iter_mut().for_each(|x| *x *= scale);
    sums.trace.as_flattened_mut().as_flattened_mut().iter_mut().for_each(|x| *x *= scale);
    sums.third.as_flattened_mut().iter_mut().for_each(|x| *x *= scale);
    Ok(sums)
}

/// L⁻¹ of a metric L Lᵀ, lower triangular: [0][0], [1][0], [1][1].
type Whitener = [f64; 3];

/// Makes the h and the v component of one index whiten: x_h ← w₀ x_h, x_v ← w₁ x_h + w₂ x_v.
fn whiten<const SIZE: usize>(x: &mut [f64; SIZE], stride: usize, w: &Whitener) {
    for at in (0..SIZE).filter(|at| at & stride == 0) {
        let (h, v) = (x[at], x[at + stride]);
        x[at] = w[0] * h;
        x[at + stride] = w[1] * h + w[2] * v;
    }
}

/// [T_abc T^abc, T_a T^a] of some replicas together; `None` if their metric is not positive definite.
fn invariants(replicas: &[Sums], some: &[usize], kinds: &[Triple]) -> Option<[f64; 2]> {
    let count = some.len() as f64;
    let modes = replicas[0].metric.len();
    let whiteners: Option<Vec<Whitener>> = (0..modes)
        .map(|k| {
            let [hh, hv, vv] =
                [0, 1, 2].map(|i| some.iter().map(|&r| replicas[r].metric[k][i]).sum::<f64>() / count);
            let first = libm::sqrt(hh);
            let cross = hv / first;
            let second = libm::sqrt(vv - cross * cross);
            (first > 0.0 && second > 0.0).then(|| [1.0 / first, -cross / (first * second), 1.0 / second])
        })
        .collect();
    let whiteners = whiteners?;
    // Products of different replicas: (Σx)² − Σx², over their number.
    let pairs = count * (count - 1.0);
    let mut full = 0.0;
    for (triple, kind) in kinds.iter().enumerate() {
        let mut sum = [0.0; 8];
        let mut squares = 0.0;
        for &replica in some {
            let mut x = replicas[replica].third[triple];
            for (stride, k) in [(4, kind.a), (2, kind.b), (1, kind.c)] {
                whiten(&mut x, stride, &whiteners[k as usize]);
            }
            for (sum, x) in sum.iter_mut().zip(&x) {
                *sum += x;
                squares += x * x;
            }
        }
        full += kind.weight * (sum.iter().map(|x| x * x).sum::<f64>() - squares) / pairs;
    }
    let mut sum = [0.0; 2];
    let mut squares = 0.0;
    for &replica in some {
        let mut t = [0.0; 2];
        for (k, w) in whiteners.iter().enumerate() {
            // Σ_β w_β w_β of a symmetric 2 × 2: the trace of W X Wᵀ.
            let contracted = |[hh, hv, vv]: [f64; 3]| {
                (w[0] * w[0] + w[1] * w[1]) * hh + 2.0 * w[1] * w[2] * hv + w[2] * w[2] * vv
            };
            for (t, x) in t.iter_mut().zip(replicas[replica].trace[k]) {
                *t += contracted(x);
            }
        }
        // Σ_k of the whitened metric is 2n: what φ(0) is off its mean of 0 need not be multiplied by it.
        for (t, zero) in t.iter_mut().zip(replicas[replica].zero) {
            *t -= 2.0 * modes as f64 * zero;
        }
        whiten(&mut t, 1, &whiteners[0]);
        for (sum, t) in sum.iter_mut().zip(&t) {
            *sum += t;
            squares += t * t;
        }
    }
    let trace = (sum.iter().map(|t| t * t).sum::<f64>() - squares) / pairs;
    Some([full, trace])
}

/// Phase of half a step: e^(−iπk/L).
pub(super) fn half_step(k: usize, side: usize) -> (f64, f64) {
    let angle = PI * k as f64 / side as f64;
    (libm::cos(angle), -libm::sin(angle))
}
