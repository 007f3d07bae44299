//! The tasks of `ceas run`, each exact first and then on spins.

use std::ops::ControlFlow;
use std::time::Instant;

use anyhow::anyhow;
use ceas_npu::mapping::evaluate::{self, Choice};
use ceas_npu::mapping::reference::substrate::{Digital, Substrate};
use ceas_npu::mapping::reference::tokens::Sequence;
use ceas_npu::mapping::reference::{LanguageModel, Loaded, Model};
use ceas_npu::mapping::spins::{Component, Spins};
use ceas_npu::sim::activity::Activity;

use super::failure::{Blame, Failure};
use super::run_setup::Settled;
use crate::report::progress;
use crate::report::run::{EmbeddedText, Outcome, ScoredText, Timed, Writing};

/// A model, what runs on spins, and what it is given.
pub struct Job<'a> {
    /// The model.
    pub model: &'a Loaded,
    /// What runs on spins.
    pub settled: &'a Settled,
    /// The texts.
    pub texts: &'a [Sequence],
    /// Runs on spins.
    pub repeats: u32,
    /// Seed of all streams.
    pub seed: u64,
}

/// Events of each component.
pub type Events = [Activity; 4];

impl Job<'_> {
    /// Something done on spins, with the events that it took; a device with flaws counts none. `pass` tells streams apart.
    fn on_spins<R>(&self, pass: usize, events: &mut Events, work: impl FnOnce(&mut dyn Substrate) -> R) -> R {
        let pass = u32::try_from(pass).unwrap_or(u32::MAX) & ((1 << 28) - 1);
        if let Some(chip) = &self.settled.chip {
            let mut chip = chip.clone();
            chip.pass = pass;
            return work(&mut chip);
        }
        let mut spins = Spins::new(self.settled.setup.clone(), pass);
        let result = work(&mut spins);
        for component in Component::ALL {
            events[component as usize] += spins.activity_of(component);
        }
        result
    }

    fn encoder(&self) -> Result<&Model, Failure> {
        match self.model {
            Loaded::Encoder(model) => Ok(model),
            Loaded::Decoder(model) => Err(anyhow!(
                "--task embed needs an encoder: {} is a decoder, for which there are perplexity, generate and heads",
                model.name()
            ))
            .input(),
        }
    }

    fn decoder(&self, task: &str) -> Result<&LanguageModel, Failure> {
        match self.model {
            Loaded::Decoder(model) => Ok(model),
            Loaded::Encoder(model) => Err(anyhow!(
                "--task {task} needs a decoder: {} is an encoder, for which there are embed and heads",
                model.name()
            ))
            .input(),
        }
    }

    /// Embeddings of every text.
    pub fn embed(&self) -> Result<Outcome, Failure> {
        let encoder = self.encoder()?.encoder();
        let bar = progress::bar("embedding", self.texts.len() as u64 * (1 + u64::from(self.repeats)));
        let mut texts = Vec::new();
        let mut time = Timed::default();
        let mut events = Events::default();
        for (number, sequence) in self.texts.iter().enumerate() {
            let clock = Instant::now();
            let exact = encoder.forward(sequence, &mut Digital).input()?.sentence_embedding();
            time.exact += clock.elapsed().as_secs_f64();
            bar.inc(1);
            let mut substrate = Vec::new();
            for repeat in 0..self.repeats as usize {
                let clock = Instant::now();
                let pass = repeat * self.texts.len() + number;
                let encoding = self.on_spins(pass, &mut events, |spins| encoder.forward(sequence, spins));
                substrate.push(encoding.run()?.sentence_embedding().to_vec());
                time.substrate += clock.elapsed().as_secs_f64();
                bar.inc(1);
            }
            texts.push(EmbeddedText { text: sequence.text.clone(), exact: exact.to_vec(), substrate });
        }
        bar.finish_and_clear();
        Ok(Outcome::Embed { texts, time, events })
    }

    /// The likelihood of every text.
    pub fn perplexity(&self) -> Result<Outcome, Failure> {
        let decoder = self.decoder("perplexity")?.decoder();
        let bar = progress::bar("scoring", self.texts.len() as u64 * (1 + u64::from(self.repeats)));
        let mut texts = Vec::new();
        let mut time = Timed::default();
        let mut events = Events::default();
        for (number, sequence) in self.texts.iter().enumerate() {
            let clock = Instant::now();
            let exact =
                evaluate::negative_log_likelihood(decoder, &sequence.ids, &mut Digital).map_err(|error| {
                    match sequence.ids.len() {
                        1 => anyhow!("text {number} is one token long: the likelihood of the next needs two"),
                        _ => error.into(),
                    }
                });
            let exact = exact.input()?;
            time.exact += clock.elapsed().as_secs_f64();
            bar.inc(1);
            let mut substrate = Vec::new();
            for repeat in 0..self.repeats as usize {
                let clock = Instant::now();
                let pass = repeat * self.texts.len() + number;
                let nll = self.on_spins(pass, &mut events, |spins| {
                    evaluate::negative_log_likelihood(decoder, &sequence.ids, spins)
                });
                substrate.push(nll.run()?);
                time.substrate += clock.elapsed().as_secs_f64();
                bar.inc(1);
            }
            texts.push(ScoredText { ids: sequence.ids.clone(), exact, substrate });
        }
        bar.finish_and_clear();
        Ok(Outcome::Perplexity { texts, time, events })
    }

    /// Two continuations of the first text, and how far spins move the law of every token of the exact one.
    pub fn generate(&self, most: usize, temperature: Option<f64>) -> Result<Outcome, Failure> {
        let model = self.decoder("generate")?;
        let prompt = &self.texts[0];
        let context = model.decoder().config().context;
        if prompt.ids.len().saturating_add(most) > context {
            let (had, room) = (prompt.ids.len(), context.saturating_sub(prompt.ids.len()));
            return Err(anyhow!(
                "--max-tokens {most} after a beginning of {had}: the model takes {context} tokens, which leaves {room}"
            ))
            .input();
        }
        let choice = match temperature {
            None => Choice::Greedy,
            Some(temperature) => Choice::Drawn { temperature, seed: self.seed },
        };
        let bar = progress::bar("writing", 2 * most as u64);
        let mut events = Events::default();
        let write = |substrate: &mut dyn Substrate| {
            let clock = Instant::now();
            let mut times = Vec::new();
            let generated = evaluate::generate(model, &prompt.ids, most, choice, substrate, |_| {
                times.push(clock.elapsed().as_secs_f64());
                bar.inc(1);
                ControlFlow::Continue(())
            })?;
            let text = model.tokens().decode(&generated.ids).unwrap_or_default();
            Ok::<_, ceas_npu::mapping::reference::Error>(Writing::new(text, generated, &times))
        };
        let exact = write(&mut Digital).input()?;
        let substrate = self.on_spins(0, &mut events, write).run()?;
        // Draws of their own, whose events belong to no text.
        let whole = [&prompt.ids[..], &exact.ids].concat();
        let divergence = self.on_spins(1, &mut Events::default(), |spins| {
            evaluate::next_token_divergence(model.decoder(), &whole, prompt.ids.len(), spins)
        });
        let divergence = divergence.run()?;
        bar.finish_and_clear();
        let cache_bytes = model.decoder().cache_bytes_per_token() * (prompt.ids.len() + most);
        let prompt = prompt.text.clone();
        Ok(Outcome::Generate { prompt, exact, substrate, divergence, cache_bytes, events })
    }
}
