//! A figure of several panels of lines, points and bands, in one style.

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;

use super::figure::{FAINT, Figure, INK, Trouble, text};

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A line of so many pixels.
    Line(u32),
    /// A dashed line.
    Dashed,
    /// Points, with bars where there are errors.
    Points,
    /// Steps of a histogram: (left edge, height), the last edge closing it.
    Steps,
}

/// Points of one colour.
pub struct Series {
    /// What it is; empty for a series that is not in the legend.
    pub name: String,
    /// (x, y, error of y or 0).
    pub points: Vec<(f64, f64, f64)>,
    /// Colour and opacity.
    pub colour: (RGBColor, f64),
    /// How it is drawn.
    pub mark: Mark,
}

/// One panel.
pub struct Panel {
    /// What it shows.
    pub caption: String,
    /// Name and unit of the axes.
    pub axes: [String; 2],
    /// Whether an axis is logarithmic.
    pub log: [bool; 2],
    /// A band of x that is shaded, with its meaning.
    pub band: Option<(f64, f64, String)>,
    /// A horizontal line, with its meaning.
    pub level: Option<(f64, String)>,
    /// Where the legend goes.
    pub legend: SeriesLabelPosition,
    /// What is drawn.
    pub series: Vec<Series>,
}

/// Panels under a title, two in a row.
pub struct Panels {
    /// The title.
    pub title: String,
    /// One line below it.
    pub subtitle: String,
    /// The panels.
    pub panels: Vec<Panel>,
}

const WIDTH: u32 = 1500;
const HEADER: u32 = 76;
const PANEL: u32 = 480;

impl Figure for Panels {
    fn size(&self) -> (u32, u32) {
        (WIDTH, HEADER + PANEL * self.panels.len().div_ceil(2) as u32)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let (header, rest) = area.split_vertically(HEADER);
        header.draw(&Text::new(self.title.as_str(), (28, 14), text(27)))?;
        header.draw(&Text::new(self.subtitle.as_str(), (28, 48), text(17).color(&FAINT)))?;
        let places = rest.split_evenly((self.panels.len().div_ceil(2), 2));
        for (panel, place) in self.panels.iter().zip(&places) {
            panel.draw(&place.margin(4, 10, 16, 20))?;
        }
        Ok(())
    }
}

/// An axis of round numbers.
struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

impl Axis {
    fn place(&self, value: f64) -> f64 {
        if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = self.place(*value).clamp(-5.0, 5.0);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let most = hint.max_num_points().clamp(2, 9);
        if !self.log {
            let raw = (self.high - self.low) / most as f64;
            let power = 10f64.powf(raw.log10().floor());
            let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= raw);
            let step = step.unwrap_or(10.0 * power);
            let first = (self.low / step).ceil() as i64;
            return (first..)
                .map(|i| i as f64 * step)
                .take_while(|x| *x <= self.high * (1.0 + 1e-9))
                .collect();
        }
        let decades = (self.high / self.low).log10();
        let within: &[f64] = match decades {
            d if d > 4.0 => &[1.0],
            d if d > 1.4 => &[1.0, 3.0],
            _ => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
        };
        let first = self.low.log10().floor() as i32;
        let last = self.high.log10().ceil() as i32;
        (first..=last)
            .flat_map(|power| within.iter().map(move |m| m * 10f64.powi(power)))
            .filter(|x| *x >= self.low * 0.999_999 && *x <= self.high * 1.000_001)
            .collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        short(*value)
    }
}

