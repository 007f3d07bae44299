//! The pictures of `ceas compare --model`: bars, maps of gain, energy against error, tornado.

use ceas_npu::npu_model::comparison::{GainMap, InferenceRow, Point};
use ceas_npu::npu_model::device::{CONTROL, Kind};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde::Serialize;

use crate::report::figure::{FAINT, Figure, INK, SAMPLED, SERIES, THEORY, Trouble, text};
use crate::report::table::si;

/// What is drawn beside the table.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Drawing {
    /// Energy and time of every row.
    Bars,
    /// Gain over two knobs.
    Map(GainMap),
    /// Energy against error.
    Pareto(Vec<Point>),
    /// Numbers that move the energy of the first row.
    Tornado,
}

impl Drawing {
    /// Whether it holds nothing that the rows do not.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Bars | Self::Tornado)
    }
}

/// One row of bars.
#[derive(Clone)]
struct Bar {
    name: String,
    below: String,
    colour: RGBColor,
    energy: Option<[f64; 3]>,
    time: Option<[f64; 3]>,
}

/// A picture.
pub struct Picture {
    title: String,
    drawing: Drawing,
    bars: Vec<Bar>,
    /// Name of the first row, its middle, and its numbers with their ends.
    swings: (String, f64, Vec<(String, [f64; 2])>),
}

const WIDTH: i32 = 1200;
const HEIGHT: i32 = 760;
const ROW: i32 = 50;
const TOP: i32 = 100;

impl Picture {
    /// The picture of the rows; energies for a token.
    pub fn new(title: String, rows: &[InferenceRow], tokens: f64, drawing: Drawing) -> Self {
        let bars = rows.iter().map(|row| {
            let possible = row.unreachable.is_none();
            let ends = |mid: Option<f64>, spread: Option<[f64; 2]>, per: f64| {
                let mid = mid.filter(|_| possible)?;
                let [low, high] = spread.unwrap_or([mid, mid]);
                Some([low / per, mid / per, high / per])
            };
            let mc = row.monte_carlo;
            Bar {
                name: row.name.clone(),
                below: match possible {
                    true => format!("{}; {}", row.manner(), row.evidence.name()),
                    false => "cannot do this".into(),
                },
                colour: match row.kind {
                    Kind::Gpu | Kind::Cpu => INK,
                    _ if row.name == CONTROL || row.name.starts_with("control") => THEORY,
                    _ if row.mapping.as_ref().is_some_and(|m| m.samples.is_some()) => SAMPLED,
                    _ => SERIES[2],
                },
                energy: ends(
                    row.energy_j.map(|e| e.mid.value()),
                    mc.and_then(|m| m.energy_j).map(|e| [e.p05, e.p95]),
                    tokens,
                ),
                time: ends(row.time_s.map(|t| t.mid.value()), mc.map(|m| [m.time_s.p05, m.time_s.p95]), 1.0),
            }
        });
        let first = rows.iter().find(|r| r.unreachable.is_none() && !r.tornado.is_empty());
        let swings = first.map_or((String::new(), 1.0, Vec::new()), |row| {
            let mid = row.energy_j.map_or(1.0, |e| e.mid.value());
            let numbers =
                row.tornado.iter().take(12).map(|s| (s.number.clone(), s.energy_j.map(|e| e / tokens)));
            (row.name.clone(), mid / tokens, numbers.collect())
        });
        Self { title, drawing, bars: bars.collect(), swings }
    }
}

/// A logarithmic axis over pixels.
struct Axis {
    from: i32,
    to: i32,
    low: f64,
    high: f64,
}

impl Axis {
    /// Over whole decades around all numbers.
    fn over(from: i32, to: i32, values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, 0.0f64);
        for value in values.filter(|v| v.is_finite() && *v > 0.0) {
            low = low.min(value);
            high = high.max(value);
        }
        if high <= 0.0 {
            (low, high) = (0.1, 10.0);
        }
        let floor = 10f64.powf(low.log10().floor());
        let ceiling = 10f64.powf(high.log10().ceil()).max(floor * 10.0);
        Self { from, to, low: floor, high: ceiling }
    }

    fn at(&self, value: f64) -> i32 {
        let share = (value.max(f64::MIN_POSITIVE) / self.low).log10() / (self.high / self.low).log10();
        self.from + (share.clamp(0.0, 1.0) * f64::from(self.to - self.from)).round() as i32
    }

    /// Powers of ten on it, no closer than `pixels`.
    fn ticks(&self, pixels: i32) -> Vec<f64> {
        let (a, b) = (self.low.log10().ceil() as i32, (self.high.log10() + 1e-9).floor() as i32);
        let length = (self.to - self.from).abs();
        let step = (1..).find(|s| length * s >= pixels * (b - a).max(1)).unwrap_or(1);
        (a..=b).step_by(step as usize).map(|d| 10f64.powi(d)).collect()
    }
}

