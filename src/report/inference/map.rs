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
    // A value is the middle of its cell; the outermost cells are halves, so that the ends of the axes are values too.
    let (last_x, last_y) = (xs.len() - 1, ys.len() - 1);
    let place = |i: f64, j: f64| {
        let (dx, dy) = ((x.to - x.from) as f64 / last_x as f64, (y.from - y.to) as f64 / last_y as f64);
        let (i, j) = (i.clamp(0.0, last_x as f64), j.clamp(0.0, last_y as f64));
        (x.from + (i * dx).round() as i32, y.from - (j * dy).round() as i32)
    };
    for (j, row) in map.gain.iter().enumerate() {
        for (i, gain) in row.iter().enumerate() {
            let (i, j) = (i as f64, j as f64);
            let cell = [place(i - 0.5, j + 0.5), place(i + 0.5, j - 0.5)];
            area.draw(&Rectangle::new(cell, shade(*gain).filled()))?;
        }
    }
    for [from, to] in level(&map.gain) {
        let line = vec![place(from.0, from.1), place(to.0, to.1)];
        area.draw(&PathElement::new(line, INK.stroke_width(3)))?;
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

/// Pieces of the line on which the gain is 1, in places of the values: on every edge between two of them it is where ln(gain), straight in
/// between, is 0. What cannot be done ends the line.
fn level(gain: &[Vec<f64>]) -> Vec<[(f64, f64); 2]> {
    let ln = |(i, j): (usize, usize)| gain[j][i].ln();
    let crossing = |a: (usize, usize), b: (usize, usize)| {
        let (u, v) = (ln(a), ln(b));
        if !(u.is_finite() && v.is_finite()) || (u > 0.0) == (v > 0.0) {
            return None;
        }
        let share = u / (u - v);
        let between = |p: usize, q: usize| p as f64 + share * (q as f64 - p as f64);
        Some((between(a.0, b.0), between(a.1, b.1)))
    };
    let mut pieces = Vec::new();
    for (j, row) in gain.iter().enumerate().take(gain.len().saturating_sub(1)) {
        for i in 0..row.len().saturating_sub(1) {
            let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
            let found: Vec<_> = (0..4).filter_map(|k| crossing(corners[k], corners[(k + 1) % 4])).collect();
            pieces.extend(found.chunks_exact(2).map(|pair| [pair[0], pair[1]]));
        }
    }
    pieces
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_where_the_gain_is_one() {
        // ln(gain) = 1.3 − i, whatever j: the line is at 1.3, between the second and the third value.
        let gain: Vec<Vec<f64>> =
            (0..3).map(|_| (0..4).map(|i| f64::exp(1.3 - f64::from(i))).collect()).collect();
        let pieces = level(&gain);
        assert_eq!(pieces.len(), 2);
        assert!(pieces.iter().flatten().all(|(i, _)| (i - 1.3).abs() < 1e-12), "{pieces:?}");
        // Where a device cannot, there is no line.
        let mut holes = gain.clone();
        holes[1][2] = f64::NAN;
        assert!(level(&holes).is_empty());
        assert!(level(&[vec![2.0, 3.0], vec![4.0, 5.0]]).is_empty());
    }
}
