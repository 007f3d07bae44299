//! Queries, keys and values of attention heads: what every mapping of attention starts from.

use ndarray::{Array4, ArrayView2, s};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Where the numbers come from, kept with them wherever they go.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// Name of the model.
    pub model: String,
    /// The text that was encoded, after any cut.
    pub text: String,
    /// The tokens of the text, one per position.
    pub tokens: Vec<String>,
    /// Licence of the weights and of the text.
    pub licence: String,
    /// Which layer of the model each layer here is; empty if they are layers 0, 1, ….
    pub layers: Vec<usize>,
}

/// Queries, keys and values of all heads of all layers for one sequence.
///
/// Shapes: `q` `[layers, heads, n_queries, d_head]`, `k` `[layers, heads, n_keys, d_head]`,
/// `v` `[layers, heads, n_keys, d_value]`; q already carries W_Q and its bias, but not 1/√d_head.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadSet {
    q: Array4<f32>,
    k: Array4<f32>,
    v: Array4<f32>,
    key_mask: Vec<bool>,
    causal: bool,
    origin: Origin,
}

/// Views of one head. `q` `[n_queries, d_head]`, `k` `[n_keys, d_head]`, `v` `[n_keys, d_value]`.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// Queries.
    pub q: ArrayView2<'a, f32>,
    /// Keys.
    pub k: ArrayView2<'a, f32>,
    /// Values.
    pub v: ArrayView2<'a, f32>,
    /// For each key, whether it exists (`false`: padding).
    key_mask: &'a [bool],
    causal: bool,
}

impl HeadSet {
    /// Joins queries, keys and values.
    ///
    /// `key_mask` has one entry per key, `false` for padding; `causal` hides from query i every key after position
    /// i + n_keys − n_queries.
    ///
    /// # Errors
    /// [`Error::Shape`] if shapes do not fit together or a dimension is 0, [`Error::NotFinite`] if a number is NaN or
    /// infinite, [`Error::NoKey`] if a query has no key to attend to.
    pub fn new(
        [q, k, v]: [Array4<f32>; 3],
        key_mask: Vec<bool>,
        causal: bool,
        origin: Origin,
    ) -> Result<Self, Error> {
        let (lq, hq, nq, dq) = q.dim();
        let (lk, hk, nk, dk) = k.dim();
        let (lv, hv, nv, dv) = v.dim();
        if [lq, hq, nq, dq, nk, dv].contains(&0) {
            return Err(Error::Shape {
                tensor: "q, k or v",
                expected: "no dimension of size 0".into(),
                got: q.shape().into(),
            });
        }
        if (lk, hk, dk) != (lq, hq, dq) {
            let expected = format!("[{lq}, {hq}, n_keys, {dq}] as in q");
            return Err(Error::Shape { tensor: "k", expected, got: k.shape().into() });
        }
        if (lv, hv, nv) != (lq, hq, nk) {
            let expected = format!("[{lq}, {hq}, {nk}, d_value] as in q and k");
            return Err(Error::Shape { tensor: "v", expected, got: v.shape().into() });
        }
        if key_mask.len() != nk {
            return Err(Error::Shape {
                tensor: "mask",
                expected: format!("[{nk}], one entry per key"),
                got: vec![key_mask.len()],
            });
        }
        for (name, tensor) in [("q", &q), ("k", &k), ("v", &v)] {
            if let Some((index, got)) = tensor.indexed_iter().find(|(_, x)| !x.is_finite()) {
                return Err(Error::NotFinite { tensor: name.into(), index: format!("{index:?}"), got: *got });
            }
        }
        let set = Self { q, k, v, key_mask, causal, origin };
        let head = set.head(0, 0);
        if let Some(query) = (0..nq).find(|&i| head.keys(i).next().is_none()) {
            return Err(Error::NoKey { query });
        }
        Ok(set)
    }

    /// Number of layers.
    pub fn layers(&self) -> usize {
        self.q.dim().0
    }

