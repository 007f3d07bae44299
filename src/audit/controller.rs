//! The controller's formulas, its thresholds, and what trained heads make of them.

use ceas_mapping::attention::{Quantiles, textbook_beta};
use ceas_mapping::control::defaults::{self, SCALES};
use ceas_mapping::control::{Gain, Outcome, Source, Target, Tolerance, Variant, run};
use ceas_mapping::criticality::{Curve, RandomEnergy, Rows, fixed_point, gaussian_rows, grid};
use ceas_mapping::heads::HeadSet;
use ceas_sim::beta::Beta;

use super::{Claim, Verdict, digits};

/// Numbers of keys at which positions are given: short, MiniLM, GPT-2, a long context.
const KEYS: [usize; 4] = [64, 256, 2048, 131_072];

/// Every claim about the controller.
pub fn claims(heads: &HeadSet) -> Result<Vec<Claim>, Box<dyn std::error::Error + Send + Sync>> {
    let mut all = Vec::new();
    all.push(identity()?);
    all.push(initialiser()?);
    all.extend(gains());
    all.extend(targets(heads)?);
    all.extend(positions());
    all.extend(gates(heads)?);
    Ok(all)
}

/// dH/dβ = −β Var, on Gaussian rows, by differences.
fn identity() -> Result<Claim, Box<dyn std::error::Error + Send + Sync>> {
    let rows = gaussian_rows(256, 50, 1)?;
    let at = |b: f64| Beta::new(b).map(|b| rows.mean(b));
    let (b, h) = (0.9, 1e-3);
    let slope = (8.0 * (at(b + h)?.entropy - at(b - h)?.entropy)
        - (at(b + 2.0 * h)?.entropy - at(b - 2.0 * h)?.entropy))
        / (12.0 * h);
    let exact = -b * at(b)?.variance;
    Ok(Claim {
        topic: "controller",
        claim: "β_new = β + (H − H_t)/(β Var + ε) is Newton's step".into(),
        formula: "dH/dβ = −β Var_p[s]",
        ours: format!(
            "relative difference {:.0e} by finite differences",
            (slope / exact - 1.0).abs().max(1e-12)
        ),
        verdict: Verdict::of((slope / exact - 1.0).abs() < 1e-7),
        reason: "identity and sign are right; units too".into(),
    })
}

/// β* with bare N, and with e^H.
fn initialiser() -> Result<Claim, Box<dyn std::error::Error + Send + Sync>> {
    let rows = gaussian_rows(256, 400, 1)?;
    let beta_c = RandomEnergy { keys: 256, sigma: 1.0 }.beta_c();
    let fixed = fixed_point(&rows)?.value();
    let peak = Curve::new(&rows, &grid(beta_c, 80)).peak().map_or(f64::NAN, |p| p.beta.mean);
    Ok(Claim {
        topic: "controller",
        claim: "β* = √(2 ln N_eff)/σ with N_eff = e^H is a closed form (\"final address\")".into(),
        formula: "βσ = √(2 H(β)), Gaussian rows, N = 256",
        ours: format!("fixed point {:.3} β_c; peak of C {:.3} β_c", fixed / beta_c, peak / beta_c),
        verdict: Verdict::Inconsistent,
        reason: "H depends on β: it is an equation, whose iteration is a neutral cycle for Gaussian rows; with N keys it is Derrida's β_c. Its fixed point lies near the \
                 peak of C"
            .into(),
    })
}

fn gains() -> Vec<Claim> {
    SCALES
        .iter()
        .map(|scale| {
            let gain = Gain::published(scale);
            Claim {
                topic: "controller",
                claim: format!(
                    "{}: κ(t) = {} e^(−t/τ) + 1 relaxes faster",
                    scale.published_name, scale.kappa_max
                ),
                formula: "error × (1 − κ) per step: stable for 0 < κ < 2",
                ours: format!(
                    "κ(0) = {:.1}; above 2 for {} steps",
                    gain.at(0),
                    gain.stable_from().map_or("all".into(), |t| t.to_string())
                ),
                verdict: Verdict::Inconsistent,
                reason: format!("limit cycles, bounded by the clip of {} alone; needs κ(0) ≤ 1", scale.clip),
            }
        })
        .collect()
}

