//! Which runs to lengthen: the design that brings β_c to an error for the least work.
//!
//! β_c, R*, b, c and ω are estimated from U₄ and ξ/L of all sizes. With A_L the derivatives of the data of a size by these parameters and Σ_L the
//! covariance of its data, both as measured, runs f_L times as long as now leave
//! ```text
//! Var β_c = (M⁻¹)_ββ      M = P + Σ_L f_L A_Lᵀ Σ_L⁻¹ A_L      P: what is expected of b, c and ω
//! −∂Var/∂f_L = zᵀ A_Lᵀ Σ_L⁻¹ A_L z      z = M⁻¹ e_β
//! ```
//! Work goes, a little at a time, to where the variance falls most for it (c-optimality: G. Elfving, doi:10.1214/aoms/1177729442). A size that
//! has not been run enters with the data that the largest one would have if its slopes were what they will be.

use nalgebra::{DMatrix, DVector};

/// Every step spends this share of all work done.
const STEP: f64 = 0.02;

/// A plan ends when it has spent so many times the work done: there are priors that no data of these sizes overcome.
const MOST: f64 = 3e4;

/// What the data of one size tell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    /// L, or N.
    pub(super) size: usize,
    /// AᵀΣ⁻¹A.
    pub(super) information: DMatrix<f64>,
}

/// What all data tell, and what was expected beforehand.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Design {
    pub(super) prior: DMatrix<f64>,
    pub(super) told: Vec<Told>,
}

/// How long the runs of each size are to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    /// In units of their present lengths, in the order of [`Design::told`].
    pub(super) factors: Vec<f64>,
    /// The work of it beyond what has been done.
    pub(super) work: f64,
    /// Whether it reaches its end.
    pub(super) reaches: bool,
}

/// rowsᵀ rows.
pub(super) fn information(rows: &[Vec<f64>], terms: usize) -> DMatrix<f64> {
    let mut sum = DMatrix::zeros(terms, terms);
    for row in rows {
        let row = DVector::from_column_slice(&row[..terms]);
        sum += &row * row.transpose();
    }
    sum
}

impl Design {
    /// Var β_c of the data there are.
    pub(super) fn variance(&self) -> Option<f64> {
        let factors = vec![1.0; self.told.len()];
        self.leverage(&factors).map(|z| z[0])
    }

    /// z = M⁻¹ e_β.
    fn leverage(&self, factors: &[f64]) -> Option<DVector<f64>> {
        let mut all = self.prior.clone();
        for (told, &factor) in self.told.iter().zip(factors) {
            all += &told.information * factor;
        }
        let mut unit = DVector::zeros(all.nrows());
        unit[0] = 1.0;
        all.cholesky().map(|c| c.solve(&unit)).filter(|z| z[0].is_finite() && z[0] > 0.0)
    }

    /// The least work by which Var β_c becomes `variance`. `spent` is the work behind the present data of each size; runs may be made
    /// longer, and those of a size that has not been run begin at factor 0.
    pub(super) fn plan(&self, spent: &[f64], begun: &[bool], variance: f64) -> Option<Plan> {
        let mut factors: Vec<f64> = begun.iter().map(|&b| if b { 1.0 } else { 0.0 }).collect();
        let done: f64 = spent.iter().zip(&factors).map(|(s, f)| s * f).sum();
        let mut work = 0.0;
        loop {
            let z = self.leverage(&factors)?;
            if z[0] <= variance || work > MOST * done {
                return Some(Plan { factors, work, reaches: z[0] <= variance });
            }
            let gain = |i: usize| (z.transpose() * &self.told[i].information * &z)[(0, 0)] / spent[i];
            let best = (0..factors.len()).max_by(|&i, &j| gain(i).total_cmp(&gain(j)))?;
            let more = STEP * (done + work);
            factors[best] += more / spent[best];
            work += more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R_i = R* + s_i (β − β_c), variance v_i each.
    fn pair(slopes: [f64; 2], variances: [f64; 2]) -> Design {
        let told = |i: usize| {
            let error = variances[i].sqrt();
            Told { size: 1 << i, information: information(&[vec![-slopes[i] / error, 1.0 / error]], 2) }
        };
        Design { prior: DMatrix::zeros(2, 2), told: vec![told(0), told(1)] }
    }

    #[test]
    fn two_curves_are_given_work_by_the_root_of_cost_over_variance() {
        // β_c = where they cross: Var = (v₀ + v₁)/(s₁ − s₀)²; the best lengths are n_i ∝ √(v_i/c_i) (J. Neyman 1934).
        let (variances, spent) = ([4.0, 1.0], [1.0, 100.0]);
        let design = pair([1.0, 3.0], variances);
        assert!((design.variance().unwrap() - 5.0 / 4.0).abs() < 1e-12);
        let target = 1.25e-3;
        let plan = design.plan(&spent, &[true, true], target).unwrap();
        assert!(plan.reaches);
        let reached = (variances[0] / plan.factors[0] + variances[1] / plan.factors[1]) / 4.0;
        assert!(reached <= target);
        let sum = (variances[0] * spent[0]).sqrt() + (variances[1] * spent[1]).sqrt();
        let least = sum * sum / (4.0 * target);
        let used: f64 = plan.factors.iter().zip(&spent).map(|(f, s)| f * s).sum();
        assert!(used < 1.03 * least, "{used} instead of {least}");
        // Twin: the same lengths for both take far more.
        assert!(1.5 * least < 101.0 * 1.25 / target);
    }

    #[test]
    fn what_no_run_can_tell_is_not_reached() {
        let mut design = pair([1.0, 3.0], [1.0, 1.0]);
        // A third parameter that only the prior knows about, added to the second size.
        design.told[1].information = information(&[vec![-3.0, 1.0, 1.0]], 3);
        design.told[0].information = information(&[vec![-1.0, 1.0, 0.0]], 3);
        design.prior = information(&[vec![0.0, 0.0, 1.0]], 3);
        assert!(!design.plan(&[1.0, 1.0], &[true, true], 0.2).unwrap().reaches);
        assert!(design.plan(&[1.0, 1.0], &[true, true], 0.3).unwrap().reaches);
    }
}
