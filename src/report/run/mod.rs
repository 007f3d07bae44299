//! What `ceas run` found: two answers side by side, and where everything ran.

#[cfg(feature = "hdf5")]
pub mod archive;
mod figure;
mod text;

use ceas_npu::mapping::evaluate::{Generated, cosine, rank_correlation};
use ceas_npu::mapping::reference::Loaded;
use ceas_npu::mapping::spins::Component;
use ceas_npu::sim::activity::Activity;
use ceas_npu::sim::statistics::Estimate;
use serde::Serialize;
use serde_json::{Value, json};

use super::attention::Attended;
use super::present::{Answer, command_line};
use crate::cli::run_task::{Events, Job};
use figure::RunFigure;

/// Wall time of everything exact and of everything on spins.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timed {
    pub exact: f64,
    pub substrate: f64,
}

/// Embeddings of one text.
pub struct EmbeddedText {
    pub text: String,
    pub exact: Vec<f32>,
    /// One for each run.
    pub substrate: Vec<Vec<f32>>,
}

/// −ln p of every token of a text after the first.
pub struct ScoredText {
    pub ids: Vec<u32>,
    pub exact: Vec<f64>,
    /// One list for each run.
    pub substrate: Vec<Vec<f64>>,
}

/// A continuation.
pub struct Writing {
    pub text: String,
    pub ids: Vec<u32>,
    pub ln_p: Vec<f64>,
    pub first_token_seconds: f64,
    pub seconds: f64,
}

impl Writing {
    /// A continuation and the times at which its tokens came.
    pub fn new(text: String, generated: Generated, times: &[f64]) -> Self {
        let Generated { ids, ln_p } = generated;
        let [first, last] = [times.first(), times.last()].map(|t| t.copied().unwrap_or(0.0));
        Self { text, ids, ln_p, first_token_seconds: first, seconds: last }
    }

    /// Tokens per second after the first.
    pub fn rate(&self) -> Option<f64> {
        let time = self.seconds - self.first_token_seconds;
        (self.ids.len() > 1 && time > 0.0).then(|| (self.ids.len() - 1) as f64 / time)
    }
}

/// What came of a task.
pub enum Outcome {
    Embed {
        texts: Vec<EmbeddedText>,
        time: Timed,
        events: Events,
    },
    Perplexity {
        texts: Vec<ScoredText>,
        time: Timed,
        events: Events,
    },
    Generate {
        prompt: String,
        exact: Writing,
        substrate: Writing,
        /// KL of the law on spins from the exact one at every token of the exact text.
        divergence: Vec<f64>,
        cache_bytes: usize,
        events: Events,
    },
}

/// The result of `ceas run`.
pub struct RunAnswer {
    pub model: String,
    pub outcome: Outcome,
    pub notes: Vec<String>,
    pub seed: u64,
    pub repeats: u32,
    tokens: usize,
    on: Vec<&'static str>,
    pub samples: [u32; 2],
    pub sampler: &'static str,
    flaws: Vec<String>,
    counts_events: bool,
    stored: Vec<(String, u64)>,
    resident: Option<u64>,
}

impl RunAnswer {
    /// Puts an outcome beside what it came from.
    pub fn new(job: &Job<'_>, outcome: Outcome) -> Self {
        let settled = job.settled;
        Self {
            model: job.model.name().to_owned(),
            outcome,
            notes: settled.notes(job.model),
            seed: job.seed,
            repeats: job.repeats,
            tokens: job.texts.iter().map(|text| text.ids.len()).sum(),
            on: settled.on.iter().map(|component| component.name()).collect(),
            samples: [
                settled.setup.attention_samples.get(),
                settled.setup.gates.unwrap_or(settled.setup.attention_samples).get(),
            ],
            sampler: settled.sampler.name(),
            flaws: settled.flaws.clone(),
            counts_events: settled.chip.is_none(),
            stored: match job.model {
                Loaded::Encoder(_) => Vec::new(),
                Loaded::Decoder(model) => model.formats().to_vec(),
            },
            resident: peak_resident(),
        }
    }

