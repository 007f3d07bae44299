//! The model: fields on the states of one spin.

use std::sync::Arc;

use crate::beta::Beta;
use crate::error::Error;
use crate::potts::Law;

/// One Potts spin with energies H(j) = −h_j on its states j.
///
/// Only differences of fields matter, so the largest field is subtracted on entry and kept as [`PottsSpin::highest`]: no
/// β overflows a weight. States are also kept in the order of descending fields (their *rank*; equal fields in the order
/// given), which is the order in which the samplers visit them.
///
/// ```
/// use ceas_sim::potts::PottsSpin;
/// let spin = PottsSpin::new(&[1.0, f64::NEG_INFINITY, 3.0]).unwrap();
/// assert_eq!((spin.labels(), spin.states()), (3, 2));
/// assert_eq!(spin.ranked().collect::<Vec<_>>(), [2, 0]);
/// assert!(PottsSpin::new(&[f64::NAN]).is_err() && PottsSpin::new(&[]).is_err());
/// ```
#[derive(Debug, Clone)]
pub struct PottsSpin {
    /// h − max h by rank: 0 first, descending. Shared with the updates that cache weights of it.
    gaps: Arc<[f64]>,
    /// Label of each rank.
    ranked: Vec<usize>,
    /// h − max h by label; −∞ where absent.
    by_label: Vec<f64>,
    highest: f64,
}

/// A field further than this below the largest counts as this far: sums of squares of gaps stay finite, and e^(βgap) differs only for
/// β < 1e-147.
const WIDEST_GAP: f64 = -1e150;

impl PottsSpin {
    /// A spin with one state per entry of `fields`; −∞ marks an absent state.
    ///
    /// # Errors
    /// [`Error::PottsField`] if a field is NaN or +∞, or if no state is present.
    pub fn new(fields: &[f64]) -> Result<Self, Error> {
        if let Some(state) = fields.iter().position(|h| h.is_nan() || *h == f64::INFINITY) {
            return Err(Error::PottsField { state, got: fields[state] });
        }
        let highest = fields.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if highest == f64::NEG_INFINITY {
            return Err(Error::PottsField { state: 0, got: highest });
        }
        let gap = |h: f64| if h == f64::NEG_INFINITY { h } else { (h - highest).max(WIDEST_GAP) };
        let by_label: Vec<f64> = fields.iter().map(|&h| gap(h)).collect();
        let mut ranked: Vec<usize> = (0..fields.len()).filter(|&j| by_label[j].is_finite()).collect();
        ranked.sort_by(|&a, &b| by_label[b].total_cmp(&by_label[a]));
        let gaps = ranked.iter().map(|&j| by_label[j]).collect();
        Ok(Self { gaps, ranked, by_label, highest })
    }

    /// Number of entries given, absent states included: states are labelled 0 … `labels() − 1`.
    pub fn labels(&self) -> usize {
        self.by_label.len()
    }

    /// N: number of states present.
    pub fn states(&self) -> usize {
        self.ranked.len()
    }

    /// The largest field, max h.
    pub fn highest(&self) -> f64 {
        self.highest
    }

    /// h_j − max h of a state: ≤ 0, and −∞ for an absent state.
    ///
    /// # Panics
    /// If there is no such label.
    #[inline]
    pub fn gap(&self, label: usize) -> f64 {
        self.by_label[label]
    }

    /// [`PottsSpin::gap`] of every label.
    #[inline]
    pub fn by_label(&self) -> &[f64] {
        &self.by_label
    }

    /// Labels of the present states in the order of descending fields.
    pub fn ranked(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.ranked.iter().copied()
    }

    /// h − max h of every present state in descending order: 0 first.
    pub fn descending(&self) -> &[f64] {
        &self.gaps
    }

    /// The exact law at β and its thermodynamics.
    pub fn law(&self, beta: Beta) -> Law {
        Law::new(self, beta)
    }

    /// Label of a rank.
    #[inline]
    pub(super) fn label(&self, rank: usize) -> usize {
        self.ranked[rank]
    }

    /// h − max h by rank.
    pub(super) fn gaps(&self) -> &Arc<[f64]> {
        &self.gaps
    }
}
