//! The random energy model at finite N, measured: independent Gaussian rows, with and without a planted key.

use ceas_sim::beta::Beta;
use ceas_sim::statistics::Estimate;
use ceas_sim::stream::{Purpose, Stream};
use serde::Serialize;

use super::curve::{Curve, grid};
use super::planted::Planted;
use super::random_energy::RandomEnergy;
use super::rows::Rows;
use super::solve::fixed_point_of;
use crate::error::Error;

/// Points of the grids of β.
const POINTS: usize = 120;

/// `rows` rows of `keys` independent standard normal scores. Row i is a function of (seed, keys, i) alone.
///
/// # Errors
/// [`Error::Rows`] with fewer than 2 keys or without a row.
pub fn gaussian_rows(keys: usize, rows: usize, seed: u64) -> Result<Rows, Error> {
    if keys < 2 {
        return Err(Error::Rows {
            what: "a row of random scores",
            violated: format!("{keys} keys are too few: at least 2 are needed"),
        });
    }
    Rows::of_scores((0..rows).map(|row| {
        let mut stream = Stream::new(seed, Purpose::Instance, keys as u64, row as u64);
        (0..keys).map(|_| stream.normal()).collect::<Vec<f64>>()
    }))
}

/// The same with key 0 at `gap`.
///
/// # Errors
/// Those of [`gaussian_rows`].
pub fn planted_rows(keys: usize, rows: usize, gap: f64, seed: u64) -> Result<Rows, Error> {
    if keys < 2 {
        return gaussian_rows(keys, rows, seed);
    }
    Rows::of_scores((0..rows).map(|row| {
        let mut stream = Stream::new(seed, Purpose::Instance, keys as u64, row as u64);
        let mut scores: Vec<f64> = (0..keys).map(|_| stream.normal()).collect();
        scores[0] = gap;
        scores
    }))
}

/// What independent Gaussian rows of N keys show. Everything is averaged over rows before it is read off; errors are over rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FiniteSize {
    /// N.
    pub keys: usize,
    /// Rows averaged.
    pub rows: usize,
    /// β_c σ = √(2 ln N).
    pub beta_c: f64,
    /// β at the peak of C over β_c.
    pub peak_over_beta_c: Estimate,
    /// C at its peak (2 ln N in the limit, at β_c).
    pub specific_heat: Estimate,
    /// H at the peak over ln N.
    pub entropy_share: Estimate,
    /// Y₂ at the peak.
    pub participation: Estimate,
    /// H at β_c, in nats.
    pub entropy_at_beta_c: Estimate,
    /// Y₂ at 1, 1.5 and 2 β_c (limits: 0, ⅓, ½).
    pub participation_at: [Estimate; 3],
    /// The fixed point of β* = √(2H)/σ over β_c (limit: 1/√2), σ that of the law, not of the sample.
    pub fixed_point: f64,
}

impl FiniteSize {
    /// Measures `rows` rows of `keys` keys.
    ///
    /// # Errors
    /// Those of [`gaussian_rows`], and [`Error::Rows`] if C has no peak inside 0.05 to 5 β_c (only with next to no keys).
    pub fn measure(keys: usize, rows: usize, seed: u64) -> Result<Self, Error> {
        let set = gaussian_rows(keys, rows, seed)?;
        let beta_c = RandomEnergy { keys, sigma: 1.0 }.beta_c();
        let curve = Curve::new(&set, &grid(beta_c, POINTS));
        let none = |what| Error::Rows { what, violated: format!("not inside 0.05 to 5 β_c at N = {keys}") };
        let peak = curve.peak().ok_or_else(|| none("the peak of the specific heat"))?;
        let scaled = |e: Estimate| Estimate { mean: e.mean / beta_c, error: e.error / beta_c };
        let y2 = |times: f64| curve.participation_at(times * beta_c).ok_or_else(|| none("a multiple of β_c"));
        Ok(Self {
            keys,
            rows,
            beta_c,
            peak_over_beta_c: scaled(peak.beta),
            specific_heat: peak.specific_heat,
            entropy_share: peak.entropy_share,
            participation: peak.participation,
            entropy_at_beta_c: curve.entropy_at(beta_c).ok_or_else(|| none("β_c"))?,
            participation_at: [y2(1.0)?, y2(1.5)?, y2(2.0)?],
            fixed_point: fixed_point_of(&set, 1.0)?.value() / beta_c,
        })
    }
}

/// What Gaussian rows with a planted key show beside β₁.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlantedSize {
    /// The rows.
    pub planted: Planted,
    /// Rows averaged.
    pub rows: usize,
    /// β₁, where theory has one.
    pub beta_1: Option<f64>,
    /// β at which the mean weight of the planted key is ½.
    pub half_weight: f64,
    /// β at the peak of C.
    pub peak: Estimate,
    /// C there.
    pub specific_heat: Estimate,
}

impl PlantedSize {
    /// Measures `rows` rows whose planted key stands at `prominence` σ√(2 ln N).
    ///
    /// # Errors
    /// As [`FiniteSize::measure`].
    pub fn measure(keys: usize, rows: usize, prominence: f64, seed: u64) -> Result<Self, Error> {
        let beta_c = RandomEnergy { keys, sigma: 1.0 }.beta_c();
        let gap = prominence * beta_c;
        let set = planted_rows(keys, rows, gap, seed)?;
        let peak = Curve::new(&set, &grid(beta_c, POINTS)).peak().ok_or(Error::Rows {
            what: "the peak of the specific heat",
            violated: format!("not inside 0.05 to 5 β_c at N = {keys}, D = {gap}"),
        })?;
        // Key 0 has the score `gap`: its weight is e^(β(gap − s_max))/Σe^(β(s − s_max)).
        let weight = |beta: f64| {
            let beta = Beta::new(beta).expect("a multiple of β_c");
            let of = |row: usize| {
                let spin = set.spin(row);
                let state = set.state(row, beta);
                libm::exp(beta.value() * spin.gap(0) - state.ln_z_above)
            };
            (0..set.len()).map(of).sum::<f64>() / set.len() as f64
        };
        let (mut low, mut high) = (0.01 * beta_c, 20.0 * beta_c);
        for _ in 0..60 {
            let mid = libm::sqrt(low * high);
            if weight(mid) < 0.5 { low = mid } else { high = mid }
        }
        let planted = Planted { keys, gap, sigma: 1.0 };
        Ok(Self {
            planted,
            rows,
            beta_1: planted.beta_1(),
            half_weight: low,
            peak: peak.beta,
            specific_heat: peak.specific_heat,
        })
    }
}
