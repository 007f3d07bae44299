//! The pictures of `ceas compare --model`: bars, maps of gain, energy against error, tornado.

use ceas_npu::npu_model::comparison::InferenceRow;
use ceas_npu::npu_model::device::{CONTROL, Kind};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{map, pareto};
use crate::report::decades::{Decades, tick};
use crate::report::drawing::{CPU, Drawing, EXACT, colour};
use crate::report::figure::{FAINT, Figure, INK, SAMPLED, THEORY, Trouble, text};
use crate::report::ranges::{Bar, Panel, Range, Rows, meanings};
use crate::report::tornado::Tornado;

/// A picture.
pub struct Picture {
    title: String,
    drawing: Drawing,
    bars: Vec<Bar>,
    tornado: Option<Tornado>,
}

const ROWS: Rows = Rows { top: 104, height: 50, width: 1200 };
pub(in crate::report) const HEIGHT: i32 = 760;
impl Picture {
    /// The picture of the rows; energies for a token.
    pub fn new(title: String, rows: &[InferenceRow], tokens: f64, drawing: Drawing) -> Self {
        let first = rows.iter().find(|r| r.unreachable.is_none() && !r.tornado.is_empty());
        let tornado = first.map(|row| {
            let middle = row.energy_j.map_or(1.0, |e| e.mid.value());
            Tornado::new(&row.name, "a token", middle, &row.tornado, tokens)
        });
        Self { title, drawing, bars: rows.iter().map(|row| bar(row, tokens)).collect(), tornado }
    }
}

fn bar(row: &InferenceRow, tokens: f64) -> Bar {
    let possible = row.unreachable.is_none();
    let ends = |mid: Option<f64>, spread: Option<[f64; 2]>, per: f64| -> Range {
        let mid =
            mid.filter(|_| possible).ok_or(if possible { "power unknown" } else { "cannot do this" })?;
        let [low, high] = spread.unwrap_or([mid, mid]);
        Ok([low / per, mid / per, high / per])
    };
    let mc = row.monte_carlo;
    Bar {
        name: row.name.clone(),
        below: match possible {
            true => format!("{}; {}", row.manner(), row.evidence.name()),
            false => "cannot do this".into(),
        },
        colour: colour(row.kind, &row.name, row.mapping.as_ref().is_some_and(|m| m.samples.is_some())),
        gpu: row.kind == Kind::Gpu,
        energy: ends(
            row.energy_j.map(|e| e.mid.value()),
            mc.and_then(|m| m.energy_j).map(|e| [e.p05, e.p95]),
            tokens,
        ),
        time: ends(row.time_s.map(|t| t.mid.value()), mc.map(|m| [m.time_s.p05, m.time_s.p95]), 1.0),
    }
}

fn centred(size: u32) -> TextStyle<'static> {
    text(size).pos(Pos::new(HPos::Center, VPos::Top))
}

pub(in crate::report) type Area<B> = DrawingArea<B, Shift>;

impl Figure for Picture {
    fn size(&self) -> (u32, u32) {
        match (&self.drawing, &self.tornado) {
            (Drawing::Tornado, Some(tornado)) => tornado.size(),
            (Drawing::Map(_) | Drawing::Pareto(_), _) => (ROWS.width as u32, HEIGHT as u32),
            _ => (ROWS.width as u32, (ROWS.bottom(self.bars.len()) + 100) as u32),
        }
    }

    fn draw<B: DrawingBackend>(&self, area: &Area<B>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let bold = TextStyle::from(("sans-serif", 21, FontStyle::Bold).into_font()).color(&INK);
        area.draw(&Text::new(self.title.clone(), (24, 18), bold))?;
        match (&self.drawing, &self.tornado) {
            (Drawing::Map(gains), _) => map::draw(area, gains),
            (Drawing::Pareto(points), _) => pareto::draw(area, points),
            (Drawing::Tornado, Some(tornado)) => tornado.draw(area),
            _ => self.bars(area),
        }
    }
}

impl Picture {
    fn bars<B: DrawingBackend>(&self, area: &Area<B>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        ROWS.names(area, &self.bars)?;
        let gpu = self.bars.iter().find(|b| b.gpu).map(|b| (b, "GPU"));
        let control = self.bars.iter().find(|b| b.name == CONTROL).map(|b| (b, "control"));
        let lines: Vec<_> = gpu.into_iter().chain(control).collect();
        type Of = fn(&Bar) -> Range;
        let panels: [(&str, &str, (i32, i32), Of); 2] = [
            ("energy for a token", "J", (250, 680), |b| b.energy),
            ("time of the task", "s", (760, 1170), |b| b.time),
        ];
        for (title, unit, ends, of) in panels {
            ROWS.panel(area, &self.bars, &Panel { title, unit, ends, of, lines: lines.clone() })?;
        }
        let bottom = ROWS.bottom(self.bars.len());
        let marks = [
            ("samples", SAMPLED),
            ("control, no thermal physics", THEORY),
            ("a chip that computes", EXACT),
            ("GPU", INK),
            ("a processor", CPU),
        ];
        let shown: Vec<_> =
            marks.into_iter().filter(|m| self.bars.iter().any(|bar| bar.colour == m.1)).collect();
        meanings(area, bottom + 44, &shown)?;
        let legend =
            "dot: middle of every range; bar: 5 to 95 % of draws; dashed: the GPU and the int8 control";
        area.draw(&Text::new(legend, (24, bottom + 70), text(14).color(&FAINT)))?;
        Ok(())
    }
}

/// Frame, ticks and names of two axes.
pub(super) fn frame<B: DrawingBackend>(
    area: &Area<B>,
    x: (&Decades, &str),
    y: (&Decades, &str),
) -> Result<(), Trouble>
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