fn tick(value: f64, unit: &str) -> String {
    si(value, unit).replacen(".00", "", 1).replacen(".0", "", 1)
}

fn centred(size: u32) -> TextStyle<'static> {
    text(size).pos(Pos::new(HPos::Center, VPos::Top))
}

type Area<B> = DrawingArea<B, Shift>;

impl Figure for Picture {
    fn size(&self) -> (u32, u32) {
        let height = match self.drawing {
            Drawing::Bars => TOP + ROW * self.bars.len() as i32 + 100,
            Drawing::Tornado => TOP + ROW * self.swings.2.len().max(1) as i32 + 90,
            _ => HEIGHT,
        };
        (WIDTH as u32, height as u32)
    }

    fn draw<B: DrawingBackend>(&self, area: &Area<B>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let bold = TextStyle::from(("sans-serif", 21, FontStyle::Bold).into_font()).color(&INK);
        area.draw(&Text::new(self.title.clone(), (24, 18), bold))?;
        match &self.drawing {
            Drawing::Bars => self.bars(area),
            Drawing::Map(map) => draw_map(area, map),
            Drawing::Pareto(points) => draw_pareto(area, points),
            Drawing::Tornado => self.tornado(area),
        }
    }
}

impl Picture {
    fn bars<B: DrawingBackend>(&self, area: &Area<B>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let bottom = TOP + ROW * self.bars.len() as i32;
        for (i, bar) in self.bars.iter().enumerate() {
            let y = TOP + ROW * i as i32 + ROW / 2;
            if i % 2 == 0 {
                let band = [(16, y - ROW / 2), (WIDTH - 16, y + ROW / 2)];
                area.draw(&Rectangle::new(band, RGBColor(246, 246, 246).filled()))?;
            }
            area.draw(&Text::new(bar.name.clone(), (24, y - 18), text(16).color(&bar.colour)))?;
            area.draw(&Text::new(bar.below.clone(), (24, y + 2), text(13).color(&FAINT)))?;
        }
        type Of = fn(&Bar) -> Option<[f64; 3]>;
        let panels: [(&str, &str, i32, i32, Of); 2] = [
            ("energy for a token", "J", 250, 680, |b| b.energy),
            ("time of the task", "s", 760, 1170, |b| b.time),
        ];
        for (title, unit, left, right, of) in panels {
            let axis = Axis::over(left, right, self.bars.iter().filter_map(of).flatten());
            area.draw(&Text::new(title.to_owned(), (left, 58), text(17)))?;
            for value in axis.ticks(60) {
                let x = axis.at(value);
                area.draw(&PathElement::new([(x, TOP), (x, bottom)], RGBColor(215, 215, 215)))?;
                area.draw(&Text::new(tick(value, unit), (x, bottom + 6), centred(13)))?;
            }
            let gpu = self.bars.iter().find(|b| b.colour == INK).and_then(of);
            if let Some([_, mid, _]) = gpu {
                let x = axis.at(mid);
                area.draw(&PathElement::new([(x, TOP), (x, bottom)], INK.stroke_width(1)))?;
            }
            for (i, bar) in self.bars.iter().enumerate() {
                let Some([low, mid, high]) = of(bar) else { continue };
                let y = TOP + ROW * i as i32 + ROW / 2;
                let ends = [(axis.at(low), y - 7), (axis.at(high).max(axis.at(low) + 2), y + 7)];
                area.draw(&Rectangle::new(ends, bar.colour.mix(0.35).filled()))?;
                area.draw(&Circle::new((axis.at(mid), y), 6, bar.colour.filled()))?;
                let beside = axis.at(high) + 80 < right;
                let (x, side) =
                    if beside { (axis.at(high) + 9, HPos::Left) } else { (axis.at(low) - 9, HPos::Right) };
                let label = si(mid, unit);
                // Lines end where words begin.
                let width = 8 * label.chars().count() as i32;
                let from = if beside { x - 2 } else { x - width };
                area.draw(&Rectangle::new([(from, y - 9), (from + width, y + 9)], WHITE.mix(0.85).filled()))?;
                area.draw(&Text::new(label, (x, y), text(14).pos(Pos::new(side, VPos::Center))))?;
            }
        }
        let marks = [
            ("samples", SAMPLED),
            ("control, no thermal physics", THEORY),
            ("measured digital chip", SERIES[2]),
            ("GPU, and the line down from it", INK),
        ];
        let mut x = 24;
        for (name, colour) in marks {
            area.draw(&Circle::new((x + 8, bottom + 52), 6, colour.filled()))?;
            area.draw(&Text::new(name.to_owned(), (x + 22, bottom + 44), text(14)))?;
            x += 60 + 8 * name.chars().count() as i32;
        }
        area.draw(&Text::new(
            "dot: middle of every range; bar: 5 to 95 % of draws".to_owned(),
            (24, bottom + 68),
            text(14).color(&FAINT),
        ))?;
        Ok(())
    }

