//! All heads together.

use ceas_sim::activity::Activity;
use serde::Serialize;

use super::report::HeadReport;
use ceas_sim::statistics::Estimate;

/// Quantiles of one quantity over the heads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    /// Smallest.
    pub min: f64,
    /// A tenth of the heads lies below.
    pub q10: f64,
    /// Half of the heads lies below.
    pub median: f64,
    /// Nine tenths of the heads lie below.
    pub q90: f64,
    /// Largest.
    pub max: f64,
}

impl Quantiles {
    /// Quantiles of the numbers that exist (are not NaN); all NaN if none does. Between two numbers they are interpolated linearly.
    ///
    /// ```
    /// use ceas_mapping::attention::Quantiles;
    /// assert_eq!(Quantiles::of([3.0, 1.0, f64::NAN, 2.0]).median, 2.0);
    /// ```
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().filter(|x| !x.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| match sorted.len() {
            0 => f64::NAN,
            count => {
                let place = share * (count - 1) as f64;
                let below = place.floor() as usize;
                let above = (below + 1).min(count - 1);
                // Equal neighbours are not interpolated: both may be infinite.
                if sorted[below] == sorted[above] {
                    sorted[below]
                } else {
                    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
                }
            }
        };
        Self { min: at(0.0), q10: at(0.1), median: at(0.5), q90: at(0.9), max: at(1.0) }
    }
}

/// The median, or NaN of nothing.
pub(super) fn median(values: Vec<f64>) -> f64 {
    Quantiles::of(values).median
}

/// All heads of a run together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Number of heads.
    pub heads: usize,
    /// Quantiles over the heads of the entropy H.
    pub entropy: Quantiles,
    /// … of N_eff = e^H.
    pub n_eff: Quantiles,
    /// … of σ.
    pub sigma: Quantiles,
    /// … of β*/β.
    pub beta_star_over_beta: Quantiles,
    /// … of β/β_c.
    pub beta_over_beta_c: Quantiles,
    /// … of β/β_peak.
    pub beta_over_beta_peak: Quantiles,
    /// … of the specific heat at β.
    pub specific_heat: Quantiles,
    /// … of the relative error.
    pub rel_error: Quantiles,
    /// … of the read-outs per query for a relative error of 10 %.
    pub samples_10_percent: Quantiles,
    /// … for 5 %.
    pub samples_5_percent: Quantiles,
    /// … for 1 %.
    pub samples_1_percent: Quantiles,
    /// … of τ_int in read-outs.
    pub tau_int: Quantiles,
    /// Σ rel_error² over Σ rel_error_predicted², over the heads: 1 if the samples follow their law.
    pub variance_ratio: Estimate,
    /// (`variance_ratio` − 1)/its error.
    pub variance_ratio_z: f64,
    /// √ of `variance_ratio`: measured over predicted error.
    pub error_ratio: Estimate,
    /// Mean of (ln Ẑ − ln Z)/error over all rows, with its standard error: 0 if races estimate Z without bias.
    pub ln_z_deviation: Option<Estimate>,
    /// Mean divergence of the empirical rows from their law over its expectation for independent draws.
    pub kl_over_expected: f64,
    /// All events.
    pub activity: Activity,
}

impl Summary {
    /// The summary of reports on heads.
    pub fn new(heads: &[HeadReport]) -> Self {
        let over = |f: &dyn Fn(&HeadReport) -> f64| Quantiles::of(heads.iter().map(f));
        // Weighted by what is expected, so that a head with next to no noise, where one rare draw is everything, counts for as little.
        let variance_ratio = ratio(heads);
        let root = variance_ratio.mean.sqrt();
        let deviations: Vec<Estimate> = heads.iter().filter_map(|head| head.ln_z_deviation).collect();
        let sum = |f: &dyn Fn(&HeadReport) -> f64| heads.iter().map(f).sum::<f64>();
        Self {
            heads: heads.len(),
            entropy: over(&|head| head.entropy),
            n_eff: over(&|head| head.n_eff),
            sigma: over(&|head| head.sigma),
            beta_star_over_beta: over(&|head| head.beta_star / head.beta),
            beta_over_beta_c: over(&|head| head.beta / head.beta_c),
            beta_over_beta_peak: over(&|head| head.beta / head.beta_peak),
            specific_heat: over(&|head| head.specific_heat),
            rel_error: over(&|head| head.rel_error),
            samples_10_percent: over(&|head| head.samples_10_percent),
            samples_5_percent: over(&|head| head.samples_5_percent),
            samples_1_percent: over(&|head| head.samples_1_percent),
            tau_int: over(&|head| head.tau_int),
            variance_ratio,
            variance_ratio_z: (variance_ratio.mean - 1.0) / variance_ratio.error,
            error_ratio: Estimate { mean: root, error: 0.5 * variance_ratio.error / root },
            ln_z_deviation: (!deviations.is_empty()).then(|| mean(&deviations)),
            kl_over_expected: sum(&|head| head.kl) / sum(&|head| head.kl_expected),
            activity: heads.iter().map(|head| head.activity).sum(),
        }
    }
}

/// Squared relative errors over what is expected of them; heads without a signal have none.
fn ratio(heads: &[HeadReport]) -> Estimate {
    let expected = |head: &HeadReport| head.rel_error_predicted.powi(2);
    let real: Vec<&HeadReport> =
        heads.iter().filter(|head| expected(head) > 0.0 && expected(head).is_finite()).collect();
    let total: f64 = real.iter().map(|head| expected(head)).sum();
    let over = |f: &dyn Fn(&HeadReport) -> f64| real.iter().map(|head| f(head)).sum::<f64>();
    Estimate {
        mean: over(&|head| expected(head) * head.variance_ratio.mean) / total,
        error: over(&|head| (expected(head) * head.variance_ratio.error).powi(2)).sqrt() / total,
    }
}

/// Mean of independent measurements.
fn mean(parts: &[Estimate]) -> Estimate {
    let count = parts.len() as f64;
    Estimate {
        mean: parts.iter().map(|part| part.mean).sum::<f64>() / count,
        error: parts.iter().map(|part| part.error.powi(2)).sum::<f64>().sqrt() / count,
    }
}
