//! The output error of arithmetic that rounds, measured on the rows themselves.
//!
//! ```text
//! ε² = Σ_i |õ_i − o_i|² / Σ_i |o_i|²        i over the queries of one head, o exact in f64
//! ```

use ceas_mapping::heads::Head;

/// An arithmetic that rounds. Sums are taken as exact, as wide accumulators nearly are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// IEEE half precision: q, k, v and the unnormalised weights e^(βs − max) rounded to 11 bits of significand.
    Half,
    /// Eight-bit integers: q, k, v on one symmetric scale each per head (largest magnitude = 127), weights on 0 … 255.
    Int8,
    /// Fields s = q·k on a grid of 2^bits levels from the smallest to the largest of the head; everything else exact.
    Fields {
        /// Bits of a field, 1 to 52.
        bits: u32,
    },
}

/// The relative output error ε of one head at inverse temperature `beta` (a number ≥ 0, in units of 1/(q·k)).
///
/// ```
/// use ceas_mapping::heads::{HeadSet, Origin};
/// use ceas_npu_model::precision::{Arithmetic, output_error};
/// use ndarray::Array4;
/// let x = Array4::from_shape_fn((1, 1, 8, 4), |(_, _, i, a)| ((i * 5 + a * 3) % 7) as f32 - 2.9);
/// let set = HeadSet::new([x.clone(), x.clone(), x], vec![true; 8], false, Origin::default()).unwrap();
/// let error = |arithmetic| output_error(&set.head(0, 0), 0.5, arithmetic);
/// assert!(error(Arithmetic::Half) < error(Arithmetic::Int8));
/// assert!(error(Arithmetic::Fields { bits: 10 }) < error(Arithmetic::Fields { bits: 4 }));
/// ```
pub fn output_error(head: &Head<'_>, beta: f64, arithmetic: Arithmetic) -> f64 {
    let exact = Rounded::new(head, beta, None);
    let rounded = Rounded::new(head, beta, Some(arithmetic));
    let grid = matches!(arithmetic, Arithmetic::Fields { .. }).then(|| exact.range());
    let (mut wrong, mut signal) = (0.0, 0.0);
    for query in 0..head.q.nrows() {
        let o = exact.output(query, None);
        let approximate = rounded.output(query, grid);
        wrong += o.iter().zip(&approximate).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        signal += o.iter().map(|a| a * a).sum::<f64>();
    }
    if wrong == 0.0 { 0.0 } else { libm::sqrt(wrong / signal) }
}

/// A head seen through an arithmetic.
struct Rounded<'h, 'a> {
    head: &'h Head<'a>,
    beta: f64,
    arithmetic: Option<Arithmetic>,
    scales: [f64; 3],
}

impl<'h, 'a> Rounded<'h, 'a> {
    fn new(head: &'h Head<'a>, beta: f64, arithmetic: Option<Arithmetic>) -> Self {
        let largest = |x: &mut dyn Iterator<Item = &f32>| x.fold(0.0f64, |m, &v| m.max(f64::from(v).abs()));
        let scales = [largest(&mut head.q.iter()), largest(&mut head.k.iter()), largest(&mut head.v.iter())];
        Self { head, beta, arithmetic, scales }
    }

    /// One number of q (0), k (1) or v (2).
    fn operand(&self, which: usize, x: f32) -> f64 {
        let x = f64::from(x);
        match self.arithmetic {
            Some(Arithmetic::Half) => half(x),
            Some(Arithmetic::Int8) if self.scales[which] > 0.0 => {
                let step = self.scales[which] / 127.0;
                libm::rint(x / step) * step
            }
            _ => x,
        }
    }

    /// The weight e^(βs − max), before it multiplies a value.
    fn weight(&self, w: f64) -> f64 {
        match self.arithmetic {
            Some(Arithmetic::Half) => half(w),
            Some(Arithmetic::Int8) => libm::rint(w * 255.0) / 255.0,
            _ => w,
        }
    }

    fn score(&self, query: usize, key: usize) -> f64 {
        let pairs = self.head.q.row(query).into_iter().zip(self.head.k.row(key));
        pairs.map(|(&q, &k)| self.operand(0, q) * self.operand(1, k)).sum()
    }

    /// Smallest and largest score of the head.
    fn range(&self) -> (f64, f64) {
        let mut range = (f64::INFINITY, f64::NEG_INFINITY);
        for query in 0..self.head.q.nrows() {
            for key in self.head.keys(query) {
                let s = self.score(query, key);
                range = (range.0.min(s), range.1.max(s));
            }
        }
        range
    }

    /// õ = Σ_j w_j v_j / Σ_j w_j, with the scores on a grid over `range` where the arithmetic asks for one.
    fn output(&self, query: usize, range: Option<(f64, f64)>) -> Vec<f64> {
        let mut scores: Vec<(usize, f64)> =
            self.head.keys(query).map(|key| (key, self.score(query, key))).collect();
        if let (Some((low, high)), Some(Arithmetic::Fields { bits })) = (range, self.arithmetic)
            && high > low
        {
            let step = (high - low) / ((1u64 << bits.clamp(1, 52)) - 1) as f64;
            for (_, s) in &mut scores {
                *s = low + libm::rint((*s - low) / step) * step;
            }
        }
        let highest = scores.iter().fold(f64::NEG_INFINITY, |m, (_, s)| m.max(*s));
        let mut output = vec![0.0; self.head.v.ncols()];
        let mut total = 0.0;
        for (key, s) in scores {
            let exact = libm::exp(self.beta * (s - highest));
            let weight = self.weight(exact);
            // The normalisation is summed from the unrounded weights, as kernels do.
            total += exact;
            for (o, &v) in output.iter_mut().zip(self.head.v.row(key)) {
                *o += weight * self.operand(2, v);
            }
        }
        output.iter_mut().for_each(|o| *o /= total);
        output
    }
}

/// The nearest half-precision number, ties to even; what is too large becomes ±65504.
fn half(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    let exponent = libm::ilogb(x).max(-14);
    let step = libm::ldexp(1.0, exponent - 10);
    (libm::rint(x / step) * step).clamp(-65504.0, 65504.0)
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn half_precision_rounds_like_ieee() {
        assert_eq!(half(1.0 + 2f64.powi(-11)), 1.0);
        assert_eq!(half(1.0 + 3.0 * 2f64.powi(-11)), 1.0 + 2f64.powi(-9));
        assert_eq!(half(0.1), 0.0999755859375);
        assert_eq!(half(-1e6), -65504.0);
        assert_eq!(half(2f64.powi(-25)), 0.0);
        assert_eq!(half(2f64.powi(-24)), 2f64.powi(-24));
    }
}
