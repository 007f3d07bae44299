//! 512 bits on x86-64: two AVX2 registers, or one of AVX-512 with its three-input logic instruction.
//!
//! The methods compile to their instructions only where they are inlined into a function that enables the feature; nothing but
//! [`super::level::dispatch`] instantiates a kernel with these types, and it does so inside such a function.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::vector::{Vector, Words};

/// Two registers of 256 bits.
#[derive(Debug, Clone, Copy)]
pub struct Avx2(__m256i, __m256i);

/// One register of 512 bits.
#[derive(Debug, Clone, Copy)]
pub struct Avx512(__m512i);

/// Runs instructions of the vector's own feature.
macro_rules! with_feature {
    ($($code:tt)*) => {
        // SAFETY: values of these types exist only inside functions that `dispatch` has entered after finding the feature, and
        // every pointer in the code comes from a reference to 64 aligned bytes.
        unsafe { $($code)* }
    };
}

macro_rules! both {
    ($f:ident, $a:expr, $b:expr) => {
        with_feature!(Self($f($a.0, $b.0), $f($a.1, $b.1)))
    };
}

impl Vector for Avx2 {
    #[inline(always)]
    fn prefetch(words: &Words) {
        with_feature!(_mm_prefetch::<_MM_HINT_T0>(words.0.as_ptr().cast()));
    }
    #[inline(always)]
    fn splat(word: u64) -> Self {
        let half = with_feature!(_mm256_set1_epi64x(word as i64));
        Self(half, half)
    }
    #[inline(always)]
    fn load(words: &Words) -> Self {
        let at = words.0.as_ptr().cast::<__m256i>();
        with_feature!(Self(_mm256_load_si256(at), _mm256_load_si256(at.add(1))))
    }
    #[inline(always)]
    fn store(self, words: &mut Words) {
        let at = words.0.as_mut_ptr().cast::<__m256i>();
        with_feature!({
            _mm256_store_si256(at, self.0);
            _mm256_store_si256(at.add(1), self.1);
        });
    }
    #[inline(always)]
    fn and(self, b: Self) -> Self {
        both!(_mm256_and_si256, self, b)
    }
    #[inline(always)]
    fn or(self, b: Self) -> Self {
        both!(_mm256_or_si256, self, b)
    }
    #[inline(always)]
    fn xor(self, b: Self) -> Self {
        both!(_mm256_xor_si256, self, b)
    }
    #[inline(always)]
    fn and_not(self, b: Self) -> Self {
        // The instruction complements its first operand.
        both!(_mm256_andnot_si256, b, self)
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        both!(_mm256_add_epi64, self, b)
    }
    #[inline(always)]
    fn shift_left<const K: u32>(self) -> Self {
        let by = with_feature!(_mm_cvtsi32_si128(K as i32));
        with_feature!(Self(_mm256_sll_epi64(self.0, by), _mm256_sll_epi64(self.1, by)))
    }
    #[inline(always)]
    fn rotate_left<const K: u32>(self) -> Self {
        let by = with_feature!(_mm_cvtsi32_si128(64 - K as i32));
        let down = with_feature!(Self(_mm256_srl_epi64(self.0, by), _mm256_srl_epi64(self.1, by)));
        self.shift_left::<K>().or(down)
    }
    #[inline(always)]
    fn turn(self) -> Self {
        with_feature!({
            // Each half goes round by itself; then the two words that crossed change places.
            let low = _mm256_permute4x64_epi64::<0b10_01_00_11>(self.0);
            let high = _mm256_permute4x64_epi64::<0b10_01_00_11>(self.1);
            Self(_mm256_blend_epi32::<0b11>(low, high), _mm256_blend_epi32::<0b11>(high, low))
        })
    }
    #[inline(always)]
    fn turn_back(self) -> Self {
        with_feature!({
            let low = _mm256_permute4x64_epi64::<0b00_11_10_01>(self.0);
            let high = _mm256_permute4x64_epi64::<0b00_11_10_01>(self.1);
            Self(_mm256_blend_epi32::<0b1100_0000>(low, high), _mm256_blend_epi32::<0b1100_0000>(high, low))
        })
    }
    #[inline(always)]
    fn is_zero(self) -> bool {
        with_feature!({
            let any = _mm256_or_si256(self.0, self.1);
            _mm256_testz_si256(any, any) == 1
        })
    }
}

