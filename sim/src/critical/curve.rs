//! One size near its transition: U₄, ξ/L, ⟨m²⟩ and ⟨|m|⟩ as functions of β, from all its runs together.

use super::cell::{AVERAGES, Measured};
use crate::error::Error;
use crate::statistics::MultiHistogram;

/// What a curve gives at a β: U₄, ξ/L (not a number on a graph), ln⟨m²⟩, ln⟨|m|⟩.
pub const CURVES: usize = 4;
/// U₄ among [`CURVES`].
pub const BINDER: usize = 0;
/// ξ/L among [`CURVES`].
pub const LENGTH: usize = 1;
/// ln⟨m²⟩ among [`CURVES`].
pub const SQUARE: usize = 2;
/// ln⟨|m|⟩ among [`CURVES`].
pub const ABSOLUTE: usize = 3;

/// Chebyshev nodes of an interval.
const NODES: usize = 11;

/// A curve reaches this many standard deviations of the energy beyond the outermost β that was simulated.
const BEYOND: f64 = 1.0;

/// Chebyshev polynomials through reweighted averages on an interval of β.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    range: [f64; 2],
    coefficients: [[f64; NODES]; CURVES],
}

/// All runs of one size, and the same with each replica left out.
#[derive(Debug, Clone)]
pub struct SizeCurves {
    /// L, or N of a graph.
    pub size: usize,
    /// Number of sites.
    pub sites: usize,
    /// Of all replicas.
    pub all: Curve,
    /// Without replica 0, 1, 2, …
    pub left_out: Vec<Curve>,
}

impl Curve {
    pub(super) fn through(range: [f64; 2], mut at: impl FnMut(f64) -> [f64; CURVES]) -> Self {
        let angle = |k: usize| std::f64::consts::PI * (k as f64 + 0.5) / NODES as f64;
        let values: Vec<[f64; CURVES]> = (0..NODES)
            .map(|k| at(0.5 * (range[0] + range[1] + (range[1] - range[0]) * libm::cos(angle(k)))))
            .collect();
        let mut coefficients = [[0.0; NODES]; CURVES];
        for (which, row) in coefficients.iter_mut().enumerate() {
            for (order, c) in row.iter_mut().enumerate() {
                let sum: f64 =
                    (0..NODES).map(|k| values[k][which] * libm::cos(order as f64 * angle(k))).sum();
                *c = sum * if order == 0 { 1.0 } else { 2.0 } / NODES as f64;
            }
        }
        Self { range, coefficients }
    }

    /// The interval of β in which it may be asked.
    pub fn range(&self) -> [f64; 2] {
        self.range
    }

    /// Whether β is inside.
    pub fn covers(&self, beta: f64) -> bool {
        (self.range[0]..=self.range[1]).contains(&beta)
    }

    /// The value of one quantity, and its derivative by β.
    pub fn at(&self, which: usize, beta: f64) -> (f64, f64) {
        let half = 0.5 * (self.range[1] - self.range[0]);
        let u = (beta - 0.5 * (self.range[0] + self.range[1])) / half;
        // T_k and T_k' by their recurrence.
        let (mut t, mut next) = (1.0, u);
        let (mut dt, mut dnext) = (0.0, 1.0);
        let (mut value, mut slope) = (0.0, 0.0);
        for c in self.coefficients[which] {
            value += c * t;
            slope += c * dt;
            (t, next, dt, dnext) = (next, 2.0 * u * next - t, dnext, 2.0 * next + 2.0 * u * dnext - dt);
        }
        (value, slope / half)
    }
}

impl SizeCurves {
    /// From cells of one size, whose replicas of equal number are left out together.
    ///
    /// # Errors
    /// [`Error::Data`] as [`MultiHistogram::new`], or if the cells are none or have different numbers of replicas.
    pub fn new(cells: &[&Measured]) -> Result<Self, Error> {
        let refuse = |violated| Error::Data { what: "the curves of a size", violated };
        let first = cells.first().ok_or(refuse("there is no run of it"))?;
        let replicas = first.histograms().len();
        if cells.iter().any(|m| m.histograms().len() != replicas) {
            return Err(refuse("every β must have as many replicas as the others"));
        }
        let together = |m: &&Measured| {
            let mut all = crate::statistics::Histogram::default();
            m.histograms().for_each(|h| all.merge(h, 1.0));
            (m.theta(), all)
        };
        let totals: Vec<_> = cells.iter().map(together).collect();
        let pairs: Vec<_> = totals.iter().map(|(theta, h)| (*theta, h)).collect();
        let multi = MultiHistogram::new(&pairs)?;
        let betas = || cells.iter().map(|m| m.cell.beta.value());
        let (low, high) = (betas().fold(f64::INFINITY, f64::min), betas().fold(0.0, f64::max));
        let spread = |beta: f64| {
            let nearest = cells.iter().zip(&totals).find(|(m, _)| m.cell.beta.value() == beta);
            nearest.and_then(|(_, (_, h))| h.keys()).map_or(1.0, |(_, sigma)| sigma.max(1.0))
        };
        let key = first.key;
        let margin = |beta: f64| BEYOND / (spread(beta) * key.slope(beta));
        let range = [(low - margin(low)).max(0.5 * low), high + margin(high)];
        let shape = Shape::of(first);
        let curve = |multi: &MultiHistogram<AVERAGES>| {
            Curve::through(range, |beta| shape.values(&multi.averages(key.theta(beta))))
        };
        let left_out = (0..replicas)
            .map(|replica| {
                let mut without = multi.clone();
                for m in cells {
                    if let Some(h) = m.histograms().nth(replica) {
                        without.take(m.theta(), h);
                    }
                }
                without.settle();
                curve(&without)
            })
            .collect();
        Ok(Self { size: first.cell.size, sites: first.sites, all: curve(&multi), left_out })
    }

    /// The jackknife error of a function of the curve, and what it is of all data.
    pub fn jackknife(&self, f: impl Fn(&Curve) -> f64) -> (f64, f64) {
        let left: Vec<f64> = self.left_out.iter().map(&f).collect();
        (f(&self.all), libm::sqrt(jackknife_variance(&left)))
    }
}

/// (R − 1)/R Σ (θ_r − θ̄)².
pub(super) fn jackknife_variance(left_out: &[f64]) -> f64 {
    let r = left_out.len() as f64;
    let mean = left_out.iter().sum::<f64>() / r;
    (r - 1.0) / r * left_out.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>()
}

/// What turns averages into curves.
struct Shape {
    sites: f64,
    /// 1/(2 sin(π/L) L), or none without axes.
    length: Option<f64>,
}

impl Shape {
    fn of(measured: &Measured) -> Self {
        let size = measured.cell.size as f64;
        let has_axes = measured.samples.mean()[5] > 0.0;
        let wave = 2.0 * libm::sin(std::f64::consts::PI / size);
        Self { sites: measured.sites as f64, length: has_axes.then(|| 1.0 / (wave * size)) }
    }

    fn values(&self, [_, _, m, m2, m4, f]: &[f64; AVERAGES]) -> [f64; CURVES] {
        let length = self.length.map_or(f64::NAN, |scale| libm::sqrt(self.sites * m2 / f - 1.0) * scale);
        [1.0 - m4 / (3.0 * m2 * m2), length, libm::log(*m2), libm::log(*m)]
    }
}
