//! Inputs of a measurement, and how far an output is from attention in f64.

use ceas_sim::stream::{Purpose, Stream};
use rayon::prelude::*;
use serde::Serialize;

use super::Plan;

/// Queries that are compared where comparing all would take longer than measuring.
const CHECKED_ROWS: usize = 256;
/// Products in a full comparison that is still quick.
const FULL_CHECK: u64 = 1 << 27;

/// q, k and v of all heads, \[head, row, d\], iid standard Gaussian.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Rows of every head.
    pub n: usize,
    /// Head dimension.
    pub d: usize,
    /// Heads.
    pub heads: usize,
    /// Whether later keys are hidden.
    pub causal: bool,
    /// Queries.
    pub q: Vec<f32>,
    /// Keys.
    pub k: Vec<f32>,
    /// Values.
    pub v: Vec<f32>,
}

/// How far an output is from attention in f64 on the same inputs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Accuracy {
    /// ‖o − o*‖/‖o*‖ over the rows compared.
    pub relative_error: f64,
    /// Largest |o − o*| of a component.
    pub largest_error: f64,
    /// Rows compared, of all heads·n, evenly spread with the first and the last among them.
    pub rows: usize,
}

impl Problem {
    /// The inputs of a plan at one length: a function of the seed, the length and the shape.
    pub fn new(plan: &Plan, n: u64) -> Self {
        let count = (plan.heads * n * plan.d) as usize;
        let mut stream = Stream::new(plan.seed, Purpose::Instance, 7, n);
        let mut gaussian = || (0..count).map(|_| stream.normal() as f32).collect::<Vec<f32>>();
        Self {
            n: n as usize,
            d: plan.d as usize,
            heads: plan.heads as usize,
            causal: plan.causal,
            q: gaussian(),
            k: gaussian(),
            v: gaussian(),
        }
    }

    /// One row of attention in f64: o = Σ_j p_j v_j, p_j ∝ exp(q·k_j/√d) over the visible keys.
    pub fn exact_row(&self, row: usize) -> Vec<f64> {
        let (head, query) = (row / self.n, row % self.n);
        let d = self.d;
        let of = |all: &'_ [f32], j: usize| {
            let start = (head * self.n + j) * d;
            all[start..start + d].iter().map(|&x| f64::from(x)).collect::<Vec<f64>>()
        };
        let q = of(&self.q, query);
        let visible = if self.causal { query + 1 } else { self.n };
        let score =
            |j: usize| of(&self.k, j).iter().zip(&q).map(|(k, q)| k * q).sum::<f64>() / (d as f64).sqrt();
        let scores: Vec<f64> = (0..visible).map(score).collect();
        let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        let mut o = vec![0.0; d];
        for (j, s) in scores.iter().enumerate() {
            let p = (s - most).exp();
            sum += p;
            for (o, v) in o.iter_mut().zip(of(&self.v, j)) {
                *o += p * v;
            }
        }
        o.iter_mut().for_each(|o| *o /= sum);
        o
    }

    /// How far an output \[head, row, d\] is from attention in f64.
    pub fn accuracy(&self, output: &[f32]) -> Accuracy {
        let all = self.heads * self.n;
        let full = (all as u64).saturating_mul(self.n as u64).saturating_mul(self.d as u64) <= FULL_CHECK;
        let count = if full { all } else { CHECKED_ROWS.min(all) };
        let rows = (0..count).into_par_iter().map(|i| match count {
            1 => 0,
            _ => (i as u64 * (all as u64 - 1) / (count as u64 - 1)) as usize,
        });
        let compared = rows.map(|row| {
            let exact = self.exact_row(row);
            let found = &output[row * self.d..(row + 1) * self.d];
            exact.iter().zip(found).fold((0.0f64, 0.0f64, 0.0f64), |(off, size, worst), (e, f)| {
                let difference = (f64::from(*f) - e).abs();
                // A comparison that keeps NaN.
                let worst = if difference <= worst { worst } else { difference };
                (off + difference * difference, size + e * e, worst)
            })
        });
        let (off, size, worst) = compared
            .reduce(|| (0.0, 0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1, if a.2 >= b.2 { a.2 } else { b.2 }));
        Accuracy { relative_error: (off / size).sqrt(), largest_error: worst, rows: count }
    }
}
