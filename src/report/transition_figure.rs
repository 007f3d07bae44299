//! The picture of `ceas sweep`: four panels about one transition.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::exact::kaufman::Torus;
use ceas_npu::sim::exact::yang;
use ceas_npu::sim::statistics::Estimate;

use super::figure::{FAINT, Figure, INK, SERIES, THEORY, Trouble, text};
use super::table::with_error;
use super::transition::Transition;

/// One colour a size; vermilion is kept for the exact β_c.
const SIZES: [RGBColor; 5] = [SERIES[5], SERIES[0], SERIES[2], SERIES[3], SERIES[4]];

/// Everything that is drawn, as numbers.
pub struct TransitionFigure {
    curves: Vec<Curve>,
    crossings: Vec<(String, Estimate)>,
    common_binder: Option<f64>,
    beta_c: Option<Estimate>,
    reference: Option<f64>,
    missing: &'static str,
}

struct Curve {
    size: usize,
    color: RGBColor,
    points: Vec<Dot>,
}

struct Dot {
    beta: f64,
    binder: Estimate,
    magnetization: Estimate,
    specific_heat: Estimate,
}

type Panel<'a, B> = ChartContext<'a, B, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

impl TransitionFigure {
    /// The numbers of an answer.
    pub fn new(answer: &Transition) -> Self {
        let mut curves: Vec<Curve> = Vec::new();
        for row in &answer.points {
            let p = row.point;
            if curves.last().is_none_or(|c| c.size != p.size) {
                let color = SIZES[curves.len() % SIZES.len()];
                curves.push(Curve { size: p.size, color, points: Vec::new() });
            }
            if let Some(curve) = curves.last_mut() {
                curve.points.push(Dot {
                    beta: p.beta,
                    binder: p.binder,
                    magnetization: p.abs_magnetization,
                    specific_heat: p.specific_heat,
                });
            }
        }
        let located = answer.beta_c.as_ref();
        Self {
            curves,
            crossings: answer.pairs.iter().map(|p| (format!("{}, {}", p.small, p.large), p.beta)).collect(),
            common_binder: answer.pairs.last().map(|p| p.binder),
            beta_c: located.map(|l| l.critical.beta),
            reference: located.and_then(|l| l.reference),
            missing: answer.missing(),
        }
    }

    fn betas(&self) -> (f64, f64) {
        let all = || self.curves.iter().flat_map(|c| c.points.iter().map(|d| d.beta));
        padded(all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max), 0.03)
    }

    fn range_of(&self, value: impl Fn(&Dot) -> Estimate) -> (f64, f64) {
        let all = || self.curves.iter().flat_map(|c| c.points.iter().map(&value));
        let low = all().map(|e| e.mean - e.error).filter(|x| x.is_finite()).fold(f64::INFINITY, f64::min);
        let high =
            all().map(|e| e.mean + e.error).filter(|x| x.is_finite()).fold(f64::NEG_INFINITY, f64::max);
        padded(low, high, 0.06)
    }
}

impl Figure for TransitionFigure {
    fn size(&self) -> (u32, u32) {
        (1500, 1080)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let (head, body) = area.split_vertically(64);
        let title = match (self.beta_c, self.reference) {
            (Some(c), Some(exact)) => format!(
                "The Binder cumulants cross at β_c = {}     exact {exact:.6}, off by {:.1}σ",
                with_error(c.mean, c.error),
                c.sigmas_from(exact).abs()
            ),
            (Some(c), None) => {
                format!("The Binder cumulants cross at β_c = {}", with_error(c.mean, c.error))
            }
            (None, _) => format!("Square lattice: {}", self.missing),
        };
        head.draw(&Text::new(title, (24, 22), text(30))).map_err(trouble)?;
        let panels = body.split_evenly((2, 2));
        self.binder(&panels[0])?;
        self.pairs(&panels[1])?;
        self.specific_heat(&panels[2])?;
        self.magnetization(&panels[3])
    }
}

