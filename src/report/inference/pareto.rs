//! Energy against error.

use ceas_npu::npu_model::comparison::Point;
use ceas_npu::npu_model::device::Kind;
use plotters::prelude::*;

use super::figure::{Area, HEIGHT, frame};
use crate::report::decades::Decades;
use crate::report::figure::{INK, SAMPLED, SERIES, THEORY, Trouble, text};

pub(in crate::report) fn draw<B: DrawingBackend>(area: &Area<B>, points: &[Point]) -> Result<(), Trouble>
where
    B::ErrorType: 'static,
{
    let x = Decades::around(130, 900, points.iter().map(|p| 100.0 * p.error));
    let y = Decades::around(HEIGHT - 80, 110, points.iter().map(|p| p.energy_j));
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
    let mut others = [SAMPLED, SERIES[2], SERIES[3], SERIES[4], SERIES[5]].into_iter().cycle();
    let mut controls = 0;
    for (i, name) in names.iter().enumerate() {
        let own: Vec<&Point> = points.iter().filter(|p| p.name == *name).collect();
        // Controls share a colour, and GPUs: each has a shape of its own.
        let (colour, shape) = match own[0].kind {
            Kind::Gpu | Kind::Cpu => (INK, Shape::Circle),
            _ if name.starts_with("control") => {
                controls += 1;
                (THEORY, [Shape::Square, Shape::Triangle, Shape::Circle][(controls - 1) % 3])
            }
            _ => (others.next().unwrap_or(SAMPLED), Shape::Circle),
        };
        let places: Vec<(i32, i32)> = own.iter().map(|p| (x.at(100.0 * p.error), y.at(p.energy_j))).collect();
        area.draw(&PathElement::new(places.clone(), colour.stroke_width(2)))?;
        for (point, place) in own.iter().zip(&places) {
            let size = if own.len() == 1 { 8 } else { 4 };
            if own.len() == 1 {
                // A rim, so that what lies on one another is seen to.
                shape.draw(area, *place, size + 1, (WHITE, false))?;
            }
            shape.draw(area, *place, size, (colour, point.best))?;
        }
        let at = 110 + 26 * i as i32;
        shape.draw(area, (940, at + 8), 6, (colour, true))?;
        area.draw(&Text::new((*name).to_owned(), (956, at), text(15)))?;
    }
    Ok(())
}

/// How a point is drawn.
#[derive(Clone, Copy)]
enum Shape {
    Circle,
    Square,
    Triangle,
}

impl Shape {
    fn draw<B: DrawingBackend>(
        self,
        area: &Area<B>,
        (x, y): (i32, i32),
        size: i32,
        (colour, filled): (RGBColor, bool),
    ) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let style = if filled { colour.filled() } else { colour.stroke_width(2) };
        let corners = [(x - size, y + size), (x + size, y + size), (x, y - size), (x - size, y + size)];
        match self {
            Self::Circle => area.draw(&Circle::new((x, y), size, style))?,
            Self::Square => {
                area.draw(&Rectangle::new([(x - size, y - size), (x + size, y + size)], style))?
            }
            Self::Triangle if filled => area.draw(&Polygon::new(corners.to_vec(), style))?,
            Self::Triangle => area.draw(&PathElement::new(corners.to_vec(), style))?,
        }
        Ok(())
    }
}
