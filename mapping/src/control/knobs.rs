//! The page's rules for knobs beside β: learning rate, batch size, weight decay, and the scale of the weights at initialisation.
//!
//! Each is a plain function that a training loop can call. What the page leaves open (κ_η, κ_B, κ_λ, T\*, H\*) is an argument. Its other knobs, label smoothing and
//! dropout, sizes of matrices, activations, position schemes, have no formula there and none here.

/// η ← η e^(κ(ρ* − ρ)), ρ = η λ_max of the loss: published. With λ_max fixed an error of ln η is multiplied by 1 − κρ* a step: stable for κ < 2/ρ*.
///
/// ```
/// use ceas_mapping::control::knobs::learning_rate;
/// let (curvature, mut rate) = (8.0, 0.05);
/// for _ in 0..400 {
///     rate = learning_rate(rate, rate * curvature, 0.05, 2.0);
/// }
/// assert!((rate * curvature - 0.05).abs() < 1e-9);
/// ```
pub fn learning_rate(rate: f64, ratio: f64, target: f64, gain: f64) -> f64 {
    rate * libm::exp(gain * (target - ratio))
}

/// B ← B e^(κ(g/g* − 1)) within caps: published. Where the noise is g ∝ 1/B an error of ln B is multiplied by 1 − κ a step: stable for κ < 2.
///
/// ```
/// use ceas_mapping::control::knobs::batch_size;
/// let mut batch = 3.0;
/// for _ in 0..60 {
///     batch = batch_size(batch, 640.0 / batch, 10.0, 0.5, (1.0, 4096.0));
/// }
/// assert!((batch - 64.0).abs() < 1e-9);
/// assert_eq!(batch_size(64.0, 1e9, 10.0, 0.5, (1.0, 512.0)), 512.0);
/// ```
pub fn batch_size(batch: f64, noise: f64, target: f64, gain: f64, (least, most): (f64, f64)) -> f64 {
    let wanted = batch * libm::exp(gain * (noise / target - 1.0));
    wanted.max(least).min(most)
}

/// λ ← λ + κ(H* − H(θ)), not below 0: published. Decay shrinks weights, and a narrower distribution has the lower entropy: below its target the rule
/// pushes further down, and only λ ≥ 0 stops it above.
pub fn weight_decay(decay: f64, entropy: f64, target: f64, gain: f64) -> f64 {
    (decay + gain * (target - entropy)).max(0.0)
}

/// The rule with the sign turned, and damped: λ ← λ + κ(H − H*) + κ′(H − H′), H′ the entropy of the step before. Weights integrate λ as λ integrates
/// H, so that κ alone swings for ever; for ln σ ← ln σ + growth − λ it arrives if 0 < κ′ < 2 and 0 < κ < 4 − 2κ′.
pub fn weight_decay_corrected(
    decay: f64,
    [entropy, before]: [f64; 2],
    target: f64,
    [gain, damping]: [f64; 2],
) -> f64 {
    (decay + gain * (entropy - target) + damping * (entropy - before)).max(0.0)
}

/// σ_w such that T = βσ√(2H) of N keys is `target` at initialisation: the page's "choose weight std".
///
/// With q = W_Q x, k = W_K x, weights N(0, σ_w²) and normalised x of `hidden` components, βσ = σ_w² · hidden at 1/√d_head; H = ln N − (βσ)²/2 then makes T² =
/// 2(βσ)² ln N − (βσ)⁴, at most (ln N)². `None` beyond that, and where there is no choice.
///
/// ```
/// use ceas_mapping::control::knobs::initial_std;
/// // BERT's 0.02 at 384 is T = 0.47 for 102 keys; the first published gate, 1.6, needs nearly twice as much.
/// assert!((initial_std(384, 102, 1.6).unwrap() - 0.0373).abs() < 1e-4);
/// assert!(initial_std(384, 102, 5.0).is_none() && initial_std(384, 1, 0.1).is_none());
/// ```
pub fn initial_std(hidden: usize, keys: usize, target: f64) -> Option<f64> {
    let ln_n = libm::log(keys as f64);
    let inside = ln_n * ln_n - target * target;
    if !(target > 0.0 && inside >= 0.0 && hidden > 0) {
        return None;
    }
    // The smaller root, computed so that nothing cancels.
    let square = target * target / (ln_n + libm::sqrt(inside));
    Some(libm::sqrt(libm::sqrt(square) / hidden as f64))
}

/// σ_w such that the entropy of N keys is `nats` at initialisation: βσ = √(2(ln N − H)). `None` outside (0, ln N), and where that βσ would lie
/// beyond freezing.
///
/// ```
/// use ceas_mapping::control::knobs::std_at_entropy;
/// // The published corridor, ln N − 1.1, whatever N: three times BERT's 0.02.
/// assert!((std_at_entropy(384, 102, 102f64.ln() - 1.1).unwrap() - 0.0621).abs() < 1e-4);
/// ```
pub fn std_at_entropy(hidden: usize, keys: usize, nats: f64) -> Option<f64> {
    let ln_n = libm::log(keys as f64);
    (nats > 0.0 && nats < ln_n && hidden > 0)
        .then(|| libm::sqrt(libm::sqrt(2.0 * (ln_n - nats)) / hidden as f64))
}
