//! `ceas run --out FILE.h5`: every number of both answers.
//!
//! | dataset | shape | of |
//! |---|---|---|
//! | `/exact`, `/substrate` | `[text, d]`, `[run, text, d]` f32 | embed |
//! | `/cosine` | `[run, text]` | embed |
//! | `/text`, `/id` | `[token]` u32: which text, and the token that was to come | perplexity |
//! | `/nll_exact`, `/nll_substrate` | `[token]`, `[run, token]` nats | perplexity |
//! | `/exact_id`, `/exact_ln_p`, `/substrate_id`, `/substrate_ln_p` | `[token]` | generate |
//! | `/next_token_kl` | `[token of the exact text]` nats | generate |
//!
//! Attributes say what was run on what.

use ceas_npu::mapping::evaluate::cosine;
use ceas_npu::sim::snapshot::archive::{self, Archive};
use ceas_npu::sim::snapshot::hdf5;
use ndarray::{Array1, Array2, Array3, ArrayBase, Data, Dimension};

use super::{EmbeddedText, Outcome, RunAnswer, ScoredText, Writing};
use crate::report::output::OutputFile;
use crate::report::present::{Answer, command_line};

/// Version of the layout above.
const SCHEMA_VERSION: u32 = 1;

/// Writes the whole file, or leaves nothing under its final name.
pub fn write(answer: &RunAnswer, file: &OutputFile) -> anyhow::Result<()> {
    let archive = Archive::create(file.path())?;
    fill(answer, archive.file()).map_err(|e| archive::refused(file.path(), "writing", &e))?;
    archive.finish()?;
    Ok(())
}

fn fill(answer: &RunAnswer, file: &hdf5::File) -> Result<(), hdf5::Error> {
    archive::text(file, "program_version", concat!("ceas-npu ", env!("CARGO_PKG_VERSION")))?;
    archive::text(file, "command", "run")?;
    archive::text(file, "command_line", &command_line())?;
    archive::text(file, "title", &answer.title())?;
    archive::text(file, "model", &answer.model)?;
    archive::text(file, "task", answer.task())?;
    archive::text(file, "sampler", answer.sampler)?;
    archive::text(file, "notes", &answer.notes.join("\n"))?;
    archive::text(file, "units", "nll, ln p and KL in nats")?;
    for (name, value) in [
        ("seed", answer.seed),
        ("repeats", answer.repeats.into()),
        ("samples_attention", answer.samples[0].into()),
        ("samples_ffn", answer.samples[1].into()),
        ("schema_version", SCHEMA_VERSION.into()),
    ] {
        file.new_attr::<u64>().create(name)?.write_scalar(&value)?;
    }
    match &answer.outcome {
        Outcome::Embed { texts, .. } => embeddings(texts, answer.repeats as usize, file),
        Outcome::Perplexity { texts, .. } => likelihoods(texts, answer.repeats as usize, file),
        Outcome::Generate { exact, substrate, divergence, .. } => {
            store(file, "next_token_kl", &Array1::from_vec(divergence.clone()))?;
            writing("exact", exact, file)?;
            writing("substrate", substrate, file)
        }
    }
}

fn store<S: Data<Elem: hdf5::H5Type>, D: Dimension>(
    file: &hdf5::File,
    name: &str,
    data: &ArrayBase<S, D>,
) -> Result<(), hdf5::Error> {
    file.new_dataset_builder().with_data(data).create(name).map(|_| ())
}

fn embeddings(texts: &[EmbeddedText], runs: usize, file: &hdf5::File) -> Result<(), hdf5::Error> {
    let d = texts.first().map_or(0, |text| text.exact.len());
    store(file, "exact", &Array2::from_shape_fn((texts.len(), d), |(t, a)| texts[t].exact[a]))?;
    let sampled = Array3::from_shape_fn((runs, texts.len(), d), |(r, t, a)| texts[t].substrate[r][a]);
    store(file, "substrate", &sampled)?;
    let cosines =
        Array2::from_shape_fn((runs, texts.len()), |(r, t)| cosine(&texts[t].exact, &texts[t].substrate[r]));
    store(file, "cosine", &cosines)
}

fn likelihoods(texts: &[ScoredText], runs: usize, file: &hdf5::File) -> Result<(), hdf5::Error> {
    let number = |(number, text): (usize, &ScoredText)| vec![number as u32; text.exact.len()];
    store(file, "text", &Array1::from_iter(texts.iter().enumerate().flat_map(number)))?;
    store(file, "id", &Array1::from_iter(texts.iter().flat_map(|text| text.ids[1..].iter().copied())))?;
    store(file, "nll_exact", &Array1::from_iter(texts.iter().flat_map(|text| text.exact.iter().copied())))?;
    let tokens: usize = texts.iter().map(|text| text.exact.len()).sum();
    let each =
        (0..runs).flat_map(|run| texts.iter().flat_map(move |text| text.substrate[run].iter().copied()));
    let sampled = Array2::from_shape_vec((runs, tokens), each.collect())
        .map_err(|e| hdf5::Error::from(e.to_string()))?;
    store(file, "nll_substrate", &sampled)
}

fn writing(name: &str, writing: &Writing, file: &hdf5::File) -> Result<(), hdf5::Error> {
    store(file, &format!("{name}_id"), &Array1::from_vec(writing.ids.clone()))?;
    store(file, &format!("{name}_ln_p"), &Array1::from_vec(writing.ln_p.clone()))
}
