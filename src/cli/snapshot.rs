//! The verb `ceas snapshot`.

use std::path::PathBuf;

use ceas_npu::sim::spec::Spec;
use clap::{Args, ValueEnum};

use super::common::Common;
use super::value;

/// Arguments of `ceas snapshot`.
#[derive(Args, Debug)]
#[command(
    after_help = "See --help for what the file holds, what a kill or Ctrl-C leaves, and examples.",
    after_long_help = "Frame k is the configuration after k·N sweeps (a sweep is one attempt per spin; for wolff, a fixed number of clusters that \
        flips about as many), counted after --thermalization.\n\n\
        Heat bath and Metropolis move 512 spins at a time where the lattice fits: periodic square (L a multiple of 64), triangular (96), \
        honeycomb (32) or cubic (16), couplings +J and -J, a uniform field. Elsewhere they move one after another; the answer says \
        which. Lattices, graphs, couplings and fields are written as in --lattice square:64,couplings=pm1.\n\n\
        The file is whole at every moment: it is written as FILE.h5.partial, and complete copies are renamed onto FILE.h5, the first \
        with the first frame. So it can be read while the run goes on, and a kill loses little.\n\n\
        Ctrl-C finishes the current frame, closes the file, says what was kept, and ends with exit code 1; a second Ctrl-C ends at once. \
        The same command with --resume FILE.h5 in place of --out FILE.h5 then goes on, bit for bit as if nothing had happened; with \
        larger --frames it adds frames to a complete file. A file of which a byte has changed is not gone on with.\n\n\
        Where the exact energy is known (square tori, chains, complete graphs, up to 16 spins) that of the later half of the frames is printed \
        beside it, and configurations that are not in equilibrium are called so, also on the picture.\n\n\
        Datasets: /spins i8 [frame, lattice axes…] or [frame, site], ±1, zlib; /sweep, /beta, /energy and /magnetization (totals) [frame]; \
        /checkpoint, from which --resume goes on.\n\
        Attributes: seed, hamiltonian, update, lattice, units, schema_version, program_version, command_line.\n\n\
        Examples:\n  \
        ceas snapshot --size 512 --frames 200 --out critical.h5 --plot critical.png\n  \
        ceas snapshot --size 512 --frames 400 --resume critical.h5\n  \
        ceas snapshot --size 64 --beta 0.6 --start up --update metropolis --every 1 --out cold.h5\n  \
        ceas snapshot --size 256 --update wolff --thermalization 200 --out clusters.h5 --json\n  \
        ceas snapshot --lattice cubic:64 --frames 20 --out cubic.h5\n  \
        ceas snapshot --lattice regular:1000,3,couplings=pm1 --beta 0.8 --out glass.h5\n  \
        python3 -c 'import h5py; print(h5py.File(\"critical.h5\")[\"spins\"][-1].mean())'"
)]
pub struct Arguments {
    /// Lattice or graph, with couplings and field, such as cubic:16 or square:64,couplings=pm1, or FILE.toml with the same as a table
    #[arg(long, default_value = "square", value_name = "SPEC", value_parser = value::lattice)]
    pub lattice: Spec,
    /// Its size: L of a lattice, sites of a graph [default: what the spec says, else 256]
    #[arg(long, value_name = "L", value_parser = value::whole::<usize>)]
    pub size: Option<usize>,
    /// Inverse temperature [default: the critical one where it is known, of the square lattice ln(1+√2)/2 = 0.440687]
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = value::number)]
    pub beta: Option<f64>,
    /// How spins are updated
    #[arg(long, value_enum, default_value_t = Moves::HeatBath, value_name = "NAME")]
    pub update: Moves,
    /// Sweeps from one frame to the next
    #[arg(long, default_value_t = 10, value_parser = value::whole::<u64>, value_name = "N")]
    pub every: u64,
    /// Number of frames
    #[arg(long, default_value_t = 100, value_parser = value::whole::<u64>, value_name = "M")]
    pub frames: u64,
    /// Sweeps before the first of these; wolff makes at least 20, to find how many clusters make a sweep
    #[arg(long, default_value_t = 0, value_parser = value::whole::<u64>, value_name = "N")]
    pub thermalization: u64,
    /// The configuration to start from
    #[arg(long, value_enum, default_value_t = Start::Random, value_name = "NAME")]
    pub start: Start,
    /// Go on with a file that was interrupted, or add frames to one that is complete: the same command with this flag in place of
    /// --out; the frames are those of an uninterrupted run
    #[arg(long, value_name = "FILE.h5", conflicts_with = "out")]
    pub resume: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
}

/// Updates.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moves {
    /// Draw each spin anew given its neighbours
    HeatBath,
    /// Accept a flip with min(1, e^(−βΔE))
    Metropolis,
    /// Flip clusters one at a time
    Wolff,
    /// Decide all clusters in every sweep
    SwendsenWang,
}

/// Starting configurations.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// All spins up: β = ∞
    Up,
    /// Each spin at random: β = 0
    Random,
}

/// Runs the verb in a build that cannot write HDF5.
#[cfg(not(feature = "hdf5"))]
pub fn run(_arguments: &Arguments) -> Result<(), super::failure::Failure> {
    use super::failure::Blame;
    Err(anyhow::anyhow!(
        "this build cannot write HDF5: build it with the feature hdf5 (the system's libhdf5) or hdf5-static (the default)"
    ))
    .input()
}

#[cfg(feature = "hdf5")]
pub use super::recording::run;