/// A number as short as it can be said.
fn short(x: f64) -> String {
    match x.abs() {
        a if a < 1e-12 => "0".into(),
        a if !(1e-4..1e5).contains(&a) => format!("{x:e}"),
        _ => {
            let text = format!("{x:.4}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

impl Panel {
    /// The range of an axis over what is drawn on it.
    fn axis(&self, which: usize) -> Axis {
        let log = self.log[which];
        let points = self.series.iter().flat_map(|s| s.points.iter());
        let ends = points.flat_map(|p| if which == 0 { [p.0, p.0] } else { [p.1 - p.2, p.1 + p.2] });
        let extra = match which {
            0 => self.band.as_ref().map_or(vec![], |b| vec![b.0, b.1]),
            _ => self.level.as_ref().map_or(vec![], |l| vec![l.0]),
        };
        let (low, high) = ends
            .chain(extra)
            .filter(|x| x.is_finite() && (!log || *x > 0.0))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        if low > high {
            return Axis { low: if log { 0.1 } else { 0.0 }, high: 1.0, log };
        }
        if log {
            let pad = (high / low).powf(0.04).max(1.05);
            Axis { low: low / pad, high: high * pad, log }
        } else {
            let pad = if high > low { 0.05 * (high - low) } else { 0.5 };
            // An axis that begins near zero begins at zero.
            let floor = if low >= 0.0 && low < 0.3 * high { 0.0 } else { low - pad };
            Axis { low: floor, high: high + pad, log }
        }
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let (x, y) = (self.axis(0), self.axis(1));
        let (left, right, bottom, top) = (x.low, x.high, y.low, y.high);
        let mut chart = ChartBuilder::on(area)
            .caption(&self.caption, text(19))
            .margin(4)
            .x_label_area_size(44)
            .y_label_area_size(70)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .x_desc(&self.axes[0])
            .y_desc(&self.axes[1])
            .label_style(text(14))
            .axis_desc_style(text(15))
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(230, 230, 230))
            .x_label_formatter(&|v| short(*v))
            .y_label_formatter(&|v| short(*v))
            .draw()?;
        if let Some((from, to, name)) = &self.band {
            let corners = [(*from, bottom), (*from, top), (*to, top), (*to, bottom)];
            chart
                .draw_series([Polygon::new(corners.to_vec(), FAINT.mix(0.2))])?
                .label(name)
                .legend(|(x, y)| Rectangle::new([(x, y - 5), (x + 22, y + 5)], FAINT.mix(0.2).filled()));
        }
        if let Some((level, name)) = &self.level {
            chart
                .draw_series([PathElement::new([(left, *level), (right, *level)], INK.stroke_width(1))])?
                .label(name)
                .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], INK.stroke_width(1)));
        }
        for series in &self.series {
            self.draw_series(&mut chart, series)?;
        }
        let named =
            self.series.iter().any(|s| !s.name.is_empty()) || self.band.is_some() || self.level.is_some();
        if named {
            chart
                .configure_series_labels()
                .position(self.legend.clone())
                .label_font(text(14))
                .background_style(WHITE.mix(0.85))
                .border_style(INK.mix(0.2))
                .draw()?;
        }
        Ok(())
    }

    fn draw_series<B: DrawingBackend>(
        &self,
        chart: &mut ChartContext<'_, B, Cartesian2d<Axis, Axis>>,
        series: &Series,
    ) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let (rgb, opacity) = series.colour;
        let colour = rgb.mix(opacity);
        let fits = |p: &&(f64, f64, f64)| {
            p.0.is_finite() && p.1.is_finite() && !(self.log[0] && p.0 <= 0.0) && !(self.log[1] && p.1 <= 0.0)
        };
        let points: Vec<(f64, f64)> = series.points.iter().filter(fits).map(|p| (p.0, p.1)).collect();
        let annotated = match series.mark {
            Mark::Line(width) => chart.draw_series(LineSeries::new(points, colour.stroke_width(width)))?,
            Mark::Dashed => chart.draw_series(DashedLineSeries::new(points, 6, 5, colour.stroke_width(2)))?,
            Mark::Steps => {
                let corners: Vec<(f64, f64)> =
                    points.windows(2).flat_map(|w| [(w[0].0, w[0].1), (w[1].0, w[0].1)]).collect();
                chart.draw_series(LineSeries::new(corners, colour.stroke_width(2)))?
            }
            Mark::Points => {
                let bars = series.points.iter().filter(fits).filter(|p| p.2 > 0.0).map(|p| {
                    ErrorBar::new_vertical(p.0, p.1 - p.2, p.1, p.1 + p.2, colour.stroke_width(1), 7)
                });
                chart.draw_series(bars)?;
                chart.draw_series(points.iter().map(|&p| Circle::new(p, 4, colour.filled())))?
            }
        };
        if series.name.is_empty() {
            return Ok(());
        }
        annotated.label(&series.name);
        match series.mark {
            Mark::Points => annotated.legend(move |(x, y)| Circle::new((x + 11, y), 4, rgb.filled())),
            Mark::Line(width) => annotated
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], rgb.stroke_width(width))),
            Mark::Dashed | Mark::Steps => {
                annotated.legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], rgb.stroke_width(2)))
            }
        };
        Ok(())
    }
}
