//! The picture of `ceas run`: what spins change, text by text, token by token.

use ceas_npu::mapping::evaluate::cosine;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::{Outcome, RunAnswer, all_nll, diverged_at, mean_cosine, pairs};
use crate::report::figure::{FAINT, Figure, INK, SAMPLED, THEORY, Trouble, text};

/// How the points of a series are drawn.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Line,
    Dots,
    Dashes,
}

struct Series {
    label: &'static str,
    color: RGBColor,
    mark: Mark,
    points: Vec<(f64, f64)>,
}

struct Panel {
    caption: String,
    axes: [&'static str; 2],
    series: Vec<Series>,
}

/// Everything that is drawn, as numbers.
pub struct RunFigure {
    title: String,
    subtitle: String,
    panels: Vec<Panel>,
}

impl RunFigure {
    /// The numbers of an answer.
    pub fn new(answer: &RunAnswer) -> Self {
        let (subtitle, panels) = match &answer.outcome {
            Outcome::Embed { texts, .. } => {
                let mean = mean_cosine(texts);
                let all = |number: usize| {
                    let text = &texts[number];
                    text.substrate.iter().map(move |s| (number as f64 + 1.0, cosine(&text.exact, s)))
                };
                let dots = (0..texts.len()).flat_map(all).collect();
                let line = vec![(0.5, mean.mean), (texts.len() as f64 + 0.5, mean.mean)];
                let mut panels = vec![Panel {
                    caption: "Every run of every text".into(),
                    axes: ["text", "cosine to the exact embedding"],
                    series: vec![dashes("mean", line), dots_of("on spins", SAMPLED, dots)],
                }];
                if texts.len() > 2 {
                    let exact = pairs(&texts.iter().map(|t| t.exact.as_slice()).collect::<Vec<_>>());
                    let first: Vec<&[f32]> = texts.iter().map(|t| t.substrate[0].as_slice()).collect();
                    let points: Vec<_> = exact.into_iter().zip(pairs(&first)).collect();
                    panels.push(Panel {
                        caption: "Similarity of every pair of texts, first run".into(),
                        axes: ["cosine, exact", "cosine, on spins"],
                        series: vec![diagonal(&points), dots_of("pairs", SAMPLED, points)],
                    });
                }
                (format!("cosine to exact {:.5} ± {:.5}", mean.mean, mean.error), panels)
            }
            Outcome::Perplexity { texts, .. } => {
                let all = all_nll(texts);
                let n = all.len() as f64;
                let mean = |pick: fn(&[f64; 2]) -> f64| all.iter().map(pick).sum::<f64>() / n;
                let (exact, sampled) = (mean(|x| x[0]), mean(|x| x[1]));
                let mut sum = 0.0;
                let running = all.iter().enumerate().map(|(i, x)| {
                    sum += x[1] - x[0];
                    (i as f64 + 1.0, sum / (i as f64 + 1.0))
                });
                let running: Vec<_> = running.collect();
                let points: Vec<_> = all.iter().map(|x| (x[0], x[1])).collect();
                let panels = vec![
                    Panel {
                        caption: "Every token".into(),
                        axes: ["−ln p, exact (nats)", "−ln p, on spins (nats)"],
                        series: vec![diagonal(&points), dots_of("tokens", SAMPLED, points)],
                    },
                    Panel {
                        caption: "What spins add, averaged over the tokens so far".into(),
                        axes: ["token", "mean of Δ(−ln p) (nats)"],
                        series: vec![
                            dashes("none", vec![(1.0, 0.0), (n, 0.0)]),
                            Series { label: "on spins", color: SAMPLED, mark: Mark::Line, points: running },
                        ],
                    },
                ];
                let subtitle = format!(
                    "perplexity {:.2} exact, {:.2} on spins: {:+.4} nats a token",
                    exact.exp(),
                    sampled.exp(),
                    sampled - exact
                );
                (subtitle, panels)
            }
            Outcome::Generate { exact, substrate, .. } => {
                let line = |ln_p: &[f64]| -> Vec<(f64, f64)> {
                    ln_p.iter().enumerate().map(|(i, p)| (i as f64 + 1.0, p.exp())).collect()
                };
                let mut series = vec![
                    Series { label: "exact", color: INK, mark: Mark::Line, points: line(&exact.ln_p) },
                    Series {
                        label: "on spins",
                        color: SAMPLED,
                        mark: Mark::Line,
                        points: line(&substrate.ln_p),
                    },
                ];
                let at = diverged_at(&exact.ids, &substrate.ids);
                if let Some(n) = at {
                    let x = n as f64 + 0.5;
                    series.push(dashes("texts part", vec![(x, 0.0), (x, 1.0)]));
                }
                let subtitle = match at {
                    None => format!("the same {} tokens", exact.ids.len()),
                    Some(n) => format!("the first {n} tokens are the same"),
                };
                let panel = Panel {
                    caption: "How sure each was of the token it wrote".into(),
                    axes: ["token", "probability of the chosen token"],
                    series,
                };
                (subtitle, vec![panel])
            }
        };
        let title =
            format!("{}: {}, {} with S = {}", answer.model, answer.task(), answer.sampler, answer.samples[0]);
        Self { title, subtitle, panels }
    }
}

fn dots_of(label: &'static str, color: RGBColor, points: Vec<(f64, f64)>) -> Series {
    Series { label, color, mark: Mark::Dots, points }
}

fn dashes(label: &'static str, points: Vec<(f64, f64)>) -> Series {
    Series { label, color: THEORY, mark: Mark::Dashes, points }
}

/// The line on which both coordinates of the points would agree.
fn diagonal(points: &[(f64, f64)]) -> Series {
    let low = points.iter().map(|p| p.0.min(p.1)).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|p| p.0.max(p.1)).fold(f64::NEG_INFINITY, f64::max);
    dashes("equal", vec![(low, low), (high, high)])
}

