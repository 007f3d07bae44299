//! Text to tokens, by the model's own `tokenizer.json`.

use serde_json::Value;
use tokenizers::Tokenizer;

use super::error::Error;

/// The tokenizer of a model, with its padding and truncation switched off.
///
/// Sentence models ship both switched on (all-MiniLM-L6-v2 pads to and cuts at 128 tokens); here nothing is padded, and
/// what must be cut is cut openly, at the model's own limit.
#[derive(Debug)]
pub struct Tokens {
    file: String,
    /// The tokenizer, or why there is none: ids can be run without it.
    tokenizer: Result<Tokenizer, String>,
    /// The id that marks padding, in models that pad.
    padding: Option<u32>,
    /// Ids after which a text has ended.
    end: Vec<u32>,
}

/// A sequence of tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The id of every token.
    pub ids: Vec<u32>,
    /// For each position, whether it is a token (`false`: padding).
    pub mask: Vec<bool>,
    /// Every token as the vocabulary spells it.
    pub tokens: Vec<String>,
    /// The text that the tokens stand for, after any cut.
    pub text: String,
    /// Number of tokens that did not fit and were cut.
    pub cut: usize,
}

impl Tokens {
    /// Reads the bytes of a `tokenizer.json`; `padding` is the id that marks padding, if the model pads, `file` is used in messages.
    ///
    /// # Errors
    /// [`Error::Tokenizer`].
    pub fn parse(file: &str, bytes: &[u8], padding: Option<u32>) -> Result<Self, Error> {
        let wrong = |e: tokenizers::Error| Error::Tokenizer {
            file: file.to_owned(),
            violated: format!("not a tokenizer: {e}"),
        };
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(wrong)?;
        tokenizer.with_padding(None).with_truncation(None).map_err(wrong)?;
        Ok(Self { file: file.to_owned(), tokenizer: Ok(tokenizer), padding, end: Vec::new() })
    }

    /// A tokenizer that was built, not read, or the reason why it cannot be; `end` are the ids after which a text has ended.
    pub(super) fn built(file: &str, tokenizer: Result<Tokenizer, String>, end: Vec<u32>) -> Self {
        Self { file: file.to_owned(), tokenizer, padding: None, end }
    }

    /// The same with these ids marking the end of a text.
    pub(super) fn ending_with(self, end: Vec<u32>) -> Self {
        Self { end, ..self }
    }

    /// Whether a text has ended with this token.
    pub fn is_end(&self, id: u32) -> bool {
        self.end.contains(&id)
    }

    /// Refuses a tokenizer with more tokens than the model has embeddings.
    ///
    /// # Errors
    /// [`Error::Vocabulary`].
    pub fn fits(&self, vocabulary: usize) -> Result<(), Error> {
        let largest = self.tokenizer.as_ref().ok().and_then(|t| t.get_vocab(true).into_values().max());
        match largest {
            Some(id) if id as usize >= vocabulary => {
                Err(Error::Vocabulary { file: self.file.clone(), tokens: id as usize + 1, vocabulary })
            }
            _ => Ok(()),
        }
    }

    fn tokenizer(&self) -> Result<&Tokenizer, Error> {
        self.tokenizer
            .as_ref()
            .map_err(|violated| Error::Tokenizer { file: self.file.clone(), violated: violated.clone() })
    }

