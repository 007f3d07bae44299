//! GPU-hours, dollars, and the number of GPUs for the same time.

use super::{Claim, Verdict, digits};

/// "Effective training throughput = 200 TFLOP/s per GPU".
const FLOPS: f64 = 200e12;
/// "$5 / GPU-hour".
const DOLLARS: f64 = 5.0;

/// Parameters, tokens, GPU-hours claimed, dollars claimed at 𝓛 = 1, 2, 5, 10.
struct Model {
    name: &'static str,
    parameters: Option<f64>,
    tokens: f64,
    hours: f64,
    dollars: [f64; 4],
}

const MODELS: [Model; 5] = [
    Model {
        name: "GPT-1",
        parameters: Some(117e6),
        tokens: 1e9,
        hours: 1458.0,
        dollars: [7.3e3, 3.65e3, 1.46e3, 730.0],
    },
    Model {
        name: "GPT-2",
        parameters: Some(1.5e9),
        tokens: 1e10,
        hours: 12_500.0,
        dollars: [62.5e3, 31.25e3, 12.5e3, 6.25e3],
    },
    Model {
        name: "GPT-3",
        parameters: Some(175e9),
        tokens: 3e11,
        hours: 437_500.0,
        dollars: [2.19e6, 1.09e6, 0.44e6, 0.22e6],
    },
    Model {
        name: "GPT-4-class",
        parameters: None,
        tokens: 5e12,
        hours: 9.17e6,
        dollars: [45.8e6, 22.9e6, 9.17e6, 4.58e6],
    },
    Model {
        name: "GPT-5-class",
        parameters: None,
        tokens: 1e13,
        hours: 83.3e6,
        dollars: [416.7e6, 208.3e6, 83.3e6, 41.7e6],
    },
];

/// Name, base count, minimum, 𝓛, claimed.
const SAME_TIME: [(&str, f64, f64, f64, u64); 6] = [
    ("GPT-3", 512.0, 48.0, 5.0, 128),
    ("GPT-3", 512.0, 48.0, 10.0, 64),
    ("GPT-4-class", 1024.0, 60.0, 5.0, 205),
    ("GPT-4-class", 1024.0, 60.0, 10.0, 103),
    ("GPT-5-class", 4096.0, 273.0, 5.0, 819),
    ("GPT-5-class", 4096.0, 273.0, 10.0, 410),
];

/// 6ND operations in hours of one GPU.
fn hours(parameters: f64, tokens: f64) -> f64 {
    6.0 * parameters * tokens / FLOPS / 3600.0
}

/// Every claim about compute.
pub fn claims() -> Vec<Claim> {
    let mut all: Vec<Claim> = MODELS.iter().map(gpu_hours).collect();
    all.extend(MODELS.iter().map(dollars));
    all.extend(SAME_TIME.iter().map(|&(name, base, least, factor, claimed)| {
        let exact = (base / factor).max(least).ceil() as u64;
        Claim {
            topic: "GPUs for the same time",
            claim: format!("{name}, {base} GPUs, 𝓛 = {factor}: {claimed}"),
            formula: "⌈max(G_min, G/𝓛)⌉",
            ours: exact.to_string(),
            verdict: Verdict::of(exact == claimed),
            reason: match exact.abs_diff(claimed) {
                0 => "the formula".into(),
                1 => "rounded down where the formula rounds up".into(),
                _ => format!("{claimed} = {base}/{}", digits(base / claimed as f64, 3)),
            },
        }
    }));
    all.push(Claim {
        topic: "token savings 𝓛",
        claim: "𝓛 = 2, 5, 10 arises empirically, observed across small, medium and large models".into(),
        formula: "none",
        ours: "–".into(),
        verdict: Verdict::Untestable,
        reason: "no run is given; 2 to 10 is also not 1/(1 − 0.2…0.7) = 1.25 to 3.3 of the savings tables"
            .into(),
    });
    all
}

fn gpu_hours(model: &Model) -> Claim {
    let claim = format!("{}, {:.0e} tokens: {} GPU-hours", model.name, model.tokens, group(model.hours));
    let formula = "6·N·D / (200 TFLOP/s · 3600 s)";
    match model.parameters {
        Some(n) => {
            let exact = hours(n, model.tokens);
            let ratio = model.hours / exact;
            Claim {
                topic: "GPU-hours",
                claim,
                formula,
                ours: digits(exact, 4),
                verdict: Verdict::of((ratio - 1.0).abs() < 0.01),
                reason: if (ratio - 1.0).abs() < 0.01 {
                    "the formula".into()
                } else {
                    format!(
                        "claimed is × {}: right for {} parameters",
                        digits(ratio, 4),
                        scientific(n * ratio)
                    )
                },
            }
        }
        None => Claim {
            topic: "GPU-hours",
            claim,
            formula,
            ours: format!("implies N = {}", scientific(model.hours * 3600.0 * FLOPS / (6.0 * model.tokens))),
            verdict: Verdict::Untestable,
            reason: "the number of parameters is not stated".into(),
        },
    }
}

fn dollars(model: &Model) -> Claim {
    let factors = [1.0, 2.0, 5.0, 10.0];
    let exact = factors.map(|f| model.hours * DOLLARS / f);
    let off = exact.iter().zip(&model.dollars).map(|(a, b)| (b / a - 1.0).abs()).fold(0.0, f64::max);
    Claim {
        topic: "dollars",
        claim: format!(
            "{}: ${} … ${} at 𝓛 = 1 … 10",
            model.name,
            scientific(model.dollars[0]),
            scientific(model.dollars[3])
        ),
        formula: "claimed GPU-hours · $5 / 𝓛",
        ours: format!("${} … ${}", scientific(exact[0]), scientific(exact[3])),
        verdict: Verdict::of(off < 0.01),
        reason: if off < 0.01 {
            "follows from the claimed hours, whatever those are".into()
        } else {
            format!("off by {:.1} %", 100.0 * off)
        },
    }
}

/// 437500 as 437 500.
fn group(x: f64) -> String {
    let digits = format!("{x:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Three digits with k, M, G, T.
fn scientific(x: f64) -> String {
    let (scaled, letter) = match x {
        x if x >= 1e12 => (x / 1e12, "T"),
        x if x >= 1e9 => (x / 1e9, "G"),
        x if x >= 1e6 => (x / 1e6, "M"),
        x if x >= 1e3 => (x / 1e3, "k"),
        x => (x, ""),
    };
    format!("{}{letter}", digits(scaled, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_those_of_the_formula() {
        assert!((hours(175e9, 3e11) - 437_500.0).abs() < 1e-6);
        assert!((hours(117e6, 1e9) - 0.975).abs() < 1e-12 && (hours(1.5e9, 1e10) - 125.0).abs() < 1e-9);
        let found = claims();
        let wrong: Vec<&str> =
            found.iter().filter(|c| c.verdict == Verdict::Inconsistent).map(|c| c.claim.as_str()).collect();
        assert_eq!(wrong.len(), 5, "{wrong:?}");
    }
}
