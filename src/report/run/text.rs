//! The answer of `ceas run` as a person reads it.

use std::fmt::Write;

use ceas_npu::mapping::evaluate::cosine;
use ceas_npu::sim::statistics::Estimate;

use super::{
    EmbeddedText, Nll, Outcome, RunAnswer, ScoredText, Timed, Writing, diverged_at, mean_cosine, nll,
    pair_correlation,
};
use crate::report::table::{si, table, with_error};

impl RunAnswer {
    /// The whole answer.
    pub(super) fn whole(&self) -> String {
        let mut text = self.head();
        match &self.outcome {
            Outcome::Embed { texts, time, .. } => self.embed_text(&mut text, texts, *time),
            Outcome::Perplexity { texts, time, .. } => perplexity_text(&mut text, texts, *time),
            Outcome::Generate { prompt, exact, substrate, divergence, cache_bytes, .. } => {
                generate_text(&mut text, prompt, exact, substrate);
                let kl = Estimate::of_independent(divergence);
                let _ = writeln!(
                    text,
                    "law     KL(exact‖spins) {} nats a token along the exact text, tokens taken as independent\ncache   {} of keys and \
                     values, f32",
                    with_error(kl.mean, kl.error),
                    si(*cache_bytes as f64, "B")
                );
            }
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\nWhere it ran");
        for note in &self.notes {
            let _ = writeln!(text, "{}", indented(note));
        }
        text.push_str(&self.events_text());
        if let Some(bytes) = self.resident {
            let weights: u64 = self.stored.iter().map(|(_, bytes)| bytes).sum();
            let of =
                if weights > 0 { format!(", weights {}", si(weights as f64, "B")) } else { String::new() };
            let _ = writeln!(text, "memory  at most {} resident{of}", si(bytes as f64, "B"));
        }
        text
    }

    fn head(&self) -> String {
        let flaws =
            if self.flaws.is_empty() { String::new() } else { format!("; flaws {}", self.flaws.join(", ")) };
        let on = if self.on.is_empty() { "nothing".to_owned() } else { self.on.join(", ") };
        let stored: Vec<String> =
            self.stored.iter().map(|(f, n)| format!("{f} {}", si(*n as f64, "B"))).collect();
        let stored = if stored.is_empty() { String::new() } else { format!(" ({})", stored.join(", ")) };
        let [rows, gates] = self.samples;
        let samples =
            if rows == gates { format!("S = {rows}") } else { format!("S = {rows} a row, {gates} a gate") };
        format!(
            "model   {}{stored}\nspins   {on}; {samples}, {}{flaws}\ntokens  {}\n\n",
            self.model, self.sampler, self.tokens
        )
    }

    fn embed_text(&self, text: &mut String, texts: &[EmbeddedText], time: Timed) {
        const SHOWN: usize = 20;
        const SHORT: usize = 80;
        let mut rows = table(&["text", "cosine to exact"], 1);
        for embedded in texts.iter().take(SHOWN) {
            let all: Vec<f64> = embedded.substrate.iter().map(|s| cosine(&embedded.exact, s)).collect();
            let Estimate { mean, error } = Estimate::of_independent(&all);
            let mut short: String = embedded.text.chars().take(SHORT).collect();
            if short.len() < embedded.text.len() {
                short.push('…');
            }
            rows.add_row([short, with_error(mean, error)]);
        }
        let _ = writeln!(text, "{rows}");
        if texts.len() > SHOWN {
            let _ = writeln!(text, "… and {} more texts", texts.len() - SHOWN);
        }
        let cosine = mean_cosine(texts);
        let per = if texts.len() > 1 { "texts" } else { "runs" };
        let c = self.samples[0];
        let _ = writeln!(
            text,
            "\ncosine  {} over the {per}; 1 − cos = {}/S",
            with_error(cosine.mean, cosine.error),
            with_error(f64::from(c) * (1.0 - cosine.mean), f64::from(c) * cosine.error),
        );
        if let Some(rank) = pair_correlation(texts, self.repeats) {
            let pairs = texts.len() * (texts.len() - 1) / 2;
            let _ = writeln!(
                text,
                "pairs   rank correlation of the {pairs} similarities, exact and on spins: {}",
                with_error(rank.mean, rank.error)
            );
        }
        let runs = f64::from(self.repeats);
        let _ = writeln!(
            text,
            "time    exact {:.3} s, on spins {:.3} s ({:.2} ×)",
            time.exact,
            time.substrate / runs,
            time.substrate / runs / time.exact
        );
    }

    fn events_text(&self) -> String {
        if !self.counts_events {
            return "events  not counted on a device with flaws\n".into();
        }
        let activity = self.activity();
        let said: Vec<String> = activity
            .counts()
            .into_iter()
            .filter(|(_, n)| *n > 0)
            .map(|(name, n)| format!("{} {}", si(n as f64, "").trim(), name.replace('_', " ")))
            .collect();
        if said.is_empty() {
            return "events  none: nothing was sampled on spins\n".into();
        }
        // A number stays with its unit.
        let last = said.len() - 1;
        let parts: Vec<String> =
            said.into_iter().enumerate().map(|(i, part)| if i < last { part + "," } else { part }).collect();
        format!("events\n{}\n", set_off(&broken(parts.iter().map(String::as_str))))
    }
}

fn perplexity_text(text: &mut String, texts: &[ScoredText], time: Timed) {
    let Nll { exact, substrate, delta } = nll(texts);
    let mut rows = table(&["", "nll a token", "perplexity", "time"], 1);
    for (name, nll, seconds) in [("exact", exact, time.exact), ("on spins", substrate, time.substrate)] {
        rows.add_row([
            name.to_owned(),
            with_error(nll.mean, nll.error),
            format!("{:.3}", nll.mean.exp()),
            format!("{seconds:.2} s"),
        ]);
    }
    let scored: usize = texts.iter().map(|text| text.exact.len()).sum();
    let _ = writeln!(text, "{rows}");
    let _ = writeln!(
        text,
        "\nΔ nll   {:+.4} ± {:.4} nats a token ({:+.1} σ), paired over {scored} tokens taken as independent",
        delta.mean,
        delta.error,
        delta.mean / delta.error
    );
}

fn generate_text(text: &mut String, prompt: &str, exact: &Writing, substrate: &Writing) {
    let _ = writeln!(text, "prompt\n{}\n", indented(prompt));
    for (name, writing) in [("exact", exact), ("on spins", substrate)] {
        let rate = writing.rate().map_or(String::new(), |rate| format!(", {rate:.1} tokens/s"));
        let mean = writing.ln_p.iter().sum::<f64>() / writing.ln_p.len().max(1) as f64;
        let _ = writeln!(
            text,
            "{name} ({} tokens, mean ln p {mean:.3}{rate})\n{}\n",
            writing.ids.len(),
            indented(&writing.text)
        );
    }
    let _ = match diverged_at(&exact.ids, &substrate.ids) {
        None => writeln!(text, "same    all {} tokens", exact.ids.len()),
        Some(0) => writeln!(text, "same    not even the first token"),
        Some(n) => writeln!(text, "same    the first {n} tokens"),
    };
}

/// Text set off from the margin and broken at 100 columns.
fn indented(text: &str) -> String {
    let lines: Vec<String> =
        text.trim().lines().flat_map(|paragraph| broken(paragraph.split_whitespace())).collect();
    set_off(&lines)
}

fn set_off(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// Words in lines of at most 100 columns.
fn broken<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    const WIDTH: usize = 100;
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in words {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
