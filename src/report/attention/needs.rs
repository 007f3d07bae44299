//! How many read-outs each head needs.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Attended;
use super::curve::short;
use crate::report::figure::{INK, SERIES, Trouble, text};

/// S for 10, 5 and 1 % of every head, in ascending order.
pub struct Needs {
    /// (label, sorted numbers).
    series: Vec<(&'static str, Vec<f64>)>,
    samples: f64,
}

impl Needs {
    /// From a run.
    pub fn new(answer: &Attended) -> Self {
        let sorted = |pick: &dyn Fn(&super::AttendedHead) -> f64| {
            let mut needs: Vec<f64> =
                answer.heads.iter().map(pick).filter(|s| s.is_finite()).map(|s| s.max(1.0)).collect();
            needs.sort_by(f64::total_cmp);
            needs
        };
        Self {
            series: vec![
                ("1 %", sorted(&|h| h.report.samples_1_percent)),
                ("5 %", sorted(&|h| h.report.samples_5_percent)),
                ("10 %", sorted(&|h| h.report.samples_10_percent)),
            ],
            samples: answer.sampling.samples.get().into(),
        }
    }

    /// Draws the panel.
    pub fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let all = || self.series.iter().flat_map(|s| s.1.iter().copied()).chain([self.samples]);
        let (low, high) = (all().fold(f64::MAX, f64::min) / 2.0, all().fold(1.0, f64::max) * 2.0);
        let heads = self.series.iter().map(|s| s.1.len()).max().unwrap_or(0).max(1) as f64;
        let mut chart = ChartBuilder::on(area)
            .caption("Read-outs that each head needs", text(19))
            .margin(4)
            .x_label_area_size(44)
            .y_label_area_size(62)
            .build_cartesian_2d(0.0..heads * 1.16 + 1.0, (low..high).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("heads, in ascending order of need")
            .y_desc("S, read-outs per query")
            .label_style(text(14))
            .axis_desc_style(text(15))
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(230, 230, 230))
            .x_label_formatter(&|x| {
                if *x <= heads && x.fract() == 0.0 { format!("{x:.0}") } else { String::new() }
            })
            .y_label_formatter(&|s| short(*s))
            .draw()?;
        for ((name, needs), colour) in self.series.iter().zip([SERIES[1], SERIES[0], SERIES[2]]) {
            let place = |(rank, s): (usize, &f64)| (rank as f64 + 1.0, *s);
            chart.draw_series(
                needs.iter().enumerate().map(place).map(|at| Circle::new(at, 3, colour.filled())),
            )?;
            if let Some(&s) = needs.last() {
                let style = text(15).color(&colour).pos(Pos::new(HPos::Left, VPos::Center));
                chart.draw_series([Text::new(format!("  {name}"), (heads + 0.5, s), style)])?;
            }
            if let Some(&s) = needs.get(needs.len() / 2) {
                let style = text(14).pos(Pos::new(HPos::Center, VPos::Bottom));
                let median = (needs.len() / 2) as f64 + 1.0;
                let label = format!("median {}", short(s));
                chart.draw_series([Text::new(label, (median, s * 1.25), style)])?;
                chart.draw_series([Circle::new((median, s), 5, colour.stroke_width(2))])?;
            }
        }
        chart.draw_series(DashedLineSeries::new(
            [(0.0, self.samples), (heads * 1.16 + 1.0, self.samples)],
            6,
            5,
            INK.stroke_width(1),
        ))?;
        let style = text(14).pos(Pos::new(HPos::Left, VPos::Bottom));
        chart.draw_series([Text::new(
            format!(" this run: S = {}", short(self.samples)),
            (0.0, self.samples * 1.05),
            style,
        )])?;
        Ok(())
    }
}
