//! One head under every variant of the controller, and what each rule for β does to its output.

use ceas_sim::beta::Beta;
use serde::Serialize;

use super::defaults::{FACTOR, Scale, TARGET_BELOW};
use super::initial::{Initial, initial_betas};
use super::margin::Margin;
use super::outcome::Tolerance;
use super::reading::Source;
use super::step::{Clip, Step};
use super::thermostat::{Control, Target, Trace, run};
use crate::attention::{Row, textbook_beta};
use crate::criticality::{Curve, Peak, Rows, grid};
use crate::error::Error;
use crate::heads::Head;

/// A controller with a name.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Variant {
    /// Its name in tables and JSON.
    pub name: &'static str,
    /// Its settings.
    pub control: Control,
}

impl Variant {
    /// The published controller and its readings, then the corrected one and its simpler forms: in this order, `published` first and `corrected` fifth.
    ///
    /// `target` replaces the published corridor ln N − 1.1 in those that have a target of their own choice.
    pub fn all(scale: &Scale, target: Target, source: Source) -> Vec<Self> {
        let published =
            Control { step: Step::published(scale), target, smoothed: false, margin: None, source };
        let corrected = Control { step: Step::corrected(), ..published };
        let radius = Step::Squared { gain: 1.0, clip: Some(Clip::Radius) };
        let newton = Step::Squared { gain: 1.0, clip: Some(Clip::Factor(FACTOR)) };
        vec![
            Self { name: "published", control: published },
            Self { name: "published, averaged H", control: Control { smoothed: true, ..published } },
            Self {
                name: "published, N_eff = e^H",
                control: Control { target: Target::BelowItself(TARGET_BELOW), ..published },
            },
            Self {
                name: "published, margin u_min",
                control: Control { margin: Some(Margin::published(scale)), ..published },
            },
            Self { name: "corrected", control: corrected },
            Self {
                name: "corrected, to the peak",
                control: Control { target: Target::CRITICAL, ..corrected },
            },
            Self { name: "corrected, Newton", control: Control { step: newton, ..corrected } },
            Self { name: "corrected, radius", control: Control { step: radius, ..corrected } },
        ]
    }

    /// Where `corrected` stands in [`Variant::all`].
    pub const CORRECTED: usize = 4;
    /// Where `corrected, to the peak` stands.
    pub const TO_THE_PEAK: usize = 5;
}

/// What an output becomes when β of its head is moved.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Moved {
    /// The rule for β, and β.
    pub initial: Initial,
    /// √(Σ|o(β) − o(β₀)|²/Σ|o(β₀)|²) over the queries; `None` where the rule has no answer.
    pub output_change: Option<f64>,
}

/// One head under control.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeadControl {
    /// Number of the layer.
    pub layer: usize,
    /// Head within the layer.
    pub head: usize,
    /// Most keys of a row.
    pub n: usize,
    /// d_head.
    pub d: usize,
    /// Rows that were controlled together.
    pub rows: usize,
    /// β₀ = 1/√d_head.
    pub textbook: f64,
    /// H at β₀.
    pub entropy: f64,
    /// e^H.
    pub n_eff: f64,
    /// Mean ln N.
    pub ln_n: f64,
    /// Typical σ; `None` if all scores are equal.
    pub sigma: Option<f64>,
    /// √(2 ln N)/σ.
    pub beta_c: Option<f64>,
    /// C at β₀.
    pub specific_heat: f64,
    /// The peak of C.
    pub peak: Option<Peak>,
    /// Every rule for β, and what the output becomes there.
    pub rules: Vec<Moved>,
    /// One trajectory for each variant, in their order.
    pub traces: Vec<Trace>,
}

/// Points of the grid of the peak.
const POINTS: usize = 60;

/// Steps that a corrected controller is given: it needs four, and five moments within the tolerance are called converged.
const CORRECTED_STEPS: usize = 12;

impl HeadControl {
    /// Controls a head from `start` (the textbook β, if `None`) for `steps` steps under every published variant and 12 under the corrected ones. Rows
    /// with fewer than `least` keys are left out. `place` tells heads apart in the streams of `seed`.
    ///
    /// # Errors
    /// [`Error::Rows`] if no row has so many keys.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        (layer, head): (usize, usize),
        view: &Head<'_>,
        least: usize,
        variants: &[Variant],
        start: Option<Beta>,
        steps: usize,
        tolerance: Tolerance,
        (seed, place): (u64, u64),
    ) -> Result<Self, Error> {
        let rows = Rows::of_head(view, least)?;
        let textbook = textbook_beta(view.q.ncols());
        let state = rows.mean(textbook);
        let ln_n = rows.mean_ln_n();
        let sigma = rows.typical_sigma();
        let beta_c = sigma.map(|sigma| libm::sqrt(2.0 * ln_n) / sigma).filter(|b| *b > 0.0);
        let traces: Result<Vec<Trace>, Error> = variants
            .iter()
            .map(|variant| {
                let steps = if variant.control.step.is_quick() { CORRECTED_STEPS } else { steps };
                run(&rows, variant.control, start.unwrap_or(textbook), steps, tolerance, (seed, place))
            })
            .collect();
        Ok(Self {
            layer,
            head,
            n: (0..rows.len()).map(|row| rows.keys(row)).max().unwrap_or(0),
            d: view.q.ncols(),
            rows: rows.len(),
            textbook: textbook.value(),
            entropy: state.entropy,
            n_eff: libm::exp(state.entropy),
            ln_n,
            sigma,
            beta_c,
            specific_heat: textbook.value() * textbook.value() * state.variance,
            peak: beta_c.and_then(|beta_c| Curve::new(&rows, &grid(beta_c, POINTS)).peak()),
            rules: moved(view, initial_betas(&rows, textbook), textbook)?,
            traces: traces?,
        })
    }

    /// β₀ over β at the peak of C.
    pub fn over_peak(&self) -> Option<f64> {
        self.peak.map(|peak| self.textbook / peak.beta.mean)
    }
}

/// What the output of a head becomes under every rule.
fn moved(view: &Head<'_>, rules: Vec<Initial>, textbook: Beta) -> Result<Vec<Moved>, Error> {
    let exact: Result<Vec<Row>, Error> =
        (0..view.q.nrows()).map(|query| Row::new(view, query, textbook)).collect();
    let exact = exact?;
    let signal: f64 = exact.iter().map(|row| row.signal).sum();
    rules
        .into_iter()
        .map(|initial| {
            let output_change = match initial.beta.and_then(|beta| Beta::new(beta).ok()) {
                Some(beta) if signal > 0.0 => {
                    let mut change = 0.0;
                    for (query, row) in exact.iter().enumerate() {
                        let output = output(view, query, &row.spin.law(beta));
                        change += output.iter().zip(&row.output).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
                    }
                    Some(libm::sqrt(change / signal))
                }
                _ => None,
            };
            Ok(Moved { initial, output_change })
        })
        .collect()
}

/// Σ_j p_j v_j.
fn output(view: &Head<'_>, query: usize, law: &ceas_sim::potts::Law) -> Vec<f64> {
    let mut output = vec![0.0; view.v.ncols()];
    for key in view.keys(query) {
        let p = law.probabilities()[key];
        if p > 0.0 {
            output.iter_mut().zip(view.v.row(key)).for_each(|(o, &v)| *o += p * f64::from(v));
        }
    }
    output
}
