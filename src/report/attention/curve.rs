//! Error against number of read-outs, with its law.

use ceas_npu::mapping::attention::{CurvePoint, Quantiles};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Attended;
use crate::report::figure::{FAINT, INK, SAMPLED, THEORY, Trouble, text};

/// Error of the shown head and of all heads against S.
pub struct Curve {
    name: String,
    points: Vec<CurvePoint>,
    /// Quantiles of the error over the heads at the same numbers of samples.
    heads: Vec<Quantiles>,
    /// (relative error, S that reaches it) for the shown head.
    targets: Vec<(f64, f64)>,
}

impl Curve {
    /// From a run.
    pub fn new(answer: &Attended) -> Self {
        let report = answer.shown_report();
        let levels = report.curve.len();
        let at = |level: usize| Quantiles::of(answer.heads.iter().map(|h| h.report.curve[level].rel_error));
        let targets = [
            (0.10, report.samples_10_percent),
            (0.05, report.samples_5_percent),
            (0.01, report.samples_1_percent),
        ];
        Self {
            name: answer.shown_name(),
            points: report.curve.clone(),
            heads: if answer.heads.len() > 1 { (0..levels).map(at).collect() } else { Vec::new() },
            targets: targets.into_iter().filter(|(_, s)| s.is_finite() && *s >= 1.0).collect(),
        }
    }

    /// The law beyond the samples taken: it goes on as 1/√S.
    fn law(&self, to: f64) -> Vec<(f64, f64)> {
        let mut line: Vec<(f64, f64)> =
            self.points.iter().map(|p| (p.samples as f64, 100.0 * p.rel_error_predicted)).collect();
        if let Some(&(s, error)) = line.last() {
            line.push((to, error * (s / to).sqrt()));
        }
        line
    }

    /// Draws the panel.
    pub fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let last = self.points.last().map_or(1.0, |p| p.samples as f64);
        let right = self.targets.iter().map(|t| t.1).fold(last, f64::max) * 12.0;
        let law = self.law(right);
        let seen = |f: fn(f64, f64) -> f64, start: f64| {
            let points = self.points.iter().map(|p| 100.0 * p.rel_error).filter(|e| *e > 0.0);
            let bands = self.heads.iter().flat_map(|q| [100.0 * q.q10, 100.0 * q.q90]).filter(|e| *e > 0.0);
            points.chain(bands).chain(law.iter().map(|p| p.1)).filter(|e| *e > 0.0).fold(start, f)
        };
        let (low, high) = (seen(f64::min, 1.0) / 1.5, seen(f64::max, 20.0) * 1.6);
        let mut chart = ChartBuilder::on(area)
            .caption("Output error against number of read-outs", text(19))
            .margin(4)
            .x_label_area_size(44)
            .y_label_area_size(62)
            .build_cartesian_2d((0.8..right).log_scale(), (low..high).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("S, read-outs per query")
            .y_desc("√Σ|ô − o|² / √Σ|o|²  (%)")
            .label_style(text(14))
            .axis_desc_style(text(15))
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(230, 230, 230))
            .x_label_formatter(&|s| short(*s))
            .y_label_formatter(&|e| short(*e))
            .draw()?;
        if self.heads.len() == self.points.len() {
            let side = |pick: fn(&Quantiles) -> f64| {
                self.points
                    .iter()
                    .zip(&self.heads)
                    .map(move |(p, q)| (p.samples as f64, (100.0 * pick(q)).max(1e-9)))
            };
            let mut band: Vec<(f64, f64)> = side(|q| q.q10).collect();
            band.extend(side(|q| q.q90).collect::<Vec<_>>().into_iter().rev());
            chart
                .draw_series([Polygon::new(band, SAMPLED.mix(0.13))])?
                .label("all heads, 10–90 %")
                .legend(|(x, y)| Rectangle::new([(x, y - 5), (x + 22, y + 5)], SAMPLED.mix(0.13).filled()));
        }
        chart
            .draw_series(LineSeries::new(law, THEORY.stroke_width(2)))?
            .label("law √(2τ V/S) / |o|")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], THEORY.stroke_width(2)));
        let bars = self.points.iter().filter(|p| p.rel_error > 0.0).map(|p| {
            let (mean, error) = (100.0 * p.rel_error, 100.0 * p.rel_error_error);
            ErrorBar::new_vertical(
                p.samples as f64,
                (mean - error).max(low),
                mean,
                mean + error,
                SAMPLED.filled(),
                9,
            )
        });
        chart
            .draw_series(bars)?
            .label(format!("head {}, measured (same draws)", self.name))
            .legend(|(x, y)| Circle::new((x + 11, y), 4, SAMPLED.filled()));
        for &(error, s) in &self.targets {
            let percent = 100.0 * error;
            chart.draw_series(DashedLineSeries::new(
                [(s, low), (s, percent)],
                4,
                4,
                FAINT.stroke_width(1),
            ))?;
            chart.draw_series(DashedLineSeries::new(
                [(0.8, percent), (s, percent)],
                4,
                4,
                FAINT.stroke_width(1),
            ))?;
            chart.draw_series([Circle::new((s, percent), 4, THEORY.filled())])?;
            let style = text(14).pos(Pos::new(HPos::Left, VPos::Bottom));
            let label = format!("  {percent:.0} %: S = {}", short(s));
            chart.draw_series([Text::new(label, (s, percent), style)])?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerLeft)
            .label_font(text(14))
            .background_style(WHITE.mix(0.85))
            .border_style(INK.mix(0.2))
            .draw()?;
        Ok(())
    }
}

/// A number as people say it: 0.5, 20, 1.9k, 47k, 1.2M.
pub(super) fn short(x: f64) -> String {
    let trimmed = |x: f64| {
        let digits = if x < 0.995 { 2 } else { usize::from(x < 9.95) };
        let text = format!("{x:.digits$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    };
    match x {
        x if x >= 9.995e5 => format!("{}M", trimmed(x / 1e6)),
        x if x >= 999.5 => format!("{}k", trimmed(x / 1e3)),
        x if x >= 0.005 => trimmed(x),
        x => format!("{x:.0e}"),
    }
}
