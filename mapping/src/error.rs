//! What can be wrong with a model, a capture or a mapping.

/// A condition that the caller's input violates; each message names the thing and says what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A tensor whose shape does not fit.
    #[error("tensor {tensor} has shape {got:?}; expected {expected}")]
    Shape {
        /// Its name.
        tensor: &'static str,
        /// What would fit.
        expected: String,
        /// What it has.
        got: Vec<usize>,
    },
    /// A number that is NaN or infinite.
    #[error("tensor {tensor} holds {got} at {index}: every number must be finite")]
    NotFinite {
        /// Name of the tensor.
        tensor: String,
        /// Where in it.
        index: String,
        /// What stands there.
        got: f32,
    },
    /// A query whose every key is masked.
    #[error("query {query} has no key to attend to: all are masked")]
    NoKey {
        /// Index of the query.
        query: usize,
    },
    /// A chain longer than can be counted.
    #[error(
        "{samples} read-outs every {interval} sweeps are more sweeps than can be counted: choose a shorter interval"
    )]
    Sweeps {
        /// Read-outs asked for.
        samples: u64,
        /// Sweeps between two of them.
        interval: u64,
    },
    /// A one-hot cluster that cannot be built.
    #[error("one-hot cluster: {violated}")]
    OneHot {
        /// The condition violated.
        violated: &'static str,
    },
    /// Rows of scores, or a question about them, that have no answer.
    #[error("{what}: {violated}")]
    Rows {
        /// What was asked.
        what: &'static str,
        /// The condition violated, with the offending number.
        violated: String,
    },
    /// A component that cannot be lowered as asked.
    #[error("{component}: {violated}")]
    Component {
        /// Which.
        component: &'static str,
        /// The condition violated.
        violated: &'static str,
    },
    /// What is wrong with a model folder, a text, or a capture file.
    #[error(transparent)]
    Reference(#[from] crate::reference::Error),
    /// What the engine refuses.
    #[error(transparent)]
    Sim(#[from] ceas_sim::Error),
}
