//! The picture: how entropies move, how β moves, where heads sit, what gating saves and costs.

use ceas_npu::mapping::attention::Quantiles;
use ceas_npu::mapping::control::{TokenScore, Variant};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Controlled;
use crate::report::figure::{FAINT, Figure, INK, SAMPLED, SERIES, THEORY, Trouble, text};

/// A score's name, and for each share saved the median errors when gated and when spent evenly.
type GateLine = (&'static str, Vec<(f64, f64, f64)>);

/// The picture of a run.
pub struct ControlFigure {
    title: String,
    subtitle: String,
    /// H − H_t of every head: published, corrected.
    errors: [Vec<Vec<f64>>; 2],
    /// β/β₀ of every head: published, corrected.
    betas: [Vec<Vec<f64>>; 2],
    shown: usize,
    shown_name: String,
    /// β₀ and the controlled β over β at the peak of C, sorted by the first.
    seats: Vec<(f64, f64)>,
    /// For each score: saved share, median error, median error if spent evenly.
    gates: Vec<GateLine>,
    samples: u32,
}

const WIDTH: u32 = 1500;
const HEADER: u32 = 76;
const PANEL: u32 = 500;
/// Steps that are drawn.
const STEPS: usize = 24;

impl ControlFigure {
    /// The picture of a run.
    pub fn new(answer: &Controlled) -> Self {
        let series = |which: usize, f: &dyn Fn(&ceas_npu::mapping::control::Moment, f64) -> f64| {
            answer
                .heads
                .iter()
                .map(|head| {
                    let trace = &head.control.traces[which];
                    trace.moments.iter().take(STEPS + 1).map(|m| f(m, head.control.textbook)).collect()
                })
                .collect::<Vec<Vec<f64>>>()
        };
        let both = |f: &dyn Fn(&ceas_npu::mapping::control::Moment, f64) -> f64| {
            [series(0, f), series(Variant::CORRECTED, f)]
        };
        let mut seats: Vec<(f64, f64)> = answer
            .heads
            .iter()
            .filter_map(|head| {
                let before = head.control.over_peak()?;
                let after = head.control.traces[Variant::CORRECTED].last().beta / head.control.textbook;
                Some((before, before * after))
            })
            .collect();
        seats.sort_by(|a, b| a.0.total_cmp(&b.0));
        let shown = answer.shown();
        let tallies = answer.tallies();
        Self {
            title: format!("The thermostat on {} heads of {}", answer.heads.len(), answer.model_name()),
            subtitle: format!(
                "published defaults for {}: {} converge, {} cycle    corrected: {} converge, in at most {:.0} steps",
                answer.scale.published_name,
                tallies[0].converged,
                tallies[0].limit_cycle,
                tallies[Variant::CORRECTED].converged,
                tallies[Variant::CORRECTED].steps.max,
            ),
            errors: both(&|m, _| m.entropy - m.target),
            betas: both(&|m, textbook| m.beta / textbook),
            shown,
            shown_name: {
                let head = &answer.heads[shown].control;
                format!("{}.{}", head.layer, head.head)
            },
            seats,
            gates: gate_lines(answer),
            samples: answer.samples,
        }
    }
}

/// Medians over the heads along each curve.
fn gate_lines(answer: &Controlled) -> Vec<GateLine> {
    let Some(first) = answer.heads.first() else { return Vec::new() };
    first
        .curves
        .iter()
        .enumerate()
        .map(|(number, curve)| {
            let name = match curve.score {
                TokenScore::Published => "lowest T pruned (published score)",
                TokenScore::OverBetaC => "lowest β/β_c pruned",
                TokenScore::SpecificHeat => "lowest C pruned",
            };
            let points = (0..curve.points.len())
                .map(|point| {
                    let of = |f: fn(&(f64, f64, f64)) -> f64| {
                        Quantiles::of(answer.heads.iter().map(|h| f(&h.curves[number].points[point]))).median
                    };
                    (100.0 * (1.0 - curve.points[point].0), 100.0 * of(|p| p.1), 100.0 * of(|p| p.2))
                })
                .collect();
            (name, points)
        })
        .collect()
}

impl Figure for ControlFigure {
    fn size(&self) -> (u32, u32) {
        (WIDTH, HEADER + 2 * PANEL)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let (header, rest) = area.split_vertically(HEADER);
        header.draw(&Text::new(self.title.as_str(), (28, 14), text(27)))?;
        header.draw(&Text::new(self.subtitle.as_str(), (28, 48), text(17).color(&FAINT)))?;
        let panels = rest.split_evenly((2, 2));
        self.draw_errors(&panels[0].margin(4, 8, 16, 12))?;
        self.draw_betas(&panels[1].margin(4, 8, 12, 24))?;
        self.draw_seats(&panels[2].margin(4, 12, 16, 12))?;
        self.draw_gates(&panels[3].margin(4, 12, 12, 24))
    }
}

/// Steps against values, for both controllers.
type Lines = [Vec<Vec<f64>>; 2];

impl ControlFigure {
    fn draw_errors<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let all = self.errors.iter().flatten().flatten().copied().filter(|x| x.is_finite());
        let (low, high) = all.fold((-0.5f64, 0.5f64), |(l, h), x| (l.min(x), h.max(x)));
        let pad = 0.06 * (high - low);
        let mut chart = ChartBuilder::on(area)
            .caption("Distance of the entropy from its target", text(19))
            .margin(4)
            .x_label_area_size(44)
            .y_label_area_size(62)
            .build_cartesian_2d(0.0..STEPS as f64, low - pad..high + pad)?;
        chart
            .configure_mesh()
            .x_desc("step")
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_desc("H − H_t  (nats)")
            .label_style(text(14))
            .axis_desc_style(text(15))
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(230, 230, 230))
            .draw()?;
        chart.draw_series([PathElement::new([(0.0, 0.0), (STEPS as f64, 0.0)], INK.stroke_width(1))])?;
        self.lines(&mut chart, &self.errors)?;
        labels(&mut chart, SeriesLabelPosition::LowerRight)
    }

    fn draw_betas<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let all = self.betas.iter().flatten().flatten().copied().filter(|x| x.is_finite() && *x > 0.0);
        let (low, high) = all.fold((0.5f64, 2.0f64), |(l, h), x| (l.min(x), h.max(x)));
        let mut chart = ChartBuilder::on(area)
            .caption("β on the way", text(19))
            .margin(4)
            .x_label_area_size(44)
            .y_label_area_size(70)
            .build_cartesian_2d(0.0..STEPS as f64, (low / 1.3..high * 1.3).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("step")
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_desc("β/β₀")
            .label_style(text(14))
            .axis_desc_style(text(15))
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(230, 230, 230))
            .y_label_formatter(&|y| format!("{y}"))
            .draw()?;
        self.lines(&mut chart, &self.betas)?;
        labels(&mut chart, SeriesLabelPosition::LowerRight)
    }

    fn lines<B: DrawingBackend, Y>(
        &self,
        chart: &mut ChartContext<'_, B, Cartesian2d<plotters::coord::types::RangedCoordf64, Y>>,
        lines: &Lines,
    ) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
        Y: Ranged<ValueType = f64>,
    {
        let names = ["published", "corrected"];
        for (number, colour) in [THEORY, SAMPLED].into_iter().enumerate() {
            for series in &lines[number] {
                let points = series.iter().enumerate().map(|(step, &y)| (step as f64, y));
                chart.draw_series(LineSeries::new(points, colour.mix(0.16).stroke_width(1)))?;
            }
        }
        for (number, colour) in [THEORY, SAMPLED].into_iter().enumerate() {
            let series = &lines[number][self.shown];
            let points = series.iter().enumerate().map(|(step, &y)| (step as f64, y));
            chart
                .draw_series(LineSeries::new(points, colour.stroke_width(3)))?
                .label(format!("{}: all heads, head {} in bold", names[number], self.shown_name))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], colour.stroke_width(3)));
        }
        Ok(())
    }

    fn draw_seats<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let all = self.seats.iter().flat_map(|s| [s.0, s.1]).filter(|x| x.is_finite() && *x > 0.0);
        let (low, high) = all.fold((0.3f64, 2.0f64), |(l, h), x| (l.min(x), h.max(x)));
        let count = self.seats.len().max(1) as f64;
        let mut chart = ChartBuilder::on(area)
            .caption("Where the heads sit: β over β at the peak of C", text(19))
            .margin(4)
            .x_label_area_size(44)
            .y_label_area_size(62)
            .build_cartesian_2d(0.0..count + 1.0, (low / 1.3..high * 1.3).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("heads, in ascending order of β₀/β_peak")
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_desc("β/β_peak")
            .label_style(text(14))
            .axis_desc_style(text(15))
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(230, 230, 230))
            .y_label_formatter(&|y| format!("{y}"))
            .draw()?;
        let band = vec![(0.0, 1.0 / 1.5), (count + 1.0, 1.0 / 1.5), (count + 1.0, 1.5), (0.0, 1.5)];
        chart
            .draw_series([Polygon::new(band, FAINT.mix(0.22))])?
            .label("within a factor 1.5 of the peak")
            .legend(|(x, y)| Rectangle::new([(x, y - 5), (x + 22, y + 5)], FAINT.mix(0.22).filled()));
        let at = |pick: fn(&(f64, f64)) -> f64| {
            self.seats.iter().enumerate().map(move |(rank, seat)| (rank as f64 + 1.0, pick(seat)))
        };
        chart
            .draw_series(at(|s| s.0).map(|p| Circle::new(p, 4, INK.filled())))?
            .label("as trained, β₀")
            .legend(|(x, y)| Circle::new((x + 11, y), 4, INK.filled()));
        chart
            .draw_series(at(|s| s.1).map(|p| Circle::new(p, 4, SAMPLED.stroke_width(2))))?
            .label("held at the target entropy")
            .legend(|(x, y)| Circle::new((x + 11, y), 4, SAMPLED.stroke_width(2)));
        labels(&mut chart, SeriesLabelPosition::UpperLeft)
    }

    fn draw_gates<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let all = self.gates.iter().flat_map(|g| g.1.iter().flat_map(|p| [p.1, p.2]));
        let high = all.filter(|x| x.is_finite()).fold(1.0f64, f64::max);
        let mut chart = ChartBuilder::on(area)
            .caption(format!("What gating saves and costs at S = {} (median head)", self.samples), text(19))
            .margin(4)
            .x_label_area_size(44)
            .y_label_area_size(70)
            .build_cartesian_2d(0.0..85.0, 0.0..high * 1.1)?;
        chart
            .configure_mesh()
            .x_desc("queries pruned = sampling events saved  (%)")
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| format!("{y:.0}"))
            .y_desc("output error  (%)")
            .label_style(text(14))
            .axis_desc_style(text(15))
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(230, 230, 230))
            .draw()?;
        for ((name, points), colour) in self.gates.iter().zip([SERIES[1], SERIES[4], SERIES[0]]) {
            chart
                .draw_series(LineSeries::new(points.iter().map(|p| (p.0, p.1)), colour.stroke_width(2)))?
                .label(*name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], colour.stroke_width(2)));
            chart.draw_series(points.iter().map(|p| Circle::new((p.0, p.1), 3, colour.filled())))?;
        }
        if let Some((_, points)) = self.gates.first() {
            let line = points.iter().map(|p| (p.0, p.2));
            chart
                .draw_series(DashedLineSeries::new(line, 6, 5, INK.stroke_width(2)))?
                .label("no gate: every query read less often")
                .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], INK.stroke_width(2)));
            if let Some(last) = points.first() {
                let style = text(14).pos(Pos::new(HPos::Right, VPos::Top));
                chart.draw_series([Text::new("√(V/S′)/|o|  ", (last.0, last.2), style)])?;
            }
        }
        labels(&mut chart, SeriesLabelPosition::UpperLeft)
    }
}

fn labels<'a, B, X, Y>(
    chart: &mut ChartContext<'a, B, Cartesian2d<X, Y>>,
    position: SeriesLabelPosition,
) -> Result<(), Trouble>
where
    B: DrawingBackend + 'a,
    B::ErrorType: 'static,
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    chart
        .configure_series_labels()
        .position(position)
        .label_font(text(14))
        .background_style(WHITE.mix(0.85))
        .border_style(INK.mix(0.2))
        .draw()?;
    Ok(())
}
