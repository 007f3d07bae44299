//! Updates: ways to move a configuration by one sweep that leave e^(−βH) invariant (all but one: [`Synchronous`]).
//!
//! | update | moves | field | dynamics |
//! |---|---|---|---|
//! | [`Metropolis`], [`HeatBath`] | one spin after another, in fixed order | any | local |
//! | [`Kinetic`] | one spin at a time, by clocks of their own | any | the device's, with its time |
//! | [`Wolff`], [`SwendsenWang`] | clusters | any, by a ghost spin | none that a device has |
//! | [`Tempering`] | a [`Ladder`] of replicas by any of these, and swaps | any | none that a device has |
//! | [`TemperedFields`] | the same, with or without clusters, on cached fields | any | none that a device has |
//! | [`Houdayer`] | a [`Pair`] of replicas, and clusters of their overlap | any | none that a device has |
//! | [`Synchronous`] | all spins at once: **another law** | any | a wrong device's |
//!
//! Updates of single replicas compose: `Tempering<Houdayer<HeatBath>>` is parallel tempering with isoenergetic cluster moves.

mod bernoulli;
mod beta_grid;
mod bonds;
mod cached_field;
mod cached_spins;
mod field_panels;
mod flood;
mod forest;
mod grower;
mod heat_bath;
mod houdayer;
mod improved;
mod kinetic;
mod ladder;
mod metropolis;
mod multispin;
mod overlap_graph;
mod rates;
mod replicas;
mod row_bonds;
mod shared_random;
mod single_spin;
mod square_clusters;
mod swendsen_wang;
mod synchronous;
mod tempered_fields;
mod tempering;
mod time_integrals;
mod wolff;

pub use beta_grid::BetaGrid;
pub use bonds::bond_probability;
pub use cached_field::CachedField;
pub use cached_spins::CachedSpins;
pub use heat_bath::{HeatBath, HeatBathRule};
pub use houdayer::{Houdayer, Pair};
pub use improved::{BondCounts, ImprovedMoments};
pub use kinetic::{Event, Kinetic, Rule};
pub(crate) use ladder::End;
pub use ladder::{Ladder, Rung};
pub use metropolis::{Metropolis, MetropolisRule};
pub use multispin::MultiSpin;
pub(crate) use overlap_graph::can_cluster;
pub use replicas::Replicas;
pub use shared_random::{SharedRandom, SharedSpins};
pub use single_spin::{FlipRule, SingleSpin};
pub use swendsen_wang::SwendsenWang;
pub use synchronous::Synchronous;
pub(crate) use tempered_fields::Learnt;
pub use tempered_fields::{ClusterShare, TemperedFields};
pub use tempering::{SwapRate, Tempering};
pub use time_integrals::TimeIntegrals;
pub use wolff::{Wolff, WolffCalibration};

use crate::activity::Activity;
use crate::beta::Beta;
use crate::hamiltonian::Hamiltonian;
use crate::spins::Spins;
use crate::stream::{Purpose, Streams};

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

    /// Number of streams a sweep draws from, for [`Streams::new`]; it depends on the model alone, never on the number of threads.
    fn blocks(&self) -> usize {
        1
    }
}

/// # Panics
/// If the Hamiltonian or the configuration has another number of sites than the update was made for.
fn check_sizes(n: usize, model: &Hamiltonian, spins: &Spins) {
    assert!(
        model.n_sites() == n && spins.len() == n,
        "the update was made for {n} sites; the Hamiltonian has {}, the configuration {}",
        model.n_sites(),
        spins.len()
    );
}

/// The events of a sweep that tries every spin once, each by a draw of 32 bits and all its couplings.
fn one_attempt_each(model: &Hamiltonian, flips: u64) -> Activity {
    let attempts = model.n_sites() as u64;
    Activity {
        attempts,
        flips,
        coupler_reads: 2 * model.topology().n_bonds() as u64,
        random_bits: 32 * attempts,
        ..Activity::default()
    }
}

/// Streams that nobody draws from, to hold the place of streams that are lent.
fn empty_streams(blocks: usize) -> Streams {
    Streams::new(0, Purpose::Update, 0, blocks)
}