    /// The tokens of `text`, at most `limit` of them.
    ///
    /// Longer text loses its last words; the special tokens at its end (`[SEP]`) are kept, and
    /// [`Sequence::cut`] says how many tokens went.
    ///
    /// # Errors
    /// [`Error::EmptyText`] if no token stands for the text, [`Error::Tokenizer`] if the tokenizer fails.
    pub fn encode(&self, text: &str, limit: usize) -> Result<Sequence, Error> {
        let encoding = self.tokenizer()?.encode(text, true).map_err(|e| Error::Tokenizer {
            file: self.file.clone(),
            violated: format!("the tokenizer failed: {e}"),
        })?;
        let special = encoding.get_special_tokens_mask();
        let total = special.len();
        if special.iter().all(|&special| special == 1) {
            return Err(Error::EmptyText);
        }
        let cut = total.saturating_sub(limit);
        let tail = special.iter().rev().take_while(|&&special| special == 1).count().min(limit);
        let kept: Vec<usize> = (0..total - tail - cut).chain(total - tail..total).collect();
        let end = if cut == 0 {
            text.len()
        } else {
            kept.iter().map(|&i| encoding.get_offsets()[i].1).max().unwrap_or(0)
        };
        let ids: Vec<u32> = kept.iter().map(|&i| encoding.get_ids()[i]).collect();
        Ok(Sequence {
            mask: self.mask(&ids),
            tokens: kept.iter().map(|&i| encoding.get_tokens()[i].clone()).collect(),
            text: text.get(..end).unwrap_or(text).trim().to_owned(),
            ids,
            cut,
        })
    }

    /// Exactly these ids, nothing added, at most the first `limit`; ids that mark padding are masked.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the tokenizer cannot say what text they stand for.
    pub fn sequence(&self, ids: &[u32], limit: usize) -> Result<Sequence, Error> {
        let kept = &ids[..ids.len().min(limit)];
        let spelt = |&id: &u32| {
            let word = self.tokenizer.as_ref().ok().and_then(|tokenizer| tokenizer.id_to_token(id));
            word.unwrap_or_else(|| format!("#{id}"))
        };
        let text = if self.tokenizer.is_ok() { self.decode(kept)? } else { String::new() };
        Ok(Sequence {
            ids: kept.to_vec(),
            mask: self.mask(kept),
            tokens: kept.iter().map(spelt).collect(),
            text,
            cut: ids.len() - kept.len(),
        })
    }

    /// The text of these ids; special tokens are left out.
    ///
    /// # Errors
    /// [`Error::Tokenizer`].
    pub fn decode(&self, ids: &[u32]) -> Result<String, Error> {
        self.tokenizer()?.decode(ids, true).map_err(|e| Error::Tokenizer {
            file: self.file.clone(),
            violated: format!("the tokenizer failed: {e}"),
        })
    }

    fn mask(&self, ids: &[u32]) -> Vec<bool> {
        ids.iter().map(|&id| Some(id) != self.padding).collect()
    }
}

/// Reads a plain JSON array of token ids below `vocabulary`; `file` is used in messages.
///
/// ```
/// use ceas_mapping::reference::tokens::parse_ids;
/// assert_eq!(parse_ids("t.json", "[101, 7592, 102]", 30522).unwrap(), [101, 7592, 102]);
/// assert!(parse_ids("t.json", "[101, 1.5]", 30522).is_err());
/// ```
///
/// # Errors
/// [`Error::TokenList`] if it is not such an array or empty, [`Error::Token`] if an id is out of range.
pub fn parse_ids(file: &str, json: &str, vocabulary: usize) -> Result<Vec<u32>, Error> {
    let wrong = |violated: String| Error::TokenList { file: file.to_owned(), violated };
    let value: Value = serde_json::from_str(json).map_err(|e| wrong(format!("not JSON: {e}")))?;
    let Value::Array(entries) = value else { return Err(wrong("it is not an array".into())) };
    if entries.is_empty() {
        return Err(wrong("the array is empty".into()));
    }
    let id = |(position, entry): (usize, &Value)| {
        let id = entry.as_u64().and_then(|id| u32::try_from(id).ok());
        let id = id.ok_or_else(|| {
            let shown = entry.to_string();
            let (start, more) =
                (shown.chars().take(40).collect::<String>(), shown.chars().nth(40).map_or("", |_| "…"));
            wrong(format!("position {position} holds {start}{more}, which is not a token id"))
        })?;
        if id as usize >= vocabulary {
            return Err(Error::Token { position, id, vocabulary });
        }
        Ok(id)
    };
    entries.iter().enumerate().map(id).collect()
}
