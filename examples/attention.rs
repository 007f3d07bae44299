//! One real attention head as thermal spins, in a few lines: exact law, race, and what the error costs.
//!
//! Run with `cargo run --release --example attention`.

use std::error::Error;
use std::num::NonZeroU32;

use ceas_npu::mapping::attention::{HeadReport, Sampler, Sampling, sample_head, textbook_beta};
use ceas_npu::mapping::qkv;

fn main() -> Result<(), Box<dyn Error>> {
    let heads = qkv::read("data/minilm_maxwell.safetensors".as_ref())?;
    let samples = NonZeroU32::new(1000).ok_or("at least one read-out")?;
    let sampling = Sampling { beta: textbook_beta(heads.d_head()), samples, sampler: Sampler::Race, seed: 1 };

    let sample = sample_head(&heads.head(4, 5), 0, &sampling)?;
    let report = HeadReport::new(4, 5, &sample);
    println!("N_eff = {:.1} of {} keys, C = {:.2}", report.n_eff, report.n, report.specific_heat);
    println!(
        "output error {:.2} %, its law {:.2} %",
        100.0 * report.rel_error,
        100.0 * report.rel_error_predicted
    );
    println!("read-outs per query for 5 %: {}", report.samples_5_percent);

    // One row: its most likely key, and what the races say of its partition function.
    let row = &sample.rows[7];
    let (key, count) = row.counts.iter().enumerate().max_by_key(|(_, c)| **c).ok_or("no key")?;
    println!(
        "query 7 reads key {key} in {count} of {samples} races; p = {:.3}",
        row.row.law.probabilities()[key]
    );
    let estimate = row.partition.ok_or("races estimate ln Z")?;
    println!(
        "ln Z = {:.3} ± {:.3} from race times, exactly {:.3}",
        estimate.ln_z,
        estimate.error,
        row.row.law.ln_z()
    );
    println!("{} attempts in all", sample.activity.attempts);
    Ok(())
}
