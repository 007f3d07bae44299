//! How many keys lie within a gap of the highest.

use ceas_sim::statistics::Estimate;

use super::rows::Rows;

/// Row-averaged N(g) = #{j : s_max − s_j ≤ g}.
#[derive(Debug, Clone, PartialEq)]
pub struct GapCount {
    /// g, in the units of the scores.
    pub gap: f64,
    /// Mean number of keys within it, the highest included; the error is that of independent rows.
    pub keys: Estimate,
}

/// N(g) at the gaps given.
///
/// The partition sum is its Laplace transform, Z e^(−β s_max) = ∫ e^(−βg) dN(g), so that β only matters through N(g) near g = 1/β: how many
/// keys lie within one kT of the highest. Whatever grows like N(g) decides whether "critical" scales as √ln N, ln N or otherwise
/// (T. Hayase and R. Karakida, arXiv:2605.12697).
///
/// ```
/// use ceas_mapping::criticality::{Rows, gap_count};
/// let rows = Rows::of_scores([[0.0, -1.0, -3.0]]).unwrap();
/// assert_eq!(gap_count(&rows, &[0.5, 1.0, 9.0]).iter().map(|g| g.keys.mean).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
/// ```
pub fn gap_count(rows: &Rows, gaps: &[f64]) -> Vec<GapCount> {
    let within = |row: usize, gap: f64| rows.gaps(row).partition_point(|&g| -g <= gap) as f64;
    gaps.iter()
        .map(|&gap| {
            let counts: Vec<f64> = (0..rows.len()).map(|row| within(row, gap)).collect();
            GapCount { gap, keys: Estimate::of_independent(&counts) }
        })
        .collect()
}
