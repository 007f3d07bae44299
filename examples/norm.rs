//! LayerNorm as the magnetisation of a spherical spin, cold and warm, and its multipliers found by feedback: `cargo run --example norm`.

use ceas_npu::mapping::norm::{DualAscent, Norm, SphericalSpin};
use ceas_npu::mapping::program::{Component, Reading};
use ceas_npu::sim::stream::{Purpose, Stream};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut stream = Stream::new(1, Purpose::Instance, 0, 0);
    let x: Vec<f64> = (0..384).map(|_| 0.3 + 0.8 * stream.normal()).collect();

    for temperature in [0.0, 0.01, 0.1, 0.5] {
        let norm = Norm { centred: true, temperature };
        let (program, exact) = (norm.lower(&x)?, norm.reference(&x)?);
        let read = program.run(&Reading::new(500.try_into()?, 1))?;
        let law = program.model.mean();
        println!(
            "T = {temperature:<4}  component 0: LayerNorm {:+.4}   law at T {:+.4}   sampled {:+.4} ± {:.4}   {:+.1} σ   worst of 384 {:.1} σ",
            exact[0],
            law[0],
            read.mean[0].mean,
            read.mean[0].error,
            read.deviations(&law)[0],
            read.worst(&law)
        );
    }

    let spin = SphericalSpin::saddle(&x, true, 0.1)?;
    println!("saddle at T = 0.1: λ = {:.6}, 2μ = {:.6}", spin.lambda, 2.0 * spin.mu);
    for rate in [0.2, 0.5, 1.0] {
        let found = DualAscent { centred: true, temperature: 0.1, rate }.run(&x, 1.0, 1e-10, 1000);
        let (lambda, mu) = (found.spin.lambda, 2.0 * found.spin.mu);
        println!("feedback at rate {rate}: λ = {lambda:.6}, 2μ = {mu:.6} after {} steps", found.steps);
    }
    Ok(())
}
