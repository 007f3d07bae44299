//! What `ceas sweep --heads …` shows: heads, the finite random energy model, mean field on hyperbolic graphs.

mod figure;
mod hyperbolic;
mod sizes;
mod text;

use ceas_npu::mapping::attention::Quantiles;
use ceas_npu::mapping::criticality::{FiniteSize, GapCount, Level, Peak};
use ceas_npu::sim::statistics::Estimate;
use serde::Serialize;
use serde_json::{Value, json};

use super::panels::Panels;
use super::present::{Answer, command_line};
pub use hyperbolic::{Hyperbolic, HyperbolicRow};
pub use sizes::SizeTable;

/// One head over β. What does not exist for it is `None`.
pub struct SweptHead {
    /// Number of the layer.
    pub layer: usize,
    /// Head within the layer.
    pub head: usize,
    /// Most keys of a row.
    pub n: usize,
    /// d_head.
    pub d: usize,
    /// Rows averaged.
    pub rows: usize,
    /// Mean ln N.
    pub ln_n: f64,
    /// β₀.
    pub beta: f64,
    /// Typical σ.
    pub sigma: Option<f64>,
    /// √(2 ln N)/σ.
    pub beta_c: Option<f64>,
    /// H at β₀.
    pub entropy: f64,
    /// C at β₀.
    pub specific_heat: f64,
    /// Y₂ at β₀.
    pub participation: f64,
    /// Rule 1.
    pub peak: Option<Peak>,
    /// Rule 2.
    pub by_entropy: Option<Estimate>,
    /// Rule 3.
    pub by_participation: Option<Estimate>,
    /// Share of the rows whose highest key stands out of a random energy model.
    pub planted_share: f64,
    /// Median β₁ of those rows.
    pub beta_1: Option<f64>,
    /// Keys within 1/β₀ of the highest score.
    pub keys_within_kt: Estimate,
    /// N(g), g in the units of the scores.
    pub gap_count: Vec<GapCount>,
    /// The whole curve.
    pub levels: Vec<Level>,
}

impl SweptHead {
    /// β₀/β_peak.
    fn over_peak(&self) -> Option<f64> {
        self.peak.map(|peak| self.beta / peak.beta.mean)
    }
}

/// All heads of an input.
pub struct SweptHeads {
    /// Name of the model.
    pub model: String,
    /// Its text.
    pub text: String,
    /// Rows with fewer keys are left out.
    pub least: usize,
    /// Values of β.
    pub points: usize,
    /// Seed of the twins.
    pub seed: u64,
    /// Independent Gaussian rows of the same size.
    pub twin: FiniteSize,
    /// The heads.
    pub heads: Vec<SweptHead>,
    /// Heads with random weights.
    pub null: Vec<SweptHead>,
    /// What they are.
    pub null_is: String,
    /// Wall time of the sweep of `heads` and their twin.
    pub seconds: f64,
}

/// Share of heads within a factor of their peak, with the error of a share of so many heads.
fn within(heads: &[SweptHead], factor: f64) -> Estimate {
    let ratios: Vec<f64> = heads.iter().filter_map(SweptHead::over_peak).collect();
    let count = heads.len() as f64;
    let share = ratios.iter().filter(|r| r.ln().abs() <= factor.ln()).count() as f64 / count;
    // Agresti and Coull's n + 4: an error that does not vanish at shares of 0 and 1.
    let middle = (share * count + 2.0) / (count + 4.0);
    Estimate { mean: share, error: (middle * (1.0 - middle) / (count + 4.0)).sqrt() }
}

fn over(heads: &[SweptHead], f: impl Fn(&SweptHead) -> Option<f64>) -> Quantiles {
    Quantiles::of(heads.iter().filter_map(f))
}

