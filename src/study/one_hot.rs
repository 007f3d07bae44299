//! Heads on binary spins: one-hot clusters run by the engine, and what a read-out of them is worth.
//!
//! The clusters are uncoupled bits, read out after every sweep until enough read-outs have exactly one bit up
//! ([`Penalty::NONE`]), because a sparse graph holds nothing else without placement: a weak penalty rejects fewer read-outs, but
//! couples all pairs, which takes about n/14 physical spins for each bit at degree 16. A sweep of the heat bath draws every
//! bit anew, so that valid read-outs are independent from the first sweep on and
//!
//! ```text
//! E|ô_i − o_i|² = V_i/(S a_i)        a_i: share of valid read-outs of row i
//! η = Σ_i V_i / Σ_i (V_i/a_i)        independent samples in one read-out, over the rows of a head
//! ```

use std::num::NonZeroU32;

use ceas_mapping::Error;
use ceas_mapping::attention::{BinarySampling, HeadSample, sample_head_binary};
use ceas_mapping::heads::Head;
use ceas_mapping::one_hot::Penalty;
use ceas_npu_model::comparison::Sampled;
use ceas_npu_model::ledger::Linear;
use ceas_sim::activity::Activity;

/// Read-outs of every row that is run, one after every sweep.
const READ_OUTS: NonZeroU32 = NonZeroU32::new(256).unwrap();

/// Rows of a head that are run, evenly spread.
const QUERIES: usize = 12;

/// Runs some rows of a head as clusters; `None` if a row was never valid.
///
/// Events are those of every query of the head: programming, attempts and read-outs are known for every row, what depends on
/// chance is the mean of the rows run.
pub(super) fn sampled(
    head: &Head<'_>,
    index: u64,
    native: &HeadSample,
    seed: u64,
) -> Result<Option<Sampled>, Error> {
    let rows = &native.rows;
    let queries: Vec<usize> = (0..rows.len()).step_by(rows.len().div_ceil(QUERIES)).collect();
    let sampling = BinarySampling {
        beta: native.sampling.beta,
        penalty: Penalty::NONE,
        thermalization: 0,
        reads: READ_OUTS,
        // Further from the native runs than any index of a head: the same rows there draw from the same replicas.
        seed: seed ^ 0x6f6e_652d_686f_7400,
    };
    let run = sample_head_binary(head, index, &queries, &sampling)?;
    let reads = f64::from(READ_OUTS.get());
    let (mut noise, mut slowed, mut doubt) = (0.0, 0.0, 0.0);
    for row in &run.rows {
        if row.valid() == 0 {
            return Ok(None);
        }
        let tries = tries(row.valid(), READ_OUTS.get());
        noise += row.row.variance;
        slowed += row.row.variance * tries;
        // The variance of 1/a from a share a of valid read-outs is (1 − a)/(R a³).
        doubt += (row.row.variance * tries).powi(2) * (tries - 1.0) / reads;
    }
    if noise <= 0.0 {
        // Every row has one key: nothing is drawn, and any read-out is as good as many.
        return Ok(Some(Sampled { sampler: name(1.0), ..trivial(native) }));
    }
    let states = |rows: &mut dyn Iterator<Item = usize>| rows.sum::<usize>() as u64;
    let all = states(&mut rows.iter().map(|row| row.row.spin.states()));
    let some = states(&mut run.rows.iter().map(|row| row.row.spin.states()));
    let chance = |count: u64| (count as f64 / reads * all as f64 / some as f64).round() as u64;
    let per_sample = Activity {
        attempts: all,
        flips: chance(run.activity.flips),
        random_bits: chance(run.activity.random_bits),
        // Every bit leaves the device: only then is it known whether exactly one is up.
        read_outs: all,
        decoder_adds: chance(run.activity.decoder_adds),
        ..Activity::default()
    };
    let valid: f64 = run.rows.iter().map(|row| f64::from(row.valid())).sum::<f64>() / reads;
    Ok(Some(Sampled {
        events: Linear { fixed: programmed(native), per_sample },
        efficiency: noise / slowed,
        efficiency_error: noise / slowed * doubt.sqrt() / slowed,
        sampler: name(valid / run.rows.len() as f64),
    }))
}

