//! Λ_d: how far two models, or one at two β, are apart, beside what it gains.

/// Jensen–Shannon divergence of two laws over the same states, in nats: 0 if equal, ln 2 if nothing is shared. Symmetric, and finite where a
/// state is absent in one of them.
///
/// The published Λ_d names a "structural divergence" without a formula; this is the one used here.
///
/// ```
/// use ceas_mapping::diagnostics::divergence::jensen_shannon;
/// assert_eq!(jensen_shannon(&[1.0, 0.0], &[1.0, 0.0]), 0.0);
/// assert!((jensen_shannon(&[1.0, 0.0], &[0.0, 1.0]) - 2f64.ln()).abs() < 1e-15);
/// ```
///
/// # Panics
/// If the laws differ in length.
pub fn jensen_shannon(p: &[f64], q: &[f64]) -> f64 {
    assert_eq!(p.len(), q.len(), "two laws over the same states");
    let part = |x: f64, m: f64| if x > 0.0 { x * libm::log(x / m) } else { 0.0 };
    let sum: f64 = p.iter().zip(q).map(|(&a, &b)| part(a, 0.5 * (a + b)) + part(b, 0.5 * (a + b))).sum();
    (0.5 * sum).max(0.0)
}

/// Λ_d of a set of rows, streamed: the mean divergence, and what was gained in η for it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Lambda {
    rows: u64,
    divergence: f64,
    gain: f64,
}

impl Lambda {
    /// Adds a row: its laws in both models, and its η in both.
    pub fn add(&mut self, (p, eta_p): (&[f64], f64), (q, eta_q): (&[f64], f64)) {
        self.rows += 1;
        self.divergence += jensen_shannon(p, q);
        self.gain += eta_q - eta_p;
    }

    /// Mean Jensen–Shannon divergence of the rows, in nats; `None` without a row.
    pub fn divergence(&self) -> Option<f64> {
        (self.rows > 0).then(|| self.divergence / self.rows as f64)
    }

    /// Gain of η per nat of divergence; `None` without a row or where nothing diverges.
    pub fn gain_per_nat(&self) -> Option<f64> {
        (self.divergence > 0.0).then(|| self.gain / self.divergence)
    }
}
