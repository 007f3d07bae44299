//! Positions as Möbius flows, their distances as fields of a Potts spin: `cargo run --example position`.

use ceas_npu::mapping::position::rotation::{rotary, rotary_score};
use ceas_npu::mapping::position::{Flow, PositionRow, tiling::Tiling};
use ceas_npu::mapping::program::{Component, Reading};
use ceas_npu::sim::Beta;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flows = [
        ("hyperbolic: ALiBi, slope 0.2", Flow::Hyperbolic { rapidity: 0.2 }),
        ("parabolic: power law Δ^−2", Flow::Parabolic { rate: 1.0 }),
        ("elliptic: period 8", Flow::Elliptic { angle: std::f64::consts::TAU / 8.0, radius: 0.7 }),
    ];
    for (name, flow) in flows {
        let keys = (0..16).collect();
        let row = PositionRow { flow, slope: 1.0, curvature: 1.0, keys, beta: Beta::new(1.0)? };
        let (read, exact) = (row.lower(&12)?.run(&Reading::new(1000.try_into()?, 1))?, row.reference(&12)?);
        println!("{name}: query at 12, keys 0 … 15; worst {:.1} σ", read.worst(&exact));
        for key in [12, 11, 8, 4] {
            let (mean, sigma) = (read.mean[key], read.deviations(&exact)[key]);
            println!(
                "  key {key:<2}  exact {:.4}   sampled {:.4} ± {:.4}   {sigma:+.1} σ",
                exact[key], mean.mean, mean.error
            );
        }
    }

    let (mut q, mut k) = (vec![0.4, -1.0, 0.3, 0.8], vec![1.2, 0.1, -0.5, 0.6]);
    let closed = rotary_score(&q, &k, 7.0 - 12.0, 1e4);
    rotary(&mut q, 12.0, 1e4);
    rotary(&mut k, 7.0, 1e4);
    let turned: f64 = q.iter().zip(&k).map(|(q, k)| q * k).sum();
    println!("RoPE, both turned: {turned:.15}   from the difference alone: {closed:.15}");

    let tiling = Tiling::new(7, 3, 5)?;
    let (sites, edge) = (tiling.points().len(), tiling.edge());
    println!("tiling {{7, 3}}: {sites} sites, edges of length {edge:.6} to within {:.1e}", tiling.defect());
    Ok(())
}