/// 1/a, the read-outs for a valid one, from `valid` among `reads`: (R + 1)/(c + 1).
///
/// Its mean over the binomial law of c is (1 − (1 − a)^(R+1))/a, where that of R/c is too large by (1 − a)/(R a) of it.
fn tries(valid: u32, reads: u32) -> f64 {
    (f64::from(reads) + 1.0) / (f64::from(valid) + 1.0)
}

fn name(valid: f64) -> String {
    format!("uncoupled p-bits, {:.0} % of read-outs valid", 100.0 * valid)
}

/// What a head without any choice takes: its native run.
fn trivial(native: &HeadSample) -> Sampled {
    Sampled {
        events: Linear { fixed: programmed(native), per_sample: Activity::default() },
        efficiency: 1.0,
        efficiency_error: 0.0,
        sampler: String::new(),
    }
}

/// K and the rows, programmed.
fn programmed(native: &HeadSample) -> Activity {
    let keys = Activity { coupling_writes: native.activity.coupling_writes, ..Activity::default() };
    native.rows.iter().map(|row| row.row.programming).sum::<Activity>() + keys
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use ceas_mapping::attention::{BinarySampling, sample_head_binary};
    use ceas_mapping::attention::{Sampler, Sampling, sample_head, textbook_beta};
    use ceas_mapping::one_hot::Penalty;
    use ceas_mapping::qkv;

    use super::{sampled, tries};

    #[test]
    fn the_number_of_tries_has_no_bias() {
        for share in [0.2f64, 0.4, 0.9] {
            // The binomial law of 64 read-outs, from the ratio of neighbours.
            let mut mass = (1.0 - share).powi(64);
            let mut mean = 0.0;
            for valid in 0..=64 {
                mean += mass * tries(valid, 64);
                mass *= f64::from(64 - valid) / f64::from(valid + 1) * share / (1.0 - share);
            }
            assert!((mean * share - 1.0).abs() < 1e-6, "{mean} tries at a share of {share}");
        }
    }

    /// Deviation of Σ S·η·|ô − o|²/ΣV from 1, in standard errors over 64 heads; `credit` scales η.
    fn deviation(credit: f64) -> f64 {
        let set = qkv::read("data/minilm_maxwell.safetensors".as_ref()).unwrap();
        let (seed, reads) = (0, NonZeroU32::new(192).unwrap());
        let beta = textbook_beta(set.d_head());
        let places = (0..set.layers()).flat_map(|l| (0..set.heads()).map(move |h| (l, h))).take(64);
        let ratios: Vec<f64> = places
            .enumerate()
            .map(|(index, (layer, head))| {
                let head = set.head(layer, head);
                let samples = NonZeroU32::MIN;
                let native = Sampling { beta, samples, sampler: Sampler::Race, seed };
                let native = sample_head(&head, index as u64, &native).unwrap();
                let eta = credit * sampled(&head, index as u64, &native, seed).unwrap().unwrap().efficiency;
                let sampling =
                    BinarySampling { beta, penalty: Penalty::NONE, thermalization: 0, reads, seed };
                let queries: Vec<usize> = (0..set.n_queries()).step_by(9).collect();
                let run = sample_head_binary(&head, index as u64, &queries, &sampling).unwrap();
                let noise: f64 = run.rows.iter().map(|row| row.row.variance).sum();
                let found: f64 = run.rows.iter().map(|row| row.squared_error).sum();
                found * eta * f64::from(reads.get()) / noise
            })
            .collect();
        let count = ratios.len() as f64;
        let mean = ratios.iter().sum::<f64>() / count;
        let variance = ratios.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean - 1.0) / (variance / count).sqrt()
    }

    // The 1/n of a random number n of valid read-outs makes the mean error larger by (1 − a)/(S a), below 1 % here: half a
    // standard error.
    #[test]
    fn a_readout_is_worth_what_is_credited() {
        let t = deviation(1.0);
        assert!(t.abs() < 6.8, "{t}");
    }

    #[test]
    fn and_half_of_it_would_be_noticed() {
        assert!(deviation(0.5).abs() > 6.8);
    }
}
