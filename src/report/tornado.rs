//! Which number moves the energy of a row most.

use ceas_npu::npu_model::bill::Swing;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::decades::{Decades, tick};
use super::figure::{FAINT, INK, SAMPLED, THEORY, Trouble, text};
use super::table::si;

/// Numbers of one row with the energies at their ends.
#[derive(Clone)]
pub struct Tornado {
    name: String,
    /// What the energy is of, such as "a token".
    whole: &'static str,
    middle: f64,
    swings: Vec<(String, [f64; 2])>,
    /// Numbers that move it too little to be seen.
    still: usize,
}

const TOP: i32 = 100;
const ROW: i32 = 44;
const WIDTH: i32 = 1200;
/// Most numbers that are drawn.
const MOST: usize = 12;

impl Tornado {
    /// Of a row named `name` with energy `middle`, and what its numbers do to it.
    pub fn new(name: &str, whole: &'static str, middle: f64, swings: &[Swing], per: f64) -> Self {
        let seen = |s: &&Swing| (s.energy_j[1] / s.energy_j[0]).ln().abs() > 0.01;
        let shown: Vec<_> = swings.iter().filter(seen).take(MOST).collect();
        Self {
            name: name.to_owned(),
            whole,
            middle: middle / per,
            still: swings.len() - shown.len(),
            swings: shown.iter().map(|s| (s.number.clone(), s.energy_j.map(|e| e / per))).collect(),
        }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (WIDTH as u32, (TOP + ROW * self.swings.len().max(1) as i32 + 90) as u32)
    }

    /// Draws it below a title.
    pub fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let bottom = TOP + ROW * self.swings.len().max(1) as i32;
        let axis =
            Decades::around(330, WIDTH - 90, self.swings.iter().flat_map(|s| s.1).chain([self.middle]));
        let title = format!(
            "{}: energy of {} when one number goes to its ends and all others stay in the middle",
            self.name, self.whole
        );
        area.draw(&Text::new(title, (24, 58), text(16)))?;
        for value in axis.ticks(60) {
            let x = axis.at(value);
            area.draw(&PathElement::new([(x, TOP), (x, bottom)], RGBColor(215, 215, 215)))?;
            let style = text(13).pos(Pos::new(HPos::Center, VPos::Top));
            area.draw(&Text::new(tick(value, "J"), (x, bottom + 6), style))?;
        }
        let middle = axis.at(self.middle);
        for (i, (number, ends)) in self.swings.iter().enumerate() {
            let y = TOP + ROW * i as i32 + ROW / 2;
            area.draw(&Text::new(number.clone(), (24, y), text(15).pos(Pos::new(HPos::Left, VPos::Center))))?;
            for (end, colour) in ends.iter().zip([SAMPLED, THEORY]) {
                let x = axis.at(*end);
                let bar = [(x.min(middle), y - 10), (x.max(middle).max(x.min(middle) + 1), y + 10)];
                area.draw(&Rectangle::new(bar, colour.mix(0.6).filled()))?;
                let (at, side) = if x < middle { (x - 6, HPos::Right) } else { (x + 6, HPos::Left) };
                area.draw(&Text::new(si(*end, "J"), (at, y), text(13).pos(Pos::new(side, VPos::Center))))?;
            }
        }
        area.draw(&PathElement::new([(middle, TOP), (middle, bottom)], INK.stroke_width(2)))?;
        let mut legend =
            "blue: number at its low end; vermilion: at its high end; black: everything in the middle"
                .to_owned();
        if self.still > 0 {
            legend += &format!("; numbers not shown, below 1 %: {}", self.still);
        }
        area.draw(&Text::new(legend, (24, bottom + 44), text(14).color(&FAINT)))?;
        Ok(())
    }
}
