//! How long and how often: counts only. β(t) is [`crate::schedule::Schedule`].

/// How many sweeps a run makes and after which of them it is looked at.
///
/// ```
/// use ceas_sim::plan::Plan;
/// let plan = Plan { thermalization: 100, sweeps: 1_000, every: 10 };
/// assert_eq!(plan.total(), 1_100);
/// assert!(!plan.measures(100) && plan.measures(110) && !plan.measures(111));
/// assert_eq!(plan.measurements(), 100);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Sweeps made before the first measurement counts.
    pub thermalization: u64,
    /// Sweeps made after that.
    pub sweeps: u64,
    /// Sweeps from one measurement to the next; 0 counts as 1.
    pub every: u64,
}

impl Plan {
    /// All sweeps of the run.
    pub fn total(&self) -> u64 {
        self.thermalization + self.sweeps
    }

    /// Whether the run is measured after its `done`-th sweep (counted from 1).
    pub fn measures(&self, done: u64) -> bool {
        done > self.thermalization && (done - self.thermalization).is_multiple_of(self.every.max(1))
    }

    /// Number of measurements in the whole run.
    pub fn measurements(&self) -> u64 {
        self.sweeps / self.every.max(1)
    }
}