    fn events(&self) -> &Events {
        match &self.outcome {
            Outcome::Embed { events, .. }
            | Outcome::Perplexity { events, .. }
            | Outcome::Generate { events, .. } => events,
        }
    }

    fn activity(&self) -> Activity {
        self.events().iter().copied().sum()
    }

    /// Name of the task.
    pub fn task(&self) -> &'static str {
        match self.outcome {
            Outcome::Embed { .. } => "embed",
            Outcome::Perplexity { .. } => "perplexity",
            Outcome::Generate { .. } => "generate",
        }
    }
}

/// Most memory that this process has held at once, in bytes, mapped weights included.
fn peak_resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The mean cosine of embeddings on spins to the exact ones: over the texts if there are several, else over the runs.
pub fn mean_cosine(texts: &[EmbeddedText]) -> Estimate {
    let of = |text: &EmbeddedText| -> Vec<f64> {
        text.substrate.iter().map(|sampled| cosine(&text.exact, sampled)).collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    match texts {
        [one] => Estimate::of_independent(&of(one)),
        _ => Estimate::of_independent(&texts.iter().map(|text| mean(&of(text))).collect::<Vec<_>>()),
    }
}

/// Cosines of all pairs of texts.
pub fn pairs(embeddings: &[&[f32]]) -> Vec<f64> {
    let n = embeddings.len();
    (0..n)
        .flat_map(|i| (0..i).map(move |j| (i, j)))
        .map(|(i, j)| cosine(embeddings[i], embeddings[j]))
        .collect()
}

/// Rank correlation of the similarities of all pairs, exact and on spins, over the runs.
fn pair_correlation(texts: &[EmbeddedText], repeats: u32) -> Option<Estimate> {
    let exact = pairs(&texts.iter().map(|text| text.exact.as_slice()).collect::<Vec<_>>());
    let of_run = |run: usize| {
        let sampled: Vec<&[f32]> = texts.iter().map(|text| text.substrate[run].as_slice()).collect();
        rank_correlation(&exact, &pairs(&sampled))
    };
    let runs: Option<Vec<f64>> = (0..repeats as usize).map(of_run).collect();
    Some(Estimate::of_independent(&runs?))
}

/// −ln p of every token, exact and as a mean over the runs.
pub fn all_nll(texts: &[ScoredText]) -> Vec<[f64; 2]> {
    let of = |text: &ScoredText| -> Vec<[f64; 2]> {
        let runs = text.substrate.len() as f64;
        let mean = |i: usize| text.substrate.iter().map(|run| run[i]).sum::<f64>() / runs;
        text.exact.iter().enumerate().map(|(i, &exact)| [exact, mean(i)]).collect()
    };
    texts.iter().flat_map(of).collect()
}

/// Means of −ln p, exact and on spins, and of the difference, paired token by token.
struct Nll {
    exact: Estimate,
    substrate: Estimate,
    delta: Estimate,
}

fn nll(texts: &[ScoredText]) -> Nll {
    let all = all_nll(texts);
    let mean =
        |pick: fn(&[f64; 2]) -> f64| Estimate::of_independent(&all.iter().map(pick).collect::<Vec<_>>());
    Nll { exact: mean(|x| x[0]), substrate: mean(|x| x[1]), delta: mean(|x| x[1] - x[0]) }
}

/// How many tokens two continuations have in common from the start; `None` if they are the same.
pub fn diverged_at(a: &[u32], b: &[u32]) -> Option<usize> {
    let common = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    (common < a.len().max(b.len())).then_some(common)
}

fn writing_json(writing: &Writing) -> Value {
    json!({
        "text": writing.text, "ids": writing.ids, "ln_p": writing.ln_p, "seconds": writing.seconds,
        "first_token_seconds": writing.first_token_seconds, "tokens_per_s": writing.rate(),
    })
}

impl Serialize for RunAnswer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let by_component: serde_json::Map<String, Value> = Component::ALL
            .into_iter()
            .filter(|component| self.on.contains(&component.name()))
            .map(|component| (component.name().to_owned(), json!(self.events()[component as usize])))
            .collect();
        let mut document = json!({
            "command": "run", "command_line": command_line(), "version": env!("CARGO_PKG_VERSION"),
            "model": self.model, "stored": self.stored.iter().map(|(f, n)| json!({"format": f, "bytes": n})).collect::<Vec<_>>(),
            "task": self.task(), "tokens": self.tokens, "on": self.on,
            "samples": {"attention": self.samples[0], "ffn": self.samples[1]}, "sampler": self.sampler, "flaws": self.flaws,
            "repeats": self.repeats, "seed": self.seed, "threads": rayon::current_num_threads(),
            "resident_bytes": self.resident,
            "activity": if self.counts_events { json!(self.activity()) } else { Value::Null },
            "activity_by_component": if self.counts_events { json!(by_component) } else { Value::Null },
            "notes": self.notes,
        });
        let own = match &self.outcome {
            Outcome::Embed { texts, time, .. } => {
                let cosine = mean_cosine(texts);
                let c = f64::from(self.samples[0]) * (1.0 - cosine.mean);
                let each: Vec<Value> = texts
                    .iter()
                    .map(|text| {
                        let all: Vec<f64> = text
                            .substrate
                            .iter()
                            .map(|s| ceas_npu::mapping::evaluate::cosine(&text.exact, s))
                            .collect();
                        json!({"text": text.text, "cosine": Estimate::of_independent(&all)})
                    })
                    .collect();
                json!({
                    "exact": {"seconds": time.exact, "embeddings": texts.iter().map(|t| &t.exact).collect::<Vec<_>>()},
                    "substrate": {"seconds": time.substrate, "one_minus_cosine_times_samples": c},
                    "cosine": cosine, "rank_correlation": pair_correlation(texts, self.repeats), "texts": each,
                })
            }
            Outcome::Perplexity { texts, time, .. } => {
                let Nll { exact, substrate, delta } = nll(texts);
                let side = |nll: Estimate, seconds: f64| json!({"nll": nll, "perplexity": nll.mean.exp(), "seconds": seconds});
                json!({
                    "exact": side(exact, time.exact), "substrate": side(substrate, time.substrate), "delta_nll": delta,
                    "scored": texts.iter().map(|text| text.exact.len()).sum::<usize>(),
                })
            }
            Outcome::Generate { prompt, exact, substrate, divergence, cache_bytes, .. } => json!({
                "prompt": prompt, "exact": writing_json(exact), "substrate": writing_json(substrate),
                "diverged_at": diverged_at(&exact.ids, &substrate.ids), "cache_bytes": cache_bytes,
                "next_token_kl": Estimate::of_independent(divergence),
            }),
        };
        if let (Value::Object(document), Value::Object(own)) = (&mut document, own) {
            document.extend(own);
        }
        document.serialize(serializer)
    }
}

