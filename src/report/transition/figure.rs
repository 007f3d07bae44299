//! The picture of `ceas sweep`: six panels about one transition.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use ceas_npu::sim::critical::{BINDER, Collapse, Critical, LENGTH, Pair};
use ceas_npu::sim::statistics::Estimate;

use super::Transition;
use crate::report::figure::{FAINT, Figure, INK, SERIES, THEORY, Trouble, text};
use crate::report::table::with_error;

/// One colour a size; vermilion is kept for the reference.
const SIZES: [RGBColor; 6] = [SERIES[5], SERIES[0], SERIES[2], SERIES[3], SERIES[4], FAINT];

/// What the axis of β is called.
pub(super) const BETA: &str = "inverse temperature β (units of 1/J)";

/// Everything that is drawn, as numbers.
pub struct TransitionFigure {
    pub(super) sizes: Vec<OfSize>,
    pub(super) pairs: Vec<Pair>,
    pub(super) critical: Option<Critical>,
    pub(super) reference: Option<f64>,
    pub(super) off: Option<f64>,
    pub(super) collapse: Option<Collapse>,
    pub(super) missing: &'static str,
    pub(super) size_name: &'static str,
    pub(super) inverse_nu: Option<f64>,
    pub(super) is_square: bool,
    lattice: String,
}

/// The points of one size, and its curves from all runs together.
pub(super) struct OfSize {
    pub(super) size: usize,
    pub(super) color: RGBColor,
    pub(super) points: Vec<Dot>,
    pub(super) binder: Vec<(f64, f64)>,
    pub(super) length: Vec<(f64, f64)>,
}

/// One point.
pub(super) struct Dot {
    pub(super) beta: f64,
    pub(super) binder: Estimate,
    pub(super) length: Estimate,
    pub(super) magnetization: Estimate,
    pub(super) specific_heat: Estimate,
}

pub(super) type Panel<'a, B> = ChartContext<'a, B, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

impl TransitionFigure {
    /// The numbers of an answer.
    pub fn new(answer: &Transition) -> Self {
        let mut sizes: Vec<OfSize> = Vec::new();
        for row in &answer.points {
            let p = row.point;
            if sizes.last().is_none_or(|c| c.size != p.size) {
                let color = SIZES[sizes.len() % SIZES.len()];
                let (binder, length) = (Vec::new(), Vec::new());
                sizes.push(OfSize { size: p.size, color, points: Vec::new(), binder, length });
            }
            if let Some(of_size) = sizes.last_mut() {
                let l = p.size as f64;
                let xi = p.correlation_length;
                of_size.points.push(Dot {
                    beta: p.beta,
                    binder: p.binder,
                    length: Estimate { mean: xi.mean / l, error: xi.error / l },
                    magnetization: p.abs_magnetization,
                    specific_heat: p.specific_heat,
                });
            }
        }
        for curves in answer.curves() {
            let [low, high] = curves.all.range();
            let along = |which: usize| -> Vec<(f64, f64)> {
                samples(low, high).map(|beta| (beta, curves.all.at(which, beta).0)).collect()
            };
            if let Some(of_size) = sizes.iter_mut().find(|s| s.size == curves.size) {
                (of_size.binder, of_size.length) = (along(BINDER), along(LENGTH));
            }
        }
        let located = answer.beta_c.as_ref();
        Self {
            sizes,
            pairs: answer.pairs.clone(),
            critical: located.map(|l| l.critical.clone()),
            reference: located.and_then(|l| l.reference),
            off: located.and_then(|l| l.sigmas),
            collapse: answer.collapse.clone(),
            missing: answer.missing(),
            size_name: answer.size_name(),
            inverse_nu: answer.exponents.as_ref().and_then(|e| Some(1.0 / e.nu?.value.mean)),
            is_square: answer.is_square,
            lattice: answer.lattice.clone(),
        }
    }

    pub(super) fn beta_c(&self) -> Option<Estimate> {
        self.critical.as_ref().map(|c| c.beta)
    }

