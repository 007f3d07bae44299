//! Codes of real embeddings: how well cos θ between token states of all-MiniLM-L6-v2 is read from spins. `cargo run --release --example validate_codes`.
//!
//! Token states (last layer, 384 numbers) of 8 paragraphs; ITQ learns from the first four, all are tested on pairs of the last four.

mod texts;

use std::error::Error;

use ceas_npu::mapping::embedding::Code;
use ceas_npu::mapping::reference::substrate::Digital;
use texts::{Bench, over_texts};

fn main() -> Result<(), Box<dyn Error>> {
    let bench = Bench::open()?;
    let mut states: Vec<Vec<Vec<f64>>> = Vec::new();
    for text in &bench.paragraphs {
        let hidden = bench.model.encoder().forward(&text.sequence, &mut Digital)?.hidden;
        states.push(hidden.rows().into_iter().map(|x| x.iter().map(|&x| f64::from(x)).collect()).collect());
    }
    let (learnt, tested) = states.split_at(4);
    let learnt: Vec<Vec<f64>> = learnt.concat();
    println!("{:<28} {:>24} {:>24}", "code of 384 numbers", "rms error of cos", "law of random planes");
    let mut show = |name: &str, make: &dyn Fn(u64) -> Result<Code, Box<dyn Error>>, copies: u64| {
        let (mut measured, mut law) = (Vec::new(), Vec::new());
        for text in tested {
            let (mut squares, mut expected, mut pairs) = (0.0, 0.0, 0.0);
            for seed in 0..copies {
                let code = make(seed)?;
                let codes: Vec<Vec<i8>> = text.iter().map(|x| code.encode(x)).collect();
                for i in 0..text.len() {
                    for j in (i + 1..text.len()).step_by(3) {
                        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
                        let (a, b) = (&text[i], &text[j]);
                        let cos = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
                        let apart = codes[i].iter().zip(&codes[j]).filter(|(a, b)| a != b).count() as f64;
                        let read = (std::f64::consts::PI * apart / code.spins() as f64).cos();
                        squares += (read - cos).powi(2);
                        expected += Code::score_error(1.0, cos.acos(), code.spins()).powi(2);
                        pairs += 1.0;
                    }
                }
            }
            measured.push((squares / pairs).sqrt());
            law.push((expected / pairs).sqrt());
        }
        let (measured, law) = (over_texts(&measured), over_texts(&law));
        println!(
            "{name:<28} {:>15.4} ± {:.4} {:>15.4} ± {:.4}",
            measured.mean, measured.error, law.mean, law.error
        );
        Ok::<(), Box<dyn Error>>(())
    };
    show("signs, 384 spins", &|_| Ok(Code::sign(384)), 1)?;
    for m in [32, 128, 384, 2048] {
        show(&format!("simHash, {m} spins"), &|seed| Ok(Code::sim_hash(384, m, seed)), 4)?;
    }
    for m in [32, 128, 384] {
        let code = Code::itq(&learnt, m, 20, false, 1)?;
        show(&format!("ITQ, {m} spins"), &|_| Ok(code.clone()), 1)?;
    }
    Ok(())
}
