//! The picture of a measurement: time and throughput against the length of the sequences.

use ceas_npu::measure::Measured;
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::report::figure::{FAINT, Figure, INK, SAMPLED, THEORY, Trouble, text};
use crate::report::table::si;

/// Everything that is drawn, as numbers.
pub struct MeasuredFigure {
    title: String,
    /// (n, shortest, median, longest) in seconds.
    times: Vec<(f64, f64, f64, f64)>,
    /// (n, least, median, most) in FLOP/s.
    rates: Vec<(f64, f64, f64, f64)>,
    /// The fitted law, on a grid.
    law: Vec<(f64, f64)>,
    label: String,
}

impl MeasuredFigure {
    /// The numbers of a measurement.
    pub fn new(title: String, measured: &Measured) -> Self {
        let times = measured.points.iter().map(|p| (p.n as f64, p.shortest, p.seconds, p.longest)).collect();
        let rates = measured.points.iter().map(|p| {
            let rate = |seconds: f64| p.flops_per_s * p.seconds / seconds;
            (p.n as f64, rate(p.longest), p.flops_per_s, rate(p.shortest))
        });
        let ends = |points: &[ceas_npu::measure::Point]| {
            (points.first().map_or(1, |p| p.n), points.last().map_or(1, |p| p.n))
        };
        let (first, last) = ends(&measured.points);
        let curve = measured.baseline().ok().and_then(|gpu| gpu.series[0].curve);
        let mut label = String::new();
        let mut law = Vec::new();
        if let Some(curve) = curve.filter(|_| measured.points.len() > 1) {
            label = format!(
                "T∞/(1 + (n½/n)^{:.2}), T∞ = {}, n½ = {:.0}",
                curve.gamma,
                si(curve.t_inf.value(), "FLOP/s"),
                curve.n_half
            )
            .replace("T∞", "T_inf")
            .replace("n½", "n_half");
            let step = (last as f64 / first as f64).powf(1.0 / 100.0);
            law = (0..=100)
                .map(|i| first as f64 * step.powi(i))
                .map(|n| (n, curve.throughput(n.round() as u64).value()))
                .collect();
        }
        Self { title, times, rates: rates.collect(), law, label }
    }
}

impl Figure for MeasuredFigure {
    fn size(&self) -> (u32, u32) {
        (1500, 640)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let (head, body) = area.split_vertically(64);
        let size = if self.title.chars().count() > 95 { 22 } else { 28 };
        head.draw(&Text::new(self.title.clone(), (24, 22), text(size))).map_err(trouble)?;
        let (left, right) = body.split_horizontally(750);
        let quadratic: Vec<(f64, f64)> = match self.times.last() {
            Some(&(last, _, time, _)) => {
                self.times.iter().map(|t| (t.0, time * (t.0 / last).powi(2))).collect()
            }
            None => Vec::new(),
        };
        let time = Panel {
            caption: "Time of all heads",
            unit: "s",
            points: &self.times,
            line: &quadratic,
            label: "n², through the last point",
        };
        time.draw(&left)?;
        let rate = Panel {
            caption: "Throughput, masked pairs not counted",
            unit: "FLOP/s",
            points: &self.rates,
            line: &self.law,
            label: &self.label,
        };
        rate.draw(&right)
    }
}

struct Panel<'a> {
    caption: &'a str,
    unit: &'static str,
    points: &'a [(f64, f64, f64, f64)],
    line: &'a [(f64, f64)],
    label: &'a str,
}

impl Panel<'_> {
    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        // Lengths by their binary logarithm, so that powers of two are marked.
        let lengths = self.points.iter().map(|p| p.0.log2());
        let (first, last) =
            (lengths.clone().fold(f64::INFINITY, f64::min), lengths.fold(f64::NEG_INFINITY, f64::max));
        let unit = self.unit;
        let is_time = unit == "s";
        let low = self.points.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
        let high = self.points.iter().map(|p| p.3).fold(0.0, f64::max);
        let side = 0.06 * (last - first).max(2.0);
        // Time over its powers of ten; throughput from zero, on the same scale, in units of its largest.
        let height = if is_time { (low / 1.6).log10()..(high * 2.5).log10() } else { 0.0..1.35 * high };
        let place = |y: f64| if is_time { y.log10() } else { y };
        let mut panel = ChartBuilder::on(area)
            .caption(self.caption, text(20))
            .margin(14)
            .x_label_area_size(48)
            .y_label_area_size(150)
            .build_cartesian_2d(first - side..last + side, height)
            .map_err(trouble)?;
        panel
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(FAINT.mix(0.25))
            .x_desc("n, queries and keys")
            .y_desc(if is_time { "time" } else { "operations a second" })
            .x_labels((last - first) as usize + 3)
            .y_labels(7)
            .x_label_formatter(&|x| whole(*x).map_or(String::new(), |x| format!("{:.0}", x.exp2())))
            .y_label_formatter(&|y| {
                if is_time {
                    whole(*y).map_or(String::new(), |y| si(10f64.powf(y), unit))
                } else {
                    si(*y, unit)
                }
            })
            .label_style(text(17))
            .axis_desc_style(text(19))
            .axis_style(INK)
            .draw()
            .map_err(trouble)?;
        if self.line.len() > 1 {
            panel
                .draw_series(LineSeries::new(
                    self.line.iter().map(|&(n, y)| (n.log2(), place(y))),
                    THEORY.stroke_width(2),
                ))
                .map_err(trouble)?
                .label(self.label.to_owned())
                .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], THEORY.stroke_width(2)));
        }
        panel
            .draw_series(self.points.iter().map(|&(n, low, mid, high)| {
                ErrorBar::new_vertical(n.log2(), place(low), place(mid), place(high), SAMPLED.filled(), 10)
            }))
            .map_err(trouble)?;
        panel
            .draw_series(
                self.points
                    .iter()
                    .map(|&(n, _, mid, _)| Circle::new((n.log2(), place(mid)), 5, SAMPLED.filled())),
            )
            .map_err(trouble)?
            .label("median; bars: shortest and longest of the repeats")
            .legend(|(x, y)| Circle::new((x + 11, y), 5, SAMPLED.filled()));
        panel
            .configure_series_labels()
            .position(if is_time { SeriesLabelPosition::UpperLeft } else { SeriesLabelPosition::LowerRight })
            .background_style(WHITE.mix(0.85))
            .border_style(FAINT.mix(0.5))
            .label_font(text(16))
            .margin(12)
            .draw()
            .map_err(trouble)
    }
}

/// A whole number, if this is one but for rounding.
fn whole(x: f64) -> Option<f64> {
    ((x - x.round()).abs() < 1e-6).then(|| x.round())
}

/// Errors of a back end, whatever it is.
fn trouble<E: std::error::Error + Send + Sync + 'static>(error: DrawingAreaErrorKind<E>) -> Trouble {
    Box::new(error)
}
