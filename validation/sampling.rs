//! What sampling costs on all-MiniLM-L6-v2: 1 − cos = c/S, whether errors add, and S per head. `cargo run --release --example validate_sampling`.
//!
//! Means and errors are over texts (16 sentences, 8 paragraphs), each text being the mean of independent passes.

mod texts;

use std::error::Error;

use ceas_npu::mapping::attention::{Row, textbook_beta};
use ceas_npu::mapping::nonideal::{Chip, Reads};
use texts::{Bench, Text, over_texts, show};

const LEVELS: [u32; 6] = [4, 16, 64, 256, 1024, 4096];

fn main() -> Result<(), Box<dyn Error>> {
    let bench = Bench::open()?;
    for (name, list, repeats) in
        [("16 sentences", &bench.sentences, 8), ("8 paragraphs", &bench.paragraphs, 2)]
    {
        let tokens: usize = list.iter().map(|text| text.sequence.ids.len()).sum();
        println!(
            "{name}, {:.0} tokens on average: c = S (1 − cos), mean ± error over texts",
            tokens as f64 / list.len() as f64
        );
        println!(
            "{:>6}  {:>17}  {:>17}  {:>17}  {:>19}  {:>9}",
            "S", "attention", "feed-forward", "both", "both − sum", "cos, both"
        );
        for samples in LEVELS {
            let read = |attention, feed_forward| {
                let chip = Chip { attention, feed_forward, ..Chip::new(u64::from(samples)) };
                bench.losses(list, &chip, repeats)
            };
            let on = Reads::Times(samples);
            let [a, f, both] = [read(on, Reads::Host)?, read(Reads::Host, on)?, read(on, on)?]
                .map(|losses| losses.iter().map(|x| x * f64::from(samples)).collect::<Vec<f64>>());
            let excess: Vec<f64> = (0..a.len()).map(|i| both[i] - a[i] - f[i]).collect();
            let cos = 1.0 - over_texts(&both).mean / f64::from(samples);
            let [a, f, both, excess] = [a, f, both, excess].map(|c| show(over_texts(&c), 3));
            println!("{samples:>6}  {a:>17}  {f:>17}  {both:>17}  {excess:>19}  {cos:>9.5}");
        }
        println!();
    }
    println!("S at which the mean cosine is reached, from the 1 − cos measured near it, with its error");
    println!("{:>14}  {:>8}  {:>17}  {:>17}", "", "cos", "attention", "both");
    for (name, list, repeats) in
        [("16 sentences", &bench.sentences, 8), ("8 paragraphs", &bench.paragraphs, 2)]
    {
        for (cos, attention, both) in [(0.99, 40, 80), (0.999, 400, 800)] {
            let needed = |samples: u32, feed_forward| -> Result<String, Box<dyn Error>> {
                let chip = Chip { attention: Reads::Times(samples), feed_forward, ..Chip::new(99) };
                let losses = bench.losses(list, &chip, repeats)?;
                let scale = f64::from(samples) / (1.0 - cos);
                Ok(show(over_texts(&losses.iter().map(|x| x * scale).collect::<Vec<_>>()), 0))
            };
            let [a, b] = [needed(attention, Reads::Host)?, needed(both, Reads::Times(both))?];
            println!("{name:>14}  {cos:>8}  {a:>17}  {b:>17}");
        }
    }
    println!();
    for (name, list) in [("sentences", &bench.sentences), ("paragraphs", &bench.paragraphs)] {
        heads(&bench, name, list)?;
    }
    Ok(())
}

/// Read-outs per query for a relative error of the output of one head, S = ΣV/(ε²Σ|o|²) over queries and texts: quantiles over the 72 heads.
fn heads(bench: &Bench, name: &str, list: &[Text]) -> Result<(), Box<dyn Error>> {
    let mut sums = vec![[0.0f64; 2]; 72];
    for text in list {
        let set = bench.model.capture(&text.sequence, &[])?;
        for (index, sum) in sums.iter_mut().enumerate() {
            let head = set.head(index / set.heads(), index % set.heads());
            for query in 0..set.n_queries() {
                let row = Row::new(&head, query, textbook_beta(set.d_head()))?;
                sum[0] += row.variance;
                sum[1] += row.signal;
            }
        }
    }
    let mut worth: Vec<f64> = sums.iter().map(|[v, o]| v / o).collect();
    worth.sort_by(f64::total_cmp);
    println!("S per head, {name}:    {:>9} {:>9} {:>9} {:>9} {:>9}", "min", "10 %", "median", "90 %", "max");
    for error in [0.05f64, 0.01] {
        let at = |q: f64| {
            let place = q * 71.0;
            let (low, share) = (place.floor() as usize, place.fract());
            (worth[low] * (1.0 - share) + worth[(low + 1).min(71)] * share) / (error * error)
        };
        let quantiles: Vec<String> =
            [0.0, 0.1, 0.5, 0.9, 1.0].iter().map(|&q| format!("{:>9.1}", at(q))).collect();
        println!("{:>22}  {}", format!("{:.0} % error", 100.0 * error), quantiles.join(" "));
    }
    Ok(())
}
