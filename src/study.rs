//! Real runs of attention heads, made ready for pricing: the one place where counted events meet the cost model.

mod gating;
mod gaussian;
mod moved;
mod one_hot;
mod rows;
mod surprise;

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use ceas_mapping::Error;
use ceas_mapping::attention::{HeadSample, Sampler, Sampling, sample_head, textbook_beta};
use ceas_mapping::heads::{Head, HeadSet};
use ceas_npu_model::comparison::{HeadRun, Sampled};
use ceas_npu_model::device::Device;
use ceas_npu_model::ledger::Linear;
use ceas_npu_model::precision::{Arithmetic, output_errors};
use ceas_npu_model::workload::{Shape, Workload};
use rayon::prelude::*;

pub use gating::{GateCost, gate_costs};
pub use gaussian::{Gaussian, statistics};
pub use moved::{Effect, Pairs};
pub use rows::rows;
pub use surprise::{Surprise, Texts};

/// Read-outs per query of the two runs through which the line of events is drawn.
const READ_OUTS: [u32; 2] = [2, 5];

/// Steps of one head: its races, the errors of rounding, its one-hot clusters.
const STEPS: u64 = 3;

/// The widths of fields that the devices state, in bits.
pub fn field_widths(devices: &[Device]) -> BTreeSet<u32> {
    let stated = devices.iter().filter_map(|d| d.design.field_bits.as_ref().map(|b| b.value));
    stated.collect()
}

/// The shape of the heads of a set, as the cost model wants it.
///
/// # Errors
/// [`ceas_npu_model::Error::Workload`] if the counts leave 64 bits.
pub fn workload(set: &HeadSet) -> Result<Workload, ceas_npu_model::Error> {
    let head = set.head(0, 0);
    let pairs: usize = (0..set.n_queries()).map(|query| head.keys(query).count()).sum();
    let shape = Shape {
        n_queries: set.n_queries() as u64,
        n_keys: set.key_mask().iter().filter(|exists| **exists).count() as u64,
        d_head: set.d_head() as u64,
        d_value: set.d_value() as u64,
        pairs: pairs as u64,
        causal: set.is_causal(),
    };
    Workload::new(set.layers() as u64, set.heads() as u64, shape)
}

/// Runs every head of a set at the textbook β, through the race and through one-hot clusters, and measures what a
/// comparison needs: the line of events against read-outs, the variance of a draw, and the errors of rounding.
///
/// `widths` are the widths of fields, in bits, whose error is wanted. `progress` is called once for every head done.
///
/// # Errors
/// [`Error::Sim`] if a score is not finite.
pub fn head_runs(
    set: &HeadSet,
    widths: &BTreeSet<u32>,
    seed: u64,
    progress: &(dyn Fn() + Sync),
) -> Result<Vec<HeadRun>, Error> {
    let places = (0..set.layers()).flat_map(|layer| (0..set.heads()).map(move |head| (layer, head)));
    let places: Vec<_> = places.collect();
    places
        .par_iter()
        .map(|&(layer, head)| {
            let index = (layer * set.heads() + head) as u64;
            let run = head_run(&set.head(layer, head), index, widths, seed, &|| ());
            progress();
            run
        })
        .collect()
}

/// One head of [`head_runs`]; `index` tells heads apart.
fn head_run(
    head: &Head<'_>,
    index: u64,
    widths: &BTreeSet<u32>,
    seed: u64,
    step: &(dyn Fn() + Sync),
) -> Result<HeadRun, Error> {
    let beta = textbook_beta(head.q.ncols());
    let race = |samples: u32| {
        let samples = NonZeroU32::new(samples).expect("the numbers of read-outs are constants above 0");
        sample_head(head, index, &Sampling { beta, samples, sampler: Sampler::Race, seed })
    };
    let [few, many] = READ_OUTS;
    let (short, long) = (race(few)?, race(many)?);
    let events = Linear::through((few.into(), &short.activity), (many.into(), &long.activity));
    step();
    let events = events.expect("a race costs the same for every read-out: tests hold it to that");
    let fields = widths.iter().map(|&bits| Arithmetic::Fields { bits });
    let arithmetics: Vec<_> = [Arithmetic::Half, Arithmetic::Int8].into_iter().chain(fields).collect();
    let errors = output_errors(head, beta.value(), &arithmetics);
    step();
    let one_hot = one_hot::sampled(head, index, &long, seed)?;
    step();
    Ok(HeadRun {
        variance: variance(&long),
        native: Sampled { events, efficiency: 1.0, efficiency_error: 0.0, sampler: "race".into() },
        one_hot,
        field_error: widths.iter().copied().zip(errors[2..].iter().copied()).collect(),
        half_error: errors[0],
        int8_error: errors[1],
    })
}

/// R = ΣV/Σ|o|² over the rows of a head: the squared relative error of a single draw.
fn variance(sample: &HeadSample) -> f64 {
    let noise: f64 = sample.rows.iter().map(|r| r.row.variance).sum();
    let signal: f64 = sample.rows.iter().map(|r| r.row.signal).sum();
    noise / signal
}
