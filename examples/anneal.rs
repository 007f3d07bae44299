//! A Sherrington–Kirkpatrick glass cooled to its ground state, and a lattice named in one line.
//!
//! ```sh
//! cargo run --release --example anneal
//! ```

use std::error::Error;

use ceas_npu::sim::anneal::{Effort, Settings, anneal};
use ceas_npu::sim::instance::Instance;
use ceas_npu::sim::spec::Spec;

fn main() -> Result<(), Box<dyn Error>> {
    let effort = Effort::Counted { sweeps: 500, reads: 32 };
    for text in
        ["complete:200,couplings=gaussian:1/sqrt(n)", "cubic:6,couplings=pm1", "pegasus:3,couplings=pm1"]
    {
        let spec: Spec = text.parse()?;
        let model = spec.build(None, 1)?;
        let instance = Instance::of(&model);
        let answer = anneal(&instance, &Settings::new(effort, 1), &|| false)?;
        let per_spin = answer.best_energy / model.n_sites() as f64;
        println!(
            "{spec}: e = {per_spin:.5} per spin, met by {} of {} reads, β from {:.2} to {:.1}",
            answer.hits, answer.reads, answer.range.hot, answer.range.cold
        );
    }
    Ok(())
}
