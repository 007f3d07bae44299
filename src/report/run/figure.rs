//! The picture of `ceas run`: what spins change, text by text, token by token.

use ceas_npu::mapping::evaluate::cosine;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Estimate, Outcome, RunAnswer, all_nll, diverged_at, mean_cosine, pairs};
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

/// Pixels around a panel, above its axes, and left of them.
const MARGIN: u32 = 16;
const HEAD: u32 = 62;
const SCALE: u32 = 92;

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
            Outcome::Generate { exact, substrate, divergence, .. } => {
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
                let kl = Estimate::of_independent(divergence);
                let points = divergence.iter().enumerate().map(|(i, &kl)| (i as f64 + 1.0, kl)).collect();
                let mean = vec![(1.0, kl.mean), (divergence.len() as f64, kl.mean)];
                let law = Panel {
                    caption: "How far spins move the law of every token of the exact text".into(),
                    axes: ["token of the exact text", "KL of spins from exact (nats)"],
                    series: vec![dashes("mean", mean), dots_of("tokens", SAMPLED, points)],
                };
                let subtitle = format!("{subtitle}; KL {:.4} ± {:.4} nats a token", kl.mean, kl.error);
                (subtitle, vec![panel, law])
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
        self.draw_head(area)?;
        let (xs, ys) = (self.range(|p| p.0), self.range(|p| p.1));
        let [x_digits, y_digits] = [&xs, &ys].map(|range| digits(range.end - range.start));
        let mut chart = ChartBuilder::on(area)
            .margin(MARGIN)
            .margin_top(HEAD)
            .x_label_area_size(50)
            .y_label_area_size(SCALE)
            .build_cartesian_2d(xs, ys)
            .map_err(trouble)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(FAINT.mix(0.25))
            .x_desc(self.axes[0])
            .y_desc(self.axes[1])
            .x_labels(7)
            .y_labels(7)
            .x_label_formatter(&|x| tick(*x, x_digits))
            .y_label_formatter(&|y| tick(*y, y_digits))
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
            drawn.map_err(trouble)?;
        }
        Ok(())
    }

    /// Caption and legend, above the axes, where they hide no point.
    fn draw_head<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let mut x = (MARGIN + SCALE) as i32;
        area.draw(&Text::new(self.caption.clone(), (x, 4), text(20))).map_err(trouble)?;
        let y = HEAD as i32 - 18;
        let style = text(16).pos(Pos::new(HPos::Left, VPos::Center));
        for series in &self.series {
            let color = series.color;
            let strokes: &[(i32, i32)] = match series.mark {
                Mark::Line => &[(0, 24)],
                Mark::Dashes => &[(0, 9), (15, 24)],
                Mark::Dots => &[],
            };
            for (from, to) in strokes {
                let line = PathElement::new([(x + from, y), (x + to, y)], color.stroke_width(2));
                area.draw(&line).map_err(trouble)?;
            }
            if series.mark == Mark::Dots {
                area.draw(&Circle::new((x + 18, y), 4, color.mix(0.55).filled())).map_err(trouble)?;
            }
            area.draw(&Text::new(series.label, (x + 32, y), style.clone())).map_err(trouble)?;
            let (width, _) = area.estimate_text_size(series.label, &style).map_err(trouble)?;
            x += 32 + width as i32 + 28;
        }
        Ok(())
    }
}

/// Digits after the point that tell about seven ticks of a span apart.
fn digits(span: f64) -> usize {
    (-(span / 7.0).log10().floor()).clamp(0.0, 12.0) as usize
}

/// A number on an axis.
fn tick(x: f64, digits: usize) -> String {
    // The tick at zero is a sum of steps, and may miss it by a rounding.
    if x.abs() < 1e-3 * 10f64.powi(-(digits as i32)) {
        return "0".into();
    }
    format!("{x:.digits$}").replace('-', "−")
}

/// Errors of a back end, whatever it is.
fn trouble<E: std::error::Error + Send + Sync + 'static>(error: DrawingAreaErrorKind<E>) -> Trouble {
    Box::new(error)
}
