//! Simulation beside theory: the energy of a 32 × 32 torus against Kaufman's finite sum and Onsager's infinite lattice.
//!
//! ```sh
//! cargo run --release --example onsager
//! ```

use ceas_npu::sim::Error;
use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::critical::{Cell, Dynamics, Effort, Family, Point};
use ceas_npu::sim::exact::{kaufman::Torus, onsager};

fn main() -> Result<(), Error> {
    let torus = Torus::new(32, 32)?;
    println!("   beta   simulated       exact L = 32   off by   L = ∞");
    for beta in [0.30, 0.36, 0.42, 0.44, 0.46, 0.52] {
        let beta = Beta::new(beta)?;
        let cell = Cell { family: Family::square(), size: 32, beta };
        let effort = Effort {
            dynamics: Dynamics::Wolff,
            replicas: 16,
            first: 0,
            thermalization: 50,
            sweeps: 200,
            seed: 1,
        };
        let energy = Point::of(&cell.simulate(&effort, &|| ())?).energy;
        println!(
            "{:7.2}   {:.4} ± {:.4}   {:.5}     {:+.1} σ   {:.5}",
            beta.value(),
            energy.mean,
            energy.error,
            torus.energy(beta),
            energy.sigmas_from(torus.energy(beta)),
            onsager::energy(beta)
        );
    }
    Ok(())
}
