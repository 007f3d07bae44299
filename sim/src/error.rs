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
    /// A number of sites (or a side) outside what a method can do.
    #[error("{what} of {got}: it takes {}", between(*.least, *.most))]
    SiteCount {
        /// The method or the thing counted.
        what: &'static str,
        /// The number asked for.
        got: usize,
        /// The smallest possible.
        least: usize,
        /// The largest possible; `usize::MAX` if there is none.
        most: usize,
    },
    /// A site that is not there.
    #[error("site {site} was asked for, but the sites are 0 to {}", .sites.saturating_sub(1))]
    NoSuchSite {
        /// The site.
        site: usize,
        /// How many there are.
        sites: usize,
    },
    /// A coupling or field that is not a finite number.
    #[error("coupling or field {got} is not a finite number")]
    Coupling {
        /// The value given.
        got: f64,
    },
    /// Data from which the quantity asked for cannot be estimated.
    #[error("{what}: {violated}")]
    Data {
        /// What was to be estimated.
        what: &'static str,
        /// The condition violated.
        violated: &'static str,
    },
}

fn between(least: usize, most: usize) -> String {
    if most == usize::MAX { format!("{least} or more") } else { format!("{least} to {most}") }
}
