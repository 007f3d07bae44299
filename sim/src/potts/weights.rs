//! Weights of a spin at one β, computed when either changes.

use std::sync::Arc;

use crate::beta::Beta;
use crate::potts::PottsSpin;

/// Numbers derived from the gaps of one spin at one β, by rank.
#[derive(Debug, Clone, Default)]
pub(super) struct Weights {
    /// What the numbers were derived from. Holding the gaps keeps their address from being reused.
    source: Option<(Arc<[f64]>, Beta)>,
    values: Vec<f64>,
}

impl Weights {
    /// The numbers for `spin` at `beta`; `derive` fills them from β and the gaps if they are not the ones kept.
    #[inline]
    pub(super) fn of(
        &mut self,
        spin: &PottsSpin,
        beta: Beta,
        derive: impl FnOnce(f64, &[f64], &mut Vec<f64>),
    ) -> &[f64] {
        let kept = matches!(&self.source, Some((gaps, at)) if Arc::ptr_eq(gaps, spin.gaps()) && *at == beta);
        if !kept {
            self.values.clear();
            derive(beta.value(), spin.gaps(), &mut self.values);
            self.source = Some((Arc::clone(spin.gaps()), beta));
        }
        &self.values
    }
}

/// e^(β(h − max h)) by rank: 1 first, descending; may underflow to 0.
pub(super) fn boltzmann(beta: f64, gaps: &[f64], out: &mut Vec<f64>) {
    out.extend(gaps.iter().map(|&gap| libm::exp(beta * gap)));
}
