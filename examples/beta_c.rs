//! Locating β_c of the square lattice without knowing it.
//!
//! ```sh
//! cargo run --release --example beta_c
//! ```

use ceas_npu::sim::Error;
use ceas_npu::sim::critical::{Dynamics, Effort, Grid, Lattice, Survey};
use ceas_npu::sim::exact::onsager;

fn main() -> Result<(), Error> {
    let survey = Survey {
        lattice: Lattice::Square,
        sizes: vec![8, 16, 32],
        grid: Grid::Automatic,
        effort: Effort {
            dynamics: Dynamics::Wolff,
            replicas: 32,
            first: 0,
            thermalization: 20,
            sweeps: 100,
            seed: 1,
        },
        precision: None,
        resamples: 1_000,
    };
    let findings = survey.run(&|_| ())?;
    for pair in &findings.pairs {
        println!(
            "U4 of {:2} and {:2} cross at {:.5} ± {:.5}",
            pair.small, pair.large, pair.beta.mean, pair.beta.error
        );
    }
    match findings.critical {
        Ok(found) => println!(
            "beta_c = {:.5} ± {:.5}, {:+.2} σ from ln(1 + √2)/2 = {:.7}",
            found.beta.mean,
            found.beta.error,
            found.beta.sigmas_from(onsager::BETA_C),
            onsager::BETA_C
        ),
        Err(reason) => println!("no beta_c: {reason}"),
    }
    Ok(())
}
