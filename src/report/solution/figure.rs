//! The picture of `ceas anneal`: energies along the reads, and what the reads ended with.

use plotters::coord::Shift;
use plotters::prelude::*;

use ceas_npu::sim::anneal::{LadderReport, Part};

use super::Solution;
use crate::report::figure::{FAINT, Figure, INK, SAMPLED, THEORY, Trouble, text};

/// Everything that is drawn, as numbers.
pub struct SolutionFigure {
    title: String,
    traces: Vec<Vec<(u64, f64)>>,
    parts: Vec<Part>,
    ladder: Option<LadderReport>,
    best_energy: f64,
    values: Vec<f64>,
    best: f64,
    value_name: &'static str,
}

impl SolutionFigure {
    /// The numbers of an answer.
    pub fn new(solution: &Solution) -> Self {
        let (hits, reads) = solution.hits();
        let value_name = match solution.objective() {
            ceas_npu::sim::instance::Objective::MaxCut => "best cut of the read",
            ceas_npu::sim::instance::Objective::Qubo => "best value of the read",
            ceas_npu::sim::instance::Objective::Ising => "best energy of the read",
        };
        Self {
            title: format!(
                "{}: best {}, met by {hits} of {reads} reads",
                solution.objective(),
                solution.best()
            ),
            traces: solution.traces().to_vec(),
            parts: solution.parts().to_vec(),
            ladder: solution.ladder().cloned(),
            best_energy: solution.best_energy(),
            values: solution.values().iter().map(|value| value.to_f64()).collect(),
            best: solution.best().to_f64(),
            value_name,
        }
    }

    /// Bins of equal width over the values: their left ends, the width, and how many fall into each.
    fn histogram(&self) -> (f64, f64, Vec<usize>) {
        const MOST: usize = 40;
        let low = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !(low.is_finite() && high.is_finite()) {
            return (0.0, 1.0, Vec::new());
        }
        let whole = self.values.iter().all(|value| value.fract() == 0.0) && high - low < 1e12;
        let spread = (high - low).max(f64::MIN_POSITIVE);
        // Whole numbers get bins of whole width, centred on them where they fit.
        let width =
            if whole { ((spread + 1.0) / MOST as f64).ceil().max(1.0) } else { spread / (MOST - 1) as f64 };
        let start = low - width / 2.0;
        let mut counts = vec![0; ((high - start) / width) as usize + 1];
        let last = counts.len() - 1;
        for value in &self.values {
            counts[(((value - start) / width) as usize).min(last)] += 1;
        }
        (start, width, counts)
    }
}

impl Figure for SolutionFigure {
    fn size(&self) -> (u32, u32) {
        (if self.ladder.is_some() { 2000 } else { 1500 }, 640)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let (head, body) = area.split_vertically(64);
        head.draw(&Text::new(self.title.clone(), (24, 22), text(30))).map_err(trouble)?;
        let (left, right) = body.split_horizontally(750);
        self.energies(&left)?;
        match &self.ladder {
            Some(ladder) => {
                let (middle, right) = right.split_horizontally(650);
                self.ends(&middle)?;
                rungs(&right, ladder)
            }
            None => self.ends(&right),
        }
    }
}

impl SolutionFigure {
    fn energies<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let all = || self.traces.iter().flatten();
        let last = all().map(|point| point.0).max().unwrap_or(1).max(2) as f64;
        let low = all().map(|point| point.1).fold(self.best_energy, f64::min);
        let high = all().map(|point| point.1).fold(self.best_energy, f64::max);
        let high = self.parts.iter().map(|part| part.mean).fold(high, f64::max);
        let (low, high) = padded(low, high);
        let mut panel = ChartBuilder::on(area)
            .caption(
                match self.ladder {
                    Some(_) => "Energy on the coldest rung, one line a read",
                    None => "Energy while β grows, one line a read",
                },
                text(20),
            )
            .margin(14)
            .x_label_area_size(48)
            .y_label_area_size(110)
            .build_cartesian_2d(0.0..last, low..high)
            .map_err(trouble)?;
        panel
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(FAINT.mix(0.25))
            .x_desc("sweep")
            .y_desc("energy H")
            .x_labels(6)
            .y_labels(7)
            .x_label_formatter(&|x| short(*x))
            .y_label_formatter(&|y| short(*y))
            .label_style(text(17))
            .axis_desc_style(text(19))
            .axis_style(INK)
            .draw()
            .map_err(trouble)?;
        for (number, trace) in self.traces.iter().enumerate() {
            let line = trace.iter().map(|&(sweep, energy)| (sweep as f64, energy));
            let drawn = panel
                .draw_series(LineSeries::new(line, SAMPLED.mix(0.35).stroke_width(1)))
                .map_err(trouble)?;
            if number == 0 {
                drawn
                    .label("reads")
                    .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], SAMPLED.stroke_width(2)));
            }
        }
        let means =
            || self.parts.iter().map(|part| (part.sweep as f64, part.mean, part.error.unwrap_or(0.0)));
        panel
            .draw_series(means().map(|(sweep, mean, error)| {
                ErrorBar::new_vertical(sweep, mean - error, mean, mean + error, INK.filled(), 8)
            }))
            .map_err(trouble)?
            .label("mean of all reads")
            .legend(|(x, y)| Circle::new((x + 11, y), 4, INK.filled()));
        let lowest =
            self.parts.iter().map(|part| TriangleMarker::new((part.sweep as f64, part.best), 7, THEORY));
        panel
            .draw_series(lowest)
            .map_err(trouble)?
            .label("lowest met until then")
            .legend(|(x, y)| TriangleMarker::new((x + 11, y), 7, THEORY));
        let best = [(0.0, self.best_energy), (last, self.best_energy)];
        panel
            .draw_series(DashedLineSeries::new(best, 9, 6, THEORY.stroke_width(2)))
            .map_err(trouble)?
            .label("best found")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], THEORY.stroke_width(2)));
        panel
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.85))
            .border_style(FAINT.mix(0.5))
            .label_font(text(17))
            .margin(12)
            .draw()
            .map_err(trouble)
    }

    fn ends<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let (start, width, counts) = self.histogram();
        if counts.is_empty() {
            let style = text(24).color(&FAINT);
            return area.draw(&Text::new("no read was completed", (120, 200), style)).map_err(trouble);
        }
        let end = start + width * counts.len() as f64;
        let most = counts.iter().copied().max().unwrap_or(1) as f64;
        // Few bars stay as narrow as if there were nine.
        let side = ((end - start) * 0.04).max(width * (9.0 - counts.len() as f64) / 2.0);
        let mut panel = ChartBuilder::on(area)
            .caption("What the reads ended with", text(20))
            .margin(14)
            .x_label_area_size(48)
            .y_label_area_size(80)
            .build_cartesian_2d(start - side..end + side, 0.0..most * 1.08)
            .map_err(trouble)?;
        panel
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(WHITE)
            .bold_line_style(FAINT.mix(0.25))
            .x_desc(self.value_name)
            .y_desc("reads")
            .x_labels(6)
            .y_labels(7)
            .x_label_formatter(&|x| short(*x))
            .y_label_formatter(&|y| if y.fract() == 0.0 { format!("{y:.0}") } else { String::new() })
            .label_style(text(17))
            .axis_desc_style(text(19))
            .axis_style(INK)
            .draw()
            .map_err(trouble)?;
        let bars = counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(bin, &count)| {
            let left = start + width * bin as f64;
            let holds_best = self.best >= left && self.best <= left + width;
            let color = if holds_best { THEORY } else { SAMPLED };
            Rectangle::new([(left + 0.06 * width, 0.0), (left + 0.94 * width, count as f64)], color.filled())
        });
        panel.draw_series(bars).map_err(trouble)?;
        Ok(())
    }
}