    fn tornado<B: DrawingBackend>(&self, area: &Area<B>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let (name, mid, swings) = &self.swings;
        let bottom = TOP + ROW * swings.len().max(1) as i32;
        let axis = Axis::over(330, WIDTH - 60, swings.iter().flat_map(|s| s.1).chain([*mid]));
        let title =
            format!("{name}: energy for a token when one number goes to its ends, all others in the middle");
        area.draw(&Text::new(title, (24, 58), text(16)))?;
        for value in axis.ticks(60) {
            let x = axis.at(value);
            area.draw(&PathElement::new([(x, TOP), (x, bottom)], RGBColor(215, 215, 215)))?;
            area.draw(&Text::new(tick(value, "J"), (x, bottom + 6), centred(13)))?;
        }
        for (i, (number, [low, high])) in swings.iter().enumerate() {
            let y = TOP + ROW * i as i32 + ROW / 2;
            area.draw(&Text::new(number.clone(), (24, y - 8), text(15)))?;
            for (end, colour) in [(*low, SAMPLED), (*high, THEORY)] {
                let (a, b) = (axis.at(end).min(axis.at(*mid)), axis.at(end).max(axis.at(*mid)));
                area.draw(&Rectangle::new([(a, y - 10), (b.max(a + 1), y + 10)], colour.mix(0.6).filled()))?;
            }
        }
        let x = axis.at(*mid);
        area.draw(&PathElement::new([(x, TOP), (x, bottom)], INK.stroke_width(2)))?;
        let legend =
            "blue: number at its low end; vermilion: at its high end; black: everything in the middle";
        area.draw(&Text::new(legend.to_owned(), (24, bottom + 44), text(14).color(&FAINT)))?;
        Ok(())
    }
}

/// Frame, ticks and names of two axes.
fn frame<B: DrawingBackend>(area: &Area<B>, x: (&Axis, &str), y: (&Axis, &str)) -> Result<(), Trouble>
where
    B::ErrorType: 'static,
{
    let (left, right, bottom, top) = (x.0.from, x.0.to, y.0.from, y.0.to);
    for value in x.0.ticks(70) {
        let at = x.0.at(value);
        area.draw(&PathElement::new([(at, bottom), (at, bottom + 6)], INK))?;
        let label = if x.1.ends_with("(%)") { format!("{value}") } else { tick(value, unit(x.1)) };
        area.draw(&Text::new(label.trim().to_owned(), (at, bottom + 10), centred(14)))?;
    }
    for value in y.0.ticks(40) {
        let at = y.0.at(value);
        area.draw(&PathElement::new([(left - 6, at), (left, at)], INK))?;
        let style = text(14).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(tick(value, unit(y.1)).trim().to_owned(), (left - 10, at), style))?;
    }
    let corners = vec![(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)];
    area.draw(&PathElement::new(corners, INK))?;
    area.draw(&Text::new(x.1.to_owned(), ((left + right) / 2, bottom + 34), centred(16)))?;
    area.draw(&Text::new(y.1.to_owned(), (left - 90, top - 26), text(16)))?;
    Ok(())
}

/// The unit in the brackets of a name, if it is one with prefixes.
fn unit(name: &str) -> &'static str {
    if name.contains("(J)") { "J" } else { "" }
}

