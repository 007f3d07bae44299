//! An embedding as fields, as clamped words of spins, and as a code of random planes: `cargo run --example embedding`.

use ceas_npu::mapping::embedding::{Code, CodePair, FieldMode, SpinWords};
use ceas_npu::mapping::program::{Component, Reading};
use ceas_npu::mapping::qkv;
use ceas_npu::sim::Beta;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A query and a key of a trained head: 32 numbers each.
    let heads = qkv::read("data/minilm_maxwell.safetensors".as_ref())?;
    let head = heads.head(2, 5);
    let [q, k] =
        [head.q.row(20), head.k.row(30)].map(|x| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>());
    let reading = Reading::new(1000.try_into()?, 1);

    let field = FieldMode { beta: Beta::new(1.0)? };
    let (read, exact) = (field.lower(&q)?.run(&reading)?, field.reference(&q)?);
    println!("as fields: ⟨s⟩ = tanh(x) of 32 spins, worst {:.1} σ", read.worst(&exact));
    for (a, sigma) in read.deviations(&exact).into_iter().enumerate().take(4) {
        let (x, mean) = (q[a], read.mean[a]);
        println!(
            "x = {x:+.3}   exact {:+.4}   sampled {:+.4} ± {:.4}   {sigma:+.1} σ",
            exact[a], mean.mean, mean.error
        );
    }
    for bits in [2, 4, 8] {
        let words = SpinWords::reaching(3.0, bits);
        let heard = words.lower(&q)?.run(&reading)?;
        let off = heard.mean.iter().zip(&q).map(|(m, x)| (m.mean - x).abs()).fold(0.0, f64::max);
        println!("as words of {bits} bits: off by at most {off:.4}, Δ/2 = {:.4}", 0.5 * words.step);
    }

    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (exact, lengths) = (dot(&q, &k), (dot(&q, &q) * dot(&k, &k)).sqrt());
    for m in [128, 2048, 32768] {
        let pair = CodePair { code: Code::sim_hash(32, m, 1) };
        let score = pair.lower(&(q.clone(), k.clone()))?.run(&Reading::new(1.try_into()?, 1))?.mean[0].mean;
        let law = Code::score_error(lengths, (exact / lengths).acos(), m);
        println!(
            "q·k from {m} planes: exact {exact:+.3}   read {score:+.3} ± {law:.3}   {:+.1} σ",
            (score - exact) / law
        );
    }
    Ok(())
}
