//! What `ceas sweep --heads …` shows: heads, the finite random energy model, mean field on hyperbolic graphs.

mod hyperbolic;
mod sizes;

use std::fmt::Write;

use ceas_npu::mapping::attention::Quantiles;
use ceas_npu::mapping::control::defaults::CRITICAL_SHARE;
use ceas_npu::mapping::criticality::{FiniteSize, GapCount, Level, Peak};
use ceas_npu::sim::statistics::Estimate;
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;
use serde_json::{Value, json};

use super::figure::{INK, SAMPLED, THEORY};
use super::panels::{Mark, Panel, Panels, Series};
use super::present::{Answer, command_line};
use super::table::{fixed, number, table, with_error, wrapped};
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

fn estimate(e: Option<Estimate>) -> String {
    e.map_or("–".into(), |e| with_error(e.mean, e.error))
}

fn ratio(e: Option<Estimate>, by: Option<f64>) -> String {
    match (e, by) {
        (Some(e), Some(by)) if by > 0.0 => with_error(e.mean / by, e.error / by),
        _ => "–".into(),
    }
}

impl Answer for SweptHeads {
    type Picture = Panels;

    fn title(&self) -> String {
        format!("{} heads of {} over β", self.heads.len(), self.name())
    }

    fn text(&self) -> String {
        let columns = [
            "head",
            "n",
            "σ",
            "β₀/β_c",
            "H",
            "C",
            "Y₂",
            "β_peak/β₀",
            "C_peak",
            "H/ln N",
            "rule 2",
            "rule 3",
            "planted",
            "β₁/β₀",
            "in kT",
        ];
        let mut rows = table(&columns, 1);
        for column in rows.column_iter_mut() {
            column.set_padding((0, 1));
        }
        for h in &self.heads {
            rows.add_row([
                format!("{}.{}", h.layer, h.head),
                h.n.to_string(),
                number(h.sigma.unwrap_or(f64::NAN), 3),
                number(h.beta_c.map_or(f64::NAN, |b| h.beta / b), 3),
                fixed(h.entropy, 2),
                number(h.specific_heat, 3),
                number(h.participation, 2),
                ratio(h.peak.map(|p| p.beta), Some(h.beta)),
                estimate(h.peak.map(|p| p.specific_heat)),
                estimate(h.peak.map(|p| p.entropy_share)),
                ratio(h.by_entropy, h.peak.map(|p| p.beta.mean)),
                ratio(h.by_participation, h.peak.map(|p| p.beta.mean)),
                format!("{:.0} %", 100.0 * h.planted_share),
                number(h.beta_1.map_or(f64::NAN, |b| b / h.beta), 3),
                number(h.keys_within_kt.mean, 3),
            ]);
        }
        format!("{rows}\n\n{}", wrapped(&self.findings()))
    }

    fn picture(&self) -> Panels {
        self.panels()
    }
}

impl SweptHeads {
    fn findings(&self) -> String {
        let mut text = String::new();
        let share = |e: Estimate| format!("{:.0} ± {:.0} %", 100.0 * e.mean, 100.0 * e.error);
        let ratios = over(&self.heads, SweptHead::over_peak);
        let null = over(&self.null, SweptHead::over_peak);
        let h_peak = median(&self.heads, |h| h.peak.map(|p| p.entropy_share.mean));
        let quantiles = over(&self.heads, |h| h.peak.map(|p| p.entropy_share.mean));
        let planted: Vec<f64> = self.heads.iter().map(|h| h.planted_share).collect();
        let rule = |f: fn(&SweptHead) -> Option<f64>| {
            let q = over(&self.heads, f);
            format!("{} (10–90 % {}–{})", number(q.median, 3), number(q.q10, 3), number(q.q90, 3))
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{} heads of {}, rows with at least {} keys, {} values of β from 0.05 to 5 β_c; errors over blocks of rows (of one text: they do \
             not hold for another).\n\
             Rule 1: peak of the row-averaged C. Rule 2: H = {CRITICAL_SHARE} ln N; rule 3: Y₂ = {}, the value of Gaussian rows of {} keys at their peak; both over \
             rule 1. Planted: rows whose highest key stands out, D > σ√(2 ln N), and the median β₁ at which it takes over. In kT: keys within \
             1/β₀ of the highest.\n",
            self.heads.len(),
            self.name(),
            self.least,
            self.points,
            number(self.twin.participation.mean, 3),
            self.twin.keys,
        );
        let _ = writeln!(
            text,
            "within ×1.5 of the peak of C   {} of the heads ({} within ×1.25; {} heads could be on the other side of ×1.5)\n\
             with random weights            {} of {} heads ({})\n\
             β₀/β_peak                      median {}, 10–90 % {}–{}; random {}\n\
             H/ln N at the peak             median {}, 10–90 % {}–{}; Gaussian rows of {} keys {}\n\
             rule 2 over rule 1             {}\n\
             rule 3 over rule 1             {}\n\
             rows with an outstanding key   {} of all; more than half of the rows in {} heads",
            share(within(&self.heads, 1.5)),
            share(within(&self.heads, 1.25)),
            self.doubtful(),
            share(within(&self.null, 1.5)),
            self.null.len(),
            self.null_is,
            number(ratios.median, 3),
            number(ratios.q10, 3),
            number(ratios.q90, 3),
            number(null.median, 3),
            with_error(h_peak.mean, h_peak.error),
            number(quantiles.q10, 3),
            number(quantiles.q90, 3),
            self.twin.keys,
            with_error(self.twin.entropy_share.mean, self.twin.entropy_share.error),
            rule(|h| Some(h.by_entropy?.mean / h.peak?.beta.mean)),
            rule(|h| Some(h.by_participation?.mean / h.peak?.beta.mean)),
            share(Estimate::of_independent(&planted)),
            self.heads.iter().filter(|h| h.planted_share > 0.5).count(),
        );
        let _ = writeln!(
            text,
            "\nA row is one spin: no thermodynamic limit, hence no transition and no Binder cumulant; the peak is a crossover. For coupled spins see ceas sweep \
             without --heads.\n\ntime {:.2} s",
            self.seconds
        );
        text
    }