    pub(super) fn betas(&self) -> (f64, f64) {
        let all = || self.sizes.iter().flat_map(|c| c.points.iter().map(|d| d.beta));
        padded(all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max), 0.03)
    }

    pub(super) fn range_of(&self, value: impl Fn(&Dot) -> Estimate) -> (f64, f64) {
        let all = || self.sizes.iter().flat_map(|c| c.points.iter().map(&value));
        let low = all().map(|e| e.mean - e.error).filter(|x| x.is_finite()).fold(f64::INFINITY, f64::min);
        let high =
            all().map(|e| e.mean + e.error).filter(|x| x.is_finite()).fold(f64::NEG_INFINITY, f64::max);
        padded(low, high, 0.06)
    }
}

impl Figure for TransitionFigure {
    fn size(&self) -> (u32, u32) {
        (1500, 1600)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let (head, body) = area.split_vertically(64);
        let title = match (self.beta_c(), self.reference, self.off) {
            (Some(c), Some(known), Some(off)) => format!(
                "{}: β_c = {}     literature {known:.8}, off by {:.1}σ",
                self.lattice,
                with_error(c.mean, c.error),
                off.abs()
            ),
            (Some(c), ..) => format!("{}: β_c = {}", self.lattice, with_error(c.mean, c.error)),
            (None, ..) => format!("{}: {}", self.lattice, self.missing),
        };
        head.draw(&Text::new(title, (24, 22), text(30))).map_err(trouble)?;
        let panels = body.split_evenly((3, 2));
        self.binder(&panels[0])?;
        self.crossings(&panels[1])?;
        self.length(&panels[2])?;
        self.collapsed(&panels[3])?;
        self.specific_heat(&panels[4])?;
        self.magnetization(&panels[5])
    }
}

pub(super) fn samples(low: f64, high: f64) -> impl Iterator<Item = f64> {
    (0..=300).map(move |i| low + (high - low) * f64::from(i) / 300.0)
}

/// An empty panel with axes: β to the right.
pub(super) fn open<'a, B: DrawingBackend>(
    area: &'a DrawingArea<B, Shift>,
    title: &str,
    (quantity, abscissa): (&str, &str),
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
        .x_label_formatter(&|x| decimals(*x, right - left))
        .y_label_formatter(&|y| decimals(*y, high - low))
        .x_desc(abscissa)
        .y_desc(quantity)
        .label_style(text(17))
        .axis_desc_style(text(19))
        .axis_style(INK)
        .draw()
        .map_err(trouble)?;
    Ok(panel)
}

pub(super) fn legend<'a, B: DrawingBackend + 'a>(
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

/// A number with as many decimals as its axis needs.
fn decimals(x: f64, range: f64) -> String {
    let digits = (1.0 - range.abs().max(1e-12).log10()).ceil().clamp(0.0, 10.0) as usize;
    format!("{x:.digits$}")
}

/// The sign of the band of β_c in a legend.
pub(super) fn band_sign((x, y): (i32, i32)) -> Rectangle<(i32, i32)> {
    Rectangle::new([(x, y - 6), (x + 22, y + 6)], INK.mix(0.14).filled())
}

/// The sign of the exact β_c in a legend.
pub(super) fn exact_sign((x, y): (i32, i32)) -> PathElement<(i32, i32)> {
    PathElement::new([(x, y), (x + 22, y)], THEORY.stroke_width(2))
}

/// An interval a little wider than the data, and never empty.
pub(super) fn padded(low: f64, high: f64, share: f64) -> (f64, f64) {
    if !(low.is_finite() && high.is_finite()) {
        return (0.0, 1.0);
    }
    let pad = if high > low { (high - low) * share } else { 0.05 * low.abs().max(0.1) };
    (low - pad, high + pad)
}

/// Errors of a back end, whatever it is.
pub(super) fn trouble<E: std::error::Error + Send + Sync + 'static>(
    error: DrawingAreaErrorKind<E>,
) -> Trouble {
    Box::new(error)
}
