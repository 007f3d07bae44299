//! The output error of arithmetic that rounds, measured on the rows themselves.
//!
//! ```text
//! ε² = Σ_i |õ_i − o_i|² / Σ_i |o_i|²        i over the queries of one head, o exact in f64
//! ```

use std::sync::Arc;

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
    output_errors(head, beta, &[arithmetic])[0]
}

/// The same for several arithmetics beside one exact run, in their order.
pub fn output_errors(head: &Head<'_>, beta: f64, arithmetics: &[Arithmetic]) -> Vec<f64> {
    let exact = Rounded::new(head, beta, None);
    let queries = 0..head.q.nrows();
    let outputs: Vec<Vec<f64>> = queries.clone().map(|query| exact.output(query, None)).collect();
    let signal: f64 = outputs.iter().map(|o| o.iter().map(|a| a * a).sum::<f64>()).sum();
    let fields = |a: &Arithmetic| matches!(a, Arithmetic::Fields { .. });
    let range = arithmetics.iter().any(fields).then(|| exact.range());
    let error = |arithmetic: &Arithmetic| {
        // Where only fields are rounded, q, k and v are those of the exact run.
        let rounded = match fields(arithmetic) {
            true => Rounded { arithmetic: Some(*arithmetic), operands: exact.operands.clone(), ..exact },
            false => Rounded::new(head, beta, Some(*arithmetic)),
        };
        let grid = range.filter(|_| fields(arithmetic));
        let wrong = |query: usize| -> f64 {
            let approximate = rounded.output(query, grid);
            outputs[query].iter().zip(&approximate).map(|(a, b)| (a - b) * (a - b)).sum()
        };
        let wrong: f64 = queries.clone().map(wrong).sum();
        if wrong == 0.0 { 0.0 } else { libm::sqrt(wrong / signal) }
    };
    arithmetics.iter().map(error).collect()
}

/// A head seen through an arithmetic.
struct Rounded<'h, 'a> {
    head: &'h Head<'a>,
    beta: f64,
    arithmetic: Option<Arithmetic>,
    /// q, k and v as the arithmetic holds them, row by row.
    operands: Arc<[Vec<f64>; 3]>,
}

impl<'h, 'a> Rounded<'h, 'a> {
    fn new(head: &'h Head<'a>, beta: f64, arithmetic: Option<Arithmetic>) -> Self {
        let held = |x: &mut dyn Iterator<Item = &f32>| {
            let mut held: Vec<f64> = x.map(|&x| f64::from(x)).collect();
            let largest = held.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            match arithmetic {
                Some(Arithmetic::Half) => held.iter_mut().for_each(|x| *x = half(*x)),
                Some(Arithmetic::Int8) if largest > 0.0 => {
                    let step = largest / 127.0;
                    held.iter_mut().for_each(|x| *x = libm::rint(*x / step) * step);
                }
                _ => {}
            }
            held
        };
        let operands = [held(&mut head.q.iter()), held(&mut head.k.iter()), held(&mut head.v.iter())];
        Self { head, beta, arithmetic, operands: Arc::new(operands) }
    }

    /// One row of q (0), k (1) or v (2).
    fn row(&self, which: usize, row: usize) -> &[f64] {
        let width = if which == 2 { self.head.v.ncols() } else { self.head.q.ncols() };
        &self.operands[which][row * width..(row + 1) * width]
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
        self.row(0, query).iter().zip(self.row(1, key)).map(|(q, k)| q * k).sum()
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
            for (o, v) in output.iter_mut().zip(self.row(2, key)) {
                *o += weight * v;
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
