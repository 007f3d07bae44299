//! The table and the summary for people.

use std::fmt::Write;

use ceas_npu::mapping::attention::{HeadReport, Quantiles, Ramp, Sampler, Start};

use super::Attended;
use crate::report::table::{fixed, number, table, with_error, wrapped};

/// The table, the summary, and what an unflattering reader should know.
pub fn text(answer: &Attended) -> String {
    let heads = [
        "head", "n", "β", "H", "N_eff", "σ", "β*", "β_c", "C", "error %", "law %", "KL", "τ_int", "S 10 %",
        "S 5 %", "S 1 %",
    ];
    let mut rows = table(&heads, 1);
    for column in rows.column_iter_mut() {
        column.set_padding((0, 1));
    }
    for head in &answer.heads {
        rows.add_row(cells(&head.report));
    }
    format!("{rows}\n\n{}", summary(answer))
}

fn cells(head: &HeadReport) -> [String; 16] {
    let percent = |x: f64, error: f64| {
        if x.is_finite() { with_error(100.0 * x, 100.0 * error) } else { "–".into() }
    };
    [
        format!("{}.{}", head.layer, head.head),
        head.n.to_string(),
        number(head.beta, 3),
        fixed(head.entropy, 2),
        number(head.n_eff, 3),
        number(head.sigma, 3),
        number(head.beta_star, 3),
        number(head.beta_c, 3),
        number(head.specific_heat, 3),
        percent(head.rel_error, head.rel_error_error),
        number(100.0 * head.rel_error_predicted, 3),
        number(head.kl, 2),
        if head.tau_int_error > 0.0 {
            with_error(head.tau_int, head.tau_int_error)
        } else {
            fixed(head.tau_int, 1)
        },
        count(head.samples_10_percent),
        count(head.samples_5_percent),
        count(head.samples_1_percent),
    ]
}

/// A count of samples, shortened where it is long.
fn count(x: f64) -> String {
    match x {
        x if !x.is_finite() => "–".into(),
        x if x < 1e4 => format!("{x:.0}"),
        x if x < 1e6 => format!("{}k", number(x / 1e3, 3)),
        x => format!("{}M", number(x / 1e6, 3)),
    }
}

/// Whole numbers with spaces between the thousands.
fn grouped(x: u64) -> String {
    let digits = x.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn summary(answer: &Attended) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = what_was_run(answer, &mut text)
        .and_then(|()| against_the_law(answer, &mut text))
        .and_then(|()| what_it_takes(answer, &mut text))
        .and_then(|()| where_the_heads_sit(answer, &mut text));
    wrapped(&text)
}

fn what_was_run(answer: &Attended, text: &mut String) -> std::fmt::Result {
    let s = answer.sampling.samples;
    let heads = answer.heads.len();
    let tokens = answer.heads.iter().map(|head| head.report.n).max().unwrap_or(0);
    let queries = answer.shown.sample.rows.len();
    writeln!(
        text,
        "{heads} heads of {} × {queries} queries over {tokens} keys; S = {} read-outs per query; seed {}.",
        answer.model_name(),
        grouped(s.get().into()),
        answer.sampling.seed
    )?;
    match answer.beta {
        Some(beta) if answer.beta_source == "textbook" => writeln!(text, "β = 1/√d_head = {beta:.5}.")?,
        Some(beta) => writeln!(text, "β = {beta} for every head.")?,
        None => writeln!(text, "β per head from {}.", answer.beta_source)?,
    }
    let how = match answer.sampling.sampler {
        Sampler::Race => "race: all states of a spin draw a clock at rate e^(βs), and the first to flip wins.".into(),
        Sampler::HeatBath => "heat-bath: each read-out is a fresh draw from the row's law.".into(),
        Sampler::Law => {
            "law: a DIGITAL SHORTCUT. The S counts of a row are drawn at once from their multinomial law; no spin is \
             touched, so there is no activity to price."
                .into()
        }
        Sampler::Metropolis(dynamics) => {
            let from = match dynamics.from {
                Start::At(beta) => format!("{}", beta.value()),
                Start::Fraction(fraction) => format!("{fraction} β"),
            };
            let ramp = match dynamics.ramp {
                Ramp::Constant => format!("after {} sweeps at β", dynamics.sweeps),
                Ramp::Linear => format!("annealed linearly from {from} to β in {} sweeps", dynamics.sweeps),
                Ramp::Geometric => format!("annealed geometrically from {from} to β in {} sweeps", dynamics.sweeps),
            };
            format!("metropolis: one chain per query, {ramp}, then read out every {} sweep(s).", dynamics.interval)
        }
    };
    writeln!(text, "Sampler {how}")?;
    let activity = answer.summary.activity;
    if let Some(rate) = answer.attempts_per_ns() {
        writeln!(
            text,
            "{} attempts, {} flips, {} random bits, {} field writes, {} bits read out, {} decoder additions; {:.2} s with \
             everything exact beside them, {rate:.3} attempts/ns.",
            grouped(activity.attempts),
            grouped(activity.flips),
            grouped(activity.random_bits),
            grouped(activity.field_writes),
            grouped(activity.read_outs),
            grouped(activity.decoder_adds),
            answer.seconds
        )?;
    } else {
        writeln!(text, "No attempts, flips or read-outs; {:.2} s.", answer.seconds)?;
    }
    writeln!(text)
}

