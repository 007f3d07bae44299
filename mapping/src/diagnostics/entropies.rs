//! Entropies of a law beyond Shannon's, exact and from counts.

/// Shannon's H = −Σ p ln p, in nats.
pub fn shannon(p: &[f64]) -> f64 {
    p.iter().filter(|p| **p > 0.0).map(|&p| -p * libm::log(p)).sum()
}

/// Rényi's entropy of order q ≥ 0, ln Σp^q/(1 − q), in nats: Shannon's at q = 1, −ln Y₂ at 2, −ln p_max at ∞, ln of the number of states at 0.
///
/// ```
/// use ceas_mapping::diagnostics::entropies::renyi;
/// let p = [0.5, 0.25, 0.25, 0.0];
/// assert!((renyi(&p, 2.0) + 0.375f64.ln()).abs() < 1e-15);
/// assert!((renyi(&p, 1.0) - 1.5 * 2f64.ln()).abs() < 1e-15);
/// assert!((renyi(&p, f64::INFINITY) - 2f64.ln()).abs() < 1e-15 && (renyi(&p, 0.0) - 3f64.ln()).abs() < 1e-15);
/// ```
pub fn renyi(p: &[f64], q: f64) -> f64 {
    let some = || p.iter().copied().filter(|p| *p > 0.0);
    if q == 1.0 {
        shannon(p)
    } else if q == f64::INFINITY {
        -libm::log(some().fold(0.0, f64::max))
    } else {
        libm::log(some().map(|p| libm::pow(p, q)).sum()) / (1.0 - q)
    }
}

/// Tsallis' entropy (1 − Σp^q)/(q − 1); Shannon's at q = 1. Not additive for independent systems.
pub fn tsallis(p: &[f64], q: f64) -> f64 {
    if q == 1.0 {
        return shannon(p);
    }
    (1.0 - p.iter().filter(|p| **p > 0.0).map(|&p| libm::pow(p, q)).sum::<f64>()) / (q - 1.0)
}

/// Y₂ = Σp² from counts of S draws, without bias: the share of pairs of draws that coincide, Σ c(c − 1)/(S(S − 1)). `None` with fewer than two
/// draws.
pub fn coincidences(counts: &[u32]) -> Option<f64> {
    let draws: u64 = counts.iter().map(|&c| u64::from(c)).sum();
    let pairs: u64 = counts.iter().map(|&c| u64::from(c) * u64::from(c).saturating_sub(1)).sum();
    (draws > 1).then(|| pairs as f64 / (draws as f64 * (draws - 1) as f64))
}

/// Miller and Madow's entropy of counts: plug-in + (K − 1)/(2S), K the states seen, in nats; 0 without a draw.
///
/// The plug-in entropy is low by about (N − 1)/(2S) with N the states there are (G. A. Miller, in *Information Theory in Psychology*, 1955); K corrects
/// for those that were seen.
pub fn miller_madow(counts: &[u32]) -> f64 {
    let draws: f64 = counts.iter().map(|&c| f64::from(c)).sum();
    let seen = counts.iter().filter(|c| **c > 0).count() as f64;
    if draws == 0.0 {
        return 0.0;
    }
    let p: Vec<f64> = counts.iter().map(|&c| f64::from(c) / draws).collect();
    shannon(&p) + (seen - 1.0) / (2.0 * draws)
}