impl Figure for RunFigure {
    fn size(&self) -> (u32, u32) {
        (if self.panels.len() > 1 { 1500 } else { 1000 }, 660)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let (head, body) = area.split_vertically(84);
        head.draw(&Text::new(self.title.clone(), (24, 16), text(26))).map_err(trouble)?;
        head.draw(&Text::new(self.subtitle.clone(), (24, 52), text(18).color(&FAINT))).map_err(trouble)?;
        for (area, panel) in body.split_evenly((1, self.panels.len())).iter().zip(&self.panels) {
            panel.draw(area)?;
        }
        Ok(())
    }
}

impl Panel {
    /// The range of one coordinate, with a margin.
    fn range(&self, pick: fn(&(f64, f64)) -> f64) -> std::ops::Range<f64> {
        let all = || self.series.iter().flat_map(|series| &series.points).map(pick).filter(|x| x.is_finite());
        let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
        if low > high {
            return 0.0..1.0;
        }
        let pad = if high > low { 0.04 * (high - low) } else { 0.05 * low.abs().max(0.1) };
        low - pad..high + pad
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let mut chart = ChartBuilder::on(area)
            .caption(&self.caption, text(20))
            .margin(16)
            .x_label_area_size(50)
            .y_label_area_size(92)
            .build_cartesian_2d(self.range(|p| p.0), self.range(|p| p.1))
            .map_err(trouble)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(FAINT.mix(0.25))
            .x_desc(self.axes[0])
            .y_desc(self.axes[1])
            .x_labels(7)
            .y_labels(7)
            .x_label_formatter(&|x| short(*x))
            .y_label_formatter(&|y| short(*y))
            .label_style(text(16))
            .axis_desc_style(text(18))
            .axis_style(INK)
            .draw()
            .map_err(trouble)?;
        for series in &self.series {
            let color = series.color;
            let points = series.points.iter().copied();
            let drawn = match series.mark {
                Mark::Line => chart.draw_series(LineSeries::new(points, color.stroke_width(2))),
                Mark::Dashes => chart.draw_series(DashedLineSeries::new(points, 9, 6, color.stroke_width(2))),
                Mark::Dots => chart.draw_series(points.map(|p| Circle::new(p, 3, color.mix(0.55).filled()))),
            };
            let dots = series.mark == Mark::Dots;
            drawn.map_err(trouble)?.label(series.label).legend(move |(x, y)| {
                // A dot is a line too short to be one.
                let (from, width) = if dots { (x + 8, 6) } else { (x, 2) };
                let to = if dots { x + 14 } else { x + 22 };
                PathElement::new([(from, y), (to, y)], color.stroke_width(width))
            });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .background_style(WHITE.mix(0.85))
            .border_style(FAINT.mix(0.5))
            .label_font(text(16))
            .margin(12)
            .draw()
            .map_err(trouble)
    }
}

/// A number on an axis.
fn short(x: f64) -> String {
    let plain = match x.abs() {
        0.0 => "0".into(),
        size if size < 1e-4 => format!("{x:.1e}"),
        size if size < 0.02 => format!("{x:.4}"),
        size if size < 10.0 && x.fract() != 0.0 => format!("{x:.3}").trim_end_matches('0').to_owned(),
        _ => format!("{x:.0}"),
    };
    plain.replace('-', "−")
}

/// Errors of a back end, whatever it is.
fn trouble<E: std::error::Error + Send + Sync + 'static>(error: DrawingAreaErrorKind<E>) -> Trouble {
    Box::new(error)
}
