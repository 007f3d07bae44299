//! Distance of annealed chains from the law along their schedule.

use ceas_npu::mapping::attention::Relaxation;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::Attended;
use super::curve::short;
use crate::report::figure::{FAINT, INK, SAMPLED, SERIES, THEORY, Trouble, text};

/// Total variation along the schedule, exact and measured.
pub struct RelaxationPanel {
    name: String,
    relaxation: Relaxation,
    /// Sweeps and mean distance over all heads.
    heads: Vec<(f64, f64)>,
}

impl RelaxationPanel {
    /// From a run.
    pub fn new(relaxation: &Relaxation, answer: &Attended) -> Self {
        let all: Vec<&Relaxation> = answer.heads.iter().filter_map(|h| h.relaxation.as_ref()).collect();
        let mean = |look: usize| all.iter().map(|r| r.total_variation[look]).sum::<f64>() / all.len() as f64;
        let sweeps = relaxation.sweeps.iter().map(|&s| s as f64);
        Self {
            name: answer.shown_name(),
            heads: if all.len() > 1 {
                sweeps.enumerate().map(|(look, s)| (s, mean(look))).collect()
            } else {
                Vec::new()
            },
            relaxation: relaxation.clone(),
        }
    }

    /// Draws the panel.
    pub fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let relaxation = &self.relaxation;
        let last = relaxation.sweeps.last().copied().unwrap_or(0).max(1) as f64;
        let series = |values: &[f64]| -> Vec<(f64, f64)> {
            relaxation.sweeps.iter().zip(values).map(|(&s, &v)| (s as f64, v.max(1e-12))).collect()
        };
        let exact = series(&relaxation.total_variation);
        let lag = series(&relaxation.lag);
        let all = exact.iter().chain(&self.heads).chain(&lag);
        let low = all.map(|p| p.1).fold(relaxation.floor, f64::min).max(1e-4) / 2.0;
        // Room above 1, where no distance lies, for the legend.
        let top = 1.5 * (1.5 / low).powf(0.5);
        let mut chart = ChartBuilder::on(area)
            .caption("Distance from the law along the schedule", text(19))
            .margin(4)
            .x_label_area_size(44)
            .y_label_area_size(72)
            .build_cartesian_2d(-0.01 * last..1.02 * last, (low..top).log_scale())?;
        chart
            .configure_mesh()
            .x_label_formatter(&|s| format!("{s:.0}"))
            .x_desc("sweeps (attempts of each spin)")
            .y_desc("total variation ½ Σ|p − p_β|")
            .label_style(text(14))
            .axis_desc_style(text(15))
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(230, 230, 230))
            .y_label_formatter(&|x| if *x < 1.01 && is_round(*x) { short(*x) } else { String::new() })
            .draw()?;
        let exact = exact.into_iter().map(|(s, v)| (s, v.max(low)));
        chart
            .draw_series(LineSeries::new(exact, THEORY.stroke_width(2)))?
            .label(format!("head {}, exact evolution", self.name))
            .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], THEORY.stroke_width(2)));
        let lag = lag.into_iter().map(|(s, v)| (s, v.max(low)));
        chart
            .draw_series(LineSeries::new(lag, SERIES[2].stroke_width(1)))?
            .label("its lag behind the law at β(t)")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], SERIES[2].stroke_width(1)));
        if !self.heads.is_empty() {
            chart
                .draw_series(DashedLineSeries::new(
                    self.heads.iter().map(|&(s, v)| (s, v.max(low))),
                    5,
                    4,
                    INK.stroke_width(1),
                ))?
                .label("mean over all heads, exact")
                .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], INK.stroke_width(1)));
        }
        if !relaxation.measured.is_empty() {
            let error = relaxation.measured_error;
            let bars = series(&relaxation.measured).into_iter().map(|(s, v)| {
                ErrorBar::new_vertical(s, (v - error).max(low), v, v + error, SAMPLED.filled(), 7)
            });
            chart
                .draw_series(bars)?
                .label(format!("measured, {} chains per query", relaxation.chains))
                .legend(|(x, y)| Circle::new((x + 11, y), 4, SAMPLED.filled()));
            let floor = [(0.0, relaxation.floor), (last, relaxation.floor)];
            chart
                .draw_series(DashedLineSeries::new(floor, 3, 4, FAINT.stroke_width(2)))?
                .label("what that many exact draws would show")
                .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], FAINT.stroke_width(2)));
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

/// Whether a tick of a logarithmic axis begins with 1, 2 or 5: the others would crowd it.
fn is_round(x: f64) -> bool {
    let lead = x / 10f64.powf(x.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().any(|digit| (lead - digit).abs() < 0.01)
}