fn against_the_law(answer: &Attended, text: &mut String) -> std::fmt::Result {
    let summary = &answer.summary;
    let formula =
        if answer.dynamics().is_some() { "√(2τ_int V/S)/|o|, τ_int exact" } else { "√(V/S)/|o|" };
    if summary.error_ratio.mean.is_finite() {
        writeln!(
            text,
            "Output error, measured over predicted {formula}: {}; squared {}, {:+.1}σ from 1.",
            with_error(summary.error_ratio.mean, summary.error_ratio.error),
            with_error(summary.variance_ratio.mean, summary.variance_ratio.error),
            summary.variance_ratio_z
        )?;
    } else {
        writeln!(text, "No row has an output error: each has one key that matters, or values of 0.")?;
    }
    if let Some(z) = summary.ln_z_deviation {
        writeln!(
            text,
            "ln Z from race times minus the exact one, in units of its error, mean over all rows: {}, {:+.1}σ from 0.",
            with_error(z.mean, z.error),
            z.mean / z.error
        )?;
    }
    if summary.kl_over_expected.is_finite() {
        writeln!(
            text,
            "KL of the empirical rows over its expectation, rare keys included: {:.3}; the usual (K − 1)/2S, which counts every key \
             as often seen, is {:.2} × that expectation.",
            summary.kl_over_expected,
            answer.heads.iter().map(|h| h.report.kl_asymptotic).sum::<f64>()
                / answer.heads.iter().map(|h| h.report.kl_expected).sum::<f64>()
        )?;
    }
    if let Some(residual) = answer.residual() {
        let worst = answer
            .heads
            .iter()
            .filter_map(|h| h.relaxation.as_ref().map(|r| (r.residual(), &h.report)))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        write!(text, "Total variation from the law left after the schedule (exact): mean {residual:.2e}")?;
        if let Some((worst, head)) = worst {
            write!(text, ", worst head {}.{} {worst:.2e}", head.layer, head.head)?;
        }
        writeln!(text, ".")?;
        if let (Some(quench), Some(shown)) = (answer.shown.quench_residual, &answer.shown.relaxation) {
            writeln!(
                text,
                "Head {}: the schedule leaves {:.2e}, a quench of as many sweeps {quench:.2e}. No barrier separates the states of one \
                 spin, so that only time spent at β brings it nearer; annealing is for coupled spins.",
                answer.shown_name(),
                shown.residual()
            )?;
        }
        writeln!(
            text,
            "τ_int of the score in read-outs over the heads: {}; 2τ_int read-outs count as one.",
            line(summary.tau_int, |x| number(x, 3))
        )?;
    }
    writeln!(text)
}

fn what_it_takes(answer: &Attended, text: &mut String) -> std::fmt::Result {
    let summary = &answer.summary;
    writeln!(
        text,
        "                            min   10 %  median   90 %    max   (quantiles over the heads)"
    )?;
    let mut row = |name: &str, q: Quantiles, show: &dyn Fn(f64) -> String| {
        writeln!(
            text,
            "{name:<24}{:>7}{:>7}{:>8}{:>7}{:>7}",
            show(q.min),
            show(q.q10),
            show(q.median),
            show(q.q90),
            show(q.max)
        )
    };
    row("error now, %", summary.rel_error, &|x| number(100.0 * x, 3))?;
    row("S for 10 %", summary.samples_10_percent, &count)?;
    row("S for 5 %", summary.samples_5_percent, &count)?;
    row("S for 1 %", summary.samples_1_percent, &count)?;
    row("N_eff", summary.n_eff, &|x| number(x, 3))?;
    row("β/β_c", summary.beta_over_beta_c, &|x| number(x, 3))?;
    row("β/β at peak of C", summary.beta_over_beta_peak, &|x| number(x, 3))?;
    writeln!(text)
}

fn where_the_heads_sit(answer: &Attended, text: &mut String) -> std::fmt::Result {
    let summary = &answer.summary;
    let s = f64::from(answer.sampling.samples.get());
    let within = |limit: f64| answer.heads.iter().filter(|h| h.report.rel_error_predicted <= limit).count();
    let near = answer
        .heads
        .iter()
        .filter(|h| (h.report.beta / h.report.beta_peak).ln().abs() <= 1.5f64.ln())
        .count();
    let limit = if answer.dynamics().is_some() {
        "Independent draws (race, heat-bath) need 2τ_int times fewer; no one who draws independently does better than √(V/S)."
    } else {
        "No sampler that draws states independently does better: the law √(V/S) has no constant to tune."
    };
    writeln!(
        text,
        "Plainly: with S = {} the median head is {} % off; {} of {} heads are within 5 %, {} within 1 %. The median head needs {} \
         read-outs per query for 5 % and {} for 1 %. {limit} A digital softmax gets the exact row for one normalisation.",
        grouped(s as u64),
        number(100.0 * summary.rel_error.median, 2),
        within(0.05),
        answer.heads.len(),
        within(0.01),
        count(summary.samples_5_percent.median),
        count(summary.samples_1_percent.median),
    )?;
    writeln!(
        text,
        "{near} of {} heads run within a factor 1.5 of the peak of their specific heat (a crossover: a finite row has no \
         transition).",
        answer.heads.len()
    )
}

fn line(q: Quantiles, show: impl Fn(f64) -> String) -> String {
    format!("median {} (10–90 % {}–{}, max {})", show(q.median), show(q.q10), show(q.q90), show(q.max))
}