impl Answer for RunAnswer {
    type Picture = RunFigure;

    fn title(&self) -> String {
        let on = if self.on.is_empty() { "nothing".to_owned() } else { self.on.join(", ") };
        format!("{} of {} with {on} on spins", self.task(), self.model)
    }

    fn text(&self) -> String {
        self.whole()
    }

    fn picture(&self) -> RunFigure {
        RunFigure::new(self)
    }
}

/// The heads of a whole model, as `ceas attend` shows them, under the name of this verb.
pub struct HeadsOfModel(pub Attended);

impl Serialize for HeadsOfModel {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serde_json::to_value(&self.0).map_err(serde::ser::Error::custom)?;
        if let Value::Object(document) = &mut document {
            document.insert("command".into(), json!("run"));
            document.insert("task".into(), json!("heads"));
            let activity = document.get("summary").and_then(|summary| summary.get("activity")).cloned();
            document.insert("activity".into(), activity.unwrap_or(Value::Null));
        }
        document.serialize(serializer)
    }
}

impl Answer for HeadsOfModel {
    type Picture = <Attended as Answer>::Picture;
    fn title(&self) -> String {
        self.0.title()
    }
    fn text(&self) -> String {
        self.0.text()
    }
    fn full_text(&self) -> String {
        self.0.full_text()
    }
    fn picture(&self) -> Self::Picture {
        self.0.picture()
    }
}