fn draw_map<B: DrawingBackend>(area: &Area<B>, map: &GainMap) -> Result<(), Trouble>
where
    B::ErrorType: 'static,
{
    let (xs, ys) = (&map.x.1, &map.y.1);
    let ends = |v: &[f64], from, to| Axis { from, to, low: v[0], high: v[v.len() - 1] };
    let (x, y) = (ends(xs, 130, 960), ends(ys, HEIGHT - 80, 110));
    let title = format!("joules of {} over joules of {}: black where they are level", map.gpu, map.device);
    area.draw(&Text::new(title, (24, 52), text(16)))?;
    let (dx, dy) = ((x.to - x.from) as f64 / xs.len() as f64, (y.from - y.to) as f64 / ys.len() as f64);
    let gain = |i: usize, j: usize| map.gain[j][i];
    for j in 0..ys.len() {
        for i in 0..xs.len() {
            let cell = |i: usize, j: usize| {
                (x.from + (i as f64 * dx).round() as i32, y.from - (j as f64 * dy).round() as i32)
            };
            area.draw(&Rectangle::new([cell(i, j + 1), cell(i + 1, j)], shade(gain(i, j)).filled()))?;
            let wins = |i: usize, j: usize| gain(i, j) > 1.0;
            let known = |i: usize, j: usize| gain(i, j).is_finite();
            if i + 1 < xs.len() && known(i, j) && known(i + 1, j) && wins(i, j) != wins(i + 1, j) {
                area.draw(&PathElement::new([cell(i + 1, j), cell(i + 1, j + 1)], INK.stroke_width(3)))?;
            }
            if j + 1 < ys.len() && known(i, j) && known(i, j + 1) && wins(i, j) != wins(i, j + 1) {
                area.draw(&PathElement::new([cell(i, j + 1), cell(i + 1, j + 1)], INK.stroke_width(3)))?;
            }
        }
    }
    if let Some((a, b)) = map.here {
        let place = (x.at(a), y.at(b));
        area.draw(&Circle::new(place, 8, WHITE.filled()))?;
        area.draw(&Circle::new(place, 8, INK.stroke_width(3)))?;
        let right = place.0 < x.to - 190;
        let (at, side) = if right { (place.0 + 14, HPos::Left) } else { (place.0 - 14, HPos::Right) };
        area.draw(&Text::new(
            "as its file says".to_owned(),
            (at, place.1),
            text(15).pos(Pos::new(side, VPos::Center)),
        ))?;
    }
    frame(area, (&x, map.x.0.label()), (&y, map.y.0.label()))?;
    area.draw(&Text::new("gain".to_owned(), (1010, 84), text(16)))?;
    for (i, exponent) in (-4..=4).rev().enumerate() {
        let y = 120 + 40 * i as i32;
        area.draw(&Rectangle::new([(1010, y), (1050, y + 40)], shade(10f64.powi(exponent)).filled()))?;
        let name = match exponent {
            0 => "1: level".to_owned(),
            e if e > 0 => format!("10^{e} less energy"),
            e => format!("10^{} more", -e),
        };
        area.draw(&Text::new(name, (1060, y + 12), text(14)))?;
    }
    area.draw(&Rectangle::new([(1010, 500), (1050, 530)], shade(f64::NAN).filled()))?;
    area.draw(&Text::new("cannot".to_owned(), (1060, 508), text(14)))?;
    Ok(())
}

/// Blue where a device wins, vermilion where it loses, white at 1, four decades either way.
fn shade(gain: f64) -> RGBColor {
    if !gain.is_finite() {
        return RGBColor(225, 225, 225);
    }
    let (full, share) =
        (if gain >= 1.0 { SAMPLED } else { THEORY }, (gain.log10().abs() / 4.0).clamp(0.0, 1.0).sqrt());
    let blend = |c: u8| (255.0 + share * (f64::from(c) - 255.0)).round() as u8;
    RGBColor(blend(full.0), blend(full.1), blend(full.2))
}

fn draw_pareto<B: DrawingBackend>(area: &Area<B>, points: &[Point]) -> Result<(), Trouble>
where
    B::ErrorType: 'static,
{
    let x = Axis::over(130, 900, points.iter().map(|p| 100.0 * p.error));
    let y = Axis::over(HEIGHT - 80, 110, points.iter().map(|p| p.energy_j));
    area.draw(&Text::new(
        "filled: nothing else has less error and less energy".to_owned(),
        (24, 52),
        text(16),
    ))?;
    frame(area, (&x, "relative error of an attention output (%)"), (&y, "energy of the task (J)"))?;
    let mut names: Vec<&str> = Vec::new();
    for point in points {
        if !names.contains(&point.name.as_str()) {
            names.push(&point.name);
        }
    }
    for (i, name) in names.iter().enumerate() {
        let colour = if name.starts_with("control") {
            THEORY
        } else if i + 1 == names.len() {
            // GPUs come last.
            INK
        } else {
            [SAMPLED, SERIES[2], SERIES[3], SERIES[4], SERIES[5]][i % 5]
        };
        let own: Vec<&Point> = points.iter().filter(|p| p.name == *name).collect();
        let places: Vec<(i32, i32)> = own.iter().map(|p| (x.at(100.0 * p.error), y.at(p.energy_j))).collect();
        area.draw(&PathElement::new(places.clone(), colour.stroke_width(2)))?;
        for (point, place) in own.iter().zip(&places) {
            let style = if point.best { colour.filled() } else { colour.stroke_width(2) };
            area.draw(&Circle::new(*place, if own.len() == 1 { 8 } else { 4 }, style))?;
        }
        let at = 110 + 26 * i as i32;
        area.draw(&Circle::new((940, at + 8), 6, colour.filled()))?;
        area.draw(&Text::new((*name).to_owned(), (956, at), text(15)))?;
    }
    Ok(())
}
