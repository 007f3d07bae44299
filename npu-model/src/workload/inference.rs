//! A transformer at work: what prefill of a context, or decode of the next token, consists of.

use serde::{Deserialize, Serialize};

use super::{Shape, Transformer};
use crate::error::Error;

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The whole context at once; its keys and values fill the cache.
    Prefill,
    /// One more token for every sequence; the cache is read, and grows by one token.
    Decode,
}

impl Phase {
    /// The phase as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prefill => "prefill",
            Self::Decode => "decode",
        }
    }
}

/// A phase, how long the context is, and how many sequences there are at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Task {
    /// What is asked.
    pub phase: Phase,
    /// Tokens of every sequence; for decode those in the cache, the new one among them.
    pub context: u64,
    /// Sequences.
    pub batch: u64,
}

/// Which part of a model an operation belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Row of the embedding table for every token.
    Embedding,
    /// The norms before attention and feed-forward, and the last one.
    Norms,
    /// W_Q, W_K, W_V.
    QueryKeyValue,
    /// Scores, softmax, average of the values.
    Attention,
    /// W_O.
    AttentionOutput,
    /// The matrices of the feed-forward blocks.
    FeedForward,
    /// Activation and gate of the feed-forward blocks.
    Activation,
    /// Adding to the residual stream.
    Residual,
    /// Scores over the vocabulary, for the last token of every sequence.
    Head,
}

impl Part {
    /// The part as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedding => "embedding",
            Self::Norms => "norms",
            Self::QueryKeyValue => "query_key_value",
            Self::Attention => "attention",
            Self::AttentionOutput => "attention_output",
            Self::FeedForward => "feed_forward",
            Self::Activation => "activation",
            Self::Residual => "residual",
            Self::Head => "head",
        }
    }
}

/// A product of `rows` vectors with a matrix of weights, in each of `times` layers.
///
/// MACs: times·rows·inner·outer. Weights: times·inner·outer, read once for all rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Product {
    /// Where it belongs.
    pub part: Part,
    /// How many of it there are, each with weights of its own, one after the other.
    pub times: u64,
    /// Vectors: tokens of all sequences.
    pub rows: u64,
    /// Length of a vector.
    pub inner: u64,
    /// Length of a result.
    pub outer: u64,
}

/// Attention of all heads of all sequences, in each of `times` layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AttentionWork {
    /// Layers, one after the other.
    pub times: u64,
    /// Sequences; keys and values are not shared between them.
    pub batch: u64,
    /// Query heads of a sequence.
    pub heads: u64,
    /// Heads of keys and values.
    pub kv_heads: u64,
    /// One query head of one sequence.
    pub shape: Shape,
}

/// A function of every number of `rows` vectors of `width`, in each of `times` places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pointwise {
    /// Where it belongs.
    pub part: Part,
    /// Places, one after the other.
    pub times: u64,
    /// Vectors.
    pub rows: u64,
    /// Numbers in each.
    pub width: u64,
    /// Arithmetic operations for each number (a norm: square, sum, scale, gain; SiLU with gate: exponential as one, add, divide,
    /// multiply twice).
    pub operations: u64,
}

/// One step of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Weights times vectors.
    Product(Product),
    /// Queries against keys and values.
    Attention(AttentionWork),
    /// A function of every number.
    Pointwise(Pointwise),
}

impl Product {
    /// Multiply-accumulates.
    pub fn macs(&self) -> f64 {
        self.times as f64 * self.rows as f64 * self.inner as f64 * self.outer as f64
    }

    /// Numbers in its weights.
    pub fn weights(&self) -> f64 {
        self.times as f64 * self.inner as f64 * self.outer as f64
    }
}

impl AttentionWork {
    /// Query heads of all layers and sequences.
    pub fn all_heads(&self) -> f64 {
        self.times as f64 * self.batch as f64 * self.heads as f64
    }

    /// Visible query–key pairs of all heads.
    pub fn pairs(&self) -> f64 {
        self.all_heads() * self.shape.pairs as f64
    }

    /// Multiply-accumulates of all scores: pairs·d.
    pub fn field_macs(&self) -> f64 {
        self.pairs() * self.shape.d_head as f64
    }

    /// Multiply-accumulates of all exact averages: pairs·d.
    pub fn value_macs(&self) -> f64 {
        self.pairs() * self.shape.d_value as f64
    }

    /// Numbers of keys and values that are needed once: times·batch·kv_heads·n_k·(d + d_v). Sequences share none of them, the
    /// query heads of a group all.
    pub fn kv_numbers(&self) -> f64 {
        let all = self.times as f64 * self.batch as f64 * self.kv_heads as f64;
        all * self.shape.n_keys as f64 * (self.shape.d_head + self.shape.d_value) as f64
    }

