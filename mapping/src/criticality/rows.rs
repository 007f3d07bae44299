//! The rows of one head, ready to be looked at over many β.

use ceas_sim::beta::Beta;
use ceas_sim::potts::PottsSpin;

use crate::attention::Quantiles;
use crate::error::Error;
use crate::heads::Head;

/// Rows of scores of one head, one Potts spin each.
///
/// ```
/// use ceas_mapping::criticality::Rows;
/// use ceas_sim::beta::Beta;
/// let rows = Rows::of_scores([[0.0, 1.0, f64::NEG_INFINITY], [2.0, 2.0, 2.0]]).unwrap();
/// assert_eq!((rows.len(), rows.keys(0), rows.keys(1)), (2, 2, 3));
/// let flat = rows.state(1, Beta::new(5.0).unwrap());
/// assert!((flat.entropy - 3f64.ln()).abs() < 1e-15 && flat.variance == 0.0);
/// ```
#[derive(Debug, Clone)]
pub struct Rows {
    spins: Vec<PottsSpin>,
    /// Standard deviation of the scores of each row over its keys.
    sigma: Vec<f64>,
}

/// One row at one β. Scores are in units of q·k, entropies in nats.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RowState {
    /// ln Z − β s_max = ln Σ e^(β(s − s_max)) ≥ 0.
    pub ln_z_above: f64,
    /// H.
    pub entropy: f64,
    /// ⟨s⟩ − s_max ≤ 0.
    pub mean_gap: f64,
    /// Var_p\[s\].
    pub variance: f64,
    /// ⟨(s − ⟨s⟩)³⟩_p = dVar/dβ, the third cumulant.
    pub third: f64,
    /// Y₂ = Σ p².
    pub participation: f64,
}

/// What lies this far below the highest state in βs weighs less than 10⁻²⁷ of it.
const NEGLIGIBLE: f64 = -62.0;

/// The state of a row given by its scores below the highest, in descending order and 0 first.
pub(crate) fn state_of(gaps: &[f64], beta: f64) -> RowState {
    let (mut tail, mut first, mut second, mut cubes, mut squares) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for &gap in &gaps[1..] {
        let x = beta * gap;
        if x < NEGLIGIBLE {
            break;
        }
        let w = libm::exp(x);
        tail += w;
        first += w * gap;
        second += w * gap * gap;
        cubes += w * gap * gap * gap;
        squares += w * w;
    }
    let z = 1.0 + tail;
    let mean_gap = first / z;
    let ln_z_above = libm::log1p(tail);
    RowState {
        ln_z_above,
        // Both terms are ≥ 0: nothing cancels.
        entropy: ln_z_above - beta * mean_gap,
        mean_gap,
        variance: (second / z - mean_gap * mean_gap).max(0.0),
        third: cubes / z - 3.0 * mean_gap * (second / z) + 2.0 * mean_gap * mean_gap * mean_gap,
        participation: (1.0 + squares) / (z * z),
    }
}

/// Standard deviation of some scores, normalised by their number.
pub(crate) fn sigma_of(gaps: &[f64]) -> f64 {
    let n = gaps.len() as f64;
    let mean = gaps.iter().sum::<f64>() / n;
    libm::sqrt(gaps.iter().map(|g| (g - mean) * (g - mean)).sum::<f64>() / n)
}

impl Rows {
    /// The rows of a head whose queries see at least `least` keys. Scores are accumulated in f64.
    ///
    /// # Errors
    /// [`Error::Rows`] if no query sees so many keys, [`Error::Sim`] if a score is not finite.
    pub fn of_head(head: &Head<'_>, least: usize) -> Result<Self, Error> {
        let scores = |query: usize| -> Option<Vec<f64>> {
            let keys: Vec<usize> = head.keys(query).collect();
            (keys.len() >= least.max(1)).then(|| {
                let q = head.q.row(query);
                keys.iter()
                    .map(|&key| {
                        q.iter().zip(head.k.row(key)).map(|(&q, &k)| f64::from(q) * f64::from(k)).sum()
                    })
                    .collect()
            })
        };
        let rows: Vec<Vec<f64>> = (0..head.q.nrows()).filter_map(scores).collect();
        if rows.is_empty() {
            return Err(Error::Rows {
                what: "rows of a head",
                violated: format!(
                    "no query sees {least} keys or more; the longest row has {}",
                    (0..head.q.nrows()).map(|query| head.keys(query).count()).max().unwrap_or(0)
                ),
            });
        }
        Self::of_scores(rows)
    }

    /// Rows given by their scores; −∞ marks an absent key.
    ///
    /// # Errors
    /// [`Error::Rows`] if there is no row, [`Error::Sim`] if a score is NaN or +∞ or a row has no key.
    pub fn of_scores<R: AsRef<[f64]>>(rows: impl IntoIterator<Item = R>) -> Result<Self, Error> {
        let mut spins = Vec::new();
        let mut sigma = Vec::new();
        for row in rows {
            let spin = PottsSpin::new(row.as_ref())?;
            sigma.push(sigma_of(spin.descending()));
            spins.push(spin);
        }
        if spins.is_empty() {
            return Err(Error::Rows { what: "rows of scores", violated: "there is no row".into() });
        }
        Ok(Self { spins, sigma })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.spins.len()
    }

    /// Whether there is no row; never, by construction.
    pub fn is_empty(&self) -> bool {
        self.spins.is_empty()
    }

    /// The spin of a row.
    pub fn spin(&self, row: usize) -> &PottsSpin {
        &self.spins[row]
    }

    /// Scores of a row below its highest, in descending order.
    pub fn gaps(&self, row: usize) -> &[f64] {
        self.spins[row].descending()
    }

    /// N: keys that a row sees.
    pub fn keys(&self, row: usize) -> usize {
        self.spins[row].states()
    }

    /// σ of a row, normalised by N.
    pub fn sigma(&self, row: usize) -> f64 {
        self.sigma[row]
    }

    /// Median of σ over the rows with at least two keys; `None` if there is no such row or all its scores are equal.
    pub fn typical_sigma(&self) -> Option<f64> {
        let some = (0..self.len()).filter(|&row| self.keys(row) > 1).map(|row| self.sigma[row]);
        Some(Quantiles::of(some).median).filter(|sigma| *sigma > 0.0)
    }

    /// Mean of ln N over the rows.
    pub fn mean_ln_n(&self) -> f64 {
        (0..self.len()).map(|row| libm::log(self.keys(row) as f64)).sum::<f64>() / self.len() as f64
    }

    /// The widest s_max − s_min of a row.
    pub fn spread(&self) -> f64 {
        self.spins.iter().map(|spin| -spin.descending().last().copied().unwrap_or(0.0)).fold(0.0, f64::max)
    }

    /// A row at β.
    pub fn state(&self, row: usize, beta: Beta) -> RowState {
        state_of(self.gaps(row), beta.value())
    }

    /// The mean over the rows at β.
    pub fn mean(&self, beta: Beta) -> RowState {
        let mut sum = RowState::default();
        for row in 0..self.len() {
            let state = self.state(row, beta);
            sum.ln_z_above += state.ln_z_above;
            sum.entropy += state.entropy;
            sum.mean_gap += state.mean_gap;
            sum.variance += state.variance;
            sum.third += state.third;
            sum.participation += state.participation;
        }
        let count = self.len() as f64;
        RowState {
            ln_z_above: sum.ln_z_above / count,
            entropy: sum.entropy / count,
            mean_gap: sum.mean_gap / count,
            variance: sum.variance / count,
            third: sum.third / count,
            participation: sum.participation / count,
        }
    }
}
