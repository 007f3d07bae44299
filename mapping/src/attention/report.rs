//! What is reported of one head: its thermodynamics, and what was measured beside its law.

use ceas_sim::activity::Activity;
use ceas_sim::statistics::{Autocorrelation, Estimate};
use serde::Serialize;

use super::plug_in::expected_divergence;
use super::sample::{HeadSample, RowSample};
use super::sampler::Sampler;
use super::summary::median;
use super::thermometry::{freezing_point, specific_heat_peak};

/// The error of a head after so many samples of the same draws.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Read-outs per query.
    pub samples: u64,
    /// √(Σ_i |ô_i − o_i|² / Σ_i |o_i|²) over the queries i.
    pub rel_error: f64,
    /// Standard error of it from the sampling.
    pub rel_error_error: f64,
    /// What the law of the samples says: √(2τ_int ΣV_i/(S Σ|o_i|²)).
    pub rel_error_predicted: f64,
}

/// Thermodynamics and sampling of one head. Means are over its queries; energies are in units of q·k, entropies in nats.
///
/// A number that does not exist for the head (such as β* where all scores of a row are equal) is NaN, and `null` in JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeadReport {
    /// Layer, counted from 0.
    pub layer: usize,
    /// Head within the layer, counted from 0.
    pub head: usize,
    /// Most keys that a query sees.
    pub n: usize,
    /// d_head.
    pub d: usize,
    /// β of the law.
    pub beta: f64,
    /// Mean entropy H of the rows at β.
    pub entropy: f64,
    /// e^(mean H): effective number of keys.
    pub n_eff: f64,
    /// Entropy of the mean row less the mean entropy of the rows: how much a key tells about who asked for it.
    pub information: f64,
    /// Standard deviation of the scores over the visible keys of one query; median over the queries that see at least two.
    pub sigma: f64,
    /// β* = √(2 mean H)/σ.
    pub beta_star: f64,
    /// β_c = √(2 mean ln N)/σ: freezing point of a random energy model of the same size and spread.
    pub beta_c: f64,
    /// β where the mean specific heat of the rows peaks; NaN if that is not within 0.15 … 2 β_c.
    pub beta_peak: f64,
    /// Mean specific heat β² Var_p\[s\] of the rows at β.
    pub specific_heat: f64,
    /// √(Σ_i |ô_i − o_i|² / Σ_i |o_i|²).
    pub rel_error: f64,
    /// Standard error of `rel_error` from the sampling (rows are sampled independently).
    pub rel_error_error: f64,
    /// √(Σ_i 2τ_i V_i/S / Σ_i |o_i|²); for a chain with the exact variance of its mean.
    pub rel_error_predicted: f64,
    /// Σ|ô − o|² over its expectation: 1 if the samples follow their law.
    pub variance_ratio: Estimate,
    /// Mean divergence of the empirical rows from the law, in nats.
    pub kl: f64,
    /// What it would be for independent draws, rare states included (NaN for a chain): [`expected_divergence`].
    pub kl_expected: f64,
    /// (K − 1)/(2S), the same for many samples of every state: too large while rare states are not seen.
    pub kl_asymptotic: f64,
    /// τ_int of the score of the state, in read-outs: ½ for independent draws; for chains measured from all of them together, each about its
    /// exact mean, so that a row counts by the variance of its score (NaN with fewer than 4 read-outs).
    pub tau_int: f64,
    /// Standard error of `tau_int`; 0 for independent draws, where it is exact.
    pub tau_int_error: f64,
    /// The exact τ_int of the same quantity with the same weights, from the spectrum of the chain.
    pub tau_int_exact: f64,
    /// The exact τ_int of the value rows, weighted by V: it sets the error of the output.
    pub tau_int_value: f64,
    /// Read-outs per query for a relative error of 10 %, were they taken in this way.
    pub samples_10_percent: f64,
    /// The same for 5 %.
    pub samples_5_percent: f64,
    /// The same for 1 %.
    pub samples_1_percent: f64,
    /// (ln Ẑ − ln Z)/its error over the rows: mean and standard error. Races only.
    pub ln_z_deviation: Option<Estimate>,
    /// Error against number of samples.
    pub curve: Vec<CurvePoint>,
    /// All events of the head.
    pub activity: Activity,
}