    /// Numbers in queries and in outputs: all heads·n_q·(d + d_v).
    pub fn query_output_numbers(&self) -> f64 {
        self.all_heads() * self.shape.n_queries as f64 * (self.shape.d_head + self.shape.d_value) as f64
    }

    /// Outputs: rows of attention, one for every query of every head.
    pub fn outputs(&self) -> f64 {
        self.all_heads() * self.shape.n_queries as f64
    }
}

impl Pointwise {
    /// Arithmetic operations.
    pub fn operations(&self) -> f64 {
        self.times as f64 * self.rows as f64 * self.width as f64 * self.operations as f64
    }
}

/// A transformer doing a task, as a list of operations in order of a layer.
///
/// Counts are in numbers and multiply-accumulates; what they weigh in bytes depends on who computes. Counts are `f64`: whole
/// numbers up to 2⁵³, beyond that to 16 digits.
///
/// ```
/// use ceas_npu_model::workload::{Inference, Phase, Task, Transformer};
/// let text = include_str!("../../../data/configs/llama3-8b.json");
/// let llama = Transformer::from_json("llama3-8b.json", text).unwrap();
/// let task = Task { phase: Phase::Decode, context: 8192, batch: 1 };
/// let step = Inference::new(llama, task).unwrap();
/// assert_eq!(step.kv_numbers(), 2.0 * 32.0 * 8.0 * 128.0 * 8192.0); // 0.54e9 numbers, 1.07 GB in half precision
/// assert_eq!(step.kv_written(), 65_536.0);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inference {
    /// Who works.
    pub transformer: Transformer,
    /// On what.
    pub task: Task,
    /// What it consists of.
    pub operations: Vec<Operation>,
}

impl Inference {
    /// Lists the operations of a task.
    ///
    /// The output head scores the last token of every sequence only. Counted for a norm: 4 operations a number, twice a layer and
    /// once at the end; for an activation 5 with a gate, 4 without; for a residual 1.
    ///
    /// # Errors
    /// [`Error::Workload`] if context or batch is 0 or beyond 2³², if the model cannot decode, or if a head has more operations
    /// than 64 bits count.
    pub fn new(transformer: Transformer, task: Task) -> Result<Self, Error> {
        let refuse = |reason: String| Err(Error::Workload { reason });
        for (what, n) in [("context", task.context), ("batch", task.batch)] {
            if n == 0 || n > 1 << 32 {
                return refuse(format!("{what} {n}: it must be at least 1 and at most 2³²"));
            }
        }
        if task.phase == Phase::Decode && !transformer.causal {
            return refuse(format!(
                "a model of the family {:?} is an encoder: it has no decode",
                transformer.family
            ));
        }
        let t = &transformer;
        let queries = match task.phase {
            Phase::Prefill => task.context,
            Phase::Decode => 1,
        };
        let rows = task.batch * queries;
        let d = t.d_head;
        let shape = match task.phase {
            Phase::Prefill => Shape::square(task.context, d, t.causal)?,
            // The new token sees everything, so no pair is masked.
            Phase::Decode => {
                let n = task.context;
                Shape { n_queries: 1, n_keys: n, d_head: d, d_value: d, pairs: n, causal: false }.checked()?
            }
        };
        let product =
            |part, times, rows, inner, outer| Operation::Product(Product { part, times, rows, inner, outer });
        let pointwise = |part, times, rows, width, operations| {
            Operation::Pointwise(Pointwise { part, times, rows, width, operations })
        };
        let heads =
            AttentionWork { times: t.layers, batch: task.batch, heads: t.heads, kv_heads: t.kv_heads, shape };
        let (matrices_in, activation) = if t.gated { (2, 5) } else { (1, 4) };
        let operations = vec![
            pointwise(Part::Embedding, 1, rows, t.hidden, 0),
            pointwise(Part::Norms, 2 * t.layers + 1, rows, t.hidden, 4),
            product(Part::QueryKeyValue, t.layers, rows, t.hidden, (t.heads + 2 * t.kv_heads) * d),
            Operation::Attention(heads),
            product(Part::AttentionOutput, t.layers, rows, t.heads * d, t.hidden),
            product(Part::FeedForward, t.layers, rows, t.hidden, matrices_in * t.intermediate),
            pointwise(Part::Activation, t.layers, rows, t.intermediate, activation),
            product(Part::FeedForward, t.layers, rows, t.intermediate, t.hidden),
            pointwise(Part::Residual, 2 * t.layers, rows, t.hidden, 1),
            product(Part::Head, 1, task.batch, t.hidden, t.vocabulary),
        ];
        Ok(Self { transformer, task, operations })
    }

    /// Tokens that pass through the layers: batch·context, or batch for decode.
    pub fn tokens(&self) -> f64 {
        match self.task.phase {
            Phase::Prefill => self.task.batch as f64 * self.task.context as f64,
            Phase::Decode => self.task.batch as f64,
        }
    }

