//! What came out of a recorded run, beside its file.

use ceas_npu::sim::activity::Activity;
use ceas_npu::sim::spins::Spins;

/// What came out of the loop.
pub struct Film {
    /// The configuration of the last frame.
    pub spins: Spins,
    /// Its sweep.
    pub sweep: u64,
    /// Its energy, total.
    pub energy: f64,
    /// Of the whole run, also what was made before it was resumed.
    pub activity: Activity,
    /// Attempts since it was resumed.
    pub attempts: u64,
    /// Seconds spent in sweeps alone.
    pub sweeping: f64,
    /// Seconds from the first sweep to the last frame.
    pub seconds: f64,
}