/// The truth table of a three-input function, from its value on the columns of a, b, c.
const A: i32 = 0xF0;
const B: i32 = 0xCC;
const C: i32 = 0xAA;

macro_rules! ternary {
    ($a:expr, $b:expr, $c:expr, $table:expr) => {
        with_feature!(Self(_mm512_ternarylogic_epi64::<{ $table & 0xFF }>($a.0, $b.0, $c.0)))
    };
}

impl Vector for Avx512 {
    #[inline(always)]
    fn prefetch(words: &Words) {
        with_feature!(_mm_prefetch::<_MM_HINT_T0>(words.0.as_ptr().cast()));
    }
    #[inline(always)]
    fn splat(word: u64) -> Self {
        with_feature!(Self(_mm512_set1_epi64(word as i64)))
    }
    #[inline(always)]
    fn load(words: &Words) -> Self {
        with_feature!(Self(_mm512_load_si512(words.0.as_ptr().cast())))
    }
    #[inline(always)]
    fn store(self, words: &mut Words) {
        with_feature!(_mm512_store_si512(words.0.as_mut_ptr().cast(), self.0));
    }
    #[inline(always)]
    fn and(self, b: Self) -> Self {
        with_feature!(Self(_mm512_and_si512(self.0, b.0)))
    }
    #[inline(always)]
    fn or(self, b: Self) -> Self {
        with_feature!(Self(_mm512_or_si512(self.0, b.0)))
    }
    #[inline(always)]
    fn xor(self, b: Self) -> Self {
        with_feature!(Self(_mm512_xor_si512(self.0, b.0)))
    }
    #[inline(always)]
    fn and_not(self, b: Self) -> Self {
        // The instruction complements its first operand.
        with_feature!(Self(_mm512_andnot_si512(b.0, self.0)))
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        with_feature!(Self(_mm512_add_epi64(self.0, b.0)))
    }
    #[inline(always)]
    fn shift_left<const K: u32>(self) -> Self {
        with_feature!(Self(_mm512_slli_epi64::<K>(self.0)))
    }
    #[inline(always)]
    fn rotate_left<const K: u32>(self) -> Self {
        let by = Self::splat(u64::from(K));
        // With a constant count the compiler picks the immediate form.
        with_feature!(Self(_mm512_rolv_epi64(self.0, by.0)))
    }
    #[inline(always)]
    fn turn(self) -> Self {
        with_feature!(Self(_mm512_alignr_epi64::<7>(self.0, self.0)))
    }
    #[inline(always)]
    fn turn_back(self) -> Self {
        with_feature!(Self(_mm512_alignr_epi64::<1>(self.0, self.0)))
    }
    #[inline(always)]
    fn is_zero(self) -> bool {
        with_feature!(_mm512_test_epi64_mask(self.0, self.0) == 0)
    }
    #[inline(always)]
    fn not(self) -> Self {
        ternary!(self, self, self, !A)
    }
    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        ternary!(self, b, c, A ^ B ^ C)
    }
    #[inline(always)]
    fn or3(self, b: Self, c: Self) -> Self {
        ternary!(self, b, c, A | B | C)
    }
    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        ternary!(self, b, c, (A & B) | (A & C) | (B & C))
    }
    #[inline(always)]
    fn borrow(self, b: Self, c: Self) -> Self {
        ternary!(self, b, c, (!A & B) | (!A & C) | (B & C))
    }
    #[inline(always)]
    fn select(self, a: Self, b: Self) -> Self {
        ternary!(self, a, b, (A & B) | (!A & C))
    }
    #[inline(always)]
    fn xor_and(self, b: Self, c: Self) -> Self {
        ternary!(self, b, c, A ^ (B & C))
    }
    #[inline(always)]
    fn or_and(self, b: Self, c: Self) -> Self {
        ternary!(self, b, c, A | (B & C))
    }
    #[inline(always)]
    fn where_equal(self, b: Self, c: Self) -> Self {
        ternary!(self, b, c, A & !(B ^ C))
    }
    #[inline(always)]
    fn where_different(self, b: Self, c: Self) -> Self {
        ternary!(self, b, c, A & (B ^ C))
    }
    #[inline(always)]
    fn or_not(self, b: Self) -> Self {
        ternary!(self, b, b, A | !B)
    }
}
