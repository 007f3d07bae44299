//! H, C, Y₂ and ln Z of a head over a grid of β, and the three rules that find the crossover.

use ceas_sim::beta::Beta;
use ceas_sim::statistics::Estimate;
use serde::Serialize;

use super::rows::{Rows, state_of};

/// Most blocks of consecutive rows that errors are taken from: rows of one text that follow each other resemble each other.
const BLOCKS: usize = 20;

/// First and last β of [`grid`] in units of β_c.
const RANGE: (f64, f64) = (0.05, 5.0);

/// `points` ≥ 2 values of β in equal factors from 0.05 to 5 `beta_c`.
///
/// # Panics
/// If `points` < 2 or `beta_c` is not a finite number above 0.
pub fn grid(beta_c: f64, points: usize) -> Vec<Beta> {
    assert!(points >= 2 && beta_c.is_finite() && beta_c > 0.0, "a grid has two points or more around a β_c");
    let step = libm::log(RANGE.1 / RANGE.0) / (points - 1) as f64;
    (0..points)
        .map(|i| Beta::new(beta_c * RANGE.0 * libm::exp(step * i as f64)).expect("a finite multiple of β_c"))
        .collect()
}

/// Row averages over a grid of β.
#[derive(Debug, Clone)]
pub struct Curve {
    betas: Vec<f64>,
    blocks: Vec<Sums>,
}

/// Sums over some rows.
#[derive(Debug, Clone)]
struct Sums {
    rows: f64,
    ln_n: f64,
    /// For each β: H, C, Y₂, ln Σ e^(β(s − s̄)).
    at: Vec<[f64; 4]>,
}

/// Which quantity of a curve.
const ENTROPY: usize = 0;
const HEAT: usize = 1;
const PARTICIPATION: usize = 2;
const LN_Z: usize = 3;

/// One β of a curve; errors are from the scatter of blocks of consecutive rows, and NaN for a single row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Level {
    /// β.
    pub beta: f64,
    /// ln Σ_j e^(β(s_j − s̄)), s̄ the mean score of the row.
    pub ln_z: Estimate,
    /// H.
    pub entropy: Estimate,
    /// C.
    pub specific_heat: Estimate,
    /// Y₂.
    pub participation: Estimate,
}

/// The peak of the row-averaged specific heat.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Peak {
    /// β there.
    pub beta: Estimate,
    /// C there.
    pub specific_heat: Estimate,
    /// H there over the mean of ln N.
    pub entropy_share: Estimate,
    /// Y₂ there.
    pub participation: Estimate,
}

impl Curve {
    /// Looks at all rows at all β, which must ascend.
    ///
    /// # Panics
    /// If there are fewer than three β.
    pub fn new(rows: &Rows, betas: &[Beta]) -> Self {
        assert!(betas.len() >= 3, "a peak needs three points");
        let count = rows.len();
        let blocks = count.min(BLOCKS);
        let sums = |block: usize| {
            let (from, to) = (block * count / blocks, (block + 1) * count / blocks);
            let mut sums = Sums { rows: (to - from) as f64, ln_n: 0.0, at: vec![[0.0; 4]; betas.len()] };
            for row in from..to {
                let gaps = rows.gaps(row);
                let n = gaps.len() as f64;
                sums.ln_n += libm::log(n);
                let top = -gaps.iter().sum::<f64>() / n;
                for (at, beta) in sums.at.iter_mut().zip(betas) {
                    let b = beta.value();
                    let state = state_of(gaps, b);
                    at[ENTROPY] += state.entropy;
                    at[HEAT] += b * b * state.variance;
                    at[PARTICIPATION] += state.participation;
                    at[LN_Z] += state.ln_z_above + b * top;
                }
            }
            sums
        };
        Self { betas: betas.iter().map(|b| b.value()).collect(), blocks: (0..blocks).map(sums).collect() }
    }

    /// All blocks together, or all but one.
    fn total(&self, without: Option<usize>) -> Sums {
        let mut total = Sums { rows: 0.0, ln_n: 0.0, at: vec![[0.0; 4]; self.betas.len()] };
        for (_, block) in self.blocks.iter().enumerate().filter(|(i, _)| Some(*i) != without) {
            total.rows += block.rows;
            total.ln_n += block.ln_n;
            for (sum, part) in total.at.iter_mut().zip(&block.at) {
                sum.iter_mut().zip(part).for_each(|(a, b)| *a += b);
            }
        }
        total
    }

    /// A function of the averages with its jackknife error over the blocks; `None` if it does not exist for all rows together.
    fn estimate(&self, f: impl Fn(&Sums) -> Option<f64>) -> Option<Estimate> {
        let mean = f(&self.total(None))?;
        let left_out: Option<Vec<f64>> = (0..self.blocks.len()).map(|i| f(&self.total(Some(i)))).collect();
        let error = match left_out {
            Some(values) if values.len() > 1 => {
                let count = values.len() as f64;
                let average = values.iter().sum::<f64>() / count;
                let squares: f64 = values.iter().map(|x| (x - average) * (x - average)).sum();
                libm::sqrt((count - 1.0) / count * squares)
            }
            _ => f64::NAN,
        };
        Some(Estimate { mean, error })
    }

