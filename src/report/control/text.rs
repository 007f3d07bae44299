//! The table and the summary for people.

use std::fmt::Write;

use ceas_npu::mapping::attention::Quantiles;
use ceas_npu::mapping::control::{Gain, Outcome, Source, Target, Variant};
use ceas_npu::sim::statistics::Estimate;
use ceas_npu::study::{Effect, Surprise};

use super::{Controlled, Effects, HeadLine, StreamLine, over_steps};
use crate::report::table::{fixed, number, table, with_error, wrapped};

/// The table of heads, then variants, steps, rules, gates and streams.
pub fn text(answer: &Controlled) -> String {
    let columns = [
        "head",
        "n",
        "σ",
        "H",
        "H_t",
        "C",
        "β₀/β_c",
        "β₀/peak",
        "published",
        "β from–to",
        "corrected",
        "β/β₀",
        "to the peak",
        "β/β₀",
    ];
    let mut rows = table(&columns, 1);
    for column in rows.column_iter_mut() {
        column.set_padding((0, 1));
    }
    for head in &answer.heads {
        rows.add_row(cells(head));
    }
    let mut text = format!("{rows}\n\n");
    // Writing to a string cannot fail.
    let _ = what_was_run(answer, &mut text)
        .and_then(|()| outcomes(answer, &mut text))
        .and_then(|()| over_steps::write(answer, &mut text))
        .and_then(|()| rules(answer, &mut text))
        .and_then(|()| gates(answer, &mut text))
        .and_then(|()| streams(answer, &mut text))
        .and_then(|()| effects(answer, &mut text))
        .and_then(|()| plainly(answer, &mut text));
    wrapped(&text)
}

fn cells(head: &HeadLine) -> [String; 14] {
    let control = &head.control;
    let published = &control.traces[0];
    let range = match published.outcome {
        Outcome::LimitCycle { low, high } => format!("{}–{}", number(low, 3), number(high, 3)),
        _ => number(published.last().beta, 3),
    };
    let arrived = |which: usize| {
        let trace = &control.traces[which];
        match trace.outcome {
            Outcome::Converged { steps: 1 } => "1 step".to_owned(),
            Outcome::Converged { steps } => format!("{steps} steps"),
            other => other.name().to_owned(),
        }
    };
    let moved = |which: usize| number(control.traces[which].last().beta / control.textbook, 3);
    [
        format!("{}.{}", control.layer, control.head),
        control.n.to_string(),
        number(control.sigma.unwrap_or(f64::NAN), 3),
        fixed(control.entropy, 2),
        fixed(published.moments[0].target, 2),
        number(control.specific_heat, 3),
        number(control.beta_c.map_or(f64::NAN, |b| control.textbook / b), 3),
        number(control.over_peak().unwrap_or(f64::NAN), 3),
        published.outcome.name().to_owned(),
        range,
        arrived(Variant::CORRECTED),
        moved(Variant::CORRECTED),
        arrived(Variant::TO_THE_PEAK),
        moved(Variant::TO_THE_PEAK),
    ]
}

fn what_was_run(answer: &Controlled, text: &mut String) -> std::fmt::Result {
    let first = &answer.heads[0].control;
    let target = match answer.target {
        Target::BelowKeys(below) => format!("ln N − {below}"),
        Target::BelowItself(below) => format!("ln N_eff − {below}"),
        Target::Share(share) => format!("{share} ln N"),
        Target::Nats(nats) => format!("{nats} nats"),
    };
    let source = match answer.source {
        Source::Exact => "exact".to_owned(),
        Source::Counts(samples) => format!("counts of {samples} draws per row, bias-corrected"),
        Source::Races(samples) => format!("{samples} races per row"),
    };
    writeln!(
        text,
        "{} heads of {}, {} rows each with at least {} keys; β₀ = 1/√d_head = {:.5}. Entropy: {source}. Target: {target}. Published \
         defaults: {}; {} steps. σ, H, C are row averages at β₀; a head's peak is that of its C over β.",
        answer.heads.len(),
        answer.model_name(),
        first.rows,
        answer.least,
        first.textbook,
        answer.scale.published_name,
        answer.steps,
    )?;
    let gain = Gain::published(answer.scale);
    writeln!(
        text,
        "κ(0) = {:.1}: a Newton step of gain κ multiplies a small error by 1 − κ, and κ(t) stays above 2 for {} steps.\n",
        gain.at(0),
        gain.stable_from().map_or("all".to_owned(), |steps| steps.to_string())
    )
}