impl HeadReport {
    /// Reports on the samples of the head at (`layer`, `head`).
    pub fn new(layer: usize, head: usize, sample: &HeadSample) -> Self {
        let rows = &sample.rows;
        let s = f64::from(sample.sampling.samples.get());
        let count = rows.len() as f64;
        let mean = |f: &dyn Fn(&RowSample) -> f64| rows.iter().map(f).sum::<f64>() / count;
        let states = |row: &RowSample| row.row.spin.states() as f64;
        let entropy = mean(&|row| row.row.law.entropy());
        let sigma =
            median(rows.iter().filter(|row| row.row.spin.states() > 1).map(|row| row.row.sigma).collect());
        let beta_c = freezing_point(mean(&|row| libm::log(states(row))), sigma);
        let peak = specific_heat_peak(rows.iter().map(|row| &row.row.spin), beta_c);
        let curve: Vec<CurvePoint> = (0..sample.levels.len()).map(|level| point(sample, level)).collect();
        let last = *curve.last().expect("there is at least one sample");
        let signal: f64 = rows.iter().map(|row| row.row.signal).sum();
        let tau_int_value =
            weighted(rows, |row| row.row.variance, |row| row.chain.as_ref().map(|c| c.tau_value));
        let tau_int_exact = weighted(
            rows,
            |row| row.row.law.energy_variance(),
            |row| row.chain.as_ref().map(|c| c.tau_score),
        );
        let noise = 2.0 * tau_int_value * rows.iter().map(|row| row.row.variance).sum::<f64>();
        let samples_for = |error: f64| (noise / (error * error * signal)).ceil();
        let fresh = !matches!(sample.sampling.sampler, Sampler::Metropolis(_));
        let tau_int = if fresh { Estimate { mean: 0.5, error: 0.0 } } else { measured_tau(rows) };
        Self {
            layer,
            head,
            n: rows.iter().map(|row| row.row.spin.states()).max().unwrap_or(0),
            d: sample.d_head,
            beta: sample.sampling.beta.value(),
            entropy,
            n_eff: libm::exp(entropy),
            information: mean_row_entropy(rows) - entropy,
            sigma,
            beta_star: finite(freezing_point(entropy, sigma)),
            beta_c: finite(beta_c),
            beta_peak: peak.map_or(f64::NAN, |peak| peak.beta),
            specific_heat: mean(&|row| row.row.law.specific_heat()),
            rel_error: last.rel_error,
            rel_error_error: last.rel_error_error,
            rel_error_predicted: last.rel_error_predicted,
            variance_ratio: ratio(sample),
            kl: mean(&|row| row.divergence),
            kl_expected: if fresh {
                mean(&|row| expected_divergence(row.row.law.probabilities(), s))
            } else {
                f64::NAN
            },
            kl_asymptotic: mean(&|row| (states(row) - 1.0) / (2.0 * s)),
            tau_int: tau_int.mean,
            tau_int_error: tau_int.error,
            tau_int_exact,
            tau_int_value,
            samples_10_percent: samples_for(0.1),
            samples_5_percent: samples_for(0.05),
            samples_1_percent: samples_for(0.01),
            ln_z_deviation: ln_z_deviation(rows),
            curve,
            activity: sample.activity,
        }
    }
}

/// Entropy of the mean of the exact rows.
fn mean_row_entropy(rows: &[RowSample]) -> f64 {
    let mut mean = vec![0.0; rows.first().map_or(0, |row| row.counts.len())];
    for row in rows {
        mean.iter_mut().zip(row.row.law.probabilities()).for_each(|(sum, p)| *sum += p / rows.len() as f64);
    }
    mean.iter().filter(|p| **p > 0.0).map(|&p| -p * libm::log(p)).sum()
}