impl TransitionFigure {
    fn binder<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let value = |d: &Dot| d.binder;
        let title = "Binder cumulant U₄: steeper with L, crossing at β_c";
        let mut panel = open(area, title, "U₄ = 1 − ⟨m⁴⟩ / 3⟨m²⟩²", self.betas(), self.range_of(value))?;
        self.mark(&mut panel, self.range_of(value), true)?;
        for curve in &self.curves {
            self.dots(&mut panel, curve, value, true)?;
        }
        if let (Some(c), Some(u)) = (self.beta_c, self.common_binder) {
            panel.draw_series([Circle::new((c.mean, u), 11, INK.stroke_width(2))]).map_err(trouble)?;
        }
        legend(&mut panel, SeriesLabelPosition::LowerRight)
    }

    fn specific_heat<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let value = |d: &Dot| d.specific_heat;
        let range = self.range_of(value);
        let title = "Specific heat: points simulated, lines exact for each finite L (Kaufman)";
        let mut panel = open(area, title, "specific heat C per site", self.betas(), range)?;
        self.mark(&mut panel, range, false)?;
        let (low, high) = self.betas();
        for curve in &self.curves {
            if let Ok(torus) = Torus::new(curve.size, curve.size) {
                let exact = samples(low, high)
                    .filter_map(|b| Beta::new(b).ok())
                    .map(|b| (b.value(), torus.specific_heat(b)))
                    .filter(|p| p.1 >= range.0 && p.1 <= range.1);
                panel.draw_series(LineSeries::new(exact, curve.color.stroke_width(1))).map_err(trouble)?;
            }
            self.dots(&mut panel, curve, value, false)?;
        }
        legend(&mut panel, SeriesLabelPosition::UpperLeft)
    }

    fn magnetization<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let value = |d: &Dot| d.magnetization;
        let (_, high) = self.range_of(value);
        let range = (0.0, high.min(1.0));
        let title = "Magnetisation: sharpens with L towards the exact infinite lattice (Yang)";
        let mut panel = open(area, title, "⟨|m|⟩", self.betas(), range)?;
        self.mark(&mut panel, range, false)?;
        let (low, top) = self.betas();
        let infinite = samples(low, top).filter_map(|b| Beta::new(b).ok());
        let infinite = infinite.map(|b| (b.value(), yang::magnetization(b))).filter(|p| p.1 <= range.1);
        panel
            .draw_series(LineSeries::new(infinite, INK.stroke_width(2)))
            .map_err(trouble)?
            .label("L = ∞, exact")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], INK.stroke_width(2)));
        for curve in &self.curves {
            self.dots(&mut panel, curve, value, true)?;
        }
        legend(&mut panel, SeriesLabelPosition::LowerRight)
    }

    /// The crossing of every pair beside the band of β_c and the exact value.
    fn pairs<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        if self.crossings.is_empty() {
            return area.draw(&Text::new(self.missing, (120, 200), text(26).color(&FAINT))).map_err(trouble);
        }
        let shown = || {
            let ends = self.crossings.iter().map(|c| c.1).chain(self.beta_c);
            ends.flat_map(|e| [e.mean - e.error, e.mean + e.error]).chain(self.reference)
        };
        let low = shown().fold(f64::INFINITY, f64::min);
        let high = shown().fold(f64::NEG_INFINITY, f64::max);
        let range = padded(low, high, 0.25);
        let count = self.crossings.len() as f64;
        let mut panel = ChartBuilder::on(area)
            .caption("Where U₄ of L and 2L cross, and the β_c they lead to", text(20))
            .margin(14)
            .x_label_area_size(48)
            .y_label_area_size(96)
            .build_cartesian_2d(0.5..count + 0.5, range.0..range.1)
            .map_err(trouble)?;
        let name = |x: &f64| {
            let near = (x - x.round()).abs() < 1e-6;
            let index = x.round() as usize;
            let pair = index.checked_sub(1).and_then(|i| self.crossings.get(i));
            if near { pair.map_or(String::new(), |p| p.0.clone()) } else { String::new() }
        };
        panel
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(WHITE)
            .bold_line_style(FAINT.mix(0.25))
            .x_labels(self.crossings.len() * 2 + 1)
            .x_label_formatter(&name)
            .x_desc("L, 2L")
            .y_labels(7)
            .y_label_formatter(&|y| format!("{y:.4}"))
            .y_desc("β")
            .label_style(text(17))
            .axis_desc_style(text(19))
            .axis_style(INK)
            .draw()
            .map_err(trouble)?;
        if let Some(c) = self.beta_c {
            let band = [(0.5, c.mean - c.error), (count + 0.5, c.mean + c.error)];
            panel
                .draw_series([Rectangle::new(band, INK.mix(0.14).filled())])
                .map_err(trouble)?
                .label("β_c ± σ, extrapolated")
                .legend(band_sign);
            let line = [(0.5, c.mean), (count + 0.5, c.mean)];
            panel.draw_series(LineSeries::new(line, INK.mix(0.6).stroke_width(1))).map_err(trouble)?;
        }
        if let Some(exact) = self.reference {
            let line = [(0.5, exact), (count + 0.5, exact)];
            panel
                .draw_series(DashedLineSeries::new(line, 9, 6, THEORY.stroke_width(2)))
                .map_err(trouble)?
                .label("exact, ln(1 + √2) / 2")
                .legend(exact_sign);
        }
        let bars = self.crossings.iter().enumerate().map(|(i, (_, e))| {
            let x = (i + 1) as f64;
            ErrorBar::new_vertical(
                x,
                e.mean - e.error,
                e.mean,
                e.mean + e.error,
                INK.filled().stroke_width(2),
                12,
            )
        });
        panel.draw_series(bars).map_err(trouble)?;
        legend(&mut panel, SeriesLabelPosition::UpperRight)
    }

    /// The band of β_c and the exact value as a dashed line.
    fn mark<B: DrawingBackend>(
        &self,
        panel: &mut Panel<'_, B>,
        range: (f64, f64),
        named: bool,
    ) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        if let Some(c) = self.beta_c {
            let band = [(c.mean - c.error, range.0), (c.mean + c.error, range.1)];
            let drawn = panel.draw_series([Rectangle::new(band, INK.mix(0.14).filled())]).map_err(trouble)?;
            if named {
                drawn.label("β_c ± σ").legend(band_sign);
            }
        }
        if let Some(exact) = self.reference {
            let line = [(exact, range.0), (exact, range.1)];
            let dashes = DashedLineSeries::new(line, 9, 6, THEORY.stroke_width(2));
            let drawn = panel.draw_series(dashes).map_err(trouble)?;
            if named {
                drawn.label("exact β_c").legend(exact_sign);
            }
        }
        Ok(())
    }

    fn dots<B: DrawingBackend>(
        &self,
        panel: &mut Panel<'_, B>,
        curve: &Curve,
        value: impl Fn(&Dot) -> Estimate,
        joined: bool,
    ) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let color = curve.color;
        let finite: Vec<(f64, Estimate)> =
            curve.points.iter().map(|d| (d.beta, value(d))).filter(|d| d.1.mean.is_finite()).collect();
        if joined {
            let line = finite.iter().map(|(x, e)| (*x, e.mean));
            panel.draw_series(LineSeries::new(line, color.mix(0.6).stroke_width(1))).map_err(trouble)?;
        }
        let bars = finite.iter().map(|(x, e)| {
            let error = if e.error.is_finite() { e.error } else { 0.0 };
            ErrorBar::new_vertical(*x, e.mean - error, e.mean, e.mean + error, color.filled(), 8)
        });
        panel
            .draw_series(bars)
            .map_err(trouble)?
            .label(format!("L = {}", curve.size))
            .legend(move |(x, y)| Circle::new((x + 11, y), 5, color.filled()));
        Ok(())
    }
}

