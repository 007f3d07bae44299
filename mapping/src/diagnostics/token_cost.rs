//! Token cost X: how surprising the attended tokens are, under a unigram model that has to be named.

use std::collections::HashMap;

/// A unigram model: I(t) = −log₂ P(t) from counts, with one count added for every token type (Laplace), so that an unseen token has a finite cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Unigram {
    /// Where the counts are from.
    pub name: String,
    counts: HashMap<u32, u64>,
    total: u64,
    vocabulary: u64,
}

impl Unigram {
    /// Counts the tokens of a corpus; `vocabulary` is the number of token types there are.
    pub fn of(name: &str, tokens: impl IntoIterator<Item = u32>, vocabulary: u64) -> Self {
        let mut counts = HashMap::new();
        let mut total = 0;
        for token in tokens {
            *counts.entry(token).or_insert(0) += 1;
            total += 1;
        }
        let vocabulary = vocabulary.max(counts.len() as u64).max(1);
        Self { name: name.to_owned(), counts, total, vocabulary }
    }

    /// I(t) in bits.
    pub fn surprisal(&self, token: u32) -> f64 {
        let count = self.counts.get(&token).copied().unwrap_or(0) + 1;
        libm::log2((self.total + self.vocabulary) as f64 / count as f64)
    }
}

/// X of a head, in bits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TokenCost {
    rows: u64,
    sum: f64,
}

impl TokenCost {
    /// Adds one row: its law over the keys, and the surprisal of each key's token.
    ///
    /// # Panics
    /// If the two differ in length.
    pub fn add(&mut self, law: &[f64], surprisal: &[f64]) {
        assert_eq!(law.len(), surprisal.len(), "one surprisal per key");
        self.rows += 1;
        self.sum += law.iter().zip(surprisal).map(|(p, i)| p * i).sum::<f64>();
    }

    /// Σ_ij A_ij I(j): published, and a sum over queries that grows with the text.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// (1/T) Σ_ij A_ij I(j): the "weighted average" that the definition speaks of. `None` without a row.
    pub fn average(&self) -> Option<f64> {
        (self.rows > 0).then(|| self.sum / self.rows as f64)
    }
}
