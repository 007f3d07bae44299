//! What `ceas sweep` found, for people and for scripts.

use std::fmt::Write;

use serde::Serialize;

use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::critical::{
    Critical, Dynamics, Findings, Grid, Lattice, Measured, Pair, Point, Precision, Survey,
};
use ceas_npu::sim::exact::kaufman::Torus;

use super::present::Answer;
use super::table::{table, with_error};
use super::transition_figure::TransitionFigure;

/// A run is called short where it is not this many τ_int long.
const SHORT_RUN: f64 = 20.0;

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
    /// The exact value, where there is one.
    pub reference: Option<f64>,
    /// (mean − reference)/error.
    pub sigmas: Option<f64>,
}

/// The answer of `ceas sweep`.
#[derive(Debug, Clone, Serialize)]
pub struct Transition {
    command: &'static str,
    /// The family of lattices.
    pub lattice: String,
    /// The update.
    pub update: String,
    /// The seed.
    pub seed: u64,
    replicas: usize,
    /// Measured sweeps of each replica at the largest L.
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
    beta_c_missing: Option<String>,
    /// The interval in which the pilot run found the first crossing.
    bracket: Option<[f64; 2]>,
    warnings: Vec<String>,
    attempts: u64,
    attempts_per_ns: f64,
    #[serde(skip)]
    seconds: f64,
    #[serde(skip)]
    measured: Vec<Measured>,
}

impl Transition {
    /// Puts findings beside exact answers.
    pub fn new(survey: &Survey, findings: Findings, seconds: f64) -> Self {
        let reference = survey.lattice.exact_beta_c();
        let mut warnings = warnings(survey, &findings);
        let rows = findings.points.iter().map(|p| beside(survey.lattice, *p)).collect();
        let (beta_c, beta_c_missing) = match findings.critical {
            Ok(critical) => {
                let sigmas = reference.map(|r| critical.beta.sigmas_from(r));
                (Some(Located { critical, reference, sigmas }), None)
            }
            Err(reason) => (None, Some(reason.to_string())),
        };
        if let (Some(reason), false) = (&beta_c_missing, Survey::pairs(&survey.sizes).is_empty()) {
            let advice = match survey.grid {
                Grid::Fixed(_) => "; another --beta, or none, may find it",
                Grid::Automatic => "; more --sweeps may find it",
            };
            warnings.push(format!("β_c was not located: {reason}{advice}"));
        }
        Self {
            command: "sweep",
            lattice: survey.lattice.to_string(),
            update: survey.effort.dynamics.to_string(),
            seed: survey.effort.seed,
            replicas: findings.measured.first().map_or(0, |m| m.samples.rows().len()),
            sweeps: survey.effort.sweeps,
            thermalization: survey.effort.thermalization,
            points: rows,
            pairs: findings.pairs,
            beta_c,
            beta_c_missing,
            bracket: findings.bracket,
            warnings,
            attempts: findings.activity.attempts,
            attempts_per_ns: findings.activity.attempts as f64 / (seconds * 1e9),
            seconds,
            measured: findings.measured,
        }
    }

