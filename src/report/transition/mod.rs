//! What `ceas sweep` found, for people and for scripts.

#[cfg(feature = "hdf5")]
pub mod archive;
mod figure;
mod panels;
mod text;
mod warnings;

use serde::Serialize;

use ceas_npu::sim::Error;
use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::critical::{
    Collapse, Critical, Exponents, Findings, Measured, Outcome, Pair, Point, SizeCurves, Survey,
};
use ceas_npu::sim::exact::kaufman::Torus;
use ceas_npu::sim::statistics::Estimate;
use ceas_npu::sim::topology::CriticalPoint;

use self::figure::TransitionFigure;
use crate::report::present::Answer;
use crate::report::table::with_error;

/// A point beside what is known exactly there.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was measured.
    #[serde(flatten)]
    pub point: Point,
    /// Kaufman's energy per site of this finite lattice.
    pub exact_energy: Option<f64>,
    /// Kaufman's specific heat per site of this finite lattice.
    pub exact_specific_heat: Option<f64>,
}

/// β_c beside its reference.
#[derive(Debug, Clone, Serialize)]
pub struct Located {
    /// The estimate, its error and where they come from.
    #[serde(flatten)]
    pub critical: Critical,
    /// The value of the literature, where there is one.
    pub reference: Option<f64>,
    /// (mean − reference)/√(error² + error of the reference²).
    pub sigmas: Option<f64>,
}

/// β_c of the literature.
#[derive(Debug, Clone, Serialize)]
pub struct Reference {
    /// β_c.
    pub beta_c: f64,
    /// Its error, 0 if it is exact.
    pub error: f64,
    /// Where it is from.
    pub source: &'static str,
}

impl From<CriticalPoint> for Reference {
    fn from(known: CriticalPoint) -> Self {
        Self { beta_c: known.beta, error: known.error, source: known.source }
    }
}

/// ν beside its reference.
#[derive(Debug, Clone, Serialize)]
pub struct Nu {
    /// ν and its whole error; on a graph without a dimension, in terms of N.
    #[serde(flatten)]
    pub value: Estimate,
    /// The value of the literature, where there is one.
    pub reference: Option<f64>,
    /// (mean − reference)/√(error² + error of the reference²).
    pub sigmas: Option<f64>,
}

/// The answer of `ceas sweep`.
#[derive(Debug, Clone, Serialize)]
pub struct Transition {
    command: &'static str,
    /// The family of lattices, as its spec.
    pub lattice: String,
    /// Its kind and Hamiltonian, for people.
    pub model: String,
    /// The update.
    pub update: String,
    /// The seed.
    pub seed: u64,
    /// Replicas of each size and β.
    pub replicas: usize,
    /// Measured sweeps of each replica at the largest size asked for.
    pub sweeps: u64,
    /// Sweeps before them.
    pub thermalization: u64,
    /// Every point, by size and β.
    pub points: Vec<Row>,
    /// The crossing of each pair.
    pub pairs: Vec<Pair>,
    /// β_c; null if it was not located.
    pub beta_c: Option<Located>,
    /// Why it was not.
    pub beta_c_missing: Option<String>,
    /// β_c of the literature.
    pub reference: Option<Reference>,
    /// ν.
    pub nu: Option<Nu>,
    /// All exponents.
    pub exponents: Option<Exponents>,
    /// U₄ of all sizes on one curve.
    pub collapse: Option<Collapse>,
    /// The error asked for.
    pub precision: Option<f64>,
    /// Whether it was reached.
    pub outcome: Option<Outcome>,
    /// The interval in which the pilot run found the first crossing.
    bracket: Option<[f64; 2]>,
    warnings: Vec<String>,
    attempts: u64,
    /// All attempts over all seconds.
    pub attempts_per_ns: f64,
    /// How long it took.
    #[serde(skip)]
    pub seconds: f64,
    #[serde(skip)]
    measured: Vec<Measured>,
    #[serde(skip)]
    curves: Vec<SizeCurves>,
    /// Whether sizes are sides of a lattice rather than numbers of sites.
    #[serde(skip)]
    pub has_sides: bool,
    /// Whether this is the periodic square lattice with J = 1, whose exact answers are drawn.
    #[serde(skip)]
    pub is_square: bool,
}

/// How many σ a value is off another with an error of its own.
pub fn sigmas(value: Estimate, reference: f64, error: f64) -> f64 {
    (value.mean - reference) / value.error.hypot(error)
}

