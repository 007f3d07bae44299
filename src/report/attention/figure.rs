//! The picture: maps of one head above, error and cost below.

use ceas_npu::mapping::attention::Sampler;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::Attended;
use super::curve::Curve;
use super::map::Maps;
use super::needs::Needs;
use super::relaxation::RelaxationPanel;
use crate::report::figure::{FAINT, Figure, Trouble, text};

/// The picture of a run.
pub struct AttentionFigure {
    title: String,
    subtitle: String,
    maps: Maps,
    curve: Curve,
    right: Right,
}

/// The lower right panel.
enum Right {
    Needs(Needs),
    Relaxation(RelaxationPanel),
}

const WIDTH: u32 = 1500;
const HEADER: u32 = 76;
const MAPS: u32 = 700;
const PANELS: u32 = 450;

impl AttentionFigure {
    /// The picture of a run.
    pub fn new(answer: &Attended) -> Self {
        let report = answer.shown_report();
        let samples = answer.sampling.samples;
        let way = match answer.sampling.sampler {
            Sampler::Race => format!("{samples} races per query"),
            Sampler::HeatBath => format!("{samples} heat-bath draws per query"),
            Sampler::Law => format!("counts of {samples} draws per query (digital shortcut)"),
            Sampler::Metropolis(_) => format!("{samples} read-outs of one annealed chain per query"),
        };
        Self {
            title: format!("Head {} of {} as Potts spins", answer.shown_name(), answer.model_name()),
            subtitle: format!(
                "β = {:.4}   entropy {:.2} nats = {:.0} of {} keys   specific heat {:.2}   output error {:.1} % (law {:.1} %)",
                report.beta,
                report.entropy,
                report.n_eff,
                report.n,
                report.specific_heat,
                100.0 * report.rel_error,
                100.0 * report.rel_error_predicted,
            ),
            maps: Maps::new(&answer.shown.sample, &answer.origin.tokens, way),
            curve: Curve::new(answer),
            right: match &answer.shown.relaxation {
                Some(relaxation) => Right::Relaxation(RelaxationPanel::new(relaxation, answer)),
                None => Right::Needs(Needs::new(answer)),
            },
        }
    }
}

impl Figure for AttentionFigure {
    fn size(&self) -> (u32, u32) {
        (WIDTH, HEADER + MAPS + PANELS)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let (header, rest) = area.split_vertically(HEADER);
        header.draw(&Text::new(self.title.as_str(), (28, 14), text(27)))?;
        header.draw(&Text::new(self.subtitle.as_str(), (28, 48), text(17).color(&FAINT)))?;
        let (maps, panels) = rest.split_vertically(MAPS);
        self.maps.draw(&maps)?;
        let (left, right) = panels.split_horizontally(WIDTH / 2);
        self.curve.draw(&left.margin(0, 8, 16, 8))?;
        let right = right.margin(0, 8, 8, 24);
        match &self.right {
            Right::Needs(needs) => needs.draw(&right),
            Right::Relaxation(relaxation) => relaxation.draw(&right),
        }
    }
}
