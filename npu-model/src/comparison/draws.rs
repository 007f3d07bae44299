//! What draws of all numbers say of a row: the same for attention by itself and for whole models.

use ceas_sim::stream::{Purpose, Stream};
use serde::Serialize;

use crate::bill::{Draws, Quantiles, Spread};
use crate::gpu::GpuCost;
use crate::interval::Interval;
use crate::units::Quantity;

/// 5th, 50th and 95th percentile under draws of all numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MonteCarlo {
    /// Joules; `None` if its power is unknown, as in all that follows but the time.
    pub energy_j: Option<Spread>,
    /// Seconds.
    pub time_s: Spread,
    /// Joules of the GPU over joules of this row, draw by draw.
    pub gain: Option<Spread>,
    /// Joules of the digital control over joules of this row, draw by draw; numbers that both files share move together.
    pub gain_over_control: Option<Spread>,
    /// Share of draws in which it takes less energy than the GPU.
    pub beats_gpu: Option<f64>,
    /// Share of draws in which it takes less energy than the control.
    pub beats_control: Option<f64>,
}

impl MonteCarlo {
    /// Of a row beside the draws of the bar and of the control; `None` if nothing was drawn.
    pub(super) fn of(own: &Draws, gpu: &Draws, control: Option<&Draws>) -> Option<Self> {
        let ratios = |other: &Draws| -> Vec<f64> {
            other.energy.iter().zip(&own.energy).map(|(other, own)| other / own).collect()
        };
        let share = |ratios: &[f64]| {
            let less = ratios.iter().filter(|r| **r > 1.0).count();
            (!ratios.is_empty()).then(|| less as f64 / ratios.len() as f64)
        };
        let over_gpu = ratios(gpu);
        let over_control = control.map(ratios).unwrap_or_default();
        Some(Self {
            energy_j: Spread::of(&own.energy),
            time_s: Spread::of(&own.time)?,
            gain: Spread::of(&over_gpu),
            gain_over_control: Spread::of(&over_control),
            beats_gpu: share(&over_gpu),
            beats_control: share(&over_control),
        })
    }
}

/// Draws of what a machine takes, between the ends of its cost: one stream for each machine, however it is loaded; no energies if its
/// power is unknown.
pub(super) fn of_machine(id: &str, cost: &GpuCost, draws: usize, seed: u64) -> Draws {
    let name = id.bytes().fold(0u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut stream = Stream::new(seed, Purpose::Resampling, name, 1);
    let mut drawn = |ends: [f64; 3]| -> Vec<f64> {
        let quantiles = Quantiles::of(ends);
        (0..draws).map(|_| quantiles.at(stream.uniform())).collect()
    };
    let energy = cost.energy.map(|energy| drawn(ends(energy))).unwrap_or_default();
    Draws { energy, time: drawn(ends(cost.time)) }
}

fn ends<Q: Quantity>(range: Interval<Q>) -> [f64; 3] {
    [range.low.si(), range.mid.si(), range.high.si()]
}