/// What the published targets do to trained heads.
fn targets(heads: &HeadSet) -> Result<Vec<Claim>, Box<dyn std::error::Error + Send + Sync>> {
    let variants = Variant::all(&SCALES[1], Target::PUBLISHED, Source::Exact);
    let start = textbook_beta(heads.d_head());
    let mut counts = [0usize; 4];
    let mut total = 0;
    let mut most = 0;
    for layer in 0..heads.layers() {
        for head in 0..heads.heads() {
            let rows = Rows::of_head(&heads.head(layer, head), 2.min(heads.n_keys()))?;
            let outcome = |which: usize, steps: usize| {
                run(&rows, variants[which].control, start, steps, Tolerance(5e-3), (1, 0)).map(|t| t.outcome)
            };
            total += 1;
            counts[0] += usize::from(matches!(outcome(0, 40)?, Outcome::LimitCycle { .. }));
            counts[1] += usize::from(matches!(outcome(2, 40)?, Outcome::Runaway { .. }));
            if let Outcome::Converged { steps } = outcome(Variant::CORRECTED, 10)? {
                counts[2] += 1;
                most = most.max(steps);
            }
        }
    }
    Ok(vec![
        Claim {
            topic: "controller",
            claim: "the thermostat keeps H inside its corridor".into(),
            formula: "published step, gain, clip (14.4M) and target ln N − 1.1 on trained heads",
            ours: format!(
                "{} of {total} heads cycle; the step in β² holds {} in ≤ {most} steps",
                counts[0], counts[2]
            ),
            verdict: Verdict::Inconsistent,
            reason: "the gain schedule cycles on trained heads; the idea itself is sound".into(),
        },
        Claim {
            topic: "controller",
            claim: "H_target = ln N_eff − 1.1, N_eff = e^H".into(),
            formula: "H_t = H − 1.1",
            ours: format!("{} of {total} heads run away", counts[1]),
            verdict: Verdict::Inconsistent,
            reason: "the target stays below H at every β; it needs N or a frozen reference".into(),
        },
        Claim {
            topic: "controller",
            claim: "freeze heads with H ≤ ln N_eff − 0.9".into(),
            formula: "target ln N − 1.1 < ln N − 0.9",
            ours: format!(
                "target {} nats inside the band",
                digits(defaults::TARGET_BELOW - defaults::FREEZE_BELOW, 2)
            ),
            verdict: Verdict::Inconsistent,
            reason:
                "with N keys every head at its target is frozen w steps later; with N_eff = e^H none ever is"
                    .into(),
        },
    ])
}

/// Where corridor, margin and gates lie on the scale of β_c.
fn positions() -> Vec<Claim> {
    let list = |f: &dyn Fn(f64) -> f64| {
        let values = KEYS.map(|n| format!("{:.3}", f(libm::log(n as f64))));
        values.join(", ")
    };
    let corridor = list(&|ln_n| libm::sqrt(2.0 * defaults::TARGET_BELOW) / libm::sqrt(2.0 * ln_n));
    let margin = SCALES[2].u_min;
    let near = list(&|ln_n| (1.0 - (1.0 - margin).powi(2)) * ln_n);
    let gate = |t: f64| list(&|ln_n| t / (2.0 * ln_n));
    vec![
        Claim {
            topic: "corridor",
            claim: "the corridor ln N − 1.1 is the critical region, more so with scale".into(),
            formula: "H = ln N − β²σ²/2 ⇒ β/β_c = √(1.1/ln N)",
            ours: format!("β/β_c = {corridor} at N = 64, 256, 2048, 131072"),
            verdict: Verdict::Inconsistent,
            reason:
                "it moves away from β_c as N grows; the peak of C is at 0.57 to 0.51 ln N for N = 16 to 16384"
                    .into(),
        },
        Claim {
            topic: "corridor",
            claim: format!("β is held at least u_min = {margin} from β_c, and near it"),
            formula: "H(β_c(1 − u)) = (1 − (1−u)²) ln N",
            ours: format!("H = {near} nats there"),
            verdict: Verdict::Inconsistent,
            reason: "not the corridor ln N − 1.1; and a β below β_c may never cross it".into(),
        },
        Claim {
            topic: "gates",
            claim: "T = βσ√(2 ln N_eff) is a temperature gap; gate 1.05–1.8".into(),
            formula: "T = 2 ln N · β/β_c at N_eff = N",
            ours: format!("T = 1.05: β/β_c = {}; 1.8: {}", gate(1.05), gate(1.8)),
            verdict: Verdict::Inconsistent,
            reason: "it is the expected top logit; its gate sinks to β = 0 as N grows".into(),
        },
        Claim {
            topic: "gates",
            claim: "q = 0.55 prunes about 45 % of the tokens".into(),
            formula: "1 − q, if the threshold lets nothing else pass",
            ours: format!("{:.0} %", 100.0 * (1.0 - defaults::KEEP_FIRST)),
            verdict: Verdict::Holds,
            reason: "as arithmetic; but tokens above T_gate are kept too, see below".into(),
        },
    ]
}

/// What the published gate prunes of trained heads.
fn gates(heads: &HeadSet) -> Result<Vec<Claim>, Box<dyn std::error::Error + Send + Sync>> {
    let beta = textbook_beta(heads.d_head());
    let mut scores = Vec::new();
    for layer in 0..heads.layers() {
        for head in 0..heads.heads() {
            let rows = Rows::of_head(&heads.head(layer, head), 1)?;
            scores.extend(
                (0..rows.len()).map(|row| {
                    beta.value() * rows.sigma(row) * libm::sqrt(2.0 * rows.state(row, beta).entropy)
                }),
            );
        }
    }
    let share = |t: f64| 100.0 * scores.iter().filter(|x| **x < t).count() as f64 / scores.len() as f64;
    let quantiles = Quantiles::of(scores.iter().copied());
    Ok(vec![Claim {
        topic: "gates",
        claim: "T ≥ T_gate or top q prunes ~45 % at first, less later".into(),
        formula: "T of every query of the bundled heads at 1/√d",
        ours: format!(
            "T: median {:.1}, 10–90 % {:.1}–{:.1}; below 1.8: {:.1} %, below 1.02: {:.1} %",
            quantiles.median,
            quantiles.q10,
            quantiles.q90,
            share(1.8),
            share(1.02)
        ),
        verdict: Verdict::Inconsistent,
        reason: "nearly every query of trained heads passes the threshold: the gate hardly closes".into(),
    }])
}