    /// Heads per layer.
    pub fn heads(&self) -> usize {
        self.q.dim().1
    }

    /// Number of queries.
    pub fn n_queries(&self) -> usize {
        self.q.dim().2
    }

    /// Number of keys, padding included.
    pub fn n_keys(&self) -> usize {
        self.k.dim().2
    }

    /// Dimension of queries and keys.
    pub fn d_head(&self) -> usize {
        self.q.dim().3
    }

    /// Dimension of values.
    pub fn d_value(&self) -> usize {
        self.v.dim().3
    }

    /// One entry per key, `false` for padding.
    pub fn key_mask(&self) -> &[bool] {
        &self.key_mask
    }

    /// Whether later keys are hidden.
    pub fn is_causal(&self) -> bool {
        self.causal
    }

    /// Where the numbers come from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Which layer of the model layer `index` of this set is.
    pub fn layer_number(&self, index: usize) -> usize {
        self.origin.layers.get(index).copied().unwrap_or(index)
    }

    /// The same numbers with another origin.
    pub fn with_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// The tensors q, k, v.
    pub fn tensors(&self) -> [&Array4<f32>; 3] {
        [&self.q, &self.k, &self.v]
    }

    /// Views of one head.
    ///
    /// # Panics
    /// If there is no such layer or head.
    pub fn head(&self, layer: usize, head: usize) -> Head<'_> {
        Head {
            q: self.q.slice(s![layer, head, .., ..]),
            k: self.k.slice(s![layer, head, .., ..]),
            v: self.v.slice(s![layer, head, .., ..]),
            key_mask: &self.key_mask,
            causal: self.causal,
        }
    }
}

impl<'a> Head<'a> {
    /// The keys that query `query` may attend to: the states that exist in its Potts spin. A masked key is an absent state.
    pub fn keys(&self, query: usize) -> impl Iterator<Item = usize> + use<'a> {
        let visible = if self.causal {
            query + 1 + self.k.nrows() - self.q.nrows().min(self.k.nrows())
        } else {
            self.k.nrows()
        };
        self.key_mask.iter().take(visible).enumerate().filter_map(|(j, &exists)| exists.then_some(j))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zeros(n: usize) -> Array4<f32> {
        Array4::zeros((1, 1, n, 2))
    }

    #[test]
    fn causal_and_padded_keys_are_absent() {
        let set =
            HeadSet::new([zeros(3), zeros(3), zeros(3)], vec![true, false, true], true, Origin::default())
                .unwrap();
        let head = set.head(0, 0);
        assert_eq!(head.keys(0).collect::<Vec<_>>(), [0]);
        assert_eq!(head.keys(1).collect::<Vec<_>>(), [0]);
        assert_eq!(head.keys(2).collect::<Vec<_>>(), [0, 2]);
        // Decoding: the last query sees the whole cache.
        let set =
            HeadSet::new([zeros(1), zeros(3), zeros(3)], vec![true; 3], true, Origin::default()).unwrap();
        assert_eq!(set.head(0, 0).keys(0).count(), 3);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |q, k, v, mask| HeadSet::new([q, k, v], mask, false, Origin::default()).unwrap_err();
        assert!(matches!(
            refused(zeros(2), zeros(3), zeros(2), vec![true; 3]),
            Error::Shape { tensor: "v", .. }
        ));
        assert!(matches!(
            refused(zeros(2), zeros(2), zeros(2), vec![true; 3]),
            Error::Shape { tensor: "mask", .. }
        ));
        assert!(matches!(refused(zeros(2), zeros(2), zeros(2), vec![false; 2]), Error::NoKey { query: 0 }));
        let mut v = zeros(2);
        v[[0, 0, 1, 1]] = f32::NAN;
        assert!(matches!(refused(zeros(2), zeros(2), v, vec![true; 2]), Error::NotFinite { .. }));
    }
}
