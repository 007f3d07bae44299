//! Values of the metadata of a GGUF file.

/// A value of the metadata.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An unsigned integer of any width.
    Unsigned(u64),
    /// A signed integer of any width.
    Signed(i64),
    /// A float of either width.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A string.
    Text(String),
    /// An array of strings.
    Texts(Texts),
    /// An array of anything else.
    List(Vec<Value>),
}

/// Many strings in one: a vocabulary takes little more memory than its letters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Texts {
    joined: String,
    ends: Vec<usize>,
}

impl Texts {
    pub(super) fn push(&mut self, text: &str) {
        self.joined.push_str(text);
        self.ends.push(self.joined.len());
    }

    /// The strings in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.ends.iter().enumerate().map(|(i, &end)| {
            let begin = if i == 0 { 0 } else { self.ends[i - 1] };
            &self.joined[begin..end]
        })
    }
}

impl Value {
    pub(super) fn whole(&self) -> Option<usize> {
        match *self {
            Self::Unsigned(n) => usize::try_from(n).ok(),
            Self::Signed(n) => usize::try_from(n).ok(),
            _ => None,
        }
    }
}
