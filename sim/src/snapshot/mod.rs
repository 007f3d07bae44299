//! Configurations in HDF5 files, appended while they are simulated.
//!
//! | dataset | type | shape | |
//! |---|---|---|---|
//! | `/spins` | i8, ±1 | `[frame, lattice axes…]` | chunked one frame, zlib |
//! | `/sweep` | u64 | `[frame]` | sweeps made when the frame was taken, after thermalization |
//! | `/beta` | f64 | `[frame]` | inverse temperature |
//! | `/energy` | f64 | `[frame]` | H, total over the lattice |
//! | `/magnetization` | i64 | `[frame]` | M = Σ s_i, total over the lattice |
//! | `/checkpoint` | u8 | `[byte]` | where the run stands after the last frame, for it to go on; may be absent |
//!
//! Attributes of the file: `schema_version`, `program_version`, `command_line`, `seed`, `hamiltonian`, `update`, `lattice`, `units`.
//! Nothing but the standard zlib filter is needed to read it. The last 24 bytes are a seal (`seal.rs`) that no reader of HDF5 looks at.

pub mod archive;
mod reader;
mod seal;
mod writer;

pub use reader::SnapshotReader;
pub use writer::{SnapshotFile, SnapshotWriter};

/// The library the files are written with.
pub use hdf5_metno as hdf5;

use crate::spins::Spins;

/// The version of the layout above; it changes when a reader would have to.
pub const SCHEMA_VERSION: u32 = 1;

/// One configuration and when it was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The configuration.
    pub spins: Spins,
    /// Sweeps made when it was taken.
    pub sweep: u64,
    /// Inverse temperature of the last of them.
    pub beta: f64,
    /// H, total over the lattice.
    pub energy: f64,
}

/// What a file says about its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Seed of every random stream.
    pub seed: u64,
    /// The Hamiltonian in words.
    pub hamiltonian: String,
    /// The update in words.
    pub update: String,
    /// The lattice in words.
    pub lattice: String,
    /// Lengths of the lattice axes, slowest first.
    pub shape: Vec<usize>,
    /// Name and version of the program that wrote the file.
    pub program_version: String,
    /// The command line that made it.
    pub command_line: String,
}