/// Median with its error: 1.2533 standard errors of the mean (a normal sample's).
fn median(heads: &[SweptHead], f: impl Fn(&SweptHead) -> Option<f64>) -> Estimate {
    let values: Vec<f64> = heads.iter().filter_map(f).collect();
    let error = Estimate::of_independent(&values).error * 1.2533;
    Estimate { mean: Quantiles::of(values).median, error }
}

impl SweptHeads {
    fn name(&self) -> &str {
        if self.model.is_empty() { "an unnamed model" } else { &self.model }
    }

    /// How many heads could be on the other side of ×1.5 by the error of their own peak.
    fn doubtful(&self) -> usize {
        let near = |head: &&SweptHead| {
            head.peak.is_some_and(|peak| {
                let log = (head.beta / peak.beta.mean).ln().abs();
                (log - 1.5f64.ln()).abs() < peak.beta.error / peak.beta.mean
            })
        };
        self.heads.iter().filter(near).count()
    }

    fn summary(&self) -> Value {
        let quantiles = |f: fn(&SweptHead) -> Option<f64>| over(&self.heads, f);
        json!({
            "heads": self.heads.len(),
            "within_1.25": within(&self.heads, 1.25),
            "within_1.5": within(&self.heads, 1.5),
            "doubtful": self.doubtful(),
            "random_within_1.5": within(&self.null, 1.5),
            "random_beta_over_peak": over(&self.null, SweptHead::over_peak),
            "beta_over_peak": quantiles(SweptHead::over_peak),
            "beta_over_beta_c": quantiles(|h| h.beta_c.map(|b| h.beta / b)),
            "entropy_share_at_peak": median(&self.heads, |h| h.peak.map(|p| p.entropy_share.mean)),
            "entropy_share_at_peak_quantiles": quantiles(|h| h.peak.map(|p| p.entropy_share.mean)),
            "planted_rows": Estimate::of_independent(&self.heads.iter().map(|h| h.planted_share).collect::<Vec<_>>()),
            "heads_with_more_planted_rows_than_not": self.heads.iter().filter(|h| h.planted_share > 0.5).count(),
            "by_entropy_over_peak": quantiles(|h| Some(h.by_entropy?.mean / h.peak?.beta.mean)),
            "by_participation_over_peak": quantiles(|h| Some(h.by_participation?.mean / h.peak?.beta.mean)),
            "seconds": self.seconds,
        })
    }
}

impl Serialize for SweptHeads {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let head = |h: &SweptHead| {
            json!({
                "layer": h.layer, "head": h.head, "n": h.n, "d": h.d, "rows": h.rows, "ln_n": h.ln_n, "beta": h.beta,
                "sigma": h.sigma, "beta_c": h.beta_c, "entropy": h.entropy, "specific_heat": h.specific_heat,
                "participation": h.participation, "peak": h.peak, "beta_by_entropy": h.by_entropy,
                "beta_by_participation": h.by_participation, "planted_share": h.planted_share, "beta_1": h.beta_1,
                "keys_within_kt": h.keys_within_kt,
                "gap_count": h.gap_count.iter().map(|g| json!({"gap": g.gap, "keys": g.keys})).collect::<Vec<_>>(),
                "levels": h.levels,
            })
        };
        json!({
            "command": "sweep",
            "command_line": command_line(),
            "version": env!("CARGO_PKG_VERSION"),
            "lattice": null,
            "model": self.model,
            "text": self.text,
            "least_keys": self.least,
            "seed": self.seed,
            "heads": self.heads.iter().map(head).collect::<Vec<_>>(),
            "random_heads": { "weights": self.null_is, "heads": self.null.len() },
            "gaussian_twin": self.twin,
            "summary": self.summary(),
        })
        .serialize(serializer)
    }
}

impl Answer for SweptHeads {
    type Picture = Panels;

    fn title(&self) -> String {
        format!("{} heads of {} over β", self.heads.len(), self.name())
    }

    fn text(&self) -> String {
        text::text(self)
    }

    fn picture(&self) -> Panels {
        figure::panels(self)
    }
}