/// An empty panel with axes: β to the right.
fn open<'a, B: DrawingBackend>(
    area: &'a DrawingArea<B, Shift>,
    title: &str,
    quantity: &str,
    (left, right): (f64, f64),
    (low, high): (f64, f64),
) -> Result<Panel<'a, B>, Trouble>
where
    B::ErrorType: 'static,
{
    let mut panel = ChartBuilder::on(area)
        .caption(title, text(20))
        .margin(14)
        .x_label_area_size(48)
        .y_label_area_size(96)
        .build_cartesian_2d(left..right, low..high)
        .map_err(trouble)?;
    panel
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(FAINT.mix(0.25))
        .x_labels(7)
        .y_labels(7)
        .x_label_formatter(&|x| format!("{x:.3}"))
        .y_label_formatter(&|y| format!("{y:.2}"))
        .x_desc("inverse temperature β (units of 1/J)")
        .y_desc(quantity)
        .label_style(text(17))
        .axis_desc_style(text(19))
        .axis_style(INK)
        .draw()
        .map_err(trouble)?;
    Ok(panel)
}

fn legend<'a, B: DrawingBackend + 'a>(
    panel: &mut Panel<'a, B>,
    at: SeriesLabelPosition,
) -> Result<(), Trouble>
where
    B::ErrorType: 'static,
{
    panel
        .configure_series_labels()
        .position(at)
        .background_style(WHITE.mix(0.85))
        .border_style(FAINT.mix(0.5))
        .label_font(text(17))
        .margin(12)
        .draw()
        .map_err(trouble)
}

/// The sign of the band of β_c in a legend.
fn band_sign((x, y): (i32, i32)) -> Rectangle<(i32, i32)> {
    Rectangle::new([(x, y - 6), (x + 22, y + 6)], INK.mix(0.14).filled())
}

/// The sign of the exact β_c in a legend.
fn exact_sign((x, y): (i32, i32)) -> PathElement<(i32, i32)> {
    PathElement::new([(x, y), (x + 22, y)], THEORY.stroke_width(2))
}

/// An interval a little wider than the data, and never empty.
fn padded(low: f64, high: f64, share: f64) -> (f64, f64) {
    if !(low.is_finite() && high.is_finite()) {
        return (0.0, 1.0);
    }
    let pad = if high > low { (high - low) * share } else { 0.05 * low.abs().max(0.1) };
    (low - pad, high + pad)
}

fn samples(low: f64, high: f64) -> impl Iterator<Item = f64> {
    (0..=300).map(move |i| low + (high - low) * f64::from(i) / 300.0)
}

/// Errors of a back end, whatever it is.
fn trouble<E: std::error::Error + Send + Sync + 'static>(error: DrawingAreaErrorKind<E>) -> Trouble {
    Box::new(error)
}
