//! Numbers as bytes, little-endian, and back from bytes that may say anything.

/// Why a checkpoint is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The bytes cannot be what they should be.
    Broken {
        /// Where reading stopped.
        at: usize,
        /// The condition violated.
        violated: &'static str,
    },
    /// The bytes are those of another run.
    Other {
        /// What differs.
        what: &'static str,
        /// What was to be resumed.
        expected: String,
        /// What was found.
        got: String,
    },
}

/// Numbers one behind the other.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// Four bytes.
    pub fn u32(&mut self, value: u32) {
        self.bytes.extend(value.to_le_bytes());
    }

    /// Eight bytes.
    pub fn u64(&mut self, value: u64) {
        self.bytes.extend(value.to_le_bytes());
    }

    /// The eight bytes of an IEEE 754 double, bit for bit.
    pub fn f64(&mut self, value: f64) {
        self.u64(value.to_bits());
    }

    /// The length in eight bytes, then the bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.bytes.extend(bytes);
    }

    /// What was written, without a length.
    pub fn raw(&mut self, bytes: impl IntoIterator<Item = u8>) {
        self.bytes.extend(bytes);
    }

    /// Everything written, and its checksum.
    pub fn seal(mut self) -> Vec<u8> {
        let sum = checksum(&self.bytes);
        self.u64(sum);
        self.bytes
    }

    /// Everything written so far.
    pub fn written(&self) -> &[u8] {
        &self.bytes
    }

    /// Everything written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Takes numbers from bytes, and no more of them than there are.
#[derive(Debug)]
pub struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

/// No counter of a real run comes near this; one that did could overflow later.
const MOST: u64 = 1 << 62;

impl<'b> Reader<'b> {
    /// From the beginning of `bytes`.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// From behind the eight bytes that tell what file it is, up to the checksum, which must fit.
    ///
    /// # Errors
    /// [`Refusal::Broken`], with `otherwise` if the file does not begin with `magic`.
    pub fn unsealed(bytes: &'b [u8], magic: [u8; 8], otherwise: &'static str) -> Result<Self, Refusal> {
        if !bytes.starts_with(&magic) {
            return Err(Refusal::Broken { at: 0, violated: otherwise });
        }
        let body = bytes.len().saturating_sub(8);
        let sum = Reader::new(&bytes[body..]).u64()?;
        if body < 8 || sum != checksum(&bytes[..body]) {
            let violated = "the checksum does not fit: the file is damaged or cut short";
            return Err(Refusal::Broken { at: body, violated });
        }
        Ok(Self { bytes: &bytes[..body], at: 8 })
    }

    /// A refusal that names the present place.
    pub fn broken(&self, violated: &'static str) -> Refusal {
        Refusal::Broken { at: self.at, violated }
    }

    /// Bytes that are left.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`Refusal::Broken`] if there are not as many.
    pub fn raw(&mut self, count: usize) -> Result<&'b [u8], Refusal> {
        if count > self.left() {
            return Err(self.broken("the file ends too early"));
        }
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`Refusal::Broken`] at the end.
    pub fn u8(&mut self) -> Result<u8, Refusal> {
        Ok(self.raw(1)?[0])
    }

    /// Four bytes.
    ///
    /// # Errors
    /// [`Refusal::Broken`] if fewer are left.
    pub fn u32(&mut self) -> Result<u32, Refusal> {
        let mut word = [0; 4];
        word.copy_from_slice(self.raw(4)?);
        Ok(u32::from_le_bytes(word))
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// [`Refusal::Broken`] if fewer are left.
    pub fn u64(&mut self) -> Result<u64, Refusal> {
        let mut word = [0; 8];
        word.copy_from_slice(self.raw(8)?);
        Ok(u64::from_le_bytes(word))
    }

    /// A count of something, at most 2⁶².
    ///
    /// # Errors
    /// [`Refusal::Broken`] if fewer than eight bytes are left, or the count is absurd.
    pub fn count(&mut self) -> Result<u64, Refusal> {
        let count = self.u64()?;
        if count > MOST { Err(self.broken("a count above 2⁶²")) } else { Ok(count) }
    }

    /// A finite double.
    ///
    /// # Errors
    /// [`Refusal::Broken`] if fewer than eight bytes are left, or the number is infinite or none.
    pub fn f64(&mut self) -> Result<f64, Refusal> {
        let value = f64::from_bits(self.u64()?);
        if value.is_finite() { Ok(value) } else { Err(self.broken("a number that is not finite")) }
    }

    /// A length, then as many bytes.
    ///
    /// # Errors
    /// [`Refusal::Broken`] if fewer are left.
    pub fn bytes(&mut self) -> Result<&'b [u8], Refusal> {
        let length = self.u64()?;
        let length = usize::try_from(length).map_err(|_| self.broken("the file ends too early"))?;
        self.raw(length)
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// [`Refusal::Broken`] if something is.
    pub fn end(&self) -> Result<(), Refusal> {
        if self.left() == 0 { Ok(()) } else { Err(self.broken("there are bytes behind the end")) }
    }
}

/// 64-bit FNV-1a.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
