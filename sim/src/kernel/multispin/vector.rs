//! 512 bits that are worked on at once: what a kernel may ask of them, and the portable answer.

/// 512 bits in memory: eight words of 64, one cache line. Bit b of word w is *lane* 64w + b.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Words(pub [u64; 8]);

impl Words {
    /// No lane set.
    pub const ZERO: Self = Self([0; 8]);
    /// Every lane set.
    pub const ONES: Self = Self([u64::MAX; 8]);

    /// Whether lane `lane` is set.
    ///
    /// # Panics
    /// If there is no such lane.
    #[inline]
    pub fn get(&self, lane: usize) -> bool {
        self.0[lane / 64] >> (lane % 64) & 1 == 1
    }

    /// Sets or clears lane `lane`.
    ///
    /// # Panics
    /// If there is no such lane.
    #[inline]
    pub fn set(&mut self, lane: usize, value: bool) {
        let bit = 1 << (lane % 64);
        let word = &mut self.0[lane / 64];
        *word = if value { *word | bit } else { *word & !bit };
    }

    /// Number of lanes that are set.
    #[inline]
    pub fn count(&self) -> u64 {
        self.0.iter().map(|w| u64::from(w.count_ones())).sum()
    }
}

/// 512 bits in registers. Every method acts on each lane, or where it says so on each word, by itself.
///
/// The provided methods state what is meant; an instruction set overrides those for which it has one instruction.
pub trait Vector: Copy {
    /// All words equal.
    fn splat(word: u64) -> Self;
    /// From memory.
    fn load(words: &Words) -> Self;
    /// To memory.
    fn store(self, words: &mut Words);
    /// a ∧ b.
    fn and(self, b: Self) -> Self;
    /// a ∨ b.
    fn or(self, b: Self) -> Self;
    /// a ⊕ b.
    fn xor(self, b: Self) -> Self;
    /// a ∧ ¬b.
    fn and_not(self, b: Self) -> Self;
    /// a + b of each word, modulo 2⁶⁴.
    fn add(self, b: Self) -> Self;
    /// Each word shifted left by `K`, 0 < K < 64.
    fn shift_left<const K: u32>(self) -> Self;
    /// Each word rotated left by `K`, 0 < K < 64.
    fn rotate_left<const K: u32>(self) -> Self;
    /// Every word moved to the next higher place, the last to the first: lane l goes to lane l + 64, modulo 512.
    fn turn(self) -> Self;
    /// The inverse of [`Vector::turn`].
    fn turn_back(self) -> Self;
    /// Whether no lane is set.
    fn is_zero(self) -> bool;
    /// Asks for memory that will be loaded soon, where the processor takes such advice.
    #[inline(always)]
    fn prefetch(_: &Words) {}

    /// ¬a.
    #[inline(always)]
    fn not(self) -> Self {
        self.xor(Self::splat(u64::MAX))
    }
    /// a ⊕ b ⊕ c: the sum bit of a full adder.
    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self.xor(b).xor(c)
    }
    /// a ∨ b ∨ c.
    #[inline(always)]
    fn or3(self, b: Self, c: Self) -> Self {
        self.or(b).or(c)
    }
    /// Two or three of a, b, c: the carry of a full adder.
    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        self.and(b).or(self.or(b).and(c))
    }
    /// Two or three of ¬a, b, c: the borrow of a full subtractor a − b − c.
    #[inline(always)]
    fn borrow(self, b: Self, c: Self) -> Self {
        self.not().majority(b, c)
    }
    /// a where `self`, else b.
    #[inline(always)]
    fn select(self, a: Self, b: Self) -> Self {
        b.xor(self.and(a.xor(b)))
    }
    /// a ⊕ (b ∧ c).
    #[inline(always)]
    fn xor_and(self, b: Self, c: Self) -> Self {
        self.xor(b.and(c))
    }
    /// a ∨ (b ∧ c).
    #[inline(always)]
    fn or_and(self, b: Self, c: Self) -> Self {
        self.or(b.and(c))
    }
    /// a ∧ ¬(b ⊕ c): a where b and c agree.
    #[inline(always)]
    fn where_equal(self, b: Self, c: Self) -> Self {
        self.and_not(b.xor(c))
    }
    /// a ∧ (b ⊕ c): a where b and c differ.
    #[inline(always)]
    fn where_different(self, b: Self, c: Self) -> Self {
        self.and(b.xor(c))
    }
    /// a ∨ ¬b.
    #[inline(always)]
    fn or_not(self, b: Self) -> Self {
        self.or(b.not())
    }
}

/// Eight words, left to the compiler. The twin of every other vector, and the only one on most processors.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub struct Portable([u64; 8]);

macro_rules! each_word {
    ($a:expr, $b:expr, $f:expr) => {{
        let (a, b) = (&$a.0, &$b.0);
        let mut out = [0; 8];
        let mut i = 0;
        while i < 8 {
            out[i] = $f(a[i], b[i]);
            i += 1;
        }
        Portable(out)
    }};
}

impl Vector for Portable {
    #[inline(always)]
    fn splat(word: u64) -> Self {
        Self([word; 8])
    }
    #[inline(always)]
    fn load(words: &Words) -> Self {
        Self(words.0)
    }
    #[inline(always)]
    fn store(self, words: &mut Words) {
        words.0 = self.0;
    }
    #[inline(always)]
    fn and(self, b: Self) -> Self {
        each_word!(self, b, |a: u64, b: u64| a & b)
    }
    #[inline(always)]
    fn or(self, b: Self) -> Self {
        each_word!(self, b, |a: u64, b: u64| a | b)
    }
    #[inline(always)]
    fn xor(self, b: Self) -> Self {
        each_word!(self, b, |a: u64, b: u64| a ^ b)
    }
    #[inline(always)]
    fn and_not(self, b: Self) -> Self {
        each_word!(self, b, |a: u64, b: u64| a & !b)
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        each_word!(self, b, u64::wrapping_add)
    }
    #[inline(always)]
    fn shift_left<const K: u32>(self) -> Self {
        each_word!(self, self, |a: u64, _| a << K)
    }
    #[inline(always)]
    fn rotate_left<const K: u32>(self) -> Self {
        each_word!(self, self, |a: u64, _| a.rotate_left(K))
    }
    #[inline(always)]
    fn turn(self) -> Self {
        let [a, b, c, d, e, f, g, h] = self.0;
        Self([h, a, b, c, d, e, f, g])
    }
    #[inline(always)]
    fn turn_back(self) -> Self {
        let [a, b, c, d, e, f, g, h] = self.0;
        Self([b, c, d, e, f, g, h, a])
    }
    #[inline(always)]
    fn is_zero(self) -> bool {
        let mut any = 0;
        let mut i = 0;
        while i < 8 {
            any |= self.0[i];
            i += 1;
        }
        any == 0
    }
}
