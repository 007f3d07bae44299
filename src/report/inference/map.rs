//! Where a device wins and where it loses, over two knobs.

use ceas_npu::npu_model::comparison::GainMap;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::figure::{Area, HEIGHT, frame};
use crate::report::decades::Decades;
use crate::report::figure::{INK, SAMPLED, THEORY, Trouble, text};

pub(in crate::report) fn draw<B: DrawingBackend>(area: &Area<B>, map: &GainMap) -> Result<(), Trouble>
where
    B::ErrorType: 'static,
{
    let (xs, ys) = (&map.x.1, &map.y.1);
    let ends = |v: &[f64], from, to| Decades { from, to, low: v[0], high: v[v.len() - 1] };
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
            e if e > 0 => format!("{}× less energy", 10u32.pow(e.unsigned_abs())),
            e => format!("{}× more", 10u32.pow(e.unsigned_abs())),
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
