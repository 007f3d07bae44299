//! The exact dynamics of the law under Metropolis: what an infinite ensemble of chains would show.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::potts::weights::Weights;
use crate::potts::{Law, PottsSpin};
use crate::stream::Streams;
use crate::update::Update;

/// A distribution over the present states of one Potts spin, by rank.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution(Vec<f64>);

impl Distribution {
    /// All present states equally likely.
    pub fn uniform(spin: &PottsSpin) -> Self {
        Self(vec![1.0 / spin.states() as f64; spin.states()])
    }

    /// A distribution given by label, `p[j]`; what stands at absent states is dropped.
    ///
    /// # Panics
    /// If `p` has fewer entries than the spin has labels.
    pub fn from_labels(spin: &PottsSpin, p: &[f64]) -> Self {
        Self(spin.ranked().map(|label| p[label]).collect())
    }

    /// The distribution by label; 0 at absent states.
    pub fn by_label(&self, spin: &PottsSpin) -> Vec<f64> {
        let mut p = vec![0.0; spin.labels()];
        for (label, &x) in spin.ranked().zip(&self.0) {
            p[label] = x;
        }
        p
    }

    /// The distribution by rank.
    pub(crate) fn by_rank(&self) -> &[f64] {
        &self.0
    }

    /// A distribution given by rank; `None` if an entry is negative.
    pub(crate) fn from_ranks(p: Vec<f64>) -> Option<Self> {
        p.iter().all(|&p| p >= 0.0).then_some(Self(p))
    }

    /// Total variation ½ Σ |p_j − π_j| to a law of the same spin, in \[0, 1\].
    pub fn total_variation(&self, spin: &PottsSpin, law: &Law) -> f64 {
        let exact = law.probabilities();
        0.5 * spin.ranked().zip(&self.0).map(|(label, p)| (p - exact[label]).abs()).sum::<f64>()
    }

    /// Kullback–Leibler divergence Σ p_j ln(p_j/π_j) to a law of the same spin, in nats.
    ///
    /// π_j is taken from the fields, so that a probability that underflows costs its true logarithm.
    pub fn kullback_leibler(&self, spin: &PottsSpin, law: &Law) -> f64 {
        let b = law.beta().value();
        let ln_z = law.ln_z() - b * spin.highest();
        let term = |(gap, &p): (&f64, &f64)| if p > 0.0 { p * (libm::log(p) - b * gap + ln_z) } else { 0.0 };
        spin.gaps().iter().zip(&self.0).map(term).sum()
    }
}

/// p ← p·P_β with P_β the transition matrix of [`crate::potts::Metropolis`]: the same chain, seen as an ensemble.
///
/// With the states in descending order of weight w, the flow into k is (1/N)[w_k Σ_(j<k) p_j/w_j + Σ_(j>k) p_j] and the rate out of
/// it (1/N)[k + Σ_(l>k) w_l/w_k]; both sums obey recursions in the ratios w_(k+1)/w_k ≤ 1, so a sweep costs O(N) and nothing
/// overflows. It causes no physical event: its activity is zero.
///
/// ```
/// use ceas_sim::{beta::Beta, plan::Plan, run::Run, schedule::Schedule, stream::{Purpose, Streams}};
/// use ceas_sim::potts::{Distribution, LawUnderMetropolis, PottsSpin};
/// let spin = PottsSpin::new(&[0.0, 1.0, 2.0]).unwrap();
/// let beta = Beta::new(1.5).unwrap();
/// let streams = Streams::new(0, Purpose::Update, 0, 1);
/// let start = Distribution::uniform(&spin);
/// let mut run = Run::new(&spin, start, LawUnderMetropolis::default(), Schedule::Constant(beta), streams);
/// run.drive(&Plan { thermalization: 200, sweeps: 0, every: 1 }, |_| std::ops::ControlFlow::Continue(()));
/// assert!(run.state().total_variation(&spin, &spin.law(beta)) < 1e-12);
/// ```
#[derive(Debug, Clone, Default)]
pub struct LawUnderMetropolis {
    ratios: Weights,
}

/// w_(k+1)/w_k by rank k.
pub(super) fn ratios(beta: f64, gaps: &[f64], out: &mut Vec<f64>) {
    out.extend(gaps.windows(2).map(|pair| libm::exp(beta * (pair[1] - pair[0]))));
}

impl Update for LawUnderMetropolis {
    type Model = PottsSpin;
    type State = Distribution;

    fn sweep(
        &mut self,
        model: &PottsSpin,
        state: &mut Distribution,
        beta: Beta,
        _: &mut Streams,
    ) -> Activity {
        let ratios = self.ratios.of(model, beta, ratios);
        let p = &mut state.0;
        let n = p.len();
        let states = n as f64;
        // From the lightest state up: `light` is the probability below k, `downward` is Σ_(l>k) w_l/w_k.
        let (mut light, mut downward) = (0.0, 0.0);
        let mut stay_or_rise = vec![0.0; n];
        for k in (0..n).rev() {
            if k + 1 < n {
                downward = ratios[k] * (1.0 + downward);
            }
            stay_or_rise[k] = p[k] * (1.0 - (k as f64 + downward) / states) + light / states;
            light += p[k];
        }
        // From the heaviest down: `fall` is w_k Σ_(j<k) p_j/w_j.
        let mut fall = 0.0;
        for k in 0..n {
            let old = p[k];
            p[k] = stay_or_rise[k] + fall / states;
            if k + 1 < n {
                fall = ratios[k] * (fall + old);
            }
        }
        Activity::default()
    }
}
