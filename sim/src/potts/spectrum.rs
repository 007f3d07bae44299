//! The closed-form spectrum of Metropolis on one Potts spin, and with it exact autocorrelation times.

use crate::beta::Beta;
use crate::potts::PottsSpin;
use crate::potts::relaxation::ratios;

/// Eigenvalues and eigenvectors of [`crate::potts::Metropolis`] at one β.
///
/// With the N states in descending order of probability π, the non-trivial eigenvalues are the probabilities of rejection,
/// λ_k = (1/N) Σ_(i≥k) (1 − π_i/π_k) for k = 0 … N−2, with eigenfunctions 0 for i < k, Σ_(l>k) π_l at i = k and −π_k for i > k
/// (J. S. Liu, Statistics and Computing 6, 113 (1996), doi:10.1007/BF00162521, with a uniform proposal). Hence the stationary
/// autocorrelation of any function of the state is a known sum of powers, ρ(t) = Σ_k a_k λ_k^t.
///
/// ```
/// use ceas_sim::{beta::Beta, potts::{MetropolisSpectrum, PottsSpin}};
/// // At β = 0 every proposal is accepted: successive states are independent.
/// let spin = PottsSpin::new(&[0.0, 1.0, 5.0]).unwrap();
/// let hot = MetropolisSpectrum::new(&spin, Beta::new(0.0).unwrap());
/// let power = hot.power(1, |label, _| label as f64);
/// assert!((hot.tau_int(&power, 1) - 0.5).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MetropolisSpectrum {
    labels: Vec<usize>,
    weights: Vec<f64>,
    eigenvalues: Vec<f64>,
}

impl MetropolisSpectrum {
    /// The spectrum of `spin` at `beta`.
    pub fn new(spin: &PottsSpin, beta: Beta) -> Self {
        let gaps = spin.gaps();
        let n = gaps.len();
        let mut steps = Vec::with_capacity(n);
        ratios(beta.value(), gaps, &mut steps);
        let mut eigenvalues = vec![0.0; n - 1];
        let mut downward = 0.0;
        for k in (0..n - 1).rev() {
            downward = steps[k] * (1.0 + downward);
            eigenvalues[k] = ((n - k - 1) as f64 - downward).max(0.0) / n as f64;
        }
        let weights = gaps.iter().map(|&gap| libm::exp(beta.value() * gap)).collect();
        Self { labels: spin.ranked().collect(), weights, eigenvalues }
    }

    /// λ_k in descending order, the eigenvalue 1 of the law itself left out: N − 1 numbers in \[0, 1).
    pub fn eigenvalues(&self) -> &[f64] {
        &self.eigenvalues
    }

    /// The power of a function of the state in each mode: Σ over `components` of ⟨f, mode k⟩², with f = `value`(label, component).
    ///
    /// The powers add up to the variance V = Σ_components Var_π\[f\].
    pub fn power(&self, components: usize, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let n = self.weights.len();
        let z: f64 = self.weights.iter().rev().sum();
        let mut power = vec![0.0; n - 1];
        let last = self.labels[n - 1];
        // Mean of f and mass over the states below k.
        let mut mean: Vec<f64> = (0..components).map(|c| value(last, c)).collect();
        let mut mass = self.weights[n - 1];
        for k in (0..n - 1).rev() {
            let w = self.weights[k];
            let whole = mass + w;
            let (share, label) = (if whole > 0.0 { w / whole } else { 1.0 }, self.labels[k]);
            let mut distance = 0.0;
            for (c, mean) in mean.iter_mut().enumerate() {
                let step = value(label, c) - *mean;
                distance += step * step;
                *mean += share * step;
            }
            power[k] = (share * mass / z) * distance;
            mass = whole;
        }
        power
    }

    /// τ_int = ½ + Σ_(t≥1) ρ(t) of a function of the state looked at every `every` sweeps, in units of looks.
    ///
    /// ½ for a function that does not vary.
    pub fn tau_int(&self, power: &[f64], every: u64) -> f64 {
        let total: f64 = power.iter().sum();
        if total <= 0.0 {
            return 0.5;
        }
        let sum: f64 = power
            .iter()
            .zip(&self.eigenvalues)
            .map(|(a, &lambda)| {
                let step = powi(lambda, every);
                a * step / (1.0 - step)
            })
            .sum();
        0.5 + sum / total
    }

    /// Variance of the mean of `looks` stationary looks `every` sweeps apart, summed over components:
    /// (1/S) Σ_k a_k [(1+λ)/(1−λ) − 2λ(1−λ^S)/(S(1−λ)²)], which tends to 2τ_int·V/S.
    pub fn variance_of_mean(&self, power: &[f64], every: u64, looks: u64) -> f64 {
        let s = looks as f64;
        power
            .iter()
            .zip(&self.eigenvalues)
            .map(|(a, &lambda)| {
                let x = powi(lambda, every);
                let gap = 1.0 - x;
                a * ((1.0 + x) / gap - 2.0 * x * (1.0 - powi(x, looks)) / (s * gap * gap)) / s
            })
            .sum()
    }
}

/// x^n for x in [0, 1) by repeated squaring: portable, unlike a power of the platform's library.
fn powi(mut x: f64, mut n: u64) -> f64 {
    let mut product = 1.0;
    while n > 0 {
        if n & 1 == 1 {
            product *= x;
        }
        x *= x;
        n >>= 1;
    }
    product
}
