//! Fisher curvature of the Ising torus at β_c, exactly, and how its exponent in n = L² moves towards 10/9.

use ceas_npu::mapping::diagnostics::torus::curvature;
use ceas_npu::sim::beta::Beta;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let largest: usize = std::env::args().nth(1).map_or(Ok(7), |text| text.parse())?;
    let beta_c = Beta::new(0.5 * (1.0 + 2f64.sqrt()).ln())?;
    println!("L     n          R   exponent from the row above (limit 10/9 = 1.111)");
    let mut before: Option<(f64, f64)> = None;
    for side in 3..=largest {
        let (n, r) = ((side * side) as f64, curvature(side, beta_c)?);
        let exponent = before.map(|(m, q)| (r / q).ln() / (n / m).ln());
        println!("{side} {n:5} {r:10.3}   {}", exponent.map_or("–".into(), |x| format!("{x:.3}")));
        before = Some((n, r));
    }
    Ok(())
}
