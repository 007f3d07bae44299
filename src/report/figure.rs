//! Figures: one drawing, two formats, one style.

use std::sync::Once;

use anyhow::{Context, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use super::output::OutputFile;

/// A drawing of a given size that any backend can make.
pub trait Figure {
    /// Width and height in pixels.
    fn size(&self) -> (u32, u32);
    /// Draws onto a white area of that size.
    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static;
}

/// What can go wrong while drawing.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Ink for axes, text, and everything exact.
pub const INK: RGBColor = RGBColor(34, 34, 34);
/// Grey for grids and what is secondary.
pub const FAINT: RGBColor = RGBColor(150, 150, 150);
/// What was sampled or simulated (Okabe–Ito blue).
pub const SAMPLED: RGBColor = RGBColor(0, 114, 178);
/// What theory predicts (Okabe–Ito vermilion).
pub const THEORY: RGBColor = RGBColor(213, 94, 0);
/// Further colours of the Okabe–Ito palette (distinguishable by colour-blind readers), after blue and vermilion.
pub const SERIES: [RGBColor; 6] = [
    SAMPLED,
    THEORY,
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// The font of every figure; call before any text is drawn or measured.
pub fn fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let regular = include_bytes!("../../assets/fonts/DejaVuSans-subset.ttf");
        let bold = include_bytes!("../../assets/fonts/DejaVuSans-Bold-subset.ttf");
        // The bytes are part of the program; were they unreadable, drawing would report the missing font.
        let _ = register_font("sans-serif", FontStyle::Normal, regular);
        let _ = register_font("sans-serif", FontStyle::Bold, bold);
    });
}

/// Text of a size in pixels, in ink.
pub fn text(size: u32) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size).into_font()).color(&INK)
}

/// Writes a figure as PNG or SVG, by the name's ending.
pub fn save(figure: &impl Figure, file: &OutputFile) -> anyhow::Result<()> {
    let bytes = if file.is_svg() { svg(figure)?.into_bytes() } else { png(figure)? };
    file.write(&bytes)
}

/// The figure as an SVG document.
pub fn svg(figure: &impl Figure) -> anyhow::Result<String> {
    fonts();
    let mut document = String::new();
    {
        let area = SVGBackend::with_string(&mut document, figure.size()).into_drawing_area();
        paint(figure, &area)?;
    }
    Ok(document)
}

/// The figure as a PNG file.
fn png(figure: &impl Figure) -> anyhow::Result<Vec<u8>> {
    fonts();
    let (width, height) = figure.size();
    let mut pixels = vec![0u8; width as usize * height as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        paint(figure, &area)?;
    }
    encode_png(width, height, &pixels)
}

/// RGB pixels, row by row, as a PNG file.
pub fn encode_png(width: u32, height: u32, pixels: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // Flat colours repeat as they are: a filter would only hide that from the compressor, and the fast one does not look back.
    encoder.set_compression(png::Compression::Default);
    encoder.set_filter(png::FilterType::NoFilter);
    let mut writer = encoder.write_header().context("encoding a PNG")?;
    writer.write_image_data(pixels).context("encoding a PNG")?;
    writer.finish().context("encoding a PNG")?;
    Ok(bytes)
}

fn paint<B: DrawingBackend>(figure: &impl Figure, area: &DrawingArea<B, Shift>) -> anyhow::Result<()>
where
    B::ErrorType: 'static,
{
    area.fill(&WHITE).map_err(|e| anyhow!("drawing: {e}"))?;
    figure.draw(area).map_err(|e| anyhow!("drawing: {e}"))?;
    area.present().map_err(|e| anyhow!("drawing: {e}"))
}
