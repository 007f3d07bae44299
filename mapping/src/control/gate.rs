//! Gating: which queries are worked on, which heads are frozen, and what that saves and costs.

use ceas_sim::activity::Activity;
use serde::Serialize;

use super::defaults::{
    BACK_OFF_GATE, BACK_OFF_KAPPA, BACK_OFF_SIGMAS, BACK_OFF_STEPS, KEEP_FIRST, KEEP_LAST, KEEP_STEPS, Scale,
};
use crate::attention::{HeadSample, RowSample};
use crate::heads::Head;

/// By what a query is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenScore {
    /// T = βσ√(2 ln N_eff), N_eff = e^H: published. Called a temperature gap, it is the expected top logit: 2 ln N · β/β_c at N_eff = N.
    Published,
    /// β/β_c = βσ/√(2 ln N): 1 at the freezing point.
    OverBetaC,
    /// C = β² Var.
    SpecificHeat,
}

impl TokenScore {
    /// The score of one row; 0 for a row without a choice (one key, or equal scores).
    pub fn of(self, row: &RowSample) -> f64 {
        let (beta, sigma) = (row.row.law.beta().value(), row.row.sigma);
        let ln_n = libm::log(row.row.spin.states() as f64);
        if ln_n == 0.0 {
            return 0.0;
        }
        match self {
            Self::Published => published_score(beta, sigma, row.row.law.entropy()),
            Self::OverBetaC => beta * sigma / libm::sqrt(2.0 * ln_n),
            Self::SpecificHeat => row.row.law.specific_heat(),
        }
    }
}

/// T = βσ√(2H), the published score of a row.
pub(super) fn published_score(beta: f64, sigma: f64, entropy: f64) -> f64 {
    beta * sigma * libm::sqrt(2.0 * entropy)
}

/// T_gate(t) = T_max − (T_max − T_∞)(1 − e^(−t/τ_T)).
pub fn threshold(scale: &Scale, t: u64) -> f64 {
    let tau = 0.5 * (scale.tau_gate[0] + scale.tau_gate[1]);
    scale.gate_first - (scale.gate_first - scale.gate_last) * (1.0 - libm::exp(-(t as f64) / tau))
}

/// q(t): the share of tokens kept by rank, from 0.55 to 0.75 over 2000 steps. The page gives the ends only; between them it is linear here.
pub fn top_share(t: u64) -> f64 {
    KEEP_FIRST + (KEEP_LAST - KEEP_FIRST) * (t as f64 / KEEP_STEPS).min(1.0)
}

/// Which queries of a head are kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GateRule {
    /// By what they are judged.
    pub score: TokenScore,
    /// Kept at or above this …
    pub threshold: f64,
    /// … or if among this share of highest scores.
    pub top_share: f64,
    /// m_min: kept at least.
    pub least: usize,
}

impl GateRule {
    /// Which of the scores given are kept. Equal scores are kept in the order given.
    ///
    /// ```
    /// use ceas_mapping::control::{GateRule, TokenScore};
    /// let rule = GateRule { score: TokenScore::Published, threshold: 2.0, top_share: 0.25, least: 1 };
    /// assert_eq!(rule.keep(&[1.0, 3.0, 0.5, 1.5]), [false, true, false, false]);
    /// assert_eq!(GateRule { top_share: 0.5, ..rule }.keep(&[1.0, 3.0, 0.5, 1.5]), [false, true, false, true]);
    /// ```
    pub fn keep(&self, scores: &[f64]) -> Vec<bool> {
        let mut kept: Vec<bool> = scores.iter().map(|&score| score >= self.threshold).collect();
        // A rounded product just above a whole number is that number: 0.55 of 100 are 55.
        let by_rank = (self.top_share.clamp(0.0, 1.0) * scores.len() as f64 - 1e-9).ceil() as usize;
        let count = by_rank.max(self.least).min(scores.len());
        // As many above the threshold: the highest are among them.
        if count == 0 || kept.iter().filter(|keep| **keep).count() >= count {
            return kept;
        }
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.select_nth_unstable_by(count - 1, |&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        order[..count].iter().for_each(|&row| kept[row] = true);
        kept
    }
}

/// A head with some of its queries pruned: a pruned query is programmed (its score needs its fields) but not sampled, and puts out the mean of
/// its values, which is its attention at β = 0.
///
/// Errors are relative: √(Σ|ô − o|²/Σ|o|²) over all queries.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gated {
    /// Which queries are kept.
    pub kept: Vec<bool>,
    /// 1 − kept/all.
    pub pruned: f64,
    /// Events without gating.
    pub full: Activity,
    /// Events with it.
    pub activity: Activity,
    /// Error of the samples without gating, measured.
    pub error_full: f64,
    /// Error with gating, measured.
    pub error: f64,
    /// Part of it that no number of samples removes: the pruned queries.
    pub bias: f64,
    /// The bias if a pruned query put out nothing.
    pub bias_if_silent: f64,
    /// Error if the events saved were saved by reading every query less often instead: √(ΣV/S′/Σ|o|²).
    pub error_evenly: f64,
}

