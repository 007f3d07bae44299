//! The picture of one configuration: two colours, at least one pixel per site.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::figure::{self, Figure, INK, SAMPLED, Trouble};

/// The colour of spins that point down.
const DOWN: RGBColor = RGBColor(250, 246, 232);

/// A configuration of a lattice, or a plane of it, and what its title says.
pub struct LatticePicture {
    /// "square lattice".
    pub name: &'static str,
    /// L.
    pub size: usize,
    /// Sites in a row.
    pub width: usize,
    /// Whether this is one plane of several.
    pub is_slice: bool,
    /// ±1, row by row.
    pub spins: Vec<i8>,
    /// β.
    pub beta: f64,
    /// Sweeps made.
    pub sweep: u64,
    /// m = M/N.
    pub magnetization: f64,
    /// e = H/N.
    pub energy: f64,
    /// ⟨e⟩ of equilibrium, where this is not equilibrium.
    pub missed: Option<f64>,
}

impl LatticePicture {
    /// The largest lattice that is drawn: one pixel per site makes a file of some ten megabytes.
    pub const LARGEST: usize = 8192;
    /// The largest lattice that is drawn as SVG, where every run of equal spins is a rectangle.
    pub const LARGEST_SVG: usize = 1024;

    /// Pixels per site: lattices below L = 640 are enlarged.
    fn scale(&self) -> usize {
        640usize.div_ceil(self.width).max(1)
    }

    /// Width of the lattice in pixels.
    fn side(&self) -> i32 {
        (self.width * self.scale()) as i32
    }

    /// Its height.
    fn depth(&self) -> i32 {
        (self.spins.len() / self.width * self.scale()) as i32
    }

    /// Size of the text: it grows with the picture, which is looked at as a whole.
    fn font(&self) -> i32 {
        (self.side() / 38).max(17)
    }

    fn title(&self) -> String {
        let mut name = self.name.to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        if self.is_slice { name + ", a plane" } else { name }
    }

    fn margin(&self) -> i32 {
        self.font()
    }

    /// Space for the two lines of the title.
    fn head(&self) -> i32 {
        self.font() * 7 / 2
    }
}

impl Figure for LatticePicture {
    fn size(&self) -> (u32, u32) {
        let width = self.side() + 2 * self.margin();
        let height = self.depth() + self.head() + self.font() * 9 / 4;
        (width as u32, height as u32)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let (left, top, font, side) = (self.margin(), self.head(), self.font(), self.side());
        let trouble = |error: DrawingAreaErrorKind<B::ErrorType>| -> Trouble { error.to_string().into() };
        let write = |text: String, at: (i32, i32), style: TextStyle| {
            area.draw(&Text::new(text, at, style)).map_err(trouble)
        };
        let title = match self.beta {
            huge if huge >= 1e6 => format!("{}, L = {}, β = {huge:e}", self.title(), self.size),
            beta => format!("{}, L = {}, β = {beta:.6}", self.title(), self.size),
        };
        write(title, (left, font / 2), figure::text((font * 6 / 5) as u32))?;
        let numbers = format!(
            "after {} sweeps: m = {:+.4}, e = {:.4} per site",
            self.sweep, self.magnetization, self.energy
        );
        write(numbers.replace('-', "−"), (left, font * 2), figure::text(font as u32))?;
        let scale = self.scale() as i32;
        for (y, row) in self.spins.chunks_exact(self.width).enumerate() {
            let y = top + y as i32 * scale;
            let mut x = left;
            // Bitmaps paint the last row and column of a rectangle, SVG does not: drawn in this order, the next run paints over it, and the
            // frame over the last one.
            for run in row.chunk_by(|a, b| a == b) {
                let end = x + run.len() as i32 * scale;
                let color = if run[0] > 0 { SAMPLED } else { DOWN };
                area.draw(&Rectangle::new([(x, y), (end, y + scale)], color.filled())).map_err(trouble)?;
                x = end;
            }
        }
        let frame = [(left - 1, top - 1), (left + side, top + self.depth())];
        area.draw(&Rectangle::new(frame, INK.stroke_width(1))).map_err(trouble)?;
        let line = top + self.depth() + font / 2;
        for (at, color, meaning) in [(0, SAMPLED, "s = +1 (up)"), (8, DOWN, "s = −1 (down)")] {
            let x = left + at * font;
            let patch = [(x, line), (x + font, line + font)];
            area.draw(&Rectangle::new(patch, color.filled())).map_err(trouble)?;
            area.draw(&Rectangle::new(patch, INK.stroke_width(1))).map_err(trouble)?;
            let style = figure::text(font as u32).pos(Pos::new(HPos::Left, VPos::Center));
            write(meaning.to_owned(), (x + font * 3 / 2, line + font / 2), style)?;
        }
        if let Some(exact) = self.missed {
            let words = format!("not in equilibrium, where e = {exact:.4}").replace('-', "−");
            let style = figure::text(font as u32).pos(Pos::new(HPos::Right, VPos::Center));
            write(words, (left + side, line + font / 2), style)?;
        }
        Ok(())
    }
}
