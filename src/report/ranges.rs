//! Rows of ranges on logarithmic axes: a bar from low to high, a dot in the middle, the number beside it.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::decades::{Decades, tick};
use super::figure::{FAINT, Trouble, text};
use super::table::si;

/// A range to be drawn, or what stands in its place.
pub type Range = Result<[f64; 3], &'static str>;

/// One row.
#[derive(Clone)]
pub struct Bar {
    /// What it is.
    pub name: String,
    /// What is said below its name.
    pub below: String,
    /// Its colour.
    pub colour: RGBColor,
    /// Whether it is a GPU.
    pub gpu: bool,
    /// Low, middle, high in joules.
    pub energy: Range,
    /// Low, middle, high in seconds.
    pub time: Range,
}

/// Where rows are.
#[derive(Clone, Copy)]
pub struct Rows {
    /// Pixel above the first.
    pub top: i32,
    /// Pixels of one.
    pub height: i32,
    /// Pixels of the whole picture.
    pub width: i32,
}

/// One panel of ranges.
pub struct Panel<'b> {
    /// What is shown.
    pub title: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// First and last pixel.
    pub ends: (i32, i32),
    /// Which range of a row.
    pub of: fn(&Bar) -> Range,
    /// Rows from which dashed lines go down, with their names.
    pub lines: Vec<(&'b Bar, &'static str)>,
}

/// Behind every other row.
const BAND: RGBColor = RGBColor(246, 246, 246);

impl Rows {
    fn middle(&self, row: usize) -> i32 {
        self.top + self.height * row as i32 + self.height / 2
    }

    /// Pixel below the last of `count` rows.
    pub fn bottom(&self, count: usize) -> i32 {
        self.top + self.height * count as i32
    }

    /// Bands and names.
    pub fn names<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, bars: &[Bar]) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        for (i, bar) in bars.iter().enumerate() {
            let y = self.middle(i);
            if i % 2 == 0 {
                let band = [(16, y - self.height / 2), (self.width - 16, y + self.height / 2)];
                area.draw(&Rectangle::new(band, BAND.filled()))?;
            }
            area.draw(&Text::new(bar.name.clone(), (24, y - 18), text(16).color(&bar.colour)))?;
            area.draw(&Text::new(bar.below.clone(), (24, y + 2), text(13).color(&FAINT)))?;
        }
        Ok(())
    }

    /// Ranges with their axis, and lines down from those that others are compared with.
    pub fn panel<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        bars: &[Bar],
        panel: &Panel<'_>,
    ) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let (left, right) = panel.ends;
        let bottom = self.bottom(bars.len());
        let axis = Decades::around(left, right, bars.iter().filter_map(|b| (panel.of)(b).ok()).flatten());
        area.draw(&Text::new(panel.title, (left, 58), text(17)))?;
        for value in axis.ticks(44) {
            let x = axis.at(value);
            area.draw(&PathElement::new([(x, self.top), (x, bottom)], RGBColor(216, 216, 216)))?;
            let style = text(13).pos(Pos::new(HPos::Center, VPos::Top));
            area.draw(&Text::new(tick(value, panel.unit), (x, bottom + 6), style))?;
        }
        let places: Vec<_> = (panel.lines.iter())
            .filter_map(|(bar, name)| {
                (panel.of)(bar).ok().map(|range| (axis.at(range[1]), bar.colour, *name))
            })
            .collect();
        for &(x, colour, name) in &places {
            // Names that would meet step aside.
            let near = places.iter().map(|other| other.0 - x).find(|d| *d != 0 && d.abs() < 56);
            let (at, side) = match near {
                Some(d) if d > 0 => (x + 3, HPos::Right),
                Some(_) => (x - 3, HPos::Left),
                None => (x, HPos::Center),
            };
            let style = text(13).color(&colour).pos(Pos::new(side, VPos::Bottom));
            area.draw(&Text::new(name, (at, self.top - 3), style))?;
            for y in (self.top..bottom).step_by(10) {
                let dash = [(x, y), (x, (y + 5).min(bottom))];
                area.draw(&PathElement::new(dash, colour.stroke_width(1)))?;
            }
        }
        for (i, bar) in bars.iter().enumerate() {
            let (y, paper) = (self.middle(i), if i % 2 == 0 { BAND } else { WHITE });
            match (panel.of)(bar) {
                Err(why) => {
                    let style = text(14).color(&FAINT).pos(Pos::new(HPos::Center, VPos::Center));
                    let half = 4 * why.chars().count() as i32;
                    let middle = (left + right) / 2;
                    let behind = [(middle - half, y - 9), (middle + half, y + 9)];
                    area.draw(&Rectangle::new(behind, paper.filled()))?;
                    area.draw(&Text::new(why, (middle, y), style))?;
                }
                Ok([low, middle, high]) => {
                    let ends = [(axis.at(low), y - 7), (axis.at(high).max(axis.at(low) + 2), y + 7)];
                    area.draw(&Rectangle::new(ends, bar.colour.mix(0.35).filled()))?;
                    area.draw(&Circle::new((axis.at(middle), y), 6, bar.colour.filled()))?;
                    // Beside the bar, where there is room: the lines stay clear of the numbers.
                    let beside = axis.at(high) + 76 < right;
                    let (x, side) = match beside {
                        true => (axis.at(high).max(axis.at(middle) + 6) + 5, HPos::Left),
                        false => (axis.at(low).min(axis.at(middle) - 6) - 5, HPos::Right),
                    };
                    let label = si(middle, panel.unit);
                    let width = 8 * label.chars().count() as i32;
                    let from = if beside { x - 2 } else { x - width };
                    area.draw(&Rectangle::new([(from, y - 9), (from + width, y + 9)], paper.filled()))?;
                    area.draw(&Text::new(label, (x, y), text(14).pos(Pos::new(side, VPos::Center))))?;
                }
            }
        }
        Ok(())
    }
}

/// Dots with their meaning, in one line.
pub fn meanings<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    y: i32,
    marks: &[(&str, RGBColor)],
) -> Result<(), Trouble>
where
    B::ErrorType: 'static,
{
    let mut x = 24;
    for (name, colour) in marks {
        area.draw(&Circle::new((x + 8, y + 8), 6, colour.filled()))?;
        area.draw(&Text::new((*name).to_owned(), (x + 22, y), text(14)))?;
        x += 56 + 8 * name.chars().count() as i32;
    }
    Ok(())
}
