//! The page's other knobs: learning rate, batch size, weight decay, scale of the weights, and those without a formula.

use ceas_mapping::attention::{Quantiles, textbook_beta};
use ceas_mapping::control::defaults::{SCALES, TARGET_BELOW};
use ceas_mapping::control::knobs::{initial_std, std_at_entropy, weight_decay};
use ceas_mapping::criticality::{Rows, null_heads};

use super::{Claim, Verdict, digits};

const TOPIC: &str = "other knobs";

/// ρ from and to, as published.
const RATIO: [f64; 2] = [0.02, 0.08];

/// Every claim about knobs beside β.
pub fn claims(seed: u64) -> Result<Vec<Claim>, Box<dyn std::error::Error + Send + Sync>> {
    let mut all = vec![learning_rate(), damping(), batch(), decay()];
    all.push(initial(seed)?);
    all.extend(without_formula());
    Ok(all)
}

fn learning_rate() -> Claim {
    Claim {
        topic: TOPIC,
        claim: "η ← η exp(κ_η(ρ* − ρ)) keeps ρ = η λ_max in 0.02–0.08".into(),
        formula: "λ_max fixed: error of ln η × (1 − κ_η ρ*) per step",
        ours: format!("stable for κ_η < {:.0} to {:.0}", 2.0 / RATIO[0], 2.0 / RATIO[1]),
        verdict: Verdict::Holds,
        reason: "it arrives while λ_max stands still; κ_η is not stated".into(),
    }
}

fn damping() -> Claim {
    // Heavy ball z² − (1 + μ − ρ)z + μ has a double root at ρ = (1 − √μ)².
    let momentum = RATIO.map(|ratio| (1.0 - ratio.sqrt()).powi(2));
    Claim {
        topic: TOPIC,
        claim: "ρ = 0.02–0.08 is a critical-damping target".into(),
        formula: "heavy ball is critically damped at ρ = (1 − √μ)²",
        ours: format!(
            "μ = {:.2} to {:.2}; μ = 0.9 would need ρ = {:.4}",
            momentum[0],
            momentum[1],
            (1.0 - 0.9f64.sqrt()).powi(2)
        ),
        verdict: Verdict::Untestable,
        reason: "no momentum is stated; without one there is no critical damping, only the limit ρ = 2"
            .into(),
    }
}

fn batch() -> Claim {
    Claim {
        topic: TOPIC,
        claim: "B ← B exp(κ_B(g/g* − 1)) keeps the gradient noise at g*".into(),
        formula: "g ∝ 1/B: error of ln B × (1 − κ_B) per step",
        ours: "stable for κ_B < 2".into(),
        verdict: Verdict::Holds,
        reason: "it arrives; κ_B and g* are not stated".into(),
    }
}

/// ln σ of weights that grow by 0.01 a step, 0.2 below their target.
fn decay() -> Claim {
    let (mut decay, mut entropy) = (0.01, -0.2);
    for _ in 0..200 {
        decay = weight_decay(decay, entropy, 0.0, 0.02);
        entropy += 0.01 - decay;
    }
    Claim {
        topic: TOPIC,
        claim: "λ_wd ← λ_wd + κ_λ(H* − H(θ)) keeps the parameter entropy in its band".into(),
        formula: "Gaussian weights: H = ln σ + const, d ln σ = growth − λ_wd",
        ours: format!("0.2 nats below target becomes {} in 200 steps", digits(-entropy, 2)),
        verdict: Verdict::Inconsistent,
        reason: "decay lowers H, so the sign is the wrong way round; turned, it integrates an integral and swings unless a term in dH/dt damps it".into(),
    }
}

/// T of random heads whose weights have the width that the formula gives for the first published gate.
fn initial(seed: u64) -> Result<Claim, Box<dyn std::error::Error + Send + Sync>> {
    let (hidden, keys, d) = (384, 102, 32);
    let wanted = SCALES[1].gate_first;
    let std = initial_std(hidden, keys, wanted).unwrap_or(f64::NAN);
    let set = null_heads(8, keys, d, hidden, std, seed)?;
    let beta = textbook_beta(d);
    let mut found = Vec::new();
    for head in 0..set.heads() {
        let rows = Rows::of_head(&set.head(0, head), 1)?;
        found.extend(
            (0..rows.len())
                .map(|row| beta.value() * rows.sigma(row) * libm::sqrt(2.0 * rows.state(row, beta).entropy)),
        );
    }
    let corridor = std_at_entropy(hidden, keys, libm::log(keys as f64) - TARGET_BELOW).unwrap_or(f64::NAN);
    Ok(Claim {
        topic: TOPIC,
        claim: "weights can be drawn so that T = βσ√(2 ln N_eff) starts at a target T*".into(),
        formula: "βσ = σ_w² · width; T² = 2(βσ)² ln N − (βσ)⁴",
        ours: format!(
            "T* = {wanted}, width {hidden}, N = {keys}: σ_w = {}; random heads: T = {} (median)",
            digits(std, 3),
            digits(Quantiles::of(found).median, 3)
        ),
        verdict: Verdict::Holds,
        reason: format!(
            "T* is not stated; the corridor ln N − 1.1 is σ_w = {}, a T of {}",
            digits(corridor, 3),
            digits(libm::sqrt(2.0 * TARGET_BELOW * 2.0 * (libm::log(keys as f64) - TARGET_BELOW)), 3)
        ),
    })
}

fn without_formula() -> Vec<Claim> {
    let claim = |claim: &str, reason: &str| Claim {
        topic: TOPIC,
        claim: claim.into(),
        formula: "none",
        ours: "–".into(),
        verdict: Verdict::Untestable,
        reason: reason.into(),
    };
    vec![
        claim(
            "label smoothing and dropout p ← sched(t) cap mutual information",
            "no schedule and no cap is given",
        ),
        claim(
            "heads, d_k, d_ff, d_model chosen by a trade-off of cost and corridor utility",
            "neither the catalogue nor the utility is given",
        ),
        claim(
            "a PI controller on activation parameters holds H(f(x))",
            "neither the parameters nor the gains are given",
        ),
        claim(
            "the position scheme is picked by the same criterion",
            "no utility is given; it would have to be measured in training",
        ),
    ]
}