/// A number, or NaN for one that does not exist.
fn finite(x: f64) -> f64 {
    if x.is_finite() { x } else { f64::NAN }
}

/// Mean τ_int over the rows, weighted by what varies; ½ where the samples are independent or nothing varies.
fn weighted(
    rows: &[RowSample],
    weight: impl Fn(&RowSample) -> f64,
    tau: impl Fn(&RowSample) -> Option<f64>,
) -> f64 {
    let total: f64 = rows.iter().map(&weight).sum();
    let sum: f64 = rows.iter().map(|row| weight(row) * tau(row).unwrap_or(0.5)).sum();
    if total > 0.0 { sum / total } else { 0.5 }
}

/// τ_int of the scores of all chains together.
///
/// The error of [`Autocorrelation`] takes all series for equally long pieces of one. Rows differ: with x = variance · τ of a row, the
/// pooled τ rests on (Σx)²/Σx² of the R rows, and its error grows by √(R Σx²)/Σx.
fn measured_tau(rows: &[RowSample]) -> Estimate {
    let series: Vec<&[f64]> =
        rows.iter().filter_map(|row| row.chain.as_ref()).map(|chain| chain.scores.as_slice()).collect();
    match Autocorrelation::of(&series) {
        Ok(analysis) => {
            let share = |row: &RowSample| {
                row.row.law.energy_variance() * row.chain.as_ref().map_or(0.0, |chain| chain.tau_score)
            };
            let (sum, squares) = rows.iter().map(share).fold((0.0, 0.0), |(a, b), x| (a + x, b + x * x));
            let uneven = if sum > 0.0 { (rows.len() as f64 * squares).sqrt() / sum } else { 1.0 };
            Estimate { mean: analysis.tau_int.mean, error: analysis.tau_int.error * uneven }
        }
        Err(_) => Estimate { mean: f64::NAN, error: f64::NAN },
    }
}

/// Error and predicted error at one number of samples.
fn point(sample: &HeadSample, level: usize) -> CurvePoint {
    let rows = &sample.rows;
    let signal: f64 = rows.iter().map(|row| row.row.signal).sum();
    let measured: f64 = rows.iter().map(|row| row.squared_errors[level]).sum();
    let predicted: f64 = rows.iter().map(|row| row.predicted[level]).sum();
    let rel_error = (measured / signal).sqrt();
    CurvePoint {
        samples: sample.levels[level],
        rel_error,
        rel_error_error: if measured > 0.0 { 0.5 * rel_error * scatter(rows, level) / measured } else { 0.0 },
        rel_error_predicted: (predicted / signal).sqrt(),
    }
}

/// Standard error of Σ_i |ô_i − o_i|²: under the law each row deviates from its own expectation independently.
fn scatter(rows: &[RowSample], level: usize) -> f64 {
    rows.iter().map(|row| (row.squared_errors[level] - row.predicted[level]).powi(2)).sum::<f64>().sqrt()
}

/// Σ|ô − o|² over its expectation, after all samples.
fn ratio(sample: &HeadSample) -> Estimate {
    let level = sample.levels.len() - 1;
    let expected: f64 = sample.rows.iter().map(|row| row.predicted[level]).sum();
    let measured: f64 = sample.rows.iter().map(|row| row.squared_errors[level]).sum();
    Estimate { mean: measured / expected, error: scatter(&sample.rows, level) / expected }
}

/// Mean deviation of ln Ẑ from ln Z in units of its error.
fn ln_z_deviation(rows: &[RowSample]) -> Option<Estimate> {
    let deviations: Vec<f64> = rows
        .iter()
        .filter_map(|row| row.partition.map(|z| (z.ln_z - row.row.law.ln_z()) / z.error))
        .collect();
    let count = deviations.len() as f64;
    (!deviations.is_empty())
        .then(|| Estimate { mean: deviations.iter().sum::<f64>() / count, error: 1.0 / count.sqrt() })
}
