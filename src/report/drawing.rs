//! What the pictures of comparisons have in common, of heads and of whole models: what is drawn, and the colour of a row.

use ceas_npu::npu_model::comparison::{GainMap, Point};
use ceas_npu::npu_model::device::Kind;
use plotters::style::RGBColor;
use serde::Serialize;

use super::figure::{INK, SAMPLED, SERIES, THEORY};

/// This processor.
pub const CPU: RGBColor = SERIES[3];

/// A device that only computes.
pub const EXACT: RGBColor = SERIES[2];

/// What is drawn beside the table.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Drawing {
    /// Energy and time of every row; of heads also where the energy goes.
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

/// The colour of a row, by what it is.
pub fn colour(kind: Kind, name: &str, samples: bool) -> RGBColor {
    match kind {
        Kind::Gpu => INK,
        Kind::Cpu => CPU,
        _ if name.starts_with("control") => THEORY,
        _ if samples => SAMPLED,
        _ => EXACT,
    }
}
