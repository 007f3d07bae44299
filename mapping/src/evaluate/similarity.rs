//! How alike embeddings are, and whether two ways to embed agree on it.

/// a·b/(|a||b|); 0 if a vector is 0.
///
/// ```
/// assert_eq!(ceas_mapping::evaluate::cosine(&[1.0, 0.0], &[2.0, 0.0]), 1.0);
/// ```
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
}

/// Spearman's rank correlation of two lists of numbers, ties at their mean rank; `None` for fewer than three numbers or lists without
/// variance.
///
/// ```
/// use ceas_mapping::evaluate::rank_correlation;
/// assert_eq!(rank_correlation(&[1.0, 2.0, 9.0], &[0.0, 0.1, 0.2]), Some(1.0));
/// assert_eq!(rank_correlation(&[1.0, 2.0, 9.0], &[3.0, 2.0, 1.0]), Some(-1.0));
/// assert_eq!(rank_correlation(&[1.0, 2.0], &[3.0, 2.0]), None);
/// ```
pub fn rank_correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() < 3 || a.len() != b.len() {
        return None;
    }
    let middle = (a.len() as f64 - 1.0) / 2.0;
    let (a, b) = (ranks(a), ranks(b));
    let covariance =
        |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum() };
    let spread = (covariance(&a, &a) * covariance(&b, &b)).sqrt();
    (spread > 0.0).then(|| covariance(&a, &b) / spread)
}

/// Ranks from 0; equal numbers share their mean rank.
fn ranks(x: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&i, &j| x[i].total_cmp(&x[j]));
    let mut ranks = vec![0.0; x.len()];
    for equal in order.chunk_by(|&i, &j| x[i] == x[j]) {
        let below = x.iter().filter(|y| **y < x[equal[0]]).count() as f64;
        for &i in equal {
            ranks[i] = below + (equal.len() as f64 - 1.0) / 2.0;
        }
    }
    ranks
}
