//! The panels of the picture of `ceas sweep`.

use plotters::coord::Shift;
use plotters::prelude::*;

use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::exact::kaufman::Torus;
use ceas_npu::sim::exact::yang;
use ceas_npu::sim::statistics::Estimate;

use super::figure::{
    BETA, Dot, OfSize, Panel, TransitionFigure, band_sign, exact_sign, legend, open, padded, samples, trouble,
};
use crate::report::figure::{FAINT, INK, SERIES, THEORY, Trouble, text};

impl TransitionFigure {
    pub(super) fn binder<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let value = |d: &Dot| d.binder;
        let range = self.range_of(value);
        let title = "Binder cumulant: points simulated, lines reweighted from all of them";
        let mut panel = open(area, title, ("U₄ = 1 − ⟨m⁴⟩ / 3⟨m²⟩²", BETA), self.betas(), range)?;
        self.mark(&mut panel, range, true)?;
        for of_size in &self.sizes {
            line(&mut panel, &of_size.binder, of_size.color, (self.betas(), range))?;
            self.dots(&mut panel, of_size, value, of_size.binder.is_empty())?;
        }
        legend(&mut panel, SeriesLabelPosition::LowerRight)
    }

    pub(super) fn length<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let value = |d: &Dot| d.length;
        if !self.sizes.iter().any(|s| s.points.iter().any(|d| d.length.mean.is_finite())) {
            return empty(area, "a graph without axes has no correlation length");
        }
        let range = self.range_of(value);
        let title = "Second-moment correlation length over L";
        let mut panel = open(area, title, ("ξ / L", BETA), self.betas(), range)?;
        self.mark(&mut panel, range, true)?;
        for of_size in &self.sizes {
            line(&mut panel, &of_size.length, of_size.color, (self.betas(), range))?;
            self.dots(&mut panel, of_size, value, of_size.length.is_empty())?;
        }
        legend(&mut panel, SeriesLabelPosition::UpperLeft)
    }

    pub(super) fn specific_heat<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let value = |d: &Dot| d.specific_heat;
        let range = self.range_of(value);
        let title = match self.is_square {
            true => "Specific heat: points simulated, lines exact for each finite L (Kaufman)",
            false => "Specific heat",
        };
        let mut panel = open(area, title, ("specific heat C per site", BETA), self.betas(), range)?;
        self.mark(&mut panel, range, false)?;
        let (low, high) = self.betas();
        for of_size in &self.sizes {
            if let (true, Ok(torus)) = (self.is_square, Torus::new(of_size.size, of_size.size)) {
                let exact: Vec<(f64, f64)> = samples(low, high)
                    .filter_map(|b| Beta::new(b).ok())
                    .map(|b| (b.value(), torus.specific_heat(b)))
                    .collect();
                line(&mut panel, &exact, of_size.color, (self.betas(), range))?;
            }
            self.dots(&mut panel, of_size, value, !self.is_square)?;
        }
        legend(&mut panel, SeriesLabelPosition::UpperLeft)
    }

    pub(super) fn magnetization<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let value = |d: &Dot| d.magnetization;
        let (_, high) = self.range_of(value);
        let range = (0.0, high.min(1.0));
        let title = match self.is_square {
            true => "Magnetisation: sharpens with L towards the exact infinite lattice (Yang)",
            false => "Magnetisation",
        };
        let mut panel = open(area, title, ("⟨|m|⟩", BETA), self.betas(), range)?;
        self.mark(&mut panel, range, false)?;
        let (low, top) = self.betas();
        if self.is_square {
            let infinite = samples(low, top).filter_map(|b| Beta::new(b).ok());
            let infinite = infinite.map(|b| (b.value(), yang::magnetization(b))).filter(|p| p.1 <= range.1);
            panel
                .draw_series(LineSeries::new(infinite, INK.stroke_width(2)))
                .map_err(trouble)?
                .label("L = ∞, exact")
                .legend(|(x, y)| PathElement::new([(x, y), (x + 22, y)], INK.stroke_width(2)));
        }
        for of_size in &self.sizes {
            self.dots(&mut panel, of_size, value, true)?;
        }
        legend(&mut panel, SeriesLabelPosition::LowerRight)
    }

    /// The crossings of every pair over L^(−1/ν − ω), where they lie on straight lines into β_c.
    pub(super) fn crossings<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        if self.pairs.is_empty() {
            return empty(area, self.missing);
        }
        let power = match (&self.critical, self.inverse_nu) {
            (Some(c), Some(inverse_nu)) => c.omega + inverse_nu,
            _ => 1.0,
        };
        let x = |size: usize| (size as f64).powf(-power);
        let of_binder: Vec<(f64, Estimate)> = self.pairs.iter().map(|p| (x(p.small), p.beta)).collect();
        let of_length: Vec<(f64, Estimate)> =
            self.pairs.iter().filter_map(|p| Some((x(p.small), p.length_beta?))).collect();
        let shown = || {
            let ends = of_binder.iter().chain(&of_length).map(|c| c.1).chain(self.beta_c());
            ends.flat_map(|e| [e.mean - e.error, e.mean + e.error]).chain(self.reference)
        };
        let low = shown().fold(f64::INFINITY, f64::min);
        let high = shown().fold(f64::NEG_INFINITY, f64::max);
        let range = padded(low, high, 0.12);
        let right = 1.1 * of_binder.iter().map(|c| c.0).fold(0.0, f64::max);
        let n = self.size_name;
        let abscissa = format!("{n} to the power −{power:.2}, {n} the smaller size");
        let title = "Where two sizes cross, and the β_c of all curves together";
        let mut panel = open(area, title, ("β", &abscissa), (-0.03 * right, right), range)?;
        if let Some(c) = self.beta_c() {
            let band = [(-0.03 * right, c.mean - c.error), (right, c.mean + c.error)];
            panel
                .draw_series([Rectangle::new(band, INK.mix(0.14).filled())])
                .map_err(trouble)?
                .label("β_c ± σ")
                .legend(band_sign);
        }
        if let Some(known) = self.reference {
            let ends = [(-0.03 * right, known), (right, known)];
            panel
                .draw_series(DashedLineSeries::new(ends, 9, 6, THEORY.stroke_width(2)))
                .map_err(trouble)?
                .label("literature")
                .legend(exact_sign);
        }
        for (name, color, found) in [("U₄", SERIES[0], &of_binder), ("ξ/L", SERIES[2], &of_length)] {
            if found.is_empty() {
                continue;
            }
            let bars = found.iter().map(|(x, e)| {
                ErrorBar::new_vertical(*x, e.mean - e.error, e.mean, e.mean + e.error, color.filled(), 12)
            });
            panel
                .draw_series(bars)
                .map_err(trouble)?
                .label(format!("crossings of {name}"))
                .legend(move |(x, y)| Circle::new((x + 11, y), 5, color.filled()));
        }
        legend(&mut panel, SeriesLabelPosition::LowerRight)
    }

    /// U₄ of all sizes over (β − β_c) L^(1/ν).
    pub(super) fn collapsed<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let Some(collapse) = &self.collapse else {
            return empty(area, "a collapse needs β_c and ν, from three sizes");
        };
        let all = || collapse.points.iter();
        let low = all().map(|p| p.x).fold(f64::INFINITY, f64::min);
        let high = all().map(|p| p.x).fold(f64::NEG_INFINITY, f64::max);
        let bottom = all().map(|p| p.binder.mean - p.binder.error).fold(f64::INFINITY, f64::min);
        let top = all().map(|p| p.binder.mean + p.binder.error).fold(f64::NEG_INFINITY, f64::max);
        let n = self.size_name;
        let abscissa = format!("(β − β_c) {n} to the power {:.4}", collapse.inverse_nu);
        let title = format!(
            "Data collapse: χ²/dof = {:.1}/{} about one curve",
            collapse.chi_squared, collapse.freedom
        );
        let axes = ("U₄", abscissa.as_str());
        let mut panel = open(area, &title, axes, padded(low, high, 0.05), padded(bottom, top, 0.06))?;
        let curve = collapse.curve.iter().map(|&[x, y]| (x, y));
        panel.draw_series(LineSeries::new(curve, INK.mix(0.6).stroke_width(1))).map_err(trouble)?;
        for of_size in &self.sizes {
            let color = of_size.color;
            let points = all().filter(|p| p.size == of_size.size).map(|p| {
                let Estimate { mean, error } = p.binder;
                ErrorBar::new_vertical(p.x, mean - error, mean, mean + error, color.filled(), 8)
            });
            panel
                .draw_series(points)
                .map_err(trouble)?
                .label(format!("{n} = {}", of_size.size))
                .legend(move |(x, y)| Circle::new((x + 11, y), 5, color.filled()));
        }
        legend(&mut panel, SeriesLabelPosition::LowerRight)
    }

    /// The band of β_c and the reference as a dashed line.
    fn mark<B: DrawingBackend>(
        &self,
        panel: &mut Panel<'_, B>,
        range: (f64, f64),
        named: bool,
    ) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        if let Some(c) = self.beta_c() {
            let band = [(c.mean - c.error, range.0), (c.mean + c.error, range.1)];
            let drawn = panel.draw_series([Rectangle::new(band, INK.mix(0.14).filled())]).map_err(trouble)?;
            if named {
                drawn.label("β_c ± σ").legend(band_sign);
            }
        }
        if let Some(known) = self.reference {
            let ends = [(known, range.0), (known, range.1)];
            let dashes = DashedLineSeries::new(ends, 9, 6, THEORY.stroke_width(2));
            let drawn = panel.draw_series(dashes).map_err(trouble)?;
            if named {
                drawn.label("β_c, literature").legend(exact_sign);
            }
        }
        Ok(())
    }

    fn dots<B: DrawingBackend>(
        &self,
        panel: &mut Panel<'_, B>,
        of_size: &OfSize,
        value: impl Fn(&Dot) -> Estimate,
        joined: bool,
    ) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let color = of_size.color;
        let finite: Vec<(f64, Estimate)> =
            of_size.points.iter().map(|d| (d.beta, value(d))).filter(|d| d.1.mean.is_finite()).collect();
        if joined {
            let ends = finite.iter().map(|(x, e)| (*x, e.mean));
            panel.draw_series(LineSeries::new(ends, color.mix(0.6).stroke_width(1))).map_err(trouble)?;
        }
        let bars = finite.iter().map(|(x, e)| {
            let error = if e.error.is_finite() { e.error } else { 0.0 };
            ErrorBar::new_vertical(*x, e.mean - error, e.mean, e.mean + error, color.filled(), 8)
        });
        panel
            .draw_series(bars)
            .map_err(trouble)?
            .label(format!("{} = {}", self.size_name, of_size.size))
            .legend(move |(x, y)| Circle::new((x + 11, y), 5, color.filled()));
        Ok(())
    }
}

/// A line through the places of a curve that are inside the panel.
fn line<B: DrawingBackend>(
    panel: &mut Panel<'_, B>,
    curve: &[(f64, f64)],
    color: RGBColor,
    ((left, right), (low, high)): ((f64, f64), (f64, f64)),
) -> Result<(), Trouble>
where
    B::ErrorType: 'static,
{
    let inside = curve.iter().copied().filter(|p| p.0 >= left && p.0 <= right && p.1 >= low && p.1 <= high);
    panel.draw_series(LineSeries::new(inside, color.stroke_width(1))).map_err(trouble)?;
    Ok(())
}

/// Words where a panel would be.
fn empty<B: DrawingBackend>(area: &DrawingArea<B, Shift>, words: &str) -> Result<(), Trouble>
where
    B::ErrorType: 'static,
{
    area.draw(&Text::new(words, (120, 200), text(24).color(&FAINT))).map_err(trouble)
}