    /// What a picture says where β_c would stand.
    pub fn missing(&self) -> &'static str {
        let first = self.points.first().map(|row| row.point.size);
        if self.points.iter().all(|row| Some(row.point.size) == first) {
            "points of one size; β_c needs L and 2L"
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

    /// χ² of the energies against the exact finite lattices, their number, and the largest |deviation| in σ.
    fn against_exact(&self) -> Option<(f64, usize, f64)> {
        let deviations: Vec<f64> = self
            .points
            .iter()
            .filter_map(|r| r.exact_energy.map(|e| r.point.energy.sigmas_from(e)))
            .filter(|d| d.is_finite())
            .collect();
        let largest = deviations.iter().map(|d| d.abs()).reduce(f64::max)?;
        Some((deviations.iter().map(|d| d * d).sum(), deviations.len(), largest))
    }

    fn rows(&self) -> String {
        let heads = ["L", "beta", "energy", "|m|", "C", "chi", "U4", "xi", "tau_int"];
        let mut rows = table(&heads, 0);
        for Row { point: p, .. } in &self.points {
            let shown = |e: ceas_npu::sim::statistics::Estimate| {
                if e.mean.is_finite() { with_error(e.mean, e.error) } else { "–".to_owned() }
            };
            rows.add_row([
                p.size.to_string(),
                format!("{:.6}", p.beta),
                shown(p.energy),
                shown(p.abs_magnetization),
                shown(p.specific_heat),
                shown(p.susceptibility),
                shown(p.binder),
                shown(p.correlation_length),
                shown(p.tau_int),
            ]);
        }
        rows.to_string()
    }

    fn crossings(&self) -> String {
        let mut rows = table(&["L", "2L", "U4 cross at beta", "common U4", "chi2/dof of the curves"], 0);
        for pair in &self.pairs {
            rows.add_row([
                pair.small.to_string(),
                pair.large.to_string(),
                with_error(pair.beta.mean, pair.beta.error),
                format!("{:.4}", pair.binder),
                format!("{:.1}/{}", pair.chi_squared, pair.freedom),
            ]);
        }
        rows.to_string()
    }
}

fn beside(lattice: Lattice, point: Point) -> Row {
    let exact = match (lattice, Torus::new(point.size, point.size), Beta::new(point.beta)) {
        (Lattice::Square, Ok(torus), Ok(beta)) => Some((torus.energy(beta), torus.specific_heat(beta))),
        _ => None,
    };
    Row { point, exact_energy: exact.map(|e| e.0), exact_specific_heat: exact.map(|e| e.1) }
}

fn warnings(survey: &Survey, findings: &Findings) -> Vec<String> {
    let mut warnings = Vec::new();
    let longest = survey.sizes.iter().max().copied().unwrap_or(1) as f64;
    let short: Vec<&Measured> = findings
        .measured
        .iter()
        .filter(|m| {
            let sweeps = survey.effort.sweeps as f64 * longest / m.cell.size as f64;
            !m.tau_resolved || m.tau_int.mean * SHORT_RUN > sweeps
        })
        .collect();
    if let Some(worst) = short.iter().max_by(|a, b| a.tau_int.mean.total_cmp(&b.tau_int.mean)) {
        let other = if survey.effort.dynamics == Dynamics::Wolff { "" } else { ", or use --update wolff" };
        warnings.push(format!(
            "{} of {} points have runs shorter than {SHORT_RUN} τ_int (L = {} at β = {:.5}: τ_int ≥ {:.0} sweeps), so that their start may not be \
             forgotten and their errors may be too small; raise --sweeps and --thermalization{other}",
            short.len(),
            findings.measured.len(),
            worst.cell.size,
            worst.cell.beta.value(),
            worst.tau_int.mean,
        ));
    }
    if findings.critical.as_ref().is_ok_and(|c| c.drift.is_none()) {
        warnings.push(
            "one pair of sizes cannot tell how far its crossing has drifted from β_c: the error is statistical alone; name a third size"
                .to_owned(),
        );
    }
    for pair in findings.pairs.iter().filter(|p| !p.fits()) {
        warnings.push(format!(
            "the curves of L = {} and {} are not smooth on this grid (χ² = {:.0} for {} degrees of freedom), so that errors are stretched by {:.1}: use a finer --beta near {:.4}",
            pair.small, pair.large, pair.chi_squared, pair.freedom, pair.stretch(), pair.beta.mean
        ));
    }
    if let (Some(Precision { target, most }), Ok(found)) = (survey.precision, &findings.critical)
        && found.beta.error > target
    {
        warnings.push(format!(
            "the error {:.1e} misses --precision {target:.1e} by a factor of {:.1}, with {most} times the replicas (--budget)",
            found.beta.error,
            found.beta.error / target
        ));
    }
    warnings
}

impl Answer for Transition {
    type Picture = TransitionFigure;

    fn title(&self) -> String {
        match &self.beta_c {
            Some(found) => format!(
                "β_c = {} on the {} lattice",
                with_error(found.critical.beta.mean, found.critical.beta.error),
                self.lattice
            ),
            None => format!("{} lattice: no β_c", self.lattice),
        }
    }

    fn text(&self) -> String {
        let mut out = format!(
            "{} lattice, periodic, J = 1, h = 0; {}, {} replicas; per site, error in the last digits\n\n{}\n\n",
            self.lattice,
            self.update,
            self.replicas,
            self.rows()
        );
        // Writing to a String cannot fail.
        let mut line = |text: String| {
            let _ = writeln!(out, "{text}");
        };
        if let Some((chi_squared, count, largest)) = self.against_exact() {
            line(format!(
                "energies beside Kaufman's exact finite torus: chi2 = {chi_squared:.1} for {count} points, largest deviation {largest:.1} sigma"
            ));
        }
        if !self.pairs.is_empty() {
            line(format!("\n{}\n", self.crossings()));
        }
        match &self.beta_c {
            Some(found) => {
                let c = &found.critical;
                line(format!("beta_c = {:.7} ± {:.7}", c.beta.mean, c.beta.error));
                if let (Some(reference), Some(sigmas)) = (found.reference, found.sigmas) {
                    line(format!(
                        " exact = {reference:.10} = ln(1+√2)/2: {:+.1e}, {sigmas:+.2} sigma",
                        c.beta.mean - reference
                    ));
                }
                line(format!("method: {}", c.method));
                line(match (c.systematic, c.drift) {
                    (Some(systematic), Some(drift)) => format!(
                        "error:  statistical {:.1e}, systematic {systematic:.1e} (exponent of the drift ± 0.75); the largest pair is {drift:+.1e} off its limit",
                        c.statistical
                    ),
                    _ => format!("error:  statistical {:.1e} alone", c.statistical),
                });
            }
            None => line(format!(
                "beta_c: none; {}",
                self.beta_c_missing.as_deref().unwrap_or("it was not looked for")
            )),
        }
        line(format!(
            "\n{:.4} attempts/ns over {:.1} s and {} threads (scalar kernel, xoshiro256++, own randomness for every attempt{})",
            self.attempts_per_ns,
            self.seconds,
            rayon::current_num_threads(),
            if self.update == Dynamics::Wolff.to_string() {
                "; an attempt is a site tested for a cluster"
            } else {
                ""
            }
        ));
        out
    }

    fn picture(&self) -> TransitionFigure {
        TransitionFigure::new(self)
    }
}
