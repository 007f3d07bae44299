//! Reading a GGUF file value by value: every length is compared with the bytes that are left before anything is taken.

use super::format::Format;
use super::gguf_value::{Texts, Value};

/// Arrays within arrays: real files have none, the format allows any number.
const DEEPEST: usize = 4;
/// More values than the arrays of any tokenizer hold together.
const MOST_VALUES: usize = 1 << 23;
/// More axes than any tensor has.
const MOST_AXES: u32 = 8;

/// What the file says of a tensor.
pub(super) struct Claim {
    pub shape: Vec<usize>,
    pub format: Format,
    pub size: usize,
    pub offset: u64,
}

/// A place in the bytes of a file, and nothing believed of what stands there.
pub(super) struct Reader<'a> {
    all: &'a [u8],
    at: usize,
    /// Values of arrays so far.
    values: usize,
}

impl<'a> Reader<'a> {
    pub fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0, values: 0 }
    }

    /// Bytes read so far.
    pub fn at(&self) -> usize {
        self.at
    }

    fn left(&self) -> usize {
        self.all.len() - self.at
    }

    pub fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let (left, at) = (self.left(), self.at);
        if n > left {
            return Err(format!("it ends: {n} bytes are needed at byte {at}, {left} are left"));
        }
        self.at += n;
        Ok(&self.all[at..at + n])
    }

    pub fn bytes<const N: usize>(&mut self) -> Result<[u8; N], String> {
        Ok(self.take(N)?.try_into().expect("as many as were taken"))
    }

    fn length(&mut self) -> Result<usize, String> {
        let length = u64::from_le_bytes(self.bytes()?);
        usize::try_from(length)
            .ok()
            .filter(|&n| n <= self.left())
            .ok_or_else(|| format!("a length of {length} is claimed, {} bytes are left", self.left()))
    }

    pub fn text(&mut self) -> Result<String, String> {
        let length = self.length()?;
        let bytes = self.take(length)?;
        // Some tokenizers hold pieces of characters; a token that is not UTF-8 cannot be meant by a text.
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    pub fn value(&mut self, kind: u32, depth: usize) -> Result<Value, String> {
        Ok(match kind {
            0 => Value::Unsigned(u8::from_le_bytes(self.bytes()?).into()),
            1 => Value::Signed(i8::from_le_bytes(self.bytes()?).into()),
            2 => Value::Unsigned(u16::from_le_bytes(self.bytes()?).into()),
            3 => Value::Signed(i16::from_le_bytes(self.bytes()?).into()),
            4 => Value::Unsigned(u32::from_le_bytes(self.bytes()?).into()),
            5 => Value::Signed(i32::from_le_bytes(self.bytes()?).into()),
            6 => Value::Float(f32::from_le_bytes(self.bytes()?).into()),
            7 => Value::Bool(match self.bytes()? {
                [0] => false,
                [1] => true,
                [other] => return Err(format!("a truth value is {other}; expected 0 or 1")),
            }),
            8 => Value::Text(self.text()?),
            9 => self.array(depth)?,
            10 => Value::Unsigned(u64::from_le_bytes(self.bytes()?)),
            11 => Value::Signed(i64::from_le_bytes(self.bytes()?)),
            12 => Value::Float(f64::from_le_bytes(self.bytes()?)),
            _ => return Err(format!("a value has the type {kind}; expected 0 to 12")),
        })
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        if depth == DEEPEST {
            return Err(format!("arrays are nested more than {DEEPEST} deep"));
        }
        let kind = u32::from_le_bytes(self.bytes()?);
        let claimed = u64::from_le_bytes(self.bytes()?);
        // The fewest bytes that a value of this type takes.
        let least = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            9 => 12,
            _ => 8,
        };
        let length = usize::try_from(claimed)
            .ok()
            .filter(|n| n.checked_mul(least).is_some_and(|bytes| bytes <= self.left()))
            .ok_or_else(|| format!("an array claims {claimed} values, {} bytes are left", self.left()))?;
        self.values += length;
        if self.values > MOST_VALUES {
            return Err(format!("its arrays hold more than {MOST_VALUES} values"));
        }
        // What follows grows with what is read: a claim alone takes no memory.
        if kind == 8 {
            let mut texts = Texts::default();
            for _ in 0..length {
                texts.push(&self.text()?);
            }
            return Ok(Value::Texts(texts));
        }
        let mut values = Vec::new();
        for _ in 0..length {
            values.push(self.value(kind, depth + 1)?);
        }
        Ok(Value::List(values))
    }

    pub fn claim(&mut self) -> Result<Claim, String> {
        let axes = u32::from_le_bytes(self.bytes()?);
        if axes > MOST_AXES {
            return Err(format!("claims {axes} axes; expected at most {MOST_AXES}"));
        }
        let mut shape = Vec::new();
        for _ in 0..axes {
            let extent = u64::from_le_bytes(self.bytes()?);
            shape.push(usize::try_from(extent).map_err(|_| format!("claims an axis of {extent}"))?);
        }
        // The file names the fastest axis first.
        shape.reverse();
        let kind = u32::from_le_bytes(self.bytes()?);
        let offset = u64::from_le_bytes(self.bytes()?);
        let format = Format::of_gguf(kind).ok_or_else(|| {
            let known: Vec<String> = Format::ALL.iter().map(|format| format!("{format:?}")).collect();
            format!("has the type {}; supported: {}", type_name(kind), known.join(", "))
        })?;
        let columns = shape.last().copied().unwrap_or(1);
        let rows = shape.iter().rev().skip(1).try_fold(1usize, |rows, &n| rows.checked_mul(n));
        let size = rows.zip(format.row_bytes(columns)).and_then(|(rows, bytes)| rows.checked_mul(bytes));
        let size = size.ok_or_else(|| format!("has shape {shape:?}, which type {format:?} cannot hold"))?;
        Ok(Claim { shape, format, size, offset })
    }
}

/// The name of a type of GGUF that is not converted.
fn type_name(kind: u32) -> String {
    let name = match kind {
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        13 => "Q5_K",
        15 => "Q8_K",
        16..=23 | 29 => "IQ (importance quantisation)",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        _ => "unknown",
    };
    format!("{name} (number {kind})")
}