fn outcomes(answer: &Controlled, text: &mut String) -> std::fmt::Result {
    let columns = [
        "controller",
        "converged",
        "limit cycle",
        "runaway",
        "unsettled",
        "impossible",
        "steps: median",
        "most",
    ];
    let mut rows = table(&columns, 1);
    for tally in answer.tallies() {
        rows.add_row([
            tally.name.to_owned(),
            tally.converged.to_string(),
            tally.limit_cycle.to_string(),
            tally.runaway.to_string(),
            tally.unsettled.to_string(),
            tally.impossible.to_string(),
            fixed(tally.steps.median, 0),
            fixed(tally.steps.max, 0),
        ]);
    }
    writeln!(text, "{rows}\n")
}

fn rules(answer: &Controlled, text: &mut String) -> std::fmt::Result {
    let columns =
        ["rule for β", "heads", "β/β₀: 10 %", "median", "90 %", "H/ln N", "output moved by: median", "90 %"];
    let mut rows = table(&columns, 1);
    for rule in answer.rule_lines() {
        let percent =
            |x: f64| if x.is_finite() { format!("{} %", number(100.0 * x, 3)) } else { "–".into() };
        rows.add_row([
            rule.name.to_owned(),
            rule.heads.to_string(),
            number(rule.over_textbook.q10, 3),
            number(rule.over_textbook.median, 3),
            number(rule.over_textbook.q90, 3),
            fixed(rule.entropy_share.median, 3),
            percent(rule.output_change.median),
            percent(rule.output_change.q90),
        ]);
    }
    writeln!(text, "{rows}")?;
    writeln!(
        text,
        "Output moved by: √(Σ|o(β) − o(β₀)|²/Σ|o(β₀)|²) of a head; the model was trained with β₀.\n"
    )
}

fn gates(answer: &Controlled, text: &mut String) -> std::fmt::Result {
    let devices: Vec<&str> = answer
        .gates
        .first()
        .map_or(Vec::new(), |gate| gate.costs.iter().map(|cost| cost.device.as_str()).collect());
    let mut columns = vec!["gate on queries", "pruned", "attempts", "error", "left by it", "spent evenly"];
    let short: Vec<String> =
        devices.iter().map(|id| format!("J {}", id.split('_').next().unwrap_or(id))).collect();
    columns.extend(short.iter().map(String::as_str));
    let mut rows = table(&columns, 1);
    for column in rows.column_iter_mut() {
        column.set_padding((0, 1));
    }
    let percent = |x: f64| if x.is_finite() { format!("{:.1} %", 100.0 * x) } else { "–".into() };
    let saved = |x: f64| if x.abs() < 5e-4 { "0 %".to_owned() } else { format!("−{:.1} %", 100.0 * x) };
    for gate in &answer.gates {
        let mut row = vec![
            gate.name.clone(),
            percent(gate.pruned),
            saved(gate.attempts_saved),
            percent(gate.error),
            percent(gate.bias),
            percent(gate.error_evenly),
        ];
        row.extend(gate.costs.iter().map(|cost| saved(cost.saved())));
        rows.add_row(row);
    }
    writeln!(text, "{rows}")?;
    let full = answer.gates.first().map_or(f64::NAN, |gate| gate.error_full);
    let (scores, below) = answer.published_scores();
    writeln!(
        text,
        "Median over the heads, S = {}; without a gate the error is {}. A pruned query puts out the mean of its values; \"left by it\" \
         is the error that remains at any S; \"spent evenly\" is the error if the same events are saved by reading every query less often. \
         J: energy on {}, of all heads.",
        answer.samples,
        percent(full),
        devices.join(" and "),
    )?;
    writeln!(
        text,
        "T = βσ√(2 ln N_eff) of a query: median {}, 10–90 % {}–{}; {:.1} % of all queries are below the highest published gate, {}. \
         Freezing a head stops its backward pass: no event of a forward pass is saved by it.\n",
        number(scores.median, 3),
        number(scores.q10, 3),
        number(scores.q90, 3),
        100.0 * below,
        answer.scale.gate_first,
    )
}

