//! Where β starts, or is said to end: β* and the six derivations the page names for it, each as a rule with an answer.

use ceas_sim::beta::Beta;
use serde::Serialize;

use super::defaults::{CRITICAL_SHARE, TARGET_BELOW};
use crate::criticality::{Curve, RandomEnergy, Rows, at_entropy, at_participation, fixed_point, grid};

/// A rule for β. σ is the typical standard deviation of the scores of one row, N = e^(mean ln N).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// 1/√d_head.
    Textbook,
    /// β* = √(2 ln N)/σ with the bare number of keys: the freezing point β_c of a random energy model.
    BareKeys,
    /// β* = √(2H)/σ with N_eff = e^H at the textbook β: the published "final address".
    EffectiveKeys,
    /// The same with H at β* itself: the fixed point, reached by the damped β² ← ½(β² + 2H/σ²).
    FixedPoint,
    /// KL/entropy constraint: KL(p ‖ uniform) = ln N − H = 1.1, the published corridor.
    EntropyDrop,
    /// Extreme-value gap: βσ² = the expected top gap. With σ√(2 ln N) it is β_c; here with the first finite-N correction.
    ExtremeGap,
    /// The same with the measured mean gap of the highest score above the row's mean.
    MeasuredGap,
    /// Free-energy balance: the saddle of −ln Z_annealed/β = −(ln N + β²σ²/2)/β, which is at β_c. The exact free energy has none: its slope is H/β² > 0 at every
    /// β.
    FreeEnergySaddle,
    /// Target entropy: H(β) = 0.55 ln N.
    TargetEntropy,
    /// Variance anneal: the variance of the output weights over keys, (Y₂ − 1/N)/N, such that 1/Y₂ = √N keys take part.
    VarianceAnneal,
    /// Susceptibility: the peak of C = −β dH/dβ, the largest response of the entropy to ln β.
    Susceptibility,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Textbook,
        Self::BareKeys,
        Self::EffectiveKeys,
        Self::FixedPoint,
        Self::EntropyDrop,
        Self::ExtremeGap,
        Self::MeasuredGap,
        Self::FreeEnergySaddle,
        Self::TargetEntropy,
        Self::VarianceAnneal,
        Self::Susceptibility,
    ];

    /// A short name for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Textbook => "textbook 1/√d",
            Self::BareKeys => "β* with N keys (= β_c)",
            Self::EffectiveKeys => "β* with e^H at 1/√d",
            Self::FixedPoint => "β* with e^H, fixed point",
            Self::EntropyDrop => "entropy drop 1.1 nats",
            Self::ExtremeGap => "extreme-value gap",
            Self::MeasuredGap => "measured top gap",
            Self::FreeEnergySaddle => "free-energy saddle",
            Self::TargetEntropy => "target entropy 0.55 ln N",
            Self::VarianceAnneal => "weight variance, √N keys",
            Self::Susceptibility => "susceptibility: peak of C",
        }
    }
}

/// What one rule gives for the rows of a head.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Initial {
    /// The rule.
    pub rule: Rule,
    /// β, or `None` where the rule has no answer for these rows (σ = 0, one key, a target out of reach).
    pub beta: Option<f64>,
    /// H there over the mean ln N.
    pub entropy_share: Option<f64>,
}

/// Points of the grid on which the peak of C is looked for.
const POINTS: usize = 60;

/// Every rule on the rows of a head whose textbook β is `textbook`.
///
/// ```
/// use ceas_mapping::control::{Rule, initial_betas};
/// use ceas_mapping::criticality::Rows;
/// use ceas_sim::beta::Beta;
/// // All scores equal: only the textbook has an answer.
/// let rows = Rows::of_scores([[1.0, 1.0, 1.0]]).unwrap();
/// let rules = initial_betas(&rows, Beta::new(0.25).unwrap());
/// assert_eq!(rules.iter().filter(|r| r.beta.is_some()).count(), 1);
/// assert_eq!((rules[0].rule, rules[0].beta), (Rule::Textbook, Some(0.25)));
/// ```
pub fn initial_betas(rows: &Rows, textbook: Beta) -> Vec<Initial> {
    let ln_n = rows.mean_ln_n();
    let sigma = rows.typical_sigma().filter(|_| ln_n > 0.0);
    let answer = |rule: Rule| -> Option<f64> {
        if rule == Rule::Textbook {
            return Some(textbook.value());
        }
        let sigma = sigma?;
        let beta_c = libm::sqrt(2.0 * ln_n) / sigma;
        match rule {
            Rule::Textbook => None,
            // −(ln N + β²σ²/2)/β has the slope ln N/β² − σ²/2, zero at the same β.
            Rule::BareKeys | Rule::FreeEnergySaddle => Some(beta_c),
            Rule::EffectiveKeys => Some(libm::sqrt(2.0 * rows.mean(textbook).entropy) / sigma),
            Rule::FixedPoint => fixed_point(rows).ok().map(Beta::value),
            Rule::EntropyDrop => at_entropy(rows, ln_n - TARGET_BELOW).ok().map(Beta::value),
            Rule::ExtremeGap => {
                let keys = libm::exp(ln_n).round() as usize;
                Some(RandomEnergy { keys, sigma }.top_score() / (sigma * sigma)).filter(|beta| *beta > 0.0)
            }
            Rule::MeasuredGap => {
                let top = |row: usize| -rows.gaps(row).iter().sum::<f64>() / rows.keys(row) as f64;
                let mean = (0..rows.len()).map(top).sum::<f64>() / rows.len() as f64;
                Some(mean / (sigma * sigma))
            }
            Rule::TargetEntropy => at_entropy(rows, CRITICAL_SHARE * ln_n).ok().map(Beta::value),
            Rule::VarianceAnneal => at_participation(rows, libm::exp(-0.5 * ln_n)).ok().map(Beta::value),
            Rule::Susceptibility => Curve::new(rows, &grid(beta_c, POINTS)).peak().map(|peak| peak.beta.mean),
        }
    };
    Rule::ALL
        .into_iter()
        .map(|rule| {
            let beta = answer(rule).filter(|beta| beta.is_finite());
            let share = beta.and_then(|beta| Beta::new(beta).ok()).map(|beta| rows.mean(beta).entropy / ln_n);
            Initial { rule, beta, entropy_share: share.filter(|share| share.is_finite()) }
        })
        .collect()
}
