//! What is to be computed, whatever computes it: heads, layers, or a whole transformer at prefill or decode.
//!
//! [`Workload`] is a batch of attention heads of one shape. [`Inference`] is a [`Transformer`] doing a [`Task`]: a list of
//! operations in counts, from a `config.json` and without weights.

mod inference;
mod transformer;

pub use inference::{AttentionWork, Inference, Operation, Part, Phase, Pointwise, Product, Task};
pub use transformer::Transformer;

use serde::Serialize;

use crate::error::Error;

/// The shape of one attention head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// Queries n_q.
    pub n_queries: u64,
    /// Keys n_k that exist (padding left out).
    pub n_keys: u64,
    /// Dimension d of queries and keys.
    pub d_head: u64,
    /// Dimension of values.
    pub d_value: u64,
    /// Query–key pairs that are not masked.
    pub pairs: u64,
    /// Whether later keys are hidden.
    pub causal: bool,
}

impl Shape {
    /// A square head of n queries and n keys with values of dimension d, without padding.
    ///
    /// Visible pairs: n², or n(n+1)/2 if causal (the diagonal is visible).
    ///
    /// # Errors
    /// [`Error::Workload`] if a dimension is 0 or n²·d leaves 64 bits.
    pub fn square(n: u64, d: u64, causal: bool) -> Result<Self, Error> {
        let pairs = n
            .checked_add(u64::from(causal))
            .and_then(|wide| n.checked_mul(wide))
            .map(|twice| if causal { twice / 2 } else { twice });
        let shape =
            Self { n_queries: n, n_keys: n, d_head: d, d_value: d, pairs: pairs.unwrap_or(u64::MAX), causal };
        shape.checked()
    }

    /// The shape, if it can be.
    ///
    /// # Errors
    /// [`Error::Workload`] if a dimension is 0, if there are more pairs than n_q·n_k, or if counts leave 64 bits.
    pub fn checked(self) -> Result<Self, Error> {
        let refuse = |reason: String| Err(Error::Workload { reason });
        if [self.n_queries, self.n_keys, self.d_head, self.d_value, self.pairs].contains(&0) {
            return refuse(format!(
                "n = {} × {}, d = {} and {}, {} pairs: every number must be at least 1",
                self.n_queries, self.n_keys, self.d_head, self.d_value, self.pairs
            ));
        }
        let wide = u128::from(self.n_queries) * u128::from(self.n_keys);
        if u128::from(self.pairs) > wide {
            return refuse(format!("{} visible pairs are more than n_q·n_k = {wide}", self.pairs));
        }
        let operations = wide.checked_mul(u128::from(self.d_head.max(self.d_value)));
        if operations.is_none_or(|all| all > u128::from(u64::MAX) / 8) {
            return refuse(format!(
                "{} × {} pairs of dimension {} are more operations than 64 bits count",
                self.n_queries,
                self.n_keys,
                self.d_head.max(self.d_value)
            ));
        }
        Ok(self)
    }
}

/// `layers` launches of `heads` heads of one shape: each layer needs the one before it, heads of a layer run together.
///
/// ```
/// use ceas_npu_model::workload::{Shape, Workload};
/// let head = Workload::one(Shape::square(4096, 128, false).unwrap());
/// assert_eq!(head.flops(), 8_589_934_592); // 4·n²·d
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Workload {
    /// Layers, one after the other.
    pub layers: u64,
    /// Heads in every layer.
    pub heads: u64,
    /// Shape of every head.
    pub shape: Shape,
}

impl Workload {
    /// A single head.
    pub fn one(shape: Shape) -> Self {
        Self { layers: 1, heads: 1, shape }
    }

    /// Several layers of several heads.
    ///
    /// # Errors
    /// [`Error::Workload`] if there is no head, or if the operations leave 64 bits.
    pub fn new(layers: u64, heads: u64, shape: Shape) -> Result<Self, Error> {
        let shape = shape.checked()?;
        let widest = u128::from(shape.pairs) * (u128::from(shape.d_head) + u128::from(shape.d_value)) * 2;
        let all = u128::from(layers).checked_mul(u128::from(heads)).and_then(|h| h.checked_mul(widest));
        if layers == 0 || heads == 0 || all.is_none_or(|ops| ops > u128::from(u64::MAX)) {
            let reason =
                format!("{layers} layers of {heads} heads: at least one head, and fewer than 2⁶⁴ operations");
            return Err(Error::Workload { reason });
        }
        Ok(Self { layers, heads, shape })
    }

    /// Heads in all layers.
    pub fn all_heads(&self) -> u64 {
        self.layers * self.heads
    }

    /// Visible query–key pairs of all heads.
    pub fn pairs(&self) -> u64 {
        self.all_heads() * self.shape.pairs
    }

    /// Multiply-accumulates of all scores q·k: pairs · d.
    pub fn field_macs(&self) -> u64 {
        self.pairs() * self.shape.d_head
    }

    /// Multiply-accumulates of all exact averages Σ_j p_j v_j: pairs · d_value.
    pub fn value_macs(&self) -> u64 {
        self.pairs() * self.shape.d_value
    }

    /// Numbers in the keys of all heads: n_k · d each, what an array that holds K has to be programmed with.
    pub fn key_numbers(&self) -> u64 {
        self.all_heads() * self.shape.n_keys * self.shape.d_head
    }

    /// Numbers in the values of all heads: n_k · d_value each.
    pub fn value_numbers(&self) -> u64 {
        self.all_heads() * self.shape.n_keys * self.shape.d_value
    }

    /// Floating-point operations of exact attention as papers count them: two for every multiply-accumulate, masked pairs
    /// left out, the softmax not counted.
    pub fn flops(&self) -> u64 {
        2 * (self.field_macs() + self.value_macs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causal_heads_count_half_and_the_diagonal() {
        assert_eq!(Shape::square(4, 8, true).unwrap().pairs, 10);
        assert_eq!(Shape::square(4, 8, false).unwrap().pairs, 16);
    }

    #[test]
    fn impossible_shapes_are_refused() {
        assert!(Shape::square(0, 8, false).is_err());
        assert!(Shape::square(8, 0, false).is_err());
        assert!(Shape::square(u64::MAX, 8, true).is_err());
        assert!(Shape::square(1 << 32, 128, false).is_err());
        let shape = Shape { pairs: 17, ..Shape::square(4, 8, false).unwrap() };
        assert!(shape.checked().unwrap_err().to_string().contains("17 visible pairs"));
        let shape = Shape::square(4, 8, false).unwrap();
        assert!(Workload::new(0, 1, shape).is_err());
        assert!(Workload::new(u64::MAX, u64::MAX, shape).is_err());
    }
}
