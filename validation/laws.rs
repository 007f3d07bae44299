//! Laws of the encodings and activations, found by the program itself; no model is needed. `cargo run --release --example validate_laws`.

use std::error::Error;
use std::ops::ControlFlow;

use ceas_npu::mapping::encoding::{domain_wall::walk_time, relaxation_time};
use ceas_npu::mapping::feed_forward::{Activation, surrogate_error};
use ceas_npu::mapping::norm::hard_sphere;
use ceas_npu::mapping::one_hot::{OneHot, Penalty, occupation};
use ceas_npu::mapping::pbits::{Asynchronous, Noise};
use ceas_npu::mapping::program::{Component, Program, Reading};
use ceas_npu::sim::Beta;
use ceas_npu::sim::plan::Plan;
use ceas_npu::sim::potts::{PottsSpin, RACE_LANES, Race};
use ceas_npu::sim::run::Run;
use ceas_npu::sim::schedule::Schedule;
use ceas_npu::sim::statistics::Estimate;
use ceas_npu::sim::stream::{Purpose, Stream, Streams};

fn normal(n: usize, sigma: f64, row: u64) -> Vec<f64> {
    let mut stream = Stream::new(0, Purpose::Instance, n as u64, row);
    (0..n).map(|_| sigma * stream.normal()).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let one = Beta::new(1.0)?;
    one_hot(one)?;
    domain_wall();
    race(one)?;
    latency(one)?;
    functions();
    Ok(())
}

/// leak and τ of one-hot clusters of 8 bits, exactly, over 24 rows of normal scores.
fn one_hot(one: Beta) -> Result<(), Box<dyn Error>> {
    println!("one-hot, N = 8, exact, mean ± error over 24 rows: leak, τ in sweeps, leak·τ");
    for sigma in [0.75, 1.5, 3.0] {
        for strength in [0.0, 2.0, 4.0, 6.0, 8.0, 10.0] {
            let mut columns = vec![Vec::new(); 3];
            for row in 0..24 {
                let spin = PottsSpin::new(&normal(8, sigma, row))?;
                let program = OneHot::lower(&spin, one, Penalty { strength })?;
                let tau = relaxation_time(&program.model, one).ok_or("8 bits are few")?;
                // ln w = β(s + μ) from the fields h = (s + μ)/2 − A(N − 2)/2.
                let ln_w: Vec<f64> =
                    (0..8).map(|j| 2.0 * program.model.field_at(j) + strength * 6.0).collect();
                let leak = 1.0 - occupation(&ln_w, strength)[1];
                [leak, tau, leak * tau].into_iter().zip(&mut columns).for_each(|(x, column)| column.push(x));
            }
            let [leak, tau, product] = [0, 1, 2].map(|i| Estimate::of_independent(&columns[i]));
            println!(
                "σ_β = {sigma:<4} βA = {strength:<4} leak {:.3e} ± {:.0e}   τ {:>8.2} ± {:<7.2} leak·τ {:.3} ± {:.3}",
                leak.mean, leak.error, tau.mean, tau.error, product.mean, product.error
            );
        }
    }
    println!();
    Ok(())
}

/// τ of the wall's walk: the coefficient of N² without scores, medians over 400 rows with scores, and with keys sorted.
fn domain_wall() {
    println!("domain wall, exact: τ = a N² at σ = 0");
    for n in [8usize, 64, 256, 1024] {
        println!(
            "N = {n:<5} τ = {:>12.1} sweeps   a = {:.5}",
            walk_time(&vec![0.0; n]),
            walk_time(&vec![0.0; n]) / (n * n) as f64
        );
    }
    println!(
        "N = 256: median over 400 rows [68 % interval of the median], raw and with keys sorted by score"
    );
    for sigma in [1.0, 2.0, 3.0] {
        let mut raw = Vec::new();
        let mut sorted = Vec::new();
        for row in 0..400 {
            let mut scores = normal(256, sigma, 1000 + row);
            raw.push(walk_time(&scores));
            scores.sort_by(f64::total_cmp);
            sorted.push(walk_time(&scores));
        }
        let show = |mut taus: Vec<f64>| {
            taus.sort_by(f64::total_cmp);
            // Order statistics at 200 ± √400/2: one standard deviation of the binomial number below the median.
            format!("{:.3e} [{:.3e}, {:.3e}]", taus[199], taus[189], taus[209])
        };
        println!("σ = {sigma}: {}   sorted {}", show(raw), show(sorted));
    }
    println!();
}

