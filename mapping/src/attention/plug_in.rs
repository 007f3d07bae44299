//! How far an empirical law is from its own source, on average.

/// Expected Kullback–Leibler divergence of the frequencies of `samples` independent draws from their law `p`, in nats.
///
/// ```text
/// E[KL(c/S ‖ p)] ≈ (1/S) Σ_j (1 − p_j) g(S p_j)      g(λ) = E[X ln(X/λ)], X ~ Poisson(λ)
/// ```
///
/// g tends to ½ + 1/(12λ), which gives the familiar (K − 1)/(2S) once every S·p_j is large; rare states (S·p_j ≪ 1) contribute less than ½.
/// Counts are taken as Poisson variables with the constraint Σc = S restored by the factor 1 − p_j: correct to a relative O(1/S).
///
/// ```
/// // Two equally likely states, many samples: (K − 1)/(2S).
/// let divergence = ceas_mapping::attention::expected_divergence(&[0.5, 0.5], 10_000.0);
/// assert!((divergence / 0.5e-4 - 1.0).abs() < 1e-3);
/// ```
pub fn expected_divergence(p: &[f64], samples: f64) -> f64 {
    let logarithms = Logarithms::new();
    p.iter().filter(|p| **p > 0.0).map(|&p| (1.0 - p) * logarithms.excess(samples * p)).sum::<f64>() / samples
}

/// Above this mean the expansion of g in 1/λ is used: its first neglected term is below 1e-6.
const EXPANDED: f64 = 30.0;
const TERMS: usize = 96;

/// ln(k + 1) for the terms of the Poisson sum.
struct Logarithms([f64; TERMS]);

impl Logarithms {
    fn new() -> Self {
        Self(std::array::from_fn(|k| libm::log((k + 1) as f64)))
    }

    /// g(λ) = λ (Σ_k e^(−λ) λ^k/k! ln(k + 1) − ln λ).
    fn excess(&self, lambda: f64) -> f64 {
        if lambda > EXPANDED {
            return 0.5 + (1.0 + (1.0 + 1.9 / lambda) / lambda) / (12.0 * lambda);
        }
        let mut mass = libm::exp(-lambda);
        let mut mean = 0.0;
        for (k, logarithm) in self.0.iter().enumerate() {
            mean += mass * logarithm;
            mass *= lambda / (k + 1) as f64;
            if (k as f64) > lambda && mass < 1e-18 {
                break;
            }
        }
        lambda * (mean - libm::log(lambda))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expansion_meets_the_sum() {
        let logarithms = Logarithms::new();
        let below = logarithms.excess(EXPANDED);
        let above = logarithms.excess(EXPANDED * (1.0 + 1e-12));
        assert!((below - above).abs() < 2e-6, "{below} {above}");
    }

    #[test]
    fn the_sum_is_that_of_the_definition() {
        // λ = ½, by hand: Σ Pois(k) k ln(2k).
        let mut mass = (-0.5f64).exp();
        let mut direct = 0.0;
        for k in 1..40 {
            mass *= 0.5 / k as f64;
            direct += mass * k as f64 * (2.0 * k as f64).ln();
        }
        assert!((Logarithms::new().excess(0.5) - direct).abs() < 1e-14);
    }
}