impl Transition {
    /// Puts findings beside what is known.
    ///
    /// # Errors
    /// Whatever building the model refuses.
    pub fn new(survey: &Survey, findings: Findings) -> Result<Self, Error> {
        let seconds = findings.spent.as_secs_f64();
        let size = survey.sizes.first().copied().unwrap_or(4);
        let model = survey.family.model(size, survey.effort.seed)?;
        let topology = model.topology();
        let known = survey.family.reference(&model);
        let warnings = warnings::of(survey, &findings);
        let is_square = topology.square_size().is_some() && model.uniform() == Some((1.0, 0.0));
        let rows = findings.points.iter().map(|p| beside(is_square, *p)).collect();
        let (beta_c, beta_c_missing) = match findings.critical {
            Ok(critical) => {
                let reference = known.map(|k| k.beta);
                let sigmas = known.map(|k| sigmas(critical.beta, k.beta, k.error));
                (Some(Located { critical, reference, sigmas }), None)
            }
            Err(reason) => (None, Some(reason.to_string())),
        };
        let nu = findings.exponents.as_ref().and_then(|e| {
            let value = e.nu?.value;
            let reference =
                e.reference.map(|r| (1.0 / r.inverse_nu, r.inverse_nu_error / r.inverse_nu.powi(2)));
            let sigmas = reference.map(|(nu, error)| sigmas(value, nu, error));
            Some(Nu { value, reference: reference.map(|r| r.0), sigmas })
        });
        let periodic = if topology.is_periodic() { ", periodic" } else { "" };
        let couplings = match model.uniform() {
            Some(_) if topology.is_complete() && !survey.family.to_string().contains("couplings") => {
                ", J = 1/N, h = 0".to_owned()
            }
            Some((j, h)) => format!(", J = {j}, h = {h}"),
            None => String::new(),
        };
        Ok(Self {
            command: "sweep",
            lattice: survey.family.to_string(),
            model: format!("{}{periodic}{couplings}", topology.name()),
            update: survey.effort.dynamics.to_string(),
            seed: survey.effort.seed,
            replicas: findings.measured.first().map_or(0, |m| m.samples.rows().len()),
            sweeps: survey.effort.sweeps,
            thermalization: survey.effort.thermalization,
            points: rows,
            pairs: findings.pairs,
            beta_c,
            beta_c_missing,
            reference: known.map(Reference::from),
            nu,
            exponents: findings.exponents,
            collapse: findings.collapse,
            precision: survey.precision.map(|p| p.target),
            outcome: findings.outcome,
            bracket: findings.bracket,
            warnings,
            attempts: findings.activity.attempts,
            attempts_per_ns: findings.activity.attempts as f64 / (seconds * 1e9),
            seconds,
            measured: findings.measured,
            curves: findings.curves,
            has_sides: topology.as_lattice().is_some(),
            is_square,
        })
    }

    /// What a picture says where β_c would stand.
    pub fn missing(&self) -> &'static str {
        let first = self.points.first().map(|row| row.point.size);
        if self.points.iter().all(|row| Some(row.point.size) == first) {
            "points of one size; β_c needs two"
        } else if self.pairs.is_empty() {
            "no two curves cross"
        } else {
            "β_c is not resolved"
        }
    }

    /// What a reader must know before believing a number; one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The cells behind the points, with the averages of every replica.
    pub fn measured(&self) -> &[Measured] {
        &self.measured
    }

    /// The curves of every size.
    pub fn curves(&self) -> &[SizeCurves] {
        &self.curves
    }

    /// "L", or "N" of a graph.
    pub fn size_name(&self) -> &'static str {
        if self.has_sides { "L" } else { "N" }
    }

    /// χ² of the energies against the exact finite lattices, their number, and the largest |deviation| in σ.
    pub fn against_exact(&self) -> Option<(f64, usize, f64)> {
        let deviations: Vec<f64> = self
            .points
            .iter()
            .filter_map(|r| r.exact_energy.map(|e| r.point.energy.sigmas_from(e)))
            .filter(|d| d.is_finite())
            .collect();
        let largest = deviations.iter().map(|d| d.abs()).reduce(f64::max)?;
        Some((deviations.iter().map(|d| d * d).sum(), deviations.len(), largest))
    }
}

fn beside(is_square: bool, point: Point) -> Row {
    let exact = match (is_square, Torus::new(point.size, point.size), Beta::new(point.beta)) {
        (true, Ok(torus), Ok(beta)) => Some((torus.energy(beta), torus.specific_heat(beta))),
        _ => None,
    };
    Row { point, exact_energy: exact.map(|e| e.0), exact_specific_heat: exact.map(|e| e.1) }
}

impl Answer for Transition {
    type Picture = TransitionFigure;

    fn title(&self) -> String {
        match &self.beta_c {
            Some(found) => format!(
                "β_c = {} of {}",
                with_error(found.critical.beta.mean, found.critical.beta.error),
                self.lattice
            ),
            None => format!("{}: no β_c", self.lattice),
        }
    }

    fn text(&self) -> String {
        text::text(self)
    }

    fn picture(&self) -> TransitionFigure {
        TransitionFigure::new(self)
    }
}
