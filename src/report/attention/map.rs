//! Exact and sampled attention maps side by side, in one colour scale.

use ceas_npu::mapping::attention::HeadSample;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::figure::{FAINT, INK, Trouble, text};

/// Two maps `[query, key]` of the same head.
pub struct Maps {
    exact: Vec<Vec<Option<f64>>>,
    sampled: Vec<Vec<Option<f64>>>,
    /// Label of each key; empty if there are none.
    tokens: Vec<String>,
    /// How the right map was sampled.
    way: String,
    /// Rows and columns of the model per cell of the map.
    block: usize,
    top: f64,
}

/// Side of a map in pixels, and where the two begin.
const SIDE: i32 = 570;
const LEFT: [i32; 2] = [110, 790];
const TOP: i32 = 34;
/// Pixels from one label to the next.
const PITCH: usize = 14;

impl Maps {
    /// The maps of one head; more than 570 queries or keys are averaged in blocks.
    pub fn new(sample: &HeadSample, tokens: &[String], way: String) -> Self {
        let keys = sample.rows.first().map_or(0, |row| row.counts.len());
        let block = keys.max(sample.rows.len()).div_ceil(SIDE as usize).max(1);
        let s = f64::from(sample.sampling.samples.get());
        let exact = sample.rows.iter().map(|row| visible(row.row.law.probabilities().iter().copied(), row));
        let sampled =
            sample.rows.iter().map(|row| visible(row.counts.iter().map(|&c| f64::from(c) / s), row));
        let (exact, sampled) = (blocks(exact.collect(), block), blocks(sampled.collect(), block));
        let top = exact.iter().chain(&sampled).flatten().flatten().copied().fold(0.0, f64::max);
        let labelled = tokens.len() == keys;
        Self { tokens: if labelled { tokens.to_vec() } else { Vec::new() }, exact, sampled, way, block, top }
    }

    /// Draws both maps and the colour bar.
    pub fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let cells = self.exact.len().max(self.exact.first().map_or(1, Vec::len));
        // Edges are rounded one by one, so that the cells fill the map exactly.
        let edge = |index: usize| (index as f64 * f64::from(SIDE) / cells as f64).round() as i32;
        for (map, left, title) in
            [(&self.exact, LEFT[0], "exact law"), (&self.sampled, LEFT[1], self.way.as_str())]
        {
            area.draw(&Text::new(title.to_owned(), (left, 6), text(19)))?;
            for (i, row) in map.iter().enumerate() {
                for (j, p) in row.iter().enumerate() {
                    let colour = p.map_or(RGBColor(225, 225, 225), |p| ramp((p / self.top).sqrt()));
                    let cell = [(left + edge(j), TOP + edge(i)), (left + edge(j + 1), TOP + edge(i + 1))];
                    area.draw(&Rectangle::new(cell, colour.filled()))?;
                }
            }
            let columns = map.first().map_or(0, Vec::len);
            let frame = [(left - 1, TOP - 1), (left + edge(columns), TOP + edge(map.len()))];
            area.draw(&Rectangle::new(frame, FAINT.stroke_width(1)))?;
            self.labels(area, left, map.len(), &edge)?;
        }
        self.bar(area, LEFT[1] + SIDE + 24)
    }

    /// Tokens beside and below a map, as many as can be read.
    fn labels<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        left: i32,
        rows: usize,
        edge: &impl Fn(usize) -> i32,
    ) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let step = PITCH.div_ceil(edge(1).max(1) as usize) * self.block;
        let bottom = TOP + edge(rows) + 5;
        let beside = text(12).pos(Pos::new(HPos::Right, VPos::Center));
        let below = TextStyle::from(("sans-serif", 12).into_font().transform(FontTransform::Rotate270))
            .color(&INK)
            .pos(Pos::new(HPos::Right, VPos::Center));
        for (j, token) in self.tokens.iter().enumerate().step_by(step) {
            let at = (edge(j / self.block) + edge(j / self.block + 1)) / 2;
            let name: String = token.chars().take(13).collect();
            // Queries carry the names of the keys only where the two are the same positions.
            if rows == self.tokens.len().div_ceil(self.block) {
                area.draw(&Text::new(name.clone(), (left - 6, TOP + at), beside.clone()))?;
            }
            area.draw(&Text::new(name, (left + at, bottom), below.clone()))?;
        }
        let axis = text(14).color(&FAINT);
        area.draw(&Text::new("keys →", (left + SIDE - 52, 10), axis.clone()))?;
        area.draw(&Text::new("queries ↓", (left - 84, 10), axis))?;
        Ok(())
    }

    fn bar<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, left: i32) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        const LENGTH: i32 = 360;
        let y = |p: f64| TOP + LENGTH - ((p / self.top).sqrt() * f64::from(LENGTH)) as i32;
        for step in 0..LENGTH {
            let colour = ramp(1.0 - f64::from(step) / f64::from(LENGTH));
            let strip = [(left, TOP + step), (left + 20, TOP + step + 1)];
            area.draw(&Rectangle::new(strip, colour.filled()))?;
        }
        area.draw(&Rectangle::new([(left, TOP), (left + 20, TOP + LENGTH)], FAINT.stroke_width(1)))?;
        let ticks = [0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0];
        let mut last = i32::MAX;
        for p in ticks.into_iter().filter(|p| *p <= self.top) {
            if last.saturating_sub(y(p)) >= 22 {
                last = y(p);
                let style = text(13).pos(Pos::new(HPos::Left, VPos::Center));
                area.draw(&PathElement::new([(left + 20, last), (left + 25, last)], INK))?;
                area.draw(&Text::new(format!("{p}"), (left + 29, last), style))?;
            }
        }
        area.draw(&Text::new("p (scale √p)", (left - 4, TOP + LENGTH + 12), text(13).color(&FAINT)))?;
        Ok(())
    }
}

/// A row of the map: `None` where the key is masked.
fn visible(p: impl Iterator<Item = f64>, row: &ceas_npu::mapping::attention::RowSample) -> Vec<Option<f64>> {
    p.enumerate().map(|(key, p)| row.row.spin.gap(key).is_finite().then_some(p)).collect()
}

/// Means over square blocks of what is visible.
fn blocks(map: Vec<Vec<Option<f64>>>, block: usize) -> Vec<Vec<Option<f64>>> {
    if block == 1 {
        return map;
    }
    let columns = map.first().map_or(0, Vec::len);
    let mean = |rows: &[Vec<Option<f64>>], column: usize| {
        let seen: Vec<f64> = rows
            .iter()
            .flat_map(|row| row[column..(column + block).min(columns)].iter().flatten().copied())
            .collect();
        (!seen.is_empty()).then(|| seen.iter().sum::<f64>() / seen.len() as f64)
    };
    map.chunks(block)
        .map(|rows| (0..columns).step_by(block).map(|column| mean(rows, column)).collect())
        .collect()
}

/// White over blue to near black for 0 … 1.
fn ramp(x: f64) -> RGBColor {
    const STOPS: [[f64; 3]; 4] =
        [[255.0, 255.0, 255.0], [120.0, 190.0, 225.0], [0.0, 105.0, 170.0], [8.0, 22.0, 60.0]];
    let place = x.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let below = (place as usize).min(STOPS.len() - 2);
    let part = place - below as f64;
    let [r, g, b] =
        std::array::from_fn(|c| (STOPS[below][c] + part * (STOPS[below + 1][c] - STOPS[below][c])) as u8);
    RGBColor(r, g, b)
}
