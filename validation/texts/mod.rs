//! The model and the texts that the validation runs share: 16 sentences and 8 paragraphs of about 130 tokens, written for this purpose.

use std::error::Error;
use std::path::{Path, PathBuf};

use ceas_npu::mapping::nonideal::Chip;
use ceas_npu::mapping::reference::Model;
use ceas_npu::mapping::reference::substrate::Digital;
use ceas_npu::mapping::reference::tokens::Sequence;
use ceas_npu::sim::statistics::Estimate;

/// A text with its exact sentence embedding.
pub struct Text {
    pub sequence: Sequence,
    pub exact: Vec<f32>,
}

/// The model, the sentences and the paragraphs.
pub struct Bench {
    pub model: Model,
    pub sentences: Vec<Text>,
    pub paragraphs: Vec<Text>,
}

impl Bench {
    /// Opens all-MiniLM-L6-v2 in `$CEAS_MINILM` or `.tools/minilm` (`tools/fetch-minilm` gets it).
    pub fn open() -> Result<Self, Box<dyn Error>> {
        let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/minilm");
        let model = Model::open(&std::env::var_os("CEAS_MINILM").map_or(fetched, PathBuf::from))?;
        let mut bench = Self { model, sentences: Vec::new(), paragraphs: Vec::new() };
        for line in include_str!("texts.txt").lines() {
            let sequence = bench.model.tokens().encode(line, 512)?;
            let exact = bench.model.encoder().forward(&sequence, &mut Digital)?.sentence_embedding().to_vec();
            let long = sequence.ids.len() > 64;
            let list = if long { &mut bench.paragraphs } else { &mut bench.sentences };
            list.push(Text { sequence, exact });
        }
        Ok(bench)
    }

    /// 1 − cos between the embedding on `chip` and the exact one, for each text the mean over `repeats` passes.
    pub fn losses(&self, texts: &[Text], chip: &Chip, repeats: u32) -> Result<Vec<f64>, Box<dyn Error>> {
        let mut losses = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let mut sum = 0.0;
            for repeat in 0..repeats {
                let mut chip = Chip { pass: index as u32 * repeats + repeat, ..chip.clone() };
                let encoding = self.model.encoder().forward(&text.sequence, &mut chip)?;
                sum += distance(&text.exact, encoding.sentence_embedding().iter());
            }
            losses.push(sum / f64::from(repeats));
        }
        Ok(losses)
    }
}

/// 1 − cos = |a − b|²/2 of unit vectors, without cancellation.
fn distance<'a>(a: &[f32], b: impl Iterator<Item = &'a f32>) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>() / 2.0
}

/// Mean and its error over the texts.
pub fn over_texts(values: &[f64]) -> Estimate {
    Estimate::of_independent(values)
}

/// "0.345 ± 0.012"
pub fn show(x: Estimate, digits: usize) -> String {
    format!("{:.digits$} ± {:.digits$}", x.mean, x.error)
}
