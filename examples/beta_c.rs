//! Locating β_c of a lattice without knowing it, and ν on the way.
//!
//! ```sh
//! cargo run --release --example beta_c            # square
//! cargo run --release --example beta_c cubic
//! ```

use ceas_npu::sim::critical::{Class, Dynamics, Effort, Family, Grid, Survey};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let spec = std::env::args().nth(1).unwrap_or("square".to_owned());
    let family: Family = spec.parse()?;
    let model = family.model(16, 1)?;
    let sizes = match family.class(model.topology()) {
        Class::MeanField => vec![64, 128, 256, 512],
        _ => vec![4, 8, 16],
    };
    family.check(sizes[0], 1)?;
    let survey = Survey {
        family: family.clone(),
        sizes,
        grid: Grid::Automatic,
        effort: Effort {
            dynamics: Dynamics::SwendsenWang,
            replicas: 32,
            first: 0,
            thermalization: 20,
            sweeps: 500,
            seed: 1,
        },
        precision: None,
    };
    let findings = survey.run(&|_| ())?;
    for pair in &findings.pairs {
        let (small, large) = (pair.small, pair.large);
        println!("U4 of {small:3} and {large:3} cross at {:.5} ± {:.5}", pair.beta.mean, pair.beta.error);
    }
    match findings.critical {
        Ok(found) => {
            println!("beta_c = {:.5} ± {:.5}", found.beta.mean, found.beta.error);
            if let Some(known) = family.reference(&model) {
                let off = found.beta.sigmas_from(known.beta);
                println!("{off:+.2} σ from {:.7}, {}", known.beta, known.source);
            }
        }
        Err(reason) => println!("no beta_c: {reason}"),
    }
    if let Some(nu) = findings.exponents.and_then(|e| e.nu) {
        println!("nu = {:.3} ± {:.3}", nu.value.mean, nu.value.error);
    }
    Ok(())
}