/// Winner, time and independence of 400 000 races.
fn race(one: Beta) -> Result<(), Box<dyn Error>> {
    const RACES: u64 = 400_000;
    let spin = PottsSpin::new(&normal(8, 1.5, 7))?;
    let law = spin.law(one);
    let z = law.ln_z().exp();
    let streams = Streams::new(0, Purpose::Update, 0, RACE_LANES);
    let mut run = Run::new(&spin, 0, Race::default(), Schedule::Constant(one), streams);
    let mut rows: Vec<(usize, f64)> = Vec::new();
    run.drive(&Plan { thermalization: 0, sweeps: RACES, every: 1 }, |run| {
        // The engine's times are those of rates relative to the largest.
        rows.push((*run.state(), run.update().last_time() * (-spin.highest()).exp()));
        ControlFlow::Continue(())
    });
    let chi2: f64 = law
        .probabilities()
        .iter()
        .enumerate()
        .map(|(j, p)| {
            let count = rows.iter().filter(|row| row.0 == j).count() as f64;
            (count - p * RACES as f64).powi(2) / (p * RACES as f64)
        })
        .sum();
    println!("race, {RACES} of 8 units: χ² of the winner {chi2:.1} for 7 degrees of freedom");
    let mean = Estimate::of_independent(&rows.iter().map(|row| row.1 * z).collect::<Vec<_>>());
    println!("Z⟨T₁⟩ = {:.5} ± {:.5}, {:+.2} σ from 1", mean.mean, mean.error, mean.sigmas_from(1.0));
    let mut times: Vec<f64> = rows.iter().map(|row| 1.0 - (-row.1 * z).exp()).collect();
    times.sort_by(f64::total_cmp);
    let n = RACES as f64;
    let ks =
        times.iter().enumerate().map(|(i, u)| (u - i as f64 / n).abs().max(((i + 1) as f64 / n - u).abs()));
    println!(
        "Kolmogorov–Smirnov √S·D of T₁ against Exp(Z): {:.3} (1.63 is exceeded once in 100)",
        ks.fold(0.0, f64::max) * n.sqrt()
    );
    // Mean time given each winner.
    let chi2: f64 = (0..8)
        .map(|j| {
            Estimate::of_independent(
                &rows.iter().filter(|row| row.0 == j).map(|row| row.1 * z).collect::<Vec<_>>(),
            )
        })
        .map(|mean| mean.sigmas_from(1.0).powi(2))
        .sum();
    println!("independence: χ² of Z⟨T₁⟩ given the winner {chi2:.1} for 8 degrees of freedom\n");
    Ok(())
}

/// What a delay between coupled p-bits does to a one-hot cluster: nothing where none is coupled.
fn latency(one: Beta) -> Result<(), Box<dyn Error>> {
    println!(
        "wires with latency, one-hot of 8 bits, Poisson clocks: total variation of valid read-outs from softmax, and their share"
    );
    let spin = PottsSpin::new(&normal(8, 1.5, 7))?;
    let exact = spin.law(one).probabilities().to_vec();
    for strength in [0.0, 2.0, 4.0] {
        for latency in [0.0, 0.1, 0.5, 1.0] {
            let row = ceas_npu::mapping::one_hot::OneHotRow { beta: one, penalty: Penalty { strength } };
            let ideal = row.lower(&spin)?;
            let program = Program {
                update: Asynchronous::new(Noise::Logistic, latency),
                model: ideal.model,
                clamps: ideal.clamps,
                start: ideal.start,
                schedule: ideal.schedule,
                decoder: ideal.decoder,
                fidelity: ideal.fidelity,
            };
            let reads = 20_000.try_into()?;
            let outcome = program.run(&Reading { thermalization: 500, ..Reading::new(reads, 1) })?;
            // Errors of the parts bound that of their sum of absolute values; a bias of that order is in it.
            let tv: f64 = outcome.mean.iter().zip(&exact).map(|(m, p)| 0.5 * (m.mean - p).abs()).sum();
            let noise: f64 = outcome.mean.iter().map(|m| 0.25 * m.error * m.error).sum::<f64>().sqrt();
            println!(
                "βA = {strength}  latency {latency:<4}  TV {tv:.4} ± {noise:.4}   valid {:.4} ± {:.4}",
                outcome.valid.mean, outcome.valid.error
            );
        }
    }
    println!();
    Ok(())
}

fn functions() {
    for b in [Activation::SIGMOID_GELU, Activation::MINIMAX_GELU] {
        let (error, at) = surrogate_error(b);
        println!("|x σ({b} x) − GELU|: at most {error:.5}, at |x| = {at:.3}");
    }
    let best = (1700..1850)
        .map(|i| f64::from(i) / 1000.0)
        .min_by(|a, b| surrogate_error(*a).0.total_cmp(&surrogate_error(*b).0));
    println!("least largest error over b in steps of 0.001: b = {:?}", best);
    let tanh = (0..120_000)
        .map(|i| f64::from(i) * 1e-4)
        .map(|x| (Activation::GeluTanh.value(x) - Activation::Gelu.value(x)).abs());
    println!("|tanh-GELU − GELU|: at most {:.3e}", tanh.fold(0.0, f64::max));
    for d in [32, 384] {
        let off = |r: f64| hard_sphere(d, r * d as f64) - 2.0 * r / (1.0 + (1.0 + 4.0 * r * r).sqrt());
        let shown: Vec<String> = [0.5, 1.0, 2.0, 5.0].iter().map(|&r| format!("{:.2e}", off(r))).collect();
        println!("hard sphere − soft sphere, d = {d}, r = 0.5, 1, 2, 5: {}", shown.join(" "));
    }
}
