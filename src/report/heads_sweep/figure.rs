//! The picture: every head over β/β_peak, where β₀ puts the heads, and how their keys lie below the highest.

use ceas_npu::mapping::criticality::Level;
use plotters::prelude::SeriesLabelPosition;

use super::{SweptHead, SweptHeads};
use crate::report::figure::{INK, SAMPLED, THEORY};
use crate::report::panels::{Mark, Panel, Panels, Series};
use crate::report::present::Answer;

/// Specific heat, entropy, seats and gaps.
pub fn panels(answer: &SweptHeads) -> Panels {
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
        let some = answer.heads.iter().filter_map(|h| scaled(h, f));
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
    let gap_lines = answer.heads.iter().filter_map(|h| {
        let sigma = h.sigma?;
        Some(h.gap_count.iter().map(|g| (g.gap / sigma, g.keys.mean, 0.0)).collect::<Vec<_>>())
    });
    let mut gaps: Vec<Series> = gap_lines
        .map(|points| Series { name: String::new(), points, colour: (SAMPLED, 0.25), mark: Mark::Line(1) })
        .collect();
    if let Some(first) = gaps.first_mut() {
        first.name = "every head".into();
    }
    let axes = |x: &str, y: &str| [x.to_owned(), y.to_owned()];
    Panels {
        title: answer.title(),
        subtitle: format!(
            "a row is one spin: the peak of its specific heat is a crossover between many keys and few; thin line: Gaussian rows of {} keys at their peak",
            answer.twin.keys
        ),
        panels: vec![
            Panel {
                caption: "Specific heat".into(),
                axes: axes("β/β_peak of the head", "C = β² Var[s]"),
                log: [true, false],
                band: None,
                level: Some((answer.twin.specific_heat.mean, "peak of Gaussian rows".into())),
                legend: SeriesLabelPosition::UpperLeft,
                series: lines(|l, _| l.specific_heat.mean),
            },
            Panel {
                caption: "Entropy".into(),
                axes: axes("β/β_peak of the head", "H / ln N"),
                log: [true, false],
                band: None,
                level: Some((answer.twin.entropy_share.mean, "Gaussian rows at their peak".into())),
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
                    seats(&answer.heads, format!("these {} heads", answer.heads.len()), INK),
                    seats(&answer.null, "random weights".into(), THEORY),
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