fn streams(answer: &Controlled, text: &mut String) -> std::fmt::Result {
    let mut rows = table(
        &["a stream of tokens, last half", "rms H − H_t", "90 %", "mean H − H_t", "swing of β", "90 %"],
        1,
    );
    for StreamLine { name, deviation, offset, swing } in
        [&answer.streams.published, &answer.streams.corrected]
    {
        let times = |x: f64| match x {
            x if !x.is_finite() => "–".into(),
            x if x < 1e4 => format!("× {}", number(x, 3)),
            x => format!("× {x:.0e}"),
        };
        rows.add_row([
            name.clone(),
            number(deviation.median, 3),
            number(deviation.q90, 3),
            format!("{:+.3}", offset.median),
            times(swing.median),
            times(swing.q90),
        ]);
    }
    writeln!(
        text,
        "{rows}\nMedian over the heads, and the nine tenths; with a perfect controller rms is the scatter of the rows.\n"
    )
}

fn effects(answer: &Controlled, text: &mut String) -> std::fmt::Result {
    match &answer.effects {
        None => Ok(()),
        Some(Effects::Embeddings(settings)) => embeddings(settings, text),
        Some(Effects::Likelihood { tokens, passages, settings }) => {
            likelihood((*tokens, *passages), settings, text)
        }
    }
}

/// A paired change, or 0 where nothing changed.
fn paired(change: Estimate) -> String {
    if change.error > 0.0 { format!("{:+.3} ± {:.3}", change.mean, change.error) } else { "0".into() }
}

fn likelihood(
    (tokens, passages): (usize, usize),
    settings: &[Surprise],
    text: &mut String,
) -> std::fmt::Result {
    let mut rows = table(&["β of all heads", "perplexity", "−ln p, paired change", "in σ", "texts worse"], 1);
    for effect in settings {
        let change = effect.change;
        rows.add_row([
            effect.name.clone(),
            with_error(effect.perplexity.mean, effect.perplexity.error),
            paired(change),
            if change.error > 0.0 { format!("{:+.1}", change.mean / change.error) } else { "–".into() },
            format!("{:.0} %", 100.0 * effect.worse),
        ]);
    }
    writeln!(
        text,
        "{rows}\nWhole model, exact but for β; {tokens} tokens of {passages} passages. Change: nats per token against the same tokens at β₀; errors by \
         the jackknife over passages. Held live: every head's β follows its own rows while the model reads, one passage after the other.\n"
    )
}

fn embeddings(settings: &[Effect], text: &mut String) -> std::fmt::Result {
    let columns =
        ["β of all heads", "cosine", "own half nearest", "gained/lost", "InfoNCE", "change, paired"];
    let mut rows = table(&columns, 1);
    for effect in settings {
        let [gained, lost] = effect.gained_lost;
        let cosine = effect.cosine;
        rows.add_row([
            effect.name.clone(),
            // At β₀ what is left is rounding.
            if 1.0 - cosine.mean < 1e-6 { "1".into() } else { with_error(cosine.mean, cosine.error) },
            with_error(effect.top_1.mean, effect.top_1.error),
            format!("+{gained} −{lost}"),
            with_error(effect.loss.mean, effect.loss.error),
            paired(effect.loss_change),
        ]);
    }
    writeln!(
        text,
        "{rows}\nWhole model, exact but for β; errors over the texts, changes paired. Held live: every head's β follows its own rows while the model reads \
         one half text after the other.\n"
    )
}

fn plainly(answer: &Controlled, text: &mut String) -> std::fmt::Result {
    let tallies = answer.tallies();
    let heads = answer.heads.len();
    let (near, with_peak) = answer.near_the_peak();
    let ratios = Quantiles::of(answer.heads.iter().filter_map(|head| head.control.over_peak()));
    let [published, itself, corrected] = [&tallies[0], &tallies[2], &tallies[Variant::CORRECTED]];
    let steps = match corrected.converged {
        0 => String::new(),
        _ => format!(", in at most {} steps", fixed(corrected.steps.max, 0)),
    };
    let unreachable = match corrected.impossible {
        0 => String::new(),
        count => format!(
            " No β brings {count} of them to the target: it lies outside (0, ln N), or all scores are equal."
        ),
    };
    writeln!(
        text,
        "Plainly: as published, {} of {heads} heads converge and {} cycle; with N_eff = e^H in its target, {} run away. Corrected, \
         {} converge{steps}.{unreachable}",
        published.converged, published.limit_cycle, itself.runaway, corrected.converged,
    )?;
    writeln!(
        text,
        "{near} of {with_peak} heads that have a peak of C sit within a factor 1.5 of it (median β₀/β_peak {}): training put them there. A row is \
         one spin and has no transition; the peak is a crossover.",
        number(ratios.median, 3)
    )
}
