//! What can be wrong with what was asked of the engine.

/// A condition that the caller's input violates; each message names the thing and says what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// β outside [0, ∞).
    #[error("inverse temperature {got} is not a finite number ≥ 0")]
    Beta {
        /// The value given.
        got: f64,
    },
    /// A schedule that cannot be followed.
    #[error("schedule: {violated}")]
    Schedule {
        /// The condition violated.
        violated: &'static str,
    },
    /// A Potts spin without a state, or with a field that is not a number.
    #[error(
        "field of Potts state {state} is {got}: fields are finite, or −∞ for an absent state, and one must be finite"
    )]
    PottsField {
        /// The offending state.
        state: usize,
        /// Its field.
        got: f64,
    },
}