/// Prunes queries of a head that was sampled in full.
pub fn gate_head(head: &Head<'_>, sample: &HeadSample, rule: &GateRule) -> Gated {
    let rows = &sample.rows;
    let scores: Vec<f64> = rows.iter().map(|row| rule.score.of(row)).collect();
    let kept = rule.keep(&scores);
    let mut sampling = [Activity::default(); 2];
    let (mut signal, mut full, mut kept_error, mut bias, mut silent, mut noise) =
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for (query, (row, &keep)) in rows.iter().zip(&kept).enumerate() {
        let exact = &row.row.output;
        let error: f64 = row.output.iter().zip(exact).map(|(a, b)| (a - b) * (a - b)).sum();
        signal += row.row.signal;
        full += error;
        noise += row.row.variance;
        sampling[0] += less(&row.activity, &row.row.programming);
        if keep {
            kept_error += error;
            sampling[1] += less(&row.activity, &row.row.programming);
        } else {
            let keys: Vec<usize> = head.keys(query).collect();
            let count = keys.len() as f64;
            let mean = |a: usize| keys.iter().map(|&key| f64::from(head.v[[key, a]])).sum::<f64>() / count;
            bias += exact.iter().enumerate().map(|(a, o)| (mean(a) - o).powi(2)).sum::<f64>();
            silent += row.row.signal;
        }
    }
    let count = rows.len() as f64;
    let pruned = kept.iter().filter(|keep| !**keep).count() as f64 / count;
    let share = sampling[1].attempts as f64 / (sampling[0].attempts as f64).max(1.0);
    let evenly = f64::from(sample.sampling.samples.get()) * share;
    let relative = |square: f64| if signal > 0.0 { libm::sqrt(square / signal) } else { f64::NAN };
    Gated {
        kept,
        pruned,
        full: sample.activity,
        activity: less(&sample.activity, &less(&sampling[0], &sampling[1])),
        error_full: relative(full),
        error: relative(kept_error + bias),
        bias: relative(bias),
        bias_if_silent: relative(silent),
        error_evenly: if evenly > 0.0 { relative(noise / evenly) } else { f64::NAN },
    }
}

/// The events of `all` that are not among `some`.
fn less(all: &Activity, some: &Activity) -> Activity {
    Activity {
        attempts: all.attempts - some.attempts,
        flips: all.flips - some.flips,
        coupler_reads: all.coupler_reads - some.coupler_reads,
        coupling_writes: all.coupling_writes - some.coupling_writes,
        field_writes: all.field_writes - some.field_writes,
        random_bits: all.random_bits - some.random_bits,
        read_outs: all.read_outs - some.read_outs,
        decoder_adds: all.decoder_adds - some.decoder_adds,
    }
}

/// Freezes a head whose entropy stays at or below H_freeze for w consecutive steps; thaws it when it leaves the band.
///
/// Freezing stops the backward pass of a head. Its forward pass goes on, so that it saves no spin event at inference. With the page's numbers the
/// target ln N − 1.1 lies *inside* the band H ≤ ln N − 0.9: a head that reaches its target is frozen w steps later.
///
/// ```
/// use ceas_mapping::control::Freezing;
/// let mut head = Freezing::new(2);
/// assert_eq!([3.0, 1.0, 1.0, 3.0].map(|h| head.observe(h, 2.0)), [false, false, true, false]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Freezing {
    after: u32,
    below: u32,
}

impl Freezing {
    /// Freezes after `after` steps.
    pub fn new(after: u32) -> Self {
        Self { after, below: 0 }
    }

    /// Whether the head is frozen after one more step at entropy `entropy`.
    pub fn observe(&mut self, entropy: f64, freeze_at: f64) -> bool {
        self.below = if entropy <= freeze_at { self.below.saturating_add(1) } else { 0 };
        self.below >= self.after
    }

    /// Thaws the frozen heads of highest entropy until at least `least` heads are not frozen: the published h_min.
    pub fn keep_least(frozen: &mut [bool], entropies: &[f64], least: usize) {
        let mut order: Vec<usize> = (0..frozen.len()).filter(|&head| frozen[head]).collect();
        order.sort_by(|&a, &b| entropies[b].total_cmp(&entropies[a]));
        let awake = frozen.len() - order.len();
        for head in order.into_iter().take(least.saturating_sub(awake)) {
            frozen[head] = false;
        }
    }
}

/// The published back-off: when the validation loss rises by more than 0.2 of its standard deviation, T_gate is lowered by 0.05 and κ halved for
/// 200 steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct BackOff {
    mean: Option<f64>,
    square: f64,
    remaining: u32,
    lowered: u32,
}

/// Window of the "short" moving average of the loss, in steps; the page names none.
const LOSS_WINDOW: f64 = 8.0;

impl BackOff {
    /// Takes one validation loss. A loss that is not finite counts as a rise.
    pub fn observe(&mut self, loss: f64) {
        self.remaining = self.remaining.saturating_sub(1);
        let Some(mean) = self.mean else {
            self.mean = Some(loss).filter(|loss| loss.is_finite());
            return;
        };
        let sigma = libm::sqrt(self.square);
        let risen = !loss.is_finite() || (sigma > 0.0 && loss - mean > BACK_OFF_SIGMAS * sigma);
        if risen && self.remaining == 0 {
            self.remaining = BACK_OFF_STEPS;
            self.lowered += 1;
        }
        if loss.is_finite() {
            let step = loss - mean;
            self.mean = Some(mean + step / LOSS_WINDOW);
            self.square += (step * step - self.square) / LOSS_WINDOW;
        }
    }

    /// What κ is multiplied by now.
    pub fn damping(&self) -> f64 {
        if self.remaining > 0 { BACK_OFF_KAPPA } else { 1.0 }
    }

    /// What is taken off T_gate by now.
    pub fn lowered(&self) -> f64 {
        f64::from(self.lowered) * BACK_OFF_GATE
    }
}
