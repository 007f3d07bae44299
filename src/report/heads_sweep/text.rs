//! The table of heads and what is found of them.

use std::fmt::Write;

use ceas_npu::mapping::control::defaults::CRITICAL_SHARE;
use ceas_npu::sim::statistics::Estimate;

use super::{SweptHead, SweptHeads, median, over, within};
use crate::report::table::{fixed, number, table, with_error, wrapped};

fn estimate(e: Option<Estimate>) -> String {
    e.map_or("–".into(), |e| with_error(e.mean, e.error))
}

fn ratio(e: Option<Estimate>, by: Option<f64>) -> String {
    match (e, by) {
        (Some(e), Some(by)) if by > 0.0 => with_error(e.mean / by, e.error / by),
        _ => "–".into(),
    }
}

/// The table, then the findings.
pub fn text(answer: &SweptHeads) -> String {
    let columns = [
        "head",
        "n",
        "σ",
        "β₀/β_c",
        "H",
        "C",
        "Y₂",
        "β_peak/β₀",
        "C_peak",
        "H/ln N",
        "rule 2",
        "rule 3",
        "planted",
        "β₁/β₀",
        "in kT",
    ];
    let mut rows = table(&columns, 1);
    for column in rows.column_iter_mut() {
        column.set_padding((0, 1));
    }
    for h in &answer.heads {
        rows.add_row([
            format!("{}.{}", h.layer, h.head),
            h.n.to_string(),
            number(h.sigma.unwrap_or(f64::NAN), 3),
            number(h.beta_c.map_or(f64::NAN, |b| h.beta / b), 3),
            fixed(h.entropy, 2),
            number(h.specific_heat, 3),
            number(h.participation, 2),
            ratio(h.peak.map(|p| p.beta), Some(h.beta)),
            estimate(h.peak.map(|p| p.specific_heat)),
            estimate(h.peak.map(|p| p.entropy_share)),
            ratio(h.by_entropy, h.peak.map(|p| p.beta.mean)),
            ratio(h.by_participation, h.peak.map(|p| p.beta.mean)),
            format!("{:.0} %", 100.0 * h.planted_share),
            number(h.beta_1.map_or(f64::NAN, |b| b / h.beta), 3),
            number(h.keys_within_kt.mean, 3),
        ]);
    }
    format!("{rows}\n\n{}", wrapped(&findings(answer)))
}

fn findings(answer: &SweptHeads) -> String {
    let mut text = String::new();
    let share = |e: Estimate| match e.error.is_finite() {
        true => format!("{:.0} ± {:.0} %", 100.0 * e.mean, 100.0 * e.error),
        false => format!("{} %", fixed(100.0 * e.mean, 0)),
    };
    let ratios = over(&answer.heads, SweptHead::over_peak);
    let null = over(&answer.null, SweptHead::over_peak);
    let h_peak = median(&answer.heads, |h| h.peak.map(|p| p.entropy_share.mean));
    let quantiles = over(&answer.heads, |h| h.peak.map(|p| p.entropy_share.mean));
    let planted: Vec<f64> = answer.heads.iter().map(|h| h.planted_share).collect();
    let rule = |f: fn(&SweptHead) -> Option<f64>| {
        let q = over(&answer.heads, f);
        format!("{} (10–90 % {}–{})", number(q.median, 3), number(q.q10, 3), number(q.q90, 3))
    };
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{} heads of {}, rows with at least {} keys, {} values of β from 0.05 to 5 β_c; errors over blocks of rows (of one text: they do \
         not hold for another).\n\
         Rule 1: peak of the row-averaged C. Rule 2: H = {CRITICAL_SHARE} ln N; rule 3: Y₂ = {}, the value of Gaussian rows of {} keys at their peak; both over \
         rule 1. Planted: rows whose highest key stands out, D > σ√(2 ln N), and the median β₁ at which it takes over. In kT: keys within \
         1/β₀ of the highest.\n",
        answer.heads.len(),
        answer.name(),
        answer.least,
        answer.points,
        number(answer.twin.participation.mean, 3),
        answer.twin.keys,
    );
    let _ = writeln!(
        text,
        "within ×1.5 of the peak of C   {} of the heads ({} within ×1.25; {} heads could be on the other side of ×1.5)\n\
         with random weights            {} of {} heads ({})\n\
         β₀/β_peak                      median {}, 10–90 % {}–{}; random {}\n\
         H/ln N at the peak             median {}, 10–90 % {}–{}; Gaussian rows of {} keys {}\n\
         rule 2 over rule 1             {}\n\
         rule 3 over rule 1             {}\n\
         rows with an outstanding key   {} of all; more than half of the rows in {} heads",
        share(within(&answer.heads, 1.5)),
        share(within(&answer.heads, 1.25)),
        answer.doubtful(),
        share(within(&answer.null, 1.5)),
        answer.null.len(),
        answer.null_is,
        number(ratios.median, 3),
        number(ratios.q10, 3),
        number(ratios.q90, 3),
        number(null.median, 3),
        with_error(h_peak.mean, h_peak.error),
        number(quantiles.q10, 3),
        number(quantiles.q90, 3),
        answer.twin.keys,
        with_error(answer.twin.entropy_share.mean, answer.twin.entropy_share.error),
        rule(|h| Some(h.by_entropy?.mean / h.peak?.beta.mean)),
        rule(|h| Some(h.by_participation?.mean / h.peak?.beta.mean)),
        share(Estimate::of_independent(&planted)),
        answer.heads.iter().filter(|h| h.planted_share > 0.5).count(),
    );
    let _ = writeln!(
        text,
        "\nA row is one spin: no thermodynamic limit, hence no transition and no Binder cumulant; the peak is a crossover. For coupled spins see ceas sweep \
         without --heads.\n\ntime {:.2} s",
        answer.seconds
    );
    text
}
