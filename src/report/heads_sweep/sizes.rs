//! The random energy model at finite N, as a table.

use ceas_npu::mapping::criticality::{FiniteSize, PlantedSize};
use ceas_npu::sim::statistics::Estimate;
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;
use serde_json::json;

use crate::report::figure::{INK, SAMPLED, SERIES, THEORY};
use crate::report::panels::{Mark, Panel, Panels, Series};
use crate::report::present::{Answer, command_line};
use crate::report::table::{fixed, number, table, with_error, wrapped};

/// Independent Gaussian rows of several N, and rows with a planted key.
pub struct SizeTable {
    /// One N each.
    pub sizes: Vec<FiniteSize>,
    /// Planted keys.
    pub planted: Vec<PlantedSize>,
    /// Seed of the rows.
    pub seed: u64,
    /// Wall time.
    pub seconds: f64,
}

impl Serialize for SizeTable {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({
            "command": "sweep",
            "command_line": command_line(),
            "version": env!("CARGO_PKG_VERSION"),
            "lattice": null,
            "seed": self.seed,
            "sizes": self.sizes,
            "planted": self.planted,
            "seconds": self.seconds,
        })
        .serialize(serializer)
    }
}

fn e(e: Estimate) -> String {
    with_error(e.mean, e.error)
}

impl Answer for SizeTable {
    type Picture = Panels;

    fn title(&self) -> String {
        "Independent Gaussian scores: the random energy model at finite N".into()
    }

    fn text(&self) -> String {
        let columns = [
            "N",
            "rows",
            "β_c σ",
            "β_peak/β_c",
            "C_peak",
            "2 ln N",
            "H/ln N",
            "Y₂",
            "H(β_c)",
            "Y₂(β_c)",
            "Y₂(1.5)",
            "Y₂(2)",
            "fixed",
        ];
        let mut rows = table(&columns, 0);
        for column in rows.column_iter_mut() {
            column.set_padding((0, 1));
        }
        for s in &self.sizes {
            let [one, more, two] = s.participation_at;
            rows.add_row([
                s.keys.to_string(),
                s.rows.to_string(),
                fixed(s.beta_c, 3),
                e(s.peak_over_beta_c),
                e(s.specific_heat),
                fixed(s.beta_c * s.beta_c, 1),
                e(s.entropy_share),
                e(s.participation),
                e(s.entropy_at_beta_c),
                e(one),
                e(more),
                e(two),
                fixed(s.fixed_point, 3),
            ]);
        }
        let mut planted =
            table(&["N", "D/σ√(2 ln N)", "β₁ σ", "weight ½ at", "off by", "C-peak at", "C there"], 0);
        for p in &self.planted {
            let beta_1 = p.beta_1.unwrap_or(f64::NAN);
            planted.add_row([
                p.planted.keys.to_string(),
                fixed(p.planted.prominence(), 1),
                number(beta_1, 4),
                number(p.half_weight, 4),
                format!("{:+.1} %", 100.0 * (p.half_weight / beta_1 - 1.0)),
                e(p.peak),
                e(p.specific_heat),
            ]);
        }
        let words = wrapped(&format!(
            "Averages over rows, read off between 120 values of β; errors over blocks of rows; seed {}. N → ∞: β_peak = β_c, C = 2 ln N, Y₂ = 0, 1/3, 1/2 at 1, 1.5, 2 β_c, fixed point of β* = √(2H)/σ at 0.707 β_c. H/ln N at the peak falls from 0.565 to 0.51 over three decades of N (to 0 in the limit): 0.55, rule 2, is good to a few per cent up to some 10³ keys.",
            self.seed
        ));
        let more = wrapped(
            "A planted key at D above the mean takes over at β₁ = [D − √(D² − 2σ² ln N)]/σ², before the others freeze. Where one key stands out, β₁ \
             is the point to compare with, not β_c.",
        );
        format!("{rows}\n\n{words}\n{planted}\n\n{more}\ntime {:.2} s\n", self.seconds)
    }

    fn picture(&self) -> Panels {
        let line = |name: &str, colour, f: &dyn Fn(&FiniteSize) -> Estimate| Series {
            name: name.into(),
            points: self.sizes.iter().map(|s| (s.keys as f64, f(s).mean, f(s).error)).collect(),
            colour: (colour, 1.0),
            mark: Mark::Points,
        };
        let exact = |value: f64| Estimate { mean: value, error: 0.0 };
        let axes = |y: &str| ["N, keys of a row".to_owned(), y.to_owned()];
        Panels {
            title: self.title(),
            subtitle: "averages over rows; bars: errors over rows, mostly smaller than the points".into(),
            panels: vec![
                Panel {
                    caption: "At the peak of the specific heat".into(),
                    axes: axes("the ratio that the legend names"),
                    log: [true, false],
                    band: None,
                    level: Some((0.55, "0.55: rule 2".into())),
                    legend: SeriesLabelPosition::LowerRight,
                    series: vec![
                        line("H / ln N", SAMPLED, &|s| s.entropy_share),
                        line("β_peak / β_c", THEORY, &|s| s.peak_over_beta_c),
                        line("fixed point of β* / β_c", SERIES[2], &|s| exact(s.fixed_point)),
                        line("C_peak / 2 ln N", INK, &|s| {
                            let limit = s.beta_c * s.beta_c;
                            Estimate {
                                mean: s.specific_heat.mean / limit,
                                error: s.specific_heat.error / limit,
                            }
                        }),
                    ],
                },
                Panel {
                    caption: "Participation Y₂ = Σp²: how slowly the limit is reached".into(),
                    axes: axes("Y₂"),
                    log: [true, false],
                    band: None,
                    level: Some((0.5, "limit at 2 β_c".into())),
                    legend: SeriesLabelPosition::LowerLeft,
                    series: vec![
                        line("at 2 β_c (limit 1/2)", SERIES[2], &|s| s.participation_at[2]),
                        line("at 1.5 β_c (limit 1/3)", THEORY, &|s| s.participation_at[1]),
                        line("at β_c (limit 0)", SAMPLED, &|s| s.participation_at[0]),
                        line("at the peak of C", INK, &|s| s.participation),
                    ],
                },
            ],
        }
    }
}