/// How often neighbouring rungs exchange, and how large the clusters are.
fn rungs<B: DrawingBackend>(area: &DrawingArea<B, Shift>, ladder: &LadderReport) -> Result<(), Trouble>
where
    B::ErrorType: 'static,
{
    let betas = || ladder.rungs.iter().map(|rung| rung.beta);
    let (low, high) = (betas().fold(f64::INFINITY, f64::min), betas().fold(0.0, f64::max));
    // Logarithmic over two decades and more; over fewer, a logarithmic axis would have one label or none.
    let logarithmic = high > 100.0 * low;
    let place = |beta: f64| if logarithmic { beta.log10() } else { beta };
    let side = 0.05 * (place(high) - place(low)).max(1e-9);
    let mut panel = ChartBuilder::on(area)
        .caption("The ladder", text(20))
        .margin(14)
        .x_label_area_size(48)
        .y_label_area_size(70)
        .build_cartesian_2d(place(low) - side..place(high) + side, 0.0..1.05)
        .map_err(trouble)?;
    panel
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(FAINT.mix(0.25))
        .x_desc("inverse temperature β of the rung")
        .y_desc("share")
        .x_labels(5)
        .y_labels(6)
        .x_label_formatter(&|x| short(if logarithmic { 10f64.powf(*x) } else { *x }))
        .y_label_formatter(&|y| format!("{y:.1}"))
        .label_style(text(17))
        .axis_desc_style(text(19))
        .axis_style(INK)
        .draw()
        .map_err(trouble)?;
    let swaps = ladder.rungs.iter().filter_map(|rung| Some((place(rung.beta), rung.swap?)));
    let line = LineSeries::new(swaps, SAMPLED.stroke_width(2)).point_size(4);
    panel
        .draw_series(line)
        .map_err(trouble)?
        .label("swaps with the next rung accepted")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], SAMPLED.stroke_width(2)));
    let shares: Vec<_> =
        ladder.rungs.iter().filter_map(|rung| Some((place(rung.beta), rung.cluster_share?))).collect();
    if !shares.is_empty() {
        panel
            .draw_series(shares.iter().map(|&at| Circle::new(at, 5, THEORY.filled())))
            .map_err(trouble)?
            .label("differing sites in one cluster")
            .legend(|(x, y)| Circle::new((x + 11, y), 5, THEORY.filled()));
    }
    panel
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(FAINT.mix(0.5))
        .label_font(text(17))
        .margin(12)
        .draw()
        .map_err(trouble)
}

/// A number on an axis, at most some eight characters wide.
fn short(x: f64) -> String {
    let plain = if x.abs() >= 1e7 || (x != 0.0 && x.abs() < 1e-3) {
        format!("{x:.2e}")
    } else if x.fract() == 0.0 {
        format!("{x:.0}")
    } else if x.abs() >= 100.0 {
        format!("{x:.1}")
    } else {
        format!("{x:.3}")
    };
    plain.replace('-', "−")
}

fn padded(low: f64, high: f64) -> (f64, f64) {
    if !(low.is_finite() && high.is_finite()) {
        return (0.0, 1.0);
    }
    let pad = if high > low { (high - low) * 0.04 } else { 0.05 * low.abs().max(0.1) };
    (low - pad, high + pad)
}

/// Errors of a back end, whatever it is.
fn trouble<E: std::error::Error + Send + Sync + 'static>(error: DrawingAreaErrorKind<E>) -> Trouble {
    Box::new(error)
}
