//! Hints for a training loop: when to stop, when to keep a checkpoint. Plain state, O(1) memory, nothing is written anywhere.

/// Stops when the best value is `patience` observations old.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarlyStop {
    patience: u32,
    least: f64,
    best: Option<f64>,
    since: u32,
}

/// What one more observation means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Better than all before: keep a checkpoint.
    Checkpoint,
    /// Go on.
    Continue,
    /// Nothing better for too long, or not a number: stop.
    Stop,
}

impl EarlyStop {
    /// Larger is better (η, accuracy, −loss); an improvement is at least `least`.
    ///
    /// ```
    /// use ceas_mapping::diagnostics::hints::{EarlyStop, Hint};
    /// let mut stop = EarlyStop::new(2, 0.01);
    /// let hints = [0.5, 0.6, 0.605, 0.6].map(|eta| stop.observe(eta));
    /// assert_eq!(hints, [Hint::Checkpoint, Hint::Checkpoint, Hint::Continue, Hint::Stop]);
    /// assert_eq!(stop.observe(f64::NAN), Hint::Stop);
    /// ```
    pub fn new(patience: u32, least: f64) -> Self {
        Self { patience, least, best: None, since: 0 }
    }

    /// Takes the next value.
    pub fn observe(&mut self, value: f64) -> Hint {
        if !value.is_finite() {
            return Hint::Stop;
        }
        if self.best.is_none_or(|best| value >= best + self.least && value > best) {
            self.best = Some(value);
            self.since = 0;
            return Hint::Checkpoint;
        }
        self.since = self.since.saturating_add(1);
        if self.since >= self.patience { Hint::Stop } else { Hint::Continue }
    }
}
