//! The verb `ceas snapshot`.

use ceas_npu::sim::critical::{Dynamics, Lattice};
use clap::{Args, ValueEnum};

use super::common::Common;
use super::value;

/// Arguments of `ceas snapshot`.
#[derive(Args, Debug)]
#[command(
    after_help = "See --help for what the file holds, what a kill or Ctrl-C leaves, and examples.",
    after_long_help = "Frame k is the configuration after k·N sweeps (a sweep is one attempt per spin; for wolff, a fixed number of clusters that \
        flips about as many), counted after --thermalization.\n\n\
        The file is whole at every moment: it is written as FILE.h5.partial, and complete copies are renamed onto FILE.h5, the first \
        with the first frame. So it can be read while the run goes on, and a kill loses little.\n\n\
        Ctrl-C finishes the current frame, closes the file, says what was kept, and ends with exit code 1; a second Ctrl-C ends at once.\n\n\
        Datasets: /spins i8 [frame, y, x], ±1, zlib; /sweep, /beta, /energy and /magnetization (totals) [frame].\n\
        Attributes: seed, hamiltonian, update, lattice, units, schema_version, program_version, command_line.\n\n\
        Examples:\n  \
        ceas snapshot --size 512 --frames 200 --out critical.h5 --plot critical.png\n  \
        ceas snapshot --size 64 --beta 0.6 --start up --update metropolis --every 1 --out cold.h5\n  \
        ceas snapshot --size 256 --update wolff --thermalization 200 --out clusters.h5 --json\n  \
        python3 -c 'import h5py; print(h5py.File(\"critical.h5\")[\"spins\"][-1].mean())'"
)]
pub struct Arguments {
    /// Family of lattices
    #[arg(long, default_value = "square", value_name = "SPEC", value_parser = value::lattice())]
    pub lattice: Lattice,
    /// L; even for heat-bath and metropolis, which visit a checkerboard
    #[arg(long, default_value_t = 256, value_name = "L", value_parser = value::whole::<usize>)]
    pub size: usize,
    /// Inverse temperature, in units of 1/J [default: the critical one, ln(1+√2)/2 = 0.440687]
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = value::number)]
    pub beta: Option<f64>,
    /// How spins are updated
    #[arg(long, default_value = "heat-bath", value_name = "NAME", value_parser = value::update())]
    pub update: Dynamics,
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
    #[command(flatten)]
    pub common: Common,
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
