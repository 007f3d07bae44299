//! What can be wrong with a device file, or with asking for a price.

/// A condition that a file or a question violates; each message names the thing and says what would be right.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that is not the TOML that was expected (syntax, an unknown key, a wrong type, a missing key).
    #[error("{file}: {reason}")]
    Toml {
        /// Name of the file.
        file: String,
        /// What the reader says, with line, column and key.
        reason: String,
    },
    /// A key whose value makes no sense.
    #[error("{file}: key `{key}` {reason}")]
    Key {
        /// Name of the file.
        file: String,
        /// The key, dotted.
        key: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// An event that happens but has no price.
    #[error(
        "device {device} states no price for `{event}`, and the run has {count:.4e} of them: add \
         [price_j.{event}] to its file, or say there what includes it"
    )]
    NoPrice {
        /// The device.
        device: String,
        /// The event.
        event: &'static str,
        /// How often it happens.
        count: f64,
    },
    /// An event that happens but has no rate.
    #[error(
        "device {device} states no rate for `{event}`, and the run has {count:.4e} of them: add \
         [rate_hz.{event}] to its file, or say there within which event's time it happens"
    )]
    NoRate {
        /// The device.
        device: String,
        /// The event.
        event: &'static str,
        /// How often it happens.
        count: f64,
    },
    /// A name that is neither shipped nor a file.
    #[error("no device {name:?}: shipped are {known}; a file of your own is named with its ending .toml")]
    UnknownDevice {
        /// The name asked for.
        name: String,
        /// Names of the shipped devices.
        known: String,
    },
    /// A name that is neither a shipped baseline nor a file.
    #[error(
        "no GPU {name:?}: shipped are {known}; a baseline file of your own is named with its ending .toml"
    )]
    UnknownBaseline {
        /// The name asked for.
        name: String,
        /// Names of the shipped baselines.
        known: String,
    },
    /// A workload that cannot be.
    #[error("workload: {reason}")]
    Workload {
        /// What is wrong and what would be right.
        reason: String,
    },
    /// More events than can be counted.
    #[error(
        "{samples} samples cause more `{event}` than 2⁶⁴: ask for a larger output error or fewer samples"
    )]
    TooManyEvents {
        /// The event.
        event: &'static str,
        /// The number of samples.
        samples: u64,
    },
}
