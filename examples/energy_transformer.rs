//! A block of an energy transformer: its force as two thermal averages, and its energy along the relaxation.
//! `cargo run --example energy_transformer`.

use ceas_npu::mapping::energy_transformer::{EnergyBlock, EnergyNorm, Factored};
use ceas_npu::mapping::program::{Component, Reading};
use ceas_npu::sim::Beta;
use ceas_npu::sim::stream::{Purpose, Stream};
use ndarray::{Array1, Array2, Array3};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut stream = Stream::new(1, Purpose::Instance, 0, 0);
    let mut weights = |shape: (usize, usize, usize)| Array3::from_shape_fn(shape, |_| 0.4 * stream.normal());
    let (query, key, memories) = (weights((2, 4, 8)), weights((2, 4, 8)), weights((1, 12, 8)));
    let mut x = weights((1, 6, 8)).remove_axis(ndarray::Axis(0)) * 2.5;
    let block = EnergyBlock {
        query,
        key,
        memories: memories.remove_axis(ndarray::Axis(0)),
        beta: Beta::new(1.0)?,
        to_itself: false,
        norm: EnergyNorm { gain: 1.0, shift: Array1::zeros(8), epsilon: 1e-5 },
    };
    let g = block.norm.apply(&x);
    let (read, exact) = (block.lower(&g)?.run(&Reading::new(2000.try_into()?, 1))?, block.reference(&g)?);
    println!("force, 6 tokens × 8 components, worst {:.1} σ; the first:", read.worst(&exact));
    let (mean, sigma) = (read.mean[0], read.deviations(&exact)[0]);
    println!("  exact {:+.4}   sampled {:+.4} ± {:.4}   {sigma:+.1} σ", exact[0], mean.mean, mean.error);
    for step in 0..=60 {
        if step % 15 == 0 {
            println!("step {step:>2}: E = {:.6}", block.energy(&block.norm.apply(&x))?);
        }
        x = block.step(&x, 0.1)?;
    }
    let mut couple = |n: usize| {
        let a = Array2::from_shape_fn((n, n), |_| 0.5 * stream.normal());
        &a + &a.t()
    };
    let model = Factored { attention: couple(5), values: couple(3), beta: Beta::new(0.6)? };
    let masked = [Some(1), None, Some(0), None, None];
    let reading = Reading { thermalization: 100, ..Reading::new(4000.try_into()?, 1) };
    let (read, exact) = (model.lower(&masked)?.run(&reading)?, model.reference(&masked)?);
    println!("three masked tokens, Gibbs against enumeration: worst {:.1} σ", read.worst(&exact));
    Ok(())
}