    /// The attention of all layers.
    pub fn attention(&self) -> AttentionWork {
        let found = self
            .operations
            .iter()
            .find_map(|o| if let Operation::Attention(a) = o { Some(*a) } else { None });
        found.expect("every inference has attention")
    }

    /// The products with weights.
    pub fn products(&self) -> impl Iterator<Item = &Product> {
        self.operations.iter().filter_map(|o| if let Operation::Product(p) = o { Some(p) } else { None })
    }

    /// The functions of every number.
    pub fn pointwise(&self) -> impl Iterator<Item = &Pointwise> {
        self.operations.iter().filter_map(|o| if let Operation::Pointwise(p) = o { Some(p) } else { None })
    }

    /// Multiply-accumulates with weights.
    pub fn weight_macs(&self) -> f64 {
        self.products().map(Product::macs).sum()
    }

    /// Numbers of weights that the task reads: every matrix once, however many tokens share it. The embedding table is not among
    /// them (of it, only the rows of the tokens are read).
    pub fn weight_numbers(&self) -> f64 {
        self.products().map(Product::weights).sum()
    }

    /// Numbers of keys and values that attention reads at least once.
    pub fn kv_numbers(&self) -> f64 {
        self.attention().kv_numbers()
    }

    /// Numbers of keys and values that the task adds to the cache.
    pub fn kv_written(&self) -> f64 {
        self.tokens() * self.transformer.kv_numbers_per_token() as f64
    }

    /// Arithmetic of norms, activations and residuals.
    pub fn pointwise_operations(&self) -> f64 {
        self.pointwise().map(Pointwise::operations).sum()
    }

    /// Floating-point operations as papers count them: two for every multiply-accumulate of products and of visible pairs.
    pub fn flops(&self) -> f64 {
        let attention = self.attention();
        2.0 * (self.weight_macs() + attention.field_macs() + attention.value_macs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn llama(phase: Phase, context: u64, batch: u64) -> Inference {
        let text = include_str!("../../../data/configs/llama3-8b.json");
        let model = Transformer::from_json("llama3-8b.json", text).unwrap();
        Inference::new(model, Task { phase, context, batch }).unwrap()
    }

    #[test]
    fn decode_of_llama_3_8b_is_what_everybody_counts() {
        let one = llama(Phase::Decode, 8192, 1);
        // All matrices but the embedding: 7.5e9 numbers, each used once for every sequence.
        assert_eq!(one.weight_numbers(), 7_504_658_432.0);
        assert_eq!(one.weight_macs(), one.weight_numbers());
        assert_eq!(llama(Phase::Decode, 8192, 32).weight_macs(), 32.0 * one.weight_macs());
        assert_eq!(llama(Phase::Decode, 8192, 32).weight_numbers(), one.weight_numbers());
        assert_eq!(one.attention().field_macs(), 32.0 * 32.0 * 8192.0 * 128.0);
        // Grouped queries: four heads share keys and values; sequences never do.
        assert_eq!(one.kv_numbers(), 536_870_912.0);
        assert_eq!(llama(Phase::Decode, 8192, 32).kv_numbers(), 32.0 * one.kv_numbers());
        assert_eq!(one.kv_written(), 65_536.0);
    }

    #[test]
    fn prefill_is_decode_of_every_token_but_for_the_output_head() {
        let n = 64;
        let all = llama(Phase::Prefill, n, 3);
        let steps: Vec<_> = (1..=n).map(|length| llama(Phase::Decode, length, 3)).collect();
        let sum = |of: fn(&Inference) -> f64| steps.iter().map(of).sum::<f64>();
        assert_eq!(all.attention().pairs(), sum(|s| s.attention().pairs()));
        assert_eq!(all.kv_written(), sum(Inference::kv_written));
        assert_eq!(all.pointwise_operations(), sum(Inference::pointwise_operations));
        let head = 3.0 * 4096.0 * 128_256.0;
        assert_eq!(all.weight_macs() - head, sum(Inference::weight_macs) - n as f64 * head);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let model = llama(Phase::Decode, 1, 1).transformer;
        let refused = |model: &Transformer, phase, context, batch| {
            Inference::new(model.clone(), Task { phase, context, batch }).unwrap_err().to_string()
        };
        assert!(refused(&model, Phase::Decode, 0, 1).contains("context 0"));
        assert!(refused(&model, Phase::Prefill, 1, 1 << 33).contains("batch"));
        assert!(refused(&model, Phase::Prefill, 1 << 32, 1).contains("64 bits"));
        let encoder = Transformer { causal: false, family: "bert".into(), ..model };
        assert!(refused(&encoder, Phase::Decode, 8, 1).contains("no decode"));
    }
}
