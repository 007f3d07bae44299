//! What binary p-bits pay for an attention row: the share of valid read-outs and the sweeps per independent one, by penalty.
//!
//! A strong penalty makes every read-out valid and freezes the cluster; a weak one wastes read-outs and moves fast. The law
//! of a valid read-out is softmax for all of them.

use std::num::NonZeroU32;

use ceas_npu::mapping::attention::{BinarySampling, ReadoutWorth, sample_head_binary, textbook_beta};
use ceas_npu::mapping::one_hot::Penalty;
use ceas_npu::mapping::qkv;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = qkv::read("data/minilm_maxwell.safetensors".as_ref())?;
    let reads = NonZeroU32::new(2_000).ok_or("no read-outs")?;
    println!("{:>4}  {:>16}  {:>26}", "βA", "valid read-outs", "sweeps per independent one");
    for strength in [0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0] {
        let mut rows = Vec::new();
        for (layer, head) in (0..set.layers()).flat_map(|l| (0..set.heads()).map(move |h| (l, h))) {
            let index = (layer * set.heads() + head) as u64;
            let sampling = BinarySampling {
                beta: textbook_beta(set.d_head()),
                penalty: Penalty { strength },
                thermalization: 500,
                reads,
                seed: 1,
            };
            // One query per head, at a different position in each.
            let query = (index as usize * 29) % set.n_queries();
            rows.extend(sample_head_binary(&set.head(layer, head), index, &[query], &sampling)?.rows);
        }
        let worth = ReadoutWorth::measure(&rows, reads)?;
        let (draws, relative) = (worth.draws.mean, worth.draws.error / worth.draws.mean);
        println!(
            "{strength:>4}  {:>9.3} ± {:.3}  {:>19.1} ± {:.1}",
            worth.valid.mean,
            worth.valid.error,
            1.0 / draws,
            relative / draws
        );
    }
    Ok(())
}
