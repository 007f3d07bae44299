//! The tokenizer that a GGUF file carries in its metadata, where it is a byte-level BPE.

use std::collections::BTreeMap;

use tokenizers::decoders::byte_level::ByteLevel as ByteLevelDecoder;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::tokenizer::SplitDelimiterBehavior;
use tokenizers::{AddedToken, Tokenizer};

use super::error::Error;
use super::gguf::{Gguf, Value};
use super::tokens::Tokens;

/// How text is cut before merges in Llama 3 (its published tokenizer.json).
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Types of tokens (`tokenizer.ggml.token_type`).
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;

/// Builds the tokenizer of a file; one of a kind that is not built here is refused only when a text is to be encoded.
///
/// # Errors
/// [`Error::Gguf`] if the metadata contradict themselves, [`Error::Vocabulary`] if there are more tokens than embeddings.
pub fn tokens(gguf: &Gguf, vocabulary: usize) -> Result<Tokens, Error> {
    let id = |key: &str| gguf.whole(&format!("tokenizer.ggml.{key}_token_id"));
    let end: Vec<u32> =
        [id("eos")?, id("eot")?].into_iter().flatten().filter_map(|id| u32::try_from(id).ok()).collect();
    let built = match gguf.text("tokenizer.ggml.model")? {
        Some("gpt2") => build(gguf, vocabulary)?,
        Some(other) => Err(format!(
            "its tokenizer is of the kind {other:?}; supported: gpt2 (byte-level BPE); give ids with --tokens"
        )),
        None => Err("it carries no tokenizer (tokenizer.ggml.model): give ids with --tokens".into()),
    };
    Ok(Tokens::built(gguf.file(), built, end))
}

fn strings<'a>(gguf: &'a Gguf, key: &str) -> Result<Vec<&'a str>, Error> {
    let values = gguf.list(key)?.ok_or_else(|| gguf.missing(key))?;
    let text = |value: &'a Value| match value {
        Value::Text(text) => Ok(text.as_str()),
        other => Err(gguf.wrong(key, "an array of strings", other)),
    };
    values.iter().map(text).collect()
}

fn build(gguf: &Gguf, vocabulary: usize) -> Result<Result<Tokenizer, String>, Error> {
    let wrong = |violated: String| Error::Gguf { file: gguf.file().to_owned(), violated };
    let words = strings(gguf, "tokenizer.ggml.tokens")?;
    let merges = strings(gguf, "tokenizer.ggml.merges")?;
    if words.len() > vocabulary {
        return Err(Error::Vocabulary { file: gguf.file().to_owned(), tokens: words.len(), vocabulary });
    }
    let cut = match cut(gguf.text("tokenizer.ggml.pre")?.unwrap_or("default")) {
        Ok(cut) => cut,
        Err(violated) => return Ok(Err(violated)),
    };
    let mut ids = BTreeMap::new();
    for (id, word) in words.iter().enumerate() {
        if let Some(other) = ids.insert((*word).to_owned(), id as u32) {
            return Err(wrong(format!("tokens {other} and {id} are both {word:?}")));
        }
    }
    let mut pairs = Vec::new();
    for (index, merge) in merges.iter().enumerate() {
        let pair = merge.split_once(' ').filter(|(a, b)| {
            ids.contains_key(*a) && ids.contains_key(*b) && ids.contains_key(&format!("{a}{b}"))
        });
        let (a, b) =
            pair.ok_or_else(|| wrong(format!("merge {index}, {merge:?}, is not of two tokens to a third")))?;
        pairs.push((a.to_owned(), b.to_owned()));
    }
    let model =
        BPE::builder().vocab_and_merges(ids.clone().into_iter().collect::<Vocabulary>(), pairs).build();
    let model = model.map_err(|e| wrong(format!("its tokenizer cannot be built: {e}")))?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(cut)).with_decoder(Some(ByteLevelDecoder::default()));
    tokenizer.add_special_tokens(&added(gguf, &words, true)?);
    tokenizer.add_tokens(&added(gguf, &words, false)?);
    if gguf.value("tokenizer.ggml.add_bos_token") == Some(&Value::Bool(true)) {
        let bos = gguf.whole("tokenizer.ggml.bos_token_id")?.filter(|&id| id < words.len());
        let bos = bos.ok_or_else(|| gguf.missing("tokenizer.ggml.bos_token_id"))?;
        let word = words[bos];
        let template = TemplateProcessing::builder()
            .try_single(vec![word.to_owned(), "$A".to_owned()])
            .and_then(|template| {
                template
                    .special_tokens(vec![(word.to_owned(), bos as u32)])
                    .build()
                    .map_err(|e| e.to_string())
            })
            .map_err(|e| wrong(format!("its first token {word:?} cannot be put before a text: {e}")))?;
        tokenizer.with_post_processor(Some(template));
    }
    Ok(Ok(tokenizer))
}

type Vocabulary = tokenizers::models::bpe::Vocab;

/// The tokens that are found in a text before it is cut.
fn added(gguf: &Gguf, words: &[&str], special: bool) -> Result<Vec<AddedToken>, Error> {
    const KEY: &str = "tokenizer.ggml.token_type";
    let Some(kinds) = gguf.list(KEY)? else { return Ok(Vec::new()) };
    let wanted = if special { CONTROL } else { USER_DEFINED };
    let is = |kind: &Value| {
        matches!(kind, Value::Signed(n) if *n == wanted)
            || matches!(kind, Value::Unsigned(n) if *n as i64 == wanted)
    };
    let chosen = words.iter().zip(kinds).filter(|(_, kind)| is(kind));
    Ok(chosen.map(|(word, _)| AddedToken::from(*word, special).normalized(false)).collect())
}

/// How the text is cut into words before merges, by the name that the file gives it.
fn cut(name: &str) -> Result<Sequence, String> {
    let bytes = |regex| PreTokenizerWrapper::from(ByteLevel::new(false, true, regex));
    let digits = PreTokenizerWrapper::from(Digits::new(true));
    Ok(Sequence::new(match name {
        "default" | "gpt-2" => vec![bytes(true)],
        "smollm" => vec![digits, bytes(true)],
        "llama-bpe" | "llama3" | "llama-v3" => {
            let split =
                Split::new(SplitPattern::Regex(LLAMA3.into()), SplitDelimiterBehavior::Isolated, false);
            vec![split.map_err(|e| format!("its tokenizer cannot be built: {e}"))?.into(), bytes(false)]
        }
        other => {
            return Err(format!(
                "its tokenizer cuts text as {other:?}; supported: default, gpt-2, smollm, llama-bpe; give ids with --tokens"
            ));
        }
    }))
}
