//! What a reader of `ceas sweep` must know before believing a number.

use ceas_npu::sim::critical::{Class, Dynamics, Findings, Grid, Measured, Survey};

/// A run is called short where it is not this many τ_int long.
const SHORT_RUN: f64 = 20.0;

/// One sentence each.
pub fn of(survey: &Survey, findings: &Findings) -> Vec<String> {
    let mut warnings = Vec::new();
    let is_short = |m: &&Measured| !m.tau_resolved || m.tau_int.mean * SHORT_RUN > m.sweeps as f64;
    let short: Vec<&Measured> = findings.measured.iter().filter(is_short).collect();
    if let Some(worst) = short.iter().max_by(|a, b| a.tau_int.mean.total_cmp(&b.tau_int.mean)) {
        let clusters = matches!(survey.effort.dynamics, Dynamics::Wolff | Dynamics::SwendsenWang);
        let other = if clusters { "" } else { ", or use --update wolff" };
        warnings.push(format!(
            "{} of {} points have runs shorter than {SHORT_RUN} τ_int (size {} at β = {}: τ_int ≥ {:.0} sweeps), so that their start may not be \
             forgotten and their errors may be too small; raise --sweeps and --thermalization{other}",
            short.len(),
            findings.measured.len(),
            worst.cell.size,
            match worst.cell.beta.value() {
                huge if huge >= 1e6 => format!("{huge:e}"),
                beta => format!("{beta:.5}"),
            },
            worst.tau_int.mean,
        ));
    }
    match &findings.critical {
        Ok(found) => {
            if found.sizes.len() < 3 {
                warnings.push(
                    "two sizes cannot tell how far their crossing has drifted from β_c, so that the error allows for any drift of usual size; name a third size"
                        .to_owned(),
                );
            }
            let dof = found.freedom as f64;
            if found.freedom > 0 && found.chi_squared > dof + 3.0 * (2.0 * dof).sqrt() {
                warnings.push(format!(
                    "the curves do not meet in one point within their errors (χ² = {:.0} for {} degrees of freedom), so that the error is stretched by {:.1}: \
                     larger --sizes correct less",
                    found.chi_squared,
                    found.freedom,
                    (found.chi_squared / dof).sqrt()
                ));
            }
            match findings.class {
                Class::Four => warnings.push(
                    "four dimensions are the upper critical ones: corrections are logarithms of L, and the error of β_c only covers L^-0.5 to L^-1.5"
                        .to_owned(),
                ),
                Class::Unknown => warnings.push(
                    "the correction to scaling of this lattice is not known: L^-1 is assumed, and L^-0.5 and L^-1.5 for its error".to_owned(),
                ),
                _ => {}
            }
        }
        Err(_) if survey.sizes.len() < 2 => {}
        Err(reason) => {
            let advice = match survey.grid {
                Grid::Fixed(_) => "; another --beta, or none, may find it",
                Grid::Automatic => "; more --sweeps may find it",
            };
            warnings.push(format!("β_c was not located: {reason}{advice}"));
        }
    }
    if let (Some(precision), Ok(found)) = (survey.precision, &findings.critical)
        && found.beta.error > precision.target
    {
        warnings.push(format!(
            "the error {:.1e} misses --precision {:.1e} by a factor of {:.1}",
            found.beta.error,
            precision.target,
            found.beta.error / precision.target
        ));
    }
    warnings
}
