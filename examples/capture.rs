//! From a model folder and a sentence to the entropy of every attention head, in thirty lines.
//!
//! `cargo run --example capture -- DIR "Some text."`, with DIR as in `ceas capture --help`.

use std::error::Error;

use ceas_npu::mapping::reference::Model;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, text] = &arguments[..] else { return Err("usage: capture DIR TEXT".into()) };

    let model = Model::open(folder.as_ref())?;
    let sequence = model.tokens().encode(text, model.encoder().config().positions)?;
    let set = model.capture(&sequence, &[])?;

    // The textbook inverse temperature of a softmax row p_j ∝ e^(β q·k_j).
    let beta = 1.0 / (set.d_head() as f64).sqrt();
    println!("{} tokens, ln n = {:.3} nats", set.n_keys(), (set.n_keys() as f64).ln());
    for layer in 0..set.layers() {
        let entropies = (0..set.heads()).map(|head| {
            let scores = set.head(layer, head).q.dot(&set.head(layer, head).k.t());
            let row_entropy = |row: ndarray::ArrayView1<'_, f32>| {
                let weights =
                    row.mapv(|s| (beta * f64::from(s - row.fold(f32::MIN, |a, &b| a.max(b)))).exp());
                let p = &weights / weights.sum();
                -p.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
            };
            scores.rows().into_iter().map(row_entropy).sum::<f64>() / set.n_queries() as f64
        });
        println!("layer {layer}: H = {}", entropies.map(|h| format!("{h:.2}")).collect::<Vec<_>>().join(" "));
    }
    Ok(())
}
