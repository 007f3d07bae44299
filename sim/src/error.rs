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
    /// A lattice or graph that cannot exist.
    #[error("{what} of size {size}: {violated}")]
    Topology {
        /// Which constructor refused.
        what: &'static str,
        /// Its size: L of a lattice, number of sites of a graph.
        size: usize,
        /// The condition violated.
        violated: &'static str,
    },
    /// A bond that a graph cannot have.
    #[error("bond number {index}, ({a}, {b}): {violated}")]
    Bond {
        /// Position in the list of bonds, counted from 0.
        index: usize,
        /// One end.
        a: u32,
        /// The other end.
        b: u32,
        /// The condition violated.
        violated: &'static str,
    },
    /// A configuration that does not fit into memory; found before anything is allocated.
    #[error("{what} of size {size} needs {needed} bytes of memory, but {available} bytes are available")]
    Memory {
        /// What was to be made.
        what: &'static str,
        /// Its size: L of a lattice, number of sites of a graph.
        size: usize,
        /// Bytes that would be needed.
        needed: u64,
        /// Bytes that can be had.
        available: u64,
    },
    /// An update in checkerboard order on a graph that is not two-coloured.
    #[error("{what} of size {size} has no checkerboard order: {remedy}")]
    NotBipartite {
        /// The kind of graph.
        what: &'static str,
        /// Its size: L of a lattice, number of sites of a graph.
        size: usize,
        /// What would be right.
        remedy: &'static str,
    },
    /// A coupling or field that is not a finite number.
    #[error("{what} number {index} is {got}: couplings and fields must be finite")]
    NotFinite {
        /// "coupling" or "field".
        what: &'static str,
        /// Index of the bond or site.
        index: usize,
        /// The value given.
        got: f64,
    },
    /// Couplings and fields whose sum is not a finite energy.
    #[error("Σ|J| + Σ|h| is not a finite number: scale couplings and fields down")]
    EnergyOverflow,
    /// A list that needs one entry per bond or site.
    #[error("{got} {what}: there must be {expected}, one per {per}")]
    Count {
        /// What was listed.
        what: &'static str,
        /// What each entry belongs to.
        per: &'static str,
        /// Entries needed.
        expected: usize,
        /// Entries given.
        got: usize,
    },
    /// A spin that is neither +1 nor −1.
    #[error("spin {site} is {got}: a spin is +1 or −1")]
    Spin {
        /// Index of the site.
        site: usize,
        /// The value given.
        got: i8,
    },
    /// A cluster update that would flip nothing.
    #[error("0 clusters per sweep: at least one is needed")]
    NoCluster,
    /// An instruction set that the environment asks for and that cannot be had.
    #[error("CEAS_SIMD={got}: {violated}; it is portable, avx2 or avx512, or unset for the best there is")]
    InstructionSet {
        /// The value given.
        got: String,
        /// The condition violated.
        violated: &'static str,
    },
    /// A Hamiltonian that a specialised kernel cannot run.
    #[error("the kernel {kernel} cannot run this Hamiltonian: {violated}")]
    Kernel {
        /// The kernel asked for.
        kernel: &'static str,
        /// The condition violated.
        violated: &'static str,
    },
    /// Cluster moves between replicas where clusters hold everything.
    #[error(
        "pt-icm on {n} variables with {bonds} couplings: on a graph as dense as this, of whose couplings too many are equally strong, every \
         cluster of the overlap holds nearly all sites on which two replicas differ, so that the move gains nothing; use pt"
    )]
    Percolates {
        /// Number of sites.
        n: usize,
        /// Number of bonds.
        bonds: usize,
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
    /// A name that nothing has.
    #[error("no {what} is called {got:?}: there is {known}")]
    UnknownName {
        /// What kind of thing was named.
        what: &'static str,
        /// The name given.
        got: String,
        /// The names there are.
        known: &'static str,
    },
    /// A survey that cannot be made.
    #[error("{violated}")]
    Survey {
        /// The condition violated.
        violated: &'static str,
    },
    /// Data from which the quantity asked for cannot be estimated.
    #[error("{what}: {violated}")]
    Data {
        /// What was to be estimated.
        what: &'static str,
        /// The condition violated.
        violated: &'static str,
    },
    /// Somebody asked the work to stop.
    #[error("interrupted before the end")]
    Interrupted,
    /// A file of results that could not be written or read.
    #[error("{action} {}: {cause}", path.display())]
    Archive {
        /// The file.
        path: std::path::PathBuf,
        /// What was being done.
        action: &'static str,
        /// What the operating system or the HDF5 library says.
        cause: String,
    },
    /// A checkpoint that is damaged, or that no run can stand at.
    #[error("checkpoint {}, byte {at}: {violated}", path.display())]
    Checkpoint {
        /// The file.
        path: std::path::PathBuf,
        /// Where in the file, counted from 0.
        at: usize,
        /// The condition violated.
        violated: &'static str,
    },
    /// A checkpoint of another run.
    #[error("checkpoint {} holds {what} {got}, not {expected}", path.display())]
    OtherCheckpoint {
        /// The file.
        path: std::path::PathBuf,
        /// What differs.
        what: &'static str,
        /// What the run that was to be resumed has.
        expected: String,
        /// What the file has.
        got: String,
    },
}

fn between(least: usize, most: usize) -> String {
    if most == usize::MAX { format!("{least} or more") } else { format!("{least} to {most}") }
}
