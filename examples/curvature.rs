//! Fisher curvature of the Ising torus at β_c, and how its exponent in n = L² moves towards 10/9: exactly, and by Monte Carlo beyond.
//!
//! `curvature [LARGEST]` does the sides from 3 to LARGEST ≤ 8 exactly (default 7; 8 takes a minute); `curvature LARGEST SIDE:SAMPLES …` then samples each side, with
//! so many configurations on each of 16 replicas, and sets it beside the exact value or the one before it.

use std::time::Instant;

use ceas_npu::mapping::diagnostics::torus::{Effort, curvature, sampled};
use ceas_npu::sim::beta::Beta;
use ceas_npu::sim::statistics::Estimate;

/// dν + 2η over dν + η.
const LIMIT: f64 = 10.0 / 9.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let largest: usize = arguments.next().map_or(Ok(7), |text| text.parse())?;
    let beta_c = Beta::new(0.5 * (1.0 + 2f64.sqrt()).ln())?;
    println!("L     n          R   exponent from the row above (limit 10/9 = {LIMIT:.3})");
    let mut exact: Vec<(usize, f64)> = Vec::new();
    for side in 3..=largest {
        let r = curvature(side, beta_c)?;
        let exponent = exact.last().map(|&(l, q)| (r / q).ln() / (side as f64 / l as f64).powi(2).ln());
        println!(
            "{side} {:5} {r:10.3}   {}",
            side * side,
            exponent.map_or("–".into(), |x| format!("{x:.3}"))
        );
        exact.push((side, r));
    }
    let jobs: Result<Vec<(usize, u64)>, Box<dyn std::error::Error>> = arguments
        .map(|text| {
            let (side, samples) = text.split_once(':').ok_or("SIDE:SAMPLES is expected, such as 16:20000")?;
            Ok((side.parse()?, samples.parse()?))
        })
        .collect();
    let jobs = jobs?;
    if jobs.is_empty() {
        return Ok(());
    }
    println!(
        "\n L     n             R          T_abc T^abc          T_a T^a   from exact   exponent from the row above      time"
    );
    let mut before: Option<(usize, Estimate)> = None;
    for (side, samples) in jobs {
        let effort = Effort { replicas: 16, samples, interval: 10, seed: 1 };
        let clock = Instant::now();
        let found = sampled(side, beta_c, &effort, &|| ())?;
        let seconds = clock.elapsed().as_secs_f64();
        let r = found.curvature;
        let off = exact
            .iter()
            .find(|(l, _)| *l == side)
            .map_or("–".into(), |(_, e)| format!("{:+.1} σ", (r.mean - e) / r.error));
        let exponent = before.map_or("–".into(), |(l, q): (usize, Estimate)| {
            let width = (side as f64 / l as f64).powi(2).ln();
            let error = (r.error / r.mean).hypot(q.error / q.mean) / width;
            format!("{:.3} ± {error:.3}", (r.mean / q.mean).ln() / width)
        });
        let show = |e: Estimate| format!("{:.1} ± {:.1}", e.mean, e.error);
        println!(
            "{side:2} {:5} {:>18} {:>18} {:>18} {off:>9} {exponent:>18} {seconds:>7.1} s",
            side * side,
            show(r),
            show(found.full),
            show(found.trace)
        );
        before = Some((side, r));
    }
    Ok(())
}
