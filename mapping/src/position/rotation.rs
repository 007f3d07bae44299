//! Flows that act on content: the pair (q, k) turned by its positions, so that the score depends on t − t' alone.
//!
//! ```text
//! elliptic, in each plane a:     q̃ = e^(iω_a t) q,    k̃ = e^(iω_a t') k        q̃·k̃ = Re(q̄ e^(iω_a (t'−t)) k)      RoPE
//! hyperbolic, in each plane:     (cosh, sinh) boosts of SO(1,1)                   ⟨q̃, k̃⟩ = q₀k₀' − q₁k₁'              boost
//! ```
//!
//! The rotated queries and keys are numbers like any others: the spins of attention do not see that positions are in them, so that
//! rotation is exact on every substrate that computes attention, and done where q and k are computed.

/// Turns the planes (x_a, x_(a+d/2)), a < d/2, of `x` `[d]` by the angles t·base^(−2a/d): the layout of Llama checkpoints in Hugging Face form.
///
/// ```
/// use ceas_mapping::position::rotation::rotary;
/// let (mut q, mut k) = (vec![0.3, -1.0, 0.7, 2.0], vec![1.1, 0.2, -0.4, 0.9]);
/// let (mut q2, mut k2) = (q.clone(), k.clone());
/// for (x, t) in [(&mut q, 5.0), (&mut k, 2.0), (&mut q2, 905.0), (&mut k2, 902.0)] {
///     rotary(x, t, 1e4);
/// }
/// let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
/// assert!((dot(&q, &k) - dot(&q2, &k2)).abs() < 1e-12);
/// ```
///
/// # Panics
/// If the width is odd.
pub fn rotary(x: &mut [f64], t: f64, base: f64) {
    assert!(x.len().is_multiple_of(2), "planes are pairs of components");
    let half = x.len() / 2;
    for a in 0..half {
        let angle = t * libm::pow(base, -2.0 * a as f64 / (2.0 * half as f64));
        let (sin, cos) = (libm::sin(angle), libm::cos(angle));
        let (u, v) = (x[a], x[a + half]);
        x[a] = cos * u - sin * v;
        x[a + half] = sin * u + cos * v;
    }
}

/// Boosts the planes (x_a, x_(a+d/2)) of `x` `[d]` by the rapidity `rapidity`·t: the hyperbolic flow on content.
///
/// The form it keeps is indefinite, [`boosted_score`]; for t − t' > 0 its light-cone components grow as e^(±ℓ(t−t')), the exponential decay
/// that xPos puts into q and k (Sun et al., arXiv:2212.10554).
///
/// # Panics
/// If the width is odd.
pub fn boost(x: &mut [f64], t: f64, rapidity: f64) {
    assert!(x.len().is_multiple_of(2), "planes are pairs of components");
    let half = x.len() / 2;
    let (sinh, cosh) = (libm::sinh(rapidity * t), libm::cosh(rapidity * t));
    for a in 0..half {
        let (u, v) = (x[a], x[a + half]);
        x[a] = cosh * u + sinh * v;
        x[a + half] = sinh * u + cosh * v;
    }
}

/// Σ_a (q_a k_a − q_(a+d/2) k_(a+d/2)): what boosts leave invariant.
///
/// # Panics
/// If the widths differ.
pub fn boosted_score(q: &[f64], k: &[f64]) -> f64 {
    assert_eq!(q.len(), k.len(), "q and k have one width");
    let half = q.len() / 2;
    let sign = |a: usize| if a < half { 1.0 } else { -1.0 };
    q.iter().zip(k).enumerate().map(|(a, (q, k))| sign(a) * q * k).sum()
}

/// Re Σ_a (q̄_a e^(iω_a Δ) k_a) with Δ = t' − t: the score of RoPE in closed form, what [`rotary`] on both sides gives.
///
/// # Panics
/// If the widths differ or are odd.
pub fn rotary_score(q: &[f64], k: &[f64], apart: f64, base: f64) -> f64 {
    assert!(q.len() == k.len() && q.len().is_multiple_of(2), "q and k have one even width");
    let half = q.len() / 2;
    (0..half)
        .map(|a| {
            let angle = apart * libm::pow(base, -2.0 * a as f64 / (2.0 * half as f64));
            let (re, im) = (q[a] * k[a] + q[a + half] * k[a + half], q[a] * k[a + half] - q[a + half] * k[a]);
            libm::cos(angle) * re - libm::sin(angle) * im
        })
        .sum()
}
