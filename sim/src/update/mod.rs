//! Updates: ways to move a configuration by one sweep that leave e^(−βH) invariant.

mod cached_field;
mod heat_bath;
mod metropolis;
mod wolff;

pub use cached_field::{CachedField, CachedSpins};
pub use heat_bath::HeatBath;
pub use metropolis::Metropolis;
pub use wolff::{Wolff, WolffCalibration};

use crate::activity::Activity;
use crate::beta::Beta;
use crate::stream::Streams;

/// One way of moving a configuration.
pub trait Update {
    /// What defines the energy.
    type Model: ?Sized;
    /// What is moved.
    type State;

    /// One sweep: N attempted single-spin updates at inverse temperature `beta`, N the number of spins of the model.
    /// Returns the physical events it caused.
    fn sweep(
        &mut self,
        model: &Self::Model,
        state: &mut Self::State,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity;
}
