//! `ceas control --effect`: a whole model run with other β than its own.

use std::path::Path;

use ceas_npu::mapping::control::{Control, Live, Rule, Variant};
use ceas_npu::mapping::reference::Loaded;
use ceas_npu::study::{Pairs, Texts};

use super::control_heads::WINDOW;
use super::failure::{Blame, Failure};
use crate::report::control::{Effects, HeadLine};
use crate::report::progress;

/// Our own texts, one a line.
const PASSAGES: &str = include_str!("../../data/passages.txt");

/// Rows that a thermostat is shown while a model reads have so many keys at least; shorter ones have next to no entropy.
const LEAST: usize = 16;

/// How many passages there are.
pub fn count() -> usize {
    PASSAGES.lines().count()
}

/// Runs the model in `folder` on the first `passages` with every setting of β, and with thermostats that act while it reads.
pub fn run(
    folder: &Path,
    passages: usize,
    heads: &[HeadLine],
    variants: &[Variant],
) -> Result<Effects, Failure> {
    let model = Loaded::open(folder).input()?;
    let texts: Vec<String> = PASSAGES.lines().take(passages).map(str::to_owned).collect();
    let settings = settings(heads);
    let published = Control { smoothed: true, ..variants[0].control };
    let live = [
        ("held live, published", Live::new(published, 1, LEAST)),
        ("held live, corrected", Live::new(variants[Variant::CORRECTED].control, WINDOW, LEAST)),
    ];
    let bar = progress::bar("effect", (settings.len() + live.len()) as u64);
    let found = match &model {
        Loaded::Encoder(model) => {
            let pairs = Pairs::new(model, &texts).run()?;
            let mut all = Vec::new();
            for (name, factors) in &settings {
                all.push(pairs.effect(name, factors).run()?);
                bar.inc(1);
            }
            for (name, thermostats) in live {
                all.push(pairs.held(name, thermostats).run()?);
                bar.inc(1);
            }
            Effects::Embeddings(all)
        }
        Loaded::Decoder(model) => {
            let texts = Texts::new(model, &texts).run()?;
            let mut all = Vec::new();
            for (name, factors) in &settings {
                all.push(texts.effect(name, factors).run()?);
                bar.inc(1);
            }
            for (name, thermostats) in live {
                all.push(texts.held(name, thermostats).run()?);
                bar.inc(1);
            }
            Effects::Likelihood { tokens: texts.tokens(), passages: texts.len(), settings: all }
        }
    };
    bar.finish_and_clear();
    Ok(found)
}

/// β/β₀ of every layer and head, with what it is.
type Setting = (String, Vec<Vec<f64>>);

/// The same factor for all heads, the rules, and a quarter of the way to the peak.
fn settings(heads: &[HeadLine]) -> Vec<Setting> {
    let layers = heads.iter().map(|h| h.control.layer + 1).max().unwrap_or(0);
    let width = heads.iter().map(|h| h.control.head + 1).max().unwrap_or(0);
    let uniform = |factor: f64| vec![vec![factor; width]; layers];
    // β over β₀ of every head where a rule has an answer, 1 where it has none.
    let per_head = |pick: &dyn Fn(&HeadLine) -> Option<f64>, power: f64| {
        let mut factors = uniform(1.0);
        for head in heads {
            if let Some(beta) = pick(head) {
                factors[head.control.layer][head.control.head] =
                    libm::pow(beta / head.control.textbook, power);
            }
        }
        factors
    };
    let mut settings: Vec<Setting> = [0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0]
        .iter()
        .map(|&factor| (format!("β₀ × {factor}"), uniform(factor)))
        .collect();
    for number in 1..heads.first().map_or(0, |head| head.control.rules.len()) {
        let rule = heads[0].control.rules[number].initial.rule;
        // The saddle is β_c: the same setting again.
        if rule != Rule::FreeEnergySaddle {
            let beta = |head: &HeadLine| head.control.rules[number].initial.beta;
            settings.push((rule.name().to_owned(), per_head(&beta, 1.0)));
        }
    }
    let peak = |head: &HeadLine| head.control.peak.map(|peak| peak.beta.mean);
    settings.push(("¼ of the way to the peak of C".into(), per_head(&peak, 0.25)));
    settings
}