    fn panels(&self) -> Panels {
        let scaled = |h: &SweptHead, f: fn(&Level, &SweptHead) -> f64| -> Option<Vec<(f64, f64, f64)>> {
            let peak = h.peak?.beta.mean;
            Some(
                h.levels
                    .iter()
                    .map(|l| (l.beta / peak, f(l, h), 0.0))
                    .filter(|p| p.0 > 0.08 && p.0 < 8.0)
                    .collect(),
            )
        };
        let lines = |f: fn(&Level, &SweptHead) -> f64| -> Vec<Series> {
            let some = self.heads.iter().filter_map(|h| scaled(h, f));
            let mut series: Vec<Series> = some
                .map(|points| Series {
                    name: String::new(),
                    points,
                    colour: (SAMPLED, 0.25),
                    mark: Mark::Line(1),
                })
                .collect();
            if let Some(first) = series.first_mut() {
                first.name = "every head".into();
            }
            series
        };
        let seats = |heads: &[SweptHead], name: String, colour| {
            let ratios: Vec<f64> = heads.iter().filter_map(SweptHead::over_peak).collect();
            let edges: Vec<f64> = (0..=36).map(|i| 0.02 * 400f64.powf(f64::from(i) / 36.0)).collect();
            let count = |w: &[f64]| ratios.iter().filter(|r| **r >= w[0] && **r < w[1]).count() as f64;
            let total = ratios.len().max(1) as f64;
            let mut points: Vec<(f64, f64, f64)> =
                edges.windows(2).map(|w| (w[0], 100.0 * count(w) / total, 0.0)).collect();
            points.push((edges[36], 0.0, 0.0));
            Series { name, points, colour: (colour, 1.0), mark: Mark::Steps }
        };
        let gap_lines = self.heads.iter().filter_map(|h| {
            let sigma = h.sigma?;
            Some(h.gap_count.iter().map(|g| (g.gap / sigma, g.keys.mean, 0.0)).collect::<Vec<_>>())
        });
        let mut gaps: Vec<Series> = gap_lines
            .map(|points| Series {
                name: String::new(),
                points,
                colour: (SAMPLED, 0.25),
                mark: Mark::Line(1),
            })
            .collect();
        if let Some(first) = gaps.first_mut() {
            first.name = "every head".into();
        }
        let axes = |x: &str, y: &str| [x.to_owned(), y.to_owned()];
        Panels {
            title: self.title(),
            subtitle: format!(
                "a row is one spin: the peak of its specific heat is a crossover between many keys and few; thin line: Gaussian rows of {} keys at their peak",
                self.twin.keys
            ),
            panels: vec![
                Panel {
                    caption: "Specific heat".into(),
                    axes: axes("β/β_peak of the head", "C = β² Var[s]"),
                    log: [true, false],
                    band: None,
                    level: Some((self.twin.specific_heat.mean, "peak of Gaussian rows".into())),
                    legend: SeriesLabelPosition::UpperLeft,
                    series: lines(|l, _| l.specific_heat.mean),
                },
                Panel {
                    caption: "Entropy".into(),
                    axes: axes("β/β_peak of the head", "H / ln N"),
                    log: [true, false],
                    band: None,
                    level: Some((self.twin.entropy_share.mean, "Gaussian rows at their peak".into())),
                    legend: SeriesLabelPosition::LowerLeft,
                    series: lines(|l, h| l.entropy.mean / h.ln_n),
                },
                Panel {
                    caption: "Where β₀ = 1/√d_head puts the heads".into(),
                    axes: axes("β₀/β_peak", "share of heads  (%)"),
                    log: [true, false],
                    band: Some((1.0 / 1.5, 1.5, "within a factor 1.5".into())),
                    level: None,
                    legend: SeriesLabelPosition::UpperRight,
                    series: vec![
                        seats(&self.heads, format!("these {} heads", self.heads.len()), INK),
                        seats(&self.null, "random weights".into(), THEORY),
                    ],
                },
                Panel {
                    caption: "Keys within a gap of the highest".into(),
                    axes: axes("gap g/σ", "N(g)"),
                    log: [true, true],
                    band: None,
                    level: Some((1.0, "the highest alone".into())),
                    legend: SeriesLabelPosition::UpperLeft,
                    series: gaps,
                },
            ],
        }
    }
}
