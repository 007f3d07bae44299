//! How the spins of a head are sampled.

use std::num::NonZeroU32;

use ceas_sim::Error as SimError;
use ceas_sim::beta::Beta;
use ceas_sim::schedule::Schedule;
use serde::Serialize;

/// How the spins of a head are run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// The inverse temperature of the law that is meant, in units of 1/(q·k).
    pub beta: Beta,
    /// S: read-outs per query.
    pub samples: NonZeroU32,
    /// The dynamics.
    pub sampler: Sampler,
    /// Seed of all streams.
    pub seed: u64,
}

/// Ways to draw from the spin of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampler {
    /// A fresh draw per read-out, by inverting the cumulative law: [`ceas_sim::potts::HeatBath`].
    HeatBath,
    /// All states race, the first to flip wins: [`ceas_sim::potts::Race`]. Also estimates ln Z.
    Race,
    /// One chain per row, annealed and then read out: [`ceas_sim::potts::Metropolis`].
    Metropolis(Dynamics),
    /// The counts of S draws at once: [`ceas_sim::potts::Multinomial`]. A digital shortcut; no spin is touched.
    Law,
}

impl Sampler {
    /// The name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::HeatBath => "heat-bath",
            Self::Race => "race",
            Self::Metropolis(_) => "metropolis",
            Self::Law => "law",
        }
    }
}

/// The annealed dynamics of a Metropolis chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dynamics {
    /// Shape of β(t) on the way.
    pub ramp: Ramp,
    /// β of the first sweep. Not used by [`Ramp::Constant`].
    pub from: Start,
    /// Sweeps before the first read-out, all of them on the ramp.
    pub sweeps: u64,
    /// Sweeps from one read-out to the next, at the β that is meant; 0 counts as 1.
    pub interval: u64,
}

/// Where an anneal begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// At this fraction of the β that is meant.
    Fraction(f64),
    /// At this β, whatever is meant.
    At(Beta),
}

/// Shape of β(t).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ramp {
    /// A quench: β at once.
    Constant,
    /// Equal steps.
    Linear,
    /// Equal factors.
    Geometric,
}

impl Dynamics {
    /// β(t), ending at `to`.
    ///
    /// # Errors
    /// [`SimError::Beta`] if the first β is not a finite number ≥ 0, [`SimError::Schedule`] if a ramp has no sweep or a geometric
    /// one starts or ends at 0.
    pub fn schedule(&self, to: Beta) -> Result<Schedule, SimError> {
        let from = || match self.from {
            Start::Fraction(fraction) => Beta::new(fraction * to.value()),
            Start::At(beta) => Ok(beta),
        };
        match self.ramp {
            Ramp::Constant => Ok(Schedule::Constant(to)),
            Ramp::Linear => Schedule::linear(from()?, to, self.sweeps),
            Ramp::Geometric => Schedule::geometric(from()?, to, self.sweeps),
        }
    }
}