    /// Every β with its averages.
    pub fn levels(&self) -> Vec<Level> {
        let all = self.total(None);
        let without: Vec<Sums> = (0..self.blocks.len()).map(|i| self.total(Some(i))).collect();
        let of = |point: usize, which: usize| {
            let count = without.len() as f64;
            let mean = all.at[point][which] / all.rows;
            let parts: Vec<f64> = without.iter().map(|s| s.at[point][which] / s.rows).collect();
            let average = parts.iter().sum::<f64>() / count;
            let squares: f64 = parts.iter().map(|x| (x - average) * (x - average)).sum();
            let error = if parts.len() > 1 { libm::sqrt((count - 1.0) / count * squares) } else { f64::NAN };
            Estimate { mean, error }
        };
        self.betas
            .iter()
            .enumerate()
            .map(|(point, &beta)| Level {
                beta,
                ln_z: of(point, LN_Z),
                entropy: of(point, ENTROPY),
                specific_heat: of(point, HEAT),
                participation: of(point, PARTICIPATION),
            })
            .collect()
    }

    /// Rule 1: the peak of the row-averaged C, from a parabola in ln β through the highest point and its neighbours. `None` if the highest point
    /// is the first or the last.
    pub fn peak(&self) -> Option<Peak> {
        let found = |sums: &Sums| self.summit(sums);
        let ln_n = |sums: &Sums| sums.ln_n / sums.rows;
        let of = |which: usize| self.estimate(|sums| Some(self.value_at(sums, which, found(sums)?.0)));
        Some(Peak {
            beta: self.estimate(|sums| found(sums).map(|at| self.beta_at(at.0)))?,
            specific_heat: self.estimate(|sums| found(sums).map(|at| at.1))?,
            entropy_share: self.estimate(|sums| {
                let at = found(sums)?.0;
                Some(self.value_at(sums, ENTROPY, at) / ln_n(sums))
            })?,
            participation: of(PARTICIPATION)?,
        })
    }

    /// Rule 2: the β at which H falls to `share` of the mean ln N.
    pub fn entropy_falls_to(&self, share: f64) -> Option<Estimate> {
        self.estimate(|sums| {
            let target = share * sums.ln_n;
            self.crossing(|point| target - sums.at[point][ENTROPY])
        })
    }

    /// Rule 3: the β at which Y₂ rises to `level`.
    ///
    /// Curves of Y₂ of different N do not cross (at every β/β_c it falls with N), so that a level has to be named: the one that a random energy
    /// model of the same size has at its own peak.
    pub fn participation_rises_to(&self, level: f64) -> Option<Estimate> {
        self.estimate(|sums| self.crossing(|point| sums.at[point][PARTICIPATION] - level * sums.rows))
    }

    /// Values of Y₂ at a β inside the grid.
    pub fn participation_at(&self, beta: f64) -> Option<Estimate> {
        let at = self.place_of(beta)?;
        self.estimate(|sums| Some(self.value_at(sums, PARTICIPATION, at)))
    }

    /// H at a β inside the grid.
    pub fn entropy_at(&self, beta: f64) -> Option<Estimate> {
        let at = self.place_of(beta)?;
        self.estimate(|sums| Some(self.value_at(sums, ENTROPY, at)))
    }

    fn place_of(&self, beta: f64) -> Option<f64> {
        let place = (libm::log(beta) - libm::log(self.betas[0])) / self.step();
        (place >= 0.0 && place <= (self.betas.len() - 1) as f64).then_some(place)
    }

    fn step(&self) -> f64 {
        libm::log(self.betas[1] / self.betas[0])
    }

    /// β at a place between grid points.
    fn beta_at(&self, place: f64) -> f64 {
        self.betas[0] * libm::exp(place * self.step())
    }

    /// Place and height of the highest C.
    fn summit(&self, sums: &Sums) -> Option<(f64, f64)> {
        let heat = |point: usize| sums.at[point][HEAT] / sums.rows;
        let top = (0..self.betas.len()).max_by(|&a, &b| heat(a).total_cmp(&heat(b)))?;
        if top == 0 || top + 1 == self.betas.len() {
            return None;
        }
        let (left, mid, right) = (heat(top - 1), heat(top), heat(top + 1));
        let bend = left - 2.0 * mid + right;
        let shift = if bend < 0.0 { 0.5 * (left - right) / bend } else { 0.0 };
        Some((top as f64 + shift, mid - 0.25 * (left - right) * shift))
    }

    /// A quantity between grid points: the parabola through the three nearest.
    fn value_at(&self, sums: &Sums, which: usize, place: f64) -> f64 {
        let centre = (place.round() as usize).clamp(1, self.betas.len() - 2);
        let x = place - centre as f64;
        let at = |point: usize| sums.at[point][which] / sums.rows;
        let (left, mid, right) = (at(centre - 1), at(centre), at(centre + 1));
        mid + 0.5 * x * (right - left) + 0.5 * x * x * (left - 2.0 * mid + right)
    }

    /// β at which a function of the grid point first turns positive, linear in ln β between points.
    fn crossing(&self, f: impl Fn(usize) -> f64) -> Option<f64> {
        let above = (0..self.betas.len()).find(|&point| f(point) >= 0.0)?;
        let below = above.checked_sub(1)?;
        let (low, high) = (f(below), f(above));
        Some(self.beta_at(below as f64 - low / (high - low)))
    }
}
